"""Any course of a vault's life: what should open opens, and what was given up never does again."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from consentry.kernel.errors import SealBroken, VaultLocked
from consentry.kernel.ids import SubjectId
from consentry.vault.custody import Custody, VaultState
from consentry.vault.envelope import seal_text, unseal_text
from consentry.vault.keys import WrappedKey, epoch_of
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import Argon2Cost
from fakes.header_store import MemoryHeaderStore
from fakes.manual_clock import ManualClock
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

CHEAP = Argon2Cost(memory_kib=8 * 1024, iterations=1, lanes=1)
PASSPHRASES = [Passphrase(f"plum ladder cobalt {n}") for n in ("one", "two", "three")]
IDLE_LOCK_S = 600.0


class VaultLife(RuleBasedStateMachine):
    """The model: which texts are enrolled, which wrapped keys were given up, which passphrase holds."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock = MemoryHeaderStore(), ManualClock()
        self.custody = self.started()
        self.custody.create(PASSPHRASES[0])
        self.passphrase = 0
        self.is_unlocked = True
        self.people: dict[SubjectId, tuple[WrappedKey, bytes]] = {}
        self.dead: list[WrappedKey] = []

    def started(self) -> Custody:
        return Custody(self.store, self.clock, idle_lock_s=IDLE_LOCK_S, cost=CHEAP)

    @rule()
    def unlock(self):
        self.custody.unlock(PASSPHRASES[self.passphrase])
        self.is_unlocked = True

    @rule()
    def lock(self):
        self.custody.lock()
        self.is_unlocked = False

    @rule()
    def fall_idle(self):
        self.clock.advance(IDLE_LOCK_S)
        self.is_unlocked = False

    @rule()
    def restart(self):
        self.custody = self.started()
        self.is_unlocked = False

    @rule(new=st.integers(0, len(PASSPHRASES) - 1))
    def change_passphrase(self, new):
        self.custody.change_passphrase(PASSPHRASES[self.passphrase], PASSPHRASES[new])
        self.passphrase = new

    @precondition(lambda self: self.is_unlocked)
    @rule()
    def enrol(self):
        subject = SubjectId(f"sub_{len(self.people) + len(self.dead)}")
        key, wrapped = self.custody.keys().new_subject_key()
        self.people[subject] = wrapped, seal_text(subject, key=key, subject=subject, label="name")

    @precondition(lambda self: self.is_unlocked)
    @rule()
    def rotate_without_finishing(self):
        self.custody.rotate()

    @precondition(lambda self: self.is_unlocked)
    @rule()
    def rotate_rewrap_and_retire(self):
        self.custody.rotate()
        ring = self.custody.keys()
        before = [wrapped for wrapped, _ in self.people.values()]
        self.people = {s: (ring.rewrap(w), sealed) for s, (w, sealed) in self.people.items()}
        self.custody.retire({epoch_of(wrapped) for wrapped, _ in self.people.values()})
        self.dead += before

    @precondition(lambda self: self.is_unlocked)
    @rule()
    def retire(self):
        self.custody.retire({epoch_of(wrapped) for wrapped, _ in self.people.values()})

    @invariant()
    def the_state_is_as_it_should_be(self):
        expected = VaultState.UNLOCKED if self.is_unlocked else VaultState.LOCKED
        assert self.custody.state is expected
        if not self.is_unlocked:
            with pytest.raises(VaultLocked):
                self.custody.keys()

    @invariant()
    def everybody_enrolled_opens_and_nothing_given_up_does(self):
        if not self.is_unlocked:
            return
        ring = self.custody.keys()
        for subject, (wrapped, sealed) in self.people.items():
            key = ring.open_subject_key(wrapped)
            assert unseal_text(sealed, key=key, subject=subject, label="name") == subject
        for wrapped in self.dead:
            with pytest.raises(SealBroken):
                ring.open_subject_key(wrapped)


TestVaultLife = VaultLife.TestCase
TestVaultLife.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
