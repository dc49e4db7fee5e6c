"""Becoming a protected subject.

    photo --decode--> pixels --faces--> one clear face --quality gate--> embedding --seal--> store --> gallery

All photos of one call are of one person, and go in together or not at all.
"""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from consentry.enrolment.people import People
from consentry.enrolment.ports import NewTemplate, StoredSubject, SubjectStore
from consentry.enrolment.references import ReferenceGallery
from consentry.faces.curve import OperatingCurve
from consentry.faces.pipeline import Face
from consentry.faces.quality import PLAIN_WORDS
from consentry.imagery.decoding import decode
from consentry.imagery.limits import Limits
from consentry.kernel.biometrics import Embedding, Pixels, similarity
from consentry.kernel.clock import Clock
from consentry.kernel.errors import (
    BadRequest,
    CallerError,
    Conflict,
    DifferentFaces,
    NoFaceFound,
    QualityTooLow,
    SeveralFacesFound,
)
from consentry.kernel.ids import (
    ModelId,
    Random,
    SubjectId,
    TemplateId,
    new_subject_id,
    new_template_id,
)
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.vault.custody import Custody
from consentry.vault.envelope import seal_template, seal_text
from consentry.vault.keys import DataKey, WrappedKey
from consentry.vault.passphrase import Passphrase

MAX_PHOTOS = 12
MAX_NAME_CHARS = 80
# Whose portrait is it? The largest face's, if it is this many times larger than any other, or at
# least this many times and alone in the middle of the photo. Of 300 news portraits of one person
# 45 show others too; these rules leave 2 in doubt.
_DOMINANCE = 3.0
_DOMINANCE_IN_THE_MIDDLE = 1.3
# Of the worst thing that is measured (consentry.faces.quality), 0 useless to 1 good.
_MIN_QUALITY = 0.2
# Two photos of one person fall below this point once in many pairs; five photos are ten pairs.
_SAME_PERSON_FMR = 1e-2


class FaceReader(Protocol):
    """What enrolment asks of a face pipeline (`consentry.faces.pipeline.FacePipeline`)."""

    @property
    def model_id(self) -> ModelId:
        """The embedding model."""

    @property
    def operating_curve(self) -> OperatingCurve:
        """Measured error rates of the model."""

    def observe(self, pixels: Pixels, *, thorough: bool) -> tuple[Face, ...]:
        """Find and describe every face, largest first."""


class FirstPassphrases(Protocol):
    """What enrolment asks of `consentry.enrolment.passphrases.OwnPassphrases`."""

    def sealed(self, subject: SubjectId, key: DataKey, first: Passphrase) -> bytes:
        """Return what is stored of the first passphrase of somebody who is just being enrolled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What an enrolment led to.

    Attributes:
        subject: Whose it is.
        name: The display name, as it was normalised.
        templates: Sealed in this call.
        total_templates: Sealed of her in all, of this model.
        is_new: False when photos were added to somebody already enrolled.
    """

    subject: SubjectId
    name: str
    templates: tuple[TemplateId, ...]
    total_templates: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class EnrolSubject:
    """Enrol a person from photos of her, or add photos to somebody enrolled under that name.

    ``turn`` is a lock that key rotation takes too: a key must not be wrapped under an epoch that is
    being retired, and of two enrolments under one new name the second adds to the first.
    """

    faces: FaceReader
    own: FirstPassphrases
    store: SubjectStore
    custody: Custody
    people: People
    gallery: ReferenceGallery
    limits: Limits
    clock: Clock
    turn: AbstractContextManager[object]
    random: Random = os.urandom

    def __call__(
        self,
        photos: Sequence[bytes],
        *,
        name: str,
        policy: SubjectPolicy | None,
        own_passphrase: Passphrase | None = None,
    ) -> Enrolled:
        """Enrol from one to `MAX_PHOTOS` photos of one person.

        When this returns, the very next search finds her.

        Args:
            photos: Encoded image files.
            name: Display name, sealed; somebody enrolled under the same name gets the photos added.
            policy: What she protects; None for the default (a newcomer: every edit; else as it was).
            own_passphrase: That she sets for herself, who sits there: who shares a home can have
                one only from now on (docs/adr/0038).

        Raises:
            BadRequest: If there is no photo, there are too many, or the name is empty or too long.
            WeakPassphrase: If her own passphrase protects nothing.
            Conflict: If the name is taken and ``policy`` is not what was chosen then, or a first
                passphrase is given, or she was enrolled with another model, so nobody can tell
                whether the photos show her.
            ImageError: If a photo is not read.
            EnrolmentError: If a photo has no clear face, several, a poor one, or another person's.
            VaultAbsent, VaultLocked: If there is no key to seal with.
            StorageFull: If the disk is full. Nothing was kept, as with every other error.
        """
        name = _checked_name(name)
        if not 1 <= len(photos) <= MAX_PHOTOS:
            raise BadRequest(
                f"Enrolment takes 1 to {MAX_PHOTOS} photos of one person; {len(photos)} were given."
            )
        if own_passphrase is not None:
            own_passphrase.require_strong()
        self.custody.keys()  # locked is told before the photos are worked on
        references = self._references(photos)
        with self.turn:
            known = self.people.by_name(name)
            if known is None:
                subject, templates = self._add(
                    references, name, policy or SubjectPolicy.EVERY_EDIT, own_passphrase
                )
            elif own_passphrase is not None:
                raise Conflict(
                    "Somebody is enrolled under that name already. A passphrase of her own comes "
                    "with the first photos, not with more of them."
                )
            else:
                subject, templates = self._extend(known, references, policy)
        self.gallery.refresh()
        return Enrolled(
            subject=subject,
            name=name,
            templates=tuple(each.template for each in templates),
            total_templates=self.store.template_counts().get((subject, self.faces.model_id), 0),
            is_new=known is None,
        )

    def _add(
        self,
        references: Sequence[Embedding],
        name: str,
        policy: SubjectPolicy,
        own: Passphrase | None,
    ) -> tuple[SubjectId, list[NewTemplate]]:
        key, wrapped = self.custody.keys().new_subject_key(self.random)
        subject = new_subject_id(self.random)
        templates = self._seal(references, key, subject)
        sealed_name = seal_text(name, key=key, subject=subject, label="name", random=self.random)
        self.store.add_subject(
            StoredSubject(
                subject=subject,
                wrapped_key=wrapped,
                sealed_name=sealed_name,
                policy=policy,
                enrolled_at=self.clock.now(),
                own_passphrase=None if own is None else self.own.sealed(subject, key, own),
            ),
            templates,
        )
        return subject, templates

    def _extend(
        self, known: StoredSubject, references: Sequence[Embedding], policy: SubjectPolicy | None
    ) -> tuple[SubjectId, list[NewTemplate]]:
        if policy not in {None, known.policy}:
            raise Conflict(
                "Somebody is enrolled under that name already, with another choice of what to "
                "protect. Leave the choice out to add photos, or revoke and enrol again to change it."
            )
        self._require_same_person(known.subject, references)
        key = self.custody.keys().open_subject_key(WrappedKey(known.wrapped_key))
        templates = self._seal(references, key, known.subject)
        self.store.add_templates(known.subject, templates)
        return known.subject, templates

    def _references(self, photos: Sequence[bytes]) -> list[Embedding]:
        references: list[Embedding] = []
        for number, photo in enumerate(photos, start=1):
            try:
                references.append(self._reference(photo))
            except CallerError as cause:
                # Which photo it was is what the person needs to mend it.
                if len(photos) > 1:
                    cause.args = (f"Photo {number} of {len(photos)}: {cause}",)
                raise
        alike = self.faces.operating_curve.at_fmr(_SAME_PERSON_FMR).threshold
        for number, reference in enumerate(references[1:], start=2):
            if max(similarity(reference, earlier) for earlier in references[: number - 1]) < alike:
                raise DifferentFaces(
                    f"Photo {number} does not look like the same person as the photos before it. Enrol one person at "
                    "a time, and leave out photos in which you can hardly be recognised."
                )
        return references

    def _reference(self, photo: bytes) -> Embedding:
        image = decode(photo, self.limits)
        faces = self.faces.observe(image.views[0], thorough=False)
        if not faces:
            # Only now: a photo on its side is usual, but turned candidates cost four times as much.
            faces = self.faces.observe(image.views[0], thorough=True)
        face = _portrayed(faces, image.views[0])
        if face.embedding is None or face.quality.score < _MIN_QUALITY:
            words = " ".join(PLAIN_WORDS[issue] for issue in face.quality.issues)
            raise QualityTooLow(
                f"The face is not clear enough to protect you reliably. {words}",
                issues=tuple(face.quality.issues),
            )
        return face.embedding

    def _require_same_person(self, subject: SubjectId, references: Sequence[Embedding]) -> None:
        if not self.store.template_counts().get((subject, self.faces.model_id)):
            raise Conflict(
                "Somebody is enrolled under that name already, with another model, and photos cannot be compared "
                "across models. Start with that model (CONSENTRY_MODEL), or revoke the earlier enrolment first."
            )
        alike = self.faces.operating_curve.at_fmr(_SAME_PERSON_FMR).threshold
        found = self.gallery.search(references, min_score=alike)
        if not any(candidate.subject == subject for each in found for candidate in each):
            raise DifferentFaces(
                "Somebody is enrolled under that name already, and these photos do not look like the same person. "
                "Choose another name, or revoke the earlier enrolment first."
            )

    def _seal(
        self, references: Sequence[Embedding], key: DataKey, subject: SubjectId
    ) -> list[NewTemplate]:
        sealed: list[NewTemplate] = []
        for reference in references:
            template = new_template_id(self.random)
            model = self.faces.model_id
            sealed.append(
                NewTemplate(
                    template=template,
                    model=model,
                    sealed=seal_template(
                        reference,
                        key=key,
                        subject=subject,
                        template=template,
                        model=model,
                        random=self.random,
                    ),
                )
            )
        return sealed


def _checked_name(name: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise BadRequest(f"A name has 1 to {MAX_NAME_CHARS} printable characters.")
    return name


def _portrayed(faces: Sequence[Face], pixels: Pixels) -> Face:
    """Return the face that the photo is a portrait of.

    Raises:
        NoFaceFound: If there is none.
        SeveralFacesFound: If it could be either of two.
    """
    if not faces:
        raise NoFaceFound(
            "No face was found. Use a photo in which your face is at least a hand wide, upright "
            "and lit from the front."
        )
    first, *others = faces
    lead = min((_area(first) / _area(other) for other in others), default=math.inf)
    in_the_middle = [face for face in faces if _covers_the_middle(face, pixels)]
    needed = _DOMINANCE_IN_THE_MIDDLE if in_the_middle == [first] else _DOMINANCE
    if lead < needed:
        raise SeveralFacesFound(
            f"There are {len(faces)} faces in the photo, so it is not clear which one to enrol. "
            "Crop the photo to one face."
        )
    return first


def _area(face: Face) -> float:
    return max(1.0, face.box.w * face.box.h)


def _covers_the_middle(face: Face, pixels: Pixels) -> bool:
    height, width = pixels.shape[:2]
    box = face.box
    return bool(0 <= width / 2 - box.x <= box.w and 0 <= height / 2 - box.y <= box.h)
