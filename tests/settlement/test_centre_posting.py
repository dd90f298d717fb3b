"""What crosses a centre's books. Goal: what one neighbour posts as owed, the other posts as due, and nothing is made.

Method: random claims between six cities of three provinces, posted at every centre that they pass.
"""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing.routing import CLAIMS, route_claims
from jinka.clearing.tiers import Neighbour, Surroundings, Tier
from jinka.settlement.centre_posting import (
    Excess,
    centre_name,
    crossing_entries,
    excess_entries,
    silence_entries,
    sum_entries,
)
from jinka.settlement.chart import AccountCode

CITIES = {f"{province}{number}": f"{province}" for province in "abc" for number in "12"}


def _child(code: str) -> Neighbour:
    below = [city for city, province in CITIES.items() if code in (city, province)]
    return Neighbour(
        code=code,
        centres=frozenset({code, *below}),
        participants=frozenset(f"issuer.{city}" for city in below),
    )


def _around(code: str) -> Surroundings:
    if code in CITIES:
        own = frozenset({f"issuer.{code}", f"op.{code}"})
        return Surroundings(tier=Tier.CITY, code=code, parent=CITIES[code], participants=own)
    children = [city for city, province in CITIES.items() if province == code] or sorted(set(CITIES.values()))
    return Surroundings(
        tier=Tier.PROVINCE if code in "abc" else Tier.NATION, code=code, parent="n" if code in "abc" else "",
        participants=frozenset() if code in "abc" else frozenset({"scheme"}),
        children={child: _child(child) for child in children},
    )  # fmt: skip


AROUND = {code: _around(code) for code in (*CITIES, *"abc", "n")}
_CLAIM = st.tuples(
    st.sampled_from(sorted(CITIES)), st.sampled_from([*sorted(CITIES), ""]), st.integers(1, 10**9)
)


@given(st.lists(_CLAIM, max_size=12))
def test_neighbours_mirror_one_another_and_the_nation_is_even(drawn: list[tuple[str, str, int]]) -> None:
    here: dict[str, list[pa.Table]] = defaultdict(list)
    for city, other, amount in drawn:
        far = f"issuer.{other}" if other else "scheme"
        if other == city:
            continue
        kind, payer, payee = ("charge", far, f"op.{city}") if other else ("fee", f"op.{city}", far)
        row = {
            "centre": city,
            "round": 1,
            "kind": kind,
            "payer": payer,
            "payee": payee,
            "far": far,
            "amount": amount,
        }
        table, at = pa.Table.from_pylist([row], schema=CLAIMS), city
        while True:
            here[at].append(table)
            [way] = route_claims([table], AROUND[at])
            if way == at:
                break
            at = way
    owed: dict[tuple[str, str], int] = defaultdict(int)
    for code, tables in here.items():
        total = 0
        for entry in crossing_entries(pa.concat_tables(tables), AROUND[code]):
            assert entry.amount > 0
            for name, amount in ((entry.debit, -entry.amount), (entry.credit, entry.amount)):
                total += amount
                if name.code is AccountCode.CENTRE_DUE:
                    owed[code, name.owner.removeprefix("centre.")] += amount
        assert total == 0
    for (code, other), amount in owed.items():
        assert owed[other, code] == -amount
    fees = sum(amount for _, other, amount in drawn if not other)
    assert -sum(amount for (code, _), amount in owed.items() if code == "n") == fees


def test_entries_of_one_pair_and_reason_are_one() -> None:
    twice = excess_entries(
        [Excess(centre="a", issuer="i", amount=5), Excess(centre="b", issuer="i", amount=7)]
    )
    assert [(entry.debit.code, entry.credit.code, entry.amount) for entry in twice] == [
        (AccountCode.SUSPENSE, AccountCode.PURSE_LIABILITY, 12)
    ]
    [silence] = silence_entries({"i": 3})
    assert (silence.debit.code, silence.amount) == (AccountCode.RISK, 3)
    assert [entry.amount for entry in sum_entries([*twice, silence, *twice])] == [24, 3]
    assert centre_name("4403") == "centre.4403"
