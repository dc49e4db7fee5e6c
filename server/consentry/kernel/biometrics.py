"""Value types for pictures and faces. Plaintext biometrics cannot be stored by type: storage takes `SealedTemplate`."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NewType

import numpy as np
import numpy.typing as npt

Pixels = NewType("Pixels", npt.NDArray[np.uint8])
"""Shape ``(height, width, 3)``, uint8, RGB, origin top-left, C-contiguous."""

Embedding = NewType("Embedding", npt.NDArray[np.float32])
"""Shape ``(d,)``, float32, L2 norm 1. Personal data: never log, never send, never store unsealed."""

SealedTemplate = NewType("SealedTemplate", bytes)
"""An embedding in its sealed form (docs/specs/sealed-template.md): the only form that storage may hold."""

_NORM_TOLERANCE = 1e-3
_COLOUR_CHANNELS = 3
_IMAGE_DIMENSIONS = 3


def as_pixels(array: npt.NDArray[np.uint8]) -> Pixels:
    """Check shape and type of decoded pixels, and make them contiguous.

    Raises:
        ValueError: If the array is not ``(height, width, 3)`` uint8 with at least one pixel.
    """
    if array.dtype != np.uint8 or array.ndim != _IMAGE_DIMENSIONS:
        raise ValueError(f"pixels are (height, width, 3) uint8, not {array.shape} {array.dtype}")
    if array.shape[2] != _COLOUR_CHANNELS or 0 in array.shape:
        raise ValueError(f"pixels are (height, width, 3) uint8, not {array.shape}")
    return Pixels(np.ascontiguousarray(array))


def as_embedding(array: npt.NDArray[np.float32]) -> Embedding:
    """Check shape, type and norm of an embedding.

    Raises:
        ValueError: If the array is not ``(d,)`` float32 with L2 norm 1. The message holds no value of it.
    """
    if array.dtype != np.float32 or array.ndim != 1 or array.size == 0:
        raise ValueError(f"an embedding is (d,) float32, not {array.shape} {array.dtype}")
    norm = float(np.linalg.norm(array))
    if not abs(norm - 1.0) <= _NORM_TOLERANCE:
        raise ValueError("an embedding has L2 norm 1")
    return Embedding(np.ascontiguousarray(array))


def has_unit_rows(matrix: npt.NDArray[np.float32]) -> bool:
    """Say whether each row, shape ``(n, d)``, is finite and of L2 norm 1."""
    exact = matrix.astype(np.float64)
    squares = np.vecdot(exact, exact)
    # Not a number, and infinity, fail here too: no comparison with them holds.
    shortest, longest = sqrt(squares.min(initial=1.0)), sqrt(squares.max(initial=1.0))
    return shortest >= 1.0 - _NORM_TOLERANCE and longest <= 1.0 + _NORM_TOLERANCE


def similarity(probe: Embedding, reference: Embedding) -> float:
    """Compare a probe with one enrolled reference (1:1 comparison).

    Args:
        probe: Shape ``(d,)``, float32, L2 norm 1.
        reference: Same shape, dtype and norm as ``probe``.

    Returns:
        Cosine similarity in [-1, 1]. Symmetric in its arguments.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> e = as_embedding(np.array([0.6, 0.8], dtype=np.float32))
        >>> round(similarity(e, e), 6)
        1.0
    """
    if probe.shape != reference.shape:
        raise ValueError("embeddings of different models are never compared")
    return float(np.clip(np.dot(probe, reference), -1.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """A threshold together with the error rates that justify it.

    Attributes:
        threshold: Declare a match when similarity >= threshold.
        fmr: False match rate measured at ``threshold`` (fraction, not percent).
        fnmr: False non-match rate measured at ``threshold``.
        model: Identifier of the embedding model the rates were measured on.
        source: Where the measurement lives, e.g. ``docs/calibration/2026-11/report.md``.
    """

    threshold: float
    fmr: float
    fnmr: float
    model: str
    source: str


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, origin top-left. May reach beyond the picture where a face is cut off."""

    x: float
    y: float
    w: float
    h: float
