"""Parameters of a SimpleEventQuery, from a URL or a JSON body, to an `EventQuery`: EPCIS 2.0, 8.2.7.1.

Names are fixed, or made of a prefix and a unit, a type or the name of an extension. Tables say which name is read how;
what no table has, and what is ill-formed, is a `ParameterException` that names it. In a URL a list is written with
``|``; a name of an extension is a full URI or begins with a prefix that ``GS1-Extensions`` or ``@context`` declares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from jinka.codec.epcis import EventType
from jinka.codec.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS, ERROR_REASONS, MEASUREMENTS, PREFIXES, Words
from jinka.kit import JinkaError
from jinka.store.trace_named import read_named
from jinka.store.trace_patterns import beginnings, is_pattern
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
    ParameterException,
    Test,
    TooComplexException,
    Within,
)
from jinka.store.trace_terms import Field, Measure, canonical
from jinka.store.trace_values import (
    Prefixes,
    Raw,
    context_prefixes,
    decimals,
    extension_names,
    flag,
    is_uri,
    micros,
    texts,
    uris,
)

PARAMETERS_MAX = 200
SIZE_MAX = 10_000
_PATTERN = 25  # values that one beginning counts for
_Read = Callable[[str, Raw], Test | None]


def read_query(parameters: Mapping[str, Raw], prefixes: Prefixes | None = None) -> EventQuery:
    """Read all parameters; raises `ParameterException`."""
    given = {name: value for name, value in parameters.items() if name != "@context"}
    known = {**PREFIXES, **(prefixes or {})} | context_prefixes(parameters.get("@context"))
    if len(given) > PARAMETERS_MAX:
        raise ParameterException(f"more than {PARAMETERS_MAX} parameters", where="query")
    query = _controls(given, known)
    tests = [_test(name, value, known) for name, value in given.items() if name not in CONTROLS]
    found = tuple(test for test in tests if test is not None)
    if sum(_size(test) for test in found) > SIZE_MAX:
        raise TooComplexException("too many values together", where="query", fix="ask for less at a time")
    return replace(query, tests=found, parameters=dict(parameters))


def _size(test: Test) -> int:
    """What a test costs to ask, in values; a pattern is a stretch of an index for each beginning."""
    match test:
        case AnyOf():
            return len(test.fields) * (len(test.values) + _PATTERN * len(test.beginnings))
        case Compare():
            return len(test.measures) * len(test.values)
        case OneOf():
            return sum(_size(one) for one in test.tests)
        case EventIds():
            return len(test.ids)
        case Within():
            return _PATTERN * len(test.roots)
        case Attribute():
            return len(test.attributes) + len(test.values or ())
    return 1


def _test(name: str, value: Raw, prefixes: Prefixes) -> Test | None:
    read = _FIXED.get(name)
    return read_named(name, value, prefixes) if read is None else read(name, value)


# Controls: how much, in which order


def _controls(given: Mapping[str, Raw], prefixes: Prefixes) -> EventQuery:
    limits = [_count(name, given.get(name)) for name in ("eventCountLimit", "maxEventCount")]
    if None not in limits:
        raise ParameterException("not together with maxEventCount", where="eventCountLimit")
    direction = given.get("orderDirection", "DESC")
    if direction not in ("ASC", "DESC"):
        raise ParameterException("ASC or DESC", where="orderDirection")
    by, name = given.get("orderBy"), ""
    if by is None:
        order, descending = Order.RECORD_TIME, False
    else:
        order, descending = _ORDERS.get(str(by), Order.EXTENSION), direction == "DESC"
    if order is Order.EXTENSION:
        if not isinstance(by, str) or (names := extension_names(by, prefixes)) is None:
            raise ParameterException(
                "eventTime, recordTime, or an extension's full name", where="orderBy", fix="eventTime"
            )
        name = names[0]
    return EventQuery(
        order=order, order_name=name, descending=descending, event_count_limit=limits[0], max_event_count=limits[1]
    )  # fmt: skip


def _count(name: str, raw: Raw) -> int | None:
    if raw is None:
        return None
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 16:
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw < 1 << 53:
        raise ParameterException("no number of events from 1 on", where=name)
    return raw


_ORDERS = {"eventTime": Order.EVENT_TIME, "recordTime": Order.RECORD_TIME}
# What a parameter that is no test may be, as JSON Schema.
CONTROLS: Mapping[str, Mapping[str, object]] = {
    "orderBy": {"type": "string", "enum": ["eventTime", "recordTime"]},
    "orderDirection": {"type": "string", "enum": ["ASC", "DESC"]},
    "eventCountLimit": {"type": "integer", "minimum": 1, "maximum": (1 << 53) - 1},
    "maxEventCount": {"type": "integer", "minimum": 1, "maximum": (1 << 53) - 1},
}


# Tests with fixed names


def _words(field: Field, table: Words) -> _Read:
    def read(name: str, raw: Raw) -> Test:
        try:
            return AnyOf(fields=(field,), values=tuple(table.uri(one) for one in texts(name, raw)))
        except JinkaError as error:
            raise ParameterException(error.what, where=name, fix=error.fix) from error

    return read


def _plain(field: Field, values: frozenset[str] = frozenset()) -> _Read:
    def read(name: str, raw: Raw) -> Test:
        found = texts(name, raw)
        for one in found:
            if values and one not in values and (field is Field.ACTION or not is_uri(one)):
                raise ParameterException(f"{one[:60]!r} is none of {', '.join(sorted(values))}", where=name)
        return AnyOf(fields=(field,), values=tuple(found))

    return read


def _ids(*fields: Field, uri: bool = True, patterns: bool = False) -> _Read:
    def read(name: str, raw: Raw) -> Test:
        given = uris(name, raw) if uri else texts(name, raw)
        exact, begin = list[str](), list[str]()
        for one in given:
            if patterns and is_pattern(one):
                try:
                    begin.extend(beginnings(one))
                except ValueError as error:
                    raise ParameterException(f"{one[:60]}: {error}", where=name) from error
            exact.append(canonical(one))
        return AnyOf(fields=fields, values=tuple(exact), beginnings=tuple(begin))

    return read


def _within(field: Field) -> _Read:
    return lambda name, raw: Within(field=field, roots=tuple(canonical(one) for one in uris(name, raw)))


def _at(op: Op, *, record: bool) -> _Read:
    return lambda name, raw: At(record=record, op=op, micros=micros(name, raw))


def _time(measure: Measure, op: Op) -> _Read:
    return lambda name, raw: Compare(measures=((measure, ""),), op=op, values=(float(micros(name, raw)),))


def _number(measure: Measure, op: Op) -> _Read:
    def read(name: str, raw: Raw) -> Test:
        values = decimals(name, raw, many=op is Op.EQ)
        return Compare(measures=((measure, ""),), op=op, values=tuple(float(one) for one in values))

    return read


def _exists(field: Field) -> _Read:
    return lambda name, raw: AnyOf(fields=(field,), values=("",)) if flag(name, raw) else None


def _truth(field: Field) -> _Read:
    return lambda name, raw: AnyOf(fields=(field,), values=(str(flag(name, raw)).lower(),))


def _hex(name: str, raw: Raw) -> Test:
    return AnyOf(fields=(Field.HEX_VALUE,), values=tuple(one.lower() for one in texts(name, raw)))


def _event_ids(name: str, raw: Raw) -> Test:
    return EventIds(ids=tuple(uris(name, raw)))


_ACTIONS = frozenset({"ADD", "OBSERVE", "DELETE"})
_TYPES = frozenset(one.value for one in EventType)
_EPCS = (Field.EPC, Field.PARENT, Field.INPUT, Field.OUTPUT)
_CLASSES = (Field.EPC_CLASS, Field.INPUT_CLASS, Field.OUTPUT_CLASS)
_FIXED: dict[str, _Read] = {
    "eventType": _plain(Field.TYPE, _TYPES),
    "EQ_action": _plain(Field.ACTION, _ACTIONS),
    "EQ_bizStep": _words(Field.BIZ_STEP, BIZ_STEPS),
    "EQ_disposition": _words(Field.DISPOSITION, DISPOSITIONS),
    "EQ_persistentDisposition_set": _words(Field.DISPOSITION_SET, DISPOSITIONS),
    "EQ_persistentDisposition_unset": _words(Field.DISPOSITION_UNSET, DISPOSITIONS),
    "EQ_readPoint": _ids(Field.READ_POINT),
    "EQ_bizLocation": _ids(Field.BIZ_LOCATION),
    "WD_readPoint": _within(Field.READ_POINT),
    "WD_bizLocation": _within(Field.BIZ_LOCATION),
    "EQ_transformationID": _ids(Field.TRANSFORMATION, uri=False),
    "MATCH_epc": _ids(Field.EPC, patterns=True),
    "MATCH_parentID": _ids(Field.PARENT, patterns=True),
    "MATCH_inputEPC": _ids(Field.INPUT, patterns=True),
    "MATCH_outputEPC": _ids(Field.OUTPUT, patterns=True),
    "MATCH_anyEPC": _ids(*_EPCS, patterns=True),
    "MATCH_epcClass": _ids(Field.EPC_CLASS, patterns=True),
    "MATCH_inputEPCClass": _ids(Field.INPUT_CLASS, patterns=True),
    "MATCH_outputEPCClass": _ids(Field.OUTPUT_CLASS, patterns=True),
    "MATCH_anyEPCClass": _ids(*_CLASSES, patterns=True),
    "EQ_eventID": _event_ids,
    "EXISTS_errorDeclaration": _exists(Field.ERROR),
    "EQ_errorReason": _words(Field.ERROR_REASON, ERROR_REASONS),
    "EQ_correctiveEventID": _ids(Field.CORRECTIVE_ID),
    "EXISTS_sensorElementList": _exists(Field.SENSOR),
    "EQ_type": _words(Field.REPORT_TYPE, MEASUREMENTS),
    "EQ_deviceID": _ids(Field.DEVICE),
    "EQ_dataProcessingMethod": _ids(Field.PROCESSING),
    "EQ_microorganism": _ids(Field.MICROORGANISM),
    "EQ_chemicalSubstance": _ids(Field.SUBSTANCE),
    "EQ_bizRules": _ids(Field.BIZ_RULES),
    "EQ_stringValue": _plain(Field.STRING_VALUE),
    "EQ_hexBinaryValue": _hex,
    "EQ_uriValue": _ids(Field.URI_VALUE),
    "EQ_booleanValue": _truth(Field.BOOLEAN_VALUE),
}
for _op in Op:
    _FIXED[f"{_op.value}_quantity"] = _number(Measure.QUANTITY, _op)
    _FIXED[f"{_op.value}_percRank"] = _number(Measure.RANK, _op)
for _op in (Op.GE, Op.LT):
    _FIXED[f"{_op.value}_eventTime"] = _at(_op, record=False)
    _FIXED[f"{_op.value}_recordTime"] = _at(_op, record=True)
    for _title, _measure in (
        ("errorDeclarationTime", Measure.DECLARED), ("errorDeclaration_Time", Measure.DECLARED),
        ("time", Measure.TIME), ("startTime", Measure.START), ("endTime", Measure.END),
    ):  # fmt: skip
        _FIXED[f"{_op.value}_{_title}"] = _time(_measure, _op)
FIXED_NAMES = frozenset({*_FIXED, *CONTROLS})
