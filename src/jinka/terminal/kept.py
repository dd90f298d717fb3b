"""What terminals keep over a loss of power, as bytes: magic and version, the values as JSON, SHA-256 over all of it.

A value is a frozen dataclass of bytes (hex), numbers, words, days, moments, enums and further such dataclasses;
its type hints are its layout. Anything that was damaged, cut off or not written here is refused whole; writing the
bytes durably, and giving each terminal its own, is the caller's. The digest finds damage, not forgery.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from jinka.kit import Fault, JinkaError

STATE_BYTES_MAX = 1 << 26
_DIGEST = 32
_Value = TypeVar("_Value")


class KeptStateError(JinkaError):
    """The bytes are no state of this kind that this program can read."""

    fault = Fault.PEER


def to_kept(magic: bytes, value: object) -> bytes:
    """``magic`` (4 bytes, a version among them) and ``value`` as bytes; the same value gives the same bytes."""
    raw = magic + json.dumps(_plain(value), separators=(",", ":"), sort_keys=True).encode()
    return raw + hashlib.sha256(raw).digest()


def from_kept(
    magic: bytes, kind: type[_Value], raw: bytes, *, older: Callable[[Any], Any] = lambda told: told
) -> _Value:
    """Read what `to_kept` wrote for this magic and kind; `KeptStateError` for anything else.

    ``older`` brings what an earlier version told into today's layout.
    """
    body, digest = raw[:-_DIGEST], raw[-_DIGEST:]
    if len(raw) > STATE_BYTES_MAX or body[:4] != magic:
        raise KeptStateError("not this terminal's kind of state", where="offset 0", fix="restore the file")
    if not hmac.compare_digest(hashlib.sha256(body).digest(), digest):
        raise KeptStateError("damaged", where="digest", fix="restore the file")
    try:
        found: _Value = _value(kind, older(json.loads(body[4:])))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise KeptStateError(
            f"{type(error).__name__}", where=kind.__name__, fix="use the program that wrote it"
        ) from None
    return found


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    assert value is None or isinstance(value, bool | int | str), type(value)
    return value


def _value(kind: Any, raw: Any) -> Any:
    if get_origin(kind) is UnionType:
        [inner] = [one for one in get_args(kind) if one is not NoneType]
        return None if raw is None else _value(inner, raw)
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return tuple(_value(inner, one) for one in _of(list, raw))
    if issubclass(kind, Enum):
        return kind(raw)
    if hasattr(kind, "__dataclass_fields__"):
        hints, given = get_type_hints(kind), _of(dict, raw)
        if given.keys() != hints.keys():
            raise KeyError(kind.__name__)
        return kind(**{name: _value(hint, given[name]) for name, hint in hints.items()})
    if kind is bytes:
        return bytes.fromhex(_of(str, raw))
    if kind in (dt.datetime, dt.date):
        return kind.fromisoformat(_of(str, raw))
    return _of(kind, raw)


def _of(kind: Any, raw: Any) -> Any:
    if type(raw) is not kind:  # a bool is no int here
        raise TypeError(kind.__name__)
    return raw
