"""Words that are fitted to a check, pictures in ``data:`` URLs, in base64 and in addresses, events of a stream, refusals, room in memory."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from io import BytesIO
from itertools import pairwise
from urllib.parse import urlencode

import pytest
from consentry.api.gateway_memory import SMALL_BYTES, Memory, room_for_one
from consentry.checks.check import MAX_CONTEXT_TURNS, MAX_PROMPT_CHARS
from consentry.gateway import sources
from consentry.gateway.answers import events_of, whole_of
from consentry.gateway.data_urls import decoded, from_base64
from consentry.gateway.exchange import Answer, Head
from consentry.gateway.openai.refusals import worded
from consentry.gateway.plain import with_query
from consentry.gateway.refusals import Kind, Refusal, Stage, refusal_of
from consentry.gateway.request import GatewayRequest, Sent, StoredFile, WebAddress
from consentry.gateway.words import fitted, split_prompt
from consentry.kernel import errors
from consentry.kernel.errors import BadRequest, BodyTooLarge, ImageError, Overloaded, Unreachable
from consentry.kernel.taxonomy import PublicReason
from fakes.coloured_faces import picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image


@given(st.lists(st.text("abc \n", max_size=30), max_size=130))
def test_a_conversation_of_many_turns_keeps_every_word_in_order(turns):
    found = fitted(turns)

    assert len(found) <= MAX_CONTEXT_TURNS
    assert " ".join(found).split() == " ".join(turns).split()


def test_a_long_text_is_cut_so_that_every_phrase_is_whole_in_one_piece():
    phrase = "put her in a bikini"
    for place in range(MAX_PROMPT_CHARS - len(phrase) - 2, MAX_PROMPT_CHARS + 2):
        text = "x" * place + phrase + "x" * 500

        before, last = split_prompt(text)

        assert any(phrase in piece for piece in (*before, last))
        assert all(len(piece) <= MAX_PROMPT_CHARS for piece in (*before, last))


def test_more_words_than_can_be_examined_are_refused():
    with pytest.raises(BadRequest):
        fitted(["x" * MAX_PROMPT_CHARS] * (MAX_CONTEXT_TURNS + 1))


@pytest.mark.parametrize(
    ("url", "data"),
    [
        ("data:image/png;base64,QUJD", b"ABC"),
        ("DATA:image/png;BASE64,QUJD", b"ABC"),
        ("data:image/svg+xml;charset=utf-8,%3Csvg%2F%3E", b"<svg/>"),
        ("data:image/png;base64,QUI", b"AB"),
    ],
)
def test_a_picture_in_a_data_url_is_decoded(url, data):
    assert decoded(url) == data


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,QU JD",
        "data:image/png;base64,QUJD!",
        "data:image/png;base64,QUJ-",
        "data:image/png;base64",
        "data:;base64,QUJD",
        "data:text/html,hello",
        "data:video/mp4;base64,QUJD",
        "data:" + "image/png;a=b" * 100 + ",QUJD",
    ],
)
def test_a_data_url_that_is_no_picture_or_not_plain_is_refused(url):
    with pytest.raises(ImageError):
        decoded(url)


@given(st.binary(max_size=60))
def test_base64_is_read_with_and_without_padding(data):
    text = base64.b64encode(data).decode()

    assert from_base64(text) == from_base64(text.rstrip("=")) == data


def test_a_bare_picture_is_known_by_its_beginning_alone(monkeypatch):
    """To look for base64 of anything takes thirty times as long."""

    class Unasked:
        def fullmatch(self, text):
            raise AssertionError("the whole of it was looked through")

    monkeypatch.setattr(sources, "_BLOB", Unasked())
    data = picture((1, 2, 3))

    assert sources.picture_in(base64.b64encode(data).decode()) == Sent(data)
    with pytest.raises(ImageError):
        sources.picture_in(base64.b64encode(data).decode() + "!")


@pytest.mark.parametrize(
    ("text", "is_base64"),
    [
        ("a" * 128, True),
        (("a" * 76 + "\n") * 3 + "b" * 10 + "==", True),
        ("a" * 59 + "\n" + "b" * 100, False),
        ("a" * 127, False),
        ("a" * 200 + "!", False),
        (("a" * 76 + "\n") * 3 + "!", False),
    ],
)
def test_base64_of_anything_is_no_word(text, is_base64):
    try:
        found = sources.picture_in(text)
    except ImageError:
        found = "not read alike"

    assert (found is not None) == is_base64


def asked(value: str) -> GatewayRequest:
    head = Head(method="POST", path="chat/completions", query=urlencode({"x": value}).encode())
    return with_query(GatewayRequest(pictures=(), prompt="hello"), head)


def test_a_signature_in_an_address_is_no_picture():
    signature = base64.urlsafe_b64encode(bytes(range(100, 256)) * 2).decode()

    assert {"-", "_"} <= set(signature)
    assert asked(signature).pictures == ()
    assert "".join(asked(signature).context) == signature


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_picture_in_an_address_is_one_in_the_base64_for_addresses_too(name):
    encoded = BytesIO()
    Image.new("RGB", (40, 40), (255, 239, 255)).save(encoded, name)
    data = encoded.getvalue() + bytes(range(256))

    assert asked(base64.b64encode(data).decode()).pictures == (Sent(data),)
    with pytest.raises(ImageError):
        asked(base64.urlsafe_b64encode(data).decode())


def test_a_picture_by_address_is_not_given_in_an_address():
    """It would be fetched a second time, whatever stands in the body."""
    with pytest.raises(BadRequest):
        asked(" https://pictures.example.com/a.png")


def test_a_long_name_of_a_file_in_an_address_is_no_signature():
    name = "file-" + "a_b" * 60

    assert asked(name).pictures == (StoredFile(name),)


def test_an_address_in_its_field_is_the_same_with_blanks_around_it():
    assert sources.address(" https://a.example/b.png\n") == WebAddress("https://a.example/b.png")


def answer(*chunks: bytes, **headers: str) -> Answer:
    async def send():
        for chunk in chunks:
            yield chunk

    fields = tuple((name.encode(), value.encode()) for name, value in headers.items())
    return Answer(status=200, headers=fields, chunks=send())


def events(*chunks: bytes, limit: int = 1000):
    async def read():
        return [(each.raw, each.data) async for each in events_of(answer(*chunks), limit)]

    return asyncio.run(read())


EVENTS = [
    (b"data: a\n\n", b"a"),
    (b"event: x\r\ndata: b\r\ndata:c\r\n\r\n", b"b\nc"),
    (b": nothing\r\r", b""),
    (b"data\n\n", b""),
    (b"data: the end", b"the end"),
]


@given(st.lists(st.integers(1, 60), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts):
    whole = b"".join(raw for raw, _ in EVENTS)
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    chunks = [whole[a:b] for a, b in pairwise(places)]

    found = events(*chunks)

    assert b"".join(raw for raw, _ in found) == whole
    assert [data for _, data in found if data] == [data for _, data in EVENTS if data]


def test_an_event_that_never_ends_is_given_up():
    with pytest.raises(Unreachable):
        events(b"data: " + b"x" * 2000)


def whole(*chunks: bytes, limit: int = 1000, **headers: str) -> bytes:
    return asyncio.run(whole_of(answer(*chunks, **headers), limit)).plain


def test_a_packed_answer_is_unpacked_for_the_check():
    assert whole(gzip.compress(b"hello"), **{"content-encoding": "gzip"}) == b"hello"


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(b"x" * 100_000), "gzip"),
        (gzip.compress(b"hello")[:-3], "gzip"),
        (gzip.compress(b"a") + gzip.compress(b"b"), "gzip"),
        (b"hello", "br"),
        (b"hello", "gzip, gzip"),
        (b"x" * 1001, "identity"),
    ],
    ids=["bomb", "cut", "two", "unknown", "twice", "large"],
)
def test_an_answer_that_cannot_be_unpacked_for_certain_is_refused(body, coding):
    with pytest.raises(Unreachable):
        whole(body, **{"content-encoding": coding})


def all_errors(kind: type[errors.ConsentryError] = errors.ConsentryError):
    yield kind
    for below in kind.__subclasses__():
        yield from all_errors(below)


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("stage", list(Stage))
def test_every_error_is_a_refusal_in_the_shape_of_the_api(kind, stage):
    made = kind.__new__(kind)
    Exception.__init__(made, "a secret of ours")

    refusal = refusal_of(made, stage)
    reply = worded(refusal, "req_1")

    assert reply.status >= 400
    assert set(json.loads(reply.body)["error"]) >= {"message", "type", "param", "code"}
    if refusal.kind is Kind.ERROR:
        assert b"a secret of ours" not in reply.body


@pytest.mark.parametrize("reason", list(PublicReason))
def test_every_reason_has_a_category(reason):
    reply = worded(Refusal(kind=Kind.BLOCKED, reasons=(reason,)), "req_1")

    assert json.loads(reply.body)["error"]["moderation_details"]["categories"]


def test_room_is_never_given_twice_and_always_comes_back():
    async def run():
        memory, most = Memory(100 * SMALL_BYTES, patience_s=5.0), 0

        async def use(size):
            nonlocal most
            await memory.take(size)
            most = max(most, memory.used)
            await asyncio.sleep(0)
            memory.give_back(size)

        await asyncio.gather(*(use((1 + i % 40) * SMALL_BYTES) for i in range(200)))
        return memory.used, memory.waiting, most

    used, waiting, most = asyncio.run(run())

    assert (used, waiting) == (0, 0)
    assert most <= 100 * SMALL_BYTES


def test_who_stops_waiting_leaves_no_room_taken():
    async def run():
        memory = Memory(100 * SMALL_BYTES, patience_s=0.05)
        await memory.take(room_for_one(memory.total))
        with pytest.raises(Overloaded):
            await memory.take(80 * SMALL_BYTES)
        waiting = asyncio.create_task(memory.take(80 * SMALL_BYTES))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        memory.give_back(room_for_one(memory.total))
        return memory.used, memory.waiting

    assert asyncio.run(run()) == (0, 0)


def test_room_that_was_given_to_somebody_who_left_at_that_moment_comes_back():
    async def run():
        memory = Memory(100 * SMALL_BYTES, patience_s=5.0)
        await memory.take(80 * SMALL_BYTES)
        waiting = asyncio.create_task(memory.take(80 * SMALL_BYTES))
        await asyncio.sleep(0)
        memory.give_back(80 * SMALL_BYTES)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return memory.used

    assert asyncio.run(run()) == 0


def test_a_part_of_the_room_is_for_small_requests():
    async def run():
        memory = Memory(80 * SMALL_BYTES, patience_s=0.05)
        await memory.take(70 * SMALL_BYTES)
        await memory.take(SMALL_BYTES)
        with pytest.raises(Overloaded):
            await memory.take(5 * SMALL_BYTES)

    asyncio.run(run())


def test_a_request_that_would_never_find_room_is_told_so():
    with pytest.raises(BodyTooLarge):
        asyncio.run(Memory(80, patience_s=5.0).take(79))
