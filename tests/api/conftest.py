"""Fixtures of the API's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.home import TestHome
from fakes.site import Site, opened


@pytest.fixture
def home(tmp_path) -> Iterator[TestHome]:
    home = TestHome(tmp_path)
    yield home
    home.close()


@pytest.fixture
def site(home) -> Iterator[Site]:
    with opened(home) as site:
        yield site


@pytest.fixture
def lit(site) -> Site:
    """With a vault, unlocked."""
    site.home.create()
    return site
