"""The bytes of every picture that a request names, wherever they are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from consentry.gateway.answers import whole_of
from consentry.gateway.data_urls import decoded
from consentry.gateway.dialect import Dialect
from consentry.gateway.exchange import Head, without
from consentry.gateway.off_loop import LARGE_BYTES, off_loop
from consentry.gateway.ports import PictureSource, Upstream
from consentry.gateway.request import DataUrl, Picture, Sent, StoredFile, WebAddress
from consentry.kernel.errors import BadRequest, ConsentryError, ImageNotFetched, ImageTooLarge

_AT_ONCE = 4
_PLAIN = re.compile(r"[A-Za-z0-9_\-]+(?:/[A-Za-z0-9_\-]+)*", re.ASCII)
# Of a body that a look-up does not have.
_OF_A_BODY = frozenset(
    {b"content-type", b"content-length", b"content-encoding", b"transfer-encoding", b"expect"}
)


@dataclass(slots=True, kw_only=True)
class Gathering:
    """Gathers for one request; is the `Lookup` of its endpoint, too.

    Attributes:
        head: Of the request: look-ups are made with its credentials.
        max_bytes: Of one picture.
        max_pictures: Of all together.
        max_answer_bytes: Of one look-up.
    """

    dialect: Dialect
    upstream: Upstream
    source: PictureSource
    head: Head
    max_bytes: int
    max_pictures: int
    max_answer_bytes: int
    gathered: int = field(default=0)

    async def gather(self, pictures: Sequence[Picture]) -> tuple[bytes, ...]:
        """Return the bytes of each, in order.

        Raises:
            ImageError: If one cannot be had: what nobody has seen does not pass.
            BadRequest: If there are too many.
        """
        self.gathered += len(pictures)
        if self.gathered > self.max_pictures:
            raise BadRequest(f"A request has at most {self.max_pictures} pictures.")
        turn = asyncio.Semaphore(_AT_ONCE)

        async def bytes_of(picture: Picture) -> bytes:
            if isinstance(picture, Sent):
                return self._admitted(picture.data)
            async with turn:
                return self._admitted(await self._bytes_of(picture))

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(bytes_of(each)) for each in pictures]
        except* ConsentryError as failed:
            # One reason is enough, and callers know single errors.
            raise failed.exceptions[0] from None
        return tuple(task.result() for task in tasks)

    async def get(self, path: str, query: bytes = b"") -> bytes:
        """Return the body of a ``GET`` below the prefix (`Lookup`)."""
        if not _PLAIN.fullmatch(path):
            raise BadRequest("The request refers to something by a name that is none.")
        return await self._asked("GET", path, query, b"")

    async def call(self, path: str, message: bytes) -> bytes:
        """Return what a method of gRPC answers (`Lookup`)."""
        return await self._asked("POST", path, b"", message)

    async def _asked(self, method: str, path: str, query: bytes, body: bytes) -> bytes:
        headers = without(self.head.headers, _OF_A_BODY)
        head = replace(self.head, method=method, path=path, query=query, headers=headers)
        async with self.upstream.send(head, body) as answer:
            found = await whole_of(answer, self.max_answer_bytes)
            if not answer.is_ok:
                raise BadRequest("The request refers to something that cannot be looked up.")
            return found.plain

    async def _bytes_of(self, picture: DataUrl | WebAddress | StoredFile) -> bytes:
        match picture:
            case DataUrl(url):
                return await off_loop(len(url), lambda: decoded(url), large=LARGE_BYTES)
            case WebAddress(url):
                return await self.source.fetch(url)
            case StoredFile(file_id):
                return await self._file(file_id)

    async def _file(self, file_id: str) -> bytes:
        try:
            return await self.dialect.file(file_id, self)
        except BadRequest as cause:
            raise ImageNotFetched(
                "A picture that the request refers to cannot be looked at. Send the picture itself."
            ) from cause

    def _admitted(self, data: bytes) -> bytes:
        if len(data) > self.max_bytes:
            raise ImageTooLarge(f"A picture has at most {self.max_bytes} bytes.")
        return data
