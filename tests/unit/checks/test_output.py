"""The output check: what a generator has made is looked at before anybody gets it."""

from __future__ import annotations

import dataclasses
import hashlib
from io import BytesIO

import pytest
from consentry.checks.output import MAX_RESULTS, Basis, OutputRequest
from consentry.grants.tokens import TokenTerms
from consentry.kernel.errors import (
    BadRequest,
    ConsentryError,
    IndexIncomplete,
    ModelUnavailable,
    NotReady,
    Overloaded,
    SealBroken,
    StorageFailed,
    StorageFull,
    TooManyRequests,
    VaultAbsent,
    VaultLocked,
)
from consentry.kernel.taxonomy import (
    IntentCategory,
    PrivateReason,
    PublicReason,
    Purpose,
    SubjectPolicy,
    Verdict,
)
from consentry.transparency.receipts import ReceiptInputs, verify_commitment, verify_receipt
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.terms import everyday
from PIL import Image

ADA, EVE, BOB = (200, 10, 10), (10, 200, 10), (10, 10, 200)
BARE, BARE_BODY = (250, 200, 180), (250, 199, 180)  # a face on a bare body; a body without a face
SKY, BIKINI = "make the sky blue", "put her in a bikini"
A_STATUE = "a marble statue of a nude goddess"
STUDIO = {"platform": "studio.example", "region": "SE"}


@pytest.fixture
def home(tmp_path):
    opened = TestHome(tmp_path / "home").create()
    opened.ada = opened.enrol(ADA).subject
    opened.exposure.scores = {BARE: 0.9, BARE_BODY: 0.9}
    yield opened
    opened.close()


def plain(*colours) -> bytes:
    """A picture in which nobody sees a face: its colours are thinner than one."""
    image = Image.new("RGB", (64, 64), (128, 128, 128))
    for place, colour in enumerate(colours):
        image.paste(colour, (place, 0, place + 1, 1))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def also(image: bytes, colour) -> bytes:
    """The same picture with a speck of a colour in it: too small for a face."""
    shown = Image.open(BytesIO(image))
    shown.putpixel((shown.width - 1, shown.height - 1), colour)
    out = BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()


def bare(image: bytes) -> bytes:
    """The same picture with a bare body in it."""
    return also(image, BARE_BODY)


def made(home, *results, of=(), prompt=SKY, bases=None, meter=None, **more):
    """Let a request be checked, which must be allowed, and then what was made of it."""
    if bases is None:
        result = home.check(*of, prompt=prompt, **more)
        assert result.decision.verdict is Verdict.ALLOW
        bases = (Basis(request=request_of(home, of, prompt, **more), result=result),)
    request = OutputRequest(
        results=results, bases=bases, platform=more.get("platform"), caller="p", meter=meter
    )
    return home.check_output(request)


def request_of(home, images, prompt, **more):
    taken = []
    real, home.check_images = home.check_images, taken.append
    try:
        home.check(*images, prompt=prompt, **more)
    finally:
        home.check_images = real
    return taken[0]


def verdict(*arguments, **more):
    return made(*arguments, **more).decision.verdict


def test_a_result_that_shows_nobody_new_and_nothing_more_is_delivered(home):
    assert verdict(home, picture(EVE), of=[picture(EVE)]) is Verdict.ALLOW
    assert verdict(home, picture(BOB), of=[picture(EVE)]) is Verdict.ALLOW
    assert verdict(home, plain()) is Verdict.ALLOW


# Exposure


def test_a_result_more_exposed_than_its_input_is_withheld_though_the_prompt_was_harmless(home):
    decision = made(home, picture(EVE, BARE), of=[picture(EVE)]).decision

    assert (decision.verdict, decision.reasons) == (
        Verdict.REFUSE,
        (PublicReason.REVEALING_REAL_PERSON,),
    )
    assert decision.private_reasons[-1] is PrivateReason.MORE_EXPOSED


def test_exposure_that_was_in_an_input_already_is_no_rise(home):
    assert verdict(home, picture(EVE, BARE), of=[picture(EVE, BARE)]) is Verdict.ALLOW
    assert verdict(home, bare(picture(EVE)), of=[plain(), bare(picture(EVE))]) is Verdict.ALLOW


@pytest.mark.parametrize("other", ["a stranger", "a body without a face"])
def test_a_nude_of_somebody_else_that_is_sent_along_excuses_none_of_her(home, other):
    along = picture(BARE) if other == "a stranger" else plain(BARE_BODY)

    assert verdict(home, bare(picture(EVE)), of=[picture(EVE), along]) is Verdict.REFUSE


def test_everybody_in_a_result_must_have_been_as_exposed_before(home):
    together = bare(picture(EVE, BOB))

    assert verdict(home, together, of=[bare(picture(BOB)), picture(EVE)]) is Verdict.REFUSE
    assert verdict(home, together, of=[bare(picture(BOB)), bare(picture(EVE))]) is Verdict.ALLOW


def test_without_a_face_that_can_be_told_any_input_counts(home):
    home.persons.colour = BARE_BODY

    assert verdict(home, plain(BARE_BODY), of=[plain(), plain(BARE_BODY)]) is Verdict.ALLOW


def test_the_rise_counts_from_its_margin_on(home):
    home.exposure.scores = {BARE_BODY: 0.3, ADA: 0.1, BOB: 0.0}

    assert verdict(home, bare(picture(EVE)), of=[also(picture(EVE), ADA)]) is Verdict.ALLOW
    assert verdict(home, bare(picture(EVE)), of=[also(picture(EVE), BOB)]) is Verdict.REFUSE


def test_exposure_from_words_alone_is_compared_with_nothing(home):
    assert verdict(home, picture(BARE), prompt="a woman reading a book") is Verdict.REFUSE


def test_a_body_without_a_face_counts_as_a_person(home):
    home.persons.colour = BARE_BODY

    assert verdict(home, plain(BARE_BODY)) is Verdict.REFUSE


def test_exposure_without_a_person_is_delivered(home):
    assert verdict(home, plain(BARE_BODY), prompt=A_STATUE) is Verdict.ALLOW


def test_a_rise_where_nobody_can_say_whether_a_person_is_there_is_withheld(home):
    home.persons.is_available = False

    decision = made(home, plain(BARE_BODY)).decision

    assert (decision.verdict, decision.reasons) == (Verdict.REFUSE, (PublicReason.ERROR,))


def test_a_rise_after_a_prompt_that_spoke_of_a_minor_is_told_as_such(home):
    decision = made(home, picture(BARE), prompt="a 12 year old girl on a bicycle").decision

    assert PublicReason.MINOR in decision.reasons


def test_the_most_exposed_frame_counts(home):
    frames = [Image.open(BytesIO(picture(each))) for each in (EVE, EVE, BARE)]
    animation = BytesIO()
    frames[0].save(animation, "PNG", save_all=True, append_images=frames[1:])

    assert verdict(home, animation.getvalue(), of=[picture(EVE)]) is Verdict.REFUSE


@pytest.mark.parametrize("place", range(4))
def test_one_result_of_several_withholds_them_all(home, place):
    results = [picture(EVE)] * 4
    results[place] = picture(EVE, BARE)

    assert verdict(home, *results, of=[picture(EVE)]) is Verdict.REFUSE


# Faces


def test_an_enrolled_face_that_was_not_in_the_inputs_is_withheld(home):
    decision = made(home, picture(ADA), of=[picture(EVE)]).decision

    assert (decision.verdict, decision.reasons) == (
        Verdict.NEEDS_CONSENT,
        (PublicReason.CONSENT_REQUIRED,),
    )
    assert PrivateReason.APPEARS in decision.private_reasons
    assert decision.subjects == (home.ada,)


def test_an_enrolled_face_from_words_alone_is_withheld(home):
    assert verdict(home, picture(EVE, ADA), prompt="a portrait of a woman") is Verdict.NEEDS_CONSENT


def test_nobody_is_asked_about_a_result(home):
    assert made(home, picture(ADA), **STUDIO).decision.may_ask is None
    assert not home.consent_requests.pending(home.ada)


def test_whoever_appears_from_nowhere_is_impersonated_so_the_narrower_choice_covers_it(tmp_path):
    home = TestHome(tmp_path / "narrow").create()
    home.enrol(ADA, policy=SubjectPolicy.INTIMATE_AND_IMPERSONATING)

    assert verdict(home, picture(ADA), of=[picture(EVE)]) is Verdict.NEEDS_CONSENT
    assert verdict(home, picture(ADA), of=[picture(ADA)]) is Verdict.ALLOW

    home.close()


def test_in_a_revealing_request_it_is_refused_as_any_revealing_result_is(home):
    decision = made(home, picture(ADA), prompt=A_STATUE).decision

    assert (decision.verdict, decision.reasons) == (
        Verdict.REFUSE,
        (PublicReason.REVEALING_REAL_PERSON,),
    )


def test_a_possible_match_is_withheld_and_names_nobody(home):
    home.faces.blend(EVE, ADA, 0.6)

    decision = made(home, picture(EVE), of=[picture(BOB)]).decision

    assert (decision.verdict, decision.subjects) == (Verdict.NEEDS_CONSENT, ())


def test_a_stranger_whose_face_an_edit_moves_to_the_lower_point_is_not_withheld(home):
    home.faces.blend(EVE, ADA, 0.49)  # went in: nobody
    home.faces.blend(BOB, ADA, 0.51)  # came out: possibly Ada, but surely whoever went in

    assert verdict(home, picture(BOB), of=[picture(EVE)]) is Verdict.ALLOW
    assert verdict(home, picture(BOB)) is Verdict.NEEDS_CONSENT


def test_a_sure_match_is_withheld_however_like_an_input_it_is(home):
    home.faces.blend(EVE, ADA, 0.49)
    home.faces.blend(BOB, ADA, 0.75)

    assert verdict(home, picture(BOB), of=[picture(EVE)]) is Verdict.NEEDS_CONSENT


def test_a_face_too_small_to_be_judged_in_the_input_is_judged_in_the_result(home):
    home.faces.small.add(BOB)

    assert verdict(home, picture(ADA), of=[picture(BOB)]) is Verdict.NEEDS_CONSENT


def test_each_frame_of_a_result_is_searched(home):
    frames = [Image.open(BytesIO(picture(each))) for each in (EVE, BOB, ADA)]
    animation = BytesIO()
    frames[0].save(animation, "PNG", save_all=True, append_images=frames[1:])

    assert verdict(home, animation.getvalue(), of=[picture(EVE)]) is Verdict.NEEDS_CONSENT


# Consent


def grant(home, **changes):
    return home.grants.create(home.ada, everyday(**changes))


def test_a_grant_for_the_use_covers_the_result(home):
    given = grant(home)

    decision = made(home, picture(ADA), of=[picture(EVE)]).decision

    assert (decision.verdict, decision.relies_on) == (Verdict.ALLOW, (given.grant,))


def test_a_grant_for_another_use_does_not(home):
    grant(home, purposes=frozenset({Purpose.TRAINING}))

    assert verdict(home, picture(ADA), of=[picture(EVE)]) is Verdict.NEEDS_CONSENT


def test_who_went_in_with_consent_may_come_out_without_a_second_use(home):
    grant(home, max_uses=1)

    assert verdict(home, picture(ADA), of=[picture(ADA)]) is Verdict.ALLOW


def test_a_counted_grant_is_used_up_by_a_result(home):
    grant(home, max_uses=1)

    assert verdict(home, picture(ADA), of=[picture(EVE)]) is Verdict.ALLOW
    assert verdict(home, picture(ADA), of=[picture(EVE)]) is Verdict.NEEDS_CONSENT


def test_no_grant_unlocks_a_rise(home):
    grant(home)

    assert verdict(home, picture(ADA, BARE), of=[picture(ADA)]) is Verdict.REFUSE


def test_she_may_make_pictures_of_herself(home):
    assert verdict(home, picture(ADA), prompt="me on the moon", actor=home.ada) is Verdict.ALLOW


def test_a_contested_identity_has_no_say(home):
    grant(home)
    home.contests.open(home.enrol(BOB, name="Bea").subject, home.ada)

    assert verdict(home, picture(ADA), of=[picture(EVE)]) is Verdict.NEEDS_CONSENT


def made_with_her_token(home, *results, meanwhile=lambda: None):
    """Her own token for a revealing request of her own picture, and what was made of it."""
    image = picture(ADA)
    terms = TokenTerms(
        platform="studio.example",
        purpose=Purpose.EDIT,
        region="SE",
        categories=frozenset({IntentCategory.SWIMWEAR}),
        prompt=BIKINI,
        context=(),
        digests=(hashlib.sha256(image).digest(),),
    )
    home.consent_tokens.attest_adult(home.ada)
    token = home.consent_tokens.issue(home.ada, terms).jws
    request = request_of(home, [image], BIKINI, token=token, **STUDIO)
    result = home.check(image, prompt=BIKINI, token=token, **STUDIO)
    assert result.decision.verdict is Verdict.ALLOW
    meanwhile()
    return made(home, *results, bases=(Basis(request=request, result=result),), **STUDIO).decision


def test_what_she_unlocked_herself_may_be_delivered_when_it_shows_her_alone(home):
    decision = made_with_her_token(home, bare(picture(ADA)))

    assert (decision.verdict, decision.private_reasons[0]) == (
        Verdict.ALLOW,
        PrivateReason.TOKEN_USED,
    )


def test_what_she_unlocked_shows_nobody_else(home):
    home.persons.colour = BARE_BODY

    assert made_with_her_token(home, bare(picture(ADA, EVE))).verdict is Verdict.REFUSE
    assert made_with_her_token(home, bare(plain())).verdict is Verdict.REFUSE


def test_her_token_lets_nobody_else_appear(home):
    decision = made_with_her_token(
        home, picture(ADA, BOB), meanwhile=lambda: home.enrol(BOB, name="Bob")
    )

    assert decision.reasons == (PublicReason.REVEALING_REAL_PERSON,)


# What the receipt says


def test_the_verdict_is_signed_and_kept_for_who_asked_and_commits_to_results_then_inputs(home):
    given = made(home, picture(BOB), plain(), of=[picture(EVE)], **STUDIO)

    claims = verify_receipt(given.receipt.jws, home.signer.jwks())
    verify_commitment(
        claims,
        given.receipt.salts,
        ReceiptInputs(
            images=(picture(BOB), plain(), picture(EVE)),
            prompt=SKY,
            context=(),
            purpose=Purpose.EDIT,
            region="SE",
            platform="studio.example",
        ),
    )
    assert claims.engines["exposure"]
    assert home.receipts.get(given.check).caller == "p"


def test_the_receipt_of_what_is_withheld_tells_public_reasons_only(home):
    given = made(home, picture(ADA), of=[picture(EVE)])
    claims = verify_receipt(given.receipt.jws, home.signer.jwks())

    assert claims.reasons == (PublicReason.CONSENT_REQUIRED,)
    assert home.ada not in given.receipt.jws


# What a caller can notice


def test_the_work_is_the_same_whoever_is_enrolled(tmp_path):
    counts = []
    for enrolled in (ADA, EVE, (1, 1, 1)):
        home = TestHome(tmp_path / str(enrolled)).create()
        home.enrol(enrolled, policy=SubjectPolicy.INTIMATE_AND_IMPERSONATING)
        result = home.check(picture(EVE))
        bases = (Basis(request=request_of(home, [picture(EVE)], SKY), result=result),)
        before = home.faces.looks, home.faces.descriptions, home.exposure.looks
        made(home, picture(ADA, EVE), bases=bases)
        after = home.faces.looks, home.faces.descriptions, home.exposure.looks
        counts.append([b - a for a, b in zip(before, after, strict=True)])
        home.close()

    assert counts[0] == counts[1] == counts[2]


def test_the_callers_budget_is_charged_before_anybody_is_searched_for(home):
    class Empty:
        def spend(self, faces):
            raise TooManyRequests("x", retry_after_s=1)

    before = home.faces.descriptions
    with pytest.raises(TooManyRequests):
        made(home, picture(ADA), bases=(), meter=Empty())
    assert home.faces.descriptions == before


# What cannot be examined


@pytest.mark.parametrize(
    "result", [b"", b"no picture", picture(EVE)[:200], b"\x00\x00\x00\x18ftypmp42"]
)
def test_a_result_that_cannot_be_read_is_withheld(home, result):
    decision = made(home, result).decision

    assert (decision.verdict, decision.reasons) == (Verdict.REFUSE, (PublicReason.UNREADABLE,))


def test_results_of_an_unknown_request_are_held_to_the_strictest(home):
    assert verdict(home, picture(EVE), bases=()) is Verdict.ALLOW
    assert verdict(home, picture(ADA), bases=()) is Verdict.NEEDS_CONSENT
    assert verdict(home, picture(BARE), bases=()) is Verdict.REFUSE


def test_with_the_vault_locked_a_result_with_a_face_is_withheld(home):
    home.custody.lock()

    assert made(home, picture(EVE), bases=()).decision.reasons == (PublicReason.ERROR,)
    assert verdict(home, plain(), bases=()) is Verdict.ALLOW


def test_in_a_fresh_home_exposure_alone_is_judged(tmp_path):
    fresh = TestHome(tmp_path)
    fresh.exposure.scores = {BARE: 0.9}

    assert verdict(fresh, picture(EVE)) is Verdict.ALLOW
    assert verdict(fresh, picture(BARE)) is Verdict.REFUSE

    fresh.close()


def test_there_must_be_something_and_not_too_much(home):
    for results in ([], [plain()] * (MAX_RESULTS + 1)):
        with pytest.raises(BadRequest):
            made(home, *results, bases=())


def test_what_was_refused_has_no_results(home):
    refused = home.check(picture(EVE), prompt=BIKINI)
    basis = Basis(request=request_of(home, [picture(EVE)], BIKINI), result=refused)

    with pytest.raises(ValueError, match="not allowed"):
        made(home, picture(EVE), bases=(basis,))


OURS = (
    ModelUnavailable("x"),
    StorageFailed("x"),
    SealBroken("x"),
    IndexIncomplete("x"),
    NotReady("x"),
    Overloaded("x"),
)
LOCKS = (VaultLocked("x"), VaultAbsent("x"))
PORTS = [
    ("faces", "detect", OURS),
    ("faces", "describe", OURS),
    ("exposure", "score", OURS),
    ("gallery", "state", OURS),
    ("gallery", "size", OURS),
    ("gallery", "refresh", OURS),
    ("gallery", "search", (*OURS, *LOCKS)),
    ("consents.contests", "contested", OURS),
    ("consents.grants", "of", (*OURS, *LOCKS)),
    ("receipts", "add", (StorageFailed("x"), StorageFull("x"))),
    ("signer", "draft", (NotReady("x"),)),
]


class Failing:
    """A port of which one method fails; everything else is the real one."""

    def __init__(self, real, method, error):
        self._real, self._method, self._error = real, method, error

    def __getattr__(self, name):
        return self._fail if name == self._method else getattr(self._real, name)

    def _fail(self, *arguments, **named):
        raise self._error


@pytest.mark.parametrize(
    ("port", "method", "error"),
    [
        pytest.param(port, method, error, id=f"{port}.{method}-{type(error).__name__}")
        for port, method, errors in PORTS
        for error in errors
    ],
)
def test_whatever_fails_withholds(steady, port, method, error):
    check, (first, _, second) = steady.check_output, port.partition(".")
    part = getattr(check, first)
    broken = (
        dataclasses.replace(part, **{second: Failing(getattr(part, second), method, error)})
        if second
        else Failing(part, method, error)
    )

    assert reasons_of(steady, dataclasses.replace(check, **{first: broken})) in (
        (PublicReason.ERROR,),
        "no verdict",
    )


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    opened = TestHome(tmp_path_factory.mktemp("steady")).create()
    opened.ada = opened.enrol(ADA).subject
    yield opened
    opened.close()


def reasons_of(home, check):
    whole, home.check_output = home.check_output, check
    try:
        return made(home, picture(EVE), of=[picture(EVE)]).decision.reasons
    except ConsentryError as stopped:
        return "no verdict" if stopped.status >= 500 else stopped
    finally:
        home.check_output = whole


def test_where_nothing_fails_the_same_result_is_delivered(steady):
    assert reasons_of(steady, steady.check_output) == ()


def test_a_person_detector_that_fails_matters_only_where_it_is_asked(home):
    home.persons.is_available = False

    assert verdict(home, plain(), bases=()) is Verdict.ALLOW
    assert home.persons.looks == 0
