"""Sealed templates and texts, version 1: AES-256-GCM bound to whose, which and of what model.

    sealed = type byte | nonce (12) | ciphertext | tag (16)
    AAD    = type byte | each bound name as u16 length + UTF-8

Type 0x01 is a template (plaintext: d float32, little-endian), 0x21 a text (plaintext: UTF-8,
padded). The type byte is in the AAD, so that neither opens as the other. Specification:
docs/specs/sealed-template.md. Construction: NIST SP 800-38D.
"""

from __future__ import annotations

import os
import sys
from typing import NewType

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.kernel.biometrics import Embedding, SealedTemplate, as_embedding
from consentry.kernel.errors import SealBroken
from consentry.kernel.ids import ModelId, Random, SubjectId, TemplateId
from consentry.vault.keys import DataKey

SealedText = NewType("SealedText", bytes)
"""A text of one subject (a display name, say) in its sealed form. Its length is a multiple of 32
bytes plus 29."""

_TEMPLATE_V1 = b"\x01"
_TEXT_V1 = b"\x21"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_OVERHEAD = 1 + _NONCE_BYTES + _TAG_BYTES
_FLOAT_BYTES = 4
_MAX_NAME_BYTES = 0xFFFF
_PAD_TO = 32
_PAD_MARK = b"\x80"
_WIRE_FLOAT = np.dtype("<f4")
_BROKEN = "a sealed value failed authentication"


def seal_template(
    embedding: Embedding,
    *,
    key: DataKey,
    subject: SubjectId,
    template: TemplateId,
    model: ModelId,
    random: Random = os.urandom,
) -> SealedTemplate:
    """Seal an embedding so that only its subject's key opens it, and only in its own place.

    Args:
        embedding: Shape ``(d,)``, float32, L2 norm 1.
        key: The subject's data key.
        subject: Whose face it is.
        template: Which template of hers it is.
        model: The model that made it.
        random: Source of the nonce.

    Returns:
        ``29 + 4 d`` bytes.
    """
    plaintext = as_embedding(embedding).astype(_WIRE_FLOAT).tobytes()
    binding = _bind(_TEMPLATE_V1, subject, template, model)
    return SealedTemplate(_seal(_TEMPLATE_V1, plaintext, key, binding, random))


def unseal_template(
    sealed: SealedTemplate,
    *,
    key: DataKey,
    subject: SubjectId,
    template: TemplateId,
    model: ModelId,
    dimension: int | None = None,
) -> Embedding:
    """Return the embedding that `seal_template` took.

    Args:
        sealed: The sealed form.
        key: The subject's data key.
        subject: Whose face it is.
        template: Which template of hers it is.
        model: The model that made it.
        dimension: Number of floats that this model makes; None accepts any.

    Raises:
        SealBroken: If the version is unknown, or the key, subject, template, model, dimension or
            any byte differs. The cases are not told apart, on purpose.
    """
    binding = _bind(_TEMPLATE_V1, subject, template, model)
    plaintext = _unseal(_TEMPLATE_V1, sealed, key, binding)
    if len(plaintext) % _FLOAT_BYTES or dimension not in {None, len(plaintext) // _FLOAT_BYTES}:
        raise SealBroken(_BROKEN)
    return _as_unsealed(np.frombuffer(plaintext, dtype=_WIRE_FLOAT).astype(np.float32))


def unseal_into(
    row: npt.NDArray[np.float32],
    sealed: SealedTemplate,
    *,
    key: DataKey,
    subject: SubjectId,
    template: TemplateId,
    model: ModelId,
) -> None:
    """Unseal straight into a row of a preallocated matrix, leaving no copy of the plaintext.

    Args:
        row: Shape ``(d,)``, float32, C-contiguous, writable. Holds zeros if this raises.
        sealed: As in `unseal_template`, like all that follow.
        key: The subject's data key.
        subject: Whose face it is.
        template: Which template of hers it is.
        model: The model that made it.

    Raises:
        SealBroken: As `unseal_template`; a template of another dimension than the row is one more
            such case.
        ValueError: If the row is not of the required form.
    """
    if row.dtype != np.float32 or row.ndim != 1 or not row.flags.c_contiguous or not row.size:
        raise ValueError(f"a row is (d,) float32 and contiguous, not {row.shape} {row.dtype}")
    is_whole = False
    try:
        if len(sealed) != _OVERHEAD + row.nbytes or sealed[:1] != _TEMPLATE_V1:
            raise SealBroken(_BROKEN)
        binding = _bind(_TEMPLATE_V1, subject, template, model)
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], memoryview(sealed)[1 + _NONCE_BYTES :]
        try:
            AESGCM(key.secret).decrypt_into(nonce, body, binding, row.view(np.uint8).data)
        except InvalidTag as cause:
            raise SealBroken(_BROKEN) from cause
        if sys.byteorder == "big":
            row.byteswap(inplace=True)
        _as_unsealed(row)
        is_whole = True
    finally:
        # GCM writes plaintext before it has seen the tag: what failed must not be left for a search
        # to find.
        if not is_whole:
            row.fill(0.0)


def seal_text(
    text: str, *, key: DataKey, subject: SubjectId, label: str, random: Random = os.urandom
) -> SealedText:
    """Seal a text of a subject, for example her display name.

    Args:
        text: Any Unicode text. Padded, so that the length of a name stays hidden within 32 bytes.
        key: The subject's data key.
        subject: Whose text it is.
        label: What it is, for example ``display-name``; it does not open under another label.
        random: Source of the nonce.
    """
    plain = text.encode("utf-8") + _PAD_MARK
    padded = plain + bytes(-len(plain) % _PAD_TO)
    return SealedText(_seal(_TEXT_V1, padded, key, _bind(_TEXT_V1, subject, label), random))


def unseal_text(sealed: SealedText, *, key: DataKey, subject: SubjectId, label: str) -> str:
    """Return the text that `seal_text` took.

    Raises:
        SealBroken: If the version is unknown, or the key, subject, label or any byte differs (not
            told apart).
    """
    padded = _unseal(_TEXT_V1, sealed, key, _bind(_TEXT_V1, subject, label))
    marked = padded.rstrip(b"\0")
    if len(padded) % _PAD_TO or not marked.endswith(_PAD_MARK):
        raise SealBroken(_BROKEN)
    try:
        return marked.removesuffix(_PAD_MARK).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise SealBroken(_BROKEN) from cause


def _bind(kind: bytes, *names: str) -> bytes:
    """Return the AAD. Length prefixes keep ``("ab", "c")`` apart from ``("a", "bc")``."""
    parts = [kind]
    for name in names:
        encoded = name.encode("utf-8")
        if not 0 < len(encoded) <= _MAX_NAME_BYTES:
            raise ValueError(f"a bound name has 1 to {_MAX_NAME_BYTES} bytes")
        parts += [len(encoded).to_bytes(2, "big"), encoded]
    return b"".join(parts)


def _seal(kind: bytes, plaintext: bytes, key: DataKey, binding: bytes, random: Random) -> bytes:
    nonce = random(_NONCE_BYTES)
    return kind + nonce + AESGCM(key.secret).encrypt(nonce, plaintext, binding)


def _unseal(kind: bytes, sealed: bytes, key: DataKey, binding: bytes) -> bytes:
    if len(sealed) < _OVERHEAD or sealed[:1] != kind:
        raise SealBroken(_BROKEN)
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key.secret).decrypt(nonce, body, binding)
    except InvalidTag as cause:
        raise SealBroken(_BROKEN) from cause


def _as_unsealed(array: npt.NDArray[np.float32]) -> Embedding:
    """Check what only a holder of the key can have sealed; no embedding is broken all the same."""
    try:
        # Any bytes may stand here, also floats whose squares overflow: that is no news to warn about.
        with np.errstate(over="ignore", invalid="ignore"):
            return as_embedding(array)
    except ValueError as cause:
        raise SealBroken(_BROKEN) from cause
