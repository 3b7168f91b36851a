"""The size that the coded pixels of a HEIC image have by their own header, which may differ from what the file says.

Rec. ITU-T H.265, 7.3.2.2 (sequence parameter set) and 7.3.3 (profile, tier, and level).
"""

from __future__ import annotations

import struct

_SPS = 33
_FIXED = 22
"""Bytes of the configuration before its arrays of headers (ISO/IEC 14496-15, 8.3.3.1)."""


def hevc_size(configuration: bytes) -> tuple[int, int]:
    """Return the largest width and height in the content of an hvcC box; zeros if it names none.

    Raises struct.error or IndexError for a damaged one.
    """
    sizes, at = [(0, 0)], _FIXED + 1
    for _ in range(configuration[_FIXED] if len(configuration) > _FIXED else 0):
        kind, count = struct.unpack_from(">BH", configuration, at)
        at += 3
        for _ in range(count):
            [size] = struct.unpack_from(">H", configuration, at)
            if kind & 0x3F == _SPS:
                sizes.append(_sps_size(configuration[at + 2 : at + 2 + size]))
            at += 2 + size
    return max(width for width, _ in sizes), max(height for _, height in sizes)


def _sps_size(unit: bytes) -> tuple[int, int]:
    bits = _Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 88 + 8)  # nesting; the general profile; its level
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for has_profile, has_level in present:
        bits.take(88 * has_profile + 8 * has_level)
    bits.exponential()  # the set's number
    if bits.exponential() == 3:  # chroma 4:4:4, whose planes may be separate
        bits.take(1)
    width = bits.exponential()
    return width, bits.exponential()


class _Bits:
    """Reads numbers of so many bits from bytes, the highest first."""

    def __init__(self, content: bytes) -> None:
        self._left = len(content) * 8
        self._value = int.from_bytes(content, "big")

    def take(self, count: int) -> int:
        """Return the next number of `count` bits; raises IndexError at the end."""
        if count > self._left:
            raise IndexError("the header ends too early")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def exponential(self) -> int:
        """Return the next number in Exp-Golomb code (9.2), of at most 32 bits."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise IndexError("a number of the header is too long")
        return (1 << zeros) - 1 + self.take(zeros)
