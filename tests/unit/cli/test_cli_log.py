"""`log`, `witness` and `receipt verify` with proofs, on a data folder, without a companion or models."""

from __future__ import annotations

import json

import pytest
from consentry.cli.rim import run
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.notes import VerifierKey
from consentry.transparency.signing_key import create_signing_key
from consentry.transparency.tree import leaf_hash
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.terminal import Left


@pytest.fixture
def home(data_folder):
    """A home in the data folder that the commands work on, with five verdicts."""
    (data_folder / "keys").mkdir(parents=True, mode=0o700)
    home = TestHome(
        data_folder, signing_key=create_signing_key(data_folder / "keys" / "receipts.pem")
    )
    home.results = [home.check(picture((200, 0, 0)), prompt=f"make it {n}") for n in range(5)]
    yield home
    home.close()


@pytest.fixture
def at_terminal(home, capsys):
    def at_terminal(*arguments: str) -> Left:
        capsys.readouterr()
        code = run(list(arguments))
        return Left(code, *capsys.readouterr())

    return at_terminal


def published(at_terminal) -> SignedCheckpoint:
    return SignedCheckpoint.parse(at_terminal("log", "checkpoint", "--publish").out)


def test_a_head_is_printed_as_it_was_signed(at_terminal):
    assert "[not-found]" in at_terminal("log", "checkpoint").err
    signed = published(at_terminal)

    assert signed.checkpoint.size == 6
    signed.require_signed_by(VerifierKey.parse(at_terminal("log", "key").out.strip()))
    assert SignedCheckpoint.parse(at_terminal("log", "checkpoint").out) == signed


def test_a_receipt_is_proved_and_verified(at_terminal, home, tmp_path):
    proof = tmp_path / "proof.json"
    made = at_terminal("log", "prove", home.results[3].check, "--out", str(proof))
    verified = at_terminal("receipt", "verify", str(proof), "--json")

    assert made.code == verified.code == 0, verified.err
    assert verified.document["log_verified"] is True
    assert verified.document["log"]["index"] == 4
    assert ": proved" in at_terminal("receipt", "verify", str(proof)).out


def test_a_receipt_without_a_proof_is_verified_as_far_as_its_signature(at_terminal, home):
    verified = at_terminal("receipt", "verify", home.results[0].receipt.jws)

    assert verified.code == 0
    assert "not proved here" in verified.out


def test_a_proof_of_another_receipt_is_refused(at_terminal, home, tmp_path):
    documents = [at_terminal("log", "prove", home.results[n].check).document for n in range(2)]
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps(documents[0] | {"proof": documents[1]["proof"]}))

    assert "[proof-invalid]" in at_terminal("receipt", "verify", str(proof)).err


def test_a_proof_is_held_against_the_policy_that_is_given(at_terminal, home, tmp_path):
    document = at_terminal("log", "prove", home.results[0].check).document
    proof, receipt, policy = (tmp_path / name for name in ("p.tlog-proof", "r.txt", "policy"))
    proof.write_text(document["proof"])
    receipt.write_text(document["receipt"])
    policy.write_text(f"log {document['log_key']}\nquorum none\n")
    options = ("--proof", str(proof), "--policy", str(policy))
    assert at_terminal("receipt", "verify", str(receipt), *options).code == 0

    witness = at_terminal("witness", "key", "--name", "w.example").out.strip()
    policy.write_text(f"log {document['log_key']}\nwitness w {witness}\nquorum w\n")
    assert "[proof-invalid]" in at_terminal("receipt", "verify", str(receipt), *options).err
    policy.write_text("quorum none\n")
    assert "[proof-invalid]" in at_terminal("receipt", "verify", str(receipt), *options).err
    policy.write_text("nonsense\n")
    assert "[bad-request]" in at_terminal("receipt", "verify", str(receipt), *options).err


def test_a_policy_without_a_proof_is_not_passed_over(at_terminal, home, tmp_path):
    policy = tmp_path / "policy"
    policy.write_text("quorum none\n")
    left = at_terminal("receipt", "verify", home.results[0].receipt.jws, "--policy", str(policy))

    assert "[bad-request]" in left.err


def test_the_whole_log_is_verified_also_from_an_old_head(at_terminal, home, tmp_path):
    old = tmp_path / "old"
    old.write_text(str(published(at_terminal)))
    home.check(picture((200, 0, 0)))
    published(at_terminal)
    left = at_terminal("log", "verify", "--since", str(old), "--json")

    assert left.code == 0, left.err
    assert left.document["entries"] == 7
    assert left.document["heads"] == [7, 6]
    assert left.document["kinds"] == {"verdict allow": 6, "versions": 1}
    assert "All 7 entries" in at_terminal("log", "verify").out


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log_leaves SET entry = (SELECT entry FROM log_leaves WHERE leaf = 2) WHERE leaf = 3",
        "UPDATE log_leaves SET entry = CAST(replace(CAST(entry AS TEXT), 'allow', 'refuse') AS BLOB)",
        "DELETE FROM log_leaves WHERE leaf = 5",
        "UPDATE log_leaves SET entry = x'7b7d' WHERE leaf = 4",
    ],
)
def test_whatever_was_changed_is_noticed(at_terminal, home, change):
    published(at_terminal)
    home.database.held().execute(change)

    left = at_terminal("log", "verify")
    assert left.code != 0
    assert "[proof-invalid]" in left.err or "[storage-failed]" in left.err


def test_a_rewritten_log_of_the_same_length_is_not_signed(at_terminal, home):
    """Someone with the database changes an entry, and every hash that this changes."""
    published(at_terminal)
    database = home.database.held()
    database.execute(
        "UPDATE log_leaves SET entry = CAST(replace(CAST(entry AS TEXT), 'allow', 'refuse') AS BLOB)"
    )
    hashes = [leaf_hash(row[0]) for row in database.execute("SELECT entry FROM log_leaves")]
    assert len(hashes) == 6
    home.check(picture((200, 0, 0)))

    assert "[log-inconsistent]" in at_terminal("log", "checkpoint", "--publish").err


def test_renewing_is_asked_about_and_goes_on_under_another_origin(at_terminal, home):
    before = published(at_terminal).checkpoint
    left = at_terminal("log", "renew", "--yes")

    assert left.code == 0
    after = published(at_terminal).checkpoint
    assert after.origin != before.origin
    assert after.size == before.size + 1
    assert at_terminal("log", "verify").code == 0
