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
    # Face and object must both be likely; a cell is so many pixels.
    _, cell, level = max(
        ((level[0, :2].min(axis=0).max(), 8 << i, level[0]) for i, level in enumerate(levels)),
        key=lambda each: float(each[0]),
    )
    row, column = np.unravel_index(level[:2].min(axis=0).argmax(), level.shape[1:])
    centre = cell * (level[2:4, row, column] + (column, row))
    assert centre == pytest.approx((181 + 89 / 2, 58 + 120 / 2), abs=6)


@pytest.mark.parametrize("library", [b"", b"MZ" + bytes(200), b"\x7fELF\x02" + bytes(200)])
def test_another_file_is_not_built_from(library: bytes):
    with pytest.raises(ModelUnavailable, match="YuNet"):
        yunet.build(library)
