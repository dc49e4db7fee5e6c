from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

from consentry.evaluation.plots import Dot, Line, det_plot, dot_plot

CURVE = [(0.5, 0.0), (0.1, 0.001), (0.01, 0.01), (0.001, 0.05), (1e-5, 0.4)]


def points(svg: str) -> list[tuple[float, float]]:
    (text,) = re.findall(r'points="([^"]+)"', svg)
    return [tuple(float(v) for v in pair.split(",")) for pair in text.split()]


def test_a_det_plot_is_well_formed_and_names_its_curves():
    svg = det_plot("Two < three", [Line("a & b", CURVE), Line("c", CURVE)])

    texts = [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]
    assert {"Two < three", "a & b", "c"} <= set(texts)


def test_rarer_errors_lie_further_left_and_lower():
    places = points(det_plot("x", [Line("m", CURVE)]))

    assert all(a[0] > b[0] and a[1] >= b[1] for a, b in pairwise(places))


def test_every_point_lies_inside_the_frame():
    places = points(det_plot("x", [Line("m", [(0.999, 0.0), (1e-9, 1.0)])]))

    assert all(78 <= x <= 736 and 48 <= y <= 462 for x, y in places)


def test_curves_differ_by_more_than_colour():
    svg = det_plot("x", [Line(str(n), CURVE) for n in range(4)])

    assert len(set(re.findall(r'<polyline[^>]*stroke-dasharray="([^"]*)"', svg))) == 4


def test_both_plots_know_light_and_dark():
    for svg in (det_plot("x", []), dot_plot("x", "rate", [Dot("d", 0.5, 0.4, 0.6)], limit=0.9)):
        assert "prefers-color-scheme: dark" in svg
        ET.fromstring(svg)


def test_a_dot_lies_on_its_whisker():
    svg = dot_plot("x", "rate", [Dot("d", 0.5, 0.25, 0.75)])

    low, high = map(float, re.findall(r'whisker c0" d="M([\d.]+) [\d.]+H([\d.]+)"', svg)[0])
    (middle,) = re.findall(r'cx="([\d.]+)"', svg)
    assert low < float(middle) < high
