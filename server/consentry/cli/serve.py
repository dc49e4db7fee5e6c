"""`serve`: the companion in the foreground, on loopback TCP and on a unix socket, in one event loop.

run/serve.lock   held with flock while serving: one companion for each data folder
run/companion.sock   0600, for the command line; its owner is trusted
127.0.0.1:PORT       for the dashboard and the extension; nobody is trusted before a session or a token
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.heap import share_heaps
from consentry.cli.invocation import Invocation
from consentry.cli.terminal import note, say
from consentry.kernel.errors import (
    BadRequest,
    Conflict,
    OperatorError,
    StorageFailed,
    StorageFull,
)

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from consentry.settings import Settings
    from consentry.wiring import Home

_LOG = logging.getLogger(__name__)
_GRACE_S = 15
_EXPIRE_EVERY_S = 5.0
_SWEEP_EVERY_S = 60.0
_RETAIN_EVERY_S = 86_400.0
_STARTED_POLL_S = 0.02


def serve(
    context: typer.Context,
    *,
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on: 127.0.0.1 or ::1, nothing else.", show_default=False
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port to listen on; 0 takes any free one.", show_default=False
        ),
    ] = None,
    link: Annotated[
        bool,
        typer.Option(
            "--link/--no-link",
            help="Print a link that signs a browser in, once. Leave it out where the output is kept in a log.",
        ),
    ] = True,
) -> None:
    """Run the companion until Ctrl-C. It has the dashboard, the API, and the socket that other commands use."""
    from consentry.settings import load_settings
    from consentry.wiring import open_home

    invocation = Invocation.of(context)
    invocation.is_companion = True
    settings = load_settings(
        **_without_missing(invocation.settings, host, port), model=invocation.model
    )
    _make_private(settings.socket_path.parent)
    _warn_of_missing_models(settings.models_dir)
    share_heaps()
    with only_companion(settings.socket_path.with_name("serve.lock")), open_home(settings) as home:
        asyncio.run(_serve(home, settings, shows_link=link))
    say("Stopped. The vault is locked, and nothing of it is left in memory.")


def open_dashboard(
    context: typer.Context,
    *,
    browser: Annotated[
        bool, typer.Option("--browser", help="Open the link in this machine's browser too.")
    ] = False,
) -> None:
    """Print a link to the dashboard. It works once; the companion must be running."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        calls.require_server(line, "The dashboard is part of it.")
        url = calls.new_entry(line).url
    if url is None:
        raise Conflict("The running companion has no dashboard. Restart it with: consentry serve")
    say(url)
    if browser:
        import webbrowser

        if not webbrowser.open(url):
            note("No browser could be opened here; open the link yourself. It works once.")


@contextmanager
def only_companion(path: Path) -> Iterator[None]:
    """Hold the data folder for one companion.

    Raises:
        StorageFailed: If another one holds it, or the file cannot be made.
    """
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as cause:
        raise StorageFailed(
            f"The data folder cannot be written ({cause.strerror}). Mend its permissions, or choose another one "
            "with CONSENTRY_HOME."
        ) from cause
    try:
        try:
            _hold(lock)
        except OSError as cause:
            raise StorageFailed(
                "A companion is running on this data folder already. Use it (`consentry open`), stop it first, or "
                "choose another folder with CONSENTRY_HOME."
            ) from cause
        yield
    finally:
        os.close(lock)


if sys.platform == "win32":
    import msvcrt

    def _hold(lock: int) -> None:
        msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _hold(lock: int) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def listen_on(host: str, port: int) -> socket.socket:
    """Bind a TCP socket.

    Raises:
        Conflict: If the port is taken.
        BadRequest: If the port is not for everybody, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio leaves Nagle's delay on: 40 ms for each answer in two pieces.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            # Windows would let a second process take the port over.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(socket.SOMAXCONN)
    except OSError as cause:
        listener.close()
        if cause.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Port {port} is taken by another program. Stop that one, or choose another port: "
                "--port 0 finds a free one."
            ) from cause
        raise BadRequest(
            f"Cannot listen on {host} port {port} ({cause.strerror}). Choose another port: "
            "--port 0 finds a free one."
        ) from cause
    return listener


def listen_on_socket(path: Path) -> socket.socket | None:
    """Bind the unix socket of the command line, for its owner only; None where there is no way.

    A socket that nobody answers was left by a companion that was killed, and is replaced.

    Raises:
        Conflict: If somebody answers there.
        StorageFailed: If it cannot be made.
    """
    from consentry.cli.companion import answers, socket_address

    address = socket_address(path)
    if sys.platform == "win32" or address is None:
        return None
    if answers(address):
        raise Conflict(
            "Another program answers on this data folder's socket. Stop it first, or choose another folder with "
            "CONSENTRY_HOME."
        )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The file has its final mode from the moment it exists. No other thread runs yet.
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError as cause:
        listener.close()
        raise StorageFailed(
            f"The socket of the command line cannot be made ({cause.strerror}). Mend the permissions of the data "
            "folder, or choose another one with CONSENTRY_HOME."
        ) from cause
    finally:
        os.umask(before)
    return listener


def _without_missing(
    settings: Settings, host: str | None, port: int | None
) -> dict[str, str | int]:
    return {
        "host": settings.host if host is None else host,
        "port": settings.port if port is None else port,
    }


def _warn_of_missing_models(folder: Path) -> None:
    from consentry.inference.registry import MODEL_FILES

    if not all((folder / model.file_name).exists() for model in MODEL_FILES.values()):
        note(
            "Models are missing, so checks will refuse what they cannot look at. Make them with: consentry models build"
        )


def _make_private(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as cause:
        raise StorageFailed(
            f"The data folder cannot be made ({cause.strerror}). Mend its permissions, or choose another one with "
            "CONSENTRY_HOME."
        ) from cause


async def _serve(home: Home, settings: Settings, *, shows_link: bool) -> None:
    from consentry.wiring import socket_app, tcp_app

    # What the libraries say may quote a request; our own rooms log what went wrong without it.
    log_level = "info" if settings.log_level == "debug" else "critical"
    with contextlib.ExitStack() as listeners:
        tcp = listeners.enter_context(listen_on(settings.host, settings.port))
        port = int(tcp.getsockname()[1])
        local = listen_on_socket(settings.socket_path)
        servers = [(server_of(tcp_app(home, port), log_level=log_level), tcp)]
        if local is not None:
            listeners.enter_context(local)
            listeners.callback(settings.socket_path.unlink, missing_ok=True)
            servers.append((server_of(socket_app(home, port), log_level=log_level), local))
        only_servers = [server for server, _ in servers]
        async with stopping_on_signals(only_servers):
            # A server or the idle lock that ends by itself ends the others: no half of it runs on.
            tasks = [asyncio.create_task(server.serve(sockets=[each])) for server, each in servers]
            idle_lock = asyncio.create_task(_expire_idle_vault(home))
            sweeping = asyncio.create_task(_sweep_consents(home))
            publishing = asyncio.create_task(_publish_log(home))
            retaining = asyncio.create_task(_enforce_retention(home))
            try:
                await _until_started(only_servers, tasks)
                warming = asyncio.create_task(asyncio.to_thread(home.warm_up))
                _announce(home, settings, port, has_socket=local is not None, shows_link=shows_link)
                await warming
                await asyncio.wait(
                    [*tasks, idle_lock, sweeping, publishing, retaining],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                for server in only_servers:
                    server.should_exit = True
                idle_lock.cancel()
                sweeping.cancel()
                publishing.cancel()
                retaining.cancel()
                ended = await asyncio.gather(
                    *tasks, idle_lock, sweeping, publishing, retaining, return_exceptions=True
                )
        for end in ended:
            if isinstance(end, Exception):
                raise end


def server_of(app: ASGIApp, *, log_level: str, grace_s: int = _GRACE_S) -> uvicorn.Server:
    """Return a server that leaves signals, logs and header fields of its own alone."""
    import uvicorn

    class _Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave signals alone: two servers in one loop would fight over them."""
            yield

    return _Server(
        uvicorn.Config(
            app,
            # Whatever else is installed: its header fields are bounded, others' are not.
            http="h11",
            loop="asyncio",
            log_config=None,
            log_level=log_level,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=grace_s,
            limit_concurrency=None,
        )
    )


@contextlib.asynccontextmanager
async def stopping_on_signals(servers: list[uvicorn.Server]) -> AsyncIterator[None]:
    """On the first Ctrl-C or SIGTERM let requests finish; on the second, leave at once."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    previous = {
        each: signal.signal(each, lambda _signal, _frame: loop.call_soon_threadsafe(stop))
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


async def _until_started(servers: list[uvicorn.Server], running: list[asyncio.Task[None]]) -> None:
    while not all(server.started for server in servers):
        if any(task.done() for task in running):
            raise StorageFailed(
                "The companion could not start. Run it again with CONSENTRY_LOG_LEVEL=debug to see why."
            )
        await asyncio.sleep(_STARTED_POLL_S)


async def _expire_idle_vault(home: Home) -> None:
    """Keep the promise of the idle lock when nobody asks anything."""
    while True:
        await asyncio.sleep(_EXPIRE_EVERY_S)
        await asyncio.to_thread(home.services.custody.expire)


async def _sweep_consents(home: Home) -> None:
    """Destroy what has lapsed, pictures of unanswered questions above all."""
    while True:
        await asyncio.sleep(_SWEEP_EVERY_S)
        try:
            await asyncio.to_thread(home.services.consent_requests.sweep)
            await asyncio.to_thread(home.services.my_checks.sweep)
        except (StorageFailed, StorageFull) as cause:
            # It is of no use to anybody any more; a full disk must not end the companion.
            _LOG.warning("what has lapsed could not be destroyed, trying again: %s", cause)


async def _enforce_retention(home: Home) -> None:
    """Delete what has been kept long enough: at the start, and then each day."""
    while True:
        try:
            await asyncio.to_thread(home.services.retention, is_dry=False)
        except OperatorError as cause:
            # Kept a day longer; what is served must go on.
            _LOG.error("what is due could not be deleted, trying again tomorrow: %s", cause)
        await asyncio.sleep(_RETAIN_EVERY_S)


async def _publish_log(home: Home) -> None:
    """Take in what waits, sign the head of the log, and have it cosigned, a batch at a time."""
    while True:
        await asyncio.sleep(home.settings.log_batch_s)
        try:
            await asyncio.to_thread(home.services.publish_log.batch)
        except OperatorError as cause:
            # Without a signed head nobody can be deceived, and revoking must go on.
            _LOG.error("the log was not published, trying again: %s", cause)


def _announce(
    home: Home, settings: Settings, port: int, *, has_socket: bool, shows_link: bool
) -> None:
    from consentry.cli.links import dashboard_link

    shown_host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{shown_host}:{port}"
    say("Consentry is running, on this machine only.")
    say(f"  API and dashboard   {address}")
    if has_socket:
        say(f"  command line        {settings.socket_path}")
    else:
        note(
            "The data folder's path is too long for a socket (or this system has none), so other commands work by "
            "themselves and ask for the passphrase each time. A shorter CONSENTRY_HOME mends it."
        )
    say()
    if shows_link:
        say("Open the dashboard with this link. It works once; `consentry open` prints another.")
        say(f"  {dashboard_link(address, home.services.sessions)}")
    elif has_socket:
        say("`consentry open` prints a link to the dashboard.")
    else:
        say("Start it without --no-link when you need a link to the dashboard.")
    say()
    say(
        "Next: enrol your face there, or with `consentry enrol PHOTO`; then `consentry check IMAGE`."
    )
    say("Stop with Ctrl-C.")
    # For scripts: the last line before requests are answered.
    say(f"consentry-ready {address} pid={os.getpid()}")
    sys.stdout.flush()
