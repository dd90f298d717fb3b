"""Departments' copies of base records in SQL: who holds what, what he is told, and what he has acknowledged.

A message is a row that names a field and a version; its content is read from statements that never change, so the same
number has the same content however often it is fetched. A copy whose ground is gone is ended and told to erase; that is
looked at whenever messages are fetched and when a consent is withdrawn.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from jinka.identity.base_records import ERASE, Copy, Look, LookRefused, Message, Note, Record, Ref, plain
from jinka.identity.base_records.notes import SENT
from jinka.keys import Outcome
from jinka.kit import NotFound, Refused
from jinka.store.base_records_book import Book
from jinka.store.base_records_sight import holder_and_grounds
from jinka.store.base_records_tables import copies, outbox

MESSAGES_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A copy that has not acknowledged what it was told."""

    copy: Copy
    messages: int
    since_us: int  # of the oldest


def open_copy(book: Book, look: Look, ref: Ref, holder: Ref | None) -> Copy:
    """Begin a copy of the fields that a look was allowed."""
    if not look.fields:
        raise Refused("a copy names its fields", where="fields")
    if look.emergency:
        raise Refused("an emergency is no ground for a copy", where="copy")
    kept = Copy(
        number=book.next_number(copies.c.number), department=look.department, purpose=look.purpose, record=ref,
        fields=look.fields, opened_us=book.now,
    )  # fmt: skip
    case = {"case": plain(look.case), "fields": list(look.fields)}
    book.connection.execute(
        copies.insert(),
        {
            "number": kept.number, "department": kept.department, "purpose": kept.purpose,
            "record": ref.number, "fields": json.dumps(case), "opened_us": book.now, "ended_us": 0,
        },
    )  # fmt: skip
    _tell(book, kept, kept.fields, len(book.record(ref).statements))
    facts = {
        "copy": kept.number,
        "purpose": look.purpose,
        "fields": list(look.fields),
        "case": plain(look.case),
    }
    book.note(Note(
        act="copy.opened", department=look.department, officer=look.officer, kind=ref.kind, record=ref.number,
        holder=holder.number if holder else 0, facts=facts,
    ))  # fmt: skip
    return kept


def tell_copies(book: Book, record: Record, fields: Collection[str]) -> None:
    """Queue what was written for every copy that has it."""
    for copy, _ in _copies(book, copies.c.record == record.ref.number, copies.c.ended_us == 0):
        touched = [name for name in copy.fields if name in fields]
        _tell(book, copy, touched, len(record.statements))


def fetch(book: Book, department: str, officer: str) -> list[Message]:
    """What a department has not acknowledged, oldest first; noted as a look for each record."""
    book.catalogue.check_department(department)
    end_groundless(book, department=department)
    rows = book.connection.execute(
        sa.select(outbox, copies.c.record)
        .join(copies, copies.c.number == outbox.c["copy"])
        .where(copies.c.department == department, outbox.c.acked_us == 0)
        .order_by(outbox.c.number)
        .limit(MESSAGES_MAX)
    ).all()
    held = {copy.number: copy for copy, _ in _copies(book, copies.c.department == department)}
    found = []
    for row in rows:
        copy = held[row.copy]
        spans: tuple[tuple[str, str, str], ...] = ()
        # What a copy that has ended was still to be told, it is not told any more.
        if row.version != ERASE and not copy.ended_us:
            spec = book.catalogue.kind(copy.record.kind).field(row.field)
            said = book.record(copy.record).until(row.version).standing(spec)
            spans = tuple(
                (one.value, one.valid_from.isoformat(), one.valid_to.isoformat() if one.valid_to else "")
                for one in said
            )
        elif row.version != ERASE:
            continue
        found.append(
            Message(
                number=row.number, copy=copy.number, record=copy.record, field=row.field, version=row.version,
                spans=spans,
            )
        )  # fmt: skip
    _note_sent(book, found, department, officer, {copy.number: copy for copy in held.values()})
    return found


def acknowledge(book: Book, department: str, numbers: Sequence[int]) -> int:
    """Mark messages as applied; those that were before stay so. Raises `NotFound` for another's."""
    rows = book.connection.execute(
        sa.select(outbox.c.number, outbox.c.acked_us, copies.c.department)
        .join(copies, copies.c.number == outbox.c["copy"])
        .where(outbox.c.number.in_(numbers))
    ).all()
    mine = {row.number: row.acked_us for row in rows if row.department == department}
    if missing := sorted(set(numbers) - set(mine)):
        raise NotFound(f"no message {missing[0]}", where=department, fix="see jinka records outbox")
    new = [number for number, acked in mine.items() if not acked]
    if new:
        book.connection.execute(outbox.update().where(outbox.c.number.in_(new)).values(acked_us=book.now))
        book.note(
            Note(act="copy.acknowledged", department=department, officer="system", facts={"messages": new})
        )
    return len(new)


def behind(book: Book) -> list[Behind]:
    """The copies that were told something they have not acknowledged."""
    rows = book.connection.execute(
        sa.select(outbox.c["copy"], sa.func.count(), sa.func.min(outbox.c.at_us))
        .where(outbox.c.acked_us == 0)
        .group_by(outbox.c["copy"])
        .order_by(outbox.c["copy"])
    ).all()
    known = {copy.number: copy for copy, _ in _copies(book, sa.true())}
    return [Behind(copy=known[number], messages=count, since_us=since) for number, count, since in rows]


def end_groundless(book: Book, *, holder: int = 0, department: str = "") -> int:
    """End the copies whose ground is gone, of a holder or of a department; they are told to erase."""
    chosen = copies.c.department == department if department else sa.true()
    ended = 0
    for copy, case in _copies(book, chosen, copies.c.ended_us == 0):
        look = Look(
            department=copy.department, officer="system", purpose=copy.purpose, kind=copy.record.kind,
            fields=copy.fields, case=case,
        )  # fmt: skip
        owner = book.holder(copy.record, book.today)
        if holder and (owner is None or owner.number != holder):
            continue
        _, refused = holder_and_grounds(book, copy.record, look)
        if isinstance(refused, LookRefused):
            ended += 1
            book.connection.execute(
                copies.update().where(copies.c.number == copy.number).values(ended_us=book.now)
            )
            book.connection.execute(  # what is under way is not told any more
                outbox.update()
                .where(outbox.c["copy"] == copy.number, outbox.c.acked_us == 0)
                .values(acked_us=book.now)
            )
            _tell(book, copy, copy.fields, ERASE)
            book.note(Note(
                act="copy.ended", department=copy.department, officer="system", kind=copy.record.kind,
                record=copy.record.number, holder=owner.number if owner else 0, outcome=Outcome.REFUSED,
                facts={"copy": copy.number, "fields": list(copy.fields), "why": refused.why.title[0]},
            ))  # fmt: skip
    return ended


def _tell(book: Book, copy: Copy, fields: Collection[str], version: int) -> None:
    number = book.next_number(outbox.c.number)
    for name in fields:
        row = {
            "number": number, "copy": copy.number, "field": name, "version": version, "at_us": book.now,
            "acked_us": 0,
        }  # fmt: skip
        book.connection.execute(outbox.insert(), row)
        number += 1


def _copies(book: Book, *where: sa.ColumnElement[bool]) -> list[tuple[Copy, str]]:
    rows = book.connection.execute(sa.select(copies).where(*where).order_by(copies.c.number)).all()
    refs = book.refs(row.record for row in rows)
    found = []
    for row in rows:
        kept = json.loads(row.fields)
        found.append(
            (
                Copy(
                    number=row.number, department=row.department, purpose=row.purpose, record=refs[row.record],
                    fields=tuple(kept["fields"]), opened_us=row.opened_us, ended_us=row.ended_us,
                ),
                str(kept["case"]),
            )
        )  # fmt: skip
    return found


def _note_sent(
    book: Book, messages: Sequence[Message], department: str, officer: str, held: dict[int, Copy]
) -> None:
    """One note for each copy that shows something."""
    shown: dict[int, set[str]] = {}
    for message in messages:
        if not message.erases:
            shown.setdefault(message.copy, set()).add(message.field)
    for number, fields in sorted(shown.items()):
        copy = held[number]
        holder = book.holder(copy.record, book.today)
        book.note(Note(
            act=SENT, department=department, officer=officer, kind=copy.record.kind, record=copy.record.number,
            holder=holder.number if holder else 0,
            facts={"copy": number, "purpose": copy.purpose, "fields": sorted(fields)},
        ))  # fmt: skip
