"""Those who wait at the same time share a commit, and nobody is told another's failure."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from consentry.kernel.errors import Conflict, StorageFailed
from consentry.storage.receipts import SqlReceiptStore
from consentry.storage.shared_commits import GivenUp, SharedCommits
from contracts.receipt_store import draft
from fakes.logs import log_of


@contextmanager
def held(database, commits):
    """Hold the disk, as a slow commit does, until everybody that is started waits; count commits."""
    count, inside, go_on = [], threading.Event(), threading.Event()
    original = database.writing

    @contextmanager
    def counted():
        with original() as session:
            yield session
        count.append(1)

    def slow(_):
        inside.set()
        go_on.wait(20)

    database.writing = counted
    first = threading.Thread(target=commits.run, args=(slow,))
    first.start()
    assert inside.wait(20)
    yield count, go_on
    go_on.set()
    first.join()
    database.writing = original


def until_waiting(commits, number):
    while len(commits._waiting) < number:
        threading.Event().wait(0.002)


def insert(name):
    def work(session):
        session.connection().exec_driver_sql("INSERT INTO witnessed VALUES (?, 1, 'n', 0)", (name,))
        return name

    return work


def names(database):
    return {row[0] for row in database.held().execute("SELECT origin FROM witnessed")}


def test_those_who_wait_share_a_commit(database):
    commits = SharedCommits(database)
    with ThreadPoolExecutor(20) as pool, held(database, commits) as (count, go_on):
        done = [pool.submit(commits.run, insert(f"n{i}")) for i in range(20)]
        until_waiting(commits, 20)
        go_on.set()
        assert [each.result() for each in done] == [f"n{i}" for i in range(20)]

    assert len(names(database)) == 20
    assert len(count) == 2, "the slow one, and one for all who waited"


def test_who_fails_fails_alone(database):
    commits = SharedCommits(database)
    commits.run(insert("taken"))

    def gives_up(session):
        insert("never")(session)
        raise GivenUp

    with ThreadPoolExecutor(8) as pool, held(database, commits) as (_, go_on):
        good = [pool.submit(commits.run, insert(f"n{i}")) for i in range(4)]
        bad = [pool.submit(commits.run, insert("taken")), pool.submit(commits.run, gives_up)]
        until_waiting(commits, 6)
        go_on.set()
        assert [each.result() for each in good] == [f"n{i}" for i in range(4)]
        for each, error in zip(bad, (Conflict, GivenUp), strict=True):
            with pytest.raises(error):
                each.result()

    assert names(database) == {"taken", "n0", "n1", "n2", "n3"}


def test_an_error_that_nobody_expects_reaches_its_caller_and_the_others_are_kept(database):
    commits = SharedCommits(database)
    errors = []

    def broken(_):
        raise ZeroDivisionError

    def attempt(work):
        try:
            return commits.run(work)
        except ZeroDivisionError as error:
            errors.append(error)
            return None

    with ThreadPoolExecutor(8) as pool, held(database, commits) as (_, go_on):
        done = [pool.submit(attempt, insert(f"n{i}")) for i in range(3)]
        done.append(pool.submit(attempt, broken))
        until_waiting(commits, 4)
        go_on.set()
        for each in done:
            each.result()

    assert errors
    assert names(database) <= {"n0", "n1", "n2"}


def test_a_database_that_is_closed_tells_everybody(database):
    commits = SharedCommits(database)
    database.close()
    with pytest.raises(StorageFailed):
        commits.run(insert("n"))


def test_verdicts_of_many_threads_have_each_their_own_place(database):
    receipts = SqlReceiptStore(database, log_of(database))
    with ThreadPoolExecutor(12) as pool:
        kept = list(pool.map(lambda n: receipts.add(draft(n % 50)) if n < 50 else None, range(50)))

    places = [each.log.index for each in kept]
    assert sorted(places) == list(range(1, 51))
    assert receipts.count() == 50
