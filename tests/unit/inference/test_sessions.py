from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from consentry.inference.registry import MODEL_FILES, ModelName
from consentry.inference.sessions import ModelStore
from consentry.kernel.errors import ModelUnavailable

SIDES = {ModelName.DLIB_RESNET: 150, ModelName.MFN192: 112, ModelName.SFACE: 112}
DIMENSIONS = {ModelName.DLIB_RESNET: 128, ModelName.MFN192: 192, ModelName.SFACE: 128}


def noise(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(7).standard_normal((count, 3, side, side)).astype(np.float32)


@pytest.mark.parametrize("name", list(SIDES))
def test_an_embedder_takes_any_batch_and_a_batch_changes_no_numbers(
    models_dir: Path, name: ModelName
):
    session = ModelStore(models_dir, 1).session(name)
    chips = noise(3, SIDES[name])

    (together,) = session.run(chips)
    apart = np.concatenate([session.run(chips[i : i + 1])[0] for i in range(3)])

    assert together.shape == (3, DIMENSIONS[name])
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_centerface_takes_any_sides_that_are_multiples_of_32(models_dir: Path):
    session = ModelStore(models_dir, 1).session(ModelName.CENTERFACE)

    outputs = session.run(np.zeros((2, 3, 64, 96), np.float32))

    assert [output.shape for output in outputs] == [
        (2, channels, 16, 24) for channels in (1, 2, 2, 10)
    ]


def test_a_missing_file_says_how_to_build_it(tmp_path: Path):
    store = ModelStore(tmp_path, 1)

    with pytest.raises(ModelUnavailable, match="run: consentry models build"):
        store.session(ModelName.MFN192)


def test_a_file_with_one_changed_byte_is_not_loaded(models_dir: Path, tmp_path: Path):
    file_name = MODEL_FILES[ModelName.SFACE].file_name
    changed = bytearray((models_dir / file_name).read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / file_name).write_bytes(changed)

    with pytest.raises(ModelUnavailable, match=r"SHA-256 differs.*run: consentry models build"):
        ModelStore(tmp_path, 1).session(ModelName.SFACE)


def test_a_file_that_cannot_be_read_is_a_named_error(tmp_path: Path):
    (tmp_path / MODEL_FILES[ModelName.SFACE].file_name).mkdir()

    with pytest.raises(ModelUnavailable, match="cannot be read"):
        ModelStore(tmp_path, 1).session(ModelName.SFACE)


def test_threads_that_ask_at_once_get_one_session(models_dir: Path):
    store = ModelStore(models_dir, 1)

    with ThreadPoolExecutor(8) as pool:
        sessions = set(pool.map(lambda _: id(store.session(ModelName.MFN192)), range(8)))

    assert len(sessions) == 1


def test_a_store_without_threads_is_refused(models_dir: Path):
    with pytest.raises(ValueError, match="one thread or more"):
        ModelStore(models_dir, 0)


def test_loading_and_running_says_nothing(models_dir: Path, capfd: pytest.CaptureFixture[str]):
    ModelStore(models_dir, 1).session(ModelName.CENTERFACE).run(
        np.zeros((1, 3, 64, 64), np.float32)
    )

    assert capfd.readouterr() == ("", "")


def test_importing_the_room_does_not_load_the_runtime():
    code = "import sys, consentry.inference.sessions, consentry.inference.build; sys.exit('onnxruntime' in sys.modules or 'onnx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_runtime_reports_to_nobody(models_dir: Path, tmp_path: Path):
    """It would begin with an identifier and a queue of events in the home folder."""
    # Under CI, and where a developer has opted out, it is quiet by itself.
    quiet = {"CI", "GITHUB_ACTIONS", "TF_BUILD"}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in quiet and not name.startswith(("ORT_", "XDG_", "PYTEST_"))
    }
    code = (
        "import os, pathlib, numpy as np\n"
        "from consentry.inference.sessions import ModelStore\n"
        f"session = ModelStore(pathlib.Path({str(models_dir)!r}), 1).session('centerface')\n"
        "session.run(np.zeros((1, 3, 64, 64), np.float32))\n"
    )

    subprocess.run(
        [sys.executable, "-c", code], env={**environment, "HOME": str(tmp_path)}, check=True
    )

    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_each_keeps_the_order_whoever_takes_which_item(tmp_path: Path, threads: int):
    store = ModelStore(tmp_path, threads)

    assert store.each(lambda item: item * item, range(40)) == [i * i for i in range(40)]
    assert store.each(abs, ()) == []


def test_each_goes_on_at_once_on_as_many_threads_as_are_given(tmp_path: Path):
    store = ModelStore(tmp_path, 3)
    together = Barrier(3)

    # Each waits for the two others: were they run one after the other, the barrier would break.
    places = store.each(lambda _: together.wait(timeout=30), range(3))

    assert sorted(places) == [0, 1, 2]


def test_each_within_each_waits_for_no_free_thread(tmp_path: Path):
    store = ModelStore(tmp_path, 2)

    def outer(item: int) -> list[int]:
        return store.each(lambda inner: item * inner, range(5))

    with ThreadPoolExecutor(8) as callers:
        results = list(callers.map(lambda _: store.each(outer, range(6)), range(8)))

    assert results == [[[i * j for j in range(5)] for i in range(6)]] * 8


def test_each_raises_what_an_item_raised(tmp_path: Path):
    store = ModelStore(tmp_path, 2)

    def fail_at_three(item: int) -> int:
        if item == 3:
            raise ModelUnavailable("the fourth")
        return item

    with pytest.raises(ModelUnavailable, match="the fourth"):
        store.each(fail_at_three, range(6))
    assert store.each(abs, range(3)) == [0, 1, 2]


def grown_mib(models_dir: Path, *runs: tuple[ModelName, tuple[int, ...]]) -> float:
    """By how much a fresh process has grown after the last of the runs, each in a store of its own."""
    program = """
import sys
from pathlib import Path
import numpy as np
from consentry.inference.sessions import ModelStore
from consentry.inference.registry import ModelName

folder, *runs = sys.argv[1:]
sessions = [ModelStore(Path(folder), 1).session(ModelName(run.split(":")[0])) for run in runs]
for session, run in zip(sessions, runs):
    inputs = np.zeros([int(side) for side in run.split(":")[1].split(",")], np.float32)
    before = int(Path("/proc/self/statm").read_text().split()[1])
    session.run(inputs)
print((int(Path("/proc/self/statm").read_text().split()[1]) - before) * 4096 / 2**20)
"""
    asked = [f"{name.value}:{','.join(map(str, shape))}" for name, shape in runs]
    command = [sys.executable, "-c", program, str(models_dir), *asked]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads its memory from /proc")
PHOTO = (ModelName.YUNET, (1, 3, 1024, 1024))


@LINUX
def test_a_network_runs_in_the_memory_that_another_has_used(models_dir: Path):
    assert grown_mib(models_dir, PHOTO, PHOTO) < 30 < grown_mib(models_dir, PHOTO)


@LINUX
def test_what_a_large_run_took_is_given_back(models_dir: Path):
    assert grown_mib(models_dir, (ModelName.OCR_LINES, (1, 3, 960, 960))) < 120
