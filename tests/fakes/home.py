"""A home with everything real (vault, SQLite, gallery, laws, intent, receipts) but the eyes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from consentry.accounts.budgets import ProbeBudget
from consentry.accounts.keys import ApiKeys
from consentry.accounts.pairing import PairingDesk
from consentry.accounts.sessions import Sessions
from consentry.accounts.tokens import Tokens
from consentry.checks.check import CheckImages, CheckRequest, CheckResult
from consentry.checks.look import LookAtFaces
from consentry.enrolment.backups import ExportBackup, RestoreBackup
from consentry.enrolment.enrol import Enrolled, EnrolSubject
from consentry.enrolment.people import EraseHome, People, RevokeSubject, VerifyActor
from consentry.enrolment.references import ReferenceGallery
from consentry.enrolment.rotation import RotateKeys
from consentry.gallery.flat import FlatIndex
from consentry.imagery.limits import Limits
from consentry.intent.engine import IntentEngine
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import Mode, Purpose, SubjectPolicy
from consentry.services import Services
from consentry.storage.database import Database
from consentry.storage.home import SqlHomeStore
from consentry.storage.keys import SqlKeyStore, SqlProbeStore
from consentry.storage.receipts import SqlReceiptStore
from consentry.storage.subjects import SqlSubjectStore
from consentry.storage.vault_header import SqlHeaderStore
from consentry.transparency.receipts import ReceiptSigner
from consentry.vault.custody import Custody
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import Argon2Cost
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fakes.coloured_faces import DIMENSION, ColouredFaces, picture
from fakes.manual_clock import ManualClock
from fakes.staged_persons import StagedPersons
from fakes.token_store import MemoryTokenStore

PASSPHRASE = Passphrase("correct horse battery staple")
CHEAP = Argon2Cost(memory_kib=8 * 1024, iterations=1, lanes=1)


@dataclass
class TestHome:
    """See the module. ``path`` may be opened by several at once, as by several processes."""

    __test__ = False

    path: Path
    idle_lock_s: float = 900.0

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.database = Database.open(self.path / "consentry.db")
        self.store = SqlSubjectStore(self.database)
        self.receipts = SqlReceiptStore(self.database)
        header, home_store = SqlHeaderStore(self.database), SqlHomeStore(self.database)
        self.custody = Custody(header, self.clock, idle_lock_s=self.idle_lock_s, cost=CHEAP)
        self.faces = ColouredFaces()
        self.persons = StagedPersons()
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
            private_key=Ed25519PrivateKey.generate(), issuer="urn:test", clock=self.clock
        )
        self.enrol_subject = EnrolSubject(
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
            gallery=self.gallery,
            intent=IntentEngine(),
            signer=self.signer,
            receipts=self.receipts,
            limits=Limits(),
            clock=self.clock,
        )
        self.revoke = RevokeSubject(self.people, self.store, self.gallery)
        self.erase_home = EraseHome(home_store, self.custody, turn)
        self.verify_actor = VerifyActor(self.store, self.custody)
        self.rotate = RotateKeys(self.store, self.custody, self.gallery, turn)
        self.export_backup = ExportBackup(self.store, header, self.custody)
        self.restore_backup = RestoreBackup(home_store, self.custody, self.gallery)

    def services(self) -> Services:
        """The bundle that doors are given, with tokens, sessions and pairing of its own."""
        tokens = Tokens(MemoryTokenStore(), self.clock)
        return Services(
            check=self.check_images,
            look=LookAtFaces(self.faces, Limits()),
            enrol=self.enrol_subject,
            people=self.people,
            revoke=self.revoke,
            erase_home=self.erase_home,
            verify_actor=self.verify_actor,
            custody=self.custody,
            rotate_keys=self.rotate,
            gallery=self.gallery,
            export_backup=self.export_backup,
            restore_backup=self.restore_backup,
            receipts=self.receipts,
            signer=self.signer,
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
        self.custody.lock()
        self.database.close()

    def enrol(self, *colours, name: str = "Ada", policy: SubjectPolicy | None = None) -> Enrolled:
        return self.enrol_subject([picture(each) for each in colours], name=name, policy=policy)

    def check(
        self,
        *images: bytes,
        prompt: str | None = "make the sky blue",
        context: tuple[str, ...] = (),
        mode: Mode = Mode.ACT,
        purpose: Purpose = Purpose.EDIT,
        actor: SubjectId | None = None,
    ) -> CheckResult:
        return self.check_images(
            CheckRequest(
                images=images,
                prompt=prompt,
                context=context,
                mode=mode,
                purpose=purpose,
                region=None,
                platform=None,
                actor=actor,
                declares_minor=False,
            )
        )
