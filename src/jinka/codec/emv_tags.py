"""Names and forms of the data objects of debit and credit cards (EMV Book 3, annex A; JR/T 0025.5; JR/T 0025.12).

One table: tag, form, title. Values stay bytes; amounts are integers of minor units (`amount`, `read_amount`).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, IntEnum

from jinka.codec.tlv import TlvError, parse
from jinka.kit import Refused, Usage

_CONSTRUCTED = 0x20
_NESTING_MAX = 6


class Form(Enum):
    """How a value is written, and so how a data object list pads it."""

    BINARY = "b"
    NUMERIC = "n"  # BCD, right-justified
    COMPRESSED = "cn"  # BCD, left-justified, F to the right
    TEXT = "an"


class Tag(IntEnum):
    """The tags that the card and the kernels speak of."""

    AID = 0x4F
    LABEL = 0x50
    TRACK2 = 0x57
    PAN = 0x5A
    NAME = 0x5F20
    EXPIRY = 0x5F24
    EFFECTIVE = 0x5F25
    COUNTRY_ISSUER = 0x5F28
    CURRENCY = 0x5F2A
    LANGUAGE = 0x5F2D
    SERVICE_CODE = 0x5F30
    SEQUENCE = 0x5F34
    SCRIPT_BEFORE = 0x71
    SCRIPT_AFTER = 0x72
    AIP = 0x82
    DF_NAME = 0x84
    SCRIPT_COMMAND = 0x86
    PRIORITY = 0x87
    SFI = 0x88
    ARC = 0x8A
    CDOL1 = 0x8C
    CDOL2 = 0x8D
    CVM_LIST = 0x8E
    CA_INDEX = 0x8F
    ISSUER_CERTIFICATE = 0x90
    ISSUER_AUTHENTICATION = 0x91
    ISSUER_REMAINDER = 0x92
    STATIC_SIGNATURE = 0x93
    AFL = 0x94
    TVR = 0x95
    DATE = 0x9A
    TSI = 0x9B
    TYPE = 0x9C
    AMOUNT = 0x9F02
    AMOUNT_OTHER = 0x9F03
    USAGE = 0x9F07
    VERSION_CARD = 0x9F08
    VERSION_TERMINAL = 0x9F09
    IAC_DEFAULT = 0x9F0D
    IAC_DENIAL = 0x9F0E
    IAC_ONLINE = 0x9F0F
    ISSUER_DATA = 0x9F10
    LAST_ONLINE = 0x9F13
    OFFLINE_LOWER = 0x9F14
    PIN_TRIES = 0x9F17
    SCRIPT_ID = 0x9F18
    COUNTRY_TERMINAL = 0x9F1A
    TIME = 0x9F21
    OFFLINE_UPPER = 0x9F23
    CRYPTOGRAM = 0x9F26
    CID = 0x9F27
    PIN_CERTIFICATE = 0x9F2D
    ISSUER_EXPONENT = 0x9F32
    CAPABILITIES = 0x9F33
    CVM_RESULTS = 0x9F34
    TERMINAL_TYPE = 0x9F35
    COUNTER = 0x9F36
    UNPREDICTABLE = 0x9F37
    PDOL = 0x9F38
    CAPABILITIES_MORE = 0x9F40
    CURRENCY_APPLICATION = 0x9F42
    DATA_CODE = 0x9F45
    ICC_CERTIFICATE = 0x9F46
    ICC_EXPONENT = 0x9F47
    ICC_REMAINDER = 0x9F48
    DDOL = 0x9F49
    STATIC_TAGS = 0x9F4A
    DYNAMIC_SIGNATURE = 0x9F4B
    DYNAMIC_NUMBER = 0x9F4C
    LOG_ENTRY = 0x9F4D
    LOG_FORMAT = 0x9F4F
    CURRENCY_CARD = 0x9F51
    DEFAULT_ACTION = 0x9F52
    AMOUNT_LIMIT = 0x9F54
    OFFLINE_LIMIT_LOWER = 0x9F58
    OFFLINE_LIMIT_UPPER = 0x9F59
    AMOUNT_LIMIT_UPPER = 0x9F5C
    AVAILABLE = 0x9F5D
    ISSUER_SCRIPT_RESULTS = 0x9F5B
    TERMINAL_QUALIFIERS = 0x9F66
    CARD_AUTHENTICATION = 0x9F69
    CARD_QUALIFIERS = 0x9F6C
    RESET_THRESHOLD = 0x9F6D
    ECASH_LIMIT = 0x9F77
    ECASH_SINGLE_LIMIT = 0x9F78
    ECASH_BALANCE = 0x9F79
    ISSUER_OWN = 0xBF0C
    ECASH_CODE = 0x9F74
    ECASH_TERMINAL = 0x9F7A
    SM_SUPPORT = 0xDF69


# What a cryptogram of version 01 binds, before AIP, counter and the card's results (JR/T 0025.5), with sizes.
CRYPTOGRAM_DATA = (
    (Tag.AMOUNT, 6),
    (Tag.AMOUNT_OTHER, 6),
    (Tag.COUNTRY_TERMINAL, 2),
    (Tag.TVR, 5),
    (Tag.CURRENCY, 2),
    (Tag.DATE, 3),
    (Tag.TYPE, 1),
    (Tag.UNPREDICTABLE, 4),
)


_NUMERIC = frozenset(
    {
        0x5F24, 0x5F25, 0x5F28, 0x5F2A, 0x5F30, 0x5F34, 0x9A, 0x9C, 0x9F02, 0x9F03, 0x9F1A, 0x9F21, 0x9F35, 0x9F42,
        0x9F51, 0x9F54, 0x9F5C, 0x9F5D, 0x9F6D, 0x9F77, 0x9F78, 0x9F79,
    }
)  # fmt: skip
_COMPRESSED = frozenset({0x5A})
_TEXT = frozenset({0x50, 0x5F20, 0x5F2D, 0x8A, 0x9F12, 0x9F1E, 0x9F4E})


def form_of(tag: int) -> Form:
    """How the value of a tag is written; binary where nothing else is known."""
    if tag in _NUMERIC:
        return Form.NUMERIC
    if tag in _COMPRESSED:
        return Form.COMPRESSED
    return Form.TEXT if tag in _TEXT else Form.BINARY


def constructed(tag: int) -> bool:
    """Whether the value holds objects again."""
    while tag > 0xFF:
        tag >>= 8
    return bool(tag & _CONSTRUCTED)


def leaves(raw: bytes, depth: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, value) of every primitive object at any depth, in order; `TlvError` beyond six levels."""
    if depth > _NESTING_MAX:
        raise TlvError("objects nested too deeply", where="TLV", fix=f"at most {_NESTING_MAX} levels")
    for tag, value, _ in parse(raw):
        if constructed(tag):
            yield from leaves(value, depth + 1)
        else:
            yield tag, value


def amount(fen: int) -> bytes:
    """An amount of minor units as n12 (6 bytes)."""
    if not 0 <= fen <= 999_999_999_999:
        raise Usage(f"not an amount of 12 digits: {fen}", where="amount")
    return bytes.fromhex(f"{fen:012d}")


def read_amount(value: bytes) -> int:
    """An n12 value as an integer; `Refused` when it is not decimal."""
    text = value.hex()
    if not text.isdigit():
        raise Refused(f"not decimal: {text}", where="amount")
    return int(text)
