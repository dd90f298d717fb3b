"""A SimpleEventQuery as one frozen value, and what may be wrong with one: EPCIS 2.0, 8.2.7.1 and 8.2.8.

`jinka.store.trace_parameters` makes it from parameters, `jinka.store.trace_find` asks the database. Every test of a
query must hold for an event to be found; a test that lists values holds when one of them does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from jinka.kit import Usage
from jinka.kit.frozen import quick


class QueryException(Usage):
    """A query that cannot be answered; ``kind`` is the standard's name for it without ``Exception``."""

    kind = "QueryValidation"


class ParameterException(QueryException):
    """A parameter that is unknown, ill-formed, given twice, or at odds with another (8.2.8)."""

    kind = "QueryParameter"


class TooLargeException(QueryException):
    """More events than ``maxEventCount`` allows."""

    kind = "QueryTooLarge"


class TooComplexException(QueryException):
    """More work than the server takes upon itself."""

    kind = "QueryTooComplex"


class Op(Enum):
    """How a number is compared with that of a parameter."""

    EQ = "EQ"
    GT = "GT"
    GE = "GE"
    LT = "LT"
    LE = "LE"

    @property
    def compare(self) -> Callable[[Any, Any], Any]:
        """The same of Python's."""
        compare: Callable[[Any, Any], Any] = getattr(operator, self.value.lower())
        return compare


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """A term with one of these fields and one of these values, or a value that begins so."""

    fields: tuple[int, ...]
    values: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """A term with this field that is one of these places or lies inside one, by master data."""

    field: int
    roots: tuple[str, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A number with one of these (measure, name) that compares so with one of the values."""

    measures: tuple[tuple[int, str], ...]
    op: Op
    values: tuple[float, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """The event time or the record time, in microseconds."""

    record: bool
    op: Op
    micros: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class EventIds:
    """One of these event ids."""

    ids: tuple[str, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A term with one of these fields whose value has one of these attributes in master data (with one of the values).

    ``name`` is that of an extension, whose terms carry it; empty for the standard's own fields.
    """

    fields: tuple[int, ...]
    name: str
    attributes: tuple[str, ...]
    values: tuple[str, ...] | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """At least one of these holds."""

    tests: tuple[Test, ...]


Test = AnyOf | Within | Compare | At | EventIds | Attribute | OneOf


class Order(Enum):
    """What the result is sorted by."""

    RECORD_TIME = "recordTime"
    EVENT_TIME = "eventTime"
    EXTENSION = "extension"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """All of ``tests``, in this order. Without ``orderBy`` the events come as they were recorded, the oldest first."""

    tests: tuple[Test, ...] = ()
    order: Order = Order.RECORD_TIME
    order_name: str = ""  # of an extension
    descending: bool = False
    event_count_limit: int | None = None
    max_event_count: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, compare=False)  # as they came

    def also(self, *tests: Test) -> EventQuery:
        """The same query with further tests, such as what a caller may see."""
        return EventQuery(
            tests=(*self.tests, *tests), order=self.order, order_name=self.order_name,
            descending=self.descending, event_count_limit=self.event_count_limit,
            max_event_count=self.max_event_count, parameters=self.parameters,
        )  # fmt: skip
