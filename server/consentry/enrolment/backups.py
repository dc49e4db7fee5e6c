"""A sealed backup of the vault: header, wrapped keys and sealed templates, sealed once more as one file.

The file opens with the passphrase that the vault had when it was exported, and holds nothing in the clear
(docs/specs/sealed-backup.md). Receipts are not in it: they are public statements that verify by themselves.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired, TypedDict

from consentry.enrolment.ports import (
    AliasStore,
    ContestStore,
    HomeContents,
    HomeStore,
    NewTemplate,
    StoredAlias,
    StoredContest,
    StoredSubject,
    SubjectStore,
)
from consentry.enrolment.references import ReferenceGallery
from consentry.kernel.biometrics import SealedTemplate
from consentry.kernel.errors import BadRequest, VaultAbsent, VaultExists
from consentry.kernel.ids import AliasId, ContestId, ModelId, SubjectId, TemplateId
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.vault.backup import export_backup, open_backup
from consentry.vault.custody import Custody, HeaderStore, VaultState
from consentry.vault.passphrase import Passphrase

_FORMAT = "consentry.backup/3"
_READS = {"consentry.backup/1", "consentry.backup/2", _FORMAT}
"""Version 1 knew no protected names and no contests; version 2 no passphrases of one's own."""


class _SubjectRow(TypedDict):
    subject: str
    wrapped_key: str
    sealed_name: str
    policy: str
    enrolled_at: str
    own_passphrase: NotRequired[str | None]


class _TemplateRow(TypedDict):
    subject: str
    template: str
    model: str
    sealed: str


class _AliasRow(TypedDict):
    alias: str
    subject: str
    sealed: str
    added_at: str


class _ContestRow(TypedDict):
    contest: str
    claimant: str
    respondent: str
    opened_at: str


class _Payload(TypedDict):
    format: str
    aliases: NotRequired[list[_AliasRow]]
    contests: NotRequired[list[_ContestRow]]
    header: str
    subjects: list[_SubjectRow]
    templates: list[_TemplateRow]


@dataclass(frozen=True, slots=True)
class ExportBackup:
    """Write everything that is needed to open the vault elsewhere into one sealed file."""

    store: SubjectStore
    aliases: AliasStore
    contests: ContestStore
    header: HeaderStore
    custody: Custody

    def __call__(self, passphrase: Passphrase) -> bytes:
        """Return the backup file.

        What protects is in it: who is enrolled, under which names, and contests. No yes is: grants
        and tokens are given again, because nobody can say whether she would still give them.

        Raises:
            VaultAbsent: If there is nothing to back up.
            WrongPassphrase: If it is not the vault's passphrase; a backup nobody can open protects nobody.
        """
        header = self.header.load()
        if header is None:
            raise VaultAbsent("There is nothing to back up: nobody has been enrolled here yet.")
        self.custody.verify_passphrase(passphrase)
        subjects = self.store.subjects()
        models = {model for _, model in self.store.template_counts()}
        templates: list[_TemplateRow] = []
        for model in sorted(models):
            with self.store.snapshot(model) as snapshot:
                templates.extend(
                    _TemplateRow(
                        subject=t.subject,
                        template=t.template,
                        model=t.model,
                        sealed=_text(t.sealed),
                    )
                    for t in snapshot.templates
                )
        payload = _Payload(
            format=_FORMAT,
            header=_text(header),
            subjects=[
                _SubjectRow(
                    subject=s.subject,
                    wrapped_key=_text(s.wrapped_key),
                    sealed_name=_text(s.sealed_name),
                    policy=s.policy,
                    enrolled_at=s.enrolled_at.isoformat(),
                    own_passphrase=None if s.own_passphrase is None else _text(s.own_passphrase),
                )
                for s in subjects
            ],
            templates=templates,
            aliases=[
                _AliasRow(
                    alias=a.alias,
                    subject=a.subject,
                    sealed=_text(a.sealed),
                    added_at=a.added_at.isoformat(),
                )
                for a in self.aliases.all()
            ],
            contests=[
                _ContestRow(
                    contest=c.contest,
                    claimant=c.claimant,
                    respondent=c.respondent,
                    opened_at=c.opened_at.isoformat(),
                )
                for c in self.contests.all()
            ],
        )
        return export_backup(json.dumps(payload, separators=(",", ":")).encode(), passphrase)


@dataclass(frozen=True, slots=True)
class RestoreBackup:
    """Put a backup into a home that has no vault yet."""

    home: HomeStore
    custody: Custody
    gallery: ReferenceGallery

    def __call__(self, data: bytes, passphrase: Passphrase) -> int:
        """Restore, unlock, and return how many people are enrolled now.

        Raises:
            VaultExists: If this home has a vault: nothing is ever merged or overwritten.
            WrongPassphrase: If the passphrase does not open the file, or the file is damaged (not told apart).
        """
        if self.custody.state is not VaultState.ABSENT:
            raise VaultExists(
                "This home has a vault already, and a restore never overwrites one. "
                "Restore into an empty data folder (CONSENTRY_HOME), or delete everything here first."
            )
        found = _parsed(open_backup(data, passphrase))
        self.home.restore(found)
        self.custody.unlock(passphrase)
        self.gallery.refresh()
        return len(found.subjects)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _bytes_or_none(text: str | None) -> bytes | None:
    return None if text is None else _bytes(text)


def _parsed(data: bytes) -> HomeContents:
    try:
        payload: _Payload = json.loads(data)
        if payload["format"] not in _READS:
            raise BadRequest(
                "This backup was made by a version of Consentry that this one does not know."
            )
        subjects = [
            StoredSubject(
                subject=SubjectId(row["subject"]),
                wrapped_key=_bytes(row["wrapped_key"]),
                sealed_name=_bytes(row["sealed_name"]),
                policy=SubjectPolicy(row["policy"]),
                enrolled_at=datetime.fromisoformat(row["enrolled_at"]),
                own_passphrase=_bytes_or_none(row.get("own_passphrase")),
            )
            for row in payload["subjects"]
        ]
        templates = [
            (
                SubjectId(row["subject"]),
                NewTemplate(
                    template=TemplateId(row["template"]),
                    model=ModelId(row["model"]),
                    sealed=SealedTemplate(_bytes(row["sealed"])),
                ),
            )
            for row in payload["templates"]
        ]
        return HomeContents(
            header=_bytes(payload["header"]),
            subjects=subjects,
            templates=templates,
            aliases=[
                StoredAlias(
                    alias=AliasId(row["alias"]),
                    subject=SubjectId(row["subject"]),
                    sealed=_bytes(row["sealed"]),
                    added_at=datetime.fromisoformat(row["added_at"]),
                )
                for row in payload.get("aliases", ())
            ],
            contests=[
                StoredContest(
                    contest=ContestId(row["contest"]),
                    claimant=SubjectId(row["claimant"]),
                    respondent=SubjectId(row["respondent"]),
                    opened_at=datetime.fromisoformat(row["opened_at"]),
                )
                for row in payload.get("contests", ())
            ],
        )
    except (KeyError, TypeError, ValueError, binascii.Error) as cause:
        # The seal held, so this was written by a program of ours that differs from this one.
        raise BadRequest(
            "The backup opened, but its contents are not of a form that this version reads."
        ) from cause
