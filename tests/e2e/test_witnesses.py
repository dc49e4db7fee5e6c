"""Two operators witness each other, over real HTTP servers: neither can show two histories."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from consentry.api.witness_app import witness_app
from consentry.connectors.witnesses import HttpWitness
from consentry.kernel.errors import LogInconsistent, NotReady, ProofInvalid
from consentry.storage.database import Database
from consentry.storage.log import Item, SqlLog
from consentry.storage.witnessed import SqlWitnessMemory
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.publication import ProveEntry, PublishLog
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.witnessing import Witness
from fakes.logs import log_of, publisher
from fakes.manual_clock import ManualClock

pytestmark = pytest.mark.e2e


@contextmanager
def served(app):
    """Serve an application on a free port, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Operator:
    """A log and a witness of one operator, in one home."""

    name: str
    log: SqlLog
    signer: NoteSigner
    seed: int

    @classmethod
    def at(cls, path, name, seed):
        database = Database.open(path / name / "consentry.db")
        signer = NoteSigner(
            name=f"{name}.example/witness",
            type=SignatureType.COSIGNATURE,
            private_key=new_signing_key(lambda n: bytes([100 + seed]) * n),
        )
        return cls(name, log_of(database, name=f"{name}.example/log"), signer, seed)

    def append(self, count):
        with self.log.database.writing() as session:
            self.log.append(session, [Item(entry=b"%d" % n) for n in range(count)])

    def log_line(self):
        with self.log.view() as view:
            return f"log {publisher(self.log, seed=self.seed).vkey(view.origin)}\n"

    def app(self, others):
        policy = TrustPolicy.parse("".join(each.log_line() for each in others) + "quorum none\n")
        memory = SqlWitnessMemory(self.log.database)
        return witness_app(Witness(memory, policy, self.signer, ManualClock()))

    def publishing(self, witnesses, quorum) -> PublishLog:
        """Witnesses: pairs of an operator and a URL."""
        lines = [f"witness {each.name} {each.signer.vkey} {url}\n" for each, url in witnesses]
        policy = TrustPolicy.parse(self.log_line() + "".join(lines) + quorum)
        ways = [HttpWitness(each) for each in policy.witnesses]
        return publisher(self.log, seed=self.seed, policy=policy, witnesses=ways)

    def origin(self):
        with self.log.view() as view:
            return view.origin


@pytest.fixture
def operators(tmp_path):
    made = [Operator.at(tmp_path, name, seed) for seed, name in enumerate(("ada", "eve", "ida"))]
    yield made
    for each in made:
        each.log.database.close()


def test_two_operators_witness_each_other(operators):
    ada, eve, _ = operators
    with served(ada.app([eve])) as ada_url, served(eve.app([ada])) as eve_url:
        for one, other, url in ((ada, eve, eve_url), (eve, ada, ada_url)):
            publish = one.publishing([(other, url)], f"quorum {other.name}\n")
            for _ in range(3):
                one.append(40)
                publish()
            proof = ProveEntry(one.log, publish)(one.origin(), 100)
            proof.verify(publish.policy)
            assert publish.policy.witnesses_of(proof.signed).keys() == {other.name}

            origin_hash = hashlib.sha256(one.origin().encode()).hexdigest()
            shown = httpx.get(f"{url}/{origin_hash}/checkpoint").text
            assert SignedCheckpoint.parse(shown).checkpoint == proof.signed.checkpoint


def test_a_log_whose_database_was_put_back_is_known_by_its_witness_alone(operators):
    """The memory beside the database was put back too: only the other operator remembers."""
    ada, eve, _ = operators
    with served(eve.app([ada])) as url:
        publish = ada.publishing([(eve, url)], "quorum eve\n")
        ada.append(10)
        publish()
        with ada.log.database.writing() as session:
            connection = session.connection()
            kept = connection.exec_driver_sql("SELECT * FROM log_state").fetchone()
        ada.append(10)
        publish()

        ada.log.memory.path.unlink()
        database = ada.log.database.held()
        database.execute("DELETE FROM log_leaves WHERE leaf >= 10")
        database.execute("DELETE FROM log_checkpoints")
        database.execute("UPDATE log_state SET size = 10, frontier = ?", (kept[3],))
        ada.append(3)

        with pytest.raises(LogInconsistent, match="larger"):
            ada.publishing([(eve, url)], "quorum eve\n")()
        ada.append(50)
        with pytest.raises(LogInconsistent, match="refuses"):
            ada.publishing([(eve, url)], "quorum eve\n")()


def test_one_witness_that_is_away_does_not_matter_when_the_quorum_says_so(operators):
    ada, eve, ida = operators
    with served(eve.app([ada])) as url:
        ada.append(5)
        witnesses = [(eve, url), (ida, "http://127.0.0.1:9/")]
        publish = ada.publishing(witnesses, "group g any eve ida\nquorum g\n")
        publish.policy.require_quorum(publish())
        assert ada.log.published() is not None

        ada.append(5)
        strict = ada.publishing(witnesses, "group g all eve ida\nquorum g\n")
        with pytest.raises(ProofInvalid):
            strict.policy.require_quorum(strict())
        with pytest.raises(NotReady):
            ProveEntry(ada.log, strict)(ada.origin(), 7)
        assert ada.log.published().checkpoint.size == 5


def test_a_witness_answers_only_what_it_is_for(operators):
    ada, eve, _ = operators
    with served(eve.app([ada])) as url, httpx.Client(base_url=url) as client:
        assert client.get("/add-checkpoint").status_code == 405
        assert client.get(f"/{'0' * 64}/checkpoint").status_code == 404
        assert client.get("/../checkpoint").status_code == 404
        assert client.post("/add-checkpoint", content=b"hello").status_code == 400
        with suppress(httpx.TransportError):  # it may hang up while we are still sending
            assert client.post("/add-checkpoint", content=bytes(2**20)).status_code == 413
