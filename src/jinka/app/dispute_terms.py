"""``disputes.toml`` in a folder of disputes: its scheme's fees, days and calendar; docs/disputes.md shows it.

Without the file the tables' own days and fees hold, with the State Council's calendar in the years that are known and
Monday to Friday in others.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.parts_file import only
from jinka.clearing.dispute import OpenDay, Terms, weekday
from jinka.clearing.dispute_tables import TABLES
from jinka.clearing.dispute_words import Event, Machine, State, by_word
from jinka.kit import MAX_MINOR, Refused, Usage
from jinka.node import file_errors
from jinka.settlement.business_day_file import read_business_day
from jinka.settlement.calendar import CHINA

FILE = "disputes.toml"
PAGE = "docs/disputes.md"
DAYS_MAX = 1_000
_SIZE_MAX = 1 << 20
_FEES = {"retrieval_fen": "retrieval_fee", "arbitration_fen": "arbitration_fee"}
_ROW = {"machine", "state", "event", "days"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRules:
    """What a folder's scheme says of its disputes."""

    terms: Terms
    is_open: OpenDay


def business_day(date: dt.date) -> bool:
    """By the State Council's calendar in the years that are known, else Monday to Friday."""
    return CHINA.is_business_day(date) if date.year in CHINA.years else weekday(date)


def read_dispute_rules(folder: Path) -> DisputeRules:
    """Read the folder's file, or the defaults; raises `Usage` with the place of what is wrong."""
    path = folder / FILE
    if not path.exists():
        return DisputeRules(terms=Terms(), is_open=business_day)
    try:
        raw = tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix=f"see {PAGE}") from None
    only(raw, {"business_day", "fees", "days"}, FILE, PAGE)
    given = raw.get("fees", {})
    only(given, set(_FEES), "fees", PAGE)
    fees = {_FEES[name]: _number(fee, f"fees.{name}", 0, MAX_MINOR) for name, fee in given.items()}
    rows = raw.get("days", [])
    if not isinstance(rows, list):
        raise Usage("not a list", where="days", fix="[[days]] with machine, state, event and days")
    days = dict(_days(row, f"days {place}") for place, row in enumerate(rows, 1))
    is_open: Callable[[dt.date], bool] = business_day
    if "business_day" in raw:
        is_open = read_business_day(_text(path.parent / str(raw["business_day"]))).calendar.is_business_day
    return DisputeRules(terms=Terms(days=days, **fees), is_open=is_open)


def _days(row: object, where: str) -> tuple[tuple[Machine, State, Event], int]:
    only(row, _ROW, where, PAGE)
    table: Mapping[str, Any] = row if isinstance(row, dict) else {}
    machine = by_word(Machine, str(table.get("machine")), where="machine")
    state = by_word(State, str(table.get("state")), where="state")
    event = by_word(Event, str(table.get("event", Event.DEADLINE.word)), where="event")
    step = TABLES[machine].find(state, event)
    if step is None or not (event is Event.DEADLINE or state is State.START):
        raise Usage(
            f"{state.word} has no days for {event.word}", where=where, fix="a deadline, or what is opened"
        )
    return (machine, state, event), _number(table.get("days"), f"{where}.days", 1, DAYS_MAX)


def _number(value: object, where: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Usage(f"not a number: {value!r}", where=where, fix=f"{least} to {most}")
    return value


def _text(path: Path) -> str:
    with file_errors(path):
        if path.stat().st_size > _SIZE_MAX:
            raise Refused(f"larger than {_SIZE_MAX} bytes", where=str(path), fix=f"see {PAGE}")
        raw = path.read_bytes()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Usage("not UTF-8", where=str(path), fix=f"see {PAGE}") from None
