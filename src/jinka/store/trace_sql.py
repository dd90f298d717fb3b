"""An `EventQuery` as SQL: each test a condition upon an event's `seq`, answered from the tables of terms and numbers.

Equality is asked event by event (the key of `trace_terms` ends with the event), ranges and beginnings are listed first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jinka.kit.frozen import quick
from jinka.store import trace_tables as table
from jinka.store.trace_query import (
    AnyOf,
    At,
    Attribute,
    Compare,
    EventIds,
    EventQuery,
    OneOf,
    Op,
    Order,
    Test,
    Within,
)
from jinka.store.trace_terms import Field

Condition = sa.ColumnElement[bool]
INSIDE_MAX = 100_000  # places inside others that are looked at
_LAST = "\U0010ffff"  # behind every text that begins the same


def event_key(event_id: str) -> bytes:
    """What an event id is in `trace_ids`."""
    return hashlib.sha256(event_id.encode()).digest()[:16]


def condition(test: Test, seq: sa.ColumnElement[int]) -> Condition:
    """Whether the event with this seq passes a test."""
    match test:
        case AnyOf(beginnings=()):
            found = sa.select(sa.literal(1)).where(_term(test), table.terms.c.seq == seq)
            return _each(found.correlate_except(table.terms))
        case OneOf():
            return sa.or_(*(condition(one, seq) for one in test.tests))
        case At(record=True):
            return test.op.compare(seq, test.micros)  # type: ignore[no-any-return]
        case At():
            return test.op.compare(table.events.c.event_micros, test.micros)  # type: ignore[no-any-return]
        case Compare(op=Op.EQ):
            found = sa.select(sa.literal(1)).where(_number(test), table.numbers.c.seq == seq)
            return _each(found.correlate_except(table.numbers))
    return seq.in_(seqs(test))


def _each(found: sa.Select[Any]) -> Condition:
    """Asked event by event: an OFFSET keeps PostgreSQL from planning a hundred tests as a join of a hundred tables."""
    return found.offset(0).exists()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Event times between two, in microseconds: what several `At` of a query come to."""

    first: int
    end: int


def span_of(query: EventQuery) -> Span | None:
    """The event times of a query, where they have a beginning or an end."""
    first, end = -(1 << 62), 1 << 62
    for test in query.tests:
        if isinstance(test, At) and not test.record:
            if test.op in (Op.GE, Op.GT):
                first = max(first, test.micros + (test.op is Op.GT))
            else:
                end = min(end, test.micros + (test.op is Op.LE))
    return None if (first, end) == (-(1 << 62), 1 << 62) else Span(first=first, end=end)


def seqs(test: Test | Span) -> sa.Select[Any]:
    """The events that pass a test that can be listed (all but `At` and `OneOf`)."""
    match test:
        case Span():
            other = table.events.alias()
            return sa.select(other.c.seq).where(
                other.c.event_micros >= test.first, other.c.event_micros < test.end
            )
        case AnyOf() if test.beginnings:
            return _stretches(test)
        case AnyOf():
            return sa.select(table.terms.c.seq).where(_term(test))
        case Within():
            return sa.select(table.terms.c.seq).where(
                table.terms.c.kind == test.field, table.terms.c.value.in_(_inside(test.roots))
            )
        case Compare():
            return sa.select(table.numbers.c.seq).where(_number(test))
        case EventIds():
            keys = [event_key(one) for one in test.ids]
            return sa.select(table.ids.c.seq).where(table.ids.c.key.in_(keys))
        case Attribute():
            return _with_attribute(test)
    raise TypeError(f"{type(test).__name__} cannot be listed")


def listable(test: Test) -> bool:
    """Whether `seqs` can list what passes it."""
    return not isinstance(test, At | OneOf)


def _stretches(test: AnyOf) -> sa.Select[Any]:
    """A stretch of the index for each field and beginning, which engines do not find by themselves."""
    columns = table.terms.c
    ways: list[Condition] = [
        sa.and_(columns.value >= one, columns.value < one + _LAST) for one in test.beginnings
    ]
    if test.values:
        ways.append(columns.value.in_(test.values))
    found = sa.union_all(
        *(sa.select(columns.seq).where(columns.kind == kind, way) for kind in test.fields for way in ways)
    ).subquery()
    return sa.select(found.c.seq)


def _term(test: AnyOf) -> Condition:
    columns = table.terms.c
    kinds = columns.kind == test.fields[0] if len(test.fields) == 1 else columns.kind.in_(test.fields)
    value = columns.value.in_(test.values) if len(test.values) > 1 else columns.value == test.values[0]
    return sa.and_(kinds, value)


def _number(test: Compare) -> Condition:
    columns = table.numbers.c
    if test.op is Op.EQ:
        fits: Condition = columns.value.in_(test.values)
    else:
        fits = test.op.compare(columns.value, test.values[0])
    return sa.or_(
        *(sa.and_(columns.kind == kind, columns.name == name, fits) for kind, name in test.measures)
    )


def _inside(roots: tuple[str, ...]) -> sa.Select[Any]:
    """The places and all that lies inside them, by master data; UNION ends circles."""
    start = sa.union(*(sa.select(sa.literal(root, sa.Text).label("id")) for root in roots))
    found = sa.select(start.subquery().c.id).cte(recursive=True)  # without a name: there may be several
    found = found.union(sa.select(table.children.c.child).where(table.children.c.parent == found.c.id))
    return sa.select(found.c.id).limit(INSIDE_MAX)


def _with_attribute(test: Attribute) -> sa.Select[Any]:
    attributes, terms = table.attributes.c, table.terms.c
    value = sa.literal(f"{test.name}=", sa.Text).concat(attributes.id) if test.name else attributes.id
    found = sa.select(terms.seq).where(
        terms.kind.in_(test.fields), terms.value == value, attributes.attribute.in_(test.attributes)
    )
    return found if test.values is None else found.where(attributes.value.in_(test.values))


def matching(
    query: EventQuery, upto: int, driver: Test | Span | None
) -> tuple[sa.Select[Any], sa.ColumnElement[Any]]:
    """All events of a query up to a record time, not yet in order, and what they are ordered by.

    ``driver`` is the test whose few events are listed first.
    """
    seq = table.events.c.seq
    found = sa.select(seq, table.events.c.event_micros, table.events.c.document).where(seq <= upto)
    if driver is not None:
        found = found.where(seq.in_(seqs(driver)))
    found = found.where(*(condition(test, seq) for test in query.tests if test is not driver))
    if query.order is Order.RECORD_TIME:
        return found, seq
    if query.order is Order.EVENT_TIME:
        return found, table.events.c.event_micros
    numbers = table.numbers.c
    least = (
        sa.select(numbers.seq, sa.func.min(numbers.value).label("least"))
        .where(numbers.name == query.order_name, numbers.kind >= Field.EXTENSION)
        .group_by(numbers.seq)
        .subquery()
    )
    return found.join_from(table.events, least, least.c.seq == seq, isouter=True), least.c.least
