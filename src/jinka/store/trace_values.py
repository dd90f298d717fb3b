"""Values of query parameters: lists, URIs, times, numbers and flags, as a URL or JSON has them; names of extensions.

EPCIS 2.0, REST binding: in a URL a list is written with ``|``. Whatever is ill-formed is a `ParameterException` that
names its parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from jinka.store.trace_query import ParameterException
from jinka.store.trace_terms import field_name, plain_time

VALUES_MAX = 1_000
Prefixes = Mapping[str, str]
Raw = Any  # a text of a URL, or what JSON has


def texts(name: str, raw: Raw) -> list[str]:
    """The values of a list."""
    if isinstance(raw, str):
        found = raw.split("|")
    elif isinstance(raw, list) and all(isinstance(one, str) for one in raw):
        found = raw
    else:
        raise ParameterException("not a list of texts", where=name)
    if not found or len(found) > VALUES_MAX or not all(found):
        raise ParameterException(f"a list has 1 to {VALUES_MAX} values, none empty", where=name)
    return found


def uris(name: str, raw: Raw) -> list[str]:
    """A list of URIs."""
    found = texts(name, raw)
    for one in found:
        if not _URI.fullmatch(one):
            raise ParameterException(f"{one[:60]!r} is no URI", where=name)
    return found


def micros(name: str, raw: Raw) -> int:
    """A time with its zone."""
    found = plain_time(raw) if isinstance(raw, str) else None
    if found is None:
        raise ParameterException(
            "no time with a zone", where=name, fix="2022-06-30T00:15:47.000-05:00; in a URL + is %2B"
        )
    return found


def decimals(name: str, raw: Raw, *, many: bool) -> list[Decimal]:
    """One number, or where ``many`` may stand a list of them."""
    if isinstance(raw, list) and many:
        found = raw
    elif isinstance(raw, str):
        found = raw.split("|") if many else [raw]
    else:
        found = [raw]
    if not found or len(found) > VALUES_MAX:
        raise ParameterException(f"a list has 1 to {VALUES_MAX} values", where=name)
    return [_decimal(name, one) for one in found]


def _decimal(name: str, raw: Raw) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float) or len(str(raw)) > 64:
        raise ParameterException("no number", where=name)
    try:
        found = Decimal(str(raw))
    except InvalidOperation:
        raise ParameterException("no number", where=name) from None
    if not found.is_finite() or abs(found.adjusted()) > 300:
        raise ParameterException("no number within bounds", where=name)
    return found


def flag(name: str, raw: Raw) -> bool:
    """true or false; in a URL a flag may stand without a value."""
    if isinstance(raw, bool):
        return raw
    if raw is None or (isinstance(raw, int) and not isinstance(raw, bool)):
        return True  # JSON: "nullable integer", whose value means nothing
    if isinstance(raw, str) and raw in _FLAGS:
        return _FLAGS[raw]
    raise ParameterException("neither true nor false", where=name)


_FLAGS = {"true": True, "false": False, "": True, "1": True, "0": False, "null": True}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s|<>\"{}\\^`]+")


def is_uri(text: str) -> bool:
    """Whether a text is an absolute URI, roughly (RFC 3986): a scheme and no character that a URI cannot have."""
    return _URI.fullmatch(text) is not None


# Names

_SCHEMES = frozenset({"http", "https", "urn"})  # of namespaces


def full_name(text: str, prefixes: Prefixes) -> str:
    """A CURIE with a known prefix as a full URI; any other text as it is."""
    prefix, colon, name = text.partition(":")
    return prefixes[prefix] + name if colon and prefix in prefixes else text


def extension_names(text: str, prefixes: Prefixes) -> list[str] | None:
    """How the name of an extension may stand in terms; None for what is none.

    A full URI does not say where its namespace ends, so there are several.
    """
    prefix, colon, name = text.partition(":")
    if colon and prefix in prefixes and name:
        return [field_name(prefixes[prefix], name)]
    if prefix.lower() not in _SCHEMES or not is_uri(text):
        return None  # a prefix that nobody declared
    found: list[str] = []
    for mark in "#/:":
        namespace, at, name = text.rpartition(mark)
        if at and name and namespace:
            found += [field_name(namespace + mark, name), field_name(namespace, name)]
    return found or None


def context_prefixes(context: Raw) -> dict[str, str]:
    """The prefixes that a query's ``@context`` declares; other terms of it are not looked at."""
    found: dict[str, str] = {}
    for one in context if isinstance(context, list) else [context]:
        if isinstance(one, dict):
            found |= {
                k: v for k, v in one.items() if isinstance(v, str) and is_uri(v) and not k.startswith("@")
            }
    return found
