"""What passed through whose hands, in SQL: who captured which event, what was believed of it, and what still stands.

The rules are `jinka.trace.claims`. Every claim that was believed is a row with its event, so that an event which is
declared an error takes back what rests on it; `trace_hands` sums up what stands, for `held` to read. `write_hands` is
called in the transaction of a capture; where nobody is told apart it writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.store import trace_tables as table
from jinka.store.schema import metadata
from jinka.store.trace_rows import insert_rows
from jinka.store.trace_turns import SqlTurns
from jinka.trace.access import Owners, Participant, Stay, containers, shared, things_of
from jinka.trace.choreography import Deed, Turn
from jinka.trace.claims import Claim, Claims, Grounds, State, standing

_ROUNDS_MAX = 6  # containers in containers through which a thing came into somebody's hands
_ASKED = 500
_LAID = frozenset({Deed.PACKED, Deed.UNPACKED})
_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FALLEN = sa.text(f"state = {int(State.FALLEN)}")  # written out, so that SQLite sees its index
Numbered = Sequence[tuple[int, Event]]

# Several may say the same event; ``believed``: of one of its things at least.
owned = sa.Table(
    "trace_owned",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("participant", sa.Text, primary_key=True),
    sa.Column("believed", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)

hands = sa.Table(
    "trace_hands",
    metadata,
    sa.Column("participant", sa.Text, primary_key=True),
    sa.Column("item", _WORD, primary_key=True),
    sa.Column("first_us", sa.BigInteger, nullable=False),
    sa.Column("last_us", sa.BigInteger, nullable=False),
    sa.Index("trace_hands_by_item", "item", "participant"),
    sqlite_with_rowid=False,
)

claims = sa.Table(
    "trace_claims",
    metadata,
    sa.Column("item", _WORD, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("participant", sa.Text, primary_key=True),
    sa.Column("said_by", sa.Text, primary_key=True),  # several may say it, each with grounds of his own
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("grounds", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Index("trace_claims_fallen", "item", sqlite_where=_FALLEN, postgresql_where=_FALLEN),
    sqlite_with_rowid=False,
)


def write_hands(
    connection: sa.Connection, events: Numbered, captured_by: str, everyone: Sequence[Participant]
) -> None:
    """Of events just inserted: who captured them, whose hands their things pass through, and what errors take back."""
    if not everyone:
        return
    void = _void(connection, events)
    if void:
        _take_back(connection, void)
    gone = {seq for seq, _ in void}
    _write(connection, events, [each for each in events if each[0] not in gone], captured_by, everyone)


def write_again(
    connection: sa.Connection, events: Numbered, captured_by: str, everyone: Sequence[Participant]
) -> None:
    """Of events that were there already: that this one said the same, which may be what is believed."""
    if not captured_by or not everyone:
        return
    said = captors(connection, [seq for seq, _ in events])
    fresh = {seq: event for seq, event in events if captured_by not in said.get(seq, ())}
    numbered = sorted(fresh.items())
    gone = {seq for seq, _ in _void(connection, numbered)}
    _write(connection, numbered, [each for each in numbered if each[0] not in gone], captured_by, everyone)


def _write(
    connection: sa.Connection, events: Numbered, plain: Numbered, by: str, everyone: Sequence[Participant]
) -> None:
    things = {item for _, event in plain for item in things_of(event)}
    judged = Claims(Owners(everyone), had_by(connection, things))
    trusted = any(one.id == by and one.sees_all for one in everyone)
    rows: dict[tuple[str, int, str, str], tuple[Any, ...]] = {}
    believed: set[int] = set()
    for seq, event in plain:
        for item, told in judged.made(event, by, trusted=trusted).items():
            believed.add(seq)
            for speaker, (grounds, everybody) in told.items():
                for one in everybody:
                    row = (item, seq, one, speaker, event.event_time_us, int(grounds), 0)
                    rows[item, seq, one, speaker] = row
    if by:
        insert_rows(connection, owned, sorted((seq, by, seq in believed) for seq, _ in events))
    if not rows:
        return
    mark = _mark(connection)
    _raw(connection).executemany(  # who says it again may have better grounds
        f"INSERT INTO trace_claims AS c VALUES ({', '.join([mark] * 7)}) "  # noqa: S608
        "ON CONFLICT (item, seq, participant, said_by) DO UPDATE SET grounds = excluded.grounds "
        "WHERE c.grounds > excluded.grounds",
        sorted(rows.values()),
    )
    _grow(connection, rows.values())
    having = {one for _, _, one, _ in rows}
    fallen = sa.select(claims.c.item).where(_FALLEN, claims.c.said_by.in_(sorted(having)))
    _settle(connection, _chunks(connection, fallen, claims.c.item, {item for item, _, _, _ in rows}))


def _grow(connection: sa.Connection, rows: Collection[tuple[Any, ...]]) -> None:
    """Let stays reach as far as these claims."""
    stays: dict[tuple[str, str], tuple[int, int]] = {}
    for item, _, one, _, at, _, _ in rows:
        first, last = stays.get((one, item), (at, at))
        stays[one, item] = (min(first, at), max(last, at))
    sqlite, mark = connection.dialect.name == "sqlite", _mark(connection)
    least, most = ("min", "max") if sqlite else ("least", "greatest")
    _raw(connection).executemany(
        f"INSERT INTO trace_hands AS h VALUES ({mark}, {mark}, {mark}, {mark}) "  # noqa: S608
        "ON CONFLICT (participant, item) DO UPDATE SET "
        f"first_us = {least}(h.first_us, excluded.first_us), last_us = {most}(h.last_us, excluded.last_us)",
        sorted((one, item, first, last) for (one, item), (first, last) in stays.items()),
    )


# What errors take back


def _void(connection: sa.Connection, events: Numbered) -> list[tuple[int, Event]]:
    """Of events, and of those that they declare to be errors: each plain one that was so declared, by its number."""
    by_seq = dict(events)
    found: list[tuple[int, Event]] = []
    numbers, ids, other = sorted(by_seq), table.ids.c, table.ids.alias()
    for at in range(0, len(numbers), _ASKED):
        keyed = sa.select(table.events.c.id_key, table.events.c.seq).where(
            table.events.c.seq.in_(numbers[at : at + _ASKED])
        )
        keys = {bytes(key): seq for key, seq in connection.execute(keyed)}
        asked = sa.select(ids.key, ids.seq).where(
            ids.key.in_(sorted(keys)), ids.declared == b"", other.c.key == ids.key, other.c.content == ids.content,
            other.c.declared != b"",
        ).distinct()  # fmt: skip
        for key, seq in connection.execute(asked):  # what declares an event repeats its content
            found.append((seq, by_seq.get(seq) or by_seq[keys[bytes(key)]]))
    return found


def _take_back(connection: sa.Connection, void: Numbered) -> None:
    things = {(item, seq) for seq, event in void for item in things_of(event)}
    mark = _mark(connection)
    changed = f"UPDATE trace_claims SET state = {int(State.VOID)} WHERE item = {mark} AND seq = {mark}"  # noqa: S608
    _raw(connection).executemany(changed, sorted(things))
    _settle(connection, {item for item, _ in things})


def _settle(connection: sa.Connection, items: Collection[str]) -> None:
    """Judge all claims to some things again, and sum up what stands."""
    for item in sorted(items):
        rows = connection.execute(sa.select(claims).where(claims.c.item == item)).all()
        times = {(row.seq, row.participant, row.said_by): (row.at_us, row.state) for row in rows}
        judged = standing(
            Claim(row.seq, row.participant, row.said_by, Grounds(row.grounds), row.state == State.VOID)
            for row in rows
        )
        mark, changed, stands = _mark(connection), list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for claim, state in judged.items():
            at, before = times[claim.seq, claim.participant, claim.said_by]
            if state != before:
                changed.append((int(state), item, claim.seq, claim.participant, claim.said_by))
            if state is State.STANDS:
                stands.append((item, claim.seq, claim.participant, "", at, 0, 0))
        if changed:
            _raw(connection).executemany(
                f"UPDATE trace_claims SET state = {mark} "  # noqa: S608
                f"WHERE item = {mark} AND seq = {mark} AND participant = {mark} AND said_by = {mark}",
                changed,
            )
        connection.execute(hands.delete().where(hands.c.item == item))
        if stands:
            _grow(connection, stands)


# Who has what


def had_by(connection: sa.Connection, items: Collection[str]) -> dict[str, set[str]]:
    """Who had each of some things."""
    wanted, columns = sorted(items), hands.c
    found: dict[str, set[str]] = {}
    for at in range(0, len(wanted), _ASKED):
        asked = sa.select(columns.item, columns.participant).where(columns.item.in_(wanted[at : at + _ASKED]))
        for item, one in connection.execute(asked):
            found.setdefault(item, set()).add(one)
    return found


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
    """The containers that things lay in, as those say who had the things (or who is not told apart).

    Who captured it for others says it in their names: that is a claim of theirs.
    """
    known = SqlTurns(connection).turns(items)
    said = captors(connection, sorted({turn.seq for turns in known.values() for turn in turns}))
    had = had_by(connection, items)
    stands = _standing(connection, known)
    return {
        item: list(
            containers(
                turn
                for turn in turns
                if not (who := said.get(turn.seq))
                or not who.isdisjoint(had.get(item, ()))
                or (item, turn.seq) in stands
            )
        )
        for item, turns in known.items()
    }


def _standing(connection: sa.Connection, known: Mapping[str, Collection[Turn]]) -> set[tuple[str, int]]:
    """Of things and the events that packed or unpacked them, those of which a claim stands."""
    pairs = sorted(
        {(item, turn.seq) for item, turns in known.items() for turn in turns if turn.deed in _LAID}
    )
    found, columns = set[tuple[str, int]](), claims.c
    for at in range(0, len(pairs), _ASKED):
        asked = sa.select(columns.item, columns.seq).where(
            sa.tuple_(columns.item, columns.seq).in_(pairs[at : at + _ASKED]), columns.state == State.STANDS
        )
        found.update((item, seq) for item, seq in connection.execute(asked))
    return found


def _in_hands(connection: sa.Connection, viewer: str, items: Collection[str]) -> dict[str, Stay]:
    wanted, columns = sorted(items), hands.c
    found: dict[str, Stay] = {}
    for at in range(0, len(wanted), _ASKED):
        asked = sa.select(columns.item, columns.first_us, columns.last_us).where(
            columns.participant == viewer, columns.item.in_(wanted[at : at + _ASKED])
        )
        found.update({item: Stay(first, last) for item, first, last in connection.execute(asked)})
    return found


def captors(connection: sa.Connection, seqs: Sequence[int]) -> Mapping[int, set[str]]:
    """Who captured each of some events."""
    found: dict[int, set[str]] = {}
    for at in range(0, len(seqs), _ASKED):
        asked = sa.select(owned.c.seq, owned.c.participant).where(owned.c.seq.in_(seqs[at : at + _ASKED]))
        for seq, one in connection.execute(asked):
            found.setdefault(seq, set()).add(one)
    return found


def declares(who: str) -> Callable[[sa.ColumnElement[int]], sa.ColumnElement[bool]]:
    """Whether a participant may declare an event an error: it captured it, alone or as one who is believed of it."""
    mine, other = owned.alias(), owned.alias()
    alone = ~sa.select(sa.literal(1)).where(other.c.participant != who, other.c.seq == mine.c.seq).exists()

    def of(seq: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
        own = sa.select(sa.literal(1)).where(mine.c.seq == seq, mine.c.participant == who)
        return own.where(sa.or_(mine.c.believed, alone)).exists()

    return of


def _chunks(
    connection: sa.Connection, query: sa.Select[Any], column: sa.ColumnElement[str], items: Collection[str]
) -> set[str]:
    wanted, found = sorted(items), set[str]()
    for at in range(0, len(wanted), _ASKED):
        found.update(connection.scalars(query.where(column.in_(wanted[at : at + _ASKED]))))
    return found


def _mark(connection: sa.Connection) -> str:
    return "?" if connection.dialect.name == "sqlite" else "%s"


def _raw(connection: sa.Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor()
