"""`privacy`, `retention` and `hold`: what is kept, for how long, a copy of it, and what forbids its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.files import write_file
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, PassphraseFd
from consentry.cli.presence import OwnPassphraseFd, Presence, Whose
from consentry.cli.terminal import note, say, say_document, say_table

privacy = typer.Typer(help="What is kept about you, and a copy of it.", no_args_is_help=True)
retention = typer.Typer(help="Deleting what has been kept long enough.", no_args_is_help=True)
holds = typer.Typer(
    help="Legal holds: a law or a court forbids to delete records.", no_args_is_help=True
)


@privacy.command("inventory")
def show_inventory(
    context: typer.Context,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is about nobody, with every field.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is kept, who can open it, and for how long."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        found = calls.inventory(line)
    if as_json:
        say_document(found.document())
        return
    for kept in found.kept:
        if not (kept.plain or everything):
            continue
        say(f"{kept.plain or kept.what or kept.name}{f' ({kept.name})' if kept.name else ''}")
        if everything and kept.fields:
            say(f"  fields:      {', '.join(kept.fields)}")
        say(f"  who can see: {kept.opens}")
        say(f"  until:       {kept.ends}")
    for hold in found.holds:
        say(f"Legal hold until {hold.until:%Y-%m-%d}: {hold.reason} ({hold.placed_by})")
    if not everything:
        say("With --all also what is about nobody. The same, with reasons: docs/privacy.md")


@privacy.command("export")
def export_subject(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    subject: Whose = None,
    force: Annotated[bool, typer.Option("--force", help="Write over FILE if it is there.")] = False,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Write a copy of all that is kept about you, as JSON. Needs proof that it is you."""
    from consentry.cli import calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd, own_passphrase_fd)
        data = calls.export_subject(line, presence.prove(subject))
    write_file(file, data, may_replace=force, is_private=True)
    say(f"Written: {file} ({len(data)} bytes).")
    note(
        "It is not sealed, and your face can be looked for with it. Keep it as you keep your keys."
    )


@retention.command("run")
def run_retention(
    context: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be deleted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what is due. A running companion does it by itself when it starts and each day."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        report = calls.enforce_retention(line, dry_run=dry_run)
    if as_json:
        say_document(report.document())
        return
    found = [(name, str(count)) for name, count in sorted(report.counts.items()) if count]
    if found:
        say_table(("what", "would be deleted" if dry_run else "deleted"), found)
    else:
        say("Nothing is due.")
    if report.held:
        say(f"Kept by a legal hold: {', '.join(report.held)}.")


@holds.command("place")
def place_hold(
    context: typer.Context,
    *,
    reason: Annotated[
        str, typer.Argument(help="Why. Everybody enrolled can read it: name nobody.")
    ],
    placed_by: Annotated[str, typer.Option("--by", help="Who places it; shown, too.")],
    days: Annotated[int, typer.Option(min=1, max=731, help="For how many days.")],
) -> None:
    """Keep receipts and what opens the log from deletion. Never templates, keys or names."""
    from consentry.cli import calls
    from consentry.kernel.clock import SystemClock

    until: datetime = SystemClock().now() + timedelta(days=days)
    with Invocation.of(context).line() as line:
        hold = calls.place_hold(line, reason=reason, placed_by=placed_by, until=until)
    say(f"Placed: {hold.hold}, until {hold.until:%Y-%m-%d}. Lift it with: consentry hold lift")


@holds.command("list")
def list_holds(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show the legal holds that are in force."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        found = calls.holds(line)
    if as_json:
        say_document(found.document())
    elif not found.holds:
        say("No legal hold is in force.")
    else:
        say_table(
            ("hold", "until", "by", "reason"),
            [(h.hold, f"{h.until:%Y-%m-%d}", h.placed_by, h.reason) for h in found.holds],
        )


@holds.command("lift")
def lift_hold(
    context: typer.Context,
    *,
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="The hold's identifier, hld_…")],
) -> None:
    """End a hold before its time. What was kept only by it is deleted with the next run."""
    from consentry.cli import calls

    with Invocation.of(context).line() as line:
        calls.lift_hold(line, hold)
    say("Lifted.")
