"""What the API adds to a check: a real server over loopback, beside the same check called directly.

    python benchmarks/bench_api.py [--rounds 60]

Server and direct call have a home each, with nobody enrolled, and take turns with the same small
photo. Both sides wait the same way for a busy machine, so the difference of the medians is the API's
part: HTTP, the credential, the pool of threads, JSON. The form is written once, beforehand: how fast a
client library does that is not the API's doing.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import uvicorn
from bench_detect import resized, sample
from consentry.accounts.principals import EXTENSION_SCOPES
from consentry.kernel.taxonomy import Mode
from consentry.settings import load_settings
from consentry.vault.passphrase import Passphrase
from consentry.wiring import open_home, tcp_app
from stage import PROMPT, filled_home, jpeg, request

TARGET_MS = 5.0
_SIDE_PX = 256
_WARM_UP = 5


def serve(folder: str, line: Connection) -> None:
    """Run a companion with nobody enrolled until the other side closes the line."""
    with open_home(load_settings(home=Path(folder), port=0)) as home:
        home.services.custody.create(Passphrase("a passphrase of this benchmark"))
        _, secret = home.services.tokens.issue("benchmark", EXTENSION_SCOPES, expires_in_days=1)
        home.warm_up()
        config = uvicorn.Config(tcp_app(home, 0), port=0, log_level="error", access_log=False)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(running.serve()), daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.01)
        line.send((running.servers[0].sockets[0].getsockname()[1], secret))
        try:
            line.recv()
        except EOFError:
            running.should_exit = True
            thread.join(10)


@contextmanager
def server() -> Iterator[tuple[httpx.Client, int]]:
    """Run a companion in a process of its own; yields a client and the process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as home:
        child = context.Process(target=serve, args=(home, there), daemon=True)
        child.start()
        there.close()
        port, secret = here.recv()
        headers = {"authorization": f"Bearer {secret}"}
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(
            base_url=address, headers=headers, timeout=300, trust_env=False
        ) as client:
            yield client, child.pid or 0
        here.close()
        child.join(30)


def asked(client: httpx.Client, file: bytes, mode: Mode = Mode.ACT) -> httpx.Response:
    """Ask the server about one file."""
    return client.send(asking(client, file, mode))


def asking(client: httpx.Client, file: bytes, mode: Mode) -> httpx.Request:
    """Return the question about one file, unsent."""
    return client.build_request(
        "POST",
        "/v1/checks",
        files={"images": ("x.jpg", file, "image/jpeg")},
        data={"prompt": PROMPT, "mode": mode.value},
    )


class Line:
    """A connection over which one form is sent again and again."""

    def __init__(self, client: httpx.Client, file: bytes, mode: Mode) -> None:
        written = asking(client, file, mode)
        self._body = written.read()
        self._headers = dict(written.headers)
        self._connection = http.client.HTTPConnection(written.url.host, written.url.port)

    def ask(self) -> None:
        """Send it, and read the answer."""
        self._connection.request("POST", "/v1/checks", self._body, self._headers)
        answer = self._connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(answer.read().decode())
        answer.read()


def _ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - began)


def main() -> None:
    """Print the medians and what lies between them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    rounds: int = parser.parse_args().rounds
    file = jpeg(resized(sample("astronaut"), _SIDE_PX, _SIDE_PX))
    with filled_home(0) as home, server() as (client, _):
        for mode in (Mode.INFORM, Mode.ACT):
            line = Line(client, file, mode)
            over: list[float] = []
            direct: list[float] = []
            for turn in range(rounds + _WARM_UP):
                api = _ms(line.ask)
                engine = _ms(lambda mode=mode: home.services.check(request(file, mode)))
                if turn >= _WARM_UP:
                    over.append(api)
                    direct.append(engine)
            print_row(mode, over, direct)


def print_row(mode: Mode, over: list[float], direct: list[float]) -> None:
    """Print what was measured, and the fastest tenth: where others use the machine, it says more."""
    fast = [statistics.quantiles(each, n=10)[0] for each in (over, direct)]
    medians = [statistics.median(each) for each in (over, direct)]
    print(
        f"{mode.value:6} {_SIDE_PX} px, {len(over)} rounds: over the API {medians[0]:.1f} ms, called "
        f"directly {medians[1]:.1f} ms; the API adds {medians[0] - medians[1]:.1f} ms at the median "
        f"(target under {TARGET_MS:.0f}), {fast[0] - fast[1]:.1f} ms at the fastest tenth",
        flush=True,
    )


if __name__ == "__main__":
    main()
