"""The signed verdict, beside the generator's own answer: in header fields that its clients ignore."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from consentry.gateway.exchange import Headers
from consentry.kernel.ids import ConsentRequestId
from consentry.transparency.receipts import ReceiptSalts, SignedReceipt

RECEIPT = b"consentry-receipt"
SALTS = b"consentry-receipt-salts"
QUESTION = b"consentry-consent-request"
RECEIPT_FIELDS = frozenset({RECEIPT, SALTS, QUESTION})
MAX_RECEIPTS = 4
"""In one header: most servers and clients read 16 to 64 KB of it. A batch has its last ones."""


def receipt_headers(
    receipts: Sequence[SignedReceipt | None], question: ConsentRequestId | None
) -> Headers:
    """Return the receipts of a request, what opens them, and the question that was put to her.

    Several are separated by commas, in the order of the checks; salts are base64url of JSON.
    """
    signed = [each for each in receipts if each is not None][-MAX_RECEIPTS:]
    headers: list[tuple[bytes, bytes]] = []
    if signed:
        headers.append((RECEIPT, ",".join(each.jws for each in signed).encode()))
        headers.append((SALTS, ",".join(_text(each.salts) for each in signed).encode()))
    if question is not None:
        headers.append((QUESTION, question.encode()))
    return tuple(headers)


def _text(salts: ReceiptSalts) -> str:
    found = {
        "images": [_base64url(each) for each in salts.images],
        "prompt": None if salts.prompt is None else _base64url(salts.prompt),
        "context": [_base64url(each) for each in salts.context],
        "circumstances": _base64url(salts.circumstances),
    }
    return _base64url(json.dumps(found, separators=(",", ":")).encode())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode("ascii").rstrip("=")


def with_room(headers: Headers, max_bytes: int) -> Headers:
    """Return header fields without as many of the oldest receipts as are too much for a client.

    Args:
        headers: Receipts among others.
        max_bytes: Of the receipts and what opens them, together.
    """
    found = {name: value.split(b",") for name, value in headers if name in (RECEIPT, SALTS)}
    while sum(len(each) + 1 for values in found.values() for each in values) > max_bytes:
        found = {name: values[1:] for name, values in found.items()}
    return tuple(
        (name, b",".join(found[name])) if name in found else (name, value)
        for name, value in headers
        if found.get(name, [value])
    )
