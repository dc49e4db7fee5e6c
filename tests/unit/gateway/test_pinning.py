"""What is forwarded holds the picture that was checked, not the address it came from."""

from __future__ import annotations

import base64
import json

import pytest
from consentry.gateway.pinning import pinned
from consentry.kernel.errors import BadRequest
from fakes.coloured_faces import picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

URL = "https://pictures.example.com/a.png?x=1&y=é"
PICTURE = picture((1, 2, 3))
DATA = "data:image/png;base64," + base64.b64encode(PICTURE).decode()


def pin(body: bytes, pictures=None, media_type="application/json") -> bytes:
    return pinned(body, media_type, {URL: PICTURE} if pictures is None else pictures)


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04X}" for char in text)


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(URL),
        json.dumps(URL, ensure_ascii=False),
        json.dumps(URL).replace("/", "\\/"),
        f'"{escaped(URL)}"',
    ],
    ids=["plain", "unicode", "slashes", "all-escaped"],
)
def test_an_address_is_replaced_however_it_is_written(written):
    body = b'{"prompt":"x", "image" :{"url":' + written.encode() + b"}}"

    assert json.loads(pin(body)) == {"prompt": "x", "image": {"url": DATA}}


def test_every_time_it_is_there():
    body = json.dumps({"images": [{"url": URL}, {"url": URL}, URL]}).encode()

    assert json.loads(pin(body)) == {"images": [{"url": DATA}, {"url": DATA}, DATA]}


@pytest.mark.parametrize(
    "blanks",
    [" ", "\n", "\u00a0", " " * 100_000],
    ids=["a blank", "a line", "one that does not break", "very many"],
)
def test_an_address_with_blanks_around_it_is_the_same_one(blanks):
    body = json.dumps({"images": [URL, URL + blanks, {"url": blanks + URL}]}).encode()

    assert json.loads(pin(body)) == {"images": [DATA, DATA, {"url": DATA}]}


def test_every_other_byte_stays_as_it_was():
    body = (
        b'{ "n":1.50,\n"a":"\\u0068\\"\\\\", "url": "'
        b"https://b.example/"
        b'" ,"i":' + json.dumps(URL).encode() + b"}  "
    )

    assert pin(body) == body.replace(json.dumps(URL).encode(), json.dumps(DATA).encode())


def test_the_name_of_a_member_is_no_address():
    body = json.dumps({URL: 1, "image": URL}).encode()

    assert json.loads(pin(body)) == {URL: 1, "image": DATA}


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b'{"input_file_id":"file-1"}', "application/json"),
        (json.dumps({"text": f"see {URL}"}).encode(), "application/json"),
        (URL.encode(), "multipart/form-data"),
    ],
    ids=["in-a-stored-file", "within-words", "in-a-form"],
)
def test_what_cannot_be_held_fast_is_refused(body, media_type):
    with pytest.raises(BadRequest):
        pin(body, media_type=media_type)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.just(URL),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )
)
def test_whatever_the_body_is_it_stays_json_without_the_address(value):
    body = json.dumps({"first": URL, "rest": value}).encode()

    def expected(each):
        if isinstance(each, dict):
            return {name: expected(member) for name, member in each.items()}
        if isinstance(each, list):
            return [expected(member) for member in each]
        return DATA if each == URL else each

    assert json.loads(pin(body)) == expected(json.loads(body))


def test_without_addresses_a_body_is_forwarded_as_it_came():
    assert pin(b"not even json", pictures={}, media_type="text/plain") == b"not even json"
