"""Extensions and instance or lot master data between XML and trees of (namespace, name, text).

EPCIS 2.0 clause 9. An attribute is read as a child of the same name; ``xsi:type`` tells numbers and truth
values. What is written are elements: attributes only where EPCIS has no other place (sensor metadata and reports), and
there a tree is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from jinka.codec.epcis.contexts import is_local_name
from jinka.codec.epcis.model import Extension, Extensions, Kind
from jinka.codec.epcis.namespaces import grouped
from jinka.codec.epcis.scalars import is_uri, uri
from jinka.codec.epcis.xml_text import XSI, Element
from jinka.kit.errors import Refused

EPCIS_SPACES = frozenset(
    f"urn:epcglobal:epcis{part}:xsd:{version}" for part in ("", "-query", "-masterdata") for version in (1, 2)
)
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?").fullmatch
_NUMBERS = frozenset(
    """
    integer int long short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger unsignedInt
    unsignedLong unsignedShort unsignedByte decimal double float
    """.split()  # noqa: SIM905 - a list of names is read, not executed
)
_TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}
Names = Mapping[str, str]


def tree_of(element: Element) -> Extension:
    """An element and all below it."""
    kind, text = _kind(element)
    children = [
        Extension(namespace=_space(space), name=name, text=value)
        for (space, name), value in element.attributes.items()
        if space != XSI
    ]
    children += [tree_of(child) for child in element.children]
    return Extension(
        namespace=_space(element.namespace),
        name=element.name,
        text=text,
        kind=kind,
        children=together(children),
    )


def _space(text: str) -> str:
    """A namespace, which JSON wants to be a URI."""
    return text if not text or is_uri(text) else uri(text)


def together(found: Iterable[Extension]) -> Extensions:
    """Siblings of one name side by side, as a JSON array has them."""
    return tuple(one for same in grouped(tuple(found)).values() for one in same)


def foreign(element: Element) -> Extension:
    """An element that is none of EPCIS's own, at a place for extensions; `Refused` if it is unknown."""
    if not element.namespace or element.namespace in EPCIS_SPACES:
        raise Refused("is unknown here", fix="a field of EPCIS, or an element of a namespace of your own")
    return tree_of(element)


def foreign_attributes(element: Element) -> Extensions:
    """The attributes of an EPCIS element that belong to somebody else's namespace."""
    return tuple(
        Extension(namespace=_space(space), name=name, text=text)
        for (space, name), text in element.attributes.items()
        if space and space != XSI
    )


def _kind(element: Element) -> tuple[Kind, str]:
    named, text = element.attributes.get((XSI, "type"), ""), element.text
    if named:
        local = named.rpartition(":")[2]
        if local in _NUMBERS and _JSON_NUMBER(text) and len(text) <= 40:
            return Kind.NUMBER, text
        if local == "boolean" and text in _TRUTH:
            return Kind.BOOLEAN, _TRUTH[text]
    return Kind.STRING, text


def attribute(text: str) -> str:
    """A text as it stands between an attribute's double quotes."""
    return escape(text, {'"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def content(text: str) -> str:
    """A text as it stands between tags."""
    return escape(text, {"\r": "&#13;"})


def elements(found: Extensions, names: Names) -> str:
    """Trees as elements."""
    return "".join(_element(one, names) for one in found)


def _element(one: Extension, names: Names) -> str:
    tag = f"{names[one.namespace]}:{one.name}" if one.namespace else one.name
    if not is_local_name(one.name):
        raise Refused(f"{one.name[:60]!r} is no name in XML", fix="another one")
    typed = {Kind.NUMBER: ' xsi:type="xsd:double"', Kind.BOOLEAN: ' xsi:type="xsd:boolean"'}.get(one.kind, "")
    inner = content(one.text) + elements(one.children, names)
    return f"<{tag}{typed}>{inner}</{tag}>" if inner else f"<{tag}/>"


def attributes(found: Extensions, names: Names) -> str:
    """Trees as attributes, where XML has no other place for them; `Refused` if they do not fit."""
    seen, parts = set[tuple[str, str]](), list[str]()
    for one in found:
        name = (one.namespace, one.name)
        if one.children or name in seen or not is_local_name(one.name):
            raise Refused(f"{one.name[:60]!r} has more than an attribute in XML can hold", fix="one text")
        seen.add(name)
        parts.append(f' {names[one.namespace]}:{one.name}="{attribute(one.text)}"')
    return "".join(parts)
