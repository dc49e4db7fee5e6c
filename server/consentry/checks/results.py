"""What was made, judged together with what it was made from, for those who are not behind the gateway.

    named check + salts + its inputs --commitments open?--> a basis, proved
    inputs alone -------------------- check them --allow?--> a basis, judged here
    neither ---------------------------------------------> nothing is known of the request
                                                              |
                                               output check --+--> verdict

The gateway holds the checks of a request until its answer comes back. A platform that asks by itself
names the check instead, and shows again what it was about: the receipt has committed to it, and
nothing of it is kept here (docs/adr/0039-outputs-by-themselves.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from consentry.checks.check import CheckImages, CheckRequest, CheckResult
from consentry.checks.output import OF_RESULTS, Basis, CheckOutput, OutputRequest
from consentry.checks.recall import RecallCheck
from consentry.consent.decide import POLICY_VERSION
from consentry.consent.decision import Decision
from consentry.intent.engine import ENGINE_VERSION
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import Verdict
from consentry.transparency.receipts import (
    ReceiptClaims,
    ReceiptInputs,
    ReceiptSalts,
    verify_commitment,
)

BASIS_LIFETIME = timedelta(hours=1)
"""How long after a check its result may be shown: what has been revoked since is not heard of."""


@dataclass(frozen=True, slots=True)
class Named:
    """An earlier check, and what opens the commitments of its receipt."""

    check: CheckId
    salts: ReceiptSalts = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsRequest:
    """What was made, and from what.

    Attributes:
        results: Encoded files, 1 to `consentry.checks.output.MAX_RESULTS`.
        asked: What they were made from and for, in `ACT` mode. Without pictures and words nothing
            is known of that; then its purpose, region and platform count for the results alone.
        named: The check that allowed it; None to have ``asked`` judged here.
    """

    results: tuple[bytes, ...] = field(repr=False)
    asked: CheckRequest
    named: Named | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeResults:
    """Judge results of requests that came in before, or with them. Stateless; safe to share."""

    check: CheckImages
    output: CheckOutput
    recall: RecallCheck
    clock: Clock

    def __call__(self, request: ResultsRequest) -> CheckResult:
        """Decide, sign the decision, and keep the receipt.

        Returns:
            The verdict about the results; where their request is judged here and not allowed, that
            verdict.

        Raises:
            BadRequest: If there is no result, or more than the limits, or a token is shown for a
                check that has been made already.
            NotFound: If the caller has made no check of that name.
            Conflict: If that check allowed nothing, is of results itself, or is too old.
            ReceiptInvalid: If that check was about something else.
            TooManyRequests: If the caller's budget does not cover the faces.
            OperatorError: If something failed: then there is no verdict, and nothing is delivered.
        """
        asked = request.asked
        bases: tuple[Basis, ...] = ()
        if request.named is not None:
            bases = (self._proved(request.named, asked),)
        elif _says_something(asked):
            judged = self.check(_under_its_own_key(asked))
            if judged.decision.verdict is not Verdict.ALLOW:
                return judged
            bases = (Basis(request=asked, result=judged),)
        made = self.output(
            OutputRequest(
                results=request.results,
                bases=bases,
                platform=asked.platform,
                purpose=asked.purpose,
                region=asked.region,
                declares_minor=asked.declares_minor,
                caller=asked.caller,
                idempotency_key=asked.idempotency_key,
                meter=asked.meter,
            )
        )
        return CheckResult(
            check=made.check,
            decision=made.decision,
            assessment=made.assessment,
            images=made.images,
            receipt=made.receipt,
            is_repeated=made.is_repeated,
            policy_version=POLICY_VERSION,
            model=self.output.faces.model_id,
            intent_engine=ENGINE_VERSION,
        )

    def _proved(self, named: Named, asked: CheckRequest) -> Basis:
        if asked.token is not None:
            raise BadRequest("A token belongs to the check that it was shown to. Leave it out.")
        claims = self.recall.claims(named.check, caller=asked.caller)
        self._require_ground(claims)
        verify_commitment(claims, named.salts, _inputs_of(asked))
        subjects, _ = self.check.consents.named(asked)
        decision = Decision.of_public_part(
            verdict=claims.verdict,
            reasons=claims.reasons,
            obligations=claims.obligations,
            checked=True,
            # Who is in the pictures is looked for again; who was named and allowed, is here.
            subjects=subjects,
        )
        result = CheckResult(
            check=claims.check,
            decision=decision,
            assessment=self.check.read(asked),
            images=(),
            receipt=None,
            policy_version=claims.policy_version,
            model=self.check.faces.model_id,
            intent_engine=ENGINE_VERSION,
        )
        return Basis(request=asked, result=result)

    def _require_ground(self, claims: ReceiptClaims) -> None:
        if claims.verdict is not Verdict.ALLOW:
            raise Conflict("That check allowed nothing, so nothing may have been made on it.")
        if OF_RESULTS in claims.engines:
            raise Conflict("That check was of results. Name the one of the request.")
        if self.clock.now() - claims.issued_at > BASIS_LIFETIME:
            raise Conflict(
                "That check is more than an hour old. Leave it out, and the request is judged anew."
            )


def _says_something(asked: CheckRequest) -> bool:
    return bool(asked.images or asked.context or asked.prompt is not None)


def _under_its_own_key(asked: CheckRequest) -> CheckRequest:
    """Keep the answer about the request apart from that about its results."""
    if asked.idempotency_key is None:
        return asked
    # No header has that character.
    return replace(asked, idempotency_key=f"{asked.idempotency_key}\x1frequest")


def _inputs_of(asked: CheckRequest) -> ReceiptInputs:
    return ReceiptInputs(
        images=asked.images,
        prompt=asked.prompt,
        context=asked.context,
        purpose=asked.purpose,
        region=asked.region,
        platform=asked.platform,
    )
