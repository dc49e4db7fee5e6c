"""Grants, tokens, regions and contests as properties: what may never happen, whatever is generated."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from consentry.consent.authority import NO_AUTHORITY, Authority, Grant, Permit
from consentry.consent.decide import decide, settle_before_search
from consentry.consent.explanation import Audience, explain
from consentry.consent.findings import (
    FaceFinding,
    Findings,
    ImageFinding,
    MatchLevel,
    NamesState,
    PersonPresence,
    SearchState,
    SubjectMatch,
)
from consentry.consent.jurisdiction import jurisdictions, rules_for
from consentry.consent.request import Request
from consentry.kernel.ids import ConsentTokenId, GrantId, SubjectId
from consentry.kernel.taxonomy import (
    Assessment,
    IntentCategory,
    Mode,
    Purpose,
    SubjectPolicy,
    Verdict,
)
from hypothesis import HealthCheck, settings
from hypothesis import given as given_at_once
from hypothesis import strategies as st

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Many arguments are drawn for each example, on machines that may be busy."""


def given(*strategies):
    return lambda test: patiently(given_at_once(*strategies)(test))


NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SUBJECTS = tuple(SubjectId(f"sub_{letter}") for letter in "ab")
REGIONS = (None, "SE", "DK", "US", "IN", "ZZ")
PLATFORMS = (None, "a.example", "b.example")

subjects = st.sampled_from(SUBJECTS)
matches = st.builds(SubjectMatch, subjects, st.sampled_from(MatchLevel))
faces = st.builds(
    FaceFinding,
    identifiable=st.just(True) | st.booleans(),
    matches=st.lists(matches, max_size=2).map(tuple),
)
images = st.builds(
    ImageFinding,
    readable=st.just(True) | st.booleans(),
    faces_checked=st.just(True) | st.booleans(),
    faces=st.lists(faces, min_size=1, max_size=2).map(tuple) | st.just(()),
    person=st.sampled_from(PersonPresence),
)
findings_any = st.builds(
    Findings,
    images=st.lists(images, max_size=2).map(tuple),
    search=st.just(SearchState.COMPLETE) | st.sampled_from(SearchState),
    named=st.just(()) | st.lists(subjects, max_size=2, unique=True).map(tuple),
    names=st.just(NamesState.CHECKED) | st.sampled_from(NamesState),
    consents_read=st.just(True) | st.booleans(),
    token_fails=st.booleans(),
)
categories = st.sampled_from(
    [
        IntentCategory.NONE,
        IntentCategory.SWIMWEAR,
        IntentCategory.NUDE,
        IntentCategory.FACE_SWAP,
    ]
)
intents = st.builds(
    Assessment,
    category=categories,
    spans=st.just(()),
    language=st.just("en"),
    is_readable=st.just(True) | st.booleans(),
    has_text=st.just(True),
    has_age_cue=st.just(False) | st.booleans(),
    refers_to_person=st.booleans(),
)
requests = st.builds(
    Request,
    mode=st.just(Mode.ACT) | st.sampled_from(Mode),
    purpose=st.sampled_from([Purpose.EDIT, Purpose.INTIMATE, Purpose.TRAINING, Purpose.VIDEO]),
    region=st.sampled_from(REGIONS),
    platform=st.sampled_from(PLATFORMS),
    actor=st.none() | subjects,
    declares_minor=st.just(False) | st.booleans(),
)
policies_any = st.dictionaries(subjects, st.sampled_from(SubjectPolicy))
moments = st.sampled_from([NOW - timedelta(days=1), NOW, NOW + timedelta(minutes=4)])
purposes = st.frozensets(st.sampled_from(Purpose), min_size=1)
some_categories = st.frozensets(categories, min_size=1)
grants = st.builds(
    Grant,
    grant=st.sampled_from([GrantId(f"grt_{i}") for i in range(9)]),
    subject=subjects,
    purposes=purposes,
    platform=st.sampled_from(PLATFORMS),
    regions=st.none() | st.frozensets(st.sampled_from(["SE", "US", "IN"]), min_size=1),
    categories=some_categories,
    valid_from=moments,
    valid_until=st.none() | moments,
    uses_left=st.none() | st.integers(0, 2),
)
permits = st.builds(
    Permit,
    token=st.sampled_from([ConsentTokenId(f"ctk_{i}") for i in range(3)]),
    subject=subjects,
    purpose=st.sampled_from([Purpose.EDIT, Purpose.INTIMATE]),
    platform=st.sampled_from(["a.example", "b.example"]),
    region=st.sampled_from([None, "SE"]),
    categories=some_categories,
    valid_from=st.just(NOW),
    valid_until=moments,
    is_attested_adult=st.just(True) | st.booleans(),
)
authorities = st.builds(
    Authority,
    grants=st.lists(grants, max_size=3).map(tuple),
    permits=st.lists(permits, max_size=2).map(tuple),
    contested=st.frozensets(subjects, max_size=1) | st.just(frozenset()),
)
everything = (findings_any, intents, requests, policies_any, authorities)


def strictness(*arguments) -> int:
    return decide(*arguments, NOW).verdict.strictness


def is_revealing(intent, request) -> bool:
    return intent.category.is_revealing or request.purpose is Purpose.INTIMATE


@given(*everything)
def test_every_input_has_an_answer(findings, intent, request, policies, authority):
    decision = decide(findings, intent, request, policies, authority, NOW)

    assert decision.verdict in Verdict
    assert decision.verdict is Verdict.ALLOW or decision.reasons
    assert not decision.relies_on or decision.verdict is Verdict.ALLOW
    assert decision.may_ask is None or decision.verdict is Verdict.NEEDS_CONSENT


@given(*everything, grants)
def test_removing_a_grant_never_loosens(findings, intent, request, policies, authority, grant):
    more = dataclasses.replace(authority, grants=(*authority.grants, grant))

    with_it = strictness(findings, intent, request, policies, more)
    without = strictness(findings, intent, request, policies, authority)

    assert without >= with_it


@given(*everything)
def test_removing_a_token_never_loosens(findings, intent, request, policies, authority):
    fewer = dataclasses.replace(authority, permits=authority.permits[1:])

    assert strictness(findings, intent, request, policies, fewer) >= strictness(
        findings, intent, request, policies, authority
    )


@given(*everything, subjects)
def test_a_contest_never_loosens(findings, intent, request, policies, authority, subject):
    contested = dataclasses.replace(authority, contested=authority.contested | {subject})

    assert strictness(findings, intent, request, policies, contested) >= strictness(
        findings, intent, request, policies, authority
    )


@given(findings_any, intents, requests, policies_any, st.lists(grants, max_size=3).map(tuple))
def test_no_grant_lets_a_revealing_use_through(findings, intent, request, policies, some):
    with_grants = Authority(grants=some)

    if is_revealing(intent, request):
        assert decide(findings, intent, request, policies, with_grants, NOW) == decide(
            findings, intent, request, policies, NO_AUTHORITY, NOW
        )


@given(findings_any, images, intents, requests, policies_any, authorities)
def test_another_image_never_loosens_without_a_token(
    findings, image, intent, request, policies, authority
):
    authority = dataclasses.replace(authority, permits=())
    more = dataclasses.replace(findings, images=(*findings.images, image))

    assert strictness(more, intent, request, policies, authority) >= strictness(
        findings, intent, request, policies, authority
    )


@given(findings_any, images, intents, requests, policies_any, authorities)
def test_another_image_never_makes_a_token_unlock(
    findings, image, intent, request, policies, authority
):
    # With a token, more evidence may move the answer from the laws on text to the token's own; but
    # what was refused with at least one face in it stays refused.
    more = dataclasses.replace(findings, images=(*findings.images, image))

    if any(each.faces for each in findings.images):
        assert strictness(more, intent, request, policies, authority) >= strictness(
            findings, intent, request, policies, authority
        )


@given(findings_any, faces, matches, intents, requests, policies_any, authorities)
def test_another_match_or_face_never_loosens_without_a_token(
    findings, face, match, intent, request, policies, authority
):
    authority = dataclasses.replace(authority, permits=())
    picture = ImageFinding(
        readable=True, faces_checked=True, faces=(face,), person=PersonPresence.ABSENT
    )
    matched = dataclasses.replace(face, matches=(*face.matches, match))
    before = dataclasses.replace(findings, images=(*findings.images, picture))
    worse = [
        dataclasses.replace(picture, faces=(matched,)),
        dataclasses.replace(picture, faces=(face, matched)),
    ]
    for each in worse:
        after = dataclasses.replace(findings, images=(*findings.images, each))
        assert strictness(after, intent, request, policies, authority) >= strictness(
            before, intent, request, policies, authority
        )


@given(*everything, subjects)
def test_another_name_never_loosens(findings, intent, request, policies, authority, subject):
    named = dataclasses.replace(findings, named=(*findings.named, subject))

    assert strictness(named, intent, request, policies, authority) >= strictness(
        findings, intent, request, policies, authority
    )


@given(*everything)
def test_what_could_not_be_read_never_loosens_an_act(
    findings, intent, request, policies, authority
):
    request = dataclasses.replace(request, mode=Mode.ACT)
    whole = dataclasses.replace(findings, names=NamesState.CHECKED, consents_read=True)
    worse = [
        dataclasses.replace(whole, names=NamesState.LOCKED),
        dataclasses.replace(whole, names=NamesState.FAILED),
        dataclasses.replace(whole, consents_read=False),
    ]
    for each in worse:
        assert strictness(each, intent, request, policies, authority) >= strictness(
            whole, intent, request, policies, authority
        )
    assert strictness(worse[2], intent, request, policies, authority) == Verdict.REFUSE.strictness


@given(*everything)
def test_a_region_can_only_tighten_and_an_unknown_one_is_the_strictest(
    findings, intent, request, policies, authority
):
    # Grants and tokens name regions themselves; what the region adds by itself is what is left.
    authority = dataclasses.replace(authority, grants=(), permits=())
    verdicts = {
        region: strictness(
            findings, intent, dataclasses.replace(request, region=region), policies, authority
        )
        for region in REGIONS
    }

    assert verdicts[None] == verdicts["ZZ"] == max(verdicts.values())
    assert verdicts["DK"] >= verdicts["SE"]


@given(st.text(max_size=8))
def test_every_text_is_a_region_and_no_region_asks_for_more_than_an_unknown_one(region):
    assert rules_for(region).asks_for <= rules_for(None).asks_for
    assert rules_for(region).is_known or rules_for(region).asks_for == rules_for(None).asks_for


def test_every_jurisdiction_says_what_it_rests_on_and_who_has_reviewed_it():
    assert {each.name for each in jurisdictions()} >= {"European Union", "United Kingdom", "India"}
    for each in jurisdictions():
        assert each.regions
        assert each.provisions
        assert all(p.source.startswith("https://") and p.statute for p in each.provisions)
    assert rules_for("in").notice_deadline_h == rules_for(None).notice_deadline_h == 2
    assert rules_for("us").notice_deadline_h == 48
    assert rules_for("US-IL").asks_for > rules_for("US").asks_for


@given(*everything)
def test_a_token_unlocks_only_when_every_face_is_surely_hers(
    findings, intent, request, policies, authority
):
    decision = decide(findings, intent, request, policies, authority, NOW)
    unlocked = [each for each in authority.permits if each.token in decision.relies_on]

    if is_revealing(intent, request) and unlocked:
        assert not intent.has_age_cue
        assert not request.declares_minor
        assert request.mode is Mode.ACT
        assert findings.search is SearchState.COMPLETE
        hers = [
            each
            for each in unlocked
            if each.is_attested_adult
            and each.subject not in authority.contested
            and each.platform == request.platform
            and each.purpose is request.purpose
            and intent.category in each.categories
            and each.valid_until > NOW
            and all(
                face.matches
                and {(m.subject, m.level) for m in face.matches}
                == {(each.subject, MatchLevel.UNLOCK)}
                for image in findings.images
                for face in image.faces
            )
        ]
        assert hers
        assert any(image.faces for image in findings.images)
        assert all(
            image.faces or image.person is PersonPresence.ABSENT for image in findings.images
        )


@given(*everything)
def test_a_token_that_does_not_unlock_leaves_the_public_answer_as_it_was(
    findings, intent, request, policies, authority
):
    with_token = decide(findings, intent, request, policies, authority, NOW)
    without = decide(
        findings, intent, request, policies, dataclasses.replace(authority, permits=()), NOW
    )

    if not with_token.relies_on and not without.relies_on:
        assert (with_token.verdict, with_token.reasons, with_token.obligations) == (
            without.verdict,
            without.reasons,
            without.obligations,
        )


@given(findings_any, intents, requests, policies_any, authorities)
def test_a_revealing_request_without_a_token_is_settled_before_any_search(
    findings, intent, request, policies, authority
):
    authority = dataclasses.replace(authority, permits=())

    if is_revealing(intent, request):
        settled = settle_before_search(findings, intent, request, authority, NOW)
        assert settled == decide(findings, intent, request, policies, authority, NOW)


@given(*everything)
def test_nobody_is_asked_for_a_revealing_use_a_possible_match_or_a_contested_face(
    findings, intent, request, policies, authority
):
    asked = decide(findings, intent, request, policies, authority, NOW).may_ask

    if asked is not None:
        sure = {
            match.subject
            for image in findings.images
            for face in image.faces
            for match in face.matches
            if match.level is not MatchLevel.POSSIBLE
        }
        assert asked in sure
        assert asked not in authority.contested
        assert asked not in findings.named
        assert not is_revealing(intent, request)


@given(*everything)
def test_a_platform_and_an_auditor_read_the_same_and_nothing_private(
    findings, intent, request, policies, authority
):
    decision = decide(findings, intent, request, policies, authority, NOW)
    bare = dataclasses.replace(
        decision, private_reasons=(), subjects=(), relies_on=(), may_ask=None
    )

    for audience in (Audience.PLATFORM, Audience.AUDITOR):
        assert explain(decision, audience) == explain(bare, Audience.PLATFORM)
