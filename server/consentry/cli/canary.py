"""`audit canary`: somebody of the auditor's own, enrolled like anybody else, and whether she is protected."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.audited import Key, Log, Policy, TokenFile, audited_log, leave, terms_of
from consentry.cli.documents import Json
from consentry.cli.files import read_file, write_file
from consentry.cli.options import AsJson
from consentry.cli.terminal import note, say, say_document, say_table, symbol
from consentry.kernel.errors import BadRequest

if TYPE_CHECKING:
    from consentry.audit.canary import Canary, CanaryReport

canary = typer.Typer(
    help="Canaries: people of an auditor's own, enrolled like anybody else, and probes of their protection.",
    no_args_is_help=True,
)

_MAX_BYTES = 64 * 1024 * 1024
_MAX_PHOTO_BYTES = 20 * 1024 * 1024

File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="The canary's file. Nobody but you may have it."),
]
Photos = Annotated[
    list[Path],
    typer.Option("--photo", help="A picture of the canary. May be repeated.", show_default=False),
]
Credential = Annotated[
    Path,
    typer.Option(
        "--token-file", help="A file with a token that may enrol people.", show_default=False
    ),
]


@canary.command("enrol")
def enrol_canary(
    *,
    file: File,
    server: Annotated[str, typer.Option(help="Address of the installation.", show_default=False)],
    token_file: Credential,
    name: Annotated[
        str, typer.Option(help="What she is called there: like anybody else.", show_default=False)
    ],
    photo: Photos,
) -> None:
    """Enrol a canary. That she is one stands in the file alone, and nowhere at the installation."""
    from consentry.audit.canary import Canary
    from consentry.connectors.audited_site import open_audited_site
    from consentry.kernel.clock import SystemClock

    if file.exists():
        raise BadRequest(f"{file} is there already. Each canary has a file of her own.")
    with open_audited_site(server, token=_secret(token_file)) as site:
        keys = site.receipt_keys()
        subject = site.enrol(name, [_photo(each) for each in photo])
    made = Canary(server=server, subject=subject, keys=keys, enrolled_at=SystemClock().now())
    write_file(file, made.written(), may_replace=False, is_private=True)
    say(f"Enrolled. {file} says that she is a canary: keep it to yourself.")


@canary.command("probe")
def probe_canary(  # noqa: PLR0913 -- one argument for each option of the command
    *,
    file: File,
    key_file: Annotated[
        Path, typer.Option(help="A file with the API key of a platform.", show_default=False)
    ],
    platform: Annotated[
        str, typer.Option(help="Whom that key speaks for, exactly.", show_default=False)
    ],
    photo: Photos,
    stranger: Annotated[
        list[Path] | None,
        typer.Option(
            help="A picture of somebody who is not enrolled. May be repeated.", show_default=False
        ),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(
            help="A file with everyday requests of your own, one a line: the usual ones can be known.",
            show_default=False,
        ),
    ] = None,
    revealing_words: Annotated[
        Path | None,
        typer.Option(help="The same for revealing requests.", show_default=False),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="How often each is tried.")] = 1,
) -> None:
    """Send probes, in random order, and keep the verified receipts; exit code 20 when an answer is wrong."""
    from consentry.audit.canary import EVERYDAY, REVEALING, Canary, Trial
    from consentry.cli.probing import Probing

    found = Canary.parse(read_file(file, max_bytes=_MAX_BYTES))
    everyday = EVERYDAY if words is None else _lines(words)
    revealing = REVEALING if revealing_words is None else _lines(revealing_words)
    hers = [_photo(each) for each in photo]
    others = [_photo(each) for each in stranger or []]
    trials = {Trial.EVERYDAY: (hers, everyday), Trial.REVEALING: (hers, revealing)}
    if others:
        trials[Trial.STRANGER] = (others, everyday)
        trials[Trial.STRANGER_REVEALING] = (others, revealing)
    probing = Probing(found.server, _secret(key_file), platform, found.keys)
    before = len(found.probes)
    try:
        for probe in probing.all(trials, rounds, is_protected=found.ended_at is None):
            found = found.with_probe(probe)
    finally:
        # Also what was answered before something failed: each has a receipt to be found in the log.
        write_file(file, found.written(), may_replace=True, is_private=True)
    sent = found.probes[before:]
    wrong = [each for each in sent if not each.is_right]
    for each in wrong:
        note(f"{each.trial.value}: answered {each.verdict.value}, must be {each.must_be[0].value}")
    say(f"{len(sent)} probes, {len(wrong)} answered otherwise than they must be.")
    leave(bool(wrong))


@canary.command("end")
def end_canary(*, file: File, token_file: Credential) -> None:
    """End her protection. Probes after this must be answered as those of anybody who is not enrolled."""
    from dataclasses import replace

    from consentry.audit.canary import Canary
    from consentry.connectors.audited_site import open_audited_site
    from consentry.kernel.clock import SystemClock

    found = Canary.parse(read_file(file, max_bytes=_MAX_BYTES))
    with open_audited_site(found.server, token=_secret(token_file)) as site:
        site.end(found.subject)
    ended = replace(found, ended_at=SystemClock().now())
    write_file(file, ended.written(), may_replace=True, is_private=True)
    say("Ended. Probe once more: an everyday request must be allowed now.")


@canary.command("report")
def report_canary(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    file: File,
    log: Log = None,
    key: Key = None,
    policy: Policy = None,
    token_file: TokenFile = None,
    delay_hours: Annotated[
        int, typer.Option(min=0, help="How long a verdict may take into a published head.")
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Hold every probe against the laws and against the log; exit code 20 when something is wrong."""
    from consentry.audit.canary import Canary, name_of, reported
    from consentry.audit.examine import examine
    from consentry.kernel.clock import SystemClock
    from consentry.transparency.jwks import parse_jwks

    found = Canary.parse(read_file(file, max_bytes=_MAX_BYTES))
    receipts = {name_of(n): each.receipt for n, each in enumerate(found.probes, 1)}
    with audited_log(context, log, key, policy, token_file) as subject:
        terms = terms_of(subject, receipts=receipts, keys=parse_jwks(found.keys))
        audited = examine(subject.source, terms)
    report = reported(found, audited, SystemClock().now(), timedelta(hours=delay_hours))
    if as_json:
        say_document(_document(found, report))
    else:
        _show(report)
    leave(bool(report.findings))


def _document(found: Canary, report: CanaryReport) -> dict[str, Json]:
    trials: dict[str, Json] = {
        trial.value: {"sent": sent, "right": report.right.get(trial, 0)}
        for trial, sent in sorted(report.sent.items())
    }
    findings: list[Json] = [
        {"kind": each.kind.value, "index": each.index, "message": each.message}
        for each in report.findings
    ]
    return {
        "format": "consentry.canary-report/1",
        "server": found.server,
        "is_protected": found.ended_at is None,
        "probes": len(found.probes),
        "trials": trials,
        "logged": report.logged,
        "pending": report.pending,
        "findings": findings,
    }


def _show(report: CanaryReport) -> None:
    if report.sent:
        say_table(
            ("trial", "sent", "answered as they must be"),
            [
                (trial.value, str(sent), str(report.right.get(trial, 0)))
                for trial, sent in sorted(report.sent.items())
            ],
        )
    say(f"In the log: {report.logged}; newer than its head: {report.pending}.")
    if not report.findings:
        say(f"{symbol('✓', '+')} Nothing is wrong.")
        return
    say(f"{symbol('✗', '!')} Something is wrong:")
    for each in report.findings:
        say(f"  {each.kind.value}: {each.message}")


def _secret(path: Path) -> str:
    return read_file(path, max_bytes=4096).decode("ascii", "replace").strip()


def _photo(path: Path) -> bytes:
    return read_file(path, max_bytes=_MAX_PHOTO_BYTES)


def _lines(path: Path) -> tuple[str, ...]:
    text = read_file(path, max_bytes=1024 * 1024).decode("utf-8", "replace")
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not lines:
        raise BadRequest(f"{path} has no requests in it.")
    return lines
