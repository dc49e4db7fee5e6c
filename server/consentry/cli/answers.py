"""The API's answers as the command line reads and prints them (docs/api.md, docs/specs/cli-json.md).

Only the members that are named here are printed with ``--json``: a member that the API adds one day is not shown
before somebody has decided that it may be.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from consentry.cli.documents import JsonObject
from consentry.kernel.taxonomy import (
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    SubjectPolicy,
    Verdict,
)
from consentry.vault.custody import VaultState


class Answer(BaseModel):
    """Any answer. Members that are not known are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def document(self, *, without: Collection[str] = ()) -> JsonObject:
        """Return what ``--json`` prints: every member but those in ``without``."""
        found: JsonObject = self.model_dump(mode="json", exclude=set(without))
        return found


class VaultAnswer(Answer):
    """Whether there is a vault, and whether it is open."""

    format: Literal["consentry.vault/1"]
    state: VaultState


class RotatedAnswer(Answer):
    """After a rotation."""

    format: Literal["consentry.rotated/1"]
    epoch: int


class EnrolledAnswer(Answer):
    """After an enrolment."""

    format: Literal["consentry.enrolled/1"]
    subject: str
    name: str
    templates_added: int
    templates_total: int
    is_new: bool


class SubjectAnswer(Answer):
    """One enrolled person. The name is None while the vault is locked."""

    subject: str
    name: str | None
    policy: SubjectPolicy
    enrolled_at: datetime
    templates: dict[str, int]
    has_own_passphrase: bool


class SubjectsAnswer(Answer):
    """Everybody enrolled."""

    format: Literal["consentry.subjects/1"]
    subjects: list[SubjectAnswer]


class ErasedEntryAnswer(Answer):
    """The entry of the log that records one erasure, and what opens it. Base64url."""

    subject: str
    entry: str
    salt: str


class ErasureDocument(Answer):
    """An erasure receipt, and what came with it."""

    receipt: str
    entries: list[ErasedEntryAnswer] = []
    proofs: list[str] = []


class RevokedAnswer(Answer):
    """After a revocation."""

    format: Literal["consentry.revoked/1"]
    subject: str
    receipt: str
    entries: list[ErasedEntryAnswer]


class ErasedAnswer(Answer):
    """After everybody was erased."""

    format: Literal["consentry.erased/1"]
    subjects: int
    receipt: str
    entries: list[ErasedEntryAnswer]


class KeptAnswer(Answer):
    """One thing that is kept."""

    name: str
    place: str
    fields: dict[str, str]
    what: str
    why: str
    opens: str
    ends: str
    plain: str


class HoldAnswer(Answer):
    """A legal hold."""

    hold: str
    reason: str
    placed_by: str
    placed_at: datetime
    until: datetime


class NewHoldAnswer(HoldAnswer):
    """A legal hold that was just placed."""

    format: Literal["consentry.hold/1"]


class HoldsAnswer(Answer):
    """The legal holds that are in force."""

    format: Literal["consentry.holds/1"]
    holds: list[HoldAnswer]


class InventoryAnswer(Answer):
    """Everything that is kept."""

    format: Literal["consentry.inventory/1"]
    kept: list[KeptAnswer]
    holds: list[HoldAnswer]


class RetentionAnswer(Answer):
    """What was deleted, or would be."""

    format: Literal["consentry.retention/1"]
    dry_run: bool
    counts: dict[str, int]
    held: list[str]


class ImageErrorAnswer(Answer):
    """Why a picture was not read."""

    code: str
    message: str


class BoxAnswer(Answer):
    """Where a face is: x, y, width, height in pixels of the upright picture."""

    box: tuple[float, float, float, float]


class ImageAnswer(Answer):
    """What was seen in one picture."""

    width: int
    height: int
    views: int
    faces: list[BoxAnswer]
    error: ImageErrorAnswer | None


class SaltsAnswer(Answer):
    """What proves, together with the inputs, that a receipt is about them. Base64url, 32 bytes each."""

    images: list[str]
    prompt: str | None
    context: list[str]
    circumstances: str


class PresentAnswer(Answer):
    """An enrolled person who is in a picture."""

    subject: str
    name: str | None


class PrivateAnswer(Answer):
    """For the owner's eyes only."""

    reasons: list[PrivateReason]
    subjects: list[PresentAnswer]
    intent: str
    language: str


class CheckAnswer(Answer):
    """A verdict."""

    format: Literal["consentry.check/1"]
    check_id: str
    verdict: Verdict
    reasons: list[PublicReason]
    obligations: list[Obligation]
    mode: Mode
    checked: bool
    images: list[ImageAnswer]
    receipt: str | None
    salts: SaltsAnswer | None
    policy_version: str
    engines: dict[str, str]
    explanation: str
    private: PrivateAnswer | None = None


class ReceiptDocument(Answer):
    """Any JSON object with a receipt in it, as `receipt verify` takes it.

    What it says beside the receipt is not signed: it is read to be compared with what is.
    """

    receipt: str
    check_id: str | None = None
    verdict: str | None = None
    reasons: list[str] | None = None
    salts: SaltsAnswer | None = None
    proof: str | None = None


class QualityAnswer(Answer):
    """How good a face is, and what is wrong with it."""

    score: float
    issues: list[str]


class FaceAnswer(Answer):
    """One face; landmarks are eyes, nose tip and corners of the mouth, from left to right."""

    box: tuple[float, float, float, float]
    score: float
    landmarks: list[tuple[float, float]]
    quality: QualityAnswer


class FacesAnswer(Answer):
    """The faces of one picture, largest first."""

    format: Literal["consentry.faces/1"]
    width: int
    height: int
    model: str
    faces: list[FaceAnswer]


class ReceiptAnswer(Answer):
    """One receipt of this home."""

    check_id: str
    issued_at: datetime
    verdict: Verdict
    reasons: list[str]
    receipt: str


class ReceiptsAnswer(Answer):
    """The newest receipts."""

    format: Literal["consentry.receipts/1"]
    total: int
    receipts: list[ReceiptAnswer]


class MyCheckAnswer(Answer):
    """One check in which somebody's face or name mattered."""

    check_id: str
    at: datetime
    how: Literal["face", "name", "possible"]
    stage: Literal["request", "result"]
    category: str
    purpose: str
    region: str | None
    platform: str | None
    verdict: Verdict
    reasons: list[str]
    receipt: str | None
    log_index: int | None


class MyChecksAnswer(Answer):
    """A page of them, newest first."""

    format: Literal["consentry.my-checks/1"]
    kept_days: int
    before: datetime | None
    checks: list[MyCheckAnswer]


class TokenAnswer(Answer):
    """One bearer token; never its secret."""

    token: str
    name: str
    scopes: list[str]
    created_at: datetime
    last_used_day: date | None
    expires_at: datetime | None


class TokensAnswer(Answer):
    """All bearer tokens."""

    format: Literal["consentry.tokens/1"]
    tokens: list[TokenAnswer]


class IssuedTokenAnswer(TokenAnswer):
    """A bearer token that was just made, with its secret: shown this once."""

    format: Literal["consentry.token/1"]
    secret: str


class RestoredAnswer(Answer):
    """After a restore."""

    format: Literal["consentry.restored/1"]
    subjects: int
    closed: int


class PairingCodeAnswer(Answer):
    """What is typed into the extension."""

    format: Literal["consentry.pairing-code/1"]
    code: str
    expires_at: datetime


class EntryAnswer(Answer):
    """A link that signs a browser in, once."""

    format: Literal["consentry.entry/1"]
    path: str
    url: str | None
    expires_at: datetime


class KeyAnswer(Answer):
    """One public key, named by its thumbprint."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class PlatformKeyAnswer(Answer):
    """A platform's key, without its secrets."""

    key: str
    name: str
    platform: str
    scopes: list[str]
    faces_per_hour: int
    faces_per_day: int
    created_at: datetime
    last_used_day: date | None
    expires_at: datetime | None
    secrets: int


class KeysAnswer(Answer):
    """The keys of all platforms."""

    format: Literal["consentry.api-keys/1"]
    keys: list[PlatformKeyAnswer]


class MadeKeyAnswer(PlatformKeyAnswer):
    """A platform's key that was just made."""

    format: Literal["consentry.api-key/1"]
    secret: str


class RotatedKeyAnswer(Answer):
    """The new secret of a platform's key."""

    format: Literal["consentry.rotated-api-key/1"]
    key: str
    secret: str


class KeySetAnswer(Answer):
    """The keys that verify this home's receipts (RFC 7517)."""

    keys: list[KeyAnswer]
