"""The output rule as properties: what may never happen, whatever is generated."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from consentry.consent.authority import Authority, Grant
from consentry.consent.findings import (
    FaceFinding,
    Findings,
    ImageFinding,
    MatchLevel,
    PersonPresence,
    SearchState,
    SubjectMatch,
)
from consentry.consent.output import NO_GROUND, Exposure, Ground, MadePicture, decide_output
from consentry.consent.request import Request
from consentry.consent.yes import Yes
from consentry.kernel.ids import GrantId, SubjectId
from consentry.kernel.taxonomy import (
    Assessment,
    IntentCategory,
    Mode,
    PublicReason,
    Purpose,
    Verdict,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SUBJECTS = tuple(SubjectId(f"sub_{letter}") for letter in "abc")

subjects = st.sampled_from(SUBJECTS)
matches = st.builds(SubjectMatch, subjects, st.sampled_from(MatchLevel))
faces = st.builds(
    FaceFinding, identifiable=st.booleans(), matches=st.lists(matches, max_size=3).map(tuple)
)
results = st.builds(
    MadePicture,
    image=st.builds(
        ImageFinding,
        readable=st.booleans() | st.just(True),
        faces_checked=st.booleans() | st.just(True),
        faces=st.lists(faces, max_size=2).map(tuple),
        person=st.sampled_from(PersonPresence),
    ),
    exposure=st.sampled_from(Exposure),
)
intents = st.builds(
    Assessment,
    category=st.sampled_from(IntentCategory),
    spans=st.just(()),
    language=st.just("en"),
    is_readable=st.booleans(),
    has_text=st.just(True),
    has_age_cue=st.booleans(),
    refers_to_person=st.booleans(),
)
requests = st.builds(
    Request,
    mode=st.just(Mode.ACT),
    purpose=st.sampled_from(Purpose),
    region=st.sampled_from([None, "SE"]),
    platform=st.sampled_from([None, "social.example"]),
    actor=st.none() | subjects,
    declares_minor=st.booleans(),
)
grants = st.builds(
    Grant,
    grant=st.sampled_from([GrantId("grt_a"), GrantId("grt_b")]),
    subject=subjects,
    purposes=st.frozensets(st.sampled_from(Purpose)),
    platform=st.none(),
    regions=st.none(),
    categories=st.frozensets(st.sampled_from(IntentCategory)),
    valid_from=st.just(NOW),
    valid_until=st.none(),
    uses_left=st.none() | st.integers(0, 2),
)
agreements = st.builds(
    Yes,
    policies=st.just({}),
    authority=st.builds(
        Authority,
        grants=st.lists(grants, max_size=3).map(tuple),
        contested=st.frozensets(subjects),
    ),
    now=st.just(NOW),
)
grounds = st.builds(Ground, settled=st.frozensets(subjects), unlocked=st.none() | subjects)
asked = st.tuples(intents, requests)
made_any = st.lists(results, max_size=3)
searches = st.sampled_from(SearchState)


def decide(made, search, ground, asked, yes, **gaps):
    findings = Findings(images=tuple(each.image for each in made), search=search, **gaps)
    return decide_output(made, findings, ground, asked, yes)


@slowly
@given(made_any, searches, grounds, asked, agreements)
def test_every_result_has_an_answer_with_a_reason_and_nobody_is_asked(
    made, search, ground, asked, yes
):
    decision = decide(made, search, ground, asked, yes)

    assert (decision.verdict is Verdict.ALLOW) or decision.reasons
    assert decision.may_ask is None
    assert not decision.obligations


@slowly
@given(made_any, results, searches, grounds, asked, agreements)
def test_another_result_never_loosens(made, result, search, ground, asked, yes):
    before = decide(made, search, ground, asked, yes).verdict
    after = decide([*made, result], search, ground, asked, yes).verdict

    assert after.strictness >= before.strictness


@slowly
@given(made_any, results, matches, searches, asked, agreements)
def test_another_match_never_loosens_where_nothing_was_unlocked(
    made, result, match, search, asked, yes
):
    face = FaceFinding(identifiable=True, matches=(match,))
    more = dataclasses.replace(
        result, image=dataclasses.replace(result.image, faces=(*result.image.faces, face))
    )

    before = decide([*made, result], search, NO_GROUND, asked, yes).verdict
    after = decide([*made, more], search, NO_GROUND, asked, yes).verdict

    assert after.strictness >= before.strictness


@slowly
@given(made_any, results, searches, grounds, asked, agreements)
def test_a_rise_never_loosens(made, result, search, ground, asked, yes):
    steady = dataclasses.replace(result, exposure=Exposure.STEADY)
    risen = dataclasses.replace(result, exposure=Exposure.RISEN)

    before = decide([*made, steady], search, ground, asked, yes).verdict
    after = decide([*made, risen], search, ground, asked, yes).verdict

    assert after.strictness >= before.strictness


@slowly
@given(made_any, searches, grounds, asked, agreements)
def test_taking_a_grant_away_never_loosens(made, search, ground, asked, yes):
    before = decide(made, search, ground, asked, yes).verdict
    bare = dataclasses.replace(yes, authority=dataclasses.replace(yes.authority, grants=()))

    assert decide(made, search, ground, asked, bare).verdict.strictness >= before.strictness


@slowly
@given(made_any, searches, grounds, asked, agreements)
def test_knowing_less_of_the_request_never_loosens(made, search, ground, asked, yes):
    before = decide(made, search, ground, asked, yes).verdict

    assert decide(made, search, NO_GROUND, asked, yes).verdict.strictness >= before.strictness


@slowly
@given(made_any, searches, grounds, asked, agreements)
def test_what_could_not_be_read_withholds(made, search, ground, asked, yes):
    decision = decide(made, search, ground, asked, yes, consents_read=False)

    assert decision.verdict is Verdict.REFUSE
    assert not decision.checked


@slowly
@given(
    results, st.sampled_from([PersonPresence.PRESENT, PersonPresence.UNKNOWN]), asked, agreements
)
def test_a_rise_with_somebody_in_it_is_withheld_whatever_was_agreed(result, person, asked, yes):
    risen = MadePicture(
        image=dataclasses.replace(result.image, person=person), exposure=Exposure.RISEN
    )

    assert decide([risen], SearchState.COMPLETE, NO_GROUND, asked, yes).verdict is Verdict.REFUSE


@slowly
@given(searches, subjects, asked, agreements)
def test_in_a_revealing_request_a_newcomer_and_a_rise_are_told_alike(search, subject, asked, yes):
    intent, request = asked
    revealing = dataclasses.replace(intent, category=IntentCategory.NUDE, has_age_cue=False)
    plain = dataclasses.replace(request, declares_minor=False)
    face = FaceFinding(identifiable=True, matches=(SubjectMatch(subject, MatchLevel.MATCH),))
    stranger = FaceFinding(identifiable=True, matches=())

    def told(face, exposure):
        image = ImageFinding(
            readable=True, faces_checked=True, faces=(face,), person=PersonPresence.UNKNOWN
        )
        decision = decide(
            [MadePicture(image=image, exposure=exposure)],
            SearchState.COMPLETE,
            NO_GROUND,
            (revealing, plain),
            yes,
        )
        return decision.verdict, decision.reasons

    assert told(face, Exposure.STEADY) == told(stranger, Exposure.RISEN)
    assert told(face, Exposure.STEADY)[1] == (PublicReason.REVEALING_REAL_PERSON,)
