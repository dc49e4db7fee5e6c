"""What a string in a request stands for: words, or a picture in one of the ways to give one."""

from __future__ import annotations

import re

from consentry.gateway.data_urls import from_base64
from consentry.gateway.request import DataUrl, Picture, Sent, StoredFile, WebAddress
from consentry.kernel.errors import BadRequest, ImageNotFetched

_FILE_ID = re.compile(r"file[-_][A-Za-z0-9_-]+\Z", re.ASCII)
_WEB = re.compile(r"https?://", re.IGNORECASE)
# What the base64 of PNG, JPEG, GIF, WebP, BMP, TIFF, and of HEIC, AVIF and MP4 begins with.
_BASE64 = re.compile(
    r"(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR|Qk[0-3]|SUkqA|TU0AK|AAAA[A-Za-z0-9+/]{2}[Z]0eX)"
)
_MIN_BASE64_CHARS = 64
_MIN_BLOB_CHARS = 128
# Base64 of anything, in one piece or in lines: no language has such words. What has been read is not
# given back: there is one way to read a line, and another try would only take time.
_BLOB = re.compile(r"(?:[A-Za-z0-9+/_-]{60,}+\s++)*+[A-Za-z0-9+/_-]++={0,2}")
_FROM_URL_SAFE = str.maketrans("-_", "+/")
_IN_TEXT = re.compile(
    r"data:image/[A-Za-z0-9.+-]+(?:;[A-Za-z0-9_.=-]+)*;base64,[A-Za-z0-9+/=]{64,}", re.IGNORECASE
)


def picture_in(text: str) -> Picture | None:
    """Return the picture that a string gives by itself, in a place that is not for words; None for other strings.

    Raises:
        CorruptImage: If it is base64 that not every reader reads alike.
    """
    text = text.strip()
    if text[:5].lower() == "data:":
        return DataUrl(text)
    if _WEB.match(text):
        return WebAddress(text)
    if _FILE_ID.match(text):
        return StoredFile(text)
    # First what a look at the beginning tells: a picture is not read twice.
    picture = base64_picture(text)
    if picture is None and _is_blob(text):
        return Sent(from_base64(text))
    return picture


def picture_asked(text: str) -> Picture | None:
    """Return the picture that a value in an address gives, as `picture_in`; a signature is none.

    Raises:
        CorruptImage: As `picture_in`.
        BadRequest: If it is a picture by address: the checked bytes cannot be put in its place there.
    """
    picture = None if _is_signature(text.strip()) else picture_in(text)
    if isinstance(picture, WebAddress):
        raise BadRequest(
            "A picture by address is given in the body, not in the query of another address."
        )
    return picture


def base64_picture(text: str) -> Picture | None:
    """Return the picture whose bare base64 a string is; None for other strings.

    Raises:
        CorruptImage: If it is base64 that not every reader reads alike.
    """
    text = text.strip()
    if len(text) < _MIN_BASE64_CHARS or not _BASE64.match(text):
        return None
    return Sent(from_base64(text))


def parted(text: str) -> tuple[str, list[Picture]]:
    """Part words from the pictures between them, which are there as ``data:`` URLs."""
    if "data:image/" not in text.lower():
        return text, []
    return _IN_TEXT.sub(" ", text), [DataUrl(each[0]) for each in _IN_TEXT.finditer(text)]


def pictures_within(text: str) -> list[Picture]:
    """Return the pictures between words; see `parted`, which takes them out of the words as well."""
    return parted(text)[1]


def address(text: str) -> Picture:
    """Return the picture of a field that is for an address: ``https:`` or ``data:``.

    Raises:
        ImageNotFetched: If it is neither.
    """
    text = text.strip()
    if text[:5].lower() == "data:":
        return DataUrl(text)
    if _WEB.match(text):
        return WebAddress(text)
    raise ImageNotFetched("The address of a picture is neither an https: nor a data: URL.")


def _is_blob(text: str) -> bool:
    return len(text) >= _MIN_BLOB_CHARS and _BLOB.fullmatch(text) is not None


def _is_signature(text: str) -> bool:
    """Say whether it is base64 for addresses that does not begin as a picture does."""
    plain = text.translate(_FROM_URL_SAFE)
    is_named = plain == text or _FILE_ID.match(text)
    return not is_named and not _BASE64.match(plain) and _is_blob(text)
