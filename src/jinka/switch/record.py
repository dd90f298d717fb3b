"""What the journal keeps of a transaction and of a message in store-and-forward, and its form as bytes.

A record is enough to answer a repeat, to make a reversal with its original data elements, and to count batches and
stand-in. Tracks, PINs and card values are not in it (PCI DSS 4.0, 3.3: sensitive authentication data is not kept). The
bytes hold account numbers: who stores them seals them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from jinka.codec.iso8583.message import Message, Value
from jinka.kit import JinkaError
from jinka.kit.frozen import quick

# Fields that may be kept. 55 and 58 (a purse's data) are kept for what waits in store-and-forward alone.
KEPT = frozenset(
    {
        2,
        3,
        4,
        5,
        6,
        7,
        11,
        12,
        13,
        15,
        18,
        22,
        23,
        25,
        28,
        32,
        33,
        37,
        38,
        39,
        41,
        42,
        49,
        54,
        60,
        90,
        95,
        100,
        102,
        103,
    }
)
CHIP = frozenset({55, 58})


class Entity(Enum):
    """What an entry is about."""

    TRANSACTION = "transaction"
    FORWARD = "forward"  # a message in store-and-forward
    UPLOAD = "upload"  # an item of a terminal's batch, compared with the transaction
    TOTALS = "totals"  # a batch's totals, compared
    TERMINAL = "terminal"  # a terminal's sign-in
    DAY = "day"  # a business date that began
    KEY = "key"  # the name of a key that was exchanged
    TAKEN = "taken"  # how much of an original was voided, refunded or completed


@quick
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Record:
    """``state`` is a `TxState` or `SafState` by value; ``version`` grows by one with each entry."""

    entity: Entity
    id: bytes
    version: int
    state: str
    kind: str
    source: str
    target: str
    at_micros: int
    business_date: str
    digest: bytes = b""
    request: Message
    answer: Mapping[int, Value] = field(default_factory=dict)
    about: bytes = b""  # of a forward: its transaction
    note: str = ""

    @property
    def code(self) -> str:
        """The response code that was given; empty before."""
        value = self.answer.get(39, "")
        return value if isinstance(value, str) else ""

    @property
    def amount_fen(self) -> int:
        """See `amount_of`."""
        return amount_of(self.request)

    def __repr__(self) -> str:
        return f"Record({self.entity.value} {self.id.hex()} v{self.version} {self.state})"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record to be written, with what may lie open beside it for reports."""

    record: Record
    card: str  # masked


def amount_of(message: Message) -> int:
    """Field 4, or what a partial reversal left of it (field 95 of 1987); 0 where it is absent."""
    text = message.text(95)[:12] or message.text(4)
    return int(text) if text.isdigit() else 0


def entry_of(record: Record) -> Entry:
    """An entry with the card number masked."""
    return Entry(record=record, card=mask(record.request.text(2)))


def mask(pan: str) -> str:
    """The first six and the last four digits (PCI DSS 4.0, 3.4)."""
    return f"{pan[:6]}{'*' * (len(pan) - 10)}{pan[-4:]}" if len(pan) > 12 else "*" * len(pan)


def account_of(message: Message) -> str:
    """The account number: field 2, or what a message with the stripe alone says in field 35; empty for neither."""
    number = message.text(2) or message.text(35).upper().replace("D", "=").partition("=")[0]
    return number if number.isascii() and number.isdigit() else ""


def kept(message: Message, *, chip: bool = False) -> Message:
    """The message without what must not be kept; of a track its number stays, which a reversal needs."""
    numbers = KEPT | CHIP if chip else KEPT
    if message.fields.keys() <= numbers:
        return message
    fields = {n: v for n, v in message.fields.items() if n in numbers}
    if 2 not in fields and 35 in message.fields and account_of(message):
        fields = {2: account_of(message), **fields}
    return Message(mti=message.mti, fields=fields)


def write_record(record: Record) -> bytes:
    """A record as bytes (JSON, version 2)."""
    return _JSON.encode(
        [
            2, record.entity.value, record.id.hex(), record.version, record.state, record.kind, record.source,
            record.target, record.at_micros, record.business_date, record.digest.hex(), record.request.mti,
            dict(record.request.fields), dict(record.answer), record.about.hex(), record.note,
        ]
    ).encode()  # fmt: skip


def read_record(raw: bytes) -> Record:
    """What `write_record` wrote; `JinkaError` for anything else."""
    try:
        form, entity, id_, version, state, kind, source, target, at, date, digest, mti, fields, answer, about, note = (
            json.loads(raw)
        )  # fmt: skip
        if form != 2:
            raise ValueError
        return Record(
            entity=Entity(entity), id=bytes.fromhex(id_), version=version, state=state, kind=kind, source=source,
            target=target, at_micros=at, business_date=date, digest=bytes.fromhex(digest),
            request=Message(mti=mti, fields=_values(fields)), answer=_values(answer), about=bytes.fromhex(about),
            note=note,
        )  # fmt: skip
    except (ValueError, TypeError, AttributeError):
        raise JinkaError("no record", where="switch journal", fix="restore it from a backup") from None


def _packed(value: object) -> list[str]:
    """Bytes, which JSON has not."""
    if not isinstance(value, bytes):
        raise TypeError
    return [value.hex()]


_JSON = json.JSONEncoder(separators=(",", ":"), default=_packed)


def _values(given: Mapping[str, object]) -> dict[int, Value]:
    return {int(number): _value(value) for number, value in given.items()}


def _value(value: object) -> Value:
    if isinstance(value, str):
        return value
    if not (isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)):
        raise TypeError
    return bytes.fromhex(value[0])
