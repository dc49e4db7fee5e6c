"""One line of the data inventory.

A text may name a period in braces (`consentry.rights.periods.Periods`), and link to another document
as Markdown does, from docs/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Place(StrEnum):
    """Where a thing is kept."""

    DATABASE = "database"
    FILE = "file"
    LATER_FILE = "later_file"
    """A file that is made when it is first needed."""
    MEMORY = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing that is kept.

    Attributes:
        name: Table or file; empty for what is in memory.
        place: Where.
        fields: Column to what it is; empty where its name says it.
        what: What the whole is.
        why: What it is kept for.
        opens: Who can read it, and what of it.
        ends: How long it is kept, and what ends it.
        plain: In words for the person whom it is about; empty when it is about nobody.
    """

    place: Place
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    what: str = ""
    why: str = ""
    opens: str
    ends: str
    plain: str = ""
