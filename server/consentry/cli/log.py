"""`log`: the transparency log of this data folder. Works beside a running companion, without models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.documents import JsonObject
from consentry.cli.files import read_file, write_file
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, Yes
from consentry.cli.terminal import note, say, say_document, symbol
from consentry.kernel.errors import BadRequest, NotFound
from consentry.kernel.ids import CheckId

if TYPE_CHECKING:
    from consentry.transparency.checkpoints import SignedCheckpoint
    from consentry.wiring import LogDesk

log = typer.Typer(
    help="The log of verdicts and enrolments, which nobody can rewrite.", no_args_is_help=True
)

_MAX_BYTES = 1024 * 1024


@log.command("checkpoint")
def show_checkpoint(
    context: typer.Context,
    *,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Take in what waits, sign, and ask the witnesses, first."),
    ] = False,
) -> None:
    """Print the newest published head of the log. Keep it: it shows later that nothing was rewritten."""
    with _desk(context) as desk:
        signed = desk.publish.batch() if publish else desk.store.published()
        if signed is not None and not desk.publish.policy.is_enough(
            desk.publish.policy.witnesses_of(signed)
        ):
            note("Too few witnesses have cosigned this head, so it is not published yet.")
    if signed is None:
        raise NotFound(
            "Nothing has been published yet. A running companion does it in time, and "
            "`consentry log checkpoint --publish` at once."
        )
    typer.echo(str(signed), nl=False)


@log.command("key")
def show_key(context: typer.Context) -> None:
    """Print the verifier key of the log: what an auditor needs to have from you."""
    with _desk(context) as desk, desk.store.view() as view:
        say(str(desk.publish.vkey(view.origin)))


@log.command("prove")
def prove_check(
    context: typer.Context,
    *,
    check: Annotated[
        str,
        typer.Argument(
            metavar="CHECK",
            help="The check's identifier, chk_…, or a file with the receipt of an erasure.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write it to this file.", show_default=False),
    ] = None,
) -> None:
    """Print a receipt with the proof that what it says is in the log, for `receipt verify`."""
    import json

    with _desk(context) as desk:
        document = _proved(desk, check)
    if out is None:
        say_document(document)
        return
    write_file(out, json.dumps(document).encode(), may_replace=False, is_private=False)
    say(f"Written to {out}.")


@log.command("verify")
def verify_log(
    context: typer.Context,
    *,
    since: Annotated[
        Path | None,
        typer.Option(
            help="A head that was printed before: also verify that nothing was rewritten since.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read the whole log: every entry is one, and all of them make the heads that were signed."""
    from consentry.transparency.checkpoints import SignedCheckpoint
    from consentry.transparency.whole import verify_whole

    before = (
        None if since is None else SignedCheckpoint.parse(read_file(since, max_bytes=_MAX_BYTES))
    )
    with _desk(context) as desk, desk.store.view() as view:
        heads = _heads_to_verify(desk, view.heads(), before)
        found = verify_whole(view.entries(), heads, view.nodes(view.size))
        size = view.size
    if as_json:
        say_document(
            {
                "format": "consentry.log-verified/1",
                "entries": size,
                "kinds": dict(sorted(found.items())),
                "heads": [each.checkpoint.size for each in heads],
            }
        )
        return
    say(f"{symbol('✓', '+')} All {size} entries make the {len(heads)} heads that were signed.")
    for kind, count in sorted(found.items()):
        say(f"  {kind}: {count}")


@log.command("renew")
def renew_log(context: typer.Context, *, yes: Yes = False) -> None:
    """After the newest database was lost: go on under a new origin, and say so in the log."""
    if not yes and not typer.confirm(
        "Everybody will see that entries were lost. Is the newest database gone for good?"
    ):
        raise typer.Exit
    with _desk(context) as desk:
        signed = desk.renew()
    say(f"The log goes on as {signed.checkpoint.origin}, with {signed.checkpoint.size} entries.")


def _proved(desk: LogDesk, check: str) -> JsonObject:
    from consentry.cli import erasures

    if not check.startswith("chk_"):
        text = read_file(Path(check), max_bytes=_MAX_BYTES).decode("utf-8", "replace").strip()
        erasure = erasures.document_of(text)
        if erasure is None:
            raise BadRequest("That is neither a check's identifier nor the receipt of an erasure.")
        return erasures.prove(desk, erasure)
    proved = desk.prove(CheckId(check), caller=None)
    return {
        "format": "consentry.receipt-proof/1",
        "check_id": proved.check,
        "receipt": proved.jws,
        "proof": str(proved.proof),
        "log_key": str(proved.log_key),
    }


def _heads_to_verify(
    desk: LogDesk, own: tuple[SignedCheckpoint, ...], before: SignedCheckpoint | None
) -> list[SignedCheckpoint]:
    further = (desk.store.memory.read(), before)
    found = [*own, *(each for each in further if each is not None)]
    heads = list({each.checkpoint: each for each in found}.values())
    for each in heads:
        each.require_signed_by(desk.publish.vkey(each.checkpoint.origin))
    if not heads:
        raise BadRequest("Nothing was signed yet, so there is nothing to hold the entries against.")
    return heads


@contextmanager
def _desk(context: typer.Context) -> Iterator[LogDesk]:
    from consentry.wiring import open_log

    with open_log(Invocation.of(context).settings) as desk:
        yield desk
