"""A step of a round that raises. Goal: that round stops and says so, all others go on, a fault of the machine ends it.

Method: steps that raise, in a centre's folder; then one centre's books of a round fail and are mended.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlalchemy as sa

from jinka.app import centre_rounds
from jinka.app.centre_arrivals import FILES
from jinka.app.centre_books import settle_round
from jinka.app.centre_folder import NewCentre, make_centre
from jinka.app.centre_rounds import STREAMS, Centre
from jinka.clearing.tiers import Tier
from jinka.kit import Finding, JinkaError, Refused
from jinka.store.faults import of_this_machine
from tests.app.centre_rig import (
    DATE,
    NEXT,
    TWO,
    FolderRoad,
    federation,
    ledger,
    require_books,
    services,
    travel,
    upper_config,
)
from tests.journeys.city import jinka_here


@pytest.fixture(scope="module")
def travelled() -> tuple[Any, Any]:
    keys = services(TWO)
    return keys, travel(keys, TWO, riders=5)


def _centre(folder: Path, told: list[Finding]) -> Centre:
    road, config = FolderRoad(folder / "road", "00"), upper_config("00", {})
    return Centre(folder=folder, config=config, road=road, ledger=None, told=told.append)  # type: ignore[arg-type]


def _fails() -> bool:
    raise ValueError("card 6227702579200000017")


def test_a_step_that_raises_stops_its_round_and_is_tried_ever_more_seldom(tmp_path: Path) -> None:
    told: list[Finding] = []
    centre, tries = _centre(tmp_path, told), 0

    def step() -> bool:
        nonlocal tries
        tries += 1
        return _fails()

    for _ in range(20):
        assert not centre.attempt(DATE, step)
    assert tries == 5, "after 1, 2, 4 and 8 looks"
    assert centre.attempt(NEXT, lambda: True)
    noted = centre.round(DATE).noted("stopped")
    assert noted["code"] == told[0].code == "ROUND_STOPPED"
    assert f"round {DATE}, centre_rounds.py:" in noted["where"]
    assert "ValueError" in noted["what"]
    assert "6227702579200000017" not in json.dumps(noted)
    anew = _centre(tmp_path, told)  # after a restart at once
    assert anew.attempt(DATE, lambda: True)
    assert anew.round(DATE).noted("stopped") is None


def _caused(problem: Exception, cause: Exception) -> Exception:
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    ("problem", "machine"),
    [
        (MemoryError(), True),
        (OSError(28, "No space left on device"), True),
        (sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")), True),
        (sqlite3.OperationalError("disk I/O error"), True),
        (duckdb.IOException("No space left on device"), True),
        (duckdb.OutOfMemoryException("2 GiB"), True),
        (JinkaError("the database is busy or away"), True),
        (_caused(JinkaError("no space is left"), OSError(28, "")), True),
        (_caused(Refused("no such file"), FileNotFoundError(2, "")), True),
        (Refused("not so"), False),
        (ValueError("x"), False),
        (OverflowError("Python int too large"), False),
        (sa.exc.IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE")), False),
        (pa.ArrowInvalid("bad bytes"), False),
        (OSError("Arrow: unexpected end of stream"), False),
        (_caused(KeyError("x"), ValueError("y")), False),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each),
)
def test_who_is_at_fault(problem: Exception, machine: bool, tmp_path: Path) -> None:
    def step() -> bool:
        raise problem

    assert of_this_machine(problem) is machine
    centre = _centre(tmp_path, [])
    if not machine:
        assert not centre.attempt(DATE, step)
        return
    with pytest.raises(type(problem)):
        centre.attempt(DATE, step)
    assert centre.round(DATE).noted("stopped") is None


def test_status_says_that_a_round_stopped_and_ends_with_6(tmp_path: Path) -> None:
    asked = NewCentre(tier=Tier.NATION, code="00", region="110000", zone="Asia/Shanghai", first_date=DATE)
    make_centre(tmp_path, asked)
    jinka_here("centre", "status", tmp_path)
    _centre(tmp_path, []).attempt(DATE, _fails)
    for lang, word in (("en", "STOPPED"), ("zh", "已停止")):
        said = jinka_here("centre", "status", tmp_path, "--lang", lang, code=6).stdout
        assert word in said
        assert "ROUND_STOPPED" in said
    found = json.loads(jinka_here("centre", "status", tmp_path, "--json", code=6).stdout)
    assert [row.get("stopped") for row in found["rounds"]] == [True]


def test_the_others_and_the_next_days_exchange_go_on_and_the_books_follow_once_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, travelled: tuple[Any, Any]
) -> None:
    """A province whose books of one day fail: nobody else's round waits, and its parcels of the next day cross."""
    (keys, days), broken = travelled, "44"

    def fails(books: Any, config: Any, date: dt.date, *more: Any, **named: Any) -> Any:
        if config.around.code == broken and date == DATE:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return settle_round(books, config, date, *more, **named)

    monkeypatch.setattr(centre_rounds, "settle_round", fails)
    with federation(tmp_path, keys, days) as fed:
        for date in (DATE, NEXT):
            fed.close(date, empty=date == NEXT)
            fed.run()
        assert fed.centres[broken].settled() == []
        assert fed.centres[broken].round(DATE).noted("stopped")["code"] == "ROUND_STOPPED"
        for code in {*fed.configs} - {broken}:
            assert len(fed.centres[code].settled()) == 2
        assert fed.centres[broken].round(NEXT).noted("down-positions") is not None
        monkeypatch.setattr(centre_rounds, "settle_round", settle_round)
        fed.centres[broken] = fed.centre(broken)
        fed.run()
        require_books(fed)
        assert len(fed.centres[broken].settled()) == 2
        assert fed.centres[broken].round(DATE).noted("stopped") is None
        assert (
            fed.settled(broken)["position"]["children"][TWO[0].code]
            == fed.settled(TWO[0].code)["position"]["due"]
        )
        assert ledger(fed, broken)


def test_a_child_that_sends_days_of_the_past_opens_no_round_and_no_books_begin_twice(
    tmp_path: Path, travelled: tuple[Any, Any]
) -> None:
    """Its sibling would take such a day in as a holiday that it skipped, and post what its cards hold once more."""
    liar, sibling = (city.code for city in TWO)
    parents = {liar: "44", sibling: "44", "44": "00", "00": ""}
    with federation(tmp_path, *travelled, parents=parents) as fed:
        fed.close()
        fed.run()
        before = fed.settled(sibling)["trial"]
        for old in (dt.date(1, 3, 1), dt.date(2017, 3, 1), DATE - dt.timedelta(days=1)):
            _send_empty(fed, liar, old)
            fed.run()
        assert len(fed.centres["44"].road.problems) == 9
        for code in fed.configs:
            assert [row["date"] for row in fed.centres[code].settled()] == [str(DATE)]
        late = DATE + dt.timedelta(days=40)  # nobody had the days between, and one of them is told afterwards
        fed.close(late, empty=True)
        fed.run()
        _send_empty(fed, liar, NEXT)
        fed.run()
        assert len(fed.centres["44"].road.problems) == 12
        assert fed.settled(sibling, late)["trial"] == before


def test_books_begin_once_also_when_an_earlier_day_comes_later(
    tmp_path: Path, travelled: tuple[Any, Any]
) -> None:
    """A day that others had and this city skipped, before the first one that it had."""
    city = TWO[0].code
    with federation(tmp_path, *travelled, first_date=str(DATE - dt.timedelta(days=3))) as fed:
        fed.close()
        fed.run()
        before = fed.settled(city)["trial"]
        fed.close(skipped := DATE - dt.timedelta(days=2), empty=True)
        fed.run()
        assert fed.settled(city, skipped)["trial"] == before
        assert fed.centres[city].round(DATE).noted("opening") > 0
        assert fed.centres[city].round(skipped).noted("opening") is None


def _send_empty(fed: Any, code: str, date: dt.date) -> None:
    for kind in STREAMS:
        tables = {name: schema.empty_table() for name, (schema, _) in FILES[kind].items()}
        fed.centres[code].road.send("44", kind, date, tables)
