"""What a hostile page, or a program without a credential, tries against the companion."""

from __future__ import annotations

import base64
import re

import anyio
import pytest
from consentry.accounts.pairing import Parties, derive_keys, identity_message, parse_code
from consentry.accounts.principals import Scope
from consentry.accounts.sessions import CSRF_HEADER
from consentry.api.hardening import MAX_HEADER_BYTES, MAX_HEADER_FIELDS, Doorway, Hardening
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fakes.site import (
    EXTENSION,
    MAX_BODY_BYTES,
    ORIGIN,
    PASSWORD,
    call_raw,
    is_problem,
    opened,
    unread,
)

EVIL = "https://evil.example"
HOST = (b"host", b"127.0.0.1:8484")


def routes_of(app):
    return [
        (method, route.path)
        for route in app.router.routes
        if not route.path.endswith("/{rest:path}")
        for method in sorted(route.methods)
    ]


# -- rebinding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8484",
        "127.0.0.1",
        "127.0.0.1:8485",
        "127.0.0.1:8484.evil.example",
        "127.0.0.1.evil.example:8484",
        "localhost.:8484",
        "0.0.0.0:8484",
        "[::1]:8484",
        "2130706433:8484",
        "",
    ],
)
def test_a_name_that_was_rebound_to_this_machine_gets_no_answer(site, host):
    for path in ("/healthz", "/v1/vault", "/nowhere"):
        assert is_problem(site.nobody(host=host).get(path), 421, "wrong-host")


def test_the_right_names_get_an_answer_in_any_case(site):
    for host in ("127.0.0.1:8484", "localhost:8484", "LOCALHOST:8484"):
        assert site.nobody(host=host).get("/healthz").status_code == 200


@pytest.mark.parametrize("hosts", [[], [HOST, (b"host", b"evil.example")], [HOST, HOST]])
def test_none_or_two_host_fields_get_no_answer(site, hosts):
    status, _, _ = anyio.run(lambda: call_raw(site.app, headers=hosts))
    assert status == 421


# -- requests that a page can make -------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_a_form_of_another_site_changes_nothing_even_with_the_owners_cookie(lit, content_type):
    browser = lit.browser()
    headers = {"origin": EVIL, "sec-fetch-site": "cross-site", "content-type": content_type}
    for method, path in routes_of(lit.app):
        if method == "GET":
            continue
        answer = browser.request(method, path, headers=headers, content=b'{"passphrase":"x"}')
        assert is_problem(answer, 403, "forbidden"), path


@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:3000",
        "https://127.0.0.1:8484",
        "http://localhost:8484",
    ],
)
def test_only_the_exact_origin_may_change_something(lit, origin):
    answer = lit.browser().post("/v1/vault/lock", headers={"origin": origin})
    assert is_problem(answer, 403, "forbidden")
    assert lit.home.custody.state == "unlocked"


def test_a_request_without_an_origin_needs_a_token(lit):
    session = lit.browser()
    del session.headers["origin"]
    assert is_problem(session.post("/v1/vault/lock"), 403, "forbidden")
    assert lit.bearer(Scope.VAULT_WRITE).post("/v1/vault/lock").is_success


@pytest.mark.parametrize("site_of", ["cross-site", "same-site"])
def test_a_page_without_an_origin_header_is_told_by_sec_fetch_site(lit, site_of):
    browser = lit.browser()
    answer = browser.post("/v1/vault/lock", headers={"sec-fetch-site": site_of})
    assert is_problem(answer, 403, "forbidden")
    del browser.headers["origin"]
    for path in ("/v1/vault", "/healthz", "/metrics"):
        answer = browser.get(path, headers={"sec-fetch-site": site_of, "sec-fetch-mode": "no-cors"})
        assert is_problem(answer, 403, "forbidden")


def test_a_link_may_lead_to_a_page_but_not_into_the_api_or_a_frame(lit):
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    page = lit.nobody(**link, **{"sec-fetch-dest": "document"})
    assert page.get("/").status_code == 404  # there are no pages here, but the door is open
    assert is_problem(page.get("/v1/vault"), 403, "forbidden")
    frame = lit.nobody(**link, **{"sec-fetch-dest": "iframe"})
    assert is_problem(frame.get("/"), 403, "forbidden")


def test_a_session_without_its_form_token_changes_nothing(lit):
    browser = lit.browser()
    del browser.headers[CSRF_HEADER]
    assert is_problem(browser.post("/v1/vault/lock"), 403, "forbidden")
    assert is_problem(
        browser.post("/v1/vault/lock", headers={CSRF_HEADER: "x" * 43}), 403, "forbidden"
    )
    assert browser.get("/v1/vault").json()["state"] == "unlocked"


def test_a_fetch_of_another_origin_gets_no_cors_headers(lit):
    client = lit.browser()
    preflight = client.options(
        "/v1/vault",
        headers={
            "origin": EVIL,
            "access-control-request-method": "POST",
            "access-control-request-private-network": "true",
        },
    )
    assert is_problem(preflight, 403, "forbidden")
    for answer in (preflight, client.get("/v1/vault"), client.options("/v1/vault")):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_no_answer_can_be_framed_sniffed_cached_or_embedded(lit):
    client = lit.owner()
    answers = [client.request(method, path) for method, path in routes_of(lit.app)]
    answers += [client.get("/nowhere"), lit.nobody(host="evil.example").get("/")]
    for answer in answers:
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


# -- extensions --------------------------------------------------------------------------------------


def test_an_extension_with_a_token_may_ask_and_without_one_may_not(lit):
    client = lit.bearer(Scope.VAULT_READ, Scope.VAULT_WRITE)
    marks = {"origin": EXTENSION, "sec-fetch-site": "cross-site"}
    assert client.get("/v1/vault", headers={"sec-fetch-site": "cross-site"}).is_success
    assert client.post("/v1/vault/lock", headers=marks).is_success
    assert is_problem(lit.nobody(**marks).post("/v1/vault/lock"), 403, "forbidden")
    assert is_problem(
        lit.nobody(**marks, authorization="Bearer cst_wrong").post("/v1/vault/lock"),
        401,
        "unauthenticated",
    )


def test_an_extension_may_not_use_the_owners_cookie_nor_her_pages(lit):
    browser = lit.browser()
    answer = browser.post("/v1/vault/lock", headers={"origin": EXTENSION})
    assert is_problem(answer, 403, "forbidden")
    answer = browser.post("/settings", headers={"origin": EXTENSION, "authorization": "Bearer x"})
    assert is_problem(answer, 403, "forbidden")
    both = browser.post(
        "/v1/vault/lock", headers={"origin": EXTENSION, "authorization": "Bearer x"}
    )
    assert is_problem(both, 401, "unauthenticated")


@pytest.mark.parametrize(
    "origin",
    [
        "chrome-extension://short",
        EXTENSION + ".evil.example",
        EXTENSION + "/",
        "evil-extension://x",
    ],
)
def test_what_only_looks_like_an_extension_is_refused(lit, origin):
    client = lit.bearer(Scope.VAULT_WRITE)
    answer = client.post("/v1/vault/lock", headers={"origin": origin})
    assert is_problem(answer, 403, "forbidden")


# -- the trusted socket ------------------------------------------------------------------------------


def test_the_trusted_application_answers_nobody_over_tcp(lit):
    for host, port in ((b"localhost", 80), (b"localhost", 8484), (b"127.0.0.1:8484", 8484)):
        for doorway in (lit.socket_app, Hardening(lit.app, doorway_of({"localhost", "127.0.0.1"}))):
            answer = anyio.run(
                lambda host=host, port=port, doorway=doorway: call_raw(
                    doorway, headers=[(b"host", host)], server=("127.0.0.1", port)
                )
            )
            assert answer[0] in {403, 421}


def doorway_of(hosts):
    return Doorway(hosts=hosts, max_body_bytes=10, is_trusted_socket=True)


@pytest.mark.parametrize("mark", ["origin", "sec-fetch-site", "sec-fetch-mode"])
def test_the_trusted_application_answers_no_browser(lit, mark):
    client = lit.client("http://localhost", lit.socket_app, **{mark: "http://localhost"})
    assert is_problem(client.get("/v1/vault"), 403, "forbidden")


def test_links_into_the_dashboard_are_made_at_the_socket_only(lit):
    made = lit.owner().post("/v1/entries").json()
    assert made["url"] == ORIGIN + made["path"]
    assert made["path"].startswith("/enter#")
    assert lit.services.sessions.enter(made["path"].partition("#")[2])
    assert is_problem(lit.browser().post("/v1/entries"), 403, "forbidden")
    assert is_problem(lit.bearer(*Scope).post("/v1/entries"), 403, "forbidden")


# -- guessing ----------------------------------------------------------------------------------------


def test_no_route_but_the_open_ones_answers_without_a_credential(site):
    open_routes = {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/.well-known/consentry"),
        ("POST", "/v1/pairings/hello"),
        ("POST", "/v1/pairings/confirm"),
        ("POST", "/v1/identity/challenge"),
    }
    client = site.nobody(origin=ORIGIN)
    for method, path in set(routes_of(site.app)) - open_routes:
        answer = client.request(method, path)
        assert is_problem(answer, 401, "unauthenticated"), path
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_caller_is_let_in_before_its_body_is_read(lit):
    headers = [HOST, (b"origin", ORIGIN.encode()), (b"content-type", b"application/json")]
    for method, path in routes_of(lit.app):
        if method == "POST" and path not in {
            "/v1/pairings/hello",
            "/v1/pairings/confirm",
            "/v1/identity/challenge",
        }:
            answer = anyio.run(
                lambda path=path: call_raw(
                    lit.app,
                    headers=headers,
                    path=re.sub(r"{\w+}", "x", path),
                    method="POST",
                    receive=unread,
                )
            )
            assert answer[0] == 401


def test_every_wrong_credential_gets_the_same_answer(lit):
    token, secret = lit.services.tokens.issue("x", [Scope.VAULT_READ], expires_in_days=1)
    lit.services.tokens.revoke(token.token)
    texts = set()
    for value in (f"Bearer {secret}", "Bearer cst_" + "a" * 52, "Bearer x", "Bearer "):
        answer = lit.nobody(authorization=value).get("/v1/vault")
        assert is_problem(answer, 401, "unauthenticated")
        texts.add(answer.json()["detail"])
    assert len(texts) == 1


def test_guessing_tokens_is_counted_told_and_stopped_and_a_right_one_still_passes(lit):
    right = lit.bearer(Scope.VAULT_READ)
    guesser = lit.nobody(authorization="Bearer cst_" + "a" * 52)
    first = guesser.get("/v1/vault")
    assert first.headers["ratelimit-policy"] == '"bearer";q=30;w=60'
    assert first.headers["ratelimit"].startswith('"bearer";r=29;t=')
    for _ in range(29):
        guesser.get("/v1/vault")
    stopped = guesser.get("/v1/vault")
    assert is_problem(stopped, 429, "too-many-requests")
    assert 1 <= int(stopped.headers["retry-after"]) <= 60
    assert right.get("/v1/vault").is_success
    lit.home.clock.advance(61)
    assert guesser.get("/v1/vault").status_code == 401


def test_a_token_cannot_make_a_mightier_one(lit):
    client = lit.bearer(Scope.TOKENS, Scope.FACES_READ)
    wish = {"name": "x", "scopes": ["faces:read", "vault:write"], "expires_in_days": 1}
    assert is_problem(client.post("/v1/tokens", json=wish), 403, "forbidden")
    wish["scopes"] = ["faces:read"]
    made = client.post("/v1/tokens", json=wish).json()
    assert lit.nobody(authorization=f"Bearer {made['secret']}").post("/v1/faces").status_code == 415
    assert "secret" not in client.get("/v1/tokens").text
    assert client.delete(f"/v1/tokens/{made['token']}").status_code == 204
    gone = lit.nobody(authorization=f"Bearer {made['secret']}").post("/v1/faces")
    assert is_problem(gone, 401, "unauthenticated")


def test_each_scope_opens_its_own_routes_and_no_others(lit):
    expected = {
        Scope.VAULT_READ: {("GET", "/v1/vault")},
        Scope.SUBJECTS_READ: {("GET", "/v1/subjects")},
        Scope.RECEIPTS_READ: {
            ("GET", "/v1/receipts"),
            ("GET", "/v1/receipts/{check_id}"),
            ("POST", "/v1/receipts/verify"),
        },
        Scope.CHECKS_WRITE: {
            ("POST", "/v1/checks"),
            ("POST", "/v1/checks/batch"),
            ("POST", "/v1/words"),
        },
        Scope.CHECKS_READ: {("GET", "/v1/checks/{check_id}")},
        Scope.CONSENT_REQUEST: {("GET", "/v1/consent-requests/{request_id}")},
        Scope.FEED_READ: {("GET", "/v1/feed")},
        Scope.CONSENTS_READ: {
            ("GET", "/v1/consent-requests"),
            ("GET", "/v1/consent-requests/{request_id}/pictures"),
            ("GET", "/v1/grants"),
            ("GET", "/v1/consent-tokens"),
        },
        Scope.CONSENTS_WRITE: {
            ("POST", "/v1/consent-requests/{request_id}/approve"),
            ("POST", "/v1/consent-requests/{request_id}/decline"),
            ("POST", "/v1/consent-requests/{request_id}/block"),
            ("POST", "/v1/grants"),
            ("DELETE", "/v1/grants/{grant_id}"),
            ("DELETE", "/v1/consent-tokens/{token_id}"),
        },
        Scope.CONSENTS_ANSWER: {
            ("GET", "/v1/consent-requests"),
            ("GET", "/v1/consent-requests/{request_id}/pictures"),
            ("POST", "/v1/consent-requests/{request_id}/approve"),
            ("POST", "/v1/consent-requests/{request_id}/decline"),
            ("POST", "/v1/consent-requests/{request_id}/block"),
        },
        Scope.CHECKS_MINE: {("POST", "/v1/subjects/checks")},
        Scope.FACES_READ: {("POST", "/v1/faces")},
        Scope.SUBJECTS_WRITE: {("POST", "/v1/subjects"), ("POST", "/v1/subjects/revoke")},
        Scope.TOKENS: {
            ("GET", "/v1/tokens"),
            ("POST", "/v1/tokens"),
            ("DELETE", "/v1/tokens/{token}"),
            ("GET", "/v1/keys"),
            ("POST", "/v1/keys"),
            ("POST", "/v1/keys/{key}/rotate"),
            ("DELETE", "/v1/keys/{key}"),
        },
        Scope.BACKUP: {
            ("POST", "/v1/backup"),
            ("POST", "/v1/backup/keys"),
            ("POST", "/v1/backup/restore"),
        },
        Scope.METRICS_READ: {("GET", "/metrics")},
        Scope.AUDIT_READ: {("GET", "/v1/audit/figures"), ("GET", "/v1/audit/receipts")},
        Scope.VAULT_WRITE: {
            ("POST", "/v1/vault"),
            ("POST", "/v1/vault/unlock"),
            ("POST", "/v1/vault/lock"),
            ("POST", "/v1/vault/passphrase"),
            ("POST", "/v1/vault/rotate"),
        },
    }
    assert set(expected) == set(Scope)
    guarded = set().union(*expected.values())
    for scope, its_own in expected.items():
        client = lit.bearer(scope)
        reached = {
            (method, path)
            for method, path in guarded
            if client.request(method, path).status_code != 403
        }
        assert reached == its_own


# -- spellings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "//v1/vault",
        "/v1//vault",
        "/v1/./vault",
        "/v1/../v1/vault",
        "/v1/%2e%2e/v1/vault",
        "/v1%2fvault",
        "/v1/vault%00",
        "/v1\\vault",
        "/v1/vault%5c",
        "/v1/%0d%0a",
        "http://127.0.0.1:8484/v1/vault",
        "*",
        "/v1/vault#x",
        "/v1/vault%",
    ],
)
def test_a_path_is_written_one_way_only(lit, path):
    status, _, _ = anyio.run(
        lambda: call_raw(
            lit.socket_app, headers=[(b"host", b"localhost")], path=path, server=("localhost", None)
        )
    )
    assert status == 400


@pytest.mark.parametrize(
    "path", ["/v1/vault/", "/V1/vault", "/v1/vault;x=1", "/v1", "/v1/nothing", "/.well-known/x"]
)
def test_a_path_that_is_no_route_is_not_found(lit, path):
    assert is_problem(lit.owner().get(path), 404, "not-found")


def test_another_verb_is_not_a_way_around(lit):
    owner = lit.owner()
    answer = owner.get(
        "/v1/vault/lock", headers={"x-http-method-override": "POST", "x-method-override": "POST"}
    )
    assert is_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"
    assert owner.get("/v1/vault?_method=DELETE").json()["state"] == "unlocked"
    assert is_problem(owner.request("TRACE", "/v1/vault"), 405, "method-not-allowed")
    assert is_problem(owner.post("/healthz"), 405, "method-not-allowed")


def test_reading_changes_nothing(lit):
    owner = lit.owner()
    lit.home.enrol((200, 0, 0))
    before = lit.home.store.revision(), lit.home.receipts.count(), lit.services.tokens.list()
    for method, path in routes_of(lit.app):
        if method == "GET":
            owner.get(path)
    after = lit.home.store.revision(), lit.home.receipts.count(), lit.services.tokens.list()
    assert after == before
    assert lit.home.custody.state == "unlocked"


@pytest.mark.parametrize(
    "name", [b"authorization", b"origin", b"content-length", b"content-type", b"cookie"]
)
def test_a_field_that_decides_something_may_not_come_twice(lit, name):
    headers = [HOST, (name, b"1"), (name, b"2")]
    status, _, _ = anyio.run(lambda: call_raw(lit.app, headers=headers))
    assert status == 400


# -- size and time -----------------------------------------------------------------------------------


def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(lit):
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]

    def send(size, *, declared, pieces=7):
        data = b" " * size
        step = -(-size // pieces)
        chunks = [data[start : start + step] for start in range(0, size, step)]
        extra = [(b"content-length", str(size).encode())] if declared else []
        return anyio.run(
            lambda: call_raw(
                lit.socket_app,
                headers=headers + extra,
                path="/v1/checks",
                method="POST",
                chunks=chunks,
                server=("localhost", None),
            )
        )

    for declared in (True, False):
        assert send(MAX_BODY_BYTES, declared=declared)[0] == 400  # read to the end: it is no JSON
        status, fields, _ = send(MAX_BODY_BYTES + 1, declared=declared)
        assert status == 413
        assert fields[b"connection"] == b"close"


def test_a_body_that_lies_about_its_length_is_still_counted(lit):
    status, _, _ = anyio.run(
        lambda: call_raw(
            lit.socket_app,
            headers=[
                (b"host", b"localhost"),
                (b"content-type", b"application/json"),
                (b"content-length", b"10"),
            ],
            path="/v1/checks",
            method="POST",
            chunks=[b" " * 100_000] * 3,
            server=("localhost", None),
        )
    )
    assert status == 413


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"0x10", b"1" * 30, b"\xb2"])
def test_a_length_is_a_number(lit, length):
    headers = [HOST, (b"content-length", length)]
    assert anyio.run(lambda: call_raw(lit.app, headers=headers))[0] == 400


def test_small_bodies_have_a_small_limit(lit):
    answer = lit.owner().post("/v1/vault/unlock", json={"passphrase": "x" * 70_000})
    assert is_problem(answer, 413, "body-too-large")


def test_a_body_that_trickles_in_is_given_up(home):
    with opened(home, body_timeout_s=0.2) as site:
        status, _, body = anyio.run(
            lambda: call_raw(
                site.socket_app,
                headers=[(b"host", b"localhost"), (b"content-type", b"application/json")],
                path="/v1/vault/unlock",
                method="POST",
                chunks=[b" "] * 50,
                delay_s=0.05,
                server=("localhost", None),
            )
        )
    assert status == 408
    assert b"request-timed-out" in body


def test_a_header_has_limits(lit):
    many = [HOST] + [(b"x-%d" % n, b"1") for n in range(MAX_HEADER_FIELDS)]
    long = [HOST, (b"x", b"1" * MAX_HEADER_BYTES)]
    for headers in (many, long):
        assert anyio.run(lambda headers=headers: call_raw(lit.app, headers=headers))[0] == 431


def test_a_websocket_is_refused_before_it_is_accepted(lit):
    sent = []

    async def ask():
        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message)

        scope = {"type": "websocket", "path": "/v1/vault", "headers": [HOST], "query_string": b""}
        await lit.app(scope, receive, send)

    anyio.run(ask)
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_json_must_be_declared_as_json(lit):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "text/json", ""):
        answer = lit.owner().post(
            "/v1/vault/unlock",
            content=b'{"passphrase":"%s"}' % PASSWORD.encode(),
            headers={"content-type": content_type},
        )
        assert is_problem(answer, 415, "unsupported-media-type")


def test_what_was_sent_is_never_repeated(lit):
    marker = "zanzibar-7f3"
    owner = lit.owner()
    answers = [
        owner.post("/v1/vault/unlock", json={"passphrase": {"x": marker}}),
        owner.post("/v1/vault/unlock", json={"passphrase": marker, marker: 1}),
        owner.post(
            "/v1/vault/unlock", content=marker, headers={"content-type": "application/json"}
        ),
        owner.post("/v1/subjects/revoke", json={"subject": marker}),
        owner.post("/v1/checks", json={"mode": marker}),
        owner.post("/v1/checks", json={"images": [marker]}),
        owner.post("/v1/checks", data={marker: "1"}, files={"images": b"x"}),
        owner.post("/v1/tokens", json={"name": "x", "scopes": [marker]}),
        owner.post("/v1/receipts/verify", json={"receipt": marker}),
        owner.get(f"/v1/receipts?limit={marker}"),
        owner.get(f"/v1/{marker}"),
        owner.get(f"/v1/receipts/{marker}"),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert marker not in answer.text


# -- pairing -----------------------------------------------------------------------------------------


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pair(extension, code, *, connected_to=ORIGIN, seen_as=EXTENSION):
    """Do what docs/specs/pairing.md asks of an extension."""
    nonce = b"n" * 32
    hello = extension.post("/v1/pairings/hello", json={"client_nonce": b64(nonce)}).json()
    keys = derive_keys(
        parse_code(code),
        client_nonce=nonce,
        server_nonce=unb64(hello["server_nonce"]),
        companion_key=unb64(hello["companion_key"]),
        parties=Parties(server_origin=connected_to, client_origin=seen_as),
    )
    answer = extension.post(
        "/v1/pairings/confirm",
        json={
            "server_nonce": hello["server_nonce"],
            "client_mac": b64(keys.client_mac()),
            "name": "Chromium",
        },
    )
    return answer, keys


@pytest.mark.parametrize("door", ["owner", "browser"])
def test_an_extension_pairs_with_a_typed_code_and_may_then_check_and_no_more(lit, door):
    code = getattr(lit, door)().post("/v1/pairings").json()["code"]
    extension = lit.nobody(origin=EXTENSION, **{"sec-fetch-site": "cross-site"})
    answer, keys = pair(extension, code)
    paired = answer.json()
    assert unb64(paired["server_mac"]) == keys.server_mac()
    sealed = unb64(paired["sealed_token"])
    token = AESGCM(keys.seal).decrypt(sealed[:12], sealed[12:], keys.transcript).decode()
    assert code not in answer.text
    assert token not in answer.text

    extension.headers["authorization"] = f"Bearer {token}"
    assert extension.get("/v1/vault").is_success
    assert extension.post("/v1/checks", json={"prompt": "a tree"}).is_success
    assert is_problem(extension.get("/v1/subjects"), 403, "forbidden")
    assert is_problem(extension.post("/v1/pairings"), 403, "forbidden")


def test_guessing_the_pairing_code_ends_after_three(lit):
    code = lit.owner().post("/v1/pairings").json()["code"]
    extension = lit.nobody(origin=EXTENSION)
    for left in (2, 1, 0):
        answer, _ = pair(extension, "0000-0000-0000-0000")
        assert is_problem(answer, 403, "forbidden")
        assert answer.headers["ratelimit"].startswith(f'"pairing";r={left};t=')
    nonce = {"client_nonce": b64(b"n" * 32)}
    assert is_problem(extension.post("/v1/pairings/hello", json=nonce), 409, "conflict")
    assert code


def test_a_web_page_cannot_even_try(lit):
    lit.owner().post("/v1/pairings")
    nonce = {"client_nonce": b64(b"n" * 32)}
    for origin in (EVIL, "null", "http://127.0.0.1:3000"):
        answer = lit.nobody(origin=origin).post("/v1/pairings/hello", json=nonce)
        assert is_problem(answer, 403, "forbidden")


def test_a_code_is_not_shown_at_a_locked_dashboard_nor_to_a_token(lit):
    assert is_problem(lit.bearer(*Scope).post("/v1/pairings"), 403, "forbidden")
    browser = lit.browser()
    browser.post("/v1/vault/lock")
    assert is_problem(browser.post("/v1/pairings"), 423, "vault-locked")
    assert lit.owner().post("/v1/pairings").status_code == 201
    assert lit.owner().delete("/v1/pairings").status_code == 204


def test_the_pinned_key_answers_for_where_it_was_reached_before_any_token_is_sent(lit):
    nonce = b"c" * 32
    answer = (
        lit.nobody(origin=EXTENSION)
        .post("/v1/identity/challenge", json={"nonce": b64(nonce)})
        .json()
    )
    key = Ed25519PublicKey.from_public_bytes(lit.services.pairing.companion_key)
    key.verify(unb64(answer["signature"]), identity_message(nonce, server_origin=ORIGIN))
    bad = lit.nobody(origin=EXTENSION).post("/v1/identity/challenge", json={"nonce": "***"})
    assert is_problem(bad, 400, "bad-request")
