"""Reading forms without leaving a trace: an uploaded photo never touches the disk."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from consentry.kernel.errors import BadRequest, BodyTooLarge, UnsupportedMediaType

MAX_FILES = 16
MAX_FIELDS = 64
# A prompt of 32,000 characters takes up to 128,000 bytes, and up to three times that when URL-encoded.
MAX_FIELD_BYTES = 512 * 1024


class MemoryFormParser(MultiPartParser):
    """Starlette's parser, which spools files above 1 MB to the disk, told never to do so.

    The body is bounded before it gets here, so the memory that this takes is bounded too.
    """

    spool_max_size = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was sent with a form. Lives as long as the request."""

    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    uploads: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict, repr=False)

    def text(self, name: str) -> str:
        """Return a field's text exactly as it was sent; empty when it was not."""
        return self.fields.get(name, "")

    def files(self, name: str) -> tuple[bytes, ...]:
        """Return the files of a field, in order; a file input that was left empty gives none."""
        return self.uploads.get(name, ())


async def read_form(request: Request, *, max_bytes: int) -> Form:
    """Read a form of either HTML encoding into memory.

    Args:
        request: Its body has not been read yet.
        max_bytes: Largest body.

    Raises:
        BadRequest: If the form is malformed, has a field twice, or more files or fields than any form here.
        BodyTooLarge: If the body is larger than ``max_bytes``.
        UnsupportedMediaType: If it is not a form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    stream = _bounded(request, max_bytes)
    parser: MultiPartParser | FormParser
    if kind == "multipart/form-data":
        parser = MemoryFormParser(
            request.headers,
            stream,
            max_files=MAX_FILES,
            max_fields=MAX_FIELDS,
            max_part_size=MAX_FIELD_BYTES,
        )
    elif kind == "application/x-www-form-urlencoded":
        parser = FormParser(
            request.headers, stream, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
        )
    else:
        raise UnsupportedMediaType("Only forms are read here.")
    try:
        return _form_of(await parser.parse())
    except (MultiPartException, FormParserError) as cause:
        raise BadRequest(
            f"The form could not be read. It takes at most {MAX_FILES} files at a time; "
            "go back, choose again, and send it once more."
        ) from cause


async def _bounded(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > max_bytes:
            raise BodyTooLarge(
                f"All files of one form together have at most {max_bytes // 1_000_000} MB. "
                "Choose fewer or smaller ones."
            )
        yield chunk


def _form_of(data: FormData) -> Form:
    fields: dict[str, str] = {}
    uploads: dict[str, tuple[bytes, ...]] = {}
    for name, value in data.multi_items():
        if isinstance(value, UploadFile):
            with value.file as file:
                content = file.read()
            if content or value.filename:
                uploads[name] = (*uploads.get(name, ()), content)
        elif name in fields:
            raise BadRequest("A field of the form appears twice. Open the page again.")
        else:
            fields[name] = value
    return Form(fields=fields, uploads=uploads)
