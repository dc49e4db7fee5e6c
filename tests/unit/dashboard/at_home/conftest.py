"""The pages over a real home: vault, store and laws are as they are, only faces are coloured squares."""

from __future__ import annotations

import pytest
from fakes.home import TestHome

RED = (200, 20, 20)


@pytest.fixture
def real(tmp_path):
    home = TestHome(tmp_path / "home")
    yield home
    home.close()


@pytest.fixture
def clock(real):
    return real.clock


@pytest.fixture
def services(real):
    return real.services()


@pytest.fixture
def ada(browser, real):
    """A browser, and one person who lives alone."""
    browser.create()
    browser.subject = real.enrol(RED).subject
    browser.real = real
    return browser
