"""An auditor at a running installation: she reads the log, its figures, and receipts that she picks; nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from consentry.accounts.principals import AUDITOR_SCOPES, PLATFORM_SCOPES, Scope
from consentry.audit.beside import Beside, engine_rates
from consentry.audit.examine import Terms, examine
from consentry.audit.export import FIGURES, export_files
from consentry.audit.figures import figures_of
from consentry.audit.rates import measured_rates
from consentry.audit.sources import ViewedLog
from consentry.intent.engine import ENGINE_VERSION
from consentry.transparency.entries import VerdictEntry, decode_entry, receipt_digest
from consentry.transparency.policy import KnownLog, TrustPolicy
from consentry.transparency.receipts import verify_receipt
from fakes.coloured_faces import picture
from fakes.site import is_problem

RED = (200, 0, 0)
HERS = {
    ("get", "/log/checkpoint"),
    ("get", "/log/key"),
    ("get", "/log/tile/{path}"),
    ("get", "/v1/audit/receipts"),
    ("get", "/v1/audit/figures"),
}
OPEN = {
    ("get", "/.well-known/jwks.json"),
    ("get", "/.well-known/consentry"),
    ("get", "/healthz"),
    ("get", "/v1/holds"),
    ("get", "/v1/inventory"),
    ("get", "/v1/policy"),
    ("get", "/v1/reasons"),
    ("post", "/v1/identity/challenge"),
    ("post", "/v1/pairings/confirm"),
    ("post", "/v1/pairings/hello"),
}
"""Open to everybody, or to whoever has any credential; none says anything about anybody."""
OPENAPI = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
OPERATIONS = sorted((verb, path) for path, item in OPENAPI["paths"].items() for verb in item)


@pytest.fixture
def audited(lit):
    """Ten verdicts about an enrolled person, published."""
    lit.home.enrol(RED)
    for n in range(4):
        lit.home.check(picture(RED), prompt=f"make the sky {n}")
    lit.home.publish_log.batch()
    lit.auditor = lit.bearer(*AUDITOR_SCOPES)
    return lit


def test_an_auditor_gets_nothing_but_the_log_its_figures_and_samples(audited):
    reached = set()
    for verb, path in OPERATIONS:
        address = path.replace("{path}", "0/000.p/6").replace("{", "").replace("}", "")
        answer = audited.auditor.request(
            verb.upper(), address + ("?leaf=1" if path == "/v1/audit/receipts" else "")
        )
        assert answer.status_code != 500
        if answer.status_code not in {401, 403}:
            reached.add((verb, path))

    assert reached == HERS | OPEN


def test_what_is_open_to_everybody_tells_an_auditor_no_subject(audited):
    subject = audited.home.people.all()[0].subject

    for verb, path in OPERATIONS:
        if verb == "get" and "{" not in path:
            assert subject not in audited.auditor.get(path).text


def test_the_receipts_that_she_picks_are_those_of_the_entries(audited):
    picked = [1, 2, 4]
    found = audited.auditor.get("/v1/audit/receipts", params={"leaf": picked}).json()["receipts"]

    assert [each["index"] for each in found] == picked
    with audited.home.log.view() as view:
        for each in found:
            entry = decode_entry(view.entry(each["index"]))
            assert isinstance(entry, VerdictEntry)
            assert entry.receipt == receipt_digest(each["receipt"])
            claims = verify_receipt(each["receipt"], audited.home.signer.jwks())
            assert claims.log.index == each["index"]


def test_an_entry_that_is_no_verdict_has_no_receipt(audited):
    found = audited.auditor.get("/v1/audit/receipts", params={"leaf": 0}).json()

    assert found["receipts"] == []


def test_what_is_not_published_is_not_sampled(audited):
    audited.home.check(picture(RED))
    beyond = audited.auditor.get("/v1/audit/receipts", params={"leaf": 12})

    assert is_problem(beyond, 404, "not-found")


@pytest.mark.parametrize("leaf", [[], [-1], list(range(101)), ["x"]])
def test_a_sample_is_bounded(audited, leaf):
    refused = audited.auditor.get("/v1/audit/receipts", params={"leaf": leaf})

    assert is_problem(refused, 400, "bad-request")


def test_the_figures_are_those_that_anybody_makes_from_the_entries(audited):
    home = audited.home
    answered = audited.auditor.get("/v1/audit/figures", params={"threshold": 1})
    with home.log.view() as view:
        policy = TrustPolicy(logs=(KnownLog(vkey=home.publish_log.vkey(view.origin)),))
        made = examine(ViewedLog(view), Terms(policy=policy))
    engines = [home.faces.model_id, ENGINE_VERSION]
    beside = Beside(engine_rates=engine_rates(engines))
    files = export_files(figures_of(made, 1, measured_rates(engines), beside))

    assert answered.content == files[FIGURES]
    assert answered.json()["entries"]["verdict"] == 4
    assert audited.auditor.get("/v1/audit/figures", params={"threshold": 1}).content == (
        answered.content
    )


def test_small_counts_are_held_back_unless_asked_otherwise(audited):
    held = audited.auditor.get("/v1/audit/figures", params={"threshold": 11}).json()

    assert held["entries"]["verdict"] is None


def test_before_anything_is_published_there_are_no_figures(lit):
    auditor = lit.bearer(*AUDITOR_SCOPES)

    assert is_problem(auditor.get("/v1/audit/figures"), 404, "not-found")
    assert is_problem(auditor.get("/v1/audit/receipts?leaf=0"), 404, "not-found")


def test_a_platform_and_other_tokens_are_no_auditors(audited):
    _, secret = audited.services.keys.issue("t", "p", PLATFORM_SCOPES, expires_in_days=None)
    platform = audited.client(authorization=f"Bearer {secret}")

    for client in (platform, audited.bearer(Scope.RECEIPTS_READ)):
        assert is_problem(client.get("/v1/audit/figures"), 403, "forbidden")
    assert is_problem(platform.get("/log/checkpoint"), 403, "forbidden")
