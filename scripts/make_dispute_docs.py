#!/usr/bin/env python3
"""Write the tables of docs/disputes.md: each machine of `jinka.clearing.dispute_tables`, drawn and listed; the reasons.

What stands before the mark is written by hand and stays. With --check nothing is written, and a page that differs is
named (exit code 1).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from jinka.clearing.dispute import Post, Step, Table, Terms
from jinka.clearing.dispute_reasons import DISPUTE_REASONS
from jinka.clearing.dispute_tables import KINDS, TABLES
from jinka.clearing.dispute_words import Event, EvidenceKind, How, State

PAGE = Path(__file__).parents[1] / "docs" / "disputes.md"
MARK = "<!-- made by scripts/make_dispute_docs.py from the tables; do not edit below this line -->"


def tables() -> str:
    """Everything below the mark."""
    parts = [_machine(table) for table in TABLES.values()]
    return "\n\n".join([*parts, _kinds(), _evidence(), _reasons()]) + "\n"


def _machine(table: Table) -> str:
    english, chinese = table.machine.title
    rows = (_row(step) for step in table.steps)
    head = ("state", "event", "", "who may", "evidence", "within", "posts", "next", "")
    return "\n\n".join(
        [f"## {english[0].upper()}{english[1:]} · {chinese}", _drawn(table), _listed(head, rows)]
    )


def _drawn(table: Table) -> str:
    states = list(dict.fromkeys(s for step in table.steps for s in (step.state, step.next)))
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [
        f'    state "{state.title[0]} {state.title[1]}" as {state.name.lower()}'
        for state in states
        if state is not State.START
    ]
    for step in table.steps:
        before = "[*]" if step.state is State.START else step.state.name.lower()
        lines.append(f"    {before} --> {step.next.name.lower()}: {step.event.word}")
    lines += [f"    {state.name.lower()} --> [*]" for state in states if state.end]
    return "\n".join([*lines, "```"])


def _row(step: Step) -> tuple[str, ...]:
    return (
        step.state.title[0],
        f"`{step.event.word}`" if step.event is not Event.DEADLINE else "deadline",
        step.event.title[1],
        ", ".join(who.title[0] for who in step.who),
        ", ".join(kind.word for kind in step.evidence),
        ""
        if step.days is None
        else f"{step.days} {'days' if step.state is State.START else 'business days'}",
        "<br>".join(_post(post) for post in step.posts),
        step.next.title[0],
        step.note,
    )


def _post(post: Post) -> str:
    how = "" if post.how is How.POST else f"{post.how.title[0]}: "
    return f"{how}{post.debit.title[0]} → {post.credit.title[0]}, {post.sum.title[0]}"


def _kinds() -> str:
    rows = ((f"`{kind.word}`", kind.machine.title[0], *kind.event.title) for kind in KINDS)
    return "## What is opened · 可受理的类别\n\n" + _listed(
        ("`jinka dispute open DIR ...`", "machine", "first event", ""), rows
    )


def _evidence() -> str:
    rows = ((f"`{kind.word}`", *kind.title) for kind in EvidenceKind)
    return "## Evidence · 证据\n\n" + _listed(("kind", "", ""), rows)


def _reasons() -> str:
    rows = (
        (f"`{row.code}`", row.title_en, row.title_zh, ", ".join(machine.word for machine in row.machines))
        for row in DISPUTE_REASONS
    )
    terms = Terms()
    fees = (
        f"Fees unless the scheme says otherwise: retrieval {terms.retrieval_fee} fen, paid by the issuer to who "
        f"hands the documents in; arbitration {terms.arbitration_fee} fen, paid by who loses to the scheme."
    )
    return "\n\n".join(["## Reason codes · 原因码", _listed(("code", "", "", "machines"), rows), fees])


def _listed(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows))


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    written, mark, _ = text.partition(MARK)
    if not mark:
        print(f"{PAGE}: the mark is gone")
        return 1
    made = f"{written}{MARK}\n\n{tables()}"
    if "--check" in sys.argv[1:]:
        if made != text:
            print(f"{PAGE}: out of date (run scripts/make_dispute_docs.py)")
        return int(made != text)
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
