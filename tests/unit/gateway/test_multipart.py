"""Forms: what every client writes is read, and what two parsers may read differently is refused."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from consentry.gateway.multipart import MAX_PARTS, parts_of
from consentry.kernel.errors import BadRequest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

TYPE = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
END = b"--x--\r\n"


def read(body: bytes, content_type: str = TYPE) -> list[tuple[str, bool, bytes]]:
    return [(part.name, part.is_file, bytes(part.data)) for part in parts_of(content_type, body)]


@given(
    fields=st.dictionaries(
        st.text("abcdef[]_", min_size=1, max_size=8), st.text(max_size=40), max_size=4
    ),
    files=st.lists(
        st.tuples(st.text("klm[]", min_size=1, max_size=6), st.binary(max_size=200)), max_size=4
    ),
)
def test_what_a_client_library_writes_is_read_as_it_was_meant(fields, files):
    if not files:
        return
    sent = [(name, ("a.png", data, "image/png")) for name, data in files]
    request = httpx.Request("POST", "http://a/", data=fields, files=sent)

    found = read(request.read(), request.headers["content-type"])

    assert found == [
        *((name, False, text.encode()) for name, text in fields.items()),
        *((name, True, data) for name, data in files),
    ]


def starlette_reads(body: bytes) -> list[tuple[str, bool, bytes]]:
    async def chunks():
        yield body

    async def parse():
        parser = MultiPartParser(Headers({"content-type": TYPE}), chunks())
        found = []
        for name, value in (await parser.parse()).multi_items():
            if isinstance(value, str):
                found.append((name, False, value.encode()))
            else:
                found.append((name, True, value.file.read()))
                value.file.close()
        return found

    return asyncio.run(parse())


PIECES = [
    PART,
    b"--x\r\n",
    b"--x",
    b"--",
    b"\r\n",
    b"\n",
    b"x",
    b'Content-Disposition: form-data; name="b"; filename="f"\r\n',
    b"Content-Disposition: form-data; name=c\r\n",
    b"Content-Type: text/plain\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"\r\n\r\n",
    END,
]


@given(st.lists(st.sampled_from(PIECES), max_size=9).map(b"".join))
def test_whatever_is_read_another_parser_reads_alike(body):
    """The generator has a parser of its own: what passes here must mean the same there."""
    try:
        ours = read(body)
    except BadRequest:
        return
    try:
        theirs = starlette_reads(body)
    except MultiPartException:
        return  # nothing is generated from what the generator refuses
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        END,
        b"a preamble\r\n" + PART + END,
        PART,
        PART + END + b"an epilogue",
        PART + b"--xy--\r\n",
        PART.replace(b"\r\n", b"\n") + END,
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"\r\n\r\n1\r\n'
        + END,
        b'--x\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n' + END,
        b'--x\r\nContent-Disposition: form-data; name="a"; name="b"\r\n\r\n1\r\n' + END,
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" + END,
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n folded\r\n\r\n1\r\n' + END,
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nX-Own: 1\r\n\r\n1\r\n' + END,
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n'
        + END,
        b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n1\r\n' + END,
        b"--x\r\n\r\n1\r\n" + END,
        PART * (MAX_PARTS + 1) + END,
    ],
)
def test_a_form_that_is_not_written_plainly_is_refused(body):
    with pytest.raises(BadRequest):
        read(body)


def test_the_last_line_may_lack_its_end():
    assert read(PART + b"--x--") == [("a", False, b"1")]


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x; boundary=y",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=x, multipart/form-data; boundary=y",
        'multipart/form-data; boundary="x',
    ],
)
def test_a_boundary_that_may_be_read_in_two_ways_is_refused(content_type):
    with pytest.raises(BadRequest):
        read(PART + END, content_type)


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        (b"text/plain; charset=utf-16", b"a\x00"),
        (b"application/json", b"{}"),
        (b"text/plain", b"\xff"),
    ],
)
def test_a_field_that_is_no_text_in_utf_8_has_no_text(media_type, data):
    head = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\nContent-Type: '
    [part] = parts_of(TYPE, head + media_type + b"\r\n\r\n" + data + b"\r\n" + END)

    with pytest.raises(BadRequest):
        part.text()
