"""Stage intake: a delivery of batches is checked, journalled, and only then acknowledged.

A delivery is two tables: records (`RECORD_SCHEMA`) and batch headers (`BATCH_SCHEMA`). A batch is taken in whole or
parked whole; the first row of `PARKING` that applies is the reason. A batch that was accepted before with the same
content is *replayed*: acknowledged, and not taken in again. Taking in is idempotent: the same delivery under the same
name gives the acknowledgements that are in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jinka.codec import BATCH_SCHEMA, RECORD_SCHEMA
from jinka.codec.canonical import (
    EMPTY_DIGEST,
    batch_digests,
    batch_header,
    batch_starts,
    fixed_bytes,
    in_batch_order,
)
from jinka.codec.record import require_schema
from jinka.keys.port import KeyService
from jinka.kit import Usage, make_id

RECORDS_MAX = 5_000_000  # in one delivery
BATCHES_MAX = 1_000_000
_SEQ_BITS = 32
# What the journal holds: the record, and its number in the order of intake.
TAKEN_IN = RECORD_SCHEMA.append(pa.field("record_id", pa.int64(), nullable=False))


class BatchStatus(Enum):
    """What became of a batch."""

    ACCEPTED = "ACCEPTED"
    PARKED = "PARKED"
    REPLAYED = "REPLAYED"


class BatchReason(Enum):
    """Why; see `PARKING` for the precedence."""

    ACCEPTED = "ACCEPTED"
    PARKED_HEADER = "PARKED_HEADER"
    PARKED_SEAL = "PARKED_SEAL"
    PARKED_TERMINAL = "PARKED_TERMINAL"
    PARKED_COUNT = "PARKED_COUNT"
    PARKED_TOTAL = "PARKED_TOTAL"
    PARKED_REUSED = "PARKED_REUSED"
    REPLAYED = "REPLAYED"


# (reason, rule, Chinese title) in descending precedence.
PARKING: tuple[tuple[BatchReason, str, str], ...] = (
    (
        BatchReason.PARKED_HEADER,
        "records without a batch header, or with several that differ",
        "缺少批次头或批次头互相矛盾",
    ),
    (BatchReason.PARKED_SEAL, "the seal is not that of the terminal over header and records", "批次封签错误"),
    (
        BatchReason.PARKED_TERMINAL,
        "the terminal is not registered and active, or a record is of another terminal",
        "终端未登记或批次内有其他终端的记录",
    ),
    (
        BatchReason.PARKED_COUNT,
        "the count is not the number of records, or two have one place",
        "批次笔数不符",
    ),
    (BatchReason.PARKED_TOTAL, "the total is not the sum of the amounts", "批次金额不符"),
    (
        BatchReason.PARKED_REUSED,
        "the batch id was accepted before with another content",
        "批次号重用且内容不同",
    ),
    (BatchReason.REPLAYED, "the batch was accepted before", "批次重复上送"),
    (BatchReason.ACCEPTED, "none of these", "已接收"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAck:
    """The answer to one batch. ``content`` is SHA-256 of header and digest; ``number`` its place in the journal."""

    batch: bytes
    status: BatchStatus
    reason: BatchReason
    records: int
    content: bytes
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeEntry:
    """What the journal stores at once: all acknowledgements of a delivery, and its records, taken in and parked.

    Both tables have the schema `TAKEN_IN`; ``record_id`` is the number of the batch times 2^32, plus ``batch_seq``.
    """

    delivery: bytes
    name: str
    acks: tuple[BatchAck, ...]
    accepted: pa.Table
    parked: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeResult:
    """The acknowledgements, which are durable; ``again`` when the delivery had been taken in before."""

    delivery: bytes
    acks: tuple[BatchAck, ...]
    again: bool

    def count(self, status: BatchStatus) -> int:
        return sum(ack.status is status for ack in self.acks)


class IntakeJournal(Protocol):
    """The append-only journal of a centre; see `jinka.store.SqlJournal`. One writer."""

    def acks_of(self, delivery: bytes) -> tuple[BatchAck, ...] | None:
        """The acknowledgements of a delivery that is in the journal, else None."""
        ...

    def accepted_contents(self, batches: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """For those of the batches that were accepted before: id to content."""
        ...

    def next_number(self) -> int:
        """The number that the next batch gets, from 1."""
        ...

    def commit(self, entry: IntakeEntry) -> None:
        """Store the entry; it is durable when this returns."""
        ...


def take_in(
    *,
    name: str,
    records: pa.Table,
    batches: pa.Table,
    journal: IntakeJournal,
    keys: KeyService,
    terminals: Set[bytes],
) -> IntakeResult:
    """Take in one delivery. Raises `Usage` when the tables are not of the schema; nothing is stored then.

    ``terminals`` are the ids of those that are registered and active.
    """
    _require_tables(records, batches, name)
    ordered = in_batch_order(records)
    digests = dict(batch_digests(ordered))
    headers = [_Header(**row) for row in batches.to_pylist()]
    delivery = _delivery_id(name, headers, digests)
    if (known := journal.acks_of(delivery)) is not None:
        return IntakeResult(delivery=delivery, acks=known, again=True)
    sums = _sums(ordered)
    acks = _judge(headers, digests, sums, journal, keys, terminals)
    accepted, parked = _split(ordered, acks, sums)
    journal.commit(IntakeEntry(delivery=delivery, name=name, acks=acks, accepted=accepted, parked=parked))
    return IntakeResult(delivery=delivery, acks=acks, again=False)


def _require_tables(records: pa.Table, batches: pa.Table, name: str) -> None:
    for table, wanted, limit, what in (
        (records, RECORD_SCHEMA, RECORDS_MAX, "records"),
        (batches, BATCH_SCHEMA, BATCHES_MAX, "batches"),
    ):
        where = f"{name}.{what}"
        require_schema(table.schema, wanted, where=where)
        if table.num_rows > limit:
            raise Usage(f"{table.num_rows} rows", where=where, fix=f"send at most {limit} at once")
        for field in wanted:
            if not field.nullable and table.column(field.name).null_count:
                raise Usage("a value is missing", where=f"{where}.{field.name}")


def _delivery_id(name: str, headers: Sequence[_Header], digests: Mapping[bytes, bytes]) -> bytes:
    content = sha256()
    for header in headers:
        content.update(header.sealed + header.seal)
    for batch, digest in sorted(digests.items()):
        content.update(batch + digest)
    return make_id("jinka.delivery", name, content.digest())


@dataclass(frozen=True, slots=True)
class _Sum:
    """What the records of one batch add up to, and where they lie in the ordered table."""

    first: int
    count: int
    total: int
    unique: bool
    terminal: bytes | None  # that of all records, or None

    def is_of(self, terminal: bytes) -> bool:
        return self.terminal == terminal or not self.count


_NOTHING = _Sum(first=0, count=0, total=0, unique=True, terminal=None)


def _sums(ordered: pa.Table) -> dict[bytes, _Sum]:
    if not ordered.num_rows:
        return {}
    starts = batch_starts(ordered)
    counts = np.diff(np.append(starts, ordered.num_rows))
    amounts = ordered.column("amount").chunk(0).to_numpy()
    # Two halves, so that hostile amounts cannot wrap around 2^63.
    high = np.add.reduceat(amounts >> 32, starts)
    low = np.add.reduceat(amounts & 0xFFFFFFFF, starts)
    seq = ordered.column("batch_seq").chunk(0).to_numpy()
    twice = np.flatnonzero(seq[1:] == seq[:-1]) + 1
    twice = twice[~np.isin(twice, starts)]
    bad = set((np.searchsorted(starts, twice, side="right") - 1).tolist())
    ids = fixed_bytes(ordered.column("batch").chunk(0))[starts]
    terminals = fixed_bytes(ordered.column("terminal_id").chunk(0))
    other = (terminals != np.repeat(terminals[starts], counts, axis=0)).any(axis=1)
    mixed = np.logical_or.reduceat(other, starts)
    return {
        ids[i].tobytes(): _Sum(
            first=int(starts[i]),
            count=int(counts[i]),
            total=(int(high[i]) << 32) + int(low[i]),
            unique=i not in bad,
            terminal=None if mixed[i] else terminals[starts[i]].tobytes(),
        )
        for i in range(len(starts))
    }


@dataclass(frozen=True, slots=True)
class _Header:
    """One row of `BATCH_SCHEMA`."""

    batch: bytes
    terminal_id: bytes
    batch_no: int
    record_count: int
    total: int
    seal: bytes

    @property
    def sealed(self) -> bytes:
        return batch_header(
            terminal_id=self.terminal_id,
            batch_no=self.batch_no,
            record_count=self.record_count,
            total=self.total,
            batch=self.batch,
        )


def _judge(
    headers: Sequence[_Header],
    digests: Mapping[bytes, bytes],
    sums: Mapping[bytes, _Sum],
    journal: IntakeJournal,
    keys: KeyService,
    terminals: Set[bytes],
) -> tuple[BatchAck, ...]:
    of = [digests.get(header.batch, EMPTY_DIGEST) for header in headers]
    raw = [header.sealed for header in headers]
    seals: npt.NDArray[np.bool_] = keys.check_batch_seals(
        [header.terminal_id for header in headers], raw, of, [header.seal for header in headers]
    )
    variants: dict[bytes, set[bytes]] = {}
    for header, covered in zip(headers, raw, strict=True):
        variants.setdefault(header.batch, set()).add(covered + header.seal)
    known = dict(journal.accepted_contents([header.batch for header in headers]))
    number = journal.next_number()
    acks: list[BatchAck] = []

    def acknowledge(batch: bytes, records: int, reason: BatchReason, content: bytes) -> None:
        acks.append(
            BatchAck(
                batch=batch,
                status=_status(reason),
                reason=reason,
                records=records,
                content=content,
                number=number + len(acks),
            )
        )

    for header, digest, covered, seal_right in zip(headers, of, raw, seals, strict=True):
        found = sums.get(header.batch, _NOTHING)
        content = sha256(covered + digest).digest()
        if len(variants[header.batch]) > 1:
            reason = BatchReason.PARKED_HEADER
        elif not seal_right:
            reason = BatchReason.PARKED_SEAL
        elif header.terminal_id not in terminals or not found.is_of(header.terminal_id):
            reason = BatchReason.PARKED_TERMINAL
        elif header.record_count != found.count or not found.unique:
            reason = BatchReason.PARKED_COUNT
        elif header.total != found.total:
            reason = BatchReason.PARKED_TOTAL
        elif known.get(header.batch, content) != content:
            reason = BatchReason.PARKED_REUSED
        else:
            reason = BatchReason.REPLAYED if header.batch in known else BatchReason.ACCEPTED
            known[header.batch] = content
        acknowledge(header.batch, found.count, reason, content)
    for batch in sorted(digests.keys() - {header.batch for header in headers}):
        acknowledge(batch, sums[batch].count, BatchReason.PARKED_HEADER, sha256(digests[batch]).digest())
    return tuple(acks)


def _status(reason: BatchReason) -> BatchStatus:
    if reason in (BatchReason.ACCEPTED, BatchReason.REPLAYED):
        return BatchStatus(reason.value)
    return BatchStatus.PARKED


def _split(
    ordered: pa.Table, acks: Sequence[BatchAck], sums: Mapping[bytes, _Sum]
) -> tuple[pa.Table, pa.Table]:
    """The rows of accepted and of parked batches, with record ids; rows of replayed batches are in neither."""
    numbers = np.zeros(ordered.num_rows, np.int64)
    kind = np.zeros(ordered.num_rows, np.int8)
    for ack in acks:
        found = sums.get(ack.batch)
        if found is None or ack.status is BatchStatus.REPLAYED:
            continue
        rows = slice(found.first, found.first + found.count)
        if ack.status is BatchStatus.ACCEPTED:
            kind[rows], numbers[rows] = 1, ack.number
        elif not (found.count and kind[found.first]):
            kind[rows], numbers[rows] = 2, ack.number
    seq = ordered.column("batch_seq").to_numpy().astype(np.int64) if ordered.num_rows else numbers
    ids = pa.array((numbers << _SEQ_BITS) + seq)
    table = ordered.append_column(TAKEN_IN.field("record_id"), ids)
    accepted, parked = (table.filter(pa.array(kind == which)).sort_by("record_id") for which in (1, 2))
    return accepted, parked
