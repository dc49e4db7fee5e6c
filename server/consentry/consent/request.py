"""Who asks for what, through which door."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import Mode, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The circumstances of a check. Only `actor` can loosen a verdict by itself; no plan is an input.

    Attributes:
        mode: Whether the caller can stop something (`ACT`) or only tell the person (`INFORM`).
        purpose: What the caller says the picture is for.
        region: ISO 3166 code that the platform states. It can only tighten; one that is unknown is
            held to the strictest rules (`consentry.consent.jurisdiction`). Recorded in the receipt
            as a commitment.
        platform: Who asks; recorded in the receipt as a commitment.
        actor: The enrolled subject who asks, verified by an unlock within minutes; None for
            everybody else.
        declares_minor: The platform flags a minor in the picture or behind the account.
    """

    mode: Mode
    purpose: Purpose
    region: str | None
    platform: str | None
    actor: SubjectId | None
    declares_minor: bool
