"""Bearer tokens: shown once, kept as a digest."""

from __future__ import annotations

import re

import pytest
from consentry.accounts.ports import StoredToken
from consentry.accounts.principals import Door, Scope
from consentry.accounts.tokens import MAX_LIFETIME_DAYS, MAX_TOKENS, Tokens
from consentry.kernel.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from contracts.token_store import TokenStoreContract
from fakes.manual_clock import ManualClock
from fakes.token_store import MemoryTokenStore

DAY_S = 86_400


class TestMemoryTokenStore(TokenStoreContract):
    def make(self):
        return MemoryTokenStore()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store():
    return MemoryTokenStore()


@pytest.fixture
def tokens(store, clock):
    return Tokens(store, clock)


def test_a_secret_has_256_bits_in_a_form_that_scanners_can_find(tokens):
    _, secret = tokens.issue("x", [Scope.FACES_READ], expires_in_days=None)
    assert re.fullmatch(r"cst_[a-z2-7]{52}", secret)


def test_the_store_never_sees_a_secret(tokens, store):
    _, secret = tokens.issue("x", [Scope.FACES_READ], expires_in_days=None)
    assert secret not in repr(store.rows)
    assert secret.removeprefix("cst_") not in repr(store.rows)


def test_a_secret_authenticates_as_its_scopes_and_never_as_the_owner(tokens):
    token, secret = tokens.issue("my  script", [Scope.FACES_READ], expires_in_days=None)
    principal = tokens.authenticate(secret)
    assert principal.door is Door.TOKEN
    assert not principal.is_owner
    assert (principal.scopes, principal.name) == ({Scope.FACES_READ}, "my script")
    assert principal.token == token.token
    principal.require(Scope.FACES_READ)
    with pytest.raises(Forbidden):
        principal.require(Scope.CHECKS_WRITE)


def test_a_token_ends_at_the_instant_it_expires(tokens, clock):
    _, secret = tokens.issue("x", [Scope.FACES_READ], expires_in_days=1)
    clock.advance(DAY_S - 1)
    tokens.authenticate(secret)
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(secret)


def test_a_revoked_token_authenticates_nobody(tokens):
    token, secret = tokens.issue("x", [Scope.FACES_READ], expires_in_days=None)
    tokens.revoke(token.token)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(secret)
    with pytest.raises(NotFound):
        tokens.revoke(token.token)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "cst_",
        "cst_" + "a" * 51,
        "cst_" + "a" * 53,
        "CST_" + "a" * 52,
        "cst_" + "é" * 52,
        "x" * 56,
    ],
)
def test_what_has_not_the_form_of_a_secret_authenticates_nobody(tokens, secret):
    with pytest.raises(Unauthenticated):
        tokens.authenticate(secret)


def test_use_is_noted_by_the_day_and_no_finer(tokens, clock, store):
    token, secret = tokens.issue("x", [Scope.FACES_READ], expires_in_days=None)
    tokens.authenticate(secret)
    assert store.rows[token.token].last_used_day == clock.now().date()
    writes = []
    store.touch = lambda *args: writes.append(args)
    tokens.authenticate(secret)
    assert writes == []
    clock.advance(DAY_S)
    tokens.authenticate(secret)
    assert len(writes) == 1


def test_a_scope_of_a_later_version_grants_nothing(tokens, store, clock):
    token, secret = tokens.issue("x", [Scope.FACES_READ], expires_in_days=None)
    store.rows[token.token] = StoredToken(
        **{
            name: getattr(token, name)
            for name in ("token", "name", "digest", "created_at", "last_used_day", "expires_at")
        },
        scopes=frozenset({"faces:read", "everything:write"}),
    )
    assert tokens.authenticate(secret).scopes == {Scope.FACES_READ}


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("", [Scope.BACKUP], 1),
        (" ", [Scope.BACKUP], 1),
        ("x" * 81, [Scope.BACKUP], 1),
        ("a\x00b", [Scope.BACKUP], 1),
        ("x", [], 1),
        ("x", [Scope.BACKUP], 0),
        ("x", [Scope.BACKUP], MAX_LIFETIME_DAYS + 1),
    ],
)
def test_a_token_out_of_range_is_not_made(tokens, store, name, scopes, days):
    with pytest.raises(BadRequest):
        tokens.issue(name, scopes, expires_in_days=days)
    assert not store.rows


def test_tokens_are_bounded(tokens):
    for number in range(MAX_TOKENS):
        tokens.issue(f"t{number}", [Scope.BACKUP], expires_in_days=1)
    with pytest.raises(Conflict):
        tokens.issue("one more", [Scope.BACKUP], expires_in_days=1)


def test_guessing_is_stopped_for_the_guesser_only(tokens, clock):
    _, secret = tokens.issue("x", [Scope.FACES_READ], expires_in_days=None)
    for _ in range(tokens.guesses().quota):
        with pytest.raises(Unauthenticated):
            tokens.authenticate("cst_" + "a" * 52)
    with pytest.raises(TooManyRequests) as stopped:
        tokens.authenticate("cst_" + "a" * 52)
    tokens.authenticate(secret)
    clock.advance(stopped.value.retry_after_s)
    with pytest.raises(Unauthenticated):
        tokens.authenticate("cst_" + "a" * 52)
