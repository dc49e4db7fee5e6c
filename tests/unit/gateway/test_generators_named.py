"""Which generators the gateway stands in front of follows from the settings alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from consentry.api.runtime import Shared
from consentry.kernel.errors import BadRequest
from consentry.settings import load_settings
from consentry.wiring import Home
from consentry.wiring_gateway import gateway_app
from fakes.home import TestHome

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


@pytest.fixture
def prefixes(tmp_path):
    home = TestHome(tmp_path / "home")

    def of(**settings):
        read = load_settings(home=tmp_path / "home", **settings)
        app = gateway_app(Home(read, home.services(), home.database, Shared.make(worker_threads=2)))
        asyncio.run(app.stop())
        return set(app.gates)

    yield of
    home.close()


def test_each_generator_that_is_named_has_its_prefix(prefixes):
    assert prefixes(gateway_xai="https://api.x.ai/v1") == {"/xai/v1"}
    assert prefixes(gateway_apis=EXAMPLES / "comfyui.toml") == {"/comfyui"}
    assert prefixes(
        gateway_openai="https://api.openai.com/v1",
        gateway_xai="https://api.x.ai/v1",
        gateway_apis=EXAMPLES,
    ) == {"/openai/v1", "/xai/v1", "/automatic1111", "/comfyui"}


def test_without_a_generator_it_does_not_start(prefixes, tmp_path):
    with pytest.raises(BadRequest, match="none is named"):
        prefixes()
    with pytest.raises(BadRequest, match="none is named"):
        prefixes(gateway_apis=tmp_path)


def test_a_description_that_is_not_there_or_is_there_twice_is_told(prefixes, tmp_path):
    with pytest.raises(BadRequest, match="cannot be read"):
        prefixes(gateway_apis=tmp_path / "none.toml")

    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text((EXAMPLES / "comfyui.toml").read_text())
    with pytest.raises(BadRequest, match="same `name`"):
        prefixes(gateway_apis=tmp_path)
