"""The business day's file. Goal: what it says is what holds, and whatever else is refused at its place."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.kit import JinkaError, Usage
from jinka.settlement import OnBreach, read_business_day

GOOD = """
[calendar]
base = "china"

[[calendar.year]]
year = 2027
off = [2027-01-01]
work = [2027-01-03]
source = "the notice of 2026"

[[schedule]]
code = "taxi"
title_en = "Taxi drivers"
title_zh = "出租车司机"
zone = "Asia/Shanghai"
cut_over = ["06:00", "14:00", "22:00"]
settle = "T+0"
first_cycle = 101
participants = ["taxi.*", "op.sz.cab"]

[[schedule]]
code = "daily"
zone = "Asia/Shanghai"
cut_over = "26:00"
grace_minutes = 120
late_days = 10

[[cap]]
participant = "issuer.sz"
limit_minor = 500000000

[[cap]]
participant = "gov.sz"
limit_minor = 0
on_breach = "officer"

[silence]
days = 3

[lists]
grace_minutes = 1440
"""


def test_every_field_is_read() -> None:
    file = read_business_day(GOOD)
    assert [file.schedule_of(code).code for code in ("taxi.4403.17", "op.sz.cab", "op.sz.bus")] == [
        "taxi", "taxi", "daily"
    ]  # fmt: skip
    taxi, daily = file.schedules
    assert (taxi.cut_overs, taxi.settle_days, taxi.first_cycle) == ((360, 840, 1320), 0, 101)
    assert (daily.cut_overs, daily.settle_days, daily.grace_minutes, daily.late_days) == ((1560,), 1, 120, 10)
    assert daily.settles_on(daily.slot(dt.date(2026, 12, 31))) == dt.date(2027, 1, 3), "a Sunday made up"
    assert file.caps["issuer.sz"].limit == 500_000_000
    assert file.caps["gov.sz"].on_breach is OnBreach.OFFICER
    assert file.silence is not None
    assert file.silence.last_day(dt.date(2026, 9, 30)) == dt.date(2026, 10, 10)
    assert file.lists is not None
    assert file.lists.grace_minutes == 1440


def test_a_calendar_of_all_years_takes_an_operators_days() -> None:
    text = GOOD.replace('"china"', '"weekdays"').replace("work = [2027-01-03]", "")
    calendar = read_business_day(text).calendar
    assert not calendar.is_business_day(dt.date(2027, 1, 1))
    assert calendar.is_business_day(dt.date(2031, 5, 1))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('base = "china"', 'base = "mars"', "calendar.base"),
        ("year = 2027", "year = 1999", "calendar.year 1.year"),
        ("off = [2027-01-01]", "off = [2027-01-02]", "on the weekend anyway"),
        ("off = [2027-01-01]", "off = [2026-05-06]", "a day of another year"),
        ("off = [2027-01-01]", 'off = ["2027-01-01"]', "calendar.year 1.off"),
        ('source = "the notice of 2026"', "", "calendar.year 1.source"),
        ('zone = "Asia/Shanghai"', 'zone = "Asia/Atlantis"', "schedule 1"),
        ('"06:00", "14:00"', '"14:00", "06:00"', "schedule 1"),
        ('"06:00", "14:00"', '"6 am", "14:00"', "schedule 1.cut_over"),
        ('"06:00", "14:00"', "6, 14", "schedule 1.cut_over"),
        ('"T+0"', '"T+x"', "schedule 1.settle"),
        ('"T+0"', "0", "schedule 1.settle"),
        ('"T+0"', '"T+31"', "schedule 1"),
        ("first_cycle = 101", "", "taxi.first_cycle: numbers its cycles as daily"),
        ('code = "taxi"', 'code = "daily"', "stands twice"),
        ('participants = ["taxi.*", "op.sz.cab"]', "", "is for all others"),
        ('"taxi.*"', '"*.taxi"', "schedule 1.participants"),
        ("grace_minutes = 120", "grace_minutes = 1.5", "schedule 2.grace_minutes"),
        ("grace_minutes = 120", "grace_minutes = true", "schedule 2.grace_minutes"),
        ("limit_minor = 0", "limit_minor = -1", "cap 2"),
        ("limit_minor = 0", "limit_minor = 0.5", "cap 2.limit_minor"),
        ('"gov.sz"', '"issuer.sz"', "caps.issuer.sz: stands twice"),
        ('"officer"', '"ignore"', "cap 2.on_breach"),
        ("days = 3", "days = 0", "silence.days"),
        ("days = 3", "hours = 3", "silence: unknown: hours"),
        ("[lists]", "[lists", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_at_its_place(old: str, new: str, place: str) -> None:
    assert old in GOOD
    with pytest.raises(Usage) as refused:
        read_business_day(GOOD.replace(old, new, 1))
    assert place in str(refused.value)


@given(
    st.text(max_size=200) | st.sampled_from(["[[schedule]]\n" * 20_000, "a=" + "[" * 5_000, "x" * 1_100_000])
)
def test_a_strangers_text_ends_in_a_refusal(text: str) -> None:
    with pytest.raises(JinkaError):
        read_business_day(text)
