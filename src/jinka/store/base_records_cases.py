"""Cases about base records in SQL: reviews, objections, disputes. Their acts only grow, and their notes are sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from jinka.identity.base_records import MACHINES, MARKED, OBJECTION, Act, Case, Machine, Note, Ref, plain
from jinka.kit import NotFound, Refused
from jinka.store.base_records_book import Book
from jinka.store.base_records_tables import case_acts, cases, statements


def open_case(
    book: Book,
    machine: Machine,
    *,
    holder: Ref | None,
    record: Ref,
    about: int,
    keeper: str,
    actor: str,
    officer: str,
    text: str,
) -> Case:
    """Open a case by its machine's first step."""
    case = Case(
        number=book.next_number(cases.c.number), machine=machine, holder=str(holder or ""), keeper=keeper,
        record=record.number, about=about, opened_us=book.now,
    )  # fmt: skip
    act = Act(act=machine.steps[0].act, actor=actor, officer=officer, at_micros=book.now, note=plain(text))
    opened = case.done(act)
    book.connection.execute(
        cases.insert(),
        {
            "number": case.number, "machine": machine.name, "keeper": keeper, "record": record.number,
            "holder": holder.number if holder else 0, "about": about, "opened_us": book.now,
        },
    )  # fmt: skip
    _keep(book, opened)
    return opened


def act_on_case(book: Book, number: int, act: str, *, actor: str, officer: str, text: str = "") -> Case:
    """Take a step; raises `Refused` when the case's table does not allow it."""
    before = read_case(book, number)
    after = before.done(Act(act=act, actor=actor, officer=officer, at_micros=book.now, note=plain(text)))
    _keep(book, after)
    return after


def read_case(book: Book, number: int) -> Case:
    """One case; raises `NotFound`."""
    found = list_cases(book, cases.c.number == number)
    if not found:
        raise NotFound(f"no case {number}", where="cases", fix="see jinka records cases")
    return found[0]


def list_cases(book: Book, *where: sa.ColumnElement[bool]) -> list[Case]:
    """Cases with their acts, by number."""
    rows = book.connection.execute(sa.select(cases).where(*where).order_by(cases.c.number)).all()
    holders = book.refs(row.holder for row in rows if row.holder)
    return [
        Case(
            number=row.number, machine=MACHINES[row.machine], holder=str(holders.get(row.holder, "")),
            keeper=row.keeper, record=row.record, about=row.about, opened_us=row.opened_us,
            acts=_acts(book, row.number),
        )
        for row in rows
    ]  # fmt: skip


def file_objection(book: Book, holder: Ref, record: Ref, seq: int, *, officer: str, text: str) -> Case:
    """A holder objects to a statement about what is his; raises `Refused`."""
    source = book.connection.scalar(
        sa.select(statements.c.source).where(statements.c.record == record.number, statements.c.seq == seq)
    )
    if source is None or book.ref(record.number) != record or book.holder(record, book.today) != holder:
        raise Refused("no such statement about this holder", where="objection", fix="see jinka records show")
    standing = list_cases(
        book, cases.c.machine == OBJECTION.name, cases.c.about == seq, cases.c.record == record.number
    )
    if any(case.is_open for case in standing):
        raise Refused("an objection is under way", where=f"{record} statement {seq}")
    return open_case(
        book, OBJECTION, holder=holder, record=record, about=seq, keeper=source, actor=str(holder),
        officer=officer, text=text,
    )  # fmt: skip


def marked_entries(book: Book, entries: Sequence[int]) -> set[int]:
    """Of these credit entries, those that are disputed now."""
    found = list_cases(book, cases.c.machine == "dispute", cases.c.about.in_(entries)) if entries else []
    return {case.about for case in found if case.state in MARKED}


def _acts(book: Book, number: int) -> tuple[Act, ...]:
    rows = book.connection.execute(
        sa.select(case_acts).where(case_acts.c.case == number).order_by(case_acts.c.seq)
    )
    return tuple(
        Act(
            act=row.act, actor=row.actor, officer=row.officer, at_micros=row.at_us,
            note=book.vault.unseal(row.note, _place(number, row.seq)).decode(),
        )
        for row in rows
    )  # fmt: skip


def _keep(book: Book, case: Case) -> None:
    seq, act = len(case.acts) - 1, case.acts[-1]
    values: dict[str, Any] = {
        "case": case.number, "seq": seq, "act": act.act, "actor": act.actor, "officer": act.officer,
        "at_us": act.at_micros, "note": book.vault.seal(act.note.encode(), _place(case.number, seq)),
    }  # fmt: skip
    book.connection.execute(case_acts.insert(), values)
    holder = Ref.parse(case.holder).number if case.holder else 0
    ref = book.ref(case.record)
    by_holder = act.actor == case.holder
    book.note(
        Note(
            act=f"{case.machine.name}.{act.act}", department="holder" if by_holder else act.actor,
            officer=act.officer, kind=ref.kind if ref else "", record=case.record, holder=holder,
            facts={
                "number": case.number, "about": case.about, "state": case.state,
                "proof": book.case_proof(case.number, seq, act).hex(),
            },
        )
    )  # fmt: skip


def _place(case: int, seq: int) -> str:
    return f"base record case {case} act {seq}"
