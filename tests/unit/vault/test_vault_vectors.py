"""The published vectors of the sealed formats hold, and are what their script writes."""

from __future__ import annotations

import base64
import hashlib
import json
import runpy
from pathlib import Path

import pytest
from consentry.kernel import errors
from consentry.kernel.biometrics import SealedTemplate, as_embedding
from consentry.vault.backup import open_backup
from consentry.vault.envelope import BulkUnsealer, seal_template, unseal_template
from consentry.vault.header import open_header
from consentry.vault.keys import DataKey
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import PassphraseSource

FOLDER = Path(__file__).parents[2] / "vectors"
NAMES = ("sealed_template_v1.json", "vault_header_v1.json", "backup_v1.json")


def cases(name):
    tests = json.loads((FOLDER / name).read_text(encoding="utf-8"))["tests"]
    return [pytest.param(test, id=test["id"]) for test in tests]


def place_of(given):
    key = DataKey(bytes.fromhex(given["key"]))
    return {
        "key": key,
        "subject": given["subject"],
        "template": given["template"],
        "model": given["model"],
    }


def expects(test):
    assert test["result"] == "invalid"
    return pytest.raises(getattr(errors, test["error"]))


@pytest.mark.parametrize("test", cases("sealed_template_v1.json"))
def test_sealed_template(test):
    given = test["input"]
    sealed = SealedTemplate(bytes.fromhex(given["sealed"]))
    place = place_of(given)

    def opened():
        return unseal_template(sealed, **place, dimension=given["dimension"])

    def opened_in_bulk():
        unsealer = BulkUnsealer(place["model"], max(given["dimension"], 1))
        return unsealer.unseal(
            [place["subject"]], [place["template"]], [sealed], lambda _: place["key"]
        )[0]

    if test["result"] == "valid":
        output = test["output"]
        row = opened_in_bulk()
        assert opened().astype("<f4").tobytes().hex() == output["embedding"]
        assert row.astype("<f4").tobytes().hex() == output["embedding"]
        again = seal_template(
            as_embedding(row), **place, random=lambda _: bytes.fromhex(output["nonce"])
        )
        assert again.hex() == given["sealed"]
    else:
        with expects(test):
            opened()
        with expects(test):
            opened_in_bulk()


@pytest.mark.parametrize("test", cases("vault_header_v1.json"))
def test_vault_header(test):
    source = PassphraseSource(Passphrase(test["input"]["passphrase"]))
    header = bytes.fromhex(test["input"]["header"])

    if test["result"] == "valid":
        epochs = open_header(header, source).epochs
        assert {str(n): key.hex() for n, key in epochs.items()} == test["output"]["epochs"]
    else:
        with expects(test):
            open_header(header, source)


@pytest.mark.parametrize("test", cases("backup_v1.json"))
def test_backup(test):
    parts = json.loads((FOLDER / "backup_v1.json").read_text(encoding="utf-8"))["parts"]
    given = test["input"]
    encoded = [given["data"]] if "data" in given else [parts[name] for name in given["parts"]]
    data = b"".join(base64.b64decode(part) for part in encoded)
    passphrase = Passphrase(given["passphrase"])

    if test["result"] == "valid":
        payload = open_backup(data, passphrase)
        assert len(payload) == test["output"]["size"]
        assert hashlib.sha256(payload).hexdigest() == test["output"]["sha256"]
    else:
        with expects(test):
            open_backup(data, passphrase)


def test_the_vectors_are_what_their_script_writes():
    """Mended by: python tests/vectors/generate.py, and a look at the difference."""
    written = runpy.run_path(str(FOLDER / "generate.py"))["files"]()

    assert set(written) == set(NAMES)
    for name, content in written.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == content, name


@pytest.mark.parametrize("name", NAMES)
def test_vectors_say_no_more_often_than_yes(name):
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    results = [test["result"] for test in document["tests"]]

    assert results.count("invalid") > 3 * results.count("valid") > 0
    assert len({test["id"] for test in document["tests"]}) == len(results)


def test_the_examples_of_the_specifications_are_vectors():
    first = {
        name: json.loads((FOLDER / name).read_text(encoding="utf-8"))["tests"][0] for name in NAMES
    }
    template = first["sealed_template_v1.json"]["input"]
    parts = json.loads((FOLDER / "backup_v1.json").read_text(encoding="utf-8"))["parts"]
    names = (template[name].encode() for name in ("subject", "template"))
    binding = "01" + "".join(f"{len(name):04x}{name.hex()}" for name in names)
    backup = "".join(base64.b64decode(parts[name]).hex() for name in ("header", "only"))

    for spec, example in (
        ("sealed-template.md", template["sealed"]),
        ("sealed-template.md", binding),
        ("vault-header.md", first["vault_header_v1.json"]["input"]["header"]),
        ("sealed-backup.md", backup),
    ):
        text = (FOLDER.parents[1] / "docs" / "specs" / spec).read_text(encoding="utf-8")
        blocks = "".join(text.split("```")[1::2])
        hexadecimal = [
            word
            for word in blocks.split()
            if len(word) % 2 == 0 and set(word) <= set("0123456789abcdef")
        ]
        assert example in "".join(hexadecimal), spec
