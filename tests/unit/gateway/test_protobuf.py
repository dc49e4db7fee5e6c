"""Messages of Protocol Buffers are read as the library reads them, or not at all."""

from __future__ import annotations

import base64

import pytest
from consentry.gateway.protobuf import MAX_PARTS, Message, Scalar, exchanged, read, written
from consentry.gateway.xai_grpc import messages
from consentry.kernel.errors import BadRequest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xai_sdk.proto import batch_pb2, chat_pb2, files_pb2, image_pb2

slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

INNER = Message("Inner", text=(1, Scalar.TEXT), number=(2, Scalar.NUMBER))
OUTER = Message(
    "Outer",
    text=(1, Scalar.TEXT),
    data=(2, Scalar.BYTES),
    inner=(3, INNER),
    inners_s=(4, INNER),
    numbers_s=(5, Scalar.NUMBER),
    share=(6, Scalar.FLOAT),
)
# What each of our tables stands for in the client's own definitions.
KNOWN = [
    (messages.GENERATE_IMAGE, image_pb2.GenerateImageRequest),
    (messages.GET_COMPLETIONS, chat_pb2.GetCompletionsRequest),
    (messages.CREATE_BATCH, batch_pb2.CreateBatchRequest),
    (messages.ADD_BATCH_REQUESTS, batch_pb2.AddBatchRequestsRequest),
    (messages.RETRIEVE_FILE_CONTENT, files_pb2.RetrieveFileContentRequest),
    (messages.IMAGE_RESPONSE, image_pb2.ImageResponse),
    (messages.LIST_BATCH_RESULTS, batch_pb2.ListBatchResultsResponse),
    (messages.BATCH_REQUEST_RESULT, batch_pb2.GetBatchRequestResultResponse),
    (messages.FILE_CONTENT, files_pb2.FileContentChunk),
]
CLOSED = {"BatchRequest.video_request", "BatchRequest.video_extension_request"}
NUMBERS = {
    FieldDescriptor.TYPE_ENUM,
    FieldDescriptor.TYPE_INT32,
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_BOOL,
}
KINDS = {
    FieldDescriptor.TYPE_STRING: Scalar.TEXT,
    FieldDescriptor.TYPE_BYTES: Scalar.BYTES,
    FieldDescriptor.TYPE_FLOAT: Scalar.FLOAT,
}


def field(number: int, value: bytes) -> bytes:
    return written(number << 3 | 2) + written(len(value)) + value


def differences(table: Message, theirs: Descriptor) -> list[str]:
    """Where a table says something else than the client's own definition."""
    found = []
    fields = {each.number: each for each in theirs.fields}
    for number, known in table.fields.items():
        other = fields.pop(number)
        if isinstance(known.kind, Message):
            assert other.message_type is not None, other.full_name
            assert other.message_type.full_name.endswith(known.kind.name)
            found += differences(known.kind, other.message_type)
        else:
            kind = Scalar.NUMBER if other.type in NUMBERS else KINDS[other.type]
            found += [other.full_name] * (kind is not known.kind)
        # A file in pieces is read as one message: its one field is there once in each.
        is_repeated = other.is_repeated or other.full_name == "xai_api.FileContentChunk.data"
        found += [other.full_name] * (known.is_repeated is not is_repeated)
    return found + [each.full_name for each in fields.values()]


@pytest.mark.parametrize(("table", "theirs"), KNOWN[:4], ids=lambda each: getattr(each, "name", ""))
def test_every_field_of_a_request_is_known_as_the_client_defines_it(table, theirs):
    unknown = {each.removeprefix("xai_api.") for each in differences(table, theirs.DESCRIPTOR)}

    assert unknown <= CLOSED


@pytest.mark.parametrize(("table", "theirs"), KNOWN[4:], ids=lambda each: getattr(each, "name", ""))
def test_every_field_that_is_known_of_the_others_is_as_the_client_defines_it(table, theirs):
    def known(table: Message, theirs: Descriptor):
        by_number = theirs.fields_by_number
        for number, each in table.fields.items():
            assert number in by_number, each.name
            if isinstance(each.kind, Message):
                yield from known(each.kind, by_number[number].message_type)
            else:
                yield KINDS[by_number[number].type] is each.kind

    assert all(known(table, theirs.DESCRIPTOR))


@slowly
@given(
    st.text(max_size=40),
    st.lists(st.text(max_size=20), max_size=4),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(width=32, allow_nan=False),
    st.lists(st.integers(0, 9), max_size=5),
    st.binary(max_size=40),
)
def test_what_the_client_writes_is_read(prompt, stops, number, share, included, data):
    sent = chat_pb2.GetCompletionsRequest(
        model=prompt, stop=stops, seed=number, temperature=share, include=included,
        messages=[chat_pb2.Message(content=[chat_pb2.Content(text=prompt), chat_pb2.Content(file=chat_pb2.FileContent(data=data))])],
    )  # fmt: skip

    found = read(sent.SerializeToString(), messages.GET_COMPLETIONS)

    assert found.get("model", "") == prompt
    assert found.get("stop", []) == stops
    assert found.get("include", []) == included
    first, second = found["messages"][0]["content"]
    assert first["text"] == prompt
    assert base64.b64decode(second["file"].get("file_data", "")) == data


NEARLY = st.lists(
    st.one_of(
        st.builds(field, st.integers(1, 7), st.binary(max_size=12)),
        st.builds(field, st.integers(1, 7), st.text(max_size=12).map(str.encode)),
        st.builds(lambda number, value: written(number << 3) + written(value), st.integers(1, 7), st.integers(0, 2**64 - 1)),
        st.binary(max_size=6),
    ),
    max_size=4,
).map(b"".join)  # fmt: skip


@slowly
@given(NEARLY)
def test_what_is_read_here_the_library_reads_alike(data):
    try:
        found = read(data, messages.IMAGE_URL)
    except BadRequest:
        return
    theirs = image_pb2.ImageUrlContent.FromString(data)

    # Of a choice the library keeps the last one that stands there; here both are seen.
    assert theirs.image_url in ("", found.get("image_url"))
    assert theirs.file_id in ("", found.get("file_id"))
    assert exchanged(data, messages.IMAGE_URL, lambda _: None) == data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (field(7, b"x"), "field 7 of Outer"),
        (field(3, field(9, b"x")), "field 9 of Inner"),
        (field(1, b"a") + field(1, b"b"), "twice"),
        (field(3, b"") + field(3, b""), "twice"),
        (field(1, b"\xff"), "UTF-8"),
        (field(1, b"\xed\xa0\x80"), "UTF-8"),
        (b"\x0a\x05abc", "no message"),
        (b"\x0a", "no message"),
        (b"\x00", "no message"),
        (b"\x0b\x0c", "no message"),
        (b"\x08\x01", "no message"),
        (b"\x0d\x00\x00\x00\x00", "no message"),
        (b"\x32\x00", "no message"),
        (field(3, b"\xff"), "no message"),
        (b"\xff" * 11, "no message"),
    ],
)
def test_what_cannot_be_read_with_certainty_is_refused(data, why):
    with pytest.raises(BadRequest, match=why):
        read(data, OUTER)


def test_so_many_fields_that_reading_takes_long_are_refused():
    many = field(5, b"\x01" * (MAX_PARTS // 2))

    with pytest.raises(BadRequest, match="more fields"):
        read(many * 3, OUTER)


def test_a_text_is_exchanged_at_every_depth_and_every_other_byte_stays():
    before = field(2, b"\x00old\xff") + b"\x35\x00\x00\x80\x3f"
    after = b"\x28\x80\x01"
    inner = field(1, b"old") + b"\x10\x07"
    data = before + field(1, b"old") + field(4, inner) + field(4, field(1, b"stays")) + after

    found = exchanged(data, OUTER, {"old": "new" * 60}.get)

    other = field(1, b"new" * 60) + b"\x10\x07"
    assert found == before + field(1, b"new" * 60) + field(4, other) + field(4, field(1, b"stays")) + after  # fmt: skip


@slowly
@given(st.integers(0, 2**60))
def test_a_number_is_written_as_the_library_writes_it(number):
    sent = image_pb2.StorageOptions(expires_after=number).SerializeToString()

    assert (b"\x10" + written(number)) == (sent or b"\x10\x00")
