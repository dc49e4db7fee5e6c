"""Terms that most tests of consents begin with."""

from __future__ import annotations

import dataclasses

from consentry.grants.grants import GrantTerms
from consentry.kernel.taxonomy import IntentCategory, Purpose


def everyday(**changes: object) -> GrantTerms:
    """Return terms of a grant for everyday edits by anybody, anywhere, without end."""
    terms = GrantTerms(
        purposes=frozenset({Purpose.EDIT}),
        platform=None,
        regions=None,
        categories=frozenset({IntentCategory.NONE}),
        valid_from=None,
        valid_until=None,
        max_uses=None,
    )
    return dataclasses.replace(terms, **changes)
