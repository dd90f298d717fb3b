"""A small city that is in order, for tests that put one thing out of order and look at what the clearing says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.clearing import (
    ATTESTED,
    ClearingParams,
    ClearingTables,
    DayResult,
    FeeSchedule,
    FeeTable,
    Price,
    clear_day,
)
from jinka.codec import RECORD_SCHEMA
from jinka.registry import ACKNOWLEDGEMENTS, LISTINGS, Registry
from jinka.sim.records import HOLDER, SHARE_PERCENT, ZONE, make_records
from jinka.store import DuckEngine
from tests.clearing.soft_tacs import ROOTS, OpenKeys, tac

DATE = dt.date(2018, 9, 1)
PURSE_LIMIT = 1_000_000
SCHEME, GOVERNMENT = "scheme.jinka", "gov.sz"
FEES = FeeTable(scheme=SCHEME, scheme_bp=10, issuer_bp=20, acquirer_bp=15)
SCHEMA = pa.schema([*RECORD_SCHEMA, pa.field("record_id", pa.int64(), nullable=False)])
PARAMS = ClearingParams(
    business_date=DATE,
    window_from=dt.datetime.combine(DATE, dt.time()),  # local time
    window_to=dt.datetime.combine(DATE + dt.timedelta(days=1), dt.time()),
    purse_limit=PURSE_LIMIT,
    zone=ZONE,
)


def explain(pairs: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Price]:
    """80 % of the gross fare; the government bears the rest."""
    charges = {pair: pair[1] * SHARE_PERCENT // 100 for pair in pairs if pair[0] == "ordinary"}
    return {
        pair: Price(charge=charge, subsidy=pair[1] - charge, payer=GOVERNMENT, holders=(HOLDER,))
        for pair, charge in charges.items()
    }


@dataclass(slots=True)
class World:
    """Rows of records, the registry, and lists; `clear` runs a day over them."""

    rows: list[dict[str, Any]]
    registry: Registry
    listings: list[dict[str, Any]] = field(default_factory=list)
    acknowledgements: list[dict[str, Any]] = field(default_factory=list)
    attested: list[dict[str, Any]] | None = None

    @classmethod
    def in_order(cls, *, records: int = 240, cards: int = 40) -> World:
        made = make_records(records, cards=cards, seed=5, roots=ROOTS, date=DATE, wrong_share=0)
        return cls(rows=made.records.to_pylist(), registry=made.registry)

    def of_card(self, place: int = 0) -> list[dict[str, Any]]:
        """The rows of one card that is not loaded, in the order of time."""
        loaded = {row["card_no"] for row in self.rows if row["counter_kind"]}
        card = sorted({row["card_no"] for row in self.rows} - loaded)[place]
        return sorted((row for row in self.rows if row["card_no"] == card), key=lambda row: row["local_time"])

    def add(self, row: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """A further record, last in intake order, like ``row`` but for the changes."""
        made = {
            **row,
            "record_id": max(r["record_id"] for r in self.rows) + 1,
            "batch": b"late" * 4,
            **changes,
        }
        self.rows.append(made)
        return made

    def clear(
        self, folder: Path, *, name: str = "outcomes", fees: FeeTable | FeeSchedule = FEES
    ) -> tuple[DayResult, dict[int, dict[str, Any]]]:
        """The result, and the outcome rows by record id."""
        table = pa.Table.from_pylist(self.rows, schema=SCHEMA)
        pq.write_table(table, folder / "records.parquet")
        lists = {
            "listings": pa.Table.from_pylist(self.listings, schema=LISTINGS),
            "acknowledgements": pa.Table.from_pylist(self.acknowledgements, schema=ACKNOWLEDGEMENTS),
        }
        with DuckEngine(threads=2, memory_limit="1GB") as engine:
            tables = ClearingTables(
                records=engine.parquet([folder / "records.parquet"]),
                **{
                    key: engine.arrow(key, lists.get(key, getattr(self.registry, key)))
                    for key in Registry.SCHEMAS
                },
                attested=self._attested(engine),
            )
            result = clear_day(
                engine, tables, PARAMS, keys=OpenKeys(), explain=explain, fees=fees,
                out=str(folder / name),
            )  # fmt: skip
        rows = pq.read_table(result.path).to_pylist()
        return result, {row["record_id"]: row for row in rows}

    def _attested(self, engine: DuckEngine) -> Any:
        if self.attested is None:
            return None
        rows = [{name: row[name] for name in ATTESTED.names} for row in self.attested]
        return engine.arrow("attested", pa.Table.from_pylist(rows, schema=ATTESTED))


def sign(row: dict[str, Any]) -> None:
    """Give the row a valid TAC for what it now says."""
    row["tac"] = tac(row)
