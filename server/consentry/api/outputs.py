"""What a generator has made, and from what, as it is sent: a form, or JSON with the pictures in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Self

from fastapi import Request
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from consentry.api.bodies import media_type, parse_fields, read_form, read_json
from consentry.api.questions import (
    ASKED_FILES,
    BASE64,
    AskedFields,
    PicturesIn,
    asked_fields,
    asked_values,
    decoded,
    fields_of,
    pictures_of,
)
from consentry.api.runtime import Runtime
from consentry.api.wire import Inbound, Json, form_body, from_base64url
from consentry.api.work import Kind
from consentry.checks.check import MAX_CONTEXT_TURNS, MAX_IMAGES
from consentry.checks.results import Named
from consentry.kernel.errors import BadRequest
from consentry.kernel.ids import CheckId
from consentry.transparency.receipts import ReceiptSalts

MAX_OUTPUTS = 16

_SALT = r"^[A-Za-z0-9_-]{43}$"
_Salt = Annotated[str, Field(pattern=_SALT)]
_OUTPUTS = f"1 to {MAX_OUTPUTS} files: what was made, as it would be delivered."


class SaltsIn(Inbound):
    """The salts of an answer, as they were given: base64url."""

    images: tuple[_Salt, ...] = Field(max_length=MAX_IMAGES, repr=False)
    prompt: str | None = Field(default=None, pattern=_SALT, repr=False)
    context: tuple[_Salt, ...] = Field(default=(), max_length=MAX_CONTEXT_TURNS, repr=False)
    circumstances: str = Field(pattern=_SALT, repr=False)

    def salts(self) -> ReceiptSalts:
        """Return them in bytes.

        Raises:
            BadRequest: If one is not base64url.
        """
        return ReceiptSalts(
            images=tuple(from_base64url(each, field="salts.images") for each in self.images),
            prompt=None
            if self.prompt is None
            else from_base64url(self.prompt, field="salts.prompt"),
            context=tuple(from_base64url(each, field="salts.context") for each in self.context),
            circumstances=from_base64url(self.circumstances, field="salts.circumstances"),
        )


_SALTS = TypeAdapter(SaltsIn)


class OutputFields(AskedFields):
    """What was asked of the generator, and the check that allowed it."""

    check_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description=(
            "The check of the request, at most an hour old, and ground for one judgement of "
            "results. Everything that it was about is sent again. Without it the request is "
            "judged here."
        ),
    )
    salts: SaltsIn | None = Field(
        default=None, repr=False, description="Of that check's answer, as they were given."
    )

    @model_validator(mode="after")
    def _named_whole(self) -> Self:
        if (self.check_id is None) is not (self.salts is None):
            raise ValueError("`check_id` and `salts` go together")
        return self

    def named(self) -> Named | None:
        """Return the check of the request, if it is named.

        Raises:
            BadRequest: If a salt is not base64url.
        """
        if self.check_id is None or self.salts is None:
            return None
        return Named(CheckId(self.check_id), self.salts.salts())


class OutputsIn(PicturesIn, OutputFields):
    """The same, with the pictures in it."""

    results: tuple[str, ...] = Field(
        repr=False,
        min_length=1,
        max_length=MAX_OUTPUTS,
        description="What was made: files in base64, or as `data:` URLs with base64.",
        json_schema_extra={"items": {"type": "string", "pattern": BASE64}},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What was sent."""

    fields: OutputFields
    results: tuple[bytes, ...] = field(repr=False)
    images: tuple[bytes, ...] = field(repr=False)

    def parts(self) -> Sequence[bytes]:
        """Return all that makes this request differ from another."""
        count = str(len(self.results)).encode()
        return [self.fields.model_dump_json().encode(), count, *self.results, *self.images]


def outputs_body() -> dict[str, Json]:
    """Describe both bodies, for OpenAPI."""
    salts: Json = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": "#/components/schemas/SaltsIn"},
        "description": "The `salts` of that check's answer, as JSON.",
    }
    return form_body(
        files={"results": _OUTPUTS, **ASKED_FILES},
        fields={
            **asked_fields(),
            "check_id": {"type": "string", "minLength": 1, "maxLength": 100},
            "salts": salts,
        },
        required=["results"],
        json_model=OutputsIn,
    )


async def read_outputs(request: Request, runtime: Runtime) -> Outputs:
    """Read results, and what they were made from.

    Raises:
        UnsupportedMediaType, BodyTooLarge, BadRequest: As `consentry.api.bodies`.
    """
    if media_type(request) == "application/json":
        body = await read_json(request, OutputsIn, max_bytes=runtime.max_body_bytes)
        return await runtime.work.run(Kind.STORE, lambda: _of_json(body))
    form = await read_form(
        request, max_bytes=runtime.max_body_bytes, max_files=MAX_OUTPUTS + MAX_IMAGES + 1
    )
    form.require_only(
        fields=frozenset(OutputFields.model_fields), files=frozenset({"results", *ASKED_FILES})
    )
    values = asked_values(form)
    if "salts" in values:
        try:
            values["salts"] = _SALTS.validate_json(form.fields["salts"])
        except ValidationError:
            raise BadRequest("`salts` are those of an answer, as JSON.") from None
    results = form.files.get("results", ())
    if not 1 <= len(results) <= MAX_OUTPUTS:
        raise BadRequest(f"There are 1 to {MAX_OUTPUTS} `results`: what was made, as files.")
    fields = parse_fields(OutputFields, values)
    return Outputs(fields=fields, results=results, images=pictures_of(form))


def _of_json(body: OutputsIn) -> Outputs:
    results = [decoded(f"results.{place}", text) for place, text in enumerate(body.results)]
    return Outputs(
        fields=fields_of(body, OutputFields), results=tuple(results), images=body.pictures()
    )
