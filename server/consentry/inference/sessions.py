"""Loads model files and runs them. ONNX Runtime is known here and nowhere else."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from consentry.inference.registry import MODEL_FILES, ModelFile, ModelName
from consentry.kernel.errors import ModelUnavailable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

Floats = npt.NDArray[np.float32]
Tokens = npt.NDArray[np.int64]

_BUILD = "run: consentry models build"
_INPUT = "input"
_ERRORS_ONLY = 3
# The arena keeps its memory from run to run, which is faster; after a run on more values than this
# it gives back what it does not need. These took 60 to 100 MiB; with others that is a picture of a
# megapixel.
_LARGE_INPUT = 3 * 1024 * 1024
_LARGE_INPUTS = {
    ModelName.OCR_LINES: 768 * 1024,
    ModelName.OCR_TEXT: 256 * 1024,
    ModelName.SFACE: 768 * 1024,
}


class Session:
    """One loaded network. Any number of threads may run it at once."""

    def __init__(self, session: InferenceSession, give_back: RunOptions, large: int) -> None:
        self._session = session
        self._give_back = give_back
        self._large = large

    def run(self, inputs: Floats | Tokens) -> list[Floats]:
        """Run the network on one batch.

        Args:
            inputs: Pictures, shape ``(n, 3, height, width)``, float32; or tokens, shape ``(n,)``,
                int64: as the model's card says.

        Returns:
            Its outputs in the order of the model's card, each of batch ``n``.
        """
        options = self._give_back if inputs.size > self._large else None
        outputs: list[Floats] = self._session.run(None, {_INPUT: inputs}, options)
        return outputs


class ModelStore:
    """The models folder. Each network is loaded once, when first asked for.

    A run takes one thread: our networks are small, and two threads in one of them cost half as much
    again as one. What does not depend on each other runs at once instead (`each`).

    Thread-safe: ``_lock`` guards ``_sessions``, so that two threads never load one file twice.

    Args:
        models_dir: The folder that ``build_models`` fills.
        threads: How many runs of one caller may go on at once, at least 1. All callers together
            share ``threads - 1`` threads beside their own.
    """

    def __init__(self, models_dir: Path, threads: int) -> None:
        if threads < 1:
            raise ValueError("networks run on one thread or more")
        self._models_dir = models_dir
        self._beside = (
            ThreadPoolExecutor(threads - 1, thread_name_prefix="networks") if threads > 1 else None
        )
        self._sessions: dict[ModelName, Session] = {}
        self._lock = Lock()

    def session(self, name: ModelName) -> Session:
        """Return the network by that name, loading and verifying its file the first time.

        Raises:
            ModelUnavailable: If the file is missing, cannot be read, or is not the pinned one.
        """
        with self._lock:
            session = self._sessions.get(name)
            if session is None:
                session = _load(
                    self._read(MODEL_FILES[name]), _LARGE_INPUTS.get(name, _LARGE_INPUT)
                )
                self._sessions[name] = session
            return session

    def file(self, name: ModelName) -> bytes:
        """Return a file as it is, verified: a vocabulary, or a network to build on. It is read anew each time.

        Raises:
            ModelUnavailable: If it is missing, cannot be read, or is not the pinned one.
        """
        return self._read(MODEL_FILES[name])

    def each(self, run: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
        """Return what ``run`` makes of each item, in their order; as many at once as threads are free.

        The caller's thread takes what no other has begun, so nobody ever waits for a free thread.

        Raises:
            Exception: What ``run`` raises; the items that were not begun are then left.
        """
        if self._beside is None or len(items) < 2:  # noqa: PLR2004 -- nothing to run beside another
            return [run(item) for item in items]
        begun = [self._beside.submit(run, item) for item in items]
        try:
            own = {
                i: run(items[i]) for i in (0, *range(len(items) - 1, 0, -1)) if begun[i].cancel()
            }
            return [own[i] if i in own else future.result() for i, future in enumerate(begun)]
        finally:
            for future in begun:
                future.cancel()

    def _read(self, model: ModelFile) -> bytes:
        try:
            data = (self._models_dir / model.file_name).read_bytes()
        except FileNotFoundError as cause:
            raise ModelUnavailable(f"the model {model.name} is not built yet; {_BUILD}") from cause
        except OSError as cause:
            raise ModelUnavailable(
                f"the model {model.name} cannot be read ({cause.strerror}): mend its permissions, "
                f"or {_BUILD}"
            ) from cause
        # What is hashed is what is loaded: the file is not opened a second time.
        if hashlib.sha256(data).hexdigest() != model.sha256:
            raise ModelUnavailable(
                f"the file of the model {model.name} is not the pinned one (SHA-256 differs), "
                f"so it is not loaded; {_BUILD}"
            )
        return data


def _load(data: bytes, large: int) -> Session:
    session = open_session(data)
    import onnxruntime

    give_back = onnxruntime.RunOptions()
    give_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return Session(session, give_back, large)


def open_session(data: bytes) -> InferenceSession:
    """Load a graph into ONNX Runtime, set up as every one here is."""
    # Since 1.29 the runtime reports its use to its maker, from the moment of its import: it keeps an
    # identifier of the device and a queue of events in the cache folder, and sends them. Builds for
    # Linux and macOS heed this variable only, which the library reads by itself; those for Windows
    # heed the call below.
    os.putenv("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Patterns are planned for one size of picture and kept; pictures come in every size.
    options.enable_mem_pattern = False
    # One arena for all networks: what one has used the next one uses again. With an arena each,
    # every network keeps the room of the largest picture that it ever saw.
    _share_arena()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # Weights stay as long as their network: in the arena they would hold back what it can give.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


@cache
def _share_arena() -> None:
    """Make the arena of this process, the first time."""
    import onnxruntime

    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    by_default = onnxruntime.OrtArenaCfg(0, -1, -1, -1)
    onnxruntime.create_and_register_allocator(place, by_default)
