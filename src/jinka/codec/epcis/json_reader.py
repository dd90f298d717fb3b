"""One EPCIS 2.0 event from JSON-LD to `Event`; documents around it are `jinka.codec.epcis.json_documents`.

EPCIS 2.0 clauses 7.4 and 10 with its JSON schema. What it does not know it refuses, with the JSON pointer (RFC 6901) of
the place from the event down; nothing is dropped in silence but JSON-LD's ``null`` and empty array in extensions, which
mean nothing. Bare words become URIs here (`jinka.codec.epcis.vocabulary`), names of extensions become pairs
(`jinka.codec.epcis.contexts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from jinka.codec.epcis import scalars
from jinka.codec.epcis.contexts import ROOT, Context, fault_at
from jinka.codec.epcis.fields import (
    ALLOWED,
    EPC_LISTS,
    QUANTITY_LISTS,
    SENSOR_METADATA,
    SENSOR_REPORT,
    Form,
    Simple,
)
from jinka.codec.epcis.json_extensions import read_extensions
from jinka.codec.epcis.json_text import Literal, escape
from jinka.codec.epcis.model import (
    Action,
    ErrorDeclaration,
    Event,
    EventType,
    Extensions,
    Place,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
)
from jinka.codec.epcis.scalars import TEXT_MAX, are_plain_uris
from jinka.codec.epcis.structure import check_event, check_quantity, check_report, once
from jinka.codec.epcis.vocabulary import (
    BIZ_STEPS,
    DISPOSITIONS,
    ERROR_REASONS,
    PARTY_TYPES,
    TRANSACTION_TYPES,
    UNSPECIFIED,
    Words,
)
from jinka.kit.errors import Refused

_ACTIONS = {action.value: action for action in Action}
_NO_FIELDS = frozenset({"type", "@type", "@context"})
_Read = Callable[[Any, Context], Any]


def read_event(found: Any, context: Context = ROOT) -> Event:
    """One event of a parsed document (`load_json`); `Refused` with the pointer from the event down."""
    if type(found) is not dict:
        raise Refused("an event is an object")
    if "@context" in found:
        context = context.extended(found["@context"])
    kind, fields = _event_type(found)
    values: dict[str, Any] = {}
    extensions: list[tuple[str, Any]] = []
    key = ""
    try:
        for key, value in found.items():
            field = fields.get(key)
            if field is not None:
                values[field[0]] = field[1](value, context)
            elif key not in _NO_FIELDS:
                if key in _FIELDS:
                    raise Refused(f"is no field of a {kind.value}", fix="leave it out")
                extensions.append((key, value))
    except Refused as fault:
        raise fault_at(f"/{key}", fault) from None
    if "event_time_us" not in values or "zone_offset" not in values:
        where = "/eventTimeZoneOffset" if "event_time_us" in values else "/eventTime"
        raise Refused("is missing", where=where, fix="every event has a time and its local zone's offset")
    if _PERSISTENT in values:
        values["dispositions_set"], values["dispositions_unset"] = values.pop(_PERSISTENT)
    if extensions:
        values["extensions"] = read_extensions(extensions, context)
    event = Event(event_type=kind, prefixes=context.declared, **values)
    check_event(event)
    return event


def _event_type(found: dict[str, Any]) -> tuple[EventType, Mapping[str, tuple[str, _Read]]]:
    """The type of an event, and the fields that it may have: its attribute and its reader."""
    named = found.get("type", found.get("@type"))
    known = _TYPES.get(named) if type(named) is str else None
    if known is None:
        shown = f"{named[:40]!r}" if type(named) is str else "this"
        fix = "one of the five of EPCIS 2.0; extended types are not read"
        raise Refused(f"{shown} is no type of event", where="/type", fix=fix)
    return known


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Refused("is not text", fix="a text in quotes")
    if len(value) > TEXT_MAX:
        raise Refused(f"a text of {len(value)} characters", fix=f"at most {TEXT_MAX}")
    return value


def _object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise Refused("is no object")
    return value


def _each(one: _Read) -> Callable[[Any, Context], tuple[Any, ...]]:
    """A reader of arrays of what ``one`` reads."""

    def several(value: Any, context: Context) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Refused("is no array")
        made: list[Any] = []
        try:
            for entry in value:
                made.append(one(entry, context))
        except Refused as fault:
            raise fault_at(f"/{len(made)}", fault) from None
        return tuple(made)

    return several


def _ids(value: Any, context: Context) -> tuple[str, ...]:
    if type(value) is not list:
        raise Refused("is no array")
    if len(value) > 1:
        try:
            if are_plain_uris(value):
                return once(value)
        except TypeError:  # one is no text
            pass
    made: list[str] = []
    try:
        for entry in value:
            made.append(context.uri(entry))
    except Refused as fault:
        raise fault_at(f"/{len(made)}", fault) from None
    return once(made) if len(made) > 1 else tuple(made)


def _id(value: Any, context: Context) -> str:
    return context.uri(value)


def _word(words: Words) -> Callable[[Any, Context], str]:
    uris = words.uris

    def word(value: Any, context: Context) -> str:
        found = uris.get(value) if type(value) is str else None
        if found is None:
            text = words.uri(_text(value))
            found = context.uri(text) if text is value else text
        return found

    return word


def _checked(value: Any, known: Mapping[str, Any]) -> None:
    """Refuse a name that an object of a closed kind does not have."""
    if value.keys() <= known.keys():
        return
    for name in value:
        if name not in known:
            raise Refused("is unknown here", where=f"/{escape(name)}", fix="leave it out")


_QUANTITY_NAMES = {"epcClass": 1, "quantity": 1, "uom": 1}


def _quantity(value: Any, context: Context) -> Quantity:
    found = _object(value)
    _checked(found, _QUANTITY_NAMES)
    name = "epcClass"
    try:
        epc_class = context.uri(found.get("epcClass"))
        name, amount, unit = "quantity", found.get("quantity"), found.get("uom")
        if amount is not None:
            amount = _number(amount)
        name = "uom"
        made = Quantity(
            epc_class=epc_class, quantity=amount, uom=None if unit is None else scalars.unit(_text(unit))
        )
    except Refused as fault:
        raise fault_at(f"/{name}", fault) from None
    check_quantity(made)
    return made


def _number(value: Any) -> Any:
    if type(value) is not Literal:
        raise Refused("is no number", fix="a number without quotes")
    return scalars.number(value)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Refused("is neither true nor false")
    return value


def _typed(entry_name: str, words: Words, *, needs_type: bool) -> _Read:
    known, word = {entry_name: 1, "type": 1}, _word(words)

    def typed(value: Any, context: Context) -> Typed:
        found = _object(value)
        _checked(found, known)
        name = entry_name
        try:
            text, kind = context.uri(found.get(entry_name)), found.get("type")
            name = "type"
            if kind is None and needs_type:
                raise Refused("is missing", fix=f"what kind of {entry_name} it is")
            return Typed(id=text, type=None if kind is None else word(kind, context))
        except Refused as fault:
            raise fault_at(f"/{name}", fault) from None

    return typed


def _simple(field: Simple) -> _Read:
    """The reader of a simple field: the type that JSON gives it, then what the text must be."""
    if field.words is not None:
        return _word(field.words)
    return {
        Form.URI: _id,
        Form.TIME: _time,
        Form.NUMBER: lambda value, _: _number(value),
        Form.BOOLEAN: lambda value, _: _boolean(value),
        Form.HEX: lambda value, _: scalars.hex_text(_text(value)),
    }.get(field.form, lambda value, _: _text(value))


def _time(value: Any, _context: Context) -> int:
    return scalars.time_us(_text(value))


def _record(make: Callable[..., Any], fields: Mapping[str, tuple[str, _Read]]) -> _Read:
    """A reader of objects with simple fields and extensions."""

    def record(value: Any, context: Context) -> Any:
        values: dict[str, Any] = {}
        extensions: list[tuple[str, Any]] = []
        for name, entry in _object(value).items():
            field = fields.get(name)
            if field is None:
                extensions.append((name, entry))
                continue
            try:
                values[field[0]] = field[1](entry, context)
            except Refused as fault:
                raise fault_at(f"/{name}", fault) from None
        if extensions:
            values["extensions"] = read_extensions(extensions, context)
        return make(**values)

    return record


def _named(fields: tuple[Simple, ...]) -> dict[str, tuple[str, _Read]]:
    return {field.name: (field.attribute, _simple(field)) for field in fields}


_metadata = _record(SensorMetadata, _named(SENSOR_METADATA))
_report = _record(SensorReport, _named(SENSOR_REPORT))
_place = _record(Place, {"id": ("id", _id)})
_error = _record(
    ErrorDeclaration,
    {
        "declarationTime": ("declaration_time_us", _time),
        "reason": ("reason", _word(ERROR_REASONS)),
        "correctiveEventIDs": ("corrective_event_ids", _ids),
    },
)


def _sensor(value: Any, context: Context) -> SensorElement:
    found = _object(value)
    name, metadata = "sensorMetadata", None
    try:
        if "sensorMetadata" in found:
            metadata = _metadata(found[name], context)
        name = "sensorReport"
        reports = _REPORTS(found.get(name), context)
        if not reports:
            raise Refused("is empty", fix="at least one report")
    except Refused as fault:
        raise fault_at(f"/{name}", fault) from None
    rest = [(key, inner) for key, inner in found.items() if key not in ("sensorMetadata", "sensorReport")]
    return SensorElement(
        metadata=metadata, reports=reports, extensions=read_extensions(rest, context) if rest else ()
    )


def _typed_report(value: Any, context: Context) -> SensorReport:
    made: SensorReport = _report(value, context)
    if made.type == UNSPECIFIED:
        made = replace(made, type=None)
    check_report(made, "/type")
    return made


_REPORTS = _each(_typed_report)


def _place_of(value: Any, context: Context) -> Place:
    if type(value) is dict:
        if "id" not in value:
            raise Refused("is missing", where="/id", fix="the identifier of the place")
        if len(value) == 1:
            try:
                return Place(id=context.uri(value["id"]))
            except Refused as fault:
                raise fault_at("/id", fault) from None
    made: Place = _place(value, context)
    return made


def _error_of(value: Any, context: Context) -> ErrorDeclaration:
    if type(value) is dict and "declarationTime" not in value:
        raise Refused("is missing", where="/declarationTime", fix="when the error was declared")
    made: ErrorDeclaration = _error(value, context)
    return made


def _action(value: Any, _context: Context) -> Action:
    action = _ACTIONS.get(value) if type(value) is str else None
    if action is None:
        raise Refused("is no action", fix="ADD, OBSERVE or DELETE")
    return action


def _certification(value: Any, context: Context) -> tuple[str, ...]:
    return _ids(value if type(value) is list else [value], context)


def _persistent(value: Any, context: Context) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = _object(value)
    _checked(found, {"set": 1, "unset": 1})
    if not found:
        raise Refused("says nothing", fix="set or unset")
    made: dict[str, tuple[str, ...]] = {"set": (), "unset": ()}
    for name in found:
        try:
            made[name] = once(_DISPOSITIONS(found[name], context))
            if not made[name]:
                raise Refused("is empty", fix="at least one disposition, or leave it out")
        except Refused as fault:
            raise fault_at(f"/{name}", fault) from None
    return made["set"], made["unset"]


def _ilmd(value: Any, context: Context) -> Extensions:
    return read_extensions(_object(value).items(), context)


_DISPOSITIONS = _each(_word(DISPOSITIONS))
_PERSISTENT = "persistent"  # no attribute: two of them
_FIELDS: Mapping[str, tuple[str, _Read]] = {
    "eventTime": ("event_time_us", _time),
    "recordTime": ("record_time_us", _time),
    "eventTimeZoneOffset": ("zone_offset", lambda value, _: scalars.zone_offset(_text(value))),
    "eventID": ("event_id", _id),
    "errorDeclaration": ("error", _error_of),
    "certificationInfo": ("certification", _certification),
    "action": ("action", _action),
    "bizStep": ("biz_step", _word(BIZ_STEPS)),
    "disposition": ("disposition", _word(DISPOSITIONS)),
    "persistentDisposition": (_PERSISTENT, _persistent),
    "readPoint": ("read_point", _place_of),
    "bizLocation": ("biz_location", _place_of),
    "parentID": ("parent_id", _id),
    "transformationID": ("transformation_id", _id),
    "sensorElementList": ("sensors", _each(_sensor)),
    "ilmd": ("ilmd", _ilmd),
    **{name: (attribute, _ids) for name, attribute in EPC_LISTS.items()},
    **{name: (attribute, _each(_quantity)) for name, attribute in QUANTITY_LISTS.items()},
    "bizTransactionList": (
        "transactions",
        _each(_typed("bizTransaction", TRANSACTION_TYPES, needs_type=False)),
    ),
    "sourceList": ("sources", _each(_typed("source", PARTY_TYPES, needs_type=True))),
    "destinationList": ("destinations", _each(_typed("destination", PARTY_TYPES, needs_type=True))),
}
_TYPES: Mapping[str, tuple[EventType, Mapping[str, tuple[str, _Read]]]] = {
    form + kind.value: (kind, {name: _FIELDS[name] for name in ALLOWED[kind]} | {"@id": _FIELDS["eventID"]})
    for kind in EventType
    for form in ("", "epcis:", "https://ref.gs1.org/epcis/")
}
