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
from collections.abc import Callable, Sequence
from typing import NewType

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.kernel.biometrics import Embedding, SealedTemplate, as_embedding, has_unit_rows
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
_BODY_FROM = 1 + _NONCE_BYTES
_OVERHEAD = _BODY_FROM + _TAG_BYTES
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


class BulkUnsealer:
    """Unseals many templates of one model into matrices, one after the other. Not thread-safe.

    What a single `unseal_template` does anew each time is done once for each subject: templates of
    one subject should come together. A million of them make every microsecond a second.
    """

    def __init__(self, model: ModelId, dimension: int) -> None:
        """Prepare for templates of ``model``, ``dimension`` floats each."""
        self.dimension = dimension
        self._bound_model = _bound(model)
        self._subject: SubjectId | None = None
        self._decrypt_into: Callable[[bytes, bytes, bytes, memoryview], int] | None = None
        self._bound_subject = b""

    def unseal(
        self,
        subjects: Sequence[SubjectId],
        templates: Sequence[TemplateId],
        sealed: Sequence[SealedTemplate],
        key_of: Callable[[SubjectId], DataKey],
    ) -> npt.NDArray[np.float32]:
        """Return the embeddings, shape ``(n, d)``, float32, rows of L2 norm 1.

        Args:
            subjects: Whose each is.
            templates: Which of hers; as many.
            sealed: The sealed form; as many.
            key_of: The subject's data key; asked once for each run of her templates.

        Raises:
            SealBroken: As `unseal_template`, for any of them. Nothing is left in memory.
        """
        matrix = np.zeros((len(sealed), self.dimension), dtype=np.float32)
        is_whole = False
        try:
            self._fill(matrix.reshape(-1).view(np.uint8).data, subjects, templates, sealed, key_of)
            if sys.byteorder == "big":
                matrix.byteswap(inplace=True)
            with np.errstate(over="ignore", invalid="ignore"):
                if not has_unit_rows(matrix):
                    raise SealBroken(_BROKEN)
            is_whole = True
        except InvalidTag as cause:
            raise SealBroken(_BROKEN) from cause
        finally:
            # GCM writes plaintext before it has seen the tag.
            if not is_whole:
                matrix.fill(0.0)
        return matrix

    def _fill(
        self,
        space: memoryview,
        subjects: Sequence[SubjectId],
        templates: Sequence[TemplateId],
        sealed: Sequence[SealedTemplate],
        key_of: Callable[[SubjectId], DataKey],
    ) -> None:
        length = self.dimension * _FLOAT_BYTES
        whole = _OVERHEAD + length
        start = 0
        # Locals, and `_bound` spelled out: at a million templates each costs a tenth of a second.
        decrypt_into, bound_model, kind = self._decrypt_into, self._bound_model, _TEMPLATE_V1[0]
        of_subject, head, name_bytes = self._subject, b"", -1
        for subject, template, box in zip(subjects, templates, sealed, strict=True):
            if decrypt_into is None or subject != of_subject:
                decrypt_into = self._decrypt_into = AESGCM(key_of(subject).secret).decrypt_into
                self._bound_subject = _bind(_TEMPLATE_V1, subject)
                of_subject = self._subject = subject
                name_bytes = -1
            if len(box) != whole or box[0] != kind:
                raise SealBroken(_BROKEN)
            name = template.encode()
            if len(name) != name_bytes:
                name_bytes = len(name)
                head = self._bound_subject + name_bytes.to_bytes(2, "big")
            end = start + length
            decrypt_into(
                box[1:_BODY_FROM], box[_BODY_FROM:], head + name + bound_model, space[start:end]
            )
            start = end


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
    return b"".join([kind, *map(_bound, names)])


def _bound(name: str) -> bytes:
    encoded = name.encode("utf-8")
    if not 0 < len(encoded) <= _MAX_NAME_BYTES:
        raise ValueError(f"a bound name has 1 to {_MAX_NAME_BYTES} bytes")
    return len(encoded).to_bytes(2, "big") + encoded


def _seal(kind: bytes, plaintext: bytes, key: DataKey, binding: bytes, random: Random) -> bytes:
    nonce = random(_NONCE_BYTES)
    return kind + nonce + AESGCM(key.secret).encrypt(nonce, plaintext, binding)


def _unseal(kind: bytes, sealed: bytes, key: DataKey, binding: bytes) -> bytes:
    if len(sealed) < _OVERHEAD or sealed[:1] != kind:
        raise SealBroken(_BROKEN)
    nonce, body = sealed[1:_BODY_FROM], sealed[_BODY_FROM:]
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
