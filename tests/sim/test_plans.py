"""Plans: the replay infers what the real charges prove, the generated city keeps its shape."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from jinka.codec import Algorithm
from jinka.kit import Usage
from jinka.sectors.shenzhen_taps import COLUMNS, read_taps
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
from jinka.sim.city import generate_city, metro_fare_fen
from jinka.sim.field import LOAD_DEVICE
from jinka.sim.plan import terminal_id
from jinka.sim.replay import plan_from_file
from jinka.sim.screening import screen
from jinka.tariff import RideFacts, RideState, TapKind
from tests.shared_data import SHENZHEN_TAPS, needs_shenzhen_taps

DATE = dt.date(2026, 11, 2)


def play_prices(plan):
    """Price every tap from the ride state alone, as a terminal does; return (wrong, charged)."""
    states = [card.state for card in plan.cards]
    holders = [card.holder for card in plan.cards]
    wrong = charged = 0
    for tap in plan.taps:
        state = tap.unseen or states[tap.card]
        holders[tap.card] = tap.reclassed or holders[tap.card]
        facts = RideFacts(
            mode=tap.mode,
            kind=tap.kind,
            line=tap.line,
            station=tap.station,
            gross_fare=tap.gross_fen,
            holder=holders[tap.card],
            state=state,
            at=tap.at,
        )
        charge = SHENZHEN_2018.price(facts)
        wrong += charge.amount != tap.expected_fen
        charged += charge.amount
        states[tap.card] = RideState(
            kind=tap.kind,
            mode=tap.mode,
            line=tap.line,
            station=tap.station,
            at=tap.at,
            before=state.last_paid if state else None,
        )
    return wrong, charged


@pytest.fixture(scope="module")
def replayed():
    return plan_from_file(
        read_taps(SHENZHEN_TAPS.read_bytes(), name="taps"), SHENZHEN_2018, name="taps", seed=1
    )


@pytest.mark.data
@needs_shenzhen_taps
def test_the_terminals_own_price_equals_the_charge_in_the_data(replayed):
    assert play_prices(replayed) == (0, 6_355_425)


@pytest.mark.data
@needs_shenzhen_taps
def test_inferences_are_few_and_labelled(replayed):
    assert replayed.inferred["holder_classes"] == len(replayed.cards) == 35_935
    assert replayed.inferred["unflagged_transfers"] == 244
    assert replayed.inferred["holder_classes_changed"] == 2
    exits = sum(tap.kind is TapKind.EXIT for tap in replayed.taps)
    assert replayed.inferred["entries_before_the_window"] < exits
    in_mid_file = sum(tap.unseen is not None for tap in replayed.taps)
    assert in_mid_file < 200, "unseen rides belong before the window, not between taps that the file shows"


def test_a_charge_that_no_product_explains_stays_visible():
    header = (
        "card_no,deal_date,deal_type,deal_money,deal_value,equ_no,company_name,station,car_no,conn_mark\n"
    )
    row = "FIAAAEIFD,2018-09-01 11:17:55,巴士,137,200,231017343,巴士集团,M506,01620D,0\n"
    plan = plan_from_file(read_taps((header + row).encode(), name="x"), SHENZHEN_2018, name="x", seed=1)
    assert play_prices(plan)[0] == 1


def test_a_file_without_a_readable_row_is_refused():
    header = (
        "card_no,deal_date,deal_type,deal_money,deal_value,equ_no,company_name,station,car_no,conn_mark\n"
    )
    with pytest.raises(Usage, match="no row"):
        plan_from_file(read_taps(header.encode(), name="x"), SHENZHEN_2018, name="x", seed=1)


def screened(*rows, date=None):
    header = ",".join(COLUMNS) + "\n"
    text = header + "".join(
        f"{card},{at} 11:00:00,巴士,160,200,231017343,{who},M506,,0\n" for card, at, who in rows
    )
    played, findings = screen(read_taps(text.encode(), name="x").rows, name="x", date=date)
    return [row.card[-1] for row in played], [(finding.code, finding.where) for finding in findings]


def test_a_device_of_two_companies_is_played_for_the_one_with_most_of_its_rows():
    rows = [
        ("FIAAAEIFA", "2018-09-01", "甲"),
        ("FIAAAEIFB", "2018-09-01", "乙"),
        ("FIAAAEIFC", "2018-09-01", "甲"),
    ]
    assert screened(*rows) == (["A", "C"], [("DEVICE_CONFLICT", "x:3")])
    with pytest.raises(Usage, match="231017343"):
        screened(*rows[:2])


def test_the_business_date_is_that_of_most_rows_or_the_one_that_is_given():
    rows = [
        ("FIAAAEIFA", "2018-09-02", "甲"),
        ("FIAAAEIFB", "2018-09-01", "甲"),
        ("FIAAAEIFC", "2018-09-02", "甲"),
    ]
    assert screened(*rows) == (["A", "C"], [("DATE_OUTSIDE_FILE_DAY", "x:3")])
    assert screened(*rows, date=dt.date(2018, 9, 1))[0] == ["B"]
    assert screened(*rows[:2])[0] == ["B"], "of several days with as many rows, the earliest"
    with pytest.raises(Usage, match="2018-09-03"):
        screened(*rows, date=dt.date(2018, 9, 3))


def test_no_operator_can_have_the_number_of_the_load_device():
    assert terminal_id("231017343", 1).hex() == "442310173431"
    assert terminal_id(LOAD_DEVICE, 0)[:1] != terminal_id("900000000", 0)[:1]


def test_the_city_is_drawn_from_its_seed():
    one = generate_city(riders=500, seed=3, date=DATE)
    assert one == generate_city(riders=500, seed=3, date=DATE)
    assert one.taps != generate_city(riders=500, seed=4, date=DATE).taps


def test_the_shape_of_the_generated_day():
    plan = generate_city(riders=4_000, seed=3, date=DATE)
    hours = Counter(tap.at.hour for tap in plan.taps)
    assert min(hours) >= 5
    assert max(hours) <= 23
    assert hours[8] > 4 * hours[12]
    assert hours[18] > 4 * hours[14]
    assert 2.5 < len(plan.taps) / len(plan.cards) < 4
    shares = Counter(card.algorithm for card in plan.cards)
    assert 0.2 < shares[Algorithm.SM4] / len(plan.cards) < 0.3
    assert {card.lane for card in plan.cards} == {0, 1}
    order = [(tap.at, tap.card) for tap in plan.taps]
    assert [at for at, _ in order] == sorted(at for at, _ in order)
    assert len(set(order)) == len(order), "a card taps at most once a second"


@pytest.mark.parametrize("riders", [0, -5, 10**9])
def test_a_city_of_impossible_size_is_refused(riders):
    with pytest.raises(Usage):
        generate_city(riders=riders, seed=1, date=DATE)


@pytest.mark.parametrize(("stations", "fare"), [(0, 200), (4, 200), (5, 300), (7, 300), (8, 400), (13, 500)])
def test_metro_fares(stations, fare):
    assert metro_fare_fen(stations) == fare
