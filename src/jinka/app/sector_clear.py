"""Plays the clearing of a day's records to the ledger, and demands who earned and who paid, to the last party.

Each application's records are cleared by its issuer's keys; all of it goes to one ledger. The issuer's float pays the
charges and is not named; fees are not named either, but follow from the sector's ``fees_bp`` and are reckoned again.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.sector_cards import VirtualCard
from jinka.app.sector_purse import balance_of
from jinka.app.sector_titles import amounts_text
from jinka.app.sector_world import ZONE, StepFailed, World
from jinka.clearing import (
    ClearingParams,
    ClearingTables,
    DayResult,
    FeeTable,
    attested_table,
    clear_day,
    tariff_prices,
)
from jinka.clearing.net import LineKind
from jinka.clearing.port import Explain, Price
from jinka.codec import RECORD_SCHEMA
from jinka.codec.clearing import ClearingRecord, record_table
from jinka.codec.record import CounterKind, TransactionType
from jinka.declaration import Clear, Counted, Sector
from jinka.kit import Unit, format_minor
from jinka.profile import ApplicationProfile
from jinka.registry import ACKNOWLEDGEMENTS, CARDS, LISTINGS, PARTICIPANTS, PSAMS, TERMINALS, Role
from jinka.reports.day import Text
from jinka.settlement import (
    post_day,
    post_opening,
    post_settlement,
    prove_settlement,
    settlement_orders,
    trial_balance,
)
from jinka.settlement.chart import AccountCode, AccountName
from jinka.store import DuckEngine
from jinka.tariff import ENTRY_PRODUCT, LOST_EXIT_PRODUCT
from jinka.terminal.batching import batch_id

SCHEME = "scheme.jinka"
Row = Mapping[str, Any]  # of the clearing's result, by column
_EARNED = frozenset({LineKind.CHARGE, LineKind.RISK, LineKind.SUBSIDY})
_PAID_IN = frozenset({LineKind.LOAD, LineKind.RISK, LineKind.SUBSIDY})
_LOADS = frozenset({TransactionType.EP_LOAD, TransactionType.ED_LOAD})


@dataclass(slots=True)
class _Cleared:
    """What came of a clearing: records, and by party what it earned, paid in and gave for fees."""

    records: int = 0
    earned: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    fees: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    units: set[Unit] = field(default_factory=set)

    def add(self, world: World, application: str, records: Sequence[ClearingRecord]) -> None:
        """Clear one application's records and count what came of them."""
        result, rows = _clear_application(world, application, records)
        self.records += result.records
        self.units.add(world.profile(application).purse_spec.unit)
        for row in result.by_reason:
            if row.reason.name != "ACCEPTED":
                self.rejected[row.reason.name] += row.count
        fees = Counter[str]()
        for flow in result.net.flows:
            if flow.kind in _EARNED:
                self.earned[flow.payee] += flow.amount
            if flow.kind in _PAID_IN:
                self.paid[flow.payer] += flow.amount
            if flow.kind is LineKind.FEE:
                fees[flow.payer] += flow.amount
        due = _fees_due(world.sector_of(application), rows)
        if fees != due:
            raise StepFailed(f"fees are {dict(fees)}, by the rate they are {dict(due)}", where=application)
        self.fees += fees
        _count(world, application, rows)


def play_clear(step: Clear, world: World) -> Text:
    """Clear what no step has cleared yet; everybody who earned or paid in must be named with the amount."""
    world.cycle += 1
    done = _Cleared()
    for application in sorted({name for card in world.cards.values() for name in card.applications}):
        records = world.records.pop(application, []) if world.profile(application).purse is not None else []
        if records:
            done.add(world, application, records)
    if not done.records:
        raise StepFailed("there is nothing to clear", where="clear", fix="leave the step out")
    _require_same(step.earns, done.earned, "earned")
    _require_same(step.pays, done.paid, "paid in")
    _require_same(step.rejected, done.rejected, "rejected")
    unit = done.units.pop() if len(done.units) == 1 else Unit.FEN
    earned, paid = amounts_text(world, done.earned, unit), amounts_text(world, done.paid, unit)
    fees = format_minor(sum(done.fees.values()), unit)
    return Text(
        f"{done.records} records cleared and settled, positions add up to zero, books balance; "
        f"earned: {earned.en or 'nothing'}; paid in: {paid.en or 'nothing'}; fees: {fees}",
        f"清算{done.records}笔并结算，轧差合计为零，账务平衡；"
        f"应收：{earned.zh or '无'}；应付：{paid.zh or '无'}；手续费：{fees}",
    )


def _require_same(wanted: Mapping[str, int], found: Mapping[str, int], what: str) -> None:
    """Raise `StepFailed` for a party that has another amount, or that one side names and the other does not."""
    for name in sorted({*wanted, *found}):
        if found.get(name, 0) != wanted.get(name, 0):
            raise StepFailed(f"{name} {what} {found.get(name, 0)}, not {wanted.get(name, 0)}", where="clear")


def _fees_due(sector: Sector, rows: Iterable[Row]) -> Counter[str]:
    """By the sector's rates, on what each operator's accepted purchases charge; half up once."""
    charged = Counter[str]()
    for row in rows:
        bought = row["txn_type"] not in (*_LOADS, TransactionType.UNLOAD)
        if row["outcome"] == "PAID" and bought:
            charged[str(row["operator"])] += int(row["amount"])
    rate = sum(sector.fees_bp)
    return +Counter(
        {operator: (2 * amount * rate + 10_000) // 20_000 for operator, amount in charged.items()}
    )


def _clear_application(
    world: World, application: str, records: Sequence[ClearingRecord]
) -> tuple[DayResult, list[Row]]:
    """Clear, post and settle one application's records; raises `StepFailed` where anything does not add up."""
    sector, profile = world.sector_of(application), world.profile(application)
    with TemporaryDirectory() as made, DuckEngine(threads=1, memory_limit="1GB") as engine:
        folder = Path(made)
        records = _of_today(world, records)
        table = record_table(records, [batch_id(r.terminal_id, 1) for r in records], range(len(records)))
        number = pa.field("record_id", pa.int64(), nullable=False)
        table = table.append_column(number, pa.array(range(len(records)), pa.int64()))
        pq.write_table(table.cast(pa.schema([*RECORD_SCHEMA, number])), folder / "records")
        registry = _registry(world, application)
        told = _of_today(world, world.concluded(application).values())
        result = clear_day(
            engine,
            ClearingTables(
                records=engine.parquet([folder / "records"]),
                **{name: engine.arrow(name, rows) for name, rows in registry.items()},
                **({"attested": engine.arrow("attested", attested_table(told))} if told else {}),
            ),
            ClearingParams(
                business_date=world.now.date(),
                window_from=dt.datetime.combine(world.journey.date, dt.time()),
                window_to=dt.datetime.combine(world.now.date() + dt.timedelta(days=1), dt.time()),
                purse_limit=profile.purse_spec.limit,
                zone=ZONE,
            ),
            keys=world.keys(sector),
            explain=_explain(world, application),
            fees=FeeTable(
                scheme=SCHEME,
                scheme_bp=sector.fees_bp[0],
                issuer_bp=sector.fees_bp[1],
                acquirer_bp=sector.fees_bp[2],
            ),
            out=str(folder / "outcomes"),
        )
        rows = pq.read_table(result.path).to_pylist()
    _post(world, application, result)
    _carry_over(world, application, rows)
    return result, rows


def _of_today(world: World, records: Iterable[ClearingRecord]) -> list[ClearingRecord]:
    """A business day lasts until it is cleared, be it a month: terminals deliver into the one that is open."""
    return [replace(record, business_date=world.now.date()) for record in records]


def _explain(world: World, application: str) -> Explain:
    """The tariff's prices; who bears a discount is the party of that role. A lost exit costs what was asked.

    Where a sector takes another's cards, its own tariff for them counts as well.
    """
    owner = world.sector_of(application)
    payers = {party.role: party.code for party in (*world.sector.parties, *owner.parties)}
    found = [one.tariffs[application] for one in (owner, world.sector) if application in one.tariffs]
    tariff = found[0]
    if found[-1] is not tariff:
        tariff = replace(tariff, products=(*tariff.products, *found[-1].products))
    of_tariff = tariff_prices(tariff, payers)

    def explain(pairs: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Price]:
        lost = {pair: Price(charge=pair[1]) for pair in pairs if pair[0] == LOST_EXIT_PRODUCT}
        return {**of_tariff([pair for pair in pairs if pair not in lost]), **lost}

    return explain


def _post(world: World, application: str, result: DayResult) -> None:
    sector, profile = world.sector_of(application), world.profile(application)
    if sum(result.positions.values()):
        raise StepFailed(f"positions add up to {sum(result.positions.values())}", where=application)
    # a purse of another unit has a ledger of its own, and each application a cycle of its own
    names = sorted(world.catalogue)
    day = world.day
    day = type(day)(
        date=day.date,
        zone=day.zone,
        cycle=world.cycle * 1_000 + names.index(application),
        unit=profile.purse_spec.unit,
    )
    issuer = sector.issuer
    findings = []
    opened = AccountName(code=AccountCode.PURSE_LIABILITY, owner=issuer).id
    if opened not in world.ledger.balances([opened]):
        held = sum(
            card.opening[application][2] for card in world.cards.values() if application in card.opening
        )
        findings += post_opening(world.ledger, day, [(issuer, held)])[1]
    findings += post_day(world.ledger, day, result.net, issuer=issuer, suspense=result.suspense)[1]
    orders = settlement_orders(day, result.net, issuer=issuer)
    findings += post_settlement(world.ledger, day, orders, issuer=issuer)[1]
    if findings:
        raise StepFailed(str(findings[0]), where=application)
    if not trial_balance(world.ledger).balances or not prove_settlement(world.ledger).holds:
        raise StepFailed("the books do not balance", where=application)


def _carry_over(world: World, application: str, rows: Iterable[Row]) -> None:
    """The openings of the next clearing; and the float: what the ledger owes to a card is what the card says."""
    by_number = {card.number: card for card in world.cards.values() if application in card.applications}
    for row in rows:
        if row["outcome"] != "PAID":
            continue
        card = by_number[row["card_no"]]
        offline, online, _ = card.opening[application]
        counter, balance = int(row["counter"]), int(row["balance"])
        if row["counter_kind"] == CounterKind.ONLINE:
            online = max(online, counter + 1)
        else:
            offline = max(offline, counter + 1)
        card.opening[application] = (offline, online, balance)
    profile = world.profile(application)
    for card in by_number.values():
        if not card.lost:
            offline, online, _ = card.opening[application]
            card.opening[application] = (offline, online, balance_of(card, profile))


def _registry(world: World, application: str) -> dict[str, pa.Table]:
    sector, profile = world.sector_of(application), world.profile(application)
    parties: dict[str, Role] = {
        sector.issuer: Role.ISSUER,
        sector.acquirer: Role.ACQUIRER,
        sector.load_agent: Role.LOAD_AGENT,
        SCHEME: Role.SCHEME,
        **{party.code: party.role for party in sector.parties},
    }
    if world.sector is not sector:  # whose devices take these cards
        own = world.sector
        parties |= {own.acquirer: Role.ACQUIRER, own.load_agent: Role.LOAD_AGENT}
        parties |= {party.code: party.role for party in own.parties}
    used = [(name, number) for name, number in world.numbered() if world.application_of(name) == application]
    rows: dict[str, list[dict[str, object]]] = {
        "participants": [
            {"code": code, "role": role.value, "region": sector.region, "name_en": code, "name_zh": code}
            for code, role in parties.items()
        ],
        "terminals": [
            {"terminal_id": number, "device": name,
             "operator": world.device(name)[1].operator or world.device(name)[0].load_agent,
             "acquirer": world.device(name)[0].acquirer, "line": None, "stop": None, "status": 1}
            for name, number in used
        ],
        "psams": [{"psam_id": number.rjust(10, b"\x01"), "terminal_id": number, "status": 1} for _, number in used],
        "cards": [_registered(card, application, sector, profile) for card in world.cards.values()
                  if application in card.applications],
        "listings": [],
        "acknowledgements": [],
    }  # fmt: skip
    schemas = (PARTICIPANTS, TERMINALS, PSAMS, CARDS, LISTINGS, ACKNOWLEDGEMENTS)
    return {
        name: pa.Table.from_pylist(made, schema=schema)
        for (name, made), schema in zip(rows.items(), schemas, strict=True)
    }


def _registered(
    card: VirtualCard, application: str, sector: Sector, profile: ApplicationProfile
) -> dict[str, object]:
    offline, online, balance = card.opening[application]
    tac = next(key for key in profile.keys if key.use.name == "TAC")
    return {
        "card_no": card.number, "issuer": sector.issuer, "profile": profile.name,
        "profile_version": profile.version, "holder": int(card.applications[application].holder),
        "algorithm": int(tac.algorithm), "key_version": 1, "opening_counter": offline,
        "opening_online": online, "opening_balance": balance, "status": 1,
    }  # fmt: skip


def _count(world: World, application: str, rows: Iterable[Row]) -> None:
    unit = world.profile(application).purse_spec.unit
    devices = {number: name for name, number in world.numbered()}
    for row in rows:
        if row["outcome"] == "PAID":
            if row["txn_type"] == TransactionType.UNLOAD:
                world.count(Counted.MOVED, int(row["amount"]), unit, application=application)
                continue
            if row["product"] == ENTRY_PRODUCT:
                continue  # who comes in has bought nothing yet
            kind = Counted.LOADED if row["txn_type"] in _LOADS else Counted.PAID
            world.count(
                kind, int(row["amount"]), unit,
                product=str(row["product"]), operator=str(row["operator"]), application=application,
                device=devices.get(row["terminal_id"], ""),
            )  # fmt: skip
