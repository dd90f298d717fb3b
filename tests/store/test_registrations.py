"""The register in SQL. Goal: what two officers do at once, or somebody writes behind its back, gives no number twice.
Method: transactions that fail half way, rows changed by hand, and a range taken by two.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.kit import NotFound, Refused
from jinka.registry import Act, Deed, Kind, Registration, State, checked_value
from jinka.store import open_database, register_in

ON = dt.date(2026, 6, 1)
RANGE = "5180000001000000-5180000001999999"


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return open_database(tmp_path / "registry.sqlite")


def _deed(act: Act, officer: str = "wang-wu") -> Deed:
    return Deed(act=act, officer=officer, at_micros=7, reason="because")


def _draft(kind: Kind, value: str, holder: str = "org.a") -> Registration:
    return Registration(
        number=0,
        kind=kind,
        value=checked_value(kind, value, today=ON),
        holder=holder,
        valid_from=ON,
        valid_to=dt.date(2030, 1, 1),
        deeds=(_deed(Act.APPLY, "li-si"),),
    )


def _granted(engine: sa.Engine, kind: Kind, value: str) -> int:
    with register_in(engine) as register:
        number = register.apply(_draft(kind, value), ON).number
        register.act(number, _deed(Act.REVIEW), ON)
        register.act(number, _deed(Act.GRANT), ON)
    return number


def test_what_is_written_is_read(engine: sa.Engine) -> None:
    number = _granted(engine, Kind.RID, "A000000333")
    with register_in(engine) as register:
        found = register.read(number)
        assert (found.state, [deed.act for deed in found.deeds]) == (
            State.GRANTED,
            [Act.APPLY, Act.REVIEW, Act.GRANT],
        )
        assert register.listed() == register.listed(Kind.RID) == [found]
        assert register.listed(Kind.AID) == []
        with pytest.raises(NotFound):
            register.read(2)


def test_one_range_for_two(engine: sa.Engine) -> None:
    _granted(engine, Kind.ISSUER_NUMBER, "51800000")
    with register_in(engine) as register:
        register.apply(_draft(Kind.CARD_RANGE, RANGE), ON)
    with pytest.raises(Refused, match="overlaps"), register_in(engine) as register:
        register.apply(_draft(Kind.CARD_RANGE, "5180000001999999-5180000002999999"), ON)
    with register_in(engine) as register:
        assert len(register.listed()) == 2


def test_a_refused_act_leaves_nothing(engine: sa.Engine) -> None:
    with pytest.raises(Refused), register_in(engine) as register:
        register.apply(_draft(Kind.RID, "A000000333"), ON)
        register.apply(_draft(Kind.RID, "A000000333"), ON)
    with register_in(engine) as register:
        assert register.listed() == []


def test_a_grant_asks_again_for_what_it_rests_on(engine: sa.Engine) -> None:
    rid = _granted(engine, Kind.RID, "A000000333")
    with register_in(engine) as register:
        aid = register.apply(_draft(Kind.AID, "A000000333010101"), ON).number
        register.act(aid, _deed(Act.REVIEW), ON)
        register.act(rid, _deed(Act.SUSPEND), ON)
    with pytest.raises(Refused, match="in force"), register_in(engine) as register:
        register.act(aid, _deed(Act.GRANT), ON)
    with register_in(engine) as register:
        assert register.read(aid).state is State.REVIEWED


@pytest.mark.parametrize(
    ("first", "last", "held"),
    [
        ("5180000001000000", "5180000001999999", True),
        ("5180000001000005", "5180000001000005", True),
        ("5180000000999999", "5180000001000000", False),
        ("5180000001999999", "5180000002000000", False),
        ("518000000100000", "518000000100000", False),  # 15 digits
        ("51800000010000000", "51800000010000000", False),  # 17 digits
        ("6214620000000000", "6214620000000000", False),
    ],
)
def test_cards_are_issued_from_granted_ranges(engine: sa.Engine, first: str, last: str, held: bool) -> None:
    _granted(engine, Kind.ISSUER_NUMBER, "51800000")
    _granted(engine, Kind.CARD_RANGE, RANGE)
    with register_in(engine) as register:
        if held:
            assert register.require_card_numbers(first, last, ON, holder="org.a").value == RANGE
        else:
            with pytest.raises(Refused):
                register.require_card_numbers(first, last, ON, holder="org.a")


def test_no_card_when_range_or_issuer_is_not_in_force(engine: sa.Engine) -> None:
    first, last = RANGE.split("-")
    issuer, numbers = (
        _granted(engine, Kind.ISSUER_NUMBER, "51800000"),
        _granted(engine, Kind.CARD_RANGE, RANGE),
    )
    for suspended in (issuer, numbers):
        with register_in(engine) as register:
            register.act(suspended, _deed(Act.SUSPEND), ON)
            with pytest.raises(Refused, match="in force"):
                register.require_card_numbers(first, last, ON, holder="org.a")
            register.act(suspended, _deed(Act.RESUME, "li-si"), ON)
            register.require_card_numbers(first, last, ON, holder="org.a")
            with pytest.raises(Refused):
                register.require_card_numbers(first, last, dt.date(2030, 1, 2), holder="org.a")


@pytest.mark.parametrize("table", ["registrations", "registration_acts"])
def test_rows_cannot_be_changed_behind_it(engine: sa.Engine, table: str) -> None:
    _granted(engine, Kind.RID, "A000000333")
    for statement in (f"UPDATE {table} SET number = 9", f"DELETE FROM {table}"):
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(statement)
