"""Entries: one spelling each, nothing about anybody in the clear, and salts that alone can open them."""

from __future__ import annotations

from datetime import date

import pytest
from consentry.kernel.errors import ProofInvalid
from consentry.kernel.ids import new_subject_id
from consentry.kernel.taxonomy import PublicReason, Purpose, Verdict
from consentry.transparency import canonical
from consentry.transparency.entries import (
    RenewedEntry,
    SubjectChange,
    SubjectEntry,
    VerdictEntry,
    Versions,
    VersionsEntry,
    circumstances,
    commitment,
    decode_entry,
    encode_entry,
    receipt_digest,
    subject_change,
    verify_opened,
)
from hypothesis import given
from hypothesis import strategies as st

DAY = date(2026, 11, 22)
SALT = bytes(range(32))
OPENING = circumstances(platform="chirp", purpose=Purpose.EDIT, region="GB", salt=SALT)
VERDICT = VerdictEntry(
    day=DAY,
    verdict=Verdict.REFUSE,
    reasons=(PublicReason.MINOR, PublicReason.REVEALING_REAL_PERSON),
    policy="consentry-policy@1",
    engines={"faces": "mfn192+sface@1", "intent": "composition@2"},
    receipt=receipt_digest("eyJ.eyJ.sig"),
    platform=OPENING.commit("platform"),
    purpose=OPENING.commit("purpose"),
    region=OPENING.commit("region"),
)
ENTRIES = (
    VERDICT,
    SubjectEntry(day=DAY, change=bytes(32)),
    VersionsEntry(
        day=DAY,
        versions=Versions(
            program="0.1.0", policy="p@1", engines={"faces": "m@1"}, models={"m.onnx": "00" * 32}
        ),
    ),
    RenewedEntry(day=DAY, origin="log.example/one", size=70_000, root=bytes(32)),
)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_an_entry_comes_back_as_it_was(entry):
    data = encode_entry(entry)

    assert decode_entry(data) == entry
    assert encode_entry(decode_entry(data)) == data


def test_an_entry_has_one_spelling():
    data = encode_entry(VERDICT)
    others = [
        data.replace(b'"v":1', b'"v": 1'),
        data.replace(b'"v":1', b'"v":1.0'),
        data.replace(b'"v":1', b'"v":2'),
        data.replace(b"refuse", b"\\u0072efuse"),
        data.replace(b'"kind":"verdict"', b'"kind":"verdict","kind":"verdict"'),
        data.replace(b'"verdict":"refuse"', b'"verdict":"perhaps"'),
        data.replace(b'"verdict":"refuse"', b'"verdict":"refuse","who":"her"'),
        data.replace(b'"kind":"verdict"', b'"kind":"verdicts"'),
        data.replace(b"2026-11-22", b"20261122"),
        data + b"\n",
        data[:-1],
        b"",
        b"[]",
        b"null",
        b'{"v":1}',
        b"\xff",
        b"[" * 100_000,
    ]
    assert decode_entry(data) == VERDICT
    for other in others:
        with pytest.raises(ProofInvalid):
            decode_entry(other)


def test_what_was_declared_is_not_in_the_clear():
    data = encode_entry(VERDICT)

    assert not [word for word in (b"chirp", b"GB", b"edit") if word in data]


def test_every_change_of_an_enrolment_has_the_same_shape():
    sizes = set()
    for change in SubjectChange:
        opening = subject_change(change, new_subject_id(), bytes(32))
        sizes.add(len(encode_entry(SubjectEntry(day=DAY, change=opening.commit("change")))))

    assert len(sizes) == 1


def test_the_salt_of_one_value_opens_that_value_alone():
    verify_opened(VERDICT.region, "region", "GB", OPENING.salt_of("region"))
    wrong = [
        (VERDICT.region, "region", "FR", OPENING.salt_of("region")),
        (VERDICT.region, "region", "GB", OPENING.salt_of("platform")),
        (VERDICT.region, "platform", "GB", OPENING.salt_of("region")),
        (VERDICT.region, "region", "GB", SALT),
    ]
    for each in wrong:
        with pytest.raises(ProofInvalid):
            verify_opened(*each)


def test_the_same_region_never_looks_the_same():
    other = circumstances(platform=None, purpose=Purpose.EDIT, region="GB", salt=bytes(32))

    assert other.commit("region") != OPENING.commit("region")


@given(st.text(), st.binary(min_size=32, max_size=32))
def test_any_text_can_be_committed_to(value, salt):
    opening = circumstances(platform=value, purpose=Purpose.EDIT, region=None, salt=salt)

    assert opening.commit("platform") == commitment(
        "platform", opening.values["platform"], opening.salt_of("platform")
    )


def test_canonical_json_is_that_of_rfc_8785():
    value = {"\u20ac": "Euro", "\r": "CR", "1": ["\u0080", '\n"\\\u001f', 0, -7, 2**53 - 1],
             "\U0001f600": "smiley", "\ufb33": "dagesh", "a": {"b": "ö"}}  # fmt: skip

    assert canonical.encode(value).decode() == (
        '{"\\r":"CR","1":["\u0080","\\n\\"\\\\\\u001f",0,-7,9007199254740991],"a":{"b":"ö"},'
        '"\u20ac":"Euro","\U0001f600":"smiley","\ufb33":"dagesh"}'
    )


@pytest.mark.parametrize("value", [2**53, 1.5, True, None, {"a": None}, b"bytes", "\ud800"])
def test_what_has_no_one_spelling_is_not_encoded(value):
    with pytest.raises(ValueError, match=r"entry holds|surrogates"):
        canonical.encode(value)
