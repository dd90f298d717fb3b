"""The operator's business day as one file: calendar, cycles, caps, and the rules of silence and lists.

TOML, strict on the way in, with the place of what is wrong; docs/business-day.md shows the whole of it. Reads text that
the caller gives; fees have a file of their own (`jinka.clearing.fees_file`).
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from jinka.kit import JinkaError, Usage
from jinka.settlement.calendar import CHINA, EVERY_DAY, Calendar
from jinka.settlement.caps import NetDebitCap, OnBreach, cap_table
from jinka.settlement.cutover import Schedule, minutes_of
from jinka.settlement.deadlines import ListRule, SilenceRule

PAGE = "docs/business-day.md"
FILE_MAX = 1 << 20
BASES: Mapping[str, Calendar] = {
    "china": CHINA,
    "every-day": EVERY_DAY,
    "weekdays": Calendar(code="weekdays"),
}
_SCHEDULE = {
    "code", "title_en", "title_zh", "zone", "cut_over", "settle", "grace_minutes", "late_days", "business_days_only",
    "first_cycle", "participants",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDayFile:
    """What the file says. ``schedules`` are in its order; the last one, without participants, is for all others."""

    calendar: Calendar
    schedules: tuple[Schedule, ...]
    participants: Mapping[
        str, tuple[str, ...]
    ]  # of a schedule: codes, or beginnings of codes that end with "*"
    caps: Mapping[str, NetDebitCap]
    silence: SilenceRule | None
    lists: ListRule | None

    def schedule_of(self, payee: str) -> Schedule:
        """The chain of windows that pays a participant: the first that names it, or the one for all others."""
        for schedule in self.schedules:
            names = self.participants[schedule.code]
            if not names or any(_named(name, payee) for name in names):
                return schedule
        raise Usage("is in no schedule", where=f"schedule: {payee}", fix="end with one for all others")


def read_business_day(text: str) -> BusinessDayFile:
    """Read the file; raises `Usage` with the place of what is wrong."""
    if len(text.encode()) > FILE_MAX:
        raise Usage(f"more than {FILE_MAX} bytes", where="business day", fix=f"see {PAGE}")
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Usage(f"not TOML: {error}", where="business day", fix="correct the file") from None
    _only(raw, {"calendar", "schedule", "cap", "silence", "lists"}, "business day")
    calendar = _calendar(raw.get("calendar", {}))
    rows = _list(raw.get("schedule", []), "schedule")
    schedules, participants = [], {}
    for place, row in enumerate(rows, 1):
        schedule, names = _schedule(row, f"schedule {place}", calendar)
        if schedule.code in participants:
            raise Usage("stands twice", where=f"schedule.{schedule.code}", fix="give it another code")
        schedules.append(schedule)
        participants[schedule.code] = names
    _check_chains(schedules, participants)
    return BusinessDayFile(
        calendar=calendar,
        schedules=tuple(schedules),
        participants=participants,
        caps=cap_table(
            _cap(row, f"cap {place}") for place, row in enumerate(_list(raw.get("cap", []), "cap"), 1)
        ),
        silence=_silence(raw["silence"], calendar) if "silence" in raw else None,
        lists=_lists(raw["lists"]) if "lists" in raw else None,
    )


def _check_chains(schedules: list[Schedule], participants: Mapping[str, tuple[str, ...]]) -> None:
    if not schedules:
        raise Usage("no schedule", where="schedule", fix="[[schedule]] with code and zone")
    *first, last = (participants[schedule.code] for schedule in schedules)
    if last or not all(first):
        raise Usage("the last one, and only it, is for all others", where="schedule.participants")
    spans = sorted((s.first_cycle, s.first_cycle + len(s.cut_overs), s.code) for s in schedules)
    for (_, end, code), (begin, _, other) in pairwise(spans):
        if begin < end:
            raise Usage(
                f"numbers its cycles as {code} does",
                where=f"schedule.{other}.first_cycle",
                fix="give each schedule cycles of its own, such as 1 and 101",
            )


def _calendar(row: object) -> Calendar:
    row = _only(row, {"base", "year"}, "calendar")
    base = row.get("base", "every-day")
    if base not in BASES:
        raise Usage(f"no calendar {base!r}", where="calendar.base", fix=", ".join(BASES))
    calendar = BASES[base]
    for place, year in enumerate(_list(row.get("year", []), "calendar.year"), 1):
        where = f"calendar.year {place}"
        table = _only(year, {"year", "off", "work", "source"}, where)
        number = table.get("year")
        if type(number) is not int or not 2000 <= number <= 2099:
            raise Usage("not a year", where=f"{where}.year", fix="2000 to 2099")
        off, work = _dates(table, "off", where), _dates(table, "work", where)
        source = _text(table, "source", where)
        years = [number] if calendar.years else []  # a calendar without years knows all of them
        with _within(where):
            calendar = calendar.with_days(years=years, off=off, work=work, source=source)
        if any(day.year != number for day in (*off, *work)):
            raise Usage("a day of another year", where=where, fix=f"only days of {number}")
    return calendar


def _schedule(row: object, where: str, calendar: Calendar) -> tuple[Schedule, tuple[str, ...]]:
    table = _only(row, _SCHEDULE, where)
    cuts = table.get("cut_over", ["24:00"])
    texts = [cuts] if isinstance(cuts, str) else _list(cuts, f"{where}.cut_over")
    if not all(isinstance(text, str) for text in texts):
        raise Usage("not times in quotes", where=f"{where}.cut_over", fix='["14:00", "24:00"]')
    names = tuple(_list(table.get("participants", []), f"{where}.participants"))
    if not all(isinstance(name, str) and name and "*" not in name[:-1] for name in names):
        raise Usage("not codes", where=f"{where}.participants", fix='"op.sz.bus", or "taxi.*"')
    only = table.get("business_days_only", False)
    if type(only) is not bool:
        raise Usage("not true or false", where=f"{where}.business_days_only")
    with _within(where):
        schedule = Schedule(
            code=_text(table, "code", where),
            title_en=_text(table, "title_en", where, ""),
            title_zh=_text(table, "title_zh", where, ""),
            zone=_text(table, "zone", where),
            cut_overs=tuple(minutes_of(text, where=f"{where}.cut_over") for text in texts),
            calendar=calendar,
            settle_days=_settle(table.get("settle", "T+1"), f"{where}.settle"),
            grace_minutes=_whole(table, "grace_minutes", where, 0),
            late_days=_whole(table, "late_days", where, 30),
            business_days_only=only,
            first_cycle=_whole(table, "first_cycle", where, 1),
        )
    return schedule, names


def _settle(text: object, where: str) -> int:
    if isinstance(text, str) and text.startswith("T+") and text[2:].isascii() and text[2:].isdigit():
        return int(text[2:][:4])
    raise Usage(f"not {text!r}", where=where, fix='"T+0", "T+1" ...')


def _cap(row: object, where: str) -> NetDebitCap:
    table = _only(row, {"participant", "limit_minor", "on_breach"}, where)
    rule = table.get("on_breach", OnBreach.WAIT.value)
    if rule not in {one.value for one in OnBreach}:
        raise Usage(f"not {rule!r}", where=f"{where}.on_breach", fix="wait or officer")
    limit = table.get("limit_minor")
    if type(limit) is not int:
        raise Usage("no amount", where=f"{where}.limit_minor", fix="a whole number of minor units")
    name = _text(table, "participant", where)
    with _within(where):
        return NetDebitCap(participant=name, limit=limit, on_breach=OnBreach(rule))


def _silence(row: object, calendar: Calendar) -> SilenceRule:
    table = _only(row, {"days"}, "silence")
    return SilenceRule(days=_whole(table, "days", "silence", None), calendar=calendar)


def _lists(row: object) -> ListRule:
    table = _only(row, {"grace_minutes"}, "lists")
    return ListRule(grace_minutes=_whole(table, "grace_minutes", "lists", None))


def _named(name: str, code: str) -> bool:
    return code.startswith(name[:-1]) if name.endswith("*") else code == name


@contextmanager
def _within(where: str) -> Iterator[None]:
    """What a value refuses is refused at its place in the file."""
    try:
        yield
    except JinkaError as problem:
        if problem.where.startswith(where):
            raise
        raise Usage(problem.what, where=f"{where}: {problem.where}", fix=problem.fix) from None


def _only(given: object, known: set[str], where: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise Usage("not a table", where=where, fix=f"see {PAGE}")
    if unknown := sorted(given.keys() - known):
        raise Usage(f"unknown: {unknown[0]}", where=where, fix=f"{', '.join(sorted(known))}; see {PAGE}")
    return given


def _list(given: object, where: str) -> list[Any]:
    if not isinstance(given, list) or len(given) > 10_000:
        raise Usage("not a list of at most 10000", where=where, fix=f"see {PAGE}")
    return given


def _text(row: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    value = row.get(name, default)
    if not isinstance(value, str) or len(value) > 200 or (default is None and not value):
        raise Usage("not a text of 1 to 200 characters", where=f"{where}.{name}")
    return value


def _whole(row: Mapping[str, Any], name: str, where: str, default: int | None) -> int:
    value = row.get(name, default)
    if type(value) is not int:
        raise Usage(f"not a whole number: {value!r}", where=f"{where}.{name}")
    return value


def _dates(row: Mapping[str, Any], name: str, where: str) -> list[dt.date]:
    days = _list(row.get(name, []), f"{where}.{name}")
    for day in days:
        if type(day) is not dt.date:
            raise Usage(f"no date: {day!r}", where=f"{where}.{name}", fix="2027-01-01, without quotes")
    return days
