"""Whom to believe about a log: its key, its witnesses, and how many must agree (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

The same file configures which witnesses this log asks, which logs this witness knows, and what an
auditor requires. Construction: https://c2sp.org/tlog-policy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from consentry.kernel.errors import ProofInvalid
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.notes import SignatureType, VerifierKey

NO_QUORUM = "none"
MAX_POLICY_BYTES = 256 * 1024

_COUNT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLog:
    """A log, and where it is (None: not said)."""

    vkey: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWitness:
    """A witness, and where checkpoints are submitted to it (None: not said)."""

    name: str
    vkey: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Logs, witnesses, and the quorum."""

    logs: tuple[KnownLog, ...] = ()
    witnesses: tuple[KnownWitness, ...] = ()
    quorum: str = NO_QUORUM
    _groups: dict[str, _Group] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy.

        Raises:
            ProofInvalid: If it does not hold; says in which line.
        """
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), 1):
            words = re.split(r"[ \t]+", line.strip(" \t"))
            if words == [""] or words[0].startswith("#"):
                continue
            try:
                reading.take(words)
            except ProofInvalid as cause:
                raise ProofInvalid(f"Line {number} of the trust policy: {cause}") from cause
        if reading.quorum is None:
            raise ProofInvalid("A trust policy says which quorum it wants; `quorum none` for none.")
        return cls(
            logs=tuple(reading.logs),
            witnesses=tuple(reading.witnesses),
            quorum=reading.quorum,
            _groups=reading.groups,
        )

    def log_of(self, origin: str) -> VerifierKey | None:
        """Return the key of a log, or None when it is not known."""
        return next((log.vkey for log in self.logs if log.vkey.name == origin), None)

    def witnesses_of(self, signed: SignedCheckpoint) -> dict[str, datetime]:
        """Verify the cosignatures of known witnesses.

        Returns:
            The names of those that cosigned, and when.

        Raises:
            ProofInvalid: If a cosignature of a known witness does not hold.
        """
        found = signed.note.signed_by([each.vkey for each in self.witnesses])
        stamped = {each.name: found.get(each.vkey) for each in self.witnesses}
        return {name: when for name, when in stamped.items() if when is not None}

    def is_enough(self, witnesses: Collection[str]) -> bool:
        """Whether these witnesses together are the quorum."""
        if self.quorum == NO_QUORUM:
            return True
        return self._has(self.quorum, witnesses)

    def require_quorum(self, signed: SignedCheckpoint) -> None:
        """Pass when enough witnesses cosigned.

        Raises:
            ProofInvalid: If they did not, or a cosignature does not hold.
        """
        if not self.is_enough(self.witnesses_of(signed)):
            raise ProofInvalid("Too few of the witnesses that are trusted cosigned the checkpoint.")

    def _has(self, name: str, witnesses: Collection[str]) -> bool:
        group = self._groups.get(name)
        if group is None:
            return name in witnesses
        return sum(self._has(each, witnesses) for each in group.members) >= group.least


@dataclass(slots=True)
class _Reading:
    """A policy as far as it has been read."""

    logs: list[KnownLog] = field(default_factory=list)
    witnesses: list[KnownWitness] = field(default_factory=list)
    groups: dict[str, _Group] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    quorum: str | None = None

    def take(self, words: Sequence[str]) -> None:
        takers: dict[str, Callable[[Sequence[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        taker = takers.get(words[0])
        if taker is None:
            raise ProofInvalid("it begins with log, witness, group or quorum.")
        taker(words[1:])

    def _log(self, words: Sequence[str]) -> None:
        vkey, url = _key_and_url(words, SignatureType.TEXT)
        if any(vkey.public_key == each.vkey.public_key for each in self.logs):
            raise ProofInvalid("this log is listed already.")
        self.logs.append(KnownLog(vkey=vkey, url=url))

    def _witness(self, words: Sequence[str]) -> None:
        vkey, url = _key_and_url(words[1:], SignatureType.COSIGNATURE)
        if any(vkey.public_key == each.vkey.public_key for each in self.witnesses):
            raise ProofInvalid("this witness is listed already.")
        self._require_new(words[0])
        self.witnesses.append(KnownWitness(name=words[0], vkey=vkey, url=url))

    def _group(self, words: Sequence[str]) -> None:
        if len(words) < 3:  # noqa: PLR2004 -- a name, how many, and a member
            raise ProofInvalid("a group has a name, how many must agree, and members.")
        name, least, members = words[0], words[1], tuple(words[2:])
        self._require_new(name)
        for each in members:
            self._require_known(each)
            if each in self.members:
                raise ProofInvalid(f"{each} is in a group already.")
            self.members.add(each)
        counts = {"all": len(members), "any": 1}
        count = counts.get(least) or (int(least) if _COUNT.fullmatch(least) else 0)
        if not 1 <= count <= len(members):
            raise ProofInvalid("a group wants all, any, or a number of its members.")
        self.groups[name] = _Group(count, members)

    def _quorum(self, words: Sequence[str]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise ProofInvalid("there is one quorum, and it has one name.")
        if words[0] != NO_QUORUM:
            self._require_known(words[0])
        self.quorum = words[0]

    def _require_new(self, name: str) -> None:
        if name == NO_QUORUM or self._is_known(name):
            raise ProofInvalid(f"{name} is taken already.")

    def _require_known(self, name: str) -> None:
        if not self._is_known(name):
            raise ProofInvalid(f"{name} is not the name of a witness or group above.")

    def _is_known(self, name: str) -> bool:
        return name in self.groups or any(name == each.name for each in self.witnesses)


def _key_and_url(words: Sequence[str], kind: SignatureType) -> tuple[VerifierKey, str | None]:
    if len(words) not in (1, 2):
        raise ProofInvalid("after its kind and name comes a verifier key, and perhaps a URL.")
    vkey = VerifierKey.parse(words[0])
    if vkey.type is not kind:
        raise ProofInvalid("that verifier key is not of the kind that is wanted here.")
    return vkey, words[1] if len(words) > 1 else None
