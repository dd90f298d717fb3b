"""Two days of a fuel station and a bank's counter, from the chips to the ledger: every fen is somewhere, and once.

Filled and paid; torn with the card debited; the pump dark between lock and debit; nothing filled; released at another
pump, and online at the office; cash out of a passbook and a new limit. Each day is cleared, posted and settled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.card import Psam
from jinka.clearing import (
    ClearingParams,
    ClearingTables,
    DayResult,
    FeeTable,
    attested_table,
    clear_day,
    tariff_prices,
)
from jinka.codec import RECORD_SCHEMA
from jinka.codec.clearing import ClearingRecord, record_table
from jinka.codec.record import CounterKind
from jinka.issuer import ReleaseHost
from jinka.ledger import MemoryLedger
from jinka.registry import (
    ACKNOWLEDGEMENTS,
    CARDS,
    LISTINGS,
    PARTICIPANTS,
    PSAMS,
    TERMINALS,
    Role,
)
from jinka.sectors.fuel import PROFILE, PURSE_LIMIT_FEN, TARIFF
from jinka.settlement import (
    BusinessDay,
    lift_suspense,
    post_day,
    post_opening,
    post_settlement,
    prove_settlement,
    purse_liability,
    settlement_orders,
    trial_balance,
)
from jinka.store import DuckEngine
from jinka.terminal import FuelState, FuelStatus, FuelTerminal
from jinka.terminal.batching import batch_id
from tests.card.rig import Pull, Reader
from tests.terminal.fuel_rig import AT, FAR_PUMP, PUMP_1, PUMP_2, Oil
from tests.terminal.passbook_rig import DESK, PIN, Bank

OPENING = 50_000
TOMORROW = AT + dt.timedelta(days=1)
FEES = FeeTable(scheme="scheme", scheme_bp=10, issuer_bp=20, acquirer_bp=15)
NAMES = ("paid", "torn", "dark", "online", "nothing", "elsewhere")


class Days:
    """The station's cards by name, its pumps, the office, the bank's counter, and the issuer's books."""

    def __init__(self) -> None:
        self.cards = {
            name: Oil(card_no=bytes.fromhex(f"000090100000000200{number:02d}"), balance=OPENING)
            for number, name in enumerate(NAMES)
        }
        self.any = self.cards["paid"]
        self.host = ReleaseHost(self.any.keys, AT.date())
        self.kept = b""
        self.psam = self.any.psam(PUMP_1)
        self.pump = self.any.pump(psam=self.psam, keep=self._keep)
        self.other, self.office = self.any.pump(PUMP_2), self.any.pump(FAR_PUMP, "office")
        self.bank = Bank()
        self.bank.desk.business_date = self.bank.till.business_date = AT.date()
        self.opening = {oil.card_no: [0, 0, OPENING] for oil in self.cards.values()}
        self.opening[self.bank.card_no] = [0, 0, 0]
        self.ledger = MemoryLedger()
        floats = [("iss.oil", OPENING * len(NAMES))]
        assert post_opening(self.ledger, day_of(AT), floats)[1] == []

    def _keep(self, raw: bytes) -> None:
        self.kept = raw

    def restart(self) -> None:
        """The pump lost its power: what is left are the module's memory and the state that was kept."""
        module = Psam.from_bytes(self.psam.to_bytes(), self.any.randomness)
        self.psam, state = module, FuelState.from_bytes(self.kept)
        self.pump = self.any.pump(psam=module, state=state, keep=self._keep)

    def held(self) -> int:
        """What all the cards own, by their own word."""
        spent, limit = self.bank.says()
        return sum(oil.balance() for oil in self.cards.values()) + spent - limit

    def clear(self, records: list[ClearingRecord], at: dt.datetime, folder: Path) -> DayResult:
        """Clear, post and settle one day; the openings of the next are what was paid."""
        table = record_table(records, [batch_id(r.terminal_id, 1) for r in records], range(len(records)))
        table = table.append_column(
            pa.field("record_id", pa.int64(), nullable=False), pa.array(range(len(records)), pa.int64())
        )
        pq.write_table(table.cast(pa.schema([*RECORD_SCHEMA, table.schema.field("record_id")])), folder / "r")
        params = ClearingParams(
            business_date=at.date(),
            window_from=dt.datetime.combine(AT.date(), dt.time()),  # what was torn yesterday comes late
            window_to=dt.datetime.combine(at.date() + dt.timedelta(days=1), dt.time()),
            purse_limit=PURSE_LIMIT_FEN,
            zone="Asia/Shanghai",
        )
        concluded = [*self.host.concluded.values(), *self.bank.unloads.concluded.values()]
        with DuckEngine(threads=1, memory_limit="1GB") as engine:
            tables = ClearingTables(
                records=engine.parquet([folder / "r"]),
                attested=engine.arrow("attested", attested_table(concluded)),
                **{name: engine.arrow(name, made) for name, made in self._registry().items()},
            )
            result = clear_day(
                engine, tables, params, keys=self.any.keys, explain=tariff_prices(TARIFF, {}), fees=FEES,
                out=str(folder / f"outcomes {at.date()}"),
            )  # fmt: skip
        self._post(result, at)
        self._carry_over(pq.read_table(result.path).to_pylist())
        return result

    def _post(self, result: DayResult, at: dt.datetime) -> None:
        day = day_of(at)
        assert sum(result.positions.values()) == 0
        for _ in range(2):  # posting again changes nothing
            if at != AT:
                assert lift_suspense(self.ledger, day, day_of(AT), issuer="iss.oil") == []
            assert post_day(self.ledger, day, result.net, issuer="iss.oil", suspense=result.suspense)[1] == []
            orders = settlement_orders(day, result.net, issuer="iss.oil")
            assert post_settlement(self.ledger, day, orders, issuer="iss.oil")[1] == []
        assert trial_balance(self.ledger).balances
        assert prove_settlement(self.ledger).holds

    def _carry_over(self, rows: Iterable[dict[str, object]]) -> None:
        for row in rows:
            if row["outcome"] == "PAID" and row["card_no"] != self.bank.card_no:
                online = row["counter_kind"] == CounterKind.ONLINE
                opening = self.opening[row["card_no"]]
                opening[1 if online else 0] = row["counter"] + 1
                opening[2] = row["balance"]

    def _registry(self) -> dict[str, pa.Table]:
        parties = {
            "op.oil": Role.OPERATOR,
            "op.bank": Role.LOAD_AGENT,
            "acq.oil": Role.ACQUIRER,
            "iss.oil": Role.ISSUER,
            "scheme": Role.SCHEME,
        }
        pumps = (PUMP_1, PUMP_2, FAR_PUMP)
        rows = {
            "participants": [
                {"code": code, "role": role.value, "region": "1000", "name_en": code, "name_zh": code}
                for code, role in parties.items()
            ],
            "terminals": [
                {"terminal_id": t, "device": t.hex(), "operator": "op.bank" if t == DESK else "op.oil",
                 "acquirer": "acq.oil", "line": None, "stop": None, "status": 1}
                for t in (*pumps, DESK)
            ],
            "psams": [{"psam_id": t.rjust(10, b"\x01"), "terminal_id": t, "status": 1} for t in pumps],
            "cards": [
                {"card_no": card, "issuer": "iss.oil", "profile": PROFILE.name, "profile_version": 1, "holder": 1,
                 "algorithm": 0, "key_version": 1, "opening_counter": offline, "opening_online": online,
                 "opening_balance": balance, "status": 1}
                for card, (offline, online, balance) in self.opening.items()
            ],
            "listings": [],
            "acknowledgements": [],
        }  # fmt: skip
        schemas = (PARTICIPANTS, TERMINALS, PSAMS, CARDS, LISTINGS, ACKNOWLEDGEMENTS)
        return {
            name: pa.Table.from_pylist(made, schema=schema)
            for (name, made), schema in zip(rows.items(), schemas, strict=True)
        }


def day_of(at: dt.datetime) -> BusinessDay:
    return BusinessDay(date=at.date(), zone="Asia/Shanghai")


def fill(days: Days, name: str, amount: int) -> None:
    """Locked and filled; not yet paid."""
    oil = days.cards[name]
    assert days.pump.lock(oil.card, AT).status is FuelStatus.LOCKED
    days.pump.settle(oil.card_no, amount)


def paid(pump: FuelTerminal, days: Days, name: str, at: dt.datetime) -> ClearingRecord:
    """The claim of the first pump, paid at ``pump``."""
    oil = days.cards[name]
    done = pump.release(oil.card, days.pump.claims[oil.card_no], at)
    assert done.status is FuelStatus.DONE
    assert done.record is not None
    days.pump.settled(done.record)
    return done.record


def first_day(days: Days) -> list[ClearingRecord]:
    records = []
    for name, amount in (("paid", 20_000), ("nothing", 0)):
        fill(days, name, amount)
        records.append(paid(days.pump, days, name, AT))
    fill(days, "elsewhere", 900)
    records.append(paid(days.other, days, "elsewhere", AT))
    fill(days, "torn", 7_000)
    oil = days.cards["torn"]
    reader = Reader(oil.card)
    reader.pull(Pull(3, None))
    torn = days.pump.release(reader, days.pump.claims[oil.card_no], AT)
    assert torn.status is FuelStatus.TORN
    assert torn.record is not None
    records.append(torn.record)
    fill(days, "online", 4_400)
    days.host.take(days.pump.claims[days.cards["online"].card_no])
    fill(days, "dark", 3_000)
    days.restart()
    bank = days.bank
    records.append(bank.till.load(bank.card, 30_000, AT, bank.loads, pin=PIN))
    records.append(bank.desk.unload(bank.card, 12_000, AT, bank.unloads, pin=PIN))
    records.append(bank.desk.change_limit(bank.card, 5_000, AT, bank.limits, pin=PIN))
    return records


def second_day(days: Days) -> list[ClearingRecord]:
    records = []
    days.pump.business_date = days.office.business_date = days.host.business_date = TOMORROW.date()
    for name in ("torn", "dark"):  # neither the pump nor anybody else gave them up
        assert days.other.lock(days.cards[name].card, TOMORROW).status in (FuelStatus.GREY, FuelStatus.LOCKED)
        days.cards[name].card.power_up()
        done = days.pump.lock(days.cards[name].card, TOMORROW)
        assert done.status is FuelStatus.DONE, name
        assert done.record is not None
        records.append(done.record)
    assert days.office.release_online(days.cards["online"].card, TOMORROW, days.host) == 4_400
    [released] = days.host.concluded.values()
    days.pump.settled(released)
    records.append(released)
    return records


def test_two_days_of_a_fuel_station(tmp_path: Path) -> None:
    days = Days()
    records = first_day(days)
    result = days.clear(records, AT, tmp_path)
    assert {row.reason.name: (row.count, row.amount) for row in result.by_reason} == {
        "ACCEPTED": (5, 20_000 + 0 + 900 + 30_000 + 12_000),
        "UNRESOLVED": (1, 7_000),
        "NO_CLAIM": (1, 5_000),
    }
    assert not any(result.remarks.values())
    assert result.suspense == 7_000
    assert purse_liability(days.ledger) == days.held() + 7_000
    fees = {total.operator: total.fees for total in result.net.operators}
    assert fees == {"op.oil": (20_900 * 45 + 5_000) // 10_000, "op.bank": 0}

    result = days.clear(second_day(days), TOMORROW, tmp_path)
    assert {row.reason.name: (row.count, row.amount) for row in result.by_reason} == {
        "ACCEPTED": (3, 7_000 + 3_000 + 4_400)
    }
    assert not any(result.remarks.values())
    assert not result.new_listings
    assert result.suspense == 0
    assert purse_liability(days.ledger) == days.held()
    trial = trial_balance(days.ledger)
    assert (trial.pending_debits, trial.pending_credits) == (0, 0)
    assert not days.pump.claims
