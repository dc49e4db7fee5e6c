"""Who is in the pictures: the one search of a check, over all faces of all its pictures (1:N)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from consentry.checks.pictures import Picture
from consentry.checks.ports import FaceReader, Gallery
from consentry.consent.findings import Findings, MatchLevel, SearchState, SubjectMatch
from consentry.enrolment.references import Candidate, GalleryState
from consentry.kernel.biometrics import Embedding
from consentry.kernel.errors import (
    IndexIncomplete,
    NotFound,
    OperatorError,
    VaultAbsent,
    VaultLocked,
)
from consentry.kernel.ids import SubjectId

# The rate of false alarms that one whole check may have, spread over its comparisons. The design
# bounds are 1e-2 and 1e-3. `possible` takes half of its bound: of mated pairs 0.4 % stay below it,
# against 0.3 % at the bound and 0.9 % at a fifth of it (docs/calibration/2026-11/report.md), and
# a person who is missed is worse off than a stranger who is asked about.
_POSSIBLE_FPIR = 5e-3
MATCH_FPIR = 1e-3

Confirm: TypeAlias = Callable[[Sequence[Embedding]], Mapping[SubjectId, Sequence[bool]]]
"""Says of each probe whether it is surely a subject, for those subjects of whom that matters."""


@dataclass(frozen=True, slots=True)
class SearchFaces:
    """Search for the faces of pictures. Stateless; safe to share between threads."""

    faces: FaceReader
    gallery: Gallery

    def __call__(
        self, pictures: Sequence[Picture], confirm: Confirm, *, mirrored: bool
    ) -> Findings:
        """Describe every face and search for it.

        Args:
            pictures: With the faces that were found in them.
            confirm: Asked once for all faces.
            mirrored: Look at each face twice, mirrored as well, where the model does; else once,
                which suffices to tell a person something (docs/calibration/2026-11-probes.md).

        Returns:
            The pictures, with the matches of each face, and how far the search got. It never raises:
            a search that fails is a finding.
        """
        state, answers = SearchState.COMPLETE, {}
        try:
            for picture in pictures:
                picture.describe(self.faces, mirrored=mirrored)
            probes = [
                (picture, place, face.embedding)
                for picture in pictures
                for place, face in picture.described()
                if face.embedding is not None
            ]
            if self.gallery.state() is GalleryState.EMPTY:
                state = SearchState.EMPTY_GALLERY
            elif probes:
                found = self._candidates([embedding for _, _, embedding in probes], confirm)
                answers = {
                    (id(picture), place): matches
                    for (picture, place, _), matches in zip(probes, found, strict=True)
                }
        except (VaultAbsent, VaultLocked):
            state = SearchState.LOCKED
        except IndexIncomplete:
            state = SearchState.INCOMPLETE
        except (OperatorError, NotFound):
            state = SearchState.FAILED
        return Findings(
            images=tuple(
                picture.finding(
                    tuple(answers.get((id(picture), place), ()) for place, _ in picture.described())
                )
                for picture in pictures
            ),
            search=state,
        )

    def _candidates(
        self, probes: Sequence[Embedding], confirm: Confirm
    ) -> list[tuple[SubjectMatch, ...]]:
        self.gallery.refresh()
        comparisons = max(1, self.gallery.size()) * len(probes)
        curve = self.faces.operating_curve
        possible = curve.for_identification(_POSSIBLE_FPIR, comparisons)
        match = curve.for_identification(MATCH_FPIR, comparisons)
        # Beyond what the measured pairs support nobody is called a sure match.
        can_be_sure = comparisons <= curve.most_comparisons(MATCH_FPIR)
        confirmed = confirm(probes)

        def level(place: int, candidate: Candidate) -> MatchLevel:
            if candidate.subject in confirmed and confirmed[candidate.subject][place]:
                return MatchLevel.UNLOCK
            if can_be_sure and candidate.score >= match.threshold:
                return MatchLevel.MATCH
            return MatchLevel.POSSIBLE

        return [
            tuple(SubjectMatch(each.subject, level(place, each)) for each in candidates)
            for place, candidates in enumerate(
                self.gallery.search(probes, min_score=possible.threshold)
            )
        ]
