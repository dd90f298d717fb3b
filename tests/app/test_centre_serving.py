"""A centre between its rounds. Goal: no day is forgotten, and none is taken in twice."""

from __future__ import annotations

from pathlib import Path

from jinka.app.centre_serving import close_days
from jinka.codec.parcel import Kind
from tests.app.centre_rig import DATE, NEXT, TWO, federation, services, travel


def test_a_day_that_a_city_skipped_is_judged_once_it_closes_a_later_one(tmp_path: Path) -> None:
    keys = services(TWO)
    with federation(tmp_path, keys, travel(keys, TWO, riders=1)) as fed:
        centre = fed.centres[TWO[1].code]
        centre.arrived.keep("32", Kind.RECORDS, DATE, {})
        assert not close_days(centre)
        (centre.folder / "inbox" / str(NEXT)).mkdir(parents=True)
        (centre.folder / "inbox" / str(NEXT) / "closed").touch()
        assert close_days(centre)
        assert [centre.round(day).noted("intake")["deliveries"] for day in (DATE, NEXT)] == [[], []]
        assert not close_days(centre)
