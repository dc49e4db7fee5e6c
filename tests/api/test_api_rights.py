"""What is kept, holds, retention and a copy, over HTTP."""

from __future__ import annotations

import pytest
from consentry.accounts.principals import Scope
from fakes.site import is_problem

RED, BLUE = (200, 0, 0), (0, 0, 200)
HOLD = {"reason": "Case 12/26", "placed_by": "operator", "until": "2026-02-01T00:00:00Z"}


def test_whoever_has_a_credential_reads_what_is_kept_and_for_how_long(lit):
    answer = lit.bearer(Scope.CHECKS_WRITE).get("/v1/inventory").json()

    by_name = {each["name"]: each for each in answer["kept"]}
    assert "1095 days" in by_name["receipts"]["ends"]
    assert by_name["templates"]["plain"]
    assert answer["holds"] == []


def test_a_hold_is_placed_seen_by_everybody_and_lifted_by_the_owner(lit):
    placed = lit.owner().post("/v1/holds", json=HOLD)
    seen = lit.bearer(Scope.CHECKS_WRITE).get("/v1/holds").json()["holds"]

    assert placed.status_code == 201
    assert [each["reason"] for each in seen] == ["Case 12/26"]
    assert lit.owner().get("/v1/inventory").json()["holds"] == seen
    assert lit.owner().delete(f"/v1/holds/{seen[0]['hold']}").status_code == 204
    assert is_problem(lit.owner().delete(f"/v1/holds/{seen[0]['hold']}"), 404, "not-found")


@pytest.mark.parametrize("change", [{"until": "2029-01-01T00:00:00Z"}, {"reason": ""}, {"x": 1}])
def test_a_hold_that_does_not_hold_is_refused(lit, change):
    assert is_problem(lit.owner().post("/v1/holds", json=HOLD | change), 400, "bad-request")


def test_no_token_however_mighty_deletes_holds_or_reads_a_copy(lit):
    lit.home.enrol(RED, name="Ada")
    client = lit.bearer(*Scope)

    assert is_problem(client.post("/v1/retention", json={}), 403, "forbidden")
    assert is_problem(client.post("/v1/holds", json=HOLD), 403, "forbidden")
    assert is_problem(client.delete("/v1/holds/hld_1"), 403, "forbidden")
    answer = client.post("/v1/subjects/export", json={"subject": "Ada"})
    assert is_problem(answer, 403, "forbidden")


def test_what_is_due_is_counted_and_then_deleted(lit):
    dry = lit.owner().post("/v1/retention", json={"dry_run": True}).json()
    real = lit.owner().post("/v1/retention", json={}).json()

    assert (dry["dry_run"], real["dry_run"]) == (True, False)
    assert set(dry["counts"]) <= set(real["counts"])


def test_she_gets_a_copy_and_nobody_else_in_a_shared_home(lit):
    lit.home.enrol(RED, name="Ada")
    alone = lit.owner().post("/v1/subjects/export", json={"subject": "Ada"})
    lit.home.enrol(BLUE, name="Bob")
    shared = lit.owner().post("/v1/subjects/export", json={"subject": "Ada"})

    assert alone.json()["format"] == "consentry.subject-copy/1"
    assert len(alone.json()["templates"]) == 1
    assert is_problem(shared, 403, "forbidden")
