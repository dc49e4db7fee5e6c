"""What was seen: the evidence that a decision is made from. No pixels, no scores, no embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consentry.kernel.ids import SubjectId


class MatchLevel(StrEnum):
    """Which of a model's three operating points a similarity reached."""

    POSSIBLE = "possible"
    MATCH = "match"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True)
class SubjectMatch:
    """A face is like an enrolled subject's."""

    subject: SubjectId
    level: MatchLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFinding:
    """One face in one picture.

    Attributes:
        identifiable: Whether it is large and clear enough to be searched for. A face that is not
            has no matches.
        matches: Every subject that it is like; strongest first.
    """

    identifiable: bool
    matches: tuple[SubjectMatch, ...] = ()


class PersonPresence(StrEnum):
    """What the person detector says.

    `UNKNOWN` when it was not asked, or is not installed: then a picture cannot be cleared of a person.
    """

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFinding:
    """One picture, whichever role it plays: input, mask, reference, frame.

    Attributes:
        readable: Whether it could be decoded.
        faces_checked: False when the face detector was unavailable; then `faces` says nothing.
        faces: Every face that was found, drawn or photographed.
        person: Whether a person is in it, with or without a face.
    """

    readable: bool
    faces_checked: bool
    faces: tuple[FaceFinding, ...]
    person: PersonPresence


class SearchState(StrEnum):
    """How far the search for enrolled subjects got."""

    NOT_SEARCHED = "not_searched"
    COMPLETE = "complete"
    EMPTY_GALLERY = "empty_gallery"
    LOCKED = "locked"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class NamesState(StrEnum):
    """Whether the words were compared with the protected names."""

    CHECKED = "checked"
    """Compared, or there are none."""
    LOCKED = "locked"
    """There are some, but they are sealed: the vault is locked."""
    FAILED = "failed"
    """They could not be read, or nobody can say whether there are any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All pictures and words of one check, and the search over the faces.

    Attributes:
        images: One for each picture.
        search: How far the search over their faces got.
        named: Enrolled subjects whose protected name is in the words.
        names: Whether the words were compared with the protected names.
        intent_read: False when nobody can say what the words ask for, because the engine failed.
        consents_read: False when grants, tokens or contests could not be read; then nobody can say
            who has agreed to what, nor whose identity is in doubt.
        token_fails: A token was shown that does not hold for this check.
    """

    images: tuple[ImageFinding, ...]
    search: SearchState
    named: tuple[SubjectId, ...] = ()
    names: NamesState = NamesState.CHECKED
    intent_read: bool = True
    consents_read: bool = True
    token_fails: bool = False
