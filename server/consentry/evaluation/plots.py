"""Plots as SVG, written by hand: no library, a few kilobytes, light and dark by the reader's own setting.

A DET plot has normal-deviate axes (Martin et al., The DET curve in assessment of detection task performance, 1997): two
normal distributions make a straight line, and the rare errors that matter get room. A dot plot shows rates with their
intervals, one line each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from xml.sax.saxutils import escape

_NORMAL = NormalDist()
_STYLE = """\
<style>
text { font: 13px system-ui, sans-serif; fill: #2b2f36; }
.small { font-size: 11.5px; fill: #5c6370; }
.title { font-size: 15px; font-weight: 600; }
.ground { fill: #ffffff; }
.grid { stroke: #dfe3e8; stroke-width: 1; }
.frame { stroke: #9aa3ae; stroke-width: 1; fill: none; }
.c0 { stroke: #0b6bcb; } .c1 { stroke: #b4530a; } .c2 { stroke: #0d7a5f; } .c3 { stroke: #a0308c; }
.c4 { stroke: #5c6370; }
.f0 { fill: #0b6bcb; } .f1 { fill: #b4530a; } .f2 { fill: #0d7a5f; } .f3 { fill: #a0308c; }
.f4 { fill: #5c6370; }
.curve { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.whisker { stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e8eb; } .small { fill: #a9b1bb; }
  .ground { fill: #14171b; } .grid { stroke: #2b3138; } .frame { stroke: #66707b; }
  .c0 { stroke: #6cb2ff; } .c1 { stroke: #ffa657; } .c2 { stroke: #4fd1a8; } .c3 { stroke: #e58ad4; }
.c4 { stroke: #a9b1bb; }
  .f0 { fill: #6cb2ff; } .f1 { fill: #ffa657; } .f2 { fill: #4fd1a8; } .f3 { fill: #e58ad4; }
.f4 { fill: #a9b1bb; }
}
</style>"""
# A line of its own kind each, for readers who do not tell the colours apart.
_DASHES = ("", "9 4", "3 3", "11 4 3 4", "1 4")
_MARKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
_LEAST_FNMR, _MOST = 5e-4, 0.6
# Smaller rates are written as powers of ten.
_SMALL = 1e-3
_WIDTH, _HEIGHT = 760, 520
_LEFT, _TOP, _RIGHT, _BOTTOM = 78, 48, 24, 58


@dataclass(frozen=True, slots=True)
class Line:
    """One curve of a DET plot: pairs of FMR and FNMR."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Dot:
    """One rate of a dot plot, with its interval; all fractions."""

    name: str
    value: float
    low: float
    high: float


def det_plot(title: str, lines: Sequence[Line]) -> str:
    """Draw trade-offs. Rates of 0 lie on the lower edge."""
    rates = [fmr for line in lines for fmr, _ in line.points]
    least = max(min(rates, default=1e-4) * 0.8, 1e-7)
    x = _Axis(least, _MOST, _LEFT, _WIDTH - _RIGHT)
    y = _Axis(_LEAST_FNMR, _MOST, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        *_frame(title, "false match rate (FMR)", "false non-match rate (FNMR)"),
        *(_vertical(x(mark), _percent(mark)) for mark in _MARKS if least <= mark <= _MOST),
        *(_horizontal(y(mark), _percent(mark)) for mark in _MARKS if _LEAST_FNMR <= mark <= _MOST),
        *(_curve(line, x, y, number) for number, line in enumerate(lines)),
        *_legend([line.name for line in lines]),
    ]
    return _svg(_WIDTH, _HEIGHT, title, parts)


def dot_plot(title: str, axis: str, dots: Sequence[Dot], limit: float | None = None) -> str:
    """Draw rates from 0 to 1 with their intervals.

    Args:
        title: Above the plot.
        axis: What is counted.
        dots: From top to bottom.
        limit: A rate to draw a line at.
    """
    row, left, width = 20, 190, _WIDTH
    height = _TOP + row * len(dots) + _BOTTOM
    bottom = height - _BOTTOM

    def x(rate: float) -> float:
        return left + (width - _RIGHT - left) * min(max(rate, 0.0), 1.0)

    parts = [f'<text class="title" x="{left}" y="26">{escape(title)}</text>']
    for tenth in range(0, 11, 2):
        at = x(tenth / 10)
        parts.append(f'<path class="grid" d="M{at:.1f} {_TOP - 6}V{bottom}"/>')
        parts.append(_text(at, bottom + 18, f"{tenth * 10} %", "middle", "small"))
    if limit is not None:
        parts.append(
            f'<path class="frame" stroke-dasharray="4 3" d="M{x(limit):.1f} {_TOP - 6}V{bottom}"/>'
        )
    parts.append(_text((left + width - _RIGHT) / 2, bottom + 42, axis, "middle"))
    for number, dot in enumerate(dots):
        y = _TOP + row * number + row / 2
        parts.append(_text(left - 10, y + 4, dot.name, "end"))
        parts.append(
            f'<path class="whisker c0" d="M{x(dot.low):.1f} {y:.1f}H{x(dot.high):.1f}"/>'
            f'<circle class="f0" cx="{x(dot.value):.1f}" cy="{y:.1f}" r="4"/>'
        )
    return _svg(width, height, title, parts)


@dataclass(frozen=True, slots=True)
class _Axis:
    """A normal-deviate axis from one rate to another."""

    least: float
    most: float
    start: float
    end: float

    def __call__(self, rate: float) -> float:
        low, high = _NORMAL.inv_cdf(self.least), _NORMAL.inv_cdf(self.most)
        at = _NORMAL.inv_cdf(min(max(rate, self.least), self.most))
        return self.start + (self.end - self.start) * (at - low) / (high - low)


def _curve(line: Line, x: _Axis, y: _Axis, number: int) -> str:
    places = " ".join(f"{x(fmr):.1f},{y(fnmr):.1f}" for fmr, fnmr in line.points)
    return (
        f'<polyline class="curve c{number % len(_DASHES)}" '
        f'stroke-dasharray="{_DASHES[number % len(_DASHES)]}" points="{places}"/>'
    )


def _frame(title: str, across: str, up: str) -> list[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    middle = (_TOP + bottom) / 2
    return [
        f'<text class="title" x="{_LEFT}" y="28">{escape(title)}</text>',
        f'<path class="frame" d="M{_LEFT} {_TOP}H{right}V{bottom}H{_LEFT}Z"/>',
        _text((_LEFT + right) / 2, _HEIGHT - 14, across, "middle"),
        f'<text text-anchor="middle" transform="translate(20 {middle}) rotate(-90)">{escape(up)}</text>',
    ]


def _vertical(at: float, name: str) -> str:
    bottom = _HEIGHT - _BOTTOM
    return f'<path class="grid" d="M{at:.1f} {_TOP}V{bottom}"/>' + _text(
        at, bottom + 18, name, "middle", "small"
    )


def _horizontal(at: float, name: str) -> str:
    return f'<path class="grid" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>' + _text(
        _LEFT - 8, at + 4, name, "end", "small"
    )


def _legend(names: Sequence[str]) -> list[str]:
    found = []
    for number, name in enumerate(names):
        y = _TOP + 20 + 20 * number
        left = _WIDTH - _RIGHT - 300
        found.append(
            f'<path class="curve c{number % len(_DASHES)}" '
            f'stroke-dasharray="{_DASHES[number % len(_DASHES)]}" d="M{left} {y}h34"/>'
        )
        found.append(_text(left + 42, y + 4, name, "start"))
    return found


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _percent(rate: float) -> str:
    return f"{100 * rate:g} %" if rate >= _SMALL else f"{rate:.0e}".replace("e-0", "e-")


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">',
            _STYLE,
            f'<rect class="ground" width="{width}" height="{height}" rx="8"/>',
            *parts,
            "</svg>\n",
        ]
    )
