from __future__ import annotations

import base64
import json

import pytest
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.enrolment.backups import BackupKind, Restored
from consentry.kernel.errors import BadRequest, VaultAbsent, VaultExists, WrongPassphrase
from consentry.kernel.taxonomy import Verdict
from consentry.vault.backup import export_backup, open_backup
from consentry.vault.backup_keys import read_key_file
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.home import CHEAP, PASSPHRASE, TestHome
from fakes.terms import everyday

ADA, EVE = (200, 10, 10), (10, 200, 10)


def keys_of(home):
    return read_key_file(home.export_backup.key_file(PASSPHRASE).encode())


@pytest.fixture
def elsewhere(tmp_path):
    opened = TestHome(tmp_path / "elsewhere")
    yield opened
    opened.close()


def test_a_restored_backup_protects_as_before(home, elsewhere):
    home.enrol(ADA, name="Ada")
    home.enrol(EVE, name="Eve")

    backup, keys = home.export_backup(PASSPHRASE), keys_of(home)
    restored = elsewhere.restore_backup(backup, PASSPHRASE, keys)

    assert restored == Restored(subjects=2, closed=0)
    assert {person.name for person in elsewhere.people.all()} == {"Ada", "Eve"}
    assert elsewhere.check(picture(ADA)).decision.verdict is Verdict.NEEDS_CONSENT


@pytest.mark.parametrize("kind", BackupKind)
def test_a_restored_backup_protects_names_and_remembers_contests_but_no_yes(home, elsewhere, kind):
    ada = home.enrol(ADA, name="Ada").subject
    home.aliases.add(ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)
    home.grants.create(ada, everyday())
    home.contests.open(home.enrol(EVE, name="Eve").subject, ada)

    backup, keys = home.export_backup(PASSPHRASE, kind), keys_of(home)
    elsewhere.restore_backup(backup, PASSPHRASE, keys)

    assert elsewhere.aliases.named_in(["draw konstpaus"]) == (ada,)
    assert ada in elsewhere.contests.contested()
    assert elsewhere.grants.list(ada) == ()


@pytest.mark.parametrize("kind", BackupKind)
def test_a_backup_holds_nothing_in_the_clear(home, kind):
    home.enrol(ADA, name="Unmistakable Name")

    backup = home.export_backup(PASSPHRASE, kind)

    assert b"Unmistakable" not in backup
    assert home.people.all()[0].subject.encode() not in backup


def test_a_restore_never_overwrites(home):
    home.enrol(ADA)
    backup = home.export_backup(PASSPHRASE)

    with pytest.raises(VaultExists):
        home.restore_backup(backup, PASSPHRASE, keys_of(home))

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


def test_a_backup_in_one_file_opens_with_the_passphrase_alone(home, elsewhere):
    home.enrol(ADA)

    restored = elsewhere.restore_backup(
        home.export_backup(PASSPHRASE, BackupKind.WHOLE), PASSPHRASE
    )

    assert restored == Restored(subjects=1, closed=0)


def test_without_its_key_file_a_backup_restores_nothing_and_says_what_is_missing(home, elsewhere):
    home.enrol(ADA)

    with pytest.raises(BadRequest, match="key file"):
        elsewhere.restore_backup(home.export_backup(PASSPHRASE), PASSPHRASE)

    assert elsewhere.people.all() == ()


def test_an_erasure_reaches_the_backups_that_were_made_before(home, elsewhere):
    home.enrol(ADA, name="Ada")
    home.enrol(EVE, name="Eve")
    backup = home.export_backup(PASSPHRASE)

    home.revoke("Ada")
    restored = elsewhere.restore_backup(backup, PASSPHRASE, keys_of(home))

    assert restored == Restored(subjects=1, closed=1)
    assert [person.name for person in elsewhere.people.all()] == ["Eve"]
    assert elsewhere.check(picture(ADA)).decision.verdict is Verdict.ALLOW


def test_when_a_contest_s_respondent_is_erased_a_backup_does_not_name_her(home, elsewhere):
    ada = home.enrol(ADA, name="Ada").subject
    home.contests.open(home.enrol(EVE, name="Eve").subject, ada)
    backup = home.export_backup(PASSPHRASE)

    home.revoke("Ada")
    elsewhere.restore_backup(backup, PASSPHRASE, keys_of(home))

    assert elsewhere.contests.contested() == frozenset()
    (eve,) = keys_of(home)
    opened = open_backup(backup, PASSPHRASE)
    sections = json.loads(opened)["sections"]
    (hers,) = (each for each in sections if base64.b64decode(each["label"]) == eve.label)
    assert ada.encode() not in opened + eve.open(base64.b64decode(hers["sealed"]))


def test_the_key_file_goes_on_to_open_old_backups_after_a_restore(home, elsewhere, tmp_path):
    home.enrol(ADA)
    backup, keys = home.export_backup(PASSPHRASE), keys_of(home)
    elsewhere.restore_backup(backup, PASSPHRASE, keys)

    third = TestHome(tmp_path / "third")
    restored = third.restore_backup(backup, PASSPHRASE, keys_of(elsewhere))
    third.close()

    assert restored.subjects == 1


def test_deleting_everything_reaches_every_backup(home, elsewhere):
    home.enrol(ADA)
    backup = home.export_backup(PASSPHRASE)
    home.erase_home()
    home.custody.create(PASSPHRASE)

    with pytest.raises(BadRequest):
        elsewhere.restore_backup(backup, PASSPHRASE, keys_of(home))


def test_a_backup_from_before_people_were_apart_is_still_read(home, elsewhere):
    home.enrol(ADA)
    payload = json.loads(open_backup(home.export_backup(PASSPHRASE, BackupKind.WHOLE), PASSPHRASE))
    payload["format"] = "consentry.backup/1"
    del payload["aliases"], payload["contests"]
    old = export_backup(json.dumps(payload).encode(), PASSPHRASE, cost=CHEAP)

    assert elsewhere.restore_backup(old, PASSPHRASE).subjects == 1
