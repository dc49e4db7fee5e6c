"""The vectors of the export: whoever has the entries makes the same files; the schema is what is written."""

from __future__ import annotations

import base64
import hashlib
import json
import runpy
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from consentry.audit.beside import (
    Beside,
    Stated,
    Tried,
    engine_rates,
    tried,
)
from consentry.audit.canary import Canary, Probe, Trial
from consentry.audit.examine import Terms, examine
from consentry.audit.export import FIGURES, export_files
from consentry.audit.figures import figures_of
from consentry.audit.live import LiveAudit
from consentry.audit.openings import parse_openings
from consentry.audit.rates import measured_rates
from consentry.audit.recompute import recomputed
from consentry.imagery.exposure import EXPOSURE_ENGINE
from consentry.kernel.errors import BadRequest
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.notes import VerifierKey
from consentry.transparency.policy import KnownLog, TrustPolicy
from fakes.audited_log import DAY, Copy, KeptLog

ROOT = Path(__file__).parents[3]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "audit_export_v1.json").read_text())
SCHEMA = json.loads((ROOT / "docs" / "specs" / "audit-export.schema.json").read_text())
NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = VerifierKey.parse(VECTORS["key"])


def audited(change: int | None = None):
    entries = [base64.b64decode(each) for each in VECTORS["entries"]]
    if change is not None:
        entries[change] = entries[change].replace(b'"verdict":"refuse"', b'"verdict":"allow"')
        entries[change] = entries[change].replace(b"revealing_real_person", b"minor")
    signed = SignedCheckpoint.parse(VECTORS["checkpoint"])
    terms = Terms(
        policy=TrustPolicy(logs=(KnownLog(vkey=KEY),)),
        openings=parse_openings(VECTORS["openings"]),
    )
    return examine(Copy(entries, [signed], signed.checkpoint.origin), terms)


@pytest.mark.parametrize("case", VECTORS["tests"], ids=lambda case: case["id"])
def test_an_export_is_what_the_vectors_say(case):
    text = json.dumps(VECTORS["figures"], indent=1, ensure_ascii=False) + "\n"
    if "replace" in case:
        text = text.replace(*case["replace"])
    read = audited(case.get("entry"))
    if case.get("error") == "rewritten":
        assert "rewritten" in {each.kind.value for each in read.findings}
        return

    digests = dict(VECTORS["sha256"])
    found = recomputed(read, lambda name: text.encode() if name == FIGURES else b"")
    differing = {each.message.split()[0] for each in found}

    if case["result"] == "valid":
        assert FIGURES not in differing
        assert hashlib.sha256(text.encode()).hexdigest() == digests[FIGURES]
    else:
        assert case["error"] in {each.kind.value for each in found}
        assert hashlib.sha256(text.encode()).hexdigest() != digests[FIGURES]


def test_the_script_writes_the_same_bytes_again():
    path = ROOT / "tests" / "vectors" / "audit_export_v1.json"
    before = path.read_bytes()
    runpy.run_path(str(path.with_name("make_audit_export_v1.py")))["main"]()

    assert path.read_bytes() == before


def test_every_file_has_the_digest_of_the_vectors():
    made = figures_of(
        audited(),
        VECTORS["figures"]["threshold"],
        measured_rates(["mfn192+sface@1"]),
        Beside(
            engine_rates=engine_rates(["composition@13", "mfn192+sface@1"]),
            stated=Stated(day=DAY, contests_open=7),
            tried=(Tried(trial=Trial.STRANGER, sent=40, right=39),),
        ),
    )

    digests = {name: hashlib.sha256(data).hexdigest() for name, data in export_files(made).items()}
    assert digests == VECTORS["sha256"]


def test_the_figures_are_as_the_schema_says():
    jsonschema.validate(VECTORS["figures"], SCHEMA, jsonschema.Draft202012Validator)


def test_the_figures_of_a_live_log_are_as_the_schema_says(tmp_path):
    kept = KeptLog(tmp_path)
    kept.keep()
    kept.publish()
    made = json.loads(LiveAudit(kept.log, kept.publish, kept.store).figures(10))

    jsonschema.validate(made, SCHEMA, jsonschema.Draft202012Validator)
    assert made["stated"] is None


@pytest.mark.parametrize("drop", sorted(SCHEMA["required"]))
def test_the_schema_wants_every_member(drop):
    document = {name: value for name, value in VECTORS["figures"].items() if name != drop}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA, jsonschema.Draft202012Validator)


def test_engines_that_were_announced_have_their_rates_and_others_none():
    both = engine_rates(["composition@13", EXPOSURE_ENGINE, "unknown@9"])

    assert {each.engine for each in both} == {"composition@13", EXPOSURE_ENGINE}
    assert all(0 <= each.rate <= 1 and each.of > 0 for each in both)
    assert all((ROOT / each.source).is_file() for each in both)
    assert engine_rates(["unknown@9"]) == ()


def test_few_appeals_are_held_back_and_none_and_many_are_not():
    def shown(count):
        stated = Stated(day=DAY, contests_open=count)
        return Beside(stated=stated).held_back(10).stated.contests_open

    assert [shown(count) for count in (0, 1, 9, 10, 400)] == [0, None, None, 10, 400]


@pytest.mark.parametrize("data", [b"{", b"{}", b'{"format": "consentry.audit-stated/1"}'])
def test_what_states_nothing_is_refused(data):
    with pytest.raises(BadRequest):
        Stated.parse(data)
    stated = Stated(day=DAY, contests_open=3)
    assert Stated.parse(stated.written()) == stated


def test_probes_are_added_up_by_trial():
    def probe(trial, verdict, reasons=()):
        return Probe(
            at=NOW,
            trial=trial,
            was_protected=True,
            verdict=verdict,
            reasons=reasons,
            receipt="",
        )

    wrong = probe(Trial.STRANGER, Verdict.REFUSE, (PublicReason.UNREADABLE,))
    canary = Canary(
        server="s",
        subject="x",
        keys="{}",
        enrolled_at=NOW,
        probes=(probe(Trial.STRANGER, Verdict.ALLOW), wrong),
    )

    assert tried([canary, canary]) == (Tried(trial=Trial.STRANGER, sent=4, right=2),)
