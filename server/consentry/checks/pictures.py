"""One picture on its way through a check: decoded, looked at, described. No verdict and no search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from consentry.checks.ports import FaceReader, PersonReader
from consentry.consent.findings import (
    FaceFinding,
    ImageFinding,
    PersonPresence,
    SubjectMatch,
)
from consentry.faces.detect import DetectedFace
from consentry.faces.pipeline import Face
from consentry.imagery.decoding import DecodedImage, decode
from consentry.imagery.limits import Limits
from consentry.kernel.errors import ImageError, ImageTooLarge, OperatorError

MAX_FACES = 250
"""Of one view of a picture: a larger crowd takes longer than anybody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReport:
    """What was seen in one picture, for its sender: never who.

    Attributes:
        error: The named reason why it was not read, else None.
        width, height: Pixels, upright; 0 when not read.
        views: Frames and, where there is transparency, their renderings: all were checked.
        faces: Found in the first view that shows the most; for drawing boxes.
    """

    error: ImageError | None
    width: int
    height: int
    views: int
    faces: tuple[DetectedFace, ...]


@dataclass(slots=True)
class Picture:
    """One picture on its way through a check; lives as long as the check, in one thread.

    Attributes:
        image: None when it could not be read; then `error` says why.
        is_checked: False when a detector failed on it.
        person: Whether somebody is in it, as far as that was looked for.
        detected, faces: For each view: where faces are, and what they are like.
    """

    image: DecodedImage | None
    error: ImageError | None
    is_checked: bool = True
    person: PersonPresence = PersonPresence.UNKNOWN
    detected: list[tuple[DetectedFace, ...]] = field(default_factory=list)
    faces: list[tuple[Face, ...]] = field(default_factory=list)

    @classmethod
    def read(cls, data: bytes, limits: Limits) -> Picture:
        """Decode a picture; one that cannot be decoded is a finding, too."""
        try:
            return cls(image=decode(data, limits), error=None)
        except ImageError as error:
            return cls(image=None, error=error)

    def detect(self, reader: FaceReader, *, thorough: bool) -> None:
        """Find the faces of every view."""
        if self.image is None:
            return
        try:
            self.detected = [reader.detect(view, thorough=thorough) for view in self.image.views]
            self._require_few_faces()
        except OperatorError:
            self.is_checked = False

    def look_for_person(self, reader: PersonReader, *, thorough: bool) -> None:
        """Find out whether somebody is in it, where no face has said so already."""
        if self.image is None or not self.is_checked or any(self.detected):
            return  # a face, or what could not be examined, counts as a person already
        try:
            is_present = any(reader.presence(view, thorough=thorough) for view in self.image.views)
        except OperatorError:
            return  # stays unknown, which counts as a person, too
        self.person = PersonPresence.PRESENT if is_present else PersonPresence.ABSENT

    def _require_few_faces(self) -> None:
        if max(len(found) for found in self.detected) > MAX_FACES:
            # As unreadable as a picture with too many pixels: nothing in it passes unexamined.
            self.image, self.detected = None, []
            self.error = ImageTooLarge(
                f"There are more than {MAX_FACES} faces in the picture. Check it in parts."
            )

    def face_count(self) -> int:
        """Return the faces of all views: each is searched for, and each frame may show another."""
        return sum(len(found) for found in self.detected)

    def describe(self, reader: FaceReader, *, mirrored: bool) -> None:
        """Embed the faces that were found; ``mirrored`` as `FaceReader.describe` has it.

        Raises:
            OperatorError: If that fails.
        """
        if self.image is not None and self.is_checked:
            self.faces = [
                reader.describe(view, found, mirrored=mirrored)
                for view, found in zip(self.image.views, self.detected, strict=True)
            ]

    def described(self) -> list[tuple[tuple[int, int], Face]]:
        """Return each face with the numbers of its view and of itself in it."""
        return [((v, f), face) for v, view in enumerate(self.faces) for f, face in enumerate(view)]

    def finding(self, matches: Sequence[tuple[SubjectMatch, ...]]) -> ImageFinding:
        """Return the evidence.

        Args:
            matches: For each of `described`, in order; empty when nobody was searched for.
        """
        if self.faces:
            found = tuple(
                FaceFinding(
                    identifiable=face.embedding is not None, matches=matches[i] if matches else ()
                )
                for i, (_, face) in enumerate(self.described())
            )
        else:
            found = tuple(
                FaceFinding(identifiable=True, matches=()) for view in self.detected for _ in view
            )
        return ImageFinding(
            readable=self.image is not None,
            faces=found,
            person=self.person,
            faces_checked=self.is_checked,
        )

    def report(self) -> ImageReport:
        """Return what its sender may know."""
        return ImageReport(
            error=self.error,
            width=0 if self.image is None else self.image.width,
            height=0 if self.image is None else self.image.height,
            views=0 if self.image is None else len(self.image.views),
            faces=max(self.detected, key=len, default=()),
        )
