"""The log in SQLite: one tree whoever appends, heads that never contradict, and no way back."""

from __future__ import annotations

import itertools
import shutil
import threading
from datetime import timedelta

import pytest
from consentry.checks.ports import StoredReceipt
from consentry.kernel.errors import LogInconsistent, NotFound, NotReady, StorageFailed
from consentry.kernel.ids import CheckId, new_subject_id
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.storage.database import Database
from consentry.storage.log import Item, await_change
from consentry.storage.receipts import SqlReceiptStore
from consentry.storage.subjects import SqlSubjectStore
from consentry.transparency.entries import (
    RenewedEntry,
    SubjectChange,
    SubjectEntry,
    VerdictEntry,
    VersionsEntry,
    decode_entry,
    receipt_digest,
)
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.publication import ProveEntry, RenewLog
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.tiles import (
    Tile,
    TileNodes,
    bundles_of,
    decode_bundle,
    split_hashes,
    tiles_of,
)
from consentry.transparency.tree import (
    consistency_proof,
    leaf_hash,
    root,
    verify_consistency,
)
from contracts.receipt_store import NOON, draft
from contracts.subject_store import person
from fakes.logs import draft_of, log_of, publisher
from fakes.manual_clock import ManualClock
from fakes.trees import WholeTree, entry


def append(log, start, stop):
    """Append the entries of the whole tree."""
    with log.database.writing() as session:
        return log.append(session, [Item(entry=entry(n)) for n in range(start, stop)])


def size(log):
    with log.view() as view:
        return view.size


def read(log, tile):
    with log.view() as view:
        return view.read(tile)


def entries(log):
    with log.view() as view:
        return [data for _, data in view.entries()]


def policy_for(publish, log):
    with log.view() as view:
        return TrustPolicy.parse(f"log {publish.vkey(view.origin)}\nquorum none\n")


@pytest.fixture
def log(database):
    return log_of(database)


@pytest.mark.parametrize("total", [1, 255, 256, 257, 513])
def test_tiles_and_bundles_are_those_of_the_tree(log, total):
    tree = WholeTree.of(total)
    for start in range(0, total, 97):
        assert append(log, start, min(start + 97, total)) == start

    with log.view() as view:
        for tile in tiles_of(total):
            assert view.read(tile) == tree.tile(tile)
        for bundle in bundles_of(total):
            found = decode_bundle(view.read(bundle), bundle.width)
            assert list(found) == [entry(bundle.first + i) for i in range(bundle.width)]
        assert root(view.nodes(total), total) == root(tree, total)
        assert [view.entry(n) for n in (0, total - 1)] == [entry(0), entry(total - 1)]


def test_sixty_five_thousand_entries_end_in_a_tile_of_level_two(log):
    total = 65_537
    tree = WholeTree.of(total)
    append(log, 0, 65_535)
    append(log, 65_535, 65_536)
    append(log, 65_536, total)

    with log.view() as view:
        nodes = TileNodes(total, view.read)
        assert root(nodes, total) == root(tree, total)
        assert len(split_hashes(view.read(Tile(1, 0)), 256)) == 256
        assert view.read(Tile(2, 0, 1)) == tree.node(16, 0)
        for old in (65_535, 65_536):
            proof = consistency_proof(nodes, old, total)
            verify_consistency(old, total, proof, root(tree, old), root(tree, total))


@pytest.mark.parametrize(
    "tile", [Tile(0, 0), Tile(0, 0, 4), Tile(None, 0, 4), Tile(1, 0, 1), Tile(0, 10**9)]
)
def test_what_the_log_has_not_come_to_is_not_found(log, tile):
    append(log, 0, 3)

    with pytest.raises(NotFound):
        read(log, tile)
    with log.view() as view, pytest.raises(NotFound):
        view.entry(3)


def test_an_entry_that_was_taken_out_is_noticed_by_whoever_reads(log, database):
    append(log, 0, 5)
    database.held().execute("DELETE FROM log_leaves WHERE leaf = 2")

    with pytest.raises(StorageFailed):
        read(log, Tile(0, 0, 5))


def test_a_transaction_that_fails_leaves_nothing_in_the_log(log, database):
    append(log, 0, 2)

    class Broken(Exception):
        pass

    def fail_after(session):
        log.append(session, [Item(entry=b"never")])
        raise Broken

    with pytest.raises(Broken), database.writing() as session:
        fail_after(session)

    assert entries(log) == [entry(0), entry(1)]


def test_a_receipt_and_its_entry_are_kept_together_or_not_at_all(database, log):
    receipts = SqlReceiptStore(database, log)
    kept = receipts.add(draft(1))
    before = size(log)

    with pytest.raises(Exception, match="already"):
        receipts.add(draft(1))

    assert size(log) == before
    with log.view() as view:
        found = decode_entry(view.entry(kept.log.index))
    assert isinstance(found, VerdictEntry)
    assert found.receipt == receipt_digest(kept.jws)
    assert (found.verdict, found.reasons) == (kept.verdict, kept.reasons)
    assert found.day == NOON.date()


def test_versions_are_announced_before_the_first_verdict_under_them_and_once(database, log):
    receipts = SqlReceiptStore(database, log)
    for n in range(3):
        receipts.add(draft(n))
    later = log_of(database, program="0.2.0")
    SqlReceiptStore(database, later).add(draft(3))
    SqlReceiptStore(database, later).add(draft(4))

    kinds = [type(decode_entry(data)) for data in entries(log)]
    announced = [n for n, kind in enumerate(kinds) if kind is VersionsEntry]
    assert announced == [0, 4]
    assert decode_entry(entries(log)[4]).versions.program == "0.2.0"


def test_engines_that_only_some_doors_ask_are_announced_once(database, log):
    with database.writing() as session:
        log.announce(session, "p@1", {"faces": "a@1"})
        log.announce(session, "p@1", {"faces": "a@1", "exposure": "b@1"})
        log.announce(session, "p@1", {"faces": "a@1"})
        log.announce(session, "p@1", {"faces": "a@2"})

    assert [decode_entry(data).versions.engines for data in entries(log)] == [
        {"faces": "a@1"},
        {"faces": "a@1", "exposure": "b@1"},
        {"faces": "a@2", "exposure": "b@1"},
    ]


def test_enrolments_wait_for_the_next_batch_and_come_in_random_order(database, log):
    subjects = SqlSubjectStore(database, ManualClock())
    for n in range(12):
        subjects.add_subject(person(n), [])
    assert size(log) == 0

    assert log.take_in() == 12
    assert log.take_in() == 12

    rows = database.held().execute("SELECT leaf, opened FROM log_openings ORDER BY leaf").fetchall()
    assert len({opened for _, opened in rows}) == 12
    assert [opened for _, opened in rows] != sorted(opened for _, opened in rows)
    found = [decode_entry(data) for data in entries(log)]
    assert {type(each) for each in found} == {SubjectEntry}
    assert len({len(data) for data in entries(log)}) == 1


def test_of_whoever_is_revoked_nothing_opens_her_entries_and_the_proofs_hold(database, log, path):
    publish = publisher(log)
    subjects = SqlSubjectStore(database, ManualClock())
    subjects.add_subject(person(1), [])
    publish.batch()
    salt = database.held().execute("SELECT salt FROM log_openings").fetchone()[0]
    subjects.add_subject(person(2), [])
    waiting = database.held().execute("SELECT salt FROM log_waiting").fetchone()[0]

    subjects.remove_subject(person(1).subject)
    subjects.remove_subject(person(2).subject)
    publish.batch()

    disk = b"".join(each.read_bytes() for each in path.parent.iterdir())
    for secret in (salt, waiting, person(1).subject.encode(), person(2).subject.encode()):
        assert secret not in disk
    assert size(log) == 4
    with log.view() as view:
        origin = view.origin
    for index in range(4):
        ProveEntry(log, publish)(origin, index).verify(policy_for(publish, log))


def test_a_change_that_is_rolled_back_does_not_wait(database, log):
    def fail_after(session):
        await_change(session, SubjectChange.ENROLLED, new_subject_id(), NOON)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.writing() as session:
        fail_after(session)

    assert log.take_in() == 0


# --- heads


def test_heads_are_signed_and_each_goes_on_from_the_last(log):
    publish = publisher(log)
    signed = []
    for total in (0, 1, 255, 256, 300):
        append(log, size(log), total)
        signed.append(publish())

    for before, after in itertools.pairwise(signed):
        with log.view() as view:
            new = after.checkpoint.size
            proof = consistency_proof(view.nodes(new), before.checkpoint.size, new)
        verify_consistency(
            before.checkpoint.size,
            new,
            proof,
            before.checkpoint.root,
            after.checkpoint.root,
        )
        after.require_signed_by(publish.vkey(after.checkpoint.origin))
    assert log.published() == signed[-1] == log.memory.read()


def test_nothing_new_is_not_signed_again(log):
    publish = publisher(log)
    append(log, 0, 3)

    assert publish() == publish() == publish.batch()


def test_an_entry_is_proved_at_once_though_nothing_was_published_since(log):
    publish = publisher(log)
    append(log, 0, 300)
    with log.view() as view:
        origin = view.origin
    proof = ProveEntry(log, publish)(origin, 255)

    proof.verify(policy_for(publish, log))
    assert type(proof).parse(str(proof)) == proof
    append(log, 300, 400)
    assert ProveEntry(log, publish)(origin, 7).signed == proof.signed
    assert ProveEntry(log, publish)(origin, 399).signed.checkpoint.size == 400
    with pytest.raises(NotFound):
        ProveEntry(log, publish)(origin, 400)


def test_without_its_quorum_nothing_is_proved(log):
    witness = NoteSigner(
        name="w", type=SignatureType.COSIGNATURE, private_key=new_signing_key()
    ).vkey
    publish = publisher(log, policy=TrustPolicy.parse(f"witness w {witness}\nquorum w\n"))
    append(log, 0, 3)
    with log.view() as view, pytest.raises(NotReady):
        ProveEntry(log, publish)(view.origin, 1)
    assert log.published() is None


def test_two_that_append_at_once_make_one_tree(database, path):
    other = Database.open(path, busy_timeout_s=30)
    logs = [log_of(database), log_of(other)]
    start = threading.Barrier(4)

    def work(log, worker):
        start.wait()
        for n in range(25):
            with log.database.writing() as session:
                log.append(session, [Item(entry=f"{worker} {n} {k}".encode()) for k in range(3)])

    threads = [threading.Thread(target=work, args=(log, w)) for w, log in enumerate([*logs, *logs])]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    found = entries(logs[0])
    assert len(found) == len(set(found)) == 300
    with logs[1].view() as view:
        tree = WholeTree([leaf_hash(data) for data in found])
        assert root(view.nodes(300), 300) == root(tree, 300)
    publish = publisher(logs[0])
    assert publish().checkpoint.root == root(tree, 300)
    other.close()


# --- no way back


@pytest.fixture
def restored(path, database, log):
    """A log of 20 published entries, in a database that was put back to 10 of them."""
    publish = publisher(log)
    append(log, 0, 10)
    publish()
    database.close()
    backup = path.with_name("backup.db")
    shutil.copy(path, backup)

    database = Database.open(path)
    append(log_of(database), 10, 20)
    publisher(log_of(database))()
    database.close()
    backup.replace(path)
    for name in (f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    opened = Database.open(path)
    yield log_of(opened)
    opened.close()


def test_a_database_that_was_put_back_is_neither_appended_to_nor_signed(restored):
    with pytest.raises(LogInconsistent):
        append(restored, 10, 11)
    with pytest.raises(LogInconsistent):
        SqlReceiptStore(restored.database, restored).add(draft(1))
    with pytest.raises(LogInconsistent):
        publisher(restored)()
    with pytest.raises(LogInconsistent):
        restored.take_in()
    assert size(restored) == 10


def test_a_database_that_was_put_back_and_grew_elsewhere_is_not_signed(restored):
    """As if it had been used while the memory was out of reach."""
    remembered = restored.memory.read()
    restored.memory.path.unlink()
    with restored.database.writing() as session:
        restored.append(session, [Item(entry=b"another history %d" % n) for n in range(30)])
    restored.memory.keep(remembered)

    with pytest.raises(LogInconsistent):
        publisher(restored)()


def test_people_can_be_revoked_though_the_log_was_put_back(restored):
    subjects = SqlSubjectStore(restored.database, ManualClock())
    subjects.add_subject(person(1), [])
    subjects.remove_subject(person(1).subject)

    assert subjects.subjects() == ()


def test_a_renewed_log_says_what_it_lost_and_keeps_the_old_proofs(restored):
    publish = publisher(restored)
    with restored.view() as view:
        old_origin = view.origin
        old_policy = policy_for(publish, restored)

    signed = RenewLog(restored, publish)()

    assert signed.checkpoint.origin != old_origin
    renewed = decode_entry(entries(restored)[10])
    assert isinstance(renewed, RenewedEntry)
    assert (renewed.origin, renewed.size) == (old_origin, 20)
    prove = ProveEntry(restored, publish)
    prove(old_origin, 7).verify(old_policy)
    prove(signed.checkpoint.origin, 7).verify(policy_for(publish, restored))
    append(restored, 11, 30)
    assert publish().checkpoint.size == 30
    with pytest.raises(NotReady):
        prove(old_origin, 15)


def test_a_damaged_memory_stops_the_log_and_a_renewed_one_goes_on(log):
    publish = publisher(log)
    append(log, 0, 3)
    publish()
    log.memory.path.write_bytes(b"not a head")

    with pytest.raises(LogInconsistent):
        append(log, 3, 4)
    assert RenewLog(log, publish)().checkpoint.size == 4
    append(log, 4, 5)


def test_a_memory_that_was_lost_is_written_again(log):
    publish = publisher(log)
    append(log, 0, 3)
    signed = publish()
    log.memory.path.unlink()

    assert publish() == signed == log.memory.read()


def test_a_head_that_a_crash_left_only_in_the_memory_is_signed_again(log, database):
    publish = publisher(log)
    append(log, 0, 3)
    signed = publish()
    database.held().execute("DELETE FROM log_checkpoints")

    assert publish().checkpoint == signed.checkpoint


def test_the_memory_of_another_log_stops_this_one(log, tmp_path):
    other = Database.open(tmp_path / "other" / "consentry.db")
    foreign = log_of(other)
    append(foreign, 0, 2)
    log.memory.path.write_bytes(str(publisher(foreign)()).encode())
    other.close()

    with pytest.raises(LogInconsistent):
        append(log, 0, 1)


def test_a_clock_that_goes_back_stops_nothing(database):
    clock = ManualClock()
    log = log_of(database, clock)
    publish = publisher(log)
    receipts = SqlReceiptStore(database, log)
    receipts.add(draft(1, NOON))
    first = publish()
    clock.advance(timedelta(days=-400).total_seconds())
    receipts.add(draft(2, NOON - timedelta(days=400)))
    second = publish()

    assert second.checkpoint.size > first.checkpoint.size
    days = [decode_entry(data).day for data in entries(log)]
    assert days[-1] < days[-2], "the entry says what the clock said: an auditor sees the jump"


def test_a_published_head_replaces_the_ones_before(log):
    publish = publisher(log)
    for total in (1, 2, 3):
        append(log, total - 1, total)
        publish()

    with log.view() as view:
        assert [each.checkpoint.size for each in view.heads()] == [3]


def test_a_verdict_of_any_words_fits_into_an_entry(database, log):
    kept = StoredReceipt(
        check=CheckId("chk_x"),
        issued_at=NOON,
        verdict=Verdict.REFUSE,
        reasons=tuple(PublicReason),
        jws="e30.e30.c2ln",
    )
    assert SqlReceiptStore(database, log).add(draft_of(kept)) is not None
    assert max(map(len, entries(log))) < 2_000
