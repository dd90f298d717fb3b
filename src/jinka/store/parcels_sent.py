"""A centre's outbox of parcels, in its own database: it numbers them, and each is there until it is receipted.

A parcel is asked for under a reference, what it is about in the sender's words, so that asking again after a crash
gives the same parcel and not a second one. Files lie beside the database (`jinka.node.parcel_folder`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jinka.codec.parcel import (
    FIRST,
    NUMBER_MAX,
    Envelope,
    FileEntry,
    Kind,
    Manifest,
    Receipt,
    read_envelope,
    read_manifest,
)
from jinka.kit import Finding, NotFound, Refused, Severity
from jinka.store import parcel_tables as table
from jinka.store.parcel_findings import note

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A parcel before it has a number."""

    receiver: str
    kind: Kind
    reference: str
    business_date: dt.date
    files: tuple[FileEntry, ...]
    amount_fen: int

    def numbered(self, sender: str, number: int, previous: bytes, made_micros: int) -> Manifest:
        """The manifest."""
        return Manifest(
            sender=sender, receiver=self.receiver, kind=self.kind, number=number,
            business_date=self.business_date, files=self.files, count=sum(one.rows for one in self.files),
            amount_fen=self.amount_fen, previous=previous, made_micros=made_micros,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A parcel in the outbox. ``receipt`` is the receiver's envelope, empty until it has answered."""

    manifest: Manifest
    envelope: bytes
    receipt: bytes
    reference: str
    receipted_micros: int


class Outbox:
    """What the centre with the code ``centre`` sends."""

    def __init__(self, engine: sa.Engine, centre: str) -> None:
        self._engine, self._centre = engine, centre

    def put(self, draft: Draft, seal: Callable[[Manifest], Envelope], at_micros: int) -> Sent:
        """The parcel of a reference: the one that is there, or a new one under the stream's next number.

        Raises `Refused`, with a finding, for another content under a reference that was used. The signature is made
        outside of any transaction: a slow key service keeps nobody waiting.
        """
        for _ in range(_TRIES):
            if (found := self._referred(draft)) is not None:
                return self._same(draft, found, at_micros)
            manifest = draft.numbered(self._centre, *self._next(draft), at_micros)
            row = {
                "receiver": draft.receiver, "kind": draft.kind.value, "number": manifest.number,
                "reference": draft.reference, "digest": manifest.digest,
                "content": _content(draft, self._centre), "envelope": seal(manifest).to_bytes(),
                "receipt": b"", "made_micros": at_micros, "receipted_micros": 0,
            }  # fmt: skip
            try:
                with table.act(self._engine) as connection:
                    connection.execute(table.sent.insert(), row)
            except sa.exc.IntegrityError:
                continue  # another process took the number or the reference: look again
            return self.sent(draft.receiver, draft.kind, manifest.number)
        raise Refused("others number parcels faster", where=draft.kind.value, fix="try again")

    def waiting_for(self, receiver: str, most: int = 100) -> list[Sent]:
        """What the receiver has given no receipt for yet, ``most`` of each stream; the first of each stream first.

        So a stream that is held up, however long, keeps no other one waiting.
        """
        columns = table.sent.c
        place = sa.func.row_number().over(partition_by=columns.kind, order_by=columns.number)
        waiting = (
            sa.select(*columns, place.label("place"))
            .where(columns.receiver == receiver, columns.receipted_micros == 0)
            .subquery()
        )
        query = sa.select(waiting).where(waiting.c.place <= most).order_by(waiting.c.place, waiting.c.kind)
        with table.look(self._engine) as connection:
            return [_sent(row) for row in connection.execute(query)]

    def sent(self, receiver: str, kind: Kind, number: int) -> Sent:
        """One parcel; raises `NotFound`."""
        columns = table.sent.c
        found = sa.select(table.sent).where(
            columns.receiver == receiver,
            columns.kind == kind.value,
            columns.number == (number if 0 < number <= NUMBER_MAX else 0),
        )
        with table.look(self._engine) as connection:
            row = connection.execute(found).first()
        if row is None:
            raise NotFound("no such parcel", where=f"{self._centre}>{receiver}/{kind.value}/{number}")
        return _sent(row)

    def has(self, receiver: str, kind: Kind, reference: str) -> bool:
        """Whether something was sent under a reference."""
        columns = table.sent.c
        query = sa.select(columns.number).where(
            columns.receiver == receiver, columns.kind == kind.value, columns.reference == reference
        )
        with table.look(self._engine) as connection:
            return connection.execute(query).first() is not None

    def receipted(self, receipt: Receipt, envelope: bytes, at_micros: int) -> None:
        """Keep the receiver's receipt; the first one stands.

        Raises `NotFound` for no parcel of this outbox, `Refused` for one of another content.
        """
        found = self.sent(receipt.receiver, receipt.kind, receipt.number)
        if receipt.sender != self._centre or receipt.manifest != found.manifest.digest:
            raise Refused("a receipt for another parcel", where=found.manifest.label)
        columns = table.sent.c
        with table.act(self._engine) as connection:
            connection.execute(
                table.sent.update()
                .where(
                    columns.receiver == receipt.receiver, columns.kind == receipt.kind.value,
                    columns.number == receipt.number, columns.receipted_micros == 0,
                )
                .values(receipt=envelope, receipted_micros=at_micros)
            )  # fmt: skip

    def _referred(self, draft: Draft) -> Any:
        with table.look(self._engine) as connection:
            return connection.execute(
                sa.select(table.sent).where(*_stream(draft), table.sent.c.reference == draft.reference)
            ).first()

    def _next(self, draft: Draft) -> tuple[int, bytes]:
        """The stream's next number, and the digest before it."""
        columns = table.sent.c
        with table.look(self._engine) as connection:
            last = connection.execute(
                sa.select(columns.number, columns.digest)
                .where(*_stream(draft))
                .order_by(columns.number.desc())
                .limit(1)
            ).first()
        return (1, FIRST) if last is None else (last.number + 1, last.digest)

    def _same(self, draft: Draft, row: Any, at_micros: int) -> Sent:
        found = _sent(row)
        if row.content == _content(draft, self._centre):
            return found
        finding = Finding(
            code="REFERENCE_TWICE",
            severity=Severity.ERROR,
            where=found.manifest.label,
            what=f"another content was to be sent as {draft.reference}",
            fix="find out why it changed, and send a correction under a reference of its own",
        )
        with table.act(self._engine) as connection:
            note(connection, found.manifest, finding, at_micros)
        raise Refused(finding.what, where=finding.where, fix=finding.fix)


def _content(draft: Draft, centre: str) -> bytes:
    """Names what is in a parcel, whatever its number, its place and its time."""
    return hashlib.sha256(draft.numbered(centre, 1, FIRST, 0).to_bytes()).digest()


def _stream(draft: Draft) -> tuple[sa.ColumnElement[bool], ...]:
    return table.sent.c.receiver == draft.receiver, table.sent.c.kind == draft.kind.value


def _sent(row: Any) -> Sent:
    return Sent(
        manifest=read_manifest(read_envelope(row.envelope).body), envelope=row.envelope, receipt=row.receipt,
        reference=row.reference, receipted_micros=row.receipted_micros,
    )  # fmt: skip
