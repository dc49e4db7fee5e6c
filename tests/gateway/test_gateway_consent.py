"""Consent through the gateway: she is asked, says yes, and the same request passes once; her name is heard in words."""

from __future__ import annotations

import openai
import pytest
from consentry.enrolment.aliases import AliasKind, AliasProof
from fakes.coloured_faces import picture
from fakes.gateway_site import ADA, EVERYDAY, KEY, blocked, gateway_site

MODEL = "gpt-image-1.5"


@pytest.fixture
def asked(home):
    """A gateway of its own, with Ada enrolled; and how a client reaches it."""
    home.ada = home.enrol(ADA).subject
    with (
        gateway_site(home) as site,
        openai.OpenAI(base_url=site.openai, api_key=KEY, max_retries=0) as client,
    ):
        yield site, client


def edit(client, **headers: str):
    return client.images.edit(
        model=MODEL,
        image=picture(ADA),
        prompt=EVERYDAY,
        user="user-7",
        extra_headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def test_she_is_asked_says_yes_and_the_same_request_passes_once(asked):
    site, client = asked
    home = site.home
    with pytest.raises(openai.BadRequestError) as caught:
        edit(client)
    name = caught.value.response.headers["consentry-consent-request"]
    [question] = home.consent_requests.pending(home.ada)
    home.consent_requests.approve(question.request)
    token = home.consent_requests.poll(name, caller="gateway").token

    edit(client, consentry_token=token)

    [forwarded] = site.generator.asked
    assert (question.platform, question.asker) == ("studio", "user-7")
    assert "consentry-token" not in forwarded.headers
    with pytest.raises(openai.BadRequestError):
        edit(client, consentry_token=token)


def test_a_token_unlocks_no_other_words(asked):
    site, client = asked
    with pytest.raises(openai.BadRequestError) as caught:
        edit(client)
    name = caught.value.response.headers["consentry-consent-request"]
    site.home.consent_requests.approve(name)
    token = site.home.consent_requests.poll(name, caller="gateway").token

    with pytest.raises(openai.BadRequestError) as other:
        client.images.edit(
            model=MODEL,
            image=picture(ADA),
            prompt="make the sea red",
            extra_headers={"consentry-token": token},
        )

    assert blocked(other, "likeness")


def test_her_name_in_words_alone_counts_as_her_being_there(asked):
    site, client = asked
    site.home.aliases.add(site.home.ada, "Anna Berg", AliasKind.NAME, AliasProof.OWN_WORD)

    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="a portrait of Anna Berg in a red coat")

    assert blocked(caught, "likeness")
    assert site.generator.asked == []
