"""What was debited and not paid: by hand, record by record."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from jinka.app.float_proof import unpaid_debits
from jinka.codec import RECORD_SCHEMA, CounterKind, RecordState, TransactionType

CARD = b"\x03\x10" + bytes(8)
BATCH = b"b" * 16


def record(seq, amount, counter, **changes):
    return {
        "batch": BATCH,
        "batch_seq": seq,
        "state": RecordState.CONFIRMED,
        "card_no": CARD,
        "card_len": 19,
        "profile": "p",
        "profile_version": 1,
        "txn_type": TransactionType.CAPP_PURCHASE,
        "amount": amount,
        "balance": 0,
        "gross_fare": amount,
        "product": "full",
        "counter": counter,
        "counter_kind": CounterKind.OFFLINE,
        "terminal_id": bytes(6),
        "terminal_serial": seq,
        "psam_id": bytes(10),
        "local_date": b"\x20\x18\x09\x01",
        "local_time": b"\x08\x00\x00",
        "zone": "Asia/Shanghai",
        "business_date": dt.date(2018, 9, 1),
        "issuer": "i",
        "acquirer": "a",
        "operator": "o",
        "line": None,
        "stop": None,
        "key_version": 1,
        "algorithm": 0,
        "tac": bytes(4),
    } | changes


def table(*rows):
    return pa.Table.from_pylist(list(rows), schema=RECORD_SCHEMA)


def outcomes(*rows):
    """Rows with their verdict: (record, outcome, at risk)."""
    made = table(*(row for row, _, _ in rows))
    made = made.append_column("outcome", pa.array([verdict for _, verdict, _ in rows], pa.string()))
    return made.append_column("at_risk", pa.array([risk for _, _, risk in rows], pa.bool_()))


def arrived(*rows):
    return {(row["batch"], row["batch_seq"]) for row in rows}


def test_paid_rejected_and_lost():
    paid, rejected, lost = record(0, 100, 0), record(1, 30, 1), record(2, 7, 2)
    found = unpaid_debits(
        table(paid, rejected, lost),
        outcomes((paid, "PAID", False), (rejected, "REJECTED", False)),
        arrived(paid, rejected),
        {(CARD, CounterKind.OFFLINE): 3},
    )
    assert (found.in_suspense, found.in_transit, found.records) == (30, 7, 2)


def test_a_record_that_the_risk_account_paid_does_not_count_as_paid_by_the_purse():
    tap = record(0, 100, 0)
    found = unpaid_debits(
        table(tap), outcomes((tap, "PAID", True)), arrived(tap), {(CARD, CounterKind.OFFLINE): 1}
    )
    assert found.in_suspense == 100


def test_a_payment_for_another_amount_is_not_this_payment():
    tap = record(0, 100, 0)
    found = unpaid_debits(
        table(tap),
        outcomes((record(0, 101, 0), "PAID", False)),
        arrived(tap),
        {(CARD, CounterKind.OFFLINE): 1},
    )
    assert found.in_suspense == 100


@pytest.mark.parametrize(("counter_after", "suspense"), [(4, 0), (5, 60)])
def test_a_torn_debit_counts_when_the_card_moved_on(counter_after, suspense):
    torn = record(0, 60, 4, state=RecordState.UNCONFIRMED, tac=None)
    found = unpaid_debits(
        table(torn),
        outcomes((torn, "UNCONFIRMED", False)),
        arrived(torn),
        {(CARD, CounterKind.OFFLINE): counter_after},
    )
    assert found.in_suspense == suspense


def test_a_torn_debit_whose_counter_was_used_again_did_not_happen():
    torn = record(0, 60, 4, state=RecordState.UNCONFIRMED, tac=None)
    again = record(1, 60, 4)
    found = unpaid_debits(
        table(torn, again),
        outcomes((torn, "VOID", False), (again, "PAID", False)),
        arrived(torn, again),
        {(CARD, CounterKind.OFFLINE): 5},
    )
    assert found.in_suspense == 0


def test_a_load_that_was_not_paid_counts_the_other_way():
    load = record(0, 5_000, 0, counter_kind=CounterKind.ONLINE, txn_type=TransactionType.EP_LOAD)
    found = unpaid_debits(
        table(load), outcomes((load, "REJECTED", False)), arrived(load), {(CARD, CounterKind.OFFLINE): 0}
    )
    assert found.in_suspense == -5_000


@pytest.mark.parametrize(("counter_after", "suspense"), [(0, 0), (1, -5_000)])
def test_a_torn_load_counts_when_the_card_took_it(counter_after, suspense):
    load = record(
        0,
        5_000,
        0,
        counter_kind=CounterKind.ONLINE,
        txn_type=TransactionType.EP_LOAD,
        state=RecordState.UNCONFIRMED,
        tac=None,
    )
    found = unpaid_debits(
        table(load),
        outcomes((load, "UNCONFIRMED", False)),
        arrived(load),
        {(CARD, CounterKind.ONLINE): counter_after},
    )
    assert found.in_suspense == suspense
