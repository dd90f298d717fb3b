"""Parked parcels. Goal: the sender hears of it, an officer decides once and on record, no row is lost or counts twice.

Method: two desks with played papers, whose parcels are carried by hand; officers' words by the function of the command.
Then rounds over folders, where a parcel is damaged on its way, parked, mended and released, with a kill in between.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.app.audit import examine, show
from jinka.app.centre_arrivals import take_arrivals
from jinka.app.centre_config import DATABASE
from jinka.app.centre_files import Arrived, ArrivedFiles, RoundFiles
from jinka.app.centre_founded import require_bounds
from jinka.app.centre_line import LineRoad
from jinka.app.centre_notices import LOG, NOTICES, decide_parcel, own_parcels
from jinka.app.centre_serving import centre_status
from jinka.clearing import LineKind
from jinka.clearing.hearing import HEARD, rounds_of
from jinka.clearing.routing import CLAIMS
from jinka.clearing.tiers import Neighbour, Surroundings, Tier
from jinka.clearing.verdicts import CROSSING, DEEMED, VERDICTS
from jinka.codec.parcel import Kind
from jinka.kit import NotFound, Refused, Usage
from jinka.node.parcel_desk import OutgoingFile, ParcelDesk
from jinka.store import database_at
from jinka.store.parcel_findings import findings_in
from tests.app.centre_rig import (
    DATE,
    NEXT,
    THIRD,
    TWO,
    federation,
    flows,
    ledger,
    require_books,
    services,
    travel,
)
from tests.app.line_rig import line, papers
from tests.parcels import CITY, DAY, PARENT, post

CLAIMED = {"claims": CLAIMS.empty_table(), "deemed": DEEMED.empty_table()}
FIRST = f"{CITY}>{PARENT}/positions/1"
__all__ = ["line", "papers"]  # fixtures
WHO = {"officer": "chen", "reason": "child admitted"}


def _parked(line: dict[str, ParcelDesk]) -> tuple[LineRoad, LineRoad]:
    """The child's parcel is parked, and the child was told."""
    city, parent = (LineRoad(line[code]) for code in (CITY, PARENT))
    city.send(PARENT, Kind.POSITIONS, DAY, CLAIMED)
    post(line[CITY], line[PARENT])
    [came] = parent.ready()
    parent.parked(came, Refused("\x1b[2Jof nobody below it", where="claims"))
    _carry(line, city, parent)
    return city, parent


def _carry(line: dict[str, ParcelDesk], city: LineRoad, parent: LineRoad) -> None:
    assert parent.ready() == []
    post(line[PARENT], line[CITY])
    assert city.ready() == []


def _told(folder: Path) -> list[tuple[str, str]]:
    return [(one["parcel"].split()[0], one["state"]) for one in centre_status(folder)["own_parcels"]]


def test_the_sender_hears_why_its_parcel_was_parked_once(tmp_path: Path, line: dict[str, ParcelDesk]) -> None:
    city, parent = _parked(line)
    [said] = centre_status(tmp_path / CITY)["own_parcels"]
    assert (said["parcel"], said["state"]) == (f"{FIRST} for {DAY}", "parked")
    assert "of nobody below it" in said["what"]
    assert said["what"].isprintable()
    _carry(line, city, parent)
    _carry(line, city, LineRoad(line[PARENT]))  # after a restart too
    with database_at(tmp_path / CITY / DATABASE) as engine:
        assert [one.code for one in findings_in(engine)] == ["PARCEL_PARKED"]
    assert centre_status(tmp_path / PARENT)["own_parcels"] == []


def test_an_officer_releases_it_once_and_the_audit_says_who(
    tmp_path: Path, line: dict[str, ParcelDesk]
) -> None:
    city, parent = _parked(line)
    said = decide_parcel(tmp_path / PARENT, FIRST, release=True, **WHO)
    assert said == {"parcel": FIRST, "state": "released", "officer": "chen"}
    with pytest.raises(Refused, match="not parked"):
        decide_parcel(tmp_path / PARENT, FIRST, release=False, **WHO)
    [again] = parent.ready()
    assert again.released
    parent.parked(again, Refused("\x1b[2Jof nobody below it", where="claims"))  # the same is wrong still
    assert parent.ready() == []
    post(line[PARENT], line[CITY])
    city.ready()
    assert _told(tmp_path / CITY) == [(FIRST, "parked")]
    decide_parcel(tmp_path / PARENT, FIRST, release=True, officer="li", reason="mended")
    parent.applied(parent.ready()[0])
    _carry(line, city, parent)
    assert _told(tmp_path / CITY) == [(FIRST, "released")]
    log = tmp_path / PARENT / LOG
    assert examine(log).report.sound
    acts = [(row["actor"], row["act"], row["outcome"]) for row in show(log, act="parcel.")]
    assert acts == [
        ("chen", "parcel.released", "ok"), ("chen", "parcel.refused", "refused"),
        ("li", "parcel.released", "ok"),
    ]  # fmt: skip


def test_what_is_refused_never_has_an_effect_and_the_stream_goes_on(
    tmp_path: Path, line: dict[str, ParcelDesk]
) -> None:
    city, parent = _parked(line)
    decide_parcel(tmp_path / PARENT, FIRST, release=False, officer="chen", reason="invented")
    city.send(PARENT, Kind.POSITIONS, DAY + dt.timedelta(days=1), CLAIMED)
    post(line[CITY], line[PARENT])
    [after] = parent.ready()
    assert (after.date, after.released) == (DAY + dt.timedelta(days=1), False)
    post(line[PARENT], line[CITY])
    assert city.ready() == []
    assert _told(tmp_path / CITY) == [(FIRST, "refused")]
    with pytest.raises(Refused):
        decide_parcel(tmp_path / PARENT, FIRST, release=True, **WHO)


@pytest.mark.parametrize(
    ("parcel", "who", "error"),
    [
        ("", WHO, NotFound),
        (f"{CITY}>{PARENT}/positions/9", WHO, NotFound),
        (f"{CITY}>{PARENT}/positions/²", WHO, NotFound),
        (f"{CITY}>elsewhere/positions/1", WHO, NotFound),
        (f"{CITY}>{PARENT}/gifts/1", WHO, NotFound),
        (FIRST, {"officer": " ", "reason": "x"}, Usage),
        (FIRST, {"officer": "chen", "reason": ""}, Usage),
    ],
)
def test_nobody_decides_what_is_not_there_or_without_a_reason(
    parcel: str, who: dict[str, str], error: type[Exception], tmp_path: Path, line: dict[str, ParcelDesk]
) -> None:
    _parked(line)
    with pytest.raises(error):
        decide_parcel(tmp_path / PARENT, parcel, release=True, **who)


@pytest.mark.parametrize(
    "lie",
    [
        {"number": 7}, {"kind": "gifts"}, {"event": "paid"}, {"manifest": bytes(32)}, {"kind": "notices"},
    ],
)  # fmt: skip
def test_a_notice_about_what_was_not_sent_is_parked_and_answered_by_nobody(
    lie: dict[str, Any], tmp_path: Path, line: dict[str, ParcelDesk]
) -> None:
    city, parent = LineRoad(line[CITY]), LineRoad(line[PARENT])
    city.send(PARENT, Kind.POSITIONS, DAY, CLAIMED)
    digest = line[CITY].waiting_for(PARENT)[0].manifest.digest
    row = {"kind": "positions", "number": 1, "manifest": digest, "event": "parked", "what": "", "fix": ""}
    table = pa.Table.from_pylist([row | lie], schema=NOTICES)
    file = OutgoingFile(name="notices.parquet", schema="jinka.notices/1", rows=table)
    line[PARENT].send(CITY, Kind.NOTICES, "lie", DAY, [file])
    post(line[PARENT], line[CITY])
    assert city.ready() == city.ready() == []
    with database_at(tmp_path / CITY / DATABASE) as engine:
        assert own_parcels(engine, CITY) == []
        assert [one.code for one in findings_in(engine)] == ["PARCEL_PARKED"]
    post(line[CITY], line[PARENT])
    assert [one.kind for one in parent.ready()] == [Kind.POSITIONS]


# In the rounds.


@pytest.fixture(scope="module")
def keys() -> Any:
    return services(TWO)


@pytest.fixture(scope="module")
def days(keys: Any) -> Any:
    return travel(keys, TWO, riders=12)


def test_released_records_are_judged_and_paid_in_the_round_that_they_ride_with(
    tmp_path: Path, keys: Any, days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is paid is what a calm day would have paid, whenever the centre is killed."""
    sender, paid = TWO[0].code, Counter[str]()
    with federation(tmp_path, keys, days) as fed:
        fed.close()
        fed.centres[sender].advance()
        place = fed.root / "road" / f"{sender}-44" / f"records-{DATE}"
        good = (place / "records.parquet").read_bytes()
        (place / "records.parquet").write_bytes(good[:-40] + bytes(40))
        fed.run()
        assert len(fed.centres["44"].road.problems) == 1
        (place / "records.parquet").write_bytes(good)
        fed.release(place)
        applied = type(fed.centres["44"].road).applied
        monkeypatch.setattr(type(fed.centres["44"].road), "applied", _killed)
        with pytest.raises(KeyboardInterrupt):
            fed.centres["44"].advance()
        monkeypatch.setattr(type(fed.centres["44"].road), "applied", applied)
        fed.centres["44"] = fed.centre("44")
        fed.close(NEXT, empty=True)
        fed.run()
        require_books(fed)
        for date in (DATE, NEXT):
            for kind, payer, _, amount in flows(fed, sender, date):
                if kind == "charge" and payer == TWO[1].issuer:
                    paid[str(date)] += amount
        asked = pq.read_table(place / "records.parquet")["amount"].to_pylist()
        assert sum(asked) >= paid[str(NEXT)] > 0
        assert paid[str(DATE)] == 0
        released = ArrivedFiles(fed.root / "44").released(sender, Kind.RECORDS, NEXT)
        assert [day for day, _ in released] == [DATE], "and it waits for no other"
        heard = ArrivedFiles(fed.root / sender).read("44", Kind.RECORDS, NEXT, "heard", HEARD)
        assert rounds_of(heard, sender) == [DATE.toordinal(), NEXT.toordinal()], "silence counts from here"
        before = ledger(fed, TWO[1].code)
        fed.run()
        assert ledger(fed, TWO[1].code) == before


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


class OneParcel:
    """A road on which some parcels wait."""

    def __init__(self, *parcels: Arrived) -> None:
        self.waiting, self.problems = list(parcels), list[str]()

    def ready(self) -> list[Arrived]:
        return list(self.waiting)

    def applied(self, parcel: Arrived) -> None:
        self.waiting.remove(parcel)

    def parked(self, parcel: Arrived, problem: Exception) -> None:
        self.problems.append(str(problem))
        self.waiting.remove(parcel)


AROUND = Surroundings(
    tier=Tier.NATION,
    code="00",
    children={c: Neighbour(code=c, centres=frozenset(c), participants=frozenset(p)) for c, p in ("ai", "bj")},
)


def _parcel(folder: Path, number: int, date: dt.date, amount: int, *, released: bool = False) -> Arrived:
    row = {
        "centre": "a", "round": date.toordinal(), "kind": LineKind.CHARGE.value, "payer": "j", "payee": "o",
        "far": "j", "amount": amount,
    }  # fmt: skip
    place = folder / str(number)
    place.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist([row], schema=CLAIMS), place / "claims")
    pq.write_table(DEEMED.empty_table(), place / "deemed")
    return Arrived(
        sender="a", kind=Kind.POSITIONS, date=date, label=f"a>00/positions/{number}", released=released,
        files={name: place / name for name in CLAIMED},
    )  # fmt: skip


def _sent(folder: Path, amount: int) -> None:
    """The child sent records of so much, and all of it was accepted."""
    said = {
        "centre": "a", "ref": 1, "issuer": "j", "txn_type": 6, "amount": amount, "reason": "ACCEPTED",
        "findings": "", "at_risk": False, "holder": None,
    }  # fmt: skip
    RoundFiles(folder, DATE).write("up-verdicts-verdicts", pa.Table.from_pylist([said], schema=VERDICTS))
    row = {field.name: {"string": "a", "int64": amount}.get(str(field.type)) for field in CROSSING}
    made = {field.name: [row[field.name]] for field in CROSSING}
    columns = [
        pa.array(made[field.name], field.type)
        if row[field.name] is not None
        else pa.array([_zero(field.type)], field.type)
        for field in CROSSING
    ]
    table = pa.Table.from_arrays(columns, schema=CROSSING)
    ArrivedFiles(folder).keep("a", Kind.RECORDS, DATE, {"records": table}, label="r")


def _zero(kind: pa.DataType) -> Any:
    if pa.types.is_fixed_size_binary(kind):
        return bytes(kind.byte_width)
    return dt.date(2018, 9, 3) if pa.types.is_date(kind) else b"" if pa.types.is_binary(kind) else 0


def _claimed(folder: Path, date: dt.date) -> list[int]:
    amounts: list[int] = (
        ArrivedFiles(folder).read("a", Kind.POSITIONS, date, "claims", CLAIMS)["amount"].to_pylist()
    )
    return amounts


def test_a_second_parcel_of_a_day_changes_nothing_of_the_first(tmp_path: Path) -> None:
    """Else who was paid could write anew what it had claimed, and claim as much again."""
    _sent(tmp_path, 100)
    road = OneParcel(_parcel(tmp_path, 1, DATE, 100), _parcel(tmp_path, 2, DATE, 1))
    assert take_arrivals(tmp_path, AROUND, road)
    assert len(road.problems) == 1
    assert _claimed(tmp_path, DATE) == [100]
    third = OneParcel(_parcel(tmp_path, 3, NEXT, 1))
    take_arrivals(tmp_path, AROUND, third)
    assert "sent records of 100" in third.problems[0]


def test_claims_by_the_million_are_parked_before_they_are_decoded(tmp_path: Path) -> None:
    """A small file of one row over and over would take gigabytes as objects, and end the centre at every start."""
    _sent(tmp_path, 100)
    parcel = _parcel(tmp_path, 1, DATE, 0)
    one = pq.read_table(parcel.files["claims"])
    many = one.take(pa.array([0] * 100_001))
    pq.write_table(many, parcel.files["claims"], compression="zstd")
    assert parcel.files["claims"].stat().st_size < 10_000
    road = OneParcel(parcel)
    assert take_arrivals(tmp_path, AROUND, road)
    assert "100001 rows" in road.problems[0]
    assert _claimed(tmp_path, DATE) == []


def test_released_claims_count_and_ride_once(tmp_path: Path) -> None:
    """What was released waits for the next parcel, fills the bound from then on, and is examined as of now."""
    _sent(tmp_path, 100)
    arrived = ArrivedFiles(tmp_path)
    arrived.keep("a", Kind.POSITIONS, DATE, {}, label="a>00/positions/1")  # parked
    first = OneParcel(_parcel(tmp_path, 1, DATE, 60, released=True))
    take_arrivals(tmp_path, AROUND, first)
    assert (first.problems, _claimed(tmp_path, DATE)) == ([], [])
    too_much = OneParcel(_parcel(tmp_path, 2, NEXT, 41))
    take_arrivals(tmp_path, AROUND, too_much)
    assert "claims 101" in too_much.problems[0]
    for _ in range(2):  # a kill before the mark leads to the same again
        take_arrivals(tmp_path, AROUND, OneParcel(_parcel(tmp_path, 3, THIRD, 40)))
        assert sorted(_claimed(tmp_path, THIRD)) == [40, 60]
    assert arrived.released("a", Kind.POSITIONS, None) == []
    again = OneParcel(_parcel(tmp_path, 2, NEXT, 41, released=True))
    take_arrivals(tmp_path, AROUND, again)
    assert "claims 141" in again.problems[0], "what was taken in since counts"
    with pytest.raises(Refused):
        claims = pq.read_table(tmp_path / "3" / "claims")
        require_bounds(tmp_path, AROUND, "a", THIRD + dt.timedelta(days=1), claims, where="p")


@pytest.mark.parametrize("at", [1, 2])  # 2: after it, and before the mark
def test_what_a_kill_left_of_a_parcel_is_in_no_round_once_it_is_parked(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in `keep`, or after it; what was taken in meanwhile lets the second look park the parcel."""
    _sent(tmp_path, 100)
    arrived, place, written = ArrivedFiles(tmp_path), ("a", Kind.POSITIONS, NEXT), 0

    def replaces(path: Path, target: Path) -> Path:
        nonlocal written
        written += 1
        if written >= at:
            raise KeyboardInterrupt
        return real(path, target)

    real = Path.replace
    with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
        patched.setattr(Path, "replace", replaces)
        take_arrivals(tmp_path, AROUND, OneParcel(_parcel(tmp_path, 2, NEXT, 41)))
    whole = arrived.has(*place)
    assert _claimed(tmp_path, NEXT) == ([41] if whole else []), "all of it or nothing"
    arrived.keep("a", Kind.POSITIONS, DATE, {"claims": _rows_of(tmp_path, 60)}, label="a>00/positions/1")
    second = OneParcel(_parcel(tmp_path, 2, NEXT, 41))
    take_arrivals(tmp_path, AROUND, second)
    assert "claims 101" in second.problems[0]
    assert _claimed(tmp_path, NEXT) == []
    assert arrived.label(*place) == "a>00/positions/2", "heard, with nothing in it"


def test_a_released_parcel_that_is_parked_at_the_second_look_rides_with_nothing(tmp_path: Path) -> None:
    _sent(tmp_path, 100)
    arrived, released = ArrivedFiles(tmp_path), _parcel(tmp_path, 2, NEXT, 41, released=True)
    arrived.keep("a", Kind.POSITIONS, NEXT, {}, label=released.label)
    take_arrivals(tmp_path, AROUND, OneParcel(released))  # and killed before the mark
    assert [day for day, _ in arrived.released("a", Kind.POSITIONS, None)] == [NEXT]
    _sent(tmp_path, 40)  # what was accepted became less
    take_arrivals(tmp_path, AROUND, again := OneParcel(released))
    assert "claims" in again.problems[0]
    assert arrived.released("a", Kind.POSITIONS, None) == []


def _rows_of(folder: Path, amount: int) -> pa.Table:
    return pq.read_table(_parcel(folder, 9, DATE, amount).files["claims"]).cast(CLAIMS)
