"""`jinka records`: a register of base records in a folder, and one function for each command.

::

    records.sqlite     the register; or a PostgreSQL database that the caller names
    records.secret     64 bytes from which values are sealed and found; without it the register cannot be read

The secret is a private file beside the database: back both up, apart. An officer is whoever the caller names; who may
sit at this machine, and under which name, is the business of its accounts. Declarations of sectors come from the entry
points ``jinka.base_records``, each a `Part`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinka.app.audit import read_key
from jinka.app.sector_catalogue import known_parts
from jinka.crypto.note import NOTE_MAX
from jinka.crypto.number_vault import KEY_BYTES, NumberVault
from jinka.identity.base_records import (
    DISPUTE,
    OBJECTION,
    Case,
    Catalogue,
    Consent,
    Entry,
    Look,
    Part,
    Ref,
    Sign,
    Sought,
)
from jinka.identity.base_records.notes import SEEN
from jinka.keys import AuditReport, Checkpoint
from jinka.kit import BEIJING, Clock, NotFound, Refused, Usage
from jinka.node import file_errors, write_durable
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import database_at
from jinka.store.base_records import BaseRecords, Said, Seen, write_in
from jinka.store.base_records_cases import act_on_case, file_objection, list_cases, read_case
from jinka.store.base_records_copies import acknowledge, behind, fetch
from jinka.store.base_records_credit import (
    CreditReport,
    check_replaced,
    file_dispute,
    own_report,
    purge,
    report_entry,
    seen_credit,
)
from jinka.store.base_records_examine import examine_records

DATABASE, SECRET = "records.sqlite", "records.secret"


class Office:
    """One register, open."""

    def __init__(self, books: BaseRecords) -> None:
        self.books = books

    @property
    def catalogue(self) -> Catalogue:
        """Everything that is declared."""
        return self.books.catalogue

    def write(
        self, target: str, values: Mapping[str, str], *, department: str, officer: str, why: str,
        valid_from: dt.date | None = None, valid_to: dt.date | None = None, corrects: int = 0,
    ) -> dict[str, Any]:  # fmt: skip
        """Write values of a record (``person:1``), or of a new one (``person``)."""
        if corrects and len(values) != 1:
            raise Usage("a correction is of one value", where="correct", fix="FIELD=VALUE, once")
        said = [
            Said(field=name, value=value, valid_from=valid_from, valid_to=valid_to, corrects=corrects)
            for name, value in values.items()
        ]
        found = self.books.write(
            Ref.parse(target) if ":" in target else target,
            said,
            department=department,
            officer=officer,
            why=why,
        )
        return {"record": str(found.ref), "statements": len(found.statements)}

    def look(self, look: Look, sought: Sought, *, on: dt.date | None = None) -> Seen:
        """See `BaseRecords.look`."""
        return self.books.look(look, sought, on=on)

    def history(self, record: str) -> list[dict[str, Any]]:
        """Everything that was ever said of a record, without its values."""
        found = self.books.record(Ref.parse(record))
        replaced = {said.corrects: said.seq for said in found.statements if said.corrects}
        return [
            {
                "statement": said.seq, "field": said.field, "from": said.valid_from.isoformat(),
                "to": said.valid_to.isoformat() if said.valid_to else "", "at": utc(said.at_micros),
                "source": said.source, "officer": said.officer, "why": said.why, "corrects": said.corrects,
                "corrected_by": replaced.get(said.seq, 0),
            }
            for said in found.statements
        ]  # fmt: skip

    def consent(
        self, holder: str, *, department: str, purpose: str, kind: str, fields: Sequence[str], until: dt.date,
        separate: bool, guardian: str, officer: str,
    ) -> dict[str, Any]:  # fmt: skip
        """Keep a consent."""
        draft = Consent(
            number=0, holder=0, department=department, purpose=purpose, kind=kind, fields=frozenset(fields),
            separate=separate, guardian=0, given_us=0, until_us=0,
        )  # fmt: skip
        by = Ref.parse(guardian, where="guardian") if guardian else None
        return consent_dict(
            self.books.consent(Ref.parse(holder), draft, until=until, officer=officer, guardian=by)
        )

    def withdraw(self, holder: str, number: int, *, officer: str) -> dict[str, Any]:
        """End a consent."""
        ended = self.books.withdraw(Ref.parse(holder), number, officer=officer)
        return {"consent": number, "copies_ended": ended}

    def consents(self, holder: str) -> list[dict[str, Any]]:
        """What a holder allowed."""
        return [consent_dict(one) for one in self.books.consents(Ref.parse(holder))]

    def log(self, holder: str = "", department: str = "", *, looks: bool = False) -> list[dict[str, Any]]:
        """The notes that concern a holder, or a department's, or all; or only those of looks."""
        rows = self.books.looks(Ref.parse(holder)) if holder else self.books.log_rows(department)
        found = [row.as_dict() for row in rows]
        return [
            {"at": utc(row["at_micros"])} | row for row in found if not looks or row.get("act", "") in SEEN
        ]

    def lines(self) -> bytes:
        """The chained lines, as `jinka audit` reads them."""
        return b"".join(row.line + b"\n" for row in self.books.log_rows())

    def examine(self, checkpoints: Sequence[Path] = (), key: Path | None = None) -> AuditReport:
        """Hold the log against itself, the tables and checkpoints."""
        if checkpoints and key is None:
            raise Usage("a checkpoint is worth its signature", where="--checkpoint", fix="give --key")
        held = [Checkpoint.opened(_text(path), read_key(key)) for path in checkpoints if key is not None]
        with self.books.book() as book:
            return examine_records(book, held)

    def object_to(self, holder: str, record: str, seq: int, *, officer: str, text: str) -> dict[str, Any]:
        """A holder asks for a correction."""
        with self.books.book() as book:
            case = file_objection(book, Ref.parse(holder), Ref.parse(record), seq, officer=officer, text=text)
        return case_dict(case)

    def step(
        self, number: int, act: str, *, actor: str, officer: str, text: str = "", value: str = ""
    ) -> dict[str, Any]:
        """Take a step of a case. To correct an objection is to write the new value, in the same transaction."""
        with self.books.book() as book:
            case = act_on_case(book, number, act, actor=actor, officer=officer, text=text)
            if case.machine is OBJECTION and act == "correct":
                ref = book.ref(case.record)
                if ref is None:
                    raise NotFound("no such record", where=f"case {number}")
                old = next(said for said in book.record(ref).statements if said.seq == case.about)
                said = Said(
                    field=old.field, value=value, valid_from=old.valid_from, valid_to=old.valid_to,
                    corrects=old.seq,
                )  # fmt: skip
                why = text or f"objection {number}"
                write_in(book, ref, [said], department=actor, officer=officer, why=why)
            elif case.machine is DISPUTE and act == "correct":
                check_replaced(book, case.about)
            if value and case.machine is not OBJECTION:
                raise Usage("a value belongs to the correction of an objection", where="--value")
        return case_dict(case)

    def cases(self, *, open_only: bool = False) -> list[dict[str, Any]]:
        """All cases; ``overdue`` tells which should have been answered."""
        with self.books.book(read=True) as book:
            found = [case_dict(case) | {"overdue": case.overdue(book.now)} for case in list_cases(book)]
        return [case for case in found if case["open"] or not open_only]

    def case(self, number: int) -> dict[str, Any]:
        """One case with its acts."""
        with self.books.book(read=True) as book:
            case = read_case(book, number)
        acts = [
            {
                "act": act.act,
                "actor": act.actor,
                "officer": act.officer,
                "at": utc(act.at_micros),
                "note": act.note,
            }
            for act in case.acts
        ]
        return case_dict(case) | {"acts": acts}

    def open_copy(self, look: Look, sought: Sought) -> dict[str, Any]:
        """Begin a department's copy."""
        found = self.books.open_copy(look, sought)
        return {"copy": found.number, "record": str(found.record), "fields": list(found.fields)}

    def outbox(self, department: str, officer: str) -> list[dict[str, Any]]:
        """What a department has to apply."""
        with self.books.book() as book:
            return [message.as_dict() for message in fetch(book, department, officer)]

    def acknowledge(self, department: str, numbers: Sequence[int]) -> dict[str, Any]:
        """Mark messages as applied."""
        with self.books.book() as book:
            return {"acknowledged": acknowledge(book, department, numbers)}

    def behind(self) -> list[dict[str, Any]]:
        """Copies that did not acknowledge."""
        with self.books.book(read=True) as book:
            return [
                {
                    "copy": one.copy.number, "department": one.copy.department, "record": str(one.copy.record),
                    "messages": one.messages, "since": utc(one.since_us),
                }
                for one in behind(book)
            ]  # fmt: skip

    def report_credit(
        self, subject: str, *, institution: str, officer: str, sign: str, text: str, amount_fen: int,
        since: dt.date, ended: dt.date | None, replaces: int,
    ) -> dict[str, Any]:  # fmt: skip
        """Keep a credit entry."""
        ref = Ref.parse(subject)
        draft = Entry(
            number=0, subject=ref.number, institution=institution, sign=Sign.named(sign), text=text,
            amount_fen=amount_fen, since=since, ended=ended, at_micros=0, replaces=replaces,
        )  # fmt: skip
        with self.books.book() as book:
            entry = report_entry(book, draft, ref, officer=officer)
            expires = entry.expires(person=book.catalogue.kind(ref.kind).person)
        return {"entry": entry.number, "delete_on": expires.isoformat() if expires else ""}

    def own_credit(self, subject: str, *, officer: str) -> CreditReport:
        """A subject reads its own record."""
        with self.books.book() as book:
            return own_report(book, Ref.parse(subject), officer=officer)

    def look_at_credit(self, look: Look, sought: Sought) -> CreditReport:
        """A department reads a credit record; raises `LookRefused`, which is noted."""
        if not self.catalogue.kind(look.kind).about:
            raise Usage("not a credit record", where=look.kind, fix="credit or enterprise-credit")
        return self.books.admitted(
            look, sought, lambda book, ref, holder, found: seen_credit(book, ref, holder, found, look)
        )

    def dispute_credit(self, subject: str, entry: int, *, officer: str, text: str) -> dict[str, Any]:
        """A subject disputes an entry."""
        with self.books.book() as book:
            return case_dict(file_dispute(book, Ref.parse(subject), entry, officer=officer, text=text))

    def purge_credit(self, *, officer: str) -> dict[str, Any]:
        """Delete what is over its time."""
        with self.books.book() as book:
            return {"deleted": purge(book, officer=officer)}


@contextmanager
def office(
    folder: Path,
    *,
    database: str = "",
    new: bool = False,
    clock: Clock | None = None,
    parts: Sequence[Part] = (),
) -> Iterator[Office]:
    """The register of a folder; with ``new`` it is made where there is none, else `NotFound`."""
    secret, place = folder / SECRET, database or folder / DATABASE
    if not secret.exists() and not new:
        raise NotFound(
            "no base records are here",
            where=str(folder),
            fix="jinka records demo makes some; write begins them",
        )
    with file_errors(folder):
        if not secret.exists():
            if isinstance(place, Path) and place.exists():
                raise Refused(
                    "the register is here without its secret", where=str(secret), fix="restore the file"
                )
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durable(secret, SystemRandomness().token_bytes(KEY_BYTES), private=True)
        key64 = secret.read_bytes()
    vault = NumberVault(key64, SystemRandomness())
    with database_at(place) as engine:
        yield Office(BaseRecords(engine, catalogue(parts), vault, clock or SystemClock()))


def catalogue(parts: Sequence[Part] = ()) -> Catalogue:
    """What is declared in Jinka and its sectors, in packages that are installed (entry points), and by the caller."""
    return Catalogue(known_parts(parts)[0])


def consent_dict(one: Consent) -> dict[str, Any]:
    """Plain data."""
    return {
        "consent": one.number, "department": one.department, "purpose": one.purpose, "kind": one.kind,
        "fields": sorted(one.fields), "separate": one.separate, "guardian": one.guardian,
        "given": utc(one.given_us), "until": last_day(one.until_us),
        "withdrawn": utc(one.withdrawn_us) if one.withdrawn_us is not None else "",
    }  # fmt: skip


def case_dict(case: Case) -> dict[str, Any]:
    """Plain data, without what was written in it."""
    return {
        "case": case.number, "machine": case.machine.name, "state": case.state, "open": case.is_open,
        "holder": case.holder, "keeper": case.keeper, "record": case.record, "about": case.about,
        "opened": utc(case.opened_us), "due": utc(case.due_us) if case.due_us else "",
    }  # fmt: skip


def last_day(end_us: int) -> str:
    """The last day of what ends at a moment, that day included."""
    return f"{dt.datetime.fromtimestamp((end_us - 1) // 1_000_000, BEIJING):%Y-%m-%d}"


def utc(micros: int) -> str:
    """A time as it is shown."""
    return f"{dt.datetime.fromtimestamp(micros // 1_000_000, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text(path: Path) -> str:
    with file_errors(path), path.open("rb") as source:
        return source.read(NOTE_MAX).decode(errors="replace")
