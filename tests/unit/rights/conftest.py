from __future__ import annotations

import pytest
from fakes.home import TestHome


@pytest.fixture
def home(tmp_path):
    opened = TestHome(tmp_path / "home").create()
    yield opened
    opened.close()
