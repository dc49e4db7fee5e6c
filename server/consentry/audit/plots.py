"""Verdicts by day as bars, in SVG written by hand: light and dark by the reader's own setting."""

from __future__ import annotations

from xml.sax.saxutils import escape

from consentry.audit.disclosure import Table

_WIDTH, _HEIGHT = 760, 360
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 64, 20, 48
_MOST_DAYS = 660
_STEPS = 4
_STYLE = """\
<style>
text { font: 13px system-ui, sans-serif; fill: #2b2f36; }
.small { font-size: 11.5px; fill: #5c6370; }
.title { font-size: 15px; font-weight: 600; }
.ground { fill: #ffffff; }
.grid { stroke: #dfe3e8; }
.c0 { fill: #0d7a5f; } .c1 { fill: #b4530a; } .c2 { fill: #0b6bcb; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e8eb; } .small { fill: #a9b1bb; }
  .ground { fill: #14171b; } .grid { stroke: #2b3138; }
  .c0 { fill: #4fd1a8; } .c1 { fill: #ffa657; } .c2 { fill: #6cb2ff; }
}
</style>"""


def day_plot(table: Table) -> str:
    """Draw counts by day, one colour for each column. What is held back is not drawn, and that is said."""
    days = table.rows[-_MOST_DAYS:]
    counts = {
        (day, column): table.cells[day, column] or 0 for day in days for column in table.columns
    }
    tallest = max((sum(counts[day, each] for each in table.columns) for day in days), default=0)
    top = _round_up(max(tallest, 1))
    bottom, step = _HEIGHT - _BOTTOM, (_WIDTH - _RIGHT - _LEFT) / max(len(days), 1)
    scale = (bottom - _TOP) / top
    parts = [f'<text class="title" x="{_LEFT}" y="26">Verdicts by day</text>']
    for number in range(_STEPS + 1):
        y = bottom - (bottom - _TOP) * number / _STEPS
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{top * number / _STEPS:g}", "end", "small"))
    for place, day in enumerate(days):
        y = float(bottom)
        for number, column in enumerate(table.columns):
            height = counts[day, column] * scale
            y -= height
            if height:
                parts.append(
                    f'<rect class="c{number}" x="{_LEFT + step * place + step * 0.08:.2f}" y="{y:.2f}" '
                    f'width="{step * 0.84:.2f}" height="{height:.2f}"/>'
                )
    for number, column in enumerate(table.columns):
        x = _LEFT + 130 * number
        parts.append(f'<rect class="c{number}" x="{x}" y="38" width="11" height="11"/>')
        parts.append(_text(x + 16, 48, column, "start", "small"))
    if any(table.cells[day, each] is None for day in days for each in table.columns):
        parts.append(_text(_WIDTH - _RIGHT, 48, "counts held back are not drawn", "end", "small"))
    if days:
        parts.append(_text(_LEFT, bottom + 20, days[0], "start", "small"))
        parts.append(_text(_WIDTH - _RIGHT, bottom + 20, days[-1], "end", "small"))
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Verdicts by day">',
            _STYLE,
            f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _round_up(count: int) -> int:
    """Return 1, 2, 4 or 8 times a power of ten that is at least ``count`` and has four even parts."""
    power = 1
    while True:
        for times in (4, 8, 20):
            if times * power >= count:
                return times * power
        power *= 10


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
