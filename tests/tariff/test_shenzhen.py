"""The declared Shenzhen tariff against the city's own data, and against rules found without it."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.sectors.shenzhen_taps import read_taps
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
from jinka.tariff import (
    AmountOff,
    HolderClass,
    Mode,
    PaidRide,
    RideFacts,
    RideState,
    TapKind,
    TransferRule,
)
from jinka.tariff.fitting import explained_share, fit_rules
from tests.shared_data import SHENZHEN_TAPS, needs_shenzhen_taps

NOON = dt.datetime(2018, 9, 1, 12)


def observations():
    rows = read_taps(SHENZHEN_TAPS.read_bytes(), name="taps").rows
    return [(row.mode, row.gross_fen, row.charged_fen) for row in rows]


@pytest.mark.data
@needs_shenzhen_taps
def test_every_charge_in_the_data_is_explained_by_the_declared_products():
    seen = {obs for obs in observations() if obs[1]}
    assert all(SHENZHEN_2018.explain(*obs) for obs in seen)
    assert len(SHENZHEN_2018.products) <= 10


@pytest.mark.data
@needs_shenzhen_taps
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rules_found_on_one_half_explain_the_other_half(seed):
    halves = observations()
    random.Random(seed).shuffle(halves)
    middle = len(halves) // 2
    found = fit_rules(halves[:middle])
    assert explained_share(found, halves[middle:]) >= 0.99
    declared = {
        mode: [p.rule for p in SHENZHEN_2018.products if mode in p.modes] for mode in (Mode.METRO, Mode.BUS)
    }
    assert {mode: {r.text() for r in rules} for mode, rules in found.items()} == {
        mode: {r.text() for r in rules} for mode, rules in declared.items()
    }


def test_a_list_of_wrong_rules_explains_little():
    rules = fit_rules([(Mode.BUS, 200, 160)] * 50)
    assert explained_share(rules, [(Mode.BUS, 400, 399), (Mode.METRO, 200, 190)]) == 0


def facts(
    state, *, mode=Mode.BUS, kind=TapKind.BOARD, line=7, gross=200, holder=HolderClass.ORDINARY, at=NOON
):
    return RideFacts(
        mode=mode, kind=kind, line=line, station=0, gross_fare=gross, holder=holder, state=state, at=at
    )


def boarded(minutes_ago, *, line=3, mode=Mode.BUS):
    return RideState(
        kind=TapKind.BOARD, mode=mode, line=line, station=0, at=NOON - dt.timedelta(minutes=minutes_ago)
    )


@pytest.mark.parametrize(
    ("state", "product"),
    [
        (None, "bus.ordinary"),
        (boarded(90), "bus.transfer"),
        (boarded(91), "bus.ordinary"),
        (boarded(-1), "bus.ordinary"),  # a clock that runs wrong grants nothing
        (boarded(10, line=7), "bus.ordinary"),  # the same line again
    ],
)
def test_transfer_between_buses(state, product):
    assert SHENZHEN_2018.price(facts(state)).product == product


def test_a_metro_transfer_is_judged_at_its_entry():
    entered = NOON - dt.timedelta(minutes=50)
    state = RideState(
        kind=TapKind.ENTRY,
        mode=Mode.METRO,
        line=1,
        station=4,
        at=entered,
        before=PaidRide(mode=Mode.BUS, line=3, at=entered - dt.timedelta(minutes=80)),
    )
    charge = SHENZHEN_2018.price(facts(state, mode=Mode.METRO, kind=TapKind.EXIT, line=2, gross=300))
    assert (charge.amount, charge.product) == (245, "metro.transfer")


def test_an_entry_is_free_and_classes_have_their_products():
    assert SHENZHEN_2018.price(facts(None, mode=Mode.METRO, kind=TapKind.ENTRY)).amount == 0
    assert SHENZHEN_2018.price(facts(boarded(5), holder=HolderClass.HALF_FARE)).product == "half"
    assert SHENZHEN_2018.price(facts(None, holder=HolderClass.FREE)).amount == 0


@given(st.sampled_from(SHENZHEN_2018.products), st.integers(0, 10_000))
def test_operator_and_payer_never_share_more_than_the_fare(product, gross):
    assert 0 <= product.subsidy(gross) <= gross - product.rule.price(gross)


def test_only_the_amount_off_of_a_transfer_is_borne_by_the_government():
    transfer = SHENZHEN_2018.product("bus.transfer")
    assert isinstance(transfer.rule, AmountOff)
    assert transfer.subsidy(400) == 40
    assert SHENZHEN_2018.product("half").subsidy(400) == 200
    assert SHENZHEN_2018.product("bus.ordinary").subsidy(400) == 0


def test_the_transfer_rule_needs_a_ride_before():
    rule = TransferRule(within=dt.timedelta(minutes=1), pairs=frozenset({(Mode.BUS, Mode.BUS)}))
    assert not rule.grants(None, Mode.BUS, 1, NOON)
