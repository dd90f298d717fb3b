"""Cut-over. Goal: every moment is in one cycle, every record in at most one, and none in a cycle that is closed.

Method: worked days; random schedules, moments and zones, those with summer time among them.
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jinka.kit import Usage, utc_micros
from jinka.settlement import CHINA, EVERY_DAY, Schedule
from jinka.settlement.cutover import minutes_of

SHANGHAI = "Asia/Shanghai"
DAILY = Schedule(code="daily", zone=SHANGHAI, calendar=CHINA, grace_minutes=120, late_days=10)
NIGHT = Schedule(code="night", zone=SHANGHAI, cut_overs=(26 * 60,))
TAXI = Schedule(
    code="taxi", zone=SHANGHAI, cut_overs=(6 * 60, 14 * 60, 22 * 60), settle_days=0, first_cycle=101
)
BANK = Schedule(code="bank", zone=SHANGHAI, cut_overs=(16 * 60,), calendar=CHINA, business_days_only=True)


def at(text: str, zone: str = SHANGHAI) -> int:
    return utc_micros(dt.datetime.fromisoformat(text), zone)


def where(schedule: Schedule, text: str) -> tuple[str, int]:
    day = schedule.at(at(text, schedule.zone)).day
    return day.date.isoformat(), day.cycle


def test_a_day_ends_at_midnight_or_in_the_night_after_it() -> None:
    assert where(DAILY, "2026-11-20 00:00") == ("2026-11-20", 1)
    assert where(DAILY, "2026-11-20 23:59:59") == ("2026-11-20", 1)
    assert where(NIGHT, "2026-11-21 01:59:59") == ("2026-11-20", 1)
    assert where(NIGHT, "2026-11-21 02:00") == ("2026-11-21", 1)


def test_short_cycles_settle_on_their_own_day() -> None:
    assert where(TAXI, "2026-11-20 05:59") == ("2026-11-20", 101)
    assert where(TAXI, "2026-11-20 06:00") == ("2026-11-20", 102)
    assert where(TAXI, "2026-11-20 22:00") == ("2026-11-21", 101)
    assert TAXI.settles_on(TAXI.slot(dt.date(2026, 11, 20), 1)) == dt.date(2026, 11, 20)


def test_holidays_belong_to_the_first_cycle_of_the_next_business_day() -> None:
    assert where(BANK, "2026-09-30 16:00") == ("2026-10-08", 1)
    assert where(BANK, "2026-10-04 09:00") == ("2026-10-08", 1)
    slot = BANK.slot(dt.date(2026, 10, 8))
    assert (slot.begins, slot.ends) == (at("2026-09-30 16:00"), at("2026-10-08 16:00"))
    assert BANK.settles_on(slot) == dt.date(2026, 10, 9)
    assert BANK.after(slot).day.date == dt.date(2026, 10, 9)
    with pytest.raises(Usage, match="no business day"):
        BANK.slot(dt.date(2026, 10, 4))


def test_a_late_file_falls_into_one_window() -> None:
    tap = dt.datetime(2026, 11, 20, 18, 30)
    in_time, in_grace = (DAILY.place(tap, at(text)) for text in ("2026-11-20 19:00", "2026-11-21 01:59"))
    assert in_time == in_grace
    assert in_time.slot is not None
    assert in_time.slot.day.date == dt.date(2026, 11, 20)
    late = DAILY.place(tap, at("2026-11-21 02:00"))
    assert late.slot is not None
    assert late.slot.day.date == dt.date(2026, 11, 21)
    assert (late.late, late.finding and late.finding.code) == (True, "TAP_LATE")
    last = DAILY.place(tap, at("2026-11-30 23:59"))
    assert last.slot is not None
    assert last.slot.day.date == dt.date(2026, 11, 30)
    over = DAILY.place(tap, at("2026-12-01 00:00"))
    assert (over.slot, over.finding and over.finding.code) == (None, "TAP_TOO_OLD")
    ahead = DAILY.place(dt.datetime(2026, 11, 22, 0, 0), at("2026-11-21 12:00"))
    assert ahead.slot is not None
    assert ahead.slot.day.date == dt.date(2026, 11, 21)
    assert ahead.finding is not None
    assert ahead.finding.code == "TAP_IN_THE_FUTURE"


def test_the_clearing_is_told_which_taps_a_cycle_takes() -> None:
    first, last = DAILY.accepts(DAILY.slot(dt.date(2026, 11, 20)))
    assert (first, last) == (dt.datetime(2026, 11, 10), dt.datetime(2026, 11, 21))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    first = draw(st.integers(1, 30 * 60))
    cuts = [first]
    for step in draw(st.lists(st.integers(60, 600), max_size=6)):
        if cuts[-1] + step <= min(30 * 60, first + 23 * 60):
            cuts.append(cuts[-1] + step)
    only = draw(st.booleans())
    return Schedule(
        code="x",
        zone=draw(
            st.sampled_from([SHANGHAI, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
        ),
        cut_overs=tuple(cuts),
        calendar=CHINA if only else EVERY_DAY,
        business_days_only=only,
        grace_minutes=draw(st.integers(0, 3000)),
        late_days=draw(st.integers(0, 20)),
    )


moments = st.datetimes(dt.datetime(2024, 2, 1), dt.datetime(2026, 11, 30)) | st.sampled_from(
    [dt.datetime(2026, 3, 29, h, m) for h in range(4) for m in (0, 30)]  # summer time begins in Berlin
    + [dt.datetime(2026, 10, 25, h, m) for h in range(4) for m in (0, 30)]
)


@settings(deadline=None)
@given(schedules(), moments)
def test_cycles_cut_time_without_gap_or_overlap(schedule: Schedule, moment: dt.datetime) -> None:
    micros = utc_micros(moment, schedule.zone)
    slot = schedule.at(micros)
    assert slot.begins <= micros < slot.ends
    assert schedule.at(slot.begins) == slot
    following = schedule.after(slot)
    assert following.begins == slot.ends
    assert (following.day.date, following.day.cycle) > (slot.day.date, slot.day.cycle)


@settings(deadline=None)
@given(schedules(), moments, st.integers(-3000, 60_000))
def test_a_record_is_in_at_most_one_cycle_and_in_none_that_is_closed(
    schedule: Schedule, tapped: dt.datetime, minutes: int
) -> None:
    arrived = utc_micros(tapped, schedule.zone) + minutes * 60_000_000
    assume(arrived < utc_micros(dt.datetime(2026, 12, 20), schedule.zone))
    placed = schedule.place(tapped, arrived)
    if placed.slot is None:
        assert placed.finding is not None
        assert placed.finding.code == "TAP_TOO_OLD"
        return
    assert arrived < placed.slot.closes
    assert placed.late == (placed.finding is not None and placed.finding.code == "TAP_LATE")
    own = schedule.at(utc_micros(tapped, schedule.zone))
    if arrived >= own.closes:
        assert placed.slot == schedule.at(arrived), "its own cycle is closed: that of its arrival"


@pytest.mark.parametrize("text", ["24:60", "30:01", "0:00", "-1:00", "24", "２４:00", "", "24:00:00"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Usage, match="no time of day"):
        minutes_of(text, where="cut_over")


@pytest.mark.parametrize(
    "wrong",
    [
        {"cut_overs": ()},
        {"cut_overs": (0,)},
        {"cut_overs": (600, 630)},
        {"cut_overs": (600, 540)},
        {"cut_overs": (60, 1500)},
        {"zone": "Mars/Olympus"},
        {"zone": "../etc/passwd"},
        {"grace_minutes": -1},
        {"late_days": 401},
        {"settle_days": 31},
        {"first_cycle": 0},
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Usage):
        Schedule(**({"code": "x", "zone": SHANGHAI} | wrong))  # type: ignore[arg-type]
    with pytest.raises(Usage, match="no cycle"):
        DAILY.slot(dt.date(2026, 11, 20), 1)
