"""A small copy of a picture, for somebody to look at who is asked about it.

Made anew from pixels, so that nothing of the file is in it but what can be seen: no position, no
camera, no thumbnail, no trailer.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from consentry.kernel.biometrics import Pixels

PREVIEW_SIDE_PX = 512
_JPEG_QUALITY = 80


def preview(pixels: Pixels) -> bytes:
    """Return a JPEG of at most `PREVIEW_SIDE_PX` a side.

    Args:
        pixels: Shape ``(height, width, 3)``, RGB.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((PREVIEW_SIDE_PX, PREVIEW_SIDE_PX))
    encoded = BytesIO()
    image.save(encoded, "JPEG", quality=_JPEG_QUALITY)
    return encoded.getvalue()
