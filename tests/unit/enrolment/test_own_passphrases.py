"""People who share a home each say yes for themselves, and for nobody else."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.enrolment.backups import BackupKind
from consentry.kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    SealBroken,
    TooManyRequests,
    VaultLocked,
    WeakPassphrase,
    WrongPassphrase,
)
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.vault.backup_keys import read_key_file
from consentry.vault.passphrase import Passphrase
from fakes.home import PASSPHRASE, TestHome
from fakes.terms import everyday

RED, BLUE = (200, 20, 20), (20, 20, 200)
ADAS = Passphrase("quiet heron under glass")
EVES = Passphrase("seven copper lanterns")
EVERYDAY = everyday()


@pytest.fixture
def home(tmp_path):
    """Two people, one vault."""
    opened = TestHome(tmp_path / "home").create()
    opened.ada = opened.enrol(RED, name="Ada").subject
    opened.eve = opened.enrol(BLUE, name="Eve").subject
    yield opened
    opened.close()


def test_the_shared_passphrase_says_yes_for_nobody(home):
    for subject in (home.ada, home.eve):
        with pytest.raises(Forbidden, match="one of your own"):
            home.grants.create(subject, EVERYDAY)


def test_each_says_yes_for_herself_alone(home):
    home.give_own(home.ada, ADAS)
    home.give_own(home.eve, EVES)
    home.clock.advance(301)
    home.own_passphrases.prove(home.ada, ADAS)

    assert home.grants.create(home.ada, EVERYDAY).subject == home.ada
    with pytest.raises(Forbidden):
        home.grants.create(home.eve, EVERYDAY)


def test_anothers_passphrase_and_the_homes_prove_nothing(home):
    home.give_own(home.ada, ADAS)
    home.give_own(home.eve, EVES)
    home.clock.advance(301)
    for wrong in (EVES, PASSPHRASE):
        with pytest.raises(WrongPassphrase):
            home.own_passphrases.prove(home.ada, wrong)
    home.custody.unlock(PASSPHRASE)
    with pytest.raises(Forbidden):
        home.verify_actor(home.ada)


def test_a_proof_holds_for_five_minutes_and_not_beyond_a_lock(home):
    home.give_own(home.ada, ADAS)
    home.clock.advance(300)
    assert home.verify_actor(home.ada) == home.ada
    home.clock.advance(1)
    with pytest.raises(Forbidden):
        home.verify_actor(home.ada)
    home.own_passphrases.prove(home.ada, ADAS)
    home.custody.lock()
    home.custody.unlock(PASSPHRASE)
    with pytest.raises(Forbidden):
        home.verify_actor(home.ada)


def test_an_edit_of_herself_is_hers_to_ask_for_once_she_has_proved_it(home):
    home.give_own(home.ada, ADAS)
    home.verify_actor(home.ada)
    home.clock.advance(301)
    with pytest.raises(Forbidden):
        home.verify_actor(home.ada)


@pytest.fixture
def alone(tmp_path):
    opened = TestHome(tmp_path / "alone").create()
    opened.ada = opened.enrol(RED, name="Ada").subject
    yield opened
    opened.close()


def test_who_shares_a_home_is_given_no_first_passphrase_by_the_one_that_all_know(home):
    for subject in (home.ada, home.eve):
        with pytest.raises(Forbidden, match="none any more"):
            home.own_passphrases.set(subject, ADAS, old=None)


def test_who_shares_a_home_sets_hers_while_she_is_enrolled(home):
    bob = home.enrol((20, 200, 20), name="Bob", own=EVES).subject
    home.own_passphrases.prove(bob, EVES)
    assert home.grants.create(bob, EVERYDAY).subject == bob


def test_that_the_others_have_left_makes_nobody_alone_again(home):
    home.revoke(home.eve)
    with pytest.raises(Forbidden, match="are or were"):
        home.verify_actor(home.ada)
    with pytest.raises(Forbidden, match="none any more"):
        home.own_passphrases.set(home.ada, ADAS, old=None)


def test_who_is_enrolled_when_the_others_have_left_is_alone(home):
    home.revoke(home.eve)
    home.revoke(home.ada)
    again = home.enrol(RED, name="Ada").subject
    assert home.verify_actor(again) == again


@pytest.mark.parametrize("kind", BackupKind)
def test_a_backup_brings_along_that_a_home_was_shared(home, tmp_path, kind):
    home.revoke(home.eve)
    backup, keys = home.export_backup(PASSPHRASE, kind), home.export_backup.key_file(PASSPHRASE)
    other = TestHome(tmp_path / "other")
    other.restore_backup(backup, PASSPHRASE, read_key_file(keys.encode()))

    with pytest.raises(Forbidden, match="are or were"):
        other.verify_actor(home.ada)
    other.close()


def test_a_backup_of_which_one_person_stays_closed_was_of_a_shared_home(home, tmp_path):
    backup = home.export_backup(PASSPHRASE)
    home.revoke(home.eve)
    keys = read_key_file(home.export_backup.key_file(PASSPHRASE).encode())
    other = TestHome(tmp_path / "other")
    assert other.restore_backup(backup, PASSPHRASE, keys).closed == 1

    with pytest.raises(Forbidden, match="are or were"):
        other.verify_actor(home.ada)
    other.close()


def test_a_first_passphrase_does_not_come_with_more_photos(alone):
    with pytest.raises(Conflict, match="first photos"):
        alone.enrol(RED, name="Ada", own=ADAS)
    assert not alone.own_passphrases.has(alone.ada)


def test_a_weak_first_passphrase_enrols_nobody(alone):
    with pytest.raises(WeakPassphrase):
        alone.enrol(BLUE, name="Eve", own=Passphrase("short"))
    assert [each.name for each in alone.people.all()] == ["Ada"]


def test_alone_the_first_needs_the_homes_passphrase_just_now(alone):
    alone.clock.advance(301)
    with pytest.raises(Forbidden):
        alone.own_passphrases.set(alone.ada, ADAS, old=None)
    alone.custody.unlock(PASSPHRASE)
    alone.own_passphrases.set(alone.ada, ADAS, old=None)


def test_each_later_one_needs_the_one_before(home):
    home.give_own(home.ada, ADAS)

    with pytest.raises(Conflict):
        home.own_passphrases.set(home.ada, EVES, old=None)
    with pytest.raises(WrongPassphrase):
        home.own_passphrases.set(home.ada, EVES, old=PASSPHRASE)
    home.own_passphrases.set(home.ada, EVES, old=ADAS)
    with pytest.raises(WrongPassphrase):
        home.own_passphrases.prove(home.ada, ADAS)
    home.own_passphrases.prove(home.ada, EVES)


def test_what_protects_nothing_is_no_passphrase_of_her_own(alone):
    with pytest.raises(WeakPassphrase):
        alone.own_passphrases.set(alone.ada, Passphrase("short"), old=None)
    assert not alone.own_passphrases.has(alone.ada)


def test_who_lives_alone_and_has_one_is_asked_for_it_and_not_for_the_homes(tmp_path):
    home = TestHome(tmp_path / "alone").create()
    ada = home.enrol(RED).subject
    home.verify_actor(ada)
    home.give_own(ada, ADAS)
    home.clock.advance(301)
    home.custody.unlock(PASSPHRASE)
    with pytest.raises(Forbidden):
        home.verify_actor(ada)
    home.close()


def test_protecting_her_less_needs_her_own_proof(home):
    home.give_own(home.ada, ADAS)
    alias = home.aliases.add(home.ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)
    contest = home.contests.open(home.eve, home.ada)
    home.clock.advance(301)
    home.custody.unlock(PASSPHRASE)
    less = SubjectPolicy.INTIMATE_AND_IMPERSONATING

    for attempt in (
        lambda: home.set_policy(home.ada, less),
        lambda: home.aliases.remove(alias.alias),
        lambda: home.contests.settle(contest),
    ):
        with pytest.raises(Forbidden):
            attempt()
    home.set_policy(home.eve, less)  # she has none of her own, so the home's is enough

    home.own_passphrases.prove(home.ada, ADAS)
    home.contests.settle(contest)
    home.aliases.remove(alias.alias)
    home.set_policy(home.ada, less)


def test_guesses_are_slowed_for_her_and_not_for_others(home):
    home.give_own(home.ada, ADAS)
    home.give_own(home.eve, EVES)
    for _ in range(5):
        with pytest.raises(WrongPassphrase):
            home.own_passphrases.prove(home.ada, EVES)
    with pytest.raises(TooManyRequests):
        home.own_passphrases.prove(home.ada, ADAS)
    home.own_passphrases.prove(home.eve, EVES)
    home.clock.advance(2)
    home.own_passphrases.prove(home.ada, ADAS)


def test_while_locked_nobody_can_guess_even_with_the_database(home):
    home.give_own(home.ada, ADAS)
    home.custody.lock()
    assert home.own_passphrases.has(home.ada)
    with pytest.raises(VaultLocked):
        home.own_passphrases.prove(home.ada, ADAS)


def test_a_check_moved_to_somebody_else_opens_nothing(home):
    home.give_own(home.ada, ADAS)
    with sqlite3.connect(home.path / "consentry.db") as connection:
        connection.execute(
            "UPDATE subjects SET own_passphrase = "
            "(SELECT own_passphrase FROM subjects WHERE subject = ?) WHERE subject = ?",
            (home.ada, home.eve),
        )
    connection.close()
    with pytest.raises(SealBroken):
        home.own_passphrases.prove(home.eve, ADAS)


def test_a_backup_brings_it_along_so_that_nobody_else_sets_the_first(home, tmp_path):
    home.give_own(home.ada, ADAS)
    backup = home.export_backup(PASSPHRASE, BackupKind.WHOLE)
    other = TestHome(tmp_path / "other")
    other.restore_backup(backup, PASSPHRASE)

    with pytest.raises(Conflict):
        other.own_passphrases.set(home.ada, EVES, old=None)
    other.own_passphrases.prove(home.ada, ADAS)
    assert other.verify_actor(home.ada) == home.ada
    other.close()


def test_rotation_leaves_it_as_it_is(home):
    home.give_own(home.ada, ADAS)
    home.rotate()
    home.own_passphrases.prove(home.ada, ADAS)


def test_with_her_enrolment_it_ends_to_the_last_byte(home):
    home.give_own(home.ada, ADAS)
    (sealed,) = (s.own_passphrase for s in home.store.subjects() if s.subject == home.ada)
    home.revoke(home.ada)
    assert sealed not in (home.path / "consentry.db").read_bytes()
    for gone in (home.ada, SubjectId("sub_x")):
        with pytest.raises(NotFound):
            home.own_passphrases.prove(gone, ADAS)


def test_of_many_proofs_at_once_every_right_one_holds(home):
    home.give_own(home.ada, ADAS)
    home.give_own(home.eve, EVES)
    failures = []

    def prove(subject, passphrase):
        try:
            home.own_passphrases.prove(subject, passphrase)
        except Exception as error:  # noqa: BLE001 -- told below
            failures.append(error)

    threads = [
        threading.Thread(target=prove, args=each)
        for each in ((home.ada, ADAS), (home.eve, EVES)) * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert home.verify_actor(home.ada)
    assert home.verify_actor(home.eve)
