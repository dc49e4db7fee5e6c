"""A real log in SQLite, a copy of it that can be tampered with, and what an auditor needs to look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from consentry.audit.examine import Terms
from consentry.checks.ports import DraftReceipt
from consentry.kernel.errors import NotFound
from consentry.kernel.ids import new_check_id
from consentry.kernel.taxonomy import Mode, PublicReason, Purpose, Verdict
from consentry.storage.receipts import SqlReceiptStore
from consentry.transparency.checkpoints import Checkpoint, SignedCheckpoint
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import KnownLog, TrustPolicy
from consentry.transparency.receipts import ReceiptInputs, ReceiptSigner, ReceiptStatement
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.tiles import encode_bundle
from consentry.transparency.tree import Frontier, leaf_hash
from fakes.logs import database_at, log_of, publisher
from fakes.manual_clock import ManualClock

ENGINES = {"faces": "mfn192+sface@1", "intent": "composition@2"}
DAY = date(2026, 11, 22)
REFUSED = (PublicReason.REVEALING_REAL_PERSON,)


class KeptLog:
    """A log that verdicts are kept in."""

    def __init__(self, path, clock=None) -> None:
        self.clock = clock or ManualClock()
        self.database = database_at(path / "consentry.db")
        self.log = log_of(self.database, self.clock)
        self.publish = publisher(self.log)
        self.store = SqlReceiptStore(self.database, self.log)
        self.signer = ReceiptSigner(
            private_key=new_signing_key(lambda n: b"\7" * n), issuer="urn:test", clock=self.clock
        )
        self.receipts: list[str] = []

    def keep(self, verdict=Verdict.ALLOW, reasons=(), *, purpose=Purpose.EDIT, engines=None):
        engines = engines or ENGINES
        statement = ReceiptStatement(
            check=new_check_id(),
            mode=Mode.ACT,
            verdict=verdict,
            reasons=reasons,
            obligations=(),
            policy_version="consentry-policy@2",
            engines=engines,
        )
        inputs = ReceiptInputs(
            images=(b"picture",),
            prompt=None,
            context=(),
            purpose=purpose,
            region="GB",
            platform="site",
        )
        draft = self.signer.draft(statement, inputs)
        signed: list[str] = []

        def sign(place):
            signed.append(draft.sign(place))
            return signed[-1]

        self.store.add(
            DraftReceipt(
                check=statement.check,
                issued_at=self.clock.now(),
                verdict=verdict,
                reasons=reasons,
                policy_version=statement.policy_version,
                engines=engines,
                platform="site",
                purpose=purpose,
                region="GB",
                caller="key_x",
                sign=sign,
            )
        )
        self.receipts.append(signed[-1])

    def copy(self) -> Copy:
        """Publish, and take all of it."""
        self.publish()
        with self.log.view() as view:
            return Copy([data for _, data in view.entries()], list(view.heads()), view.origin)

    @property
    def vkey(self):
        with self.log.view() as view:
            return self.publish.vkey(view.origin)

    def terms(self, **more) -> Terms:
        return Terms(
            policy=TrustPolicy(logs=(KnownLog(vkey=self.vkey),)),
            keys=self.signer.jwks(),
            **more,
        )


@dataclass
class Copy:
    """Entries and heads in memory: an operator who can show whatever he likes."""

    entries: list[bytes]
    shown: list[SignedCheckpoint]
    origin: str
    has_tree: bool = False
    missing: set = field(default_factory=set)

    def heads(self):
        return tuple(self.shown)

    def read(self, tile):
        if tile in self.missing or tile.level is not None:
            raise NotFound("gone")
        return encode_bundle(self.entries[tile.first : tile.first + tile.width])

    def sign(self, seed=1) -> SignedCheckpoint:
        """Sign what is there now, with the log's own key: the operator himself forges."""
        signer = NoteSigner(
            name=self.origin,
            type=SignatureType.TEXT,
            private_key=new_signing_key(lambda n: bytes([seed]) * n),
        )
        frontier, _ = Frontier.empty().append(map(leaf_hash, self.entries))
        head = Checkpoint(origin=self.origin, size=len(self.entries), root=frontier.root())
        return SignedCheckpoint.sign(head, signer, datetime(2026, 11, 22, tzinfo=UTC))
