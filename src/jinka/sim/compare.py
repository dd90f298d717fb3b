"""Compares what was done to a day with what the clearing answered, kind by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from jinka.sim.faults import Expectation, Fault
from jinka.sim.spoil import Label


@dataclass(frozen=True, slots=True)
class Answer:
    """What the clearing said of one record or batch; ``findings`` are the names on a paid record."""

    outcome: str
    reason: str = ""
    findings: frozenset[str] = frozenset()

    @property
    def is_untroubled(self) -> bool:
        return self.outcome in ("PAID", "ACCEPTED") and not self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCount:
    """How one kind of fault fared."""

    fault: Fault
    injected: int
    right: int
    other: int
    missed: int


def compare(
    labels: Iterable[Label],
    records: dict[tuple[bytes, int], Answer],
    batches: dict[tuple[str, bytes], Answer],
) -> tuple[list[FaultCount], int]:
    """Return the counts by kind, those without a victim too, and how many good records were wrongly refused.

    ``records`` holds the answer to every record that was taken in, by (batch, batch_seq); ``batches`` the answer to
    every batch, by (delivery, batch). A record in a batch that was parked is not there.
    """
    labels = list(labels)
    tally: dict[Fault, Counter[str]] = {fault: Counter() for fault in Fault}
    for label in labels:
        if label.batch_seq is None:
            answer = batches.get((label.delivery, label.batch))
        else:
            answer = records.get((label.batch, label.batch_seq))
        counts = tally[label.fault]
        counts["injected"] += 1
        counts[_verdict(label.expect, answer)] += 1
    spoiled = {(label.batch, label.batch_seq) for label in labels if label.batch_seq is not None}
    spoiled_batches = {(label.delivery, label.batch) for label in labels if label.batch_seq is None}
    refused = sum(
        answer.outcome in ("REJECTED", "DUPLICATE")
        for place, answer in records.items()
        if place not in spoiled
    )
    refused += sum(
        answer.outcome not in ("ACCEPTED", "REPLAYED")
        for place, answer in batches.items()
        if place not in spoiled_batches
    )
    rows = [
        FaultCount(
            fault=fault,
            injected=counts["injected"],
            right=counts["right"],
            other=counts["other"],
            missed=counts["missed"],
        )
        for fault, counts in sorted(tally.items(), key=lambda item: list(Fault).index(item[0]))
    ]
    return rows, refused


def _verdict(expect: Expectation, answer: Answer | None) -> str:
    if answer is None:
        return "missed"
    right_reason = not expect.reason or answer.reason == expect.reason
    right_finding = not expect.finding or expect.finding in answer.findings
    if answer.outcome == expect.outcome and right_reason and right_finding:
        return "right"
    paid_in_spite = answer.outcome == "PAID" and expect.outcome != "PAID"
    return "missed" if paid_in_spite or answer.is_untroubled else "other"
