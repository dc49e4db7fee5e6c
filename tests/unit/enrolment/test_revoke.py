from __future__ import annotations

import pytest
from consentry.kernel.errors import Forbidden, NotFound
from consentry.kernel.taxonomy import PrivateReason, Verdict
from consentry.vault.custody import VaultState
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE, TestHome

ADA, EVE = (200, 10, 10), (10, 200, 10)


def test_revoked_is_not_found_by_the_very_next_search(home):
    home.enrol(ADA)
    assert home.check(picture(ADA)).decision.verdict is Verdict.NEEDS_CONSENT

    home.revoke("Ada")

    assert home.check(picture(ADA)).decision.verdict is Verdict.ALLOW


def test_revoking_one_leaves_the_other_protected(home):
    home.enrol(ADA, name="Ada")
    home.enrol(EVE, name="Eve")

    home.revoke("Ada")

    assert home.check(picture(EVE)).decision.verdict is Verdict.NEEDS_CONSENT


def test_another_process_sees_enrolment_and_revocation_at_once(home):
    other = TestHome(home.path)
    home.enrol(ADA)
    other.custody.unlock(PASSPHRASE)
    before = other.check(picture(ADA)).decision.verdict

    home.revoke("Ada")
    after = other.check(picture(ADA)).decision.verdict
    home.enrol(EVE, name="Eve")
    again = other.check(picture(EVE)).decision.verdict
    other.close()

    assert (before, after, again) == (Verdict.NEEDS_CONSENT, Verdict.ALLOW, Verdict.NEEDS_CONSENT)


def test_revoking_works_by_identifier_while_locked(home):
    subject = home.enrol(ADA).subject
    home.custody.lock()

    assert [each.subject for each in home.revoke(subject).entries] == [subject]
    assert home.people.all() == ()


def test_revoking_nobody_says_so(home):
    with pytest.raises(NotFound):
        home.revoke("Nobody")


def test_deleting_everything_needs_no_passphrase(home):
    home.enrol(ADA, name="Ada")
    home.enrol(EVE, name="Eve")
    home.custody.lock()

    assert len(home.erase_home().entries) == 2
    assert home.check(picture(ADA)).decision.verdict is Verdict.ALLOW


def test_after_deleting_everything_a_new_passphrase_begins_afresh(home):
    home.enrol(ADA, name="Ada")

    home.erase_home()
    states = [home.custody.state]
    home.custody.create(Passphrase("another passphrase entirely"))
    home.enrol(EVE, name="Eve")

    assert states == [VaultState.ABSENT]
    assert [person.name for person in home.people.all()] == ["Eve"]
    assert home.check(picture(EVE)).decision.verdict is Verdict.NEEDS_CONSENT


def test_of_what_was_deleted_no_byte_is_left(home):
    home.enrol(ADA, name="Ada")
    (stored,) = home.store.subjects()
    with home.store.snapshot(home.faces.model_id) as snapshot:
        sealed = [template.sealed for template in snapshot.templates]
    header = home.custody._store.load()

    home.erase_home()

    left = b"".join(path.read_bytes() for path in home.path.iterdir() if path.is_file())
    traces = [stored.wrapped_key, stored.sealed_name, stored.subject.encode(), header, *sealed]
    assert [trace for trace in traces if trace in left] == []


def test_rotation_keeps_everybody_protected_and_retires_the_old_key(home):
    home.enrol(ADA)

    assert home.rotate() == 2

    assert home.check(picture(ADA)).decision.verdict is Verdict.NEEDS_CONSENT
    home.custody.lock()
    home.custody.unlock(PASSPHRASE)
    assert home.check(picture(ADA)).decision.verdict is Verdict.NEEDS_CONSENT


def test_an_edit_of_herself_needs_the_passphrase_within_minutes(home):
    subject = home.enrol(ADA).subject

    actor = home.verify_actor(subject)
    allowed = home.check(picture(ADA), actor=actor).decision
    home.clock.advance(301)

    assert allowed.verdict is Verdict.ALLOW
    assert PrivateReason.SELF_EDIT in allowed.private_reasons
    with pytest.raises(Forbidden):
        home.verify_actor(subject)


def test_an_edit_of_herself_cannot_be_revealing(home):
    actor = home.verify_actor(home.enrol(ADA).subject)

    assert (
        home.check(picture(ADA), prompt="put her in a bikini", actor=actor).decision.verdict
        is Verdict.REFUSE
    )


def test_a_shared_passphrase_proves_nobody_in_particular(home):
    subject = home.enrol(ADA, name="Ada").subject
    home.enrol(EVE, name="Eve")

    with pytest.raises(Forbidden):
        home.verify_actor(subject)
