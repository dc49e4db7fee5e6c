"""Custody: create, unlock, lock, idle lock, guessing, change of passphrase, rotation."""

from __future__ import annotations

import threading

import pytest
from consentry.kernel.errors import (
    Conflict,
    SealBroken,
    TooManyRequests,
    VaultAbsent,
    VaultExists,
    VaultLocked,
    WeakPassphrase,
    WrongPassphrase,
)
from consentry.vault.custody import FREE_FAILURES, MAX_WAIT_S, Custody, VaultState
from consentry.vault.header import build_header
from consentry.vault.keys import epoch_of
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import Argon2Cost
from fakes.header_store import MemoryHeaderStore

IDLE_LOCK_S = 600.0
WRONG = Passphrase("not the right one")


@pytest.fixture
def another_process(store, clock, cheap):
    """A custody of the same header: what a restart, or a second process, has."""
    return Custody(store, clock, idle_lock_s=IDLE_LOCK_S, cost=cheap)


def fail(custody: Custody, times: int) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassphrase):
            custody.unlock(WRONG)


def test_where_there_is_no_vault_nothing_opens(custody, passphrase):
    assert custody.state is VaultState.ABSENT
    for use in (
        custody.keys,
        custody.rotate,
        lambda: custody.unlock(passphrase),
        lambda: custody.verify_passphrase(passphrase),
        lambda: custody.change_passphrase(passphrase, passphrase),
        lambda: custody.retire([]),
    ):
        with pytest.raises(VaultAbsent):
            use()


def test_a_new_vault_is_unlocked_and_a_restart_finds_it_locked(
    custody, another_process, passphrase
):
    custody.create(passphrase)

    assert custody.state is VaultState.UNLOCKED
    assert another_process.state is VaultState.LOCKED
    with pytest.raises(VaultLocked):
        another_process.keys()


def test_keys_made_before_a_restart_open_after_it(custody, another_process, passphrase):
    custody.create(passphrase)
    key, wrapped = custody.keys().new_subject_key()

    another_process.unlock(passphrase)

    assert another_process.keys().open_subject_key(wrapped) == key


def test_a_second_vault_is_not_made_over_the_first(custody, store, passphrase, other_passphrase):
    custody.create(passphrase)
    header = store.header

    with pytest.raises(VaultExists):
        custody.create(other_passphrase)

    assert store.header == header


def test_a_weak_passphrase_makes_no_vault(custody, store, passphrase):
    with pytest.raises(WeakPassphrase):
        custody.create(Passphrase("short"))
    assert store.header is None

    custody.create(passphrase)
    with pytest.raises(WeakPassphrase):
        custody.change_passphrase(passphrase, Passphrase("1234567890"))


def test_a_wrong_passphrase_opens_nothing(custody, passphrase):
    custody.create(passphrase)
    custody.lock()

    with pytest.raises(WrongPassphrase):
        custody.unlock(WRONG)

    assert custody.state is VaultState.LOCKED


def test_locking_closes_the_rings_that_are_out(custody, passphrase):
    custody.create(passphrase)
    ring = custody.keys()

    custody.lock()

    with pytest.raises(VaultLocked):
        ring.new_subject_key()
    with pytest.raises(VaultLocked):
        custody.keys()


def test_locking_wipes_what_was_derived_before_it_returns_and_only_once(custody, passphrase):
    wiped = []
    custody.on_lock(lambda: wiped.append("gallery"))
    custody.on_lock(lambda: wiped.append("names"))
    custody.create(passphrase)

    custody.lock()
    custody.lock()

    assert wiped == ["gallery", "names"]


def test_locking_overwrites_the_keys_of_the_header(custody, passphrase):
    custody.create(passphrase)
    root = custody._session.root
    assert any(root.mac)

    custody.lock()

    assert root.mac == root.wrapping == bytearray(32)


def test_a_callback_that_fails_is_heard_and_the_rest_is_wiped(custody, passphrase):
    wiped = []

    def broken() -> None:
        raise OSError("broken")

    custody.on_lock(broken)
    custody.on_lock(lambda: wiped.append("names"))
    custody.create(passphrase)

    with pytest.raises(OSError, match="broken"):
        custody.lock()

    assert wiped == ["names"]
    assert custody.state is VaultState.LOCKED


@pytest.mark.parametrize("passing", ["advance", "sleep_of_the_machine"])
def test_the_vault_locks_itself_when_idle_even_if_the_machine_slept(
    custody, clock, passphrase, passing
):
    wiped = []
    custody.on_lock(lambda: wiped.append(True))
    custody.create(passphrase)

    getattr(clock, passing)(IDLE_LOCK_S)

    with pytest.raises(VaultLocked):
        custody.keys()
    assert wiped == [True]


def test_use_keeps_the_vault_open_and_looking_at_it_does_not(custody, clock, passphrase):
    custody.create(passphrase)
    for _ in range(3):
        clock.advance(IDLE_LOCK_S - 1)
        custody.keys()

    clock.advance(IDLE_LOCK_S - 1)
    assert custody.state is VaultState.UNLOCKED
    clock.advance(1)
    assert custody.state is VaultState.LOCKED


def test_the_server_can_expire_an_idle_vault_that_nobody_asks(custody, clock, passphrase):
    custody.create(passphrase)
    ring = custody.keys()
    clock.advance(IDLE_LOCK_S - 0.001)
    custody.expire()
    ring.require_open()

    clock.advance(0.001)
    custody.expire()

    with pytest.raises(VaultLocked):
        ring.require_open()


def test_a_clock_set_back_does_not_keep_the_vault_open(custody, clock, passphrase):
    custody.create(passphrase)

    clock.sleep_of_the_machine(-86_400)
    clock.advance(IDLE_LOCK_S)

    assert custody.state is VaultState.LOCKED


def test_verifying_tells_right_from_wrong_and_changes_nothing(custody, clock, passphrase):
    custody.create(passphrase)
    clock.advance(IDLE_LOCK_S - 1)

    custody.verify_passphrase(passphrase)
    with pytest.raises(WrongPassphrase):
        custody.verify_passphrase(WRONG)

    clock.advance(1)
    assert custody.state is VaultState.LOCKED
    custody.verify_passphrase(passphrase)
    assert custody.state is VaultState.LOCKED


@pytest.mark.parametrize("passing", ["advance", "sleep_of_the_machine"])
def test_presence_lasts_as_long_as_asked_and_use_does_not_prolong_it(
    custody, clock, passphrase, passing
):
    custody.create(passphrase)
    getattr(clock, passing)(300)
    custody.keys()
    assert custody.was_verified_within(300)

    getattr(clock, passing)(1)
    custody.keys()
    assert not custody.was_verified_within(300)

    custody.verify_passphrase(passphrase)
    assert custody.was_verified_within(300)


def test_presence_ends_with_a_lock_and_never_comes_of_a_wrong_passphrase(
    custody, clock, passphrase, other_passphrase
):
    assert not custody.was_verified_within(300)
    custody.create(passphrase)
    custody.lock()
    assert not custody.was_verified_within(300)

    custody.verify_passphrase(passphrase)
    assert not custody.was_verified_within(300)

    custody.unlock(passphrase)
    clock.advance(301)
    with pytest.raises(WrongPassphrase):
        custody.verify_passphrase(WRONG)
    assert not custody.was_verified_within(300)

    custody.change_passphrase(passphrase, other_passphrase)
    assert custody.was_verified_within(300)


def test_unlocking_again_checks_the_passphrase_and_keeps_the_ring(custody, clock, passphrase):
    custody.create(passphrase)
    ring = custody.keys()
    clock.advance(IDLE_LOCK_S - 1)

    with pytest.raises(WrongPassphrase):
        custody.unlock(WRONG)
    custody.unlock(passphrase)
    clock.advance(IDLE_LOCK_S - 1)

    assert custody.keys() is ring


def test_guessing_gets_slower_and_the_right_passphrase_waits_too(custody, clock, passphrase):
    custody.create(passphrase)
    custody.lock()
    fail(custody, FREE_FAILURES)

    with pytest.raises(TooManyRequests) as caught:
        custody.unlock(passphrase)
    assert caught.value.retry_after_s == 1

    clock.advance(1)
    fail(custody, 1)
    with pytest.raises(TooManyRequests) as caught:
        custody.verify_passphrase(passphrase)
    assert caught.value.retry_after_s == 2

    clock.advance(2)
    custody.unlock(passphrase)


def test_the_wait_has_a_ceiling(custody, clock, passphrase):
    custody.create(passphrase)
    for _ in range(FREE_FAILURES + 8):
        fail(custody, 1)
        clock.advance(MAX_WAIT_S)

    custody.verify_passphrase(passphrase)


def test_success_forgives_earlier_failures(custody, passphrase):
    custody.create(passphrase)
    for _ in range(3):
        fail(custody, FREE_FAILURES - 1)
        custody.verify_passphrase(passphrase)


def test_guesses_at_the_old_passphrase_count(custody, passphrase, other_passphrase):
    custody.create(passphrase)
    for _ in range(FREE_FAILURES):
        with pytest.raises(WrongPassphrase):
            custody.change_passphrase(WRONG, other_passphrase)

    with pytest.raises(TooManyRequests):
        custody.change_passphrase(passphrase, other_passphrase)


def test_a_changed_passphrase_opens_the_same_keys_and_the_old_one_none(
    custody, store, another_process, passphrase, other_passphrase
):
    custody.create(passphrase)
    key, wrapped = custody.keys().new_subject_key()
    before = store.header

    custody.change_passphrase(passphrase, other_passphrase)

    assert store.header[15:31] != before[15:31]
    assert custody.keys().open_subject_key(wrapped) == key
    with pytest.raises(WrongPassphrase):
        another_process.unlock(passphrase)
    another_process.unlock(other_passphrase)
    assert another_process.keys().open_subject_key(wrapped) == key


def test_changing_the_passphrase_of_a_locked_vault_leaves_it_locked(
    custody, passphrase, other_passphrase
):
    custody.create(passphrase)
    custody.lock()

    custody.change_passphrase(passphrase, other_passphrase)

    assert custody.state is VaultState.LOCKED
    custody.unlock(other_passphrase)


def test_changing_the_passphrase_takes_up_the_cost_of_today(
    custody, store, clock, passphrase, other_passphrase
):
    custody.create(passphrase)
    dearer = Argon2Cost(memory_kib=16 * 1024, iterations=2, lanes=1)

    later = Custody(store, clock, idle_lock_s=IDLE_LOCK_S, cost=dearer)
    later.unlock(passphrase)
    later.change_passphrase(passphrase, other_passphrase)

    assert int.from_bytes(store.header[6:10], "big") == dearer.memory_kib
    custody.verify_passphrase(other_passphrase)


def test_rotation_then_rewrap_then_retire_moves_every_key(custody, another_process, passphrase):
    custody.create(passphrase)
    key, wrapped = custody.keys().new_subject_key()

    assert custody.rotate() == 2
    assert custody.keys().open_subject_key(wrapped) == key
    moved = custody.keys().rewrap(wrapped)
    assert custody.retire({epoch_of(moved)}) == (1,)

    assert custody.keys().open_subject_key(moved) == key
    with pytest.raises(SealBroken):
        custody.keys().open_subject_key(wrapped)
    another_process.unlock(passphrase)
    assert another_process.keys().open_subject_key(moved) == key
    with pytest.raises(SealBroken):
        another_process.keys().open_subject_key(wrapped)


def test_rotation_renews_the_transform_and_wipes_what_the_old_one_made(custody, passphrase):
    wiped = []
    custody.on_lock(lambda: wiped.append(True))
    custody.create(passphrase)
    before = custody.keys()
    seed = before.transform_seed

    custody.rotate()

    assert wiped == [True]
    assert custody.state is VaultState.UNLOCKED
    assert custody.keys().transform_seed != seed
    with pytest.raises(VaultLocked):
        before.require_open()


def test_retire_keeps_the_current_epoch_and_those_in_use(custody, passphrase):
    custody.create(passphrase)
    custody.rotate()
    custody.rotate()

    assert custody.retire([1]) == (2,)
    assert custody.retire([1]) == ()
    assert custody.retire([]) == (1,)
    assert custody.rotate() == 4


def test_a_locked_vault_neither_rotates_nor_retires(custody, passphrase):
    custody.create(passphrase)
    custody.lock()

    for use in (custody.rotate, lambda: custody.retire([])):
        with pytest.raises(VaultLocked):
            use()


def test_two_processes_cannot_overwrite_each_others_header(custody, another_process, passphrase):
    custody.create(passphrase)
    another_process.unlock(passphrase)
    another_process.rotate()

    with pytest.raises(Conflict):
        custody.rotate()

    assert custody.keys().epoch == 1


def test_a_store_that_fails_leaves_the_vault_as_it_was(custody, store, passphrase, monkeypatch):
    custody.create(passphrase)
    ring, header = custody.keys(), store.header

    def full(old, new):
        raise Conflict("no")

    monkeypatch.setattr(store, "replace", full)
    with pytest.raises(Conflict):
        custody.rotate()

    assert store.header == header
    assert custody.keys() is ring
    ring.require_open()


@pytest.mark.parametrize("change", ["rotate", "retire"])
def test_a_lock_in_the_middle_of_a_change_leaves_a_header_that_opens(
    custody, another_process, passphrase, monkeypatch, change
):
    """Locking wipes the header's keys: a header built with wiped keys would open for nobody."""
    custody.create(passphrase)
    custody.rotate()
    key, wrapped = custody.keys().new_subject_key()
    locking = threading.Thread(target=custody.lock)
    built = []

    def slow_build(root, epochs):
        if built:
            locking.start()
            locking.join(0.2)
        built.append(build_header(root, epochs))
        return built[-1]

    monkeypatch.setattr("consentry.vault.custody.build_header", slow_build)
    if change == "rotate":
        custody.rotate()
    else:
        assert custody.retire([2]) == (1,)
    locking.join(5)

    another_process.unlock(passphrase)
    assert another_process.keys().open_subject_key(wrapped) == key
    with pytest.raises(VaultLocked):
        custody.keys()


def test_of_many_creators_one_wins(clock, cheap, passphrase):
    store = MemoryHeaderStore()
    outcomes = []

    def create() -> None:
        try:
            Custody(store, clock, idle_lock_s=IDLE_LOCK_S, cost=cheap).create(passphrase)
            outcomes.append("created")
        except VaultExists:
            outcomes.append("exists")

    run_together(create, threads=6)

    assert sorted(outcomes) == ["created"] + ["exists"] * 5


def test_unlocking_and_locking_at_once_never_leaves_a_ring_open_in_a_locked_vault(
    custody, passphrase
):
    """And never a wiped gallery in an unlocked one: callbacks run inside the transition."""
    gallery: list[int] = []
    custody.on_lock(gallery.clear)
    custody.create(passphrase)
    rings = []

    def work() -> None:
        for turn in range(6):
            try:
                if turn % 2:
                    custody.lock()
                else:
                    custody.unlock(passphrase)
                    rings.append(custody.keys())
            except VaultLocked:
                continue

    run_together(work, threads=4)
    custody.lock()

    assert rings
    for ring in rings:
        with pytest.raises(VaultLocked):
            ring.require_open()


def test_state_answers_while_a_passphrase_is_being_tried(custody, passphrase, monkeypatch):
    """Argon2id runs under a lock of its own: health checks do not wait for it."""
    custody.create(passphrase)
    custody.lock()
    entered, leave = threading.Event(), threading.Event()

    def slow(header, source):
        entered.set()
        assert leave.wait(5)
        raise WrongPassphrase("slow")

    monkeypatch.setattr("consentry.vault.custody.open_header", slow)
    guess = threading.Thread(target=lambda: fail(custody, 1))
    guess.start()
    assert entered.wait(5)

    assert custody.state is VaultState.LOCKED

    leave.set()
    guess.join(5)


def test_custody_shows_nothing(custody, passphrase):
    custody.create(passphrase)

    assert repr(custody) == "Custody()"
    assert "plum" not in repr(custody._session)
    assert "\\x" not in repr(custody._session.root)


def run_together(work, *, threads: int) -> None:
    gate = threading.Barrier(threads)
    errors = []

    def enter() -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)
            raise

    running = [threading.Thread(target=enter) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(timeout=20)
    assert not errors
    assert not any(thread.is_alive() for thread in running)
