"""Reading somebody's log over HTTP: what is not there, what is not public, and what has no end."""

from __future__ import annotations

import httpx
import pytest
from consentry.connectors.log_site import open_log_site
from consentry.kernel.errors import NotFound, ProofInvalid, Unreachable
from consentry.transparency.tiles import Tile


def site(answer):
    return open_log_site(
        "https://log.example/log/", token="tok_1", transport=httpx.MockTransport(answer)
    )


def test_a_tile_is_read_from_its_path_with_the_token():
    seen = []

    def answer(request):
        seen.append((str(request.url), request.headers["authorization"]))
        return httpx.Response(200, content=b"tile")

    with site(answer) as found:
        assert found.read(Tile(None, 1_000, 7)) == b"tile"
    assert seen == [("https://log.example/log/tile/entries/x001/000.p/7", "Bearer tok_1")]


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, NotFound), (401, Unreachable), (302, Unreachable), (500, Unreachable)],
)
def test_what_is_not_an_answer_is_said(status, error):
    with site(lambda _: httpx.Response(status)) as found, pytest.raises(error):
        found.read(Tile(0, 0))


def test_an_answer_that_is_longer_than_any_tile_is_left():
    with (
        site(lambda _: httpx.Response(200, content=b"x" * (256 * 32 + 1))) as found,
        pytest.raises(Unreachable, match="without end"),
    ):
        found.read(Tile(0, 0))


def test_a_head_that_is_none_is_refused():
    with (
        site(lambda _: httpx.Response(200, content=b"<html>")) as found,
        pytest.raises(ProofInvalid),
    ):
        found.heads()


def test_a_site_that_cannot_be_reached_is_said():
    def answer(request):
        raise httpx.ConnectError("no", request=request)

    with site(answer) as found, pytest.raises(Unreachable, match="address"):
        found.heads()
