"""When the switch's business date ends: at a time of day in the region's zone, or by command; and which one it is now.

A date that began is in the journal, so a restart does not go back to the day before. Without a time in the file a date
ends by command alone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinka.kit import Clock, Usage, parse_date
from jinka.node.switch_runner import SwitchRunner
from jinka.store import SwitchJournal
from jinka.switch import CutOver
from jinka.switch.core import day_id

_ZONE = "Asia/Shanghai"
_LOOK_S = 20.0  # the clock may be set, and the machine may sleep
_AHEAD = 10  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class CutTime:
    """``at`` is None where a date ends by command alone."""

    at: dt.time | None
    zone: ZoneInfo

    def date_at(self, micros: int) -> str:
        """The business date of a moment, UTC."""
        local = dt.datetime.fromtimestamp(micros / 1_000_000, self.zone)
        later = self.at is not None and local.time() >= self.at
        return (local.date() + dt.timedelta(days=later)).isoformat()

    def seconds_until(self, micros: int) -> float:
        """How long until the next end of a date."""
        local = dt.datetime.fromtimestamp(micros / 1_000_000, self.zone)
        end = dt.datetime.combine(local.date(), self.at or dt.time(), self.zone)
        if end <= local:
            end += dt.timedelta(days=1)
        return end.timestamp() - local.timestamp()


def read_cut_time(at: str, zone: str) -> CutTime:
    """``HH:MM`` and a zone's name, or nothing; raises `Usage`."""
    try:
        time = dt.time.fromisoformat(at) if at else None
        return CutTime(at=time, zone=ZoneInfo(zone or _ZONE))
    except (ValueError, ZoneInfoNotFoundError):
        raise Usage(
            f"no time {at!r} in {zone!r}", where="switch.cut_over", fix="23:00 and Asia/Shanghai"
        ) from None


def current_date(fixed: str, cut: CutTime, journal: SwitchJournal, micros: int) -> str:
    """The business date to begin with: the file's or the clock's, or a later one that the journal has begun."""
    first = parse_date(fixed or cut.date_at(micros), where="switch.business_date")
    later = [(first + dt.timedelta(days=days)).isoformat() for days in range(1, _AHEAD)]
    begun = [date for date in later if journal.find(day_id(date)) is not None]
    return begun[-1] if begun else first.isoformat()


async def keep_days(runner: SwitchRunner, cut: CutTime, clock: Clock) -> None:
    """Cut over whenever the time has come."""
    while cut.at is not None:
        now = clock.now_micros()
        date = cut.date_at(now)
        if date > runner.core.board.business_date:
            runner.post(CutOver(business_date=date))
        await asyncio.sleep(min(_LOOK_S, cut.seconds_until(now) + 0.01))
