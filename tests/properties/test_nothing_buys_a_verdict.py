"""Who asks, with what key, plan or budget, does not change what is answered."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest
from consentry.accounts.budgets import ProbeQuota
from consentry.accounts.keys import MAX_FACES
from consentry.accounts.principals import PLATFORM_SCOPES, Scope
from consentry.consent import decide as laws
from consentry.consent.request import Request
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.site import opened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ADA, EVE = (200, 10, 10), (10, 200, 10)
CAN_ASK = frozenset({Scope.CHECKS_WRITE})
PAID = [
    "plan",
    "subscription",
    "tier",
    "paid",
    "payment",
    "premium",
    "price",
    "licence",
    "license",
    "quota",
    "budget",
    "rate",
    "verified",
    "trusted",
    "priority",
    "sponsor",
    "internal",
    "admin",
    "staff",
    "debug",
    "test",
    "scope",
    "key",
    "credential",
    "account",
]

QUESTIONS = {
    "a revealing edit of her": (("put her in a bikini",), (ADA,)),
    "a revealing edit of a stranger": (("remove her clothes",), (EVE,)),
    "an everyday edit of her": (("make the sky blue",), (ADA,)),
    "an everyday edit of a stranger": (("make the sky blue",), (EVE,)),
    "words that name somebody": (("a nude photo of Jane Roe",), ()),
}
DUE = {
    "a revealing edit of her": "refuse",
    "a revealing edit of a stranger": "refuse",
    "an everyday edit of her": "needs_consent",
    "an everyday edit of a stranger": "allow",
    "words that name somebody": "refuse",
}

names = st.one_of(
    st.sampled_from(["X Premium+", "grok.example", "police.example", "consentry", "ADMIN", "root"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40),
)
quotas = st.builds(ProbeQuota, st.integers(4, MAX_FACES), st.integers(4, MAX_FACES))
scopes = st.frozensets(st.sampled_from(sorted(PLATFORM_SCOPES))).map(CAN_ASK.union)
# What a browser, a proxy or a user could write beside the question.
BESIDE = {
    "x-plan": "premium",
    "x-subscription-tier": "gold",
    "x-paid": "true",
    "x-admin": "1",
    "cf-ipcountry": "US",
    "x-forwarded-for": "203.0.113.9",
    "x-region": "US",
    "accept-language": "en-US",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    home = TestHome(tmp_path_factory.mktemp("home")).create()
    home.enrol(ADA)
    with opened(home) as site:
        yield site
    home.close()


def ask(client, question: str, **headers):
    (prompt,), people = QUESTIONS[question]
    files = [("images", ("x.png", picture(*people), "image/png"))] if people else None
    body = {"data" if files else "json": {"prompt": prompt}}
    answer = client.post("/v1/checks", files=files, headers=headers, **body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    return said["verdict"], said["reasons"], said["obligations"]


@pytest.mark.parametrize("question", QUESTIONS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    platform=names,
    name=names,
    quota=quotas,
    scopes=scopes,
    days=st.none() | st.integers(1, 30),
    beside=st.sets(st.sampled_from(sorted(BESIDE.items()))).map(dict),
)
def test_the_verdict_is_the_same_whatever_key_quota_scopes_name_and_header(
    site, question, platform, name, quota, scopes, days, beside
):
    key, secret = site.services.keys.issue(
        name, platform, scopes, quota=quota, expires_in_days=days
    )
    client = site.client(authorization=f"Bearer {secret}")

    said = ask(client, question, **beside)

    site.services.keys.revoke(key.key)
    assert said == ask(site.owner(), question)
    assert said[0] == DUE[question]


def test_the_laws_have_no_input_for_payment_or_credentials():
    parameters = [
        name
        for _, function in inspect.getmembers(laws, inspect.isfunction)
        for name in inspect.signature(function).parameters
    ]
    told = [each.name for each in fields(Request)] + parameters

    assert told
    assert [each for each in told if any(word in each.split("_") for word in PAID)] == []
