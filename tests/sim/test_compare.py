"""The comparison after a spoiled day: it must be able to say that the clearing was wrong."""

from __future__ import annotations

import pytest

from jinka.sim.compare import Answer, compare
from jinka.sim.faults import EXPECTED, PRECEDENCE, Fault
from jinka.sim.spoil import Label

BATCH, OTHER = b"b" * 16, b"o" * 16


def label(fault, seq=0):
    return Label(fault=fault, delivery="d", batch=BATCH, batch_seq=seq, expect=EXPECTED[fault])


@pytest.mark.parametrize(
    ("fault", "answer", "verdict"),
    [
        (Fault.FORGED_TAC, Answer("REJECTED", "WRONG_TAC"), "right"),
        (Fault.FORGED_TAC, Answer("REJECTED", "CARD_BLOCKED"), "other"),
        (Fault.FORGED_TAC, Answer("PAID", "ACCEPTED", frozenset({"COUNTER_GAP"})), "missed"),
        (Fault.FORGED_TAC, Answer("PAID", "ACCEPTED"), "missed"),
        (Fault.FORGED_TAC, None, "missed"),
        (Fault.COUNTER_GAP, Answer("PAID", "ACCEPTED", frozenset({"COUNTER_GAP", "TORN_RESOLVED"})), "right"),
        (Fault.COUNTER_GAP, Answer("PAID", "ACCEPTED"), "missed"),
        (Fault.COUNTER_GAP, Answer("REJECTED", "WRONG_TAC"), "other"),
        (Fault.TORN_OPEN, Answer("UNCONFIRMED", "UNRESOLVED"), "right"),
        (Fault.TORN_OPEN, Answer("PAID", "ACCEPTED"), "missed"),
    ],
)
def test_verdicts_on_one_record(fault, answer, verdict):
    answers = {} if answer is None else {(BATCH, 0): answer}
    rows, refused = compare([label(fault)], answers, {})
    [row] = [row for row in rows if row.injected]
    assert {row.fault for row in rows} == set(Fault), "a kind without a victim is shown with none"
    assert (row.injected, getattr(row, verdict)) == (1, 1)
    assert row.right + row.other + row.missed == 1
    assert refused == 0


def test_good_records_and_batches_that_were_refused_are_counted():
    records = {
        (BATCH, 0): Answer("REJECTED", "WRONG_TAC"),
        (BATCH, 1): Answer("REJECTED", "WRONG_TAC"),
        (OTHER, 0): Answer("DUPLICATE", "DUPLICATE"),
        (OTHER, 1): Answer("UNCONFIRMED", "UNRESOLVED"),
        (OTHER, 2): Answer("PAID", "ACCEPTED"),
    }
    batches = {("d", BATCH): Answer("ACCEPTED"), ("d", OTHER): Answer("PARKED", "PARKED_SEAL")}
    _, refused = compare([label(Fault.FORGED_TAC)], records, batches)
    assert refused == 3


def test_the_precedence_written_down_here_is_the_one_that_clearing_applies():
    from jinka.clearing import REASONS

    applied = [row.reason.name for row in REASONS]
    assert [reason for reason in applied if reason in PRECEDENCE] == list(PRECEDENCE)


def test_every_kind_of_fault_has_one_expectation():
    assert set(EXPECTED) == set(Fault) - {Fault.SEVERAL}
