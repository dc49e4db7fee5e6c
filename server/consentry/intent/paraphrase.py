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
from consentry.intent.normalise import as_written, plain_view
from consentry.intent.subwords import Vocabulary

MOST_TOKENS = 96
"""Of one look, as in training: a prompt that is longer is looked at in pieces."""
PARAPHRASE_THRESHOLD = 0.8
"""From which its word counts although no rule says so. Error rates with all four: docs/intent.md."""
KNOWN_WORDS_THRESHOLD = 0.9
"""The same where rules know every word and found nothing in them, and for what stands around their findings."""
DOUBT_THRESHOLD = 0.1
"""Below which its word counts against a rule's."""
WORD_DOUBT_THRESHOLD = 0.15
"""The same where a rule had nothing but single words to go by."""
_MOST_PIECES = 12
_MOST_PIECES_MORE = 1.25
PREFIX = "query: "
"""What the network was trained to find before a text that is no document."""


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
        vocabulary = self._loaded()
        tokens = tokens_of(turns, vocabulary)
        if not tokens:
            return 0.0
        network = self._models.session(ModelName.E5_SMALL)
        prefix = vocabulary.tokens(PREFIX)
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
