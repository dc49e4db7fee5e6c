"""Enrolled people over HTTP."""

from __future__ import annotations

import pytest
from consentry.accounts.principals import Scope
from fakes.coloured_faces import picture
from fakes.site import is_problem

RED, BLUE = (200, 0, 0), (0, 0, 200)


def photos(*colours):
    return [("photos", ("x.png", picture(each), "image/png")) for each in colours]


def test_enrolling_then_adding_then_revoking(lit):
    owner = lit.owner()
    first = owner.post("/v1/subjects", files=photos(RED), data={"name": "Ada"})
    assert first.status_code == 201
    assert first.json() == {
        "format": "consentry.enrolled/1",
        "subject": first.json()["subject"],
        "name": "Ada",
        "templates_added": 1,
        "templates_total": 1,
        "is_new": True,
    }
    again = owner.post("/v1/subjects", files=photos(RED), data={"name": "ada"}).json()
    assert (again["is_new"], again["templates_total"]) == (False, 2)

    (listed,) = owner.get("/v1/subjects").json()["subjects"]
    assert (listed["name"], listed["templates"]) == ("Ada", {"colours@1": 2})

    assert owner.post("/v1/subjects/revoke", json={"subject": "Ada"}).is_success
    assert owner.get("/v1/subjects").json()["subjects"] == []


def test_names_are_hidden_while_locked_and_revoking_by_identifier_still_works(lit):
    subject = lit.home.enrol(RED).subject
    owner = lit.owner()
    owner.post("/v1/vault/lock")
    assert owner.get("/v1/subjects").json()["subjects"][0]["name"] is None
    assert is_problem(owner.post("/v1/subjects/revoke", json={"subject": "Ada"}), 404, "not-found")
    assert owner.post("/v1/subjects/revoke", json={"subject": subject}).json()["subject"] == subject


def test_a_poor_photo_is_refused_with_the_issues(lit):
    lit.home.faces.blurred.add(RED)
    answer = lit.owner().post("/v1/subjects", files=photos(RED), data={"name": "Ada"})
    assert is_problem(answer, 422, "quality-too-low")
    assert answer.json()["issues"] == ["blurred"]


@pytest.mark.parametrize(
    ("files", "data"),
    [
        (photos(RED), {}),
        (photos(RED), {"name": "Ada", "policy": "everything"}),
        (photos(RED), {"name": "Ada", "extra": "1"}),
        ([("photo", ("x", b"x"))], {"name": "Ada"}),
        ([("none", ("x", b""))], {"name": "Ada"}),
    ],
    ids=["no-name", "unknown-policy", "unknown-field", "unknown-file", "no-photo"],
)
def test_a_form_that_does_not_hold_enrols_nobody(lit, files, data):
    answer = lit.owner().post("/v1/subjects", files=files, data=data)
    assert is_problem(answer, 400, "bad-request")
    assert lit.home.store.subjects() == ()


def test_enrolling_needs_an_open_vault(site):
    answer = site.owner().post("/v1/subjects", files=photos(RED), data={"name": "Ada"})
    assert is_problem(answer, 409, "vault-absent")


def test_everybody_is_erased_only_on_the_full_sentence(lit):
    lit.home.enrol(RED, name="Ada")
    lit.home.enrol(BLUE, name="Eve")
    owner = lit.owner()
    assert is_problem(owner.post("/v1/erase", json={"confirm": "yes"}), 400, "bad-request")
    erased = owner.post("/v1/erase", json={"confirm": "erase everybody"})
    assert erased.json()["format"] == "consentry.erased/1"
    assert (erased.json()["subjects"], len(erased.json()["entries"])) == (2, 2)


def test_no_token_however_mighty_may_erase_everybody(lit):
    client = lit.bearer(*Scope)
    answer = client.post("/v1/erase", json={"confirm": "erase everybody"})
    assert is_problem(answer, 403, "forbidden")


def test_a_photo_of_two_megabytes_never_touches_the_disk(home, monkeypatch, tmp_path_factory):
    import tempfile

    from fakes.site import opened

    spool = tmp_path_factory.mktemp("spool")
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    rolled = []

    def rollover(file):
        rolled.append(file)

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", rollover)
    home.create()
    with opened(home, max_body_bytes=4_000_000) as site:
        answer = site.owner().post(
            "/v1/subjects",
            files=[("photos", ("x", b"\xff\xd8" + bytes(2_000_000)))],
            data={"name": "Ada"},
        )
    assert answer.status_code == 422
    assert rolled == []
    assert list(spool.iterdir()) == []
