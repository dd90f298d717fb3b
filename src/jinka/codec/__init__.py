"""Bytes to frozen values and back: BCD, BER-TLV, APDUs, and the clearing record's Arrow schema.

No keys and no I/O here. Standards: ISO/IEC 7816-4 (APDU, TLV), JR/T 0025 (the fields of a purse record).
"""

from jinka.codec.apdu import Command, Response, StatusWord
from jinka.codec.bcd import bcd_to_digits, digits_to_bcd
from jinka.codec.record import (
    BATCH_SCHEMA,
    RECORD_SCHEMA,
    Algorithm,
    CounterKind,
    RecordState,
    TransactionType,
)
from jinka.codec.tlv import TlvError, find, parse, tlv

__all__ = [
    "BATCH_SCHEMA",
    "RECORD_SCHEMA",
    "Algorithm",
    "Command",
    "CounterKind",
    "RecordState",
    "Response",
    "StatusWord",
    "TlvError",
    "TransactionType",
    "bcd_to_digits",
    "digits_to_bcd",
    "find",
    "parse",
    "tlv",
]
