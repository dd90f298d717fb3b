"""Plays the steps of purses: loads, taps, lists, what cards hold, and the clearing of a day's records to the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.sector_cards import VirtualCard
from jinka.app.sector_remembered import number_of
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
from jinka.clearing.port import Explain, Price
from jinka.codec import RECORD_SCHEMA
from jinka.codec.clearing import ClearingRecord, record_table
from jinka.codec.record import CounterKind, TransactionType
from jinka.declaration import Clear, Counted, Holds, List, Load, Sector, Tap
from jinka.issuer import LoadHost
from jinka.kit import JinkaError, Refused, format_minor
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
from jinka.tariff import LOST_EXIT_PRODUCT, TapKind
from jinka.terminal import BlockList, TapOutcome, TapStatus
from jinka.terminal.batching import batch_id
from jinka.terminal.link import ask_exactly
from jinka.terminal.reading import select

SCHEME = "scheme.jinka"
_KIND_WORDS = {
    TapKind.ENTRY: Text("in at", "进"),
    TapKind.EXIT: Text("out at", "出"),
    TapKind.BOARD: Text("taps", "刷"),
}


def play_load(step: Load, world: World) -> Text:
    card, terminal = world.card(step.card), world.load_terminal(step.device)
    application = world.application_of(step.device)
    profile, sector = world.profile(application), world.sector_of(application)
    host = LoadHost(world.keys(sector), purse_limit=profile.purse_spec.limit)
    amount = number_of(world, step.amount)
    shown = format_minor(amount, profile.purse_spec.unit)
    device = world.device(step.device)[1]
    try:
        record = terminal.load(card.link, amount, world.now, host)
    except Refused as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, device=step.device, application=application, reason="LOAD")
        return Text(
            f"{card.title.en}: a load of {shown} is refused ({error})", f"{card.title.zh}：充值{shown}被拒绝"
        )
    expect_done(step.refused)
    world.records.setdefault(application, []).append(record)
    held = format_minor(record.balance, profile.purse_spec.unit)
    return Text(
        f"{card.title.en}: {shown} loaded at {device.title_en}, now {held}",
        f"{card.title.zh}在{device.title_zh}充值{shown}，余额{held}",
    )


def play_tap(step: Tap, world: World) -> Text:
    card, terminal = world.card(step.card), world.purse_terminal(step.device)
    application = world.application_of(step.device)
    device, unit = world.device(step.device)[1], world.profile(application).purse_spec.unit
    terminal.install_list(BlockList(version=len(world.blocked) + 1, entries=dict(world.blocked)), world.now)
    if step.torn:
        card.link.pull = "after"
    outcome = terminal.tap(
        card.link, kind=step.kind, line=step.line, station=step.stop,
        gross_fare=number_of(world, step.gross), at=world.now, line_code=None, stop_code=None,
    )  # fmt: skip
    keep(world.records.setdefault(application, []), outcome)
    word = _KIND_WORDS[step.kind]
    head = Text(f"{card.title.en} {word.en} {device.title_en}", f"{card.title.zh}{word.zh}{device.title_zh}")
    if step.torn and outcome.status is TapStatus.TORN:
        return Text(f"{head.en}, and is pulled away before the answer", f"{head.zh}，应答前卡被拿走")
    if outcome.status is not TapStatus.DONE or outcome.record is None:
        expect_refused(step.refused, outcome.status.name, f"{outcome.status.value} {outcome.step}")
        world.count(Counted.REFUSED, device=step.device, application=application, reason=outcome.status.name)
        return Text(
            f"{head.en}: refused ({outcome.status.value})", f"{head.zh}：拒绝（{outcome.status.name}）"
        )
    expect_done(step.refused)
    paid = outcome.record
    if step.pays is not None and paid.amount != (wanted := number_of(world, step.pays)):
        raise StepFailed(f"{paid.amount} was debited, not {wanted}", where=step.device)
    shown, left = format_minor(paid.amount, unit), format_minor(paid.balance, unit)
    return Text(f"{head.en}: {shown} ({paid.product}), {left} left", f"{head.zh}：扣{shown}，余额{left}")


def keep(records: list[ClearingRecord], outcome: TapOutcome) -> None:
    """Keep the record of a tap; a torn one that was proven or disproven takes its place or goes."""
    for settled, by in ((outcome.void, None), (outcome.resolved, outcome.resolved)):
        if settled is None:
            continue
        place = next(
            place
            for place, one in enumerate(records)
            if (one.terminal_id, one.terminal_serial) == (settled.terminal_id, settled.terminal_serial)
        )
        records[place : place + 1] = [by] if by is not None else []
    if outcome.record is not None and outcome.record is not outcome.resolved:
        records.append(outcome.record)


def play_holds(step: Holds, world: World) -> Text:
    card = world.card(step.card)
    application = world.only_application(card, step.application)
    profile = world.profile(application)
    held = balance_of(card, profile)
    if held != step.amount:
        raise StepFailed(f"the card holds {held}, not {step.amount}", where=card.name)
    if step.remembers:
        world.remembered[step.remembers] = held
    shown = format_minor(held, profile.purse_spec.unit)
    return Text(f"{card.title.en} holds {shown}", f"{card.title.zh}余额{shown}")


def balance_of(card: VirtualCard, profile: ApplicationProfile) -> int:
    """What the card itself says (GET BALANCE)."""
    select(card.link, profile.aid)
    return int.from_bytes(ask_exactly(card.link, "get balance", bytes.fromhex("805C000204"), 4), "big")


def play_list(step: List, world: World) -> Text:
    card = world.card(step.card)
    if step.blocked:
        world.blocked[card.number] = world.now
        return Text(f"{card.title.en} is put onto the list", f"{card.title.zh}列入黑名单")
    world.blocked.pop(card.number, None)
    return Text(f"{card.title.en} is taken off the list", f"{card.title.zh}移出黑名单")


def play_clear(step: Clear, world: World) -> Text:
    """Each application's records are cleared by its issuer's keys; all of it goes to one ledger."""
    world.cycle += 1
    earned: dict[str, int] = {}
    rejected: dict[str, int] = {}
    count = 0
    for application in sorted({name for card in world.cards.values() for name in card.applications}):
        profile = world.profile(application)
        if profile.purse is None:
            continue
        records = world.records.pop(application, [])
        if not records:
            continue
        result, rows = clear_application(world, application, records)
        count += result.records
        for row in result.by_reason:
            if row.reason.name != "ACCEPTED":
                rejected[row.reason.name] = rejected.get(row.reason.name, 0) + row.count
        for total in result.net.operators:
            earned[total.operator] = earned.get(total.operator, 0) + total.charged + total.subsidy
        _count(world, application, rows)
    _require_all_of(step.earns, earned, "earned")
    if rejected != dict(step.rejected):
        raise StepFailed(
            f"rejected: {rejected or 'nothing'}, not {dict(step.rejected) or 'nothing'}", where="clear"
        )
    paid = amounts_text(world, earned)
    return Text(
        f"{count} records cleared and settled, positions add up to zero, books balance; earned: {paid.en or 'nothing'}",
        f"清算{count}笔并结算，轧差合计为零，账务平衡；应收：{paid.zh or '无'}",
    )


def clear_application(
    world: World, application: str, records: Sequence[ClearingRecord]
) -> tuple[DayResult, list[Mapping[str, object]]]:
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


def _carry_over(world: World, application: str, rows: Iterable[Mapping[str, object]]) -> None:
    """The openings of the next clearing; and the float: what the ledger owes to a card is what the card says."""
    by_number = {card.number: card for card in world.cards.values() if application in card.applications}
    for row in rows:
        if row["outcome"] != "PAID":
            continue
        card = by_number[row["card_no"]]  # type: ignore[index]
        offline, online, _ = card.opening[application]
        counter, balance = int(row["counter"]), int(row["balance"])  # type: ignore[call-overload]
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


def _count(world: World, application: str, rows: Iterable[Mapping[str, object]]) -> None:
    unit = world.profile(application).purse_spec.unit
    loads = {int(TransactionType.EP_LOAD), int(TransactionType.ED_LOAD)}
    devices = {number: name for name, number in world.numbered()}
    for row in rows:
        if row["outcome"] == "PAID":
            if row["txn_type"] == TransactionType.UNLOAD:
                world.count(Counted.MOVED, int(row["amount"]), unit, application=application)  # type: ignore[call-overload]
                continue
            kind = Counted.LOADED if row["txn_type"] in loads else Counted.PAID
            world.count(
                kind, int(row["amount"]), unit,  # type: ignore[call-overload]
                product=str(row["product"]), operator=str(row["operator"]), application=application,
                device=devices.get(row["terminal_id"], ""),  # type: ignore[call-overload]
            )  # fmt: skip


def expect_refused(wanted: str, reason: str, error: object) -> None:
    """Raise `StepFailed` unless exactly this refusal was wanted."""
    if wanted != reason:
        cause = error if isinstance(error, JinkaError) else None
        raise StepFailed(
            f"refused as {reason} ({error}), wanted {wanted or 'that it be done'}", where="step"
        ) from cause


def expect_done(wanted: str) -> None:
    if wanted:
        raise StepFailed(f"it was done, and should have been refused as {wanted}", where="step")


def _require_all_of(wanted: Mapping[str, int], found: Mapping[str, int], what: str) -> None:
    for party, amount in wanted.items():
        if found.get(party, 0) != amount:
            raise StepFailed(f"{party} {what} {found.get(party, 0)}, not {amount}", where="clear")
