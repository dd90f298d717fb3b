"""Base records as one transaction sees them: statements, holders, consents, and the log that everything is noted in.

The end of the log is one row, locked first, so transactions stand in line and times in the log never go back. A note is
written in the transaction of what it notes. Values are sealed for their place: one that is moved to another record or
field does not open.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from jinka.crypto.merkle import HASH_BYTES, Frontier
from jinka.crypto.number_vault import NumberVault
from jinka.identity.base_records import (
    Act,
    Catalogue,
    Consent,
    FieldSpec,
    LogRow,
    Note,
    Record,
    Ref,
    Statement,
)
from jinka.identity.base_records.notes import ORIGIN
from jinka.identity.base_records.statements import overlap
from jinka.keys import AuditChain, AuditEvent
from jinka.keys.audit import GENESIS, OPENED
from jinka.kit import BEIJING, Clock, JinkaError, Refused
from jinka.store.base_records_tables import (
    consent_ends,
    consents,
    log,
    log_end,
    records,
    statements,
)

_HOLDERS_DEEP = 4  # application, card, person
_CHUNK = 500


class Book:
    """One transaction. The clock is read once the log is ours; ``read``: it is not, and nothing may be written."""

    def __init__(
        self,
        connection: sa.Connection,
        catalogue: Catalogue,
        vault: NumberVault,
        clock: Clock,
        *,
        read: bool = False,
    ) -> None:
        self.connection, self.catalogue, self.vault = connection, catalogue, vault
        if connection.dialect.name == "postgresql" and not read:
            connection.exec_driver_sql("LOCK TABLE base_log_end IN SHARE ROW EXCLUSIVE MODE")
        self._end = connection.execute(sa.select(log_end)).one_or_none()
        self._chain: AuditChain | None = None
        self._opened: dict[Ref, Record] = {}  # in this transaction: opening what is sealed takes time
        self.now = max(clock.now_micros(), self._end.at_us if self._end else 0)

    @property
    def today(self) -> dt.date:
        """The civil day: a statement, a term or an age counts by it."""
        return dt.datetime.fromtimestamp(self.now // 1_000_000, BEIJING).date()

    def note(self, note: Note) -> int:
        """Write a note, and return its number."""
        chain = self._chain = self._chain or self._resumed()
        line = chain.append(note.event(), self.now)
        self._append(
            chain,
            LogRow(
                line=line, body=note.body(), act=note.act, department=note.department, holder=note.holder,
                record=note.record,
            ),
        )  # fmt: skip
        edge = b"".join(chain.edge)
        self.connection.execute(
            log_end.update().values(size=chain.size, at_us=self.now, head=chain.head, edge=edge)
        )
        return chain.size - 1

    def next_number(self, column: sa.Column[Any]) -> int:
        """One more than the greatest there is."""
        return int(self.connection.scalar(sa.select(sa.func.max(column))) or 0) + 1

    def create(self, kind: str) -> Ref:
        """A new record without statements."""
        if self.catalogue.kind(kind).about:
            raise Refused("it has no records of its own", where=kind)
        number = self.next_number(records.c.number)
        self.connection.execute(
            records.insert(),
            {"number": number, "kind": self.catalogue.kind(kind).name, "created_us": self.now},
        )
        return Ref(kind=kind, number=number)

    def ref(self, number: int) -> Ref | None:
        """The record of a number."""
        kind = self.connection.scalar(sa.select(records.c.kind).where(records.c.number == number))
        return None if kind is None else Ref(kind=kind, number=number)

    def there(self, ref: Ref) -> bool:
        """Whether there is such a record."""
        return self.ref(ref.number) == ref

    def record(self, ref: Ref) -> Record:
        """A record with all its statements; raises `Refused` when a sealed value was moved or damaged."""
        if ref in self._opened:
            return self._opened[ref]
        rows = self.connection.execute(
            sa.select(statements).where(statements.c.record == ref.number).order_by(statements.c.seq)
        )
        found = Record(ref=ref, statements=tuple(self.statement(row) for row in rows))
        self._opened[ref] = found
        return found

    def statement(self, row: Any) -> Statement:
        """A row, opened."""
        value = self.vault.unseal(row.sealed, _place(row.record, row.seq, row.field)).decode()
        return Statement(
            seq=row.seq, field=row.field, value=value, valid_from=dt.date.fromisoformat(row.valid_from),
            valid_to=dt.date.fromisoformat(row.valid_to) if row.valid_to else None, at_micros=row.at_us,
            source=row.source, officer=row.officer, why=row.why, corrects=row.corrects,
        )  # fmt: skip

    def keep(self, ref: Ref, said: Statement) -> bytes:
        """Write a statement, and return its proof."""
        self._opened.pop(ref, None)
        self.connection.execute(
            statements.insert(),
            {
                "record": ref.number, "seq": said.seq, "field": said.field,
                "sealed": self.vault.seal(said.value.encode(), _place(ref.number, said.seq, said.field)),
                "digest": self.digest(ref.kind, said.field, said.value),
                "valid_from": said.valid_from.isoformat(),
                "valid_to": said.valid_to.isoformat() if said.valid_to else "", "at_us": said.at_micros,
                "source": said.source, "officer": said.officer, "why": said.why, "corrects": said.corrects,
            },
        )  # fmt: skip
        return self.proof(ref.number, said)

    def proof(self, record: int, said: Statement) -> bytes:
        """What the log keeps of a statement."""
        return self.vault.digest(b"statement\0" + said.canonical(record))

    def case_proof(self, case: int, seq: int, act: Act) -> bytes:
        """What the log keeps of a case's act."""
        return self.vault.digest(f"case {case} {seq} {act.act} {act.actor} {act.officer} {act.note}".encode())

    def consent_proof(self, given: Consent) -> bytes:
        """What the log keeps of a consent."""
        return self.vault.digest(b"consent\0" + given.canonical())

    def ends_with(self, size: int, head: bytes) -> bool:
        """Whether the end that is kept is that of a log of this size."""
        if self._end is None:
            return size == 0
        return (self._end.size, self._end.head) == (size, head)

    def digest(self, kind: str, field: str, value: str) -> bytes:
        """What a record is found by."""
        return self.vault.digest("\0".join(("value", kind, field, value)).encode())

    def having(self, kind: str, spec: FieldSpec, value: str) -> Iterator[tuple[Record, Statement]]:
        """The records of a kind that say so, with the statements that were not replaced."""
        found = self.connection.scalars(
            sa.select(statements.c.record)
            .where(statements.c.digest == self.digest(kind, spec.name, value))
            .distinct()
        ).all()
        for number in sorted(found):
            record = self.record(Ref(kind=kind, number=number))
            for said in record.standing(spec):
                if said.value == value:
                    yield record, said

    def by_key(self, kind: str, spec: FieldSpec, value: str, on: dt.date) -> Ref | None:
        """The record that a key finds on a day."""
        found = (record.ref for record, said in self.having(kind, spec, value) if said.holds(on))
        return next(found, None)

    def check_alone(self, ref: Ref, spec: FieldSpec, new: Statement) -> None:
        """Raises `Refused` where a key, or a held record, would be two records' at a time."""
        if not (spec.key or spec.holds):
            return
        others = [(ref.kind, spec)]
        if spec.holds:
            others = [(kind.name, other) for kind, other in self.catalogue.holding(spec.target)]
        for kind, other in others:
            for record, said in self.having(kind, other, new.value):
                if record.ref != ref and overlap(said, new):
                    raise Refused(
                        "another record has it at that time",
                        where=f"{ref.kind}.{spec.name}",
                        fix="end it there first",
                    )

    def holder(self, ref: Ref | None, on: dt.date) -> Ref | None:
        """Whose record it is: itself, whom it names as its holder on a day, or whoever refers to it so."""
        for _ in range(_HOLDERS_DEEP):
            if ref is None:
                return None
            held = next((one for one in self.catalogue.kind(ref.kind).fields if one.held), None)
            if held is not None:
                named = self.record(ref).values(held, on)
                ref = Ref.parse(named[-1].value) if named else None
                continue
            relations = list(self.catalogue.holding(ref.kind))
            if not relations:
                return ref
            ref = next(
                (
                    record.ref
                    for kind, spec in relations
                    for record, said in self.having(kind.name, spec, str(ref))
                    if said.holds(on)
                ),
                None,
            )
        return None

    def consents(self, holder: int | None) -> list[Consent]:
        """What a holder allowed (None: all of them), oldest first, withdrawn ones too."""
        ended = consents.outerjoin(consent_ends, consents.c.number == consent_ends.c.consent)
        rows = self.connection.execute(
            sa.select(consents, consent_ends.c.at_us.label("withdrawn_us"))
            .select_from(ended)
            .where(sa.true() if holder is None else consents.c.holder == holder)
            .order_by(consents.c.number)
        )
        return [
            Consent(
                number=row.number, holder=row.holder, department=row.department, purpose=row.purpose,
                kind=row.kind, fields=frozenset(json.loads(row.fields)), separate=row.separate,
                guardian=row.guardian, given_us=row.given_us, until_us=row.until_us,
                withdrawn_us=row.withdrawn_us,
            )
            for row in rows
        ]  # fmt: skip

    def log_rows(self, where: Sequence[sa.ColumnElement[bool]] = ()) -> list[LogRow]:
        """The notes, oldest first."""
        rows = self.connection.execute(sa.select(log).where(*where).order_by(log.c.seq))
        return [
            LogRow(
                line=row.line, body=row.body, act=row.act, department=row.department, holder=row.holder,
                record=row.record,
            )
            for row in rows
        ]  # fmt: skip

    def every_statement(self) -> Iterator[tuple[int, Statement | None, int]]:
        """Each statement with its record; None where it does not open, or is not found by its value."""
        rows = self.connection.execute(
            sa.select(statements, records.c.kind)
            .join(records, records.c.number == statements.c.record)
            .order_by(statements.c.record, statements.c.seq)
        )
        for row in rows:
            try:
                said = self.statement(row)
            except (JinkaError, ValueError):
                yield row.record, None, row.seq
                continue
            found = hmac.compare_digest(self.digest(row.kind, said.field, said.value), row.digest)
            yield row.record, said if found else None, row.seq

    def refs(self, numbers: Iterable[int]) -> dict[int, Ref]:
        """The records of some numbers."""
        wanted, found = sorted(set(numbers)), dict[int, Ref]()
        for at in range(0, len(wanted), _CHUNK):
            rows = self.connection.execute(
                sa.select(records).where(records.c.number.in_(wanted[at : at + _CHUNK]))
            )
            found.update({row.number: Ref(kind=row.kind, number=row.number) for row in rows})
        return found

    def _resumed(self) -> AuditChain:
        """The log's end, to go on from; of a new log, with its first entry. Raises `Refused` where it is damaged."""
        end = self._end
        if end is not None:
            edge = [end.edge[at : at + HASH_BYTES] for at in range(0, len(end.edge), HASH_BYTES)]
            return AuditChain.resumed(end.head, Frontier.resumed(end.size, edge))
        chain = AuditChain()
        line = chain.append(AuditEvent(actor="jinka", act=OPENED, subject=f"log:{ORIGIN}"), self.now)
        self._append(chain, LogRow(line=line, body="", act=OPENED, department="", holder=0, record=0))
        self.connection.execute(
            log_end.insert(), {"id": 1, "size": 0, "at_us": 0, "head": GENESIS, "edge": b""}
        )
        return chain

    def _append(self, chain: AuditChain, row: LogRow) -> None:
        self.connection.execute(
            log.insert(),
            {
                "seq": chain.size - 1, "line": row.line, "body": row.body, "act": row.act,
                "department": row.department, "holder": row.holder, "record": row.record,
            },
        )  # fmt: skip


def _place(record: int, seq: int, field: str) -> str:
    return f"base record {record} statement {seq} {field}"
