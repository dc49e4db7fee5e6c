from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from consentry.faces.confirm import Confirmer
from consentry.faces.places import DetectedFace
from consentry.faces.scout import Scout
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Box
from PIL import Image
from skimage import data


@pytest.fixture(scope="module")
def proposed(models: ModelStore, astronaut) -> DetectedFace:
    ((first, *_),) = Scout(models).look([astronaut])
    return first


def test_a_proposal_that_is_somewhat_off_is_put_right(models, astronaut, proposed):
    confirmer = Confirmer(models)
    (right,) = confirmer.confirm(astronaut, [proposed])
    box = proposed.box
    off = replace(proposed, box=Box(box.x + 9, box.y - 7, 1.15 * box.w, 1.15 * box.h))

    (mended,) = confirmer.confirm(astronaut, [off])

    assert np.abs(np.subtract(mended.landmarks, right.landmarks)).max() < 4


def test_a_proposal_where_no_face_is_is_dropped(models, astronaut, proposed):
    picture = np.asarray(Image.fromarray(data.coffee()).resize((512, 512)))

    assert Confirmer(models).confirm(picture, [proposed]) == []
    assert len(Confirmer(models).confirm(astronaut, [proposed])) == 1


def test_many_proposals_are_confirmed_in_their_order(models, astronaut, proposed):
    wide = np.tile(astronaut, (1, 20, 1))

    faces = Confirmer(models).confirm(wide, [proposed.moved(512 * i, 0) for i in range(20)])

    lefts = [face.box.x for face in faces]
    assert lefts == pytest.approx([lefts[0] + 512 * i for i in range(20)], abs=1)


def test_a_proposal_beyond_the_picture_or_of_no_size_is_no_error(models, astronaut, proposed):
    empty = replace(proposed, box=Box(100, 100, 0, 0), landmarks=((100.0, 100.0),) * 5)

    assert Confirmer(models).confirm(astronaut, [proposed.moved(5000, 5000), empty]) == []
