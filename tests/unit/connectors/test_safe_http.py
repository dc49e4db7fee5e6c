"""Fetching by URL, over real sockets, against servers and name servers that lie."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from dataclasses import replace
from ipaddress import ip_address

import pytest
from consentry.connectors.resolving import SystemResolver
from consentry.connectors.safe_http import FetchLimits, FetchPicture
from consentry.kernel.clock import SystemClock
from consentry.kernel.errors import (
    EmptyImage,
    ImageNotFetched,
    ImageTooLarge,
    UnknownImageFormat,
)
from fakes.name_server import AskNameServer, name_server
from fakes.picture_site import Authority, picture_site, png, redirect, response

# Both are loopback here. The first stands for a server on the internet, the second for one inside.
OUTSIDE, INSIDE = "127.0.0.2", "127.0.0.1"
NAME = "pictures.example.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def site_tls(authority):
    return authority.server_context(NAME, "other.example.com")


# Reading the machine's certificates takes longer than a fetch: once for all tests over plain HTTP.
TLS = ssl.create_default_context()


def _fetcher(names, port, authority=None, **limits):
    fetcher = FetchPicture(
        tls=TLS,
        resolver=AskNameServer(names),
        clock=SystemClock(),
        limits=FetchLimits(
            schemes=frozenset({"http", "https"}),
            ports=frozenset({port}),
            **{"step_s": 2.0, **limits},
        ),
        may_connect=lambda address: address == ip_address(OUTSIDE),
    )
    return fetcher if authority is None else replace(fetcher, tls=authority.client_context())


@pytest.fixture
def fetch():
    """Fetch one answer over plain HTTP: ``fetch(answer, **limits)``."""

    def run(answer, **limits):
        with (
            name_server(lambda *_: (OUTSIDE,)) as names,
            picture_site({"/a.png": answer}, host=OUTSIDE) as site,
        ):
            return _fetcher(names, site.port, **limits)(f"http://{NAME}:{site.port}/a.png")

    return run


def test_a_picture_is_fetched_over_tls_under_the_name_that_the_url_gives(authority, site_tls):
    picture = png()
    with (
        name_server(lambda *_: (OUTSIDE,)) as names,
        picture_site({"/a.png?b=c": response(picture)}, host=OUTSIDE, tls=site_tls) as site,
    ):
        fetched = _fetcher(names, site.port, authority)(f"https://{NAME}:{site.port}/a.png?b=c")

    assert fetched == picture
    assert f"\r\nHost: {NAME}:{site.port}\r\n".encode() in site.heads[0]


def test_nothing_of_ours_goes_with_the_request(authority, site_tls, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with (
        name_server(lambda *_: (OUTSIDE,)) as names,
        picture_site(
            {"/a.png": response(png(), "Set-Cookie: a=b")}, host=OUTSIDE, tls=site_tls
        ) as site,
    ):
        fetcher = _fetcher(names, site.port, authority)
        fetcher(f"https://{NAME}:{site.port}/a.png")
        fetcher(f"https://{NAME}:{site.port}/a.png")

    sent = {line.split(b":")[0].lower() for line in site.heads[1].split(b"\r\n")[1:] if line}
    assert sent == {b"host", b"accept", b"accept-encoding", b"user-agent", b"connection"}


def test_a_certificate_of_another_name_is_not_accepted(authority):
    tls = authority.server_context("elsewhere.example.com")
    with (
        name_server(lambda *_: (OUTSIDE,)) as names,
        picture_site({"/": response(png())}, host=OUTSIDE, tls=tls) as site,
        pytest.raises(ImageNotFetched),
    ):
        _fetcher(names, site.port, authority)(f"https://{NAME}:{site.port}/")

    assert site.heads == []


def test_a_certificate_of_an_unknown_authority_is_not_accepted(authority, site_tls, tmp_path):
    with (
        name_server(lambda *_: (OUTSIDE,)) as names,
        picture_site({"/": response(png())}, host=OUTSIDE, tls=site_tls) as site,
        pytest.raises(ImageNotFetched),
    ):
        _fetcher(names, site.port, Authority.make(tmp_path))(f"https://{NAME}:{site.port}/")


def test_a_name_that_changes_its_address_after_the_check_gains_nothing():
    # Asked a second time, the name server gives the address of a server inside.
    with (
        name_server(lambda _, time: (OUTSIDE if time == 1 else INSIDE,)) as names,
        picture_site({"/": response(png())}, host=OUTSIDE) as outside,
        picture_site({"/": response(png())}, host=INSIDE, port=outside.port) as inside,
    ):
        _fetcher(names, outside.port)(f"http://{NAME}:{outside.port}/")

    assert names.asked == [NAME]
    assert (outside.connections, inside.connections) == (1, 0)


def test_a_redirect_to_the_same_name_with_a_new_address_is_refused():
    with (
        name_server(lambda _, time: (OUTSIDE if time == 1 else INSIDE,)) as names,
        picture_site({"/": redirect("/again")}, host=OUTSIDE) as outside,
        picture_site({"/again": response(png())}, host=INSIDE, port=outside.port) as inside,
        pytest.raises(ImageNotFetched, match="public server"),
    ):
        _fetcher(names, outside.port)(f"http://{NAME}:{outside.port}/")

    assert inside.connections == 0


@pytest.mark.parametrize(
    "found", [(INSIDE,), (OUTSIDE, INSIDE), (OUTSIDE, "::1"), (OUTSIDE, "::ffff:127.0.0.1"), ()]
)
def test_a_name_with_any_address_inside_is_refused_like_one_that_is_not_there(found):
    with (
        name_server(lambda *_: found) as names,
        picture_site({"/": response(png())}, host=INSIDE) as inside,
        pytest.raises(ImageNotFetched) as refusal,
    ):
        _fetcher(names, inside.port)(f"http://{NAME}:{inside.port}/")

    assert str(refusal.value) == "The address does not lead to a public server."
    assert inside.connections == 0


@pytest.mark.parametrize(
    "to",
    [
        "http://{inside}/",
        "http://127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://localhost:{port}/",
        "http://2130706433:{port}/",
        "http://{outside}@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "http://{outside}:1/",
        "//127.0.0.1:{port}/",
        "",
    ],
)
def test_every_redirect_is_checked_like_the_first_address(to):
    answers = {"inside.example.com": (INSIDE,)}
    with (
        name_server(lambda name, _: answers.get(name, (OUTSIDE,))) as names,
        picture_site({}, host=OUTSIDE) as outside,
        picture_site({"/": response(png())}, host=INSIDE, port=outside.port) as inside,
    ):
        port = outside.port
        target = to.format(inside=f"inside.example.com:{port}", outside=NAME, port=port)
        outside.answer["/"] = redirect(target)
        with pytest.raises(ImageNotFetched):
            _fetcher(names, port)(f"http://{NAME}:{port}/")

    assert inside.connections == 0


def test_a_redirect_from_https_to_http_is_refused_where_http_is_not_allowed(authority, site_tls):
    with (
        name_server(lambda *_: (OUTSIDE,)) as names,
        picture_site({}, host=OUTSIDE, tls=site_tls) as site,
    ):
        site.answer["/"] = redirect(f"http://{NAME}:{site.port}/a")
        fetcher = _fetcher(names, site.port, authority)
        fetcher = replace(fetcher, limits=replace(fetcher.limits, schemes=frozenset({"https"})))
        with pytest.raises(ImageNotFetched, match="https"):
            fetcher(f"https://{NAME}:{site.port}/")


def test_redirects_are_followed_up_to_the_cap_and_no_further():
    with (
        name_server(lambda *_: (OUTSIDE,)) as names,
        picture_site({"/3": response(png())}, host=OUTSIDE) as site,
    ):
        for step in range(3):
            site.answer[f"/{step}"] = redirect(f"http://other.example.com:{site.port}/{step + 1}")
        url = f"http://{NAME}:{site.port}/0"

        assert _fetcher(names, site.port, max_redirects=3)(url) == png()
        with pytest.raises(ImageNotFetched, match="more than 2"):
            _fetcher(names, site.port, max_redirects=2)(url)


def test_as_shipped_only_https_on_the_usual_ports_is_spoken():
    fetcher = FetchPicture(resolver=SystemResolver(), clock=SystemClock())

    for url in ("http://example.com/", "https://example.com:22/", "https://example.com:6379/"):
        with pytest.raises(ImageNotFetched):
            fetcher(url)


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data",
     "https://10.0.0.1/", "https://[64:ff9b::7f00:1]/", "https://0.0.0.0/"],
)  # fmt: skip
def test_as_shipped_an_address_inside_is_not_connected_to(url):
    with pytest.raises(ImageNotFetched, match="public server"):
        FetchPicture(resolver=SystemResolver(), clock=SystemClock())(url)


def test_the_systems_resolver_answers_within_its_time_or_not_at_all():
    assert SystemResolver().resolve("no-such-name.invalid", timeout_s=0.0) == ()


@pytest.mark.parametrize("over", [0, 1])
def test_a_body_may_have_the_limit_and_not_a_byte_more(fetch, over):
    picture = png() + b"\x00" * 5000

    if over:
        with pytest.raises(ImageTooLarge):
            fetch(response(picture), max_bytes=len(picture) - 1)
    else:
        assert fetch(response(picture), max_bytes=len(picture)) == picture


def test_a_body_without_a_length_is_counted_as_it_comes(fetch):
    def endless(sock, _):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + png())
        for _ in range(10_000):
            sock.sendall(b"\x00" * 4096)

    with pytest.raises(ImageTooLarge):
        fetch(endless, max_bytes=100_000)


def test_headers_without_end_are_cut_off(fetch):
    def endless(sock, _):
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            sock.sendall(b"X-%d: y\r\n" % number)

    with pytest.raises((ImageNotFetched, ImageTooLarge)):
        fetch(endless)


def test_informational_answers_without_end_are_cut_off(fetch):
    def endless(sock, _):
        for _ in range(1_000_000):
            sock.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)

    with pytest.raises(ImageTooLarge):
        fetch(endless, max_bytes=1024)


def _dripping(head):
    def drip(sock, _):
        sock.sendall(head)
        for byte in b"X: y\r\n" * 100:
            time.sleep(0.02)
            sock.sendall(bytes([byte]))

    return drip


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + png()],
    ids=["headers", "body"],
)
def test_a_server_that_drips_is_left_when_the_whole_time_is_over(fetch, head):
    # Each single read succeeds in time; together they would take two seconds and more.
    with pytest.raises(ImageNotFetched):
        fetch(_dripping(head), total_s=0.2, step_s=0.2)


def test_a_server_that_says_nothing_is_left(fetch):
    with pytest.raises(ImageNotFetched):
        fetch(lambda *_: time.sleep(0.4), step_s=0.1)


def test_a_port_where_nobody_listens_is_told_as_no_answer():
    with socket.create_server((OUTSIDE, 0)) as closed:
        port = closed.getsockname()[1]
    with (
        name_server(lambda *_: (OUTSIDE,)) as names,
        pytest.raises(ImageNotFetched, match="did not answer"),
    ):
        _fetcher(names, port)(f"http://{NAME}:{port}/")


@pytest.mark.parametrize(
    "status", ["201 Created", "204 No Content", "206 Partial Content", "304 Not Modified", "401 No", "500 Broken"]
)  # fmt: skip
def test_only_a_plain_answer_is_taken(fetch, status):
    with pytest.raises(ImageNotFetched):
        fetch(response(b"", status=status))


@pytest.mark.parametrize(
    "answer",
    [
        lambda sock, _: sock.sendall(b"not http at all\r\n\r\n"),
        lambda sock, _: None,
        lambda sock, _: sock.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + png()[:50]
        ),
        lambda sock, _: sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    ],
    ids=["garbage", "nothing", "cut-short", "upgrade"],
)
def test_what_is_no_whole_answer_is_not_taken(fetch, answer):
    with pytest.raises(ImageNotFetched):
        fetch(answer)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>a page</html>", UnknownImageFormat),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnknownImageFormat),
        (b"", EmptyImage),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100, UnknownImageFormat),
    ],
    ids=["html", "svg", "empty", "video"],
)
def test_what_is_no_picture_is_refused_whatever_it_is_declared_as(fetch, body, error):
    with pytest.raises(error):
        fetch(response(body, "Content-Type: image/png"))


def test_a_picture_is_taken_whatever_it_is_declared_as(fetch):
    assert fetch(response(png(), "Content-Type: text/html")) == png()


def test_what_is_no_picture_is_left_after_its_first_bytes(fetch):
    sent = []

    def endless(sock, _):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            sock.sendall(b"no picture " * 1000)
            sent.append(1)

    with pytest.raises(UnknownImageFormat):
        fetch(endless, max_bytes=100_000_000)
    assert len(sent) < 1000


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_a_packed_picture_is_unpacked(fetch, encoding, pack):
    picture = png(side=500) + b"\x00" * 200_000

    assert fetch(response(pack(picture), f"Content-Encoding: {encoding}")) == picture


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(fetch):
    bomb = gzip.compress(png() + b"\x00" * 50_000_000)

    with pytest.raises(ImageTooLarge):
        fetch(response(bomb, "Content-Encoding: gzip"), max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", png()), ("gzip, gzip", png()), ("gzip", png()), ("gzip", gzip.compress(png())[:-20]), ("gzip", b"")],
    ids=["brotli", "twice", "not-packed", "cut-short", "nothing"],
)  # fmt: skip
def test_a_body_that_does_not_unpack_is_not_taken(fetch, encoding, body):
    with pytest.raises(ImageNotFetched):
        fetch(response(body, f"Content-Encoding: {encoding}"))


def test_many_threads_may_fetch_at_once():
    pictures = {f"/{n}": response(png((n, n, n))) for n in range(16)}
    got = {}
    with (
        name_server(lambda *_: (OUTSIDE,)) as names,
        picture_site(pictures, host=OUTSIDE) as site,
    ):
        fetcher = _fetcher(names, site.port)

        def one(number):
            got[number] = fetcher(f"http://{NAME}:{site.port}/{number}")

        threads = [threading.Thread(target=one, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert got == {n: png((n, n, n)) for n in range(16)}
