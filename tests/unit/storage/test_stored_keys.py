"""API keys and what they spent, in SQLite."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from consentry.accounts.ports import KeySecret, StoredKey
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import KeyId
from consentry.storage.database import Database
from consentry.storage.keys import SqlKeyStore, SqlProbeStore

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = 500_000 * 24  # the first of a day


def secret(n: int, **changed) -> KeySecret:
    values = {"digest": bytes([n]) * 32, "made_at": NOON + timedelta(minutes=n), "ends_at": None}
    return KeySecret(**(values | changed))


def key(n: int, **changed) -> StoredKey:
    values = {
        "key": KeyId(f"key_{n}"),
        "name": f"the {n}th platform",
        "platform": "example.org",
        "scopes": frozenset({"checks:write", "feed:read"}),
        "faces_per_hour": 10,
        "faces_per_day": 20,
        "created_at": NOON + timedelta(minutes=n),
        "last_used_day": None,
        "expires_at": None,
        "secrets": (secret(n),),
    }
    return StoredKey(**(values | changed))


@pytest.fixture
def keys(database):
    return SqlKeyStore(database)


@pytest.fixture
def probes(database):
    return SqlProbeStore(database)


@pytest.mark.parametrize(
    "kept",
    [
        key(1),
        key(2, expires_at=NOON, last_used_day=date(2026, 11, 20)),
        key(3, secrets=(secret(3, ends_at=NOON), secret(4))),
    ],
    ids=["usual", "used and ending", "rotating"],
)
def test_a_kept_key_is_found_by_every_digest_of_its_own_as_it_was(keys, kept):
    keys.add(kept)

    for each in kept.secrets:
        assert keys.find_by_digest(each.digest) == kept
    assert keys.find_by_digest(b"\0" * 32) is None


def test_keys_are_listed_oldest_first(keys):
    for n in (2, 3, 1):
        keys.add(key(n))

    assert list(keys.list()) == [key(1), key(2), key(3)]


@pytest.mark.parametrize("second", [key(1, secrets=(secret(2),)), key(2, secrets=(secret(1),))])
def test_the_same_identifier_or_digest_twice_is_refused_and_nothing_is_kept(keys, second):
    keys.add(key(1))

    with pytest.raises(Conflict):
        keys.add(second)
    assert list(keys.list()) == [key(1)]


def test_a_rotation_adds_a_secret_and_sets_an_end_to_the_others(keys):
    keys.add(key(1))
    end = NOON + timedelta(hours=24)

    keys.rotate(KeyId("key_1"), secret(9), now=NOON, others_end=end)

    assert keys.list()[0].secrets == (secret(1, ends_at=end), secret(9))


def test_a_second_rotation_never_lengthens_an_end_and_drops_what_has_ended(keys):
    soon = NOON + timedelta(hours=1)
    keys.add(key(1, secrets=(secret(1, ends_at=NOON), secret(2, ends_at=soon), secret(3))))
    late = NOON + timedelta(hours=9)

    keys.rotate(KeyId("key_1"), secret(9), now=NOON, others_end=late)

    assert keys.list()[0].secrets == (
        secret(2, ends_at=soon),
        secret(3, ends_at=late),
        secret(9),
    )


def test_rotating_or_removing_a_key_that_is_not_there_is_said(keys):
    with pytest.raises(NotFound):
        keys.rotate(KeyId("key_1"), secret(1), now=NOON, others_end=NOON)
    with pytest.raises(NotFound):
        keys.remove(KeyId("key_1"))


def test_a_removed_key_leaves_no_secret_and_no_count(keys, probes, database):
    keys.add(key(1, secrets=(secret(1), secret(2))))
    probes.spend(KeyId("key_1"), HOUR, 3, per_hour=9, per_day=9)

    keys.remove(KeyId("key_1"))

    assert keys.find_by_digest(secret(2).digest) is None
    for table in ("api_keys", "api_key_secrets", "probe_spending"):
        assert database.held().execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_the_day_of_use_is_noted(keys):
    keys.add(key(1))
    keys.touch(KeyId("key_1"), date(2026, 11, 22))
    keys.touch(KeyId("key_none"), date(2026, 11, 22))

    assert list(keys.list()) == [key(1, last_used_day=date(2026, 11, 22))]


def test_faces_are_counted_in_the_hour_and_in_the_day(probes):
    spend = {"per_hour": 10, "per_day": 15}
    first = probes.spend(KeyId("a"), HOUR + 3, 4, **spend)
    second = probes.spend(KeyId("a"), HOUR + 4, 5, **spend)

    assert (first.in_hour, first.in_day, first.was_spent) == (4, 4, True)
    assert (second.in_hour, second.in_day, second.was_spent) == (5, 9, True)


@pytest.mark.parametrize(("per_hour", "per_day"), [(6, 99), (99, 6)])
def test_what_would_pass_a_quota_is_not_counted_at_all(probes, per_hour, per_day):
    spend = {"per_hour": per_hour, "per_day": per_day}
    probes.spend(KeyId("a"), HOUR, 4, **spend)
    refused = probes.spend(KeyId("a"), HOUR, 3, **spend)
    fits = probes.spend(KeyId("a"), HOUR, 2, **spend)

    assert (refused.in_hour, refused.in_day, refused.was_spent) == (4, 4, False)
    assert (fits.in_hour, fits.in_day, fits.was_spent) == (6, 6, True)


def test_asking_about_nothing_tells_and_writes_nothing(probes, database):
    probes.spend(KeyId("a"), HOUR, 4, per_hour=9, per_day=9)
    told = probes.spend(KeyId("a"), HOUR + 1, 0, per_hour=9, per_day=9)

    assert (told.in_hour, told.in_day, told.was_spent) == (0, 4, True)
    rows = database.held().execute("SELECT hour, faces FROM probe_spending").fetchall()
    assert rows == [(HOUR, 4)]


def test_keys_of_one_platform_spend_together_each_up_to_its_own_quota(keys, probes):
    for n, platform in ((1, "example.org"), (2, "Example.org"), (3, "other.example")):
        keys.add(key(n, platform=platform))
    probes.spend(KeyId("key_1"), HOUR, 5, per_hour=9, per_day=9)

    told = probes.spend(KeyId("key_2"), HOUR, 5, per_hour=9, per_day=9)
    larger = probes.spend(KeyId("key_2"), HOUR, 5, per_hour=10, per_day=10)
    other = probes.spend(KeyId("key_3"), HOUR, 9, per_hour=9, per_day=9)

    assert (told.in_hour, told.was_spent) == (5, False)
    assert (larger.in_hour, larger.was_spent) == (10, True)
    assert (other.in_hour, other.was_spent) == (9, True)


@pytest.mark.parametrize("other", ["Käse", "KA\u0308SE", "\uff2bÄSE"])
def test_one_platform_is_one_however_its_name_is_written(keys, probes, other):
    for n, platform in ((1, "KÄSE"), (2, other)):
        keys.add(key(n, platform=platform))
    probes.spend(KeyId("key_1"), HOUR, 5, per_hour=9, per_day=9)

    assert not probes.spend(KeyId("key_2"), HOUR, 5, per_hour=9, per_day=9).was_spent


def test_one_key_never_spends_for_that_of_another_platform(probes):
    probes.spend(KeyId("a"), HOUR, 9, per_hour=9, per_day=9)

    assert probes.spend(KeyId("b"), HOUR, 9, per_hour=9, per_day=9).was_spent


def test_a_new_day_begins_at_nothing_and_yesterday_is_forgotten(probes, database):
    probes.spend(KeyId("a"), HOUR + 23, 9, per_hour=9, per_day=9)
    tomorrow = probes.spend(KeyId("a"), HOUR + 24, 1, per_hour=9, per_day=9)

    assert (tomorrow.in_hour, tomorrow.in_day) == (1, 1)
    assert database.held().execute("SELECT count(*) FROM probe_spending").fetchone() == (1,)


def test_a_restart_gives_nothing_back(probes, database, path):
    probes.spend(KeyId("a"), HOUR, 9, per_hour=9, per_day=9)
    database.close()
    again = Database.open(path)

    assert not SqlProbeStore(again).spend(KeyId("a"), HOUR, 1, per_hour=9, per_day=9).was_spent
    again.close()


def test_twenty_threads_cannot_spend_more_than_there_is(probes):
    granted = []

    def ask():
        found = probes.spend(KeyId("a"), HOUR, 3, per_hour=30, per_day=99)
        granted.append(found.was_spent)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert granted.count(True) == 10
