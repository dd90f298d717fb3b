"""The intake journal: SQL rows for deliveries and batches, Parquet files for their records.

Files are durable before the transaction that names them commits, so a row never names a file that is not there; a
file that no row names is the remains of a crash, and is overwritten when the delivery comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from jinka.clearing import BatchAck, BatchReason, BatchStatus, IntakeEntry
from jinka.store.durable import publish
from jinka.store.record_files import record_writer, write_records
from jinka.store.schema import batches, deliveries

_CHUNK = 10_000  # ids in one query


class SqlJournal:
    """Implements `jinka.clearing.IntakeJournal`. ``folder`` holds the Parquet files."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def acks_of(self, delivery: bytes) -> tuple[BatchAck, ...] | None:
        with self._engine.connect() as connection:
            if (
                connection.scalar(sa.select(deliveries.c.name).where(deliveries.c.delivery == delivery))
                is None
            ):
                return None
            rows = connection.execute(
                sa.select(batches).where(batches.c.delivery == delivery).order_by(batches.c.number)
            )
            return tuple(_ack(row) for row in rows)

    def all_acks(self) -> list[BatchAck]:
        """Every acknowledgement in the order of the journal."""
        with self._engine.connect() as connection:
            return [_ack(row) for row in connection.execute(sa.select(batches).order_by(batches.c.number))]

    def accepted_contents(self, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(ids), _CHUNK):
                query = sa.select(batches.c.batch, batches.c.content).where(
                    batches.c.batch.in_(ids[start : start + _CHUNK]),
                    batches.c.status == BatchStatus.ACCEPTED.value,
                )
                found.update((row.batch, row.content) for row in connection.execute(query))
        return found

    def next_number(self) -> int:
        with self._engine.connect() as connection:
            return (connection.scalar(sa.select(sa.func.max(batches.c.number))) or 0) + 1

    def commit(self, entry: IntakeEntry) -> None:
        accepted = self._write("accepted", entry.delivery, entry.accepted)
        parked = self._write("parked", entry.delivery, entry.parked)
        with self._engine.begin() as connection:
            connection.execute(
                deliveries.insert(),
                {
                    "delivery": entry.delivery,
                    "name": entry.name,
                    "accepted_file": accepted,
                    "parked_file": parked,
                    "accepted_records": entry.accepted.num_rows,
                    "parked_records": entry.parked.num_rows,
                },
            )
            if entry.acks:
                connection.execute(
                    batches.insert(),
                    [
                        {
                            "number": ack.number,
                            "delivery": entry.delivery,
                            "batch": ack.batch,
                            "status": ack.status.value,
                            "reason": ack.reason.value,
                            "records": ack.records,
                            "content": ack.content,
                        }
                        for ack in entry.acks
                    ],
                )

    def accepted_files(self, of: Sequence[bytes] | None = None) -> list[Path]:
        """The files of all records that were taken in, or of those of some deliveries, in the order of the journal."""
        return self._files(deliveries.c.accepted_file, of)

    def parked_files(self) -> list[Path]:
        """The files of the records of parked batches."""
        return self._files(deliveries.c.parked_file)

    def _files(self, column: sa.Column[str], of: Sequence[bytes] | None = None) -> list[Path]:
        first = sa.func.min(batches.c.number)
        query = (
            sa.select(column)
            .join_from(deliveries, batches, batches.c.delivery == deliveries.c.delivery)
            .where(column != "")
            .group_by(deliveries.c.delivery, column)
            .order_by(first)
        )
        if of is not None:
            query = query.where(deliveries.c.delivery.in_(list(of)))
        with self._engine.connect() as connection:
            return [self._folder / name for name in connection.scalars(query)]

    def _write(self, kind: str, delivery: bytes, table: pa.Table) -> str:
        if not table.num_rows:
            return ""
        target = self._folder / f"{kind}-{delivery.hex()}.parquet"
        temporary = target.with_name(target.name + ".tmp")
        with record_writer(temporary, table.schema) as writer:
            write_records(writer, table)
        publish(temporary, target)
        return target.name


def _ack(row: sa.Row[tuple[object, ...]]) -> BatchAck:
    return BatchAck(
        batch=row.batch,
        status=BatchStatus(row.status),
        reason=BatchReason(row.reason),
        records=row.records,
        content=row.content,
        number=row.number,
    )
