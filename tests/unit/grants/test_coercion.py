"""Somebody stands behind her, or asks until it is a yes: what that does not get him."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import pytest
from consentry.grants.ports import RequestState
from consentry.grants.requests import Question
from consentry.grants.tokens import SessionTerms, TokenTerms
from consentry.kernel.errors import BadRequest, Conflict, Forbidden
from consentry.kernel.taxonomy import IntentCategory, Purpose, SubjectPolicy, Verdict
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE, TestHome

RED = (200, 0, 0)
BIKINI = "put her in a bikini"
HOUR_S = 3600
DAY_S = 24 * HOUR_S
STUDIO = {"platform": "studio.example", "region": "SE"}
DIGESTS = (hashlib.sha256(picture(RED)).digest(),)
REQUEST = TokenTerms(
    purpose=Purpose.EDIT,
    categories=frozenset({IntentCategory.SWIMWEAR}),
    prompt=BIKINI,
    context=(),
    digests=DIGESTS,
    **STUDIO,
)
SESSION = SessionTerms(
    purpose=Purpose.EDIT,
    categories=frozenset({IntentCategory.SWIMWEAR}),
    digests=DIGESTS,
    max_uses=3,
    lifetime_days=2,
    **STUDIO,
)


@pytest.fixture
def home(tmp_path):
    home = TestHome(tmp_path / "home", intimate_delay_s=HOUR_S).create()
    home.ada = home.enrol(RED).subject
    home.consent_tokens.attest_adult(home.ada)
    yield home
    home.close()


@pytest.fixture
def cooled(home):
    """She announced it, and the time is over."""
    home.consent_tokens.announce_intimate(home.ada)
    wait(home, HOUR_S)
    return home


def wait(home, seconds: float) -> None:
    home.clock.advance(seconds)
    home.custody.unlock(PASSPHRASE)


def give(home, terms=REQUEST):
    desk = home.consent_tokens
    return (desk.issue if isinstance(terms, TokenTerms) else desk.open_session)(home.ada, terms)


def asked(home, **more):
    who = {"caller": "key_a", "asker": "user-7", "platform": "p.example"}
    return home.check(picture(RED), **(who | more))


def shown(home) -> int:
    return len(home.consent_requests.pending(home.ada))


# -- the cooling-off time --------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [REQUEST, SESSION], ids=["request", "session"])
def test_trying_again_and_again_neither_shortens_nor_skips_the_time(home, terms):
    ready = home.consent_tokens.announce_intimate(home.ada)
    for _ in range(5):
        wait(home, HOUR_S / 6)
        assert home.consent_tokens.announce_intimate(home.ada) == ready
        with pytest.raises(Conflict, match="not over"):
            give(home, terms)
    assert home.consent_tokens.list(home.ada) == ()


@pytest.mark.parametrize("terms", [REQUEST, SESSION], ids=["request", "session"])
def test_protecting_less_in_between_does_not_shorten_it(home, terms):
    home.consent_tokens.announce_intimate(home.ada)
    home.set_policy(home.ada, SubjectPolicy.INTIMATE_AND_IMPERSONATING)

    with pytest.raises(Conflict, match="not over"):
        give(home, terms)
    home.set_policy(home.ada, SubjectPolicy.EVERY_EDIT)
    with pytest.raises(Conflict, match="not over"):
        give(home, terms)
    assert home.check(picture(RED), prompt=BIKINI, **STUDIO).decision.verdict is Verdict.REFUSE


def test_protecting_less_is_no_way_around_announcing(home):
    home.set_policy(home.ada, SubjectPolicy.INTIMATE_AND_IMPERSONATING)

    with pytest.raises(Conflict, match="announced first"):
        give(home)


def test_an_everyday_purpose_does_not_hide_a_revealing_use_from_the_time(home):
    with pytest.raises(Conflict, match="announced first"):
        give(home, replace(REQUEST, purpose=Purpose.EDIT))
    with pytest.raises(Conflict, match="announced first"):
        give(
            home,
            replace(
                REQUEST,
                purpose=Purpose.INTIMATE,
                prompt="make the sky blue",
                categories=frozenset({IntentCategory.NONE}),
            ),
        )


def test_an_announcement_needs_her_and_taking_it_back_does_not(cooled):
    cooled.clock.advance(301)
    cooled.custody.keys()
    with pytest.raises(Forbidden):
        cooled.consent_tokens.announce_intimate(cooled.ada)
    cooled.consent_tokens.take_back_announcement(cooled.ada)
    cooled.custody.unlock(PASSPHRASE)

    with pytest.raises(Conflict, match="announced first"):
        give(cooled)


def test_taking_back_begins_the_time_anew(cooled):
    cooled.consent_tokens.take_back_announcement(cooled.ada)
    cooled.consent_tokens.announce_intimate(cooled.ada)

    with pytest.raises(Conflict, match="not over"):
        give(cooled)


def test_who_enrols_again_brings_no_announcement_along(cooled):
    cooled.revoke(cooled.ada)
    cooled.ada = cooled.enrol(RED).subject
    cooled.consent_tokens.attest_adult(cooled.ada)

    with pytest.raises(Conflict, match="announced first"):
        give(cooled)


def test_of_many_at_once_one_announcement_makes_one_consent(cooled):
    made, refused = [], []
    begin = threading.Barrier(8)

    def one() -> None:
        begin.wait()
        try:
            made.append(give(cooled))
        except Conflict as cause:
            refused.append(cause)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(made), len(refused)) == (1, 7)
    assert len(cooled.consent_tokens.list(cooled.ada)) == 1


def test_a_consent_that_could_not_be_made_leaves_the_announcement(cooled):
    with pytest.raises(BadRequest):
        give(cooled, replace(REQUEST, platform=""))

    assert give(cooled).jws


@pytest.mark.parametrize("terms", [REQUEST, SESSION], ids=["request", "session"])
def test_taking_a_consent_back_holds_from_the_very_next_check_also_while_locked(cooled, terms):
    issued = give(cooled, terms)
    cooled.custody.lock()
    cooled.consent_tokens.revoke(issued.token)
    cooled.custody.unlock(PASSPHRASE)

    asked_for = cooled.check(picture(RED), prompt=BIKINI, token=issued.jws, **STUDIO)

    assert asked_for.decision.verdict is Verdict.REFUSE


# -- being asked until it is a yes -----------------------------------------------------------------


def test_who_asks_the_same_again_and_again_fills_five_places_and_no_more(home):
    answers = [asked(home) for _ in range(9)]

    assert shown(home) == 5
    polls = {home.consent_requests.poll(each.request, caller="key_a").state for each in answers}
    assert polls == {RequestState.PENDING}


def test_who_is_told_no_five_times_is_not_heard_for_a_day_and_not_told(home):
    for _ in range(5):
        home.consent_requests.decline(asked(home).request)
    again, other = asked(home), asked(home, asker="user-8")

    assert shown(home) == 1
    assert home.consent_requests.poll(again.request, caller="key_a").state is RequestState.PENDING
    home.consent_requests.decline(other.request)
    wait(home, DAY_S)
    home.consent_requests.sweep()
    asked(home)
    assert shown(home) == 1


def test_a_yes_does_not_count_against_the_asker(home):
    for _ in range(7):
        home.consent_requests.approve(asked(home).request)
    asked(home)

    assert shown(home) == 1


def test_one_platform_with_many_users_leaves_room_for_others(home):
    for n in range(14):
        asked(home, asker=f"user-{n}")
    asked(home, caller="key_b", platform="q.example")

    assert shown(home) == 11


@pytest.mark.parametrize(
    "names", [["p.example"], ["p.example", "P.Example"], ["KÄSE", "Käse", "ka\u0308se"]]
)
def test_many_keys_of_one_platform_are_one_platform_however_it_is_spelled(home, names):
    for n in range(30):
        asked(
            home,
            asker=f"user-{n}",
            caller=f"key_{n % 3}",
            platform=names[n % len(names)],
        )
    assert shown(home) == 10

    asked(home, caller="key_d", platform="q.example")
    assert shown(home) == 11


def test_who_names_a_platform_anew_with_each_question_leaves_room_for_others(home):
    for n in range(14):
        asked(home, asker=f"user-{n}", platform=f"p{n}.example")

    assert shown(home) == 10


@pytest.mark.parametrize(("who", "most"), [("user-7", 5), (None, 10)], ids=["asker", "platform"])
def test_of_many_at_once_no_more_are_shown_than_one_after_the_other(home, who, most):
    begin = threading.Barrier(14)

    def one(n: int) -> None:
        question = Question(
            subject=home.ada,
            caller=f"key_{n % 2}",
            platform="p.example",
            asker=who or f"user-{n}",
            purpose=Purpose.EDIT,
            region=None,
            category=IntentCategory.NONE,
            prompt="make the sky blue",
            context=(),
            pictures=(),
            digests=DIGESTS,
        )
        begin.wait()
        home.consent_requests.ask(question)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shown(home) == most


def test_nobody_is_asked_for_a_revealing_use_however_often_it_is_tried(home):
    tries = [asked(home, prompt=BIKINI) for _ in range(4)]

    assert {each.request for each in tries} == {None}
    assert shown(home) == 0
