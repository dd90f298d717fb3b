"""Extensions and instance or lot master data between JSON and trees of (namespace, name, text).

EPCIS 2.0 clause 9 (extensibility). A JSON array is siblings of one name; arrays within arrays lie flat, as JSON-LD has
sets; an array of one is its value. ``#text`` is the text beside fields that were XML attributes. Keywords of JSON-LD
(``@value``, ``@id``, ...) within extensions are refused: XML has no place for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinka.codec.epcis.contexts import Context, fault_at
from jinka.codec.epcis.json_text import Literal, escape
from jinka.codec.epcis.model import Extension, Extensions, Kind
from jinka.codec.epcis.scalars import TEXT_MAX, number
from jinka.kit.errors import Refused

TEXT = "#text"
_STRING, _NUMBER, _BOOLEAN = Kind.STRING, Kind.NUMBER, Kind.BOOLEAN


def read_extensions(fields: Iterable[tuple[str, Any]], context: Context, *, depth: int = 0) -> Extensions:
    """The fields of an object that are none of EPCIS's; ``depth`` is that of the object among extensions."""
    found: list[Extension] = []
    names: set[tuple[str, str]] = set()
    for key, value in fields:
        try:
            name = context.name(key, nested=depth > 0)
            if name in names:
                raise Refused("stands twice under two prefixes", fix="an array")
            names.add(name)
            _values(name, value, context, depth, found)
        except Refused as fault:
            raise fault_at(f"/{escape(key)}", fault) from None
    return tuple(found)


def read_values(name: str, value: Any, context: Context) -> Extensions:
    """The values under a name of EPCIS's own (an attribute of master data): one for each of an array."""
    found: list[Extension] = []
    _values(("", name), value, context, 0, found)
    return tuple(found)


def _values(name: tuple[str, str], value: Any, context: Context, depth: int, into: list[Extension]) -> None:
    if type(value) is list:
        if depth >= context.limits.depth:
            raise Refused("is nested too deep", fix=f"at most {context.limits.depth} levels")
        for at, entry in enumerate(value):
            try:
                _values(name, entry, context, depth + 1, into)
            except Refused as fault:
                raise fault_at(f"/{at}", fault) from None
    elif type(value) is dict:
        if depth >= context.limits.depth:
            raise Refused("is nested too deep", fix=f"at most {context.limits.depth} levels")
        text, kind = _text(value[TEXT]) if TEXT in value else ("", _STRING)
        rest = ((key, inner) for key, inner in value.items() if key != TEXT)
        children = read_extensions(rest, context, depth=depth + 1)
        into.append(Extension(namespace=name[0], name=name[1], text=text, kind=kind, children=children))
    elif value is not None:
        text, kind = _text(value)
        into.append(Extension(namespace=name[0], name=name[1], text=text, kind=kind))


def _text(value: Any) -> tuple[str, Kind]:
    if type(value) is str:
        if len(value) > TEXT_MAX:
            raise Refused(f"a text of {len(value)} characters", fix=f"at most {TEXT_MAX}")
        return value.strip(), _STRING
    if type(value) is Literal:
        number(value)
        return str.__str__(value), _NUMBER
    if type(value) is bool:
        return "true" if value else "false", _BOOLEAN
    raise Refused("is neither text nor a number")
