"""An app that has nothing but the pages, over use cases of which only faces and store are fakes."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio import CapacityLimiter
from consentry.dashboard.router import dashboard_router
from consentry.dashboard.visit import Place
from consentry.services import Services
from consentry.vault.passphrase import Passphrase
from fakes.dashboard_services import PASSPHRASE, build_services
from fakes.manual_clock import ManualClock
from fastapi import FastAPI

with warnings.catch_warnings():
    # Starlette deprecates its client on httpx; its successor needs a package that nothing else here needs.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient


MAX_BODY_BYTES = 8_000_000


@dataclass
class Browser:
    """A client with a session, that fills in the form token as a browser would."""

    client: TestClient
    services: Services
    clock: ManualClock

    def get(self, path, **more):
        return self.client.get(path, **more)

    def post(self, path, fields=None, **more):
        return self.client.post(path, data={"csrf_token": self.token, **(fields or {})}, **more)

    @property
    def token(self):
        page = self.client.get("/unlock", follow_redirects=True).text
        return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    def unlock(self):
        self.services.custody.unlock(Passphrase(PASSPHRASE))

    def create(self):
        self.services.custody.create(Passphrase(PASSPHRASE))

    def enrol(self, name="Ada"):
        self.services.enrol((b"photo",), name=name, policy=None)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def services(clock):
    return build_services(clock)


@pytest.fixture
def app(services):
    app = FastAPI()
    place = Place(
        data_folder=Path("/home/ada/<data>"), idle_lock_s=900.0, max_body_bytes=MAX_BODY_BYTES
    )
    app.include_router(dashboard_router(services, place=place, limiter=CapacityLimiter(2)))
    return app


@pytest.fixture
def stranger(app):
    """A browser without a session."""
    with TestClient(app, base_url="http://127.0.0.1:8484", follow_redirects=False) as client:
        yield client


@pytest.fixture
def browser(stranger, services, clock):
    """A browser with a session, before the first passphrase."""
    answer = stranger.post("/enter", data={"secret": services.sessions.new_entry()})
    assert answer.status_code == 204
    return Browser(stranger, services, clock)


@pytest.fixture
def home(browser):
    """The same, with an unlocked vault in which Ada is enrolled."""
    browser.create()
    browser.enrol()
    return browser
