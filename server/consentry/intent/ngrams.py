"""The small classifier: how requests are spelt, and everything else, in all languages at once.

A weight for each sequence of two to eight characters, added up: logistic regression over hashed
n-grams (Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009). Learned by
`benchmarks/train_ngrams.py`; a megabyte. The browser runs it, too (`domain/intent/ngrams.ts`). Beside
the text network it knows what that has no ear for: slang, rare words, spelling that no dictionary has.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from consentry.intent.engine import Thresholds
from consentry.intent.normalise import plain_view

THRESHOLDS = Thresholds(
    asks_from=0.75,
    asks_known_from=0.85,
    asks_as_one_from=0.97,
    asks_beside_from=0.5,
    doubts_below=0.15,
    doubts_words_below=0.2,
    asks_alone_from=0.9,
    kept=("undress.open-garment", "undress.remove-garment"),
)
"""Of this classifier alone, as in the browser. With their error rates: docs/intent.md.

It adds up what it hears, so harmless words outweigh a request. It takes a finding back only if it hears
none in what stands around it either, nor in its own words. The names of garments it knows too few of:
what is done to one is left to the rules.
"""
VERSION = 1
_FILE = Path(__file__).with_name("ngrams.bin")
_MAGIC = b"CNGR"
_HEAD = struct.Struct("<4s4B2f")
_BITS = 32  # of a hash
_MULTIPLIER = np.uint32(0x01000193)
_MIXERS = ((np.uint32(0x9E3779B1), np.uint32(15)), (np.uint32(0x85EBCA77), np.uint32(13)))
_ZERO = 8  # of the sixteen values of a weight


@dataclass(frozen=True, slots=True)
class Ngrams:
    """Weights of n-grams, by the upper bits of their hash. `consentry.intent.engine.Classifier`.

    Attributes:
        bits: How many bits of a hash are kept.
        shortest, longest: Of the n-grams, in characters.
        scale: What one step of a weight is worth.
        bias: What every sum begins with.
        weights: Shape ``(2 ** bits,)``, -8 to 7.
    """

    bits: int
    shortest: int
    longest: int
    scale: float
    bias: float
    weights: npt.NDArray[np.int8]

    @classmethod
    def parse(cls, data: bytes) -> Ngrams:
        """Read what `packed` writes.

        Raises:
            ValueError: If it is something else, of another version, or cut off.
        """
        if len(data) < _HEAD.size or data[: len(_MAGIC)] != _MAGIC:
            raise ValueError("these are no weights of n-grams")
        _, version, bits, shortest, longest, scale, bias = _HEAD.unpack_from(data)
        if version != VERSION:
            raise ValueError(f"weights of n-grams of version {version}, not {VERSION}")
        try:
            pairs = np.frombuffer(zlib.decompress(data[_HEAD.size :]), np.uint8)
        except zlib.error as cause:
            raise ValueError("weights of n-grams that are damaged") from cause
        if len(pairs) != 2 ** (bits - 1):
            raise ValueError("weights of n-grams that are cut off, or too many")
        halves = np.stack([pairs & 15, pairs >> 4], axis=1).reshape(-1).astype(np.int8)
        return cls(bits, shortest, longest, scale, bias, halves - np.int8(_ZERO))

    def packed(self) -> bytes:
        """Return the file: a head of 16 bytes, little endian, then the weights, compressed (zlib, RFC 1950).

        The head: ``CNGR``, a byte each for the version, the bits, the shortest and the longest n-gram,
        scale and bias as float32. Two weights a byte, the first in the lower half, each with 8 added.
        """
        head = _HEAD.pack(
            _MAGIC, VERSION, self.bits, self.shortest, self.longest, self.scale, self.bias
        )
        halves = (self.weights + np.int8(_ZERO)).astype(np.uint8).reshape(-1, 2)
        return head + zlib.compress((halves[:, 0] | halves[:, 1] << 4).tobytes(), 9)

    def score(self, turns: Sequence[str]) -> float:
        """Return how likely a conversation asks for something revealing, 0 to 1.

        Args:
            turns: The earlier turns, and the newest one last.
        """
        return 1 / (1 + math.exp(-self.log_odds(turns)))

    def log_odds(self, turns: Sequence[str]) -> float:
        """Return the logarithm of likely to unlikely; the bias where nothing is written."""
        which = self.buckets(turns)
        if not len(which):
            return self.bias
        total = int(self.weights[which].sum(dtype=np.int64))
        return self.bias + self.scale * total / math.sqrt(len(which))

    def buckets(self, turns: Sequence[str]) -> npt.NDArray[np.uint32]:
        """Return where the weights of a conversation's n-grams are, each once."""
        text = " " + " \n ".join(plain_view(turn).text for turn in turns) + " "
        characters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        found = []
        rolling = np.zeros(len(characters), np.uint32)
        for length in range(1, min(self.longest, len(characters)) + 1):
            count = len(characters) - length + 1
            rolling = rolling[:count] * _MULTIPLIER ^ characters[length - 1 :]
            if length >= self.shortest:
                found.append(_mixed(rolling) >> np.uint32(_BITS - self.bits))
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint32)


def _mixed(hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    for factor, shift in _MIXERS:
        hashes = hashes * factor
        hashes = hashes ^ hashes >> shift
    return hashes


@cache
def load_ngrams() -> Ngrams:
    """Return what was learned, as the package ships it."""
    return Ngrams.parse(_FILE.read_bytes())
