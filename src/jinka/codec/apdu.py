"""Command and response APDUs (ISO/IEC 7816-3 clause 12, 7816-4 clause 5), short length only.

The purse world (JR/T 0025, CJ/T 166) uses short APDUs throughout; extended length is refused as 6700.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from jinka.kit import Fault, JinkaError

DATA_MAX = 255
COMMAND_MAX = 5 + DATA_MAX + 1


class ApduError(JinkaError):
    """The bytes are not a short command APDU; the card answers 6700."""

    fault = Fault.PEER


class StatusWord(IntEnum):
    """SW1 SW2 as the facts of JR/T 0025.1, ISO/IEC 7816-4 table 5 and the purse specifications name them."""

    OK = 0x9000
    RESPONSE_LEFT = 0x6100
    CORRUPTED = 0x6281
    FILE_INVALIDATED = 0x6283
    PIN_WRONG = 0x63C0
    MEMORY_FAILURE = 0x6581
    WRONG_LENGTH = 0x6700
    STATE_INVALID = 0x6901
    FILE_TYPE_WRONG = 0x6981
    SECURITY_NOT_SATISFIED = 0x6982
    AUTHENTICATION_BLOCKED = 0x6983
    CONDITIONS_NOT_SATISFIED = 0x6985
    SM_MISSING = 0x6987
    SM_INCORRECT = 0x6988
    DATA_WRONG = 0x6A80
    FUNCTION_UNSUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    NO_SPACE = 0x6A84
    P1P2_WRONG = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    OFFSET_WRONG = 0x6B00
    LE_WRONG = 0x6C00
    INS_UNSUPPORTED = 0x6D00
    CLA_UNSUPPORTED = 0x6E00
    MAC_INVALID = 0x9302
    APPLICATION_LOCKED = 0x9303
    BALANCE_INSUFFICIENT = 0x9401
    COUNTER_EXHAUSTED = 0x9402
    KEY_NOT_FOUND = 0x9403
    PROOF_UNAVAILABLE = 0x9406


@dataclass(frozen=True, slots=True)
class Command:
    """A short command APDU: header, data of up to 255 bytes, and the expected length (256 for ``00``)."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    @classmethod
    def parse(cls, raw: bytes) -> Command:
        """Read cases 1 to 4 short; `ApduError` with the byte offset for anything else."""
        size = len(raw)
        if size < 4 or size > COMMAND_MAX:
            raise ApduError(f"a command of {size} bytes", where="offset 0", fix="4 to 261 bytes")
        cla, ins, p1, p2 = raw[:4]
        if size == 4:
            return cls(cla, ins, p1, p2)
        if size == 5:
            return cls(cla, ins, p1, p2, b"", raw[4] or 256)
        lc = raw[4]
        if lc == 0 or size not in (5 + lc, 6 + lc):
            raise ApduError(f"Lc {lc} does not fit {size} bytes", where="offset 4", fix="Lc = data length")
        le = (raw[-1] or 256) if size == 6 + lc else None
        return cls(cla, ins, p1, p2, raw[5 : 5 + lc], le)

    def build(self) -> bytes:
        """The bytes to send; `ApduError` for more data than a short command holds, as wrapping may have made it."""
        if len(self.data) > DATA_MAX:
            raise ApduError(f"{len(self.data)} bytes of data", where="command", fix=f"at most {DATA_MAX}")
        head = bytes((self.cla, self.ins, self.p1, self.p2))
        body = bytes((len(self.data),)) + self.data if self.data else b""
        tail = b"" if self.le is None else bytes((self.le & 0xFF,))
        return head + body + tail


@dataclass(frozen=True, slots=True)
class Response:
    """A response APDU: data and the status word."""

    data: bytes
    sw: int

    @classmethod
    def parse(cls, raw: bytes) -> Response:
        """Split off SW1 SW2; `ApduError` when fewer than two bytes came."""
        if len(raw) < 2:
            raise ApduError("a response of fewer than two bytes", where="offset 0", fix="reset the card")
        return cls(raw[:-2], raw[-2] << 8 | raw[-1])
