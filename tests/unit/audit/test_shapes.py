"""Reading by comparison finds what the one decoder finds, whatever was read before."""

from __future__ import annotations

import json
from datetime import date

from consentry.audit.shapes import Shape, ShapeReader
from consentry.kernel.errors import ProofInvalid
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.transparency.entries import (
    SubjectEntry,
    VerdictEntry,
    decode_entry,
    encode_entry,
)
from hypothesis import given, settings
from hypothesis import strategies as st

hashes = st.binary(min_size=32, max_size=32)
names = st.sampled_from(["faces", "intent", "region", "receipt", 'x":"', "é"])
versions = st.one_of(
    st.text(alphabet='a1":\\{},é', max_size=6),
    st.just("A" * 43),
    st.just('"region":"' + "A" * 43 + '"'),
)
entries = st.one_of(
    st.builds(
        VerdictEntry,
        day=st.sampled_from([date(2026, 1, 1), date(2026, 1, 2)]),
        verdict=st.sampled_from(Verdict),
        reasons=st.lists(st.sampled_from(PublicReason), max_size=2).map(tuple),
        policy=versions,
        engines=st.dictionaries(names, versions, max_size=2),
        receipt=hashes,
        platform=hashes,
        purpose=hashes,
        region=hashes,
    ),
    st.builds(SubjectEntry, day=st.just(date(2026, 1, 1)), change=hashes),
)


def counted(entry):
    if isinstance(entry, SubjectEntry):
        return (entry.day,)
    return entry.day, entry.verdict, entry.reasons, entry.policy, dict(entry.engines)


def required_same(reader, data):
    try:
        expected = decode_entry(data)
    except ProofInvalid:
        expected = None
    try:
        found = reader.read(data)
    except ProofInvalid:
        found = None
    if expected is None or found is None:
        assert found is expected
    elif isinstance(found, Shape):
        assert counted(found.entry) == counted(expected)
    else:
        assert found == expected


@settings(max_examples=60)
@given(
    st.lists(entries, min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 600), st.sampled_from(b'"A0B:,{}\\')), max_size=12),
)
def test_entries_and_damaged_entries_are_read_as_the_decoder_reads_them(found, damage):
    reader = ShapeReader()
    for entry in found:
        required_same(reader, encode_entry(entry))
    for place, byte in damage:
        data = bytearray(encode_entry(found[place % len(found)]))
        data[place % len(data)] = byte
        required_same(reader, bytes(data))


@settings(max_examples=60)
@given(st.lists(entries, min_size=1, max_size=6))
def test_what_an_entry_committed_to_is_found_as_the_decoder_finds_it(found):
    reader = ShapeReader()
    for entry in found:
        data = encode_entry(entry)
        shape = reader.read(data)
        if isinstance(entry, VerdictEntry):
            for name in ("platform", "purpose", "region"):
                assert shape.committed_in(data, name) == getattr(entry, name)


def test_a_placeholder_is_no_commitment():
    entry = SubjectEntry(day=date(2026, 1, 1), change=b"\1" * 32)
    reader = ShapeReader()
    required_same(reader, encode_entry(entry))
    forged = json.dumps({**json.loads(encode_entry(entry)), "change": 0}, separators=(",", ":"))
    required_same(reader, forged.encode())


def test_entries_of_one_shape_are_counted_together():
    reader = ShapeReader()
    for number in range(5):
        reader.read(encode_entry(SubjectEntry(day=date(2026, 1, 1), change=bytes([number]) * 32)))
    assert [each.count for each in reader.all()] == [5]
