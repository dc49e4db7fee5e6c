"""The use cases that delivery may call: one frozen bundle, built once by `consentry.wiring`."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.accounts.budgets import ProbeBudget
from consentry.accounts.keys import ApiKeys
from consentry.accounts.pairing import PairingDesk
from consentry.accounts.sessions import Sessions
from consentry.accounts.tokens import Tokens
from consentry.checks.check import CheckImages
from consentry.checks.look import LookAtFaces
from consentry.checks.ports import ReceiptStore
from consentry.enrolment.backups import ExportBackup, RestoreBackup
from consentry.enrolment.enrol import EnrolSubject
from consentry.enrolment.people import EraseHome, People, RevokeSubject, VerifyActor
from consentry.enrolment.references import ReferenceGallery
from consentry.enrolment.rotation import RotateKeys
from consentry.imagery.limits import Limits
from consentry.transparency.receipts import ReceiptSigner
from consentry.vault.custody import Custody


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a door may ask for. Each member is safe to share between threads."""

    check: CheckImages
    look: LookAtFaces
    enrol: EnrolSubject
    people: People
    revoke: RevokeSubject
    erase_home: EraseHome
    verify_actor: VerifyActor
    custody: Custody
    rotate_keys: RotateKeys
    gallery: ReferenceGallery
    export_backup: ExportBackup
    restore_backup: RestoreBackup
    receipts: ReceiptStore
    signer: ReceiptSigner
    tokens: Tokens
    keys: ApiKeys
    probes: ProbeBudget
    sessions: Sessions
    pairing: PairingDesk
    limits: Limits
