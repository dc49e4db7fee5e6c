"""What the person sees. Results go to standard output, everything else to standard error.

With ``--json`` standard output carries exactly one JSON object and nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TextIO

from consentry.cli.documents import JsonObject


class Step(Protocol):
    """Told how far a long piece of work has come."""

    def __call__(self, what: str, fraction: float) -> None:
        """Show ``what`` at ``fraction`` (0 to 1) of all work."""


def say(text: str = "") -> None:
    """Print a result line. Control characters of names and file names cannot steer the terminal."""
    _write(sys.stdout, text)


def note(text: str) -> None:
    """Print a remark on standard error."""
    _write(sys.stderr, text)


def say_document(document: JsonObject) -> None:
    """Print one JSON object. ASCII only, so that it is valid in any encoding of the terminal."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a heading; as wide as it needs when nobody is watching."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    width = None if sys.stdout.isatty() else 1000
    Console(file=sys.stdout, width=width, highlight=False).print(table, crop=False)


@contextmanager
def progress(title: str) -> Iterator[Step]:
    """Show a bar on standard error while the block runs; nothing when it is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _what, _fraction: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=1.0)

        def step(what: str, fraction: float) -> None:
            bar.update(task, description=f"{title}: {what}", completed=fraction)

        yield step


def confirm(question: str) -> bool:
    """Ask at the terminal; anything but yes is no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def is_interactive() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def plain(text: str) -> str:
    """Return ``text`` with everything that is not printable made visible."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def symbol(preferred: str, fallback: str) -> str:
    """Return ``preferred`` if standard output can carry it."""
    try:
        preferred.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return fallback
    return preferred


def _write(out: TextIO, text: str) -> None:
    encoding = out.encoding or "ascii"
    out.write(plain(text).encode(encoding, "backslashreplace").decode(encoding) + "\n")
