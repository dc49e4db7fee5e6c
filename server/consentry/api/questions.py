"""What somebody wants to do with pictures, as it is sent: a form, or JSON with the pictures in it."""

from __future__ import annotations

import binascii
import re
from typing import Literal, Self, TypeVar

import pybase64
from fastapi import Request
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from consentry.accounts.principals import Door, Principal
from consentry.api.bodies import Form, media_type, parse_fields, read_form, read_json
from consentry.api.runtime import Runtime
from consentry.api.wire import Inbound, Json, form_body
from consentry.api.work import Kind
from consentry.checks.check import MAX_CONTEXT_TURNS, MAX_IMAGES, MAX_PROMPT_CHARS
from consentry.grants.format import MAX_TOKEN_CHARS
from consentry.kernel.errors import BadRequest, Forbidden
from consentry.kernel.taxonomy import Mode, Purpose

_DATA_URL = re.compile(r"data:[^,;\s]{0,100}(?:;[^,;\s]{0,100})*;base64,", re.ASCII)
BASE64 = (
    r"^(data:[^,;\s]{0,100}(;[^,;\s]{0,100})*;base64,)?"
    r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
)
_BOOLEANS = {"true": True, "false": False}
ASKED_FILES = {
    "images": f"At most {MAX_IMAGES} with the mask: inputs and references alike.",
    "mask": "One more picture: which part is to be changed. Checked like every other.",
}
"""The pictures that go in, as parts of a form."""

_F = TypeVar("_F", bound=BaseModel)


class TurnIn(Inbound):
    """One turn of a conversation, or the post that is being answered."""

    role: Literal["user", "assistant", "post"]
    text: str = Field(repr=False, max_length=MAX_PROMPT_CHARS)


_TURNS = TypeAdapter(tuple[str, ...])
_CONVERSATION = TypeAdapter(tuple[TurnIn, ...])


class AskedFields(Inbound):
    """What somebody wants to do with pictures, whether or not it is done already."""

    prompt: str | None = Field(
        default=None,
        repr=False,
        max_length=MAX_PROMPT_CHARS,
        description=f"At most {MAX_PROMPT_CHARS} characters.",
    )
    context: tuple[str, ...] = Field(
        default=(),
        repr=False,
        max_length=MAX_CONTEXT_TURNS,
        description=f"Earlier turns of the conversation, oldest first, at most {MAX_CONTEXT_TURNS}.",
    )
    conversation: tuple[TurnIn, ...] = Field(
        default=(),
        repr=False,
        max_length=MAX_CONTEXT_TURNS + 1,
        description=(
            "In place of `context`: all turns, oldest first; the post that is answered, if any, "
            "with the role `post`. Without `prompt` the newest turn is the prompt."
        ),
    )
    purpose: Purpose = Field(default=Purpose.EDIT, description="Can only make it stricter.")
    region: str | None = Field(
        default=None, pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166."
    )
    platform: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="An API key speaks for its own platform: leave it out, or repeat its name.",
    )
    asker: str | None = Field(
        default=None,
        repr=False,
        min_length=1,
        max_length=200,
        description=(
            "Your own opaque reference of the user who asks, so that she can block further "
            "requests. Never kept in the clear."
        ),
    )
    token: str | None = Field(
        default=None,
        repr=False,
        min_length=1,
        max_length=MAX_TOKEN_CHARS,
        description="A consent token (compact JWS), if one was given.",
    )
    actor: str | None = Field(
        default=None,
        repr=False,
        description="The enrolled person who asks, by identifier or name. The owner only.",
    )
    declares_minor: bool = False

    @model_validator(mode="after")
    def _one_conversation(self) -> Self:
        if self.context and self.conversation:
            raise ValueError("give `context` or `conversation`, not both")
        return self

    def words(self) -> tuple[str | None, tuple[str, ...]]:
        """Return the prompt, and the turns before it, oldest first."""
        if not self.conversation:
            return self.prompt, self.context
        turns = tuple(turn.text for turn in self.conversation)
        return (turns[-1], turns[:-1]) if self.prompt is None else (self.prompt, turns)


class CheckFields(AskedFields):
    """What somebody wants to do with pictures."""

    mode: Mode = Field(
        default=Mode.ACT,
        description=(
            "`act` at a door that can stop something; `inform` leaves nothing behind, and is not "
            "for API keys."
        ),
    )


class PicturesIn(Inbound):
    """The pictures that go in, as JSON carries them."""

    images: tuple[str, ...] = Field(
        default=(),
        repr=False,
        max_length=MAX_IMAGES,
        description="Files in base64, or as `data:` URLs with base64.",
        json_schema_extra={"items": {"type": "string", "pattern": BASE64}},
    )
    mask: str | None = Field(
        default=None,
        repr=False,
        description="One more picture: which part is to be changed. Checked like every other.",
        json_schema_extra={"anyOf": [{"type": "string", "pattern": BASE64}, {"type": "null"}]},
    )

    def pictures(self) -> tuple[bytes, ...]:
        """Return the files, the mask last.

        Raises:
            BadRequest: If one is neither base64 nor a ``data:`` URL. Nothing is ever fetched.
        """
        found = [decoded(f"images.{place}", text) for place, text in enumerate(self.images)]
        if self.mask is not None:
            found.append(decoded("mask", self.mask))
        return tuple(found)


class CheckIn(PicturesIn, CheckFields):
    """The same, with the pictures in it."""

    def fields(self) -> CheckFields:
        """Return it without the pictures."""
        return fields_of(self, CheckFields)


def fields_of(body: BaseModel, kind: type[_F]) -> _F:
    """Return the part of a body that is neither pictures nor anything else: what was validated is not again."""
    return kind.model_construct(**{name: getattr(body, name) for name in kind.model_fields})


def question_body() -> dict[str, Json]:
    """Describe both bodies of a check, for OpenAPI."""
    modes: Json = {"type": "string", "enum": [mode.value for mode in Mode]}
    return form_body(
        files=ASKED_FILES,
        fields={**asked_fields(), "mode": modes},
        required=[],
        json_model=CheckIn,
    )


def asked_fields() -> dict[str, Json]:
    """Describe the fields of `AskedFields` in a form, for OpenAPI."""
    turns: Json = {"type": "array", "items": {"type": "string"}}
    return {
        "prompt": {"type": "string", "maxLength": MAX_PROMPT_CHARS},
        "context": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": turns,
            "description": "A JSON array of strings.",
        },
        "conversation": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/TurnIn"},
            },
            "description": "A JSON array of turns, in place of `context`.",
        },
        "purpose": {"type": "string", "enum": [purpose.value for purpose in Purpose]},
        "region": {"type": "string", "pattern": "^[A-Z]{2}(-[A-Z0-9]{1,3})?$"},
        "platform": {"type": "string", "minLength": 1, "maxLength": 200},
        "asker": {"type": "string", "minLength": 1, "maxLength": 200},
        "token": {"type": "string", "minLength": 1, "maxLength": MAX_TOKEN_CHARS},
        "actor": {"type": "string"},
        "declares_minor": {"type": "string", "enum": ["true", "false"]},
    }


async def read_question(
    request: Request, runtime: Runtime
) -> tuple[CheckFields, tuple[bytes, ...]]:
    """Read a question and its pictures, the mask last.

    Raises:
        UnsupportedMediaType, BodyTooLarge, BadRequest: As `consentry.api.bodies`.
    """
    if media_type(request) != "application/json":
        form = await read_form(request, max_bytes=runtime.max_body_bytes, max_files=MAX_IMAGES + 1)
        form.require_only(fields=frozenset(CheckFields.model_fields), files=frozenset(ASKED_FILES))
        return parse_fields(CheckFields, asked_values(form)), pictures_of(form)
    body = await read_json(request, CheckIn, max_bytes=runtime.max_body_bytes)
    return body.fields(), await runtime.work.run(Kind.STORE, body.pictures)


def require_allowed(fields: AskedFields, principal: Principal) -> None:
    """Pass when the caller may ask this at all.

    Raises:
        Forbidden: If it says who is asking without being the owner, or speaks for another platform,
            or would ask without leaving a receipt. Whom the fields name plays no part in the words.
    """
    if fields.actor is not None and not principal.is_owner:
        raise Forbidden("Only the owner may say who is asking. Leave out `actor`.")
    if principal.door is not Door.KEY:
        return
    if fields.platform not in {None, principal.platform}:
        raise Forbidden("This key speaks for another platform. Leave out `platform`.")
    if isinstance(fields, CheckFields) and fields.mode is not Mode.ACT:
        raise Forbidden("A platform asks in `act` mode: each of its answers leaves a receipt.")


def asked_values(form: Form) -> dict[str, object]:
    """Return the fields of a form, with those read that are JSON or a truth value.

    Raises:
        BadRequest: If one of these cannot be read.
    """
    values: dict[str, object] = dict(form.fields)
    for name, kind in (("context", _TURNS), ("conversation", _CONVERSATION)):
        if name in values:
            try:
                values[name] = kind.validate_json(form.fields[name])
            except ValidationError:
                raise BadRequest(f"`{name}` is a JSON array, as docs/api.md says.") from None
    if "declares_minor" in values:
        if form.fields["declares_minor"] not in _BOOLEANS:
            raise BadRequest("`declares_minor` is true or false.")
        values["declares_minor"] = _BOOLEANS[form.fields["declares_minor"]]
    return values


def pictures_of(form: Form) -> tuple[bytes, ...]:
    """Return the pictures that go in, the mask last.

    Raises:
        BadRequest: If there are two masks.
    """
    masks = form.files.get("mask", ())
    if len(masks) > 1:
        raise BadRequest("There is one `mask`; further pictures are `images`.")
    return *form.files.get("images", ()), *masks


def decoded(place: str, text: str) -> bytes:
    """Return the file that a text gives in base64, or as a ``data:`` URL.

    Raises:
        BadRequest: If it is neither; names the place.
    """
    if text.startswith("data:"):
        header = _DATA_URL.match(text)
        if header is None:
            raise BadRequest(f"{place}: of data: URLs, only base64 ones are read.")
        text = text[header.end() :]
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # An address, say. It is not repeated in the message, and never fetched.
        raise BadRequest(f"{place}: neither base64 nor a data: URL.") from None
