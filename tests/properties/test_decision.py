"""The decision (docs/architecture.md, the laws) as properties: what may never happen, whatever is generated."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from consentry.consent import decide as laws
from consentry.consent.authority import NO_AUTHORITY
from consentry.consent.decision import Decision, Law
from consentry.consent.explanation import Audience, explain
from consentry.consent.findings import (
    FaceFinding,
    Findings,
    ImageFinding,
    MatchLevel,
    PersonPresence,
    SearchState,
    SubjectMatch,
)
from consentry.consent.request import Request
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import (
    Assessment,
    IntentCategory,
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    Purpose,
    SubjectPolicy,
    Verdict,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def decide(findings, intent, request, policies):
    """Nobody has agreed to anything."""
    return laws.decide(findings, intent, request, policies, NO_AUTHORITY, NOW)


def settle_before_search(findings, intent, request):
    return laws.settle_before_search(findings, intent, request, NO_AUTHORITY, NOW)


SUBJECTS = tuple(SubjectId(f"sub_{letter}") for letter in "abc")

subjects = st.sampled_from(SUBJECTS)
matches = st.builds(SubjectMatch, subjects, st.sampled_from(MatchLevel))
faces = st.builds(
    FaceFinding, identifiable=st.booleans(), matches=st.lists(matches, max_size=3).map(tuple)
)
images = st.builds(
    ImageFinding,
    readable=st.booleans() | st.just(True),
    faces_checked=st.booleans() | st.just(True),
    faces=st.lists(faces, max_size=2).map(tuple),
    person=st.sampled_from(PersonPresence),
)
findings_any = st.builds(
    Findings, images=st.lists(images, max_size=3).map(tuple), search=st.sampled_from(SearchState)
)
intents = st.builds(
    Assessment,
    category=st.sampled_from(IntentCategory),
    spans=st.just(()),
    language=st.just("en"),
    is_readable=st.booleans() | st.just(True),
    has_text=st.just(True),
    has_age_cue=st.booleans(),
    refers_to_person=st.booleans(),
)
requests = st.builds(
    Request,
    mode=st.sampled_from(Mode),
    purpose=st.sampled_from(Purpose),
    region=st.sampled_from([None, "SE", "US"]),
    platform=st.sampled_from([None, "social.example"]),
    actor=st.none() | subjects,
    declares_minor=st.booleans(),
)
policies_any = st.dictionaries(subjects, st.sampled_from(SubjectPolicy))

CATEGORY_STRICTNESS = {
    category: 2 if category.is_revealing else 0 if category is IntentCategory.NONE else 1
    for category in IntentCategory
}


def rank(decision: Decision) -> tuple[int, int]:
    """How little a decision permits: the verdict, then what it still asks of the caller."""
    return (decision.verdict.strictness, len(decision.obligations))


def with_image(findings: Findings, index: int, image: ImageFinding) -> Findings:
    pictures = list(findings.images)
    pictures[index % len(pictures)] = image
    return dataclasses.replace(findings, images=tuple(pictures))


@given(findings_any, intents, requests, policies_any)
def test_every_input_has_an_answer_in_the_closed_vocabularies(findings, intent, request, policies):
    decision = decide(findings, intent, request, policies)

    assert decision.verdict in Verdict
    assert set(decision.reasons) <= set(PublicReason)
    assert list(decision.reasons) == sorted(decision.reasons, key=list(PublicReason).index)
    assert (decision.verdict is Verdict.ALLOW) or decision.reasons


@given(findings_any, images, intents, requests, policies_any)
def test_another_image_never_loosens(findings, image, intent, request, policies):
    more = dataclasses.replace(findings, images=(*findings.images, image))

    before = decide(findings, intent, request, policies)
    after = decide(more, intent, request, policies)

    assert rank(after)[0] >= rank(before)[0]
    assert before.checked or not after.checked


@given(findings_any, st.integers(0, 2), faces, intents, requests, policies_any)
def test_another_face_never_loosens(findings, index, face, intent, request, policies):
    if not findings.images:
        findings = dataclasses.replace(
            findings,
            images=(
                ImageFinding(
                    readable=True,
                    faces_checked=True,
                    faces=(),
                    person=PersonPresence.ABSENT,
                ),
            ),
        )
    image = findings.images[index % len(findings.images)]
    more = with_image(findings, index, dataclasses.replace(image, faces=(*image.faces, face)))

    assert (
        decide(more, intent, request, policies).verdict.strictness
        >= decide(findings, intent, request, policies).verdict.strictness
    )


@given(findings_any, faces, matches, intents, requests, policies_any)
def test_another_match_never_loosens(findings, face, match, intent, request, policies):
    picture = ImageFinding(
        readable=True, faces_checked=True, faces=(face,), person=PersonPresence.ABSENT
    )
    matched = dataclasses.replace(face, matches=(*face.matches, match))
    before = dataclasses.replace(findings, images=(*findings.images, picture))
    after = dataclasses.replace(
        findings, images=(*findings.images, dataclasses.replace(picture, faces=(matched,)))
    )

    assert (
        decide(after, intent, request, policies).verdict.strictness
        >= decide(before, intent, request, policies).verdict.strictness
    )


@given(findings_any, st.integers(0, 2), intents, requests, policies_any)
def test_losing_sight_of_something_never_makes_an_act_decision_looser(
    findings, index, intent, request, policies
):
    request = dataclasses.replace(request, mode=Mode.ACT)
    before = decide(findings, intent, request, policies)
    worse = [
        dataclasses.replace(findings, search=state)
        for state in (SearchState.LOCKED, SearchState.INCOMPLETE, SearchState.FAILED)
    ]
    if findings.images:
        image = findings.images[index % len(findings.images)]
        worse += [
            with_image(findings, index, dataclasses.replace(image, **change))
            for change in (
                {"readable": False},
                {"faces_checked": False},
                {"person": PersonPresence.PRESENT},
            )
        ]
        if image.person is PersonPresence.ABSENT:
            worse.append(
                with_image(
                    findings, index, dataclasses.replace(image, person=PersonPresence.UNKNOWN)
                )
            )
    for change in worse:
        if findings.search in {SearchState.COMPLETE, SearchState.EMPTY_GALLERY}:
            assert rank(decide(change, intent, request, policies))[0] >= rank(before)[0]


@given(findings_any, intents, requests, policies_any, st.sampled_from(IntentCategory))
def test_a_stricter_category_never_loosens(findings, intent, request, policies, category):
    if CATEGORY_STRICTNESS[category] < CATEGORY_STRICTNESS[intent.category]:
        return
    stricter = dataclasses.replace(intent, category=category)

    assert (
        decide(findings, stricter, request, policies).verdict.strictness
        >= decide(findings, intent, request, policies).verdict.strictness
    )


@given(
    findings_any,
    intents,
    requests,
    policies_any,
    st.sampled_from(["has_age_cue", "refers_to_person"]),
)
def test_a_further_cue_in_the_text_never_loosens(findings, intent, request, policies, cue):
    without = dataclasses.replace(intent, **{cue: False})
    with_cue = dataclasses.replace(intent, **{cue: True})

    assert rank(decide(findings, with_cue, request, policies)) >= rank(
        decide(findings, without, request, policies)
    )


@given(findings_any, intents, requests, policies_any)
def test_an_unreadable_prompt_is_never_looser_where_something_can_be_stopped(
    findings, intent, request, policies
):
    request = dataclasses.replace(request, mode=Mode.ACT)
    readable = dataclasses.replace(intent, is_readable=True)
    unreadable = dataclasses.replace(intent, is_readable=False)

    assert rank(decide(findings, unreadable, request, policies)) >= rank(
        decide(findings, readable, request, policies)
    )


@given(findings_any, intents, requests, policies_any, st.sampled_from(Purpose))
def test_declaring_a_purpose_never_loosens(findings, intent, request, policies, purpose):
    plain = dataclasses.replace(request, purpose=Purpose.EDIT)
    declared = dataclasses.replace(request, purpose=purpose)

    assert rank(decide(findings, intent, declared, policies)) >= rank(
        decide(findings, intent, plain, policies)
    )


@given(findings_any, intents, requests, policies_any)
def test_declaring_a_minor_never_loosens(findings, intent, request, policies):
    declared = dataclasses.replace(request, declares_minor=True)
    silent = dataclasses.replace(request, declares_minor=False)

    assert rank(decide(findings, intent, declared, policies)) >= rank(
        decide(findings, intent, silent, policies)
    )


@given(findings_any, intents, requests, policies_any)
def test_the_platform_changes_nothing_by_itself(findings, intent, request, policies):
    answers = {
        decide(
            findings,
            intent,
            dataclasses.replace(request, platform=platform),
            policies,
        )
        for platform in (None, "p", "q")
    }

    assert len(answers) == 1


@given(findings_any, intents, requests, policies_any)
def test_inform_is_stricter_never_and_equal_when_all_was_examined(
    findings, intent, request, policies
):
    act = decide(findings, intent, dataclasses.replace(request, mode=Mode.ACT), policies)
    inform = decide(findings, intent, dataclasses.replace(request, mode=Mode.INFORM), policies)

    assert inform.verdict.strictness <= act.verdict.strictness
    if act.checked:
        assert inform == act
    if inform.verdict is not act.verdict:
        assert not inform.checked
        assert set(inform.reasons) & {PublicReason.UNREADABLE, PublicReason.ERROR}


@given(findings_any, intents, requests, policies_any)
def test_an_act_that_was_not_fully_checked_is_allowed_only_with_nobody_in_a_picture(
    findings, intent, request, policies
):
    decision = decide(findings, intent, dataclasses.replace(request, mode=Mode.ACT), policies)

    if decision.verdict is not Verdict.REFUSE and not decision.checked:
        assert decision.obligations == (Obligation.CHECK_OUTPUT,)
        assert PrivateReason.LANGUAGE_NOT_COVERED in decision.private_reasons
        assert not intent.category.is_revealing
        for image in findings.images:
            assert image.readable
            assert image.faces_checked
            assert not image.faces
            assert image.person is PersonPresence.ABSENT


@given(findings_any, intents, requests, policies_any, st.randoms(use_true_random=False))
def test_order_and_duplicates_of_evidence_leave_no_trace(
    findings, intent, request, policies, random
):
    def shuffled(items):
        doubled = [*items, *items]
        random.shuffle(doubled)
        return tuple(doubled)

    mixed = Findings(
        images=shuffled(
            dataclasses.replace(
                image,
                faces=shuffled(
                    dataclasses.replace(face, matches=shuffled(face.matches))
                    for face in image.faces
                ),
            )
            for image in findings.images
        ),
        search=findings.search,
    )

    assert decide(mixed, intent, request, policies) == decide(findings, intent, request, policies)


@given(findings_any, intents, requests, policies_any)
def test_what_is_settled_before_the_search_is_the_decision(findings, intent, request, policies):
    settled = settle_before_search(findings, intent, request)

    if settled is not None:
        assert decide(findings, intent, request, policies) == settled


def without_search(findings: Findings) -> Findings:
    return Findings(
        images=tuple(
            dataclasses.replace(
                image,
                faces=tuple(dataclasses.replace(face, matches=()) for face in image.faces),
            )
            for image in findings.images
        ),
        search=SearchState.NOT_SEARCHED,
    )


@given(findings_any, intents, requests)
def test_settling_sees_neither_matches_nor_the_search(findings, intent, request):
    assert settle_before_search(findings, intent, request) == settle_before_search(
        without_search(findings), intent, request
    )


@given(findings_any, intents, requests, policies_any, policies_any)
def test_a_revealing_request_gets_one_answer_whoever_is_enrolled(
    findings, intent, request, policies, others
):
    if not (intent.category.is_revealing or request.purpose is Purpose.INTIMATE):
        return
    decision = decide(findings, intent, request, policies)

    assert decision == decide(without_search(findings), intent, request, others)
    assert decision.subjects == ()


@given(findings_any, intents, requests, policies_any)
def test_minors_are_refused_in_both_modes_with_and_without_a_picture(
    findings, intent, request, policies
):
    is_revealing = intent.category.is_revealing or request.purpose is Purpose.INTIMATE
    if not is_revealing or not (intent.has_age_cue or request.declares_minor):
        return
    decision = decide(findings, intent, request, policies)

    assert decision.verdict is Verdict.REFUSE
    assert PublicReason.MINOR in decision.reasons
    assert decision.law is Law.MINORS


@given(findings_any, intents, requests, policies_any)
def test_nobody_is_named_by_a_possible_match_alone(findings, intent, request, policies):
    decision = decide(findings, intent, request, policies)
    sure = {
        match.subject
        for image in findings.images
        for face in image.faces
        for match in face.matches
        if match.level is not MatchLevel.POSSIBLE
    }

    assert set(decision.subjects) <= sure


@given(findings_any, intents, requests, policies_any)
@settings(max_examples=200)
def test_a_platform_reads_nothing_that_private_reasons_could_change(
    findings, intent, request, policies
):
    decision = decide(findings, intent, request, policies)
    stripped = dataclasses.replace(decision, private_reasons=(), subjects=(), law=Law.NONE)

    assert explain(decision, Audience.PLATFORM) == explain(stripped, Audience.PLATFORM)


@pytest.mark.parametrize("subject", SUBJECTS)
@given(findings_any, intents, requests, policies_any)
def test_no_explanation_names_a_subject(subject, findings, intent, request, policies):
    decision = decide(findings, intent, request, policies)

    assert subject not in explain(decision, Audience.SUBJECT)
