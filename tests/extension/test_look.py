"""The pages' colours can be read in both schemes, and the layout has no left and right of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLE = (Path(__file__).parents[2] / "extension" / "src" / "pages" / "style.css").read_text()
TEXT = 4.5
SHAPE = 3.0
DARK = "@media (prefers-color-scheme: dark)"

# foreground, background, what WCAG 2 AA asks for: text 4.5, what must be seen to be used 3.
PAIRS = [
    *(("ink", surface, TEXT) for surface in ("paper", "card", "sunk", "accent-soft")),
    *(("soft", surface, TEXT) for surface in ("paper", "card", "sunk")),
    *(("link", surface, TEXT) for surface in ("paper", "card", "accent-soft")),
    ("accent-ink", "accent", TEXT),
    *((look, f"{look}-soft", TEXT) for look in ("good", "ask", "bad", "you")),
    *(("ink", f"{look}-soft", TEXT) for look in ("good", "ask", "bad")),
    *((look, surface, TEXT) for look in ("good", "ask", "bad") for surface in ("paper", "card")),
    ("card", "bad", TEXT),
    ("card", "you", TEXT),
    *(("field", surface, SHAPE) for surface in ("paper", "card", "sunk")),
    *(("accent", surface, SHAPE) for surface in ("paper", "card", "sunk")),
]


def colours(scheme: str) -> dict[str, str]:
    """The variables of one colour scheme, without the two hyphens."""
    found = STYLE.index(DARK) if scheme == "dark" else STYLE.index(":root")
    block = STYLE[found : STYLE.index("}", STYLE.index("{", STYLE.index(":root", found)) + 1)]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_ratio_is_the_one_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_what_is_shown_can_be_seen(scheme: str, front: str, back: str, least: float) -> None:
    shades = colours(scheme)

    assert contrast(shades[front], shades[back]) >= least


def test_both_schemes_name_the_same_colours() -> None:
    assert colours("light").keys() == colours("dark").keys()


def test_the_layout_mirrors_by_itself() -> None:
    physical = re.findall(
        r"(?<![-\w])(?:(?:margin|padding|border|inset)-(?:left|right|top|bottom)[\w-]*|left|right|top|bottom|float|"
        r"width|height|(?:min|max)-(?:width|height))\s*:|text-align:\s*(?:left|right)",
        re.sub(r"@media[^{]*", "", STYLE),
    )

    assert physical == []


def test_nothing_moves_for_whoever_asked_for_stillness() -> None:
    animated = re.sub(
        r"@media \(prefers-reduced-motion[^{]*\{(?:[^{}]|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})*\}",
        "",
        STYLE,
    )

    assert not re.search(r"(?:animation|transition)\s*:", animated)


def test_whoever_uses_the_keyboard_sees_where_she_is() -> None:
    assert ":focus-visible { outline: 3px solid var(--accent)" in STYLE
    without = re.findall(r"([^{}]+)\{[^{}]*outline: none", STYLE)
    # A heading that was only jumped to, and a field whose frame shows the outline in its place.
    assert [each.strip() for each in without] == [
        "h1:focus-visible, main:focus-visible, #result-title:focus-visible",
        ".secret input",
    ]
