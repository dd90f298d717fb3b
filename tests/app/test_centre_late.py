"""Records that come late, copies of them, and silence on what nobody could have heard.

Goal: a record is paid once whenever it comes, within the windows that are data; nobody is paid by silence for what the
card's centre could not have seen. Method: real chips, centres over a road of folders; lines are cut, deliveries made a
day late, parcels of a liar changed on the way.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from jinka.app.centre_files import RoundFiles
from jinka.app.centre_late import fresh_of
from jinka.clearing.hearing import HEARD, NEVER, counted_from, lateness, require_heard
from jinka.clearing.reasons import Outcome
from jinka.clearing.verdicts import CROSSING, INBOUND, SENT
from jinka.kit import Refused
from jinka.sim.travel import TravelDay
from tests.app.centre_rig import (
    DATE,
    NEXT,
    THIRD,
    TWO,
    Federation,
    federation,
    flows,
    require_books,
    services,
    travel,
)

A, B = TWO
ONE_PROVINCE = {A.code: "44", B.code: "44", "44": "00", "00": ""}
DAYS = [DATE + dt.timedelta(days=number) for number in range(6)]


@pytest.fixture(scope="module")
def keys() -> Any:
    return services(TWO)


@pytest.fixture(scope="module")
def days(keys: Any) -> list[TravelDay]:
    return travel(keys, TWO, riders=12)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, keys: Any, days: list[TravelDay]) -> dict[str, Any]:
    """What each city pays when nothing is late."""
    with federation(tmp_path_factory.mktemp("calm"), keys, days, parents=ONE_PROVINCE) as fed:
        fed.close()
        fed.run()
        return {city.code: _paid(fed, city.code, DATE) for city in TWO}


def test_terminals_a_day_late_are_paid_once_what_they_would_have_been(
    tmp_path: Path, keys: Any, days: list[TravelDay], calm: dict[str, Any]
) -> None:
    """A city's own cards and others', with all fees; a delivery that comes once more is nothing."""
    with federation(tmp_path, keys, days, parents=ONE_PROVINCE) as fed:
        for date, late in ((DATE, False), (NEXT, True), (THIRD, True)):
            fed.close(date, A.code, empty=not late)
            fed.close(date, B.code, empty=late)
            fed.run()
        assert not _paid(fed, A.code, DATE)
        assert _paid(fed, A.code, NEXT) == calm[A.code] != {}
        assert not _paid(fed, A.code, THIRD)
        assert (_paid(fed, B.code, DATE), _paid(fed, B.code, NEXT)) == (calm[B.code], {})
        require_books(fed)


def test_a_delivery_beyond_the_window_is_refused_and_nobody_is_paid(
    tmp_path: Path, keys: Any, days: list[TravelDay]
) -> None:
    with federation(tmp_path, keys, days, parents=ONE_PROVINCE) as fed:
        _tell(fed, A.code, late_days=0)
        for date in (DATE, NEXT):
            fed.close(date, A.code, empty=date == DATE)
            fed.close(date, B.code, empty=True)
            fed.run()
        assert not _paid(fed, A.code, NEXT)
        reasons = {reason for _, reason, *_ in RoundFiles(tmp_path / A.code, NEXT).noted("home")["by_reason"]}
        assert reasons == {"DATE_OUT_OF_WINDOW"}


def test_the_same_record_in_two_rounds_under_two_numbers_is_paid_once(
    tmp_path: Path, keys: Any, days: list[TravelDay]
) -> None:
    with federation(tmp_path, keys, days, parents=ONE_PROVINCE, answer_days=20, patience=0) as fed:
        fed.close(DATE)
        fed.centres[A.code].advance()
        place = _on_the_road(fed, DATE)
        good = pq.read_table(place)
        pq.write_table(good.slice(0, 0), place)
        fed.run()
        said: list[Counter[str]] = []
        for number, date in enumerate(DAYS[1:3]):
            fed.close(date, empty=True)
            fed.centres[A.code].advance()
            again = good.set_column(1, good.schema.field(1), pc.add(good["ref"], number * 1_000_000))
            pq.write_table(again.cast(CROSSING), _on_the_road(fed, date))
            fed.run()
            said.append(Counter(_said(fed, date)))
        assert said[0]["ACCEPTED"] > 0
        for later in said[1:]:
            assert not later["ACCEPTED"]
            assert later["DUPLICATE"] >= said[0]["ACCEPTED"]


def test_a_city_that_was_cut_off_for_days_is_judged_and_not_deemed(
    tmp_path: Path, keys: Any, days: list[TravelDay], calm: dict[str, Any]
) -> None:
    """Its own taps are no silence of others; when the line is back it is paid what it would have been."""
    with federation(tmp_path, keys, days, parents=ONE_PROVINCE, answer_days=1) as fed:
        _tell(fed, B.code, late_days=1)
        fed.cut(A.code, "44")
        for date in DAYS[:4]:
            fed.close(date, empty=date != DATE)
            fed.run()
        assert not any(answer for date in DAYS[:4] for answer in _answers(fed, date)), "nobody was asked"
        fed.cut(A.code, "44", cut=False)
        fed.run()
        for date in DAYS[4:]:
            fed.close(date, empty=True)
            fed.run()
        assert not [problem for centre in fed.centres.values() for problem in centre.road.problems]
        words = [word for date in DAYS for _, word in _answers(fed, date)]
        assert words
        assert not any(words), "no answer is silence's"
        assert Counter(word for date in DAYS for word in _said(fed, date))["DATE_OUT_OF_WINDOW"] == 0
        total: Counter[tuple[str, str, str]] = Counter()
        for date in DAYS:
            total.update(_paid(fed, A.code, date))
        assert _fares(total) == _fares(calm[A.code]) != {}, "fees are rounded in each round"
        require_books(fed, findings=False)


def test_a_late_no_costs_its_issuer_once_however_often_the_record_is_sent(
    tmp_path: Path, keys: Any, days: list[TravelDay]
) -> None:
    with federation(tmp_path, keys, days, parents=ONE_PROVINCE, answer_days=1, patience=1) as fed:
        fed.cut(B.code, "44", "verdicts")
        for date in DAYS[:3]:
            fed.close(date, empty=date != DATE)
            fed.run()
        fed.cut(B.code, "44", "verdicts", cut=False)
        fed.run()
        once = _losses(fed)
        assert once
        good = pq.read_table(_on_the_road(fed, DATE))
        fed.close(again := DAYS[3], empty=True)
        fed.centres[A.code].advance()
        pq.write_table(good, _on_the_road(fed, again))
        fed.run()
        assert _said(fed, again), "they were judged again"
        assert _losses(fed) == once


def test_what_came_by_way_of_another_centre_is_not_paid_again_at_home() -> None:
    """The later copy has the lower number, so the chain takes it for the first."""
    one = dict.fromkeys(INBOUND.names) | {
        "card_no": b"1" * 10, "txn_type": 6, "terminal_id": b"t" * 6, "terminal_serial": 1, "local_date": b"d" * 4,
        "local_time": b"t" * 3, "amount": 5, "record_id": 1 << 62,
    }  # fmt: skip
    known = pa.Table.from_pylist([one])
    rows = [
        one | {"record_id": number, "outcome": Outcome.PAID.value, "amount": 5 + number}
        for number in range(3)
    ]
    found = fresh_of(pa.Table.from_pylist(rows), pa.table({"record_id": [0, 1]}), known)
    assert found["record_id"].to_pylist() == [1], "the copy is out, and what was judged before"


def test_what_nobody_heard_has_no_round_from_which_silence_counts() -> None:
    rows = [dict.fromkeys(SENT.names) | {"record_id": number, "round": number} for number in (5, 6, 7)]
    sent = pa.Table.from_pylist(rows)
    assert counted_from(sent, {5: 9, 6: 2})["round"].to_pylist() == [9, 6, NEVER]


def test_lateness_counts_from_the_first_round_that_could_have_carried_a_record() -> None:
    assert lateness([20], 13, 20) == 7, "its day had been heard before"
    assert lateness([13, 14, 20], 13, 20) == 0, "it was cut off"
    assert lateness([], 13, 20) == 7


@pytest.mark.parametrize(
    "row", [{"centre": "44", "round": 5}, {"centre": "x", "round": 9}, {"centre": "x", "round": 0}]
)
def test_a_child_says_nothing_of_itself_or_of_rounds_to_come(row: dict[str, Any]) -> None:
    require_heard(pa.Table.from_pylist([{"centre": "x", "round": 8}], schema=HEARD), "44", 8, where="parcel")
    with pytest.raises(Refused):
        require_heard(pa.Table.from_pylist([row], schema=HEARD), "44", 8, where="parcel")


def _tell(fed: Federation, code: str, **terms: int) -> None:
    """Change what is said of lateness in a city's `centre.toml`."""
    centre = fed.centres[code]
    assert centre.city is not None
    config = dataclasses.replace(centre.config, city=dataclasses.replace(centre.city.terms, **terms))
    city = dataclasses.replace(centre.city, config=config)
    fed.centres[code] = dataclasses.replace(centre, config=config, city=city)


def _paid(fed: Federation, code: str, date: dt.date) -> dict[tuple[str, str, str], int]:
    return {(kind, payer, payee): amount for kind, payer, payee, amount in flows(fed, code, date)}


def _fares(paid: Mapping[tuple[str, str, str], int]) -> dict[tuple[str, str, str], int]:
    return {flow: amount for flow, amount in paid.items() if flow[0] == "charge"}


def _on_the_road(fed: Federation, date: dt.date) -> Path:
    return fed.root / "road" / f"{A.code}-44" / f"records-{date}" / "records.parquet"


def _said(fed: Federation, date: dt.date) -> list[str]:
    """What the other city's centre said of this one's records."""
    path = RoundFiles(fed.root / B.code, date).path("verdicts.parquet")
    return [row["reason"] for row in pq.read_table(path).to_pylist() if row["centre"] == A.code]


def _answers(fed: Federation, date: dt.date) -> list[tuple[int, bool]]:
    """The answers of a round, and which of them silence gave."""
    path = RoundFiles(fed.root / A.code, date).path("answers.parquet")
    deemed = RoundFiles(fed.root / A.code, date).path("deemed.parquet")
    if not path.exists():
        return []
    silent = set(pq.read_table(deemed)["ref"].to_pylist())
    return [(number, number in silent) for number in pq.read_table(path)["w_id"].to_pylist()]


def _losses(fed: Federation) -> int:
    with contextlib.closing(sqlite3.connect(fed.root / B.code / "centre.db")) as database:
        [(borne,)] = database.execute("SELECT sum(amount) FROM ledger_transfers WHERE code = 20").fetchall()
    return int(borne or 0)
