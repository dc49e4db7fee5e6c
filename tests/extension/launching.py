"""Where the browsers are, and one with the extension in it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes.internet import Internet
from playwright.sync_api import BrowserContext, Page, Playwright, Worker

WAIT_MS = 30_000
FLAGS = (
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
                *FLAGS,
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
