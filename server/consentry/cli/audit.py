"""`audit`: what an outsider verifies about a log: this home's, one behind an address, or a copy in a folder."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.audited import (
    Key,
    Log,
    Policy,
    TokenFile,
    audited_log,
    leave,
    terms_of,
)
from consentry.cli.canary import canary as canaries
from consentry.cli.documents import Json
from consentry.cli.files import read_file, write_file
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.receipts import read_receipt
from consentry.cli.terminal import note, say, say_document, symbol
from consentry.kernel.errors import BadRequest

if TYPE_CHECKING:
    from consentry.audit.examine import Audited
    from consentry.audit.findings import Finding
    from consentry.transparency.jwks import JwkSet

audit = typer.Typer(
    help="Verifying a whole log, and its figures, without trusting who runs it.",
    no_args_is_help=True,
)

audit.add_typer(canaries, name="canary")

_MAX_BYTES = 1024 * 1024


class Openable(StrEnum):
    """What was declared of a verdict, and may be opened for an auditor."""

    PLATFORM = "platform"
    PURPOSE = "purpose"
    REGION = "region"


_MAX_OPENINGS_BYTES = 2 * 1024**3

Openings = Annotated[
    Path | None,
    typer.Option(
        "--openings",
        help="Commitments that were opened for you (`consentry audit open`).",
        show_default=False,
    ),
]
Since = Annotated[
    list[Path] | None,
    typer.Option(
        "--since",
        help="A head that you kept: nothing before it may have changed. May be repeated.",
        show_default=False,
    ),
]
DaysBack = Annotated[
    int,
    typer.Option(
        "--days-back", min=0, help="How many days the log's clock may go back between two entries."
    ),
]


@audit.command("verify")
def verify_log(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    log: Log = None,
    key: Key = None,
    policy: Policy = None,
    token_file: TokenFile = None,
    since: Since = None,
    receipt: Annotated[
        list[Path] | None,
        typer.Option(
            "--receipt",
            help="A file with a receipt that must be in the log. May be repeated.",
            show_default=False,
        ),
    ] = None,
    jwks: Annotated[
        Path | None,
        typer.Option(
            help="The key set that the receipts are signed with, in place of this home's.",
            show_default=False,
        ),
    ] = None,
    openings: Openings = None,
    days_back: DaysBack = 1,
    as_json: AsJson = False,
) -> None:
    """Read a whole log and say what is wrong with it; exit code 20 when something is."""
    from consentry.audit.examine import examine

    with audited_log(context, log, key, policy, token_file) as subject:
        keys = subject.receipt_keys
        if jwks is not None:
            keys = _keys(jwks)
        elif receipt and keys is None:
            raise BadRequest("Give the key set that the receipts are signed with: --jwks FILE.")
        terms = terms_of(
            subject, since=since, openings=openings, days_back=days_back,
            receipts={str(each): read_receipt(str(each))[0] for each in receipt or []}, keys=keys,
        )  # fmt: skip
        audited = examine(subject.source, terms)
    if as_json:
        say_document(_document(audited, len(receipt or [])))
    else:
        _show(audited, len(receipt or []))
    leave(bool(audited.findings))


@audit.command("export")
def export_figures(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="A new or empty folder.", show_default=False)
    ],
    log: Log = None,
    key: Key = None,
    policy: Policy = None,
    token_file: TokenFile = None,
    openings: Openings = None,
    threshold: Annotated[
        int, typer.Option(min=1, help="Counts below this are held back; 1 shows all.")
    ] = 10,
    stated: Annotated[
        Path | None,
        typer.Option(
            help="What the operator states of appeals (`consentry audit state`).",
            show_default=False,
        ),
    ] = None,
    canary: Annotated[
        list[Path] | None,
        typer.Option(
            help="The file of a canary of yours: how its probes were answered. May be repeated.",
            show_default=False,
        ),
    ] = None,
    with_entries: Annotated[
        bool,
        typer.Option(
            "--with-entries", help="Write the entries too, so that the folder stands for itself."
        ),
    ] = False,
) -> None:
    """Write the figures of a log as JSON, CSV, and a report with a plot, for a regulator."""
    from consentry.audit.beside import Beside, Stated, engine_rates, tried
    from consentry.audit.canary import Canary
    from consentry.audit.examine import examine
    from consentry.audit.export import export_files
    from consentry.audit.figures import figures_of
    from consentry.audit.rates import measured_rates
    from consentry.storage.log_folder import CHECKPOINT, FolderLog
    from consentry.transparency.tiles import bundles_of

    _make_empty(out)
    with audited_log(context, log, key, policy, token_file) as subject:
        audited = examine(subject.source, terms_of(subject, openings=openings))
        engines = {
            version
            for each in audited.counts.announced
            for version in each.versions.engines.values()
        }
        beside = Beside(
            engine_rates=engine_rates(engines),
            stated=None
            if stated is None
            else Stated.parse(read_file(stated, max_bytes=_MAX_BYTES)),
            tried=tried(
                [Canary.parse(read_file(each, max_bytes=64 * _MAX_BYTES)) for each in canary or []]
            ),
        )
        figures = figures_of(audited, threshold, measured_rates(engines), beside)
        files = {**export_files(figures), CHECKPOINT: str(audited.head).encode()}
        for name, data in files.items():
            write_file(out / name, data, may_replace=False, is_private=False)
        if with_entries:
            copy = FolderLog(out)
            for tile in bundles_of(audited.read):
                copy.write(tile, subject.source.read(tile))
    say(f"Written to {out}: figures of {audited.read} entries. Read {out / 'report.md'}.")
    for each in audited.findings:
        note(f"{each.kind}: {each.message}")
    leave(bool(audited.findings))


@audit.command("recompute")
def recompute_figures(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an export.")],
    log: Log = None,
    key: Key = None,
    policy: Policy = None,
    token_file: TokenFile = None,
    openings: Openings = None,
    as_json: AsJson = False,
) -> None:
    """Make an export again from the entries, in it or in the log, and say what differs; exit code 20 then."""
    from consentry.audit.examine import examine
    from consentry.audit.recompute import recomputed
    from consentry.audit.sources import AtHead
    from consentry.storage.log_folder import FolderLog

    export = FolderLog(folder)
    given = str(folder) if log is None and export.has_entries else log
    (signed,) = export.heads()
    with audited_log(context, given, key, policy, token_file) as subject:
        audited = examine(AtHead(subject.source, signed), terms_of(subject, openings=openings))
    findings = audited.findings
    if audited.head is not None and audited.read == audited.head.checkpoint.size:
        findings += recomputed(
            audited, lambda name: read_file(folder / name, max_bytes=64 * _MAX_BYTES)
        )
    if as_json:
        say_document(
            {
                "format": "consentry.audit-recomputed/1",
                "entries": audited.read,
                "findings": _findings(findings),
            }
        )
    elif not findings:
        say(f"{symbol('✓', '+')} The {audited.read} entries say what the export says.")
    else:
        _show_findings(findings)
    leave(bool(findings))


@audit.command("sample")
def sample_receipts(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    server: Annotated[str, typer.Option(help="Address of the installation.", show_default=False)],
    token_file: Annotated[
        Path,
        typer.Option("--token-file", help="A file with an auditor's token.", show_default=False),
    ],
    log: Log = None,
    key: Key = None,
    policy: Policy = None,
    jwks: Annotated[
        Path | None,
        typer.Option(
            help="The key set that receipts are signed with; what the installation names now when left out.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many entries.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Pick entries at random, ask for their receipts, and hold both against each other; exit code 20 on a finding."""
    from consentry.audit.examine import examine
    from consentry.audit.sampling import pick, without_receipt
    from consentry.connectors.audited_site import open_audited_site
    from consentry.transparency.jwks import parse_jwks

    token = read_file(token_file, max_bytes=4096).decode("ascii", "replace").strip()
    where = log or f"{server.rstrip('/')}/log"
    with audited_log(context, where, key, policy, token_file) as subject:
        picked = pick(subject.source, count)
        with open_audited_site(server, token=token) as site:
            keys = parse_jwks(site.receipt_keys()) if jwks is None else _keys(jwks)
            found = site.receipts_of(picked)
        named = {f"receipt of entry {index}": jws for index, jws in found.items()}
        audited = examine(subject.source, terms_of(subject, receipts=named, keys=keys))
        findings = audited.findings + without_receipt(subject.source, picked, found, audited.read)
    if as_json:
        say_document(
            {
                "format": "consentry.audit-sampled/1",
                "entries": audited.read,
                "picked": len(picked),
                "receipts": {"given": len(found), "found": audited.samples},
                "findings": _findings(findings),
            }
        )
    else:
        say(f"Of {audited.read} entries {len(picked)} were picked.")
        say(
            f"  receipts that were given: {len(found)}, and found at their places: {audited.samples}"
        )
        _show_all(findings)
    leave(bool(findings))


@audit.command("state")
def state_appeals(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file.", show_default=False)],
) -> None:
    """State, for an auditor, how many appeals are open: contested identities. Nobody can prove it."""
    from consentry.audit.beside import Stated
    from consentry.kernel.clock import SystemClock
    from consentry.wiring import open_log

    with open_log(Invocation.of(context).settings) as desk:
        stated = Stated(day=SystemClock().now().date(), contests_open=desk.open_contests())
    write_file(out, stated.written(), may_replace=False, is_private=False)
    say(f"Written to {out}: {stated.contests_open} contested identities are open.")


@audit.command("open")
def open_commitments(
    context: typer.Context,
    *,
    name: Annotated[
        list[Openable],
        typer.Option("--name", help="What to open. May be repeated.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file.", show_default=False)],
) -> None:
    """Open, for an auditor whom you choose, what this home's verdicts were declared to be for, where, or by whom."""
    from consentry.storage.log_openings import opened_values
    from consentry.wiring import open_log

    with open_log(Invocation.of(context).settings) as desk, desk.store.view() as view:
        lines = [each.line() for each in opened_values(view, {each.value for each in name})]
    write_file(out, "".join(lines).encode(), may_replace=False, is_private=True)
    say(f"Written to {out}: {len(lines)} values. Whoever has the file knows them.")


def _keys(path: Path) -> JwkSet:
    from consentry.transparency.jwks import parse_jwks

    return parse_jwks(read_file(path, max_bytes=_MAX_BYTES))


def _document(audited: Audited, receipts: int) -> dict[str, Json]:
    head: dict[str, Json] | None = None
    if audited.head is not None:
        checkpoint = audited.head.checkpoint
        head = {"origin": checkpoint.origin, "size": checkpoint.size}
    verdicts: dict[str, Json] = dict(_verdicts(audited))
    return {
        "format": "consentry.audited/1",
        "head": head,
        "entries": audited.read,
        "heads": audited.heads,
        "receipts": {"given": receipts, "found": audited.samples},
        "verdicts": verdicts,
        "changes": audited.counts.changes.total(),
        "findings": _findings(audited.findings),
    }


def _verdicts(audited: Audited) -> dict[str, int]:
    found = Counter[str]()
    for (_, verdict), count in audited.counts.verdicts.items():
        found[verdict.value] += count
    return dict(sorted(found.items()))


def _findings(findings: tuple[Finding, ...]) -> list[Json]:
    return [
        {"kind": each.kind.value, "index": each.index, "message": each.message} for each in findings
    ]


def _show(audited: Audited, receipts: int) -> None:
    if audited.head is not None:
        say(f"{audited.head.checkpoint.origin}: {audited.read} entries were read.")
        say(f"  signed heads that they make: {audited.heads}")
        say(f"  receipts that were found: {audited.samples} of {receipts}")
        for verdict, count in _verdicts(audited).items():
            say(f"  verdict {verdict}: {count}")
        say(f"  changes of enrolments: {audited.counts.changes.total()}")
    _show_all(audited.findings)


def _show_all(findings: tuple[Finding, ...]) -> None:
    if findings:
        _show_findings(findings)
    else:
        say(f"{symbol('✓', '+')} Nothing is wrong.")


def _show_findings(findings: tuple[Finding, ...]) -> None:
    say(f"{symbol('✗', '!')} Something is wrong:")
    for each in findings:
        say(f"  {each.kind.value}: {each.message}")


def _make_empty(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        is_empty = not any(out.iterdir())
    except OSError as cause:
        raise BadRequest(f"The folder cannot be used: {cause.strerror}.") from cause
    if not is_empty:
        raise BadRequest("The folder has something in it. Choose a new one.")
