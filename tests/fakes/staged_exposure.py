"""A scorer of exposure for tests: a picture scores by the colours that the test put a score on."""

from __future__ import annotations

from dataclasses import dataclass, field

from consentry.kernel.biometrics import Pixels
from consentry.kernel.errors import ModelUnavailable


@dataclass
class StagedExposure:
    """Scores a view by the highest of `scores` whose colour is in it; 0 without any."""

    scores: dict[tuple[int, int, int], float] = field(default_factory=dict)
    is_available: bool = True
    looks: int = 0

    def score(self, pixels: Pixels) -> float:
        self.looks += 1
        if not self.is_available:
            raise ModelUnavailable(
                "the model open-nsfw is not built yet; run: consentry models build"
            )
        found = [
            score
            for colour, score in self.scores.items()
            if bool((pixels == colour).all(axis=2).any())
        ]
        return max(found, default=0.0)
