"""What is known of a request once it is through, for metrics and one line of log. No content of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from consentry.consent.decision import Decision
from consentry.gateway.refusals import Refusal, Stage
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import PublicReason, Verdict


@dataclass(slots=True, kw_only=True)
class Passage:
    """Filled in by the gate; lives as long as one request.

    Attributes:
        request_id: Goes to the caller, too.
        route: The endpoint's template; ``-`` for one that is not open.
        stage: How far it is.
        verdict: The strictest of its checks; None when nothing was checked.
        pictures: How many were checked on the way in.
        outputs: How many were checked on the way out.
        check_s, upstream_s: Seconds in checks, and until the generator began to answer.
        error: The code of the error that ended it.
    """

    request_id: str
    route: str = "-"
    stage: Stage = Stage.INPUT
    verdict: Verdict | None = None
    reasons: tuple[PublicReason, ...] = ()
    checks: list[CheckId] = field(default_factory=list)
    pictures: int = 0
    outputs: int = 0
    check_s: float = 0.0
    upstream_s: float = 0.0
    refusal: Refusal | None = None
    error: str | None = None

    def note(self, check: CheckId, decision: Decision) -> None:
        """Take a verdict down."""
        self.checks.append(check)
        if self.verdict is None or decision.verdict.strictness > self.verdict.strictness:
            self.verdict, self.reasons = decision.verdict, decision.reasons
