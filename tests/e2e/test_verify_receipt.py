"""The script for auditors who do not trust us: real receipts hold, and nothing that was changed does."""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from consentry.checks.proving import ProveReceipt
from consentry.transparency.jwks import decode_base64url, encode_base64url
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.ports import WitnessReply
from consentry.transparency.proofs import LogProof
from consentry.transparency.publication import ProveEntry
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.witnessing import AddCheckpoint
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.logs import publisher

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_receipt.py"
WITNESS = NoteSigner(
    name="witness.example",
    type=SignatureType.COSIGNATURE,
    private_key=new_signing_key(lambda n: b"w" * n),
)
STRANGER = NoteSigner(
    name="witness.example",
    type=SignatureType.COSIGNATURE,
    private_key=new_signing_key(lambda n: b"s" * n),
)


class InProcessWitness:
    """Cosigns whatever it is given."""

    name, vkey = "w", WITNESS.vkey

    def __init__(self, clock):
        self._clock = clock

    def submit(self, old, proof, signed):
        asked = AddCheckpoint(old=old, proof=proof, signed=signed)
        return WitnessReply(signatures=(WITNESS.sign(asked.signed.note.text, self._clock.now()),))


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """What an auditor has in her hands: a folder with proof.json and jwks.json, and the log's key."""
    folder = tmp_path_factory.mktemp("auditor")
    home = TestHome(folder / "home")
    policy = TrustPolicy.parse(f"witness w {WITNESS.vkey}\nquorum w\n")
    publish = publisher(home.log, policy=policy, witnesses=[InProcessWitness(home.clock)])
    prove = ProveReceipt(home.receipts, ProveEntry(home.log, publish))
    results = [home.check(picture("red"), prompt=f"make it {n}") for n in range(9)]
    proved = prove(results[6].check, caller=None)
    document = {"receipt": proved.jws, "proof": str(proved.proof), "log_key": str(proved.log_key)}
    other = prove(results[7].check, caller=None)
    jwks = json.dumps(home.signer.jwks())
    (folder / "jwks.json").write_text(jwks)
    home.close()
    return folder, document, str(proved.log_key), {"receipt": other.jws, "proof": str(other.proof)}


@pytest.fixture
def judge(given, monkeypatch, capsys):
    """Run the script in this process: starting one for each change would take most of the time."""
    spec = importlib.util.spec_from_file_location("verify_receipt", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def judge(document, *options, keys="jwks.json"):
        folder = given[0]
        path = folder / "judged.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        monkeypatch.setattr(
            sys, "argv", ["verify", str(path), "--keys", str(folder / keys), *options]
        )
        code = script.main()
        return code, capsys.readouterr().err

    return judge


def run(folder, document, *options, keys="jwks.json"):
    (folder / "proof.json").write_text(
        document if isinstance(document, str) else json.dumps(document)
    )
    # -I: nothing of this repository is to be found.
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), "proof.json", "--keys", keys, *options],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_is_short_and_depends_on_cryptography_alone():
    text = SCRIPT.read_text()
    modules = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert len(text.splitlines()) < 200
    assert modules - set(sys.stdlib_module_names) == {"cryptography"}


def test_a_real_receipt_holds_with_its_witness(given):
    folder, document, log, _ = given
    done = run(folder, document, "--log", log, "--witness", str(WITNESS.vkey), "--quorum", "1")

    assert done.returncode == 0, done.stderr
    assert "in consentry.local/" in done.stdout
    assert "cosigned by 1 of 1" in done.stdout


def test_it_says_no_to_too_few_witnesses_and_to_other_keys(given, judge):
    folder, document, log, _ = given
    other_log = str(NoteSigner(
        name=log.split("+")[0], type=SignatureType.TEXT,
        private_key=new_signing_key(),
    ).vkey)  # fmt: skip
    (folder / "other.json").write_text('{"keys":[]}')

    for options, keys in (
        (["--log", log, "--witness", str(STRANGER.vkey), "--quorum", "1"], "jwks.json"),
        (["--log", log, "--quorum", "1"], "jwks.json"),
        (["--log", other_log], "jwks.json"),
        (["--log", log[:-3]], "jwks.json"),
        (["--log", log], "other.json"),
    ):
        code, said = judge(document, *options, keys=keys)
        assert code == 1
        assert said.startswith("DOES NOT HOLD")


def test_nothing_that_was_changed_holds(given, judge):
    _, document, log, other = given
    parsed = LogProof.parse(document["proof"])
    entry = base64.b64encode(parsed.entry).decode()
    header, payload, signature = document["receipt"].split(".")
    claims = json.loads(decode_base64url(payload))
    changed_claims = encode_base64url(json.dumps(claims | {"verdict": "refuse"}).encode())
    longer = encode_base64url(hashlib.sha256(b"x").digest())
    changes = [
        document | {"receipt": other["receipt"]},
        document | {"proof": other["proof"]},
        document | {"receipt": f"{header}.{changed_claims}.{signature}"},
        document | {"receipt": f"{header}.{payload}"},
        document | {"receipt": longer},
        document | {"proof": document["proof"].replace("index 7", "index 6")},
        document | {"proof": document["proof"].replace(entry, entry[:-4] + "AAAA")},
        document | {"proof": document["proof"].replace("\n10\n", "\n11\n")},
        document | {"proof": document["proof"].replace("tlog-proof@v1", "tlog-proof@v2")},
        document | {"proof": ""},
        {"receipt": document["receipt"]},
        "[]",
        "not json",
    ]
    lines = document["proof"].split("\n")
    changes.append(document | {"proof": "\n".join([*lines[:3], *lines[4:]])})
    changes.append(document | {"proof": "\n".join([*lines[:4], lines[3], *lines[4:]])})
    assert "index 7\n" in document["proof"]
    assert "\n10\n" in document["proof"]

    for number, change in enumerate(changes):
        assert judge(change, "--log", log)[0] == 1, number
    assert judge(document, "--log", log) == (0, "")
