"""Somebody who has enrolled in the browser alone, and what she and her pictures look like to a test."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image, ImageOps
from skimage import data

PASSPHRASE = "correct horse battery staple"


class Refused(Exception):
    """The background answered with an error."""


def asked(browser: Any, kind: str, **ask: object) -> Any:
    """Ask the background as one of the extension's own pages does."""
    reply = browser.ask({"to": "background", "kind": kind, "ask": ask})
    if reply is None or "error" in reply:
        raise Refused(f"{kind}: {reply}")
    return reply["answer"]


def enrol(browser: Any, photos: list[bytes], name: str = "Eileen") -> str:
    """Make a vault and enrol from photos, in the browser alone. Returns her subject id."""
    asked(browser, "vault.create", passphrase=PASSPHRASE)
    return join(browser, photos, name)


def join(browser: Any, photos: list[bytes], name: str = "Eileen") -> str:
    """Enrol one more in the vault that is there. Returns her subject id."""
    for photo in photos:
        seen = asked(browser, "enrol.photo", session="s", photo=base64.b64encode(photo).decode())
        assert seen["accepted"], seen
    answer = asked(browser, "enrol.finish", session="s", name=name, policy="every_edit")
    return str(answer["subject"])


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    """As a file."""
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def astronaut() -> Image.Image:
    """A portrait in the public domain."""
    return Image.fromarray(data.astronaut())


def portraits() -> list[bytes]:
    """Photos to enrol from."""
    whole = astronaut()
    return [jpeg(whole), jpeg(whole.crop((90, 0, 380, 320))), jpeg(whole.rotate(6, expand=False))]


def herself() -> bytes:
    """Another picture of her: cropped, mirrored, paler, small."""
    return jpeg(
        ImageOps.mirror(astronaut().crop((60, 0, 420, 400)))
        .resize((216, 240))
        .point(lambda v: v * 0.85 + 20)
    )


def nobody() -> bytes:
    """A picture without anybody."""
    return jpeg(Image.fromarray(data.coffee()).resize((240, 160)))
