"""What seven centres tell their banks and prove. Goal: no payment is ordered twice, none is missing, taps are proven.

Method: a day of four cities in one process. Orders are held against the flows that crossed and against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from jinka.kit import Refused
from jinka.settlement import BusinessDay
from jinka.settlement.centre_orders import centre_order_of
from jinka.sim.travel import CITIES, ZONE, TravelDay
from tests.app.centre_rig import DATE, PARENTS, Federation, federation, services, travel

RIDERS = 2
DAY = BusinessDay(date=DATE, zone=ZONE)


@pytest.fixture(scope="module")
def keys() -> Any:
    return services(CITIES)


@pytest.fixture(scope="module")
def days(keys: Any) -> list[TravelDay]:
    return travel(keys, CITIES, riders=RIDERS)


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory, keys: Any, days: list[TravelDay]) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("seven"), keys, days) as made:
        made.close()
        made.run()
        yield made


def _between(fed: Federation, kind: str) -> Counter[tuple[str, str, str, int]]:
    """(reference, payer, payee, amount) of what centres pay each other, as each says it."""
    found: Counter[tuple[str, str, str, int]] = Counter()
    for code in fed.configs:
        for row in fed.settled(code)[kind]:
            if row["account"] == "CENTRE_DUE":
                payer, payee = (
                    name.removeprefix("centre.") if name.startswith("centre.") else code
                    for name in (row["debtor"], row["creditor"])
                )
                found[row["reference"], payer, payee, row["amount"]] += 1
    return found


def test_no_payment_between_centres_is_ordered_twice_and_none_is_missing(seven: Federation) -> None:
    orders, expected = _between(seven, "orders"), _between(seven, "expected")
    assert len(seven.configs) == 7
    assert orders == expected
    assert set(orders.values()) == {1}
    assert len({reference for reference, *_ in orders}) == len(orders)
    due = {code: seven.settled(code)["position"]["due"] for code in PARENTS if PARENTS[code]}
    wanted = {
        (code, PARENTS[code], -amount) if amount < 0 else (PARENTS[code], code, amount)
        for code, amount in due.items()
        if amount
    }
    assert {(payer, payee, amount) for _, payer, payee, amount in orders} == wanted
    assert len(wanted) >= 4, "money crossed"


def test_every_order_of_every_centre_has_a_reference_of_its_own(seven: Federation) -> None:
    """Cities with a scheme or a parent in common would name different payments alike."""
    rows = [row for code in seven.configs for row in seven.settled(code)["orders"]]
    assert len({row["reference"] for row in rows}) == len(rows) > 10


def test_an_order_with_another_end_or_centre_is_refused(seven: Federation) -> None:
    code = next(
        c for c in seven.configs if any(r["account"] == "CENTRE_DUE" for r in seven.settled(c)["orders"])
    )
    row = next(r for r in seven.settled(code)["orders"] if r["account"] == "CENTRE_DUE")
    given = {name: row[name] for name in ("reference", "debtor", "creditor", "amount")}
    assert centre_order_of(DAY, centre=code, **given).as_row() == row
    swapped = given | {"debtor": row["creditor"], "creditor": row["debtor"]}
    for changed in (swapped, given | {"creditor": "centre.9999"}, given | {"reference": "00" * 16}):
        with pytest.raises(Refused, match="reference"):
            centre_order_of(DAY, centre=code, **changed)
    with pytest.raises(Refused, match="reference"):
        centre_order_of(DAY, centre="9998", **given)
