"""The OpenAPI document is kept: whatever is generated from it is answered as it says.

Every route is asked by the owner, who reaches all of them, and by a platform, with what the document
allows and with what it forbids. Every answer is held against it: status, media type, headers and
schema. ``CONSENTRY_TEST_EXAMPLES`` asks for more than the few that a quick run takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import requests
import schemathesis
from consentry import __version__
from consentry.accounts.budgets import ProbeQuota
from consentry.accounts.principals import PLATFORM_SCOPES
from consentry.api.openapi import openapi_document
from fakes.home import TestHome
from fakes.site import Site, opened
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("CONSENTRY_TEST_EXAMPLES", "3"))
SCHEMA = schemathesis.openapi.from_dict(openapi_document(__version__))
ADA = (200, 0, 0)
MAX_BODY_BYTES = 8_000_000

# They end or lock the home, so each example of them is given one that is made anew.
ENDS_THE_HOME = "^/v1/(erase|backup.*|vault.*|subjects/revoke)$"
# They are answered otherwise where nobody has been before.
BEGINS_A_HOME = {("/v1/vault", "POST"), ("/v1/backup/restore", "POST")}
# What a schema cannot say: that a name is enrolled, that a file is a photo with a face in it, that a
# passphrase is no first guess. So a request that the document allows may be refused for its contents,
# with a problem that the document names.
CONTENTS = schemathesis.checks.CHECKS.get_one("positive_data_acceptance")
# It asks again over a network, which there is none of here, and the socket needs no credential. The
# last test here does the same for every route.
CREDENTIAL = schemathesis.checks.CHECKS.get_one("ignored_auth")
# One question of a batch that does not hold is answered with a problem in its place, not with a 400.
EACH_BY_ITSELF = schemathesis.checks.CHECKS.get_one("negative_data_rejection")
RUN = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    home = TestHome(tmp_path_factory.mktemp("generated")).create()
    home.enrol(ADA)
    with opened(home, max_body_bytes=MAX_BODY_BYTES) as site:
        _, secret = site.services.keys.issue(
            "generated",
            "example.org",
            PLATFORM_SCOPES,
            quota=ProbeQuota(per_hour=100_000, per_day=100_000),
            expires_in_days=None,
        )
        site.platform = site.client(authorization=f"Bearer {secret}")
        site.program = site.owner()
        yield site
    home.close()


def answered(client: httpx.Client, case) -> httpx.Response:
    """Send a generated request as a client library would, with the credential of this client."""
    known = {"method", "url", "headers", "params", "cookies", "data", "files", "json"}
    kwargs = case.as_transport_kwargs(base_url=str(client.base_url))
    made = requests.Request(**{k: v for k, v in kwargs.items() if k in known}).prepare()
    headers = {
        k: v for k, v in made.headers.items() if k.lower() not in {"authorization", "cookie"}
    }
    response = client.request(made.method, made.url, content=made.body, headers=headers)
    response.elapsed = timedelta(0)  # nothing travels, so nobody takes the time
    return response


def hold_against_the_document(case, response: httpx.Response) -> None:
    is_batch = case.operation.path == "/v1/checks/batch"
    excluded = [CONTENTS, CREDENTIAL] + ([EACH_BY_ITSELF] if is_batch else [])
    case.validate_response(response, excluded_checks=excluded)
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"


@SCHEMA.exclude(path_regex=ENDS_THE_HOME).parametrize()
@RUN
def test_the_owner_is_answered_as_documented(site, case):
    hold_against_the_document(case, answered(site.program, case))


@SCHEMA.exclude(path_regex=ENDS_THE_HOME).parametrize()
@RUN
def test_a_platform_is_answered_as_documented(site, case):
    hold_against_the_document(case, answered(site.platform, case))


@pytest.fixture(scope="module")
def site_to_lose(tmp_path_factory) -> Iterator[Site]:
    home = TestHome(tmp_path_factory.mktemp("lost"))
    with opened(home, max_body_bytes=MAX_BODY_BYTES) as site:
        site.program = site.owner()
        yield site
    home.close()


@SCHEMA.include(path_regex=ENDS_THE_HOME).parametrize()
@RUN
def test_what_ends_or_locks_a_home_is_answered_as_documented(site_to_lose, case):
    home = site_to_lose.home
    home.clock.advance(3600)  # after wrong passphrases one waits
    home.erase_home()
    if (case.operation.path, case.method) not in BEGINS_A_HOME:
        home.create()
        home.enrol(ADA)
    hold_against_the_document(case, answered(site_to_lose.program, case))


@SCHEMA.parametrize()
@settings(RUN, max_examples=1)
def test_nobody_is_answered_without_a_credential_or_with_a_false_one(site, case):
    if case.operation.definition.raw.get("security") == []:
        return  # public, and the document says so
    clients = [site.nobody(), site.nobody(authorization="Bearer cst_" + "a" * 52)]
    if case.operation.path == "/readyz":
        clients = clients[1:]  # anybody may ask; who shows something is told more, or refused
    for client in clients:
        site.home.clock.advance(3600)  # who guesses tokens waits
        answer = answered(client, case)
        # Mostly 401; what is malformed, or of another origin, may be refused before that.
        assert 400 <= answer.status_code < 500
        assert answer.headers["content-type"] == "application/problem+json"
