"""Sessions, form tokens, headers and errors: what no page may get round."""

from __future__ import annotations

import logging

import pytest
from consentry.dashboard.router import ROUTES
from consentry.dashboard.visit import Access
from consentry.kernel.errors import StorageFull

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "media-src blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
GUARDED = [route for route in ROUTES if route.access is Access.SESSION]
CHANGING = [route for route in GUARDED if route.method == "POST"]


def _path(route):
    return route.path.replace("{check}", "chk_1")


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.path}")
def test_without_a_session_every_page_is_closed(stranger, services, route):
    answer = stranger.request(route.method, _path(route), data={"csrf_token": ""})

    assert answer.status_code == 401
    assert "consentry open" in answer.text
    assert services.custody.state == "absent"


@pytest.mark.parametrize("route", CHANGING, ids=lambda route: route.path)
@pytest.mark.parametrize("token", [None, "", "x" * 43], ids=["missing", "empty", "foreign"])
def test_no_form_does_anything_without_its_token(home, route, token):
    fields = {"subject": "sub_0", "phrase": "delete everything", "passphrase": "wrong one"}
    if token is not None:
        fields["csrf_token"] = token

    answer = home.client.post(_path(route), data=fields)

    assert answer.status_code == 403
    assert home.services.custody.state == "unlocked"
    assert len(home.services.people.all()) == 1


def test_only_post_changes_anything(home):
    for route in ROUTES:
        if route.method == "POST":
            path = _path(route)
            is_also_a_page = any(r.method == "GET" and r.path == route.path for r in ROUTES)
            assert is_also_a_page or home.get(path).status_code in {404, 405}


def test_another_session_of_the_same_person_has_another_token(home, app, services):
    other = services.sessions.enter(services.sessions.new_entry())

    answer = home.client.post("/lock", data={"csrf_token": other.csrf_token})

    assert answer.status_code == 403


def test_the_cookie_cannot_be_read_by_scripts_or_sent_across_sites(stranger, services):
    answer = stranger.post("/enter", data={"secret": services.sessions.new_entry()})

    name, *flags = [part.strip().lower() for part in answer.headers["set-cookie"].split(";")]
    assert name.startswith("consentry_session=")
    assert set(flags) == {"httponly", "samesite=strict", "path=/"}


def test_an_entry_secret_opens_one_session(stranger, services):
    secret = services.sessions.new_entry()
    assert stranger.post("/enter", data={"secret": secret}).status_code == 204
    stranger.cookies.clear()

    assert stranger.post("/enter", data={"secret": secret}).status_code == 401
    assert stranger.get("/").status_code == 401


def test_leaving_ends_the_session_and_locks(home):
    assert home.post("/leave").status_code == 200

    assert home.services.custody.state == "locked"
    assert home.get("/").status_code == 401


@pytest.mark.parametrize("path", ["/", "/enter", "/check", "/receipts/none", "/settings", "/enrol"])
def test_every_page_carries_the_policy(home, path):
    headers = home.get(path).headers

    assert headers["content-security-policy"] == CSP
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_known_error_is_a_page_with_its_message_and_status(home):
    home.services.enrol.fails_with = StorageFull("The disk is full. Make room, then try again.")

    answer = home.post("/enrol", {"name": "Bo", "policy": "every_edit"})

    assert answer.status_code == 507
    assert "The disk is full. Make room, then try again." in answer.text
    assert 'role="alert"' in answer.text


def test_an_unknown_error_shows_and_logs_nothing_but_a_reference(home, caplog):
    home.services.enrol.fails_with = RuntimeError("Ada's pixels: 12 13 14")

    with caplog.at_level(logging.DEBUG):
        answer = home.post("/enrol", {"name": "Ada", "policy": "every_edit"})

    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == CSP
    assert "pixels" not in answer.text + caplog.text
    [record] = [r for r in caplog.records if r.name == "consentry.dashboard"]
    assert record.args[-1] in answer.text
    assert "RuntimeError" in caplog.text


def test_slowing_down_says_for_how_long(home):
    home.services.custody.lock()
    for _ in range(5):
        assert home.post("/unlock", {"passphrase": "wrong"}).status_code == 403

    answer = home.post("/unlock", {"passphrase": "wrong"})

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert f"try again in {answer.headers['retry-after']} second" in answer.text


def test_static_files_are_few_and_no_path_leads_out_of_them(stranger):
    for name in ("style.css", "enter.js", "forms.js", "photos.js", "camera.js", "icon.svg"):
        answer = stranger.get(f"/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"

    for name in ("../door.py", "..%2fdoor.py", "%2e%2e/door.py", "nothing.js"):
        assert stranger.get(f"/static/{name}").status_code == 404
