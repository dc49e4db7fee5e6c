"""Pictures for the engine's parity tests: made by code, or the public-domain astronaut of scikit-image."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage import data

Pixels = npt.NDArray[np.uint8]


def pictures() -> dict[str, Pixels]:
    """Return one face whole, cropped, turned, mirrored, small, large and hidden in noise; and none."""
    astronaut = np.asarray(data.astronaut())
    picture = Image.fromarray(astronaut)
    noise = np.random.default_rng(7).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    wall = noise.copy()
    wall[60:236, 120:296] = astronaut[0:176, 140:316]
    found = {
        "whole": astronaut,
        "cropped": astronaut[20:200, 150:300],
        "turned": np.rot90(astronaut),
        "upside-down": np.rot90(astronaut, 2),
        "mirrored": astronaut[:, ::-1],
        "small": np.asarray(picture.resize((150, 150))),
        "tiny": np.asarray(picture.resize((90, 90))),
        "odd": np.asarray(picture.resize((777, 613))),
        "large": np.asarray(picture.resize((1900, 1700))),
        "in-noise": wall,
        "nobody": noise,
    }
    return {name: np.ascontiguousarray(pixels) for name, pixels in found.items()}


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture as PNG; four channels are RGBA."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def jpeg(pixels: Pixels, *, orientation: int = 1, quality: int = 92) -> bytes:
    """Return a picture as JPEG that says which way up it is."""
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, exif=exif)
    return file.getvalue()


def animation(frames: list[Pixels], image_format: str) -> bytes:
    """Return an animation, GIF or WebP."""
    file = BytesIO()
    first, *rest = [Image.fromarray(frame) for frame in frames]
    options = {"lossless": True} if image_format == "WEBP" else {}
    first.save(
        file, image_format, save_all=True, append_images=rest, duration=80, loop=0, **options
    )
    return file.getvalue()
