"""A passphrase of one's own, for people who share a home.

The home's passphrase opens the vault for everybody in it, so it proves nobody in particular. Whoever
sets one of her own is asked for that one, and no other, wherever she says yes or protects less.

    own passphrase ──Argon2id──> 32 bytes ──HKDF──> check, sealed under her data key

                                          └──HKDF──> wraps her reader's key (`reading`), the same way

It is no second encryption of her templates: that they are found must not wait for her. Check and
wrapped key are kept only inside of the vault, so a stolen database does not let anybody guess. What
is in memory is when somebody last proved herself, and her reader's key; both are forgotten at each
lock. Decisions: docs/adr/0030, docs/adr/0033; who may set the first: docs/adr/0038.
"""

from __future__ import annotations

import base64
import hmac
import json
import math
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired, TypedDict

from consentry.enrolment.keys import SubjectKeyRing
from consentry.enrolment.ports import StoredSubject, SubjectStore
from consentry.kernel.clock import Clock
from consentry.kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    TooManyRequests,
    WrongPassphrase,
)
from consentry.kernel.ids import Random, SubjectId
from consentry.vault.custody import FREE_FAILURES, MAX_WAIT_S, Custody
from consentry.vault.envelope import SealedText, seal_text, unseal_text
from consentry.vault.keys import KEY_BYTES, DataKey, derive, unwrap, wrap
from consentry.vault.lids import ReaderAddress, ReaderKey
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import (
    DEFAULT_COST,
    SALT_BYTES,
    Argon2Cost,
    KdfParameters,
    PassphraseSource,
)

FRESH_S = 300.0
"""How long a proof is taken for presence."""

HOW_TO_HAVE_ONE = (
    "It is set while she is being enrolled, or while she has always been the only one here. Later "
    "anybody who knows the home's passphrase could set it in her place: so end her enrolment, and "
    "enrol her again with one."
)

_INFO_CHECK = b"consentry/v1/subject/own-passphrase"
_INFO_WRAP = b"consentry/v1/subject/own-passphrase/wrap"
_LABEL = "own passphrase"


class _Sealed(TypedDict):
    """A check as it is sealed."""

    memory_kib: int
    iterations: int
    lanes: int
    salt: str
    check: str
    reader: NotRequired[str]
    """Address of her reader's key; missing in those that were set before there was one."""
    wrapped_reader: NotRequired[str]


@dataclass(frozen=True, slots=True)
class _Proof:
    """That somebody was there: when, on both clocks, and what she reads with."""

    monotonic: float
    wall: datetime
    reader: ReaderKey


@dataclass(slots=True)
class _Guesses:
    """Wrong ones in a row, for one person."""

    count: int = 0
    not_before: float = -math.inf


class OwnPassphrases:
    """Set, prove and ask for passphrases of one's own. One per process; thread-safe.

    Two locks, always taken in this order.

    - ``_attempts`` serialises everything that derives, so that guesses queue up. Guards ``_guesses``.
    - ``_guard`` guards ``_proved``: when each person last proved herself, and her reader's key.
      Never held while deriving.
    """

    def __init__(
        self,
        store: SubjectStore,
        custody: Custody,
        clock: Clock,
        *,
        cost: Argon2Cost = DEFAULT_COST,
        random: Random = os.urandom,
    ) -> None:
        """Build it, with nobody proved.

        Args:
            store: Where the sealed checks lie.
            custody: Keys, and who tells when they leave memory.
            clock: Both of its times count, whichever is further (as in `Custody`).
            cost: What a new check asks of each guess; a kept one brings its own.
            random: Source of salts and nonces.
        """
        self._store = store
        self._custody = custody
        self._keys = SubjectKeyRing(store, custody)
        self._clock = clock
        self._cost = cost
        self._random = random
        self._attempts = threading.Lock()
        self._guesses: dict[SubjectId, _Guesses] = {}
        self._guard = threading.Lock()
        self._proved: dict[SubjectId, _Proof] = {}
        custody.on_lock(self.forget)

    def has(self, subject: SubjectId) -> bool:
        """Whether a subject has one, also while locked.

        Raises:
            NotFound: If nobody is enrolled by that identifier.
        """
        return self._kept(subject) is not None

    def set(self, subject: SubjectId, new: Passphrase, *, old: Passphrase | None) -> None:
        """Give a subject a passphrase of her own, or another one. It counts as a proof.

        The first one needs the home's passphrase within `FRESH_S`, and that nobody ever shared it
        with her; who shares a home is given hers while she is enrolled (`sealed`). Each later one
        needs the one before; it cannot be reset, only ended with her enrolment.

        Raises:
            WeakPassphrase: If ``new`` protects nothing.
            Forbidden: If it is the first, and the home's passphrase was not given just now, or
                proves nobody in particular.
            WrongPassphrase, TooManyRequests: As `prove`, of ``old``.
            Conflict: If there is one already and ``old`` was not given.
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If her key is not in memory.
            Overloaded: If the machine lacks the memory for Argon2id now.
        """
        new.require_strong()
        with self._attempts:
            stored = self._stored(subject)
            kept = stored.own_passphrase
            reader = None
            if kept is None:
                self._require_home(stored)
            elif old is None:
                raise Conflict("There is one already. Give it, too, to set another.")
            else:
                reader = self._require(subject, kept, old)
            self._note(subject, self._keep(subject, new, reader))

    def sealed(self, subject: SubjectId, key: DataKey, first: Passphrase) -> bytes:
        """Return what is stored of the first passphrase of somebody who is just being enrolled.

        Raises:
            WeakPassphrase: If it protects nothing.
            Overloaded: If the machine lacks the memory for Argon2id now.
        """
        first.require_strong()
        return self._box(subject, key, first, ReaderKey(self._random(KEY_BYTES)))

    def prove(self, subject: SubjectId, passphrase: Passphrase) -> None:
        """Prove that a subject is there herself, for `FRESH_S` from now.

        Raises:
            WrongPassphrase: If it is not hers.
            TooManyRequests: After `FREE_FAILURES` wrong ones in a row, before the wait is over.
            Conflict: If she has none of her own.
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If her key is not in memory.
            Overloaded: If the machine lacks the memory for Argon2id now.
        """
        with self._attempts:
            kept = self._kept(subject)
            if kept is None:
                raise Conflict("She has no passphrase of her own yet. Set one first.")
            reader = self._require(subject, kept, passphrase)
            self._note(subject, reader or self._keep(subject, passphrase, None))

    def reader_address(self, subject: SubjectId) -> ReaderAddress | None:
        """Return the address of the key that only her own passphrase opens; None while there is none.

        Raises:
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If her data key is not in memory.
        """
        kept = self._kept(subject)
        address = None if kept is None else self._opened(subject, kept).get("reader")
        return None if address is None else ReaderAddress(base64.b64decode(address))

    def reader(self, subject: SubjectId) -> ReaderKey | None:
        """Return her reader's key if she has proved herself within `FRESH_S`, else None."""
        if not self.was_proved_within(subject, FRESH_S):
            return None
        with self._guard:
            proved = self._proved.get(subject)
        return None if proved is None else proved.reader

    def was_proved_within(self, subject: SubjectId, seconds: float) -> bool:
        """Whether a subject has proved herself at most ``seconds`` ago, and nothing locked since."""
        self._custody.expire()
        with self._guard:
            proved = self._proved.get(subject)
        if proved is None:
            return False
        passed_s = max(
            self._clock.monotonic() - proved.monotonic,
            (self._clock.now() - proved.wall).total_seconds(),
        )
        return passed_s <= seconds

    def forget(self) -> None:
        """Forget who has proved herself. Called at each lock."""
        with self._guard:
            self._proved = {}

    def _kept(self, subject: SubjectId) -> bytes | None:
        return self._stored(subject).own_passphrase

    def _stored(self, subject: SubjectId) -> StoredSubject:
        for stored in self._store.subjects():
            if stored.subject == subject:
                return stored
        raise NotFound("There is nobody enrolled by that identifier (any more).")

    def _require_home(self, stored: StoredSubject) -> None:
        if stored.has_shared:
            raise Forbidden(
                "She has no passphrase of her own, and can be given none any more. "
                + HOW_TO_HAVE_ONE
            )
        if not self._custody.was_verified_within(FRESH_S):
            raise Forbidden(
                "The first passphrase of her own needs the home's passphrase within the last five "
                "minutes: unlock again, then retry."
            )

    def _require(self, subject: SubjectId, kept: bytes, passphrase: Passphrase) -> ReaderKey | None:
        """Pass when a passphrase is the subject's, slowing wrong ones. Caller holds ``_attempts``.

        Returns:
            Her reader's key; None when there is none yet.
        """
        guesses = self._guesses.setdefault(subject, _Guesses())
        wait_s = guesses.not_before - self._clock.monotonic()
        if wait_s > 0:
            raise TooManyRequests(
                f"{guesses.count} wrong passphrases in a row; wait {math.ceil(wait_s)} s",
                retry_after_s=math.ceil(wait_s),
            )
        sealed = self._opened(subject, kept)
        cost = Argon2Cost(
            memory_kib=sealed["memory_kib"], iterations=sealed["iterations"], lanes=sealed["lanes"]
        )
        parameters = KdfParameters(cost=cost, salt=base64.b64decode(sealed["salt"]))
        root = PassphraseSource(passphrase).root_key(parameters)
        if not hmac.compare_digest(derive(root, _INFO_CHECK), base64.b64decode(sealed["check"])):
            guesses.count += 1
            if guesses.count >= FREE_FAILURES:
                wait = min(2.0 ** (guesses.count - FREE_FAILURES), MAX_WAIT_S)
                guesses.not_before = self._clock.monotonic() + wait
            raise WrongPassphrase("That is not her own passphrase.")
        del self._guesses[subject]
        wrapped = sealed.get("wrapped_reader")
        if wrapped is None:
            return None
        return ReaderKey(unwrap(derive(root, _INFO_WRAP), base64.b64decode(wrapped)))

    def _opened(self, subject: SubjectId, kept: bytes) -> _Sealed:
        text = unseal_text(
            SealedText(kept), key=self._keys.open(subject), subject=subject, label=_LABEL
        )
        sealed: _Sealed = json.loads(text)
        return sealed

    def _keep(
        self, subject: SubjectId, passphrase: Passphrase, reader: ReaderKey | None
    ) -> ReaderKey:
        """Store the check of a passphrase, and the reader's key under it: the one given, or a new one."""
        reader = reader or ReaderKey(self._random(KEY_BYTES))
        box = self._box(subject, self._keys.open(subject), passphrase, reader)
        self._store.set_own_passphrase(subject, box)
        return reader

    def _box(
        self, subject: SubjectId, key: DataKey, passphrase: Passphrase, reader: ReaderKey
    ) -> bytes:
        parameters = KdfParameters(cost=self._cost, salt=self._random(SALT_BYTES))
        root = PassphraseSource(passphrase).root_key(parameters)
        sealed = _Sealed(
            memory_kib=self._cost.memory_kib,
            iterations=self._cost.iterations,
            lanes=self._cost.lanes,
            salt=_text(parameters.salt),
            check=_text(derive(root, _INFO_CHECK)),
            reader=_text(reader.address),
            wrapped_reader=_text(wrap(derive(root, _INFO_WRAP), reader.secret)),
        )
        return seal_text(
            json.dumps(sealed), key=key, subject=subject, label=_LABEL, random=self._random
        )

    def _note(self, subject: SubjectId, reader: ReaderKey) -> None:
        # A person is here: the idle timer begins anew. Raises if it was locked meanwhile.
        self._custody.keys()
        with self._guard:
            self._proved[subject] = _Proof(self._clock.monotonic(), self._clock.now(), reader)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
