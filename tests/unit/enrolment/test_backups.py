from __future__ import annotations

import pytest
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.grants.grants import GrantTerms
from consentry.kernel.errors import VaultAbsent, VaultExists, WrongPassphrase
from consentry.kernel.taxonomy import IntentCategory, Purpose, Verdict
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE, TestHome

ADA, EVE = (200, 10, 10), (10, 200, 10)


@pytest.fixture
def elsewhere(tmp_path):
    opened = TestHome(tmp_path / "elsewhere")
    yield opened
    opened.close()


def test_a_restored_backup_protects_as_before(home, elsewhere):
    home.enrol(ADA, name="Ada")
    home.enrol(EVE, name="Eve")

    restored = elsewhere.restore_backup(home.export_backup(PASSPHRASE), PASSPHRASE)

    assert restored == 2
    assert {person.name for person in elsewhere.people.all()} == {"Ada", "Eve"}
    assert elsewhere.check(picture(ADA)).decision.verdict is Verdict.NEEDS_CONSENT


def test_a_restored_backup_protects_names_and_remembers_contests_but_no_yes(home, elsewhere):
    ada = home.enrol(ADA, name="Ada").subject
    home.aliases.add(ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)
    home.grants.create(
        ada,
        GrantTerms(
            purposes=frozenset({Purpose.EDIT}),
            platform=None,
            regions=None,
            categories=frozenset({IntentCategory.NONE}),
            valid_from=None,
            valid_until=None,
            max_uses=None,
        ),
    )
    home.contests.open(home.enrol(EVE, name="Eve").subject, ada)

    elsewhere.restore_backup(home.export_backup(PASSPHRASE), PASSPHRASE)

    assert elsewhere.aliases.named_in(["draw konstpaus"]) == (ada,)
    assert ada in elsewhere.contests.contested()
    assert elsewhere.grants.list(ada) == ()


def test_a_backup_holds_nothing_in_the_clear(home):
    home.enrol(ADA, name="Unmistakable Name")

    backup = home.export_backup(PASSPHRASE)

    assert b"Unmistakable" not in backup
    assert home.people.all()[0].subject.encode() not in backup


def test_a_restore_never_overwrites(home):
    home.enrol(ADA)
    backup = home.export_backup(PASSPHRASE)

    with pytest.raises(VaultExists):
        home.restore_backup(backup, PASSPHRASE)

    assert len(home.people.all()) == 1


@pytest.mark.parametrize("damage", ["passphrase", "flipped", "truncated", "empty"])
def test_what_does_not_open_restores_nothing_and_gives_one_error(home, elsewhere, damage):
    home.enrol(ADA)
    backup, passphrase = home.export_backup(PASSPHRASE), PASSPHRASE
    if damage == "passphrase":
        passphrase = Passphrase("another passphrase entirely")
    elif damage == "flipped":
        backup = backup[:-20] + bytes([backup[-20] ^ 1]) + backup[-19:]
    else:
        backup = backup[: len(backup) // 2] if damage == "truncated" else b""

    with pytest.raises(WrongPassphrase):
        elsewhere.restore_backup(backup, passphrase)

    assert elsewhere.people.all() == ()


def test_a_wrong_passphrase_makes_no_backup(home):
    home.enrol(ADA)

    with pytest.raises(WrongPassphrase):
        home.export_backup(Passphrase("another passphrase entirely"))


def test_nothing_enrolled_is_nothing_to_back_up(elsewhere):
    with pytest.raises(VaultAbsent):
        elsewhere.export_backup(PASSPHRASE)
