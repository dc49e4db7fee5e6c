"""The `face_recognition` package as an engine: what ``CONSENTRY_MODEL=face-recognition`` selects.

HOG detector, dlib's own five-point chips, dlib's ResNet: 128 values. It is here to compare with
and for people who have used it before; the other models err less and run faster
(docs/calibration/). dlib's objects are not thread-safe and the package keeps one of each for the
whole process, so one lock stands before all of it.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from functools import cache
from threading import Lock
from types import ModuleType

import numpy as np
from PIL import Image

from consentry.faces.align import ARCFACE_112, fit
from consentry.faces.curve import OperatingCurve, measured_curve
from consentry.faces.detect import DetectedFace, Landmarks, Point
from consentry.faces.pipeline import Face
from consentry.faces.quality import assess, is_identifiable
from consentry.kernel.biometrics import Box, Embedding, Pixels, as_embedding, as_pixels
from consentry.kernel.errors import ModelUnavailable
from consentry.kernel.ids import ModelId

_MODEL_ID = ModelId("face-recognition@1.3")
_DIMENSION = 128
_PREPROCESSING = "face_recognition 1.3: hog, 5 points, jitters 1; normalised"
# The HOG detector's time grows with the area, and it holds the lock.
_SIDE_PX = 1280
_THOROUGH_SIDE_PX = 1920

_PROCESS_LOCK = Lock()
"""Guards every call into face_recognition and dlib."""

_Sides = tuple[int, int, int, int]  # top, right, bottom, left


class ReferencePipeline:
    """`face_recognition` with the interface of `FacePipeline`. Threads wait for one another."""

    @property
    def model_id(self) -> ModelId:
        """The model that the embeddings belong to."""
        return _MODEL_ID

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return _DIMENSION

    @property
    def preprocessing_hash(self) -> str:
        """SHA-256, hexadecimal, over what is chosen between the pixels and an embedding."""
        return hashlib.sha256(_PREPROCESSING.encode()).hexdigest()

    @property
    def operating_curve(self) -> OperatingCurve:
        """What was measured for the model."""
        return measured_curve(_MODEL_ID)

    def detect(self, pixels: Pixels, *, thorough: bool) -> tuple[DetectedFace, ...]:
        """Find every face, largest first. See `FacePipeline`.

        The detector gives no score, so each face has 1; ``thorough`` looks at a larger picture.
        """
        small, scale = _shrunk(pixels, _THOROUGH_SIDE_PX if thorough else _SIDE_PX)
        with _PROCESS_LOCK:
            package = engine()
            places: list[_Sides] = package.face_locations(small, number_of_times_to_upsample=1)
            places.sort(key=lambda place: -(place[2] - place[0]) * (place[1] - place[3]))
            shapes: list[dict[str, list[Point]]] = package.face_landmarks(small, places, "small")
        return tuple(
            _face(place, shape, scale) for place, shape in zip(places, shapes, strict=True)
        )

    def describe(
        self,
        pixels: Pixels,
        found: Sequence[DetectedFace],
        *,
        mirrored: bool = True,  # noqa: ARG002 -- the library looks once
    ) -> tuple[Face, ...]:
        """Judge and embed faces that `detect` found. See `FacePipeline`."""
        small, scale = _shrunk(pixels, _THOROUGH_SIDE_PX)
        places = [_sides(face.box, scale) for face in found]
        with _PROCESS_LOCK:
            encodings = engine().face_encodings(small, places) if places else []
        return tuple(
            Face(
                box=face.box,
                landmarks=face.landmarks,
                score=face.score,
                quality=assess(pixels, face),
                embedding=_normalised(encoding) if is_identifiable(face.landmarks) else None,
            )
            for face, encoding in zip(found, encodings, strict=True)
        )

    def observe(self, pixels: Pixels, *, thorough: bool) -> tuple[Face, ...]:
        """Find, judge and embed every face, largest first. See `FacePipeline`."""
        return self.describe(pixels, self.detect(pixels, thorough=thorough))


def _shrunk(pixels: Pixels, side: int) -> tuple[Pixels, float]:
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale == 1:
        return pixels, scale
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR)
    return as_pixels(np.asarray(small)), scale


def _sides(box: Box, scale: float) -> _Sides:
    sides = (box.y, box.x + box.w, box.y + box.h, box.x)
    top, right, bottom, left = (round(side * scale) for side in sides)
    return top, right, bottom, left


def _face(place: _Sides, shape: dict[str, list[Point]], scale: float) -> DetectedFace:
    """Make a face of the package's five points: corners of the eyes, and the foot of the nose.

    The corners of the mouth are where they lie in an average face with such eyes. The package also
    finds 68 points, but from a file whose training data excludes commercial use.
    """
    top, right, bottom, left = (side / scale for side in place)
    eyes = (_middle(shape["left_eye"], scale), _middle(shape["right_eye"], scale))
    nose = _middle(shape["nose_tip"], scale)
    first, second = sorted(eyes)
    average = ARCFACE_112.points
    from_average = fit(average[:2], (first, second))
    landmarks: Landmarks = (first, second, nose, from_average(average[3]), from_average(average[4]))
    return DetectedFace(Box(left, top, right - left, bottom - top), landmarks, 1.0)


def _middle(points: list[Point], scale: float) -> Point:
    return (
        sum(x for x, _ in points) / len(points) / scale,
        sum(y for _, y in points) / len(points) / scale,
    )


def _normalised(encoding: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Embedding:
    return as_embedding((encoding / np.linalg.norm(encoding)).astype(np.float32))


@cache
def engine() -> ModuleType:
    """Import the package when it is first needed: it loads 130 MB of models at once.

    Not for use outside this module but by tests and benchmarks: whoever calls into it holds the lock.

    Raises:
        ModelUnavailable: If it is not installed, or gives up while it is imported.
    """
    with warnings.catch_warnings():
        # face_recognition_models imports pkg_resources, which warns that it will go one day.
        warnings.simplefilter("ignore")
        try:
            import face_recognition
        except ImportError as cause:
            raise _unavailable() from cause
        except SystemExit as cause:
            # What the package does when face_recognition_models cannot be imported.
            raise _unavailable() from cause
    module: ModuleType = face_recognition
    return module


def _unavailable() -> ModelUnavailable:
    return ModelUnavailable(
        "the face-recognition engine is not installed here. Install what requirements/run.lock "
        "pins (`make run` does), or choose another model with CONSENTRY_MODEL"
    )
