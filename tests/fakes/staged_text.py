"""A reader of text for tests: says what the test wrote into the pictures, and counts the looks."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.kernel.biometrics import Pixels
from consentry.kernel.errors import ModelUnavailable


@dataclass
class StagedText:
    """Reads ``words`` from every view that holds a pixel of the `colour`; nothing from others."""

    words: str = ""
    colour: tuple[int, int, int] | None = None
    is_available: bool = True
    looks: int = 0

    def read(self, pixels: Pixels) -> str:
        if not self.is_available:
            raise ModelUnavailable("the model ppocr-lines is not built yet")
        self.looks += 1
        is_here = self.colour is not None and bool((pixels == self.colour).all(axis=2).any())
        return self.words if is_here else ""
