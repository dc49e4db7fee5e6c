from __future__ import annotations

from datetime import timedelta

import pytest
from consentry.kernel.errors import BadRequest, NotFound, StorageFailed
from consentry.rights.holds import LONGEST_HOLD_DAYS, HoldDesk, HoldId
from consentry.storage.hold_file import FileHoldStore
from fakes.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def desk(tmp_path, clock):
    return HoldDesk(FileHoldStore(tmp_path / "holds.json"), clock)


def place(desk, clock, days=10, reason="Case 12/26", by="the operator"):
    return desk.place(reason=reason, placed_by=by, until=clock.now() + timedelta(days=days))


def test_a_hold_is_there_as_it_was_placed_also_for_another_process(desk, clock, tmp_path):
    hold = place(desk, clock)

    assert HoldDesk(FileHoldStore(tmp_path / "holds.json"), clock).active() == (hold,)
    assert (tmp_path / "holds.json").stat().st_mode & 0o777 == 0o600


def test_a_hold_ends_by_itself(desk, clock):
    place(desk, clock, days=1)

    clock.advance(86_400)

    assert desk.active() == ()


def test_a_hold_is_lifted_and_others_stay(desk, clock):
    first, second = place(desk, clock), place(desk, clock)

    desk.lift(first.hold)

    assert desk.active() == (second,)


def test_a_hold_that_is_not_there_cannot_be_lifted(desk):
    with pytest.raises(NotFound):
        desk.lift(HoldId("hld_none"))


@pytest.mark.parametrize("days", [0, -1, LONGEST_HOLD_DAYS + 1])
def test_a_hold_ends_within_two_years(desk, clock, days):
    with pytest.raises(BadRequest):
        place(desk, clock, days=days)


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "a\x07b"])
def test_reason_and_name_are_short_texts_that_can_be_shown(desk, clock, text):
    with pytest.raises(BadRequest):
        place(desk, clock, reason=text)
    with pytest.raises(BadRequest):
        place(desk, clock, by=text)


@pytest.mark.parametrize("damage", [b"", b"{}", b"[{}]", b"\xff", b"[1]"])
def test_a_damaged_file_is_told_and_not_taken_for_no_hold(desk, clock, tmp_path, damage):
    place(desk, clock)
    (tmp_path / "holds.json").write_bytes(damage)

    with pytest.raises(StorageFailed):
        desk.active()


def test_holds_that_have_ended_are_forgotten_when_another_is_placed(desk, clock, tmp_path):
    place(desk, clock, days=1, reason="Old case")
    clock.advance(2 * 86_400)

    place(desk, clock)

    assert "Old case" not in (tmp_path / "holds.json").read_text()
