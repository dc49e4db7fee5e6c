from __future__ import annotations

import numpy as np
import pytest
from consentry.enrolment.enrol import MAX_NAME_CHARS, MAX_PHOTOS, _portrayed
from consentry.faces.pipeline import Face
from consentry.faces.quality import Quality
from consentry.kernel.biometrics import Box
from consentry.kernel.errors import (
    BadRequest,
    Conflict,
    DifferentFaces,
    NoFaceFound,
    QualityTooLow,
    SeveralFacesFound,
    TruncatedImage,
    VaultAbsent,
    VaultLocked,
)
from consentry.kernel.ids import ModelId
from consentry.kernel.taxonomy import SubjectPolicy, Verdict
from fakes.coloured_faces import picture
from fakes.home import TestHome

ADA, EVE, BOB = (200, 10, 10), (10, 200, 10), (10, 10, 200)


def test_enrolled_is_found_by_the_very_next_search(home):
    home.enrol(ADA)

    assert home.check(picture(ADA)).decision.verdict is Verdict.NEEDS_CONSENT
    assert home.check(picture(EVE)).decision.verdict is Verdict.ALLOW


def test_photos_under_the_same_name_are_added_to_the_same_person(home):
    first = home.enrol(ADA, name="Ada")
    home.faces.blend(EVE, ADA, 0.8)

    second = home.enrol(EVE, name=" aDA ")

    assert second.subject == first.subject
    assert (first.is_new, second.is_new) == (True, False)
    assert second.total_templates == 2


def test_another_face_under_a_taken_name_is_refused_and_nothing_kept(home):
    home.enrol(ADA, name="Ada")

    with pytest.raises(DifferentFaces):
        home.enrol(EVE, name="Ada")

    assert home.check(picture(EVE)).decision.verdict is Verdict.ALLOW


def test_photos_for_somebody_enrolled_with_another_model_are_a_conflict_that_says_how_to_go_on(
    home, monkeypatch
):
    subject = home.enrol(ADA, name="Ada").subject
    monkeypatch.setattr(home.faces, "model_id", ModelId("other@1"))

    with pytest.raises(Conflict, match="revoke the earlier enrolment"):
        home.enrol(ADA, name="Ada")

    home.revoke(subject)
    assert home.enrol(ADA, name="Ada").is_new


def test_photos_of_two_people_are_refused_together(home):
    with pytest.raises(DifferentFaces, match="Photo 2"):
        home.enrol(ADA, EVE)

    assert home.people.all() == ()


def test_a_photo_without_a_face_is_refused(home):
    with pytest.raises(NoFaceFound):
        home.enrol_subject([picture()], name="Ada", policy=None)


def test_a_photo_with_two_equal_faces_is_refused(home):
    with pytest.raises(SeveralFacesFound, match="2 faces"):
        home.enrol_subject([picture(ADA, EVE)], name="Ada", policy=None)


def test_a_face_alone_in_the_middle_is_the_one_portrayed():
    pixels = np.zeros((100, 100, 3), np.uint8)
    middle, aside = _face(Box(30, 30, 40, 40)), _face(Box(0, 0, 30, 30))
    equal = _face(Box(0, 0, 40, 40))
    both_in_the_middle = _face(Box(35, 35, 31, 31))

    assert _portrayed([middle, aside], pixels) is middle
    for other in (equal, both_in_the_middle):
        with pytest.raises(SeveralFacesFound):
            _portrayed([middle, other], pixels)


def _face(box: Box) -> Face:
    return Face(box, ((0.0, 0.0),) * 5, 0.9, Quality(score=0.9, issues=()), None)


def test_a_face_too_small_to_be_recognised_is_never_reported_as_protected(home):
    home.faces.small.add(ADA)

    with pytest.raises(QualityTooLow) as caught:
        home.enrol(ADA)

    assert caught.value.issues == ("too_small",)
    assert home.people.all() == ()


def test_the_photo_that_is_wrong_is_named(home):
    with pytest.raises(TruncatedImage, match="Photo 2 of 2"):
        home.enrol_subject([picture(ADA), picture(ADA)[:-40]], name="Ada", policy=None)


@pytest.mark.parametrize("name", ["", "   ", "x" * (MAX_NAME_CHARS + 1), "a\x00b", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(home, name):
    with pytest.raises(BadRequest):
        home.enrol(ADA, name=name)


@pytest.mark.parametrize("count", [0, MAX_PHOTOS + 1])
def test_too_few_or_too_many_photos_are_refused(home, count):
    with pytest.raises(BadRequest):
        home.enrol_subject([picture(ADA)] * count, name="Ada", policy=None)


def test_without_a_vault_nothing_is_enrolled(tmp_path):
    opened = TestHome(tmp_path)

    with pytest.raises(VaultAbsent):
        opened.enrol(ADA)

    opened.close()


def test_while_locked_nothing_is_enrolled(home):
    home.custody.lock()

    with pytest.raises(VaultLocked):
        home.enrol(ADA)


def test_the_policy_is_kept(home):
    home.enrol(ADA, policy=SubjectPolicy.INTIMATE_AND_IMPERSONATING)

    assert home.people.all()[0].policy is SubjectPolicy.INTIMATE_AND_IMPERSONATING
    assert home.check(picture(ADA)).decision.verdict is Verdict.ALLOW


def test_names_are_readable_only_while_unlocked(home):
    home.enrol(ADA, name="Ada")
    open_names = [person.name for person in home.people.all()]
    home.custody.lock()

    assert open_names == ["Ada"]
    assert [person.name for person in home.people.all()] == [None]


def test_no_name_and_no_template_is_in_the_files_in_the_clear(home):
    name = "Ada Lovelace-Unmistakable"
    home.enrol(ADA, name=name)
    home.database.close()

    reference = home.faces.embedding(ADA)
    stored = b"".join(path.read_bytes() for path in home.path.iterdir() if path.is_file())

    assert name.encode() not in stored
    assert reference.tobytes() not in stored
    assert reference.astype("float64").tobytes() not in stored
