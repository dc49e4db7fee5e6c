"""Custody of the keys: create, unlock, lock, idle lock, change of passphrase, rotation.

    ABSENT --create--> UNLOCKED --lock, idle--> LOCKED --unlock--> UNLOCKED

Each change of the header is one compare-and-swap in the `HeaderStore`: a crash leaves the old
header or the new one.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from consentry.kernel.clock import Clock
from consentry.kernel.errors import (
    Conflict,
    TooManyRequests,
    VaultAbsent,
    VaultExists,
    VaultLocked,
    WrongPassphrase,
)
from consentry.kernel.ids import Random
from consentry.vault.header import (
    MAX_EPOCHS,
    OpenedHeader,
    RootKeys,
    build_header,
    derive_root_keys,
    open_header,
)
from consentry.vault.keys import KEY_BYTES, MAX_EPOCH, KeyRing
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import (
    DEFAULT_COST,
    SALT_BYTES,
    Argon2Cost,
    KdfParameters,
    PassphraseSource,
)

FREE_FAILURES = 5
"""Wrong passphrases in a row that cost no waiting."""

MAX_WAIT_S = 60
"""Longest wait between two guesses: slow for a guesser, and no way to lock the owner out for
long."""

_ABSENT = "there is no vault here yet; enrol somebody first"
_LOCKED = "the vault is locked; unlock it first"


class VaultState(StrEnum):
    """Whether there is a vault, and whether its keys are in memory."""

    ABSENT = "absent"
    LOCKED = "locked"
    UNLOCKED = "unlocked"


class HeaderStore(Protocol):
    """Port: where the one vault header lies. Durable before each method returns."""

    def load(self) -> bytes | None:
        """Return the header, or None if there is no vault."""

    def create(self, header: bytes) -> None:
        """Store the first header.

        Raises:
            VaultExists: If there is one already. Of two callers, one wins.
        """

    def replace(self, old: bytes, new: bytes) -> None:
        """Compare and swap.

        Raises:
            Conflict: If the stored header is not ``old``; then nothing is changed.
        """


@dataclass(frozen=True, slots=True, repr=False)
class _Session:
    """What is in memory while unlocked."""

    ring: KeyRing
    root: RootKeys


@dataclass(frozen=True, slots=True)
class _Moment:
    """A time on both clocks."""

    monotonic: float
    wall: datetime


class Custody:
    """The keys of this home. One per process; thread-safe.

    Two locks, always taken in this order.

    - ``_attempts`` serialises everything that opens or changes the header, so that guesses queue up
      (Argon2id runs under it) and changes cannot interleave. Guards ``_failures``, ``_not_before``.
    - ``_guard`` guards ``_session``, ``_touched``, ``_verified`` and ``_on_lock``. Held while lock
      callbacks run, so that no unlock slips between locking and wiping; never during Argon2id.

    A callback must not wait for a thread that is calling custody: take no lock in it under which
    custody is called.
    """

    def __init__(
        self,
        store: HeaderStore,
        clock: Clock,
        *,
        idle_lock_s: float,
        random: Random = os.urandom,
        cost: Argon2Cost = DEFAULT_COST,
    ) -> None:
        """Build a locked custody; touches neither store nor clock.

        Args:
            store: Where the header lies.
            clock: Its monotonic time and its wall time count towards the idle lock, whichever is
                further: the monotonic clock of a laptop stands still while it sleeps.
            idle_lock_s: Seconds without a call of `keys` after which the vault locks itself.
            random: Source of keys, salts and nonces.
            cost: What new headers ask of each guess; a stored header brings its own.
        """
        self._store = store
        self._clock = clock
        self._idle_lock_s = idle_lock_s
        self._random = random
        self._cost = cost
        self._attempts = threading.Lock()
        self._guard = threading.RLock()
        self._failures = 0
        self._not_before = -math.inf
        self._session: _Session | None = None
        self._touched: _Moment | None = None
        self._verified: _Moment | None = None
        self._on_lock: tuple[Callable[[], None], ...] = ()

    @property
    def state(self) -> VaultState:
        """Whether there is a vault, and whether it is unlocked. Does not touch the idle timer."""
        with self._guard:
            self.expire()
            if self._session is not None:
                return VaultState.UNLOCKED
        return VaultState.ABSENT if self._store.load() is None else VaultState.LOCKED

    def on_lock(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` whenever keys leave memory: at lock, idle lock and rotation.

        It wipes what came from the keys: the gallery, names, the transform.
        """
        with self._guard:
            self._on_lock = (*self._on_lock, callback)

    def create(self, passphrase: Passphrase) -> None:
        """Make a vault with one fresh epoch key, and leave it unlocked.

        Raises:
            WeakPassphrase: If the passphrase protects nothing.
            VaultExists: If there is a vault already.
            Overloaded: If the machine lacks the memory for Argon2id now.
        """
        passphrase.require_strong()
        with self._attempts:
            if self._store.load() is not None:
                raise VaultExists("there is a vault here already; unlock it with its passphrase")
            root = self._new_root(passphrase)
            epochs = {1: self._random(KEY_BYTES)}
            self._store.create(build_header(root, epochs))
            with self._guard:
                self._install(_Session(KeyRing(epochs), root))
                self._verified = self._moment()

    def unlock(self, passphrase: Passphrase) -> None:
        """Bring the keys into memory; if they are there, check the passphrase and touch the timer.

        Raises:
            VaultAbsent: If there is no vault.
            WrongPassphrase: If the passphrase is wrong or the header damaged (not told apart).
            TooManyRequests: After `FREE_FAILURES` wrong ones in a row, before the wait is over.
            Overloaded: If the machine lacks the memory for Argon2id now.
        """
        with self._attempts:
            opened = self._open(self._load(), passphrase)
            with self._guard:
                self.expire()
                if self._session is None:
                    self._install(_Session(KeyRing(opened.epochs), opened.root))
                else:
                    self._touch()
                self._verified = self._moment()

    def verify_passphrase(self, passphrase: Passphrase) -> None:
        """Check that whoever asks knows the passphrase now. Unlocks nothing, keeps nothing open.

        Raises:
            VaultAbsent: As `unlock`, like all others.
            WrongPassphrase: If the passphrase is wrong or the header damaged (not told apart).
            TooManyRequests: After `FREE_FAILURES` wrong ones in a row, before the wait is over.
            Overloaded: If the machine lacks the memory for Argon2id now.
        """
        with self._attempts:
            self._open(self._load(), passphrase).root.wipe()
            with self._guard:
                self._verified = self._moment()

    def was_verified_within(self, seconds: float) -> bool:
        """Whether the vault is unlocked and the right passphrase was given at most ``seconds`` ago.

        For what needs her presence and not only an open vault. Locking forgets it.
        """
        with self._guard:
            self.expire()
            if self._session is None or self._verified is None:
                return False
            return self._seconds_since(self._verified) <= seconds

    def change_passphrase(self, old: Passphrase, new: Passphrase) -> None:
        """Wrap the same epoch keys under a new passphrase, salt and cost. Locked stays locked.

        Raises:
            WeakPassphrase: If ``new`` protects nothing.
            Conflict: If another process changed the header meanwhile; then the old passphrase still
                holds.
            VaultAbsent: As `unlock`, like all that follow.
            WrongPassphrase: If ``old`` is wrong or the header damaged (not told apart).
            TooManyRequests: After `FREE_FAILURES` wrong ones in a row, before the wait is over.
            Overloaded: If the machine lacks the memory for Argon2id now.
        """
        new.require_strong()
        with self._attempts:
            header = self._load()
            opened = self._open(header, old)
            opened.root.wipe()
            root = self._new_root(new)
            self._store.replace(header, build_header(root, opened.epochs))
            with self._guard:
                if self._session is not None:
                    self._session.root.wipe()
                    self._session = _Session(self._session.ring, root)
                    self._touch()
                    self._verified = self._moment()

    def rotate(self) -> int:
        """Add an epoch key and make it current. Old epochs stay until `retire`.

        The old key ring is closed and the lock callbacks run, because the cancelable transform has
        a new seed: what was loaded must be loaded again from `keys`. Then rewrap every subject key,
        then `retire`.

        Returns:
            The number of the new epoch.

        Raises:
            VaultAbsent: If there is no vault.
            VaultLocked: If it is locked.
            Conflict: If another process changed the header meanwhile, or the header is full of
                epochs.
        """
        with self._attempts:
            # Both headers are built in one hold of the guard: a lock in between would wipe the keys
            # that the new one is made with. Building is deterministic, so the old one is the stored.
            with self._guard:
                session = self._unlocked()
                before = session.ring.secrets()
                number = session.ring.epoch + 1
                if len(before) >= MAX_EPOCHS or number > MAX_EPOCH:
                    raise Conflict("the vault holds as many epochs as it can; retire some first")
                epochs = before | {number: self._random(KEY_BYTES)}
                old, new = build_header(session.root, before), build_header(session.root, epochs)
            self._store.replace(old, new)
            with self._guard:
                if self._session is session:
                    self._session = None
                    session.ring.close()
                    self._wipe_derived()
                    self._install(_Session(KeyRing(epochs), session.root))
            return number

    def retire(self, epochs_in_use: Collection[int]) -> tuple[int, ...]:
        """Destroy the epoch keys that no stored thing needs. The current one always stays.

        What is still wrapped under a destroyed epoch opens never again, so let nothing be enrolled
        between counting ``epochs_in_use`` and this call.

        Returns:
            The numbers that were destroyed, ascending.

        Raises:
            VaultAbsent: If there is no vault.
            VaultLocked: If it is locked.
            Conflict: If another process changed the header meanwhile.
        """
        with self._attempts:
            with self._guard:  # as in `rotate`
                session = self._unlocked()
                before = session.ring.secrets()
                gone = tuple(sorted(before.keys() - {*epochs_in_use, session.ring.epoch}))
                epochs = {n: secret for n, secret in before.items() if n not in gone}
                old, new = build_header(session.root, before), build_header(session.root, epochs)
            if gone:
                self._store.replace(old, new)
                session.ring.forget(gone)
            return gone

    def keys(self) -> KeyRing:
        """Return the key ring and restart the idle timer.

        Raises:
            VaultAbsent: If there is no vault.
            VaultLocked: If it is locked, or has just locked itself for idleness.
        """
        return self._unlocked().ring

    def glance(self) -> KeyRing:
        """Return the key ring without restarting the idle timer: for what no person asked for.

        A feed that is watched must not keep the vault open while its owner is away.

        Raises:
            VaultAbsent: If there is no vault.
            VaultLocked: If it is locked, or has just locked itself for idleness.
        """
        return self._open_session().ring

    def lock(self) -> None:
        """Destroy the keys in memory and wipe what came from them, before returning. Idempotent.

        If a callback raises, the others still run and the vault is locked all the same.
        """
        with self._guard:
            session, self._session, self._verified = self._session, None, None
            if session is not None:
                session.ring.close()
                session.root.wipe()
                self._wipe_derived()

    def expire(self) -> None:
        """Lock if the idle time is over. A server calls this every few seconds."""
        with self._guard:
            if self._session is None or self._touched is None:
                return
            if self._seconds_since(self._touched) >= self._idle_lock_s:
                self.lock()

    def __repr__(self) -> str:
        return "Custody()"

    def _load(self) -> bytes:
        header = self._store.load()
        if header is None:
            raise VaultAbsent(_ABSENT)
        return header

    def _open(self, header: bytes, passphrase: Passphrase) -> OpenedHeader:
        """Open the header, counting and slowing wrong guesses. Caller holds ``_attempts``."""
        wait_s = self._not_before - self._clock.monotonic()
        if wait_s > 0:
            raise TooManyRequests(
                f"{self._failures} wrong passphrases in a row; wait {math.ceil(wait_s)} s",
                retry_after_s=math.ceil(wait_s),
            )
        try:
            opened = open_header(header, PassphraseSource(passphrase))
        except WrongPassphrase:
            self._failures += 1
            if self._failures >= FREE_FAILURES:
                wait = min(2.0 ** (self._failures - FREE_FAILURES), MAX_WAIT_S)
                self._not_before = self._clock.monotonic() + wait
            raise
        self._failures = 0
        self._not_before = -math.inf
        return opened

    def _new_root(self, passphrase: Passphrase) -> RootKeys:
        parameters = KdfParameters(cost=self._cost, salt=self._random(SALT_BYTES))
        return derive_root_keys(PassphraseSource(passphrase), parameters)

    def _unlocked(self) -> _Session:
        """Return what is in memory, and touch the idle timer."""
        with self._guard:
            session = self._open_session()
            self._touch()
            return session

    def _open_session(self) -> _Session:
        with self._guard:
            self.expire()
            if self._session is not None:
                return self._session
        if self._store.load() is None:
            raise VaultAbsent(_ABSENT)
        raise VaultLocked(_LOCKED)

    def _install(self, session: _Session) -> None:
        with self._guard:
            self._session = session
            self._touch()

    def _touch(self) -> None:
        self._touched = self._moment()

    def _moment(self) -> _Moment:
        return _Moment(monotonic=self._clock.monotonic(), wall=self._clock.now())

    def _seconds_since(self, moment: _Moment) -> float:
        """Return the longer of two: one clock stands still in sleep, the other can be set."""
        wall_s = (self._clock.now() - moment.wall).total_seconds()
        return max(self._clock.monotonic() - moment.monotonic, wall_s)

    def _wipe_derived(self) -> None:
        with contextlib.ExitStack() as callbacks:
            for callback in reversed(self._on_lock):
                callbacks.callback(callback)
