"""`jinka window`: the settlement windows of a folder, by its `business-day.toml`.

A window takes claims from a table (CSV) of ``reference,kind,payer,payee,amount_minor``, or from a cleared day
(`window_day`). The folder keeps them::

    business-day.toml     calendar, cycles and caps, see docs/business-day.md
    windows.db            the windows' journal and their ledger; those of its own where the folder is a centre's

The clock is read here and nowhere below; ``at`` names another moment, as a local time of the schedule's zone.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.centre_config import FILE as CENTRE_FILE
from jinka.app.centre_config import read_config
from jinka.app.window_day import day_flows
from jinka.clearing import Flow, LineKind
from jinka.kit import Finding, NotFound, Refused, Usage, check_minor, make_id, utc_micros
from jinka.node import FolderLock, file_errors
from jinka.settlement import (
    BusinessDayFile,
    Claim,
    Schedule,
    Slot,
    WindowDesk,
    WindowEvent,
    claims_of,
    read_business_day,
)
from jinka.settlement.posting import flow_entry
from jinka.store import SqlLedger, SqlWindows, database_at

FILE = "business-day.toml"
_COLUMNS = ["reference", "kind", "payer", "payee", "amount_minor"]
_CLAIMS_MAX = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowView:
    """A window for whoever asks; ``as_dict`` is its JSON."""

    desk: WindowDesk
    schedule: Schedule
    slot: Slot | None
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        window, key = self.desk.window, self.desk.window.key
        settles = None if self.slot is None else self.schedule.settles_on(self.slot).isoformat()
        return {
            "window": key.name,
            "state": window.state.value[0],
            "business_date": key.day.date.isoformat(),
            "cycle": key.day.cycle,
            "settles_on": settles,
            "claims": len(window.claims),
            "positions": dict(window.admission.positions),
            "waiting": [
                {
                    "claim": row.claim.id.hex(),
                    "payer": row.claim.payer,
                    "payee": row.claim.payee,
                    "amount_minor": row.claim.amount,
                    "reason": row.reason.value,
                    "participant": row.participant,
                }
                for row in window.admission.waiting
            ],
            "breaches": [
                {
                    "participant": row.participant,
                    "owed_minor": row.owed,
                    "limit_minor": row.limit,
                    "approved": row.participant not in window.unapproved(),
                }
                for row in window.admission.breaches
            ],
            "suspended": sorted(window.suspended),
            "orders": [order.as_row() for order in self.desk.orders()],
            "findings": [finding.as_dict() for finding in self.findings],
        }


class WindowOffice:
    """One chain of windows in a folder, with its rules and its clock."""

    def __init__(
        self, folder: Path, desk: WindowDesk, rules: BusinessDayFile, schedule: Schedule, centre: str
    ) -> None:
        self._folder, self._desk, self._rules = folder, desk, rules
        self._schedule, self._centre = schedule, centre

    def open(self, at: str | None, cycle: int | None) -> WindowView:
        """Open the next window: that of the cycle that runs, unless an officer names another number."""
        slot = self._schedule.at(self._moment(at))
        day = slot.day
        if cycle is not None:
            day = type(day)(date=day.date, zone=day.zone, cycle=cycle, unit=day.unit)
        self._desk.open(day)
        return self.view()

    def take(self, path: Path, at: str | None) -> WindowView:
        """Take the claims of a table, or of a cleared day's folder; those that are here already stay as they are."""
        slot, now = self._slot(), self._moment(at)
        if slot is not None and now >= slot.closes:
            raise Refused(
                "its cycle and the time for late files are over",
                where=f"window {self._desk.window.key.name}",
                fix="close it and open the next one: the claims belong there",
            )
        if path.is_dir():
            day, flows, findings = day_flows(self._folder, path)
            return self.view([*findings, *self._desk.take(claims_of(day, flows), at_micros=now)])
        claims = read_claims(path, centre=self._centre, at_micros=self._desk.window.key.day.micros)
        return self.view(self._desk.take(claims, at_micros=now))

    def close(self, at: str | None, *, early: bool) -> WindowView:
        slot, now = self._slot(), self._moment(at)
        if slot is not None and now < slot.closes and not early:
            raise Refused(
                "late files may still come for it",
                where=f"window {self._desk.window.key.name}",
                fix="wait, or close it with --early",
            )
        return self.view(self._desk.close(self._rules.caps.values(), at_micros=now))

    def hold(self, at: str | None) -> WindowView:
        return self.view(self._desk.hold(at_micros=self._moment(at)))

    def settle(self, at: str | None) -> WindowView:
        return self.view(self._desk.settle(at_micros=self._moment(at)))

    def by_officer(
        self, event: WindowEvent, at: str | None, *, officer: str, reason: str, participant: str = ""
    ) -> WindowView:
        return self.view(
            self._desk.by_officer(
                event, at_micros=self._moment(at), officer=officer, reason=reason, participant=participant
            )
        )

    def view(self, findings: list[Finding] | None = None) -> WindowView:
        said = (*self._desk.recovered, *(findings or []))
        return WindowView(desk=self._desk, schedule=self._schedule, slot=self._slot(), findings=said)

    def _slot(self) -> Slot | None:
        """The cycle of the newest window; None for one whose number an officer chose."""
        day = self._desk.window.key.day
        place = day.cycle - self._schedule.first_cycle
        return self._schedule.slot(day.date, place) if 0 <= place < len(self._schedule.cut_overs) else None

    def _moment(self, at: str | None) -> int:
        if at is None:
            return time.time_ns() // 1_000
        try:
            moment = dt.datetime.fromisoformat(at)
        except ValueError:
            raise Usage(f"no moment: {at!r}", where="--at", fix="2026-11-20T23:30, local time") from None
        if moment.tzinfo is not None:
            raise Usage("has a zone", where="--at", fix=f"the local time of {self._schedule.zone}")
        return utc_micros(moment, self._schedule.zone)


@contextmanager
def window_office(folder: Path, *, centre: str, chain: str | None) -> Iterator[WindowOffice]:
    """Open the windows of a folder; raises `NotFound`, `Usage`, and `Refused` while somebody else is at them."""
    path = folder / FILE
    if not path.is_file():
        raise NotFound("no such file", where=str(path), fix="write it; see docs/business-day.md")
    with file_errors(path):
        rules = read_business_day(decoded(path.read_bytes(), path))
    names = [schedule.code for schedule in rules.schedules]
    schedule = rules.schedules[-1]
    if chain is not None:
        if chain not in names:
            raise NotFound(f"no schedule {chain!r}", where=str(path), fix=", ".join(names))
        schedule = rules.schedules[names.index(chain)]
    places = (folder / "centre.db", folder / "centre" / "centre.db", folder / "windows.db")
    where = next((place for place in places if place.exists()), places[-1])
    funds = centre
    if (folder / CENTRE_FILE).is_file():
        config = read_config(folder)
        centre = config.around.code
        funds = centre if config.city is None else config.city.issuer
    with file_errors(folder), FolderLock(folder), database_at(where) as database:
        desk = WindowDesk(
            SqlWindows(database), SqlLedger(database), centre=centre, chain=schedule.code, funds=funds
        )
        yield WindowOffice(folder, desk, rules, schedule, centre)


def read_claims(path: Path, *, centre: str, at_micros: int) -> list[Claim]:
    """Read a table of claims; raises `NotFound` and `Usage` with the line that is wrong."""
    with file_errors(path):
        if not path.is_file():
            raise NotFound("no such file", where=str(path), fix="name a CSV file of claims")
        if path.stat().st_size > _CLAIMS_MAX:
            raise Usage("too large", where=str(path), fix=f"at most {_CLAIMS_MAX >> 20} MiB; split it")
        text = decoded(path.read_bytes(), path)
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    kinds = {kind.value: kind for kind in LineKind}
    claims: list[Claim] = []
    seen: set[str] = set()
    try:
        if next(rows, None) != _COLUMNS:
            raise Usage("other columns", where=f"{path}:1", fix=",".join(_COLUMNS))
        for row in rows:
            where = f"{path}:{rows.line_num}"
            if len(row) != len(_COLUMNS):
                raise Usage(f"{len(row)} fields", where=where, fix=",".join(_COLUMNS))
            reference, kind, payer, payee, amount = row
            if kind not in kinds:
                raise Usage(f"no kind {kind!r}", where=where, fix=", ".join(kinds))
            if not (amount.isascii() and amount.isdigit() and len(amount) < 20):
                raise Usage(f"no amount: {amount!r}", where=where, fix="a whole number of minor units")
            if not reference or not payer or not payee or reference in seen:
                raise Usage("reference, payer and payee, and each reference once", where=where)
            seen.add(reference)
            minor = check_minor(int(amount), where=where)
            entry = flow_entry(Flow(kind=kinds[kind], payer=payer, payee=payee, amount=minor))
            claims.append(
                Claim(
                    id=make_id("jinka.window.claim", centre, reference), number=len(claims) + 1, debit=entry.debit,
                    credit=entry.credit, amount=minor, code=entry.code, at_micros=at_micros,
                )
            )  # fmt: skip
    except csv.Error as error:
        raise Usage(f"no CSV: {error}", where=f"{path}:{rows.line_num}", fix="correct the line") from None
    return claims


def decoded(raw: bytes, path: Path) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Usage(f"not UTF-8: byte {error.start}", where=str(path), fix="save it as UTF-8") from None
