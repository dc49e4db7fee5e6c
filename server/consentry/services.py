"""The use cases that delivery may call: one frozen bundle, built once by `consentry.wiring`."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.accounts.budgets import ProbeBudget
from consentry.accounts.keys import ApiKeys
from consentry.accounts.pairing import PairingDesk
from consentry.accounts.sessions import Sessions
from consentry.accounts.tokens import Tokens
from consentry.audit.live import LiveAudit
from consentry.checks.check import CheckImages
from consentry.checks.look import LookAtFaces
from consentry.checks.mine import ReadMyChecks
from consentry.checks.news import ReadNews
from consentry.checks.output import CheckOutput
from consentry.checks.ports import ReceiptStore
from consentry.checks.proving import ProveReceipt
from consentry.checks.recall import RecallCheck
from consentry.checks.results import JudgeResults
from consentry.enrolment.aliases import AliasBook
from consentry.enrolment.backups import ExportBackup, RestoreBackup
from consentry.enrolment.contests import Contests
from consentry.enrolment.enrol import EnrolSubject
from consentry.enrolment.passphrases import OwnPassphrases
from consentry.enrolment.people import EraseHome, People, ProveSubject, RevokeSubject, VerifyActor
from consentry.enrolment.policies import SetPolicy
from consentry.enrolment.references import ReferenceGallery
from consentry.enrolment.rotation import RotateKeys
from consentry.grants.grants import GrantDesk
from consentry.grants.ports import Feed
from consentry.grants.requests import RequestDesk
from consentry.grants.tokens import TokenDesk
from consentry.imagery.limits import Limits
from consentry.rights.export import ExportSubject
from consentry.rights.holds import HoldDesk
from consentry.rights.periods import Periods
from consentry.rights.retention import EnforceRetention
from consentry.transparency.ports import LogStore
from consentry.transparency.publication import PublishLog, RenewLog
from consentry.transparency.receipts import ReceiptSigner
from consentry.vault.custody import Custody


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a door may ask for. Each member is safe to share between threads."""

    retention: EnforceRetention
    holds: HoldDesk
    periods: Periods
    export_subject: ExportSubject
    check: CheckImages
    check_output: CheckOutput
    judge_results: JudgeResults
    my_checks: ReadMyChecks
    recall: RecallCheck
    news: ReadNews
    look: LookAtFaces
    enrol: EnrolSubject
    people: People
    revoke: RevokeSubject
    erase_home: EraseHome
    prove: ProveSubject
    verify_actor: VerifyActor
    own_passphrases: OwnPassphrases
    set_policy: SetPolicy
    aliases: AliasBook
    contests: Contests
    grants: GrantDesk
    consent_tokens: TokenDesk
    consent_requests: RequestDesk
    feed: Feed
    custody: Custody
    rotate_keys: RotateKeys
    gallery: ReferenceGallery
    export_backup: ExportBackup
    restore_backup: RestoreBackup
    receipts: ReceiptStore
    signer: ReceiptSigner
    log: LogStore
    publish_log: PublishLog
    audit: LiveAudit
    prove_receipt: ProveReceipt
    renew_log: RenewLog
    tokens: Tokens
    keys: ApiKeys
    probes: ProbeBudget
    sessions: Sessions
    pairing: PairingDesk
    limits: Limits
