"""An audit of a real log passes; of each way to forge one it says what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from consentry.audit.examine import examine
from consentry.audit.findings import MOST_OF_A_KIND
from consentry.audit.openings import OpenedValue, parse_openings
from consentry.audit.sources import AtHead, ViewedLog
from consentry.kernel.errors import BadRequest
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.storage.log_openings import opened_values
from consentry.transparency import canonical
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.entries import SubjectEntry, decode_entry, encode_entry
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.tiles import Tile
from fakes.audited_log import ENGINES, REFUSED, KeptLog


@pytest.fixture
def kept(tmp_path):
    log = KeptLog(tmp_path)
    for _ in range(3):
        log.keep()
    log.keep(Verdict.REFUSE, REFUSED)
    return log


def kinds(audited):
    return [each.kind.value for each in audited.findings]


def edited(data, **members):
    return canonical.encode({**json.loads(data), **members})


def resigned(copy):
    copy.shown = [copy.sign()]
    return copy


def test_a_sound_log_has_no_findings_and_its_counts_are_those_of_what_was_decided(kept):
    old = kept.publish()
    kept.keep(Verdict.REFUSE, REFUSED)
    kept.publish()
    with kept.log.view() as view:
        audited = examine(
            ViewedLog(view),
            kept.terms(
                kept=(old,), receipts=dict(zip("abcde", kept.receipts, strict=True)), today=None
            ),
        )
    assert audited.findings == ()
    assert (audited.read, audited.samples) == (6, 5)
    assert sum(audited.counts.verdicts.values()) == 5
    assert audited.counts.reasons[frozenset(REFUSED), Verdict.REFUSE] == 2
    assert audited.counts.announced[0].versions.engines == ENGINES


def test_an_entry_that_was_changed_is_found(kept):
    copy = kept.copy()
    copy.entries[4] = edited(copy.entries[4], verdict="allow", reasons=[])
    assert kinds(examine(copy, kept.terms())) == ["rewritten"]


def test_an_entry_that_was_taken_out_is_found_by_the_head_that_was_kept(kept):
    copy = kept.copy()
    old = copy.shown[-1]
    del copy.entries[2]
    audited = examine(resigned(copy), kept.terms(kept=(old,)))
    assert kinds(audited) == ["rolled_back"]
    for _ in range(2):
        kept.keep()
        copy.entries.append(kept.copy().entries[-1])
    audited = examine(resigned(copy), kept.terms(kept=(old,)))
    assert kinds(audited) == ["rewritten"]


def test_an_entry_that_was_taken_out_is_found_by_the_receipt_of_it(kept):
    copy = kept.copy()
    del copy.entries[2]
    audited = examine(resigned(copy), kept.terms(receipts={"hers.json": kept.receipts[1]}))
    assert kinds(audited) == ["receipt"]
    assert "hers.json" in audited.findings[0].message


def test_two_histories_of_one_size_are_a_fork(kept):
    copy = kept.copy()
    theirs = copy.shown[-1]
    copy.entries[3] = edited(copy.entries[3], verdict="refuse")
    audited = examine(resigned(copy), kept.terms(kept=(theirs,)))
    assert kinds(audited) == ["fork", "rewritten"]


def test_a_head_that_the_log_did_not_sign_is_found(kept):
    copy = kept.copy()
    copy.shown = [copy.sign(seed=2)]
    audited = examine(copy, kept.terms())
    assert kinds(audited) == ["signature"]
    assert audited.head is None


def test_a_log_without_a_head_is_a_finding(kept):
    copy = kept.copy()
    copy.shown = []
    assert kinds(examine(copy, kept.terms())) == ["signature"]


@pytest.mark.parametrize(("back", "found"), [(1, []), (2, ["clock"])])
def test_a_clock_that_goes_back_further_than_allowed_is_found(kept, back, found):
    copy = kept.copy()
    last = edited(
        copy.entries[-1], day=(decode_entry(copy.entries[-1]).day - timedelta(back)).isoformat()
    )
    copy.entries.append(last)
    assert kinds(examine(resigned(copy), kept.terms())) == found


def test_a_day_that_has_not_come_is_found(kept):
    copy = kept.copy()
    copy.entries.append(edited(copy.entries[-1], day="2099-01-01"))
    today = decode_entry(copy.entries[0]).day
    assert kinds(examine(resigned(copy), kept.terms(today=today))) == ["clock"]


def test_a_change_of_an_enrolment_may_have_waited(kept):
    copy = kept.copy()
    copy.entries.append(encode_entry(SubjectEntry(day=date(2020, 1, 1), change=b"\1" * 32)))
    audited = examine(resigned(copy), kept.terms())
    assert audited.findings == ()
    assert audited.counts.changes == {date(2020, 1, 1): 1}


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (b'{"v":1,"kind":"praise","day":"2026-11-22"}', "malformed"),
        (b'{"day":"2026-11-22","kind":"praise","v":1}', "unknown_kind"),
        (b'{"change":"AAAA","day":"2026-11-22","kind":"subject","v":1}', "malformed"),
        (b"", "malformed"),
    ],
)
def test_what_is_no_entry_is_found(kept, entry, kind):
    copy = kept.copy()
    copy.entries.append(entry)
    audited = examine(resigned(copy), kept.terms())
    assert kinds(audited) == [kind]
    assert audited.findings[0].index == len(copy.entries) - 1


def test_a_commitment_in_another_spelling_is_found_though_its_shape_is_known(kept):
    copy = kept.copy()
    entry = json.loads(copy.entries[-1])
    copy.entries.append(edited(copy.entries[-1], region=entry["region"][:-1] + "B"))
    assert kinds(examine(resigned(copy), kept.terms())) == ["malformed"]


def test_an_engine_that_is_called_like_a_commitment_is_counted_by_its_version(kept):
    copy = kept.copy()
    versions = edited(copy.entries[0], engines={**ENGINES, "region": "A" * 43})
    named = edited(copy.entries[-1], engines={"region": "A" * 43})
    other = edited(copy.entries[-1], engines={"region": "A" * 42 + "E"})
    copy.entries += [versions, named, other]
    audited = examine(resigned(copy), kept.terms())
    assert kinds(audited) == ["unannounced"]
    deciders = {engines for _, engines, _ in audited.counts.deciders}
    assert {(("region", "A" * 43),), (("region", "A" * 42 + "E"),)} <= deciders


def test_laws_that_were_not_announced_are_found(kept):
    copy = kept.copy()
    copy.entries.append(edited(copy.entries[-1], policy="other@9"))
    assert kinds(examine(resigned(copy), kept.terms())) == ["unannounced"]


def test_a_gap_is_found_and_nothing_after_it_is_counted(kept):
    copy = kept.copy()
    copy.missing = {Tile(None, 0, len(copy.entries))}
    audited = examine(copy, kept.terms())
    assert kinds(audited) == ["gap"]
    assert audited.read == 0


def test_a_log_that_is_wrong_everywhere_is_told_in_few_lines(kept):
    copy = kept.copy()
    copy.entries += [b"{}"] * (MOST_OF_A_KIND + 5)
    audited = examine(resigned(copy), kept.terms())
    assert len(audited.findings) == MOST_OF_A_KIND + 1
    assert "5 more" in audited.findings[-1].message


def test_a_receipt_that_another_key_signed_is_found(kept):
    copy = kept.copy()
    broken = kept.receipts[0][:-8] + "AAAAAAAA"
    assert kinds(examine(copy, kept.terms(receipts={"r": broken}))) == ["receipt"]


def test_a_receipt_that_is_newer_than_the_head_is_said_to_be(kept):
    copy = kept.copy()
    kept.keep()
    audited = examine(copy, kept.terms(receipts={"r": kept.receipts[-1]}))
    assert kinds(audited) == ["receipt"]
    assert "newer" in audited.findings[0].message


def test_the_tree_that_proofs_are_made_from_is_held_against_the_entries(kept):
    kept.publish()
    with kept.log.view() as view:

        class OtherHashes(ViewedLog):
            def read(self, tile):
                data = view.read(tile)
                return data if tile.level is None else data[:-1] + bytes([data[-1] ^ 1])

        assert kinds(examine(OtherHashes(view), kept.terms())) == ["tree"]


def test_a_log_that_grew_is_read_as_it_was_at_an_old_head(kept):
    old = kept.publish()
    kept.keep()
    kept.publish()
    with kept.log.view() as view:
        audited = examine(AtHead(ViewedLog(view), old), kept.terms())
    assert (audited.findings, audited.read) == ((), old.checkpoint.size)


def test_a_log_that_admits_a_loss_has_lost_the_entries_under_the_old_head(kept):
    old = kept.copy()
    lost = old.shown[-1]
    entries = old.entries[:-1]
    renewed = canonical.encode(
        {
            "v": 1,
            "kind": "renewed",
            "day": decode_entry(entries[-1]).day.isoformat(),
            "origin": lost.checkpoint.origin,
            "size": lost.checkpoint.size,
            "root": json.loads(entries[-1])["receipt"],
        }
    )
    old.entries = [*entries, renewed]
    old.origin = "consentry.local/0000000000000001"
    assert kinds(examine(resigned(old), kept.terms(kept=(lost,)))) == ["lost"]


def test_what_was_opened_is_counted_and_what_was_not_stays_closed(kept):
    kept.publish()
    with kept.log.view() as view:
        lines = "".join(each.line() for each in opened_values(view, {"purpose"}))
        openings = parse_openings(lines)
        del openings[1]
        audited = examine(ViewedLog(view), kept.terms(openings=openings))
    assert audited.findings == ()
    assert audited.counts.opened == {
        ("purpose", "edit", Verdict.ALLOW): 2,
        ("purpose", "edit", Verdict.REFUSE): 1,
    }


def test_a_value_that_an_entry_did_not_commit_to_is_found_and_not_counted(kept):
    copy = kept.copy()
    false = OpenedValue(index=1, name="purpose", value="intimate", salt=b"\1" * 32)
    audited = examine(copy, kept.terms(openings={1: (false,)}))
    assert kinds(audited) == ["opening"]
    assert not audited.counts.opened


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"index": 1, "name": "purpose", "value": "edit"}',
        '{"index": true, "name": "purpose", "value": "edit", "salt": "' + "A" * 43 + '"}',
        '{"index": 1, "name": "change", "value": "edit", "salt": "' + "A" * 43 + '"}',
        '{"index": 1, "name": ["x"], "value": "edit", "salt": "' + "A" * 43 + '"}',
        '{"index": 1, "name": "purpose", "value": "edit", "salt": "AAAA"}',
        '{"index": 1, "name": "purpose", "value": "edit", "salt": 7}',
    ],
)
def test_what_opens_nothing_is_refused_with_its_line(line):
    with pytest.raises(BadRequest, match="Line 2"):
        parse_openings("\n" + line)


def test_a_reason_is_counted_with_those_beside_it(tmp_path):
    kept = KeptLog(tmp_path)
    both = (PublicReason.MINOR, PublicReason.REVEALING_REAL_PERSON)
    kept.keep(Verdict.REFUSE, both)
    audited = examine(kept.copy(), kept.terms())
    assert audited.counts.reasons == {(frozenset(both), Verdict.REFUSE): 1}


def test_a_head_counts_when_enough_witnesses_cosigned_it_after_its_entries(kept):
    copy = kept.copy()
    witness = NoteSigner(
        name="w.example",
        type=SignatureType.COSIGNATURE,
        private_key=new_signing_key(lambda n: b"w" * n),
    )
    policy = TrustPolicy.parse(f"log {kept.vkey}\nwitness w {witness.vkey}\nquorum w\n")
    terms = replace(kept.terms(), policy=policy)
    assert kinds(examine(copy, terms)) == ["quorum"]
    signed = copy.shown[-1]
    cosigned = signed.note.with_signatures([witness.sign(signed.note.text, kept.clock.now())])
    copy.shown = [SignedCheckpoint(checkpoint=signed.checkpoint, note=cosigned)]
    assert examine(copy, terms).findings == ()

    kept.clock.advance(-9 * 86_400)
    early = signed.note.with_signatures([witness.sign(signed.note.text, kept.clock.now())])
    copy.shown = [SignedCheckpoint(checkpoint=signed.checkpoint, note=early)]
    assert kinds(examine(copy, terms)) == ["clock"]
