"""May these images, with this prompt, be used in this way?

Who asks with a token learns the verdict, public reasons and where faces are: never who, never a
score, never a private reason. The owner also gets ``private``.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field, TypeAdapter, ValidationError
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import may
from consentry.api.bodies import media_type, parse_fields, read_form, read_json
from consentry.api.problems import documented
from consentry.api.runtime import Runtime, runtime_of
from consentry.api.wire import Inbound, Outbound, answer, form_body, to_base64url
from consentry.api.work import Kind
from consentry.checks.check import (
    MAX_CONTEXT_TURNS,
    MAX_IMAGES,
    MAX_PROMPT_CHARS,
    CheckRequest,
    CheckResult,
    ImageReport,
)
from consentry.consent.explanation import Audience, explain
from consentry.kernel.errors import BadRequest, Conflict, Forbidden, StorageFailed, StorageFull
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import (
    IntentCategory,
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    Purpose,
    Verdict,
)
from consentry.transparency.receipts import ReceiptSalts

router = APIRouter(tags=["checks"])

Asker = Annotated[Principal, Depends(may(Scope.CHECKS_WRITE))]

_FIELDS = frozenset(
    {"prompt", "context", "mode", "purpose", "region", "platform", "actor", "declares_minor"}
)
_FILES = frozenset({"images"})
_DATA_URL = re.compile(r"data:[^,;\s]{0,100}(?:;[^,;\s]{0,100})*;base64,", re.ASCII)
_TURNS = TypeAdapter(tuple[str, ...])
_BOOLEANS = {"true": True, "false": False}


class CheckFields(Inbound):
    """What somebody wants to do with pictures."""

    prompt: str | None = Field(
        default=None, repr=False, description=f"At most {MAX_PROMPT_CHARS} characters."
    )
    context: tuple[str, ...] = Field(
        default=(),
        repr=False,
        description=f"Earlier turns of the conversation, oldest first, at most {MAX_CONTEXT_TURNS}.",
    )
    mode: Mode = Field(
        default=Mode.ACT,
        description="`act` at a door that can stop something; `inform` leaves nothing behind.",
    )
    purpose: Purpose = Field(default=Purpose.EDIT, description="Can only make it stricter.")
    region: str | None = Field(
        default=None, pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166."
    )
    platform: str | None = Field(default=None, max_length=200)
    actor: str | None = Field(
        default=None,
        repr=False,
        description="The enrolled person who asks, by identifier or name. The owner only.",
    )
    declares_minor: bool = False


class CheckIn(CheckFields):
    """The same, with the pictures in it."""

    images: tuple[str, ...] = Field(
        default=(), repr=False, description="Files in base64, or as `data:` URLs with base64."
    )


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
    """The verdict."""

    format: Literal["consentry.check/1"] = "consentry.check/1"
    check_id: str
    verdict: Verdict
    reasons: list[PublicReason]
    obligations: list[Obligation]
    mode: Mode
    checked: bool = Field(description="False: not everything could be examined; no all-clear.")
    images: list[ImageOut]
    receipt: str | None = Field(description="Compact JWS; null for `inform`.")
    salts: SaltsOut | None
    policy_version: str
    engines: dict[str, str]
    explanation: str
    private: PrivateOut | None = Field(
        default=None, description="Absent unless the owner herself asks."
    )


@router.post(
    "/v1/checks",
    operation_id="checkImages",
    response_model=CheckOut,
    openapi_extra=form_body(
        files={"images": f"At most {MAX_IMAGES}: inputs, masks and references alike."},
        fields={
            "prompt": {"type": "string", "maxLength": MAX_PROMPT_CHARS},
            "context": {"type": "string", "description": "A JSON array of strings."},
            "mode": {"type": "string", "enum": [mode.value for mode in Mode]},
            "purpose": {"type": "string", "enum": [purpose.value for purpose in Purpose]},
            "region": {"type": "string"},
            "platform": {"type": "string"},
            "actor": {"type": "string"},
            "declares_minor": {"type": "string", "enum": ["true", "false"]},
        },
        required=[],
        json_model=CheckIn,
    ),
    responses=documented(Conflict, StorageFull, StorageFailed, reads_body=True),
)
async def check_images(request: Request, principal: Asker) -> Response:
    """Decide, and in `act` mode sign the verdict. A picture that cannot be read is no error here."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.PICTURES):
        if media_type(request) == "application/json":
            body = await read_json(request, CheckIn, max_bytes=runtime.max_body_bytes)
            fields, images = _without_images(body), await _decoded(runtime, body.images)
        else:
            fields, images = await _read_form(request, runtime)
        if fields.actor is not None and not principal.is_owner:
            # Whether there is such a person plays no part in the answer.
            raise Forbidden("Only the owner may say who is asking. Leave out `actor`.")
        check = partial(_check, runtime, fields, images, principal)

        async def decide() -> Response:
            return await runtime.work.run(Kind.PICTURES, check)

        if fields.mode is Mode.INFORM:
            # Leaves nothing behind, so there is nothing to repeat.
            return await decide()
        parts = [fields.model_dump_json().encode(), *images]
        return await runtime.once.answer(request, principal, parts, decide)


async def _read_form(request: Request, runtime: Runtime) -> tuple[CheckFields, tuple[bytes, ...]]:
    form = await read_form(request, max_bytes=runtime.max_body_bytes, max_files=MAX_IMAGES + 1)
    form.require_only(fields=_FIELDS, files=_FILES)
    values: dict[str, object] = dict(form.fields)
    if "context" in values:
        try:
            values["context"] = _TURNS.validate_json(form.fields["context"])
        except ValidationError:
            raise BadRequest("`context` is a JSON array of strings.") from None
    if "declares_minor" in values:
        if form.fields["declares_minor"] not in _BOOLEANS:
            raise BadRequest("`declares_minor` is true or false.")
        values["declares_minor"] = _BOOLEANS[form.fields["declares_minor"]]
    return parse_fields(CheckFields, values), form.files.get("images", ())


def _without_images(body: CheckIn) -> CheckFields:
    return CheckFields.model_construct(
        **{name: getattr(body, name) for name in CheckFields.model_fields}
    )


async def _decoded(runtime: Runtime, images: tuple[str, ...]) -> tuple[bytes, ...]:
    return await runtime.work.run(
        Kind.STORE, lambda: tuple(_decode(place, image) for place, image in enumerate(images))
    )


def _decode(place: int, text: str) -> bytes:
    if text.startswith("data:"):
        header = _DATA_URL.match(text)
        if header is None:
            raise BadRequest(f"images.{place}: of data: URLs, only base64 ones are read.")
        text = text[header.end() :]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # An address, say. It is not repeated in the message, and never fetched.
        raise BadRequest(f"images.{place}: neither base64 nor a data: URL.") from None


def _check(
    runtime: Runtime, fields: CheckFields, images: tuple[bytes, ...], principal: Principal
) -> Response:
    services = runtime.services
    actor: SubjectId | None = None
    if fields.actor is not None and principal.is_owner:
        actor = services.verify_actor(services.people.find(fields.actor))
    result = services.check(
        CheckRequest(
            images=images,
            prompt=fields.prompt,
            context=fields.context,
            mode=fields.mode,
            purpose=fields.purpose,
            region=fields.region,
            platform=fields.platform,
            actor=actor,
            declares_minor=fields.declares_minor,
        )
    )
    runtime.metrics.note_check(fields.mode, result.decision.verdict)
    private = _private(runtime, result) if principal.is_owner else None
    body = _shape(result, fields.mode, private)
    return answer(body, leaves_out=frozenset() if principal.is_owner else frozenset({"private"}))


def _shape(result: CheckResult, mode: Mode, private: PrivateOut | None) -> CheckOut:
    decision = result.decision
    audience = Audience.PLATFORM if private is None else Audience.SUBJECT
    return CheckOut(
        check_id=result.check,
        verdict=decision.verdict,
        reasons=list(decision.reasons),
        obligations=list(decision.obligations),
        mode=mode,
        checked=decision.checked,
        images=[_image(report) for report in result.images],
        receipt=None if result.receipt is None else result.receipt.jws,
        salts=None if result.receipt is None else _salts(result.receipt.salts),
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


def _salts(salts: ReceiptSalts) -> SaltsOut:
    return SaltsOut(
        images=[to_base64url(salt) for salt in salts.images],
        prompt=None if salts.prompt is None else to_base64url(salts.prompt),
        context=[to_base64url(salt) for salt in salts.context],
        circumstances=to_base64url(salts.circumstances),
    )


def _private(runtime: Runtime, result: CheckResult) -> PrivateOut:
    present = set(result.decision.subjects)
    names = (
        {person.subject: person.name for person in runtime.services.people.all()} if present else {}
    )
    return PrivateOut(
        reasons=list(result.decision.private_reasons),
        subjects=[
            PresentOut(subject=subject, name=names.get(subject))
            for subject in result.decision.subjects
        ],
        intent=result.assessment.category,
        language=result.assessment.language,
    )
