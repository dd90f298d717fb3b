"""A centre's inbox of parcels, in its own database: what was taken in, what may be applied, what is missing.

It never holds two parcels under one number: the same again answers with the receipt that was given; another content,
or another place in the chain, is refused and its envelope kept, for it proves that a centre has answered twice. A
parcel that comes early waits. They are given out strictly in order within a stream.

An effect must be idempotent, as postings are: it comes first and is marked afterwards (`settle`), so a kill between the
two applies it again. What lies in this database can be committed together with the mark (``within``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from jinka.codec.parcel import FIRST, Kind, Manifest, StreamId, read_envelope, read_manifest
from jinka.kit import Finding, NotFound, Refused, Severity
from jinka.store import parcel_tables as table
from jinka.store.database import add_once
from jinka.store.parcel_findings import Noted, clock_findings, note, noted_in, suspended_in

AHEAD_MAX = 10_000  # numbers that may be missing before one that waits
_EVIDENCE_MAX = 8  # envelopes kept of one number


class TakenState(Enum):
    """Where a parcel that was taken in stands."""

    WAITING = "waiting"
    APPLIED = "applied"
    PARKED = "parked"  # held as it is, with a finding, until an officer releases or refuses it
    REFUSED = "refused"  # kept as evidence; it never has an effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A parcel in the inbox, with the receipt that was given for it."""

    manifest: Manifest
    envelope: bytes
    receipt: bytes
    state: TakenState
    taken_micros: int
    released: bool = False  # it was parked, and waits again because an officer said so


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Numbers ``first`` to ``last`` of a stream are missing; a later one has been here since ``since_micros``."""

    stream: StreamId
    first: int
    last: int
    since_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A parcel that was refused because its sender had signed another one for its place: the evidence."""

    stream: StreamId
    number: int
    digest: bytes
    envelope: bytes
    seen_micros: int


class Inbox:
    """What other centres sent to the centre with the code ``centre``."""

    def __init__(self, engine: sa.Engine, centre: str) -> None:
        self._engine, self._centre = engine, centre

    def known(self, manifest: Manifest, envelope: bytes, at_micros: int) -> bytes:
        """The receipt that was given for this very parcel, or empty when it is new.

        Raises `Refused`, with the envelope kept as evidence, when its number or its place in the chain is another's.
        """
        with table.act(self._engine) as connection:
            receipt, problem = self._judge(connection, manifest, envelope, at_micros)
        if problem is not None:  # the evidence is committed
            raise problem
        return receipt

    def take(self, manifest: Manifest, envelope: bytes, receipt: bytes, at_micros: int) -> bytes:
        """Take a parcel in whose files are here already; the receipt that stands. Raises as `known` does."""
        row = {
            "sender": manifest.sender, "kind": manifest.kind.value, "number": manifest.number,
            "digest": manifest.digest, "previous": manifest.previous, "envelope": envelope,
            "receipt": receipt, "state": TakenState.WAITING.value, "made_micros": manifest.made_micros,
            "taken_micros": at_micros, "settled_micros": 0,
        }  # fmt: skip
        try:
            with table.act(self._engine) as connection:
                given, problem = self._judge(connection, manifest, envelope, at_micros)
                if not given and problem is None:
                    connection.execute(table.taken.insert(), row)
                    self._remark(connection, manifest, at_micros)
        except sa.exc.IntegrityError:  # another process took one under this number meanwhile
            return self.known(manifest, envelope, at_micros)
        if problem is not None:
            raise problem
        return given or receipt

    def ready(self, most: int = 100) -> list[Taken]:
        """What may be applied now: in order within each stream, none behind a gap, none of a suspended centre."""
        columns, found = table.taken.c, list[Taken]()
        with table.look(self._engine) as connection:
            halted = suspended_in(connection)
            waiting = connection.execute(
                sa.select(table.taken)
                .where(columns.state == TakenState.WAITING.value, columns.sender.not_in(list(halted)))
                .order_by(columns.sender, columns.kind, columns.number)
            )
            reached: dict[tuple[str, str], int] = {}  # the number up to which a stream has no gap
            for row in waiting:
                place = (row.sender, row.kind)
                if place not in reached:
                    reached[place] = row.number - 1 if _complete(connection, row) else -1
                if row.number == reached[place] + 1:
                    reached[place] = row.number
                    found.append(_taken(row))
                    if len(found) == most:
                        break
        return found

    def settle(
        self,
        parcel: Taken,
        state: TakenState,
        at_micros: int,
        *,
        finding: Finding | None = None,
        said: Sequence[tuple[Manifest, Finding]] = (),
        within: Callable[[sa.Connection], None] | None = None,
    ) -> None:
        """Mark the next of a stream as applied, or parked with a finding.

        What it ``said`` of other parcels, and ``within``, are committed with the mark.

        Raises `Refused` when it is not waiting, or not the next.
        """
        manifest, columns = parcel.manifest, table.taken.c
        with table.act(self._engine) as connection:
            row = self._row(connection, manifest.stream, manifest.number)
            before = (*_stream(manifest.stream), columns.number < manifest.number)
            earlier = sa.select(sa.func.count()).where(*before, columns.state == TakenState.WAITING.value)
            if connection.scalar(earlier) or not _complete(connection, row):
                raise Refused("not the next of its stream", where=manifest.label, fix="apply in order")
            _require_chain(connection, row, manifest)
            self._move(connection, row, TakenState.WAITING, state, at_micros)
            if finding is not None:
                note(connection, manifest, finding, at_micros, each=state is TakenState.PARKED)
            for about, remark in said:
                note(connection, about, remark, at_micros, each=True)
            if within is not None:
                within(connection)

    def release(self, stream: StreamId, number: int, at_micros: int, finding: Finding | None = None) -> None:
        """Let a parked parcel be applied after all, behind those that were applied since; raises `Refused`."""
        self._decide(stream, number, TakenState.WAITING, at_micros, finding)

    def refuse(self, stream: StreamId, number: int, at_micros: int, finding: Finding) -> None:
        """Say that a parked parcel never has an effect; raises `Refused`."""
        self._decide(stream, number, TakenState.REFUSED, at_micros, finding)

    def _decide(
        self, stream: StreamId, number: int, state: TakenState, at_micros: int, finding: Finding | None
    ) -> None:
        with table.act(self._engine) as connection:
            row = self._row(connection, stream, number)
            self._move(connection, row, TakenState.PARKED, state, at_micros)
            if finding is not None:
                note(connection, _taken(row).manifest, finding, at_micros, each=True)

    def taken(self, stream: StreamId, number: int) -> Taken:
        """One parcel; raises `NotFound`."""
        with table.look(self._engine) as connection:
            return _taken(self._row(connection, stream, number))

    def held(self, *states: TakenState) -> list[Taken]:
        """All parcels in one of these states."""
        columns = table.taken.c
        query = sa.select(table.taken).where(columns.state.in_([state.value for state in states]))
        with table.look(self._engine) as connection:
            rows = connection.execute(query.order_by(columns.sender, columns.kind, columns.number))
            return [_taken(row) for row in rows]

    def noted(self, *codes: str) -> list[Noted]:
        """What was found about parcels, of some codes."""
        return noted_in(self._engine, *codes)

    def gaps(self) -> list[Gap]:
        """Every run of numbers that is missing below one that is here."""
        columns, found = table.taken.c, list[Gap]()
        before = sa.func.lag(columns.number, 1, 0).over(
            partition_by=(columns.sender, columns.kind), order_by=columns.number
        )
        runs = sa.select(columns.sender, columns.kind, columns.number, before.label("before")).subquery()
        with table.look(self._engine) as connection:
            holes = connection.execute(sa.select(runs).where(runs.c.number > runs.c.before + 1)).all()
            for hole in sorted(holes):
                stream = StreamId(sender=hole.sender, receiver=self._centre, kind=Kind(hole.kind))
                since = sa.select(sa.func.min(columns.taken_micros)).where(
                    *_stream(stream), columns.number >= hole.number
                )
                gap = Gap(stream=stream, first=hole.before + 1, last=hole.number - 1,
                          since_micros=connection.scalar(since) or 0)  # fmt: skip
                found.append(gap)
        return found

    def conflicts(self) -> list[Conflict]:
        """What was refused although its sender signed it, in the order in which it came."""
        columns = table.conflicts.c
        query = sa.select(table.conflicts).order_by(columns.seen_micros, columns.digest)
        with table.look(self._engine) as connection:
            return [
                Conflict(
                    stream=StreamId(sender=row.sender, receiver=self._centre, kind=Kind(row.kind)),
                    number=row.number, digest=row.digest, envelope=row.envelope, seen_micros=row.seen_micros,
                )
                for row in connection.execute(query)
            ]  # fmt: skip

    def _judge(
        self, connection: sa.Connection, manifest: Manifest, envelope: bytes, at_micros: int
    ) -> tuple[bytes, Refused | None]:
        """The receipt of the same parcel, or why it cannot be taken; evidence is written, not yet committed."""
        columns, digest = table.taken.c, manifest.digest
        near = sa.select(table.taken).where(
            *_stream(manifest.stream), columns.number.between(manifest.number - 1, manifest.number + 1)
        )
        rows = {row.number - manifest.number: row for row in connection.execute(near)}
        if 0 in rows and rows[0].digest == digest:
            return rows[0].receipt, None
        if 0 in rows:
            code, what = "NUMBER_TWICE", "another parcel has this number"
        elif (-1 in rows and rows[-1].digest != manifest.previous) or (
            1 in rows and rows[1].previous != digest
        ):
            code, what = "CHAIN_BROKEN", "the parcels beside it name another one in its place"
        else:
            return b"", self._too_far(connection, manifest)
        finding = Finding(
            code=code, severity=Severity.ERROR, where=manifest.label, what=what,
            fix=f"{manifest.sender} has answered twice: show it both envelopes",
        )  # fmt: skip
        note(connection, manifest, finding, at_micros)
        _keep_evidence(connection, manifest, envelope, at_micros)
        return b"", Refused(what, where=manifest.label, fix="send what was sent under this number")

    def _too_far(self, connection: sa.Connection, manifest: Manifest) -> Refused | None:
        here = connection.scalar(sa.select(sa.func.count()).where(*_stream(manifest.stream))) or 0
        if manifest.number > here + AHEAD_MAX:
            return Refused(
                f"{manifest.number - here - 1} parcels before it are missing", where=manifest.label,
                fix="send those first",
            )  # fmt: skip
        return None

    def _remark(self, connection: sa.Connection, manifest: Manifest, at_micros: int) -> None:
        columns = table.taken.c
        before = connection.scalar(
            sa.select(columns.made_micros).where(
                *_stream(manifest.stream), columns.number == manifest.number - 1
            )
        )
        for finding in clock_findings(manifest, at_micros, before or 0):
            note(connection, manifest, finding, at_micros)
        if manifest.sender in suspended_in(connection):
            finding = Finding(
                code="SENDER_SUSPENDED", severity=Severity.WARNING, where=manifest.label,
                what="taken in, and waits: its sender is suspended", fix="resume the centre, or return it",
            )  # fmt: skip
            note(connection, manifest, finding, at_micros)

    def _row(self, connection: sa.Connection, stream: StreamId, number: int) -> Any:
        query = sa.select(table.taken).where(*_stream(stream), table.taken.c.number == number)
        if (row := connection.execute(query).first()) is None:
            raise NotFound("no such parcel", where=f"{stream}/{number}")
        return row

    @staticmethod
    def _move(connection: sa.Connection, row: Any, old: TakenState, new: TakenState, at_micros: int) -> None:
        columns = table.taken.c
        moved = connection.execute(
            table.taken.update()
            .where(columns.sender == row.sender, columns.kind == row.kind, columns.number == row.number,
                   columns.state == old.value)
            .values(state=new.value, settled_micros=at_micros)
        )  # fmt: skip
        if moved.rowcount != 1:
            raise Refused(f"it is not {old.value}", where=f"{row.sender}/{row.kind}/{row.number}")


def _stream(stream: StreamId) -> tuple[sa.ColumnElement[bool], ...]:
    return table.taken.c.sender == stream.sender, table.taken.c.kind == stream.kind.value


def _complete(connection: sa.Connection, row: Any) -> bool:
    """Whether every number below the row's is here."""
    columns = table.taken.c
    below = sa.select(sa.func.count()).where(
        columns.sender == row.sender, columns.kind == row.kind, columns.number < row.number
    )
    return bool(connection.scalar(below) == row.number - 1)


def _require_chain(connection: sa.Connection, row: Any, manifest: Manifest) -> None:
    """Two that came at the very same moment did not see each other in `Inbox._judge`: look once more."""
    columns = table.taken.c
    before = connection.scalar(
        sa.select(columns.digest).where(*_stream(manifest.stream), columns.number == row.number - 1)
    )
    if row.previous != (before or FIRST):
        raise Refused("it names another parcel before it", where=manifest.label, fix="ask its sender")


def _keep_evidence(connection: sa.Connection, manifest: Manifest, envelope: bytes, at_micros: int) -> None:
    columns = table.conflicts.c
    here = connection.execute(
        sa.select(columns.digest).where(
            columns.sender == manifest.sender, columns.kind == manifest.kind.value,
            columns.number == manifest.number,
        )
    ).scalars().all()  # fmt: skip
    if manifest.digest not in here and len(here) < _EVIDENCE_MAX:
        add_once(
            connection,
            table.conflicts,
            {
                "sender": manifest.sender, "kind": manifest.kind.value, "number": manifest.number,
                "digest": manifest.digest, "envelope": envelope, "seen_micros": at_micros,
            },
        )  # fmt: skip


def _taken(row: Any) -> Taken:
    return Taken(
        manifest=read_manifest(read_envelope(row.envelope).body), envelope=row.envelope, receipt=row.receipt,
        state=TakenState(row.state), taken_micros=row.taken_micros,
        released=row.state == TakenState.WAITING.value and row.settled_micros > 0,
    )  # fmt: skip
