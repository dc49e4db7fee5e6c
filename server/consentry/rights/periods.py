"""How long things are kept, as far as it can be chosen."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_DAYS = 3650
"""Ten years: longer than any limitation period that this is likely to be kept for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """In whole days. Bounds are those of the settings of the same names.

    Attributes:
        receipts_days: Signed verdicts.
        openings_days: What opens the log's entries about verdicts to an auditor.
        sightings_days: What lets a person see which checks she mattered in.
        feed_days: What tells platforms that something was taken back.
        lapsed_days: Credentials after their end.
    """

    receipts_days: int = 1095
    openings_days: int = 1095
    sightings_days: int = 180
    feed_days: int = 90
    lapsed_days: int = 30
