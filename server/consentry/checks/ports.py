"""What a check asks of others. Stores pass ``tests/contracts/receipt_store.py``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from consentry.enrolment.references import Candidate, GalleryState
from consentry.faces.curve import OperatingCurve
from consentry.faces.detect import DetectedFace
from consentry.faces.pipeline import Face
from consentry.kernel.biometrics import Embedding, Pixels
from consentry.kernel.ids import CheckId, ConsentTokenId, GrantId, ModelId, SubjectId
from consentry.kernel.taxonomy import PublicReason, Purpose, SubjectPolicy, Verdict
from consentry.transparency.receipts import LogPlace
from consentry.vault.lids import SealedBox


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReceipt:
    """A signed verdict of an ``act`` check. Holds no picture, no prompt, no digest of either, and no subject.

    ``caller`` is who asked, as this server knows it, and alone may read it again; None when it is
    not known any more (of receipts that were made before it was kept).
    """

    check: CheckId
    issued_at: datetime
    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    jws: str
    caller: str | None = None
    log: LogPlace | None = None
    """Where its entry is; None for one that was made before there was a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftReceipt:
    """A verdict that is about to be kept: its receipt names its place in the log, so it is signed then.

    Attributes:
        check, issued_at, verdict, reasons, caller: As in `StoredReceipt`.
        policy_version, engines: What decided; in the clear in the log.
        platform, purpose, region: What was declared; committed to in the log.
        sign: Signs for a place.
        sightings: What those may read who were seen (`consentry.checks.sightings`); as many for
            nobody as for one.
    """

    check: CheckId
    issued_at: datetime
    verdict: Verdict
    reasons: tuple[PublicReason, ...]
    policy_version: str
    engines: Mapping[str, str]
    platform: str | None
    purpose: Purpose
    region: str | None
    caller: str | None
    sign: Callable[[LogPlace], str] = field(repr=False)
    sightings: tuple[SealedBox, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What is kept beside a receipt: an answer for a retry, or what the request was allowed on.

    Both go when a grant or token that the check relied on is taken back: what was agreed to has
    ended, and is asked for anew.

    Attributes:
        place: Derived from what the caller alone has, and must show again to find it: the
            Idempotency-Key (`consentry.checks.repeats`), or the salts of the receipt
            (`consentry.checks.grounds`). Neither is kept.
        check: Of the receipt.
        sealed: Under a key that is derived from the same.
        ends_at: UTC; swept then.
    """

    place: bytes = field(repr=False)
    check: CheckId
    sealed: bytes = field(repr=False)
    ends_at: datetime


class ReceiptStore(Protocol):
    """Durable receipts, each with its entry in the log and its sightings: all are kept, or none."""

    def add(
        self,
        draft: DraftReceipt,
        answers: Sequence[KeptAnswer] = (),
        *,
        takes: bytes | None = None,
    ) -> StoredReceipt | None:
        """Log and keep a receipt, and answers with it; all have reached the disk when this returns.

        Args:
            draft: Also says when it is: what has lapsed by then is not taken.
            answers: To be kept with it.
            takes: The place of an answer that goes with this receipt, and may do so once.

        Returns:
            The receipt; None when an answer is kept in one of these places already, or there is
            none (any more) to be taken. Then nothing was changed.

        Raises:
            Conflict: If there is a receipt of this check already.
            LogInconsistent: If the log is older than what was signed of it.
            StorageFull: If the disk is full.
        """

    def add_relying(
        self,
        draft: DraftReceipt,
        relies_on: Sequence[GrantId | ConsentTokenId],
        answers: Sequence[KeptAnswer] = (),
        *,
        takes: bytes | None = None,
    ) -> StoredReceipt | None:
        """Use up grants and tokens once each, and log and keep the receipt that relies on them, or none of it.

        One transaction, and one at a time over all processes: of any number that use the last
        use of a token at once, one succeeds.

        Args:
            draft: Also says when it is: what has lapsed by then is not used.
            relies_on: At least one.
            answers: As in `add`.
            takes: As in `add`.

        Returns:
            The receipt; None when one of them is used up, lapsed or revoked, or for the reasons of
            `add`. Then nothing was changed.

        Raises:
            LogInconsistent: If the log is older than what was signed of it.
            StorageFull: If the disk is full. Nothing was kept, and nothing used up.
        """

    def answer(self, place: bytes, *, now: datetime) -> KeptAnswer | None:
        """Return the answer that is kept in a place, or None when there is none (any more)."""

    def get(self, check: CheckId) -> StoredReceipt:
        """Return one receipt.

        Raises:
            NotFound: If there is none of this check.
        """

    def at_leaves(self, leaves: Collection[int]) -> Mapping[int, str]:
        """Return the signed receipts of entries of the log, by index; of those that have one."""

    def newest(self, limit: int, before: datetime | None) -> Sequence[StoredReceipt]:
        """Return at most ``limit`` receipts issued before a moment (None: now), newest first."""

    def count(self) -> int:
        """Return how many receipts there are."""


class ProbeMeter(Protocol):
    """What a check charges its caller (`consentry.accounts.budgets.ProbeBudget`, for one key)."""

    def spend(self, faces: int) -> None:
        """Count faces, before anybody is searched for.

        Args:
            faces: Found in what was sent, at least 1.

        Raises:
            TooManyRequests: If the caller's budget does not cover them: then there is no verdict.
        """


class FaceReader(Protocol):
    """What a check asks of a face pipeline (`consentry.faces.pipeline.FacePipeline`)."""

    @property
    def model_id(self) -> ModelId:
        """The embedding model."""

    @property
    def operating_curve(self) -> OperatingCurve:
        """Measured error rates of the model."""

    def detect(self, pixels: Pixels, *, thorough: bool) -> tuple[DetectedFace, ...]:
        """Find every face; ``thorough`` also looks at the picture turned by 90, 180 and 270 degrees."""

    def describe(
        self, pixels: Pixels, detected: Sequence[DetectedFace], *, mirrored: bool = True
    ) -> tuple[Face, ...]:
        """Embed faces that were detected; ``mirrored`` takes longer and averages two looks at each."""


class PersonReader(Protocol):
    """What a check asks of a person detector (`consentry.imagery.persons.PersonDetector`)."""

    def presence(self, pixels: Pixels, *, thorough: bool) -> bool:
        """Say whether somebody is in the picture, with or without a face."""


class ExposureReader(Protocol):
    """What a check of results asks of a scorer (`consentry.imagery.exposure.ExposureReader`)."""

    def score(self, pixels: Pixels) -> float:
        """Return how exposed a picture is, from 0 to 1; only to compare with another picture."""


class TextReader(Protocol):
    """What a check asks of a reader of text (`consentry.imagery.text.TextReader`)."""

    def read(self, pixels: Pixels) -> str:
        """Return the text in a picture; empty when there is none."""


class Gallery(Protocol):
    """What a check asks of the references (`consentry.enrolment.references.ReferenceGallery`)."""

    def state(self) -> GalleryState:
        """Say whether a search would be answered."""

    def size(self) -> int:
        """Return how many references a search compares with."""

    def policies(self) -> dict[SubjectId, SubjectPolicy]:
        """Return what each enrolled subject chose to protect."""

    def refresh(self) -> None:
        """Bring the references up to date."""

    def search(
        self, probes: Sequence[Embedding], *, min_score: float
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Return, for each probe, the subjects that reached ``min_score``, best first."""
