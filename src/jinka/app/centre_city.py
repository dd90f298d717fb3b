"""A city's part of a round: what it sends, what it says of its own cards, what it pays for others' cards, its books.

Four steps, each done when its files are there:

- `close_intake` takes in what terminals delivered; `send_abroad` passes on the records of other centres' cards that
  have nothing wrong on this side.
- `judge_cards` clears this centre's own cards, at home and abroad in one chain, and says what it thinks of each record
  that came from another centre. A record of an earlier day is judged among that day's.
- `pay` takes the verdicts on what was sent, or silence after so many days, and prices both kinds of record together.

Posting is in `jinka.app.centre_books`, the order of the steps in `jinka.app.centre_rounds`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jinka.app.centre_cards import carry_forward
from jinka.app.centre_config import CentreConfig, CityTerms
from jinka.app.centre_files import RoundFiles, days_of
from jinka.app.centre_late import fresh_of, heard_rounds, in_time, inbound_before, open_days
from jinka.app.centre_lists import lists_before, registry_on
from jinka.app.centre_rules import month_after, month_before
from jinka.app.centre_silence import LOOK_BACK_DAYS
from jinka.app.engine import clearing_engine
from jinka.clearing import (
    BatchStatus,
    ClearingParams,
    ClearingTables,
    DayResult,
    Flow,
    LineKind,
    clear_day,
    take_in,
    tariff_prices,
)
from jinka.clearing.day import asks_for_amounts, paid_groups
from jinka.clearing.hearing import NEVER, counted_from
from jinka.clearing.intake import TAKEN_IN
from jinka.clearing.net import PaidGroup, net
from jinka.clearing.port import ANSWERS, FIRST_INBOUND, ClearingEngine
from jinka.clearing.verdicts import (
    CROSSING,
    DEEMED,
    SENT,
    VERDICTS,
    crossing,
    deemed,
    deemed_notice,
    number_inbound,
    sent_of,
    take_answers,
    verdicts_of,
)
from jinka.keys import KeyService
from jinka.kit import Finding, Severity, Usage
from jinka.registry import Registry, Role
from jinka.store import DuckEngine, SqlJournal
from jinka.store.database import Database

ACTIVE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """What the steps work with: the folder, the database, the keys, and what the registry says."""

    folder: Path
    config: CentreConfig
    database: Database
    keys: KeyService
    registry: Registry

    @property
    def terms(self) -> CityTerms:
        assert self.config.city is not None
        return self.config.city

    @property
    def journal(self) -> SqlJournal:
        return SqlJournal(self.database, self.folder / "intake")

    def round(self, date: dt.date) -> RoundFiles:
        return RoundFiles(self.folder, date)

    def late_days(self, date: dt.date) -> list[dt.date]:
        """The earlier rounds whose late records go into this one."""
        return open_days(self.folder, date, self.late_within)

    @property
    def late_within(self) -> int:
        """How many days old a late record may be."""
        return self.config.rules.late_days(self.terms.late_days)

    def registry_on(self, date: dt.date) -> Registry:
        """What is registered, with the lists of the rounds before a day."""
        return registry_on(self.folder, self.config.around.parent, self.registry, date)

    def params(self, date: dt.date) -> ClearingParams:
        """A day's window is its calendar day."""
        begin = dt.datetime.combine(date, dt.time())
        return ClearingParams(
            business_date=date, window_from=begin, window_to=begin + dt.timedelta(days=1),
            purse_limit=self.terms.prices.purse_limit, zone=self.config.zone, issuers=(self.terms.issuer,),
        )  # fmt: skip


def close_intake(city: City, date: dt.date, uploads: Iterable[tuple[str, Path, Path]]) -> list[Finding]:
    """Take in what was delivered for a day, as (name, records, batches), and close the day's intake."""
    columns = (city.registry.terminals[name].to_pylist() for name in ("terminal_id", "status"))
    terminals = frozenset(terminal for terminal, status in zip(*columns, strict=True) if status == ACTIVE)
    findings, deliveries, acks = [], [], []
    for name, records, batches in uploads:
        try:
            taken = take_in(
                name=f"{date}/{name}", records=pq.read_table(records), batches=pq.read_table(batches),
                journal=city.journal, keys=city.keys, terminals=terminals,
            )  # fmt: skip
        except (OSError, pa.ArrowException, Usage) as problem:
            findings.append(
                Finding(
                    code="DELIVERY_REFUSED", severity=Severity.ERROR, where=name, what=str(problem),
                    fix="have the terminals send it again",
                )
            )  # fmt: skip
            continue
        deliveries.append(taken.delivery.hex())
        acks.append({status.value: taken.count(status) for status in BatchStatus} | {"delivery": name})
    city.keys.commit()
    city.round(date).note(
        "intake", {"deliveries": deliveries, "acks": acks, "findings": [f.as_dict() for f in findings]}
    )
    return findings


def send_abroad(city: City, date: dt.date) -> pa.Table:
    """The records of other centres' cards, `CROSSING`, once this side has found nothing wrong with them."""
    files = city.round(date)
    made = CROSSING.empty_table()
    for day in (date, *city.late_days(date)):
        name = "abroad" if day == date else f"abroad-{day}"
        records = files.path(f"records-{name}.parquet")
        if _pick(city, day, records, foreign=True, rounds=[date]):
            with DuckEngine() as engine:
                tables = _tables(city, engine, day, engine.parquet([records]), city.registry.cards)
                result = _clear(city, engine, tables, day, files.path(name), city.keys)
                made = pa.concat_tables([made, crossing(_rows(result), city.config.around.code)])
    made = made.sort_by("ref")
    files.write("sent", sent_of(made, date.toordinal()))
    return made


def judge_cards(city: City, date: dt.date, parcels: Sequence[pa.Table]) -> pa.Table:
    """Clear this centre's cards and return the verdicts on what came from others, `VERDICTS`."""
    files = city.round(date)
    inbound = number_inbound(parcels, round_=date.toordinal())
    inbound = inbound.filter(
        pc.equal(inbound["issuer"], city.terms.issuer)
    )  # of others nobody asks this centre
    files.write("inbound", inbound)  # with all that came late: who comes later is compared with it
    parent, terms = city.config.around.parent, city.terms
    timely = in_time(city.folder, parent, date, inbound, terms.cut_off_days, city.late_within)
    verdicts: list[pa.Table] = []
    findings: list[Finding] = []
    for day in sorted({*timely, *city.late_days(date)}):
        of_day = timely.get(day, inbound.slice(0, 0))
        if day == date:
            result, outcomes = _judge_day(city, date, day, of_day, files.path("home"))
            files.write("cards", carry_forward(_cards(city, date), outcomes))
            summary = _summary(result, outcomes)
        else:
            fresh = _fresh(city, date, day)
            if not fresh.num_rows + of_day.num_rows:
                continue
            result, outcomes = _judge_day(city, date, day, of_day, files.path(f"home-{day}"))
            found = fresh_of(outcomes, fresh, inbound_before(city.folder, day, date))
            files.write(f"late-{day}/outcomes", found)
        findings += result.findings
        verdicts.append(verdicts_of(outcomes, of_day, city.registry.cards))
    rules = city.config.rules
    findings += rules.acknowledged(city.registry_on(date))[1]
    findings += rules.losses([part for name in ("home", "late-*") for part in files.parts(name)])
    made = pa.concat_tables([VERDICTS.empty_table(), *verdicts])
    files.write("verdicts", made)
    files.note("home", summary | {"findings": [f.as_dict() for f in findings]})
    return made


def _judge_day(
    city: City, date: dt.date, day: dt.date, inbound: pa.Table, out: Path
) -> tuple[DayResult, pa.Table]:
    """Clear the cards' day once more with what arrived of it now; later numbers lose against equal earlier ones."""
    known = inbound_before(city.folder, day, date)
    foreign = pa.concat_tables([known, inbound]).select(TAKEN_IN.names).cast(TAKEN_IN)
    records = out.with_name(f"records-{out.name}.parquet")
    rounds = [each for each in days_of(city.folder) if day <= each <= date]
    _pick(city, day, records, foreign=False, rounds=rounds, beside=foreign)
    with clearing_engine(city.folder, city.keys) as (engine, keys):
        tables = _tables(city, engine, day, engine.parquet([records]), _cards(city, day))
        result = _clear(city, engine, tables, day, out, keys)
        return result, _rows(result)


def pay(city: City, date: dt.date, parcels: Sequence[pa.Table]) -> tuple[list[Flow], pa.Table, list[Finding]]:
    """Net what is paid in this round: own cards, and others' that were answered. With the notice of silence."""
    files, around = city.round(date), city.config.around
    days = [day for day in days_of(city.folder) if 0 <= (date - day).days <= LOOK_BACK_DAYS]
    sent = pa.concat_tables([SENT.empty_table(), *(city.round(day).read("sent", SENT) for day in days)])
    known = pa.concat_tables(
        [ANSWERS.empty_table(), *(city.round(day).read("answers", ANSWERS) for day in days if day < date)]
    )
    said = pa.concat_tables([VERDICTS.empty_table(), *parcels])
    fresh, findings = take_answers(sent, known, said, centre=around.code)
    rules = city.config.rules
    until = rules.silent_up_to(date, around.answer_days)
    asked = counted_from(sent, heard_rounds(city.folder, around, days))
    waiting = asked.filter(pc.less(asked["round"], NEVER))
    silent = deemed(waiting, pa.concat_tables([known, fresh]), until_round=until)
    answers = pa.concat_tables([fresh, silent])
    findings = [
        *findings,
        *rules.silence(waiting, pa.concat_tables([known, fresh]), date, around.answer_days),
    ]
    limit = city.params(date).purse_limit
    fees = rules.fees_on(date, city.terms.fees, month_before(city.folder, date, days))
    each = asks_for_amounts(fees)
    groups: list[PaidGroup] = []
    counts: dict[str, list[int]] = {}
    with DuckEngine() as engine:
        cleared = [files.parts(name) for name in ("home", "late-*") if files.parts(name)]
        for own in cleared:
            groups += paid_groups(engine, engine.parquet(own), limit, by_amount=each)
        answered = sent.filter(pc.is_in(sent["record_id"], answers["w_id"].combine_chunks()))
        for day in sorted(set(answered["business_date"].to_pylist())):
            rows = answered.filter(pc.equal(answered["business_date"], day)).select(TAKEN_IN.names)
            files.write(f"records-paid-{day}", rows.cast(TAKEN_IN).sort_by("record_id"))
            records = engine.parquet([files.path(f"records-paid-{day}.parquet")])
            tables = _tables(city, engine, day, records, city.registry.cards, answers)
            result = _clear(city, engine, tables, day, files.path(f"paid-{day}"), city.keys)
            groups += paid_groups(engine, result.outcomes, limit, by_amount=each)
            cleared.append(sorted(files.path(f"paid-{day}").glob("*.parquet")))
            for row in result.by_reason:
                counts.setdefault(row.reason.name, [0, 0])
                counts[row.reason.name][0] += row.count
                counts[row.reason.name][1] += row.amount
    netted = net(_merged(groups), fees)
    handed_on, found = rules.shared(cleared, netted)
    flows = (*netted.flows, *handed_on)
    findings = [*findings, *found]
    files.note(
        "paid",
        {
            "abroad": counts, "operators": {t.operator: t.net for t in netted.operators},
            "flows": [[f.kind.value, f.payer, f.payee, f.amount] for f in flows],
            "volumes": month_after(netted),
            "findings": [f.as_dict() for f in findings],
        },
    )  # fmt: skip
    files.write("deemed", notice := deemed_notice(sent, silent, around.code))
    files.write("answers", answers)  # last: it says that the rest is there
    return list(flows), notice, findings


def flows_of(files: RoundFiles) -> list[Flow]:
    """What `pay` found."""
    return [
        Flow(kind=LineKind(kind), payer=payer, payee=payee, amount=amount)
        for kind, payer, payee, amount in (files.noted("paid") or {"flows": []})["flows"]
    ]


def _cards(city: City, date: dt.date) -> pa.Table:
    """The registered cards as the day before left them."""
    before = [
        day for day in days_of(city.folder) if day < date and city.round(day).path("cards.parquet").exists()
    ]
    if not before:
        return city.registry.cards
    there = city.round(before[-1]).read("cards", city.registry.cards.schema)
    fresh = city.registry.cards.filter(
        pc.invert(pc.is_in(city.registry.cards["card_no"], there["card_no"].combine_chunks()))
    )
    return pa.concat_tables([there.cast(city.registry.cards.schema), fresh])


def _fresh(city: City, date: dt.date, day: dt.date) -> pa.Table:
    """What was taken in with a round of an earlier day's own cards."""
    return pa.concat_tables([TAKEN_IN.empty_table(), *_taken(city, day, date, foreign=False)])


def _taken(city: City, day: dt.date, round_: dt.date, *, foreign: bool) -> Iterator[pa.Table]:
    """A round's records of one business day; what belongs to no open day is the round's own, which rejects it."""
    noted = city.round(round_).noted("intake") or {"deliveries": []}
    others = pa.array(city.late_days(round_), pa.date32())
    for path in city.journal.accepted_files([bytes.fromhex(name) for name in noted["deliveries"]]):
        file = pq.ParquetFile(path)
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            own = pc.equal(rows["issuer"], city.terms.issuer)
            rows = rows.filter(pc.invert(own) if foreign else own)
            if day == round_:
                of_day = pc.invert(pc.is_in(rows["business_date"], others))
            else:
                of_day = pc.and_(
                    pc.equal(rows["business_date"], day), pc.is_in(rows["business_date"], others)
                )
            yield rows.filter(of_day).select(TAKEN_IN.names).cast(TAKEN_IN)


def _pick(
    city: City, day: dt.date, out: Path, *, foreign: bool, rounds: Sequence[dt.date], beside: pa.Table | None = None
) -> int:  # fmt: skip
    """Write down what rounds took in of a day: the records of this issuer's cards, or those of others'; how many."""
    half = out.with_name(f".{out.name}.half")
    half.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with pq.ParquetWriter(half, TAKEN_IN, compression="zstd") as writer:
        for round_ in rounds:
            for mine in _taken(city, day, round_, foreign=foreign):
                count += mine.num_rows
                writer.write_table(mine)
        if beside is not None:
            count += beside.num_rows
            writer.write_table(beside)
    half.replace(out)
    return count


def _tables(
    city: City,
    engine: ClearingEngine,
    date: dt.date,
    records: Any,
    cards: pa.Table,
    answers: pa.Table | None = None,
) -> ClearingTables:
    registered = {name: getattr(city.registry, name) for name in Registry.SCHEMAS} | {"cards": cards}
    registered["acknowledgements"] = city.config.rules.acknowledged(city.registry_on(date))[0]
    made = {name: engine.arrow(name, table) for name, table in registered.items()}
    listed = lists_before(city.folder, city.config.around.parent, date)
    if listed.num_rows:
        issued = engine.arrow("issued", listed).semi_join(records, ["card_no", "issuer"])
        made["listings"] = engine.keep("listings", made["listings"].union(issued.drop("issuer")))
    return ClearingTables(
        records=records, answers=None if answers is None else engine.arrow("answers", answers), **made
    )


def _clear(
    city: City, engine: ClearingEngine, tables: ClearingTables, date: dt.date, out: Path, keys: KeyService
) -> DayResult:
    out.parent.mkdir(parents=True, exist_ok=True)
    return clear_day(
        engine, tables, city.params(date), keys=keys,
        explain=tariff_prices(city.terms.prices.tariff, {Role.GOVERNMENT: city.terms.government}),
        fees=city.config.rules.fees_on(date, city.terms.fees), out=str(out),
    )  # fmt: skip


def _rows(result: DayResult) -> pa.Table:
    return pq.read_table(result.path)


def _merged(groups: Sequence[PaidGroup]) -> list[PaidGroup]:
    """In one order, whichever round they were answered in."""
    return sorted(
        groups,
        key=lambda g: (g.operator, g.acquirer, g.issuer, g.product, g.online, g.cash, g.at_risk, g.payer),
    )


def _summary(result: DayResult, outcomes: pa.Table) -> dict[str, Any]:
    own = outcomes.filter(pc.less(outcomes["record_id"], FIRST_INBOUND))
    return {
        "records": own.num_rows,
        "inbound": outcomes.num_rows - own.num_rows,
        "by_reason": [
            [row.outcome.value, row.reason.name, row.count, row.amount] for row in result.by_reason
        ],
        "suspense": result.suspense,
        "listed": [card.hex() for card in result.new_listings],
    }


__all__ = [
    "DEEMED", "City", "carry_forward", "close_intake", "flows_of", "judge_cards", "pay", "send_abroad",
]  # fmt: skip
