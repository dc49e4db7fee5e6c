"""The real companion in its own process, and a real browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

# One check takes a second on a quiet machine; a busy one shall not fail the test.
expect.set_options(timeout=30_000)

COMMAND = Path(sys.executable).with_name("consentry")
START_TIMEOUT_S = 60
_READY = "consentry-ready "
_CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Companion:
    """A running `consentry serve` on a data folder of its own."""

    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        [line] = [each for each in self.lines if each.startswith(_READY)]
        return line.split()[1]

    @property
    def is_ready(self) -> bool:
        """Whether it has said that it answers requests."""
        return any(each.startswith(_READY) for each in self.lines)

    @property
    def link(self) -> str:
        """The one-time link that was printed at the start."""
        return re.search(r"http://\S+/enter#\S+", "".join(self.lines))[0]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another command on the same data folder."""
        return subprocess.run(
            [COMMAND, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )

    def read(self) -> None:
        """Collect what it prints until it ends; for a thread of its own."""
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith(_READY):
                self.ready.set()
        self.ready.set()


@pytest.fixture
def companion(models_dir: Path) -> Iterator[Companion]:
    """A companion that nobody has used yet."""
    # Not tmp_path: the path of a unix socket has about a hundred characters at most.
    with tempfile.TemporaryDirectory(prefix="consentry-") as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if "CONSENTRY_" not in name},
            "CONSENTRY_HOME": folder,
            "CONSENTRY_MODELS_DIR": str(models_dir),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
        }
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        companion = Companion(Path(folder), environment, process)
        reader = threading.Thread(target=companion.read)
        reader.start()
        try:
            companion.ready.wait(START_TIMEOUT_S)
            assert companion.is_ready, "the companion did not start:\n" + "".join(companion.lines)
            yield companion
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join()
            process.stdout.close()


@pytest.fixture(scope="session")
def camera_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's camera shows: somebody sitting in front of it, as concatenated JPEG frames."""
    from PIL import Image
    from skimage import data

    scene = Image.new("RGB", (640, 480), (120, 130, 140))
    scene.paste(
        Image.fromarray(data.astronaut()).crop((60, 0, 400, 340)).resize((480, 480)), (80, 0)
    )
    film = tmp_path_factory.mktemp("camera") / "astronaut.mjpeg"
    frame = film.with_suffix(".jpg")
    scene.save(frame, quality=92)
    film.write_bytes(frame.read_bytes() * 2)
    return film


@pytest.fixture(scope="module")
def chromium(camera_film: Path) -> Iterator[Browser]:
    """Debian's Chromium. Missing on a person's machine it is skipped, in CI it fails.

    It ends with its module: its event loop occupies the thread, and later tests start loops of their own.
    """
    path = shutil.which("chromium")
    if path is None:
        words = "no Chromium on this machine: run .ci/chromium as root"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                *_CHROMIUM_FLAGS,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={camera_film}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, companion: Companion) -> Iterator[Page]:
    """A page of a browser profile of its own; what goes wrong in it fails the test.

    Asks for the companion so that it is closed first: else it might still load from a server that has stopped.
    """
    context = chromium.new_context(viewport={"width": 1200, "height": 850})
    page = context.new_page()
    page.set_default_timeout(30_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if _is_wrong(line.text) else None)
    page.on("requestfailed", lambda request: wrong.append(f"{request.url} {request.failure}"))
    hosts: set[str | None] = set()
    page.on("request", lambda request: hosts.add(_host(request.url)))
    yield page
    context.close()
    assert [each for each in wrong if "ERR_ABORTED" not in each] == []
    assert hosts - {None, "127.0.0.1"} == set(), "something left this machine"


def _host(url: str) -> str | None:
    return urlsplit(url.removeprefix("blob:")).hostname


def _is_wrong(text: str) -> bool:
    return "Content Security Policy" in text or "Refused to" in text
