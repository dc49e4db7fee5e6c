"""Reads the text in a picture, so that an instruction that is only in the picture is read, too.

    picture -> a coarse look for lines -> none? done
            -> letters in the longest of them? no: patterns, done
            -> a finer look -> cores of lines -> each line upright -> letters -> text

Bounded: a picture without text costs the coarse look and a few short readings, and of much text the largest is read.
Read are Latin letters, Chinese, Japanese and Greek; not Cyrillic, Korean, Arabic, Hebrew, the scripts of India
and Southeast Asia, handwriting, curved or strongly leaning lines, and columns of upright signs.

Method: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020; letters by
greedy CTC decoding (Graves et al., 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import atan2, cos, hypot, sin, sqrt

import numpy as np
import numpy.typing as npt
from PIL import Image

from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels

_Floats = npt.NDArray[np.float32]
_Whole = npt.NDArray[np.int64]

# The coarse look keeps letters of some 12 px at 4, below which it overlooks lines (docs/calibration).
_COARSE_PART = 1 / 3
_COARSE_SIDES_PX = (384, 480)
_FINE_SIDE_PX = 960
_REDUCING_GAP = 2.0  # much larger pictures are averaged in blocks first: as good, and quicker
_MULTIPLE = 32  # of the sides that the network takes
_MIN_CORE = 0.3  # likelihood
_MIN_MEAN = 0.7  # of a whole core
_MIN_CORE_PX = 3  # smaller ones are no letters
# The network marks the core of a line; the line reaches beyond it by this part of area over perimeter.
_GROWTH = 1.6
_LINE_HEIGHT_PX = 48
_TRIED_LINES = 6
_TRIED_COLUMNS_PX = 320  # of each: some ten letters tell whether it is text
_TRIED_CONFIDENCE = 0.6
_TRIED_LETTERS = 2
_MAX_LINES = 60
_MAX_COLUMNS_PX = 12_000  # of all lines together, at the height above: some 700 letters
# Heights: what is shorter is no instruction, and has no direction. A round spot, grown as a line is, is 1.6 long.
_MIN_LENGTH = 2.0
_SURE = 0.8
_MIN_CONFIDENCE = 0.5  # below this it is a pattern, not text


@dataclass(frozen=True, slots=True)
class _Line:
    """A rectangle around a line, in pixels of the picture. ``angle`` in radians, clockwise."""

    x: float
    y: float
    length: float
    height: float
    angle: float

    @property
    def columns(self) -> int:
        """Its length when its letters are as high as the network takes them."""
        return max(_LINE_HEIGHT_PX, round(self.length * _LINE_HEIGHT_PX / self.height))


@dataclass(frozen=True, slots=True)
class _Core:
    """A connected group of cores: of its pixels the count, the likelihoods, the sums, the products."""

    count: float
    likelihood: float
    x: float
    y: float
    xx: float
    xy: float
    yy: float

    def line(self, scale: float) -> _Line:
        """Return the rectangle with the same centre and moments, grown to the whole line.

        Args:
            scale: Pixels of the network for one of the picture.
        """
        x, y = self.x / self.count, self.y / self.count
        # A pixel is a square, not a point: it has a spread of its own.
        xx, yy = self.xx / self.count - x * x + 1 / 12, self.yy / self.count - y * y + 1 / 12
        xy = self.xy / self.count - x * y
        middle, reach = (xx + yy) / 2, hypot((xx - yy) / 2, xy)
        length, height = sqrt(12 * (middle + reach)), sqrt(12 * max(middle - reach, 1 / 12))
        angle = atan2(2 * xy, xx - yy) / 2
        margin = _GROWTH * length * height / (length + height)
        return _Line(
            x=(x + 0.5) / scale,
            y=(y + 0.5) / scale,
            # Cores taper at their ends, where the moments miss some of them.
            length=(length + height + margin) / scale,
            height=(height + margin) / scale,
            angle=angle,
        )


@dataclass(frozen=True, slots=True)
class TextReader:
    """Reads pictures. Any number of threads may use one: it holds no state."""

    models: ModelStore

    def read(self, pixels: Pixels) -> str:
        """Return the text in a picture, a line a line; empty when there is none.

        Args:
            pixels: Shape ``(height, width, 3)``, RGB.

        Raises:
            ModelUnavailable: If a model file is missing or not the pinned one.
        """
        long_side = max(pixels.shape[:2])
        least, most = _COARSE_SIDES_PX
        coarse_side = min(max(round(long_side * _COARSE_PART), least), most)
        found = self._look(pixels, coarse_side)
        if not found:
            return ""
        letters = self.models.file(ModelName.OCR_ALPHABET).decode().split("\n")
        # 0 is no letter, and the space comes after all others.
        alphabet = ("", *letters, " ")
        image = Image.fromarray(pixels)
        if long_side > coarse_side:
            # Fences, bricks and leaves look like lines from afar: some letters must be read in them
            # before the whole picture is looked at finely, which costs four times as much.
            if not any(self._has_letters(image, line, alphabet) for line in _longest(found)):
                return ""
            found = self._look(pixels, _FINE_SIDE_PX)
        read = [self._read(image, line, alphabet) for line in _bounded(found)]
        return "\n".join(text for text in read if text)

    def _has_letters(self, image: Image.Image, line: _Line, alphabet: Sequence[str]) -> bool:
        middle = replace(
            line, length=min(line.length, line.height * _TRIED_COLUMNS_PX / _LINE_HEIGHT_PX)
        )
        text, confidence = self._either_way(image, middle, alphabet)
        return len(text) >= _TRIED_LETTERS and confidence >= _TRIED_CONFIDENCE

    def _look(self, pixels: Pixels, side: int) -> list[_Line]:
        """Find the lines of a picture whose long side is shrunk to ``side``."""
        height, width = pixels.shape[:2]
        scale = min(1.0, side / max(height, width))
        small_height, small_width = max(1, round(height * scale)), max(1, round(width * scale))
        image = Image.fromarray(pixels).resize(
            (small_width, small_height), Image.Resampling.BILINEAR, reducing_gap=_REDUCING_GAP
        )
        batch = np.full((1, 3, _round_up(small_height), _round_up(small_width)), 127, np.float32)
        batch[0, :, :small_height, :small_width] = np.asarray(image).transpose(2, 0, 1)
        (likelihood,) = self.models.session(ModelName.OCR_LINES).run(batch)
        groups = _groups(likelihood[0, 0, :small_height, :small_width])
        lines = [group.line(scale) for group in groups]
        return [line for line in lines if line.length >= _MIN_LENGTH * line.height]

    def _read(self, image: Image.Image, line: _Line, alphabet: Sequence[str]) -> str:
        text, confidence = self._either_way(image, line, alphabet)
        return text if confidence >= _MIN_CONFIDENCE else ""

    def _either_way(
        self, image: Image.Image, line: _Line, alphabet: Sequence[str]
    ) -> tuple[str, float]:
        """Read a line, and once more turned by 180 degrees where that is not sure."""
        upright = _cut(image, line)
        read = self._letters(upright, alphabet)
        if read[1] >= _SURE:
            return read
        turned = self._letters(upright.transpose(Image.Transpose.ROTATE_180), alphabet)
        return max(read, turned, key=lambda each: each[1])

    def _letters(self, line: Image.Image, alphabet: Sequence[str]) -> tuple[str, float]:
        """Return what one line says, and how likely its letters are on average."""
        batch = np.asarray(line, np.float32).transpose(2, 0, 1)[None]
        (steps,) = self.models.session(ModelName.OCR_TEXT).run(batch)
        return _decoded(steps[0], alphabet)


def _longest(lines: Sequence[_Line]) -> list[_Line]:
    return sorted(lines, key=lambda each: -each.length)[:_TRIED_LINES]


def _bounded(found: Sequence[_Line]) -> list[_Line]:
    """Return lines from the top to the bottom: at most what is bounded above, the largest."""
    kept: list[_Line] = []
    columns = 0
    for line in sorted(found, key=lambda each: -each.height)[:_MAX_LINES]:
        columns += line.columns
        if columns > _MAX_COLUMNS_PX:
            break
        kept.append(line)
    return sorted(kept, key=lambda each: (each.y, each.x))


def _decoded(steps: _Floats, alphabet: Sequence[str]) -> tuple[str, float]:
    best = steps.argmax(axis=1)
    is_new = np.concatenate([[True], best[1:] != best[:-1]]) & (best != 0)
    if not is_new.any():
        return "", 0.0
    text = "".join(alphabet[i] for i in best[is_new])
    return text.strip(), float(steps.max(axis=1)[is_new].mean())


def _round_up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _cut(image: Image.Image, line: _Line) -> Image.Image:
    """Cut out a line and lay it straight, 48 pixels high."""
    across, down = cos(line.angle), sin(line.angle)
    reach = int(hypot(line.length, line.height) / 2) + 2
    left, top = max(0, int(line.x) - reach), max(0, int(line.y) - reach)
    right, bottom = min(image.width, int(line.x) + reach), min(image.height, int(line.y) + reach)
    scale = _LINE_HEIGHT_PX / line.height
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    # Resized first: only that looks at every pixel when a large line is made small.
    around = image.resize(size, Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    x, y = (line.x - left) * scale, (line.y - top) * scale
    half_width, half_height = line.columns / 2, _LINE_HEIGHT_PX / 2
    return around.transform(
        (line.columns, _LINE_HEIGHT_PX),
        Image.Transform.AFFINE,
        (
            *(across, -down, x - half_width * across + half_height * down),
            *(down, across, y - half_width * down - half_height * across),
        ),
        Image.Resampling.BILINEAR,
        fillcolor=(127, 127, 127),
    )


def _groups(likelihoods: _Floats) -> list[_Core]:
    """Return each connected group of cores that is large and likely enough for text."""
    rows, starts, ends = _runs(likelihoods > _MIN_CORE)
    sums = np.zeros((rows.size, 7))
    np.add.at(
        sums,
        _touching(rows.tolist(), starts.tolist(), ends.tolist()),
        _moments(likelihoods, rows, starts, ends),
    )
    counts, likely = sums[:, 0], sums[:, 1]
    is_text = (counts >= _MIN_CORE_PX**2) & (likely >= _MIN_MEAN * counts)
    return [_Core(*group) for group in sums[is_text].tolist()]


def _runs(cores: npt.NDArray[np.bool_]) -> tuple[_Whole, _Whole, _Whole]:
    """Return the row, the first column, and the column after the last of each run of cores, from the top."""
    height, width = cores.shape
    framed = np.zeros((height, width + 2), np.bool_)
    framed[:, 1:-1] = cores
    edges = np.flatnonzero(framed[:, 1:] != framed[:, :-1])
    rows, columns = np.divmod(edges, width + 1)
    return rows[::2], columns[::2], columns[1::2]


def _moments(
    likelihoods: _Floats, rows: _Whole, starts: _Whole, ends: _Whole
) -> npt.NDArray[np.float64]:
    """Return what `_Core` holds, in its order, for each run."""
    width = likelihoods.shape[1]
    until = np.concatenate([[0.0], np.cumsum(likelihoods, dtype=np.float64)])
    counts = ends - starts
    columns = counts * (starts + ends - 1) / 2
    squares = _sum_of_squares(ends) - _sum_of_squares(starts)
    sure = until[rows * width + ends] - until[rows * width + starts]
    return np.stack(
        [counts, sure, columns, rows * counts, squares, rows * columns, rows * rows * counts],
        axis=1,
    )


def _sum_of_squares(below: _Whole) -> npt.NDArray[np.float64]:
    """Return ``0 + 1 + 4 + ...``, of all whole numbers below each."""
    return below * (below - 1) * (2 * below - 1) / 6


def _touching(rows: list[int], starts: list[int], ends: list[int]) -> list[int]:
    """Return for each run one that stands for all that it touches, also at corners and over others."""
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    above = 0
    for run, row in enumerate(rows):
        # Runs are in order: those that end before this one starts touch none of the next either.
        while rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] < starts[run]):
            above += 1
        other = above
        while rows[other] == row - 1 and starts[other] <= ends[run]:
            parents[root(other)] = root(run)
            other += 1
    return [root(run) for run in range(len(rows))]
