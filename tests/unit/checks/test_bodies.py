"""Law 2b: a body without a face is a person, and a picture without either is nobody's."""

from __future__ import annotations

from io import BytesIO

import pytest
from consentry.kernel.errors import ModelUnavailable
from consentry.kernel.taxonomy import (
    Mode,
    Obligation,
    PrivateReason,
    PublicReason,
    Purpose,
    Verdict,
)
from fakes.coloured_faces import GRAY, picture
from fakes.home import TestHome
from PIL import Image

REVEALING = "make it sexy, take the clothes off"
EVERYDAY = "make the sky blue"
BODY = (90, 60, 50)


def landscape() -> bytes:
    return picture()


def body(*, frames_before: int = 0) -> bytes:
    """A picture, or an animation, whose last frame shows a body and no face."""
    frames = [Image.new("RGB", (64, 32), GRAY) for _ in range(frames_before + 1)]
    frames[-1].putpixel((3, 3), BODY)
    for i, frame in enumerate(frames[:-1]):
        frame.putpixel((60, 30), (i, 0, 0))
    encoded = BytesIO()
    frames[0].save(encoded, "PNG", save_all=True, append_images=frames[1:])
    return encoded.getvalue()


@pytest.fixture
def staged(home: TestHome) -> TestHome:
    home.persons.colour = BODY
    return home


def test_a_revealing_prompt_with_a_body_without_a_face_is_refused(staged):
    decision = staged.check(body(), prompt=REVEALING).decision

    assert decision.verdict is Verdict.REFUSE
    assert decision.reasons == (PublicReason.REVEALING_REAL_PERSON,)
    assert PrivateReason.PERSON_IN_PICTURE in decision.private_reasons


def test_a_revealing_purpose_with_a_body_is_refused(staged):
    decision = staged.check(body(), prompt=EVERYDAY, purpose=Purpose.INTIMATE).decision

    assert decision.verdict is Verdict.REFUSE


def test_a_revealing_prompt_with_a_landscape_is_allowed_and_its_output_is_checked(staged):
    decision = staged.check(landscape(), prompt=REVEALING).decision

    assert decision.verdict is Verdict.ALLOW
    assert decision.obligations == (Obligation.CHECK_OUTPUT,)


def test_a_body_in_one_frame_counts(staged):
    assert staged.check(body(frames_before=2), prompt=REVEALING).decision.verdict is Verdict.REFUSE


def test_a_body_in_one_of_the_pictures_counts(staged):
    decision = staged.check(landscape(), body(), landscape(), prompt=REVEALING).decision

    assert decision.verdict is Verdict.REFUSE


def test_an_unread_prompt_with_a_body_is_refused_and_with_a_landscape_is_not(staged):
    unread = "ꯃꯁꯤ ꯑꯁꯣꯏꯕ ꯑꯣꯏꯔꯕꯗꯤ ꯇꯧꯕꯤꯌꯨ"

    refused = staged.check(body(), prompt=unread).decision
    allowed = staged.check(landscape(), prompt=unread).decision

    assert (refused.verdict, refused.reasons) == (Verdict.REFUSE, (PublicReason.UNREADABLE,))
    assert allowed.verdict is Verdict.ALLOW


def test_a_detector_that_is_not_there_clears_nothing(staged):
    staged.persons.is_available = False

    decision = staged.check(landscape(), prompt=REVEALING).decision

    assert decision.verdict is Verdict.REFUSE
    assert PrivateReason.PICTURE_NOT_CLEARED in decision.private_reasons


def test_a_face_detector_that_is_not_there_is_not_replaced_by_the_person_detector(staged):
    staged.faces.failure = ModelUnavailable("not built")

    assert staged.check(landscape(), prompt=REVEALING).decision.verdict is Verdict.REFUSE
    assert staged.persons.looks == 0


def test_an_everyday_edit_costs_no_look_for_persons(staged):
    assert staged.check(body(), prompt=EVERYDAY).decision.verdict is Verdict.ALLOW
    assert staged.persons.looks == 0


def test_a_face_answers_without_a_look_for_persons(staged):
    assert staged.check(picture((10, 200, 10)), prompt=REVEALING).decision.verdict is Verdict.REFUSE
    assert staged.persons.looks == 0


def test_only_a_door_that_can_stop_something_looks_thoroughly(staged):
    staged.check(landscape(), prompt=REVEALING, mode=Mode.INFORM)
    assert staged.persons.thorough_looks == 0

    staged.check(landscape(), prompt=REVEALING, mode=Mode.ACT)
    assert staged.persons.thorough_looks == staged.persons.looks - 1 > 0
