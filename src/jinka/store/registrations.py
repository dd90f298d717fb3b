"""The register of registrations in SQL: append-only rows and acts, changed in one transaction at a time.

The rules are those of `jinka.registry`; here they are given the rows that they ask for, inside the transaction that
writes the result, so that two officers cannot give one number away twice. On PostgreSQL a lock makes those
transactions follow each other; SQLite has one writer anyway.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from jinka.kit import NotFound, Refused
from jinka.registry import (
    Act,
    Deed,
    Kind,
    Registration,
    Terms,
    asks_for_neighbours,
    asks_for_parent,
    check_application,
    check_free,
    check_parent,
    parent_of,
    reach,
)
from jinka.store.register_tables import documents, terms
from jinka.store.schema import registration_acts, registrations

_CHUNK = 500
_REGISTER_LOCK = 0x7265676973746572  # "register"


class Register:
    """The registrations as one transaction sees them."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def apply(self, draft: Registration, on: dt.date) -> Registration:
        """Take an application in, under the next number; raises `Refused` when its numbers are not free."""
        neighbours = self._overlapping(draft.kind, *draft.reach)
        check_application(draft, neighbours, self._parents(draft), on)
        found = self._connection.execute(sa.select(sa.func.max(registrations.c.number))).scalar()
        number = int(found or 0) + 1
        low, high = draft.reach
        self._connection.execute(
            registrations.insert().values(
                number=number,
                kind=draft.kind.value,
                value=draft.value,
                low=low,
                high=high,
                holder=draft.holder,
                under=draft.under,
                valid_from=draft.valid_from.isoformat(),
                valid_to=draft.valid_to.isoformat(),
            )
        )
        if draft.terms is not None:
            self._connection.execute(terms.insert().values(number=number, body=draft.terms.to_text()))
        self._write(number, 0, draft.deeds[0])
        return self.read(number)

    def act(self, number: int, deed: Deed, on: dt.date) -> Registration:
        """Do an act on a registration; raises `NotFound` and `Refused`."""
        before = self.read(number)
        after = before.done(deed, on)
        if asks_for_neighbours(deed.act):
            check_free(
                after, [one for one in self._overlapping(after.kind, *after.reach) if one.number != number]
            )
        if asks_for_parent(deed.act):
            check_parent(after, self._parents(after), on)
        self._write(number, len(before.deeds), deed)
        return after

    def read(self, number: int) -> Registration:
        """One registration with its acts."""
        found = self._load(registrations.c.number == number)
        if not found:
            raise NotFound(f"no registration {number}", where="register", fix="see jinka registry list")
        return found[0]

    def listed(self, kind: Kind | None = None) -> list[Registration]:
        """All registrations, or those of a kind, by number."""
        return self._load(sa.true() if kind is None else registrations.c.kind == kind.value)

    def require_card_numbers(self, first: str, last: str, on: dt.date, *, holder: str) -> Registration:
        """The holder's range in force that has all these card numbers, its issuer number in force too; or `Refused`."""
        low, high = reach(Kind.CARD_RANGE, f"{first}-{last}")
        for found in self._overlapping(Kind.CARD_RANGE, low, high):
            start, end = found.reach
            same_length = len(found.value.partition("-")[0]) == len(first)
            if start <= low and high <= end and same_length and found.holder == holder and found.in_force(on):
                check_parent(found, self._parents(found), on)
                return found
        raise Refused(
            f"no range of {holder} that is granted and in force holds them",
            where="card numbers",
            fix=f"apply for it: jinka registry apply card-range FIRST-LAST --holder {holder}; then review and grant",
        )

    def _overlapping(self, kind: Kind, low: str, high: str) -> list[Registration]:
        table = registrations.c
        return self._load((table.kind == kind.value) & (table.low <= high) & (table.high >= low))

    def _parents(self, child: Registration) -> Sequence[Registration]:
        wanted = parent_of(child.kind, child.value, child.under)
        return [] if wanted is None else self._overlapping(wanted[0], *wanted[1])

    def _load(self, where: sa.ColumnElement[bool]) -> list[Registration]:
        rows = self._connection.execute(
            sa.select(registrations).where(where).order_by(registrations.c.number)
        ).mappings().all()  # fmt: skip
        deeds: dict[int, list[Deed]] = {row["number"]: [] for row in rows}
        told: dict[int, Terms] = {}
        numbers = list(deeds)
        for start in range(0, len(numbers), _CHUNK):
            some = numbers[start : start + _CHUNK]
            papers = self._documents(some)
            acts = sa.select(registration_acts).where(registration_acts.c.number.in_(some))
            for row in self._connection.execute(acts.order_by(registration_acts.c.seq)).mappings():
                deeds[row["number"]].append(_deed(row, papers.get((row["number"], row["seq"]), ())))
            for found in self._connection.execute(sa.select(terms).where(terms.c.number.in_(some))):
                told[found.number] = Terms.from_text(found.body)
        return [_registration(row, deeds[row["number"]], told.get(row["number"])) for row in rows]

    def _documents(self, numbers: Sequence[int]) -> dict[tuple[int, int], tuple[str, ...]]:
        wanted = sa.select(documents).where(documents.c.number.in_(numbers))
        found: dict[tuple[int, int], tuple[str, ...]] = {}
        for row in self._connection.execute(wanted.order_by(documents.c.place)):
            found[row.number, row.seq] = (*found.get((row.number, row.seq), ()), row.digest)
        return found

    def _write(self, number: int, seq: int, deed: Deed) -> None:
        self._connection.execute(
            registration_acts.insert().values(
                number=number,
                seq=seq,
                act=deed.act.value,
                officer=deed.officer,
                at_micros=deed.at_micros,
                reason=deed.reason,
            )
        )
        if deed.documents:
            rows = [
                {"number": number, "seq": seq, "place": place, "digest": digest}
                for place, digest in enumerate(deed.documents)
            ]
            self._connection.execute(documents.insert(), rows)


@contextmanager
def register_in(engine: sa.Engine) -> Iterator[Register]:
    """The register in one transaction: committed at the end of the block, taken back when it raises."""
    with engine.begin() as connection:
        take_turn(connection)
        yield Register(connection)


def take_turn(connection: sa.Connection) -> None:
    """Wait until no other transaction writes to the register; held until this one ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_REGISTER_LOCK)))


def _registration(row: Any, deeds: list[Deed], told: Terms | None) -> Registration:
    return Registration(
        number=row["number"],
        kind=Kind(row["kind"]),
        value=row["value"],
        holder=row["holder"],
        under=row["under"],
        valid_from=dt.date.fromisoformat(row["valid_from"]),
        valid_to=dt.date.fromisoformat(row["valid_to"]),
        terms=told,
        deeds=tuple(deeds),
    )


def _deed(row: Any, papers: tuple[str, ...]) -> Deed:
    return Deed(
        act=Act(row["act"]),
        officer=row["officer"],
        at_micros=row["at_micros"],
        reason=row["reason"],
        documents=papers,
    )
