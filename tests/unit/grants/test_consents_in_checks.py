"""Grants, tokens, sessions, questions and names, as a check meets them: all real but the eyes."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from datetime import timedelta

import jwt
import pytest
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.grants.ports import FeedKind, RequestState
from consentry.grants.tokens import SessionTerms, TokenTerms
from consentry.kernel.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    NotFound,
)
from consentry.kernel.taxonomy import (
    IntentCategory,
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    Purpose,
    SubjectPolicy,
    Verdict,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE, TestHome
from fakes.terms import everyday

RED, BLUE = (200, 20, 20), (20, 20, 200)
BIKINI = "put her in a bikini"
SKY = "make the sky blue"
STUDIO = {"platform": "studio.example", "region": "SE"}


@pytest.fixture
def home(tmp_path):
    opened = TestHome(tmp_path / "home").create()
    opened.ada = opened.enrol(RED).subject
    yield opened
    opened.close()


def digests_of(images) -> tuple[bytes, ...]:
    return tuple(hashlib.sha256(image).digest() for image in images)


def one_request(images, prompt=BIKINI, category=IntentCategory.SWIMWEAR, **changes) -> TokenTerms:
    return dataclasses.replace(
        TokenTerms(
            platform="studio.example",
            purpose=Purpose.EDIT,
            region="SE",
            categories=frozenset({category}),
            prompt=prompt,
            context=(),
            digests=digests_of(images),
        ),
        **changes,
    )


def without_token(home, *images, prompt=BIKINI, **more):
    decision = home.check(*images, prompt=prompt, **(STUDIO | more)).decision
    return (decision.verdict, decision.reasons, decision.obligations)


# Grants


def test_without_a_grant_her_consent_is_needed(home):
    assert home.check(picture(RED)).decision.verdict is Verdict.NEEDS_CONSENT


def test_a_grant_is_in_force_at_the_next_check_and_revoked_at_the_next(home):
    grant = home.grants.create(home.ada, everyday())
    allowed = home.check(picture(RED)).decision
    home.grants.revoke(grant.grant)
    after = home.check(picture(RED)).decision

    assert (allowed.verdict, allowed.relies_on) == (Verdict.ALLOW, (grant.grant,))
    assert PrivateReason.GRANTED in allowed.private_reasons
    assert after.verdict is Verdict.NEEDS_CONSENT


@pytest.mark.parametrize(
    ("terms", "asked", "holds"),
    [
        ({"platform": "a.example"}, {"platform": "a.example"}, True),
        ({"platform": "a.example"}, {"platform": "b.example"}, False),
        ({"platform": "a.example"}, {"platform": None}, False),
        ({"regions": frozenset({"SE"})}, {"region": "SE"}, True),
        ({"regions": frozenset({"SE"})}, {"region": "US"}, False),
        ({"regions": frozenset({"SE"})}, {"region": None}, False),
        ({}, {"purpose": Purpose.TRAINING}, False),
        ({"purposes": frozenset({Purpose.TRAINING})}, {"purpose": Purpose.TRAINING}, True),
        ({}, {"prompt": "swap her face onto this one"}, False),
        ({}, {"region": None, "platform": None}, True),
    ],
)
def test_a_grant_covers_exactly_what_it_names(home, terms, asked, holds):
    home.grants.create(home.ada, everyday(**terms))

    verdict = home.check(picture(RED), **asked).decision.verdict

    assert (verdict is Verdict.ALLOW) == holds


def test_a_grant_holds_from_its_beginning_to_its_end_which_is_excluded(home):
    now = home.clock.now()
    home.grants.create(
        home.ada,
        everyday(valid_from=now + timedelta(seconds=10), valid_until=now + timedelta(seconds=20)),
    )
    seen = []
    for _ in range(3):
        seen.append(home.check(picture(RED)).decision.verdict)
        home.clock.advance(10)

    assert seen == [Verdict.NEEDS_CONSENT, Verdict.ALLOW, Verdict.NEEDS_CONSENT]


def test_a_counted_grant_is_used_up(home):
    home.grants.create(home.ada, everyday(max_uses=2))

    verdicts = [home.check(picture(RED)).decision.verdict for _ in range(3)]

    assert verdicts == [Verdict.ALLOW, Verdict.ALLOW, Verdict.NEEDS_CONSENT]


def test_to_inform_uses_nothing_up(home):
    home.grants.create(home.ada, everyday(max_uses=1))

    for _ in range(3):
        assert home.check(picture(RED), mode=Mode.INFORM).decision.verdict is Verdict.ALLOW
    assert home.grants.list(home.ada)[0].uses_left == 1


def test_a_grant_never_covers_a_revealing_use(home):
    home.grants.create(home.ada, everyday())

    for terms in (
        everyday(purposes=frozenset({Purpose.INTIMATE})),
        everyday(categories=frozenset({IntentCategory.SWIMWEAR})),
    ):
        with pytest.raises(BadRequest, match="never covers a revealing use"):
            home.grants.create(home.ada, terms)
    assert home.check(picture(RED), prompt=BIKINI).decision.verdict is Verdict.REFUSE


def test_one_persons_grant_is_no_grant_of_anothers(home):
    home.grants.create(home.ada, everyday())
    home.enrol(BLUE, name="Bea")

    both = home.check(picture(RED, BLUE)).decision

    assert both.verdict is Verdict.NEEDS_CONSENT
    assert home.check(picture(RED)).decision.verdict is Verdict.ALLOW


def test_giving_needs_the_passphrase_just_now_and_taking_back_does_not(home):
    grant = home.grants.create(home.ada, everyday())
    home.clock.advance(301)
    home.custody.keys()

    with pytest.raises(Forbidden):
        home.grants.create(home.ada, everyday())
    home.custody.lock()
    home.grants.revoke(grant.grant)
    with pytest.raises(NotFound):
        home.grants.revoke(grant.grant)


@pytest.mark.parametrize(
    "terms",
    [
        {"purposes": frozenset()},
        {"categories": frozenset()},
        {"regions": frozenset()},
        {"regions": frozenset({"Sweden"})},
        {"platform": ""},
        {"platform": "a\nb"},
        {"max_uses": 0},
    ],
)
def test_a_grant_out_of_range_is_refused(home, terms):
    with pytest.raises(BadRequest):
        home.grants.create(home.ada, everyday(**terms))


def test_a_grant_says_nothing_in_the_database_about_whom_it_is_for(home):
    home.grants.create(home.ada, everyday(platform="tell-tale.example"))
    home.database.close()

    stored = b"".join(file.read_bytes() for file in home.path.iterdir())
    assert b"tell-tale" not in stored


# Contests (law 3)


def test_while_a_face_is_contested_nobodys_yes_counts(home):
    home.grants.create(home.ada, everyday())
    bea = home.enrol(BLUE, name="Bea").subject
    contest = home.contests.open(bea, home.ada)

    contested = home.check(picture(RED), actor=home.ada).decision
    home.contests.settle(contest)
    settled = home.check(picture(RED)).decision

    assert contested.verdict is Verdict.NEEDS_CONSENT
    assert PrivateReason.CONTESTED in contested.private_reasons
    assert contested.may_ask is None
    assert settled.verdict is Verdict.ALLOW


def test_a_contest_ends_with_the_enrolment_of_either(home):
    bea = home.enrol(BLUE, name="Bea").subject
    home.contests.open(bea, home.ada)
    home.revoke(bea)

    assert home.contests.contested() == frozenset()


def test_anybody_may_open_a_contest_and_only_who_knows_the_passphrase_settle_it(home):
    bea = home.enrol(BLUE, name="Bea").subject
    home.clock.advance(400)
    home.custody.keys()
    contest = home.contests.open(bea, home.ada)

    with pytest.raises(Forbidden):
        home.contests.settle(contest)
    with pytest.raises(Conflict):
        home.contests.open(home.ada, bea)


# Names (law 6)


@pytest.mark.parametrize(
    "prompt",
    [
        "make a picture of Anna Berg at the lake",
        "ANNA BERG, smiling",
        "@anna_berg in the rain",
        "annaberg's garden",
        "Änna Bérg in the rain",
        "Anna\u200bBerg in the rain",
    ],
)
def test_a_protected_name_counts_as_the_person(home, prompt):
    home.aliases.add(home.ada, "Anna Berg", AliasKind.NAME, AliasProof.OWN_WORD)

    decision = home.check(prompt=prompt).decision

    assert decision.verdict is Verdict.NEEDS_CONSENT
    assert PrivateReason.NAMED in decision.private_reasons
    assert decision.subjects == (home.ada,)
    assert decision.may_ask is None


@pytest.mark.parametrize("prompt", ["the annabergman lake", "hannaberg", "anna by the berg"])
def test_a_name_inside_another_word_is_not_the_name(home, prompt):
    home.aliases.add(home.ada, "Anna Berg", AliasKind.NAME, AliasProof.OWN_WORD)

    assert home.check(prompt=prompt).decision.verdict is Verdict.ALLOW


def test_a_protected_name_in_an_earlier_turn_counts_too(home):
    home.aliases.add(home.ada, "@konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)

    decision = home.check(prompt="now in the rain", context=("draw konstpaus",)).decision

    assert decision.verdict is Verdict.NEEDS_CONSENT


def test_a_grant_covers_her_name_as_it_covers_her_face(home):
    home.aliases.add(home.ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)
    home.grants.create(home.ada, everyday())

    assert home.check(prompt="draw konstpaus").decision.verdict is Verdict.ALLOW


def test_a_revealing_request_for_a_protected_name_is_refused(home):
    home.aliases.add(home.ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)

    decision = home.check(prompt="konstpaus in a bikini").decision

    assert (decision.verdict, decision.reasons) == (
        Verdict.REFUSE,
        (PublicReason.REVEALING_REAL_PERSON,),
    )


def test_a_removed_name_is_nobodys(home):
    alias = home.aliases.add(home.ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)
    assert home.check(prompt="draw konstpaus").decision.verdict is Verdict.NEEDS_CONSENT

    home.aliases.remove(alias.alias)

    assert home.check(prompt="draw konstpaus").decision.verdict is Verdict.ALLOW


def test_while_locked_words_about_somebody_are_refused_where_there_are_protected_names(home):
    about, nobody = "a portrait of @somebody", "a boat on a lake"
    home.custody.lock()
    before = home.check(prompt=about).decision.verdict
    home.custody.unlock(PASSPHRASE)
    home.aliases.add(home.ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)
    home.custody.lock()

    refused = home.check(prompt=about).decision
    shown = home.check(prompt=about, mode=Mode.INFORM).decision

    assert before is Verdict.ALLOW
    assert (refused.verdict, refused.reasons) == (Verdict.REFUSE, (PublicReason.ERROR,))
    assert PrivateReason.NAMES_NOT_CHECKED in refused.private_reasons
    assert (shown.verdict, shown.checked) == (Verdict.ALLOW, False)
    assert home.check(prompt=nobody).decision.verdict is Verdict.ALLOW


def test_no_name_is_left_in_memory_after_a_lock(home):
    home.aliases.add(home.ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)
    home.check(prompt="draw konstpaus")

    home.custody.lock()

    assert home.aliases._names is None


@pytest.mark.parametrize("text", ["", "ab", "@@@", "x" * 81, "a\nb\x00c"])
def test_a_name_that_stands_in_ordinary_words_is_not_protected(home, text):
    with pytest.raises(BadRequest):
        home.aliases.add(home.ada, text, AliasKind.NAME, AliasProof.OWN_WORD)


def test_a_name_is_protected_once(home):
    home.aliases.add(home.ada, "Anna Berg", AliasKind.NAME, AliasProof.OWN_WORD)

    with pytest.raises(Conflict):
        home.aliases.add(home.ada, "anna  BERG", AliasKind.NAME, AliasProof.OWN_WORD)


def test_a_name_in_a_script_without_spaces_is_found_between_letters(home):
    home.aliases.add(home.ada, "山田花子", AliasKind.NAME, AliasProof.OWN_WORD)

    assert home.aliases.named_in(["これは山田花子です"]) == (home.ada,)


# Tokens


def token_for(home, *images, **changes) -> str:
    home.consent_tokens.attest_adult(home.ada)
    return home.consent_tokens.issue(home.ada, one_request(images, **changes)).jws


def test_a_token_of_hers_unlocks_the_request_that_it_was_made_for_and_once(home):
    image = picture(RED)
    token = token_for(home, image)

    unlocked = home.check(image, prompt=BIKINI, token=token, **STUDIO).decision
    again = home.check(image, prompt=BIKINI, token=token, **STUDIO).decision

    assert unlocked.verdict is Verdict.ALLOW
    assert unlocked.obligations == (Obligation.CHECK_OUTPUT,)
    assert PrivateReason.TOKEN_USED in unlocked.private_reasons
    assert again.verdict is Verdict.REFUSE
    assert PrivateReason.TOKEN_NOT_VALID in again.private_reasons


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "put her in a red bikini"},
        {"prompt": "put him in a bikini"},
        {"context": ("something earlier",)},
        {"platform": "other.example"},
        {"platform": None},
        {"region": "US"},
        {"region": None},
        {"purpose": Purpose.VIDEO},
        {"declares_minor": True},
        {"mode": Mode.INFORM},
    ],
    ids=str,
)
def test_a_token_unlocks_nothing_else(home, change):
    image = picture(RED)
    token = token_for(home, image)
    asked = {"prompt": BIKINI} | STUDIO | change

    decision = home.check(image, token=token, **asked).decision
    plain = home.check(image, **asked).decision

    assert decision.verdict is Verdict.REFUSE
    assert (decision.verdict, decision.reasons) == (plain.verdict, plain.reasons)
    assert home.consent_tokens.list(home.ada)[0].uses_left == 1


@pytest.mark.parametrize(
    "images",
    [
        lambda image: (picture(RED, RED),),
        lambda image: (image, image),
        lambda image: (image[:-1] + bytes([image[-1] ^ 1]),),
        lambda image: (image + b"\0",),
    ],
    ids=["another", "twice", "one bit", "one byte more"],
)
def test_a_token_is_for_exactly_these_pictures(home, images):
    image = picture(RED)
    token = token_for(home, image)
    shown = images(image)

    decision = home.check(*shown, prompt=BIKINI, token=token, **STUDIO).decision

    assert (decision.verdict, decision.reasons, decision.obligations) == without_token(home, *shown)
    assert decision.verdict is Verdict.REFUSE


def test_white_space_and_composition_of_the_words_play_no_part(home):
    image = picture(RED)
    token = token_for(home, image, prompt="put her in a bikini, à la plage")

    prompt = "  put her in  a bikini,\na\u0300 la plage"
    decision = home.check(image, prompt=prompt, token=token, **STUDIO).decision

    assert decision.verdict is Verdict.ALLOW


def test_a_token_lapses_after_five_minutes_at_most(home):
    image = picture(RED)
    token = token_for(home, image)
    home.clock.advance(300)

    assert (
        home.check(image, prompt=BIKINI, token=token, **STUDIO).decision.verdict is Verdict.REFUSE
    )
    home.custody.unlock(PASSPHRASE)
    with pytest.raises(BadRequest):
        token_for(home, image, lifetime_s=301)


def test_a_revoked_token_unlocks_nothing(home):
    image = picture(RED)
    token = token_for(home, image)
    home.consent_tokens.revoke(home.consent_tokens.list(home.ada)[0].token)

    decision = home.check(image, prompt=BIKINI, token=token, **STUDIO).decision

    assert decision.verdict is Verdict.REFUSE


@pytest.mark.parametrize("others", [(BLUE,), ((9, 200, 9),)], ids=["enrolled", "a stranger"])
def test_a_token_unlocks_no_picture_with_anybody_else_in_it(home, others):
    home.consent_tokens.attest_adult(home.ada)
    image = picture(RED, *others)
    issued = home.consent_tokens.issue(home.ada, one_request([image]))
    home.enrol(BLUE, name="Bea")

    decision = home.check(image, prompt=BIKINI, token=issued.jws, **STUDIO).decision

    assert decision.verdict is Verdict.REFUSE
    assert decision.relies_on == ()


def test_a_face_that_is_only_like_hers_is_not_unlocked(home):
    home.faces.blend((99, 1, 1), RED, 0.94)  # a match, and below the strictest point of 0.95
    image = picture((99, 1, 1))
    token = token_for(home, image)

    decision = home.check(image, prompt=BIKINI, token=token, **STUDIO).decision

    assert decision.verdict is Verdict.REFUSE


def test_a_contested_subjects_token_unlocks_nothing(home):
    image = picture(RED)
    token = token_for(home, image)
    home.contests.open(home.enrol(BLUE, name="Bea").subject, home.ada)

    decision = home.check(image, prompt=BIKINI, token=token, **STUDIO).decision

    assert decision.verdict is Verdict.REFUSE


@pytest.mark.parametrize(
    ("is_present", "verdict"), [(False, Verdict.ALLOW), (True, Verdict.REFUSE)]
)
def test_a_mask_that_shows_nobody_is_covered_and_a_picture_of_somebody_without_a_face_is_not(
    home, is_present, verdict
):
    image, mask = picture(RED), picture((128, 128, 128))
    token = token_for(home, image, mask)
    home.persons.colour = (128, 128, 128) if is_present else None

    decision = home.check(image, mask, prompt=BIKINI, token=token, **STUDIO).decision

    assert decision.verdict is verdict


def test_a_token_row_that_was_not_made_with_her_key_makes_no_token(home):
    """Somebody who has the signing key and can write into the store, but not open the vault."""
    image = picture(RED)
    first = token_for(home, image)
    token = token_for(home, image)
    ids = [
        json.loads(base64.urlsafe_b64decode(t.split(".")[1] + "=="))["jti"] for t in (first, token)
    ]
    home.database.held().execute(
        "UPDATE consent_tokens SET sealed = (SELECT sealed FROM consent_tokens WHERE token = ?) "
        "WHERE token = ?",
        ids,
    )

    moved = home.check(image, prompt=BIKINI, token=token, **STUDIO).decision
    own = home.check(image, prompt=BIKINI, token=first, **STUDIO).decision

    assert moved.verdict is Verdict.REFUSE
    assert own.verdict is Verdict.ALLOW


def forged(token: str, **claims) -> str:
    payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    header = jwt.get_unverified_header(token)
    return jwt.PyJWS().encode(
        json.dumps(payload | claims).encode(),
        Ed25519PrivateKey.generate(),
        algorithm="EdDSA",
        headers={"typ": header["typ"], "kid": header["kid"]},
    )


def with_header(token: str, header: dict, *, signature: str | None = None) -> str:
    parts = token.split(".")
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([encoded, parts[1], parts[2] if signature is None else signature])


@pytest.mark.parametrize(
    "forge",
    [
        lambda token, home: forged(token),
        lambda token, home: with_header(token, {"alg": "none", "typ": "x"}, signature=""),
        lambda token, home: with_header(
            token, jwt.get_unverified_header(token) | {"alg": "none"}, signature=""
        ),
        lambda token, home: with_header(token, jwt.get_unverified_header(token) | {"alg": "HS256"}),
        lambda token, home: token[:-4] + "AAAA",
        lambda token, home: token + ".",
        lambda token, home: "",
        lambda token, home: "a.b.c",
        lambda token, home: "x" * 100_000,
        lambda token, home: home.check(picture(BLUE)).receipt.jws,
    ],
    ids=[
        "another key",
        "no algorithm",
        "none under our header",
        "HMAC",
        "signature",
        "parts",
        "empty",
        "junk",
        "long",
        "a receipt",
    ],
)
def test_a_forged_token_is_no_token_and_no_error(home, forge):
    image = picture(RED)
    token = token_for(home, image)

    decision = home.check(image, prompt=BIKINI, token=forge(token, home), **STUDIO).decision

    assert (decision.verdict, decision.reasons, decision.obligations) == without_token(home, image)


def test_a_token_never_says_whose_it_is_and_gives_no_digest_away(home):
    image = picture(RED)
    token = token_for(home, image)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))

    assert set(claims) == {
        "iss",
        "jti",
        "aud",
        "iat",
        "exp",
        "purpose",
        "region",
        "prompt",
        "images",
    }
    assert home.ada not in json.dumps(claims)
    assert claims["exp"] - claims["iat"] <= 300


def test_an_invalid_token_on_an_everyday_edit_gives_the_answer_without_it(home):
    decision = home.check(picture(RED), token="junk", **STUDIO).decision

    assert decision.verdict is Verdict.NEEDS_CONSENT
    assert PrivateReason.TOKEN_NOT_VALID in decision.private_reasons


def test_a_revealing_check_without_a_token_is_still_answered_before_any_search(home):
    home.hold_afterwards()
    home.check(picture(RED), prompt=BIKINI)
    home.check(picture(RED), prompt=BIKINI, token="junk", **STUDIO)

    assert home.faces.descriptions == 1  # the enrolment's


def test_issuing_needs_the_passphrase_just_now_her_age_and_words_she_has_understood(home):
    image = picture(RED)
    with pytest.raises(Conflict, match="18"):
        home.consent_tokens.issue(home.ada, one_request([image]))
    home.consent_tokens.attest_adult(home.ada)
    with pytest.raises(BadRequest, match="swimwear"):
        home.consent_tokens.issue(home.ada, one_request([image], category=IntentCategory.NONE))
    with pytest.raises(BadRequest, match="minor"):
        home.consent_tokens.issue(
            home.ada, one_request([image], prompt="put the 12 year old girl in a bikini")
        )
    with pytest.raises(BadRequest, match="pictures"):
        home.consent_tokens.issue(home.ada, one_request([]))
    home.clock.advance(301)
    home.custody.keys()
    with pytest.raises(Forbidden):
        home.consent_tokens.issue(home.ada, one_request([image]))


def test_an_intimate_consent_cools_off_and_taking_back_is_never_delayed(tmp_path):
    home = TestHome(tmp_path / "home", intimate_delay_s=3600).create()
    home.ada = home.enrol(RED).subject
    home.consent_tokens.attest_adult(home.ada)
    terms = one_request([picture(RED)])
    with pytest.raises(Conflict, match="announced first"):
        home.consent_tokens.issue(home.ada, terms)

    ready = home.consent_tokens.announce_intimate(home.ada)
    assert ready == home.clock.now() + timedelta(hours=1)
    with pytest.raises(Conflict, match="not over"):
        home.consent_tokens.issue(home.ada, terms)
    home.clock.advance(3600)
    home.custody.unlock(PASSPHRASE)
    issued = home.consent_tokens.issue(home.ada, terms)
    home.consent_tokens.revoke(issued.token)
    with pytest.raises(Conflict, match="announced first"):
        home.consent_tokens.issue(home.ada, terms)
    home.close()


def test_an_announcement_that_was_not_followed_up_is_forgotten(tmp_path):
    home = TestHome(tmp_path / "home", intimate_delay_s=60).create()
    home.ada = home.enrol(RED).subject
    home.consent_tokens.attest_adult(home.ada)
    home.consent_tokens.announce_intimate(home.ada)
    home.clock.advance(60 + 24 * 3600)
    home.custody.unlock(PASSPHRASE)

    with pytest.raises(Conflict, match="announced first"):
        home.consent_tokens.issue(home.ada, one_request([picture(RED)]))
    home.close()


# Sessions


def session(home, *images, **changes) -> str:
    home.consent_tokens.attest_adult(home.ada)
    terms = SessionTerms(
        platform="studio.example",
        purpose=Purpose.EDIT,
        region="SE",
        categories=frozenset({IntentCategory.SWIMWEAR, IntentCategory.UNDERWEAR}),
        digests=digests_of(images),
        max_uses=3,
        lifetime_days=30,
    )
    return home.consent_tokens.open_session(home.ada, dataclasses.replace(terms, **changes)).jws


def test_a_session_unlocks_listed_pictures_with_any_words_as_often_as_it_says(home):
    one, two = picture(RED), picture(RED, RED)
    token = session(home, one, two)

    verdicts = [
        home.check(image, prompt=prompt, token=token, **STUDIO).decision.verdict
        for image, prompt in [
            (one, BIKINI),
            (two, "put her in lingerie"),
            (picture(RED, RED, RED), BIKINI),
            (one, "make her nude"),
            (two, BIKINI),
            (one, BIKINI),
        ]
    ]

    refuse, allow = Verdict.REFUSE, Verdict.ALLOW
    assert verdicts == [allow, allow, refuse, refuse, allow, refuse]


def test_a_session_is_over_when_it_is_revoked_and_after_its_days(home):
    image = picture(RED)
    token = session(home, image, lifetime_days=2)
    assert home.check(image, prompt=BIKINI, token=token, **STUDIO).decision.verdict is Verdict.ALLOW
    home.clock.advance(2 * 24 * 3600)
    home.custody.unlock(PASSPHRASE)
    late = home.check(image, prompt=BIKINI, token=token, **STUDIO).decision.verdict
    fresh = session(home, image)
    home.consent_tokens.revoke(home.consent_tokens.list(home.ada)[-1].token)
    revoked = home.check(image, prompt=BIKINI, token=fresh, **STUDIO).decision.verdict

    assert (late, revoked) == (Verdict.REFUSE, Verdict.REFUSE)


@pytest.mark.parametrize(
    "changes",
    [
        {"categories": frozenset({IntentCategory.NUDE})},
        {"categories": frozenset({IntentCategory.SWIMWEAR, IntentCategory.SEXUAL_POSE})},
        {"categories": frozenset()},
        {"max_uses": 51},
        {"max_uses": 0},
        {"lifetime_days": 31},
        {"digests": ()},
        {"digests": (b"short",)},
    ],
    ids=str,
)
def test_a_session_out_of_range_is_refused(home, changes):
    with pytest.raises(BadRequest):
        session(home, picture(RED), **changes)


# Retries


def test_a_retry_gets_the_same_receipt_and_uses_nothing_up(home):
    home.grants.create(home.ada, everyday(max_uses=2))
    first = home.check(picture(RED), idempotency_key="k1", **STUDIO)
    again = home.check(picture(RED), idempotency_key="k1", **STUDIO)
    other_caller = home.check(picture(RED), idempotency_key="k1", caller="key_b", **STUDIO)

    assert again.receipt == first.receipt
    assert (again.check, again.is_repeated) == (first.check, True)
    assert again.decision.verdict is Verdict.ALLOW
    assert again.decision.private_reasons == ()
    assert other_caller.check != first.check
    assert home.grants.list(home.ada)[0].uses_left == 0


def test_a_retry_of_a_burned_token_gets_the_same_answer_in_another_process(home):
    image = picture(RED)
    token = token_for(home, image)
    asked = {"prompt": BIKINI, "token": token, "idempotency_key": "k1"} | STUDIO
    first = home.check(image, **asked)
    other = TestHome(home.path, signing_key=home.signing_key)
    other.custody.unlock(PASSPHRASE)

    again = other.check(image, **asked)
    stranger = other.check(image, **(asked | {"idempotency_key": "k2"}))
    other.close()

    assert again.receipt == first.receipt
    assert again.decision.obligations == first.decision.obligations == (Obligation.CHECK_OUTPUT,)
    assert stranger.decision.verdict is Verdict.REFUSE


def test_a_key_that_was_used_for_another_request_is_refused(home):
    home.grants.create(home.ada, everyday())
    home.check(picture(RED), idempotency_key="k1", **STUDIO)

    with pytest.raises(IdempotencyKeyReused):
        home.check(picture(RED, RED), idempotency_key="k1", **STUDIO)


def test_an_answer_is_kept_for_a_day(home):
    home.grants.create(home.ada, everyday())
    first = home.check(picture(RED), idempotency_key="k1", **STUDIO)
    home.clock.advance(24 * 3600)
    home.custody.unlock(PASSPHRASE)
    home.consent_requests.sweep()

    assert home.check(picture(RED), idempotency_key="k1", **STUDIO).check != first.check


# Questions


def asked(home, image=None, **more):
    return home.check(
        image or picture(RED),
        **({"caller": "key_a", "asker": "user-7", "platform": "p.example"} | more),
    )


def test_she_is_asked_answers_once_and_the_asker_gets_a_token(home):
    image = picture(RED)
    result = asked(home, image)
    (question,) = home.consent_requests.pending(home.ada)
    waiting = home.consent_requests.poll(result.request, caller="key_a")
    home.consent_requests.approve(question.request)
    answered = home.consent_requests.poll(result.request, caller="key_a")
    allowed = asked(home, image, token=answered.token)
    again = asked(home, image, token=answered.token)

    assert (question.platform, question.asker, question.prompt) == ("p.example", "user-7", SKY)
    assert question.pictures[0].startswith(b"\xff\xd8\xff")
    assert (waiting.state, waiting.token) == (RequestState.PENDING, None)
    assert answered.state is RequestState.APPROVED
    assert (allowed.decision.verdict, allowed.request) == (Verdict.ALLOW, None)
    assert again.decision.verdict is Verdict.NEEDS_CONSENT
    assert home.consent_requests.pending(home.ada)[0].request == again.request


def test_an_approval_is_for_that_request_alone(home):
    result = asked(home)
    home.consent_requests.approve(result.request)
    token = home.consent_requests.poll(result.request, caller="key_a").token

    for change in (
        {"prompt": "make the sky green"},
        {"platform": "q.example"},
        {"region": "SE"},
        {"image": picture(RED, RED)},
    ):
        assert asked(home, **({"token": token} | change)).decision.verdict is Verdict.NEEDS_CONSENT


def test_what_she_approved_lapses_within_minutes(home):
    result = asked(home)
    home.consent_requests.approve(result.request, lifetime_s=60)
    home.clock.advance(60)

    status = home.consent_requests.poll(result.request, caller="key_a")

    assert (status.state, status.token) == (RequestState.EXPIRED, None)
    with pytest.raises(BadRequest):
        home.consent_requests.approve(result.request, lifetime_s=301)


def test_an_approval_needs_the_passphrase_just_now_and_a_no_needs_nothing(home):
    one, two = asked(home), asked(home)
    home.clock.advance(301)
    home.custody.keys()
    with pytest.raises(Forbidden):
        home.consent_requests.approve(one.request)
    home.custody.lock()
    home.consent_requests.decline(two.request)

    state = home.consent_requests.poll(two.request, caller="key_a").state
    assert state is RequestState.DECLINED
    with pytest.raises(NotFound):
        home.consent_requests.decline(two.request)


def test_a_blocked_asker_is_not_told_and_she_is_not_asked_again(home):
    first = asked(home)
    home.consent_requests.block_asker(first.request)
    again, other = asked(home), asked(home, asker="user-8")

    assert home.consent_requests.poll(first.request, caller="key_a").state is RequestState.DECLINED
    assert home.consent_requests.poll(again.request, caller="key_a").state is RequestState.PENDING
    assert [each.request for each in home.consent_requests.pending(home.ada)] == [other.request]
    (blocked,) = home.consent_requests.blocked(home.ada)
    assert (blocked.platform, blocked.asker) == ("p.example", "user-7")
    home.consent_requests.unblock(home.ada, blocked.number)
    assert asked(home).request in {e.request for e in home.consent_requests.pending(home.ada)}


def test_only_who_asked_may_poll_and_nothing_tells_unknown_from_expired(home):
    result = asked(home)

    strangers = home.consent_requests.poll(result.request, caller="key_b")
    unknown = home.consent_requests.poll("crq_unknown", caller="key_a")

    assert strangers == unknown
    assert strangers.state is RequestState.EXPIRED


def test_nobody_is_asked_on_a_possible_match_for_a_revealing_use_or_to_inform(home):
    home.faces.blend((99, 1, 1), RED, 0.6)

    possible = asked(home, picture((99, 1, 1)))
    assert possible.decision.verdict is Verdict.NEEDS_CONSENT
    assert possible.decision.reasons == asked(home).decision.reasons
    assert possible.request is None
    assert asked(home, prompt=BIKINI).request is None
    assert asked(home, mode=Mode.INFORM).request is None
    assert asked(home, platform=None).request is None
    home.enrol(BLUE, name="Bea")
    assert asked(home, picture(RED, BLUE)).request is None


def test_a_question_lapses_after_a_day_and_its_picture_with_it(home):
    result = asked(home)
    home.clock.advance(24 * 3600)
    assert home.consent_requests.poll(result.request, caller="key_a").state is RequestState.EXPIRED
    home.custody.unlock(PASSPHRASE)
    assert home.consent_requests.pending(home.ada) == ()
    with pytest.raises(NotFound):
        home.consent_requests.approve(result.request)

    assert home.consent_requests.sweep() == 1
    assert home.consent_requests.sweep() == 0


def test_a_flood_of_questions_is_not_shown(home):
    ids = {
        asked(home, asker=f"user-{n}", caller=f"key_{n % 3}", platform=f"p{n % 3}.example").request
        for n in range(30)
    }

    assert len(ids) == 30
    assert len(home.consent_requests.pending(home.ada)) == 20


# What ends, ends everywhere


def test_the_feed_tells_that_something_changed_and_which_receipts_relied_on_it(home):
    grant = home.grants.create(home.ada, everyday())
    relied = home.check(picture(RED))
    home.grants.revoke(grant.grant)
    home.set_policy(home.ada, SubjectPolicy.INTIMATE_AND_IMPERSONATING)

    entries = home.feed.since(0, 10)

    assert [(each.kind, each.check) for each in entries] == [
        (FeedKind.REVOKED, relied.check),
        (FeedKind.POLICY_CHANGED, None),
    ]
    assert home.feed.since(entries[0].cursor, 10) == entries[1:]
    assert home.feed.latest() == entries[-1].cursor
    assert all(each.hour.minute == each.hour.second == 0 for each in entries)


def test_revoking_a_person_destroys_everything_she_agreed_to_was_asked_or_is_called(home):
    home.grants.create(home.ada, everyday(platform="p9.example"))
    home.aliases.add(home.ada, "konstpaus", AliasKind.HANDLE, AliasProof.OWN_WORD)
    result = asked(home)
    home.consent_requests.block_asker(result.request)
    asked(home, asker="user-9")
    token = token_for(home, picture(RED))
    sealed = [
        bytes(row[0])
        for table, column in [
            ("grants", "sealed"),
            ("aliases", "sealed"),
            ("blocked_askers", "sealed"),
            ("consent_requests", "sealed"),
            ("consent_tokens", "sealed"),
        ]
        for row in home.database.held().execute(f"SELECT {column} FROM {table}").fetchall()
        if row[0] is not None
    ]
    assert len(sealed) >= 5

    home.revoke(home.ada)

    for table in (
        "grants",
        "aliases",
        "consent_requests",
        "blocked_askers",
        "consent_tokens",
        "declarations",
        "contests",
    ):
        assert home.database.held().execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    left = b"".join(file.read_bytes() for file in home.path.iterdir())
    assert not [piece for piece in sealed if piece in left or piece[-32:] in left]
    decision = home.check(picture(RED), prompt=BIKINI, token=token, **STUDIO).decision
    assert decision.verdict is Verdict.REFUSE
    assert home.check(prompt="draw konstpaus").decision.verdict is Verdict.ALLOW


def test_erasing_the_home_leaves_no_kept_answer(home):
    home.grants.create(home.ada, everyday())
    home.check(picture(RED), idempotency_key="k1", **STUDIO)

    home.erase_home()

    for table in ("answers", "grants", "consent_uses"):
        assert home.database.held().execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_protecting_less_needs_the_passphrase_and_protecting_more_does_not(home):
    home.set_policy(home.ada, SubjectPolicy.INTIMATE_AND_IMPERSONATING)
    less = home.check(picture(RED), region="US").decision.verdict
    home.clock.advance(301)
    home.custody.keys()
    home.set_policy(home.ada, SubjectPolicy.EVERY_EDIT)
    more = home.check(picture(RED), region="US").decision.verdict

    assert (less, more) == (Verdict.ALLOW, Verdict.NEEDS_CONSENT)
    with pytest.raises(Forbidden):
        home.set_policy(home.ada, SubjectPolicy.INTIMATE_AND_IMPERSONATING)
