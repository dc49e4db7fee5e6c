"""API keys: shown once, kept as a digest, rotated with an overlap; a budget of faces for each."""

from __future__ import annotations

import re

import pytest
from consentry.accounts.budgets import ProbeBudget, ProbeQuota
from consentry.accounts.keys import DEFAULT_QUOTA, MAX_KEYS, ApiKeys
from consentry.accounts.principals import PLATFORM_SCOPES, Door, Scope
from consentry.kernel.errors import (
    BadRequest,
    Conflict,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from consentry.kernel.ids import KeyId
from consentry.storage.database import Database
from consentry.storage.keys import SqlKeyStore, SqlProbeStore
from fakes.manual_clock import ManualClock

HOUR_S, DAY_S = 3600, 86_400
ASK = [Scope.CHECKS_WRITE]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def database(tmp_path):
    opened = Database.open(tmp_path / "consentry.db")
    yield opened
    opened.close()


@pytest.fixture
def keys(database, clock):
    return ApiKeys(SqlKeyStore(database), clock)


@pytest.fixture
def budget(database, clock):
    return ProbeBudget(SqlProbeStore(database), clock)


def issue(keys, **changed):
    values = {"scopes": ASK, "expires_in_days": None} | changed
    return keys.issue("a platform", "example.org", **values)


def test_a_secret_has_256_bits_in_a_form_that_scanners_can_find(keys):
    _, secret = issue(keys)
    assert re.fullmatch(r"csk_[a-z2-7]{52}", secret)


def test_the_file_never_holds_a_secret(keys, tmp_path):
    _, secret = issue(keys)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in kept
    assert secret.removeprefix("csk_").encode() not in kept


def test_a_secret_authenticates_as_its_platform_with_its_scopes_and_budget(keys):
    key, secret = issue(keys, scopes=PLATFORM_SCOPES, quota=ProbeQuota(7, 9))
    principal = keys.authenticate(secret)
    assert principal.door is Door.KEY
    assert not principal.is_owner
    assert (principal.key, principal.platform) == (key.key, "example.org")
    assert principal.scopes == PLATFORM_SCOPES
    assert principal.quota == ProbeQuota(7, 9)
    assert principal.caller == key.key


@pytest.mark.parametrize("scope", sorted(set(Scope) - PLATFORM_SCOPES))
def test_a_platform_can_have_no_scope_of_the_owners(keys, scope):
    with pytest.raises(BadRequest):
        issue(keys, scopes=[Scope.CHECKS_WRITE, scope])


@pytest.mark.parametrize(
    "changed",
    [
        {"scopes": []},
        {"quota": ProbeQuota(0, 1)},
        {"quota": ProbeQuota(1, 10**9)},
        {"expires_in_days": 0},
    ],
    ids=["no scope", "no budget", "budget without end", "no life"],
)
def test_what_is_out_of_range_is_refused(keys, changed):
    with pytest.raises(BadRequest):
        issue(keys, **changed)


@pytest.mark.parametrize("platform", ["", "  ", "x" * 201, "a\nb\x00"])
def test_a_platform_has_a_name(keys, platform):
    with pytest.raises(BadRequest):
        keys.issue("name", platform, ASK, expires_in_days=None)


def test_there_is_an_end_to_keys(keys):
    for _ in range(MAX_KEYS):
        issue(keys)
    with pytest.raises(Conflict):
        issue(keys)


@pytest.mark.parametrize("secret", ["", "csk_", "csk_" + "a" * 52, "cst_" + "a" * 52, "é" * 56])
def test_what_is_no_secret_of_ours_authenticates_nobody(keys, secret):
    issue(keys)
    with pytest.raises(Unauthenticated):
        keys.authenticate(secret)


def test_many_wrong_guesses_are_slowed_and_a_right_one_always_passes(keys):
    _, secret = issue(keys)
    for _ in range(30):
        with pytest.raises(Unauthenticated):
            keys.authenticate("csk_x")
    with pytest.raises(TooManyRequests):
        keys.authenticate("csk_x")
    assert keys.authenticate(secret).platform == "example.org"


def test_an_expired_key_authenticates_nobody(keys, clock):
    _, secret = issue(keys, expires_in_days=1)
    clock.advance(DAY_S - 1)
    assert keys.authenticate(secret)
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        keys.authenticate(secret)


def test_a_revoked_key_is_refused_at_once_with_every_secret(keys):
    key, old = issue(keys)
    new = keys.rotate(key.key, overlap_hours=24)
    keys.revoke(key.key)
    for secret in (old, new):
        with pytest.raises(Unauthenticated):
            keys.authenticate(secret)


def test_both_secrets_hold_for_the_overlap_and_then_the_new_one_only(keys, clock):
    key, old = issue(keys)
    new = keys.rotate(key.key, overlap_hours=2)
    assert keys.authenticate(old).key == keys.authenticate(new).key == key.key
    clock.advance(2 * HOUR_S)
    with pytest.raises(Unauthenticated):
        keys.authenticate(old)
    assert keys.authenticate(new).key == key.key


def test_a_rotation_without_overlap_ends_the_old_secret_at_once(keys):
    key, old = issue(keys)
    keys.rotate(key.key, overlap_hours=0)
    with pytest.raises(Unauthenticated):
        keys.authenticate(old)


@pytest.mark.parametrize("hours", [-1, 721])
def test_an_overlap_is_bounded(keys, hours):
    key, _ = issue(keys)
    with pytest.raises(BadRequest):
        keys.rotate(key.key, overlap_hours=hours)


def test_rotating_what_is_not_there_is_said(keys):
    with pytest.raises(NotFound):
        keys.rotate(KeyId("key_none"), overlap_hours=1)


def test_the_day_of_use_is_noted_and_no_finer(keys, clock):
    _, secret = issue(keys)
    keys.authenticate(secret)
    assert keys.list()[0].last_used_day == clock.now().date()


def test_a_key_has_a_budget_unless_told_otherwise(keys):
    key, _ = issue(keys)
    assert (key.faces_per_hour, key.faces_per_day) == (
        DEFAULT_QUOTA.per_hour,
        DEFAULT_QUOTA.per_day,
    )


# -- budgets ---------------------------------------------------------------------------------------


def test_a_budget_says_what_is_left_and_when_it_is_renewed(budget, clock):
    quota = ProbeQuota(10, 100)
    hour, day = budget.spend(KeyId("key_a"), quota, 4)
    assert (hour.name, hour.quota, hour.window_s, hour.remaining) == ("faces-hour", 10, HOUR_S, 6)
    assert (day.name, day.quota, day.window_s, day.remaining) == ("faces-day", 100, DAY_S, 96)
    assert 0 < hour.reset_s <= HOUR_S
    assert 0 < day.reset_s <= DAY_S
    clock.advance(hour.reset_s)
    hour, day = budget.states(KeyId("key_a"), quota)
    assert (hour.remaining, day.remaining) == (10, 96)


def test_a_check_that_a_budget_does_not_cover_is_refused_and_costs_nothing(budget):
    quota = ProbeQuota(10, 100)
    budget.spend(KeyId("key_a"), quota, 8)
    with pytest.raises(TooManyRequests) as refused:
        budget.spend(KeyId("key_a"), quota, 3)
    assert 0 < refused.value.retry_after_s <= HOUR_S
    assert budget.spend(KeyId("key_a"), quota, 2)[0].remaining == 0


def test_who_has_used_up_the_day_waits_for_the_next(budget, clock):
    quota = ProbeQuota(10, 10)
    budget.spend(KeyId("key_a"), quota, 10)
    with pytest.raises(TooManyRequests) as refused:
        budget.spend(KeyId("key_a"), quota, 1)
    clock.advance(refused.value.retry_after_s)
    assert budget.spend(KeyId("key_a"), quota, 1)[1].remaining == 9
