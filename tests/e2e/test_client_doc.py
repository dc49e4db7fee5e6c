"""The examples of docs/client.md run, top to bottom, against a real server on a real port."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from consentry.accounts.keys import DEFAULT_QUOTA
from consentry.accounts.principals import PLATFORM_SCOPES
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.site import opened

DOC = Path(__file__).parents[2] / "docs" / "client.md"
BLUE = (0, 0, 200)
pytestmark = pytest.mark.e2e


class Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self):
        yield


@pytest.fixture(scope="module")
def names(tmp_path_factory) -> Iterator[dict[str, object]]:
    """What the examples take for granted."""
    home = TestHome(tmp_path_factory.mktemp("home")).create()
    with opened(home, max_body_bytes=2_000_000) as site:
        _, secret = site.services.keys.issue(
            "test", "studio.example", PLATFORM_SCOPES, quota=DEFAULT_QUOTA, expires_in_days=None
        )
        server = Quiet(
            uvicorn.Config(site.app, port=0, log_config=None, access_log=False, lifespan="off")
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield {
            "SERVER": f"http://127.0.0.1:{port}",
            "API_KEY": secret,
            "photo": picture(BLUE),
            "mask": picture(BLUE),
            "generate": lambda photo: photo,
            "deliver": lambda result: None,
            "jwks": json.dumps(site.services.signer.jwks()),
        }
        server.should_exit = True
        thread.join()
    home.close()


EXAMPLES = [
    (heading.strip(), code)
    for section in DOC.read_text(encoding="utf-8").split("\n## ")[1:]
    for heading, _, body in [section.partition("\n")]
    for code in re.findall(r"```python\n(.*?)```", body, re.DOTALL)
]


@pytest.mark.parametrize(("number", "heading"), [(n, h) for n, (h, _) in enumerate(EXAMPLES)])
def test_an_example_runs_as_it_stands(names, number, heading):
    # Each builds on those before it, as a reader would.
    exec(compile(EXAMPLES[number][1], f"docs/client.md, {heading}", "exec"), names)
