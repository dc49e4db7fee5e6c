"""`decode`: the one way from bytes to pixels, and so the same limits at every door."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from consentry.imagery.border import translated
from consentry.imagery.containers import bmp, exif, gif, heif, jpeg, png, tiff, webp
from consentry.imagery.containers.outline import Picture
from consentry.imagery.formats import ImageFormat, sniff
from consentry.imagery.limits import DEFAULT_LIMITS, Limits
from consentry.imagery.views import ViewCollector
from consentry.kernel.biometrics import Pixels
from consentry.kernel.errors import CorruptImage

_OUTLINES: dict[ImageFormat, Callable[[bytes, Limits], tuple[Picture, ...]]] = {
    ImageFormat.JPEG: jpeg.outline,
    ImageFormat.PNG: png.outline,
    ImageFormat.WEBP: webp.outline,
    ImageFormat.GIF: gif.outline,
    ImageFormat.BMP: bmp.outline,
    ImageFormat.TIFF: tiff.outline,
    ImageFormat.AVIF: heif.outline_avif,
    ImageFormat.HEIC: heif.outline_heic,
}
# The classes themselves, not `Image.open`: that asks a global registry, which any import can add
# to.
_DECODERS: dict[ImageFormat, Callable[[BytesIO], ImageFile]] = {
    ImageFormat.JPEG: JpegImageFile,
    ImageFormat.PNG: PngImageFile,
    ImageFormat.WEBP: WebPImageFile,
    ImageFormat.GIF: GifImageFile,
    ImageFormat.BMP: BmpImageFile,
    ImageFormat.TIFF: TiffImageFile,
    ImageFormat.AVIF: AvifImageFile,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecodedImage:
    """A picture, ready to be looked at. Lives for one check and is never stored.

    Attributes:
        format: What the content is, whatever the name of the file said.
        width: Of the first frame in pixels, upright.
        height: Of the first frame in pixels, upright.
        views: Every distinct way in which any frame can be shown (views.py says which); at least
            one. Whoever decides about the picture looks at all of them. ``views[0]`` is the first
            frame as a viewer shows it. Arrays are read-only. Sizes can differ.
        frame_count: Frames, pages or pictures in the file, before views are counted and equal ones
            dropped.
        sha256: Digest of the file as it was sent, 32 bytes.
        has_alpha: Whether any pixel of any frame is not opaque.
    """

    format: ImageFormat
    width: int
    height: int
    views: tuple[Pixels, ...] = field(repr=False)
    frame_count: int
    sha256: bytes = field(repr=False)
    has_alpha: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    image: Image.Image
    orientation: int


def digest(data: bytes) -> bytes:
    """Return the SHA-256 of a file, 32 bytes."""
    return hashlib.sha256(data).digest()


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS) -> DecodedImage:
    """Decode every frame of a picture, after its headers have been held against ``limits``.

    Pure and thread-safe: nothing is shared between calls, no global of Pillow or libheif is
    changed. Memory is bounded by ``limits.max_total_pixels`` x 3 bytes for the views, plus one
    frame inside the decoder.

    Args:
        data: The whole file.
        limits: Caps; the defaults suit a door that is open to strangers.

    Raises:
        EmptyImage: If there are no bytes.
        UnknownImageFormat: If the content is of none of `ImageFormat`, or of a rare kind of one of
            them.
        TruncatedImage: If the file ends before its own header says.
        CorruptImage: If it is damaged, contradicts itself, or has something attached that other
            software could open.
        ImageTooLarge: If it goes beyond ``limits``.
    """
    limits.admit_bytes(len(data))
    image_format = sniff(data)
    pictures = _OUTLINES[image_format](data, limits)
    limits.admit_frames([size for picture in pictures for size in picture.sizes])
    collector = ViewCollector(limits)
    count = 0
    for picture in pictures:
        with translated():
            for frame in _frames(image_format, picture, limits):
                count += 1
                limits.admit_frame_count(count)
                collector.add(
                    frame.image,
                    orientation=frame.orientation,
                    has_unknown_polarity=picture.has_unknown_polarity,
                )
    if not collector.views:
        raise CorruptImage("the picture has no pixels in it; save it again")
    height, width = collector.views[0].shape[:2]
    return DecodedImage(
        format=image_format,
        width=width,
        height=height,
        views=tuple(collector.views),
        frame_count=count,
        sha256=digest(data),
        has_alpha=collector.has_alpha,
    )


def _frames(image_format: ImageFormat, picture: Picture, limits: Limits) -> Iterator[_Frame]:
    match image_format:
        case ImageFormat.HEIC:
            return _heic_frames(picture, limits)
        case ImageFormat.AVIF:
            return _avif_frames(picture, limits)
        case _:
            return _outlined_frames(_DECODERS[image_format], picture)


def _outlined_frames(decoder: Callable[[BytesIO], ImageFile], picture: Picture) -> Iterator[_Frame]:
    with decoder(BytesIO(picture.data)) as image:
        orientations = picture.page_orientations or (picture.orientation,) * len(picture.sizes)
        for number, (size, orientation) in enumerate(zip(picture.sizes, orientations, strict=True)):
            image.seek(number)
            image.load()
            if image.size != size:
                raise CorruptImage("the picture contradicts its own header; save it again")
            yield _Frame(image, orientation)


def _avif_frames(picture: Picture, limits: Limits) -> Iterator[_Frame]:
    with AvifImageFile(BytesIO(picture.data)) as image:
        # Opening parses; the first pixel is decoded by load(). Only the library knows the count of
        # a sequence.
        limits.admit_frame_count(image.n_frames)
        limits.admit_frames([image.size] * image.n_frames)
        orientation = exif.orientation(image.info.get("exif", b""))
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            yield _Frame(image, orientation)


def _heic_frames(picture: Picture, limits: Limits) -> Iterator[_Frame]:
    # Imported here because it loads a large library; called directly, because registering it as a
    # plugin would change what every other user of Pillow in this process can open.
    import pillow_heif

    stills = pillow_heif.open_heif(BytesIO(picture.data))
    limits.admit_frames([still.size for still in stills])
    for still in stills:
        # libheif has applied `irot` and `imir` already; EXIF orientation does not count in HEIC
        # (ISO/IEC 23008-12).
        yield _Frame(still.to_pillow(), exif.UPRIGHT)
