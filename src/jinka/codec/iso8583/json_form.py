"""A message as plain data for JSON, and back.

``{"mti": "0200", "fields": {"2": "6222…", "52": "1234…", "55": {"9F02": "…"}}}``: bytes are hexadecimal, a field with
pieces is an object by their keys, or a list of pairs where a key comes twice. A field whose pieces, put together
again, would not give the same bytes stays whole, so `from_json` restores what `to_json` was given. Masked data has its
own form and is not read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinka.codec.iso8583.describe import effective, masked
from jinka.codec.iso8583.message import DecodeError, EncodeError, Message, Value
from jinka.codec.iso8583.nested import Node, join, split
from jinka.codec.iso8583.spec import FieldSpec, Mask, MessageSpec
from jinka.kit import JinkaError


def to_json(spec: MessageSpec, message: Message, *, unmask: bool = False) -> dict[str, Any]:
    """Plain data; masked unless told otherwise, and then marked as such."""
    fields: dict[str, Any] = {}
    for number, value in message.fields.items():
        field = spec.fields[number]
        mask = Mask.OPEN if unmask else effective(field.mask, message.mti)
        nodes, faulty = _pieces(field, value, spec.code_page)
        if nodes:
            fields[str(number)] = _plain(nodes, mask, unmask=unmask)
        else:
            fields[str(number)] = masked(value, Mask.HIDDEN if faulty and not unmask else mask)
    head = {"dialect": spec.name, "mti": message.mti}
    return head | ({} if unmask else {"masked": True}) | {"fields": fields}


def from_json(spec: MessageSpec, data: Any) -> Message:
    """A message; `EncodeError` for data that is none, or that was masked."""
    if not isinstance(data, Mapping) or not isinstance(data.get("fields"), Mapping):
        raise EncodeError("not an object with mti and fields", path="message")
    if data.get("masked"):
        raise EncodeError("masked data", path="message", fix="what was masked cannot be read back")
    if data.get("dialect", spec.name) != spec.name:
        raise EncodeError("another dialect", path="message", fix=spec.name)
    mti = data.get("mti")
    if not isinstance(mti, str):
        raise EncodeError("a type has four digits", path="type")
    fields: dict[int, Value] = {}
    for key, value in data["fields"].items():
        number = int(key) if isinstance(key, str) and key.isascii() and key.isdecimal() else 0
        field = spec.fields.get(number)
        if field is None or str(number) != key:
            raise EncodeError(f"{spec.name} has no such field", path=f"fields.{str(key)[:8]}")
        fields[number] = _value(spec, field, value)
    return Message(mti=mti, fields=dict(sorted(fields.items())))


def _pieces(field: FieldSpec, value: Value, code_page: str) -> tuple[tuple[Node, ...], bool]:
    try:
        nodes = split(field, value, code_page=code_page)
        whole = not nodes or join(field, nodes, code_page=code_page) == value
    except DecodeError:
        return (), True
    except JinkaError:
        whole = False
    return (nodes, False) if whole else ((), True)


def _plain(nodes: tuple[Node, ...], outer: Mask, *, unmask: bool) -> dict[str, Any] | list[list[Any]]:
    pairs: list[list[Any]] = []
    for node in nodes:
        mask = Mask.OPEN if unmask else node.mask if node.mask is not Mask.OPEN else outer
        inner = node.value
        pairs.append(
            [
                node.key,
                _plain(inner, mask, unmask=unmask) if isinstance(inner, tuple) else masked(inner, mask),
            ]
        )
    found = dict(pairs)
    return found if len(found) == len(pairs) else pairs


def _value(spec: MessageSpec, field: FieldSpec, value: Any) -> Value:
    path = str(field.number)
    if isinstance(value, str):
        return _bytes(value, path) if field.is_bytes else value
    return join(field, _nodes(field, value, path, 0), code_page=spec.code_page)


def _nodes(field: FieldSpec, value: Any, path: str, depth: int) -> tuple[Node, ...]:
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    if depth > 8 or not isinstance(pairs, list):
        raise EncodeError("neither text nor pieces", path=path)
    nodes = []
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise EncodeError("a piece is a key and a value", path=path)
        key, inner = pair
        named = f"{path}.{key[:8]}"
        if not isinstance(inner, str):
            nodes.append(Node(key=key, value=_nodes(field, inner, named, depth + 1)))
        else:
            nodes.append(Node(key=key, value=_bytes(inner, named) if _holds_bytes(field, key) else inner))
    return tuple(nodes)


def _holds_bytes(field: FieldSpec, key: str) -> bool:
    inner = getattr(field.nested, "fields", None)  # of a bitmapped field
    if inner is None:
        return field.is_bytes
    return any(sub.is_bytes for sub in inner if str(sub.number) == key)


def _bytes(text: str, path: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise EncodeError("not hexadecimal", path=path) from None
