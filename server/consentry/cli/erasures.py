"""Erasure receipts at a terminal: handing one over, proving it from the log, verifying it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from consentry.cli.documents import Json, JsonObject
from consentry.cli.files import write_file
from consentry.cli.terminal import say, say_document, symbol
from consentry.kernel.errors import BadRequest, NotFound, ReceiptInvalid

if TYPE_CHECKING:
    from consentry.cli.answers import ErasureDocument
    from consentry.transparency.erasure import ErasedEntry, ErasureClaims
    from consentry.transparency.jwks import JwkSet
    from consentry.transparency.policy import TrustPolicy
    from consentry.wiring import LogDesk


def hand_over(document: JsonObject, out: Path | None) -> None:
    """Give the receipt of an erasure to whoever is there: it is kept nowhere."""
    if out is None:
        say("A signed receipt of it, kept nowhere else (consentry receipt verify reads it):")
        say_document(document)
        return
    write_file(out, json.dumps(document).encode(), may_replace=False, is_private=True)
    say(f"Written: {out}, a signed receipt of it that is kept nowhere else.")


def require_writable(out: Path | None) -> None:
    """Pass when a receipt can be written there: asked before an erasure, which cannot be repeated.

    Raises:
        BadRequest: If something is there already, or the folder is not.
    """
    if out is not None and (out.exists() or not out.parent.is_dir()):
        raise BadRequest(f"{out} is there already, or its folder is not. Choose another name.")


def document_of(text: str) -> ErasureDocument | None:
    """Return an erasure receipt with what came with it; None when the text holds another thing."""
    from pydantic import ValidationError

    from consentry.cli.answers import ErasureDocument
    from consentry.transparency.erasure import ERASURE_TYPE
    from consentry.transparency.jws import claimed_type

    try:
        found = (
            ErasureDocument.model_validate_json(text)
            if text.startswith("{")
            else ErasureDocument(receipt=text)
        )
        return found if claimed_type(found.receipt) == ERASURE_TYPE else None
    except (ValidationError, ReceiptInvalid):
        return None  # whoever reads it as a check's receipt says what is wrong with it


def prove(desk: LogDesk, document: ErasureDocument) -> JsonObject:
    """Return the receipt with a proof of each of its entries.

    Raises:
        BadRequest: If the entries did not come with it.
        NotFound: If an entry is not in the log (yet).
    """
    if not document.entries:
        raise BadRequest("To prove an erasure its entries are needed: give the whole object.")
    proofs: list[Json] = []
    for each in _entries_of(document):
        index = desk.store.index_of(each.entry)
        if index is None:
            raise NotFound(
                "An entry of that erasure is not in this log, or not yet: it comes with the next "
                "batch, and `consentry log checkpoint --publish` takes it in at once."
            )
        with desk.store.view() as view:
            origin = view.origin
        proofs.append(str(desk.prove.prove(origin, index)))
    with desk.store.view() as view:
        key = str(desk.publish.vkey(view.origin))
    return document.document() | {"proofs": proofs, "log_key": key}


def verify(
    document: ErasureDocument, keys: JwkSet, policy: TrustPolicy | None, *, as_json: bool
) -> None:
    """Verify an erasure receipt with all that came with it, and show what it says.

    Raises:
        ReceiptInvalid, ProofInvalid: If anything does not hold.
    """
    from consentry.transparency.erasure import require_about, require_logged, verify_erasure
    from consentry.transparency.proofs import LogProof

    claims = verify_erasure(document.receipt, keys)
    entries = _entries_of(document)
    if entries:
        require_about(claims, entries)
    if document.proofs and policy is not None:
        proofs = [LogProof.parse(each) for each in document.proofs]
        require_logged(claims, [each.entry for each in entries], proofs, policy)
    is_logged = bool(document.proofs) and policy is not None
    if as_json:
        say_document(_claims_document(claims, is_about=bool(entries), is_logged=is_logged))
    else:
        _show(claims, is_about=bool(entries), is_logged=is_logged)


def _entries_of(document: ErasureDocument) -> list[ErasedEntry]:
    from consentry.kernel.ids import SubjectId
    from consentry.transparency.erasure import ErasedEntry
    from consentry.transparency.jwks import decode_base64url

    return [
        ErasedEntry(
            subject=SubjectId(each.subject),
            entry=decode_base64url(each.entry),
            salt=decode_base64url(each.salt),
        )
        for each in document.entries
    ]


def _claims_document(claims: ErasureClaims, *, is_about: bool, is_logged: bool) -> JsonObject:
    destroyed: dict[str, Json] = dict(claims.destroyed)
    return {
        "format": "consentry.erasure-verified/1",
        "entries_verified": is_about,
        "log_verified": is_logged,
        "erasure_id": claims.erasure,
        "issuer": claims.issuer,
        "erased_at": claims.erased_at.isoformat(),
        "scope": claims.scope.value,
        "people": claims.people,
        "destroyed": destroyed,
        "log": claims.log,
    }


def _show(claims: ErasureClaims, *, is_about: bool, is_logged: bool) -> None:
    say(f"{symbol('✓', '+')} The receipt of an erasure is signed and unchanged.")
    say(f"  when:      {claims.erased_at:%Y-%m-%d %H:%M:%SZ}, {claims.erasure}")
    say(f"  erased:    {claims.people} ({claims.scope.value})")
    say(f"  destroyed: {', '.join(f'{count} {name}' for name, count in claims.destroyed.items())}")
    say(f"  issuer:    {claims.issuer}")
    about = "of the person that it names" if is_about else "not given, so it says nothing of whom"
    say(f"  entries:   {about}")
    say(f"  log:       {claims.log or 'none'}: {'proved' if is_logged else 'not proved here'}")
