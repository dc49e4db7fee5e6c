"""Which format a file is, from its content. Its name and its declared type play no part."""

from __future__ import annotations

from enum import StrEnum

from consentry.kernel.errors import EmptyImage, UnknownImageFormat

_BMP_HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})


class ImageFormat(StrEnum):
    """The formats that are read. All others are `UnknownImageFormat`."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    BMP = "bmp"
    TIFF = "tiff"
    AVIF = "avif"
    HEIC = "heic"


def sniff(data: bytes) -> ImageFormat:
    """Return the format that the first bytes announce.

    Raises:
        EmptyImage: If there are no bytes.
        UnknownImageFormat: If they announce none of `ImageFormat`.
    """
    if not data:
        raise EmptyImage("the file has no bytes; choose a picture")
    found = _by_signature(data) or _by_brand(data)
    if found is None:
        raise UnknownImageFormat(
            "not a picture that is read here (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC); "
            "save it as JPEG or PNG"
        )
    return found


def _by_signature(data: bytes) -> ImageFormat | None:
    if data.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return ImageFormat.GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if data.startswith((b"II*\x00", b"MM\x00*")):
        return ImageFormat.TIFF
    # Two letters are no signature: ordinary text can start with "BM". The header's own size makes
    # it one.
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return ImageFormat.BMP
    return None


def _by_brand(data: bytes) -> ImageFormat | None:
    """Tell AVIF from HEIC by the brands of the leading ``ftyp`` box (ISO/IEC 14496-12, 4.3)."""
    if data[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(data[:4], "big"), 1024)
    major = data[8:12]
    brands = {major, *(data[at : at + 4] for at in range(16, size, 4))}
    if major in _AVIF_BRANDS or (major not in _HEIC_BRANDS and brands & _AVIF_BRANDS):
        return ImageFormat.AVIF
    if brands & _HEIC_BRANDS:
        return ImageFormat.HEIC
    return None
