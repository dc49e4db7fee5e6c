"""Requests that no client library writes, over a bare socket to the real server: nothing gets by, nothing breaks it."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import socket
import time
import zlib
from urllib.parse import urlsplit

import httpx
import pytest
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVE, EVERYDAY, KEY
from fakes.generator import Told

DEADLINE_S = 120
CRLF = b"\r\n"


def edit_of(colour) -> bytes:
    url = "data:image/png;base64," + base64.b64encode(picture(colour)).decode()
    return json.dumps({"prompt": EVERYDAY, "images": [{"image_url": url}]}).encode()


HERS, STRANGERS = edit_of(ADA), edit_of(EVE)


def request(
    target: str = "/openai/v1/images/edits",
    body: bytes = HERS,
    *,
    method: str = "POST",
    fields: tuple[str, ...] = (),
    version: str = "1.1",
    length: int | None = -1,
    closes: bool = True,
) -> bytes:
    """One request as it is on the wire; ``length`` None says none."""
    lines = [f"{method} {target} HTTP/{version}", "Host: gateway", f"Authorization: Bearer {KEY}"]
    if not any(each.lower().startswith("content-type") for each in fields):
        lines.append("Content-Type: application/json")
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length < 0 else length}")
    if closes and not any(each.lower().startswith("connection") for each in fields):
        lines.append("Connection: close")
    head = CRLF.join(each.encode("utf-8") for each in (*lines, *fields))
    return head + CRLF + CRLF + body


def sent(site, *pieces: bytes, ends: bool = False) -> bytes:
    """Send these bytes, and return all that comes back until the server closes."""
    parts = urlsplit(site.address)
    answer = bytearray()
    place = (parts.hostname, parts.port)
    with socket.create_connection(place, DEADLINE_S) as line, contextlib.suppress(ConnectionError):
        for each in pieces:
            line.sendall(each)
        if ends:
            line.shutdown(socket.SHUT_WR)
        while chunk := line.recv(65536):
            answer += chunk
    return bytes(answer)


def statuses(answer: bytes) -> list[int]:
    found = [int(each[:3]) for each in answer.split(b"HTTP/1.1 ")[1:]]
    assert found, "there was no answer at all"
    return found


def is_well(site) -> bool:
    return httpx.get(f"{site.address}/health", timeout=DEADLINE_S).status_code == 200


def judged(site) -> list[str]:
    return [each.path for each in site.generator.asked if each.method != "GET"]


TARGETS = [
    "/openai/v1/images%2Fedits",
    "/openai/v1/images%2fedits",
    "/openai/v1/%69mages/edits",
    "/openai%2Fv1/images/edits",
    "/openai/v1/images%252Fedits",
    "//openai/v1/images/edits",
    "/openai//v1/images/edits",
    "/openai/v1//images/edits",
    "/openai/v1/images//edits",
    "/openai/v1/images/edits/",
    "/openai/v1/images/edits//",
    "/openai/v1/./images/edits",
    "/openai/v1/models/../images/edits",
    "/openai/v1/files/../images/edits",
    "/openai/v1/files/%2e%2e/images/edits",
    "/x/../openai/v1/images/edits",
    "/openai/v1/../v1/images/edits",
    "/OPENAI/V1/images/edits",
    "/openai/v1/Images/Edits",
    "/openai/v1/images/edits;x=1",
    "/openai/v1;x=1/images/edits",
    "/openai/v1/images/edits%00",
    "/openai/v1/images/edits%3Fx",
    "/openai/v1/images/edits%20",
    "/openai/v1/images\\edits",
    "/openai/v1/images/edits#x",
    "/openai/v1/images/edits?x#y",
    "/openai/v1/images/édits",
    "http://elsewhere.example/openai/v1/images/edits",
    "elsewhere.example/openai/v1/images/edits",
    "/openai/v1/images/edits/../../moderations",
    "/openai/v1/moderations/../images/edits",
    "/openai/v1/moderations%2F..%2Fimages%2Fedits",
    "*",
    "",
]


@pytest.mark.parametrize("target", TARGETS)
def test_no_way_of_writing_an_address_leads_past_the_check(site, target):
    answer = sent(site, request(target))

    assert all(400 <= each < 500 for each in statuses(answer)), answer
    assert judged(site) == []
    assert is_well(site)


@pytest.mark.parametrize("target", TARGETS)
def test_an_address_is_either_closed_or_the_one_that_was_judged(site, target):
    """With a stranger in the picture: what is forwarded, if anything is, goes where it was judged for."""
    sent(site, request(target, STRANGERS))

    assert set(judged(site)) <= {"/images/edits"}


@pytest.mark.parametrize(
    "method",
    ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "post", "BREW", "PRI"],
)
def test_no_other_verb_is_let_through(site, method):
    answer = sent(site, request(method=method))

    assert all(400 <= each < 500 for each in statuses(answer)), answer
    assert site.generator.asked == []
    assert is_well(site)


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "TLS/1.0"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_other_protocol_is_spoken_below_the_prefix(site, protocol, method):
    fields = (
        "Connection: close, Upgrade, HTTP2-Settings",
        f"Upgrade: {protocol}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
    )
    body = b"" if method == "GET" else HERS

    answer = sent(site, request(method=method, body=body, fields=fields))

    assert all(400 <= each < 500 for each in statuses(answer)), answer
    assert site.generator.asked == []


def chunked(body: bytes, *, size: bytes | None = None, end: bytes = b"0\r\n\r\n") -> bytes:
    return (size or f"{len(body):x}".encode()) + CRLF + body + CRLF + end


def bodies(body: bytes) -> dict[str, bytes]:
    """Ways to send a body of which somebody on the way may make another."""
    return {
        "packed": request(body=gzip.compress(body), fields=("Content-Encoding: gzip",)),
        "deflated": request(body=zlib.compress(body), fields=("Content-Encoding: deflate",)),
        "packed twice": request(
            body=gzip.compress(gzip.compress(body)), fields=("Content-Encoding: gzip, gzip",)
        ),
        "packed and not": request(
            body=gzip.compress(body),
            fields=("Content-Encoding: identity", "Content-Encoding: gzip"),
        ),
        "packed without saying so": request(body=gzip.compress(body)),
        "said to be packed": request(body=body, fields=("Content-Encoding: gzip",)),
        "said to be packed, for one hop": request(
            body=body,
            fields=("Content-Encoding: identity", "Connection: close, Content-Encoding"),
        ),
        "said to be packed and not": request(
            body=body, fields=("Content-Encoding: identity", "Content-Encoding: gzip")
        ),
        "said to be in UTF-16": request(
            body=body, fields=("Content-Type: application/json; charset=utf-16",)
        ),
        "packed in transfer": request(
            body=chunked(gzip.compress(body)),
            fields=("Transfer-Encoding: gzip, chunked",),
            length=None,
        ),
        "of two types": request(
            body=body, fields=("Content-Type: application/json", "Content-Type: text/plain")
        ),
        "of a type that lies": request(
            body=body, fields=("Content-Type: multipart/form-data; boundary=x",)
        ),
        "of no type": request(body=body, fields=("Content-Type:",)),
        "of plain text": request(body=body, fields=("Content-Type: text/plain",)),
        "in UTF-16": request(
            body=body.decode().encode("utf-16"),
            fields=("Content-Type: application/json; charset=utf-16",),
        ),
        "with a mark of its order": request(body=b"\xef\xbb\xbf" + body),
        "in pieces": request(
            body=chunked(body), fields=("Transfer-Encoding: chunked",), length=None
        ),
        "in pieces and with a length": request(
            body=chunked(body), fields=("Transfer-Encoding: chunked",), length=4
        ),
        "in pieces with extensions": request(
            body=chunked(body, size=f'{len(body):x};a="b"'.encode()),
            fields=("Transfer-Encoding: chunked",),
            length=None,
        ),
        "in pieces with a trailer": request(
            body=chunked(body, end=b"0\r\nContent-Type: text/plain\r\n\r\n"),
            fields=("Transfer-Encoding: chunked", "Trailer: Content-Type"),
            length=None,
        ),
        "in pieces of no length": request(
            body=chunked(body, size=b"zz"), fields=("Transfer-Encoding: chunked",), length=None
        ),
        "in pieces, obscured": request(
            body=chunked(body), fields=("Transfer-Encoding : chunked",), length=None
        ),
        "in pieces, twice": request(
            body=chunked(body),
            fields=("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
            length=None,
        ),
        "of two lengths": request(body=body, fields=(f"Content-Length: {len(body) - 1}",)),
        "of a list of lengths": request(
            body=body, fields=(f"Content-Length: {len(body)}, {len(body)}",), length=None
        ),
        "of a length below nothing": request(
            body=body, fields=("Content-Length: -1",), length=None
        ),
        "of a length that is none": request(
            body=body, fields=("Content-Length: 0x10",), length=None
        ),
        "of a type for one hop": request(body=body, fields=("Connection: close, Content-Type",)),
        "of an old version": request(body=body, version="1.0"),
        "of an old version, in pieces": request(
            body=chunked(body), fields=("Transfer-Encoding: chunked",), length=None, version="1.0"
        ),
        "of a version to come": request(body=body, version="3.0"),
        "under a folded field": request(body=body, fields=("X-A: b\r\n Content-Type: text/plain",)),
        "under a field with a zero": request(body=body, fields=("X-A: b\x00c",)),
        "under a field of another script": request(body=body, fields=("X-A: ключ",)),
        "under ten thousand fields": request(
            body=body, fields=tuple(f"X-{i}: a" for i in range(10_000))
        ),
        "under a field of a megabyte": request(body=body, fields=("X-A: " + "a" * 1_000_000,)),
        "that expects something": request(body=body, fields=("Expect: the-impossible",)),
    }


SHE_IN_IT, STRANGER_IN_IT = bodies(HERS), bodies(STRANGERS)
PASSES = {
    "in pieces",
    "in pieces and with a length",
    "in pieces with extensions",
    "in pieces with a trailer",
    "of a list of lengths",
    "of an old version",
    "of an old version, in pieces",
    "of a version to come",
    "under a folded field",
    "under a field of another script",
    "that expects something",
}
"""What is read in one way here, and sent on anew: whole, with its length, as HTTP/1.1."""
MAY_PASS = {"under ten thousand fields"}
"""As above, or refused: that depends on how much of the head comes at once."""


def test_every_way_that_may_be_taken_is_among_those_that_are_tried():
    assert STRANGER_IN_IT.keys() > PASSES | MAY_PASS


@pytest.mark.parametrize("way", SHE_IN_IT)
def test_however_a_body_is_sent_it_is_judged_or_refused(site, way):
    answer = sent(site, SHE_IN_IT[way])

    # 501 and 505 are the server's own words for a coding or a version that it does not speak.
    assert all(100 <= each < 500 or each in (501, 505) for each in statuses(answer)), answer
    assert 200 not in statuses(answer)
    assert judged(site) == []
    if way not in MAY_PASS:
        assert (b"moderation_blocked" in answer) == (way in PASSES), answer
    assert is_well(site)


@pytest.mark.parametrize("way", STRANGER_IN_IT)
def test_what_is_forwarded_of_a_body_is_what_was_judged(site, way):
    """With a stranger in the picture, so that it is the way it is sent for which it is refused."""
    answer = sent(site, STRANGER_IN_IT[way])

    has_passed = 200 in statuses(answer)
    if way not in MAY_PASS:
        assert has_passed == (way in PASSES), answer
    assert b"moderation_blocked" not in answer
    asked = [(each.body, codings_of(each)) for each in site.generator.asked]
    assert asked == [(STRANGERS, PLAIN)] * has_passed


PLAIN = {"content-type": "application/json", "content-length": str(len(STRANGERS))}


def codings_of(asked) -> dict[str, str]:
    """The header fields by which the generator reads a body."""
    said = ("content-type", "content-encoding", "content-length", "transfer-encoding")
    return {each: asked.headers[each] for each in said if each in asked.headers}


def test_a_body_that_ends_too_soon_is_not_judged_and_leaves_nothing_behind(site):
    sent(site, request(length=len(HERS) + 10), ends=True)

    gives_up_at = time.monotonic() + DEADLINE_S
    while site.app.memory.used and time.monotonic() < gives_up_at:
        time.sleep(0.01)
    assert site.app.memory.used == 0
    assert judged(site) == []


def test_requests_behind_each_other_on_one_line_are_each_judged(site):
    first, second, third = (
        request(body=STRANGERS, closes=False),
        request(body=HERS, closes=False),
        request(body=STRANGERS),
    )

    answer = sent(site, first + second + third)

    assert statuses(answer) == [200, 400, 200]
    assert [each.body for each in site.generator.asked] == [STRANGERS, STRANGERS]


def test_a_request_in_the_body_of_a_closed_one_is_not_carried_out(site):
    inner = request(body=STRANGERS)

    answer = sent(site, request("/openai/v1/videos", body=inner, closes=False))

    assert statuses(answer) == [404]
    assert site.generator.asked == []


def test_a_request_behind_one_with_a_length_that_is_too_short_is_judged_as_its_own(site):
    hidden = request(body=HERS)

    answer = sent(site, request(body=b"{}" + hidden, length=2, closes=False))

    assert statuses(answer) == [400, 400]
    assert site.generator.asked == []


@pytest.mark.parametrize(
    "field",
    [
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
    ],
)
def test_no_header_field_sends_a_request_to_another_place_than_was_judged(site, field):
    site.generator.told_for_anything = b"{}"

    answer = site.post("moderations", content=HERS, headers={field: "/v1/images/edits"})

    assert answer.status_code == 200
    [asked] = site.generator.asked
    assert (asked.path, asked.body) == ("/moderations", HERS)
    assert field.lower() not in asked.headers


JSON = {
    "a list": b"[1]",
    "a word": b'"undress her"',
    "nothing": b"",
    "null": b"null",
    "a number without end": b'{"n":' + b"9" * 100_000 + b"}",
    "an exponent without end": b'{"n":1e999999999}',
    "as deep as it goes": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "lists as deep as they go": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "half a character": b'{"prompt":"\\ud800"}',
    "bytes that are no text": b'{"prompt":"\xff\xfe"}',
    "a zero in a name": b'{"pro\\u0000mpt":"a"}',
    "two documents": b"{}{}",
    "a comment": b'{"prompt":"a"} // b',
    "an empty name": b'{"":"undress her"}',
    "numbers in place of words": b'{"prompt":[1,2,3],"model":7,"messages":9,"input":{"a":1}}',
    "objects in place of words": b'{"prompt":{"text":{"a":null}},"messages":[[[]]],"input":[null,1]}',
    "a type that is a list": b'{"messages":[{"content":[{"type":["image_url"],"a":"b"}]}],"input":[]}',
}


@pytest.mark.parametrize(
    "route", ["images/edits", "images/generations", "responses", "chat/completions", "batches"]
)
@pytest.mark.parametrize("body", JSON)
def test_no_json_breaks_it(site, route, body):
    headers = {"content-type": "application/json"}
    site.generator.told_for_anything = b'{"object":"x"}'

    answer = site.post(route, content=JSON[body], headers=headers)

    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert set(answer.json()["error"]) >= {"message", "type", "param", "code"}


def part(head: str, data: bytes) -> bytes:
    return b"--x\r\n" + head.encode("utf-8") + b"\r\n\r\n" + data + b"\r\n"


PROMPT = part('Content-Disposition: form-data; name="prompt"', EVERYDAY.encode())


def forms(face: bytes) -> dict[str, bytes]:
    """Forms of which another reader may make something else."""
    image = part('Content-Disposition: form-data; name="image"; filename="a.png"', picture())
    return {
        "a name without quotes": PROMPT + part("Content-Disposition: form-data; name=image; filename=a", face),
        "two file names": PROMPT + part('Content-Disposition: form-data; name="a"; filename="a"; filename="b"', face),
        "two names": PROMPT + part('Content-Disposition: form-data; name="prompt"; name="image"', face),
        "two dispositions": PROMPT + part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="image"; filename="a"', face),
        "a part in base64": PROMPT + part('Content-Disposition: form-data; name="image"; filename="a"\r\nContent-Transfer-Encoding: base64', base64.b64encode(face)),
        "a part in quoted letters": PROMPT + part('Content-Disposition: form-data; name="image"; filename="a"\r\nContent-Transfer-Encoding: quoted-printable', face),
        "a part of parts": PROMPT + part('Content-Disposition: form-data; name="image"\r\nContent-Type: multipart/mixed; boundary=y', b"--y\r\n\r\n" + face + b"\r\n--y--"),
        "a picture in a field": PROMPT + part('Content-Disposition: form-data; name="image"', face),
        "a picture in a field of another name": PROMPT + part('Content-Disposition: form-data; name="reference"', face),
        "a charset for all": part('Content-Disposition: form-data; name="_charset_"', b"utf-7") + PROMPT + image + part('Content-Disposition: form-data; name="ref"', "имя".encode("utf-16")),
        "a boundary in the picture": PROMPT + part('Content-Disposition: form-data; name="image"; filename="a.png"', picture() + b"\r\n--x\r\n" + face),
        "no end": PROMPT + image,
        "two prompts": PROMPT + PROMPT.replace(b"prompt", b"Prompt") + image + b"--x--\r\n",
        "something before": b"preamble\r\n" + PROMPT + image + b"--x--\r\n",
        "something behind": PROMPT + image + b"--x--\r\n" + part('Content-Disposition: form-data; name="image"; filename="a"', face),
    }  # fmt: skip


FORMS_OF_HER, FORMS_OF_A_STRANGER = forms(picture(ADA)), forms(picture(EVE))
PASSING_FORMS = {"a picture in a field"}
"""Of which every reader makes the same."""
ENDED = ("no end", "two prompts", "something before")


def send_form(site, form: str, made: bytes) -> tuple[bytes, httpx.Response]:
    body = made if form in ENDED else made + b"--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    return body, site.post("images/edits", content=body, headers=headers)


@pytest.mark.parametrize("form", FORMS_OF_HER)
def test_a_form_that_another_reader_reads_otherwise_is_refused(site, form):
    _, answer = send_form(site, form, FORMS_OF_HER[form])

    assert answer.status_code == 400, answer.text
    assert site.generator.asked == []


@pytest.mark.parametrize("form", FORMS_OF_A_STRANGER)
def test_what_is_forwarded_of_a_form_is_what_was_judged(site, form):
    """With a stranger in the picture, so that it is the form for which it is refused."""
    body, answer = send_form(site, form, FORMS_OF_A_STRANGER[form])

    has_passed = form in PASSING_FORMS
    assert answer.status_code == (200 if has_passed else 400), answer.text
    assert "moderation_blocked" not in answer.text
    assert [each.body for each in site.generator.asked] == [body] * has_passed


def test_a_plain_form_of_a_stranger_passes(site):
    """Or the tests above would prove nothing."""
    image = part('Content-Disposition: form-data; name="image"; filename="a.png"', picture(EVE))
    headers = {"content-type": "multipart/form-data; boundary=x"}

    answer = site.post("images/edits", content=PROMPT + image + b"--x--\r\n", headers=headers)

    assert answer.status_code == 200
    assert len(judged(site)) == 1


@pytest.mark.parametrize(
    "blank",
    ["", " ", "\n", "\u2003", " " * 60_000],
    ids=["none", "one", "a line", "a wide one", "very many"],
)
def test_an_address_is_forwarded_as_its_picture_wherever_it_is(site, blank):
    url = "https://pictures.example/a.png"
    site.web.pictures[url] = picture(EVE)
    images = [url, url + blank, {"image_url": blank + url}]

    answer = site.post("images/edits", json={"prompt": EVERYDAY, "images": images})

    assert answer.status_code == 200, answer.text
    [asked] = site.generator.asked
    assert url.encode() not in asked.body
    assert asked.body.count(b"data:image/png;base64,") == len(images)


def test_an_address_is_not_forwarded_in_the_query(site):
    url = "https://pictures.example/a.png"
    site.web.pictures[url] = picture(EVE)
    body = {"prompt": EVERYDAY, "images": [{"image_url": url}]}

    answer = site.post(f"images/edits?ref={url}", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] != "moderation_blocked"
    assert site.generator.asked == []


def test_a_signature_in_the_query_of_a_chat_is_handed_on(site):
    signature = base64.urlsafe_b64encode(bytes(range(100, 256)) * 2).decode()
    site.generator.told_for_anything = b"{}"
    body = {"model": "gpt-6", "messages": [{"role": "user", "content": "hello"}]}

    answer = site.post(f"chat/completions?sig={signature}", json=body)

    assert answer.status_code == 200, answer.text
    assert [each.query for each in site.generator.asked] == [f"sig={signature}".encode()]


def test_an_answer_that_says_one_thing_and_is_another_is_not_delivered(site):
    """The generator, or somebody behind it, calls a picture a text."""
    told = Told(picture(ADA), headers={"content-type": "text/plain"})
    site.generator.tell("/files/file-1/content", told, method="GET")

    assert site.get("files/file-1/content").status_code == 400


def test_a_file_that_cannot_be_had_is_refused_as_unreadable(site):
    answer = site.post("images/edits", json={"prompt": EVERYDAY, "images": [{"file_id": "file-0"}]})

    assert answer.json()["error"]["code"] == "image_parse_error"
    assert "cannot be looked at" in answer.json()["error"]["message"]
    assert judged(site) == []
