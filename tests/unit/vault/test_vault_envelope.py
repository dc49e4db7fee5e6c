"""Sealed templates and texts."""

from __future__ import annotations

import numpy as np
import pytest
from consentry.kernel.biometrics import SealedTemplate, as_embedding
from consentry.kernel.errors import SealBroken
from consentry.kernel.ids import ModelId, SubjectId, TemplateId
from consentry.vault import envelope
from consentry.vault.envelope import (
    BulkUnsealer,
    SealedText,
    seal_template,
    seal_text,
    unseal_template,
    unseal_text,
)
from consentry.vault.keys import DataKey, KeyRing
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SUBJECT, TEMPLATE, MODEL = SubjectId("sub_a"), TemplateId("tpl_a"), ModelId("mfn192@1")
PLACE = {"subject": SUBJECT, "template": TEMPLATE, "model": MODEL}
FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def sealed(embedding, key):
    return seal_template(embedding, key=key, **PLACE)


@given(values=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=600))
@FIXTURES
def test_unseal_returns_every_bit_of_what_was_sealed(values, key):
    vector = np.array(values, dtype=np.float32)
    vector[0] += 2.0
    embedding = as_embedding((vector / np.linalg.norm(vector)).astype(np.float32))

    opened = unseal_template(seal_template(embedding, key=key, **PLACE), key=key, **PLACE)

    assert opened.tobytes() == embedding.tobytes()


def test_any_flipped_byte_breaks_the_seal(sealed, key):
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1 << position % 8
        with pytest.raises(SealBroken):
            unseal_template(SealedTemplate(bytes(changed)), key=key, **PLACE)


def test_every_truncation_breaks_the_seal(sealed, key):
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            unseal_template(SealedTemplate(sealed[:length]), key=key, **PLACE)


def test_an_appended_byte_breaks_the_seal(sealed, key):
    with pytest.raises(SealBroken):
        unseal_template(SealedTemplate(sealed + b"\0"), key=key, **PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"subject": "sub_b"},
        {"template": "tpl_b"},
        {"model": "mfn192@2"},
        {"key": DataKey(bytes(32))},
    ],
    ids=["another-subject", "another-template", "another-model", "another-key"],
)
def test_a_seal_opens_nowhere_but_in_its_own_place(sealed, key, elsewhere):
    with pytest.raises(SealBroken):
        unseal_template(sealed, **{"key": key, **PLACE, **elsewhere})


def test_names_cannot_be_shifted_across_their_border(embedding, key):
    sealed = seal_template(
        embedding, key=key, subject=SubjectId("ab"), template=TemplateId("c"), model=MODEL
    )

    with pytest.raises(SealBroken):
        unseal_template(
            sealed, key=key, subject=SubjectId("a"), template=TemplateId("bc"), model=MODEL
        )


def test_all_causes_have_one_message(sealed, key):
    messages = set()
    for broken, place in [
        (SealedTemplate(b""), PLACE),
        (SealedTemplate(b"\x02" + sealed[1:]), PLACE),
        (SealedTemplate(sealed[:-1] + b"\0"), PLACE),
        (sealed, PLACE | {"subject": "sub_b"}),
        (sealed, PLACE | {"dimension": 512}),
    ]:
        with pytest.raises(SealBroken) as caught:
            unseal_template(broken, key=key, **place)
        messages.add(str(caught.value))

    assert len(messages) == 1


def test_the_dimension_of_the_model_is_enforced_when_it_is_named(sealed, key):
    unseal_template(sealed, key=key, **PLACE, dimension=192)

    with pytest.raises(SealBroken):
        unseal_template(sealed, key=key, **PLACE, dimension=512)


@pytest.mark.parametrize(
    "plaintext",
    [b"", b"\0\0\x80", np.full(4, np.nan, "<f4").tobytes(), np.ones(4, "<f4").tobytes()],
    ids=["empty", "no-whole-float", "not-a-number", "norm-two"],
)
def test_what_is_no_embedding_does_not_open_even_with_the_right_key(plaintext, key):
    binding = b"\x01" + b"".join(len(v).to_bytes(2, "big") + v.encode() for v in PLACE.values())
    sealed = b"\x01" + bytes(12) + AESGCM(key.secret).encrypt(bytes(12), plaintext, binding)

    with pytest.raises(SealBroken):
        unseal_template(SealedTemplate(sealed), key=key, **PLACE)


def test_each_seal_has_its_own_nonce(embedding, key):
    nonces = {bytes(seal_template(embedding, key=key, **PLACE)[1:13]) for _ in range(64)}

    assert len(nonces) == 64


def test_the_seal_shows_nothing_of_the_embedding(embedding, sealed):
    plain = embedding.tobytes()

    assert not any(plain[i : i + 4] in sealed for i in range(0, len(plain), 4))


def test_what_is_no_embedding_is_not_sealed(key):
    with pytest.raises(ValueError, match="norm 1"):
        seal_template(np.ones(8, dtype=np.float32), key=key, **PLACE)


def test_an_empty_name_binds_nothing_and_is_refused(embedding, key):
    with pytest.raises(ValueError, match="bound name"):
        seal_template(embedding, key=key, **(PLACE | {"subject": ""}))


def in_bulk(templates, keys, dimension=192):
    return BulkUnsealer(MODEL, dimension).unseal(*zip(*templates, strict=True), keys.__getitem__)


def test_many_templates_open_each_with_its_subjects_key(embedding, key):
    other = DataKey(bytes(range(32)))
    keys = {SUBJECT: key, SubjectId("sub_other"): other}
    templates = []
    for n, subject in enumerate([SUBJECT, SUBJECT, SubjectId("sub_other"), SUBJECT]):
        template = TemplateId(f"tpl_{n}")
        sealed = seal_template(
            embedding, key=keys[subject], subject=subject, template=template, model=MODEL
        )
        templates.append((subject, template, sealed))

    matrix = in_bulk(templates, keys)

    assert matrix.tobytes() == 4 * embedding.tobytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:],
        lambda sealed: b"\x21" + sealed[1:],
        lambda sealed: sealed[:-4],
        lambda sealed: b"",
    ],
    ids=["tag", "ciphertext", "version", "short", "empty"],
)
def test_one_that_does_not_open_leaves_nothing_of_the_others(sealed, key, spoil, monkeypatch):
    made = []
    zeros = np.zeros
    monkeypatch.setattr(
        envelope.np, "zeros", lambda *args, **kw: made.append(zeros(*args, **kw)) or made[-1]
    )
    place = (SUBJECT, PLACE["template"])

    with pytest.raises(SealBroken):
        in_bulk([(*place, sealed), (*place, SealedTemplate(spoil(sealed)))], {SUBJECT: key})

    assert made
    assert not made[0].any()


def test_a_template_of_another_dimension_or_place_does_not_open_in_bulk(sealed, key):
    with pytest.raises(SealBroken):
        in_bulk([(SUBJECT, PLACE["template"], sealed)], {SUBJECT: key}, dimension=512)
    with pytest.raises(SealBroken):
        in_bulk([(SUBJECT, TemplateId("tpl_elsewhere"), sealed)], {SUBJECT: key})


@given(text=st.text(max_size=80))
@FIXTURES
def test_a_text_comes_back_as_it_was(text, key):
    sealed = seal_text(text, key=key, subject=SUBJECT, label="display-name")

    assert unseal_text(sealed, key=key, subject=SUBJECT, label="display-name") == text


def test_any_flipped_byte_breaks_a_text(key):
    sealed = seal_text("Ada", key=key, subject=SUBJECT, label="display-name")

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 0x80
        with pytest.raises(SealBroken):
            unseal_text(SealedText(bytes(changed)), key=key, subject=SUBJECT, label="display-name")


@pytest.mark.parametrize("elsewhere", [{"subject": "sub_b"}, {"label": "handle"}])
def test_a_text_opens_nowhere_but_in_its_own_place(key, elsewhere):
    sealed = seal_text("Ada", key=key, subject=SUBJECT, label="display-name")

    with pytest.raises(SealBroken):
        unseal_text(sealed, **{"key": key, "subject": SUBJECT, "label": "display-name"} | elsewhere)


def test_names_of_like_length_have_seals_of_one_length(key):
    lengths = {
        len(seal_text("x" * n, key=key, subject=SUBJECT, label="display-name")) for n in range(32)
    }

    assert lengths == {29 + 32}


def test_a_text_never_opens_as_a_template_nor_the_reverse(sealed, key):
    text = seal_text("Ada", key=key, subject=SUBJECT, label="display-name")

    for disguise in (bytes(text), b"\x01" + text[1:]):
        with pytest.raises(SealBroken):
            unseal_template(SealedTemplate(disguise), key=key, **PLACE)
    for disguise in (bytes(sealed), b"\x21" + sealed[1:]):
        with pytest.raises(SealBroken):
            unseal_text(SealedText(disguise), key=key, subject=SUBJECT, label="display-name")


def test_without_the_subjects_wrapped_key_nothing_of_hers_opens(embedding):
    """Crypto-erasure: the other keys of the vault, all of them, are of no use."""
    ring = KeyRing({1: b"\1" * 32, 2: b"\2" * 32})
    hers, _destroyed = ring.new_subject_key()
    sealed = seal_template(embedding, key=hers, **PLACE)
    del hers, _destroyed

    _, others = ring.new_subject_key()
    for candidate in (ring.open_subject_key(others), DataKey(b"\1" * 32), DataKey(b"\2" * 32)):
        with pytest.raises(SealBroken):
            unseal_template(sealed, key=candidate, **PLACE)
