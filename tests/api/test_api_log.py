"""The log over HTTP: verified by whoever may read it, from nothing but its answers."""

from __future__ import annotations

import pytest
from consentry.accounts.principals import Scope
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.entries import decode_entry
from consentry.transparency.logged import verify_logged
from consentry.transparency.notes import VerifierKey
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.proofs import LogProof
from consentry.transparency.receipts import verify_receipt
from consentry.transparency.tiles import (
    TileNodes,
    bundles_of,
    decode_bundle,
    tiles_of,
)
from consentry.transparency.tree import leaf_hash, root
from fakes.coloured_faces import picture
from fakes.site import is_problem, opened


@pytest.fixture
def site(home):
    with opened(home) as site:
        yield site


@pytest.fixture
def public(home):
    with opened(home, log_public=True) as site:
        yield site


def check(home, count=3):
    return [home.check(picture("red"), region="GB", platform="chirp.example") for _ in range(count)]


def whole_log(client):
    """Read the log as a monitor does, and return its entries."""
    signed = SignedCheckpoint.parse(client.get("/log/checkpoint").content)
    signed.require_signed_by(VerifierKey.parse(client.get("/log/key").text.strip()))
    size = signed.checkpoint.size
    tiles = {t: client.get(f"/log/tile/{t.path()}").content for t in tiles_of(size)}
    assert root(TileNodes(size, tiles.__getitem__), size) == signed.checkpoint.root
    entries = []
    for bundle in bundles_of(size):
        entries += decode_bundle(client.get(f"/log/tile/{bundle.path()}").content, bundle.width)
    assert b"".join(map(leaf_hash, entries)) == b"".join(
        data for tile, data in tiles.items() if tile.level == 0
    )
    return entries


def test_anybody_verifies_a_public_log(home, public):
    check(home, 5)
    home.publish_log.batch()

    entries = whole_log(public.nobody())
    kinds = [type(decode_entry(each)).__name__ for each in entries]
    assert kinds == ["VersionsEntry", *["VerdictEntry"] * 5]
    assert not [word for word in (b"chirp.example", b'"GB"', b"sub_") if word in b"".join(entries)]


def test_a_companions_log_is_read_with_a_token_alone(home, site):
    check(home)
    home.publish_log()

    for path in ("/log/checkpoint", "/log/key", "/log/tile/0/000.p/4"):
        assert is_problem(site.nobody().get(path), 401, "unauthenticated")
        assert is_problem(site.bearer(Scope.CHECKS_WRITE).get(path), 403, "forbidden")
    assert len(whole_log(site.bearer(Scope.RECEIPTS_READ))) == 4
    assert len(whole_log(site.owner())) == 4


def test_what_is_public_may_be_kept_and_what_is_not_may_not(home, public, site):
    check(home)
    home.publish_log()
    tile = public.nobody().get("/log/tile/0/000.p/4")
    head = public.nobody().get("/log/checkpoint")
    private = site.bearer(Scope.RECEIPTS_READ).get("/log/tile/0/000.p/4")

    assert tile.headers.get_list("cache-control") == ["public, max-age=31536000, immutable"]
    assert tile.headers["content-type"] == "application/octet-stream"
    assert head.headers.get_list("cache-control") == ["public, max-age=5"]
    assert head.headers["content-type"] == "text/plain; charset=utf-8"
    assert private.headers.get_list("cache-control") == ["no-store"]
    for each in (tile, head, private):
        assert each.headers["x-content-type-options"] == "nosniff"


def test_another_page_cannot_have_a_log_that_is_not_public(home, site):
    check(home)
    home.publish_log()
    page = site.nobody(**{"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"})

    assert is_problem(page.get("/log/checkpoint"), 403, "forbidden")


@pytest.mark.parametrize(
    "path",
    [
        "/log/",
        "/log/tiles/0/000",
        "/log/tile/0",
        "/log/tile/0/0000",
        "/log/tile/0/000.p/0",
        "/log/tile/0/001",
        "/log/tile/1/000.p/1",
        "/log/tile/entries/000.p/9",
    ],
)
def test_what_is_not_there_is_not_found(home, public, path):
    check(home)
    home.publish_log()

    assert is_problem(public.nobody().get(path), 404, "not-found")


def test_nothing_is_shown_before_it_is_published(home, public):
    check(home, 2)
    assert is_problem(public.nobody().get("/log/checkpoint"), 404, "not-found")
    assert is_problem(public.nobody().get("/log/tile/0/000.p/1"), 404, "not-found")
    home.publish_log()
    check(home, 2)

    assert public.nobody().get("/log/tile/0/000.p/3").status_code == 200
    assert is_problem(public.nobody().get("/log/tile/0/000.p/4"), 404, "not-found")


def test_a_receipt_is_proved_to_its_owner_and_to_the_one_who_asked(home, site):
    key, secret = site.services.keys.issue(
        "bot", "chirp.example", [Scope.CHECKS_READ], expires_in_days=None
    )
    result = home.check(picture("red"), caller=key.key)
    platform = site.client(authorization=f"Bearer {secret}")

    for client, path in ((site.owner(), "receipts"), (platform, "checks")):
        body = client.get(f"/v1/{path}/{result.check}/proof").json()
        policy = TrustPolicy.parse(f"log {body['log_key']}\nquorum none\n")
        claims = verify_receipt(body["receipt"], site.services.signer.jwks())
        entry = verify_logged(body["receipt"], claims, LogProof.parse(body["proof"]), policy)
        assert (entry.verdict, body["receipt"]) == (result.decision.verdict, result.receipt.jws)


def test_somebody_elses_receipt_is_not_proved(home, site):
    result = home.check(picture("red"), caller="key_other")
    stranger = site.bearer(Scope.CHECKS_READ)

    assert is_problem(stranger.get(f"/v1/checks/{result.check}/proof"), 404, "not-found")
    assert is_problem(stranger.get(f"/v1/receipts/{result.check}/proof"), 403, "forbidden")


def test_a_log_that_was_put_back_gives_no_verdict(home, site):
    check(home)
    home.publish_log()
    home.database.held().execute("UPDATE log_state SET size = 1, frontier = zeroblob(32)")

    answer = site.owner().post("/v1/checks", json={"prompt": "make the sky blue"})
    assert is_problem(answer, 503, "log-inconsistent")
    inform = {"prompt": "make the sky blue", "mode": "inform"}
    assert site.owner().post("/v1/checks", json=inform).status_code == 200
