"""Who takes part in a chain, what passed through whose hands, and who looked at what, in SQL.

The rules of sight are `jinka.trace.access`; here is what they ask for. A token is kept as its hash. Looks are
append-only. `write_hands` is called in the transaction of a capture; where nobody is told apart it writes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.codec.epcis.vocabulary import CBV
from jinka.store.database import reading
from jinka.store.schema import metadata
from jinka.store.trace_query import AnyOf, At, EventQuery, Order, Test
from jinka.store.trace_rows import insert_rows
from jinka.store.trace_terms import Field
from jinka.store.trace_turns import SqlTurns
from jinka.trace.access import (
    GLN_STEMS,
    HIDDEN,
    Along,
    Claims,
    Level,
    Owners,
    Participant,
    Stay,
    Veil,
    containers,
    involved,
    level_of,
    redact,
    shared,
    things_of,
)

_ROUNDS_MAX = 6  # containers in containers through which a thing came into somebody's hands
_ASKED = 500

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
    sa.Index("trace_participants_by_token_hash", "token_hash"),
    sa.Index("trace_participants_by_certificate", "certificate"),
)

owned = sa.Table(
    "trace_owned",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("participant", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

hands = sa.Table(
    "trace_hands",
    metadata,
    sa.Column("participant", sa.Text, primary_key=True),
    sa.Column("item", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
    sa.Column("first_us", sa.BigInteger, nullable=False),
    sa.Column("last_us", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
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
    )  # fmt: skip


def write_hands(
    connection: sa.Connection,
    events: Sequence[tuple[int, Event]],
    captured_by: Participant | None,
    everyone: Sequence[Participant],
) -> None:
    """Of events just inserted: who captured them, and through whose hands their things pass by them."""
    who = captured_by.id if captured_by is not None else ""
    if who:
        insert_rows(connection, owned, [(seq, who) for seq, _ in events])
    things = {item for _, event in events for item in things_of(event)}
    claims = Claims(Owners(everyone), _had(connection, things))
    trusted = captured_by is not None and captured_by.sees_all
    stays: dict[tuple[str, str], tuple[int, int]] = {}
    for _, event in events:
        at = event.event_time_us
        for item, having in claims.of(event, who, trusted=trusted).items():
            for one in having:
                first, last = stays.get((one, item), (at, at))
                stays[one, item] = (min(first, at), max(last, at))
    rows = sorted((one, item, first, last) for (one, item), (first, last) in stays.items())
    if rows:
        sqlite = connection.dialect.name == "sqlite"
        mark, least, most = ("?", "min", "max") if sqlite else ("%s", "least", "greatest")
        _raw(connection).executemany(
            f"INSERT INTO trace_hands AS h VALUES ({mark}, {mark}, {mark}, {mark}) "  # noqa: S608
            "ON CONFLICT (participant, item) DO UPDATE SET "
            f"first_us = {least}(h.first_us, excluded.first_us), last_us = {most}(h.last_us, excluded.last_us)",
            rows,
        )


def follow_hands(connection: sa.Connection, events: Sequence[tuple[int, Event]], captured_by: str) -> None:
    """`write_hands` for who is known by an id, among the participants that there are now."""
    rows = connection.execute(sa.select(participants).order_by(participants.c.id)).mappings()
    everyone = [_participant(row) for row in rows]
    by = next((one for one in everyone if one.id == captured_by), None)
    if everyone:
        write_hands(connection, events, by, everyone)


def _had(connection: sa.Connection, items: Collection[str]) -> dict[str, set[str]]:
    """Who had each of some things."""
    wanted, columns = sorted(items), hands.c
    found: dict[str, set[str]] = {}
    for at in range(0, len(wanted), _ASKED):
        asked = sa.select(columns.item, columns.participant).where(columns.item.in_(wanted[at : at + _ASKED]))
        for item, one in connection.execute(asked):
            found.setdefault(item, set()).add(one)
    return found


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
            captured = _captured(connection, [seq for seq, _ in events])
            had = held(connection, viewer.id, {item for _, event in events for item in things_of(event)})
        shown: list[Event | None] = []
        for seq, event in events:
            captor = captured.get(seq, "")
            its = {item: had[item] for item in things_of(event) if item in had}
            level = level_of(
                event, viewer, by_id.get(captor), viewer.id in involved(event, captor, owners), its, along
            )
            if level is Level.WHOLE:
                shown.append(event)
            elif level is Level.REDACTED:
                shown.append(redact(event, veil, had, lambda id_: owners.owner(id_) == viewer.id))
            else:
                shown.append(None)
        return shown

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


def held(connection: sa.Connection, viewer: str, items: Collection[str]) -> dict[str, Stay]:
    """Of these things, those that passed through the viewer's hands, by themselves or in a container.

    That a thing lay in a container is believed of who had the thing, not of whoever says so.
    """
    found = _in_hands(connection, viewer, items)
    inside: dict[str, list[tuple[str, Stay]]] = {}
    missing = set(items) - found.keys()
    for _ in range(_ROUNDS_MAX):
        if not missing:
            break
        packed = _packed(connection, missing)
        inside |= packed
        missing = {container for stays in packed.values() for container, _ in stays}
        found |= _in_hands(connection, viewer, missing)
        missing -= found.keys() | inside.keys()
    for _ in range(_ROUNDS_MAX):  # from the outermost container inwards
        for item, stays in inside.items():
            for container, stay in stays:
                if item not in found and container in found and (both := shared(stay, found[container])):
                    found[item] = both
    wanted = set(items)
    return {item: stay for item, stay in found.items() if item in wanted}


def _packed(connection: sa.Connection, items: Collection[str]) -> dict[str, list[tuple[str, Stay]]]:
    """The containers that things lay in, as those say who had the things (or who is not told apart)."""
    known = SqlTurns(connection).turns(items)
    captors = _captured(connection, sorted({turn.seq for turns in known.values() for turn in turns}))
    had = _had(connection, items)
    return {
        item: list(
            containers(
                turn for turn in turns if not (who := captors.get(turn.seq)) or who in had.get(item, ())
            )
        )
        for item, turns in known.items()
    }


def _in_hands(connection: sa.Connection, viewer: str, items: Collection[str]) -> dict[str, Stay]:
    wanted, columns = sorted(items), hands.c
    found: dict[str, Stay] = {}
    for at in range(0, len(wanted), _ASKED):
        asked = sa.select(columns.item, columns.first_us, columns.last_us).where(
            columns.participant == viewer, columns.item.in_(wanted[at : at + _ASKED])
        )
        found.update({item: Stay(first, last) for item, first, last in connection.execute(asked)})
    return found


def _captured(connection: sa.Connection, seqs: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for at in range(0, len(seqs), _ASKED):
        asked = sa.select(owned.c.seq, owned.c.participant).where(owned.c.seq.in_(seqs[at : at + _ASKED]))
        for seq, one in connection.execute(asked):
            found[seq] = one
    return found


def _raw(connection: sa.Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor()
