"""When two names of platforms are one: what is counted by platform must not be had twice by spelling."""

from __future__ import annotations

import unicodedata


def folded_platform(name: str) -> str:
    """Return a name as it is compared with others: whatever its case and however it is composed."""
    # Folding may take a composed letter apart, so it is composed again.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
