from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from consentry.evaluation.folders import PhotoSet, read_folder
from consentry.evaluation.measuring import SeenSet
from consentry.evaluation.observing import Engine, observe, open_engines
from consentry.evaluation.rates import wilson
from consentry.evaluation.robustness import (
    Card,
    Outcomes,
    RobustnessRun,
    choose,
    searched,
    weaknesses,
)
from consentry.evaluation.transforms import TRANSFORMS, UNTOUCHED
from consentry.evaluation.work import WorkFolder
from consentry.faces.curve import measured_curve
from consentry.inference.sessions import ModelStore
from consentry.kernel.errors import BadRequest
from fakes.coloured_faces import ColouredFaces, picture

BY_NAME = {each.name: each for each in TRANSFORMS}
NONE = wilson(0, 10)


def people(folder: Path, *photos: int) -> PhotoSet:
    for person, count in enumerate(photos):
        place = folder / f"person-{person:03}"
        place.mkdir(parents=True)
        for number in range(count):
            (place / f"{number}.png").write_bytes(picture((person + 1, 50, 60 + number)))
    return read_folder(folder)


def seen(photos: PhotoSet, tmp_path: Path) -> SeenSet:
    engine = Engine("colours@1", ColouredFaces(), "f", "")
    with WorkFolder(tmp_path / "w", fresh=False) as work:
        found = observe(photos.photos, [engine], work, lambda *_: None, workers=1)
    return SeenSet(photos, tuple(found), is_hard=False)


def row(name: str, known: int, of: int = 100) -> Outcomes:
    return Outcomes(name, "", NONE, wilson(known, of), NONE, NONE, NONE)


def test_references_probes_and_strangers_are_of_different_photos_and_people(tmp_path):
    found = seen(people(tmp_path / "d", *[3] * 8, *[1] * 6), tmp_path)

    references, known, strangers = choose(found, ["colours@1"], probes=8)

    photos = found.photos.photos
    assert len(references) == 8
    assert all(photos[p].subject == photos[references[r]].subject for p, r in known)
    assert all(p != references[r] for p, r in known)
    enrolled = {photos[r].subject for r in references}
    assert len(strangers) == 4
    assert all(photos[s].subject not in enrolled for s in strangers)


def test_where_nobody_is_alone_some_people_are_left_out_of_the_gallery(tmp_path):
    found = seen(people(tmp_path / "d", *[2] * 20), tmp_path)

    references, _, strangers = choose(found, ["colours@1"], probes=10)

    enrolled = {found.photos.photos[r].subject for r in references}
    assert len(references) == 15
    assert len(strangers) == 5
    assert all(found.photos.photos[s].subject not in enrolled for s in strangers)


def test_too_few_people_say_so(tmp_path):
    with pytest.raises(BadRequest, match="more people"):
        choose(seen(people(tmp_path / "d", 2, 2, 1), tmp_path), ["colours@1"], probes=8)


def test_the_best_face_of_a_picture_counts():
    axes = np.eye(3, dtype=np.float32)

    trial = searched([axes[1], (axes[0] + axes[2]) / np.float32(math.sqrt(2))], axes, own=0)

    assert trial.faces == 2
    assert trial.own == pytest.approx(math.sqrt(0.5))
    assert trial.other == 1


def test_a_stranger_is_compared_with_everybody():
    axes = np.eye(3, dtype=np.float32)

    assert searched([axes[2]], axes, own=None).other == 1
    assert searched([axes[2]], axes, own=None).own is None


def test_a_picture_without_a_face_matches_nobody():
    assert searched([], np.eye(3, dtype=np.float32), own=1) == type(searched([], np.eye(2), 0))(
        0, None, None
    )


def test_a_weakness_is_what_leaves_less_than_nine_tenths():
    rows = (row("untouched", 80), row("a", 72), row("b", 71), row("c", 0))
    card = Card("m", 10, 100, 50, 0.5, 0.4, rows)

    assert [weak.transform for weak in weaknesses(card)] == ["b", "c"]
    assert card.ratio(rows[1]) == pytest.approx(0.9)


def test_when_nobody_is_known_untouched_everything_is_a_weakness():
    rows = (row("untouched", 0), row("a", 0))

    assert [weak.transform for weak in weaknesses(Card("m", 1, 1, 1, 0, 0, rows))] == ["a"]


def test_a_model_without_thresholds_is_refused(tmp_path):
    found = seen(people(tmp_path / "d", *[2] * 20), tmp_path)
    engine = Engine("colours@1", ColouredFaces(), "f", "")

    with (
        WorkFolder(tmp_path / "w", fresh=False) as work,
        pytest.raises(BadRequest, match="needs thresholds"),
    ):
        RobustnessRun(found, [engine], {}, work, probes=4)


@pytest.mark.data
def test_real_people_are_known_upright_and_turned_and_saved_as_a_jpeg(
    faces_data, models_dir, tmp_path
):
    photos = read_folder(_slice(faces_data, tmp_path / "d"))
    engines = open_engines(["light", "companion"], ModelStore(models_dir, threads=1))
    chosen = (UNTOUCHED, BY_NAME["turn-90"], BY_NAME["jpeg-30"])
    curves = {engine.model_id: measured_curve(engine.pipeline.model_id) for engine in engines}

    with WorkFolder(tmp_path / "w", fresh=False) as work:
        looked = observe(photos.photos, engines, work, lambda *_: None, workers=2)
        found = SeenSet(photos, tuple(looked), is_hard=False)
        run = RobustnessRun(found, engines, curves, work, probes=6, transforms=chosen)
        cards = run.run(lambda *_: None, workers=2)
        before = len(work)
        again = run.run(lambda *_: None, workers=2)

        assert again == cards
        assert len(work) == before

    for card in cards:
        assert [each.transform for each in card.rows] == [each.name for each in chosen]
        assert card.rows[0].found.value == 1
        # Of six people, known at so strict a point: most, and as many when turned.
        assert card.rows[0].known.errors >= 4
        assert card.rows[1].known.errors >= card.rows[0].known.errors - 1
        assert all(each.strangers.errors == 0 for each in card.rows)


def _slice(faces_data: Path, folder: Path) -> Path:
    places = sorted(p for p in (faces_data / "faces-lfw-dev").iterdir() if p.is_dir())
    several = [p for p in places if len(list(p.iterdir())) > 2][3::9][:6]
    alone = [p for p in places if len(list(p.iterdir())) == 1][::30][:4]
    for place in several + alone:
        (folder / place.name).mkdir(parents=True)
        for photo in sorted(place.iterdir())[:2]:
            (folder / place.name / photo.name).write_bytes(photo.read_bytes())
    return folder
