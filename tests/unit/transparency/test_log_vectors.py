"""The vectors of the log, run by our code and by the script for auditors who do not trust it."""

from __future__ import annotations

import importlib.util
import json
from base64 import b64decode
from pathlib import Path

import pytest
from consentry.kernel import errors
from consentry.transparency.entries import Opening, decode_entry
from consentry.transparency.jwks import encode_base64url, parse_jwks
from consentry.transparency.logged import verify_logged
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.proofs import LogProof
from consentry.transparency.receipts import verify_receipt
from consentry.transparency.tree import Frontier, leaf_hash, root
from fakes.trees import WholeTree

TESTS = json.loads((Path(__file__).parents[2] / "vectors" / "log_v1.json").read_text())["tests"]
SCRIPT = Path(__file__).parents[3] / "docs" / "verify_receipt.py"


def of(kind: str):
    found = [test for test in TESTS if test["id"].startswith(f"{kind}: ")]
    return pytest.mark.parametrize("test", found, ids=[test["id"] for test in found])


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("verify_receipt", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@of("entry")
def test_entries(test):
    data = b64decode(test["input"]["entry"])
    if test["result"] == "invalid":
        with pytest.raises(getattr(errors, test["error"])):
            decode_entry(data)
        return
    decode_entry(data)
    assert leaf_hash(data) == b64decode(test["output"]["leaf_hash"])
    opening = Opening(salt=b64decode(test["input"]["salt"]), values=test["input"]["values"])
    made = {name: encode_base64url(opening.commit(name)) for name in opening.values}
    assert made == test["output"]["commitments"]
    assert all(commitment.encode() in data for commitment in made.values())


def verify(given) -> dict[str, object]:
    claims = verify_receipt(given["receipt"], parse_jwks(json.dumps(given["jwks"])))
    proof = LogProof.parse(given["proof"])
    entry = verify_logged(given["receipt"], claims, proof, TrustPolicy.parse(given["policy"]))
    checkpoint = proof.signed.checkpoint
    return {
        "origin": checkpoint.origin,
        "index": proof.index,
        "size": checkpoint.size,
        "verdict": entry.verdict.value,
    }


@of("proof")
def test_proofs(test):
    if test["result"] == "valid":
        assert verify(test["input"]) == test["output"]
    else:
        with pytest.raises(getattr(errors, test["error"])):
            verify(test["input"])


@of("proof")
def test_the_auditors_script_agrees(test, script):
    given = test["input"]
    policy = TrustPolicy.parse(given["policy"])
    if not policy.logs:
        pytest.skip("the script is always given a log")
    log, witnesses = str(policy.logs[0].vkey), [str(each.vkey) for each in policy.witnesses]

    def judged():
        return script.verify(given, given["jwks"], log, witnesses, 1)

    if test["result"] == "valid":
        assert judged()["verdict"] == test["output"]["verdict"]
    else:
        doubts = (script.Doubt, script.InvalidSignature, ValueError, KeyError)
        with pytest.raises(doubts):
            judged()


@of("root")
def test_roots(test):
    tree = WholeTree.of(test["input"]["size"])

    expected = b64decode(test["output"]["root"])
    assert root(tree, len(tree.leaves)) == expected
    assert Frontier.empty().append(tree.leaves)[0].root() == expected
