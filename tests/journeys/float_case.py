"""Days of one city in a folder, cleared from signed records for the float: day 1 is posted as `jinka day` does."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.centre import FEES
from jinka.app.centre_city import carry_forward
from jinka.app.day_facts import DayFacts
from jinka.clearing import ClearingTables, DayResult, clear_day
from jinka.registry import ACKNOWLEDGEMENTS, LISTINGS, Registry, Role
from jinka.settlement import BusinessDay, post_day, post_opening, post_settlement, settlement_orders
from jinka.sim.records import ZONE
from jinka.store import DuckEngine, SqlLedger, database_at, save_registry
from tests.clearing.soft_tacs import OpenKeys
from tests.clearing.world import DATE, PARAMS, SCHEMA, World, explain, sign

Row = dict[str, Any]


@dataclass
class FloatCity:
    """The folder, what the first day recorded, and the cards as the last cleared day left them."""

    folder: Path
    world: World
    cards: pa.Table
    issuer: str
    result: DayResult | None = None  # of the day that was cleared last

    def rows_of(self, place: int) -> list[Row]:
        """The first day's records of a card that is not loaded."""
        return self.world.of_card(place)

    def clear(self, rows: Iterable[Row], date: dt.date, name: str) -> Path:
        """Clear records of a day from the openings that the day before left; returns the outcomes' folder."""
        registry, out = replace(self.world.registry, cards=self.opening(date)), self.folder / name
        records = self.folder / f"{name}-records.parquet"
        records.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), records)
        begin = dt.datetime.combine(date, dt.time())
        params = replace(
            PARAMS, business_date=date, window_from=begin, window_to=begin + dt.timedelta(days=1)
        )
        with DuckEngine(threads=1, memory_limit="1GB") as engine:
            tables = ClearingTables(
                records=engine.parquet([records]),
                **{key: engine.arrow(key, getattr(registry, key)) for key in Registry.SCHEMAS},
            )
            self.result = clear_day(
                engine, tables, params, keys=OpenKeys(), explain=explain, fees=FEES, out=str(out)
            )
        return out

    def opening(self, date: dt.date) -> pa.Table:
        return self.world.registry.cards if date == DATE else self.cards

    def next_taps(self, date: dt.date, places: Iterable[int]) -> list[Row]:
        """A further purchase of each of these cards, signed by it."""
        made = []
        for number, place in enumerate(places):
            last = self.rows_of(place)[-1]
            card = next(row for row in self.cards.to_pylist() if row["card_no"] == last["card_no"])
            row = last | {
                "record_id": number, "batch_seq": number, "business_date": date, "counter": card["opening_counter"],
                "balance": card["opening_balance"] - last["amount"], "terminal_serial": 9_000 + number,
                "local_date": bytes.fromhex(date.strftime("%Y%m%d")),
            }  # fmt: skip
            sign(row)
            made.append(row)
        return made


def make_city(
    folder: Path, withheld: Mapping[int, int], *, cards: int = 24
) -> tuple[FloatCity, dict[int, Row]]:
    """A posted first day without one record each of some cards (place of the card to place of the record)."""
    world = World.in_order(records=10 * cards, cards=cards)
    gone = {place: world.of_card(place)[nth] for place, nth in withheld.items()}
    issuer = _codes(world.registry, Role.ISSUER)
    city = FloatCity(folder=folder, world=world, cards=world.registry.cards, issuer=issuer)
    (folder / "field").mkdir(parents=True)
    (folder / "float.toml").write_text("[cards]\nanonymous_limit_fen = 500_000\n")
    (folder / "day.json").write_text(json.dumps({"format": 1, "simulated": True}))
    facts = DayFacts(
        source="", generated=True, region="440300", zone=ZONE, first_date=DATE.isoformat(),
        last_date=DATE.isoformat(), inferred={}, findings=[], finding_samples=[], hours=[], counts={},
        **dict.fromkeys(("seed", "rows_read", "duplicates_dropped", "cards"), 0),
    )  # fmt: skip
    (folder / "field" / "facts.json").write_text(json.dumps(asdict(facts)))
    out = city.clear([row for row in world.rows if row not in gone.values()], DATE, "centre/outcomes")
    assert city.result is not None
    day = BusinessDay(date=DATE, zone=ZONE)
    with database_at(folder / "centre" / "centre.db") as database:
        save_registry(database, world.registry)
        ledger = SqlLedger(database)
        opening = sum(world.registry.cards["opening_balance"].to_pylist())
        assert post_opening(ledger, day, [(issuer, opening)])[1] == []
        assert post_day(ledger, day, city.result.net, issuer=issuer)[1] == []
        orders = settlement_orders(day, city.result.net, issuer=issuer)
        assert post_settlement(ledger, day, orders, issuer=issuer)[1] == []
    city.cards = carry_forward(world.registry.cards, pq.read_table(out))
    return city, gone


def put_on_list(folder: Path, registry: Registry, card: bytes, *, heard: bool) -> None:
    """The card is listed; ``heard``: every terminal says so."""
    rows = [{"list_version": 1, "card_no": card, "effective_from": "20180902000000"}]
    acks = [
        {"terminal_id": terminal, "list_version": 1, "acknowledged_at": "20180903080000"}
        for terminal in registry.terminals["terminal_id"].to_pylist()
    ]
    listed = replace(
        registry,
        listings=pa.Table.from_pylist(rows, schema=LISTINGS),
        acknowledgements=pa.Table.from_pylist(acks if heard else [], schema=ACKNOWLEDGEMENTS),
    )
    with database_at(folder / "centre" / "centre.db") as database:
        save_registry(database, listed)


def _codes(registry: Registry, role: Role) -> str:
    return next(row["code"] for row in registry.participants.to_pylist() if row["role"] == role.value)
