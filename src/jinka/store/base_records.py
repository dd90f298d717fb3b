"""Base records in SQL: written by their sources, looked at under rules, and every look noted in the same transaction.

A refused look is noted and committed before it is refused. What a look shows is read in the transaction that notes it,
so nothing is shown without its note and nothing is noted that was not decided on the state that was shown. Values are
sealed (`NumberVault`); whoever has the database alone reads numbers of records, names of fields and who looked.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import sqlalchemy as sa

from jinka.crypto.number_vault import NumberVault
from jinka.identity.base_records import (
    REVIEW,
    Catalogue,
    Consent,
    Copy,
    Decision,
    LogRow,
    Look,
    LookRefused,
    Note,
    Record,
    RecordKind,
    Ref,
    Sought,
    Statement,
    check_consent,
    check_look,
    check_source,
    checked,
    plain,
)
from jinka.identity.base_records.access import check_text
from jinka.identity.base_records.notes import BROKEN_GLASS, LOOK
from jinka.identity.base_records.statements import check_number_agrees
from jinka.keys import Outcome
from jinka.kit import BEIJING, Clock, NotFound, Refused, Usage
from jinka.store.base_records_book import Book
from jinka.store.base_records_cases import open_case
from jinka.store.base_records_copies import end_groundless, open_copy, tell_copies
from jinka.store.base_records_sight import find, holder_and_grounds
from jinka.store.base_records_tables import consent_ends, consents, log
from jinka.store.database import reading

WRITES_MAX = 200
_TOLD_BY_NUMBER = frozenset({"identity_number", "birth_date", "sex"})
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a source says of one field."""

    field: str
    value: str
    valid_from: dt.date | None = None  # today
    valid_to: dt.date | None = None
    corrects: int = 0

    def __repr__(self) -> str:
        return f"Said({self.field}=***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look showed."""

    ref: Ref
    values: Mapping[str, tuple[str, ...]]
    grounds: Mapping[str, str]
    entry: int  # its number in the log
    review: int = 0  # the case that an emergency look leads to

    def __repr__(self) -> str:
        return f"Seen({self.ref}, {', '.join(self.values)})"


class BaseRecords:
    """The register; each method is one transaction."""

    def __init__(self, engine: sa.Engine, catalogue: Catalogue, vault: NumberVault, clock: Clock) -> None:
        self._engine, self.catalogue, self._vault, self._clock = engine, catalogue, vault, clock

    @contextmanager
    def book(self, *, read: bool = False) -> Iterator[Book]:
        """A transaction: committed at the end of the block, taken back when it raises. Reading keeps nobody waiting."""
        with (reading(self._engine) if read else self._engine).begin() as connection:
            yield Book(connection, self.catalogue, self._vault, self._clock, read=read)

    def write(
        self,
        target: Ref | str,
        said: Sequence[Said],
        *,
        department: str,
        officer: str,
        why: str,
    ) -> Record:
        """Add statements to a record, or to a new one of a kind; raises `Refused`, and then nothing was written."""
        with self.book() as book:
            return write_in(book, target, said, department=department, officer=officer, why=why)[0]

    def look(self, look: Look, sought: Sought, *, on: dt.date | None = None) -> Seen:
        """Show what may be seen, and note it; a refusal is noted too, and raised as `LookRefused`."""
        if self.catalogue.kind(look.kind).about:  # what it shows is kept apart (`base_records_credit`)
            raise Usage("it has no records of its own", where=look.kind, fix="jinka records credit look")
        return self.admitted(
            look,
            sought,
            lambda book, ref, holder, decision: _shown(book, ref, holder, decision, look, on or book.today),
        )

    def open_copy(self, look: Look, sought: Sought) -> Copy:
        """Begin a copy of the fields that a look would show; the first messages wait in the outbox."""
        if self.catalogue.kind(look.kind).about:
            raise Usage("it has no records of its own", where=look.kind, fix="look at it")
        return self.admitted(look, sought, lambda book, ref, holder, _: open_copy(book, look, ref, holder))

    def admitted(
        self, look: Look, sought: Sought, then: Callable[[Book, Ref, Ref | None, Decision], Shown]
    ) -> Shown:
        """Do ``then`` where a look is allowed, which has to note it; else note the refusal and raise it."""
        with self.book() as book:
            check_look(self.catalogue, look)
            ref, sign = find(book, look.kind, sought)
            holder, found = holder_and_grounds(book, ref, look)
            refused: LookRefused | NotFound
            if isinstance(found, LookRefused):
                refused, outcome, why = found, Outcome.REFUSED, found.why.title[0]
            elif ref is None:
                refused = NotFound("no such record", where=look.kind)
                outcome, why = Outcome.FAILED, "no such record"
            else:
                return then(book, ref, holder, found)
            note = note_of(look, ref, holder)
            book.note(replace(note, outcome=outcome, facts={**note.facts, "why": why, "sought": sign}))
        raise refused

    def consent(
        self, holder: Ref, draft: Consent, *, until: dt.date, officer: str, guardian: Ref | None = None
    ) -> Consent:
        """Keep a consent that runs to the end of a day; raises `Refused` and `Usage`."""
        with self.book() as book:
            _check_holder(book, holder)
            if guardian is not None and str(guardian) not in _guardians(book, holder):
                raise Refused("not a guardian of this holder", where="guardian", fix="see person.guardians")
            # A period ends with its last day at 24:00 (Civil Code, Art. 203).
            midnight = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), BEIJING)
            given = replace(
                draft,
                number=book.next_number(consents.c.number),
                holder=holder.number,
                guardian=guardian.number if guardian else 0,
                given_us=book.now,
                until_us=int(midnight.timestamp()) * 1_000_000,
            )
            check_consent(self.catalogue, given)
            book.connection.execute(
                consents.insert(),
                {
                    "number": given.number, "holder": given.holder, "department": given.department,
                    "purpose": given.purpose, "kind": given.kind, "fields": json.dumps(sorted(given.fields)),
                    "separate": given.separate, "guardian": given.guardian, "given_us": given.given_us,
                    "until_us": given.until_us,
                },
            )  # fmt: skip
            facts = {
                "consent": given.number, "for": given.department, "purpose": given.purpose, "of": given.kind,
                "fields": sorted(given.fields), "separate": given.separate, "guardian": given.guardian,
                "until": until.isoformat(), "proof": book.consent_proof(given).hex(),
            }  # fmt: skip
            _note_by_holder(book, "consent.given", holder, officer, facts)
            return given

    def withdraw(self, holder: Ref, number: int, *, officer: str) -> int:
        """End a consent; copies that rested on it are told to erase. Returns how many did."""
        with self.book() as book:
            mine = {one.number: one for one in book.consents(holder.number)}
            if number not in mine:
                raise NotFound(f"no consent {number}", where=str(holder), fix="see jinka records consents")
            if mine[number].withdrawn_us is not None:
                raise Refused("it was withdrawn already", where=f"consent {number}")
            book.connection.execute(
                consent_ends.insert(), {"consent": number, "at_us": book.now, "officer": officer}
            )
            _note_by_holder(book, "consent.withdrawn", holder, officer, {"consent": number})
            return end_groundless(book, holder=holder.number)

    def consents(self, holder: Ref) -> list[Consent]:
        """What a holder allowed."""
        with self.book(read=True) as book:
            _check_there(book, holder)
            return book.consents(holder.number)

    def record(self, ref: Ref) -> Record:
        """A record with its history, for what has no officer: it is shown without its values (`jinka records show`)."""
        with self.book(read=True) as book:
            if not book.there(ref):
                raise NotFound("no such record", where=ref.kind)
            return book.record(ref)

    def looks(self, holder: Ref) -> list[LogRow]:
        """Everything that concerns a holder: who looked, or tried to; what was written; consents."""
        with self.book(read=True) as book:
            _check_there(book, holder)
            return book.log_rows([log.c.holder == holder.number])

    def log_rows(self, department: str = "") -> list[LogRow]:
        """The whole log, or what a department did."""
        with self.book(read=True) as book:
            return book.log_rows([log.c.department == department] if department else [])


def write_in(
    book: Book, target: Ref | str, said: Sequence[Said], *, department: str, officer: str, why: str
) -> tuple[Record, list[Statement]]:
    """See `BaseRecords.write`."""
    catalogue = book.catalogue
    catalogue.check_department(department)
    check_text(why, "why")
    kind = catalogue.kind(target if isinstance(target, str) else target.kind)
    check_source(kind, (one.field for one in said), department)
    if not 0 < len(said) <= WRITES_MAX:
        raise Usage(f"{len(said)} values", where=kind.name, fix=f"1 to {WRITES_MAX}")
    if not why.strip():
        raise Usage("no reason is given", where="why", fix="say what it rests on, such as a certificate")
    if isinstance(target, Ref) and not book.there(target):
        raise NotFound("no such record", where=kind.name)
    ref = book.create(target) if isinstance(target, str) else target
    record = book.record(ref)
    proofs, new = list[tuple[int, str]](), list[Statement]()
    for one in said:
        spec = kind.field(one.field)
        value = checked(spec, one.value, today=book.today)
        statement = Statement(
            seq=len(record.statements) + 1, field=spec.name, value=value, valid_from=one.valid_from or book.today,
            valid_to=one.valid_to, at_micros=book.now, source=department, officer=officer, why=plain(why),
            corrects=one.corrects,
        )  # fmt: skip
        if statement.valid_to is not None and statement.valid_to < statement.valid_from:
            raise Usage("it ends before it begins", where=spec.name)
        if one.corrects:
            record.check_correction(spec, one.corrects)
        if spec.target and not book.there(Ref.parse(value)):
            raise Refused("it refers to no record", where=spec.name)
        record.check_overlap(spec, statement)
        book.check_alone(ref, spec, statement)
        proofs.append((statement.seq, book.keep(ref, statement).hex()))
        record = replace(record, statements=(*record.statements, statement))
        new.append(statement)
    if {one.field for one in said} & _TOLD_BY_NUMBER:
        check_number_agrees(kind, _standing(record, kind, book.today))
    holder = book.holder(ref, book.today)
    facts = {"statements": proofs, "fields": sorted({one.field for one in said}), "reason": plain(why)}
    book.note(Note(
        act="records.write", department=department, officer=officer, kind=kind.name, record=ref.number,
        holder=holder.number if holder else 0, facts=facts,
    ))  # fmt: skip
    tell_copies(book, record, {one.field for one in said})
    return record, new


def _standing(record: Record, kind: RecordKind, on: dt.date) -> dict[str, str]:
    """What is said on a day of the fields that a citizen's number tells too."""
    known = sorted(_TOLD_BY_NUMBER & kind.by_name.keys())
    return {name: said[-1].value for name in known if (said := record.values(kind.field(name), on))}


def _shown(book: Book, ref: Ref, holder: Ref | None, decision: Decision, look: Look, on: dt.date) -> Seen:
    note = note_of(look, ref, holder)
    kind, record = book.catalogue.kind(ref.kind), book.record(ref)
    values = {
        name: tuple(said.value for said in record.values(kind.field(name), on)) for name in decision.fields
    }
    grounds = {name: str(ground) for name, ground in decision.grounds.items()}
    facts: dict[str, Any] = {**note.facts, "fields": list(decision.fields), "grounds": grounds}
    entry = book.note(replace(note, act=BROKEN_GLASS if decision.emergency else LOOK, facts=facts))
    review = 0
    if decision.emergency:
        review = open_case(
            book, REVIEW, holder=holder, record=ref, about=entry, keeper=note.department, actor=note.department,
            officer=note.officer, text=str(note.facts["reason"]),
        ).number  # fmt: skip
    return Seen(ref=ref, values=values, grounds=grounds, entry=entry, review=review)


def note_of(look: Look, ref: Ref | None, holder: Ref | None) -> Note:
    """The note of a look, before its outcome is known."""
    return Note(
        act=BROKEN_GLASS if look.emergency else LOOK, department=look.department, officer=look.officer,
        kind=look.kind, record=ref.number if ref else 0, holder=holder.number if holder else 0,
        facts={
            "purpose": look.purpose, "asked": list(look.fields), "case": plain(look.case),
            "reason": plain(look.reason),
        },
    )  # fmt: skip


def _guardians(book: Book, holder: Ref) -> set[str]:
    kind = book.catalogue.kind(holder.kind)
    if "guardians" not in kind.by_name:
        return set()
    return {said.value for said in book.record(holder).values(kind.field("guardians"), book.today)}


def _check_there(book: Book, holder: Ref) -> None:
    if not book.there(holder):
        raise NotFound(
            f"no {holder.kind} has this number", where=str(holder), fix="name the holder's own record"
        )


def _check_holder(book: Book, holder: Ref) -> None:
    if not book.there(holder) or book.holder(holder, book.today) != holder:
        raise Refused("not a holder", where="holder", fix="a person or an organisation, such as person:12")


def _note_by_holder(book: Book, act: str, holder: Ref, officer: str, facts: Mapping[str, Any]) -> None:
    book.note(
        Note(
            act=act, department="holder", officer=officer, kind=holder.kind, record=holder.number,
            holder=holder.number, facts=facts,
        )
    )  # fmt: skip
