"""Her view over HTTP: hers alone, and only while she has proved herself."""

from __future__ import annotations

import pytest
from consentry.accounts.principals import ALL_SCOPES, EXTENSION_SCOPES, PLATFORM_SCOPES
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.site import PASSWORD, is_problem

RED, BLUE = (200, 0, 0), (0, 0, 200)
OWN = "quiet heron under glass"


@pytest.fixture
def shared(lit):
    """Ada, with a passphrase of her own, and Bob."""
    lit.ada = lit.home.enrol(RED, name="Ada").subject
    lit.bob = lit.home.enrol(BLUE, name="Bob").subject
    lit.home.give_own(lit.ada, Passphrase(OWN))
    lit.services.own_passphrases.forget()
    return lit


def mine(client, subject="Ada", **more):
    return client.post("/v1/subjects/checks", json={"subject": subject} | more)


def ask(site, *people):
    _, secret = site.services.keys.issue(
        "t", "pictures.example", PLATFORM_SCOPES, expires_in_days=None
    )
    client = site.client(authorization=f"Bearer {secret}")
    files = [("images", ("x", picture(*people), "image/png"))]
    return client.post("/v1/checks", files=files, data={"prompt": "make the sky blue"}).json()


def test_she_sees_the_checks_of_a_platform_with_the_receipt_that_it_was_given(shared):
    asked = ask(shared, RED)
    ask(shared, BLUE)
    owner = shared.owner()
    owner.post("/v1/subjects/prove", json={"subject": "Ada", "passphrase": OWN})

    answer = mine(owner)

    assert answer.status_code == 200
    (check,) = answer.json()["checks"]
    assert (check["check_id"], check["receipt"]) == (asked["check_id"], asked["receipt"])
    assert (check["platform"], check["how"]) == ("pictures.example", "face")
    assert (answer.json()["kept_days"], answer.json()["before"]) == (180, None)


def test_the_homes_passphrase_does_not_show_them(shared):
    ask(shared, RED)
    owner = shared.owner()
    owner.post("/v1/vault/unlock", json={"passphrase": PASSWORD})

    assert is_problem(mine(owner), 403, "forbidden")
    assert is_problem(mine(owner, "Bob"), 403, "forbidden")


def test_a_script_and_a_platform_cannot_read_them_without_her_passphrase(shared):
    owner = shared.owner()
    owner.post("/v1/subjects/prove", json={"subject": "Ada", "passphrase": OWN})

    assert is_problem(mine(shared.bearer(*ALL_SCOPES)), 403, "forbidden")
    assert is_problem(mine(shared.nobody()), 403, "forbidden")


def test_a_paired_extension_reads_them_with_her_passphrase_beside_the_question(shared):
    asked = ask(shared, RED)
    extension = shared.bearer(*EXTENSION_SCOPES)

    answer = mine(extension, passphrase=OWN)

    assert [each["check_id"] for each in answer.json()["checks"]] == [asked["check_id"]]
    assert is_problem(mine(extension, passphrase=PASSWORD), 403, "wrong-passphrase")
    assert is_problem(mine(extension), 403, "forbidden")


@pytest.mark.parametrize(
    "body", [{"limit": 0}, {"limit": 201}, {"before": "2026-11-22T10:00:00"}, {"other": 1}]
)
def test_what_is_out_of_range_is_refused(shared, body):
    assert is_problem(mine(shared.owner(), **body), 400, "bad-request")


def test_a_page_goes_on_where_the_last_one_ended(shared):
    for _ in range(3):
        ask(shared, RED)
        shared.home.clock.advance(1)
    owner = shared.owner()
    owner.post("/v1/subjects/prove", json={"subject": "Ada", "passphrase": OWN})

    first = mine(owner, limit=2).json()
    rest = mine(owner, limit=2, before=first["before"]).json()

    seen = [each["check_id"] for each in (*first["checks"], *rest["checks"])]
    assert (len(seen), len(set(seen)), rest["before"]) == (3, 3, None)


# -- a burst, told once ----------------------------------------------------------------------------


def digests(client, subject="Ada", **more):
    return client.post("/v1/subjects/checks/digest", json={"subject": subject} | more)


def test_a_burst_is_one_digest_with_counts_and_its_first_and_last_moment(shared):
    for _ in range(5):
        ask(shared, RED)
        ask(shared, BLUE)
        shared.home.clock.advance(30)
    listed = mine(shared.bearer(*EXTENSION_SCOPES), passphrase=OWN).json()["checks"]

    answer = digests(shared.bearer(*EXTENSION_SCOPES), passphrase=OWN)

    assert answer.status_code == 200
    (digest,) = answer.json()["digests"]
    assert (digest["count"], digest["goes_on"], digest["other_platforms"]) == (5, False, 0)
    assert (digest["first"], digest["last"]) == (listed[-1]["at"], listed[0]["at"])
    assert digest["platforms"] == [{"platform": "pictures.example", "count": 5}]
    assert (digest["verdicts"], digest["hows"]) == ({"needs_consent": 5}, {"face": 5})


def test_a_digest_needs_the_same_proof_as_the_list(shared):
    ask(shared, RED)
    owner = shared.owner()
    owner.post("/v1/vault/unlock", json={"passphrase": PASSWORD})

    assert is_problem(digests(owner), 403, "forbidden")
    assert is_problem(digests(shared.bearer(*ALL_SCOPES)), 403, "forbidden")
    assert is_problem(
        digests(shared.bearer(*EXTENSION_SCOPES), passphrase=PASSWORD), 403, "wrong-passphrase"
    )


@pytest.mark.parametrize("minutes", [0, 1441, "5"])
def test_a_quiet_time_is_one_minute_to_a_day(shared, minutes):
    assert is_problem(digests(shared.owner(), quiet_minutes=minutes), 400, "bad-request")
