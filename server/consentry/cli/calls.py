"""Every request that a command sends (docs/api.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from consentry.accounts.budgets import ProbeQuota
from consentry.accounts.principals import Scope
from consentry.cli.answers import (
    CheckAnswer,
    EnrolledAnswer,
    EntryAnswer,
    ErasedAnswer,
    FacesAnswer,
    HoldsAnswer,
    InventoryAnswer,
    IssuedTokenAnswer,
    KeysAnswer,
    KeySetAnswer,
    MadeKeyAnswer,
    MyChecksAnswer,
    NewHoldAnswer,
    PairingCodeAnswer,
    ReceiptsAnswer,
    RestoredAnswer,
    RetentionAnswer,
    RevokedAnswer,
    RotatedAnswer,
    RotatedKeyAnswer,
    SubjectsAnswer,
    TokensAnswer,
    VaultAnswer,
)
from consentry.cli.companion import Companion, Upload
from consentry.cli.pictures import Picture
from consentry.kernel.errors import Conflict
from consentry.kernel.taxonomy import Mode, Purpose, SubjectPolicy
from consentry.vault.passphrase import Passphrase

_BINARY = "application/octet-stream"


class _PassphraseBody(BaseModel):
    passphrase: str


class _BackupBody(BaseModel):
    passphrase: str
    kind: Literal["apart", "whole"]


class _RetentionBody(BaseModel):
    dry_run: bool


class _HoldBody(BaseModel):
    reason: str
    placed_by: str
    until: datetime


class _ChangeBody(BaseModel):
    old: str
    new: str


class _SubjectBody(BaseModel):
    subject: str


class _MyChecksBody(BaseModel):
    subject: str
    limit: int
    before: datetime | None


class _EraseBody(BaseModel):
    confirm: Literal["erase everybody"] = "erase everybody"


class _TokenBody(BaseModel):
    name: str
    scopes: list[Scope]
    expires_in_days: int | None


class _KeyBody(BaseModel):
    name: str
    platform: str
    scopes: list[Scope]
    faces_per_hour: int
    faces_per_day: int
    expires_in_days: int | None


class _RotationBody(BaseModel):
    overlap_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """A platform's key to be made.

    Attributes:
        name: What the operator calls it.
        platform: Whom it speaks for.
        scopes: What it may do.
        quota: How many faces it may have searched for.
        days: How long it holds; None until it is revoked.
    """

    name: str
    platform: str
    scopes: Sequence[Scope]
    quota: ProbeQuota
    days: int | None


class OutputQuestion(BaseModel):
    """What was asked of the generator.

    Attributes:
        prompt: What is asked for.
        purpose: What it is said to be for.
        region: ISO 3166 code.
        actor: The subject who asks, proved by a fresh passphrase.
    """

    prompt: str | None
    purpose: Purpose
    region: str | None
    actor: str | None


class CheckQuestion(OutputQuestion):
    """What is asked about the pictures.

    Attributes:
        mode: `ACT` or `INFORM`.
    """

    mode: Mode


def require_server(line: Companion, why: str) -> None:
    """Pass when a companion is running.

    Raises:
        Conflict: If none is; says what to do.
    """
    if not line.is_server:
        raise Conflict(
            f"No companion is running on this data folder. {why} Start one with: consentry serve"
        )


def vault(line: Companion) -> VaultAnswer:
    """Ask for the state of the vault."""
    return line.get("/v1/vault", VaultAnswer)


def create_vault(line: Companion, passphrase: Passphrase) -> VaultAnswer:
    """Make the vault, unlocked."""
    return line.post("/v1/vault", VaultAnswer, body=_body_of(passphrase))


def unlock(line: Companion, passphrase: Passphrase) -> VaultAnswer:
    """Unlock the vault; unlocked already, prove the passphrase anew."""
    return line.post("/v1/vault/unlock", VaultAnswer, body=_body_of(passphrase))


def lock(line: Companion) -> VaultAnswer:
    """Lock the vault."""
    return line.post("/v1/vault/lock", VaultAnswer)


def change_passphrase(line: Companion, old: Passphrase, new: Passphrase) -> VaultAnswer:
    """Change the passphrase."""
    return line.post(
        "/v1/vault/passphrase", VaultAnswer, body=_ChangeBody(old=_text(old), new=_text(new))
    )


def rotate_keys(line: Companion) -> RotatedAnswer:
    """Make a new epoch key and destroy the old ones."""
    return line.post("/v1/vault/rotate", RotatedAnswer)


def enrol(
    line: Companion,
    photos: Sequence[Picture],
    *,
    name: str,
    policy: SubjectPolicy | None,
    own_passphrase: Passphrase | None,
) -> EnrolledAnswer:
    """Enrol a person, or add photos to her."""
    fields = {"name": name} | ({} if policy is None else {"policy": policy.value})
    if own_passphrase is not None:
        fields["own_passphrase"] = _text(own_passphrase)
    return line.upload(
        "/v1/subjects", EnrolledAnswer, files=_uploads("photos", photos), fields=fields
    )


def subjects(line: Companion) -> SubjectsAnswer:
    """Ask who is enrolled."""
    return line.get("/v1/subjects", SubjectsAnswer)


def revoke(line: Companion, name_or_subject: str) -> RevokedAnswer:
    """End one protection."""
    return line.post(
        "/v1/subjects/revoke", RevokedAnswer, body=_SubjectBody(subject=name_or_subject)
    )


def revoke_everybody(line: Companion) -> ErasedAnswer:
    """End every protection."""
    return line.post("/v1/erase", ErasedAnswer, body=_EraseBody())


def check(line: Companion, pictures: Sequence[Picture], question: CheckQuestion) -> CheckAnswer:
    """Ask for a verdict."""
    fields = {
        name: str(value)
        for name, value in question.model_dump(mode="json", exclude_none=True).items()
    }
    return line.upload("/v1/checks", CheckAnswer, files=_uploads("images", pictures), fields=fields)


def check_output(
    line: Companion,
    *,
    results: Sequence[Picture],
    sources: Sequence[Picture],
    question: OutputQuestion,
) -> CheckAnswer:
    """Ask for a verdict on what was made."""
    files = [*_uploads("results", results), *_uploads("images", sources)]
    fields = question.model_dump(mode="json", exclude_none=True)
    return line.upload("/v1/outputs", CheckAnswer, files=files, fields=fields)


def faces(line: Companion, picture: Picture) -> FacesAnswer:
    """Ask what is seen in a picture."""
    return line.upload("/v1/faces", FacesAnswer, files=_uploads("image", [picture]), fields={})


def receipts(line: Companion, *, limit: int) -> ReceiptsAnswer:
    """Ask for the newest receipts."""
    return line.get(f"/v1/receipts?limit={limit}", ReceiptsAnswer)


def my_checks(
    line: Companion, subject: str, *, limit: int, before: datetime | None
) -> MyChecksAnswer:
    """Ask for the checks in which somebody's face or name mattered."""
    body = _MyChecksBody(subject=subject, limit=limit, before=before)
    return line.post("/v1/subjects/checks", MyChecksAnswer, body=body)


def receipt_keys(line: Companion) -> KeySetAnswer:
    """Ask for the keys that verify this home's receipts."""
    return line.get("/.well-known/jwks.json", KeySetAnswer)


def tokens(line: Companion) -> TokensAnswer:
    """Ask for all bearer tokens."""
    return line.get("/v1/tokens", TokensAnswer)


def issue_token(
    line: Companion, *, name: str, scopes: Sequence[Scope], days: int | None
) -> IssuedTokenAnswer:
    """Make a bearer token."""
    body = _TokenBody(name=name, scopes=list(scopes), expires_in_days=days)
    return line.post("/v1/tokens", IssuedTokenAnswer, body=body)


def revoke_token(line: Companion, token: str) -> None:
    """Take a bearer token back."""
    from urllib.parse import quote

    line.call("DELETE", f"/v1/tokens/{quote(token, safe='')}")


def keys(line: Companion) -> KeysAnswer:
    """Ask for the keys of all platforms."""
    return line.get("/v1/keys", KeysAnswer)


def make_key(line: Companion, wish: KeyWish) -> MadeKeyAnswer:
    """Make a key for a platform."""
    body = _KeyBody(
        name=wish.name,
        platform=wish.platform,
        scopes=list(wish.scopes),
        faces_per_hour=wish.quota.per_hour,
        faces_per_day=wish.quota.per_day,
        expires_in_days=wish.days,
    )
    return line.post("/v1/keys", MadeKeyAnswer, body=body)


def rotate_key(line: Companion, key: str, *, overlap_hours: int) -> RotatedKeyAnswer:
    """Give a platform's key a new secret."""
    from urllib.parse import quote

    return line.post(
        f"/v1/keys/{quote(key, safe='')}/rotate",
        RotatedKeyAnswer,
        body=_RotationBody(overlap_hours=overlap_hours),
    )


def revoke_key(line: Companion, key: str) -> None:
    """Take a platform's key back."""
    from urllib.parse import quote

    line.call("DELETE", f"/v1/keys/{quote(key, safe='')}")


def export_backup(line: Companion, passphrase: Passphrase, *, is_whole: bool) -> bytes:
    """Ask for a sealed backup."""
    body = _BackupBody(passphrase=_text(passphrase), kind="whole" if is_whole else "apart")
    return line.fetch("/v1/backup", body=body)


def export_backup_keys(line: Companion, passphrase: Passphrase) -> bytes:
    """Ask for the key file that goes with backups."""
    return line.fetch("/v1/backup/keys", body=_body_of(passphrase))


def restore_backup(
    line: Companion, data: bytes, keys: bytes | None, passphrase: Passphrase
) -> RestoredAnswer:
    """Put a sealed backup into an empty home."""
    files: list[Upload] = [("backup", ("backup", data, _BINARY))]
    if keys is not None:
        files.append(("keys", ("keys", keys, _BINARY)))
    return line.upload(
        "/v1/backup/restore",
        RestoredAnswer,
        files=files,
        fields={"passphrase": _text(passphrase)},
    )


def pairing_code(line: Companion) -> PairingCodeAnswer:
    """Begin to pair an extension."""
    return line.post("/v1/pairings", PairingCodeAnswer)


def new_entry(line: Companion) -> EntryAnswer:
    """Ask for a link that signs a browser in."""
    return line.post("/v1/entries", EntryAnswer)


def inventory(line: Companion) -> InventoryAnswer:
    """Ask what is kept, and for how long."""
    return line.get("/v1/inventory", InventoryAnswer)


def export_subject(line: Companion, subject: str) -> bytes:
    """Ask for a copy of all that is kept about one person."""
    return line.fetch("/v1/subjects/export", body=_SubjectBody(subject=subject))


def enforce_retention(line: Companion, *, dry_run: bool) -> RetentionAnswer:
    """Delete what is due, or count it."""
    return line.post("/v1/retention", RetentionAnswer, body=_RetentionBody(dry_run=dry_run))


def holds(line: Companion) -> HoldsAnswer:
    """Ask for the legal holds that are in force."""
    return line.get("/v1/holds", HoldsAnswer)


def place_hold(line: Companion, *, reason: str, placed_by: str, until: datetime) -> NewHoldAnswer:
    """Place a legal hold."""
    body = _HoldBody(reason=reason, placed_by=placed_by, until=until)
    return line.post("/v1/holds", NewHoldAnswer, body=body)


def lift_hold(line: Companion, hold: str) -> None:
    """End a legal hold."""
    from urllib.parse import quote

    line.call("DELETE", f"/v1/holds/{quote(hold, safe='')}")


def _uploads(field: str, pictures: Sequence[Picture]) -> list[Upload]:
    # What a file is called is the owner's business, and plays no part in what it is.
    return [
        (field, (f"{number}", picture.data, _BINARY)) for number, picture in enumerate(pictures, 1)
    ]


def _body_of(passphrase: Passphrase) -> _PassphraseBody:
    return _PassphraseBody(passphrase=_text(passphrase))


def _text(passphrase: Passphrase) -> str:
    return passphrase.to_bytes().decode("utf-8")
