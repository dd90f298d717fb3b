"""The EPC memory bank of a Gen2 tag, from its first bit: CRC, protocol control bits, EPC.

GS1 Tag Data Standard 2.3: 9.2 to 9.4 (memory map, PC and XPC bits), 12 (control fields of a tag URN, raw URNs), 15.1
and 15.2 (to memory and back). The CRC is that of the air interface (ISO/IEC 18000-63: polynomial 1021h). What the
attribute bits mean is not read.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.codec.tags.binary import decode
from jinka.codec.tags.faults import TagError, at_bits

_XPC_AT = 0x210 // 8  # XPC words lie there in memory, not behind the PC bits as over the air
BANK_MAX = 0x230 // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EpcBank:
    """The bank's content. ``family`` is the application family identifier of what is no EPC, else None."""

    epc: bytes
    user_memory: bool = False
    attributes: int = 0
    family: int | None = None
    xpc: tuple[int, ...] = ()  # one word or two

    @property
    def urn(self) -> str:
        """The tag URN with its control fields, or the raw URN of what is no EPC (15.2.1, 15.2.2)."""
        control = self._control()
        if self.family is None:
            try:
                tag = decode(self.epc)
                if not tag.scheme.is_plus:
                    return tag.urn.replace("urn:epc:tag:", f"urn:epc:tag:{control}", 1)
            except TagError:
                pass
        family = "" if self.family is None else f"x{self.family:02X}."
        return f"urn:epc:raw:{control}{8 * len(self.epc)}.{family}x{self.epc.hex().upper()}"

    def _control(self) -> str:
        """Control fields that are not zero (15.2.4)."""
        shown = f"[att=x{self.attributes:02X}]" if self.family is None and self.attributes else ""
        shown += "[umi=1]" if self.user_memory else ""
        if self.xpc:
            name = "xpc" if len(self.xpc) > 1 else "xpc-w1"
            shown += f"[{name}=x{''.join(f'{word:04X}' for word in self.xpc)}]"
        return f"{shown}:" if shown else ""

    @property
    def pc(self) -> int:
        """The protocol control word: length, indicators, attributes or family."""
        low = self.attributes if self.family is None else 0x100 | self.family
        return len(self.epc) // 2 << 11 | self.user_memory << 10 | bool(self.xpc) << 9 | low


def crc16(raw: bytes) -> int:
    """CRC-16 of the air interface: polynomial 1021h, preset FFFFh, inverted."""
    value = 0xFFFF
    for byte in raw:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value ^ 0xFFFF


def parse_bank(raw: bytes) -> EpcBank:
    """Read a bank from its first bit. Raises `TagError` for a wrong CRC and for a bank that ends before its EPC."""
    if not 4 <= len(raw) <= BANK_MAX:
        raise at_bits(
            f"a bank of {len(raw)} bytes", 8 * len(raw), fix=f"4 to {BANK_MAX} bytes from its first bit"
        )
    pc = int.from_bytes(raw[2:4])
    end = 4 + 2 * (pc >> 11)
    if len(raw) < end:
        raise at_bits(
            f"the EPC has {end - 4} bytes and {len(raw) - 4} are there", 16, 21, fix="read the whole bank"
        )
    crc = crc16(raw[2:end])
    if crc != int.from_bytes(raw[:2]):
        raise at_bits(
            f"the CRC is {raw[:2].hex().upper()} and not {crc:04X}", 0, 16, fix="read the bank once more"
        )
    return EpcBank(
        epc=raw[4:end],
        user_memory=bool(pc & 0x400),
        attributes=0 if pc & 0x100 else pc & 0xFF,
        family=pc & 0xFF if pc & 0x100 else None,
        xpc=_xpc(raw) if pc & 0x200 else (),
    )


def write_bank(bank: EpcBank) -> bytes:
    """Write a bank up to the end of its EPC, with the CRC that the tag would calculate (15.1.1)."""
    if len(bank.epc) % 2 or len(bank.epc) > 62:
        raise TagError(f"an EPC of {len(bank.epc)} bytes", where="bank", fix="whole words, 31 at most")
    body = bank.pc.to_bytes(2) + bank.epc
    return crc16(body).to_bytes(2) + body


def _xpc(raw: bytes) -> tuple[int, ...]:
    if len(raw) < _XPC_AT + 2:
        raise at_bits(
            "the XPC indicator is set and word 21h is not there", 22, fix="read the bank up to 220h"
        )
    first = int.from_bytes(raw[_XPC_AT : _XPC_AT + 2])
    if not first & 0x8000:
        return (first,)
    if len(raw) < _XPC_AT + 4:
        raise at_bits("a second XPC word is named and is not there", 0x210, fix="read the bank up to 230h")
    return (first, int.from_bytes(raw[_XPC_AT + 2 : _XPC_AT + 4]))
