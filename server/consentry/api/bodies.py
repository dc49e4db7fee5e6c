"""Bodies, read into memory: a picture or a passphrase that was sent never touches the disk."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from consentry.kernel.errors import BadRequest, BodyTooLarge, UnsupportedMediaType

SMALL_BYTES = 64 * 1024
"""Enough for every JSON body without pictures."""

MAX_FIELDS = 16
# A prompt of 32,000 characters takes up to 128,000 bytes of UTF-8; a conversation fifty times that.
MAX_FIELD_BYTES = 8 * 1024 * 1024

_MAX_COMPLAINTS = 8
_M = TypeVar("_M", bound=BaseModel)


class _MemoryParser(MultiPartParser):
    """Starlette's parser, which writes files above 1 MB to the disk, told never to do so."""

    spool_max_size = sys.maxsize


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form. Lives as long as its request.

    Attributes:
        fields: Text by name; the name of no field appears twice.
        files: Contents by name, in order. What a file was called is not kept.
    """

    fields: Mapping[str, str] = field(repr=False)
    files: Mapping[str, tuple[bytes, ...]] = field(repr=False)

    def require_only(self, *, fields: frozenset[str], files: frozenset[str]) -> None:
        """Pass when the form has no part but these.

        Raises:
            BadRequest: Naming what is allowed: an unknown part is a misunderstanding, not an extra.
        """
        if not self.fields.keys() <= fields or not self.files.keys() <= files:
            known = ", ".join([f"{name} (file)" for name in sorted(files)] + sorted(fields))
            raise BadRequest(f"The form has a part that is not known here. Known: {known}.")


def media_type(request: Request) -> str:
    """Return the media type of a body without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request, model: type[_M], *, max_bytes: int = SMALL_BYTES) -> _M:
    """Read a JSON body.

    Raises:
        UnsupportedMediaType: If it is not declared as JSON. Forms that a page can send across
            origins never are.
        BodyTooLarge: If it is larger than ``max_bytes``.
        BadRequest: If it is no JSON, or a field is missing, unknown or out of range.
    """
    if media_type(request) != "application/json":
        raise UnsupportedMediaType("The body of this request is JSON: application/json.")
    return parse_json(model, b"".join([chunk async for chunk in _bounded(request, max_bytes)]))


async def read_json_members(
    request: Request, name: str, *, max_bytes: int, max_items: int
) -> list[bytes]:
    """Read a JSON body that has one member, a list, and return the items, each as JSON.

    Each is parsed by itself later, so that one that does not hold spoils no other.

    Raises:
        UnsupportedMediaType: If it is not declared as JSON.
        BodyTooLarge: If it is larger than ``max_bytes``.
        BadRequest: If it is no such object, or the list is empty or too long.
    """
    if media_type(request) != "application/json":
        raise UnsupportedMediaType("The body of this request is JSON: application/json.")
    data = b"".join([chunk async for chunk in _bounded(request, max_bytes)])
    try:
        found = from_json(data)
    except ValueError:
        raise BadRequest("The body is not JSON.") from None
    items = found.get(name) if isinstance(found, dict) and set(found) == {name} else None
    if not isinstance(items, list) or not 1 <= len(items) <= max_items:
        raise BadRequest(
            f"The body is an object with one member, `{name}`: 1 to {max_items} items."
        )
    return [to_json(item) for item in items]


def parse_json(model: type[_M], data: bytes) -> _M:
    """Parse a piece of JSON with a model.

    Raises:
        BadRequest: If a field is missing, unknown or out of range.
    """
    try:
        return model.model_validate_json(data)
    except ValidationError as cause:
        raise BadRequest(complaint(_errors_of(cause))) from None


def parse_fields(model: type[_M], values: Mapping[str, object]) -> _M:
    """Parse the fields of a form with a model.

    Raises:
        BadRequest: If a field is missing, unknown or out of range.
    """
    try:
        # Not strict: all that a form can carry is text.
        return model.model_validate(dict(values), strict=False)
    except ValidationError as cause:
        raise BadRequest(complaint(_errors_of(cause))) from None


async def read_form(request: Request, *, max_bytes: int, max_files: int) -> Form:
    """Read a multipart form.

    Raises:
        UnsupportedMediaType: If it is no multipart form.
        BodyTooLarge: If it is larger than ``max_bytes``.
        BadRequest: If it is malformed, has too many parts, or a text field twice.
    """
    if media_type(request) != "multipart/form-data":
        raise UnsupportedMediaType("The body of this request is a form: multipart/form-data.")
    parser = _MemoryParser(
        request.headers,
        _bounded(request, max_bytes),
        max_files=max_files,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        parsed = await parser.parse()
    except (MultiPartException, FormParserError) as cause:
        raise BadRequest(
            f"The form could not be read. It takes at most {max_files} files and {MAX_FIELDS} fields."
        ) from cause
    fields: dict[str, str] = {}
    files: dict[str, list[bytes]] = {}
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            with value.file as file:
                files.setdefault(name, []).append(file.read())
        elif name in fields:
            raise BadRequest("A field of the form appears twice.")
        else:
            fields[name] = value
    return Form(fields, {name: tuple(contents) for name, contents in files.items()})


async def _bounded(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > max_bytes:
            raise BodyTooLarge(f"The body of this request has at most {max_bytes} bytes.")
        yield chunk


def complaint(errors: Iterable[tuple[str, tuple[int | str, ...], str]]) -> str:
    """Say which fields are wrong and why; never what was sent in them.

    Args:
        errors: Of each its type, place and message, as pydantic gives them.
    """
    complaints = [
        # An unknown field's name is the caller's own text, so it is not repeated either.
        f"{'a field' if kind == 'extra_forbidden' else '.'.join(map(str, place)) or 'the body'}: {text}"
        for kind, place, text in errors
    ]
    return "The request does not hold. " + "; ".join(complaints[:_MAX_COMPLAINTS]) + "."


def _errors_of(cause: ValidationError) -> list[tuple[str, tuple[int | str, ...], str]]:
    found = cause.errors(include_input=False, include_context=False, include_url=False)
    return [(error["type"], error["loc"], error["msg"]) for error in found]
