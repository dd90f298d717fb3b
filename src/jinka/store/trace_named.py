"""Query parameters whose names are made of parts: units, types, extensions and attributes (EPCIS 2.0, 8.2.7.1).

``GE_value_CEL``, ``EQ_bizTransaction_po``, ``LT_INNER_ILMD_example:lot``, ``EQATTR_readPoint_urn:...#site``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jinka.codec.epcis.vocabulary import PARTY_TYPES, TRANSACTION_TYPES
from jinka.kit import JinkaError
from jinka.store.trace_query import AnyOf, Attribute, Compare, OneOf, Op, ParameterException, Test
from jinka.store.trace_terms import (
    ATTRIBUTE_MAX,
    INNER,
    TIMES,
    Field,
    Measure,
    field_value,
    measured,
    plain_number,
    plain_time,
    typed_value,
)
from jinka.store.trace_values import (
    VALUES_MAX,
    Prefixes,
    Raw,
    decimals,
    extension_names,
    flag,
    full_name,
    texts,
    uris,
)

_Read = Callable[[re.Match[str], Raw, Prefixes], Test | None]


def read_named(name: str, value: Raw, prefixes: Prefixes) -> Test | None:
    """The test of a parameter; raises `ParameterException`, also for a name that is made of nothing known."""
    for pattern, read in _PATTERNS:
        found = pattern.fullmatch(name)
        if found is not None:
            return read(found, value, prefixes)
    raise ParameterException("no such parameter", where=name[:100], fix="EPCIS 2.0, 8.2.7.1 lists them")


def _typed(found: re.Match[str], raw: Raw, prefixes: Prefixes) -> Test:
    field, table = _TYPED[found[1]]
    try:
        type_ = table.uri(full_name(found[2], prefixes))
    except JinkaError as error:
        raise ParameterException(error.what, where=found[0], fix=error.fix) from error
    return AnyOf(fields=(field,), values=tuple(typed_value(type_, one) for one in uris(found[0], raw)))


def _with_unit(found: re.Match[str], raw: Raw, _: Prefixes) -> Test:
    op, measure = Op(found[1]), _MEASURES[found[2]]
    values = [measured(measure, one, found[3]) for one in decimals(found[0], raw, many=op is Op.EQ)]
    return Compare(measures=((measure, values[0][1]),), op=op, values=tuple(value for _, _, value in values))


def _extension(found: re.Match[str], raw: Raw, prefixes: Prefixes) -> Test | None:
    verb, inner, scope, given = found.groups()
    field = _SCOPES[scope or ""] + (INNER if inner else 0)
    names = extension_names(given, prefixes)
    if names is None:
        raise ParameterException(
            "no such parameter",
            where=found[0][:100],
            fix="an extension is PREFIX:NAME, its prefix declared, or a full URI",
        )
    if verb == "EXISTS":
        return AnyOf(fields=(field,), values=tuple(names)) if flag(found[0], raw) else None
    return _extension_test(found[0], Op(verb), field, names, raw)


def _extension_test(name: str, op: Op, field: int, names: list[str], raw: Raw) -> Test:
    """A number, a time, or (equality alone) a text; a URL does not say which, so it is whatever fits."""
    tests: list[Test] = []
    given = (
        raw if isinstance(raw, list) else raw.split("|") if isinstance(raw, str) and op is Op.EQ else [raw]
    )
    if not given or len(given) > VALUES_MAX:
        raise ParameterException(f"a list has 1 to {VALUES_MAX} values", where=name)
    plain = [str(one).lower() if isinstance(one, bool) else str(one) for one in given]
    numbers = [found for one in plain if (found := plain_number(one)) is not None]
    times = [float(found) for one in plain if (found := plain_time(one)) is not None]
    if numbers:
        tests.append(Compare(measures=tuple((field, n) for n in names), op=op, values=tuple(numbers)))
    if times:
        tests.append(Compare(measures=tuple((field + TIMES, n) for n in names), op=op, values=tuple(times)))
    if op is Op.EQ:
        values = tuple(field_value(title, one) for title in names for one in plain)
        tests.append(AnyOf(fields=(field,), values=values))
    if not tests:
        raise ParameterException("neither a number nor a time with a zone", where=name)
    return tests[0] if len(tests) == 1 else OneOf(tests=tuple(tests))


def _attribute(found: re.Match[str], raw: Raw, prefixes: Prefixes) -> Test:
    verb, title, attribute = found.groups()
    values = texts(found[0], raw)
    if verb == "HASATTR":
        return _has_attribute(
            found[0], title, tuple(full_name(one, prefixes) for one in values), None, prefixes
        )
    return _has_attribute(found[0], title, (full_name(attribute, prefixes),), tuple(values), prefixes)


def _has_attribute(
    name: str, title: str, attributes: tuple[str, ...], values: tuple[str, ...] | None, prefixes: Prefixes
) -> Test:
    attributes = tuple(one[:ATTRIBUTE_MAX] for one in attributes)
    values = None if values is None else tuple(one[:ATTRIBUTE_MAX] for one in values)
    if title in _ATTRIBUTED:
        return Attribute(fields=_ATTRIBUTED[title], name="", attributes=attributes, values=values)
    names = extension_names(title, prefixes)
    if names is None:
        raise ParameterException("no field with master data", where=name[:100])
    return OneOf(
        tests=tuple(
            Attribute(fields=(Field.EXTENSION,), name=one, attributes=attributes, values=values)
            for one in names
        )
    )


_TYPED = {
    "bizTransaction": (Field.TRANSACTION, TRANSACTION_TYPES),
    "source": (Field.SOURCE, PARTY_TYPES),
    "destination": (Field.DESTINATION, PARTY_TYPES),
}
_MEASURES = {
    "value": Measure.VALUE, "minValue": Measure.MIN, "maxValue": Measure.MAX, "meanValue": Measure.MEAN,
    "sDev": Measure.DEVIATION, "percValue": Measure.PERCENTILE, "quantity": Measure.QUANTITY,
}  # fmt: skip
_SCOPES = {
    "": Field.EXTENSION, "ILMD_": Field.ILMD, "ERROR_DECLARATION_": Field.ERROR_EXTENSION,
    "SENSORELEMENT_": Field.SENSOR_EXTENSION, "SENSORMETADATA_": Field.METADATA_EXTENSION,
    "SENSORREPORT_": Field.REPORT_EXTENSION, "readPoint_": Field.READ_POINT_EXTENSION,
    "bizLocation_": Field.BIZ_LOCATION_EXTENSION,
}  # fmt: skip
_ATTRIBUTED = {
    "bizStep": (Field.BIZ_STEP,), "disposition": (Field.DISPOSITION,), "readPoint": (Field.READ_POINT,),
    "bizLocation": (Field.BIZ_LOCATION,), "epcList": (Field.EPC,), "childEPCs": (Field.EPC,),
    "parentID": (Field.PARENT,), "inputEPCList": (Field.INPUT,), "outputEPCList": (Field.OUTPUT,),
    "epcClass": (Field.EPC_CLASS, Field.INPUT_CLASS, Field.OUTPUT_CLASS), "deviceID": (Field.DEVICE,),
}  # fmt: skip
_COMPARED = "|".join(op.value for op in Op)
_PATTERNS: tuple[tuple[re.Pattern[str], _Read], ...] = (
    (re.compile("EQ_(bizTransaction|source|destination)_(.+)"), _typed),
    (re.compile(f"({_COMPARED})_({'|'.join(_MEASURES)})_([A-Z0-9]{{2,4}})"), _with_unit),
    (re.compile(f"(HASATTR)_({'|'.join(_ATTRIBUTED)}|.*:.+)()"), _attribute),
    (re.compile(f"(EQ_?ATTR)_({'|'.join(_ATTRIBUTED)}|[a-z][a-zA-Z0-9]*:[^_]+)_(.+)"), _attribute),
    (re.compile(f"({_COMPARED}|EXISTS)_(INNER_)?({'|'.join(filter(None, _SCOPES))})?(.*:.+)"), _extension),
)
