"""What sight rests on, on SQLite and PostgreSQL. Goal: it falls with the event that gave it, and only with that.

Method: events through the store's capture, declared errors in every order, corrected, and said by two.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.codec.epcis import Action, ErrorDeclaration, Event, EventType
from jinka.codec.tags import canonical_id
from jinka.store import database_at
from jinka.store.database import Database
from jinka.store.trace_access import AccessBooks
from jinka.store.trace_capture import Outcome, prepare
from jinka.store.trace_hands import had_by, held
from jinka.store.trace_store import TraceStore
from jinka.trace.access import Stay, read_owns
from tests.epcis_rig import Clock
from tests.store.test_gateway_migration import at_version
from tests.trace.test_access import DOOR, FARM, FIELD, HALL, MILL, MINE, OTHER, SHOP, SPY, STORE, seen

KEY = canonical_id(MINE)
BRAND = replace(FARM, id="brand", owns=read_owns(["4012345"]))
YARD = "urn:epc:id:sgln:4012345.00009.0"


def void(event: Event) -> Event:
    return replace(event, error=ErrorDeclaration(declaration_time_us=99))


@dataclass
class Chain:
    database: Database
    store: TraceStore

    def capture(self, by: str, *events: Event, own: bool = False) -> list[Outcome]:
        batch = [prepare(event) for event in events]
        answers = self.store.capture(batch, captured_by=by, declares_own=own, proceed=True)
        return [answer.outcome for answer in answers]

    def had(self, thing: str = MINE) -> set[str]:
        with self.database.begin() as connection:
            return had_by(connection, [canonical_id(thing)]).get(canonical_id(thing), set())

    def stay(self, who: str) -> Stay | None:
        with self.database.begin() as connection:
            return held(connection, who, [KEY]).get(KEY)


@contextmanager
def chain(where: Path | str) -> Iterator[Chain]:
    with database_at(where) as database:
        for one in (BRAND, MILL, SHOP, SPY):
            AccessBooks(database).put(one)
        yield Chain(database, TraceStore(database, Clock()))


def test_who_had_a_thing_by_an_error_alone_has_it_no_more(where: Path | str) -> None:
    with chain(where) as made:
        made.capture("brand", seen(1_000, FIELD, MINE, OTHER), seen(2_000, FIELD, MINE, OTHER, to=HALL))
        sent = seen(3_000, FIELD, MINE, to=DOOR)
        made.capture("brand", sent)
        made.capture("spy", seen(4_000, DOOR, to=STORE))  # hands it on
        assert made.had() == {"brand", "mill", "spy", "shop"}
        made.capture("brand", void(sent))
        assert made.had() == {"brand", "mill"}  # and what rested on the spy's having it has fallen
        assert made.stay("brand") == Stay(1_000, 2_000)
        assert made.had(OTHER) == {"brand", "mill"}
        made.capture("brand", replace(sent, event_time_us=3_500))  # sent after all, another time
        assert made.had() == {"brand", "mill", "spy", "shop"}
        assert made.stay("spy") == Stay(3_500, 4_000)


def test_a_correction_in_the_job_of_its_declaration_gives_sight_in_either_order(where: Path | str) -> None:
    wrong, right = seen(3_000, FIELD, to=DOOR), seen(3_000, FIELD, to=HALL)
    with chain(where) as made:
        made.capture("brand", wrong)
        assert made.had() == {"brand", "spy"}
        assert made.capture("brand", right, void(wrong)) == [Outcome.ACCEPTED] * 2
        assert made.had() == {"brand", "mill"}
        again = seen(5_000, HALL, to=STORE)
        made.capture("mill", void(again), again)  # told as an error in its own job, and before it
        later = seen(6_000, HALL, to=STORE)
        made.capture("mill", void(later))
        made.capture("mill", later)
        assert made.had() == {"brand", "mill"}


def test_who_says_the_same_later_is_believed_and_nobody_undoes_it_for_him(where: Path | str) -> None:
    event = replace(seen(1_000, FIELD, to=HALL), read_point=None)
    with chain(where) as made:
        assert made.capture("spy", event) == [Outcome.ACCEPTED]
        assert made.had() == set()  # the key is the brand's
        assert made.capture("brand", event) == [Outcome.DUPLICATE]
        assert made.had() == {"brand", "mill"}
        assert made.capture("spy", void(event), own=True) == [Outcome.REFUSED]  # it is the brand's word now
        assert made.capture("spy", event) == [Outcome.DUPLICATE]
        assert made.capture("brand", void(event), own=True) == [Outcome.ACCEPTED]
        assert made.had() == set()


@pytest.mark.parametrize("first", ["word", "error"])
def test_each_ones_word_stands_by_itself_where_two_said_the_same(where: Path | str, first: str) -> None:
    to_spy = seen(1_500, FIELD, to=DOOR)
    same = replace(seen(2_000, FIELD, to=STORE), read_point=None)
    with chain(where) as made:
        made.capture("brand", seen(1_000, FIELD, to=HALL), to_spy)
        made.capture("spy", same)
        steps = [("mill", same), ("brand", void(to_spy))]
        for by, event in steps if first == "word" else reversed(steps):
            made.capture(by, event)
        assert made.had() == {"brand", "mill", "shop"}  # the mill says it too, and had it by itself
        other = seen(2_500, FIELD)
        made.capture("brand", other)
        made.capture("brand", void(other))  # an error of something else changes nothing
        assert made.had() == {"brand", "mill", "shop"}
        made.capture("brand", void(seen(1_000, FIELD, to=HALL)))
        assert made.had() == set()  # and whoever is left says it of what he never had


def test_who_captures_for_another_gives_sight_in_his_name(where: Path | str) -> None:
    case = "urn:epc:id:sscc:6901234.0000000017"
    packed = replace(
        seen(1_000, YARD), event_type=EventType.AGGREGATION, action=Action.ADD, epcs=(), parent_id=case,
        child_epcs=(MINE,),
    )  # fmt: skip
    sent = seen(2_000, YARD, to=HALL)
    with chain(where) as made:
        AccessBooks(made.database).put(
            replace(SPY, id="carrier", owns=read_owns(["6905555"]), captures=BRAND.owns)
        )
        made.capture("carrier", packed)
        made.capture("mill", seen(3_000, HALL, case, to=STORE))
        assert made.had() == {"brand"}
        assert made.stay("shop") == Stay(3_000, 3_000)  # in the case: that it lay in it is the brand's word
        made.capture("carrier", sent)
        assert made.had() == {"brand", "mill"}
        made.capture("mill", seen(4_000, HALL, to=STORE))
        assert made.had() == {"brand", "mill", "shop"}
        assert made.capture("carrier", void(sent), own=True) == [Outcome.ACCEPTED]
        assert made.had() == {"brand"}


def test_an_upgrade_keeps_the_claims_that_there_are(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    at_version(engine, "0029")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO trace_claims VALUES ('a', 1, 'mill', 'farm', 5, 3, 1)"))
    at_version(engine, "0030")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO trace_claims VALUES ('a', 1, 'mill', 'shop', 5, 1, 0)"))
        rows = connection.execute(sa.text("SELECT * FROM trace_claims ORDER BY said_by")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [
        ("a", 1, "mill", "farm", 5, 3, 1),
        ("a", 1, "mill", "shop", 5, 1, 0),
    ]


def test_no_declaration_looks_through_more_than_its_things(where: Path | str) -> None:
    with chain(where) as made:
        made.capture("brand", seen(1_000, FIELD, MINE), seen(2_000, FIELD, OTHER))
        made.capture("brand", void(seen(1_000, FIELD, MINE)))
        with made.database.begin() as connection:
            states = connection.execute(sa.text("SELECT item, state FROM trace_claims ORDER BY state")).all()
        assert [(row[0] == KEY, row[1]) for row in states] == [(False, 0), (True, 2)]
