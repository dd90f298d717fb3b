"""Credit entries in SQL: reported, ended, corrected, disputed, read by their subject or with consent, deleted in time.

Entries are the one part of base records from which rows go away: the law wants it (征信业管理条例 Art. 16). The log
proves each entry that is there and names each that was deleted.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jinka.identity.base_records import (
    DISPUTE,
    Case,
    Decision,
    Entry,
    Look,
    Note,
    Ref,
    Sign,
    expired,
    fee_due,
    plain,
    standing,
)
from jinka.identity.base_records.credit import BUREAU
from jinka.identity.base_records.notes import LOOK
from jinka.kit import NotFound, Refused
from jinka.store.base_records import note_of
from jinka.store.base_records_book import Book
from jinka.store.base_records_cases import list_cases, marked_entries, open_case
from jinka.store.base_records_tables import cases, credit, credit_reports


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditReport:
    """What somebody is shown of a credit record."""

    subject: Ref
    entries: tuple[dict[str, Any], ...]
    number: int = 0  # of the subject's own reports in this year
    fee_due: bool = False

    def __repr__(self) -> str:
        return f"CreditReport({self.subject}, {len(self.entries)} entries)"


def report_entry(book: Book, draft: Entry, subject: Ref, *, officer: str) -> Entry:
    """Keep an entry, or one that replaces another (its end, or a correction); raises `Refused`."""
    _check_subject(book, subject)
    book.catalogue.check_department(draft.institution)
    draft.check()
    if draft.since > book.today or (draft.ended or draft.since) > book.today:
        raise Refused("it lies ahead", where="entry")
    known = {entry.number: entry for entry in entries_of(book, subject)}
    if draft.replaces:
        before = known.get(draft.replaces)
        if before is None or before.institution != draft.institution:
            raise Refused("no such entry of this institution", where="entry")
        if any(entry.replaces == draft.replaces for entry in known.values()):
            raise Refused("it was replaced already", where=f"entry {draft.replaces}")
    entry = Entry(
        number=book.next_number(credit.c.number), subject=subject.number, institution=draft.institution,
        sign=draft.sign, text=plain(draft.text), amount_fen=draft.amount_fen, since=draft.since,
        ended=draft.ended, at_micros=book.now, replaces=draft.replaces,
    )  # fmt: skip
    body = _body(entry)
    book.connection.execute(
        credit.insert(),
        {
            "number": entry.number, "subject": entry.subject, "institution": entry.institution,
            "sign": entry.sign.value[0], "sealed": book.vault.seal(body, _place(entry.number)),
            "since": entry.since.isoformat(), "ended": entry.ended.isoformat() if entry.ended else "",
            "at_us": entry.at_micros, "replaces": entry.replaces,
        },
    )  # fmt: skip
    _note(
        book, "credit.reported", entry.institution, officer, subject,
        {"entry": entry.number, "replaces": entry.replaces, "proof": proof_of(book, entry).hex()},
    )  # fmt: skip
    return entry


def entries_of(book: Book, subject: Ref | None = None) -> list[Entry]:
    """The entries of one, or of all, those that were replaced too."""
    chosen = credit.c.subject == subject.number if subject else sa.true()
    found = []
    for row in book.connection.execute(sa.select(credit).where(chosen).order_by(credit.c.number)):
        text, amount = json.loads(book.vault.unseal(row.sealed, _place(row.number)))
        found.append(
            Entry(
                number=row.number, subject=row.subject, institution=row.institution, sign=Sign.named(row.sign),
                text=text, amount_fen=amount, since=dt.date.fromisoformat(row.since),
                ended=dt.date.fromisoformat(row.ended) if row.ended else None, at_micros=row.at_us,
                replaces=row.replaces,
            )
        )  # fmt: skip
    return found


def own_report(book: Book, subject: Ref, *, officer: str) -> CreditReport:
    """What a subject reads of itself: everything, twice a year for nothing (Art. 17)."""
    _check_subject(book, subject)
    year = book.today.year
    so_far = book.connection.scalar(
        sa.select(sa.func.count())
        .select_from(credit_reports)
        .where(credit_reports.c.subject == subject.number, credit_reports.c.year == year)
    )
    made = {
        "number": book.next_number(credit_reports.c.number), "subject": subject.number, "year": year,
        "at_us": book.now,
    }  # fmt: skip
    book.connection.execute(credit_reports.insert(), made)
    count = int(so_far or 0)
    person = book.catalogue.kind(subject.kind).person
    found = CreditReport(
        subject=subject,
        entries=_shown(book, subject, frozenset(Sign)),
        number=count + 1,
        fee_due=person and fee_due(count),
    )
    _note(
        book, "credit.own-report", "holder", officer, subject, {"report": found.number, "fee": found.fee_due}
    )
    return found


def seen_credit(book: Book, ref: Ref, holder: Ref | None, decision: Decision, look: Look) -> CreditReport:
    """What an allowed look at a credit record shows; it notes it."""
    signs = frozenset({Sign.PUBLISHED}) if "entries" not in decision.grounds else frozenset(Sign)
    note = note_of(look, ref, holder)
    grounds = {name: str(ground) for name, ground in decision.grounds.items()}
    book.note(Note(
        act=LOOK, department=look.department, officer=look.officer, kind=look.kind, record=ref.number,
        holder=ref.number, facts={**note.facts, "fields": list(decision.fields), "grounds": grounds},
    ))  # fmt: skip
    return CreditReport(subject=ref, entries=_shown(book, ref, signs))


def file_dispute(book: Book, subject: Ref, number: int, *, officer: str, text: str) -> Case:
    """A subject disputes an entry about itself, which bears a mark from now on (Art. 25)."""
    mine = [entry for entry in entries_of(book, subject) if entry.number == number]
    if not mine:
        raise NotFound(f"no entry {number}", where=str(subject), fix="see jinka records credit report")
    running = list_cases(book, cases.c.machine == DISPUTE.name, cases.c.about == number)
    if any(case.is_open for case in running):
        raise Refused("a dispute is under way", where=f"entry {number}")
    return open_case(
        book, DISPUTE, holder=subject, record=subject, about=number, keeper=BUREAU, actor=str(subject),
        officer=officer, text=text,
    )  # fmt: skip


def check_replaced(book: Book, number: int) -> None:
    """Raises `Refused` while a disputed entry stands as it was; to correct it is to replace it."""
    replaced = book.connection.scalar(
        sa.select(sa.func.count()).select_from(credit).where(credit.c.replaces == number)
    )
    if not replaced:
        raise Refused(
            "the entry stands as it was",
            where=f"entry {number}",
            fix="report the one that replaces it first: jinka records credit report --replaces",
        )


def purge(book: Book, *, officer: str) -> int:
    """Delete what is over its time (Art. 16); the log names the entries. Returns how many."""
    gone = 0
    numbers = book.connection.scalars(sa.select(credit.c.subject).distinct()).all()
    for subject in book.refs(numbers).values():
        person = book.catalogue.kind(subject.kind).person
        over = [entry.number for entry in expired(entries_of(book, subject), book.today, person=person)]
        if over:
            book.connection.execute(credit.delete().where(credit.c.number.in_(over)))
            _note(book, "credit.deleted", BUREAU, officer, subject, {"entries": over})
            gone += len(over)
    return gone


def proof_of(book: Book, entry: Entry) -> bytes:
    """What the log keeps of an entry."""
    days = f"{entry.since} {entry.ended or ''} {entry.sign.value[0]} {entry.institution} {entry.replaces}"
    head = f"credit {entry.number} {entry.subject} {entry.at_micros} {days} ".encode()
    return book.vault.digest(head + _body(entry))


def _shown(book: Book, subject: Ref, signs: frozenset[Sign]) -> tuple[dict[str, Any], ...]:
    person = book.catalogue.kind(subject.kind).person
    found = [
        one for one in standing(entries_of(book, subject), book.today, person=person) if one.sign in signs
    ]
    marked = marked_entries(book, [entry.number for entry in found])
    return tuple(entry.as_dict(disputed=entry.number in marked) for entry in found)


def _check_subject(book: Book, subject: Ref) -> None:
    if not book.there(subject) or subject.kind not in ("person", "organisation"):
        raise NotFound("no such person or organisation", where="subject")


def _note(book: Book, act: str, department: str, officer: str, subject: Ref, facts: dict[str, Any]) -> None:
    book.note(
        Note(
            act=act, department=department, officer=officer, kind=subject.kind, record=subject.number,
            holder=subject.number, facts=facts,
        )
    )  # fmt: skip


def _body(entry: Entry) -> bytes:
    return json.dumps([entry.text, entry.amount_fen], ensure_ascii=False).encode()


def _place(number: int) -> str:
    return f"base record credit {number}"
