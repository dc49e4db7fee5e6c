"""One who asks: under which name, what it is charged, and what its question is to the one decision path."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from consentry.accounts.budgets import BudgetState, ProbeBudget, ProbeQuota
from consentry.accounts.principals import Principal
from consentry.api.once import Place
from consentry.api.questions import AskedFields, CheckFields
from consentry.checks.check import CheckRequest
from consentry.kernel.ids import KeyId, SubjectId
from consentry.kernel.taxonomy import Mode
from consentry.services import Services


@dataclass(slots=True)
class KeyMeter:
    """Charges one API key (`consentry.checks.ports.ProbeMeter`); lives as long as one request."""

    budget: ProbeBudget
    key: KeyId
    quota: ProbeQuota
    states: tuple[BudgetState, ...] = ()

    def spend(self, faces: int) -> None:
        """Count faces, and remember what is left."""
        self.states = self.budget.spend(self.key, self.quota, faces)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks one question; lives as long as that.

    Attributes:
        place: Where the answer is kept for a retry; None when the request carries no key.
        meter: None for a caller without a budget.
    """

    services: Services
    principal: Principal
    place: Place | None
    meter: KeyMeter | None

    @classmethod
    def of(cls, services: Services, principal: Principal, place: Place | None) -> Asker:
        """Begin a question."""
        key, quota = principal.key, principal.quota
        meter = None if key is None or quota is None else KeyMeter(services.probes, key, quota)
        return cls(services, principal, place, meter)

    def request(self, fields: AskedFields, images: tuple[bytes, ...]) -> CheckRequest:
        """Return the question as the decision path takes it.

        Raises:
            Forbidden: If the owner says that somebody asks who has not just proved herself.
            NotFound: If nobody is enrolled by that name.
        """
        services, principal = self.services, self.principal
        actor: SubjectId | None = None
        if fields.actor is not None and principal.is_owner:
            actor = services.verify_actor(services.people.find(fields.actor))
        prompt, context = fields.words()
        place = self.place
        return CheckRequest(
            images=images,
            prompt=prompt,
            context=context,
            mode=fields.mode if isinstance(fields, CheckFields) else Mode.ACT,
            purpose=fields.purpose,
            region=fields.region,
            platform=principal.platform or fields.platform,
            actor=actor,
            declares_minor=fields.declares_minor,
            token=fields.token,
            asker=fields.asker,
            caller=principal.caller,
            idempotency_key=None if place is None else f"{place.route} {place.key}",
            meter=self.meter,
        )

    def tell(self, request: Request) -> None:
        """Have the answer say what is left of the budget."""
        if self.meter is not None and self.meter.states:
            request.state.budgets = self.meter.states
