"""A verdict on the wire. How much of it depends on who asks.

    platform (API key)      `VerdictOut`: the verdict, public reasons, obligations, the receipt and what opens it
    program of the owner    `CheckOut` without `private`; with `faces:read` also where faces are
    the owner               `CheckOut` with `private`

A platform reads the same members, whoever is or is not in the picture.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from consentry.accounts.principals import Door, Principal, Scope
from consentry.api.wire import Outbound, to_base64url
from consentry.checks.check import CheckResult
from consentry.checks.pictures import ImageReport
from consentry.checks.recall import Recalled
from consentry.consent.explanation import Audience, explain
from consentry.enrolment.people import People
from consentry.kernel.taxonomy import (
    IntentCategory,
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    Verdict,
)
from consentry.transparency.receipts import ReceiptSalts


class FaceBoxOut(Outbound):
    """Where a face is."""

    box: tuple[float, float, float, float] = Field(description="x, y, width, height in pixels.")


class ImageErrorOut(Outbound):
    """Why a picture was not read."""

    code: str
    message: str


class ImageOut(Outbound):
    """What was seen in one picture. Never who."""

    width: int
    height: int
    views: int
    faces: list[FaceBoxOut]
    error: ImageErrorOut | None


class SaltsOut(Outbound):
    """Salts of the receipt's commitments, base64url. Keep them with what was checked."""

    images: list[str]
    prompt: str | None
    context: list[str]
    circumstances: str


class PresentOut(Outbound):
    """An enrolled person who is in a picture."""

    subject: str
    name: str | None


class PrivateOut(Outbound):
    """For the owner's eyes only."""

    reasons: list[PrivateReason]
    subjects: list[PresentOut]
    intent: IntentCategory
    language: str


class CheckOut(Outbound):
    """The verdict, as the owner and her own programs read it."""

    format: Literal["consentry.check/1"] = "consentry.check/1"
    check_id: str
    verdict: Verdict
    reasons: list[PublicReason]
    obligations: list[Obligation]
    mode: Mode
    checked: bool = Field(description="False: not everything could be examined; no all-clear.")
    images: list[ImageOut] | None = Field(
        description="Null without the scope `faces:read`, and when the answer is a repeated one."
    )
    receipt: str | None = Field(description="Compact JWS; null for `inform`.")
    salts: SaltsOut | None
    request_id: str | None = Field(
        description="With `needs_consent`: the consent request that was opened; null for none."
    )
    policy_version: str
    engines: dict[str, str]
    explanation: str
    private: PrivateOut | None = Field(
        default=None, description="Absent unless the owner herself asks."
    )


class VerdictOut(Outbound):
    """The verdict, as a platform reads it. There is nothing else to know."""

    format: Literal["consentry.verdict/1"] = "consentry.verdict/1"
    check_id: str
    verdict: Verdict
    reasons: list[PublicReason]
    obligations: list[Obligation]
    receipt: str = Field(description="Compact JWS.")
    salts: SaltsOut | None = Field(
        description="What opens the receipt's commitments. Given once, with the verdict itself."
    )
    request_id: str | None = Field(
        description=(
            "With `needs_consent`: the consent request that was opened; null when nobody can be "
            "asked. Given once, too."
        )
    )


def verdict_json(result: CheckResult, mode: Mode, principal: Principal, people: People) -> bytes:
    """Return a verdict in the words for the one who asked."""
    if principal.door is Door.KEY:
        return _for_platform(result).model_dump_json().encode()
    # Of an answer that is repeated after a restart only the public part was kept.
    has_private = principal.is_owner and not result.is_repeated
    private = _private(result, people) if has_private else None
    body = _for_owner(result, mode, private, principal)
    return body.model_dump_json(exclude=None if has_private else {"private"}).encode()


def salts_out(salts: ReceiptSalts) -> SaltsOut:
    """Return salts in the wire form."""
    return SaltsOut(
        images=[to_base64url(salt) for salt in salts.images],
        prompt=None if salts.prompt is None else to_base64url(salts.prompt),
        context=[to_base64url(salt) for salt in salts.context],
        circumstances=to_base64url(salts.circumstances),
    )


def _for_platform(result: CheckResult) -> VerdictOut:
    if result.receipt is None:  # pragma: no cover -- a key asks in `act` mode only
        raise ValueError("a platform's verdict carries a receipt")
    return VerdictOut(
        check_id=result.check,
        verdict=result.decision.verdict,
        reasons=list(result.decision.reasons),
        obligations=list(result.decision.obligations),
        receipt=result.receipt.jws,
        salts=salts_out(result.receipt.salts),
        request_id=result.request,
    )


def recalled_json(found: Recalled) -> bytes:
    """Return an answer that is read again, by the one who was given it."""
    return (
        VerdictOut(
            check_id=found.check,
            verdict=found.verdict,
            reasons=list(found.reasons),
            obligations=list(found.obligations),
            receipt=found.jws,
            salts=None,
            request_id=None,
        )
        .model_dump_json()
        .encode()
    )


def _for_owner(
    result: CheckResult, mode: Mode, private: PrivateOut | None, principal: Principal
) -> CheckOut:
    decision = result.decision
    audience = Audience.PLATFORM if private is None else Audience.SUBJECT
    return CheckOut(
        check_id=result.check,
        verdict=decision.verdict,
        reasons=list(decision.reasons),
        obligations=list(decision.obligations),
        mode=mode,
        checked=decision.checked,
        images=[_image(report) for report in result.images]
        if Scope.FACES_READ in principal.scopes and not result.is_repeated
        else None,
        receipt=None if result.receipt is None else result.receipt.jws,
        salts=None if result.receipt is None else salts_out(result.receipt.salts),
        request_id=result.request,
        policy_version=result.policy_version,
        engines={"faces": result.model, "intent": result.intent_engine},
        explanation=explain(decision, audience),
        private=private,
    )


def _image(report: ImageReport) -> ImageOut:
    return ImageOut(
        width=report.width,
        height=report.height,
        views=report.views,
        # Where, and nothing else: a score of any kind helps to climb a hill.
        faces=[
            FaceBoxOut(box=(face.box.x, face.box.y, face.box.w, face.box.h))
            for face in report.faces
        ],
        error=None
        if report.error is None
        else ImageErrorOut(code=report.error.code, message=str(report.error)),
    )


def _private(result: CheckResult, people: People) -> PrivateOut:
    present = set(result.decision.subjects)
    names = {person.subject: person.name for person in people.all()} if present else {}
    return PrivateOut(
        reasons=list(result.decision.private_reasons),
        subjects=[
            PresentOut(subject=subject, name=names.get(subject))
            for subject in result.decision.subjects
        ],
        intent=result.assessment.category,
        language=result.assessment.language,
    )
