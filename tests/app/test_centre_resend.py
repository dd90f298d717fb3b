"""Refused records go up again. Goal: honest records of a refused parcel are paid once, when an officer says so.

Method: two cities over folders, one parcel damaged and refused; then two desks, with officers at both ends.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jinka.app.audit import show
from jinka.app.centre_files import ArrivedFiles, RoundFiles
from jinka.app.centre_late import heard_rounds
from jinka.app.centre_line import LineRoad
from jinka.app.centre_notices import LOG, decide_parcel
from jinka.app.centre_resend import order, own_rows, resend_parcel, resent_days
from jinka.app.centre_serving import centre_status
from jinka.clearing.hearing import HEARD, heard_of
from jinka.clearing.tiers import Surroundings, Tier
from jinka.clearing.verdicts import CROSSING
from jinka.codec.parcel import Kind
from jinka.kit import NotFound, Refused, Usage
from jinka.node.parcel_desk import ParcelDesk
from tests.app.centre_rig import DATE, NEXT, THIRD, TWO, federation, flows, require_books, services, travel
from tests.app.line_rig import line, papers
from tests.parcels import CITY, DAY, PARENT, post

__all__ = ["line", "papers"]  # fixtures


def test_records_of_a_refused_parcel_are_paid_once_with_a_later_round(tmp_path: Path) -> None:
    sender, keys = TWO[0].code, services(TWO)
    with federation(tmp_path, keys, travel(keys, TWO, riders=12)) as fed:
        fed.close()
        fed.centres[sender].advance()
        place = fed.root / "road" / f"{sender}-44" / f"records-{DATE}"
        good = (place / "records.parquet").read_bytes()
        (place / "records.parquet").write_bytes(good[:-40] + bytes(40))
        fed.run()
        assert len(fed.centres["44"].road.problems) == 1
        (place / "records.parquet").write_bytes(good)  # for this test to read
        order(fed.root / sender, f"{sender}>44/records/1", str(DATE), "li")
        for date in (NEXT, THIRD):
            fed.close(date, empty=True)
            fed.run()
            fed.centres[sender] = fed.centre(sender)
        require_books(fed)
        paid = Counter[str]()
        for date in (DATE, NEXT, THIRD):
            for kind, payer, _, amount in flows(fed, sender, date):
                paid[str(date)] += amount if (kind, payer) == ("charge", TWO[1].issuer) else 0
        asked = pq.read_table(place / "records.parquet")
        again = [
            pq.read_table(place.parent / f"records-{date}" / "records.parquet") for date in (NEXT, THIRD)
        ]
        assert again[0].equals(asked), "the same records under the same names"
        assert again[1].num_rows == 0, "and once"
        assert sum(asked["amount"].to_pylist()) >= paid[str(NEXT)] > 0
        assert paid[str(DATE)] == paid[str(THIRD)] == 0
        config = fed.configs[sender].around
        heard = heard_rounds(fed.root / sender, config, [DATE, NEXT, THIRD])
        assert heard[DATE.toordinal()] == NEXT.toordinal(), "silence counts from there"


def test_an_officer_resends_what_was_refused_once_and_on_record(
    tmp_path: Path, line: dict[str, ParcelDesk]
) -> None:
    folder, parcel = tmp_path / CITY, f"{CITY}>{PARENT}/records/1"
    city, parent = (LineRoad(line[code]) for code in (CITY, PARENT))
    city.send(
        PARENT, Kind.RECORDS, DAY, tables := {"records": CROSSING.empty_table(), "heard": HEARD.empty_table()}
    )
    post(line[CITY], line[PARENT])
    [came] = parent.ready()
    with pytest.raises(NotFound):
        resend_parcel(folder, parcel, officer="li", reason="honest")
    parent.parked(came, Refused("odd", where="records"))
    parent.ready()
    post(line[PARENT], line[CITY])
    city.ready()
    with pytest.raises(Refused, match="parked, not refused"):
        resend_parcel(folder, parcel, officer="li", reason="honest")
    decide_parcel(tmp_path / PARENT, parcel, release=False, officer="chen", reason="invented")
    parent.ready()
    post(line[PARENT], line[CITY])
    city.ready()
    assert [one["state"] for one in centre_status(folder)["own_parcels"]] == ["refused"]
    with pytest.raises(Refused, match="is not here"):
        resend_parcel(folder, parcel, officer="li", reason="honest")
    RoundFiles(folder, DAY).write("up-records-records", tables["records"])
    for odd in ({"officer": " ", "reason": "x"}, {"officer": "li", "reason": ""}):
        with pytest.raises(Usage):
            resend_parcel(folder, parcel, **odd)
    said = resend_parcel(folder, parcel, officer="li", reason="honest\x1b[2J")
    assert said == {"parcel": parcel, "state": "resent", "date": str(DAY), "officer": "li"}
    assert [one["state"] for one in centre_status(folder)["own_parcels"]] == ["resent"]
    with pytest.raises(Refused, match="waits for the next round"):
        resend_parcel(folder, parcel, officer="li", reason="again")
    acts = [(one["actor"], one["act"], one["outcome"]) for one in show(folder / LOG, act="parcel.")]
    assert acts == [("li", "parcel.resent", each) for each in ("refused", "refused", "ok", "refused")]
    days = [DAY + dt.timedelta(days=each) for each in range(1, 6)]
    assert [resent_days(folder, each) for each in (DAY, *days[:3])] == [[], [DAY], [], []], (
        "with one round alone"
    )
    assert resent_days(folder, days[0]) == [DAY], "the same after a kill"
    with pytest.raises(Refused, match="resent before, with the round of"):
        resend_parcel(folder, parcel, officer="li", reason="again")
    city.send(PARENT, Kind.RECORDS, days[0], tables)
    post(line[CITY], line[PARENT])
    parent.parked(parent.ready()[0], Refused("odd still", where="records"))
    second = f"{CITY}>{PARENT}/records/2"
    decide_parcel(tmp_path / PARENT, second, release=False, officer="chen", reason="invented")
    parent.ready()
    post(line[PARENT], line[CITY])
    city.ready()
    resend_parcel(folder, parcel, officer="li", reason="that one was refused too")
    assert [resent_days(folder, each) for each in (days[3], days[4])] == [[DAY], []]


def test_a_refused_parcel_goes_again_without_what_rode_with_it(tmp_path: Path) -> None:
    """Else what is wrong with one parcel would be wrong with every one that comes after it."""
    first, second, third = (DAY + dt.timedelta(days=each) for each in range(3))
    before, both = heard_of({"a": [1, 2]}), heard_of({"a": [1, 2, 3], "b": [1]})
    RoundFiles(tmp_path, first).write("up-records-heard", before)
    order(tmp_path, f"{CITY}>{PARENT}/records/1", str(first), "li")
    assert resent_days(tmp_path, second) == [first]
    RoundFiles(tmp_path, second).write("up-records-heard", both)
    order(tmp_path, f"{CITY}>{PARENT}/records/2", str(second), "li")
    assert resent_days(tmp_path, third) == [second]
    assert own_rows(tmp_path, second, "up-records-heard", HEARD).equals(heard_of({"a": [3], "b": [1]}))
    around = Surroundings(tier=Tier.CITY, code=CITY, parent=PARENT)
    heard = heard_of({CITY: [third.toordinal()]})
    ArrivedFiles(tmp_path).keep(PARENT, Kind.RECORDS, third, {"heard": heard})
    found = heard_rounds(tmp_path, around, [first, second, third])
    assert found == dict.fromkeys((day.toordinal() for day in (second, third)), third.toordinal())
