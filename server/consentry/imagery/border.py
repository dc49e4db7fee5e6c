"""The border to Pillow, libheif and their codecs: what they raise leaves as an `ImageError`."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from consentry.kernel.errors import CorruptImage, ImageTooLarge, TruncatedImage

# What decoders raise on damaged files, found by reading them and by flipping bytes
# (tests/unit/imagery).
_DAMAGED = (
    OSError,  # most plugins; UnidentifiedImageError is one
    SyntaxError,  # plugins that refuse a header
    ValueError,  # bad modes, sizes and arguments; UnicodeDecodeError is one
    EOFError,  # a frame that is announced and not there
    LookupError,  # IndexError past the end of a header, KeyError for an unknown mode
    TypeError,  # a tag of an unexpected kind
    AttributeError,  # a part that a plugin expects and that is not there
    ArithmeticError,  # OverflowError and ZeroDivisionError from numbers in headers
    AssertionError,  # plugins assert what files should hold
    RuntimeError,  # libheif, libavif
    SystemError,  # codecs that are given an impossible tile
    BufferError,  # a frame of another size than announced
    struct.error,
    zlib.error,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn decoder errors into ours. Their texts stay behind: they can quote the file.

    Raises:
        ImageTooLarge: If a decoder gave up for size.
        TruncatedImage: If it ran out of data.
        CorruptImage: For every other damage.
    """
    try:
        yield
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as cause:
        raise ImageTooLarge("the picture needs too much memory; scale it down") from cause
    except _DAMAGED as cause:
        if "truncated" in str(cause).lower():
            raise TruncatedImage("the picture is cut off; fetch or save it again") from cause
        raise CorruptImage("the picture is damaged; open it and save it again") from cause
