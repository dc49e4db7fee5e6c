from __future__ import annotations

from io import BytesIO

import pytest
from consentry.checks.check import MAX_CONTEXT_TURNS, MAX_IMAGES, MAX_PROMPT_CHARS
from consentry.checks.pictures import MAX_FACES
from consentry.kernel.errors import (
    BadRequest,
    ModelUnavailable,
    StorageFull,
    TruncatedImage,
)
from consentry.kernel.taxonomy import (
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    Purpose,
    SubjectPolicy,
    Verdict,
)
from consentry.transparency.receipts import ReceiptInputs, verify_commitment, verify_receipt
from fakes.coloured_faces import SQUARE, picture
from fakes.home import PASSPHRASE, TestHome
from PIL import Image

ADA, EVE, BOB = (200, 10, 10), (10, 200, 10), (10, 10, 200)
EVERYDAY = "make the sky blue"
REVEALING = "put her in a bikini"


def test_an_everyday_edit_of_an_enrolled_person_needs_consent(home):
    home.enrol(ADA)

    decision = home.check(picture(ADA), prompt=EVERYDAY).decision

    assert decision.verdict is Verdict.NEEDS_CONSENT
    assert decision.reasons == (PublicReason.CONSENT_REQUIRED,)


def test_an_everyday_edit_of_a_stranger_is_allowed(home):
    home.enrol(ADA)

    assert home.check(picture(EVE), prompt=EVERYDAY).decision.verdict is Verdict.ALLOW


@pytest.mark.parametrize("who", [ADA, EVE], ids=["enrolled", "stranger"])
def test_a_revealing_edit_is_refused_whoever_it_is(home, who):
    home.enrol(ADA)

    result = home.check(picture(who), prompt=REVEALING)

    assert result.decision.verdict is Verdict.REFUSE
    assert result.decision.reasons == (PublicReason.REVEALING_REAL_PERSON,)


def test_a_revealing_edit_is_answered_without_embedding_or_searching(home):
    home.enrol(ADA)
    home.hold_afterwards()
    before = home.faces.descriptions

    home.check(picture(ADA), prompt=REVEALING)

    assert home.faces.descriptions == before


def test_in_a_fresh_home_without_a_vault_the_laws_hold_and_the_rest_is_allowed(tmp_path):
    fresh = TestHome(tmp_path)

    assert fresh.check(picture(ADA), prompt=EVERYDAY).decision.verdict is Verdict.ALLOW
    assert fresh.check(picture(ADA), prompt=REVEALING).decision.verdict is Verdict.REFUSE

    fresh.close()


def test_every_picture_counts(home):
    home.enrol(ADA)

    images = [picture(EVE)] * (MAX_IMAGES - 1) + [picture(ADA)]

    assert home.check(*images).decision.verdict is Verdict.NEEDS_CONSENT


def test_every_face_counts(home):
    home.enrol(ADA)

    assert (
        home.check(picture(EVE, BOB, EVE, BOB, EVE, ADA)).decision.verdict is Verdict.NEEDS_CONSENT
    )


def test_every_frame_counts(home):
    home.enrol(ADA)
    frames = [Image.open(BytesIO(picture(each))) for each in (EVE, BOB, ADA)]
    animation = BytesIO()
    frames[0].save(animation, "PNG", save_all=True, append_images=frames[1:])

    assert home.check(animation.getvalue()).decision.verdict is Verdict.NEEDS_CONSENT


def test_a_face_under_transparency_counts(home):
    home.enrol(ADA)
    shown = Image.open(BytesIO(picture(ADA)))
    hidden = BytesIO()
    shown.putalpha(Image.new("L", shown.size, 0))
    shown.save(hidden, "PNG")

    assert home.check(hidden.getvalue()).decision.verdict is Verdict.NEEDS_CONSENT


def test_an_open_revealing_request_stays_open_through_the_conversation(home):
    assert (
        home.check(
            picture(EVE), prompt="a bit more to the left", context=(REVEALING,)
        ).decision.verdict
        is Verdict.REFUSE
    )


def test_a_possible_match_asks_and_names_nobody(home):
    home.enrol(ADA)
    home.faces.blend(EVE, ADA, 0.6)

    decision = home.check(picture(EVE)).decision

    assert decision.verdict is Verdict.NEEDS_CONSENT
    assert PrivateReason.POSSIBLE_MATCH in decision.private_reasons
    assert decision.subjects == ()


def test_below_the_possible_point_is_a_stranger(home):
    home.enrol(ADA)
    home.faces.blend(EVE, ADA, 0.499)

    assert home.check(picture(EVE)).decision.verdict is Verdict.ALLOW


def test_a_declared_purpose_can_tighten(home):
    home.enrol(ADA, policy=SubjectPolicy.INTIMATE_AND_IMPERSONATING)

    verdicts = [
        home.check(picture(ADA), purpose=purpose).decision.verdict
        for purpose in (Purpose.EDIT, Purpose.FACE_SWAP, Purpose.INTIMATE)
    ]

    assert verdicts == [Verdict.ALLOW, Verdict.NEEDS_CONSENT, Verdict.REFUSE]


def test_while_locked_any_face_refuses_and_no_face_does_not(home):
    home.enrol(ADA)
    home.custody.lock()

    with_face = home.check(picture(EVE)).decision
    without = home.check(picture()).decision

    assert (with_face.verdict, with_face.reasons) == (Verdict.REFUSE, (PublicReason.ERROR,))
    assert PrivateReason.LOCKED in with_face.private_reasons
    assert without.verdict is Verdict.ALLOW


def test_while_locked_informing_says_not_checked(home):
    home.enrol(ADA)
    home.custody.lock()

    decision = home.check(picture(EVE), mode=Mode.INFORM).decision

    assert not decision.checked


def test_faces_are_looked_at_twice_where_something_can_be_stopped_and_once_to_tell(home):
    home.enrol(ADA)
    home.faces.mirrored.clear()

    home.check(picture(EVE), mode=Mode.ACT)
    home.check(picture(EVE), mode=Mode.INFORM)

    assert home.faces.mirrored == [True, False]


def test_a_face_too_small_to_recognise_is_refused_only_for_revealing_edits(home):
    home.enrol(ADA)
    home.faces.small.add(EVE)

    assert home.check(picture(EVE), prompt=EVERYDAY).decision.verdict is Verdict.ALLOW
    assert home.check(picture(EVE), prompt=REVEALING).decision.verdict is Verdict.REFUSE


def test_an_unreadable_picture_is_a_refusal_that_names_what_is_wrong(home):
    result = home.check(picture(EVE)[:-30])

    assert result.decision.verdict is Verdict.REFUSE
    assert result.decision.reasons == (PublicReason.UNREADABLE,)
    assert isinstance(result.images[0].error, TruncatedImage)
    assert result.receipt is not None


def test_one_unreadable_picture_among_good_ones_refuses(home):
    assert home.check(picture(), b"MZ not a picture").decision.verdict is Verdict.REFUSE


def test_without_a_detector_nothing_passes(home):
    home.faces.failure = ModelUnavailable("gone")

    decision = home.check(picture()).decision

    assert (decision.verdict, decision.reasons) == (Verdict.REFUSE, (PublicReason.ERROR,))


def test_a_receipt_proves_what_was_asked(home):
    home.enrol(ADA)
    image = picture(ADA)

    result = home.check(image, prompt=EVERYDAY)

    claims = verify_receipt(result.receipt.jws, home.signer.jwks())
    assert (claims.check, claims.verdict) == (result.check, Verdict.NEEDS_CONSENT)
    verify_commitment(
        claims,
        result.receipt.salts,
        ReceiptInputs(
            images=(image,),
            prompt=EVERYDAY,
            context=(),
            purpose=Purpose.EDIT,
            region=None,
            platform=None,
        ),
    )


def test_a_receipt_is_kept_before_the_verdict_is_given(home):
    result = home.check(picture())

    assert home.receipts.get(result.check).jws == result.receipt.jws


def test_without_room_for_the_receipt_there_is_no_verdict(home):
    class Full:
        def add(self, draft, answers=(), *, takes=None):
            raise StorageFull("no room")

    object.__setattr__(home.check_images, "receipts", Full())

    with pytest.raises(StorageFull):
        home.check(picture())


def test_informing_leaves_nothing_behind(home):
    home.enrol(ADA)
    home.check(picture(ADA), mode=Mode.INFORM)
    before = {p.name: p.read_bytes() for p in home.path.iterdir() if p.is_file()}

    for _ in range(3):
        result = home.check(picture(ADA), prompt=REVEALING, mode=Mode.INFORM)
        home.check(picture(EVE), mode=Mode.INFORM)

    assert result.receipt is None
    assert {p.name: p.read_bytes() for p in home.path.iterdir() if p.is_file()} == before


def test_a_prompt_alone_can_be_checked(home):
    allowed = home.check(prompt="a watercolour of a lighthouse").decision
    refused = home.check(prompt="the prime minister naked").decision

    assert allowed.verdict is Verdict.ALLOW
    assert refused.verdict is Verdict.REFUSE


def test_a_revealing_prompt_about_nobody_is_allowed_with_the_output_to_be_checked(home):
    decision = home.check(prompt="a woman in a red bikini").decision

    assert decision.verdict is Verdict.ALLOW
    assert Obligation.CHECK_OUTPUT in decision.obligations


@pytest.mark.parametrize(
    ("images", "prompt", "context"),
    [
        ((), None, ()),
        ((), "  ", ()),
        ((b"x",) * (MAX_IMAGES + 1), None, ()),
        ((), "x" * (MAX_PROMPT_CHARS + 1), ()),
        ((), "x", ("y",) * (MAX_CONTEXT_TURNS + 1)),
        ((), "x", ("y" * (MAX_PROMPT_CHARS + 1),)),
    ],
    ids=["nothing", "blank", "too many pictures", "long prompt", "many turns", "long turn"],
)
def test_too_little_or_too_much_is_a_bad_request(home, images, prompt, context):
    with pytest.raises(BadRequest):
        home.check(*images, prompt=prompt, context=context)


def test_an_answer_shows_nobody(home):
    home.enrol(ADA, name="Unmistakable")

    result = home.check(picture(ADA))

    assert "Unmistakable" not in repr(result)
    assert result.images[0].faces[0].box.w == SQUARE
    assert not hasattr(result.images[0].faces[0], "embedding")


def test_parallel_checks_all_answer_alike(home):
    from concurrent.futures import ThreadPoolExecutor

    home.enrol(ADA)
    images = [picture(ADA), picture(EVE)] * 25

    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda image: home.check(image).decision.verdict, images))

    assert verdicts == [Verdict.NEEDS_CONSENT, Verdict.ALLOW] * 25
    assert home.receipts.count() == 50


def test_the_vault_can_be_opened_again_and_protects(home):
    home.enrol(ADA)
    home.custody.lock()
    home.custody.unlock(PASSPHRASE)

    assert home.check(picture(ADA)).decision.verdict is Verdict.NEEDS_CONSENT


def test_a_larger_crowd_than_can_be_examined_is_unreadable(home):
    crowd = [(200, 10 + n % 240, n // 240) for n in range(MAX_FACES + 1)]

    most = home.check(picture(*crowd[:MAX_FACES], columns=16))
    more = home.check(picture(*crowd, columns=16))

    assert most.decision.verdict is Verdict.ALLOW
    assert more.decision.reasons == (PublicReason.UNREADABLE,)
    assert "more than 250 faces" in str(more.images[0].error)
