"""Under what conditions things were kept: sensor reports against limits, and the seals of containers.

EPCIS 2.0, 7.3.7 (sensor elements). An excursion runs from the first report outside a limit to the first one inside; how
long it was, is known only between reports, so it is taken as long as it may have been. Reports that are further apart
than a limit allows leave a gap, in which nobody knows. Statistics of an interval (minimum, maximum) count for all of
it. Measures in different units are compared in their base unit; one of another dimension says nothing of a limit.

A seal is read as a report with a string value (`SEAL`) that names it: applied, seen, broken. Whether goods are still
good is for whoever knows them: here is how far outside and how long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from jinka.codec.epcis import Event, SensorElement, SensorReport
from jinka.codec.epcis.units import scaled
from jinka.kit import Usage

TEMPERATURE = "https://gs1.org/voc/Temperature"
SEAL = "urn:jinka:sensor:seal"  # `bizRules` of a report whose string value is a seal's number
MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a property may be: from ``low`` to ``high`` (None: open), outside for at most ``outside_us`` at a time.

    ``gap_us``: how far reports may be apart before nobody knows what was between them.
    """

    name: str
    type: str
    low: Decimal | None
    high: Decimal | None
    uom: str
    outside_us: int = 0
    gap_us: int = 60 * MINUTE_US

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise Usage("a limit without a bound", where=self.name, fix="low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise Usage("its low bound is above its high one", where=self.name)


class Reading(NamedTuple):
    """What was measured from ``since_us`` to ``until_us``, lowest and highest, in the base unit of its dimension."""

    since_us: int
    until_us: int
    low: float
    high: float
    dimension: str
    device: str
    event: int
    alarm: bool


class Excursion(NamedTuple):
    """Outside a limit. ``worst`` in the limit's base unit; ``breach``: longer than the limit allows."""

    limit: str
    since_us: int
    until_us: int
    worst: float
    events: tuple[int, ...]
    breach: bool
    open: bool  # no report inside came after it


class Gap(NamedTuple):
    """No report for longer than a limit allows."""

    limit: str
    since_us: int
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one limit was kept."""

    limit: Limit
    readings: int
    lowest: float | None
    highest: float | None
    excursions: tuple[Excursion, ...]
    gaps: tuple[Gap, ...]
    unread: int  # reports of the property in another dimension

    @property
    def kept(self) -> bool:
        """Kept for all that is known."""
        return not any(each.breach for each in self.excursions)


def judge_limit(limit: Limit, events: Sequence[tuple[int, Event]]) -> Course:
    """Hold the numbered events of a thing (or of what it lay in) to a limit."""
    dimension = scaled(Decimal(0), limit.uom).dimension
    found = [reading for number, event in events for reading in readings_of(event, limit.type, number)]
    own = sorted(reading for reading in found if reading.dimension == dimension)
    low = None if limit.low is None else scaled(limit.low, limit.uom).value
    high = None if limit.high is None else scaled(limit.high, limit.uom).value
    gaps = tuple(
        Gap(limit.name, before.until_us, after.since_us)
        for before, after in pairwise(own)
        if after.since_us - before.until_us > limit.gap_us
    )
    return Course(
        limit=limit, readings=len(own), lowest=min((r.low for r in own), default=None),
        highest=max((r.high for r in own), default=None), excursions=tuple(_excursions(limit, own, low, high)),
        gaps=gaps, unread=len(found) - len(own),
    )  # fmt: skip


def readings_of(event: Event, kind: str, number: int = 0) -> Iterable[Reading]:
    """The reports of a property in an event."""
    for sensor in event.sensors:
        for report in sensor.reports:
            if report.type == kind and report.component is None:
                bounds = _bounds(report)
                if bounds is not None:
                    since, until = _times(event, sensor, report)
                    low, high = (scaled(bound, report.uom or "") for bound in bounds)
                    alarm = (report.exception or "").endswith("ALARM_CONDITION")
                    device = (
                        report.device_id or (sensor.metadata.device_id if sensor.metadata else None) or ""
                    )
                    yield Reading(since, until, low.value, high.value, low.dimension, device, number, alarm)


def _bounds(report: SensorReport) -> tuple[Decimal, Decimal] | None:
    known = [
        v for v in (report.value, report.min_value, report.max_value, report.mean_value) if v is not None
    ]
    return (min(known), max(known)) if known else None


def _times(event: Event, sensor: SensorElement, report: SensorReport) -> tuple[int, int]:
    """From when until when a report counts: its own time before its element's before the event's."""
    if report.time_us is not None:
        return report.time_us, report.time_us
    metadata = sensor.metadata
    if metadata is not None:
        if metadata.start_time_us is not None and metadata.end_time_us is not None:
            return metadata.start_time_us, max(metadata.start_time_us, metadata.end_time_us)
        if metadata.time_us is not None:
            return metadata.time_us, metadata.time_us
    return event.event_time_us, event.event_time_us


def _excursions(
    limit: Limit, readings: Sequence[Reading], low: float | None, high: float | None
) -> list[Excursion]:
    made: list[Excursion] = []
    begun: list[Reading] = []

    def close(until: int, *, still_open: bool) -> None:
        since = begun[0].since_us
        worst = max(begun, key=lambda r: _outside(r, low, high))
        value = worst.high if high is not None and worst.high > high else worst.low
        events = tuple(dict.fromkeys(r.event for r in begun))
        made.append(
            Excursion(limit.name, since, until, value, events, until - since > limit.outside_us, still_open)
        )
        begun.clear()

    for reading in readings:
        if _outside(reading, low, high) > 0:
            begun.append(reading)
        elif begun:
            close(reading.since_us, still_open=False)
    if begun:
        close(max(r.until_us for r in begun), still_open=True)
    return made


def _outside(reading: Reading, low: float | None, high: float | None) -> float:
    over = reading.high - high if high is not None else 0.0
    under = low - reading.low if low is not None else 0.0
    return max(over, under, 0.0)


class SealSign(Enum):
    """What is wrong with a container's seal: (value, Chinese)."""

    CHANGED = ("another seal than before", "封志号与前次不符")
    MISSING = ("opened and not sealed again", "开箱后未重新施封")
    UNSEALED = ("shipped without a seal", "无封志发运")


class SealFault(NamedTuple):
    """A fault and the event that shows it."""

    sign: SealSign
    at_us: int
    event: int
    before: str
    now: str


_CBV = "https://ref.gs1.org/cbv/"
_OPENING = frozenset(
    f"{_CBV}BizStep-{word}" for word in ("unpacking", "unloading", "packing", "loading", "inspecting")
)
_LEAVING = frozenset(f"{_CBV}BizStep-{word}" for word in ("shipping", "departing"))


def seals_of(event: Event) -> list[str]:
    """The numbers of the seals that an event reports."""
    return [
        report.string_value
        for sensor in event.sensors
        for report in sensor.reports
        if report.biz_rules == SEAL and report.string_value
    ]


def judge_seals(events: Sequence[tuple[int, Event]]) -> list[SealFault]:
    """Hold the numbered events of a container to its seals: a seal changes only where the container was opened."""
    made: list[SealFault] = []
    seal, opened, ever = "", False, False
    for number, event in sorted(events, key=lambda pair: (pair[1].event_time_us, pair[0])):
        at = event.event_time_us
        opened = opened or event.biz_step in _OPENING
        seen = seals_of(event)
        if seen:
            if seal and seen[-1] != seal and not opened:
                made.append(SealFault(SealSign.CHANGED, at, number, seal, seen[-1]))
            seal, opened, ever = seen[-1], False, True
        elif event.biz_step in _LEAVING:
            if ever and opened:
                made.append(SealFault(SealSign.MISSING, at, number, seal, ""))
            elif not ever:
                made.append(SealFault(SealSign.UNSEALED, at, number, "", ""))
    return made
