"""A dispute for people and for JSON: its deeds, what each posted and to which account, and what may follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from jinka.clearing.dispute import Deed, Dispute, Movement, Step, apply
from jinka.clearing.dispute_reasons import require_reason
from jinka.clearing.dispute_tables import TABLES
from jinka.clearing.dispute_words import Event, State
from jinka.kit import format_minor
from jinka.settlement.dispute_posting import Booked, booked

_LABELS = {
    "claimed": ("claimed", "主张金额"),
    "of": ("of", "原金额"),
    "reason": ("reason", "原因"),
    "deadline": ("deadline", "期限"),
    "evidence": ("evidence", "证据"),
    "next": ("may follow", "可执行"),
    "by": ("by", "执行方"),
    "needs": ("with", "须附"),
}


def brief(dispute: Dispute) -> dict[str, Any]:
    """One line of a list."""
    return {
        "id": dispute.id.hex(),
        "kind": dispute.machine.word,
        "original": dispute.original.title,
        "original_fen": dispute.original.amount,
        "original_date": dispute.original.date.isoformat(),
        "claimant": dispute.parties.claimant,
        "respondent": dispute.parties.respondent,
        "reason": dispute.reason,
        "reference": dispute.reference,
        "state": dispute.state.word,
        "ended": dispute.ended,
        "claimed_fen": dispute.claimed,
        "returned_fen": dispute.returned,
        "held_fen": dispute.held,
        "pending_fen": dispute.pending,
        "due": dispute.due.isoformat() if dispute.due else None,
    }


def full(dispute: Dispute) -> dict[str, Any]:
    """All of it."""
    return brief(dispute) | {
        "deeds": [_deed(dispute, deed, state, moves) for deed, state, moves in _deeds(dispute)],
        "next": [
            {"event": step.event.word, "by": [dispute.parties.of(who) for who in step.who],
             "evidence": [kind.word for kind in step.evidence]}
            for step in _next(dispute)
        ],
    }  # fmt: skip


def lines(dispute: Dispute, *, chinese: bool) -> Iterator[str]:
    """The same for people."""

    def word(name: str) -> str:
        return _LABELS[name][chinese]

    reason = require_reason(dispute.machine, dispute.reason)
    yield f"{dispute.id.hex()}  {dispute.machine.title[chinese]}  {dispute.state.title[chinese]}"
    yield f"    {dispute.original.title}  {dispute.parties.claimant} / {dispute.parties.respondent}"
    yield (
        f"    {word('claimed')} {format_minor(dispute.claimed)}  {word('of')} {format_minor(dispute.original.amount)}"
        f"  {word('reason')} {reason.code} {reason.title_zh if chinese else reason.title_en}"
    )
    for deed, _, moves in _deeds(dispute):
        note = f"  {deed.note}" if deed.note else ""
        yield f"    {deed.on}  {deed.event.title[chinese]}  {deed.actor}{note}"
        for line in booked(dispute, moves):
            yield f"        {line.how.title[chinese]} {_account(line)}  {format_minor(line.amount)}"
        for paper in deed.evidence:
            yield f"        {word('evidence')} {paper.kind.title[chinese]}  {paper.name}  {paper.sha256.hex()[:16]}"
    if dispute.due:
        yield f"    {word('deadline')} {dispute.due}"
    for step in _next(dispute):
        who = ", ".join(dispute.parties.of(actor) for actor in step.who)
        papers = ", ".join(kind.word for kind in step.evidence)
        needs = f"  {word('needs')} {papers}" if papers else ""
        yield f"    {word('next')}: {step.event.word}  {word('by')} {who}{needs}"


def _account(line: Booked) -> str:
    return f"{line.debit.code.name} {line.debit.owner} -> {line.credit.code.name} {line.credit.owner}"


def _deeds(dispute: Dispute) -> Iterator[tuple[Deed, State, tuple[Movement, ...]]]:
    at = replace(dispute, state=State.START, pending=0, held=0, returned=0, deeds=())
    for deed in dispute.deeds:
        at, moves = apply(TABLES[dispute.machine], at, deed)
        yield deed, at.state, moves


def _deed(dispute: Dispute, deed: Deed, state: State, moves: tuple[Movement, ...]) -> dict[str, Any]:
    return {
        "event": deed.event.word,
        "state": state.word,
        "actor": deed.actor,
        "on": deed.on.isoformat(),
        "due": deed.due.isoformat() if deed.due else None,
        "note": deed.note,
        "posted": [
            {"how": line.how.word, "debit": [line.debit.code.name, line.debit.owner],
             "credit": [line.credit.code.name, line.credit.owner], "amount_fen": line.amount}
            for line in booked(dispute, moves)
        ],
        "evidence": [
            {"kind": paper.kind.word, "name": paper.name, "sha256": paper.sha256.hex(), "size": paper.size}
            for paper in deed.evidence
        ],
    }  # fmt: skip


def _next(dispute: Dispute) -> list[Step]:
    return [
        step for step in TABLES[dispute.machine].from_state(dispute.state) if step.event is not Event.DEADLINE
    ]
