"""Dashboard sessions: in memory, opened once, ended by time."""

from __future__ import annotations

import threading

import pytest
from consentry.accounts.sessions import (
    ENTRY_LIFETIME_S,
    IDLE_S,
    LIFETIME_S,
    MAX_ENTRIES,
    MAX_SESSIONS,
    Sessions,
)
from consentry.kernel.errors import Forbidden, TooManyRequests, Unauthenticated
from fakes.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def sessions(clock):
    return Sessions(clock)


def test_an_entry_opens_one_session_once(sessions):
    secret = sessions.new_entry()
    session = sessions.enter(secret)
    assert sessions.resume(session.cookie).csrf_token == session.csrf_token
    with pytest.raises(Unauthenticated):
        sessions.enter(secret)


def test_secrets_have_256_bits_and_differ(sessions):
    secret = sessions.new_entry()
    session = sessions.enter(secret)
    assert len({secret, session.cookie, session.csrf_token}) == 3
    assert {len(each) for each in (secret, session.cookie, session.csrf_token)} == {43}


def test_of_many_who_use_one_entry_at_once_one_gets_in(sessions):
    secret, entered, start = sessions.new_entry(), [], threading.Barrier(8)

    def enter():
        start.wait()
        try:
            entered.append(sessions.enter(secret))
        except (Unauthenticated, TooManyRequests):
            return

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entered) == 1


def test_an_entry_lapses(sessions, clock):
    secret, late = sessions.new_entry(), sessions.new_entry()
    clock.advance(ENTRY_LIFETIME_S - 1)
    sessions.enter(secret)
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        sessions.enter(late)


def test_a_session_ends_when_idle(sessions, clock):
    session = sessions.enter(sessions.new_entry())
    for _ in range(3):
        clock.advance(IDLE_S - 1)
        sessions.resume(session.cookie)
    clock.advance(IDLE_S)
    with pytest.raises(Unauthenticated):
        sessions.resume(session.cookie)


def test_a_session_ends_in_the_end_however_busy(sessions, clock):
    session = sessions.enter(sessions.new_entry())
    for _ in range(LIFETIME_S // (IDLE_S // 2) - 1):
        clock.advance(IDLE_S // 2)
        sessions.resume(session.cookie)
    clock.advance(IDLE_S // 2)
    with pytest.raises(Unauthenticated):
        sessions.resume(session.cookie)


def test_the_sleep_of_a_laptop_counts(sessions, clock):
    session = sessions.enter(sessions.new_entry())
    clock.sleep_of_the_machine(IDLE_S)
    with pytest.raises(Unauthenticated):
        sessions.resume(session.cookie)


def test_a_session_that_was_ended_is_over(sessions):
    first = sessions.enter(sessions.new_entry())
    second = sessions.enter(sessions.new_entry())
    sessions.end(first.cookie)
    sessions.end("unknown")
    with pytest.raises(Unauthenticated):
        sessions.resume(first.cookie)
    entry = sessions.new_entry()
    sessions.end_all()
    with pytest.raises(Unauthenticated):
        sessions.resume(second.cookie)
    with pytest.raises(Unauthenticated):
        sessions.enter(entry)


def test_entries_and_sessions_are_bounded_and_the_oldest_give_way(sessions):
    entries = [sessions.new_entry() for _ in range(MAX_ENTRIES + 1)]
    with pytest.raises(Unauthenticated):
        sessions.enter(entries[0])
    opened = [sessions.enter(sessions.new_entry()) for _ in range(MAX_SESSIONS + 1)]
    with pytest.raises(Unauthenticated):
        sessions.resume(opened[0].cookie)
    sessions.resume(opened[-1].cookie)


def test_guessing_entries_is_stopped_and_a_right_one_still_opens(sessions):
    secret = sessions.new_entry()
    for _ in range(sessions.guesses().quota):
        with pytest.raises(Unauthenticated):
            sessions.enter("x" * 43)
    with pytest.raises(TooManyRequests):
        sessions.enter("x" * 43)
    assert sessions.enter(secret)


@pytest.mark.parametrize("token", [None, "", "x" * 43, "é"])
def test_only_the_sessions_own_form_token_passes(sessions, token):
    session = sessions.enter(sessions.new_entry())
    session.require_csrf(session.csrf_token)
    with pytest.raises(Forbidden):
        session.require_csrf(token)


def test_a_cookie_is_not_kept_and_nothing_shows_itself(sessions):
    entry = sessions.new_entry()
    session = sessions.enter(entry)
    shown = repr((session, vars(sessions)))
    assert session.cookie not in shown
    assert entry not in shown
    assert sessions.resume(session.cookie).cookie == ""


def test_odd_text_is_nobodys_secret(sessions):
    for odd in ("", "\udcff", "x" * 10_000):
        with pytest.raises(Unauthenticated):
            sessions.resume(odd)
        with pytest.raises(Unauthenticated):
            sessions.enter(odd)
