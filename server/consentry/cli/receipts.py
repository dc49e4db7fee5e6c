"""`receipt`: signed verdicts. Verifying needs no companion of anybody's, only a key set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.documents import Json
from consentry.cli.files import read_file
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.pictures import read_pictures
from consentry.cli.terminal import say, say_document, say_table, symbol
from consentry.kernel.errors import BadRequest, ReceiptInvalid
from consentry.kernel.taxonomy import Purpose

if TYPE_CHECKING:
    from consentry.cli.answers import ReceiptDocument
    from consentry.transparency.policy import TrustPolicy
    from consentry.transparency.receipts import ReceiptClaims, ReceiptSalts

receipts = typer.Typer(help="Signed verdicts, verified offline.", no_args_is_help=True)

_MAX_BYTES = 1024 * 1024
_JWS_DOTS = 2


@receipts.command("verify")
def verify_receipt(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    receipt: Annotated[
        str,
        typer.Argument(
            metavar="RECEIPT",
            help="A file with a receipt or with what `check --json` printed, - for standard "
            "input, or the receipt itself.",
        ),
    ],
    image: Annotated[
        list[str] | None,
        typer.Option(
            "--image",
            help="Also verify that it is about this picture; repeat in order.",
            show_default=False,
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(help="Also verify that it is about this prompt.", show_default=False),
    ] = None,
    purpose: Annotated[
        Purpose,
        typer.Option(help="What the check was said to be for; used with --image or --prompt."),
    ] = Purpose.EDIT,
    region: Annotated[
        str | None,
        typer.Option(
            help="The region of the check; used with --image or --prompt.", show_default=False
        ),
    ] = None,
    jwks: Annotated[
        Path | None,
        typer.Option(
            help="A key set (JWKS file) to verify with, in place of this home's key.",
            show_default=False,
        ),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            help="A proof (C2SP tlog-proof) that it is in the log, where it did not come with one.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Whom to believe about the log (C2SP tlog-policy), in place of this home's log.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a receipt, of a check or an erasure: signed, unchanged, and about what it is said to be about."""
    from consentry.cli import erasures
    from consentry.transparency.jwks import parse_jwks
    from consentry.transparency.logged import verify_logged as require_logged
    from consentry.transparency.proofs import LogProof
    from consentry.transparency.receipts import ReceiptInputs
    from consentry.transparency.receipts import verify_commitment as require_about
    from consentry.transparency.receipts import verify_receipt as require_signed

    invocation = Invocation.of(context)
    text_given = _text_of(receipt)
    key_set = _own_keys(invocation) if jwks is None else read_file(jwks, max_bytes=_MAX_BYTES)
    erasure = erasures.document_of(text_given)
    if erasure is not None:
        trust = _trust(invocation, policy) if erasure.proofs else None
        erasures.verify(erasure, parse_jwks(key_set), trust, as_json=as_json)
        return
    jws, document = _parsed(text_given)
    claims = require_signed(jws, parse_jwks(key_set))
    _require_agreement(document, claims)
    salts = None if document is None else _salts_of(document)
    is_about = bool(image) or prompt is not None
    if is_about:
        if salts is None:
            raise BadRequest(
                "To verify what a receipt is about, its salts are needed: give the whole object that `check --json` "
                "printed, not the receipt alone."
            )
        pictures = read_pictures(image or [], max_bytes=invocation.settings.max_image_bytes)
        inputs = ReceiptInputs(
            images=tuple(picture.data for picture in pictures),
            prompt=prompt,
            context=(),
            purpose=purpose,
            region=None if region is None else region.upper(),
            platform=None,
        )
        require_about(claims, salts, inputs)
    text = _proof_text(proof, document)
    is_logged = text is not None
    if text is not None:
        require_logged(jws, claims, LogProof.parse(text), _trust(invocation, policy))
    elif policy is not None:
        raise BadRequest(
            "There is no proof to hold against that policy. Give the object that `consentry log prove` "
            "or the API's /proof printed, or --proof FILE."
        )
    if as_json:
        say_document(_claims_document(claims, is_about=is_about, is_logged=is_logged))
    else:
        _show_claims(claims, is_about=is_about, is_logged=is_logged)


@receipts.command("list")
def list_receipts(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the newest receipts of this home."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        answer = calls.receipts(line, limit=limit)
    if as_json:
        say_document(answer.document())
        return
    if not answer.receipts:
        say("There are no receipts yet.")
        return
    say_table(
        ("check", "when", "verdict", "reasons"),
        [
            (
                each.check_id,
                f"{each.issued_at:%Y-%m-%d %H:%M:%SZ}",
                each.verdict.value,
                ", ".join(each.reasons),
            )
            for each in answer.receipts
        ],
    )


def _own_keys(invocation: Invocation) -> bytes:
    from consentry.cli import calls

    with invocation.line() as line:
        return calls.receipt_keys(line).model_dump_json().encode()


def _proof_text(proof: Path | None, document: ReceiptDocument | None) -> str | None:
    if proof is not None:
        return read_file(proof, max_bytes=_MAX_BYTES).decode("utf-8", "replace")
    return None if document is None else document.proof


def _trust(invocation: Invocation, policy: Path | None) -> TrustPolicy:
    from consentry.wiring import open_log, read_trust_policy

    if policy is not None:
        return read_trust_policy(policy)
    with open_log(invocation.settings) as desk:
        return desk.policy


def read_receipt(given: str) -> tuple[str, ReceiptDocument | None]:
    """Return the receipt and, where it came in one, the object around it."""
    return _parsed(_text_of(given))


def _text_of(given: str) -> str:
    if given == "-":
        text = sys.stdin.buffer.read(_MAX_BYTES).decode("utf-8", "replace")
    elif given.count(".") == _JWS_DOTS and given.startswith("eyJ"):
        text = given
    else:
        text = read_file(Path(given), max_bytes=_MAX_BYTES).decode("utf-8", "replace")
    return text.strip()


def _parsed(text: str) -> tuple[str, ReceiptDocument | None]:
    if not text.startswith("{"):
        return text, None
    document = _document_of(text)
    return document.receipt, document


def _document_of(text: str) -> ReceiptDocument:
    """Read what `check --json` or the API printed."""
    from pydantic import ValidationError

    from consentry.cli.answers import ReceiptDocument

    try:
        return ReceiptDocument.model_validate_json(text)
    except ValidationError as cause:
        raise ReceiptInvalid(
            "The JSON object holds no receipt; a check with --mode inform leaves none."
        ) from cause


def _require_agreement(document: ReceiptDocument | None, claims: ReceiptClaims) -> None:
    """Pass when the object around a receipt says the same as the receipt: whoever trusts one reads the other.

    Raises:
        ReceiptInvalid: If it says something else.
    """
    if document is None:
        return
    agrees = (
        document.check_id in {None, claims.check}
        and document.verdict in {None, claims.verdict.value}
        and (
            document.reasons is None or document.reasons == [each.value for each in claims.reasons]
        )
    )
    if not agrees:
        raise ReceiptInvalid(
            "The receipt is signed, but the object around it says something else: that was changed after the check."
        )


def _salts_of(document: ReceiptDocument) -> ReceiptSalts | None:
    from consentry.transparency.jwks import decode_base64url
    from consentry.transparency.receipts import ReceiptSalts

    if document.salts is None:
        return None
    return ReceiptSalts(
        images=tuple(decode_base64url(salt) for salt in document.salts.images),
        prompt=None if document.salts.prompt is None else decode_base64url(document.salts.prompt),
        context=tuple(decode_base64url(salt) for salt in document.salts.context),
        circumstances=decode_base64url(document.salts.circumstances),
    )


def _claims_document(claims: ReceiptClaims, *, is_about: bool, is_logged: bool) -> dict[str, Json]:
    engines: dict[str, Json] = dict(claims.engines)
    place: dict[str, Json] | None = None
    if claims.log is not None:
        place = {"origin": claims.log.origin, "index": claims.log.index}
    return {
        "format": "consentry.verified/1",
        "inputs_verified": is_about,
        "log_verified": is_logged,
        "log": place,
        "check_id": claims.check,
        "issuer": claims.issuer,
        "issued_at": claims.issued_at.isoformat(),
        "mode": claims.mode.value,
        "verdict": claims.verdict.value,
        "reasons": [reason.value for reason in claims.reasons],
        "obligations": [obligation.value for obligation in claims.obligations],
        "policy_version": claims.policy_version,
        "engines": engines,
    }


def _show_claims(claims: ReceiptClaims, *, is_about: bool, is_logged: bool) -> None:
    from consentry.consent.explanation import explain_public

    about = (
        "is signed, unchanged, and about what was given" if is_about else "is signed and unchanged"
    )
    say(f"{symbol('✓', '+')} The receipt {about}.")
    say(
        f"  verdict: {claims.verdict.value}{''.join(f' {reason.value}' for reason in claims.reasons)}"
    )
    say(f"  meaning: {explain_public(claims.verdict, claims.reasons, claims.obligations)}")
    say(f"  check:   {claims.check}, {claims.issued_at:%Y-%m-%d %H:%M:%SZ}")
    say(
        f"  policy:  {claims.policy_version}; {', '.join(f'{k} {v}' for k, v in claims.engines.items())}"
    )
    say(f"  issuer:  {claims.issuer}")
    if claims.log is not None:
        said = (
            "proved" if is_logged else f"not proved here; see: consentry log prove {claims.check}"
        )
        say(f"  log:     {claims.log.origin} at {claims.log.index}: {said}")
