"""The TID bank: who made a tag's chip, which model it is, and which one of them.

GS1 Tag Data Standard 2.3: 16.1 (short TID), 16.2 (XTID), 16.3 (serialised tag identification, STID). Allocation class
E2 alone; those of other registries (E0, E3) are laid out otherwise. What the segments behind the serial say of commands
and locks is not read. Names of makers are GS1's list and not here.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.codec.tags.bits import BitReader
from jinka.codec.tags.faults import at_bits

TID_CLASS = 0xE2
TID_MAX = 64  # bytes: what is behind a serial may be longer than any tag has
_HEADER_RESERVED = 0x01FF  # bits 0 to 8 of the XTID header: extended header and what is reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Tid:
    """A TID. ``serial`` is hexadecimal and empty where the chip has none."""

    extended: bool  # the three indicators of Gen2 v2: in older chips the beginning of the maker's number
    security: bool
    files: bool
    designer: int  # mask designer, nine bits
    model: int
    serial: str = ""

    @property
    def stid(self) -> str:
        """The chip's own URI, ``urn:epc:stid:``; empty where the chip has no serial (16.3.2)."""
        if not self.serial:
            return ""
        maker = self.extended << 11 | self.security << 10 | self.files << 9 | self.designer
        return f"urn:epc:stid:x{maker:03X}.x{self.model:03X}.x{self.serial}"


def parse_tid(raw: bytes) -> Tid:
    """Read the beginning of a TID bank; what is behind the serial may be cut off. Raises `TagError` at the bit."""
    if not 4 <= len(raw) <= TID_MAX:
        raise at_bits(
            f"a TID of {len(raw)} bytes", 8 * len(raw), fix=f"4 to {TID_MAX} bytes, from the first word"
        )
    reader = BitReader(int.from_bytes(raw), 8 * len(raw))
    kind = reader.take(8, "the allocation class")
    if kind != TID_CLASS:
        raise at_bits(
            f"allocation class {kind:02X} is not E2", 0, 8, fix="a bank of another registry, or no TID"
        )
    extended, security, files = (bool(reader.take(1, "an indicator")) for _ in range(3))
    designer, model = reader.take(9, "the maker"), reader.take(12, "the model")
    serial = ""
    if extended:
        start = reader.at
        header = reader.take(16, "the XTID header")
        if header & _HEADER_RESERVED:
            raise at_bits(f"the XTID header {header:04X} has reserved bits", start + 7, start + 16)
        size = header >> 13
        if size:
            bits = 48 + 16 * (size - 1)
            serial = f"{reader.take(bits, 'the serial'):0{bits // 4}X}"
    return Tid(
        extended=extended, security=security, files=files, designer=designer, model=model, serial=serial
    )
