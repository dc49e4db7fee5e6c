"""What a request was allowed on, kept for an hour so that its result can be judged beside it.

    place  = HKDF-SHA-256(salt of the receipt's circumstances)   what the store finds it by
    sealed = AES-256-GCM under HKDF-SHA-256(the same salt)        what only the caller can open

Only the caller was given that salt, and it is kept nowhere. So the store alone can neither tell who
was in an allowed request nor whose ground is whose. Every allow has one, of one size for nobody and
for some ten people, so that neither their number nor their length tells who was there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.checks.ports import KeptAnswer
from consentry.kernel.errors import SealBroken
from consentry.kernel.ids import CheckId, Random, SubjectId
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.transparency.receipts import ReceiptSalts
from consentry.vault.keys import derive

GROUND_LIFETIME = timedelta(hours=1)
"""How long after a check its result may be shown."""

_BLOCK_BYTES = 512
"""Room for some ten people; more take another block."""
_NONCE_BYTES = 12
_INFO_PLACE = b"consentry/v1/check/ground/place"
_INFO_KEY = b"consentry/v1/check/ground/key"


class _Written(TypedDict):
    """JSON, with spaces after it up to a whole number of blocks."""

    v: int
    subjects: dict[str, str]
    token: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LetThrough:
    """Who was there when a request was allowed.

    Attributes:
        subjects: All who were seen, surely or possibly, or named, with the policy that each had.
        is_by_token: A consent token allowed it.
    """

    subjects: Mapping[SubjectId, SubjectPolicy] = field(repr=False)
    is_by_token: bool

    def still_holds(
        self, policies: Mapping[SubjectId, SubjectPolicy], contested: Collection[SubjectId]
    ) -> bool:
        """Whether nobody of them has changed her policy since, is contested, or is gone."""
        return all(
            policies.get(subject) is policy and subject not in contested
            for subject, policy in self.subjects.items()
        )


def place_of_ground(salts: ReceiptSalts) -> bytes:
    """Return the place in which the ground of a check is kept, by the salts of its receipt."""
    return derive(salts.circumstances, _INFO_PLACE)


def seal_ground(
    check: CheckId,
    let_through: LetThrough,
    salts: ReceiptSalts,
    now: datetime,
    *,
    random: Random = os.urandom,
) -> KeptAnswer:
    """Seal what a check was allowed on under the salts of its receipt."""
    plain = json.dumps(
        _Written(
            v=1,
            subjects={subject: policy.value for subject, policy in let_through.subjects.items()},
            token=let_through.is_by_token,
        )
    ).encode()
    padded = plain.ljust(-(-len(plain) // _BLOCK_BYTES) * _BLOCK_BYTES)
    nonce = random(_NONCE_BYTES)
    sealed = AESGCM(derive(salts.circumstances, _INFO_KEY)).encrypt(nonce, padded, check.encode())
    return KeptAnswer(
        place=place_of_ground(salts),
        check=check,
        sealed=nonce + sealed,
        ends_at=now + GROUND_LIFETIME,
    )


def open_ground(kept: KeptAnswer, salts: ReceiptSalts) -> LetThrough:
    """Open what was kept of a check.

    Raises:
        SealBroken: If it was not sealed for this check under these salts.
    """
    nonce, body = kept.sealed[:_NONCE_BYTES], kept.sealed[_NONCE_BYTES:]
    key = AESGCM(derive(salts.circumstances, _INFO_KEY))
    try:
        plain: _Written = json.loads(key.decrypt(nonce, body, kept.check.encode()))
    except InvalidTag as cause:
        raise SealBroken from cause
    return LetThrough(
        subjects={
            SubjectId(subject): SubjectPolicy(policy)
            for subject, policy in plain["subjects"].items()
        },
        is_by_token=plain["token"],
    )
