"""The size that an AV1 stream itself claims (AV1 specification 5.3, 5.5).

AVIF says it again, and may lie. Decoders allocate by what the stream says and then scale to what
the file says: a file of 3 kB that calls itself 128 x 64 can make them decode 16000 x 16000.
"""

from __future__ import annotations

from collections.abc import Iterator

from consentry.kernel.errors import CorruptImage

_SEQUENCE_HEADER = 1
_MAX_UNITS = 10_000
_MAX_LEB128_BYTES = 8
_LEVEL_WITH_TIER = 7
_MAX_UVLC_ZEROS = 32


def sequence_sizes(stream: bytes) -> Iterator[tuple[int, int]]:
    """Yield ``(max width, max height)`` of every sequence header in a run of open bitstream units.

    Raises:
        CorruptImage: If the units do not add up.
    """
    at = 0
    for _ in range(_MAX_UNITS):
        if at >= len(stream):
            return
        kind, has_extension, has_size = stream[at] >> 3 & 15, stream[at] & 4, stream[at] & 2
        at += 2 if has_extension else 1
        size, at = _leb128(stream, at) if has_size else (len(stream) - at, at)
        if at + size > len(stream):
            raise CorruptImage("the picture contradicts its own header; save it again")
        if kind == _SEQUENCE_HEADER:
            yield _size(_Bits(stream[at : at + size]))
        at += size
    raise CorruptImage("the picture has too many parts; save it again")


def _leb128(stream: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(stream[at : at + _MAX_LEB128_BYTES]):
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value, at + index + 1
    raise CorruptImage("the picture contradicts its own header; save it again")


class _Bits:
    """Reads numbers bit by bit, high bit first."""

    def __init__(self, data: bytes) -> None:
        self._left = len(data) * 8
        self._value = int.from_bytes(data[:256], "big")
        self._left = min(self._left, 256 * 8)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise CorruptImage("the picture contradicts its own header; save it again")
        return self._value >> self._left & ((1 << count) - 1)

    def skip_uvlc(self) -> None:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros >= _MAX_UVLC_ZEROS:
                return
        self.take(zeros)


def _size(bits: _Bits) -> tuple[int, int]:
    bits.take(4)  # profile, still picture
    if bits.take(1):  # reduced header
        bits.take(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


def _skip_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.take(1):  # timing info
        bits.take(64)
        if bits.take(1):  # equal picture interval
            bits.skip_uvlc()
        if bits.take(1):  # decoder model
            delay_bits = bits.take(5) + 1
            bits.take(42)
    has_display_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > _LEVEL_WITH_TIER:
            bits.take(1)
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if has_display_delay and bits.take(1):
            bits.take(4)
