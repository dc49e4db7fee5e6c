"""A home with everything real (vault, SQLite, gallery, laws, intent, receipts) but the eyes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from consentry.accounts.budgets import ProbeBudget
from consentry.accounts.keys import ApiKeys
from consentry.accounts.pairing import PairingDesk
from consentry.accounts.sessions import Sessions
from consentry.accounts.tokens import Tokens
from consentry.audit.live import LiveAudit
from consentry.checks.afterwards import LookAfterwards
from consentry.checks.check import CheckImages, CheckRequest, CheckResult
from consentry.checks.consents import Consents
from consentry.checks.look import LookAtFaces
from consentry.checks.mine import ReadMyChecks
from consentry.checks.news import ReadNews
from consentry.checks.output import CheckOutput
from consentry.checks.proving import ProveReceipt
from consentry.checks.recall import RecallCheck
from consentry.checks.results import JudgeResults
from consentry.checks.search import SearchFaces
from consentry.checks.sightings import SealSighting
from consentry.enrolment.aliases import AliasBook
from consentry.enrolment.backups import ExportBackup, RestoreBackup
from consentry.enrolment.contests import Contests
from consentry.enrolment.enrol import Enrolled, EnrolSubject
from consentry.enrolment.keys import SubjectKeyRing
from consentry.enrolment.passphrases import OwnPassphrases
from consentry.enrolment.people import EraseHome, People, ProveSubject, RevokeSubject, VerifyActor
from consentry.enrolment.policies import SetPolicy
from consentry.enrolment.reading import ReadingKeys
from consentry.enrolment.references import ReferenceGallery
from consentry.enrolment.rotation import RotateKeys
from consentry.enrolment.unlocking import ConfirmSubject
from consentry.faces.unlock import PartRule, UnlockRule
from consentry.gallery.flat import FlatIndex
from consentry.grants.format import TokenSigner
from consentry.grants.grants import GrantDesk
from consentry.grants.permits import ReadPermit
from consentry.grants.requests import RequestDesk
from consentry.grants.tokens import TokenDesk
from consentry.imagery.limits import Limits
from consentry.intent.engine import IntentEngine
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import Mode, Purpose, SubjectPolicy
from consentry.rights.export import ExportSubject
from consentry.rights.holds import HoldDesk
from consentry.rights.periods import Periods
from consentry.rights.retention import EnforceRetention
from consentry.services import Services
from consentry.storage.backup_keys import SqlBackupKeyStore
from consentry.storage.consent_requests import SqlRequestStore
from consentry.storage.consent_tokens import SqlConsentTokenStore
from consentry.storage.database import Database
from consentry.storage.feed import SqlFeed
from consentry.storage.grants import SqlGrantStore
from consentry.storage.hold_file import FileHoldStore
from consentry.storage.home import SqlHomeStore
from consentry.storage.keys import SqlKeyStore, SqlProbeStore
from consentry.storage.names import SqlAliasStore, SqlContestStore
from consentry.storage.receipts import SqlReceiptStore
from consentry.storage.retention import SqlRetentionStore
from consentry.storage.sightings import SqlSightingStore
from consentry.storage.subjects import SqlSubjectStore
from consentry.storage.vault_header import SqlHeaderStore
from consentry.transparency.erasure import ErasureSigner
from consentry.transparency.publication import ProveEntry, RenewLog
from consentry.transparency.receipts import ReceiptSigner
from consentry.vault.custody import Custody
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import Argon2Cost
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fakes.coloured_faces import DIMENSION, ColouredFaces, picture
from fakes.logs import log_of, publisher
from fakes.manual_clock import ManualClock
from fakes.staged_exposure import StagedExposure
from fakes.staged_persons import StagedPersons
from fakes.staged_text import StagedText
from fakes.token_store import MemoryTokenStore

PASSPHRASE = Passphrase("correct horse battery staple")
# Stateless, and slow to load: one for all homes.
INTENT = IntentEngine()
# The halves of a coloured person's embedding are two networks that always agree a little.
UNLOCK_RULE = UnlockRule(
    threshold=0.95,
    parts=(
        PartRule(start=0, stop=DIMENSION // 2, share=0.5, threshold=0.05),
        PartRule(start=DIMENSION // 2, stop=DIMENSION, share=0.5, threshold=0.05),
    ),
)
CHEAP = Argon2Cost(memory_kib=8 * 1024, iterations=1, lanes=1)


@dataclass
class TestHome:
    """See the module. ``path`` may be opened by several at once, as by several processes."""

    __test__ = False

    path: Path
    idle_lock_s: float = 900.0
    signing_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    intimate_delay_s: float = 0.0

    def __post_init__(self) -> None:
        self._held: list[threading.Event] = []
        self.clock = ManualClock()
        self.database = Database.open(self.path / "consentry.db")
        self.store = SqlSubjectStore(self.database, self.clock)
        self.log = log_of(self.database, self.clock)
        self.publish_log = publisher(self.log)
        self.receipts = SqlReceiptStore(self.database, self.log)
        header, home_store = (
            SqlHeaderStore(self.database),
            SqlHomeStore(self.database, self.clock),
        )
        self.custody = Custody(header, self.clock, idle_lock_s=self.idle_lock_s, cost=CHEAP)
        self.faces = ColouredFaces()
        self.persons = StagedPersons()
        self.text = StagedText()
        self.gallery = ReferenceGallery(
            self.store,
            self.custody,
            model=self.faces.model_id,
            dimension=DIMENSION,
            new_index=FlatIndex,
        )
        self.people = People(self.store, self.custody)
        turn = threading.Lock()
        self.signer = ReceiptSigner(
            private_key=self.signing_key, issuer="urn:test", clock=self.clock
        )
        self.erasure_signer = ErasureSigner(
            private_key=self.signing_key, issuer="urn:test", clock=self.clock
        )
        self._give_consents()
        self.sightings = SqlSightingStore(self.database)
        self.reading_keys = ReadingKeys(
            SubjectKeyRing(self.store, self.custody), self.own_passphrases
        )
        seal_sighting = SealSighting(self.reading_keys)
        self.enrol_subject = EnrolSubject(
            own=self.own_passphrases,
            faces=self.faces,
            store=self.store,
            custody=self.custody,
            people=self.people,
            gallery=self.gallery,
            limits=Limits(),
            clock=self.clock,
            turn=turn,
        )
        self.check_images = CheckImages(
            faces=self.faces,
            persons=self.persons,
            text=self.text,
            gallery=self.gallery,
            intent=self.intent,
            consents=self.consents,
            signer=self.signer,
            receipts=self.receipts,
            sightings=seal_sighting,
            afterwards=LookAfterwards(
                SearchFaces(self.faces, self.gallery),
                seal_sighting,
                self.sightings,
                self.receipts,
            ),
            limits=Limits(),
            clock=self.clock,
        )
        self.my_checks = ReadMyChecks(
            self.sightings,
            self.receipts,
            self.reading_keys,
            self.verify_actor,
            self.clock,
            kept_days=180,
        )
        self.exposure = StagedExposure()
        self.check_output = CheckOutput(
            faces=self.faces,
            persons=self.persons,
            exposure=self.exposure,
            gallery=self.gallery,
            consents=self.consents,
            signer=self.signer,
            receipts=self.receipts,
            sightings=seal_sighting,
            limits=Limits(),
            clock=self.clock,
        )
        self.recall = RecallCheck(self.receipts, self.signer)
        self.judge_results = JudgeResults(
            check=self.check_images,
            output=self.check_output,
            recall=self.recall,
            clock=self.clock,
        )
        self.revoke = RevokeSubject(self.people, self.store, self.gallery, self.erasure_signer)
        self.erase_home = EraseHome(home_store, self.custody, turn, self.erasure_signer)
        self.rotate = RotateKeys(self.store, self.custody, self.gallery, turn)
        self.holds = HoldDesk(FileHoldStore(self.path / "holds.json"), self.clock)
        self.periods = Periods()
        retention_store = SqlRetentionStore(self.database)
        self.retention = EnforceRetention(
            retention_store,
            self.holds,
            self.periods,
            {"consents": self.consent_requests.sweep, "sightings": self.my_checks.sweep},
            self.clock,
        )
        self.export_subject = ExportSubject(
            people=self.people,
            store=self.store,
            keys=SubjectKeyRing(self.store, self.custody),
            presence=self.verify_actor,
            aliases=self.aliases,
            grants=self.grants,
            tokens=self.consent_tokens,
            requests=self.consent_requests,
            contests=self.contests,
            checks=self.my_checks,
            openings=retention_store.openings_of,
            holds=self.holds,
            periods=self.periods,
            clock=self.clock,
        )
        self.export_backup = ExportBackup(
            self.store,
            SqlAliasStore(self.database),
            SqlContestStore(self.database),
            SqlBackupKeyStore(self.database),
            header,
            self.custody,
        )
        self.restore_backup = RestoreBackup(home_store, self.custody, self.gallery)

    def _give_consents(self) -> None:
        self.intent = INTENT
        self.own_passphrases = OwnPassphrases(self.store, self.custody, self.clock, cost=CHEAP)
        self.verify_actor = VerifyActor(self.store, self.custody, self.own_passphrases)
        signer = TokenSigner(private_key=self.signing_key, issuer="urn:test")
        keys = SubjectKeyRing(self.store, self.custody)
        tokens = SqlConsentTokenStore(self.database)
        self.grants = GrantDesk(SqlGrantStore(self.database), keys, self.verify_actor, self.clock)
        self.consent_tokens = TokenDesk(
            tokens,
            keys,
            signer,
            self.verify_actor,
            self.intent,
            self.clock,
            intimate_delay_s=self.intimate_delay_s,
        )
        self.consent_requests = RequestDesk(
            SqlRequestStore(self.database), keys, signer, self.verify_actor, self.clock
        )
        self.aliases = AliasBook(
            SqlAliasStore(self.database), self.store, self.custody, self.verify_actor, self.clock
        )
        self.contests = Contests(SqlContestStore(self.database), self.verify_actor, self.clock)
        self.feed = SqlFeed(self.database)
        self.set_policy = SetPolicy(self.store, self.verify_actor, self.gallery)
        self.consents = Consents(
            grants=self.grants,
            permits=ReadPermit(signer, tokens, keys),
            contests=self.contests,
            names=self.aliases,
            confirms=ConfirmSubject(self.store, keys, self.faces.model_id, UNLOCK_RULE),
            requests=self.consent_requests,
        )

    def services(self) -> Services:
        """The bundle that doors are given, with tokens, sessions and pairing of its own."""
        tokens = Tokens(MemoryTokenStore(), self.clock)
        return Services(
            retention=self.retention,
            holds=self.holds,
            periods=self.periods,
            export_subject=self.export_subject,
            check=self.check_images,
            check_output=self.check_output,
            my_checks=self.my_checks,
            recall=self.recall,
            judge_results=self.judge_results,
            news=ReadNews(self.feed, self.receipts, bytes(32)),
            look=LookAtFaces(self.faces, Limits()),
            enrol=self.enrol_subject,
            people=self.people,
            revoke=self.revoke,
            erase_home=self.erase_home,
            prove=ProveSubject(self.custody, self.own_passphrases),
            verify_actor=self.verify_actor,
            own_passphrases=self.own_passphrases,
            set_policy=self.set_policy,
            aliases=self.aliases,
            contests=self.contests,
            grants=self.grants,
            consent_tokens=self.consent_tokens,
            consent_requests=self.consent_requests,
            feed=self.feed,
            custody=self.custody,
            rotate_keys=self.rotate,
            gallery=self.gallery,
            export_backup=self.export_backup,
            restore_backup=self.restore_backup,
            receipts=self.receipts,
            signer=self.signer,
            log=self.log,
            publish_log=self.publish_log,
            audit=LiveAudit(self.log, self.publish_log, self.receipts),
            prove_receipt=ProveReceipt(self.receipts, ProveEntry(self.log, self.publish_log)),
            renew_log=RenewLog(self.log, self.publish_log),
            tokens=tokens,
            keys=ApiKeys(SqlKeyStore(self.database), self.clock),
            probes=ProbeBudget(SqlProbeStore(self.database), self.clock),
            sessions=Sessions(self.clock),
            pairing=PairingDesk(Ed25519PrivateKey.generate(), tokens, self.clock),
            limits=Limits(),
        )

    def create(self) -> TestHome:
        self.custody.create(PASSPHRASE)
        return self

    def close(self) -> None:
        for may_begin in self._held:
            may_begin.set()
        self.check_images.afterwards.close()
        self.custody.lock()
        self.database.close()

    def hold_afterwards(self) -> threading.Event:
        """Keep whatever is looked for after an answer from beginning, until the event is set."""
        may_begin = threading.Event()
        self.check_images.afterwards._worker.submit(may_begin.wait)
        self._held.append(may_begin)
        return may_begin

    def enrol(
        self,
        *colours,
        name: str = "Ada",
        policy: SubjectPolicy | None = None,
        own: Passphrase | None = None,
    ) -> Enrolled:
        photos = [picture(each) for each in colours]
        return self.enrol_subject(photos, name=name, policy=policy, own_passphrase=own)

    def give_own(self, subject: SubjectId, passphrase: Passphrase) -> None:
        """As if she had set it when she was enrolled, and has just proved herself by it."""
        key = SubjectKeyRing(self.store, self.custody).open(subject)
        sealed = self.own_passphrases.sealed(subject, key, passphrase)
        self.store.set_own_passphrase(subject, sealed)
        self.own_passphrases.prove(subject, passphrase)

    def check(
        self,
        *images: bytes,
        prompt: str | None = "make the sky blue",
        context: tuple[str, ...] = (),
        mode: Mode = Mode.ACT,
        purpose: Purpose = Purpose.EDIT,
        actor: SubjectId | None = None,
        **more,
    ) -> CheckResult:
        return self.check_images(
            CheckRequest(
                images=images,
                prompt=prompt,
                context=context,
                mode=mode,
                purpose=purpose,
                actor=actor,
                **({"region": None, "platform": None, "declares_minor": False} | more),
            )
        )
