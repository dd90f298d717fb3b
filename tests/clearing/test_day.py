"""One thing out of order in a city that is in order: the outcome and the one reason, end to end through DuckDB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jinka.clearing import REASONS, Outcome, Reason
from jinka.codec import RecordState
from tests.clearing.world import FEES, GOVERNMENT, PURSE_LIMIT, SCHEME, World, sign

Row = dict[str, Any]
NOON = "20180901120000"


def test_a_day_in_order_is_paid_to_the_last_record_and_positions_add_up(tmp_path: Path) -> None:
    world = World.in_order()
    result, rows = world.clear(tmp_path)
    assert {row["outcome"] for row in rows.values()} == {"PAID"}
    assert not any(row["findings"] for row in rows.values())
    assert result.records == len(rows) == len(world.rows)
    rides = [row for row in world.rows if not row["counter_kind"]]
    charged, gross = sum(row["amount"] for row in rides), sum(row["gross_fare"] for row in rides)
    assert sum(total.charged for total in result.net.operators) == charged
    assert sum(total.gross for total in result.net.operators) == gross
    assert result.positions[GOVERNMENT] == charged - gross
    assert sum(result.positions.values()) == 0
    by_operator: dict[str, int] = {}
    for row in rides:
        by_operator[row["operator"]] = by_operator.get(row["operator"], 0) + row["amount"]
    for total in result.net.operators:
        if total.operator in by_operator:
            paid = by_operator[total.operator]
            assert total.charged == paid
            assert total.fees == (paid * FEES.total_bp * 2 + 10_000) // 20_000  # half up, in whole numbers
            assert result.positions[total.operator] == total.charged + total.subsidy - total.fees


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    world = World.in_order()
    first, _ = world.clear(tmp_path, name="first")
    second, _ = world.clear(tmp_path, name="second")
    written = [
        [(file.name, file.read_bytes()) for file in sorted(Path(done.path).iterdir())]
        for done in (first, second)
    ]
    assert written[0]
    assert written[0] == written[1]
    assert not list(tmp_path.glob("*.tmp"))


def unknown_operator(row: Row) -> None:
    row["operator"] = "op.nobody"


def foreign_operator(row: Row) -> None:
    row["operator"] = "op.sz.01" if row["operator"] != "op.sz.01" else "op.sz.02"


def foreign_acquirer(row: Row) -> None:
    row["acquirer"] = "acq.other"


def unknown_terminal(row: Row) -> None:
    row["terminal_id"] = b"\x99" * 6


def unknown_psam(row: Row) -> None:
    row["psam_id"] = b"\x99" * 10


def unknown_card(row: Row) -> None:
    row["card_no"] = b"\x00\x00" + b"\x99" * 8


def other_profile(row: Row) -> None:
    row["profile"] = "cn.other"


def other_version(row: Row) -> None:
    row["key_version"] = row["key_version"] % 3 + 1


def yesterday(row: Row) -> None:
    row["local_date"] = bytes.fromhex("20180831")
    sign(row)


def no_such_day(row: Row) -> None:
    row["local_date"] = bytes.fromhex("20180931")
    sign(row)


def not_bcd(row: Row) -> None:
    row["local_time"] = bytes.fromhex("0A0000")
    sign(row)


def other_zone(row: Row) -> None:
    row["zone"] = "Asia/Urumqi"


def beyond_the_purse(row: Row) -> None:
    row["amount"] = PURSE_LIMIT + 1
    sign(row)


def negative(row: Row) -> None:
    row["amount"] = -1


def beyond_four_bytes(row: Row) -> None:
    row["amount"] = 2**63 - 1


def truncated(row: Row) -> None:
    row["tac"] = row["tac"][:3]


def empty(row: Row) -> None:
    row["tac"] = b""


def absent(row: Row) -> None:
    row["tac"] = None


def wrong(row: Row) -> None:
    row["tac"] = bytes([row["tac"][0] ^ 0x80]) + row["tac"][1:]


def other_edition(row: Row) -> None:
    row["profile_version"] = 99


def other_business_date(row: Row) -> None:
    row["business_date"] = row["business_date"].replace(year=1999)


def unsupported(row: Row) -> None:
    row["txn_type"] = 0x08
    sign(row)


def new_limit(row: Row) -> None:
    row["txn_type"] = 0x07


def unload_of_nobody(row: Row) -> None:
    row["txn_type"], row["counter_kind"] = 0x03, 1
    sign(row)


def false_kind(row: Row) -> None:
    row["counter_kind"] = 1


# In the order of precedence, so that a later change never hides an earlier one.
REJECTED: list[tuple[Callable[[Row], None], Reason]] = [
    (unknown_operator, Reason.UNKNOWN_OPERATOR),
    (foreign_operator, Reason.UNKNOWN_TERMINAL),
    (foreign_acquirer, Reason.UNKNOWN_TERMINAL),
    (unknown_terminal, Reason.UNKNOWN_TERMINAL),
    (unknown_psam, Reason.UNKNOWN_PSAM),
    (unknown_card, Reason.UNKNOWN_CARD),
    (other_profile, Reason.UNKNOWN_CARD),
    (other_version, Reason.UNKNOWN_CARD),
    (other_edition, Reason.UNKNOWN_CARD),
    (other_business_date, Reason.DATE_OUT_OF_WINDOW),
    (yesterday, Reason.DATE_OUT_OF_WINDOW),
    (no_such_day, Reason.DATE_OUT_OF_WINDOW),
    (not_bcd, Reason.DATE_OUT_OF_WINDOW),
    (other_zone, Reason.DATE_OUT_OF_WINDOW),
    (beyond_the_purse, Reason.AMOUNT_OUT_OF_RANGE),
    (negative, Reason.AMOUNT_OUT_OF_RANGE),
    (beyond_four_bytes, Reason.AMOUNT_OUT_OF_RANGE),
    (new_limit, Reason.NO_CLAIM),
    (truncated, Reason.TRUNCATED_TAC),
    (empty, Reason.TRUNCATED_TAC),
    (absent, Reason.TRUNCATED_TAC),
    (wrong, Reason.WRONG_TAC),
    (unload_of_nobody, Reason.NOT_CONCLUDED),
    (unsupported, Reason.UNSUPPORTED_TYPE),
    (false_kind, Reason.UNSUPPORTED_TYPE),
]


def test_each_fault_has_its_reason_and_no_other_record_is_refused(tmp_path: Path) -> None:
    world = World.in_order(records=400, cards=60)
    expected = {}
    for place, (change, reason) in enumerate(REJECTED):
        row = world.of_card(place)[1]
        change(row)
        expected[row["record_id"]] = reason.name
    result, rows = world.clear(tmp_path)
    refused = {key: row["reason"] for key, row in rows.items() if row["outcome"] != "PAID"}
    assert refused == expected
    assert all(rows[key]["outcome"] == "REJECTED" and not rows[key]["findings"] for key in expected)
    assert sum(result.positions.values()) == 0


def test_of_two_faults_on_one_record_the_table_of_precedence_names_one(tmp_path: Path) -> None:
    changes = [
        unknown_operator,
        unknown_terminal,
        unknown_psam,
        unknown_card,
        other_zone,
        negative,
        truncated,
    ]
    reasons = dict(REJECTED)
    world = World.in_order(records=600, cards=100)
    expected = {}
    pairs = [(a, b) for i, a in enumerate(changes) for b in changes[i + 1 :]]
    for place, (first, second) in enumerate(pairs):
        row = world.of_card(place)[0]
        second(row)
        first(row)
        expected[row["record_id"]] = reasons[first].name
    _, rows = world.clear(tmp_path)
    assert {key: rows[key]["reason"] for key in expected} == expected


def test_the_table_of_precedence_names_every_reason_once() -> None:
    assert sorted(row.reason for row in REASONS) == sorted(Reason)
    assert all(row.title_en and row.title_zh and row.rule for row in REASONS)


def block(world: World, row: Row, *, acknowledged_at: str | None, version: int = 4) -> None:
    world.listings.append(
        {"list_version": version, "card_no": row["card_no"], "effective_from": "20180901000000"}
    )
    if acknowledged_at:
        world.acknowledgements.append(
            {"terminal_id": row["terminal_id"], "list_version": version, "acknowledged_at": acknowledged_at}
        )


@pytest.mark.parametrize(
    ("acknowledged_at", "outcome", "findings"),
    [
        ("20180901000000", "REJECTED", ""),
        (None, "PAID", "CARD_LISTED_LATE"),
        ("20180901235959", "PAID", "CARD_LISTED_LATE"),
    ],
)
def test_a_listed_card_is_refused_only_where_the_list_was_in_force(
    tmp_path: Path, acknowledged_at: str | None, outcome: str, findings: str
) -> None:
    world = World.in_order()
    row = world.of_card()[-1]
    block(world, row, acknowledged_at=acknowledged_at)
    _, rows = world.clear(tmp_path)
    assert (rows[row["record_id"]]["outcome"], rows[row["record_id"]]["findings"]) == (outcome, findings)


def test_a_list_in_force_from_the_very_second_of_the_tap_blocks_it(tmp_path: Path) -> None:
    world = World.in_order()
    row = world.of_card()[-1]
    block(world, row, acknowledged_at=(row["local_date"] + row["local_time"]).hex())
    assert world.clear(tmp_path)[1][row["record_id"]]["reason"] == "CARD_BLOCKED"


def test_a_copy_is_a_duplicate_and_an_altered_one_says_so(tmp_path: Path) -> None:
    world = World.in_order()
    same, balance, counter, fare, stop = (world.of_card(place)[2] for place in range(5))
    expected = {
        world.add(same)["record_id"]: "DUPLICATE",
        world.add(balance, balance=balance["balance"] + 1)["record_id"]: "ALTERED_DUPLICATE",
        world.add(counter, counter=counter["counter"] + 1)["record_id"]: "ALTERED_DUPLICATE",
        world.add(fare, gross_fare=fare["gross_fare"] + 1)["record_id"]: "ALTERED_DUPLICATE",
        world.add(stop, stop="4711")["record_id"]: "ALTERED_DUPLICATE",
    }
    result, rows = world.clear(tmp_path)
    assert {key: row["reason"] for key, row in rows.items() if row["outcome"] != "PAID"} == expected
    assert not any(row["findings"] for row in rows.values())
    assert result.by_reason[0].count == len(rows) - len(expected)


def test_a_copy_that_pretends_to_be_the_next_tap_is_still_a_duplicate(tmp_path: Path) -> None:
    """The last tap again, with the next counter and the balance that would follow: the chain would be perfect."""
    world = World.in_order()
    last = world.of_card()[-1]
    copy = world.add(last, counter=last["counter"] + 1, balance=last["balance"] - last["amount"])
    _, rows = world.clear(tmp_path)
    assert rows[copy["record_id"]]["reason"] == "ALTERED_DUPLICATE"
    assert rows[last["record_id"]]["outcome"] == "PAID"


def test_a_bad_copy_that_comes_first_does_not_shadow_the_good_record(tmp_path: Path) -> None:
    world = World.in_order()
    true = world.of_card()[1]
    forged = world.add(true, record_id=-1, tac=b"\0\0\0\0")
    _, rows = world.clear(tmp_path)
    assert rows[forged["record_id"]]["reason"] == "WRONG_TAC"
    assert (rows[true["record_id"]]["outcome"], rows[true["record_id"]]["findings"]) == ("PAID", "")


def test_torn_taps_are_resolved_void_confirmed_or_in_suspense(tmp_path: Path) -> None:
    world = World.in_order()
    tear = {"state": int(RecordState.UNCONFIRMED), "tac": None}
    resolved = world.of_card(0)[1]
    resolved.update(tear)
    open_ = world.of_card(1)[-1]
    open_.update(tear)
    confirmed = world.of_card(2)[1]
    proven = world.add(confirmed, **tear)
    used = world.of_card(3)[1]
    hhmmss = used["local_time"]
    earlier = bytes([*hhmmss[:2], hhmmss[2] ^ 1])
    void = world.add(used, local_time=earlier, terminal_serial=999_999, **tear)
    result, rows = world.clear(tmp_path)
    got = {key: (row["outcome"], row["reason"], row["findings"]) for key, row in rows.items()}
    assert got[resolved["record_id"]] == ("PAID", "ACCEPTED", "TORN_RESOLVED")
    assert got[open_["record_id"]] == ("UNCONFIRMED", "UNRESOLVED", "")
    assert got[proven["record_id"]] == ("DUPLICATE", "DUPLICATE", "")
    assert got[confirmed["record_id"]] == ("PAID", "ACCEPTED", "")
    assert got[void["record_id"]] == ("VOID", "NOT_DEBITED", "")
    assert (result.unconfirmed, result.suspense) == (1, open_["amount"])


def test_a_clone_is_paid_at_the_risk_of_the_scheme_and_its_card_is_listed(tmp_path: Path) -> None:
    world = World.in_order()
    genuine = world.of_card()[2]
    clone = world.add(genuine, terminal_serial=888_888, balance=genuine["balance"] + 50)
    sign(clone)
    result, rows = world.clear(tmp_path)
    row = rows[clone["record_id"]]
    assert (row["outcome"], row["findings"], row["at_risk"]) == ("PAID", "COUNTER_REUSED", True)
    assert not rows[genuine["record_id"]]["at_risk"]
    assert result.new_listings == (genuine["card_no"],)
    risk = [flow for flow in result.net.flows if flow.kind.value == "risk"]
    assert [(flow.payer, flow.payee, flow.amount) for flow in risk] == [
        (SCHEME, clone["operator"], clone["amount"])
    ]


def test_an_empty_day_is_cleared(tmp_path: Path) -> None:
    world = World.in_order()
    world.rows = []
    result, rows = world.clear(tmp_path)
    assert (result.records, rows, result.positions) == (0, {}, {})


def test_the_highest_counters_are_read_to_the_last_bit(tmp_path: Path) -> None:
    world = World.in_order()
    loaded = next(row for row in world.rows if row["counter_kind"])
    mine = [row for row in world.rows if row["card_no"] == loaded["card_no"]]
    for row in mine:  # no TAC of a purchase binds the counter
        row["counter"] += 65_500 * (not row["counter_kind"])
    cards = [
        line | {"opening_counter": line["opening_counter"] + 65_500 * (line["card_no"] == mine[0]["card_no"])}
        for line in world.registry.cards.to_pylist()
    ]
    table = pa.Table.from_pylist(cards, schema=world.registry.cards.schema)
    world.registry = replace(world.registry, cards=table)
    result, rows = world.clear(tmp_path)
    assert result.judged_cards == 0
    assert {(row["outcome"], row["findings"]) for row in rows.values()} == {("PAID", "")}


def test_an_inactive_card_terminal_and_psam_count_as_unknown(tmp_path: Path) -> None:
    world = World.in_order()
    row = world.of_card()[0]
    registry = world.registry
    off = {
        "cards": ("card_no", "UNKNOWN_CARD"),
        "terminals": ("terminal_id", "UNKNOWN_TERMINAL"),
        "psams": ("psam_id", "UNKNOWN_PSAM"),
    }
    for name, (key, reason) in off.items():
        table = getattr(registry, name)
        lines = [line | {"status": 2 if line[key] == row[key] else 1} for line in table.to_pylist()]
        world.registry = replace(registry, **{name: pa.Table.from_pylist(lines, schema=table.schema)})
        assert world.clear(tmp_path)[1][row["record_id"]]["reason"] == reason


def test_outcomes_of_all_reasons_are_declared() -> None:
    assert {row.outcome for row in REASONS} == set(Outcome)
