"""A sealed backup of the vault: header, wrapped keys and sealed templates, sealed once more as one file.

    apart   passphrase --opens--> vault header, and one section a person
                                    section --her backup key--> her row, templates, names, contests
    whole   passphrase --opens--> everything: for moving, and for the browser extension

Neither holds anything in the clear (docs/specs/sealed-backup.md). An erasure reaches every copy of a
backup whose people are apart, because it destroys the backup key, which is in no backup. It does not
reach a whole one. Receipts are in neither: they are public statements that verify by themselves.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NotRequired, TypedDict

from consentry.enrolment.ports import (
    AliasStore,
    BackupKeyStore,
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
from consentry.vault.backup_keys import BackupKey, write_key_file
from consentry.vault.custody import Custody, HeaderStore, VaultState
from consentry.vault.passphrase import Passphrase

_WHOLE = "consentry.backup/3"
_APART = "consentry.backup/4"
_READS = {"consentry.backup/1", "consentry.backup/2", _WHOLE}
"""Version 1 knew no protected names and no contests; version 2 no passphrases of one's own."""


class BackupKind(StrEnum):
    """What a backup can be."""

    APART = "apart"
    """Each person sealed under her backup key, too: an erasure reaches every copy of the file."""
    WHOLE = "whole"
    """All that opens it is the passphrase: for moving, and out of reach of an erasure."""


class _SubjectRow(TypedDict):
    subject: str
    wrapped_key: str
    sealed_name: str
    policy: str
    enrolled_at: str
    own_passphrase: NotRequired[str | None]
    has_shared: NotRequired[bool]
    """Missing in backups made before it was kept: then it is what can be told from how many there are."""


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


class _ApartContest(TypedDict):
    """A contest in the claimant's section. The respondent is named by the label of her section."""

    contest: str
    respondent: str
    opened_at: str


class _Section(TypedDict):
    """All of one person."""

    subject: _SubjectRow
    templates: list[_TemplateRow]
    aliases: list[_AliasRow]
    contests: list[_ApartContest]


class _SealedSection(TypedDict):
    label: str
    sealed: str


class _ApartPayload(TypedDict):
    format: str
    header: str
    sections: list[_SealedSection]


@dataclass(frozen=True, slots=True)
class ExportBackup:
    """Write everything that is needed to open the vault elsewhere into one sealed file.

    What protects is in it: who is enrolled, under which names, and contests. No yes is: grants
    and tokens are given again, because nobody can say whether she would still give them.
    """

    store: SubjectStore
    aliases: AliasStore
    contests: ContestStore
    keys: BackupKeyStore
    header: HeaderStore
    custody: Custody

    def __call__(self, passphrase: Passphrase, kind: BackupKind = BackupKind.APART) -> bytes:
        """Return the backup file.

        Raises:
            VaultAbsent: If there is nothing to back up.
            WrongPassphrase: If it is not the vault's passphrase; a backup nobody can open protects nobody.
        """
        header = self.header.load()
        if header is None:
            raise VaultAbsent("There is nothing to back up: nobody has been enrolled here yet.")
        self.custody.verify_passphrase(passphrase)
        found = self._contents(header)
        payload: _Payload | _ApartPayload = found
        if kind is BackupKind.APART:
            payload = _apart(found, self.keys.keep_for_all())
        return export_backup(json.dumps(payload, separators=(",", ":")).encode(), passphrase)

    def key_file(self, passphrase: Passphrase) -> str:
        """Return the key file that goes with every backup of this home whose people are apart.

        Raises:
            VaultAbsent: If there is no vault.
            WrongPassphrase: If it is not the vault's passphrase.
        """
        self.custody.verify_passphrase(passphrase)
        return write_key_file(self.keys.keep_for_all().values())

    def _contents(self, header: bytes) -> _Payload:
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
        return _Payload(
            format=_WHOLE,
            header=_text(header),
            subjects=[
                _SubjectRow(
                    subject=s.subject,
                    wrapped_key=_text(s.wrapped_key),
                    sealed_name=_text(s.sealed_name),
                    policy=s.policy,
                    enrolled_at=s.enrolled_at.isoformat(),
                    own_passphrase=None if s.own_passphrase is None else _text(s.own_passphrase),
                    has_shared=s.has_shared,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore led to.

    Attributes:
        subjects: How many people are enrolled now.
        closed: How many sections of the backup stayed closed: whose key was destroyed since, or is
            not in the key file that was given.
    """

    subjects: int
    closed: int


@dataclass(frozen=True, slots=True)
class RestoreBackup:
    """Put a backup into a home that has no vault yet."""

    home: HomeStore
    custody: Custody
    gallery: ReferenceGallery

    def __call__(
        self, data: bytes, passphrase: Passphrase, keys: Sequence[BackupKey] = ()
    ) -> Restored:
        """Restore and unlock.

        Args:
            data: The backup file.
            passphrase: Of the day on which it was made.
            keys: From the key file that goes with it; none for a whole backup.

        Raises:
            VaultExists: If this home has a vault: nothing is ever merged or overwritten.
            WrongPassphrase: If the passphrase does not open the file, or the file is damaged (not told apart).
            BadRequest: If it holds people, and no key that was given opens any of them.
        """
        if self.custody.state is not VaultState.ABSENT:
            raise VaultExists(
                "This home has a vault already, and a restore never overwrites one. "
                "Restore into an empty data folder (CONSENTRY_HOME), or delete everything here first."
            )
        found, closed = _parsed(open_backup(data, passphrase), keys)
        self.home.restore(found)
        self.custody.unlock(passphrase)
        self.gallery.refresh()
        return Restored(subjects=len(found.subjects), closed=closed)


def _apart(whole: _Payload, keys: Mapping[SubjectId, BackupKey]) -> _ApartPayload:
    """Seal each person under her own backup key. Who was enrolled meanwhile comes into the next one."""
    sections = {
        row["subject"]: _Section(subject=row, templates=[], aliases=[], contests=[])
        for row in whole["subjects"]
        if SubjectId(row["subject"]) in keys
    }
    for template in whole["templates"]:
        if template["subject"] in sections:
            sections[template["subject"]]["templates"].append(template)
    for alias in whole.get("aliases", ()):
        if alias["subject"] in sections:
            sections[alias["subject"]]["aliases"].append(alias)
    for contest in whole.get("contests", ()):
        respondent = keys.get(SubjectId(contest["respondent"]))
        if contest["claimant"] in sections and respondent is not None:
            sections[contest["claimant"]]["contests"].append(
                _ApartContest(
                    contest=contest["contest"],
                    respondent=_text(respondent.label),
                    opened_at=contest["opened_at"],
                )
            )
    sealed = [_sealed(keys[SubjectId(subject)], each) for subject, each in sections.items()]
    return _ApartPayload(
        format=_APART,
        header=whole["header"],
        # By label, which is random: the order says nothing about who was enrolled first.
        sections=sorted(sealed, key=lambda each: each["label"]),
    )


def _sealed(key: BackupKey, section: _Section) -> _SealedSection:
    plain = json.dumps(section, separators=(",", ":")).encode()
    return _SealedSection(label=_text(key.label), sealed=_text(key.seal(plain)))


def _joined(
    payload: _ApartPayload, keys: Sequence[BackupKey]
) -> tuple[_Payload, dict[SubjectId, BackupKey], int]:
    """Open the sections that the keys open, and put them together again."""
    by_label = {_text(key.label): key for key in keys}
    named: dict[str, str] = {}
    opened: dict[SubjectId, BackupKey] = {}
    sections: list[_Section] = []
    for each in payload["sections"]:
        key = by_label.get(each["label"])
        if key is None:
            continue
        section: _Section = json.loads(key.open(_bytes(each["sealed"])))
        sections.append(section)
        named[each["label"]] = section["subject"]["subject"]
        opened[SubjectId(section["subject"]["subject"])] = key
    if payload["sections"] and not sections:
        raise BadRequest(
            "The backup opened, but the people in it are sealed apart: give the key file, too, that "
            "was written with it (`consentry backup keys` writes it anew). Without it nobody in the "
            "backup can be opened; that is how an erasure reaches backups."
        )
    whole = _Payload(
        format=_WHOLE,
        header=payload["header"],
        subjects=[section["subject"] for section in sections],
        templates=[row for section in sections for row in section["templates"]],
        aliases=[row for section in sections for row in section["aliases"]],
        contests=[
            _ContestRow(
                contest=row["contest"],
                claimant=section["subject"]["subject"],
                respondent=named[row["respondent"]],
                opened_at=row["opened_at"],
            )
            for section in sections
            for row in section["contests"]
            if row["respondent"] in named
        ],
    )
    return whole, opened, len(payload["sections"]) - len(sections)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _bytes_or_none(text: str | None) -> bytes | None:
    return None if text is None else _bytes(text)


def _parsed(data: bytes, keys: Sequence[BackupKey]) -> tuple[HomeContents, int]:
    """Return what is put back, and how many people stay closed."""
    try:
        payload: _Payload = json.loads(data)
        closed, opened = 0, dict[SubjectId, BackupKey]()
        if payload["format"] == _APART:
            apart: _ApartPayload = json.loads(data)
            payload, opened, closed = _joined(apart, keys)
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
                # Who stays closed shared the home, too.
                has_shared=row.get("has_shared", False) or len(payload["subjects"]) + closed > 1,
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
        found = HomeContents(
            backup_keys={subject: key.secret for subject, key in opened.items()},
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
    return found, closed
