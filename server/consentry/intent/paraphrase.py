"""The classifier of paraphrases: wordings that no rule foresees, in about a hundred languages.

A text network (docs/model-cards/e5-small.md) with a little that was learned beside it
(`benchmarks/train_paraphrase.py`). Beside the rules it adds what it is sure of, and takes back what it
and the n-grams are sure is something else: a nude lipstick, a bikini that becomes a suit (`engine.py`).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np

from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.intent.engine import Thresholds
from consentry.intent.ngrams import Ngrams
from consentry.intent.normalise import as_written, plain_view
from consentry.intent.subwords import Vocabulary

MOST_TOKENS = 96
"""Of one look, as in training: a prompt that is longer is looked at in pieces."""
THRESHOLDS = Thresholds(
    asks_from=0.8,
    asks_known_from=0.8,
    asks_as_one_from=0.97,
    asks_beside_from=0.98,
    doubts_below=0.2,
    doubts_words_below=0.25,
    asks_of_somebody_from=0.97,
    kept_alone=("undress.open-garment", "undress.remove-garment"),
)
"""Of both classifiers together. With their error rates: docs/intent.md.

Of the names of garments both know too few ("remove the crop top": 0.00), so an order that names one and
says nothing else is left to the rules.
"""
_MOST_PIECES = 12
_MOST_PIECES_MORE = 1.25
PREFIX = "query: "
"""What the network was trained to find before a text that is no document."""


NGRAMS_WEIGHT = 0.85
"""How much the n-grams' log-odds count beside the network's."""
_MOST_BESIDE = 3.0
"""Of these log-odds, to either side: a dozen everyday words would outweigh any request otherwise."""
_LEAST = 1e-4  # likelihood of either: nothing is beyond doubt


class ParaphraseNetwork:
    """`consentry.intent.engine.Classifier`: the network, and the n-grams beside it. Any number of threads.

    Loads at the first question. ``_lock`` guards loading the vocabulary; the network is loaded and
    guarded by its store.

    Args:
        models: Where the network is.
        ngrams: What is heard beside it: they err elsewhere, so that both together err less (ADR 0042).
    """

    def __init__(self, models: ModelStore, ngrams: Ngrams) -> None:
        self._models = models
        self._ngrams = ngrams
        self._lock = threading.Lock()
        self._vocabulary: Vocabulary | None = None

    def score(self, turns: Sequence[str]) -> float:
        """Return how likely a conversation asks for something revealing, 0 to 1, by both together.

        Args:
            turns: The earlier turns, and the newest one last.

        Raises:
            ModelUnavailable: If the network or its vocabulary is missing or not the pinned one.
        """
        vocabulary = self._loaded()
        tokens = tokens_of(turns, vocabulary)
        if not tokens:
            return 0.0
        network = self._models.session(ModelName.E5_SMALL)
        prefix = vocabulary.tokens(PREFIX)
        room = MOST_TOKENS - len(prefix)
        # The newest turn comes last, so the pieces are counted from the end.
        ends = range(len(tokens), 0, -room)[:_MOST_PIECES]
        scores = []
        for end in ends:
            piece = vocabulary.sentence([*prefix, *tokens[max(0, end - room) : end]])
            (probability,) = network.run(np.array(piece, dtype=np.int64))
            scores.append(float(probability))
        if len(ends) > 1:
            return max(scores)  # of one piece the n-grams of all say nothing
        (score,) = scores
        beside = max(-_MOST_BESIDE, min(self._ngrams.log_odds(turns), _MOST_BESIDE))
        likely, unlikely = max(score, _LEAST), max(1 - score, _LEAST)
        return likely / (likely + unlikely * math.exp(-NGRAMS_WEIGHT * beside))

    def _loaded(self) -> Vocabulary:
        with self._lock:
            if self._vocabulary is None:
                self._vocabulary = Vocabulary.parse(self._models.file(ModelName.E5_VOCABULARY))
            return self._vocabulary


def tokens_of(turns: Sequence[str], vocabulary: Vocabulary) -> list[int]:
    """Return the tokens of a conversation as its language writes it, or, if that takes many more, plain.

    Accents tell words apart ("nøgen" is naked, "nogen" somebody; Vietnamese is made of them), and
    the network learned its languages with them. Accents that no language puts there, and
    look-alikes, take about twice as many pieces as the plain letters, so that a disguise does not
    deafen it; what people write takes at most a quarter more in nine of ten prompts. A disguise
    within many plain words is heard as written: so nothing is taken back before it was heard plain,
    too (`engine.py`).
    """
    spoken = [turn for turn in turns if turn.strip()]
    letters = "\n".join(plain_view(turn).text for turn in spoken)
    if not letters.strip():
        return []
    plain = vocabulary.tokens(letters)
    text = "\n".join(map(as_written, spoken))
    if text == letters:
        return plain
    written = vocabulary.tokens(text)
    return written if len(written) <= _MOST_PIECES_MORE * len(plain) else plain
