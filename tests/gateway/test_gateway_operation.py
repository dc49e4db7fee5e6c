"""Limits, failures, floods and the end: whatever happens, nothing passes unexamined and nothing is left behind."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import openai
import pytest
from consentry.kernel.errors import ModelUnavailable, Overloaded, StorageFull
from fakes.coloured_faces import picture
from fakes.gateway_site import EVE, EVERYDAY, KEY, REVEALING, gateway_site
from fakes.generator import LANDSCAPE, Told, made
from fakes.home import TestHome

MODEL = "gpt-image-1.5"
MAX_BODY = 300_000


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    home = TestHome(tmp_path_factory.mktemp("narrow") / "home").create()
    with gateway_site(
        home,
        max_body_bytes=MAX_BODY,
        memory_bytes=5 * MAX_BODY,
        patience_s=0.5,
        body_timeout_s=1.0,
        max_answer_bytes=50_000,
        answer_timeout_s=2.0,
    ) as site:
        yield site
    home.close()


@pytest.fixture
def small(narrow):
    """A gateway with room for little, and no patience."""
    wait_until(lambda: not narrow.app._active)
    narrow.generator.__init__()
    return narrow


def error_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def form(size: int) -> tuple[bytes, dict[str, str]]:
    """A body of exactly this size: an edit with a prompt of everyday words."""
    head = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nmake it blue\r\n'
    head += b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    filling = picture() + b"\x00" * (size - len(head) - len(tail) - len(picture()))
    return head + filling + tail, {"content-type": "multipart/form-data; boundary=x"}


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(small):
    body, headers = form(MAX_BODY)
    longer, _ = form(MAX_BODY + 1)

    read = small.post("images/edits", content=body, headers=headers)
    not_read = small.post("images/edits", content=longer, headers=headers)

    # Whatever becomes of it: it was not for its length.
    assert read.json().get("error", {}).get("code") != "request_too_large"
    assert error_of(not_read) == (413, "request_too_large")


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 400), (MAX_BODY + 1, 413)])
def test_the_limit_holds_for_a_body_that_does_not_say_its_length(small, size, status):
    body, headers = form(size)

    def chunks():
        for start in range(0, len(body), 7000):
            yield body[start : start + 7000]

    answer = small.post("images/edits", content=chunks(), headers=headers)

    # What fills the picture up makes it a damaged one, or not: only the limit is asked about here.
    assert (answer.status_code == 413) == (status == 413)
    wait_until(lambda: small.app.memory.used == 0)


def test_an_upload_streams_through_up_to_a_limit_of_its_own(small):
    small.generator.tell("/files", Told(b'{"id":"file-1"}'))

    passed = small.post("files", content=b"x" * (2 * MAX_BODY))
    refused = small.post("files", content=b"x" * (2 * MAX_BODY + 1))

    assert passed.json() == {"id": "file-1"}
    assert error_of(refused) == (413, "request_too_large")
    assert len(small.generator.asked[0].body) == 2 * MAX_BODY


def test_a_body_that_comes_too_slowly_is_given_up(small):
    with socket.create_connection(address_of(small)) as slow:
        slow.sendall(head_of("images/edits", 1000))
        answer = http.client.HTTPResponse(slow)
        answer.begin()

        assert answer.status == 408
        assert json.loads(answer.read())["error"]["code"] == "request_timeout"
    wait_until(lambda: small.app.memory.used == 0)


def test_a_generator_that_cannot_be_reached_is_told_as_this_api_tells_it(home):
    with (
        gateway_site(home, upstream_address="http://127.0.0.1:9") as site,
        openai.OpenAI(base_url=site.openai, api_key=KEY, max_retries=0) as client,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)

    assert (caught.value.status_code, caught.value.code) == (502, "upstream_failed")


def test_a_generator_that_does_not_answer_in_time_is_given_up(small):
    small.generator.tell("/images/generations", Told(made(LANDSCAPE), pause_s=30))

    answer = small.post("images/generations", json={"prompt": "a mountain"})

    assert error_of(answer) == (504, "upstream_timeout")


@pytest.mark.parametrize(
    "told",
    [
        Told(b"<html>oops</html>", headers={"content-type": "application/json"}),
        Told(b'{"data":' + b" " * 60_000 + b"[]}"),
        Told(b"\x00\x00\x00\x18ftypmp42", headers={"content-type": "video/mp4"}),
        Told(b"\x1f\x8b", headers={"content-type": "application/json", "content-encoding": "gzip"}),
        Told(b"{}", headers={"content-type": "application/json", "content-encoding": "br"}),
        Told([b'{"data'], breaks_off=True),
    ],
    ids=["no-json", "too-large", "video", "cut-gzip", "brotli", "broken-off"],
)
def test_an_answer_that_cannot_be_examined_is_not_delivered(small, told):
    small.generator.tell("/images/generations", told)

    answer = small.post("images/generations", json={"prompt": "a mountain"})

    assert answer.status_code in (400, 502)
    assert answer.json()["error"]["code"] in ("upstream_failed", "moderation_blocked")


@pytest.mark.parametrize("failure", [ModelUnavailable("x"), StorageFull("x"), Overloaded("x")])
def test_a_check_that_fails_refuses(site, client, monkeypatch, failure):
    def fail(*_):
        raise failure

    monkeypatch.setattr(type(site.home.check_images), "__call__", fail)

    with pytest.raises(openai.InternalServerError) as caught:
        client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)

    assert caught.value.status_code == 503
    assert site.generator.asked == []


def test_detectors_that_are_not_there_refuse(site, client):
    site.home.faces.failure = ModelUnavailable("not built")

    with pytest.raises(openai.InternalServerError) as caught:
        client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)

    assert (caught.value.status_code, caught.value.code) == (503, "check_failed")
    assert site.generator.asked == []


def test_an_output_check_that_fails_withholds(site, client, monkeypatch):
    def fail(*_):
        raise StorageFull("x")

    monkeypatch.setattr(type(site.home.check_output), "__call__", fail)

    with pytest.raises(openai.InternalServerError) as caught:
        client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)

    assert caught.value.code == "check_failed"


def test_a_mistake_of_ours_refuses_and_tells_nothing(site, client, monkeypatch, caplog):
    def stumble(*_):
        raise ZeroDivisionError("the prompt was: " + EVERYDAY)

    monkeypatch.setattr(type(site.home.check_images), "__call__", stumble)

    with caplog.at_level(logging.INFO), pytest.raises(openai.InternalServerError) as caught:
        client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)

    assert (caught.value.status_code, caught.value.code) == (503, "check_failed")
    assert "ZeroDivisionError at test_gateway_operation.py" in caplog.text
    assert EVERYDAY not in caplog.text
    assert EVERYDAY not in caught.value.response.text
    assert site.generator.asked == []


def test_one_line_of_log_says_what_was_decided_and_nothing_of_what_was_asked(site, client, caplog):
    with caplog.at_level(logging.INFO, "consentry.gateway"):
        with pytest.raises(openai.BadRequestError) as caught:
            client.images.edit(model=MODEL, image=picture(EVE), prompt=REVEALING, user="user-77")
        wait_until(lambda: caplog.records)

    [line] = [each.getMessage() for each in caplog.records if each.name == "consentry.gateway"]
    assert line.startswith("openai images/edits 400 ")
    assert "verdict=refuse reasons=revealing_real_person refusal=blocked stage=input" in line
    assert f"pictures=1 outputs=0 error=none checks=1 id={caught.value.request_id}" in line
    for secret in (REVEALING, KEY, "user-77", "chk_", "sub_"):
        assert secret not in caplog.text


def test_what_was_counted_is_told_by_route(site, client):
    client.images.edit(model=MODEL, image=picture(EVE), prompt=EVERYDAY)
    site.post("never/heard/of", json={})

    told = httpx.get(f"{site.address}/metrics").text

    assert (
        'dialect="openai",refusal="none",route="images/edits",status="200",verdict="allow"' in told
    )
    assert 'route="-",status="404"' in told
    assert "never" not in told
    assert (
        'consentry_gateway_seconds_count{dialect="openai",part="check",route="images/edits"}'
        in told
    )


def test_health_and_readiness_are_told(site):
    assert httpx.get(f"{site.address}/health").json() == {"status": "ok"}
    assert httpx.get(f"{site.address}/readyz").json() == {"status": "ready"}
    assert httpx.get(f"{site.address}/").status_code == 404


def address_of(site) -> tuple[str, int]:
    host, _, port = site.address.removeprefix("http://").partition(":")
    return host, int(port)


def head_of(path: str, length: int) -> bytes:
    return (
        f"POST /openai/v1/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def test_two_hundred_slow_uploads_starve_neither_health_nor_small_requests(home):
    with (
        gateway_site(home, memory_bytes=400_000_000, patience_s=20) as site,
        contextlib.ExitStack() as stack,
    ):
        for _ in range(200):
            slow = stack.enter_context(socket.create_connection(address_of(site)))
            slow.sendall(head_of("images/edits", 20_000_000) + b"--x\r\n")
        wait_until(lambda: site.app.memory.waiting > 100)

        health = httpx.get(f"{site.address}/health", timeout=5)
        small = site.post("images/generations", json={"prompt": "a mountain"})

        assert (health.status_code, small.status_code) == (200, 200)
        assert site.app.memory.used <= 400_000_000


def test_clients_that_are_killed_leave_nothing_behind(small):
    small.generator.tell("/images/generations", Told(made(LANDSCAPE), pause_s=0.5))
    for path, length in (("images/edits", 1000), ("images/generations", 40)):
        for _ in range(5):
            with socket.create_connection(address_of(small)) as gone:
                gone.sendall(head_of(path, length) + b"--x\r\nContent")

    wait_until(lambda: not small.app._active and not small.app.memory.used)
    assert small.app.memory.waiting == 0
    assert small.generator.asked == []


def test_a_client_that_is_killed_while_the_generator_works_ends_that_work(site):
    site.generator.tell("/images/generations", Told(made(LANDSCAPE), pause_s=30))
    body = b'{"prompt": "a mountain"}'
    head = (
        f"POST /openai/v1/images/generations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(address_of(site)) as gone:
        gone.sendall(head + body)
        wait_until(lambda: site.generator.asked)

    wait_until(lambda: site.generator.cut_off == 1 and not site.app._active)


def test_who_finds_no_room_waits_and_is_told_to_come_again(home):
    body, headers = form(MAX_BODY)
    with (
        gateway_site(
            home, max_body_bytes=MAX_BODY, memory_bytes=5 * MAX_BODY, patience_s=0.2
        ) as site,
        socket.create_connection(address_of(site)) as slow,
    ):
        slow.sendall(head_of("images/edits", MAX_BODY))
        wait_until(lambda: site.app.memory.used > 0)

        answer = site.post("images/edits", content=body, headers=headers)

    assert error_of(answer) == (503, "overloaded")
    assert answer.headers["retry-after"] == "2"


def test_many_large_requests_at_once_keep_within_the_memory_that_was_set_aside(home):
    with gateway_site(
        home, memory_bytes=40_000_000, max_body_bytes=5_000_000, patience_s=60
    ) as site:
        body, headers = form(2_000_000)
        most = Watch(site)
        with ThreadPoolExecutor(16) as pool:
            post = partial(site.post, "images/edits", content=body, headers=headers)
            answers = [each.result() for each in [pool.submit(post) for _ in range(32)]]
        most.stop()

    assert {each.status_code for each in answers} <= {200, 400}
    assert 16_000_000 <= most.used <= 40_000_000


class Watch(threading.Thread):
    """Looks again and again at how much memory is set aside."""

    def __init__(self, site) -> None:
        super().__init__()
        self._site, self._is_over, self.used = site, False, 0
        self.start()

    def run(self) -> None:
        while not self._is_over:
            self.used = max(self.used, self._site.app.memory.used)
            time.sleep(0.001)

    def stop(self) -> None:
        self._is_over = True
        self.join()


def test_when_it_stops_it_finishes_what_is_here_and_takes_no_more(tmp_path):
    home = TestHome(tmp_path / "home").create()
    with gateway_site(home) as site:
        site.generator.tell("/images/generations", Told(made(LANDSCAPE), pause_s=1.0))
        with ThreadPoolExecutor(1) as pool:
            here = pool.submit(site.post, "images/generations", json={"prompt": "a mountain"})
            wait_until(lambda: site.generator.asked)
            site.server.should_exit = True
            wait_until(lambda: is_refused(site))

            assert here.result().status_code == 200
    home.close()


def is_refused(site) -> bool:
    try:
        return site.post("images/generations", json={"prompt": "x"}).status_code == 503
    except httpx.TransportError:
        return True


def wait_until(holds, *, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
