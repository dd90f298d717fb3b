"""The order of a round, at every tier: what is heard from below goes up, what is heard from above goes down.

`Centre.advance` does all that can be done now and says whether anything was. It may be killed anywhere: each step
leaves its files at its end, and does the same again when they are not there. Nothing is decided by the time of day;
when a round closes follows from what was heard (`jinka.clearing.tiers.waited_for`).

For each of the three streams, at each centre: *up* once all children are heard, *down* once the parent is. In between
a city does its own part (`jinka.app.centre_city`); after the last stream the books follow (`jinka.app.centre_books`),
and then the statistics, which only go up.
"""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.centre_arrivals import FILES, Tables, take_arrivals
from jinka.app.centre_books import Crossed, excess_findings, settle_round
from jinka.app.centre_caps import caps_told
from jinka.app.centre_city import City, flows_of, judge_cards, pay, send_abroad
from jinka.app.centre_claims import hold_claims
from jinka.app.centre_config import CentreConfig
from jinka.app.centre_files import ArrivedFiles, Road, RoundFiles, days_of
from jinka.app.centre_founded import Unfounded, hold_unfounded
from jinka.app.centre_lists import listed_here, publish_list
from jinka.app.centre_proof import CityProof
from jinka.app.centre_resend import own_rows, resent_days
from jinka.app.centre_statistics import round_cells
from jinka.app.centre_witness import log_tables
from jinka.clearing.hearing import heard_of
from jinka.clearing.routing import CLAIMS, claims_of, route_records
from jinka.clearing.tiers import waited_for
from jinka.clearing.verdicts import CROSSING, VERDICTS, strangers
from jinka.codec.parcel import Kind
from jinka.keys.audit import withhold
from jinka.kit import Finding, JinkaError, Severity
from jinka.ledger import LedgerEngine
from jinka.settlement import WindowJournal
from jinka.settlement.centre_posting import centre_name
from jinka.store.faults import of_this_machine

STOPPED = "stopped"  # the note of a round that cannot go on
STREAMS = (Kind.RECORDS, Kind.VERDICTS, Kind.POSITIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """One centre with all that its rounds need; ``city`` is None above the cities."""

    folder: Path
    config: CentreConfig
    road: Road
    ledger: LedgerEngine
    city: City | None = None
    suspended: Callable[[], frozenset[str]] = frozenset
    over: set[dt.date] = field(default_factory=set)  # rounds that need nothing more
    windows: WindowJournal | None = None  # with a business-day.toml, rounds are settled by windows
    proof: CityProof | None = None  # a city's signed log
    stopped: dict[dt.date, tuple[int, int]] = field(
        default_factory=dict
    )  # tries of a round, looks until the next
    told: Callable[[Finding], object] = lambda _: None  # who hears at once what stopped a round

    @property
    def arrived(self) -> ArrivedFiles:
        return ArrivedFiles(self.folder)

    @property
    def code(self) -> str:
        return self.config.around.code

    def round(self, date: dt.date) -> RoundFiles:
        return RoundFiles(self.folder, date)

    def advance(self) -> bool:
        """Do what can be done; True when something was."""
        first = self.config.first_date
        moved = take_arrivals(self.folder, self.config.around, self.road, first_date=first)
        for date in self._open_rounds():
            while self.attempt(date, partial(self._step, date)):
                moved = True
        return moved

    def attempt(self, date: dt.date, step: Callable[[], bool]) -> bool:
        """Do a step of a round. What it raises stops this round alone, with a finding, until a later try succeeds.

        Tries come after 1, 2, 4 and at most 1,024 looks. A fault of the machine is raised: nothing else could go on.
        """
        files, (tries, rest) = self.round(date), self.stopped.get(date, (0, 0))
        if rest:
            self.stopped[date] = tries, rest - 1
            return False
        try:
            moved = step()
        except Exception as problem:
            if of_this_machine(problem):
                raise
            self.stopped[date] = tries + 1, 1 << min(tries, 10)
            files.note(STOPPED, (found := round_stopped(date, problem)).as_dict())
            self.told(found)
            return False
        if self.stopped.pop(date, None) or files.noted(STOPPED) is not None:
            files.drop(STOPPED)
        return moved

    def settled(self) -> list[dict[str, Any]]:
        """The summaries of the rounds that are over."""
        found = (self.round(date).noted("settled") for date in days_of(self.folder))
        return [summary for summary in found if summary is not None]

    def _open_rounds(self) -> list[dt.date]:
        """The rounds that have begun and are not over: a city's when its intake is closed, others' when heard of."""
        days = set(days_of(self.folder)) if self.city else set()
        for child in self.config.around.children:
            days |= set(self.arrived.days(child, Kind.RECORDS))
        self.over.update(date for date in days - self.over if self._all_done(date))
        return sorted(days - self.over)

    def _step(self, date: dt.date) -> bool:
        """The first thing of the round that can be done now; False when it has to wait."""
        for kind in STREAMS:
            name = kind.value
            if self.round(date).noted(f"up-{name}") is None:
                return self._up(kind, date)
            if self.round(date).noted(f"down-{name}") is None:
                return self._down(kind, date)
        if self.round(date).noted("settled") is None:
            return self._settle(date)
        return not self._all_done(date) and self._up(Kind.STATISTICS, date)

    def _all_done(self, date: dt.date) -> bool:
        files = self.round(date)
        return None not in (files.noted("settled"), files.noted(f"up-{Kind.STATISTICS.value}"))

    def _up(self, kind: Kind, date: dt.date) -> bool:
        """Close a stream of the round upwards: all that was heard from below, and what is this centre's own to say."""
        around, files, name = self.config.around, self.round(date), kind.value
        if (heard := files.noted(f"heard-{name}")) is None:
            heard = self._heard(kind, date)
            if heard is None:
                return False
            files.note(
                f"heard-{name}", heard
            )  # so that what comes meanwhile is the next round's, also after a kill
        own = self._own(kind, date)
        if own is None:
            return False
        again = self._again(kind, date)
        tables = {}
        for file, (schema, _) in FILES[kind].items():
            parts = [own[file]] if file in own else []
            parts += [one[file] for one in again]
            if file == "heard":
                parts.append(self._heard_here(heard))
            for child, days in sorted(heard.items()):
                parts += [
                    self.arrived.read(child, kind, dt.date.fromisoformat(day), file, schema) for day in days
                ]
            tables[file] = pa.concat_tables([schema.empty_table(), *parts])
            files.write(f"up-{name}-{file}", tables[file])
        if around.parent:
            self.road.send(around.parent, kind, date, self._to(around.parent, kind, tables))
        files.note(f"up-{name}", {file: table.num_rows for file, table in tables.items()})
        return True

    def _again(self, kind: Kind, date: dt.date) -> list[Tables]:
        """What went up in rounds whose parcels the parent refused, and goes up once more with this one."""
        if kind is not Kind.RECORDS or not (parent := self.config.around.parent):
            return []
        found = [
            {
                file: own_rows(self.folder, day, f"up-{kind.value}-{file}", schema)
                for file, (schema, _) in FILES[kind].items()
            }
            for day in resent_days(self.folder, date)
        ]
        return [self._to(parent, kind, tables) for tables in found]

    def _heard(self, kind: Kind, date: dt.date) -> dict[str, list[str]] | None:
        """The days of each child that go into the round; None while one is waited for."""
        around = self.config.around
        days = {child: self.arrived.days(child, kind) for child in around.children}
        last = {child: max(found).toordinal() if found else 0 for child, found in days.items()}
        if waited_for(around, date.toordinal(), last, skipped=self.suspended()):
            return None
        used: dict[str, set[str]] = {child: set() for child in around.children}
        for before in days_of(self.folder):
            for child, names in (self.round(before).noted(f"heard-{kind.value}") or {}).items():
                used[child] |= set(names)
        return {
            child: [day.isoformat() for day in found if day <= date and day.isoformat() not in used[child]]
            for child, found in days.items()
        }

    def _heard_here(self, heard: Mapping[str, Sequence[str]]) -> pa.Table:
        """The children's rounds whose records go on now. A parcel that was parked is not heard in this sense."""
        found: dict[str, list[int]] = {}
        for child, days in heard.items():
            for date in map(dt.date.fromisoformat, days):
                if self.arrived.kept(child, Kind.RECORDS, date, "records"):
                    rode = [day for day, _ in self.arrived.released(child, Kind.RECORDS, date)]
                    found.setdefault(child, []).extend(day.toordinal() for day in (*rode, date))
        return heard_of(found)

    def _down(self, kind: Kind, date: dt.date) -> bool:
        """Pass on what goes below, once the parent has said its part; without one, at once."""
        around, files, name = self.config.around, self.round(date), kind.value
        if around.parent and not self.arrived.has(around.parent, kind, date):
            return False
        tables = {}
        for file, (schema, _) in FILES[kind].items():
            parts = [files.read(f"up-{name}-{file}", schema)]
            if file == "heard" and around.parent:  # that it went on is for the topmost to say
                parts = []
            if around.parent:
                parts.append(self.arrived.read(around.parent, kind, date, file, schema))
            tables[file] = pa.concat_tables(parts)
        for child in sorted(around.children):
            self.road.send(child, kind, date, self._to(child, kind, tables))
        files.note(f"down-{name}", {file: table.num_rows for file, table in tables.items()})
        return True

    def _to(self, neighbour: str, kind: Kind, tables: Tables) -> Tables:
        """The rows that go to one neighbour."""
        return {
            file: route([tables[file]], self.config.around).get(neighbour, schema.empty_table())
            for file, (schema, route) in FILES[kind].items()
        }

    def _own(self, kind: Kind, date: dt.date) -> Tables | None:
        """What this centre itself says in a stream; None when a part of its own has to come first."""
        city, around = self.city, self.config.around
        if city is None:
            if kind is Kind.VERDICTS and not around.parent:  # nobody above to ask
                return {"verdicts": self._strangers(date)}
            return {}
        if self.round(date).noted("intake") is None:
            return None
        if (kind is Kind.VERDICTS and not self._earlier(date, "home")) or (
            kind is Kind.POSITIONS and not self._earlier(date, "paid")
        ):
            return None
        match kind:
            case Kind.RECORDS:
                return {"records": send_abroad(city, date)}
            case Kind.VERDICTS:
                came = self.arrived.read(around.parent, Kind.RECORDS, date, "records", CROSSING)
                verdicts = judge_cards(city, date, [came])
                cards = self.round(date).noted("home")["listed"]
                listed = listed_here(cards, centre=around.code, issuer=city.terms.issuer, date=date)
                return {"verdicts": verdicts, "listed": listed}
            case Kind.STATISTICS:
                return {"cells": round_cells(self.folder, date, city.registry)}
            case _:
                came = self.arrived.read(around.parent, Kind.VERDICTS, date, "verdicts", VERDICTS)
                publish_list(self.folder, around.parent, city.registry, date)
                flows, notice, _ = pay(city, date, [came])
                return {
                    "claims": claims_of(flows, around, round_=date.toordinal()),
                    "deemed": notice,
                }

    def _earlier(self, date: dt.date, name: str) -> bool:
        """Whether all rounds before this one have come so far."""
        return all(self.round(day).noted(name) is not None for day in days_of(self.folder) if day < date)

    def _strangers(self, date: dt.date) -> pa.Table:
        came = self.round(date).read("up-records-records", CROSSING)
        lost = route_records([came], self.config.around).get("")
        return VERDICTS.empty_table() if lost is None else strangers(lost)

    def _settle(self, date: dt.date) -> bool:
        """The books of the round. Rounds are settled in their order."""
        files = self.round(date)
        if files.noted("settled") is not None or not self._earlier(date, "settled"):
            return False
        claims = self._claims(date)
        unfounded = hold_unfounded(
            self.folder, date, claims, self.config.around,
            issuer=self.city.terms.issuer if self.city else "", fees=self.config.rules.fees,
        )  # fmt: skip
        findings: list[Any] = []
        if self.city is None:
            crossed = Crossed(own_flows=(), claims=claims, excess=unfounded.home)
        else:
            crossed, findings = self._city_books(self.city, date, claims, unfounded)
        findings += _found(unfounded)
        halted = frozenset(map(centre_name, self.suspended()))
        summary = settle_round(
            self.ledger, self.config, date, crossed, windows=self.windows, suspended=halted
        )
        if self.proof is not None:
            findings = [*findings, *(finding.as_dict() for finding in self.proof.publish(date))]
            self.road.send(self.config.around.parent, Kind.STATEMENTS, date, log_tables(self.folder))
        files.note("settled", summary | {"findings": [*summary["findings"], *findings]})
        for child, table in caps_told(self.config, summary):
            self.road.send(child, Kind.LISTS, date, {"caps": table})
        return True

    def _city_books(
        self, city: City, date: dt.date, claims: pa.Table, unfounded: Unfounded
    ) -> tuple[Crossed, list[Any]]:
        issuer, files = city.terms.issuer, self.round(date)
        held = hold_claims(self.folder, date, claims, issuer=issuer, parent=self.config.around.parent)
        opening = self._opening(city, date)
        findings = [finding.as_dict() for finding in excess_findings(held.excess)]
        findings += (files.noted("paid") or {"findings": []})["findings"]
        return (
            Crossed(
                own_flows=flows_of(files), claims=claims, excess=[*held.excess, *unfounded.home], opening=opening,
                rejected_late={issuer: held.rejected_late} if held.rejected_late else {},
                suspense=(files.noted("home") or {"suspense": 0})["suspense"],
            ),
            findings,
        )  # fmt: skip

    def _opening(self, city: City, date: dt.date) -> int | None:
        """What the cards hold when the books begin, in the one round that posts it, whatever day comes after."""
        notes = [(day, self.round(day).noted("opening")) for day in days_of(self.folder)]
        begun = {day: amount for day, amount in notes if amount is not None}
        if not begun and not self.settled():
            begun[date] = sum(city.registry.cards["opening_balance"].to_pylist())
            self.round(date).note("opening", begun[date])
        return begun.get(date)

    def _claims(self, date: dt.date) -> pa.Table:
        """All claims of a round that concern these books: those from below, from above, and this centre's own."""
        around, parts = self.config.around, [self.round(date).read("up-positions-claims", CLAIMS)]
        if around.parent:
            parts.append(self.arrived.read(around.parent, Kind.POSITIONS, date, "claims", CLAIMS))
        return pa.concat_tables(parts)


def round_stopped(date: dt.date, problem: Exception) -> Finding:
    """The finding for a step that raised: what, and in which line of ours."""
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if "jinka" in frame.filename]
    at = f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = str(problem) if isinstance(problem, JinkaError) else f"{type(problem).__name__}: {problem}"
    return Finding(
        code="ROUND_STOPPED", severity=Severity.ERROR, where=f"round {date}{at}", what=withhold(text, 400),
        fix="mend what it names; the round goes on by itself, and with it those that build on it",
    )  # fmt: skip


def _found(unfounded: Unfounded) -> list[Any]:
    found = [*excess_findings(unfounded.home), *excess_findings(unfounded.passing, passing=True)]
    return [finding.as_dict() for finding in found]


__all__ = ["STOPPED", "STREAMS", "Centre"]
