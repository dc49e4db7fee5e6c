"""Protected names: a name, handle or office that counts as the person herself (law 6).

    store (sealed) --unseal--> names in memory, while unlocked, and only then
    words ──normalised──> every protected name that stands in them

Names are sealed like templates: a digest of a name would be no protection, because names can be
guessed. Every check compares its words with all of them, whatever they ask for, so that the time
it takes says nothing about whether somebody is named.
"""

from __future__ import annotations

import json
import os
import re
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from consentry.enrolment.keys import SubjectKeyRing
from consentry.enrolment.ports import AliasStore, StoredAlias, SubjectStore
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict, VaultLocked
from consentry.kernel.ids import AliasId, Random, SubjectId, new_alias_id
from consentry.vault.custody import Custody
from consentry.vault.envelope import SealedText, seal_text, unseal_text
from consentry.vault.keys import KeyRing

MAX_ALIASES = 50
MAX_ALIAS_CHARS = 80
_FEWEST_LETTERS = 3
_FEWEST_IDEOGRAPHS = 2
# Scripts that are written without spaces: there a name may stand in the middle of letters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
_BETWEEN = r"[\W_]*"


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
        clock: Clock,
        random: Random = os.urandom,
    ) -> None:
        self._store = store
        self._subjects = subjects
        self._custody = custody
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
        text = _checked(text)
        key = self._keys.open(subject)
        known = self.list(subject)
        if len(known) >= MAX_ALIASES:
            raise Conflict(f"There are {MAX_ALIASES} names already. Remove one you do not need.")
        if any(_letters(each.text) == _letters(text) for each in known):
            raise Conflict("That name is protected already.")
        alias = new_alias_id(self._random)
        sealed = seal_text(
            json.dumps(_Sealed(text=text, kind=kind.value, proof=proof.value)),
            key=key,
            subject=subject,
            label=_label(alias),
            random=self._random,
        )
        now = self._clock.now()
        self._store.add(StoredAlias(alias=alias, subject=subject, sealed=sealed, added_at=now))
        return Alias(alias=alias, subject=subject, text=text, kind=kind, proof=proof, added_at=now)

    def remove(self, alias: AliasId) -> None:
        """Stop protecting a name, to the last byte.

        Raises:
            NotFound: If there is none.
        """
        self._store.remove(alias, at=self._clock.now())

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
        words = [_letters(text) for text in texts]
        names = self._fresh()
        return tuple(
            sorted({who for name, who in names if any(name.search(text) for text in words)})
        )

    def wipe(self) -> None:
        """Forget every name. Called at each lock."""
        with self._lock:
            self._names = None

    def _fresh(self) -> tuple[tuple[re.Pattern[str], SubjectId], ...]:
        revision = self._subjects.revision()
        with self._lock:
            if self._names is not None and self._revision == revision:
                return self._names
        # Not under the lock: custody runs `wipe` while it holds its own.
        stored = self._store.all()
        ring = self._custody.glance() if stored else None
        names = tuple((_pattern(each.text), each.subject) for each in map(self._opened, stored))
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


def _checked(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    letters = [char for char in _letters(text) if char.isalnum()]
    fewest = _FEWEST_IDEOGRAPHS if _UNSPACED.search(text) else _FEWEST_LETTERS
    if len(text) > MAX_ALIAS_CHARS or not text.isprintable() or len(letters) < fewest:
        raise BadRequest(
            f"A protected name has {fewest} to {MAX_ALIAS_CHARS} letters or digits: a shorter one "
            "stands in too many ordinary words."
        )
    return text


def _letters(text: str) -> str:
    """Return a text in the one spelling in which names are compared: no case, accents or disguise."""
    resolved = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(
        char for char in resolved if unicodedata.category(char) not in {"Mn", "Cf", "Me"}
    )


def _pattern(text: str) -> re.Pattern[str]:
    """Match the letters of a name, with anything but letters between its words, or nothing.

    ``Anna Berg`` stands in "@anna_berg", "annaberg" and "Anna-Berg's", and not in "annabergman".
    A genitive s may follow.
    """
    words = re.findall(r"[^\W_]+", _letters(text))
    first, last = words[0][0], words[-1][-1]
    before = "" if _UNSPACED.match(first) else r"(?<![^\W_])"
    after = "" if _UNSPACED.match(last) else r"(?:'?s)?(?![^\W_])"
    return re.compile(before + _BETWEEN.join(map(re.escape, words)) + after)


def _label(alias: AliasId) -> str:
    return f"alias {alias}"
