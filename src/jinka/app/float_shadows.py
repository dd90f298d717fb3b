"""The shadows of a folder's cards: cleared days taken into runs, and what the runs say today.

A day is taken once; again changes nothing, and a day that was cleared anew is another edition of it, whose additional
flows are posted under the next cycle. A record that was paid must be there still. Runs are Parquet under
``centre/float``, merged by DuckDB; the deeds that officers did are added whenever somebody asks.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jinka.app.centre import FEES
from jinka.clearing import Flow, LineKind
from jinka.clearing.day import paid_groups
from jinka.clearing.net import net
from jinka.kit import NotFound, Refused, Usage
from jinka.registry import Registry
from jinka.settlement import BusinessDay, orders_of, post, post_settlement
from jinka.settlement.float_acts import Deed, DeedKind
from jinka.settlement.float_rules import Gap
from jinka.settlement.float_shadow import (
    HELD,
    HOLES,
    MOVED,
    OFF_CHAIN,
    RUNS,
    card_rows,
    day_held,
    day_holes,
    day_off_chain,
    day_runs,
    held_in,
    joints,
    merged,
    opening_runs,
)
from jinka.settlement.posting import flow_entry
from jinka.store import DuckEngine, ShadowFiles, SqlFloat, SqlLedger, TakenDay

_PARTS = {"runs": (day_runs, RUNS), "off": (day_off_chain, OFF_CHAIN), "held": (day_held, HELD),
          "holes": (day_holes, HOLES)}  # fmt: skip
_END_OF_DAY = b"\x23\x59\x59"
_MEMORY = "2GB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadows:
    """Tables of an open engine: one row a card, the gaps, and the terminals' own holes."""

    engine: DuckEngine
    cards: Any
    gaps: Any
    holes: Any

    def gap_rows(self) -> list[Gap]:
        """All gaps, in the order of cards and counters."""
        found = [_gap(row) for row in self.engine.collect(self.gaps).to_pylist()]
        return sorted(found, key=lambda gap: (gap.card, gap.off, gap.on))


class ShadowBooks:
    """The shadows of one folder."""

    def __init__(
        self,
        folder: Path,
        books: SqlFloat,
        ledger: SqlLedger,
        registry: Registry,
        zone: str,
        purse_limit: int,
    ) -> None:
        self._files, self._books, self._ledger = ShadowFiles(folder), books, ledger
        self._registry, self._zone, self._purse_limit = registry, zone, purse_limit

    def take(self, outcomes: Path, *, issuer: str, posted: dt.date) -> tuple[TakenDay, bool]:
        """Take a day's outcomes; False when they were taken before. Raises `Refused`, `NotFound` and `Usage`.

        ``posted``: the day whose first edition the ledger has already.
        """
        return self._take(outcomes, issuer, None, posted)

    def take_round(self, outcomes: Path, date: dt.date, *, issuer: str) -> tuple[TakenDay, bool]:
        """The same for a day as a centre's rounds cleared it: its issuer's cards, and nothing is posted.

        The rounds have posted what they paid, in whatever round that was. What came too late to be of its day is left.
        """

        return self._take(outcomes, issuer, date, None)

    def _take(
        self, outcomes: Path, issuer: str, round_: dt.date | None, posted: dt.date | None
    ) -> tuple[TakenDay, bool]:
        files = sorted(outcomes.glob("*.parquet")) if outcomes.is_dir() else []
        if not files:
            raise NotFound(
                "no outcomes", where=str(outcomes), fix="run jinka day, or name a folder of outcomes"
            )
        digest = _digest(files)
        with DuckEngine(memory_limit=_MEMORY, spill=self._files.folder / "spill") as engine:
            table = engine.parquet(files)
            if round_ is not None:
                table = table.filter((table.issuer == issuer) & (table.business_date == round_))
            date = round_ or self._date(engine, table, outcomes)
            before = {day.date: day for day in self._books.days()}.get(date)
            if before is not None and before.outcomes == digest:
                return before, False
            self._require_registered(engine, table)
            flows = net(paid_groups(engine, table, self._purse_limit), FEES).flows
            day = TakenDay(
                date=date, edition=before.edition + 1 if before else 1, outcomes=digest,
                flows=_summed(flows),
            )  # fmt: skip
            added = _added(day, before)
            for name, (stage, schema) in _PARTS.items():
                made = engine.collect(stage(table)).select(schema.names).cast(schema)
                self._files.write(self._files.day(day, name), made)
        with self._ledger.together():
            if posted is not None and (before is not None or date != posted):
                self._post(day, added, issuer)
            self._books.take(day)
        return day, True

    @contextmanager
    def opened(self) -> Iterator[Shadows]:
        """The shadows as they stand; raises `Usage` when no day was taken."""
        days = self._books.days()
        if not days:
            raise Usage("no day was taken", where=str(self._files.folder), fix="run jinka float take")
        with DuckEngine(memory_limit=_MEMORY, spill=self._files.folder / "spill") as engine:
            runs = engine.parquet([self._merged(engine, days)])
            deeds = self._books.deeds()
            if readings := _readings(deeds, self._registry):
                both = runs.select(RUNS.names).union(engine.arrow("readings", readings))
                runs = engine.keep("runs", merged(both))
            found = engine.keep("joints", joints(runs))
            gaps = engine.keep(
                "gaps", held_in(found, self._part(engine, days, "held"), self._part(engine, days, "off"))
            )
            moved = engine.arrow("moved", _moved(deeds))
            cards = card_rows(runs, self._part(engine, days, "off"), moved, gaps)
            yield Shadows(
                engine=engine, cards=engine.keep("cards", cards), gaps=gaps,
                holes=self._part(engine, days, "holes"),
            )  # fmt: skip

    def _merged(self, engine: DuckEngine, days: Sequence[TakenDay]) -> Path:
        openings = opening_runs(self._registry.cards)
        of = _openings_digest(openings)
        path, missing = self._files.merged(days, of)
        if not missing:
            return path
        again = len(missing) == len(days)
        runs = engine.arrow("openings", openings) if again else engine.parquet([path]).select(RUNS.names)
        runs = runs.union(self._part(engine, missing, "runs").select(RUNS.names))
        made = engine.collect(merged(runs).order_by(["card_no", "first_date", "first_time"])).cast(RUNS)
        self._files.forget()
        self._files.write(path, made)
        self._files.note(days, of)
        return path

    def _part(self, engine: DuckEngine, days: Sequence[TakenDay], part: str) -> Any:
        schema = _PARTS[part][1]
        return engine.parquet([self._files.day(day, part) for day in days]).select(schema.names)

    def _date(self, engine: DuckEngine, table: Any, where: Path) -> dt.date:
        dates = engine.collect(table.select("business_date").distinct())["business_date"].to_pylist()
        if len(dates) != 1:
            raise Usage(f"outcomes of {len(dates)} days", where=str(where), fix="name the folder of one day")
        date: dt.date = dates[0]
        return date

    def _require_registered(self, engine: DuckEngine, table: Any) -> None:
        paid = table.filter(table.outcome == "PAID").select("card_no").distinct()
        used = engine.collect(paid)["card_no"].cast(pa.binary(10))
        known = self._registry.cards["card_no"]
        strange = len(used) - (pc.sum(pc.is_in(used, known.combine_chunks())).as_py() or 0)
        if strange:
            raise Refused(
                f"{strange} paid cards are not registered here", where="outcomes",
                fix="name the day of this issuer's cards",
            )  # fmt: skip

    def _post(self, day: TakenDay, flows: Iterable[Flow], issuer: str) -> None:
        business = BusinessDay(date=day.date, zone=self._zone, cycle=day.edition)
        entries = [flow_entry(flow) for flow in flows]
        _, findings = post(self._ledger, business, entries)
        orders = orders_of(business, entries, issuer=issuer)
        findings += post_settlement(self._ledger, business, orders, issuer=issuer)[1]
        if findings:
            raise Refused(findings[0].what, where=findings[0].where, fix=findings[0].fix)


def _summed(flows: Iterable[Flow]) -> dict[tuple[str, str, str], int]:
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for flow in flows:
        sums[flow.kind.value, flow.payer, flow.payee] += flow.amount
    return {key: amount for key, amount in sorted(sums.items()) if amount}


def _added(day: TakenDay, before: TakenDay | None) -> list[Flow]:
    """What the edition adds to the one before. Raises `Refused` when something that was paid is gone."""
    earlier = before.flows if before else {}
    made = []
    for key in sorted(day.flows.keys() | earlier.keys()):
        amount = day.flows.get(key, 0) - earlier.get(key, 0)
        if amount < 0:
            raise Refused(
                f"{-amount} fen less from {key[1]} to {key[2]} than was posted", where=f"day {day.date}",
                fix="what was paid stays paid: take the outcomes that have it still",
            )  # fmt: skip
        if amount:
            made.append(Flow(kind=LineKind(key[0]), payer=key[1], payee=key[2], amount=amount))
    return made


def _digest(files: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _openings_digest(openings: pa.Table) -> str:
    """Another registry makes other openings; equal ones may differ in their memory, and then are merged anew."""
    total = hashlib.sha256()
    for batch in openings.combine_chunks().to_batches():
        for column in batch.columns:
            for buffer in column.buffers():
                total.update(b"" if buffer is None else buffer)
    return total.hexdigest()


def _moved(deeds: Iterable[Deed]) -> pa.Table:
    rows = [
        {"card_no": deed.card, "worth": deed.worth, "gaps": deed.gaps}
        for deed in deeds
        if deed.worth or deed.gaps
    ]
    return pa.Table.from_pylist(rows, schema=MOVED)


def _readings(deeds: Iterable[Deed], registry: Registry) -> pa.Table | None:
    """What chips said of themselves when they were read, as runs of nothing at the end of that day."""
    said = [deed for deed in deeds if deed.kind is DeedKind.READING]
    if not said:
        return None
    issuers = dict(
        zip(registry.cards["card_no"].to_pylist(), registry.cards["issuer"].to_pylist(), strict=True)
    )
    rows = []
    for deed in said:
        balance, off, on = map(int, deed.detail.split(" "))
        at = {"date": bytes.fromhex(deed.on.strftime("%Y%m%d")), "time": _END_OF_DAY}
        rows.append(
            {"card_no": deed.card, "issuer": issuers[deed.card], "balance_in": balance, "balance_out": balance,
             "off_first": off, "off_end": off, "on_first": on, "on_end": on}
            | {f"{end}_{name}": value for end in ("first", "last") for name, value in at.items()}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=RUNS)


def _gap(row: dict[str, Any]) -> Gap:
    return Gap(
        card=row["card_no"], issuer=row["issuer"], off=(row["off_from"] or 0, row["off_missing"]),
        on=(row["on_from"] or 0, row["on_missing"]), drop=row["step"],
        after=moment(row["after_date"], row["after_time"]), shown_on=day_of(row["before_date"]),
        shown_at=moment(row["before_date"], row["before_time"]), held=row["held"],
        suspended=row["suspended"],
        filled=row["filled"],
    )  # fmt: skip


def day_of(bcd: bytes) -> dt.date:
    """A record's date."""
    return dt.datetime.strptime(bcd.hex(), "%Y%m%d").date()


def moment(date: bytes, time: bytes) -> str:
    """A record's moment as people write it; empty for an opening's."""
    return f"{day_of(date)}T{time.hex(':')}" if any(date) else ""
