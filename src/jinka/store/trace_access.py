"""Who takes part in a chain, what passed through whose hands, and who looked at what, in SQL.

The rules of sight are `jinka.trace.access`; here is what they ask for. A token is kept as its hash. Looks are
append-only. Through whose hands things passed is kept by `jinka.store.trace_hands`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.codec.epcis.vocabulary import CBV
from jinka.codec.tags import canonical_id
from jinka.store.database import reading
from jinka.store.schema import metadata
from jinka.store.trace_hands import Numbered, captors, had_by, held, write_again, write_hands
from jinka.store.trace_query import AnyOf, At, EventQuery, Order, Test
from jinka.store.trace_terms import Field
from jinka.trace.access import (
    GLN_STEMS,
    HIDDEN,
    Along,
    Level,
    Owners,
    Participant,
    Veil,
    level_of,
    redact,
    things_of,
)
from jinka.trace.claims import names_of, why_not

participants = sa.Table(
    "trace_participants",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    sa.Column("certificate", sa.Text, nullable=False),
    sa.Column("owns", sa.Text, nullable=False),  # JSON
    sa.Column("shares", sa.Text, nullable=False),  # JSON
    sa.Column("sees_all", sa.Boolean, nullable=False),
    sa.Column("signs", sa.Boolean, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("captures", sa.Text, nullable=False, server_default="[]"),  # JSON
    sa.Index("trace_participants_by_token_hash", "token_hash"),
    sa.Index("trace_participants_by_certificate", "certificate"),
)

looks = sa.Table(
    "trace_looks",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at_micros", sa.BigInteger, nullable=False),
    sa.Column("participant", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("shown", sa.BigInteger, nullable=False),
    sa.Column("hidden", sa.BigInteger, nullable=False),
    sa.Index("trace_looks_by_participant", "participant", "at_micros"),
)


def token_hash(token: str) -> bytes:
    """What is kept of an API token, which is drawn with 32 bytes: nobody can try such ones out."""
    return hashlib.sha256(token.encode()).digest()


class AccessBooks:
    """Participants and looks; each act is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._read = engine, reading(engine)

    def put(self, participant: Participant) -> None:
        """Add a participant, or change it."""
        one = participant
        values = {
            "id": one.id, "name": one.name, "token_hash": one.token_hash, "certificate": one.certificate,
            "owns": json.dumps(sorted(one.owns)), "sees_all": one.sees_all, "signs": one.signs,
            "shares": json.dumps({"up": one.up.value, "down": one.down.value}), "active": one.active,
            "captures": json.dumps(sorted(one.captures)),
        }  # fmt: skip
        with self._engine.begin() as connection:
            changed = participants.update().where(participants.c.id == one.id).values(values)
            if not connection.execute(changed).rowcount:
                connection.execute(participants.insert(), values)

    def participants(self) -> list[Participant]:
        """All of them, by id."""
        return self._some(sa.true())

    def by_id(self, id_: str) -> Participant | None:
        """Who takes part under an id."""
        return self._one(participants.c.id == id_)

    def by_token(self, token: str) -> Participant | None:
        """Whose token it is."""
        return self._one(participants.c.token_hash == token_hash(token)) if token else None

    def by_certificate(self, name: str) -> Participant | None:
        """Whose certificate has this common name."""
        return self._one(participants.c.certificate == name) if name else None

    def note(self, at_micros: int, participant: str, what: str, shown: int, hidden: int) -> None:
        """Write a look down: before its answer leaves the server."""
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # numbers without gaps: one after another
                connection.exec_driver_sql("LOCK TABLE trace_looks IN SHARE ROW EXCLUSIVE MODE")
            number = int(connection.scalar(sa.select(sa.func.max(looks.c.number))) or 0) + 1
            values = {
                "number": number, "at_micros": at_micros, "participant": participant, "what": what[:2000],
                "shown": shown, "hidden": hidden,
            }  # fmt: skip
            connection.execute(looks.insert(), values)

    def looks(self, participant: str, most: int = 100) -> list[dict[str, Any]]:
        """The last looks of one, or of all (empty), the newest first."""
        found = sa.select(looks).order_by(looks.c.number.desc()).limit(most)
        if participant:
            found = found.where(looks.c.participant == participant)
        with self._read.begin() as connection:
            return [dict(row) for row in connection.execute(found).mappings()]

    def _one(self, where: sa.ColumnElement[bool]) -> Participant | None:
        found = [one for one in self._some(where) if one.active]
        return found[0] if len(found) == 1 else None

    def _some(self, where: sa.ColumnElement[bool]) -> list[Participant]:
        with self._read.begin() as connection:
            rows = connection.execute(
                sa.select(participants).where(where).order_by(participants.c.id)
            ).mappings()
            return [_participant(row) for row in rows]


def _participant(row: sa.RowMapping) -> Participant:
    shares = json.loads(row["shares"])
    return Participant(
        id=row["id"], name=row["name"], token_hash=row["token_hash"], certificate=row["certificate"],
        owns=frozenset(json.loads(row["owns"])), up=Level(shares["up"]), down=Level(shares["down"]),
        sees_all=row["sees_all"], signs=row["signs"], active=row["active"],
        captures=frozenset(json.loads(row["captures"])),
    )  # fmt: skip


def follow_hands(connection: sa.Connection, events: Numbered, captured_by: str) -> None:
    """`write_hands` among the participants that there are now."""
    write_hands(connection, events, captured_by, _everyone(connection))


def say_again(connection: sa.Connection, events: Numbered, captured_by: str) -> None:
    """`write_again` among the participants that there are now."""
    if events and captured_by:
        write_again(connection, events, captured_by, _everyone(connection))


def _everyone(connection: sa.Connection) -> list[Participant]:
    rows = connection.execute(sa.select(participants).order_by(participants.c.id)).mappings()
    return [_participant(row) for row in rows]


class Sight:
    """Shows events to participants as the policy has it. ``secret`` keys what is hidden; it never leaves the server."""

    def __init__(self, engine: sa.Engine, secret: bytes) -> None:
        self._engine, self._secret = reading(engine), secret
        self._books = AccessBooks(self._engine)

    def veil(self, viewer: Participant) -> Veil:
        """What hides identifiers from a viewer."""
        return Veil(self._secret, viewer.id)

    def show(
        self, viewer: Participant, events: Sequence[tuple[int, Event]], *, along: Along | None = None
    ) -> list[Event | None]:
        """Each event whole, redacted, or not at all (None).

        ``along``: they are those of a chain that leads from, or to, a thing that the viewer had.
        """
        if viewer.sees_all:
            return [event for _, event in events]
        everyone = self._books.participants()
        owners, by_id = Owners(everyone), {one.id: one for one in everyone}
        veil = self.veil(viewer)
        with self._engine.begin() as connection:
            said = captors(connection, [seq for seq, _ in events])
            had = held(connection, viewer.id, {item for _, event in events for item in things_of(event)})
        shown: list[Event | None] = []
        for seq, event in events:
            who = said.get(seq, ())
            its = {item: had[item] for item in things_of(event) if item in had}
            mine = viewer.id in who or viewer.id in owners.named(event)
            levels = {level_of(event, viewer, by_id.get(one), mine, its, along) for one in (who or ("",))}
            level = max(
                levels, key=_LEVELS.index
            )  # where several said it, the most open tells no more than he knows
            if level is Level.WHOLE:
                shown.append(event)
            elif level is Level.REDACTED:
                shown.append(redact(event, veil, had, lambda id_: owners.owner(id_) == viewer.id))
            else:
                shown.append(None)
        return shown

    def why_not(self, viewer: Participant, events: Sequence[Event]) -> list[tuple[str, str]]:
        """Of each event what is wrong with its being captured by the viewer, and where; empty where nothing is."""
        if viewer.sees_all:
            return [("", "")] * len(events)
        owners = Owners(self._books.participants())
        with self._engine.begin() as connection:
            had = had_by(connection, names_of(events))
        return [why_not(event, viewer, owners, had) for event in events]

    def others(self, viewer: Participant, ids: Sequence[str]) -> str:
        """The first of some identifiers that is another's to describe; empty for none."""
        owners = Owners(self._books.participants())
        for id_ in ids:
            owner = owners.owner(id_) or owners.key_owner(canonical_id(id_))
            if (
                owner not in ("", viewer.id)
                and not viewer.sees_all
                and not owners.within(id_, viewer.captures)
            ):
                return id_
        return ""

    def owns(self, viewer: Participant, ids: Collection[str]) -> set[str]:
        """Those of some places and parties that are the viewer's."""
        owners = Owners(self._books.participants())
        return {id_ for id_ in ids if viewer.sees_all or owners.owner(id_) == viewer.id}

    def had(self, viewer: Participant, items: Collection[str]) -> set[str]:
        """Of these things, those that the viewer had."""
        with self._engine.begin() as connection:
            return set(held(connection, viewer.id, items))

    def narrow(self, viewer: Participant, query: EventQuery) -> EventQuery:
        """The query so that whether an event passes tells the viewer nothing that is hidden from it.

        What every redacted event shows may be asked of all events; anything else of those that name the viewer's own
        places, which it sees whole. So it is with what they are sorted by: an extension's order tells its values;
        and with limits of their count.
        """
        if viewer.sees_all:
            return query
        things = {value for test in query.tests if isinstance(test, AnyOf) for value in _things(test)}
        had = self.had(viewer, things)
        counted = query.max_event_count is not None or query.event_count_limit is not None
        sorted_ = query.order is Order.EXTENSION
        if not counted and not sorted_ and all(_open(test, had) for test in query.tests):
            return query
        own = (_NOWHERE, *sorted(one for one in viewer.owns if not one.isdigit()))
        beginnings = tuple(stem + one for one in sorted(viewer.owns) if one.isdigit() for stem in GLN_STEMS)
        return query.also(
            AnyOf(fields=(Field.READ_POINT, Field.BIZ_LOCATION), values=own, beginnings=beginnings)
        )


_LEVELS = [Level.NOTHING, Level.REDACTED, Level.WHOLE]
_NOWHERE = HIDDEN + "nowhere"  # no event's place: who has none of his own finds nothing
_SHOWN = frozenset({Field.TYPE, Field.ACTION, Field.BIZ_STEP, Field.DISPOSITION, Field.ERROR})
_THINGS = frozenset(
    {
        Field.EPC,
        Field.PARENT,
        Field.INPUT,
        Field.OUTPUT,
        Field.EPC_CLASS,
        Field.INPUT_CLASS,
        Field.OUTPUT_CLASS,
    }
)


def _things(test: AnyOf) -> Collection[str]:
    return test.values if set(test.fields) <= _THINGS else ()


def _open(test: Test, had: Collection[str]) -> bool:
    """Whether the answer to a test can be read from a redacted event as well."""
    if isinstance(test, At):
        return True
    if not isinstance(test, AnyOf) or test.beginnings:
        return False
    fields, values = set(test.fields), set(test.values)
    if fields & {Field.BIZ_STEP, Field.DISPOSITION} and not all(value.startswith(CBV) for value in values):
        return False
    return fields <= _SHOWN or (fields <= _THINGS and values <= set(had))
