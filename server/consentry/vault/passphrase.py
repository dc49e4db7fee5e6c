"""What a passphrase is, and which ones protect nothing."""

from __future__ import annotations

import itertools
import string
import unicodedata
from typing import NoReturn

from consentry.kernel.errors import BadRequest, WeakPassphrase

MIN_CHARACTERS = 10
"""Length floor for new passphrases. Why ten, and not NIST's 8 or 15: docs/adr/0005-key-
hierarchy.md."""

MAX_CHARACTERS = 1024
"""Ceiling, so that a request cannot make the server normalise megabytes. NIST asks for 64 or
more."""

_FEWEST_DISTINCT = 5
_ROWS = (
    string.ascii_lowercase,
    "1234567890",
    "0123456789",
    "qwertyuiop[]",
    "qwertzuiopü+",
    "azertyuiop",
    "asdfghjkl;'",
    "zxcvbnm,./",
)
# First guesses of anybody, written with letters only; digits and signs around them add nothing
# worth having.
_FIRST_GUESSES = frozenset(
    {
        "changeme",
        "consentry",
        "default",
        "iloveyou",
        "letmein",
        "password",
        "passphrase",
        "passwort",
        "motdepasse",
        "contrasena",
        "qwerty",
        "secret",
        "sunshine",
        "welcome",
    }
)
_LEET = str.maketrans("013457$@!", "oleastsai")


class Passphrase:
    """A passphrase in its normal form. Shows itself nowhere: not in a repr, not in a pickle.

    Normal form is Unicode NFKC, so that "é" typed on two keyboards is one passphrase; no case
    folding, no trimming, no truncation (NIST SP 800-63B, 5.1.1.2).
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Normalise ``text``.

        Raises:
            BadRequest: If it is longer than `MAX_CHARACTERS`, or is no Unicode text (lone
                surrogates).
        """
        if len(text) > MAX_CHARACTERS:
            raise BadRequest(f"a passphrase has at most {MAX_CHARACTERS} characters")
        normal = unicodedata.normalize("NFKC", text)
        if any(unicodedata.category(character) == "Cs" for character in normal):
            raise BadRequest(
                "the passphrase is no Unicode text; was it read with another encoding?"
            )
        self._text = normal

    def to_bytes(self) -> bytes:
        """Return the UTF-8 bytes that the key derivation reads. Secret."""
        return self._text.encode("utf-8")

    def require_strong(self) -> None:
        """Refuse what cannot protect anything. For new passphrases: unlocking never calls this.

        Raises:
            WeakPassphrase: If it is shorter than `MIN_CHARACTERS` or among the most obvious.
            BadRequest: If it holds control characters (a line break that came along), or characters
                that this Python does not know yet and whose normal form may therefore change.
        """
        text = self._text
        categories = {unicodedata.category(character) for character in text}
        if categories & {"Cc", "Cn"}:
            raise BadRequest(
                "a passphrase cannot hold line breaks, control or unassigned characters"
            )
        if len(text) < MIN_CHARACTERS:
            raise WeakPassphrase(
                f"a passphrase has at least {MIN_CHARACTERS} characters; "
                "four random words are easy to keep"
            )
        if _is_obvious(text.casefold()):
            raise WeakPassphrase(
                "that is among the first that anybody would try; four random words are easy to keep"
            )

    def __repr__(self) -> str:
        return "Passphrase(<hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a passphrase is never pickled or copied")


def _is_obvious(text: str) -> bool:
    return len(set(text)) < _FEWEST_DISTINCT or _is_row(text) or _is_first_guess(text)


def _is_row(text: str) -> bool:
    """Whether the text walks along one keyboard row or the alphabet, forwards or back."""
    pairs = list(itertools.pairwise(text))
    return any(
        all(pair in steps for pair in pairs)
        for row in (*_ROWS, *(row[::-1] for row in _ROWS))
        for steps in [set(itertools.pairwise(row + row[0]))]
    )


def _is_first_guess(text: str) -> bool:
    """Whether nothing but a first guess is left without digits and signs, also read as "leet"."""
    for reading in (text, text.translate(_LEET), text.rstrip("0123456789!?.").translate(_LEET)):
        letters = "".join(character for character in reading if character.isalpha())
        for word in _FIRST_GUESSES:
            if letters and not letters.replace(word, ""):
                return True
    return False
