"""The real command on real photos, and what it says when it cannot."""

from __future__ import annotations

import json
import re
import shutil
from itertools import combinations
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from consentry.cli.rim import run
from consentry.evaluation.observing import read_photo
from consentry.faces.embed import RECIPES, EmbeddingModel
from consentry.faces.pipeline import open_pipeline
from consentry.inference.sessions import ModelStore
from fakes.coloured_faces import picture

SPEC = Path(__file__).parents[3] / "docs" / "specs" / "evaluation-report.md"
LIGHT = str(RECIPES[EmbeddingModel.LIGHT].model_id)


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSENTRY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CONSENTRY_MODELS_DIR", str(models_dir))


def schema():
    (text,) = re.findall(
        r"^```json schema=consentry\.evaluation/1\n(.*?)^```$",
        SPEC.read_text(),
        flags=re.DOTALL | re.MULTILINE,
    )
    return json.loads(text)


@pytest.fixture(scope="module")
def slice_of_lfw(faces_data, tmp_path_factory) -> Path:
    """Thirty people with two photos or more, and a picture that is none."""
    folder = tmp_path_factory.mktemp("faces")
    chosen = [
        place
        for place in sorted((faces_data / "faces-lfw-dev").iterdir())
        if place.is_dir() and len(list(place.iterdir())) > 1
    ][::7][:30]
    for place in chosen:
        (folder / place.name).mkdir()
        for photo in sorted(place.iterdir())[:3]:
            shutil.copyfile(photo, folder / place.name / photo.name)
    (folder / chosen[0].name / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return folder


@pytest.mark.data
def test_a_slice_of_real_photos_gives_a_report_that_holds(
    slice_of_lfw, tmp_path, capsys, models_dir
):
    out = tmp_path / "out"
    photos = sorted(slice_of_lfw.glob("*/*.jpg"))
    good = [path for path in photos if path.name != "broken.jpg"]

    code = run(["evaluate", str(slice_of_lfw), "--model", "light", "--report", str(out)])

    told = capsys.readouterr()
    assert code == 0, told.err
    assert "broken.jpg [image-" in told.err
    figures = json.loads((out / "report.json").read_text())
    jsonschema.validate(figures, schema())
    assert figures["failure_to_acquire"][LIGHT][slice_of_lfw.name]["unreadable"] == 1
    assert sorted(path.name for path in out.iterdir()) == ["det.svg", "report.json", "report.md"]

    # Counted once more, by the pair.
    pipeline = open_pipeline("light", ModelStore(models_dir, threads=1))
    rows = []
    for path in good:
        pixels = read_photo(path)
        faces = pipeline.detect(pixels, thorough=False)
        middle = np.array(pixels.shape[1::-1]) / 2
        nearest = min(
            faces,
            key=lambda f: (
                np.hypot(*(np.array([f.box.x + f.box.w / 2, f.box.y + f.box.h / 2]) - middle))
                - f.box.w / 4
            ),
        )
        rows.append(pipeline.describe(pixels, [nearest])[0].embedding)
    pairs = list(combinations(range(len(good)), 2))
    mated = [rows[i] @ rows[j] for i, j in pairs if good[i].parent == good[j].parent]
    others = [rows[i] @ rows[j] for i, j in pairs if good[i].parent != good[j].parent]
    point = figures["fnmr_at_fmr"][LIGHT]["1e-2"]
    assert (point["mated_pairs"], point["non_mated_pairs"]) == (len(mated), len(others))
    reached = sum(score >= point["threshold"] for score in others)
    assert point["false_matches"] == pytest.approx(reached, abs=1)
    assert point["fmr_measured"] <= 1e-2
    missed = sum(score < point["threshold"] for score in mated)
    assert point["fnmr"] * len(mated) == pytest.approx(missed, abs=1)


@pytest.mark.data
def test_a_report_names_nobody(slice_of_lfw, tmp_path):
    out = tmp_path / "out"

    assert run(["evaluate", str(slice_of_lfw), "--model", "light", "--report", str(out)]) == 0

    text = "".join(path.read_text() for path in out.iterdir())
    names = [place.name for place in slice_of_lfw.iterdir()]
    assert [name for name in names if name in text] == []
    assert str(slice_of_lfw.parent) not in text


@pytest.mark.data
def test_points_are_written_as_the_curves_are_read_and_keep_other_models(slice_of_lfw, tmp_path):
    points = tmp_path / "curves.json"
    points.write_text(json.dumps({"curves": {"other@1": {"points": []}}}))

    given = ["--model", "light", "--report", str(tmp_path / "out")]
    alone = ["--write-part-points", str(tmp_path / "parts.json")]
    code = run(
        ["evaluate", str(slice_of_lfw), *given, "--write-operating-points", str(points), *alone]
    )

    curves = json.loads(points.read_text())["curves"]
    assert code == 0
    assert set(curves) == {"other@1", LIGHT}
    # The light model is one network, so its part alone is the model.
    (part,) = json.loads((tmp_path / "parts.json").read_text())["points"].values()
    assert [part["threshold"], part["fmr"], part["fnmr"]] == curves[LIGHT]["points"][-1]
    assert set(curves[LIGHT]) == {"points", "mated_pairs", "non_mated_pairs", "source"}
    assert all(
        a[0] < b[0] and a[1] > b[1]
        for a, b in zip(curves[LIGHT]["points"], curves[LIGHT]["points"][1:], strict=False)
    )


def test_nothing_is_made_in_a_data_folder(tmp_path):
    run(["evaluate", str(tmp_path / "none")])

    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["none"], "no folder"),
        (["empty"], "no pictures"),
        (["one"], "one person"),
        (["two", "--model", "best"], "no model of that name"),
        (["two", "two"], "same name"),
        (["two", "--attack"], "belongs to --robustness"),
        (
            ["two", "--model", "light", "--robustness", "--robustness-model", "registry"],
            "name it twice",
        ),
        (["two", "--pairs", "gone.tsv"], "cannot be read"),
        (["two", "one", "--pairs", "gone.tsv"], "belongs to one folder"),
    ],
    ids=[
        "missing",
        "empty",
        "one identity",
        "no model",
        "twice",
        "attack alone",
        "not measured",
        "no list",
        "two folders",
    ],
)
def test_what_cannot_be_measured_says_why(tmp_path, capsys, monkeypatch, arguments, why):
    monkeypatch.chdir(tmp_path)
    for place in ("empty", "one/ada", "two/ada", "two/bea"):
        (tmp_path / place).mkdir(parents=True)
        if place != "empty":
            (tmp_path / place / "1.png").write_bytes(picture((1, 2, 3)))

    code = run(["evaluate", *arguments])

    assert code == 2
    assert why in capsys.readouterr().err


def test_photos_without_a_face_give_a_report_without_figures(tmp_path, capsys):
    for place in ("ada", "bea"):
        (tmp_path / "data" / place).mkdir(parents=True)
        (tmp_path / "data" / place / "1.png").write_bytes(picture())

    code = run(
        ["evaluate", str(tmp_path / "data"), "--model", "light", "--report", str(tmp_path / "out")]
    )

    figures = json.loads((tmp_path / "out" / "report.json").read_text())
    assert code == 0
    jsonschema.validate(figures, schema())
    assert set(figures["fnmr_at_fmr"][LIGHT]["1e-2"].values()) == {None}
    assert "too few pairs" in (tmp_path / "out" / "report.md").read_text()
