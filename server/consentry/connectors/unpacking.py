"""Undoes the compression that a server put on a body, a bounded piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterable

from consentry.kernel.errors import ImageNotFetched

_PIECE_BYTES = 64 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def unpacked(chunks: Iterable[bytes], encoding: str | None) -> Generator[bytes]:
    """Yield a body as it was before its ``Content-Encoding``, at most 64 KiB at a time.

    Whoever takes the pieces counts them: however much a small body unfolds to, no more than one
    piece of it is held here.

    Raises:
        ImageNotFetched: If the encoding is one that was not asked for and is not read, or the body
            does not unpack.
    """
    if encoding is None or encoding.lower() == "identity":
        yield from chunks
    elif encoding.lower() in {"gzip", "x-gzip", "deflate"}:
        yield from _inflated(chunks)
    else:
        raise ImageNotFetched("The server packs the picture in a way that is not read here.")


def _inflated(chunks: Iterable[bytes]) -> Generator[bytes]:
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for chunk in chunks:
            packed = chunk
            while packed and not unpacker.eof:
                yield unpacker.decompress(packed, _PIECE_BYTES)
                packed = unpacker.unconsumed_tail
        while not unpacker.eof:
            rest = unpacker.decompress(b"", _PIECE_BYTES)
            if not rest:
                raise ImageNotFetched("The packed picture ends too soon.")
            yield rest
    except zlib.error as cause:
        raise ImageNotFetched("The packed picture does not unpack.") from cause
