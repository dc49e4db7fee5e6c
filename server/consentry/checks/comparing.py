"""Results beside what they were made from: more exposed? the same faces? No verdict and no search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from consentry.checks.pictures import Picture
from consentry.checks.ports import ExposureReader
from consentry.checks.search import MATCH_FPIR
from consentry.consent.findings import FaceFinding, MatchLevel
from consentry.consent.output import Exposure
from consentry.faces.curve import OperatingCurve
from consentry.imagery.exposure import RISE
from consentry.kernel.biometrics import Embedding, similarity
from consentry.kernel.errors import OperatorError


@dataclass(slots=True)
class Comparison:
    """One set of results and their inputs. Lives as long as one check, in one thread.

    Attributes:
        made: The results.
        reader: Scores exposure, each picture once.
        curve: Says from which similarity on two faces are one person's (1:1).
        inputs: What they were made from. Faces of both have to be described before they are
            compared.
    """

    made: Sequence[Picture]
    reader: ExposureReader
    curve: OperatingCurve
    inputs: Sequence[Picture] = ()
    _scores: dict[int, float | None] = field(default_factory=dict)

    def may_have_risen(self, result: Picture) -> bool:
        """Say whether a result is exposed enough to be a rise at all, or cannot be scored."""
        score = self._score(result)
        return score is None or score >= RISE

    def exposure(self, result: Picture) -> Exposure:
        """Compare a result with its inputs."""
        score = self._score(result)
        if score is None:
            return Exposure.UNKNOWN
        if score < RISE or score - self._before(result) < RISE:
            return Exposure.STEADY
        return Exposure.RISEN

    def newcomers(self, result: Picture, faces: tuple[FaceFinding, ...]) -> tuple[FaceFinding, ...]:
        """Leave out possible matches of faces that an input shows, too: they were judged there.

        An edit moves a face's score a little, and a stranger's may thereby reach the lower point.
        """
        described = [face.embedding for _, face in result.described()]
        if len(described) != len(faces):
            return faces
        return tuple(
            FaceFinding(
                identifiable=finding.identifiable,
                matches=tuple(
                    match
                    for match in finding.matches
                    if match.level is not MatchLevel.POSSIBLE
                    or embedding is None
                    or not any(self._shows(each, embedding) for each in self.inputs)
                ),
            )
            for finding, embedding in zip(faces, described, strict=True)
        )

    def _before(self, result: Picture) -> float:
        """Return how exposed what went in was.

        Of each person in a result by the inputs that show that person: else a nude of somebody
        else, sent along, would excuse one of her. Without a face that can be told, by all inputs.
        """
        faces = _embeddings(result)
        if not faces:
            return self._highest(self.inputs)
        return min(
            self._highest([each for each in self.inputs if self._shows(each, face)])
            for face in faces
        )

    def _highest(self, inputs: Sequence[Picture]) -> float:
        return max((self._score(each) or 0.0 for each in inputs), default=0.0)

    def _shows(self, picture: Picture, face: Embedding) -> bool:
        return any(similarity(face, each) >= self._same for each in _embeddings(picture))

    @property
    def _same(self) -> float:
        before = sum(len(_embeddings(each)) for each in self.inputs)
        after = sum(len(_embeddings(each)) for each in self.made)
        return self.curve.for_identification(MATCH_FPIR, max(1, before * after)).threshold

    def _score(self, picture: Picture) -> float | None:
        """Return the exposure of the most exposed view; None when it could not be told."""
        if id(picture) not in self._scores:
            self._scores[id(picture)] = self._scored(picture)
        return self._scores[id(picture)]

    def _scored(self, picture: Picture) -> float | None:
        if picture.image is None:
            return 0.0  # told as unreadable
        try:
            return max(self.reader.score(view) for view in picture.image.views)
        except OperatorError:
            return None


def _embeddings(picture: Picture) -> list[Embedding]:
    return [face.embedding for _, face in picture.described() if face.embedding is not None]
