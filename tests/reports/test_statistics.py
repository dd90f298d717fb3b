"""Statistics. Goal: a parent's table is the sum of its children's, to the fen, each event is counted once, and no cell
that is too small follows from what is shown. Method: records of a federation of three centres, put together at will and
compared with a plain count; suppressed tables are attacked by a linear solver.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from jinka.clearing.port import FIRST_INBOUND
from jinka.kit import Refused
from jinka.registry import CARDS, PARTICIPANTS, Registry
from jinka.reports.statistics import KEYS, READS, STATISTICS, add_up, require_statistics, statistics_of
from jinka.reports.suppress import suppressed

DATE = dt.date(2018, 9, 3)
CITIES = ("4403", "4401", "3201")
OUTCOMES = (
    ("PAID", "ACCEPTED"),
    ("REJECTED", "WRONG_TAC"),
    ("REJECTED", "UNKNOWN_CARD"),
    ("DUPLICATE", "DUPLICATE"),
)
RECORDS = pa.schema(
    [
        pa.field("record_id", pa.int64()), pa.field("profile", pa.string()), pa.field("txn_type", pa.uint8()),
        pa.field("issuer", pa.string()), pa.field("acquirer", pa.string()), pa.field("outcome", pa.string()),
        pa.field("reason", pa.string()), pa.field("amount", pa.int64()),
    ]
)  # fmt: skip


def registry_of(city: str, cards: int = 3, first: int = 0) -> Registry:
    tables = {name: schema.empty_table() for name, schema in Registry.SCHEMAS.items()}
    parties = [
        {"code": f"{kind}.{city}", "role": role, "region": city, "name_en": "x", "name_zh": "x"}
        for kind, role in (("issuer", "issuer"), ("acq", "acquirer"))
    ]
    tables["participants"] = pa.Table.from_pylist(parties, schema=PARTICIPANTS)
    rest = {field.name: 0 for field in CARDS if pa.types.is_integer(field.type)}
    rows = [
        rest | {"card_no": bytes([0] * 9 + [n]), "issuer": f"issuer.{city}", "profile": "cn.transit"}
        for n in range(first, first + cards)
    ]
    tables["cards"] = pa.Table.from_pylist(rows, schema=CARDS)
    return Registry(**tables)


def record(acquirer: str, issuer: str, number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "record_id": number, "profile": "cn.transit", "txn_type": 9, "issuer": f"issuer.{issuer}",
        "acquirer": f"acq.{acquirer}", "outcome": "PAID", "reason": "ACCEPTED", "amount": 200,
    } | changed  # fmt: skip


def a_federation(seed: int) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    rows = []
    for number in range(400):
        outcome, reason = draw.choice(OUTCOMES)
        rows.append(
            record(
                draw.choice(CITIES),
                draw.choice(CITIES),
                number,
                outcome=outcome,
                reason=reason,
                txn_type=draw.choice((2, 4, 6, 9, 7)),
                amount=draw.randrange(10_000),
            )
        )
    return rows


def cells(city: str, rows: list[dict[str, Any]], parts: int = 1, **more: Any) -> pa.Table:
    size = max(1, -(-len(rows) // parts))
    tables = [pa.Table.from_pylist(rows[at : at + size], schema=RECORDS) for at in range(0, len(rows), size)]
    return statistics_of(tables, registry_of(city), date=DATE, **more)


def test_a_parent_is_the_sum_of_its_children_whatever_the_order() -> None:
    rows = a_federation(1)
    of = {city: cells(city, [r for r in rows if r["acquirer"] == f"acq.{city}"]) for city in CITIES}
    province = add_up([of["4403"], of["4401"]])
    nation = add_up([province, of["3201"]])
    assert nation == add_up(of[city] for city in reversed(CITIES))
    use = nation.filter(pa.compute.not_equal(nation["use"], "cards"))
    assert sum(use["count"].to_pylist()) == len(rows)
    assert sum(use["amount"].to_pylist()) == sum(row["amount"] for row in rows)
    paid = Counter(
        (row["issuer"], row["acquirer"])
        for row in rows
        if row["outcome"] == "PAID" and row["txn_type"] in (6, 9)
    )
    found: Counter[tuple[str, str]] = Counter()
    for cell in nation.to_pylist():
        if (cell["use"], cell["outcome"]) == ("purchase", "PAID"):
            found[cell["issuer"], cell["acquirer"]] += cell["count"]
    assert found == paid


def test_parts_of_any_size_are_the_same_cells() -> None:
    rows = a_federation(2)
    assert cells("4403", rows) == cells("4403", rows, parts=7)
    words = [name for name in READS if RECORDS.field(name).type == pa.string()]
    table = pa.Table.from_pylist(rows, schema=RECORDS)
    for name in words:  # as the outcomes' files hold them
        table = table.set_column(table.schema.get_field_index(name), name, table[name].dictionary_encode())
    assert statistics_of([table], registry_of("4403"), date=DATE) == cells("4403", rows)


def test_a_record_is_counted_where_it_was_taken_in_once_its_outcome_is_known() -> None:
    rows = [
        record("4403", "4401", 1, outcome="AWAITED", reason="AWAITED"),
        record("4401", "4403", FIRST_INBOUND + 1),
        record("4403", "4403", 2),
    ]
    found = [cell for cell in cells("4403", rows).to_pylist() if cell["use"] != "cards"]
    assert [(cell["issuer"], cell["count"]) for cell in found] == [("issuer.4403", 1)]


def test_nobody_makes_cells_with_codes_of_his_own() -> None:
    evil = [
        record("4403", "9999", n, profile=f"p{n}", outcome="REJECTED", reason="UNKNOWN_CARD")
        | {"issuer": f"=cmd{n}"}
        for n in range(50)
    ]
    found = [cell for cell in cells("4403", evil).to_pylist() if cell["use"] != "cards"]
    assert [(c["issuer"], c["sector"], c["count"]) for c in found] == [("", "", 50)]


def test_a_refused_claim_of_any_size_spoils_no_sum() -> None:
    rows = [record("4403", "4403", n, amount=a, outcome="REJECTED", reason="AMOUNT_OUT_OF_RANGE")
            for n, a in enumerate((2**63 - 1, -(2**63), 2**63 - 1, 5))]  # fmt: skip
    found = [cell for cell in cells("4403", rows).to_pylist() if cell["use"] != "cards"]
    assert [(cell["count"], cell["amount"]) for cell in found] == [(4, 5)]


def test_cards_are_counted_when_they_are_new() -> None:
    before = registry_of("4403", 3)
    today = statistics_of([], registry_of("4403", 5), date=DATE, known=before.cards)
    assert today.to_pylist() == [
        {
            "date": DATE, "use": "cards", "sector": "cn.transit", "issuer": "issuer.4403", "issuer_region": "4403",
            "acquirer": "", "acquirer_region": "", "outcome": "", "count": 2, "amount": 0,
        }
    ]  # fmt: skip


def test_a_sum_beyond_63_bits_is_refused() -> None:
    cell = dict.fromkeys(KEYS, "") | {"date": DATE, "count": 1, "amount": 2**62}
    table = pa.Table.from_pylist([cell], schema=STATISTICS)
    with pytest.raises(Refused, match="63 bits"):
        add_up([table, table])


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"count": -1}, "negative count"),
        ({"amount": -1}, "negative amount"),
        ({"use": "spying"}, "no such use"),
        ({"outcome": "MAYBE"}, "no such outcome"),
        ({"issuer": "x" * 65}, "no code"),
        ({"sector": "a\x1b[2J"}, "no code"),
    ],
)
def test_cells_that_can_be_none_are_refused(changed: dict[str, Any], why: str) -> None:
    good = cells("4403", [record("4403", "4403")])
    require_statistics(good, where="parcel")
    row = good.to_pylist()[0] | changed
    with pytest.raises(Refused, match=why):
        require_statistics(pa.Table.from_pylist([row], schema=STATISTICS), where="parcel")
    with pytest.raises(Refused, match="columns"):
        require_statistics(good.drop_columns(["sector"]), where="parcel")


def test_small_cells_do_not_follow_from_totals() -> None:
    """With all shown cells and totals known, a solver pins no hidden small cell down."""
    for seed in range(150):
        draw = random.Random(seed)
        rows, columns = draw.randint(1, 4), draw.randint(1, 4)
        counts = [draw.choice((0, 1, 3, 9, 10, 40, 500)) for _ in range(rows * columns)]
        totals = [("all", ("row", at // columns), ("column", at % columns)) for at in range(len(counts))]
        hidden, gone = suppressed(counts, totals, 10)
        assert {at for at, count in enumerate(counts) if 0 < count < 10} <= hidden
        shown = [name for name in sorted({n for t in totals for n in t}, key=str) if name not in gone]
        unknown = sorted(hidden)
        if not unknown or not shown:
            continue
        equations = np.array([[float(name in totals[at]) for at in unknown] for name in shown])
        rank = np.linalg.matrix_rank(equations)
        for place, at in enumerate(unknown):
            unit = np.zeros(len(unknown))
            unit[place] = 1
            pinned = np.linalg.matrix_rank(np.vstack([equations, unit])) == rank
            assert not (pinned and 0 < counts[at] < 10), (seed, counts, unknown, gone)


def test_large_cells_stay() -> None:
    assert suppressed([10, 500, 0], [("all",)] * 3, 10) == (frozenset(), frozenset())
