"""The owner's vault over HTTP."""

from __future__ import annotations

import pytest
from consentry.accounts.principals import Scope
from fakes.site import PASSWORD, is_problem


@pytest.fixture(params=["owner", "browser"])
def client(request, site):
    return getattr(site, request.param)()


def test_a_vault_is_created_locked_and_unlocked(client):
    assert client.get("/v1/vault").json() == {"format": "consentry.vault/1", "state": "absent"}
    created = client.post("/v1/vault", json={"passphrase": PASSWORD})
    assert (created.status_code, created.json()["state"]) == (201, "unlocked")
    assert client.post("/v1/vault/lock").json()["state"] == "locked"
    unlocked = client.post("/v1/vault/unlock", json={"passphrase": PASSWORD})
    assert unlocked.json()["state"] == "unlocked"


def test_a_second_vault_is_refused(lit):
    answer = lit.owner().post("/v1/vault", json={"passphrase": PASSWORD})
    assert is_problem(answer, 409, "vault-exists")


def test_a_weak_passphrase_is_refused(site):
    answer = site.owner().post("/v1/vault", json={"passphrase": "password123"})
    assert is_problem(answer, 422, "weak-passphrase")


def test_guessing_the_passphrase_is_slowed_and_says_how_long(lit):
    owner = lit.owner()
    owner.post("/v1/vault/lock")
    for _ in range(5):
        answer = owner.post("/v1/vault/unlock", json={"passphrase": "not the passphrase"})
        assert is_problem(answer, 403, "wrong-passphrase")

    answer = owner.post("/v1/vault/unlock", json={"passphrase": PASSWORD})

    assert is_problem(answer, 429, "too-many-requests")
    assert int(answer.headers["retry-after"]) >= 1


def test_a_changed_passphrase_opens_and_the_old_one_does_not(lit):
    owner = lit.owner()
    new = "four other quiet words"
    assert owner.post("/v1/vault/passphrase", json={"old": PASSWORD, "new": new}).is_success
    owner.post("/v1/vault/lock")
    old = owner.post("/v1/vault/unlock", json={"passphrase": PASSWORD})
    assert is_problem(old, 403, "wrong-passphrase")
    assert owner.post("/v1/vault/unlock", json={"passphrase": new}).is_success


def test_rotation_names_the_new_epoch_and_needs_an_open_vault(lit):
    owner = lit.owner()
    assert owner.post("/v1/vault/rotate").json() == {"format": "consentry.rotated/1", "epoch": 2}
    owner.post("/v1/vault/lock")
    assert is_problem(owner.post("/v1/vault/rotate"), 423, "vault-locked")


def test_a_token_that_may_read_the_state_may_not_unlock(lit):
    client = lit.bearer(Scope.VAULT_READ)
    assert client.get("/v1/vault").is_success
    assert is_problem(client.post("/v1/vault/lock"), 403, "forbidden")


def test_a_backup_opens_in_an_empty_home_and_not_in_a_full_one(lit, tmp_path_factory):
    from fakes.home import TestHome
    from fakes.site import opened

    lit.home.enrol((200, 0, 0))
    file = lit.owner().post("/v1/backup", json={"passphrase": PASSWORD})
    assert file.headers["content-type"] == "application/octet-stream"
    keys = lit.owner().post("/v1/backup/keys", json={"passphrase": PASSWORD})
    assert keys.headers["content-type"].startswith("text/plain")
    form = {
        "files": {"backup": file.content, "keys": keys.content},
        "data": {"passphrase": PASSWORD},
    }

    assert is_problem(lit.owner().post("/v1/backup/restore", **form), 409, "vault-exists")
    other = TestHome(tmp_path_factory.mktemp("other"))
    with opened(other) as site:
        answer = site.owner().post("/v1/backup/restore", **form)
        assert answer.json() == {"format": "consentry.restored/1", "subjects": 1, "closed": 0}
        assert site.owner().get("/v1/subjects").json()["subjects"][0]["name"] == "Ada"
    other.close()


def test_a_backup_in_one_file_opens_without_a_key_file(lit, tmp_path_factory):
    from fakes.home import TestHome
    from fakes.site import opened

    lit.home.enrol((200, 0, 0))
    body = {"passphrase": PASSWORD, "kind": "whole"}
    file = lit.owner().post("/v1/backup", json=body).content
    form = {"files": {"backup": file}, "data": {"passphrase": PASSWORD}}

    other = TestHome(tmp_path_factory.mktemp("other"))
    with opened(other) as site:
        assert site.owner().post("/v1/backup/restore", **form).json()["subjects"] == 1
    other.close()


def test_a_backup_needs_the_passphrase_of_the_vault(lit):
    answer = lit.owner().post("/v1/backup", json={"passphrase": "something else entirely"})
    assert is_problem(answer, 403, "wrong-passphrase")
