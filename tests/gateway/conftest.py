"""A gateway with Ada enrolled behind it, and the real client of OpenAI in front."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from fakes.gateway_site import ADA, KEY, GatewaySite, gateway_site
from fakes.home import TestHome


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewaySite]:
    path: Path = tmp_path_factory.mktemp("gateway") / "home"
    home = TestHome(path).create()
    home.enrol(ADA)
    with gateway_site(home) as site:
        yield site
    home.close()


@pytest.fixture
def site(running: GatewaySite) -> GatewaySite:
    """The same for all tests of a module; what was noted and told before is forgotten."""
    running.generator.__init__()
    running.web.__init__()
    running.home.exposure.scores = {}
    running.home.faces.failure = None
    return running


@pytest.fixture
def client(site: GatewaySite) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=site.openai, api_key=KEY, max_retries=0) as client:
        yield client
