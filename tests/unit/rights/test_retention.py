from __future__ import annotations

import dataclasses
import logging
from datetime import timedelta

import pytest
from consentry.accounts.principals import Scope
from consentry.accounts.tokens import Tokens
from consentry.kernel.errors import NotFound, StorageFailed
from consentry.rights.periods import Periods
from consentry.rights.retention import Due
from consentry.storage.tokens import SqlTokenStore
from consentry.transparency.whole import verify_whole
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE

ADA = (200, 10, 10)
DAY_S = 86_400


@pytest.fixture
def checked(home):
    """A home with a check of long ago and one of today."""
    home.enrol(ADA)
    home.check(picture(ADA), platform="studio.example")
    home.clock.advance(1096 * DAY_S)
    home.custody.unlock(PASSPHRASE)
    home.check(picture(ADA), platform="studio.example")
    return home


def openings(home) -> int:
    with home.database.reading() as session:
        statement = "SELECT count(*) FROM log_openings WHERE subject IS NULL"
        return session.connection().exec_driver_sql(statement).scalar_one()


def test_what_is_due_is_deleted_and_what_is_not_stays(checked):
    report = checked.retention(is_dry=False)

    assert (report.counts["receipts"], report.counts["log_openings"]) == (1, 1)
    assert (checked.receipts.count(), openings(checked)) == (1, 1)


def test_a_dry_run_counts_the_same_and_deletes_nothing(checked):
    dry = checked.retention(is_dry=True)
    before = (checked.receipts.count(), openings(checked))
    real = checked.retention(is_dry=False)

    assert before == (2, 2)
    assert {due.value: dry.counts[due.value] for due in Due} == {
        due.value: real.counts[due.value] for due in Due
    }


def test_running_it_again_deletes_nothing_more(checked):
    checked.retention(is_dry=False)

    assert set(checked.retention(is_dry=False).counts.values()) == {0}


def test_the_log_stays_whole_and_receipts_that_were_kept_elsewhere_still_verify(checked):
    checked.publish_log.batch()
    kept_by_the_platform = checked.receipts.newest(10, None)[-1]

    checked.retention(is_dry=False)

    with pytest.raises(NotFound):
        checked.receipts.get(kept_by_the_platform.check)
    with checked.log.view() as view:
        verify_whole(view.entries(), view.heads(), view.nodes(view.size))


def test_what_opens_her_enrolment_is_not_a_matter_of_time(checked):
    checked.log.take_in()
    subject = checked.store.subjects()[0].subject
    before = len(checked.export_subject.openings(subject))

    checked.retention(is_dry=False)

    assert before == len(checked.export_subject.openings(subject)) == 1


def test_under_a_hold_records_stay_and_other_things_go(checked):
    until = checked.clock.now() + timedelta(days=2)
    checked.holds.place(reason="Case 12/26", placed_by="operator", until=until)

    report = checked.retention(is_dry=False)

    assert report.held == ("log_openings", "receipts")
    assert (checked.receipts.count(), openings(checked)) == (2, 2)
    checked.clock.advance(3 * DAY_S)
    assert checked.retention(is_dry=False).counts["receipts"] == 1


def test_a_hold_keeps_no_biometrics(checked):
    until = checked.clock.now() + timedelta(days=2)
    checked.holds.place(reason="Case 12/26", placed_by="operator", until=until)
    (stored,) = checked.store.subjects()

    checked.revoke("Ada")

    left = b"".join(path.read_bytes() for path in checked.path.rglob("*") if path.is_file())
    assert stored.wrapped_key not in left
    assert checked.store.subjects() == ()


def test_with_a_damaged_file_of_holds_nothing_is_deleted(checked):
    (checked.path / "holds.json").write_text("damaged")

    with pytest.raises(StorageFailed):
        checked.retention(is_dry=False)

    assert checked.receipts.count() == 2


def test_a_crash_in_between_leaves_whole_pieces_and_the_next_run_goes_on(checked, monkeypatch):
    for _ in range(4):
        checked.check(picture(ADA))
    soon = dataclasses.replace(checked.retention, periods=Periods(receipts_days=30))
    checked.clock.advance(31 * DAY_S)
    store, seen = checked.retention.store, []

    class Crashing:
        count = staticmethod(store.count)

        @staticmethod
        def delete(due, before, most):
            if due is Due.RECEIPTS and len(seen) == 2:
                raise StorageFailed("the power went")
            seen.append(due)
            return store.delete(due, before, 1 if due is Due.RECEIPTS else most)

    with pytest.raises(StorageFailed):
        dataclasses.replace(soon, store=Crashing())(is_dry=False)
    between = checked.receipts.count()
    soon(is_dry=False)

    assert between == 4
    assert checked.receipts.count() == 0


@pytest.mark.parametrize("extra_days", [-1, 1])
def test_a_lapsed_token_goes_some_time_after_its_end(home, extra_days):
    tokens = Tokens(SqlTokenStore(home.database), home.clock)
    tokens.issue("old", frozenset({Scope.CHECKS_WRITE}), expires_in_days=1)
    tokens.issue("for ever", frozenset({Scope.CHECKS_WRITE}), expires_in_days=None)
    home.clock.advance((1 + 30 + extra_days) * DAY_S)

    home.retention(is_dry=False)

    names = {each.name for each in tokens.list()}
    assert names == ({"for ever"} if extra_days > 0 else {"old", "for ever"})


def test_it_tells_how_many_and_nothing_else(checked, caplog):
    caplog.set_level(logging.INFO)

    checked.retention(is_dry=False)

    (line,) = [r.getMessage() for r in caplog.records if "retention" in r.getMessage()]
    assert "'receipts': 1" in line
    assert "chk_" not in line
    assert "studio" not in line
