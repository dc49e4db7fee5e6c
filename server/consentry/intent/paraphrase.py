"""The classifier of paraphrases: wordings that no rule foresees, in about a hundred languages.

A text network (docs/model-cards/e5-small.md) with a little that was learned beside it
(`benchmarks/train_paraphrase.py`). Beside the rules it adds what it is sure of, and takes back what it
is very sure is something else: a nude lipstick, a bikini that becomes a suit (`engine.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.intent.normalise import plain_view
from consentry.intent.subwords import Vocabulary

MOST_TOKENS = 48
"""Of one look, as in training: a prompt that is longer is looked at in pieces."""
PARAPHRASE_THRESHOLD = 0.9
"""From which its word counts although no rule says so. Error rates of both: docs/intent.md."""
DOUBT_THRESHOLD = 0.025
"""Below which its word counts against a rule's."""
_MOST_PIECES = 24
_PREFIX = "query: "


class ParaphraseNetwork:
    """`consentry.intent.engine.Paraphrase`. Loads at the first question; any number of threads.

    ``_lock`` guards loading the vocabulary; the network is loaded and guarded by its store.
    """

    def __init__(self, models: ModelStore) -> None:
        self._models = models
        self._lock = threading.Lock()
        self._vocabulary: Vocabulary | None = None

    def score(self, turns: Sequence[str]) -> float:
        """Return how likely a conversation asks for something revealing, 0 to 1.

        Args:
            turns: The earlier turns, and the newest one last.

        Raises:
            ModelUnavailable: If the network or its vocabulary is missing or not the pinned one.
        """
        text = "\n".join(plain_view(turn).text for turn in turns if turn.strip())
        if not text:
            return 0.0
        network = self._models.session(ModelName.E5_SMALL)
        vocabulary = self._loaded()
        prefix = vocabulary.tokens(_PREFIX)
        tokens = vocabulary.tokens(text)
        room = MOST_TOKENS - len(prefix)
        # The newest turn comes last, so the pieces are counted from the end.
        starts = range(len(tokens), 0, -room)[:_MOST_PIECES]
        scores = []
        for end in starts:
            piece = vocabulary.sentence([*prefix, *tokens[max(0, end - room) : end]])
            (probability,) = network.run(np.array(piece, dtype=np.int64))
            scores.append(float(probability))
        return max(scores)

    def _loaded(self) -> Vocabulary:
        with self._lock:
            if self._vocabulary is None:
                self._vocabulary = Vocabulary.parse(self._models.file(ModelName.E5_VOCABULARY))
            return self._vocabulary
