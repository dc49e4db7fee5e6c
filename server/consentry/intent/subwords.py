"""Cuts a text into the pieces that the text network knows: SentencePiece, unigram model.

Of all ways to cut a text into known pieces the likeliest is taken (Viterbi). Source: Kudo, Subword
Regularization, 2018; Kudo and Richardson, SentencePiece, 2018. Our own forty lines rather than the
library: its model file is not among what the weights' package ships, and prompts are short.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

_MAGIC = b"CTV1"
_SPACE = "\u2581"
_BEGIN, _END, _UNKNOWN = 0, 2, 3
_UNLIKELY = 10.0  # below the rarest piece: what a letter costs that no piece has


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces with their log likelihoods, and replacements of characters. Immutable."""

    numbers: dict[str, int]
    scores: tuple[float, ...]
    replacements: dict[str, str]
    longest: int
    unknown_score: float

    @classmethod
    def parse(cls, data: bytes) -> Vocabulary:
        """Read the file that `consentry.inference.converters.e5_small` writes.

        Raises:
            ValueError: If it has another format.
        """
        if data[:4] != _MAGIC:
            raise ValueError("the vocabulary has another format: run `consentry models build`")
        count, length = struct.unpack_from("<II", data, 4)
        at = 12
        scores = np.frombuffer(data, "<f4", count, at)
        at += 4 * count
        ends = np.cumsum(np.frombuffer(data, np.uint8, count, at), dtype=np.int64).tolist()
        at += count
        text = data[at : at + length]
        pieces = [
            text[start:end].decode("utf-8") for start, end in zip([0, *ends], ends, strict=False)
        ]
        return cls(
            numbers={piece: number for number, piece in enumerate(pieces) if piece},
            scores=tuple(scores.tolist()),
            replacements=_replacements(data, at + length),
            longest=max(map(len, pieces)),
            unknown_score=float(scores.min()) - _UNLIKELY,
        )

    def tokens(self, text: str) -> list[int]:
        """Return the numbers of a text's pieces, without marks for its begin and end."""
        replaced = "".join(self.replacements.get(char, char) for char in text)
        spaced = _SPACE + _SPACE.join(word for word in replaced.split(" ") if word)
        best = [0.0] + [float("-inf")] * len(spaced)
        came_from = [(0, _UNKNOWN)] * (len(spaced) + 1)
        for start in range(len(spaced)):
            unknown = best[start] + self.unknown_score
            if unknown > best[start + 1]:
                best[start + 1], came_from[start + 1] = unknown, (start, _UNKNOWN)
            for end in range(start + 1, min(start + self.longest, len(spaced)) + 1):
                number = self.numbers.get(spaced[start:end])
                if number is None:
                    continue
                score = best[start] + self.scores[number]
                if score > best[end]:
                    best[end], came_from[end] = score, (start, number)
        found: list[int] = []
        end = len(spaced)
        while end:
            end, number = came_from[end]
            found.append(number)
        return found[::-1]

    def sentence(self, tokens: list[int]) -> list[int]:
        """Set the marks of begin and end around tokens."""
        return [_BEGIN, *tokens, _END]


def _replacements(data: bytes, at: int) -> dict[str, str]:
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    found: dict[str, str] = {}
    for _ in range(count):
        char, length = struct.unpack_from("<IB", data, at)
        at += 5
        found[chr(char)] = "".join(map(chr, struct.unpack_from(f"<{length}I", data, at)))
        at += 4 * length
    return found
