"""The rule of lists, as a pure function and as an expression: both say the same of every tap."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.registry import ACKNOWLEDGEMENTS, LISTINGS
from jinka.risk import blocked_at, listing_status, new_listings
from jinka.store import DuckEngine

DAY = "20180901"
CARD, TERMINAL = b"c" * 10, b"t" * 6


def moment(hour: int) -> str:
    return f"{DAY}{hour:02d}0000"


def test_the_later_of_effect_and_acknowledgement_counts() -> None:
    assert blocked_at([(3, moment(8))], [(3, moment(10))]) == moment(10)
    assert blocked_at([(3, moment(12))], [(3, moment(10))]) == moment(12)
    assert blocked_at([(3, moment(8))], []) is None
    assert blocked_at([(3, moment(8))], [(2, moment(7))]) is None
    assert blocked_at([], [(2, moment(7))]) is None


def test_a_newer_list_holds_the_older_ones_and_the_earliest_moment_counts() -> None:
    assert blocked_at([(3, moment(8))], [(5, moment(9))]) == moment(9)
    assert blocked_at([(3, moment(8)), (5, moment(6))], [(3, moment(11)), (5, moment(7))]) == moment(7)


def test_new_listings_name_each_card_once_in_order() -> None:
    table = new_listings([b"b" * 10, b"a" * 10, b"b" * 10], version=4, effective_from=moment(0))
    assert table.schema == LISTINGS
    assert table["card_no"].to_pylist() == [b"a" * 10, b"b" * 10]


VERSIONED = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 23)), max_size=4, unique_by=lambda pair: pair[0]
)


@settings(max_examples=40)
@given(VERSIONED, VERSIONED, st.lists(st.integers(0, 23), min_size=1, max_size=5))
def test_the_expression_says_what_the_function_says(
    lists: list[tuple[int, int]], acks: list[tuple[int, int]], hours: list[int]
) -> None:
    at = [int(moment(hour)) for hour in hours]
    taps = pa.table(
        {
            "record_id": pa.array(range(len(at)), pa.int64()),
            "card_no": pa.array([CARD] * len(at), pa.binary(10)),
            "terminal_id": pa.array([TERMINAL] * len(at), pa.binary(6)),
            "at": pa.array(at, pa.int64()),
        }
    )
    listings = pa.Table.from_pylist(
        [{"list_version": v, "card_no": CARD, "effective_from": moment(h)} for v, h in lists], schema=LISTINGS
    )
    heard = pa.Table.from_pylist(
        [{"terminal_id": TERMINAL, "list_version": v, "acknowledged_at": moment(h)} for v, h in acks]
        + [{"terminal_id": b"other!", "list_version": 4, "acknowledged_at": moment(0)}],
        schema=ACKNOWLEDGEMENTS,
    )
    with DuckEngine(threads=1, memory_limit="256MB") as engine:
        status = listing_status(
            engine.arrow("taps", taps), engine.arrow("lists", listings), engine.arrow("heard", heard)
        )
        found = {row["record_id"]: row for row in engine.collect(status).to_pylist()}
    since = blocked_at([(v, moment(h)) for v, h in lists], [(v, moment(h)) for v, h in acks])
    for place, tap in enumerate(at):
        blocked = since is not None and int(since) <= tap
        effective = any(int(moment(hour)) <= tap for _, hour in lists)
        row = found.get(place, {"blocked": False, "late": False})
        assert (row["blocked"], row["late"]) == (blocked, effective and not blocked)
