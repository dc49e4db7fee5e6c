"""What a region's law adds: reviewed data files, which can only tighten (law 7).

    "SE" ──> every file that lists SE ──> the strictest of them
    None, "??", a region in no file ──> the strictest of all files

A file in ``jurisdictions/`` says which purposes need the consent of an enrolled person there,
whatever she chose to protect, and by when a notice must be acted on. It has no word for "allow", so
no file can loosen anything. Not legal advice: each file says who has reviewed it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import TypedDict, cast

from consentry.kernel.taxonomy import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """One provision of a law, and where its text was read.

    Attributes:
        statute: As lawyers cite it.
        says: In one plain sentence.
        source: Where that was read.
        applies_from: None when it is not known to be in force.
        deadline_h: Hours in which a notice must be acted on; None when it sets no such deadline.
    """

    statute: str
    says: str
    source: str
    applies_from: date | None
    deadline_h: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jurisdiction:
    """One file.

    Attributes:
        name: Of the region, in English.
        regions: ISO 3166 codes that it is about.
        asks_for: Purposes that need the consent of an enrolled person, whatever she protects.
        provisions: The laws behind it.
        reviewed_on: The day of the last review.
        is_reviewed_by_lawyer: Whether a lawyer did it.
    """

    name: str
    regions: frozenset[str]
    asks_for: frozenset[Purpose]
    provisions: tuple[Provision, ...]
    reviewed_on: date
    is_reviewed_by_lawyer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds in one region.

    Attributes:
        asks_for: Purposes that need the consent of an enrolled person, whatever she protects.
        notice_deadline_h: The shortest time in which a notice must be acted on, in hours.
        is_known: False when no file is about the region, so that the strictest rules hold.
    """

    asks_for: frozenset[Purpose]
    notice_deadline_h: int | None
    is_known: bool


def rules_for(region: str | None) -> Rules:
    """Return what holds in a region. Total: what nobody has heard of is held to everything.

    Args:
        region: ISO 3166-1 alpha-2 (``SE``) or ISO 3166-2 (``US-IL``), any case; None when unknown.

    Example:
        >>> rules_for("SE").asks_for <= rules_for(None).asks_for
        True
    """
    code = (region or "").strip().upper()
    about = [each for each in jurisdictions() if {code, code.partition("-")[0]} & each.regions]
    return _strictest(about or jurisdictions(), is_known=bool(about))


@cache
def jurisdictions() -> tuple[Jurisdiction, ...]:
    """Return every file, by name. Read once: they are part of the package."""
    folder = resources.files("consentry.consent").joinpath("jurisdictions")
    files = [each for each in folder.iterdir() if each.name.endswith(".json")]
    found = [_parsed(cast("_File", json.loads(each.read_text("utf-8")))) for each in files]
    return tuple(sorted(found, key=lambda each: each.name))


def _strictest(files: Iterable[Jurisdiction], *, is_known: bool) -> Rules:
    chosen = tuple(files)
    deadlines = [p.deadline_h for each in chosen for p in each.provisions if p.deadline_h]
    return Rules(
        asks_for=frozenset(purpose for each in chosen for purpose in each.asks_for),
        notice_deadline_h=min(deadlines, default=None),
        is_known=is_known,
    )


class _ProvisionRow(TypedDict):
    statute: str
    says: str
    source: str
    applies_from: str | None
    deadline_h: int | None


class _File(TypedDict):
    name: str
    regions: list[str]
    asks_for: list[str]
    provisions: list[_ProvisionRow]
    reviewed_on: str
    is_reviewed_by_lawyer: bool


def _parsed(file: _File) -> Jurisdiction:
    return Jurisdiction(
        name=file["name"],
        regions=frozenset(file["regions"]),
        asks_for=frozenset(Purpose(each) for each in file["asks_for"]),
        provisions=tuple(
            Provision(
                statute=row["statute"],
                says=row["says"],
                source=row["source"],
                applies_from=_day(row["applies_from"]),
                deadline_h=row["deadline_h"],
            )
            for row in file["provisions"]
        ),
        reviewed_on=date.fromisoformat(file["reviewed_on"]),
        is_reviewed_by_lawyer=file["is_reviewed_by_lawyer"],
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
