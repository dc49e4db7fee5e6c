from __future__ import annotations

from consentry.faces.places import DetectedFace, elsewhere, once_each
from consentry.kernel.biometrics import Box


def face(left: float, score: float = 0.9) -> DetectedFace:
    points = ((left, 0.0), (left + 5, 0.0), (left + 2, 3.0), (left, 6.0), (left + 5, 6.0))
    return DetectedFace(Box(left, 0, 10, 10), points, score)


def test_of_faces_at_one_place_the_surest_stays():
    assert once_each([face(0, 0.6), face(1, 0.8), face(40, 0.5)]) == [face(1, 0.8), face(40, 0.5)]


def test_elsewhere_is_where_no_known_face_is():
    found = [face(0), face(3), face(9), face(50)]

    assert elsewhere(found, [face(1), face(52)]) == [face(9)]
    assert elsewhere(found, []) == found
    assert elsewhere([], found) == []


def test_a_face_turned_four_times_and_back_is_where_it_was():
    turned = face(7)
    # A counter-clockwise turn of a 30 x 20 picture, by hand: (x, y) to (y, width - x).
    once = DetectedFace(
        Box(0, 30 - 7 - 10, 10, 10),
        ((0.0, 23.0), (0.0, 18.0), (3.0, 21.0), (6.0, 23.0), (6.0, 18.0)),
        0.9,
    )

    assert once.turned_back(1, 30, 20) == turned
    assert turned.turned_back(0, 30, 20) == turned
