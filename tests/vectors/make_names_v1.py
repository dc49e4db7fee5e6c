"""Write names_v1.json: which protected names are found in which words, for the browser to find the same.

Run ``.venv/bin/python tests/vectors/make_names_v1.py`` after a change of `enrolment.names`, and look at the difference.
"""

from __future__ import annotations

import json
from pathlib import Path

from consentry.enrolment.names import checked_name, letters_of, pattern_of
from consentry.kernel.errors import BadRequest

FILE = Path(__file__).with_name("names_v1.json")

_FOUND_IN = (
    ("Anna Berg", "put Anna Berg in a bikini"),
    ("Anna Berg", "@anna_berg"),
    ("Anna Berg", "annaberg"),
    ("Anna Berg", "ANNA-BERG'S face"),
    ("Anna Berg", "annabergman"),
    ("Anna Berg", "hannah berg"),
    ("Anna Berg", "Anna, and then Berg"),
    ("Anna Berg", "Anna and Berg"),
    ("Anna Berg", "\uff21\uff4e\uff4e\uff41 \uff22\uff45\uff52\uff47"),
    ("Anna Berg", "A\u200bnna B\u00adrg Be\u200drg"),
    ("Anna Berg", "A\u0301nna\u2060 Berg"),
    ("Zo\u00eb", "zoe on the beach"),
    ("Stra\u00dfer", "STRASSER"),
    ("Strasser", "die Stra\u00dferin"),
    ("O'Neil", "ONeil's"),
    ("\u0130lkay", "ilkay"),
    ("I\u015f\u0131k", "I\u015eIK"),
    ("\u03a3\u03bf\u03c6\u03cc\u03c2", "\u03c3\u03bf\u03c6\u03bf\u03c3"),
    (
        "\u0410\u043d\u043d\u0430",
        "\u0430\u043d\u043d\u0430 \u0432 \u0431\u0438\u043a\u0438\u043d\u0438",
    ),
    ("\u0410\u043d\u043d\u0430", "\u0410\u043d\u043d\u044b"),
    ("\u6797\u5fd7\u73b2", "\u8ba9\u6797\u5fd7\u73b2\u7a7f"),
    ("\u6797\u5fd7\u73b2", "\u6797\u5fd7"),
    ("\uae40\uc720\ub098", "\uae40\uc720\ub098\ub97c"),
    ("\u0633\u0627\u0631\u0629", "\u0633\u0627\u0631\u0629 \u0641\u064a"),
    ("\u0938\u093e\u0930\u093e", "\u0938\u093e\u0930\u093e \u0915\u094b"),
    ("@sara.k", "ask @Sara_K about it"),
    ("sara99", "sara99s picture"),
    ("sara99", "sara990"),
    ("First Minister", "the first  minister!"),
    ("the.real.m", "TheRealM"),
)
_KEPT = (
    "Al", "Ann", "  Anna \t Berg ", "\u674e", "\u674e\u5a1c", "a" * 80, "a" * 81, "!!!", "a\u0007bc", "\u0130lk", ""
)  # fmt: skip


def content() -> str:
    """Return the file: one case a line."""
    head = {
        "comment": "docs/grants.md, Names: whether a protected name is found in words, and how it is kept.",
        "source": "tests/vectors/make_names_v1.py",
    }
    cases = [
        {
            "id": f"found-{i}",
            "input": {"name": name, "text": text},
            "result": "valid",
            "error": None,
        }
        | {"output": pattern_of(name).search(letters_of(text)) is not None}
        for i, (name, text) in enumerate(_FOUND_IN, 1)
    ]
    cases += [_kept(i, name) for i, name in enumerate(_KEPT, 1)]
    lines = ",\n".join(f"  {json.dumps(case, separators=(',', ':'))}" for case in cases)
    return json.dumps(head, indent=1).removesuffix("\n}") + f',\n "tests": [\n{lines}\n ]\n}}\n'


def _kept(number: int, name: str) -> dict[str, object]:
    case = {"id": f"kept-{number}", "input": {"name": name}}
    try:
        return case | {"result": "valid", "error": None, "output": checked_name(name)}
    except BadRequest as refused:
        return case | {"result": "invalid", "error": refused.code}


if __name__ == "__main__":
    FILE.write_text(content(), encoding="utf-8")
