"""A bundle of use cases for pages: real custody, sessions, pairing and signatures; faces and store in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from consentry.accounts.pairing import PairingDesk
from consentry.accounts.sessions import Sessions
from consentry.checks.check import CheckRequest, CheckResult
from consentry.checks.pictures import ImageReport
from consentry.checks.ports import StoredReceipt
from consentry.consent.decision import Decision, Law
from consentry.enrolment.backups import BackupKind, Restored
from consentry.enrolment.people import Person
from consentry.faces.detect import DetectedFace
from consentry.kernel.biometrics import Box
from consentry.kernel.errors import ConsentryError, NotFound, UnknownImageFormat
from consentry.kernel.ids import CheckId, ModelId, SubjectId
from consentry.kernel.taxonomy import (
    Assessment,
    IntentCategory,
    PrivateReason,
    PublicReason,
    SubjectPolicy,
    Verdict,
)
from consentry.rights.holds import HoldDesk
from consentry.rights.periods import Periods
from consentry.services import Services
from consentry.transparency.erasure import ErasedEntry, SignedErasure
from consentry.transparency.receipts import ReceiptInputs, ReceiptSigner, ReceiptStatement
from consentry.vault.custody import Custody, VaultState
from consentry.vault.rootkey import MIN_MEMORY_KIB, Argon2Cost
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fakes.header_store import MemoryHeaderStore
from fakes.manual_clock import ManualClock

MODEL = ModelId("mfn192+mfn512@1")
PASSPHRASE = "correct horse battery staple"
WHEN = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


@dataclass
class MemoryPeople:
    """Who is enrolled, as `People` tells it: names only while unlocked."""

    custody: Custody
    rows: list[Person] = field(default_factory=list)

    def all(self) -> tuple[Person, ...]:
        if self.custody.state is VaultState.UNLOCKED:
            return tuple(self.rows)
        return tuple(replace(person, name=None) for person in self.rows)


@dataclass
class MemoryEnrol:
    people: MemoryPeople
    fails_with: Exception | None = None
    photos: tuple[bytes, ...] = ()

    def __call__(self, photos, *, name, policy, own_passphrase=None):
        self.photos = tuple(photos)
        if self.fails_with is not None:
            raise self.fails_with
        self.people.custody.keys()
        self.people.rows.append(
            Person(
                subject=SubjectId(f"sub_{len(self.people.rows)}"),
                name=name,
                policy=policy or SubjectPolicy.EVERY_EDIT,
                enrolled_at=WHEN,
                templates={MODEL: len(self.photos)},
                has_own_passphrase=own_passphrase is not None,
            )
        )


class NoHolds:
    def all(self):
        return ()


ERASURE = SignedErasure(
    jws="a.b.c", erasure="ers_1", entries=[ErasedEntry(subject="sub_0", entry=b"e", salt=b"s")]
)


@dataclass
class MemoryRevoke:
    people: MemoryPeople

    def __call__(self, subject):
        if all(person.subject != subject for person in self.people.rows):
            raise NotFound("Nobody is enrolled under that name or identifier.")
        self.people.rows = [p for p in self.people.rows if p.subject != subject]
        return ERASURE


@dataclass
class MemoryEraseHome:
    people: MemoryPeople

    def __call__(self):
        self.people.rows = []
        return ERASURE


@dataclass
class MemoryReceipts:
    rows: list[StoredReceipt] = field(default_factory=list)

    def add(self, receipt):
        self.rows.insert(0, receipt)

    def get(self, check):
        for row in self.rows:
            if row.check == check:
                return row
        raise NotFound("There is no receipt of that check.")

    def newest(self, limit, before):
        return [r for r in self.rows if before is None or r.issued_at < before][:limit]

    def count(self):
        return len(self.rows)


@dataclass
class ScriptedCheck:
    """Answers by a word in the prompt, with real receipts."""

    signer: ReceiptSigner
    receipts: MemoryReceipts
    clock: ManualClock
    requests: list[CheckRequest] = field(default_factory=list)
    fails_with: Exception | None = None

    def __call__(self, request: CheckRequest) -> CheckResult:
        self.requests.append(request)
        if self.fails_with is not None:
            raise self.fails_with
        self.clock.advance(1)
        check = CheckId(f"chk_{len(self.requests)}")
        decision = _decision(request.prompt or "")
        receipt = self.signer.sign(
            ReceiptStatement(
                check=check,
                mode=request.mode,
                verdict=decision.verdict,
                reasons=decision.reasons,
                obligations=(),
                policy_version="consentry-policy@1",
                engines={"faces": MODEL, "intent": "english-rules@1"},
            ),
            ReceiptInputs(
                images=request.images,
                prompt=request.prompt,
                context=(),
                purpose=request.purpose,
                region=request.region,
                platform=None,
            ),
        )
        self.receipts.add(
            StoredReceipt(
                check=check,
                issued_at=self.clock.now(),
                verdict=decision.verdict,
                reasons=decision.reasons,
                jws=receipt.jws,
            )
        )
        return CheckResult(
            check=check,
            decision=decision,
            assessment=Assessment(
                category=IntentCategory.NONE,
                spans=(),
                language="en",
                is_readable=True,
                has_text=request.prompt is not None,
                has_age_cue=False,
                refers_to_person=False,
            ),
            images=tuple(_report(image) for image in request.images),
            receipt=receipt,
            policy_version="consentry-policy@1",
            model=MODEL,
            intent_engine="english-rules@1",
        )


def _decision(prompt: str) -> Decision:
    verdict, reasons, private = Verdict.ALLOW, (), ()
    if "bikini" in prompt:
        verdict = Verdict.REFUSE
        reasons, private = (PublicReason.REVEALING_REAL_PERSON,), (PrivateReason.FACE_IN_PICTURE,)
    elif "hat" in prompt:
        verdict = Verdict.NEEDS_CONSENT
        reasons, private = (PublicReason.CONSENT_REQUIRED,), (PrivateReason.SUBJECT_PRESENT,)
    return Decision(
        verdict=verdict,
        reasons=reasons,
        private_reasons=private,
        obligations=(),
        law=Law.NONE,
        subjects=(),
        checked=True,
    )


def _report(image: bytes) -> ImageReport:
    if image.startswith(b"not a picture"):
        error = UnknownImageFormat("This is not one of the formats that are read.")
        return ImageReport(error=error, width=0, height=0, views=0, faces=())
    face = DetectedFace(box=Box(175.0, 60.0, 98.0, 125.0), landmarks=None, score=0.9)
    return ImageReport(error=None, width=512, height=512, views=1, faces=(face,))


@dataclass(frozen=True)
class SeenQuality:
    issues: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeenFace:
    quality: SeenQuality = SeenQuality()


@dataclass(frozen=True)
class Seen:
    faces: tuple[SeenFace, ...]


@dataclass
class ScriptedLook:
    """Sees as many faces as it was told to."""

    faces: tuple[SeenFace, ...] = (SeenFace(),)
    frames: list[bytes] = field(default_factory=list)

    def __call__(self, image):
        self.frames.append(image)
        return Seen(self.faces)


@dataclass
class ScriptedActor:
    problem: ConsentryError | None = None

    def __call__(self, subject):
        if self.problem is not None:
            raise self.problem
        return subject


@dataclass
class SealedFile:
    def __call__(self, passphrase, kind):
        return b"sealed" if kind is BackupKind.APART else b"sealed, all in one"

    def key_file(self, passphrase):
        return "consentry-backup-keys/1\n"


@dataclass
class ScriptedRestore:
    data: bytes = b""
    keys: int = 0

    def __call__(self, data, passphrase, keys):
        self.data, self.keys = data, len(keys)
        return Restored(subjects=1, closed=0)


def build_services(clock: ManualClock) -> Services:
    key = Ed25519PrivateKey.generate()
    custody = Custody(
        MemoryHeaderStore(),
        clock,
        idle_lock_s=900.0,
        cost=Argon2Cost(memory_kib=MIN_MEMORY_KIB, iterations=1, lanes=1),
    )
    people, receipts = MemoryPeople(custody), MemoryReceipts()
    signer = ReceiptSigner(private_key=key, issuer="urn:test", clock=clock)
    return Services(
        retention=None,
        holds=HoldDesk(NoHolds(), clock),
        periods=Periods(),
        export_subject=None,
        check=ScriptedCheck(signer, receipts, clock),
        check_output=None,
        judge_results=None,
        my_checks=None,
        recall=None,
        news=None,
        look=ScriptedLook(),
        enrol=MemoryEnrol(people),
        people=people,
        revoke=MemoryRevoke(people),
        erase_home=MemoryEraseHome(people),
        prove=None,
        verify_actor=ScriptedActor(),
        own_passphrases=None,
        set_policy=None,
        aliases=None,
        contests=None,
        grants=None,
        consent_tokens=None,
        consent_requests=None,
        feed=None,
        custody=custody,
        rotate_keys=None,
        gallery=None,
        export_backup=SealedFile(),
        restore_backup=ScriptedRestore(),
        receipts=receipts,
        signer=signer,
        log=None,
        audit=None,
        publish_log=None,
        prove_receipt=None,
        renew_log=None,
        tokens=None,
        keys=None,
        probes=None,
        sessions=Sessions(clock),
        pairing=PairingDesk(key, None, clock),
        limits=None,
    )
