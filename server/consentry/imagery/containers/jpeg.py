"""JPEG (ITU-T T.81), and what phones write after its end.

SOI  segments  SOS entropy-coded  [more scans]  EOI

and then, only if the file announces it:

    further JPEGs (CIPA DC-007 "MPF", Ultra HDR, depth maps)
    one MP4 (motion photo), or a Samsung trailer
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from consentry.imagery.containers.exif import orientation
from consentry.imagery.containers.isobmff import refuse_other_than_boxes
from consentry.imagery.containers.outline import Picture, is_padding, refuse_trailer, take
from consentry.imagery.limits import Limits
from consentry.kernel.errors import CorruptImage, ImageTooLarge, TruncatedImage, UnknownImageFormat

_SOI, _EOI, _SOS, _DAC, _DHT, _DQT, _DRI = 0xD8, 0xD9, 0xDA, 0xCC, 0xC4, 0xDB, 0xDD
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_CARRIES_PIXELS = _SOF | {_SOS, _DAC, _DHT, _DQT, _DRI}
_CMYK_COMPONENTS = 4
_BITS_READ = 8

# A scan may cover the whole picture and cost almost no bytes, so thousands of them are a bomb
# ("Two issues with the JPEG standard", libjpeg-turbo 2015). Encoders that try hard write about 20.
MAX_SCANS = 40
_MAX_SEGMENTS = 4096

_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
_AFTER_ENTROPY = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_NOT_PADDING = re.compile(rb"[^\x00\xff \t\r\n]", re.DOTALL)
_FURTHER_JPEGS = re.compile(rb"Container:Directory|Item:Semantic|hdrgm:")
_MOTION_PHOTO = re.compile(rb"MotionPhoto|MicroVideo")


@dataclass(slots=True)
class _Still:
    """What was met between one SOI and its EOI."""

    kept: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    size: tuple[int, int] | None = None
    components: int = 0
    scans: int = 0
    exif: bytes = b""
    xmp: bytes = b""
    has_adobe: bool = False
    has_mpf: bool = False

    def picture(self) -> Picture:
        if self.size is None or not self.scans:
            raise CorruptImage("the picture has no pixels in it; save it again")
        return Picture(
            data=b"".join((*self.kept, b"\xff\xd9")),
            sizes=(self.size,),
            orientation=orientation(self.exif, self.xmp),
            has_unknown_polarity=self.components == _CMYK_COMPONENTS and not self.has_adobe,
        )


def outline(data: bytes, limits: Limits) -> tuple[Picture, ...]:
    """Return the picture, then every further JPEG that the file announces after it.

    Raises:
        TruncatedImage: If the file ends inside a segment or a scan.
        CorruptImage: If it is damaged, or something that it does not announce follows its end.
        ImageTooLarge: If it has too many scans or pictures.
        UnknownImageFormat: If it has more than 8 bits a channel.
    """
    still, end = _walk(data, 0)
    pictures = [still.picture()]
    tail = _after_padding(data, end)
    may_have_further = still.has_mpf or _FURTHER_JPEGS.search(still.xmp)
    while may_have_further and data.startswith(b"\xff\xd8\xff", tail):
        limits.admit_frame_count(len(pictures) + 1)
        further, end = _walk(data, tail)
        # Stereo pairs, gain maps, depth maps, the unblurred original: tools exist that show each,
        # so each is checked.
        pictures.append(further.picture())
        tail = _after_padding(data, end)
    _admit_trailer(data[tail:], still.xmp)
    return tuple(pictures)


def _admit_trailer(tail: bytes, xmp: bytes) -> None:
    """Let pass what phones append, refuse the rest.

    A motion photo is an ordinary phone photo with a short MP4 behind it. Its video is not checked,
    and the photo passes all the same: image software stops at EOI, an MP4 reader does not find its
    file at offset 0, and refusing would turn away every photo of some phones. It must be announced
    in the XMP and be MP4 to its last byte. The same holds for Samsung's trailer, which ends in its
    own directory (``SEFH`` ... length ``SEFT``).
    """
    if not tail or _is_samsung_trailer(tail):
        return
    if tail[4:8] == b"ftyp" and _MOTION_PHOTO.search(xmp):
        refuse_other_than_boxes(tail)
        return
    refuse_trailer(tail)


def _is_samsung_trailer(tail: bytes) -> bool:
    if not tail.endswith(b"SEFT"):
        return False
    length = int.from_bytes(tail[-8:-4], "little")
    return tail[-8 - length :].startswith(b"SEFH")


def _after_padding(data: bytes, end: int) -> int:
    """Return where the next thing starts: filling between the pictures of one file is ordinary."""
    match = _NOT_PADDING.search(data, end)
    if match is None:
        return len(data)
    at = match.start()
    # A marker starts with 0xFF and an MP4 with zeros, which are filling too: step back onto them.
    if match[0] == b"\xd8" and at > end and data[at - 1 : at] == b"\xff":
        return at - 1
    brand = data.find(b"ftyp", at, at + 8)
    return max(end, brand - 4) if brand >= 0 else at


def _walk(data: bytes, start: int) -> tuple[_Still, int]:
    still = _Still()
    at = start + 2
    for _ in range(_MAX_SEGMENTS):
        marker, at = _next_marker(data, at)
        if marker == _EOI:
            return still, at
        if marker == _SOI or marker in _WITHOUT_LENGTH:
            raise CorruptImage("the parts of the picture are out of order; save it again")
        length = int.from_bytes(take(data, at, 2), "big")
        body = take(data, at, length)[2:]
        if length < 2:  # noqa: PLR2004 -- the length counts its own two bytes
            raise CorruptImage("a part of the picture has an impossible length; save it again")
        at += length
        _note(still, marker, body)
        if marker in _CARRIES_PIXELS or (marker == _APP14 and still.has_adobe):
            still.kept += (bytes((0xFF, marker)), length.to_bytes(2, "big"), body)
        if marker == _SOS:
            end = _AFTER_ENTROPY.search(data, at)
            if end is None:
                raise TruncatedImage("the picture ends in mid-scan; fetch or save it again")
            still.kept.append(data[at : end.start()])
            at = end.start()
    raise ImageTooLarge(f"the picture has more than {_MAX_SEGMENTS} parts; save it again")


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    match = _MARKER.match(data, at)
    if match is not None:
        return match[1][0], match.end()
    if is_padding(data[at:]):
        raise TruncatedImage("the picture has no end; fetch or save it again")
    raise CorruptImage("there are stray bytes between the parts of the picture; save it again")


def _note(still: _Still, marker: int, body: bytes) -> None:
    if marker in _SOF:
        _note_frame_header(still, body)
    elif marker == _SOS:
        still.scans += 1
        if still.scans > MAX_SCANS:
            raise ImageTooLarge(f"the picture has more than {MAX_SCANS} scans; save it again")
    elif marker == _APP1 and body.startswith(b"Exif\0\0"):
        still.exif = still.exif or body
    elif marker == _APP1 and body.startswith(b"http://ns.adobe.com/"):
        still.xmp += body
    elif marker == _APP2 and body.startswith(b"MPF\0"):
        still.has_mpf = True
    elif marker == _APP14 and body.startswith(b"Adobe"):
        still.has_adobe = True
    elif marker == _APP0 and body.startswith(b"JFIF"):
        # Without it a decoder would guess the colour space from component numbers; all agree on
        # JFIF.
        still.kept += (b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",)


def _note_frame_header(still: _Still, body: bytes) -> None:
    if still.size is not None:
        raise CorruptImage("the picture has two frame headers; save it again")
    if len(body) < 6:  # noqa: PLR2004 -- precision, height, width, components (T.81 B.2.2)
        raise CorruptImage("the frame header of the picture is too short; save it again")
    if body[0] != _BITS_READ:
        raise UnknownImageFormat(f"a JPEG of {body[0]} bits a channel; save it with 8 bits")
    still.size = (int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
    still.components = body[5]
