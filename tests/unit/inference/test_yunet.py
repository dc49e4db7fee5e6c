from __future__ import annotations

import numpy as np
import pytest
from consentry.inference.converters import yunet
from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore
from consentry.kernel.errors import ModelUnavailable
from skimage import data


def test_the_surest_cell_lies_on_the_face(models_dir):
    picture = data.astronaut().transpose(2, 0, 1)[None].astype(np.float32)

    levels = ModelStore(models_dir, threads=1).session(ModelName.YUNET).run(picture)

    assert [level.shape for level in levels] == [
        (1, 16, 64, 64),
        (1, 16, 32, 32),
        (1, 16, 16, 16),
    ]
    logits = levels[1][0, :2].sum(axis=0)
    row, column = np.unravel_index(logits.argmax(), logits.shape)
    # The face is at (181, 58) and 89 x 120 pixels large; a cell is 16.
    assert 181 < 16 * column < 181 + 89
    assert 58 < 16 * row < 58 + 120


@pytest.mark.parametrize("library", [b"", b"MZ" + bytes(200), b"\x7fELF\x02" + bytes(200)])
def test_another_file_is_not_built_from(library: bytes):
    with pytest.raises(ModelUnavailable, match="YuNet"):
        yunet.build(library)
