"""The composition root: builds concrete objects from settings, knows all classes, decides nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, FastAPI

from consentry import __version__
from consentry.accounts.budgets import ProbeBudget
from consentry.accounts.keys import ApiKeys
from consentry.accounts.pairing import PairingDesk
from consentry.accounts.sessions import Sessions
from consentry.accounts.tokens import Tokens
from consentry.api.app import create_app
from consentry.api.runtime import Shared
from consentry.api.work import Kind
from consentry.audit.live import LiveAudit
from consentry.checks.afterwards import LookAfterwards
from consentry.checks.check import CheckImages
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
from consentry.connectors.witnesses import HttpWitness
from consentry.dashboard.router import dashboard_router
from consentry.dashboard.visit import Place
from consentry.enrolment.aliases import AliasBook
from consentry.enrolment.backups import ExportBackup, RestoreBackup
from consentry.enrolment.contests import Contests
from consentry.enrolment.enrol import EnrolSubject
from consentry.enrolment.keys import SubjectKeyRing
from consentry.enrolment.passphrases import OwnPassphrases
from consentry.enrolment.people import EraseHome, People, ProveSubject, RevokeSubject, VerifyActor
from consentry.enrolment.policies import SetPolicy
from consentry.enrolment.reading import ReadingKeys
from consentry.enrolment.references import ReferenceGallery
from consentry.enrolment.rotation import RotateKeys
from consentry.enrolment.unlocking import ConfirmSubject
from consentry.faces.pipeline import open_pipeline
from consentry.faces.unlock import unlock_rule
from consentry.gallery.flat import FlatIndex
from consentry.grants.format import TokenSigner
from consentry.grants.grants import GrantDesk
from consentry.grants.permits import ReadPermit
from consentry.grants.requests import RequestDesk
from consentry.grants.tokens import TokenDesk
from consentry.imagery.exposure import ExposureReader
from consentry.imagery.limits import Limits
from consentry.imagery.persons import PersonDetector
from consentry.imagery.text import TextReader
from consentry.inference.registry import MODEL_FILES
from consentry.inference.sessions import ModelStore
from consentry.intent.engine import IntentEngine
from consentry.intent.ngrams import load_ngrams
from consentry.intent.paraphrase import THRESHOLDS, ParaphraseNetwork
from consentry.kernel.biometrics import as_pixels
from consentry.kernel.clock import Clock, SystemClock
from consentry.kernel.errors import (
    BadRequest,
    ModelUnavailable,
    ProofInvalid,
    SigningKeyUnusable,
    StorageFailed,
    StorageFull,
)
from consentry.rights.export import ExportSubject
from consentry.rights.holds import HoldDesk
from consentry.rights.retention import EnforceRetention
from consentry.services import Services
from consentry.settings import Settings
from consentry.storage.backup_keys import SqlBackupKeyStore
from consentry.storage.consent_requests import SqlRequestStore
from consentry.storage.consent_tokens import SqlConsentTokenStore
from consentry.storage.database import Database
from consentry.storage.feed import SqlFeed
from consentry.storage.grants import SqlGrantStore
from consentry.storage.head_memory import FileHeadMemory
from consentry.storage.hold_file import FileHoldStore
from consentry.storage.home import SqlHomeStore
from consentry.storage.keys import SqlKeyStore, SqlProbeStore
from consentry.storage.log import SqlLog
from consentry.storage.names import SqlAliasStore, SqlContestStore
from consentry.storage.receipts import SqlReceiptStore
from consentry.storage.retention import SqlRetentionStore
from consentry.storage.sightings import SqlSightingStore
from consentry.storage.subjects import SqlSubjectStore
from consentry.storage.tokens import SqlTokenStore
from consentry.storage.vault_header import SqlHeaderStore
from consentry.storage.witnessed import SqlWitnessMemory
from consentry.transparency.erasure import ErasureSigner
from consentry.transparency.jwks import JwkSet, thumbprint, to_jwks
from consentry.transparency.notes import NoteSigner, SignatureType, require_key_name
from consentry.transparency.policy import KnownLog, TrustPolicy
from consentry.transparency.publication import ProveEntry, PublishLog, RenewLog
from consentry.transparency.receipts import ReceiptSigner
from consentry.transparency.signing_key import create_signing_key, load_signing_key
from consentry.transparency.witnessing import Witness
from consentry.vault.custody import Custody
from consentry.vault.keys import derive

WORDS_OF_NO_LANGUAGE = "qzxk vwjq xkzv"
"""No lexicon knows them, so that the guesser of languages is asked, too, and loads."""

_MOST_ENGINE_THREADS = 4


@dataclass(frozen=True, slots=True)
class Home:
    """One open data folder.

    Attributes:
        settings: It was opened with.
        services: Its use cases.
        database: Its store, for `consentry db`.
        shared: What the applications of this process share.
    """

    settings: Settings
    services: Services
    database: Database
    shared: Shared

    @property
    def app(self) -> FastAPI:
        """The API for callers in this process, who own the home."""
        return socket_app(self, port=None)

    def warm_up(self) -> None:
        """Load what the first check would wait for: the lexicons, and the models."""
        self.services.check.intent.assess(WORDS_OF_NO_LANGUAGE)
        # Missing models are told by `serve` when it starts, and by /readyz.
        with suppress(ModelUnavailable):
            _look_at_nothing(self.services)


@contextmanager
def open_home(settings: Settings) -> Iterator[Home]:
    """Open the data folder, making it on first use; lock the vault and close on leaving.

    Raises:
        StorageFailed, StorageFull: If the folder or the database cannot be made or read.
        SigningKeyUnusable: If a key of the installation is lost or not private any more.
    """
    _make_private_folder(settings.home)
    database = Database.open(settings.database_path)
    try:
        shared = Shared.make(worker_threads=settings.worker_threads)
        home = Home(settings, _services(settings, database, SystemClock()), database, shared)
        # What lapsed while nothing ran. A full disk must not keep the home from opening: it is of no
        # use to anybody any more, and `serve` tries again every minute.
        with suppress(StorageFailed, StorageFull):
            home.services.consent_requests.sweep()
            home.services.my_checks.sweep()
        try:
            yield home
        finally:
            home.services.check.afterwards.close()
            home.services.custody.lock()
    finally:
        database.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDesk:
    """The transparency log of a data folder, beside whatever else runs on it. Needs no models.

    Attributes:
        store, publish, prove, renew: As in `consentry.services.Services`.
        receipt_keys: What verifies this installation's receipts.
        contests: Two who claim one face.
    """

    store: SqlLog
    publish: PublishLog
    prove: ProveReceipt
    renew: RenewLog
    receipt_keys: JwkSet
    contests: SqlContestStore

    def open_contests(self) -> int:
        """Return how many contested identities wait to be settled."""
        return len(self.contests.all())

    @property
    def policy(self) -> TrustPolicy:
        """Trust in this log, with the quorum that is configured."""
        with self.store.view() as view:
            own = self.publish.vkey(view.origin)
        return replace(self.publish.policy, logs=(KnownLog(vkey=own),))


@contextmanager
def open_log(settings: Settings) -> Iterator[LogDesk]:
    """Open the log of a data folder.

    Raises:
        StorageFailed, StorageFull: If the database cannot be opened.
        SigningKeyUnusable: If a key of the installation is lost or not private any more.
    """
    _make_private_folder(settings.home)
    database = Database.open(settings.database_path)
    try:
        clock = SystemClock()
        log = _log(settings, database, clock)
        receipts = SqlReceiptStore(database, log)
        publish = _publisher(settings, log, clock)
        receipt_key = _installation_key(
            settings.keys_dir / "receipts.pem", is_in_use=receipts.count() > 0
        )
        yield LogDesk(
            store=log,
            publish=publish,
            prove=ProveReceipt(receipts, ProveEntry(log, publish)),
            renew=RenewLog(log, publish),
            receipt_keys=to_jwks([receipt_key.public_key()]),
            contests=SqlContestStore(database),
        )
    finally:
        database.close()


@contextmanager
def open_witness(settings: Settings, name: str, policy: Path) -> Iterator[Witness]:
    """Open the witness of a data folder, which cosigns the logs of a trust policy.

    Raises:
        BadRequest: If the policy cannot be read or does not hold, or the name is none for a key.
        StorageFailed, StorageFull: If the database cannot be opened.
    """
    _make_private_folder(settings.home)
    database = Database.open(settings.database_path)
    try:
        yield Witness(
            SqlWitnessMemory(database),
            read_trust_policy(policy),
            witness_signer(settings, name),
            SystemClock(),
        )
    finally:
        database.close()


def witness_signer(settings: Settings, name: str) -> NoteSigner:
    """Return the key of this installation's witness, made on first use."""
    try:
        require_key_name(name)
    except ProofInvalid as cause:
        raise BadRequest(f"That is no name for a witness. {cause}") from cause
    _make_private_folder(settings.home)
    key = _identity_key(settings.keys_dir / "witness.pem")
    return NoteSigner(name=name, type=SignatureType.COSIGNATURE, private_key=key)


def tcp_app(home: Home, port: int) -> FastAPI:
    """Build what answers on the loopback port: the API and the dashboard, to whoever proves it."""
    return _app(
        home,
        port=port,
        host_allowlist=_names_of(home.settings.host),
        trusted_socket=False,
        pages=partial(_pages, home),
    )


def socket_app(home: Home, port: int | None) -> FastAPI:
    """Build what answers on the 0600 unix socket: the API, every caller of which owns the home."""
    return _app(
        home, port=port, host_allowlist=frozenset({"localhost"}), trusted_socket=True, pages=None
    )


def _app(
    home: Home,
    *,
    port: int | None,
    host_allowlist: frozenset[str],
    trusted_socket: bool,
    pages: Callable[[], APIRouter] | None,
) -> FastAPI:
    settings = home.settings
    return create_app(
        home.services,
        host_allowlist=host_allowlist,
        max_body_bytes=settings.max_body_bytes,
        worker_threads=settings.worker_threads,
        trusted_socket=trusted_socket,
        version=__version__,
        shared=home.shared,
        pages=pages,
        address=lambda: None if port is None else f"http://{_in_url(settings.host)}:{port}",
        probes=(partial(_look_at_nothing, home.services),),
        log_public=settings.log_public,
    )


def _pages(home: Home) -> APIRouter:
    return dashboard_router(
        home.services,
        place=Place(
            data_folder=home.settings.home,
            idle_lock_s=home.settings.idle_lock_s,
            max_body_bytes=home.settings.max_body_bytes,
        ),
        limiter=home.shared.work.limiter(Kind.PICTURES),
    )


def _names_of(host: str) -> frozenset[str]:
    return frozenset({_in_url(host), "localhost"})


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _look_at_nothing(services: Services) -> None:
    """Find out whether the models that every check needs are there and are the pinned ones."""
    nothing = as_pixels(np.zeros((64, 64, 3), np.uint8))
    services.look.faces.observe(nothing, thorough=False)
    services.check.text.read(nothing)


def intent_engine(models: ModelStore) -> IntentEngine:
    """Build the reader of prompts: the rules, and the classifiers of what no rule foresees."""
    return IntentEngine(ParaphraseNetwork(models, load_ngrams()), THRESHOLDS)


def _services(settings: Settings, database: Database, clock: Clock) -> Services:
    limits = Limits(max_bytes=settings.max_image_bytes)
    log = _log(settings, database, clock)
    subjects, receipts = SqlSubjectStore(database), SqlReceiptStore(database, log)
    header, home_store = SqlHeaderStore(database), SqlHomeStore(database)
    custody = Custody(header, clock, idle_lock_s=settings.idle_lock_s)
    models = ModelStore(settings.models_dir, threads=_engine_threads(settings))
    faces = open_pipeline(settings.model, models)
    intent = intent_engine(models)
    gallery = ReferenceGallery(
        subjects,
        custody,
        model=faces.model_id,
        dimension=faces.dimension,
        new_index=FlatIndex,
    )
    people = People(subjects, custody)
    turn = threading.Lock()
    signing_key = _installation_key(
        settings.keys_dir / "receipts.pem",
        is_in_use=receipts.count() > 0 or log.published() is not None,
    )
    signer = ReceiptSigner(private_key=signing_key, issuer=_issuer(signing_key), clock=clock)
    erasure_signer = ErasureSigner(private_key=signing_key, issuer=signer.issuer, clock=clock)
    publish_log = _publisher(settings, log, clock)
    tokens = Tokens(SqlTokenStore(database), clock)
    token_signer = TokenSigner(private_key=signing_key, issuer=signer.issuer)
    own_passphrases = OwnPassphrases(subjects, custody, clock)
    subject_keys = SubjectKeyRing(subjects, custody)
    verify_actor = VerifyActor(subjects, custody, own_passphrases)
    token_store = SqlConsentTokenStore(database)
    grants = GrantDesk(SqlGrantStore(database), subject_keys, verify_actor, clock)
    alias_store, contest_store = SqlAliasStore(database), SqlContestStore(database)
    aliases = AliasBook(alias_store, subjects, custody, verify_actor, clock)
    contests = Contests(contest_store, verify_actor, clock)
    requests = RequestDesk(
        SqlRequestStore(database), subject_keys, token_signer, verify_actor, clock
    )
    consents = Consents(
        grants=grants,
        permits=ReadPermit(token_signer, token_store, subject_keys),
        contests=contests,
        names=aliases,
        confirms=ConfirmSubject(
            subjects, subject_keys, faces.model_id, unlock_rule(faces.model_id)
        ),
        requests=requests,
    )
    persons = PersonDetector(models)
    reading_keys = ReadingKeys(subject_keys, own_passphrases)
    seal_sighting, sightings = SealSighting(reading_keys), SqlSightingStore(database)
    my_checks = ReadMyChecks(
        sightings,
        receipts,
        reading_keys,
        verify_actor,
        clock,
        kept_days=settings.sightings_days,
    )
    token_desk = TokenDesk(
        token_store,
        subject_keys,
        token_signer,
        verify_actor,
        intent,
        clock,
        intimate_delay_s=settings.intimate_delay_s,
    )
    holds = HoldDesk(FileHoldStore(settings.holds_path), clock)
    retention_store = SqlRetentionStore(database)
    check = CheckImages(
        faces=faces,
        persons=persons,
        text=TextReader(models),
        gallery=gallery,
        intent=intent,
        consents=consents,
        signer=signer,
        receipts=receipts,
        sightings=seal_sighting,
        afterwards=LookAfterwards(SearchFaces(faces, gallery), seal_sighting, sightings, receipts),
        limits=limits,
        clock=clock,
    )
    check_output = CheckOutput(
        faces=faces,
        persons=persons,
        exposure=ExposureReader(models),
        gallery=gallery,
        consents=consents,
        signer=signer,
        receipts=receipts,
        sightings=seal_sighting,
        limits=limits,
        clock=clock,
    )
    recall = RecallCheck(receipts, signer)
    return Services(
        retention=EnforceRetention(
            retention_store,
            holds,
            settings.periods,
            {"consents": requests.sweep, "sightings": my_checks.sweep},
            clock,
        ),
        holds=holds,
        periods=settings.periods,
        export_subject=ExportSubject(
            people=people,
            store=subjects,
            keys=subject_keys,
            presence=verify_actor,
            aliases=aliases,
            grants=grants,
            tokens=token_desk,
            requests=requests,
            contests=contests,
            checks=my_checks,
            openings=retention_store.openings_of,
            holds=holds,
            periods=settings.periods,
            clock=clock,
        ),
        check=check,
        check_output=check_output,
        judge_results=JudgeResults(check=check, output=check_output, recall=recall, clock=clock),
        my_checks=my_checks,
        recall=recall,
        news=ReadNews(SqlFeed(database), receipts, _cursor_secret(signing_key)),
        look=LookAtFaces(faces=faces, limits=limits),
        enrol=EnrolSubject(
            own=own_passphrases,
            faces=faces,
            store=subjects,
            custody=custody,
            people=people,
            gallery=gallery,
            limits=limits,
            clock=clock,
            turn=turn,
        ),
        people=people,
        revoke=RevokeSubject(people, subjects, gallery, erasure_signer),
        erase_home=EraseHome(home_store, custody, turn, erasure_signer),
        prove=ProveSubject(custody, own_passphrases),
        verify_actor=verify_actor,
        own_passphrases=own_passphrases,
        set_policy=SetPolicy(subjects, verify_actor, gallery),
        aliases=aliases,
        contests=contests,
        grants=grants,
        consent_tokens=token_desk,
        consent_requests=requests,
        feed=SqlFeed(database),
        custody=custody,
        rotate_keys=RotateKeys(subjects, custody, gallery, turn),
        gallery=gallery,
        export_backup=ExportBackup(
            subjects, alias_store, contest_store, SqlBackupKeyStore(database), header, custody
        ),
        restore_backup=RestoreBackup(home_store, custody, gallery),
        receipts=receipts,
        signer=signer,
        log=log,
        publish_log=publish_log,
        audit=LiveAudit(log, publish_log, receipts),
        prove_receipt=ProveReceipt(receipts, ProveEntry(log, publish_log)),
        renew_log=RenewLog(log, publish_log),
        tokens=tokens,
        keys=ApiKeys(SqlKeyStore(database), clock),
        probes=ProbeBudget(SqlProbeStore(database), clock),
        sessions=Sessions(clock),
        pairing=PairingDesk(_identity_key(settings.keys_dir / "identity.pem"), tokens, clock),
        limits=limits,
    )


def _engine_threads(settings: Settings) -> int:
    # A check has seldom more than four runs that do not wait for each other.
    return settings.engine_threads or min(os.cpu_count() or 1, _MOST_ENGINE_THREADS)


def _issuer(key: Ed25519PrivateKey) -> str:
    """Name the installation by its key (RFC 9278): nothing else needs to be registered or kept."""
    return f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint(key.public_key())}"


def _cursor_secret(key: Ed25519PrivateKey) -> bytes:
    """Derive what seals the cursors of the feed: it lasts as long as the installation does."""
    return derive(key.private_bytes_raw(), b"consentry/v1/feed/cursor")


def _log(settings: Settings, database: Database, clock: Clock) -> SqlLog:
    return SqlLog(
        database,
        FileHeadMemory(settings.log_memory_path),
        name=settings.log_name,
        program=__version__,
        models={name: model.sha256 for name, model in sorted(MODEL_FILES.items())},
        clock=clock,
    )


def _publisher(settings: Settings, log: SqlLog, clock: Clock) -> PublishLog:
    policy = read_trust_policy(settings.log_policy)
    key = _installation_key(settings.keys_dir / "log.pem", is_in_use=log.published() is not None)
    return PublishLog(
        log,
        log.memory,
        NoteSigner(name=settings.log_name, type=SignatureType.TEXT, private_key=key),
        policy,
        tuple(HttpWitness(each) for each in policy.witnesses if each.url is not None),
        clock,
    )


def read_trust_policy(path: Path | None) -> TrustPolicy:
    """Read whose witness is wanted and believed; without a file, nobody's.

    Raises:
        BadRequest: If the file cannot be read, or does not hold.
    """
    if path is None:
        return TrustPolicy()
    try:
        return TrustPolicy.parse(path.read_text("utf-8", "surrogateescape"))
    except (OSError, ProofInvalid) as cause:
        what = cause.strerror if isinstance(cause, OSError) else cause
        raise BadRequest(f"The trust policy cannot be used: {what}") from cause


def _installation_key(path: Path, *, is_in_use: bool) -> Ed25519PrivateKey:
    if path.exists() or is_in_use:
        # After its first signature a missing key is a loss to be told, not an occasion for a new one.
        return load_signing_key(path)
    return _new_key(path)


def _identity_key(path: Path) -> Ed25519PrivateKey:
    return load_signing_key(path) if path.exists() else _new_key(path)


def _new_key(path: Path) -> Ed25519PrivateKey:
    _make_private_folder(path.parent)
    try:
        return create_signing_key(path)
    except SigningKeyUnusable:
        if not path.exists():
            raise
        return load_signing_key(path)  # another process, started at the same time, made it


def _make_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as cause:
        raise StorageFailed(
            f"The data folder cannot be made ({cause.strerror}). Mend its permissions, or choose "
            "another one with CONSENTRY_HOME."
        ) from cause
