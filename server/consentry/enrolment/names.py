"""How protected names are spelled and found in words: no case, no accents, no disguise."""

from __future__ import annotations

import re
import unicodedata

from consentry.kernel.errors import BadRequest

MAX_ALIAS_CHARS = 80
_FEWEST_LETTERS = 3
_FEWEST_IDEOGRAPHS = 2
# Scripts that are written without spaces: there a name may stand in the middle of letters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
_BETWEEN = r"[\W_]*"


def checked_name(text: str) -> str:
    """Return a name as it is kept.

    Raises:
        BadRequest: If it is too short to be told from ordinary words, too long, or not printable.
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    letters = [char for char in letters_of(text) if char.isalnum()]
    fewest = _FEWEST_IDEOGRAPHS if _UNSPACED.search(text) else _FEWEST_LETTERS
    if len(text) > MAX_ALIAS_CHARS or not text.isprintable() or len(letters) < fewest:
        raise BadRequest(
            f"A protected name has {fewest} to {MAX_ALIAS_CHARS} letters or digits: a shorter one "
            "stands in too many ordinary words."
        )
    return text


def letters_of(text: str) -> str:
    """Return a text in the one spelling in which names are compared: no case, accents or disguise."""
    resolved = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(
        char for char in resolved if unicodedata.category(char) not in {"Mn", "Cf", "Me"}
    )


def pattern_of(text: str) -> re.Pattern[str]:
    """Match the letters of a name, with anything but letters between its words, or nothing.

    ``Anna Berg`` stands in "@anna_berg", "annaberg" and "Anna-Berg's", and not in "annabergman".
    A genitive s may follow.
    """
    words = re.findall(r"[^\W_]+", letters_of(text))
    first, last = words[0][0], words[-1][-1]
    before = "" if _UNSPACED.match(first) else r"(?<![^\W_])"
    after = "" if _UNSPACED.match(last) else r"(?:'?s)?(?![^\W_])"
    return re.compile(before + _BETWEEN.join(map(re.escape, words)) + after)
