"""The clearing record: one Arrow schema that every terminal writes and every engine reads.

The fields are those that JR/T 0025.1 (purse transaction), JT/T 978.4 (clearing file) and a terminal's log
share. What the TAC binds (`IDENTITY`) is the identity of the record; one identity is paid once.
"""

from __future__ import annotations

from enum import IntEnum

import pyarrow as pa

from jinka.kit import Usage

RECORD_VERSION = 1


class TransactionType(IntEnum):
    """The transaction type byte inside MACs, TACs and log records (JR/T 0025.1; 91 to 96 as FMCOS 2.0 numbers them).

    CJ/T 304 has 93 for the release of a purse: which of the grey lock's types a card uses is its profile's choice.
    """

    ED_LOAD = 0x01
    EP_LOAD = 0x02
    UNLOAD = 0x03
    ED_CASH = 0x04
    ED_PURCHASE = 0x05
    EP_PURCHASE = 0x06
    OVERDRAFT_LIMIT = 0x07
    CAPP_PURCHASE = 0x09
    ED_GREY_LOCK = 0x91
    EP_GREY_LOCK = 0x92
    ED_GREY_DEBIT = 0x93
    EP_GREY_DEBIT = 0x94
    ED_GREY_RELEASE = 0x95
    EP_GREY_RELEASE = 0x96


# What a record of each type is to the clearing. Credits and debits carry a TAC that binds them to the issuer.
CREDITS = (TransactionType.ED_LOAD, TransactionType.EP_LOAD)
DEBITS = (
    TransactionType.ED_CASH,
    TransactionType.ED_PURCHASE,
    TransactionType.EP_PURCHASE,
    TransactionType.CAPP_PURCHASE,
    TransactionType.ED_GREY_DEBIT,
    TransactionType.EP_GREY_DEBIT,
)
# Debits under the online counter whose last word is a MAC3 for the issuer's host: the host's record is the proof.
ATTESTED_DEBITS = (
    TransactionType.UNLOAD,
    TransactionType.ED_GREY_RELEASE,
    TransactionType.EP_GREY_RELEASE,
)
# No money moves to anybody: a new limit, and a lock before the refuelling.
NO_CLAIMS = (TransactionType.OVERDRAFT_LIMIT, TransactionType.ED_GREY_LOCK, TransactionType.EP_GREY_LOCK)
# Cash in the holder's hand, for which no merchant's fee is due.
CASH = (TransactionType.UNLOAD, TransactionType.ED_CASH)
# The passbook's own types; those of the grey lock may be either purse's and are taken for the registered one's.
PASSBOOK = (
    TransactionType.ED_LOAD,
    TransactionType.UNLOAD,
    TransactionType.ED_CASH,
    TransactionType.ED_PURCHASE,
)


class CounterKind(IntEnum):
    """Which of the purse's two transaction counters the record carries."""

    OFFLINE = 0
    ONLINE = 1


class Algorithm(IntEnum):
    """The algorithm of the card's keys. The values are Jinka's own: the card's label byte is opaque."""

    TDES = 0
    SM4 = 1


class RecordState(IntEnum):
    """``CONFIRMED`` carries a TAC; ``UNCONFIRMED`` is a torn tap: debit sent, no answer seen, no TAC."""

    CONFIRMED = 0
    UNCONFIRMED = 1


_META = {b"jinka.record": str(RECORD_VERSION).encode()}

RECORD_SCHEMA = pa.schema(
    [
        pa.field("batch", pa.binary(16), nullable=False),
        pa.field("batch_seq", pa.uint32(), nullable=False),
        pa.field("state", pa.uint8(), nullable=False),
        pa.field("card_no", pa.binary(10), nullable=False),  # BCD, right-justified
        pa.field("card_len", pa.uint8(), nullable=False),  # digits, up to 20
        pa.field("profile", pa.string(), nullable=False),
        pa.field("profile_version", pa.uint16(), nullable=False),
        pa.field("txn_type", pa.uint8(), nullable=False),  # raw byte, see TransactionType
        pa.field("amount", pa.int64(), nullable=False),  # purse's minor unit
        pa.field("balance", pa.int64(), nullable=False),  # after the transaction
        pa.field("gross_fare", pa.int64(), nullable=False),  # before discounts; the amount for a load
        pa.field("product", pa.string(), nullable=False),  # tariff product that explains the amount
        pa.field("counter", pa.uint16(), nullable=False),  # before the transaction, as in the log record
        pa.field("counter_kind", pa.uint8(), nullable=False),
        pa.field("terminal_id", pa.binary(6), nullable=False),
        pa.field("terminal_serial", pa.uint32(), nullable=False),  # 0 for a load, whose TAC has none
        pa.field("psam_id", pa.binary(10), nullable=False),
        pa.field("local_date", pa.binary(4), nullable=False),  # BCD YYYYMMDD, verbatim
        pa.field("local_time", pa.binary(3), nullable=False),  # BCD hhmmss, verbatim
        pa.field("zone", pa.string(), nullable=False),  # IANA name
        pa.field("business_date", pa.date32(), nullable=False),
        pa.field("issuer", pa.string(), nullable=False),
        pa.field("acquirer", pa.string(), nullable=False),
        pa.field("operator", pa.string(), nullable=False),
        pa.field("line", pa.string()),
        pa.field("stop", pa.string()),
        pa.field("key_version", pa.uint8(), nullable=False),  # of the TAC key
        pa.field("algorithm", pa.uint8(), nullable=False),
        pa.field("tac", pa.binary()),  # 4 bytes; null for a torn tap; any other length is refused
    ],
    metadata=_META,
)

# The purchase TAC binds these (the load TAC: balance and counter instead of the serial).
IDENTITY = ("card_no", "txn_type", "terminal_id", "terminal_serial", "local_date", "local_time", "amount")

BATCH_SCHEMA = pa.schema(
    [
        pa.field("batch", pa.binary(16), nullable=False),
        pa.field("terminal_id", pa.binary(6), nullable=False),
        pa.field("batch_no", pa.uint32(), nullable=False),
        pa.field("record_count", pa.uint32(), nullable=False),
        pa.field("total", pa.int64(), nullable=False),  # sum of the records' amounts
        pa.field("seal", pa.binary(32), nullable=False),  # see jinka.keys: HMAC-SHA256 by the terminal's key
    ],
    metadata={b"jinka.batch": b"1"},
)


def require_schema(found: pa.Schema, wanted: pa.Schema, *, where: str) -> None:
    """Raise `Usage` unless names, order, types and version agree; unknown columns are refused."""
    extra = [name for name in found.names if name not in wanted.names]
    missing = [name for name in wanted.names if name not in found.names]
    if extra or missing:
        raise Usage(f"unknown columns {extra}, missing columns {missing}", where=where, fix="use schema 1")
    for field in wanted:
        if found.field(field.name).type != field.type:
            raise Usage(f"is {found.field(field.name).type}, not {field.type}", where=f"{where}.{field.name}")
    version = next(iter(wanted.metadata))
    if (found.metadata or {}).get(version) != wanted.metadata[version]:
        raise Usage("another version of the record, or none named", where=where, fix="write it with schema 1")
