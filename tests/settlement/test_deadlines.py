"""Silence and lateness. Goal: both rules strike on their day and no earlier, are seen, and shift a loss only by rule.

Method: worked days around a holiday; the lists' rule against a slow reading of it; a cleared day with a late terminal.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.kit import Usage
from jinka.registry import ACKNOWLEDGEMENTS, LISTINGS
from jinka.risk import blocked_at
from jinka.settlement import (
    CHINA,
    ListRule,
    SilenceRule,
    Unanswered,
    deem_acknowledged,
    judge_silence,
    list_losses,
)
from jinka.store import DuckEngine
from tests.clearing.world import World

D = dt.date


def test_silence_counts_business_days() -> None:
    rule = SilenceRule(days=3, calendar=CHINA)
    assert rule.last_day(D(2026, 9, 29)) == D(2026, 10, 9)
    assert rule.silent_up_to(D(2026, 10, 9)) < D(2026, 9, 29)
    assert rule.silent_up_to(D(2026, 10, 10)) >= D(2026, 9, 29)


@given(st.integers(1, 10), st.dates(D(2024, 3, 1), D(2026, 11, 30)))
def test_what_silence_accepts_is_exactly_what_is_overdue(days: int, today: D) -> None:
    for calendar in (CHINA, SilenceRule(days=1).calendar):
        rule = SilenceRule(days=days, calendar=calendar)
        until = rule.silent_up_to(today)
        assert rule.last_day(until) < today <= rule.last_day(until + dt.timedelta(days=1))


def test_who_is_waited_for_and_who_was_silent_is_seen() -> None:
    rows = [
        Unanswered(centre="gz", issuer="card.gz", sent=sent, count=2, amount=500)
        for sent in (D(2026, 11, 16), D(2026, 11, 19))
    ]
    rule = SilenceRule(days=3, calendar=CHINA)
    until = rule.silent_up_to(D(2026, 11, 20))
    accepted, findings = judge_silence(rows, until=until, due=rule.last_day)
    assert accepted == rows[:1]
    assert [(f.code, f.severity.value) for f in findings] == [
        ("DEEMED_ACCEPTED", "warning"), ("VERDICT_AWAITED", "info")
    ]  # fmt: skip
    assert "5.00" in findings[0].what
    assert "due 2026-11-24" in findings[1].what


@pytest.mark.parametrize("days", [0, -1, 101])
def test_a_rule_that_makes_no_sense_is_refused(days: int) -> None:
    with pytest.raises(Usage):
        SilenceRule(days=days)
    with pytest.raises(Usage):
        ListRule(grace_minutes=-1)


CARD, NUMBER = b"\x01" * 10, [bytes([n]) * 6 for n in range(3)]


def tables(listed: list[tuple[int, str]], heard: list[tuple[int, int, str]]) -> tuple[pa.Table, pa.Table]:
    listings = [{"list_version": v, "card_no": CARD, "effective_from": at} for v, at in listed]
    acks = [{"terminal_id": NUMBER[t], "list_version": v, "acknowledged_at": at} for t, v, at in heard]
    return pa.Table.from_pylist(listings, schema=LISTINGS), pa.Table.from_pylist(
        acks, schema=ACKNOWLEDGEMENTS
    )


def test_a_terminal_that_stays_away_has_its_list_when_the_grace_is_over() -> None:
    listings, acks = tables([(1, "20180901000000")], [(0, 1, "20180901010000"), (1, 1, "20180903000000")])
    terminals = {NUMBER[0]: "bus", NUMBER[1]: "bus", NUMBER[2]: "metro"}
    made, findings = deem_acknowledged(listings, acks, terminals, ListRule(grace_minutes=24 * 60))
    added = made.slice(acks.num_rows).to_pylist()
    assert [(row["terminal_id"], row["acknowledged_at"]) for row in added] == [
        (NUMBER[1], "20180902000000"), (NUMBER[2], "20180902000000")
    ]  # fmt: skip
    assert [(f.code, f.where, f.what[:1]) for f in findings] == [
        ("LIST_DEEMED_TAKEN", "bus", "1"), ("LIST_DEEMED_TAKEN", "metro", "1")
    ]  # fmt: skip
    with pytest.raises(Usage, match="no moment"):
        deem_acknowledged(tables([(1, "2018")], [])[0], acks, terminals, ListRule(grace_minutes=1))


moment = st.integers(0, 30).map(lambda n: f"201809{1 + n // 10:02d}{n % 10:02d}0000")


@given(
    st.lists(st.tuples(st.integers(1, 5), moment), max_size=5),
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), moment), max_size=8),
    st.sampled_from([0, 60, 300, 2_000]),
)
def test_a_card_is_blocked_from_the_list_rule_at_the_latest(
    listed: list[tuple[int, str]], heard: list[tuple[int, int, str]], grace: int
) -> None:
    listings, acks = tables(listed, heard)
    rule = ListRule(grace_minutes=grace)
    made, _ = deem_acknowledged(listings, acks, dict.fromkeys(NUMBER, "bus"), rule)
    rows = made.to_pylist()
    for place, terminal in enumerate(NUMBER):
        said = [(v, at) for t, v, at in heard if t == place]
        now = [(r["list_version"], r["acknowledged_at"]) for r in rows if r["terminal_id"] == terminal]
        was, becomes = blocked_at(listed, said), blocked_at(listed, now)
        latest = [max(at, rule.deadlines(listings)[version]) for version, at in listed]
        if listed:
            assert becomes is not None
            assert becomes <= min(latest)
            assert was is None or becomes <= was, "the rule never helps a terminal"
            assert becomes in {*latest, was}, "and moves nothing that was in time"


def test_a_tap_after_the_grace_is_rejected_and_its_operator_sees_the_loss(tmp_path: Path) -> None:
    world = World.in_order(records=60, cards=10)
    row = world.of_card()[1]
    world.listings = [{"list_version": 1, "card_no": row["card_no"], "effective_from": "20180831000000"}]
    before, rows = world.clear(tmp_path, name="before")
    assert rows[row["record_id"]]["findings"] == "CARD_LISTED_LATE"
    registered = world.registry.terminals.to_pylist()
    made, _ = deem_acknowledged(
        pa.Table.from_pylist(world.listings, schema=LISTINGS),
        pa.Table.from_pylist([], schema=ACKNOWLEDGEMENTS),
        {terminal["terminal_id"]: terminal["operator"] for terminal in registered},
        ListRule(grace_minutes=60),
    )
    world.acknowledgements = made.to_pylist()
    after, rows = world.clear(tmp_path, name="after")
    assert rows[row["record_id"]]["reason"] == "CARD_BLOCKED"
    with DuckEngine(threads=1) as engine:
        tables_ = [engine.parquet(sorted(Path(each.path).glob("*.parquet"))) for each in (before, after)]
        assert list_losses(engine, tables_[0]) == []
        findings = list_losses(engine, tables_[1])
    lost = [r for r in rows.values() if r["reason"] == "CARD_BLOCKED"]
    assert sum(int(f.what.split()[0]) for f in findings) == len(lost) > 0
    assert {f.where for f in findings} == {r["operator"] for r in lost}
