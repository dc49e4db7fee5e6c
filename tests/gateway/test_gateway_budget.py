"""What passes the gateway in the name of an API key is charged to that key's budget of faces."""

from __future__ import annotations

from dataclasses import replace

import grpc
import openai
import pytest
import xai_sdk
from consentry.accounts.budgets import KeyCharge, ProbeQuota
from consentry.accounts.principals import PLATFORM_SCOPES
from consentry.api.runtime import Shared
from consentry.gateway.exchange import value_of
from consentry.gateway.refusals import Kind, Refusal
from consentry.gateway.xai.dialect import XaiDialect
from consentry.kernel.errors import BadRequest
from consentry.settings import load_settings
from consentry.wiring import Home
from consentry.wiring_gateway import gateway_app
from fakes.coloured_faces import picture
from fakes.gateway_site import EVE, EVERYDAY, KEY, gateway_site
from fakes.grpc_site import grpc_site
from fakes.home import TestHome

QUOTA = ProbeQuota(per_hour=3, per_day=100)
PREFIX = "/openai/v1"


@pytest.fixture
def home(tmp_path):
    home = TestHome(tmp_path / "home").create()
    yield home
    home.close()


@pytest.fixture
def charge(home):
    services = home.services()
    stored, _ = services.keys.issue(
        "gateway", "studio", PLATFORM_SCOPES, quota=QUOTA, expires_in_days=None
    )
    return KeyCharge(services.probes, stored.key, QUOTA)


def left(charge: KeyCharge) -> int:
    return charge.budget.states(charge.key, charge.quota)[0].remaining


def test_faces_in_what_is_sent_and_in_what_comes_back_are_charged(home, charge):
    with gateway_site(home) as site:
        site.app.gates[PREFIX] = replace(site.app.gates[PREFIX], meter=charge)
        with openai.OpenAI(base_url=site.openai, api_key=KEY, max_retries=0) as client:
            client.images.edit(model="m", image=picture(EVE), prompt=EVERYDAY)
            assert left(charge) == 1

            with pytest.raises(openai.RateLimitError) as caught:
                client.images.edit(model="m", image=picture(EVE, EVE), prompt=EVERYDAY)

    assert (caught.value.code, left(charge)) == ("rate_limit_exceeded", 1)
    assert len(site.generator.asked) == 1


def test_a_result_that_the_budget_does_not_cover_is_not_delivered(home, charge):
    charge.spend(2)
    with gateway_site(home) as site:
        site.app.gates[PREFIX] = replace(site.app.gates[PREFIX], meter=charge)
        with (
            openai.OpenAI(base_url=site.openai, api_key=KEY, max_retries=0) as client,
            pytest.raises(openai.RateLimitError),
        ):
            client.images.edit(model="m", image=picture(EVE), prompt=EVERYDAY)


def test_over_grpc_it_is_the_status_that_clients_know(home, charge):
    charge.spend(3)
    with grpc_site(home) as site:
        site.door.gate = replace(site.door.gate, meter=charge)
        with (
            xai_sdk.Client(KEY, api_host=site.api_host, timeout=60) as client,
            pytest.raises(grpc.RpcError) as caught,
        ):
            client.image.sample(EVERYDAY, "m")

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not site.generator.asked


def test_over_xai_s_rest_api_it_is_429():
    reply = XaiDialect().refusal(Refusal(kind=Kind.TOO_MANY, message="Wait 9 s."), "req_1")

    assert (reply.status, value_of(reply.headers, b"x-request-id")) == (429, "req_1")


def built(home: TestHome, caller: str):
    settings = load_settings(
        home=home.path, gateway_openai="https://api.openai.com/v1", gateway_caller=caller
    )
    inside = Home(settings, home.services(), home.database, Shared.make(worker_threads=2))
    return gateway_app(inside).gates[PREFIX]


def test_the_key_that_the_settings_name_is_the_one_that_is_charged(home, charge):
    meter = built(home, charge.key).meter

    assert (meter.key, meter.quota) == (charge.key, QUOTA)


def test_a_key_that_does_not_exist_is_told_at_the_start(home):
    with pytest.raises(BadRequest, match="names no API key"):
        built(home, "key_unknown")
