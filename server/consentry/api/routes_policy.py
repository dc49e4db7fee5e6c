"""What a verdict can say, and under which rules it was made: for whoever builds on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from consentry.accounts.principals import Principal
from consentry.api.authentication import anybody
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Outbound, answer
from consentry.checks.check import MAX_CONTEXT_TURNS, MAX_IMAGES, MAX_PROMPT_CHARS
from consentry.consent.decide import POLICY_VERSION
from consentry.kernel.taxonomy import Mode, Obligation, PublicReason, Purpose, Verdict

router = APIRouter(tags=["policy"])

Anybody = Annotated[Principal, Depends(anybody())]

_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.ALLOW: (
        "It may be done, once the obligations are met.",
        "Meet the obligations, then go on.",
    ),
    Verdict.NEEDS_CONSENT: (
        "Only with the consent of somebody who is, or may be, in the picture.",
        "Do not go on. Follow the consent request if the answer names one.",
    ),
    Verdict.REFUSE: ("It must not be done.", "Do not go on, and do not ask for consent."),
}
_REASONS: Mapping[PublicReason, tuple[str, str]] = {
    PublicReason.REVEALING_REAL_PERSON: (
        "It asks for a revealing or sexual picture, and a real person is, or may be, concerned.",
        "Refuse. The answer is the same whoever it is about: do not say that somebody is protected.",
    ),
    PublicReason.MINOR: (
        "It asks for a revealing or sexual picture, and there is a sign of a minor.",
        "Refuse, and follow your duties to report.",
    ),
    PublicReason.CONSENT_REQUIRED: (
        "Somebody who may be in the picture decides about uses like this one.",
        "Wait for the consent request, or stop.",
    ),
    PublicReason.UNREADABLE: (
        "A picture or the text could not be read.",
        "Send pictures in a format that is read, and a prompt in a language that is covered.",
    ),
    PublicReason.ERROR: (
        "Part of the check could not be made.",
        "Treat it as refused. Ask again later, with a new Idempotency-Key.",
    ),
}
_OBLIGATIONS: Mapping[Obligation, tuple[str, str]] = {
    Obligation.CHECK_OUTPUT: (
        "The request shows no real person, but its result may.",
        "Ask about the result (`POST /v1/outputs`), and deliver it only if that is allowed.",
    ),
}


class EntryOut(Outbound):
    """One word of the vocabulary. None is ever renamed; new ones may be added."""

    code: str
    meaning: str
    what_to_do: str


class ReasonsOut(Outbound):
    """All that an answer to a platform can say."""

    format: Literal["consentry.reasons/1"] = "consentry.reasons/1"
    policy_version: str
    verdicts: list[EntryOut]
    reasons: list[EntryOut]
    obligations: list[EntryOut]


class LimitsOut(Outbound):
    """How much one check takes."""

    images: int
    image_bytes: int
    body_bytes: int
    prompt_chars: int
    context_turns: int


class PolicyOut(Outbound):
    """Under which rules checks are decided now."""

    format: Literal["consentry.policy/1"] = "consentry.policy/1"
    policy_version: str
    modes: list[Mode]
    purposes: list[Purpose]
    limits: LimitsOut


@router.get(
    "/v1/reasons",
    operation_id="listReasons",
    response_model=ReasonsOut,
    responses=documented(),
)
async def list_reasons(_: Anybody) -> Response:
    """Return every verdict, public reason and obligation, and what to do about it."""
    return answer(
        ReasonsOut(
            policy_version=POLICY_VERSION,
            verdicts=[_entry(verdict.value, _VERDICTS[verdict]) for verdict in Verdict],
            reasons=[_entry(reason.value, _REASONS[reason]) for reason in PublicReason],
            obligations=[_entry(each.value, _OBLIGATIONS[each]) for each in Obligation],
        )
    )


@router.get(
    "/v1/policy",
    operation_id="getPolicy",
    response_model=PolicyOut,
    responses=documented(),
)
async def get_policy(request: Request, _: Anybody) -> Response:
    """Return the version of the rules, and how much a check takes."""
    runtime = runtime_of(request)
    return answer(
        PolicyOut(
            policy_version=POLICY_VERSION,
            modes=list(Mode),
            purposes=list(Purpose),
            limits=LimitsOut(
                images=MAX_IMAGES,
                image_bytes=runtime.services.limits.max_bytes,
                body_bytes=runtime.max_body_bytes,
                prompt_chars=MAX_PROMPT_CHARS,
                context_turns=MAX_CONTEXT_TURNS,
            ),
        )
    )


def _entry(code: str, texts: tuple[str, str]) -> EntryOut:
    meaning, what_to_do = texts
    return EntryOut(code=code, meaning=meaning, what_to_do=what_to_do)
