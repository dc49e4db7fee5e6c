"""A burst of requests about her is told once, and buries nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from consentry.checks.digests import MAX_NEWEST, QUIET, SeenCheck, bursts, digest_of
from consentry.checks.sightings import How, Sighting, Stage
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.kernel.errors import Forbidden
from consentry.kernel.ids import CheckId
from consentry.kernel.taxonomy import IntentCategory, Purpose, SubjectPolicy, Verdict
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE
from hypothesis import given
from hypothesis import strategies as st

ADA, EVE = (200, 10, 10), (10, 200, 10)
NOON = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)
ASKED = ("put Ada Lovelace in a bikini", "strip Ada Lovelace naked", "undress Ada Lovelace")


def seen(seconds: int, verdict: Verdict = Verdict.REFUSE, platform: str = "x") -> SeenCheck:
    return SeenCheck(
        sighting=Sighting(
            check=CheckId(f"chk_{seconds}"),
            at=NOON + timedelta(seconds=seconds),
            stage=Stage.REQUEST,
            category=IntentCategory.SWIMWEAR,
            purpose=Purpose.EDIT,
            region=None,
            platform=platform,
            verdict=verdict,
            reasons=(),
        ),
        how=How.NAME,
    )


@pytest.fixture
def ada(home):
    """Known by face and by name; one of the two is enough to ask for her."""
    home.ada = home.enrol(ADA, name="Ada").subject
    home.aliases.add(home.ada, "Ada Lovelace", AliasKind.NAME, AliasProof.OWN_WORD)
    return home


def told(home, **options):
    home.check_images.afterwards.finish()
    home.custody.unlock(PASSPHRASE)
    return home.my_checks.digests(home.ada, **{"before": None, "limit": 50} | options)


def test_many_that_name_or_show_her_within_minutes_are_told_once(ada):
    first = ada.clock.now()
    for n in range(24):
        shown = picture(ADA) if n % 2 else None
        ada.check(
            *([shown] if shown else []),
            prompt="put her in a bikini" if shown else ASKED[n % 3],
            platform=f"app-{n % 2}.example",
        )
        ada.clock.advance(20)

    (digest,) = told(ada).digests

    assert digest.count == 24
    assert digest.first == first.replace(microsecond=0)
    assert digest.last - digest.first == timedelta(seconds=23 * 20)
    assert digest.verdicts == {Verdict.REFUSE: 24}
    assert digest.platforms == {"app-0.example": 12, "app-1.example": 12}
    assert digest.hows == {How.NAME: 12, How.FACE: 12}
    assert sum(digest.categories.values()) == 24


def test_what_comes_after_a_quiet_time_is_told_apart(ada):
    for pause_s in (60, 60, 3600, 60):
        ada.check(picture(ADA))
        ada.clock.advance(pause_s)
        ada.custody.unlock(PASSPHRASE)
    ada.check(picture(ADA))

    digests = told(ada).digests

    assert [each.count for each in digests] == [2, 3]
    assert digests[0].first > digests[1].last


def test_how_long_quiet_lasts_is_hers_to_say(ada):
    for _ in range(3):
        ada.check(picture(ADA))
        ada.clock.advance(120)

    assert [each.count for each in told(ada).digests] == [3]
    assert [each.count for each in told(ada, quiet=timedelta(minutes=1)).digests] == [1, 1, 1]


def test_checks_of_others_neither_count_nor_join_two_bursts(ada):
    ada.check(picture(ADA))
    for _ in range(4):
        ada.clock.advance(300)
        ada.check(picture(EVE))
        ada.custody.unlock(PASSPHRASE)
    ada.clock.advance(60)
    ada.check(picture(ADA))

    assert [each.count for each in told(ada).digests] == [1, 1]


def test_a_flood_of_refusals_does_not_bury_what_was_let_through(home):
    home.ada = home.enrol(ADA, policy=SubjectPolicy.INTIMATE_AND_IMPERSONATING).subject
    allowed = home.check(picture(ADA)).check
    home.clock.advance(1)
    for _ in range(MAX_NEWEST + 3):
        home.check(picture(ADA), prompt="put her in a bikini")

    (digest,) = told(home).digests

    assert digest.newest[0].sighting.check == allowed
    assert len(digest.newest) == MAX_NEWEST
    assert digest.verdicts == {Verdict.REFUSE: MAX_NEWEST + 3, Verdict.ALLOW: 1}


def test_digests_need_proof_that_it_is_she_who_reads(ada):
    ada.check(picture(ADA))
    ada.clock.advance(301)

    with pytest.raises(Forbidden):
        ada.my_checks.digests(ada.ada, before=None, limit=5)


def test_nothing_is_kept_of_a_digest(ada):
    ada.check(picture(ADA))
    told(ada)
    before = list(ada.database.held().iterdump())

    told(ada)

    assert list(ada.database.held().iterdump()) == before


def test_pages_of_digests_follow_one_another_and_lose_nothing(ada):
    for pause_s in (5, 700, 5, 700, 700, 5):
        ada.check(picture(ADA))
        ada.clock.advance(pause_s)
        ada.custody.unlock(PASSPHRASE)

    counts, before = [], None
    while True:
        page = told(ada, before=before, limit=1)
        counts += [each.count for each in page.digests]
        if (before := page.before) is None:
            break

    assert counts == [1, 1, 2, 2]


def test_a_burst_that_was_not_read_to_its_beginning_says_so(ada, monkeypatch):
    monkeypatch.setattr("consentry.checks.mine.MAX_TRIED", 3)
    for _ in range(5):
        ada.check(picture(ADA))
        ada.clock.advance(1)

    page = told(ada)
    rest = told(ada, before=page.before)

    assert [(each.count, each.goes_on) for each in page.digests] == [(3, True)]
    assert [(each.count, each.goes_on) for each in rest.digests] == [(2, False)]
    assert rest.before is None


@given(st.lists(st.integers(0, 20_000), max_size=60), st.integers(0, 1800))
def test_bursts_part_checks_exactly_where_it_was_quiet(seconds, quiet_s):
    quiet = timedelta(seconds=quiet_s)
    checks = [seen(each) for each in sorted(seconds, reverse=True)]

    parts = list(bursts(checks, quiet=quiet))

    assert [each for part in parts for each in part] == checks
    for part in parts:
        assert all(a.sighting.at - b.sighting.at <= quiet for a, b in pairwise(part))
    for newer, older in pairwise(parts):
        assert newer[-1].sighting.at - older[0].sighting.at > quiet


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Verdict)), st.integers(0, 60).map(str)),
        min_size=1,
        max_size=120,
    )
)
def test_every_check_is_counted_once_in_each_way(asked):
    burst = tuple(seen(-n, verdict, platform) for n, (verdict, platform) in enumerate(asked))

    digest = digest_of(burst, goes_on=False)

    assert digest.count == len(asked) == sum(digest.verdicts.values())
    assert sum(digest.platforms.values()) + digest.other_platforms == len(asked)
    assert sum(digest.hows.values()) == sum(digest.categories.values()) == len(asked)
    assert digest.last - digest.first == timedelta(seconds=len(asked) - 1)


def test_the_default_is_minutes():
    assert timedelta(minutes=1) <= QUIET <= timedelta(hours=1)
