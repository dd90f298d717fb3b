"""Bits of a tag, read from the left and written to the right, as one number.

A fault says at which bit. Numbers, not strings of 0 and 1: a tag of 496 bits is one integer, and a field of it a shift.
"""

from __future__ import annotations

from jinka.codec.tags.faults import at_bits

BITS_MAX = 496  # 31 words of 16 bits: what the length in the protocol control bits can say (TDS 9.3)


class BitReader:
    """A cursor over ``size`` bits of ``value``."""

    __slots__ = ("at", "size", "value")

    def __init__(self, value: int, size: int, at: int = 0) -> None:
        self.value, self.size, self.at = value, size, at

    @property
    def left(self) -> int:
        """How many bits are not read yet."""
        return self.size - self.at

    @property
    def rest(self) -> int:
        """The bits that are not read yet, as a number."""
        return self.value & ((1 << self.left) - 1)

    def take(self, count: int, what: str) -> int:
        """Read ``count`` bits; `TagError` where the tag ends before."""
        if count > self.left:
            raise at_bits(
                f"{what} needs {count} bits and {self.left} are left",
                self.at,
                self.size,
                fix="read the whole EPC",
            )
        self.at += count
        return self.value >> (self.size - self.at) & ((1 << count) - 1)

    def end(self) -> None:
        """Raise `TagError` unless all that is left is zero: words of 16 bits are filled up with zeros."""
        if self.rest:
            first = self.size - self.rest.bit_length()
            raise at_bits(
                "a bit of the padding is not zero", first, fix="behind an EPC there are zeros alone"
            )


class BitWriter:
    """Bits behind one another."""

    __slots__ = ("size", "value")

    def __init__(self) -> None:
        self.value, self.size = 0, 0

    def put(self, value: int, count: int) -> None:
        """Append ``count`` bits; the caller has checked that ``value`` fits."""
        assert 0 <= value < 1 << count
        self.value, self.size = self.value << count | value, self.size + count

    def to_bytes(self) -> bytes:
        """The bits in whole words of 16, with zeros behind."""
        words = -(-self.size // 16)
        if self.size > BITS_MAX:
            raise at_bits(f"an EPC of {self.size} bits", BITS_MAX, fix=f"a tag holds {BITS_MAX} bits at most")
        return (self.value << (16 * words - self.size)).to_bytes(2 * words)
