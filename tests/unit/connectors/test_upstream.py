"""Requests go out as they came, and answers come back as they are; nothing of one caller is kept for another."""

from __future__ import annotations

import asyncio

import pytest
from consentry.connectors.upstream import HttpUpstream
from consentry.gateway.exchange import Head
from consentry.kernel.errors import BadRequest, Unreachable, UpstreamTimedOut
from fakes.generator import Generator, Told, serving


@pytest.fixture(scope="module")
def address():
    generator = Generator()
    with serving(generator) as found:
        yield generator, found


def ask(address, *heads: Head, body=b"", **options):
    generator, found = address
    generator.asked.clear()

    async def run():
        upstream = HttpUpstream(f"{found}/v1/", **options)
        answers = []
        for head in heads:
            async with upstream.send(head, body() if callable(body) else body) as answer:
                answers.append((answer, b"".join([chunk async for chunk in answer.chunks])))
        await upstream.close()
        return answers

    return asyncio.run(run())


def head(path: str = "images/edits", method: str = "POST", query: bytes = b"", **headers: str):
    fields = tuple((n.replace("_", "-").encode(), v.encode()) for n, v in headers.items())
    return Head(method=method, path=path, query=query, headers=fields)


def test_what_belongs_to_the_neighbour_is_left_out_and_all_else_goes_on(address):
    generator, found = address

    ask(
        address,
        head(
            authorization="Bearer x",
            connection="close, x-hop",
            x_hop="1",
            te="trailers",
            host="somebody.else",
            x_own="2",
            query=b"a=%20&a=1",
        ),
        body=b"abc",
    )

    [asked] = generator.asked
    sent = {name: value for name, value in asked.headers.items() if name != "connection"}
    assert sent == {
        "host": found.removeprefix("http://"),
        "authorization": "Bearer x",
        "x-own": "2",
        "content-length": "3",
    }
    assert (asked.path, asked.query, asked.body) == ("/images/edits", b"a=%20&a=1", b"abc")


def test_a_body_that_streams_keeps_its_length_or_goes_in_chunks(address):
    generator, _ = address

    async def body():
        yield b"ab"
        yield b"c"

    ask(address, head("files", content_length="3"), head("files"), body=body)

    told, untold = generator.asked
    assert (told.body, told.headers["content-length"]) == (b"abc", "3")
    assert (untold.body, untold.headers["transfer-encoding"]) == (b"abc", "chunked")


def test_a_read_has_no_body(address):
    generator, _ = address

    ask(address, head("models", method="GET"))

    assert not {"content-length", "transfer-encoding"} & generator.asked[0].headers.keys()


def test_cookies_and_redirects_of_the_generator_are_handed_on_and_not_followed(address):
    generator, _ = address
    headers = {"set-cookie": "a=1", "location": "/v1/other"}
    generator.tell("/images/edits", Told(b"", status=307, headers=headers))

    answers = ask(address, head(), head())

    assert [each.status for each, _ in answers] == [307, 307]
    assert (b"set-cookie", b"a=1") in answers[0][0].headers
    assert all("cookie" not in each.headers for each in generator.asked)
    assert len(generator.asked) == 2


def test_a_packed_answer_comes_back_packed(address):
    generator, _ = address
    generator.tell("/models", Told(b"\x1f\x8bxyz", headers={"content-encoding": "gzip"}), "GET")

    [(answer, body)] = ask(address, head("models", method="GET"))

    assert body == b"\x1f\x8bxyz"
    assert (b"content-encoding", b"gzip") in answer.headers


def test_a_failing_body_ends_the_exchange(address):
    async def body():
        yield b"ab"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(address, head("files"), body=body)


def test_silence_and_absence_are_told_apart(address):
    generator, _ = address
    generator.tell("/images/edits", Told(b"{}", pause_s=30))

    with pytest.raises(UpstreamTimedOut):
        ask(address, head(), answer_timeout_s=0.2)
    with pytest.raises(Unreachable):
        ask((generator, "http://127.0.0.1:9"), head())


@pytest.mark.parametrize(
    "url",
    [
        "api.openai.com/v1",
        "ftp://api.openai.com",
        "http://",
        "https://user:secret@api.openai.com/v1",
        "https://api.openai.com/v1?key=1",
        "https://api.openai.com/v1#x",
        "https://api.openai.com:99999/v1",
        "https://exämple.com/v1",
    ],
)
def test_an_address_that_is_no_plain_one_is_refused_at_the_start(url):
    with pytest.raises(BadRequest):
        HttpUpstream(url)
