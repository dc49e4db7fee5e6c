"""Writes docs/cli.md from the commands themselves: ``python -m consentry.cli.reference > docs/cli.md``."""

from __future__ import annotations

from collections.abc import Iterator

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from consentry.cli.app import app
from consentry.cli.exits import ExitCode
from consentry.cli.terminal import say

_HEAD = """\
# The command line

<!-- Written by `python -m consentry.cli.reference`; a test keeps it in step. -->

A command is: connect to the API, unlock when needed, ask, print. With a companion running on the same data folder
(`consentry serve`) it asks that one through its socket; without one it does the same work in its own process. So a
command gives the same answer either way, by the same rules.

**Where things are.** `CONSENTRY_HOME` is the data folder, made on first use; docs/configuration.md lists every setting.

**Passphrase.** From `--passphrase-fd N`, else from `CONSENTRY_PASSPHRASE`, else asked for at the terminal; never an
argument, which other programs could read. The first `enrol` makes the vault with it, and nobody can recover it.
Without one and without a terminal, `check` goes on with the vault locked and says so: pictures with a face are then
refused. With a companion running, giving a passphrase unlocks it until it is locked or idle.

**Output.** Results go to standard output, remarks and errors to standard error. `--json` prints exactly one JSON
object (docs/specs/cli-json.md). An error is one line: `consentry: <what, why, how to mend> [code]`; docs/errors.md
lists the codes; `--debug`, or `CONSENTRY_LOG_LEVEL=debug`, also shows where it came from.

No command but `serve` listens, and none makes a connection beyond this machine but `models build`, which fetches the
packages that carry the models, and `audit`, which reads the log at the address that it is given.
"""


def reference() -> str:
    """Return docs/cli.md."""
    return "\n".join([_HEAD, *_exit_codes(), *_commands()]).rstrip() + "\n"


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes"
    yield ""
    yield "| code | meaning |"
    yield "|---|---|"
    meanings = {
        ExitCode.OK: "done; of a check: allow",
        ExitCode.OUR_FAULT: "something of ours is broken or missing; trying again may help",
        ExitCode.BAD_INPUT: "what was given cannot be served as given; also: not confirmed",
        ExitCode.REFUSE: "a check: refuse",
        ExitCode.NEEDS_CONSENT: "a check: needs consent",
        ExitCode.FINDINGS: "an audit: something is wrong with the log, a receipt or an export",
        ExitCode.INTERRUPTED: "Ctrl-C",
    }
    for code in ExitCode:
        yield f"| {code.value} | {meanings[code]} |"
    yield ""


def _commands() -> Iterator[str]:
    root = typer.main.get_group(app)
    yield "## Before the command"
    yield ""
    yield from _table(root)
    yield from _walk(root, "consentry")


def _walk(group: TyperGroup, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        full = f"{path} {name}"
        if isinstance(command, TyperGroup):
            yield from _walk(command, full)
        elif isinstance(command, TyperCommand):
            yield f"## `{full}`"
            yield ""
            yield " ".join((command.help or "").split())
            yield ""
            yield from _table(command)


def _table(command: TyperCommand | TyperGroup) -> Iterator[str]:
    rows = [
        _row(parameter)
        for parameter in command.params
        if isinstance(parameter, TyperArgument | TyperOption) and parameter.name != "help"
    ]
    if rows:
        yield "| | |"
        yield "|---|---|"
        yield from rows
        yield ""


def _row(parameter: TyperArgument | TyperOption) -> str:
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    shown = (
        names if isinstance(parameter, TyperOption) else f"`{parameter.metavar or parameter.name}`"
    )
    return f"| {shown} | {parameter.help or ''} |"


if __name__ == "__main__":
    say(reference().rstrip("\n"))
