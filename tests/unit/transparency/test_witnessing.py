"""A witness cosigns one history of each log that it knows, and says what it saw to whoever lags behind."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from consentry.storage.database import Database
from consentry.storage.witnessed import SqlWitnessMemory
from consentry.transparency.checkpoints import Checkpoint, SignedCheckpoint
from consentry.transparency.notes import NoteSignature, NoteSigner, SignatureType
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.tree import consistency_proof, root
from consentry.transparency.witnessing import SIZE_TYPE, AddCheckpoint, Witness
from fakes.manual_clock import ManualClock
from fakes.trees import WholeTree

TREE, FORK = WholeTree.of(40), WholeTree(list(reversed(WholeTree.of(40).leaves)))


def signer(name, kind=SignatureType.TEXT, seed=1):
    return NoteSigner(
        name=name, type=kind, private_key=new_signing_key(lambda n: bytes([seed]) * n)
    )


LOG = signer("log.example/one")
KEY = signer("witness.example", SignatureType.COSIGNATURE, 2)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def witness(tmp_path, clock):
    database = Database.open(tmp_path / "consentry.db")
    policy = TrustPolicy.parse(f"log {LOG.vkey}\nquorum none\n")
    yield Witness(SqlWitnessMemory(database), policy, KEY, clock)
    database.close()


def head(size, tree=TREE, by=LOG, origin="log.example/one"):
    checkpoint = Checkpoint(origin=origin, size=size, root=root(tree, size))
    return SignedCheckpoint.sign(checkpoint, by, ManualClock().now())


def request(old, new, tree=TREE, **changed) -> bytes:
    proof = consistency_proof(tree, old, new) if 0 <= old <= new else ()
    asked = AddCheckpoint(
        old=old, proof=changed.pop("proof", proof), signed=head(new, tree, **changed)
    )
    return str(asked).encode()


def cosigned_at(answer, size, tree=TREE):
    assert answer.status == 200, answer.body
    line = NoteSignature.parse(answer.body.removesuffix("\n"))
    return head(size, tree).note.with_signatures([line]).signed_by([KEY.vkey])[KEY.vkey]


def test_heads_that_go_on_from_each_other_are_cosigned(witness, clock):
    for old, new in [(0, 3), (3, 3), (3, 17), (17, 40)]:
        clock.advance(10)
        assert cosigned_at(witness.add_checkpoint(request(old, new)), new) == clock.now()


def test_an_empty_log_is_cosigned_and_goes_on(witness):
    assert witness.add_checkpoint(request(0, 0)).status == 200
    assert witness.add_checkpoint(request(0, 5)).status == 200


def test_a_fork_is_refused_and_the_first_history_goes_on(witness):
    witness.add_checkpoint(request(0, 10))

    assert witness.add_checkpoint(request(10, 20, FORK)).status == 422
    assert witness.add_checkpoint(request(10, 10, FORK)).status == 422
    assert witness.add_checkpoint(request(10, 20)).status == 200


def test_whoever_expects_another_size_is_told_the_right_one(witness):
    witness.add_checkpoint(request(0, 10))

    for old, new in [(0, 20), (7, 20), (12, 20)]:
        answer = witness.add_checkpoint(request(old, new))
        assert (answer.status, answer.body, answer.media_type) == (409, "10\n", SIZE_TYPE)


def test_a_log_that_went_back_is_told_what_was_seen(witness):
    witness.add_checkpoint(request(0, 10))

    assert witness.add_checkpoint(request(0, 5)).body == "10\n"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b""),
        (400, b"old 0\n"),
        (400, b"old -1\n\n" + request(0, 3).split(b"\n\n", 1)[1]),
        (400, b"old 00\n\n" + request(0, 3).split(b"\n\n", 1)[1]),
        (400, b"\xff"),
        (400, request(5, 3)),
        (400, request(0, 3, proof=(bytes(32),) * 64)),
        (404, request(0, 3, origin="log.example/two", by=signer("log.example/two"))),
        (403, request(0, 3, by=signer("log.example/one", seed=9))),
        (403, request(0, 3).replace(b"\n3\n", b"\n4\n")),
        (422, request(0, 3, proof=(bytes(32),))),
    ],
)
def test_what_is_refused_is_refused_in_the_words_of_the_protocol(witness, status, body):
    answer = witness.add_checkpoint(body)

    assert answer.status == status, answer.body
    assert witness.add_checkpoint(request(0, 3)).status == 200, "nothing was remembered of it"


def test_a_clock_that_goes_back_never_makes_a_smaller_head_the_later_one(witness, clock):
    clock.advance(1_000)
    before = cosigned_at(witness.add_checkpoint(request(0, 10)), 10)
    clock.advance(timedelta(days=-3).total_seconds())
    after = cosigned_at(witness.add_checkpoint(request(10, 20)), 20)

    assert after >= before


def test_the_last_head_is_shown_with_both_signatures_and_no_other(witness):
    stranger = signer("stranger.example", seed=7)
    asked = AddCheckpoint.parse(request(0, 12))
    note = asked.signed.note
    crowded = AddCheckpoint(
        old=0,
        proof=(),
        signed=SignedCheckpoint(
            checkpoint=asked.signed.checkpoint,
            note=note.with_signatures([stranger.sign(note.text, ManualClock().now())]),
        ),
    )
    witness.add_checkpoint(str(crowded).encode())
    shown = witness.checkpoint(hashlib.sha256(b"log.example/one").hexdigest())

    found = SignedCheckpoint.parse(shown).note
    assert set(found.signed_by([LOG.vkey, KEY.vkey])) == {LOG.vkey, KEY.vkey}
    assert len(found.signatures) == 2
    assert witness.checkpoint("0" * 64) is None


def test_a_request_is_read_as_it_was_written():
    body = request(7, 30)

    assert str(AddCheckpoint.parse(body)).encode() == body
