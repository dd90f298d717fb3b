"""Through whose hands, and who may say so. Goal: a claim stands on something, and nobody speaks for another's place.

Method: claims that rest on one another, in every order and in circles; events at places of one's own and of others.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from jinka.codec.tags import canonical_id
from jinka.trace.access import Owners, read_owns
from jinka.trace.claims import Claim, Claims, Grounds, State, names_of, standing, why_not
from tests.trace.test_access import ALL, DOOR, FARM, FIELD, FOREIGN, HALL, MILL, MINE, SPY, seen

BRAND = replace(FARM, id="brand", owns=read_owns(["4012345"]))
OWNERS = Owners([*ALL, BRAND])
KEY = canonical_id(MINE)
NOWHERE = replace(seen(1, FIELD), read_point=None)


def test_what_rests_on_nothing_has_fallen_in_whatever_order() -> None:
    chain = [
        Claim(1, "mill", "brand", Grounds.RIGHT, False),
        Claim(2, "shop", "mill", Grounds.HAD, False),
        Claim(3, "spy", "shop", Grounds.HAD, False),
    ]
    for order in permutations(chain):
        assert set(standing(order).values()) == {State.STANDS}
    broken = [chain[0]._replace(void=True), *chain[1:]]
    for order in permutations(broken):
        assert [standing(order)[claim] for claim in broken] == [State.VOID, State.FALLEN, State.FALLEN]
    circle = [Claim(1, "a", "b", Grounds.HAD, False), Claim(2, "b", "a", Grounds.HAD, False)]
    assert set(standing(circle).values()) == {State.FALLEN}
    held = [*circle, Claim(3, "a", "a", Grounds.FIRST, False)]
    assert set(standing(held).values()) == {State.STANDS}


@pytest.mark.parametrize(
    ("event", "who", "where"),
    [
        (seen(1, FIELD), FARM, ""), (seen(1, FIELD), SPY, "/readPoint"), (seen(1, DOOR, to=HALL), SPY, ""),
        (seen(1, FIELD), replace(SPY, sees_all=True), ""),
        (seen(1, FIELD), replace(SPY, captures=read_owns([FIELD])), ""),
        (seen(1, HALL), replace(SPY, captures=read_owns(["69012"])), ""),
        (seen(1, HALL), replace(SPY, captures=read_owns(["69013"])), "/readPoint"),
        (seen(1, "urn:epc:id:sgln:5555555.00001.0"), SPY, ""),
        (replace(seen(1, DOOR), biz_location=seen(1, HALL).read_point), SPY, "/bizLocation"),
        (NOWHERE, BRAND, ""), (NOWHERE, MILL, ""), (NOWHERE, SPY, "/readPoint"),
        (replace(NOWHERE, epcs=(FOREIGN,)), SPY, ""),
    ],
)  # fmt: skip
def test_an_event_is_told_by_whose_place_it_was(event, who, where) -> None:  # type: ignore[no-untyped-def]
    told = why_not(event, who, OWNERS, {KEY: {"mill"}})
    assert told[1] == where
    assert bool(told[0]) == bool(where)


def test_who_captures_for_another_speaks_as_that_one_about_its_place_alone() -> None:
    owners = Owners(
        [*ALL, BRAND, replace(SPY, id="carrier", owns=read_owns(["6905555"]), captures=BRAND.owns)]
    )
    yard = "urn:epc:id:sgln:4012345.00009.0"  # the brand's; the field is the farm's, by its own identifier
    told = Claims(owners, {}).made(seen(1, yard, to=HALL), "carrier")[KEY]
    assert told == {"brand": (Grounds.RIGHT, {"brand", "mill"})}  # nobody has it for having told it
    assert Claims(owners, {}).of(seen(1, FIELD, to=HALL), "carrier") == {}
    assert Claims(owners, {KEY: {"farm"}}).made(seen(2, FIELD, to=HALL), "carrier")[KEY] == {
        "farm": (Grounds.HAD, {"farm", "mill"})
    }
    assert (
        Claims(owners, {}).of(seen(1, DOOR, to=yard), "carrier") == {}
    )  # where it goes to lets nobody speak
    assert Claims(owners, {}).of(seen(1, yard, to=HALL), "spy") == {}
    first = Claims(owners, {}).made(seen(1, yard, FOREIGN), "carrier")[canonical_id(FOREIGN)]
    assert first == {"brand": (Grounds.FIRST, {"brand"})}  # the key is nobody's: the brand was the first


def test_only_things_of_events_without_a_place_have_to_be_known() -> None:
    assert names_of([NOWHERE, seen(1, FIELD, FOREIGN)]) == {KEY}
