"""What was made, judged together with what it was made from."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import pytest
from consentry.checks.check import CheckRequest
from consentry.checks.grounds import open_ground, place_of_ground
from consentry.checks.output import CheckOutput
from consentry.checks.results import Named, ResultsRequest
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.grants.tokens import TokenTerms
from consentry.kernel.errors import (
    BadRequest,
    CheckUnusable,
    ConsentryError,
    IdempotencyKeyReused,
    ModelUnavailable,
    NotFound,
    SealBroken,
    StorageFailed,
    StorageFull,
)
from consentry.kernel.taxonomy import (
    IntentCategory,
    Mode,
    PublicReason,
    Purpose,
    SubjectPolicy,
    Verdict,
)
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.terms import everyday
from PIL import Image

ADA, EVE, BOB = (200, 10, 10), (10, 200, 10), (10, 10, 200)
BARE = (250, 199, 180)
SKY, BIKINI = "make the sky blue", "put her in a bikini"


@pytest.fixture
def home(tmp_path):
    opened = TestHome(tmp_path / "home").create()
    opened.ada = opened.enrol(ADA).subject
    opened.exposure.scores = {BARE: 0.9}
    yield opened
    opened.close()


def also(image: bytes, colour) -> bytes:
    """The same picture with a speck of a colour in it: too small for a face."""
    shown = Image.open(BytesIO(image))
    shown.putpixel((shown.width - 1, shown.height - 1), colour)
    out = BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()


def request(*images, prompt=SKY, **more) -> CheckRequest:
    usual = {
        "mode": Mode.ACT,
        "purpose": Purpose.EDIT,
        "region": "SE",
        "platform": "studio.example",
        "actor": None,
        "declares_minor": False,
        "caller": "key_1",
    }
    return CheckRequest(images=images, prompt=prompt, **(usual | more))


def allowed(home, asked: CheckRequest) -> Named:
    result = home.check_images(asked)
    assert result.decision.verdict is Verdict.ALLOW
    return Named(result.check, result.receipt.salts)


def judge(home, *results, asked, named=None):
    return home.judge_results(ResultsRequest(results=results, asked=asked, named=named))


def test_whoever_was_named_and_allowed_may_appear(home):
    home.set_policy(home.ada, SubjectPolicy.INTIMATE_AND_IMPERSONATING)
    home.aliases.add(home.ada, "Ada Example", AliasKind.NAME, AliasProof.OPERATOR)
    asked = request(prompt="a portrait of Ada Example in a garden")
    named = allowed(home, asked)

    assert judge(home, picture(ADA), asked=asked, named=named).decision.verdict is Verdict.ALLOW
    other = request(prompt="a portrait in a garden")
    result = judge(home, picture(ADA), asked=other, named=allowed(home, other))
    assert result.decision.verdict is Verdict.NEEDS_CONSENT


def her_token(home, image: bytes) -> str:
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
    return home.consent_tokens.issue(home.ada, terms).jws


def test_her_token_is_shown_with_the_result_and_burns_there(home):
    image = picture(ADA)
    asked = request(image, prompt=BIKINI, token=her_token(home, image))

    assert judge(home, also(image, BARE), asked=asked).decision.verdict is Verdict.ALLOW
    assert judge(home, also(image, BARE), asked=asked).decision.verdict is Verdict.REFUSE


def test_a_named_check_knows_that_it_was_her_token(home):
    image = picture(ADA)
    asked = request(image, prompt=BIKINI, token=her_token(home, image))
    without_it = request(image, prompt=BIKINI)

    named = allowed(home, asked)
    result = judge(home, also(image, BARE), asked=without_it, named=named)
    assert result.decision.verdict is Verdict.ALLOW

    named = allowed(home, request(image, prompt=BIKINI, token=her_token(home, image)))
    result = judge(home, also(picture(EVE), BARE), asked=without_it, named=named)
    assert result.decision.reasons == (PublicReason.REVEALING_REAL_PERSON,)


def test_a_token_is_of_no_use_where_nothing_is_asked(home):
    image = picture(ADA)
    with pytest.raises(BadRequest):
        judge(home, image, asked=request(prompt=None, token=her_token(home, image)))


def test_whoever_was_named_later_is_asked(home):
    asked = request(prompt="a portrait of Zora Quill")
    named = allowed(home, asked)
    home.aliases.add(home.ada, "Zora Quill", AliasKind.NAME, AliasProof.OPERATOR)

    result = judge(home, picture(ADA), asked=asked, named=named)

    assert result.decision.verdict is Verdict.NEEDS_CONSENT


def test_whoever_was_enrolled_later_is_asked(home):
    asked = request(picture(EVE))
    named = allowed(home, asked)
    home.enrol(EVE, name="Eve")

    result = judge(home, picture(EVE), asked=asked, named=named)

    assert result.decision.verdict is Verdict.NEEDS_CONSENT


def granted(home, *, max_uses: int | None = None):
    """Let Ada allow edits, and return the grant and an edit that it allows."""
    home.set_policy(home.ada, SubjectPolicy.EVERY_EDIT)
    return home.grants.create(home.ada, everyday(max_uses=max_uses)), request(picture(ADA))


def test_one_use_is_for_one_result(home):
    _, asked = granted(home, max_uses=1)
    named = allowed(home, asked)

    assert judge(home, picture(ADA), asked=asked, named=named).decision.verdict is Verdict.ALLOW
    with pytest.raises(CheckUnusable):
        judge(home, also(picture(ADA), EVE), asked=asked, named=named)


def test_fifty_results_at_once_are_judged_beside_one_use_once(home):
    _, asked = granted(home, max_uses=1)
    named = allowed(home, asked)

    def attempt(n):
        try:
            return judge(home, also(picture(ADA), (n, n, n)), asked=asked, named=named)
        except CheckUnusable:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert sum(each is not None for each in pool.map(attempt, range(50))) == 1


@pytest.mark.parametrize("what", ["revoked", "contested", "policy", "deleted"])
def test_what_is_taken_back_is_no_ground_any_more(home, what):
    grant, asked = granted(home)
    named = allowed(home, asked)
    match what:
        case "revoked":
            home.grants.revoke(grant.grant)
        case "contested":
            home.contests.open(home.enrol(BOB, name="Bea").subject, home.ada)
        case "policy":
            home.set_policy(home.ada, SubjectPolicy.INTIMATE_AND_IMPERSONATING)
        case _:
            home.revoke(home.ada)

    with pytest.raises(CheckUnusable):
        judge(home, picture(ADA), asked=asked, named=named)


def test_a_retry_gets_its_answer_also_when_the_check_is_ground_no_more(home):
    _, asked = granted(home)
    named = allowed(home, asked)
    asked = replace(asked, idempotency_key="k-1")
    first = judge(home, picture(ADA), asked=asked, named=named)
    with pytest.raises(IdempotencyKeyReused):
        judge(home, picture(ADA), asked=asked)
    home.clock.advance(2 * 3600)

    again = judge(home, picture(ADA), asked=asked, named=named)

    assert (again.check, again.is_repeated) == (first.check, True)


def test_a_token_is_not_lost_when_the_result_could_not_be_judged(home, monkeypatch):
    image = picture(ADA)
    token = her_token(home, image)
    asked = request(image, prompt=BIKINI, token=token, idempotency_key="k-1")
    with monkeypatch.context() as broken:
        broken.setattr(CheckOutput, "_decided", _fail_to_read)
        with pytest.raises(ModelUnavailable):
            judge(home, also(image, BARE), asked=asked)

    assert judge(home, also(image, BARE), asked=asked).decision.verdict is Verdict.ALLOW


def test_every_ground_is_of_one_size_and_opens_with_the_salts_alone(home):
    nobody = allowed(home, request(picture(EVE)))
    _, asked = granted(home)
    somebody = allowed(home, asked)

    kept = [
        home.receipts.answer(place_of_ground(each.salts), now=home.clock.now())
        for each in (nobody, somebody)
    ]

    assert len({len(each.sealed) for each in kept}) == 1
    assert home.ada.encode() not in kept[1].sealed
    assert set(open_ground(kept[1], somebody.salts).subjects) == {home.ada}
    with pytest.raises(SealBroken):
        open_ground(kept[1], nobody.salts)


def test_what_is_written_in_an_input_counts_again(home):
    home.text.words, home.text.colour = "a marble statue of a nude goddess", BARE
    statue = also(empty(), BARE)
    asked = request(statue, prompt=None)
    named = allowed(home, asked)  # nobody is in it

    result = judge(home, picture(ADA), asked=asked, named=named)

    # A face in a revealing request is answered as one that is exposed, enrolled or not told apart.
    assert result.decision.reasons == (PublicReason.REVEALING_REAL_PERSON,)


def empty() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 64), (128, 128, 128)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("port", ["receipts", "text", "words", "keeping"])
def test_whatever_fails_there_is_no_verdict(home, port, monkeypatch):
    asked = request(picture(EVE))
    named = allowed(home, asked)

    def fail(*_, **__):
        raise StorageFailed("it broke") if port == "receipts" else StorageFull("it broke")

    match port:
        case "receipts":
            monkeypatch.setattr(home.receipts, "get", fail)
        case "text":
            home.text.is_available = False
        case "words":
            monkeypatch.setattr(home.intent, "assess", _fail_to_read)
        case _:
            monkeypatch.setattr(home.receipts, "add", fail)

    with pytest.raises(ConsentryError):
        judge(home, picture(EVE), asked=asked, named=named)


def _fail_to_read(*_, **__):
    raise ModelUnavailable("it broke")


def test_eyes_that_fail_withhold(home):
    asked = request(picture(EVE))
    named = allowed(home, asked)
    home.faces.failure = ModelUnavailable("it broke")

    decision = judge(home, picture(EVE), asked=asked, named=named).decision

    assert (decision.verdict, decision.reasons) == (Verdict.REFUSE, (PublicReason.ERROR,))


def test_the_check_of_another_caller_is_not_found(home):
    asked = request(picture(EVE))
    named = allowed(home, asked)

    with pytest.raises(NotFound):
        judge(home, picture(EVE), asked=request(picture(EVE), caller="key_2"), named=named)


def test_there_is_at_least_one_result(home):
    with pytest.raises(BadRequest):
        judge(home, asked=request(picture(EVE)))
