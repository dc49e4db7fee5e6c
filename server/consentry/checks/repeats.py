"""Answering a retry without using anything up again, also in another process and after a restart.

    place  = SHA-256 of caller and Idempotency-Key            what the store finds it by
    sealed = AES-256-GCM under HKDF(caller, Idempotency-Key)   what only a retry can open

The salts of a receipt are not kept anywhere else. So they are sealed under the key that the caller
chose: the store alone can neither open them, nor test what a receipt is about.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypedDict

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.checks.ports import KeptAnswer, ReceiptStore
from consentry.consent.decision import Decision
from consentry.kernel.errors import IdempotencyKeyReused
from consentry.kernel.ids import CheckId, ConsentRequestId, Random
from consentry.kernel.taxonomy import Obligation
from consentry.transparency.receipts import ReceiptInputs, ReceiptSalts, SignedReceipt
from consentry.vault.keys import derive

KEPT_HOURS = 24
_NONCE_BYTES = 12
_REUSED = "This Idempotency-Key was used for another request."
_INFO = b"consentry/v1/check/answer"


class _Sealed(TypedDict):
    """What a retry needs beside the receipt."""

    request: str
    question: str | None
    checked: bool
    obligations: list[str]
    images: list[str]
    prompt: str | None
    context: list[str]
    circumstances: str


@dataclass(frozen=True, slots=True)
class _Opened:
    """What was sealed beside a receipt."""

    checked: bool
    obligations: tuple[Obligation, ...]
    salts: ReceiptSalts
    question: ConsentRequestId | None


@dataclass(frozen=True, slots=True)
class Repeated:
    """An answer that was given before. The private part of its decision was never kept."""

    check: CheckId
    decision: Decision
    receipt: SignedReceipt
    question: ConsentRequestId | None


@dataclass(frozen=True, slots=True)
class Retry:
    """One Idempotency-Key of one caller, and what it was sent with."""

    place: bytes = field(repr=False)
    _key: bytes = field(repr=False)
    _inputs: ReceiptInputs = field(repr=False)
    _others: tuple[str | bool | None, ...] = field(repr=False)
    _random: Random = os.urandom

    @classmethod
    def of(cls, caller: str, key: str, inputs: ReceiptInputs, *others: str | bool | None) -> Retry:
        """Name the place in which the answer to this request is kept.

        Args:
            caller: Keys of different callers never meet.
            key: The Idempotency-Key.
            inputs: What the receipt will be about.
            others: Whatever else the answer depends on, in a fixed order.
        """
        secret = json.dumps([caller, key]).encode()
        return cls(
            place=hashlib.sha256(secret).digest(),
            _key=derive(hashlib.sha256(b"\x01" + secret).digest(), _INFO),
            _inputs=inputs,
            _others=others,
        )

    def answered(self, receipts: ReceiptStore, now: datetime) -> Repeated | None:
        """Return the answer that was given to this very request under its key, or None.

        Raises:
            IdempotencyKeyReused: If the key was used for another request.
        """
        kept = receipts.answer(self.place, now=now)
        if kept is None:
            return None
        opened, stored = self._open(kept), receipts.get(kept.check)
        decision = Decision.of_public_part(
            verdict=stored.verdict,
            reasons=stored.reasons,
            obligations=opened.obligations,
            checked=opened.checked,
        )
        receipt = SignedReceipt(jws=stored.jws, salts=opened.salts)
        return Repeated(kept.check, decision, receipt, opened.question)

    def seal(
        self, check: CheckId, decision: Decision, question: ConsentRequestId | None
    ) -> Callable[[ReceiptSalts, datetime], KeptAnswer]:
        """Return what makes the answer that is kept beside the receipt for `KEPT_HOURS`."""
        return partial(self._seal, check, decision, question)

    def _seal(
        self,
        check: CheckId,
        decision: Decision,
        question: ConsentRequestId | None,
        salts: ReceiptSalts,
        now: datetime,
    ) -> KeptAnswer:
        plain = _Sealed(
            request=self._digest(),
            question=question,
            checked=decision.checked,
            obligations=[each.value for each in decision.obligations],
            images=[_text(each) for each in salts.images],
            prompt=None if salts.prompt is None else _text(salts.prompt),
            context=[_text(each) for each in salts.context],
            circumstances=_text(salts.circumstances),
        )
        nonce = self._random(_NONCE_BYTES)
        sealed = AESGCM(self._key).encrypt(nonce, json.dumps(plain).encode(), check.encode())
        return KeptAnswer(
            place=self.place,
            check=check,
            sealed=nonce + sealed,
            ends_at=now + timedelta(hours=KEPT_HOURS),
        )

    def _open(self, kept: KeptAnswer) -> _Opened:
        nonce, body = kept.sealed[:_NONCE_BYTES], kept.sealed[_NONCE_BYTES:]
        try:
            plain: _Sealed = json.loads(AESGCM(self._key).decrypt(nonce, body, kept.check.encode()))
        except InvalidTag as cause:
            raise IdempotencyKeyReused(_REUSED) from cause
        if plain["request"] != self._digest():
            raise IdempotencyKeyReused(_REUSED)
        salts = ReceiptSalts(
            images=tuple(_bytes(each) for each in plain["images"]),
            prompt=None if plain["prompt"] is None else _bytes(plain["prompt"]),
            context=tuple(_bytes(each) for each in plain["context"]),
            circumstances=_bytes(plain["circumstances"]),
        )
        obligations = tuple(Obligation(each) for each in plain["obligations"])
        question = None if plain["question"] is None else ConsentRequestId(plain["question"])
        return _Opened(plain["checked"], obligations, salts, question)

    def _digest(self) -> str:
        """Return a digest of everything that the answer depends on: of all pictures, so only when needed."""
        inputs = self._inputs
        parts = [
            [hashlib.sha256(image).hexdigest() for image in inputs.images],
            inputs.prompt,
            list(inputs.context),
            inputs.purpose.value,
            inputs.region,
            inputs.platform,
            list(self._others),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
