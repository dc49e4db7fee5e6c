from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from consentry.faces.pipeline import FacePipeline, open_pipeline
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import Pixels, as_pixels
from skimage import data


@pytest.fixture(scope="session")
def models(models_dir: Path) -> ModelStore:
    return ModelStore(models_dir, threads=1)


@pytest.fixture(scope="session")
def companion(models: ModelStore) -> FacePipeline:
    return open_pipeline("companion", models)


@pytest.fixture(scope="session")
def astronaut() -> Pixels:
    """Eileen Collins, 512x512, public domain. One face, eyes 44 pixels apart."""
    pixels = as_pixels(np.array(data.astronaut()))
    pixels.setflags(write=False)
    return pixels
