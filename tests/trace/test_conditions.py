"""Limits and seals. Goal: an excursion is never shorter than it was, and a gap is told. Method: series by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from jinka.codec.epcis import Event, SensorElement, SensorMetadata, SensorReport
from jinka.kit import Usage
from jinka.trace.conditions import (
    MINUTE_US,
    SEAL,
    TEMPERATURE,
    Course,
    Limit,
    SealSign,
    judge_limit,
    judge_seals,
)
from tests.trace.chains import CBV, HOUR_US, case, seen

COLD = Limit(
    name="cold", type=TEMPERATURE, low=Decimal(2), high=Decimal(8), uom="CEL", outside_us=30 * MINUTE_US
)


def _at(minute: int, value: object, uom: str = "CEL", **more: object) -> Event:
    report = SensorReport(type=TEMPERATURE, value=Decimal(str(value)), uom=uom, device_id="urn:d:1", **more)  # type: ignore[arg-type]
    event = seen(0, "sensor_reporting", 1, case(1))
    return replace(event, event_time_us=minute * MINUTE_US, sensors=(SensorElement(reports=(report,)),))


def _judge(*events: Event, limit: Limit = COLD) -> Course:
    return judge_limit(limit, list(enumerate(events, 1)))


def test_kept_all_the_time() -> None:
    course = _judge(_at(0, 4), _at(30, 2), _at(60, 8))
    assert course.kept
    assert not course.excursions
    assert not course.gaps
    assert (course.readings, course.lowest, course.highest) == (3, 275.15, 281.15)


def test_an_excursion_lasts_until_a_report_inside() -> None:
    course = _judge(_at(0, 4), _at(20, 9), _at(40, 11), _at(55, 7), _at(80, 8.5), _at(100, 5))
    long, short = course.excursions
    assert (long.since_us, long.until_us, long.worst, long.events) == (
        20 * MINUTE_US,
        55 * MINUTE_US,
        284.15,
        (2, 3),
    )
    assert long.breach
    assert not short.breach
    assert not course.kept


def test_it_is_open_when_nothing_came_after_and_order_of_coming_does_not_matter() -> None:
    events = [_at(90, 1), _at(0, 5), _at(45, 0)]
    (only,) = _judge(*events).excursions
    assert (only.since_us, only.until_us, only.open, only.breach) == (
        45 * MINUTE_US,
        90 * MINUTE_US,
        True,
        True,
    )
    assert only.worst == 273.15


def test_other_units_and_dimensions() -> None:
    assert _judge(_at(0, 41, "FAH"), _at(10, 277.15, "KEL")).kept
    assert _judge(_at(0, 60, "FAH")).excursions
    assert _judge(_at(0, 50, "P1")).unread == 1


def test_statistics_of_an_interval_count_for_all_of_it() -> None:
    report = SensorReport(
        type=TEMPERATURE, min_value=Decimal(3), max_value=Decimal(12), mean_value=Decimal(5), uom="CEL"
    )
    span = SensorMetadata(start_time_us=0, end_time_us=40 * MINUTE_US)
    event = replace(_at(50, 5), sensors=(SensorElement(metadata=span, reports=(report,)),))
    (only,) = _judge(event).excursions
    assert (only.since_us, only.until_us, only.worst) == (0, 40 * MINUTE_US, 285.15)


def test_silence_is_a_gap() -> None:
    (gap,) = _judge(_at(0, 4), _at(61, 4), _at(121, 4)).gaps
    assert (gap.since_us, gap.until_us) == (0, 61 * MINUTE_US)


def test_a_limit_has_bounds_that_make_sense() -> None:
    with pytest.raises(Usage, match="without a bound"):
        replace(COLD, low=None, high=None)
    with pytest.raises(Usage, match="above its high one"):
        replace(COLD, low=Decimal(9))
    assert _judge(_at(0, -300), limit=replace(COLD, low=None)).kept


def _sealed(hour: int, step: str, seal: str = "") -> Event:
    reports = (SensorReport(biz_rules=SEAL, string_value=seal),) if seal else ()
    event = seen(hour, step, 1, case(1))
    return replace(
        event, biz_step=f"{CBV}BizStep-{step}", sensors=(SensorElement(reports=reports),) if reports else ()
    )


@pytest.mark.parametrize(
    ("events", "signs"),
    [
        ([("loading", "A"), ("shipping", "A"), ("receiving", "A"), ("unloading", "")], []),
        ([("loading", "A"), ("shipping", "A"), ("receiving", "B")], [SealSign.CHANGED]),
        ([("loading", "A"), ("inspecting", ""), ("shipping", "B")], []),
        ([("loading", "A"), ("inspecting", ""), ("shipping", "")], [SealSign.MISSING]),
        ([("loading", ""), ("shipping", "")], [SealSign.UNSEALED]),
    ],
)
def test_seals(events: list[tuple[str, str]], signs: list[SealSign]) -> None:
    numbered = [(n, _sealed(n, step, seal)) for n, (step, seal) in enumerate(events, 1)]
    found = judge_seals(list(reversed(numbered)))
    assert [fault.sign for fault in found] == signs
    assert all(fault.at_us == fault.event * HOUR_US for fault in found)
