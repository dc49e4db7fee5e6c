"""A person detector for tests: says what the test put on the stage, and counts the looks."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.kernel.biometrics import Pixels
from consentry.kernel.errors import ModelUnavailable


@dataclass
class StagedPersons:
    """Sees a person in every view that holds a pixel of the `colour`; in none while it is None."""

    colour: tuple[int, int, int] | None = None
    is_available: bool = True
    looks: int = 0
    thorough_looks: int = 0

    def presence(self, pixels: Pixels, *, thorough: bool) -> bool:
        if not self.is_available:
            raise ModelUnavailable(
                "the model nanodet is not built yet; run: consentry models build"
            )
        self.looks += 1
        self.thorough_looks += thorough
        return self.colour is not None and bool((pixels == self.colour).all(axis=2).any())
