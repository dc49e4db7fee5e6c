"""The vectors of erasure receipts, run by our code and by the script for people who do not trust it."""

from __future__ import annotations

import argparse
import json
import runpy
import sys
from pathlib import Path

import pytest
from consentry.kernel import errors
from consentry.kernel.ids import SubjectId
from consentry.transparency.erasure import (
    ErasedEntry,
    require_about,
    require_logged,
    verify_erasure,
)
from consentry.transparency.jwks import decode_base64url, encode_base64url, parse_jwks
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.proofs import LogProof

FOLDER = Path(__file__).parents[2] / "vectors"
DOCS = Path(__file__).parents[3] / "docs"
VECTORS = json.loads((FOLDER / "erasure_v1.json").read_text(encoding="utf-8"))
TESTS = VECTORS["tests"]


def verify(given):
    claims = verify_erasure(given["receipt"], parse_jwks(json.dumps(VECTORS["jwks"])))
    entries = [
        ErasedEntry(
            subject=SubjectId(each["subject"]),
            entry=decode_base64url(each["entry"]),
            salt=decode_base64url(each["salt"]),
        )
        for each in given["entries"]
    ]
    if entries:
        require_about(claims, entries)
    if given["proofs"]:
        proofs = [LogProof.parse(each) for each in given["proofs"]]
        policy = TrustPolicy.parse(given["policy"])
        require_logged(claims, [each.entry for each in entries], proofs, policy)
    return claims


def test_the_file_is_what_its_generator_writes():
    generator = runpy.run_path(str(FOLDER / "make_erasure_v1.py"))

    assert (FOLDER / "erasure_v1.json").read_text(encoding="utf-8") == generator["text"]()


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test["id"])
def test_each_vector_gives_its_result(test):
    if test["result"] == "invalid":
        with pytest.raises(getattr(errors, test["error"])):
            verify(test["input"])
        return
    claims = verify(test["input"])
    assert test["output"] == {
        "iss": claims.issuer,
        "jti": claims.erasure,
        "iat": int(claims.erased_at.timestamp()),
        "scope": claims.scope.value,
        "people": claims.people,
        "destroyed": dict(claims.destroyed),
        "entries": encode_base64url(claims.entries),
        "log": claims.log,
    }


# The script reads the values of claims as they are, and entries in any spelling.
SHOWN = [
    test
    for test in TESTS
    if test["input"]["entries"] and test["id"] != "an entry in another spelling"
]


@pytest.mark.parametrize("test", SHOWN, ids=lambda test: test["id"])
def test_the_script_for_everybody_agrees(test, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    script = runpy.run_path(str(DOCS / "verify_erasure.py"))
    given = test["input"]
    policy = TrustPolicy.parse(given["policy"])
    asked = argparse.Namespace(
        log=str(policy.logs[0].vkey) if given["proofs"] else None,
        witness=[str(each.vkey) for each in policy.witnesses],
        quorum=len(policy.witnesses),
    )

    def judged():
        return script["verify"](given, VECTORS["jwks"], asked)

    if test["result"] == "valid":
        assert judged()["proved"] == len(given["proofs"])
    else:
        known = script["known"]
        with pytest.raises((known.Doubt, script["InvalidSignature"], ValueError, KeyError)):
            judged()
