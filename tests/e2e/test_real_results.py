"""The output check with real models: a photo in the public domain, and what a generator might make of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from consentry.checks.check import CheckRequest
from consentry.checks.output import Basis, OutputRequest
from consentry.kernel.taxonomy import Mode, PublicReason, Purpose, Verdict
from consentry.settings import load_settings
from consentry.vault.passphrase import Passphrase
from consentry.wiring import Home, open_home
from PIL import Image, ImageEnhance, ImageOps
from skimage.data import astronaut, chelsea

pytestmark = pytest.mark.e2e


def encoded(image: Image.Image, image_format: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, image_format, **options)
    return out.getvalue()


HER = Image.fromarray(astronaut())
CAT = encoded(Image.fromarray(chelsea()))


def rotated(image: Image.Image) -> Image.Image:
    return image.rotate(90, expand=True)


def pasted(image: Image.Image) -> Image.Image:
    canvas = Image.fromarray(np.tile(np.uint8([[[40, 90, 160]]]), (900, 1200, 1)))
    canvas.paste(image.resize((300, 300)), (700, 450))
    return canvas


@contextmanager
def opened(path: Path) -> Iterator[Home]:
    with open_home(load_settings(home=path)) as found:
        found.services.custody.create(Passphrase("correct horse battery staple"))
        yield found


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Iterator[Home]:
    with opened(tmp_path_factory.mktemp("results") / "home") as found:
        yield found


@pytest.fixture(scope="module")
def with_her(tmp_path_factory) -> Iterator[Home]:
    with opened(tmp_path_factory.mktemp("results") / "hers") as found:
        found.services.enrol([encoded(HER)], name="Her", policy=None)
        yield found


def made(home: Home, result: bytes, *, of: bytes | None = CAT):
    request = CheckRequest(
        images=() if of is None else (of,),
        prompt="a picture for the wall",
        mode=Mode.ACT,
        purpose=Purpose.EDIT,
        region=None,
        platform=None,
        actor=None,
        declares_minor=False,
    )
    answer = home.services.check(request)
    assert answer.decision.verdict is Verdict.ALLOW
    basis = Basis(request=request, result=answer)
    return home.services.check_output(
        OutputRequest(results=(result,), bases=(basis,), platform=None)
    ).decision


def brighter(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1.3)


@pytest.mark.parametrize("edit", [ImageOps.mirror, brighter, ImageOps.grayscale])
def test_an_ordinary_edit_of_nobody_enrolled_is_delivered(home: Home, edit):
    assert made(home, encoded(edit(HER)), of=encoded(HER)).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("turn", "of"),
    [(ImageOps.mirror, CAT), (rotated, CAT), (pasted, CAT), (Image.Image.copy, None)],
    ids=["mirrored", "rotated", "small", "from-words"],
)
def test_her_face_in_a_result_that_she_did_not_go_into_is_withheld(with_her: Home, turn, of):
    decision = made(with_her, encoded(turn(HER), "JPEG", quality=70), of=of)

    assert (decision.verdict, decision.reasons) == (
        Verdict.NEEDS_CONSENT,
        (PublicReason.CONSENT_REQUIRED,),
    )


def test_a_result_without_her_is_delivered(with_her: Home):
    assert made(with_her, CAT).verdict is Verdict.ALLOW
