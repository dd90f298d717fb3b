"""Positions add up at every tier. Goal: any tree and any flows give the flat netting, and zero at the top.

Method: random trees and flows against `net_flows`, which knows no tiers; and hostile trees, children and flows.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing import Flow, LineKind
from jinka.kit import Refused, Usage
from jinka.settlement import Tiers, net_centre, net_flows, net_tree

NATION = Tiers(
    parent_of={"cn": "", "gd": "cn", "js": "cn", "sz": "gd", "gz": "gd", "nj": "js"},
    home_of={"bus.sz": "sz", "card.sz": "sz", "bus.gz": "gz", "card.nj": "nj", "gov": "cn"},
)


def flow(payer: str, payee: str, amount: int) -> Flow:
    return Flow(kind=LineKind.CHARGE, payer=payer, payee=payee, amount=amount)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Tiers, list[Flow]]:
    count = draw(st.integers(1, 8))
    centres = [f"c{n}" for n in range(count)]
    parents = {centres[n]: centres[draw(st.integers(0, n - 1))] if n else "" for n in range(count)}
    homes = {f"p{n}": draw(st.sampled_from(centres)) for n in range(draw(st.integers(1, 8)))}
    codes = st.sampled_from(sorted(homes))
    flows = draw(st.lists(st.builds(flow, codes, codes, st.integers(0, 2**40)), max_size=30))
    return Tiers(parent_of=parents, home_of=homes), flows


@given(worlds())
def test_positions_add_up_at_every_tier_and_equal_the_flat_netting(world: tuple[Tiers, list[Flow]]) -> None:
    tiers, flows = world
    made, flat = net_tree(tiers, flows), net_flows(flows)
    for centre, position in made.items():
        assert position.due == sum(position.members.values())
        below = {code for code, home in tiers.home_of.items() if centre in tiers.path(home)}
        assert position.due == sum(flat.get(code, 0) for code in below), "a subtree is one position"
        for child, due in position.children.items():
            assert made[child].due == due
            assert made[child].parent == centre
        if not position.parent:
            assert position.due == 0
    seen = {code: amount for position in made.values() for code, amount in position.participants.items()}
    assert {code: amount for code, amount in seen.items() if amount} == {c: a for c, a in flat.items() if a}


def test_cross_city_use_within_a_province_leaves_the_nation_nothing_to_do() -> None:
    made = net_tree(NATION, [flow("card.sz", "bus.gz", 500), flow("card.nj", "bus.sz", 70)])
    assert made["sz"].due == -500 + 70
    assert made["gd"].members == {"gz": 500, "sz": -430}
    assert made["gd"].due == 70
    assert made["cn"].members == {"gd": 70, "gov": 0, "js": -70}
    assert made["cn"].due == 0


def test_a_centre_nets_what_it_sees_alone() -> None:
    city = net_centre(
        "sz", parent="gd", participants=["bus", "card"], flows=[flow("card", "bus", 9), flow("far", "bus", 4)]
    )
    assert (dict(city.participants), city.due) == ({"bus": 13, "card": -9}, 4)


def test_the_top_refuses_what_does_not_add_up() -> None:
    with pytest.raises(Refused, match="add up to -5"):
        net_centre("cn", parent="", participants=[], children={"gd": 100, "js": -105})
    with pytest.raises(Refused, match="add up to 3"):
        net_centre("cn", parent="", participants=["gov"], flows=[flow("stranger", "gov", 3)])


@pytest.mark.parametrize(
    ("tree", "homes"),
    [
        ({"a": "b", "b": "a"}, {}),
        ({"a": "a"}, {}),
        ({"a": "nowhere"}, {}),
        ({"a": "", "b": ""}, {}),
        ({"a": ""}, {"p": "elsewhere"}),
        ({"a": ""}, {"a": "a"}),
        ({f"c{n}": f"c{n - 1}" if n else "" for n in range(20)}, {}),
    ],
)
def test_a_tree_that_is_none_is_refused(tree: dict[str, str], homes: dict[str, str]) -> None:
    with pytest.raises(Usage):
        Tiers(parent_of=tree, home_of=homes)


def test_a_flow_of_strangers_is_refused() -> None:
    with pytest.raises(Refused, match="neither is at home"):
        net_centre("sz", parent="gd", participants=["bus"], flows=[flow("x", "y", 1)])
    with pytest.raises(Refused, match="no such participant"):
        net_tree(NATION, [flow("bus.sz", "nobody", 1)])
    with pytest.raises(Usage, match="child and a participant"):
        net_centre("gd", parent="cn", participants=["sz"], children={"sz": 1})
