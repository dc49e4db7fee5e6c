"""Grants as consent records of ISO/IEC TS 27560."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from consentry.accounts.principals import PLATFORM_SCOPES
from fakes.coloured_faces import picture
from fakes.site import PASSWORD, is_problem

RED = (200, 0, 0)


@pytest.fixture
def owner(lit):
    lit.subject = lit.home.enrol(RED).subject
    return lit.owner()


def records(owner):
    return owner.get("/v1/grants/records").json()["records"]


def give(owner, **terms):
    body = {"subject": "Ada", "purposes": ["edit"]} | terms
    return owner.post("/v1/grants", json=body).json()["grant"]


def test_a_record_says_what_was_agreed_to_with_whom_where_and_until_when(lit, owner):
    until = lit.home.clock.now() + timedelta(days=30)
    grant = give(
        owner,
        purposes=["video", "edit"],
        platform="studio.example",
        regions=["SE", "DK"],
        categories=["none", "face_swap"],
        valid_until=until.isoformat(),
        max_uses=2,
    )
    (record,) = records(owner)
    assert record["header"] == {
        "schema_version": "ISO/IEC TS 27560:2023",
        "record_id": grant,
        "pii_principal_id": lit.subject,
    }
    purposes = record["pii_processing"]["purposes"]
    assert [each["purpose"] for each in purposes] == ["edit", "video"]
    for each in purposes:
        assert each["lawful_basis"] == "consent"
        assert each["pii_controllers"] == ["studio.example"]
        assert each["geographic_restrictions"] == ["DK", "SE"]
        assert each["processing_method"] == ["face_swap", "none"]
        assert "revoke" in each["withdrawal_method"]
    parties = {each["party_id"]: each["party_role"] for each in record["party_identification"]}
    assert parties == {"urn:test": "consent record keeper", "studio.example": "PII controller"}
    (event,) = record["events"]
    assert datetime.fromisoformat(event["event_time"]) == lit.home.clock.now()
    assert datetime.fromisoformat(event["validity_until"]) == until
    assert (event["event_state"], event["uses_left"]) == ("given", 2)


def test_a_grant_for_later_was_given_today(lit, owner):
    now = lit.home.clock.now()
    give(owner, valid_from=(now + timedelta(days=7)).isoformat())
    (event,) = records(owner)[0]["events"]
    assert datetime.fromisoformat(event["event_time"]) == now
    assert datetime.fromisoformat(event["validity_from"]) == now + timedelta(days=7)


def test_what_lapsed_and_what_was_used_up_say_so_and_what_was_taken_back_is_gone(lit, owner):
    soon = (lit.home.clock.now() + timedelta(hours=1)).isoformat()
    lapsing = give(owner, valid_until=soon, platform="a.example")
    used = give(owner, max_uses=1, platform="studio.example")
    gone = give(owner, platform="b.example")
    _, secret = lit.services.keys.issue(
        "test", "studio.example", PLATFORM_SCOPES, expires_in_days=None
    )
    files = [("images", ("x.png", picture(RED), "image/png"))]
    client = lit.client(authorization=f"Bearer {secret}")
    asked = client.post("/v1/checks", files=files, data={"prompt": "make the sky blue"})
    assert asked.json()["verdict"] == "allow"
    owner.delete(f"/v1/grants/{gone}")
    lit.home.clock.advance(3600)
    owner.post("/v1/vault/unlock", json={"passphrase": PASSWORD})  # it locked itself meanwhile

    states = {
        record["header"]["record_id"]: record["events"][0]["event_state"]
        for record in records(owner)
    }
    assert states == {lapsing: "expired", used: "used up"}


def test_a_record_has_no_name_and_no_platform_reads_it(lit, owner):
    give(owner)
    assert "Ada" not in json.dumps(records(owner))
    _, secret = lit.services.keys.issue(
        "test", "studio.example", PLATFORM_SCOPES, expires_in_days=None
    )
    answer = lit.client(authorization=f"Bearer {secret}").get("/v1/grants/records")
    assert is_problem(answer, 403, "forbidden")


def test_records_are_not_read_while_locked(owner):
    give(owner)
    owner.post("/v1/vault/lock")
    assert is_problem(owner.get("/v1/grants/records"), 423, "vault-locked")
