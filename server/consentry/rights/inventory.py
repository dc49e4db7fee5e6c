"""The data inventory: everything that is kept, why, who can open it, and what ends it.

The one source: docs/privacy.md is generated from it, the API, the command line and the page on which
a person enrols show it, and tests hold it against the tables and files that there really are.

    kept              what one line of it says
    kept_of_people, kept_of_checks, kept_elsewhere   the lines
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace

from consentry.rights.kept import Kept, Place
from consentry.rights.kept_elsewhere import ELSEWHERE
from consentry.rights.kept_of_checks import OF_CHECKS
from consentry.rights.kept_of_people import OF_PEOPLE
from consentry.rights.periods import Periods

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_BEGIN = "<!-- generated: {} -->\n"
_END = "<!-- end of generated -->\n"


def inventory(periods: Periods) -> tuple[Kept, ...]:
    """Return the whole inventory, with the periods that hold here."""
    names = asdict(periods)
    lines = (*OF_PEOPLE, *OF_CHECKS, *ELSEWHERE)
    return tuple(replace(each, ends=each.ends.format_map(names)) for each in lines)


def about_her(periods: Periods) -> tuple[Kept, ...]:
    """Return what is kept about a person who enrols, in words for her, without links."""
    return tuple(
        replace(each, opens=unlinked(each.opens), ends=unlinked(each.ends))
        for each in inventory(periods)
        if each.plain
    )


def unlinked(text: str) -> str:
    """Return a text without Markdown: for a terminal, a page or a program."""
    return _LINK.sub(r"\1", text).replace("`", "").replace("**", "")


def document(current: str) -> str:
    """Return docs/privacy.md with its tables brought up to date, at the periods of the defaults."""
    kept = inventory(Periods())
    files = [each for each in kept if each.place in {Place.FILE, Place.LATER_FILE}]
    parts = {
        "tables": _table(
            ("table", "what", "why", "readable", "until"),
            [_row(each) for each in kept if each.place is Place.DATABASE],
        ),
        "files": _table(
            ("file", "what", "readable", "until"),
            [(f"`{e.name}`", _what(e), e.opens, e.ends) for e in files],
        ),
        "memory": _table(
            ("what", "how long"),
            [(each.what, each.ends) for each in kept if each.place is Place.MEMORY],
        ),
    }
    for name, table in parts.items():
        begin = _BEGIN.format(name)
        before, _, rest = current.partition(begin)
        _, _, after = rest.partition(_END)
        current = before + begin + table + _END + after
    return current


def _row(kept: Kept) -> tuple[str, ...]:
    return f"`{kept.name}`", _what(kept), kept.why, kept.opens, kept.ends


def _what(kept: Kept) -> str:
    fields = ", ".join(
        f"`{name}` ({meaning})" if meaning else f"`{name}`" for name, meaning in kept.fields.items()
    )
    later = "; made when it is first needed" if kept.place is Place.LATER_FILE else ""
    return ": ".join(part for part in (fields, kept.what) if part) + later


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = "|" + "---|" * len(head)
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join((f"| {' | '.join(head)} |", rule, *lines)) + "\n"
