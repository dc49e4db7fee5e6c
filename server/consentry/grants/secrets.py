"""What the server alone knows of a token, sealed under its subject's data key.

The salt of its digests, what it may be used for, and that she declared to be an adult when she made
it. A token is worth nothing without, so nobody makes one who cannot open her vault.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from consentry.kernel.ids import ConsentTokenId, Random, SubjectId
from consentry.kernel.taxonomy import IntentCategory
from consentry.vault.envelope import SealedText, seal_text, unseal_text
from consentry.vault.keys import DataKey


class TokenKind(StrEnum):
    """What a consent token was made for."""

    SINGLE = "single"
    """One use of listed pictures with the very words."""
    SESSION = "session"
    """Several uses of listed pictures, with any words that ask for what it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSecret:
    """See the module.

    Attributes:
        salt: 32 bytes, under which the token's digests of words and pictures were made.
        kind: What for.
        categories: What the words may ask for.
        is_adult: Whether she had declared to be 18 or older.
        valid_until: UTC; a token that was signed anew for longer gains nothing.
    """

    salt: bytes = field(repr=False)
    kind: TokenKind
    categories: frozenset[IntentCategory]
    is_adult: bool
    valid_until: datetime


class _Sealed(TypedDict):
    salt: str
    kind: str
    categories: list[str]
    is_adult: bool
    valid_until: str


def seal_secret(
    secret: TokenSecret,
    *,
    key: DataKey,
    subject: SubjectId,
    token: ConsentTokenId,
    random: Random = os.urandom,
) -> bytes:
    """Seal what a token is worth, for its own identifier alone."""
    plain = _Sealed(
        salt=base64.b64encode(secret.salt).decode("ascii"),
        kind=secret.kind.value,
        categories=sorted(each.value for each in secret.categories),
        is_adult=secret.is_adult,
        valid_until=secret.valid_until.isoformat(),
    )
    return seal_text(
        json.dumps(plain), key=key, subject=subject, label=_label(token), random=random
    )


def open_secret(
    sealed: bytes, *, key: DataKey, subject: SubjectId, token: ConsentTokenId
) -> TokenSecret:
    """Return what `seal_secret` took.

    Raises:
        SealBroken: If the key, the subject, the token or any byte differs.
    """
    text = unseal_text(SealedText(sealed), key=key, subject=subject, label=_label(token))
    plain: _Sealed = json.loads(text)
    return TokenSecret(
        salt=base64.b64decode(plain["salt"], validate=True),
        kind=TokenKind(plain["kind"]),
        categories=frozenset(IntentCategory(each) for each in plain["categories"]),
        is_adult=plain["is_adult"],
        valid_until=datetime.fromisoformat(plain["valid_until"]),
    )


def _label(token: ConsentTokenId) -> str:
    return f"consent token {token}"
