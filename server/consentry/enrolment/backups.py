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
from typing import TypedDict

from consentry.enrolment.ports import HomeStore, NewTemplate, StoredSubject, SubjectStore
from consentry.enrolment.references import ReferenceGallery
from consentry.kernel.biometrics import SealedTemplate
from consentry.kernel.errors import BadRequest, VaultAbsent, VaultExists
from consentry.kernel.ids import ModelId, SubjectId, TemplateId
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.vault.backup import export_backup, open_backup
from consentry.vault.custody import Custody, HeaderStore, VaultState
from consentry.vault.passphrase import Passphrase

_FORMAT = "consentry.backup/1"


class _SubjectRow(TypedDict):
    subject: str
    wrapped_key: str
    sealed_name: str
    policy: str
    enrolled_at: str


class _TemplateRow(TypedDict):
    subject: str
    template: str
    model: str
    sealed: str


class _Payload(TypedDict):
    format: str
    header: str
    subjects: list[_SubjectRow]
    templates: list[_TemplateRow]


@dataclass(frozen=True, slots=True)
class ExportBackup:
    """Write everything that is needed to open the vault elsewhere into one sealed file."""

    store: SubjectStore
    header: HeaderStore
    custody: Custody

    def __call__(self, passphrase: Passphrase) -> bytes:
        """Return the backup file.

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
                )
                for s in subjects
            ],
            templates=templates,
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
        header, subjects, templates = _parsed(open_backup(data, passphrase))
        self.home.restore(header, subjects, templates)
        self.custody.unlock(passphrase)
        self.gallery.refresh()
        return len(subjects)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _parsed(
    data: bytes,
) -> tuple[bytes, list[StoredSubject], list[tuple[SubjectId, NewTemplate]]]:
    try:
        payload: _Payload = json.loads(data)
        if payload["format"] != _FORMAT:
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
        return _bytes(payload["header"]), subjects, templates
    except (KeyError, TypeError, ValueError, binascii.Error) as cause:
        # The seal held, so this was written by a program of ours that differs from this one.
        raise BadRequest(
            "The backup opened, but its contents are not of a form that this version reads."
        ) from cause
