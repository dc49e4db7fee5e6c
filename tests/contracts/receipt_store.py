"""What every store of receipts must do. Inherit `ReceiptStoreContract` and make an empty one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from consentry.checks.ports import DraftReceipt, ReceiptStore, StoredReceipt
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.transparency.jwks import encode_base64url
from consentry.transparency.receipts import LogPlace
from fakes.logs import draft_of

NOON = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)


def receipt(n: int, at: datetime = NOON, log: LogPlace | None = None) -> StoredReceipt:
    return StoredReceipt(
        check=CheckId(f"chk_{n}"),
        issued_at=at,
        verdict=Verdict.REFUSE,
        reasons=(PublicReason.MINOR, PublicReason.REVEALING_REAL_PERSON),
        jws=f"e30.{n}.c2ln" if log is None else signed(n, log),
        log=log,
    )


def signed(n: int, place: LogPlace) -> str:
    claims = json.dumps({"log": {"origin": place.origin, "index": place.index}, "n": n})
    return f"e30.{encode_base64url(claims.encode())}.c2ln"


def draft(n: int, at: datetime = NOON) -> DraftReceipt:
    return replace(draft_of(receipt(n, at)), sign=lambda place: signed(n, place))


class ReceiptStoreContract(ABC):
    @abstractmethod
    def make(self) -> ReceiptStore:
        """A store without receipts."""

    @pytest.fixture
    def receipts(self, request) -> ReceiptStore:
        self.request = request
        return self.make()

    def test_a_kept_receipt_comes_back_as_it_was(self, receipts):
        kept = receipts.add(draft(1))

        assert receipts.get(CheckId("chk_1")) == kept == receipt(1, log=kept.log)

    @pytest.mark.parametrize("verdict", list(Verdict))
    def test_every_verdict_can_be_kept_without_reasons(self, receipts, verdict):
        kept = StoredReceipt(
            check=CheckId("chk_9"), issued_at=NOON, verdict=verdict, reasons=(), jws="e30.e30.c2ln"
        )
        receipts.add(draft_of(kept))

        found = receipts.get(CheckId("chk_9"))
        assert (found.verdict, found.reasons) == (verdict, ())

    def test_a_second_receipt_of_one_check_is_refused_and_the_first_stays(self, receipts):
        receipts.add(draft(1))

        with pytest.raises(Conflict):
            receipts.add(draft(1, NOON + timedelta(days=1)))
        assert receipts.get(CheckId("chk_1")).issued_at == NOON

    def test_a_receipt_that_was_never_kept_is_not_found(self, receipts):
        with pytest.raises(NotFound):
            receipts.get(CheckId("chk_1"))

    def test_the_newest_come_first(self, receipts):
        for n in (2, 1, 3):
            receipts.add(draft(n, NOON + timedelta(seconds=n)))

        assert [r.check for r in receipts.newest(2, None)] == ["chk_3", "chk_2"]

    def test_before_a_moment_leaves_out_the_moment_itself(self, receipts):
        for n in range(4):
            receipts.add(draft(n, NOON + timedelta(microseconds=n)))

        before = NOON + timedelta(microseconds=2)
        assert [r.check for r in receipts.newest(9, before)] == ["chk_1", "chk_0"]

    def test_a_moment_in_another_time_zone_is_the_same_moment(self, receipts):
        receipts.add(draft(1))
        there = timezone(timedelta(hours=5, minutes=30))

        assert receipts.newest(1, NOON.astimezone(there)) == ()
        assert len(receipts.newest(1, (NOON + timedelta(seconds=1)).astimezone(there))) == 1
        assert receipts.get(CheckId("chk_1")).issued_at.utcoffset() == timedelta(0)

    def test_none_are_asked_for_and_none_come(self, receipts):
        receipts.add(draft(1))

        assert receipts.newest(0, None) == ()

    def test_they_are_counted(self, receipts):
        assert receipts.count() == 0
        receipts.add(draft(1))
        receipts.add(draft(2))

        assert receipts.count() == 2

    def test_each_names_its_place_in_the_log_and_no_two_the_same(self, receipts):
        places = [receipts.add(draft(n)).log for n in range(5)]

        assert len({place.origin for place in places}) == 1
        assert sorted(place.index for place in places) == [place.index for place in places]
        assert len(set(places)) == 5
        assert [receipts.get(CheckId(f"chk_{n}")).log for n in range(5)] == places
