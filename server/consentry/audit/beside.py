"""What an export says beside the entries: measured, stated or tried by somebody. No entry shows it, and it says so.

measured  error rates of the engines that were announced, by their makers
stated    by the operator: appeals, as far as he says
tried     by the auditor: canaries, and people who are not enrolled
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import resources
from typing import TypeAlias

from consentry.audit.canary import Canary, Trial
from consentry.kernel.errors import BadRequest

Members: TypeAlias = Mapping[str, str | int | float]

STATED_FORMAT = "consentry.audit-stated/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRate:
    """How often an engine was wrong, on a collection of which it was known what is right.

    Attributes:
        engine: As entries name it, for example ``composition@3``.
        measure: What went wrong, in words.
        rate: Part of the collection that did.
        of: How large the collection was.
        source: The report.
    """

    engine: str
    measure: str
    rate: float
    of: int
    source: str

    @classmethod
    def of_members(cls, members: Members) -> EngineRate:
        """Read one from JSON.

        Raises:
            KeyError, ValueError, TypeError: If it is none.
        """
        return cls(
            engine=str(members["engine"]),
            measure=str(members["measure"]),
            rate=float(members["rate"]),
            of=int(members["of"]),
            source=str(members["source"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the operator says, and nobody can prove.

    Attributes:
        day: When he said it.
        contests_open: Appeals that wait: two who claim one face. None when it is held back.
    """

    day: date
    contests_open: int | None

    def written(self) -> bytes:
        """Return the file for the auditor."""
        members = {
            "format": STATED_FORMAT,
            "day": self.day.isoformat(),
            "contests_open": self.contests_open,
        }
        return (json.dumps(members, indent=1) + "\n").encode()

    @classmethod
    def parse(cls, data: bytes) -> Stated:
        """Read the file.

        Raises:
            BadRequest: If it is none.
        """
        try:
            members = json.loads(data)
            if members["format"] != STATED_FORMAT or type(members["contests_open"]) is not int:
                raise BadRequest(_NOT_STATED)
            return cls(
                day=date.fromisoformat(members["day"]), contests_open=members["contests_open"]
            )
        except (ValueError, KeyError, TypeError) as cause:
            raise BadRequest(_NOT_STATED) from cause


_NOT_STATED = "That is not what `consentry audit state` writes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What an auditor has tried.

    Attributes:
        trial: What.
        sent: How often.
        right: How often it was answered as the laws say.
    """

    trial: Trial
    sent: int
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """All of it. Empty where nobody said anything."""

    engine_rates: tuple[EngineRate, ...] = ()
    stated: Stated | None = None
    tried: tuple[Tried, ...] = ()

    def held_back(self, threshold: int) -> Beside:
        """Return it without a small number of people: probes are nobody's, and rates are of collections."""
        stated = self.stated
        if stated is None or not 0 < (stated.contests_open or 0) < threshold:
            return self
        return replace(self, stated=replace(stated, contests_open=None))


def engine_rates(engines: Iterable[str]) -> tuple[EngineRate, ...]:
    """Return what was measured of these engines, of those that have a number that ships."""
    known = json.loads((resources.files("consentry.audit") / "engine_rates.json").read_bytes())
    wanted = set(engines)
    return tuple(
        sorted(
            (EngineRate.of_members(each) for each in known if each["engine"] in wanted),
            key=lambda each: (each.engine, each.measure),
        )
    )


def tried(canaries: Sequence[Canary]) -> tuple[Tried, ...]:
    """Return what was tried with canaries, added up by trial."""
    probes = [probe for each in canaries for probe in each.probes]
    sent = Counter(probe.trial for probe in probes)
    right = Counter(probe.trial for probe in probes if probe.is_right)
    return tuple(
        Tried(trial=trial, sent=sent[trial], right=right[trial]) for trial in Trial if sent[trial]
    )
