"""Words of a request, fitted to what one check takes, without leaving any out."""

from __future__ import annotations

from collections.abc import Sequence

from consentry.checks.check import MAX_CONTEXT_TURNS, MAX_PROMPT_CHARS
from consentry.kernel.errors import BadRequest

_OVERLAP_CHARS = 512
"""Of the pieces of a long text: a phrase on the cut is whole in one of them."""


def fitted(turns: Sequence[str]) -> tuple[str, ...]:
    """Return earlier turns as at most `MAX_CONTEXT_TURNS`, in order: old ones joined, long ones cut.

    Raises:
        BadRequest: If there are more words than that.
    """
    pieces = [piece for turn in turns if turn.strip() for piece in _pieces(turn)]
    while len(pieces) > MAX_CONTEXT_TURNS:
        joined = _with_the_oldest_joined(pieces)
        if len(joined) == len(pieces):
            raise BadRequest("The conversation is longer than can be examined. Send less of it.")
        pieces = joined
    return tuple(pieces)


def split_prompt(prompt: str) -> tuple[tuple[str, ...], str]:
    """Return the beginning of a prompt that is too long for one, as earlier turns, and its end."""
    *before, last = _pieces(prompt) or [""]
    return tuple(before), last


def _pieces(text: str) -> list[str]:
    step = MAX_PROMPT_CHARS - _OVERLAP_CHARS
    if len(text) <= MAX_PROMPT_CHARS:
        return [text]
    return [text[i : i + MAX_PROMPT_CHARS] for i in range(0, len(text) - _OVERLAP_CHARS, step)]


def _with_the_oldest_joined(pieces: Sequence[str]) -> list[str]:
    surplus = len(pieces) - MAX_CONTEXT_TURNS
    joined: list[str] = []
    for piece in pieces:
        if surplus > 0 and joined and len(joined[-1]) + len(piece) < MAX_PROMPT_CHARS:
            joined[-1] = f"{joined[-1]}\n{piece}"
            surplus -= 1
        else:
            joined.append(piece)
    return joined
