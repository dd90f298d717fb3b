"""JSON as bytes to plain values, strictly: every name once, numbers exactly as written, nothing that XML cannot hold.

RFC 8259, with I-JSON's (RFC 7493) ban on names that stand twice and on half surrogates. Numbers become `Literal`, their
text, so that no digit is lost on the way to a `Decimal`. The parser is the standard library's, which is written in C.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from jinka.codec.epcis.scalars import LIMITS, Limits
from jinka.kit.errors import Refused


class Literal(str):
    """A number as it was written."""

    __slots__ = ()


# Escapes of what no XML document and no PostgreSQL text can hold; raw control characters are no JSON anyway.
_UNWRITABLE = re.compile(
    r"(?<!\\)(?:\\\\)*\\u(?:00(?:0[0-8bcefBCEF]|1[0-9A-Fa-f])|[dD][89abAB][0-9A-Fa-f]{2}(?!\\u[dD][c-fC-F])"
    r"|[fF]{3}[efEF])|(?<!\\)(?<!\\u[dD][89abAB][0-9A-Fa-f]{2})(?:\\\\)*\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
).search


def load_json(data: bytes, limits: Limits = LIMITS) -> Any:
    """Parse JSON: objects as dicts, numbers as `Literal`; `Refused` with the place for what is not strict."""
    if len(data) > limits.document_bytes:
        raise Refused(f"a document of {len(data)} bytes", fix=f"at most {limits.document_bytes}")
    try:
        text = data.decode() if data[:1] != b"\xef" else data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Refused("is not UTF-8", where=f"byte {fault.start}") from None
    if ("\\u" in text and _UNWRITABLE(text)) or "\ufffe" in text or "\uffff" in text:
        raise Refused(
            "holds a character that XML cannot hold", fix="no control characters, no half surrogates"
        )
    if len(text) > limits.values and sum(map(text.count, ",[{")) > limits.values:  # before they cost memory
        raise Refused(f"more than {limits.values} values", fix="in several documents")
    try:
        try:
            found, end = _SCAN(text, 0)
            return found if end == len(text) else _STRICT.decode(text)  # space, or a fault, is behind it
        except StopIteration:  # or before it
            return _STRICT.decode(text)
        except _TwiceError:
            found = _MARKING.decode(text)  # what follows may be no JSON at all
        raise Refused("a name stands twice in its object", where=_pointer(found), fix="once")
    except RecursionError:
        raise Refused("is nested too deep", fix=f"at most {limits.depth} levels of extensions") from None
    except json.JSONDecodeError as fault:
        raise Refused(
            f"is not JSON: {fault.msg}", where=f"line {fault.lineno} column {fault.colno}"
        ) from None


class _TwiceError(Exception):
    """Some object has a name twice; which one, a second and slower look tells."""


class _Twice(str):
    """Where the second one stood."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _TwiceError
    return made


def _marked(pairs: list[tuple[str, Any]]) -> Any:
    made = dict[str, Any]()
    for name, value in pairs:
        if name in made:
            return _Twice(name)
        made[name] = value
    return made


def _pointer(found: Any) -> str:
    """The place of the first object that was replaced by a mark, without recursion."""
    todo = [("", found)]
    while todo:
        place, value = todo.pop()
        if type(value) is _Twice:
            return f"{place}/{escape(value)}"
        if type(value) is dict:
            todo += [(f"{place}/{escape(name)}", inner) for name, inner in reversed(value.items())]
        elif type(value) is list:
            todo += [(f"{place}/{at}", inner) for at, inner in reversed(list(enumerate(value)))]
    return ""


def escape(name: str) -> str:
    """A name as a reference token of a JSON pointer (RFC 6901), cut to a length that fits an error."""
    return name[:80].replace("~", "~0").replace("/", "~1")


def _no_constant(name: str) -> NoReturn:
    raise Refused(f"{name} is no number", fix="a finite decimal number")


_STRICT = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Literal, parse_int=Literal, parse_constant=_no_constant
)
_SCAN: Callable[[str, int], tuple[Any, int]] = vars(_STRICT)["scan_once"]
_MARKING = json.JSONDecoder(
    object_pairs_hook=_marked, parse_float=Literal, parse_int=Literal, parse_constant=_no_constant
)
