"""Protected names: a name, handle or office that counts as the person herself (law 6).

    store (sealed) --unseal--> names in memory, while unlocked, and only then
    words ──normalised──> every protected name that stands in them

Names are sealed like templates: a digest of a name would be no protection, because names can be
guessed. Every check compares its words with all of them, whatever they ask for, so that the time
it takes says nothing about whether somebody is named.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from consentry.enrolment.keys import SubjectKeyRing
from consentry.enrolment.names import checked_name, letters_of, pattern_of
from consentry.enrolment.people import VerifyActor
from consentry.enrolment.ports import AliasStore, StoredAlias, SubjectStore
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict, NotFound, VaultLocked
from consentry.kernel.ids import AliasId, Random, SubjectId, new_alias_id
from consentry.vault.custody import Custody
from consentry.vault.envelope import SealedText, seal_text, unseal_text
from consentry.vault.keys import KeyRing, derive

MAX_ALIASES = 50
_INFO_CODE = b"consentry/v1/subject/alias-code"
_CODE_BYTES = 10


class AliasKind(StrEnum):
    """What sort of name it is. Part of the wire format: never rename one."""

    NAME = "name"
    HANDLE = "handle"
    OFFICE = "office"


class AliasProof(StrEnum):
    """How it was established that the name is hers. Part of the wire format: never rename one."""

    OWN_WORD = "own_word"
    """In a home of her own she says so herself: it binds nobody else's program."""
    POSTED_CODE = "posted_code"
    """She posted a code under the handle."""
    OPERATOR = "operator"
    """Whoever runs the registry has looked at it: for offices and names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A protected name as its subject sees it."""

    alias: AliasId
    subject: SubjectId
    text: str = field(repr=False)
    kind: AliasKind
    proof: AliasProof
    added_at: datetime


class _Sealed(TypedDict):
    text: str
    kind: str
    proof: str


class AliasBook:
    """Keep protected names, and find them in words. One per process; safe between threads.

    ``_lock`` guards what follows it: the names in memory, and the revision of the store that they
    are the state of. They are wiped at each lock.
    """

    def __init__(
        self,
        store: AliasStore,
        subjects: SubjectStore,
        custody: Custody,
        actor: VerifyActor,
        clock: Clock,
        random: Random = os.urandom,
    ) -> None:
        self._store = store
        self._subjects = subjects
        self._custody = custody
        self._actor = actor
        self._keys = SubjectKeyRing(subjects, custody)
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._names: tuple[tuple[re.Pattern[str], SubjectId], ...] | None = None
        self._revision = -1
        custody.on_lock(self.wipe)

    def add(self, subject: SubjectId, text: str, kind: AliasKind, proof: AliasProof) -> Alias:
        """Protect a name; the next check goes by it.

        Raises:
            BadRequest: If it is too short to be told from ordinary words, too long, or not
                printable.
            Conflict: If the subject has `MAX_ALIASES` already, or this one.
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If her key is not in memory.
            StorageFull: If the disk is full. Nothing was kept.
        """
        text = checked_name(text)
        known = self.list(subject)
        if len(known) >= MAX_ALIASES:
            raise Conflict(f"There are {MAX_ALIASES} names already. Remove one you do not need.")
        if any(letters_of(each.text) == letters_of(text) for each in known):
            raise Conflict("That name is protected already.")
        added = Alias(
            alias=new_alias_id(self._random),
            subject=subject,
            text=text,
            kind=kind,
            proof=proof,
            added_at=self._clock.now(),
        )
        self._store.add(
            StoredAlias(
                alias=added.alias,
                subject=subject,
                sealed=self._sealed(added),
                added_at=added.added_at,
            )
        )
        return added

    def remove(self, alias: AliasId) -> None:
        """Stop protecting a name, to the last byte. That protects less, so it needs the passphrase.

        Raises:
            Forbidden: If she has not proved herself within the last five minutes.
            NotFound: If there is none.
        """
        self._actor.require_to_loosen(self._stored(alias).subject)
        self._store.remove(alias, at=self._clock.now())

    def code(self, alias: AliasId) -> str:
        """Return what is posted under a handle to prove that it is hers: always the same for it.

        Raises:
            NotFound: If there is no such name.
            VaultAbsent, VaultLocked: If her key is not in memory.
        """
        stored = self._stored(alias)
        secret = derive(self._keys.open(stored.subject).secret, _INFO_CODE)
        digest = hmac.digest(secret, alias.encode("ascii"), "sha256")
        return "consentry-" + base64.b32encode(digest[:_CODE_BYTES]).decode("ascii").lower()

    def verify(self, alias: AliasId, posted: str) -> Alias:
        """Keep that the code of a name was posted under it.

        Whoever calls this has read ``posted`` under the handle itself: nothing is fetched here.

        Raises:
            BadRequest: If the code is not in it.
            NotFound: If there is no such name.
            VaultAbsent, VaultLocked: If her key is not in memory.
            StorageFull: If the disk is full. Nothing was kept.
        """
        if self.code(alias) not in posted.casefold():
            raise BadRequest("The code of this name is not in what was posted.")
        return self._proved(alias, AliasProof.POSTED_CODE)

    def review(self, alias: AliasId) -> Alias:
        """Keep that whoever runs this has looked at a name or office and found it to be hers.

        Raises:
            NotFound: If there is no such name.
            VaultAbsent, VaultLocked: If her key is not in memory.
            StorageFull: If the disk is full. Nothing was kept.
        """
        return self._proved(alias, AliasProof.OPERATOR)

    def list(self, subject: SubjectId) -> tuple[Alias, ...]:
        """Return a subject's names, oldest first.

        Raises:
            NotFound: If nobody is enrolled by that identifier.
            VaultAbsent, VaultLocked: If her key is not in memory.
        """
        self._keys.open(subject)
        return tuple(self._opened(each) for each in self._store.all() if each.subject == subject)

    def named_in(self, texts: Iterable[str]) -> tuple[SubjectId, ...]:
        """Return, sorted, every subject whose protected name stands in any of these texts.

        Raises:
            VaultAbsent, VaultLocked: If there are names, and they are sealed.
            SealBroken: If a name is not what was sealed.
            StorageFailed: If nobody can say whether there are any.
        """
        words = [letters_of(text) for text in texts]
        names = self._fresh()
        return tuple(
            sorted({who for name, who in names if any(name.search(text) for text in words)})
        )

    def wipe(self) -> None:
        """Forget every name. Called at each lock."""
        with self._lock:
            self._names = None

    def _stored(self, alias: AliasId) -> StoredAlias:
        for stored in self._store.all():
            if stored.alias == alias:
                return stored
        raise NotFound("There is no such name (any more).")

    def _proved(self, alias: AliasId, proof: AliasProof) -> Alias:
        known = replace(self._opened(self._stored(alias)), proof=proof)
        self._store.replace(alias, self._sealed(known))
        return known

    def _sealed(self, alias: Alias) -> bytes:
        text = _Sealed(text=alias.text, kind=alias.kind.value, proof=alias.proof.value)
        return seal_text(
            json.dumps(text),
            key=self._keys.open(alias.subject),
            subject=alias.subject,
            label=_label(alias.alias),
            random=self._random,
        )

    def _fresh(self) -> tuple[tuple[re.Pattern[str], SubjectId], ...]:
        revision = self._subjects.revision()
        with self._lock:
            if self._names is not None and self._revision == revision:
                return self._names
        # Not under the lock: custody runs `wipe` while it holds its own.
        stored = self._store.all()
        ring = self._custody.glance() if stored else None
        names = tuple((pattern_of(each.text), each.subject) for each in map(self._opened, stored))
        with self._lock:
            self._names, self._revision = names, revision
        if ring is not None:
            self._require_still_open(ring)
        return names

    def _require_still_open(self, ring: KeyRing) -> None:
        """Take back what was put into memory if the vault was locked meanwhile."""
        try:
            ring.require_open()
        except VaultLocked:
            self.wipe()
            raise

    def _opened(self, stored: StoredAlias) -> Alias:
        text = unseal_text(
            SealedText(stored.sealed),
            key=self._keys.open(stored.subject),
            subject=stored.subject,
            label=_label(stored.alias),
        )
        sealed: _Sealed = json.loads(text)
        return Alias(
            alias=stored.alias,
            subject=stored.subject,
            text=sealed["text"],
            kind=AliasKind(sealed["kind"]),
            proof=AliasProof(sealed["proof"]),
            added_at=stored.added_at,
        )


def _label(alias: AliasId) -> str:
    return f"alias {alias}"
