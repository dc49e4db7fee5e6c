"""The line to the API: a running companion's socket, or the same application inside this process.

    socket answers?  yes: httpx --unix socket--> the companion that `consentry serve` started
                     no:  httpx --ASGI--> the same FastAPI application, wired here for one command

Either way a command sends the same requests, so there is one code path and one set of rules.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from consentry.cli.problems import Problem
from consentry.kernel.errors import BadRequest, NotReady, OperatorError
from consentry.settings import Settings

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from starlette.types import ASGIApp

_BASE_URL = "http://localhost"
_CONNECT_S = 2.0
# sockaddr_un.sun_path, less its final zero: Linux 108, macOS and BSD 104.
_MAX_SOCKET_PATH = 107 if sys.platform == "linux" else 103

_M = TypeVar("_M", bound=BaseModel)

Upload = tuple[str, tuple[str, bytes, str]]
"""One part of a multipart body: field, (file name, bytes, media type)."""


class Companion:
    """An open line to the API. Belongs to one thread."""

    def __init__(self, client: httpx.Client, *, is_server: bool) -> None:
        self._client = client
        self.is_server = is_server

    def get(self, path: str, answer: type[_M]) -> _M:
        """Ask and read the answer.

        Raises:
            Problem: If the API refuses.
        """
        return _read(self._send("GET", path), answer)

    def post(self, path: str, answer: type[_M], *, body: BaseModel | None = None) -> _M:
        """Send JSON and read the answer.

        Raises:
            Problem: If the API refuses.
        """
        return _read(self._send("POST", path, body=body), answer)

    def put(self, path: str, answer: type[_M], *, body: BaseModel) -> _M:
        """Send JSON in place of what is there, and read the answer.

        Raises:
            Problem: If the API refuses.
        """
        return _read(self._send("PUT", path, body=body), answer)

    def upload(
        self,
        path: str,
        answer: type[_M],
        *,
        files: Sequence[Upload],
        fields: Mapping[str, str | list[str]],
    ) -> _M:
        """Send a multipart form and read the answer.

        Raises:
            Problem: If the API refuses.
        """
        response = self._checked(
            lambda: self._client.post(path, files=list(files), data=dict(fields))
        )
        return _read(response, answer)

    def fetch(self, path: str, *, body: BaseModel | None = None) -> bytes:
        """Send JSON and return the bytes of the answer.

        Raises:
            Problem: If the API refuses.
        """
        return self._send("POST", path, body=body).content

    def call(self, method: str, path: str, *, body: BaseModel | None = None) -> None:
        """Send a request whose answer says nothing more.

        Raises:
            Problem: If the API refuses.
        """
        self._send(method, path, body=body)

    def _send(self, method: str, path: str, *, body: BaseModel | None = None) -> httpx.Response:
        if body is None:
            return self._checked(lambda: self._client.request(method, path))
        content = _json_of(body)
        headers = {"content-type": "application/json"}
        return self._checked(
            lambda: self._client.request(method, path, content=content, headers=headers)
        )

    def _checked(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            response = send()
        except UnicodeEncodeError as cause:
            raise _not_text() from cause
        except httpx.TransportError as cause:
            raise NotReady(
                "The running companion stopped answering in mid-request. Run the command again; if it persists, "
                "restart `consentry serve`."
            ) from cause
        if response.is_success:
            return response
        raise _problem_of(response)


Connect = Callable[[Settings], AbstractContextManager[Companion]]
"""How a command reaches the API; tests put a fake application here."""


@contextmanager
def connect(settings: Settings) -> Iterator[Companion]:
    """Open a line to the running companion, or else to the same application in this process.

    Raises:
        OperatorError: If no companion runs and the application cannot be set up here.
    """
    address = socket_address(settings.socket_path)
    if address is not None and answers(address):
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=address), base_url=_BASE_URL, timeout=_timeout()
        ) as client:
            yield Companion(client, is_server=True)
        return
    from consentry.wiring import open_home

    with open_home(settings) as home, in_process(home.app) as companion:
        yield companion


@contextmanager
def in_process(app: ASGIApp) -> Iterator[Companion]:
    """Open a line to an application in this process: its event loop runs in a thread of its own."""
    from anyio.from_thread import start_blocking_portal

    with (
        start_blocking_portal() as portal,
        httpx.Client(
            transport=_InProcess(app, portal), base_url=_BASE_URL, timeout=_timeout()
        ) as client,
    ):
        yield Companion(client, is_server=False)


def answers(address: str) -> bool:
    """Whether somebody listens on a unix socket."""
    if sys.platform == "win32":
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_S)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def socket_address(path: Path) -> str | None:
    """Return what to bind or connect to for a socket at ``path``; None where there is no way."""
    if sys.platform == "win32" or len(str(path).encode()) > _MAX_SOCKET_PATH:
        return None
    return str(path)


class _InProcess(httpx.BaseTransport):
    """Carries the requests of a synchronous client into an ASGI application."""

    def __init__(self, app: ASGIApp, portal: BlockingPortal) -> None:
        self._portal = portal
        self._asgi = httpx.ASGITransport(app=app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._answer, request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._asgi.handle_async_request(request)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)


def _timeout() -> httpx.Timeout:
    # A check of sixteen large pictures on a small machine takes its time; there is nobody else to ask.
    return httpx.Timeout(None, connect=_CONNECT_S)


def _json_of(body: BaseModel) -> str:
    try:
        return body.model_dump_json(exclude_none=True)
    except PydanticSerializationError as cause:
        raise _not_text() from cause


def _not_text() -> BadRequest:
    # An argument that the locale cannot read comes with lone surrogates in place of its bytes.
    return BadRequest(
        "Something that was typed is not text in the encoding of this terminal. Set its language to one with "
        "UTF-8 (LANG=C.UTF-8)."
    )


def _read(response: httpx.Response, answer: type[_M]) -> _M:
    try:
        return answer.model_validate_json(response.content)
    except ValidationError as cause:
        raise OperatorError(
            "The running companion answered in a form that this command does not know: they are of different "
            "versions. Restart `consentry serve`."
        ) from cause


class _ProblemDocument(BaseModel):
    """RFC 9457, as far as it is shown."""

    code: str = "internal-error"
    title: str = ""
    detail: str = ""
    instance: str = ""


def _problem_of(response: httpx.Response) -> Problem:
    try:
        document = _ProblemDocument.model_validate_json(response.content)
    except ValidationError:
        # Not one of our answers: something else listens there, or the application fell over.
        document = _ProblemDocument(
            title=f"The companion answered with status {response.status_code}."
        )
    return Problem(
        code=document.code,
        status=response.status_code,
        message=document.detail or document.title,
        instance=document.instance,
    )
