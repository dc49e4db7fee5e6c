"""What was made, judged together with what it was made from, for those who are not behind the gateway.

    named check + salts + its inputs --commitments open?--> a check, proved ----+
    inputs alone --------------------- check them --allow?--> a check, made here +--> its ground,
    neither ------> nothing is known of the request                                 while it lasts
                                  |                                                       |
                                  +--------------> output check <-------------------------+

The gateway holds the checks of a request until its answer comes back. A platform that asks by itself
names the check instead, and shows again what it was about: the receipt has committed to it. Who was
let through then is sealed under the receipt's salts (`consentry.checks.grounds`), for an hour and
for one output check (docs/adr/0039-outputs-by-themselves.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from consentry.checks.check import CheckImages, CheckRequest, CheckResult
from consentry.checks.grounds import open_ground, place_of_ground
from consentry.checks.output import (
    NO_GROUND_ANY_MORE,
    OF_RESULTS,
    Basis,
    CheckOutput,
    OutputRequest,
    OutputResult,
)
from consentry.checks.recall import RecallCheck
from consentry.consent.decide import POLICY_VERSION
from consentry.consent.decision import Decision
from consentry.intent.engine import ENGINE_VERSION
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, CheckUnusable
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import Verdict
from consentry.transparency.receipts import (
    ReceiptInputs,
    ReceiptSalts,
    verify_commitment,
)


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
                check that has been made already, or for no request.
            NotFound: If the caller has made no check of that name.
            CheckUnusable: If that check allowed nothing, is of results itself, or is ground no more.
            ReceiptInvalid: If that check was about something else.
            TooManyRequests: If the caller's budget does not cover the faces.
            OperatorError: If something failed: then there is no verdict, and nothing is delivered.
        """
        asked = request.asked
        if request.named is not None:
            return self._beside(self._named(request.named, asked), request.named.salts, request)
        if not _says_something(asked):
            if asked.token is not None:
                raise BadRequest("A token is shown with the request that it is for. Send that too.")
            return self._told(self.output(self._asking(request, ())))
        judged = self.check(_under_its_own_key(asked))
        if judged.decision.verdict is not Verdict.ALLOW or judged.receipt is None:
            return judged
        return self._beside(judged, judged.receipt.salts, request)

    def _beside(
        self, judged: CheckResult, salts: ReceiptSalts, request: ResultsRequest
    ) -> CheckResult:
        """Judge results beside a check that allowed them to be made, as far as it still does."""
        asking = self._asking(request, (Basis(request=request.asked, result=judged),))
        # Before its ground is looked for: the answer to a retry took that with it.
        repeated = self.output.repeated(asking)
        if repeated is not None:
            return self._told(repeated)
        kept = self.output.receipts.answer(place_of_ground(salts), now=self.clock.now())
        if kept is None or kept.check != judged.check:
            raise CheckUnusable(NO_GROUND_ANY_MORE)
        let_through = open_ground(kept, salts)
        policies = self.check.gallery.policies()
        if not let_through.still_holds(policies, self.check.consents.contests.contested()):
            raise CheckUnusable(NO_GROUND_ANY_MORE)
        basis = Basis(request=request.asked, result=judged, let_through=let_through)
        return self._told(self.output(replace(asking, bases=(basis,), takes=kept.place)))

    def _asking(self, request: ResultsRequest, bases: tuple[Basis, ...]) -> OutputRequest:
        asked = request.asked
        return OutputRequest(
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

    def _told(self, made: OutputResult) -> CheckResult:
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

    def _named(self, named: Named, asked: CheckRequest) -> CheckResult:
        """Return an earlier check, once it is proved to be about this."""
        if asked.token is not None:
            raise BadRequest("A token belongs to the check that it was shown to. Leave it out.")
        claims = self.recall.claims(named.check, caller=asked.caller)
        if claims.verdict is not Verdict.ALLOW:
            raise CheckUnusable("That check allowed nothing, so nothing may have been made on it.")
        if OF_RESULTS in claims.engines:
            raise CheckUnusable("That check was of results. Name the one of the request.")
        verify_commitment(claims, named.salts, _inputs_of(asked))
        return CheckResult(
            check=claims.check,
            decision=Decision.of_public_part(
                verdict=claims.verdict,
                reasons=claims.reasons,
                obligations=claims.obligations,
                checked=True,
            ),
            assessment=self.check.read(asked),
            images=(),
            receipt=None,
            policy_version=claims.policy_version,
            model=self.check.faces.model_id,
            intent_engine=ENGINE_VERSION,
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
