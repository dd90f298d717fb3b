"""One clearing record as a value, as a terminal makes it, and many of them as an Arrow table.

The fields are those of `RECORD_SCHEMA` without the batch's; the table adds them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import pyarrow as pa

from jinka.codec.record import RECORD_SCHEMA, Algorithm, CounterKind, RecordState
from jinka.kit import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearingRecord:
    """One debit or load as the terminal saw it; ``tac`` is None for a torn one. Amounts in the purse's unit."""

    state: RecordState
    card_no: bytes
    card_len: int
    profile: str
    profile_version: int
    txn_type: int
    amount: int
    balance: int
    gross_fare: int
    product: str
    counter: int
    counter_kind: CounterKind
    terminal_id: bytes
    terminal_serial: int
    psam_id: bytes
    local_date: bytes
    local_time: bytes
    zone: str
    business_date: dt.date
    issuer: str
    acquirer: str
    operator: str
    line: str | None
    stop: str | None
    key_version: int
    algorithm: Algorithm
    tac: bytes | None

    def confirmed(self, tac: bytes) -> ClearingRecord:
        """The same record with the card's TAC."""
        return replace(self, state=RecordState.CONFIRMED, tac=tac)

    def __repr__(self) -> str:
        card = f"******{self.card_no.hex()[-4:]}"
        return f"ClearingRecord({card}, type {self.txn_type:02X}, {self.amount}, {self.state.name})"


_FIELDS = tuple(field.name for field in fields(ClearingRecord))


def record_table(
    records: Sequence[ClearingRecord], batch: Sequence[bytes], batch_seq: Sequence[int]
) -> pa.Table:
    """Rows of `RECORD_SCHEMA` in the order given; ``batch`` and ``batch_seq`` hold one value for each record."""
    if not len(records) == len(batch) == len(batch_seq):
        raise Usage(
            f"{len(records)} records, {len(batch)} batches, {len(batch_seq)} numbers", where="record_table"
        )
    columns: dict[str, Sequence[object]] = {"batch": batch, "batch_seq": batch_seq}
    for name in _FIELDS:
        columns[name] = [getattr(record, name) for record in records]
    arrays = [pa.array(columns[field.name], field.type) for field in RECORD_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=RECORD_SCHEMA)
