"""Dangerous goods beside one another. Goal: the table is the published one, and the strictest rule wins.

Method: cells that several publications agree on (IMDG Code, 7.2.4), the table's own symmetry, and whole zones.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from jinka.kit import Usage
from jinka.trace.storage import (
    SEGREGATION,
    Goods,
    Segregation,
    Zone,
    judge_storage,
    needed_between,
    segregation,
)


def test_the_table_says_the_same_from_either_side() -> None:
    assert len(SEGREGATION) == 17 * 17
    assert all(SEGREGATION[b, a] is needs for (a, b), needs in SEGREGATION.items())
    assert all(SEGREGATION[a, a] in (Segregation.NONE, Segregation.OWN) for a, _ in SEGREGATION)


@pytest.mark.parametrize(
    ("first", "second", "needs"),
    [
        ("3", "5.1", Segregation.SEPARATED), ("2.1", "3", Segregation.SEPARATED), ("8", "4.3", Segregation.AWAY),
        ("6.1", "8", Segregation.NONE), ("9", "1.1", Segregation.NONE), ("4.2", "5.1", Segregation.SEPARATED),
        ("1.1", "3", Segregation.LONGITUDINAL), ("6.2", "3", Segregation.COMPARTMENT), ("1.5", "1.1", Segregation.OWN),
        ("2.2", "2.3", Segregation.NONE), ("5.1", "5.2", Segregation.SEPARATED), ("7", "8", Segregation.SEPARATED),
    ],
)  # fmt: skip
def test_known_cells(first: str, second: str, needs: Segregation) -> None:
    assert segregation(first, second) is needs


def test_no_such_class() -> None:
    with pytest.raises(Usage, match=r"no class of dangerous goods: '3\.1'"):
        segregation("3", "3.1")


def test_a_zone_with_its_neighbours_and_amounts() -> None:
    zone = Zone(name="A", most={"3": Decimal(100), "8": Decimal(50)}, apart=Segregation.AWAY)
    goods = [
        Goods(name="petrol", classes=("3",), amount=Decimal(70), zone="A"),
        Goods(name="ethanol", classes=("3",), amount=Decimal(40), zone="A"),
        Goods(name="acid", classes=("8", "5.1"), amount=Decimal(5), zone="A"),
        Goods(name="peroxide", classes=("5.2",), amount=Decimal(1), zone="A"),
        Goods(name="far away", classes=("5.1",), amount=Decimal(9), zone="B"),
    ]
    faults = {(fault.goods, fault.needs) for fault in judge_storage(goods, [zone])}
    assert faults == {
        (("petrol", "acid"), Segregation.SEPARATED),  # by its subsidiary risk
        (("ethanol", "acid"), Segregation.SEPARATED),
        (("petrol", "peroxide"), Segregation.SEPARATED),
        (("ethanol", "peroxide"), Segregation.SEPARATED),
        (("acid", "peroxide"), Segregation.SEPARATED),
        (("petrol", "ethanol"), None),
        (("peroxide",), None),
    }
    assert judge_storage(goods[:1], [zone]) == []
    assert needed_between(goods[0], goods[1]) is Segregation.NONE
    chlorine = Goods(name="chlorine", classes=("2.3", "5.1", "8"))
    ammonia = Goods(name="ammonia", classes=("2.3", "8"))
    assert needed_between(chlorine, chlorine) is Segregation.NONE
    assert needed_between(chlorine, ammonia) is Segregation.SEPARATED
