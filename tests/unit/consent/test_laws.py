"""The laws (docs/architecture.md) one by one."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from consentry.consent import decide as laws
from consentry.consent.authority import NO_AUTHORITY
from consentry.consent.decision import Law
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

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def decide(findings, intent, request, policies):
    """Nobody has agreed to anything."""
    return laws.decide(findings, intent, request, policies, NO_AUTHORITY, NOW)


def settle_before_search(findings, intent, request):
    return laws.settle_before_search(findings, intent, request, NO_AUTHORITY, NOW)


ANNA = SubjectId("sub_anna")
BEA = SubjectId("sub_bea")

PLAIN = Assessment(
    category=IntentCategory.NONE,
    spans=(),
    language="en",
    is_readable=True,
    has_text=True,
    has_age_cue=False,
    refers_to_person=False,
)
REVEALING = dataclasses.replace(PLAIN, category=IntentCategory.SWIMWEAR)
UNREADABLE = dataclasses.replace(PLAIN, is_readable=False, language="und")
ACT = Request(
    mode=Mode.ACT,
    purpose=Purpose.EDIT,
    region=None,
    platform=None,
    actor=None,
    declares_minor=False,
)
INFORM = dataclasses.replace(ACT, mode=Mode.INFORM)
CLEARED = ImageFinding(readable=True, faces_checked=True, faces=(), person=PersonPresence.ABSENT)
NOT_CLEARED = dataclasses.replace(CLEARED, person=PersonPresence.UNKNOWN)
STRANGER = FaceFinding(identifiable=True)
TINY = FaceFinding(identifiable=False)


def face_of(subject, level=MatchLevel.MATCH):
    return FaceFinding(identifiable=True, matches=(SubjectMatch(subject, level),))


def picture(*faces, person=PersonPresence.UNKNOWN):
    return dataclasses.replace(CLEARED, faces=faces, person=person)


def found(*images, search=SearchState.COMPLETE):
    return Findings(images=images, search=search)


def decided(*images, intent=PLAIN, request=ACT, policies=None, search=SearchState.COMPLETE):
    return decide(found(*images, search=search), intent, request, policies or {})


revealing_categories = pytest.mark.parametrize(
    "category", [category for category in IntentCategory if category.is_revealing]
)


@pytest.mark.parametrize("request_", [ACT, INFORM], ids=["act", "inform"])
@pytest.mark.parametrize("images", [(), (CLEARED,), (picture(STRANGER),)], ids=len)
@revealing_categories
def test_a_revealing_request_with_an_age_cue_is_refused(request_, images, category):
    intent = dataclasses.replace(PLAIN, category=category, has_age_cue=True)

    decision = decided(*images, intent=intent, request=request_)

    assert decision.verdict is Verdict.REFUSE
    assert decision.reasons[-1] is PublicReason.MINOR


def test_a_declared_minor_counts_like_an_age_cue():
    request = dataclasses.replace(ACT, declares_minor=True)

    assert decided(intent=REVEALING, request=request).reasons == (PublicReason.MINOR,)


def test_an_age_cue_alone_is_no_offence():
    intent = dataclasses.replace(PLAIN, has_age_cue=True)

    assert decided(picture(STRANGER), intent=intent).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("image", "private"),
    [
        (picture(STRANGER, person=PersonPresence.ABSENT), PrivateReason.FACE_IN_PICTURE),
        (picture(TINY, person=PersonPresence.ABSENT), PrivateReason.FACE_IN_PICTURE),
        (picture(person=PersonPresence.PRESENT), PrivateReason.PERSON_IN_PICTURE),
        (NOT_CLEARED, PrivateReason.PICTURE_NOT_CLEARED),
        (
            dataclasses.replace(CLEARED, faces_checked=False),
            PrivateReason.DETECTOR_UNAVAILABLE,
        ),
        (dataclasses.replace(CLEARED, readable=False), PrivateReason.UNDECODABLE_IMAGE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("request_", [ACT, INFORM], ids=["act", "inform"])
def test_a_revealing_request_is_refused_unless_the_picture_is_cleared(image, private, request_):
    decision = decided(image, intent=REVEALING, request=request_)

    assert decision.verdict is Verdict.REFUSE
    assert PublicReason.REVEALING_REAL_PERSON in decision.reasons
    assert private in decision.private_reasons
    assert decision.law is Law.REVEALING


def test_a_revealing_text_about_a_specific_person_is_refused_without_a_picture():
    intent = dataclasses.replace(REVEALING, refers_to_person=True)

    decision = decided(intent=intent)

    assert decision.reasons == (PublicReason.REVEALING_REAL_PERSON,)
    assert decision.private_reasons == (PrivateReason.PERSON_IN_TEXT,)


@pytest.mark.parametrize("images", [(), (CLEARED,)], ids=["no picture", "cleared picture"])
def test_a_revealing_text_about_nobody_is_allowed_with_a_check_of_the_output(images):
    decision = decided(*images, intent=REVEALING)

    assert decision.verdict is Verdict.ALLOW
    assert decision.obligations == (Obligation.CHECK_OUTPUT,)


def test_declaring_an_intimate_purpose_is_a_revealing_request():
    request = dataclasses.replace(ACT, purpose=Purpose.INTIMATE)

    assert decided(picture(STRANGER), request=request).reasons == (
        PublicReason.REVEALING_REAL_PERSON,
    )


@pytest.mark.parametrize("level", MatchLevel)
def test_enrolled_and_stranger_get_the_same_answer_to_a_revealing_request(level):
    policies = {ANNA: SubjectPolicy.EVERY_EDIT}

    enrolled = decided(picture(face_of(ANNA, level)), intent=REVEALING, policies=policies)
    stranger = decided(picture(STRANGER), intent=REVEALING)

    assert enrolled == stranger


def test_even_her_own_revealing_edit_is_refused_without_a_token():
    request = dataclasses.replace(ACT, actor=ANNA)

    decision = decided(picture(face_of(ANNA)), intent=REVEALING, request=request)

    assert decision.verdict is Verdict.REFUSE


@pytest.mark.parametrize("image", [picture(STRANGER), picture(TINY), NOT_CLEARED])
def test_an_unreadable_prompt_with_a_possible_person_is_refused(image):
    decision = decided(image, intent=UNREADABLE)

    assert decision.verdict is Verdict.REFUSE
    assert decision.reasons == (PublicReason.UNREADABLE,)
    assert decision.private_reasons == (PrivateReason.LANGUAGE_NOT_COVERED,)


@pytest.mark.parametrize("images", [(), (CLEARED,)], ids=["no picture", "cleared picture"])
def test_an_unreadable_prompt_about_no_picture_of_a_person_leaves_a_check_of_the_output(images):
    decision = decided(*images, intent=UNREADABLE)

    assert decision.verdict is Verdict.ALLOW
    assert decision.obligations == (Obligation.CHECK_OUTPUT,)
    assert not decision.checked


def test_a_revealing_word_in_an_unreadable_text_is_refused():
    intent = dataclasses.replace(UNREADABLE, category=IntentCategory.NUDE)

    assert decided(intent=intent).reasons == (PublicReason.UNREADABLE,)


@pytest.mark.parametrize("level", [MatchLevel.MATCH, MatchLevel.UNLOCK])
def test_an_enrolled_face_needs_consent_for_every_edit(level):
    decision = decided(picture(face_of(ANNA, level)), policies={ANNA: SubjectPolicy.EVERY_EDIT})

    assert decision.verdict is Verdict.NEEDS_CONSENT
    assert decision.reasons == (PublicReason.CONSENT_REQUIRED,)
    assert decision.private_reasons == (PrivateReason.SUBJECT_PRESENT,)
    assert decision.subjects == (ANNA,)
    assert decision.law is Law.ENROLLED


def test_a_subject_whose_policy_is_unknown_protects_every_edit():
    assert decided(picture(face_of(ANNA))).verdict is Verdict.NEEDS_CONSENT


@pytest.mark.parametrize(
    ("category", "purpose", "verdict"),
    [
        (IntentCategory.NONE, Purpose.EDIT, Verdict.ALLOW),
        (IntentCategory.NONE, Purpose.TRAINING, Verdict.ALLOW),
        (IntentCategory.NONE, Purpose.FACE_SWAP, Verdict.NEEDS_CONSENT),
        (IntentCategory.NONE, Purpose.IMPERSONATION, Verdict.NEEDS_CONSENT),
        (IntentCategory.FACE_SWAP, Purpose.EDIT, Verdict.NEEDS_CONSENT),
        (IntentCategory.IMPERSONATION, Purpose.EDIT, Verdict.NEEDS_CONSENT),
        (IntentCategory.NUDE, Purpose.EDIT, Verdict.REFUSE),
    ],
)
def test_the_narrower_policy_protects_intimate_and_impersonating_uses(category, purpose, verdict):
    decision = decided(
        picture(face_of(ANNA)),
        intent=dataclasses.replace(PLAIN, category=category),
        request=dataclasses.replace(ACT, purpose=purpose, region="US"),
        policies={ANNA: SubjectPolicy.INTIMATE_AND_IMPERSONATING},
    )

    assert decision.verdict is verdict


def test_the_subject_is_told_of_her_presence_even_where_she_allows_the_edit():
    decision = decided(
        picture(face_of(ANNA)), policies={ANNA: SubjectPolicy.INTIMATE_AND_IMPERSONATING}
    )

    assert decision.verdict is Verdict.ALLOW
    assert decision.subjects == (ANNA,)


def test_she_may_edit_herself():
    decision = decided(picture(face_of(ANNA)), request=dataclasses.replace(ACT, actor=ANNA))

    assert decision.verdict is Verdict.ALLOW
    assert decision.private_reasons == (PrivateReason.SELF_EDIT,)


def test_being_in_the_picture_does_not_speak_for_the_others():
    decision = decided(
        picture(face_of(ANNA), face_of(BEA)), request=dataclasses.replace(ACT, actor=ANNA)
    )

    assert decision.verdict is Verdict.NEEDS_CONSENT
    assert decision.subjects == (ANNA, BEA)


def test_a_possible_match_needs_consent_and_names_nobody():
    decision = decided(picture(face_of(ANNA, MatchLevel.POSSIBLE)))

    assert decision.verdict is Verdict.NEEDS_CONSENT
    assert decision.reasons == (PublicReason.CONSENT_REQUIRED,)
    assert decision.private_reasons == (PrivateReason.POSSIBLE_MATCH,)
    assert decision.subjects == ()
    assert decision.law is Law.POSSIBLE_MATCH


def test_a_platform_cannot_tell_a_possible_match_from_a_match():
    sure = decided(picture(face_of(ANNA)))
    possible = decided(picture(face_of(ANNA, MatchLevel.POSSIBLE)))

    assert explain(sure, Audience.PLATFORM) == explain(possible, Audience.PLATFORM)
    assert explain(sure, Audience.SUBJECT) != explain(possible, Audience.SUBJECT)


def test_a_strangers_everyday_edit_is_allowed_with_nothing_to_say():
    decision = decided(picture(STRANGER))

    assert (decision.verdict, decision.reasons, decision.obligations) == (Verdict.ALLOW, (), ())
    assert decision.checked


def test_an_empty_gallery_is_a_valid_state():
    assert decided(picture(STRANGER), search=SearchState.EMPTY_GALLERY).verdict is Verdict.ALLOW
    assert (
        decided(picture(STRANGER), intent=REVEALING, search=SearchState.EMPTY_GALLERY).verdict
        is Verdict.REFUSE
    )


def test_an_unidentifiable_face_is_present_but_nobodys():
    decision = decided(picture(TINY))

    assert decision.verdict is Verdict.ALLOW
    assert decision.private_reasons == (PrivateReason.FACE_UNIDENTIFIABLE,)


@pytest.mark.parametrize(
    ("search", "private"),
    [
        (SearchState.LOCKED, PrivateReason.LOCKED),
        (SearchState.INCOMPLETE, PrivateReason.INDEX_INCOMPLETE),
        (SearchState.FAILED, PrivateReason.SEARCH_FAILED),
        (SearchState.NOT_SEARCHED, PrivateReason.SEARCH_FAILED),
    ],
)
def test_a_search_that_did_not_finish_refuses_acts_and_shows_in_inform(search, private):
    act = decided(picture(STRANGER), search=search)
    inform = decided(picture(STRANGER), search=search, request=INFORM)

    assert (act.verdict, act.reasons) == (Verdict.REFUSE, (PublicReason.ERROR,))
    assert private in act.private_reasons
    assert (inform.verdict, inform.reasons) == (Verdict.ALLOW, (PublicReason.ERROR,))
    assert not inform.checked
    assert "not an all-clear" in explain(inform, Audience.PLATFORM)


@pytest.mark.parametrize("search", [SearchState.LOCKED, SearchState.INCOMPLETE, SearchState.FAILED])
def test_no_face_no_search_no_error(search):
    assert decided(NOT_CLEARED, search=search).verdict is Verdict.ALLOW


def test_an_incomplete_search_that_found_her_still_asks_for_consent_in_inform():
    decision = decided(picture(face_of(ANNA)), search=SearchState.INCOMPLETE, request=INFORM)

    assert decision.verdict is Verdict.NEEDS_CONSENT
    assert decision.reasons == (PublicReason.CONSENT_REQUIRED, PublicReason.ERROR)
    assert not decision.checked


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (dataclasses.replace(CLEARED, readable=False), PublicReason.UNREADABLE),
        (dataclasses.replace(CLEARED, faces_checked=False), PublicReason.ERROR),
    ],
    ids=["unreadable picture", "no detector"],
)
def test_what_cannot_be_examined_refuses_acts_before_any_search(image, reason):
    act = settle_before_search(found(image, picture(face_of(ANNA))), PLAIN, ACT)

    assert act is not None
    assert (act.verdict, act.reasons) == (Verdict.REFUSE, (reason,))


def test_an_everyday_edit_of_a_face_is_not_settled_before_the_search():
    assert settle_before_search(found(picture(STRANGER)), PLAIN, ACT) is None


def test_every_reason_has_a_sentence():
    everything = dataclasses.replace(
        decided(),
        reasons=tuple(PublicReason),
        private_reasons=tuple(PrivateReason),
        obligations=tuple(Obligation),
    )

    assert len(explain(everything, Audience.SUBJECT).split(". ")) >= len(PrivateReason)
