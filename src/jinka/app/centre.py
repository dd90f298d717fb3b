"""The city centre's part of a day: registry, intake, clearing, posting, settlement. It needs the folder, not the plan.

Everything here may be done again: deliveries that are in the journal are acknowledged as before, outcomes are the same
bytes, and transfers that exist are not posted twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.day_facts import DayFacts
from jinka.app.engine import FileEngine, clearing_engine
from jinka.app.host_journal import HostJournals
from jinka.app.lanes import census_file
from jinka.app.progress import Progress
from jinka.app.registrar import admit_day
from jinka.app.road import Upload
from jinka.app.tariffs import prices_named
from jinka.app.workspace import Workspace
from jinka.clearing import (
    BatchAck,
    BatchStatus,
    ClearingParams,
    ClearingTables,
    DayResult,
    FeeTable,
    clear_day,
    take_in,
    tariff_prices,
)
from jinka.clearing.intake import TAKEN_IN
from jinka.keys import KeyService
from jinka.kit import Finding, Severity, Usage
from jinka.node import write_durable
from jinka.profile import ApplicationProfile
from jinka.registry import ACKNOWLEDGEMENTS, CARDS, LISTINGS, PARTICIPANTS, PSAMS, TERMINALS, Registry, Role
from jinka.risk import new_listings
from jinka.settlement import (
    BooksWithoutDisputes,
    BusinessDay,
    SettlementOrder,
    SettlementProof,
    TrialBalance,
    post_day,
    post_opening,
    post_settlement,
    prove_settlement,
    purse_liability,
    settlement_orders,
    trial_balance,
)
from jinka.settlement.float_acts import BooksWithoutFloat
from jinka.sim.field import LOAD_DEVICE
from jinka.sim.parties import ACQUIRER, GOVERNMENT, ISSUER, LOAD_AGENT, SCHEME
from jinka.sim.plan import LANES, CityPlan, psam_id, terminal_id
from jinka.store import SqlJournal, SqlLedger, database_at, load_registry, save_registry

ACTIVE = 1
# A day on which every batch is parked is cleared too: nobody is paid, and the report says why.
_NO_RECORDS = TAKEN_IN.empty_table()
FEES = FeeTable(scheme=SCHEME, scheme_bp=20, issuer_bp=10, acquirer_bp=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedDay:
    """What the centre has to say of a day."""

    result: DayResult
    outcomes: pa.Table
    acks: tuple[tuple[str, BatchAck], ...]  # with the name of the delivery, in the order of the journal
    parked: pa.Table | None
    registry: Registry
    orders: tuple[SettlementOrder, ...]
    trial: TrialBalance
    liability: int
    settled: SettlementProof
    census: pa.Table
    findings: tuple[Finding, ...]


def build_registry(
    plan: CityPlan, lists: tuple[pa.Table, pa.Table] | None, profile: ApplicationProfile
) -> Registry:
    """Everything that a plan registers, its cards with this application; and the lists that came up on the day."""
    terminals: list[dict[str, object]] = []
    psams = []
    for device in plan.devices:
        for lane in range(LANES):
            number = terminal_id(device.number, lane)
            place = (plan.lines.get(device.line), plan.stations.get(device.station))
            terminals.append(_terminal(number, device.number, device.operator, *place))
            psams.append({"psam_id": psam_id(number), "terminal_id": number, "status": 1})
    terminals += [
        _terminal(terminal_id(LOAD_DEVICE, lane), LOAD_DEVICE, LOAD_AGENT, None, None)
        for lane in range(LANES)
    ]
    midnight = plan.date.strftime("%Y%m%d") + "000000"
    listings = [
        {"list_version": 1, "card_no": plan.cards[index].card_no, "effective_from": midnight}
        for index in plan.blocked
    ]
    acknowledged = [
        {"terminal_id": row["terminal_id"], "list_version": 1, "acknowledged_at": midnight}
        for row in terminals
        if plan.blocked and row["operator"] != LOAD_AGENT
    ]
    listed = pa.Table.from_pylist(listings, schema=LISTINGS)
    spread = pa.Table.from_pylist(acknowledged, schema=ACKNOWLEDGEMENTS)
    if lists is not None:
        listed, spread = pa.concat_tables([listed, lists[0]]), pa.concat_tables([spread, lists[1]])
    participants = [
        {
            "code": party.code,
            "role": party.role.value,
            "region": party.region,
            "name_en": party.name_en,
            "name_zh": party.name_zh,
        }
        for party in plan.participants
    ]
    return Registry(
        participants=pa.Table.from_pylist(participants, schema=PARTICIPANTS),
        terminals=pa.Table.from_pylist(terminals, schema=TERMINALS),
        psams=pa.Table.from_pylist(psams, schema=PSAMS),
        cards=_card_table(plan, profile),
        listings=listed,
        acknowledgements=spread,
    )


def _terminal(
    number: bytes, device: str, operator: str, line: str | None, stop: str | None
) -> dict[str, object]:
    return {
        "terminal_id": number,
        "device": device,
        "operator": operator,
        "acquirer": ACQUIRER,
        "line": line,
        "stop": stop,
        "status": 1,
    }


def _card_table(plan: CityPlan, profile: ApplicationProfile) -> pa.Table:
    count = len(plan.cards)
    columns = {
        "card_no": [card.card_no for card in plan.cards],
        "issuer": [ISSUER] * count,
        "profile": [profile.name] * count,
        "profile_version": [profile.version] * count,
        "holder": [int(card.holder) for card in plan.cards],
        "algorithm": [card.algorithm for card in plan.cards],
        "key_version": [1] * count,
        "opening_counter": [0] * count,
        "opening_online": [0] * count,
        "opening_balance": [card.balance for card in plan.cards],
        "status": [1] * count,
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in CARDS], schema=CARDS)


def register(workspace: Workspace, registry: Registry, date: dt.date) -> None:
    """Store the registry in the centre, once the numbers of its cards are granted."""
    cards = registry.cards["card_no"].to_pylist()
    admit_day(workspace.centre, date, cards)
    with database_at(workspace.centre / "centre.db") as database:
        save_registry(database, registry)


def clear_uploads(
    workspace: Workspace,
    facts: DayFacts,
    uploads: Sequence[Upload],
    *,
    keys: KeyService,
    progress: Progress,
) -> ClearedDay:
    """Take in every upload, clear the day, post it and settle it."""
    with database_at(workspace.centre / "centre.db") as database:
        journal = SqlJournal(database, workspace.centre / "intake")
        registry = load_registry(database)
        acks, refused = _take_in_all(workspace, journal, uploads, keys, registry, progress)
        progress.step("clearing", 0, 1)
        with clearing_engine(workspace.folder, keys) as (engine, checking):
            result = clear_day(
                engine,
                _tables(engine, registry, journal, HostJournals.at(workspace.centre)),
                _params(facts),
                keys=checking,
                explain=tariff_prices(prices_named(facts.tariff).tariff, {Role.GOVERNMENT: GOVERNMENT}),
                fees=FEES,
                out=str(workspace.centre / "outcomes"),
            )
        progress.step("clearing", 1, 1)
        progress.step("settlement", 0, 1)
        day = BusinessDay(date=dt.date.fromisoformat(facts.first_date), zone=facts.zone)
        ledger = SqlLedger(database)
        opening = sum(registry.cards["opening_balance"].to_pylist())
        _, found = post_opening(ledger, day, [(ISSUER, opening)])
        findings = [*refused, *found, *_list_cards(workspace, facts, registry, result)]
        _, found = post_day(ledger, day, result.net, issuer=ISSUER, suspense=result.suspense)
        findings += found
        orders = settlement_orders(day, result.net, issuer=ISSUER)
        _, found = post_settlement(ledger, day, orders, issuer=ISSUER)
        findings += found
        # Those of the day: what was disputed, written off or refunded later is told elsewhere.
        own = BooksWithoutFloat(BooksWithoutDisputes(ledger), ledger)
        trial, liability = trial_balance(own), purse_liability(own)
        progress.step("settlement", 1, 1)
        return ClearedDay(
            result=result,
            outcomes=pq.read_table(result.path),
            acks=acks,
            parked=_read_all(journal.parked_files()),
            registry=registry,
            orders=tuple(orders),
            trial=trial,
            liability=liability,
            settled=prove_settlement(own),
            census=pa.concat_tables([pq.read_table(census_file(workspace, lane)) for lane in range(LANES)]),
            findings=(*result.findings, *findings),
        )


def _take_in_all(
    workspace: Workspace,
    journal: SqlJournal,
    uploads: Sequence[Upload],
    keys: KeyService,
    registry: Registry,
    progress: Progress,
) -> tuple[tuple[tuple[str, BatchAck], ...], list[Finding]]:
    """Take in what can be read; a delivery that cannot is refused whole, and the others are paid."""
    acks: list[tuple[str, BatchAck]] = []
    refused: list[Finding] = []
    columns = (registry.terminals[name].to_pylist() for name in ("terminal_id", "status"))
    terminals = frozenset(terminal for terminal, status in zip(*columns, strict=True) if status == ACTIVE)
    progress.step("intake", 0, len(uploads))
    for number, upload in enumerate(uploads, 1):
        try:
            taken = take_in(
                name=upload.name,
                records=_read(upload.records),
                batches=_read(upload.batches),
                journal=journal,
                keys=keys,
                terminals=terminals,
            )
        except Usage as problem:
            workspace.note("delivery_refused", delivery=upload.name, problem=str(problem))
            refused.append(
                Finding(
                    code="DELIVERY_REFUSED", severity=Severity.ERROR, where=upload.name, what=str(problem),
                    fix="have the terminals send it again",
                )
            )  # fmt: skip
            continue
        counts = {status.value.lower(): taken.count(status) for status in BatchStatus}
        event = "delivery_acknowledged_before" if taken.again else "delivery_acknowledged"
        workspace.note(event, delivery=upload.name, **counts)
        acks += [(upload.name, ack) for ack in taken.acks]
        progress.step("intake", number, len(uploads))
    return tuple(acks), refused


def _list_cards(
    workspace: Workspace, facts: DayFacts, registry: Registry, result: DayResult
) -> list[Finding]:
    """Write the next list, in force from the next day: the cards that this day's clearing puts on it."""
    version = max(registry.listings["list_version"].to_pylist(), default=0) + 1
    tomorrow = dt.date.fromisoformat(facts.last_date) + dt.timedelta(days=1)
    rows = new_listings(
        result.new_listings, version=version, effective_from=tomorrow.strftime("%Y%m%d") + "000000"
    ).to_pylist()
    lines = ["list_version,card_no,effective_from"]
    lines += [f"{row['list_version']},{row['card_no'].hex()},{row['effective_from']}" for row in rows]
    write_durable(workspace.centre / "listings-next.csv", ("\n".join(lines) + "\n").encode())
    return [
        Finding(
            code="CARD_LISTED", severity=Severity.INFO, where=row["card_no"].hex(),
            what=f"goes onto list {version}",
        )
        for row in rows
    ]  # fmt: skip


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as problem:
        what = "is not there" if isinstance(problem, FileNotFoundError) else "is no readable Parquet file"
        raise Usage(what, where=str(path), fix="have the terminals send it again") from None


def _read_all(paths: Sequence[Path]) -> pa.Table | None:
    return pa.concat_tables([pq.read_table(path) for path in paths]) if paths else None


def _tables(
    engine: FileEngine, registry: Registry, journal: SqlJournal, hosts: HostJournals
) -> ClearingTables:
    files = journal.accepted_files()
    return ClearingTables(
        records=engine.parquet(files) if files else engine.arrow("records", _NO_RECORDS),
        parked=engine.parquet(parked) if (parked := journal.parked_files()) else None,
        attested=engine.arrow("attested", hosts.attested()),
        **{name: engine.arrow(name, getattr(registry, name)) for name in Registry.SCHEMAS},
    )


def _params(facts: DayFacts) -> ClearingParams:
    first, last = (dt.date.fromisoformat(text) for text in (facts.first_date, facts.last_date))
    return ClearingParams(
        business_date=first,
        window_from=dt.datetime.combine(first, dt.time()),
        window_to=dt.datetime.combine(last + dt.timedelta(days=1), dt.time()),
        purse_limit=prices_named(facts.tariff).purse_limit,
        zone=facts.zone,
    )
