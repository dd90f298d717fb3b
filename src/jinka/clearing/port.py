"""What clearing asks of the world: an engine that runs Ibis expressions, and the parameters of a day.

The engine is given by the caller (`jinka.store.DuckEngine`, `jinka.store.SparkEngine`). Nothing here opens a file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import IDENTITY, RECORD_SCHEMA
from jinka.kit import Usage

# An Ibis table or column. Ibis ships no types that mypy could check, so the name is for the reader.
Table = Any
Expr = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What the tariff says of one product and gross fare: the charge, and what ``payer`` adds to it.

    ``holders`` are the classes of holders that have a right to the subsidy.
    """

    charge: int
    subsidy: int = 0
    payer: str = ""
    holders: tuple[int, ...] = ()


# Explains pairs of (product, gross fare); pairs that no product of the tariff explains are absent from the answer.
Explain = Callable[[Sequence[tuple[str, int]]], Mapping[tuple[str, int], Price]]

_YEAR_MAX = 6999  # so that a moment, a kind and a counter are one number of 63 bits
PURSE_AMOUNT_MAX = 2**32 - 1  # what 4 bytes of a MAC can bind
# What the issuer's hosts concluded online: the identity of a record, what else the card's MAC3 binds, and the MAC3.
ATTESTED = pa.schema([RECORD_SCHEMA.field(name) for name in (*IDENTITY, "counter", "balance", "tac")])

# Records with such numbers came from other centres, whose operators' they are; those below were taken in here. Being
# last, a copy that arrives by way of another centre never shadows an equal record of this one.
FIRST_INBOUND = 1 << 62
# The verdicts of cards' centres on records of this one, by its own numbers.
ANSWERS = pa.schema(
    [
        pa.field("w_id", pa.int64(), nullable=False),
        pa.field("w_reason", pa.uint8(), nullable=False),
        pa.field("w_remarks", pa.uint16(), nullable=False),
        pa.field("w_risk", pa.bool_(), nullable=False),
        pa.field("w_holder", pa.uint8()),  # the registered class, by which a right to a subsidy is judged
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A column of codes that stands for others: code ``n`` for row ``n`` of ``words``, counted from 0."""

    column: str
    words: pa.Table


class ClearingEngine(Protocol):
    """Runs expressions. Names of kept tables are the engine's to make unique."""

    def arrow(self, name: str, table: pa.Table) -> Table:
        """Make a small Arrow table available to expressions."""
        ...

    def keep(self, name: str, expr: Table) -> Table:
        """Compute an expression once and return a table that holds the result."""
        ...

    def keep_numbered(self, name: str, expr: Table, *, number: str) -> Table:
        """As `keep`, with a column that numbers the rows, in any order but each number once."""
        ...

    def map_batches(
        self,
        name: str,
        expr: Table,
        function: Callable[[pa.RecordBatch], pa.RecordBatch],
        *,
        like: pa.Schema,
        then: Callable[[Table], Table],
    ) -> Table:
        """Stream the rows through ``function`` and keep what ``then`` makes of the table that comes out.

        Columns named in ``like`` arrive with the types given there, fixed binaries included. ``then`` reads its table
        once.
        """
        ...

    def collect(self, expr: Table) -> pa.Table:
        """Compute and return an Arrow table; for small results."""
        ...

    def write(
        self, records: Table, verdicts: Table, lookups: Sequence[Lookup], path: str, *, key: str
    ) -> Table:
        """Write a folder of Parquet sorted by ``key``, durable before it appears under ``path``; return its table.

        Each row of ``records`` with its row of ``verdicts``: both have each ``key`` once, and the same ones, or it is
        an error. Columns of ``lookups`` are replaced by what they stand for.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearingTables:
    """The inputs of a day as Ibis tables: `records` is `RECORD_SCHEMA` with ``record_id`` (intake order)."""

    records: Table
    participants: Table
    terminals: Table
    psams: Table
    cards: Table
    listings: Table
    acknowledgements: Table
    attested: Table | None = None  # `ATTESTED`: unloads and online releases that the issuer's hosts concluded
    parked: Table | None = None  # records of parked batches: never paid, but a lost load explains a balance
    answers: Table | None = None  # `ANSWERS`: what other centres said of their cards


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearingParams:
    """The rules of one business day. The window is local time, from inclusive, to exclusive."""

    business_date: dt.date
    window_from: dt.datetime
    window_to: dt.datetime
    purse_limit: int
    zone: str
    gap_max: int = 64  # more missing counters than this in one day are an altered counter, not a gap
    issuers: tuple[str, ...] = ()  # whose cards are judged here; without any, all are

    def __post_init__(self) -> None:
        if not 0 < self.purse_limit <= PURSE_AMOUNT_MAX:
            raise Usage(f"purse limit {self.purse_limit}", where="clearing", fix="1 to 2^32-1 minor units")
        if self.window_to.year > _YEAR_MAX:
            raise Usage("the window ends too late", where="clearing", fix=f"end it by {_YEAR_MAX}")
        if self.window_from >= self.window_to:
            raise Usage("the window ends before it begins", where="clearing")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTable:
    """Fees on what an operator is paid, in basis points, and who earns the scheme's."""

    scheme: str  # participant that earns the scheme fee and bears the risk account
    scheme_bp: int = 0
    issuer_bp: int = 0
    acquirer_bp: int = 0

    def __post_init__(self) -> None:
        if min(self.scheme_bp, self.issuer_bp, self.acquirer_bp) < 0 or self.total_bp > 10_000:
            raise Usage("fees must be 0 to 10000 basis points in all", where="fees")

    @property
    def total_bp(self) -> int:
        return self.scheme_bp + self.issuer_bp + self.acquirer_bp


def attested_table(concluded: Iterable[ClearingRecord]) -> pa.Table:
    """The records that the issuer's hosts concluded (`jinka.issuer`), as the table `ClearingTables.attested` reads."""
    rows = [{name: getattr(record, name) for name in ATTESTED.names} for record in concluded]
    return pa.Table.from_pylist(rows, schema=ATTESTED)
