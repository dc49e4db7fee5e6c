from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from consentry.evaluation.folders import Photo, read_folder
from consentry.evaluation.observation import Observation, Outcome, as_row, from_row
from consentry.evaluation.observing import Engine, central, in_parallel, observe
from consentry.evaluation.work import Key, WorkFolder
from consentry.faces.detect import DetectedFace
from consentry.kernel.biometrics import Box, as_embedding, as_pixels
from consentry.kernel.errors import ModelUnavailable, StorageFailed
from fakes.coloured_faces import ColouredFaces, picture

WORKER = Path(__file__).with_name("observing_worker.py")
KEY = Key("a" * 64, "b" * 64)


def embedded(seed: int = 0) -> Observation:
    row = np.random.default_rng(seed).normal(size=16).astype(np.float32)
    face = DetectedFace(Box(1.5, 2.0, 3.0, 4.0), ((1.0, 2.0),) * 5, 0.75)
    return Observation(Outcome.EMBEDDED, face, as_embedding(row / np.linalg.norm(row)))


def people(folder: Path, count: int) -> Path:
    for number in range(count):
        place = folder / f"person-{number}"
        place.mkdir(parents=True)
        (place / "1.png").write_bytes(picture((number, 50, 200)))
    return folder


def engine(pipeline: ColouredFaces, model_id: str = "colours@1") -> Engine:
    return Engine(model_id, pipeline, f"fingerprint of {model_id}", "")


def see(photos, engines, folder: Path, **options):
    with WorkFolder(folder, fresh=False) as work:
        return observe(photos, engines, work, lambda *_: None, workers=2, **options)


def test_what_was_seen_comes_back_as_it_was(tmp_path):
    with WorkFolder(tmp_path / "w", fresh=False) as work:
        work.put(KEY, as_row(embedded()))
        work.put(Key("c", "d"), as_row(Observation(Outcome.UNREADABLE, error="image-corrupt")))

    with WorkFolder(tmp_path / "w", fresh=False) as again:
        found = from_row(again.get(KEY))
        assert (found.outcome, found.face) == (Outcome.EMBEDDED, embedded().face)
        assert found.embedding.tobytes() == embedded().embedding.tobytes()
        assert from_row(again.get(Key("c", "d"))).error == "image-corrupt"


def test_only_the_owner_may_read_it(tmp_path):
    with WorkFolder(tmp_path / "w", fresh=False) as work:
        work.put(KEY, as_row(embedded()))

    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "w").iterdir()}
    assert modes == {0o600}
    assert (tmp_path / "w").stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path):
    (tmp_path / "observations.jsonl").write_bytes(b"")
    (tmp_path / "observations.jsonl").chmod(0o644)

    with WorkFolder(tmp_path, fresh=False):
        assert (tmp_path / "observations.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_line_that_was_cut_off_is_passed_over_and_the_next_is_whole(tmp_path, cut):
    with WorkFolder(tmp_path, fresh=False) as work:
        work.put(KEY, as_row(embedded()))
        work.put(Key("x", "y"), as_row(embedded()))
    path = tmp_path / "observations.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])

    with WorkFolder(tmp_path, fresh=False) as work:
        assert work.get(KEY) is not None
        assert (work.get(Key("x", "y")) is None) == (cut > 1)
        work.put(Key("x", "z"), as_row(embedded()))
    with WorkFolder(tmp_path, fresh=False) as work:
        assert work.get(Key("x", "z")) is not None


@pytest.mark.parametrize("line", [b"5", b"[]", b'{"photo": 1}', b"\xff\xfe", b"{"])
def test_a_damaged_line_is_passed_over(tmp_path, line):
    (tmp_path / "observations.jsonl").write_bytes(line + b"\n")

    with WorkFolder(tmp_path, fresh=False) as work:
        assert len(work) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"box": [1]},
        {"embedding": "!"},
        {"embedding": "AAAA"},
        {"outcome": "odd"},
        {"landmarks": None},
    ],
)
def test_a_damaged_row_is_nothing(change):
    assert from_row(as_row(embedded())) is not None
    assert from_row(as_row(embedded()) | change) is None


def test_fresh_forgets(tmp_path):
    with WorkFolder(tmp_path, fresh=False) as work:
        work.put(KEY, as_row(embedded()))

    with WorkFolder(tmp_path, fresh=True) as work:
        assert work.get(KEY) is None


def test_deleting_takes_its_own_file_and_leaves_others(tmp_path):
    with WorkFolder(tmp_path / "mine", fresh=False) as work:
        work.delete()
    with WorkFolder(tmp_path / "shared", fresh=False) as work:
        (tmp_path / "shared" / "other.txt").write_text("x")
        work.delete()

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["other.txt", "shared"]


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(StorageFailed, match="--work"):
        WorkFolder(tmp_path / "file" / "w", fresh=False)


def test_every_photo_is_looked_at_once_and_never_again(tmp_path):
    photos = read_folder(people(tmp_path / "data", 5)).photos
    first, second = ColouredFaces(), ColouredFaces()

    before = see(photos, [engine(first)], tmp_path / "w")
    after = see(photos, [engine(second)], tmp_path / "w")

    assert (first.looks, second.looks) == (5, 0)
    assert [s.by_model["colours@1"].embedding.tolist() for s in before] == [
        s.by_model["colours@1"].embedding.tolist() for s in after
    ]


def test_a_model_that_came_later_is_looked_through_and_the_others_are_kept(tmp_path):
    photos = read_folder(people(tmp_path / "data", 3)).photos
    first, second = ColouredFaces(), ColouredFaces()
    see(photos, [engine(first)], tmp_path / "w")

    see(photos, [engine(first), engine(second, "other@1")], tmp_path / "w")

    assert (first.descriptions, second.descriptions) == (3, 3)


def test_models_with_one_detector_share_a_look(tmp_path):
    photos = read_folder(people(tmp_path / "data", 3)).photos
    first, second = ColouredFaces(), ColouredFaces()

    see(photos, [engine(first), engine(second, "other@1")], tmp_path / "w")

    assert (first.looks, second.looks) == (3, 0)


def test_bad_files_are_counted_and_the_rest_goes_on(tmp_path):
    folder = people(tmp_path / "data", 2)
    (folder / "person-0" / "2.png").write_bytes(b"")
    (folder / "person-0" / "3.jpg").write_bytes(b"no picture at all")
    (folder / "person-0" / "4.png").write_bytes(picture((1, 2, 3))[:60])
    (folder / "person-1" / "5.png").symlink_to(tmp_path / "gone.png")

    found = see(read_folder(folder).photos, [engine(ColouredFaces())], tmp_path / "w")

    outcomes = {s.photo.path.name + s.photo.subject: s.by_model["colours@1"] for s in found}
    errors = sorted(o.error for o in outcomes.values() if o.outcome is Outcome.UNREADABLE)
    assert len(errors) == 4
    assert all(error.startswith("image-") for error in errors)
    assert sum(o.outcome is Outcome.EMBEDDED for o in outcomes.values()) == 2


def test_no_face_and_a_small_face_are_told_apart(tmp_path):
    folder = people(tmp_path / "data", 2)
    (folder / "person-0" / "none.png").write_bytes(picture())
    (folder / "person-1" / "small.png").write_bytes(picture((9, 9, 9)))
    pipeline = ColouredFaces()
    pipeline.small = {(9, 9, 9)}

    found = see(read_folder(folder).photos, [engine(pipeline)], tmp_path / "w")

    assert [s.by_model["colours@1"].outcome for s in found] == [
        Outcome.EMBEDDED,
        Outcome.NO_FACE,
        Outcome.EMBEDDED,
        Outcome.TOO_SMALL,
    ]


def test_a_missing_model_ends_the_run(tmp_path):
    photos = read_folder(people(tmp_path / "data", 3)).photos
    pipeline = ColouredFaces()
    pipeline.failure = ModelUnavailable("gone")

    with pytest.raises(ModelUnavailable):
        see(photos, [engine(pipeline)], tmp_path / "w")


def test_the_face_in_the_middle_is_the_labelled_one():
    pixels = as_pixels(np.zeros((100, 100, 3), np.uint8))
    faces = [
        DetectedFace(Box(x, y, 20, 20), ((0.0, 0.0),) * 5, 0.9)
        for x, y in ((0, 0), (42, 38), (80, 80))
    ]

    assert central(faces, pixels) == faces[1]
    assert central([], pixels) is None


def test_results_keep_the_order_of_the_jobs():
    told = []

    found = in_parallel(lambda n: n * n, range(50), lambda _, part: told.append(part), workers=4)

    assert found == [n * n for n in range(50)]
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path):
    folder = people(tmp_path / "data", 40)
    command = [sys.executable, str(WORKER), str(folder), str(tmp_path / "w")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for _ in range(12):
            assert child.stdout.readline() == "look\n"
        child.kill()

    rest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    # Of twelve looks that were begun, all but the two in the air were kept.
    assert rest[-1] == "done"
    assert 40 - 16 <= rest.count("look") <= 40 - 10


def test_photos_are_named_by_content_in_the_work_folder(tmp_path):
    folder = people(tmp_path / "data", 2)

    see(read_folder(folder).photos, [engine(ColouredFaces())], tmp_path / "w")

    assert b"person" not in (tmp_path / "w" / "observations.jsonl").read_bytes()


def test_photos_without_pairs_need_no_path_in_repr(tmp_path):
    assert "secret" not in repr(Photo(tmp_path / "secret.png", "secret"))
