"""What was issued on grants, in SQL. Goal: no quantity is exceeded and no number issued twice, whatever comes at once;
the same order counts once. Method: both engines; two orders from two threads; rows changed by hand.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa

from jinka.kit import NotFound, Refused
from jinka.registry import (
    RULE_SETS,
    Act,
    Deed,
    EntryAct,
    EntryDeed,
    EntryState,
    Item,
    Kind,
    MissingGrants,
    Order,
    Registration,
    Terms,
)
from jinka.store import Demand, issues_in, open_database, register_in

ON = dt.date(2026, 6, 1)
RULES = RULE_SETS["scheme"]
DEED = EntryDeed(act=EntryAct.ENTER, officer="bureau", at_micros=7)
TAG = Order(
    id="a/1", item=Item.TAG, maker="maker.a", issuer="issuer.a", facts=(("model", "T1"), ("model_version", "1")),
    first="00A0", last="00A3", count=4,
)  # fmt: skip


@pytest.fixture
def engine(where: Path | str) -> Iterator[sa.Engine]:
    engine = open_database(where)
    yield engine
    engine.dispose()


def _deed(act: Act, officer: str = "wang-wu") -> Deed:
    return Deed(act=act, officer=officer, at_micros=7, reason="r", documents=("ab" * 32, "cd" * 32))


def _granted(engine: sa.Engine, quantity: int | None, value: str = "CERT-1") -> int:
    terms = Terms.of({"item": ["tag"], "model": ["T1"], "model_version": ["1"]}, quantity=quantity)
    draft = Registration(
        number=0, kind=Kind.PRODUCT_CERTIFICATE, value=value, holder="maker.a", valid_from=ON,
        valid_to=dt.date(2026, 12, 31), terms=terms, deeds=(_deed(Act.APPLY, "li-si"),),
    )  # fmt: skip
    with register_in(engine) as register:
        number = register.apply(draft, ON).number
        register.act(number, _deed(Act.REVIEW), ON)
        found = register.act(number, _deed(Act.GRANT), ON)
        assert register.read(number) == found
        assert found.terms == terms
        assert found.deeds[-1].documents == ("ab" * 32, "cd" * 32)
    return number


def _other(number: int, order: Order = TAG) -> Order:
    base = 0x100 * number
    return dataclasses.replace(order, id=f"a/{number}", first=f"{base:04X}", last=f"{base + 3:04X}")


def _enter(engine: sa.Engine, order: Order, on: dt.date = ON) -> bool:
    with issues_in(engine) as register:
        return register.enter(RULES, order, DEED, on)[1]


def test_an_order_counts_once(engine: sa.Engine) -> None:
    grant = _granted(engine, 8)
    assert [_enter(engine, TAG), _enter(engine, TAG), _enter(engine, _other(2))] == [True, False, True]
    with issues_in(engine) as register:
        assert [held.used for held in register.held()] == [8]
        found = register.read(1)
        assert (found.order, found.grants, found.on, found.state) == (TAG, (grant,), ON, EntryState.IN_USE)
        assert [entry.number for entry in register.listed([Item.TAG], grant=grant)] == [1, 2]
        assert register.listed([Item.PSAM]) == register.listed(grant=grant + 1) == []
    with pytest.raises(MissingGrants, match="has 0 left of 8"):
        _enter(engine, _other(3))
    for change in ({"last": "00A2", "count": 3}, {"maker": "maker.b"}, {"fee_fen": 1}):
        with pytest.raises(Refused, match=f"different: {next(iter(change))}"):
            _enter(engine, dataclasses.replace(TAG, **change))  # type: ignore[arg-type]


def test_a_number_is_issued_once(engine: sa.Engine) -> None:
    _granted(engine, None)
    _enter(engine, TAG)
    for first, last, count in (
        ("00A3", "00A6", 4),
        ("009F", "00A0", 2),
        ("00A1", "00A1", 1),
        ("0001", "0FFF", 4095),
    ):
        with pytest.raises(Refused, match="issued before, by order a/1"):
            _enter(engine, dataclasses.replace(TAG, id="a/9", first=first, last=last, count=count))
    _enter(engine, dataclasses.replace(TAG, id="a/9", first="0000A0", last="0000A3"))  # of another length
    with issues_in(engine) as register:
        found = register.find(Item.TAG, "00a2")
        assert found is not None
        assert found.order.id == "a/1"
        assert register.find(Item.TAG, "00A4") is register.find(Item.PSAM, "00A2") is None
        register.require_number(Item.TAG, "00A0", ON)
        with pytest.raises(Refused, match="no tag of this number"):
            register.require_number(Item.TAG, "00A4", ON)
        with pytest.raises(NotFound):
            register.read(9)


def test_two_orders_at_once_do_not_exceed_the_quantity(where: Path | str) -> None:
    engine = open_database(where)
    _granted(engine, 10)  # two orders of four, not three
    engine.dispose()
    start = Barrier(4)

    def order(number: int) -> str:
        own = open_database(where)
        start.wait()
        try:
            _enter(own, _other(number))
        except MissingGrants as refused:
            return refused.findings[0].code
        finally:
            own.dispose()
        return "issued"

    with ThreadPoolExecutor(4) as pool:
        done = sorted(pool.map(order, range(1, 5)))
    assert done == ["QUANTITY", "QUANTITY", "issued", "issued"]


def test_a_grant_that_is_suspended_stops_what_rests_on_it(engine: sa.Engine) -> None:
    grant = _granted(engine, None)
    _enter(engine, TAG)
    with register_in(engine) as register:
        register.act(grant, _deed(Act.SUSPEND), ON)
    with pytest.raises(MissingGrants, match="is suspended"):
        _enter(engine, _other(2))
    for ask in (lambda r: r.require(1, ON), lambda r: r.enter(RULES, TAG, DEED, ON)):
        with (
            pytest.raises(Refused, match="CERT-1 that it rests on is suspended"),
            issues_in(engine) as register,
        ):
            ask(register)
    with register_in(engine) as register:
        register.act(grant, _deed(Act.RESUME, "li-si"), ON)
    assert not _enter(engine, TAG)
    with pytest.raises(Refused, match="over since 2026-12-31"):
        _enter(engine, TAG, dt.date(2027, 1, 1))


def test_a_range_that_is_recalled_is_released_by_another(engine: sa.Engine) -> None:
    _granted(engine, None)
    _enter(engine, TAG)
    recall, release = (
        EntryDeed(act=act, officer="li-si", at_micros=8, reason="keys leaked")
        for act in (EntryAct.RECALL, EntryAct.RELEASE)
    )
    with issues_in(engine) as register:
        assert register.act(1, recall).state is EntryState.RECALLED
        for again in (recall, release):
            with pytest.raises(Refused):
                register.act(1, again)
        with pytest.raises(Refused, match="recalled"):
            register.require(1, ON)
        register.act(1, dataclasses.replace(release, officer="wang-wu"))
        assert [deed.act for deed in register.require(1, ON).deeds] == [
            EntryAct.ENTER,
            EntryAct.RECALL,
            EntryAct.RELEASE,
        ]


def test_what_nobody_vouches_for_is_no_ground(engine: sa.Engine) -> None:
    _granted(engine, None)

    def nobody(found: Registration) -> None:
        raise Refused("forged", where=f"registration {found.number}")

    with pytest.raises(Refused, match="forged"), issues_in(engine) as register:
        register.enter(RULES, TAG, DEED, ON, vouched=nobody)
    with issues_in(engine) as register:
        assert register.listed() == []


def _demand(officer: str, rules: str = "scheme", register: str = "") -> Demand:
    return Demand(rules=RULE_SETS[rules], register=register, officer=officer, at_micros=7)


def test_the_last_demand_holds_and_no_officer_changes_his_own(engine: sa.Engine) -> None:
    with issues_in(engine) as register:
        assert register.demand() is None
        for wanted in (_demand("li-si"), _demand("wang-wu", "cn-2001", "../office")):
            register.set_demand(wanted)
            assert register.demand() == wanted
        with pytest.raises(Refused, match="second officer"):
            register.set_demand(_demand("wang-wu"))


def test_rows_cannot_be_changed_behind_it(engine: sa.Engine) -> None:
    _granted(engine, None)
    _enter(engine, TAG)
    with issues_in(engine) as register:
        register.set_demand(_demand("li-si"))
    for table in (
        "registration_terms", "registration_documents", "register_demands", "issue_entries", "issue_uses", "issue_acts",
    ):  # fmt: skip
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")


def test_an_appeal_finds_its_number_taken(engine: sa.Engine) -> None:
    grant = _granted(engine, None)
    with register_in(engine) as register:
        register.act(grant, _deed(Act.WITHDRAW), ON)
    again = _granted(engine, None)
    assert again == grant + 1
    with pytest.raises(Refused, match="overlaps"), register_in(engine) as register:
        register.act(grant, _deed(Act.APPEAL), ON)
