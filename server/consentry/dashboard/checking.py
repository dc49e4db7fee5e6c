"""Checking pictures with a prompt, and the receipts that checks leave."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from fastapi import Response

from consentry.checks.check import MAX_IMAGES, MAX_PROMPT_CHARS, CheckRequest
from consentry.consent.explanation import Audience, explain
from consentry.dashboard.visit import Route, Visit
from consentry.dashboard.words import PURPOSES
from consentry.kernel.errors import BadRequest, ReceiptInvalid
from consentry.kernel.ids import CheckId, SubjectId
from consentry.kernel.taxonomy import Mode, Purpose
from consentry.transparency.jwks import encode_base64url
from consentry.transparency.receipts import SignedReceipt, verify_receipt
from consentry.vault.custody import VaultState

RECEIPTS_PER_PAGE = 50
_REGION_CHARS = 2


def show_check(visit: Visit) -> Response:
    """Ask for pictures and a prompt."""
    people = visit.services.people.all()
    return visit.page(
        "check.html",
        purposes=PURPOSES,
        purpose=visit.form.text("purpose") or Purpose.EDIT,
        prompt=visit.form.text("prompt"),
        region=visit.form.text("region"),
        is_self=visit.form.text("self") != "",
        people=people,
        max_pictures=MAX_IMAGES,
        max_prompt_chars=MAX_PROMPT_CHARS,
    )


def check(visit: Visit) -> Response:
    """Check, and show the answer. The pictures are forgotten when this returns."""
    pictures = visit.form.files("pictures")
    result = visit.services.check(
        CheckRequest(
            images=pictures,
            prompt=_prompt(visit),
            mode=Mode.ACT,
            purpose=_purpose(visit),
            region=_region(visit),
            platform=None,
            actor=_actor(visit),
            declares_minor=False,
        )
    )
    return visit.page(
        "result.html",
        result=result,
        explanation=explain(result.decision, Audience.SUBJECT),
        receipt=None if result.receipt is None else _download(result.receipt),
        is_locked=visit.state is VaultState.LOCKED,
        is_enrolled=bool(visit.services.people.all()),
    )


def show_receipts(visit: Visit) -> Response:
    """List receipts, newest first."""
    receipts = visit.services.receipts.newest(RECEIPTS_PER_PAGE, _before(visit))
    return visit.page(
        "receipts.html",
        receipts=receipts,
        total=visit.services.receipts.count(),
        older=receipts[-1].issued_at.isoformat() if len(receipts) == RECEIPTS_PER_PAGE else None,
    )


def show_receipt(visit: Visit) -> Response:
    """Show what one receipt says."""
    return _receipt_page(visit, is_verified=False)


def verify(visit: Visit) -> Response:
    """Verify the signature of one receipt, and say so."""
    return _receipt_page(visit, is_verified=True)


def _receipt_page(visit: Visit, *, is_verified: bool) -> Response:
    stored = visit.services.receipts.get(CheckId(visit.path["check"]))
    failure: ReceiptInvalid | None = None
    claims = None
    if is_verified:
        try:
            claims = verify_receipt(stored.jws, visit.services.signer.jwks())
        except ReceiptInvalid as error:
            failure = error
    return visit.page(
        "receipt.html",
        receipt=stored,
        claims=claims,
        failure=failure,
        is_verified=is_verified,
        download=_data_url({"receipt": stored.jws}),
    )


def _prompt(visit: Visit) -> str | None:
    # Browsers send the line breaks of a text area as CR LF. The receipt shall be about what was typed.
    return visit.form.text("prompt").replace("\r\n", "\n") or None


def _purpose(visit: Visit) -> Purpose:
    try:
        return Purpose(visit.form.text("purpose") or Purpose.EDIT)
    except ValueError as cause:
        raise BadRequest("Choose one of the purposes in the list.") from cause


def _region(visit: Visit) -> str | None:
    region = visit.form.text("region").strip().upper()
    if not region:
        return None
    if len(region) != _REGION_CHARS or not region.isascii() or not region.isalpha():
        raise BadRequest("A country has two letters, for example DE, or leave it empty.")
    return region


def _actor(visit: Visit) -> SubjectId | None:
    """Return who asks, if she says that it is herself and has just proved it."""
    subject = visit.form.text("self")
    return visit.services.verify_actor(SubjectId(subject)) if subject else None


def _before(visit: Visit) -> datetime | None:
    text = visit.query.get("before")
    if text is None:
        return None
    try:
        before = datetime.fromisoformat(text)
    except ValueError as cause:
        raise BadRequest("That page of receipts has no such date.") from cause
    if before.tzinfo is None:
        raise BadRequest("That page of receipts has no such date.")
    return before


def _download(receipt: SignedReceipt) -> str:
    """Return what `consentry receipt verify` reads. The salts are kept nowhere: this is the only chance."""
    salts = receipt.salts
    return _data_url(
        {
            "receipt": receipt.jws,
            "salts": {
                "images": [encode_base64url(salt) for salt in salts.images],
                "prompt": None if salts.prompt is None else encode_base64url(salts.prompt),
                "context": [encode_base64url(salt) for salt in salts.context],
                "circumstances": encode_base64url(salts.circumstances),
            },
        }
    )


def _data_url(content: object) -> str:
    encoded = base64.b64encode(json.dumps(content, indent=2).encode()).decode("ascii")
    return f"data:application/json;base64,{encoded}"


ROUTES = (
    Route(method="GET", path="/check", answer=show_check),
    Route(method="POST", path="/check", answer=check, again=show_check),
    Route(method="GET", path="/receipts", answer=show_receipts),
    Route(method="GET", path="/receipts/{check}", answer=show_receipt),
    Route(method="POST", path="/receipts/{check}/verify", answer=verify),
)
