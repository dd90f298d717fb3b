"""LLRP messages between bytes and values, by the tables of `messages` and `parameters`.

Standard: EPCglobal LLRP 1.0.1, clause 15 (header: 3 reserved bits, 3 bits of version, 10 of type, 32 of length, 32 of
id) and 16. Reading takes parameters in any order, as long as each may stand where it is and none is missing or too
many; writing puts them in the order of the standard. An unknown parameter is kept as bytes, and so is an unknown
message. Bytes are bounded by ``MESSAGE_MAX``, ``DEPTH_MAX`` and ``ELEMENTS_MAX``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jinka.codec.llrp.messages import MESSAGES, MESSAGES_BY_NAME
from jinka.codec.llrp.parameters import PARAMETERS, PARAMETERS_BY_NAME
from jinka.codec.llrp.shapes import Bits, Field, Kind, LlrpError, Run, unknown_kind

VERSION = 1  # of LLRP 1.0.1
HEADER = 10
MESSAGE_MAX = 4 << 20
DEPTH_MAX = 12
ELEMENTS_MAX = 200_000
ID_MAX = 0xFFFF_FFFF
_HEADER = struct.Struct(">HII")
_TLV = struct.Struct(">HH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A parameter, or the inside of a message: its fields by the standard's names, and the parameters inside it."""

    kind: Kind
    values: Mapping[str, Any]
    children: tuple[Element, ...] = ()

    @property
    def name(self) -> str:
        """Of its kind."""
        return self.kind.name

    def __getitem__(self, field: str) -> Any:
        return self.values[field]

    def all(self, name: str) -> Iterator[Element]:
        """The parameters inside it that have this name."""
        return (child for child in self.children if child.kind.name == name)

    def first(self, name: str) -> Element | None:
        """The first of them, or None."""
        return next(self.all(name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``id`` is the same in a request and in its answer."""

    id: int
    body: Element
    version: int = VERSION

    @property
    def name(self) -> str:
        """Of its kind."""
        return self.body.kind.name


def element(name: str, *children: Element, **values: Any) -> Element:
    """Make a parameter; fields that are not named are 0 or empty."""
    return _made(PARAMETERS_BY_NAME[name], children, values)


def message(name: str, *children: Element, id: int = 0, **values: Any) -> Message:
    """Make a message; fields that are not named are 0 or empty."""
    return Message(id=id, body=_made(MESSAGES_BY_NAME[name], children, values))


def frame_length(header: bytes) -> int:
    """The whole length that a message's first 10 bytes name; `LlrpError` for what cannot be LLRP's."""
    if len(header) < HEADER:
        raise LlrpError(f"{len(header)} bytes", where="header", fix=f"{HEADER} bytes")
    first = int.from_bytes(header[:2], "big")
    length = int.from_bytes(header[2:6], "big")
    if first >> 13 or not first >> 10 & 7:
        raise LlrpError(f"begins with {first:04X}", where="header", fix="no LLRP is spoken there")
    if not HEADER <= length <= MESSAGE_MAX:
        raise LlrpError(f"a length of {length}", where="header", fix=f"{HEADER} to {MESSAGE_MAX} bytes")
    return length


def decode(raw: bytes) -> Message:
    """Read one whole message; raises `LlrpError` with the path to the fault and its offset."""
    length = frame_length(raw)
    if length != len(raw):
        raise LlrpError(f"{len(raw)} bytes", where="header", fix=f"it says {length}")
    first, _, number = _HEADER.unpack_from(raw)
    version, type_ = first >> 10 & 7, first & 0x3FF
    if version != VERSION:
        raise LlrpError(f"version {version}", where="header", fix="LLRP 1.0.1 is version 1")
    kind = MESSAGES.get(type_) or unknown_kind(type_)
    return Message(id=number, body=_Reading(raw).inside(kind, HEADER, length, kind.name, 0), version=version)


def encode(told: Message) -> bytes:
    """Write a message; raises `LlrpError` for a value that does not fit or a parameter that is missing."""
    body = _written(told.body, told.name, 0)
    if HEADER + len(body) > MESSAGE_MAX:
        raise LlrpError(f"{len(body)} bytes", where=told.name, fix=f"at most {MESSAGE_MAX}")
    try:
        head = _HEADER.pack(told.version << 10 | told.body.kind.number, HEADER + len(body), told.id)
    except struct.error:
        raise LlrpError(f"{told.id}", where=f"{told.name}.id", fix="32 bits") from None
    return head + body


def _made(kind: Kind, children: tuple[Element, ...], values: dict[str, Any]) -> Element:
    for name in values:
        if name not in kind.defaults:
            raise LlrpError(
                f"no field {name}", where=kind.name, fix=", ".join(kind.defaults) or "it has none"
            )
    return Element(kind=kind, values=MappingProxyType({**kind.defaults, **values}), children=children)


class _Reading:
    """One message on its way from bytes to elements."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._left = ELEMENTS_MAX

    def inside(self, kind: Kind, at: int, end: int, path: str, depth: int) -> Element:
        """The fields and the parameters between two offsets."""
        if depth > DEPTH_MAX:
            raise LlrpError("too deep", where=f"{path} at {at}", fix=f"at most {DEPTH_MAX} levels")
        values: dict[str, Any] = {}
        for step in kind.steps:
            at = self._run(step, at, end, values, path) if isinstance(step, Run) else (
                self._field(step, at, end, values, path)
            )  # fmt: skip
        if at == end and not kind.slots:
            return Element(kind=kind, values=values)
        children: list[Element] = []
        counts = [0] * len(kind.slots)
        while at < end:
            child, after = self._parameter(at, end, path, depth)
            slot = kind.place.get(child.kind.name)
            if slot is not None:
                counts[slot] += 1
            elif not child.kind.unknown:
                raise LlrpError(f"{child.kind.name} may not stand here", where=f"{path} at {at}")
            children.append(child)
            at = after
        _require_counts(kind, counts, f"{path} at {end}")
        return Element(kind=kind, values=values, children=tuple(children))

    def _parameter(self, at: int, end: int, path: str, depth: int) -> tuple[Element, int]:
        self._left -= 1
        if self._left < 0:
            raise LlrpError("too many parameters", where=f"{path} at {at}", fix=f"at most {ELEMENTS_MAX}")
        first = self._raw[at]
        if first & 0x80:
            kind = PARAMETERS.get(first & 0x7F)
            if kind is None:  # it has no length, so nothing behind it can be found
                raise LlrpError(f"unknown short parameter {first & 0x7F}", where=f"{path} at {at}")
            values: dict[str, Any] = {}
            run = kind.steps[0]
            assert isinstance(run, Run)
            after = self._run(run, at + 1, end, values, f"{path}/{kind.name}")
            return Element(kind=kind, values=values), after
        if end - at < 4:
            raise LlrpError("cut off", where=f"{path} at {at}", fix="a parameter begins with 4 bytes")
        number, length = _TLV.unpack_from(self._raw, at)
        kind = PARAMETERS.get(number & 0x3FF)
        if kind is None or kind.short:
            kind = unknown_kind(number & 0x3FF)
        if not 4 <= length <= end - at:
            raise LlrpError(
                f"{kind.name} has a length of {length}", where=f"{path} at {at}", fix=f"4 to {end - at}"
            )
        return self.inside(kind, at + 4, at + length, f"{path}/{kind.name}", depth + 1), at + length

    def _run(self, run: Run, at: int, end: int, values: dict[str, Any], path: str) -> int:
        after = at + run.packing.size
        if after > end:
            raise LlrpError("cut off", where=f"{path} at {at}", fix=f"{run.packing.size} bytes")
        items = run.packing.unpack_from(self._raw, at)
        for name, item, shift, mask, flag in run.parts:
            value = items[item]
            if mask:
                value = value >> shift & mask
            values[name] = bool(value) if flag else value
        return after

    def _field(self, field: Field, at: int, end: int, values: dict[str, Any], path: str) -> int:
        where = f"{path}.{field.name} at {at}"
        if field.type == "rest":
            values[field.name] = self._raw[at:end]
            return end
        if end - at < 2:
            raise LlrpError("cut off", where=where, fix="a count has 2 bytes")
        count = int.from_bytes(self._raw[at : at + 2], "big")
        at += 2
        size = _size(field, count)
        if size > end - at:
            raise LlrpError(f"{size} bytes are said, {end - at} are there", where=where)
        data = self._raw[at : at + size]
        if field.type == "text":
            try:
                values[field.name] = data.decode("utf-8")
            except UnicodeDecodeError:
                raise LlrpError("not UTF-8", where=where) from None
        elif field.type == "bits":
            values[field.name] = Bits(count=count, data=data)
        else:
            values[field.name] = struct.unpack(f">{count}{field.type}", data)
        return at + size


def _size(field: Field, count: int) -> int:
    if field.type == "text":
        return count
    return (count + 7) // 8 if field.type == "bits" else count * struct.calcsize(field.type)


def _require_counts(kind: Kind, counts: list[int], where: str) -> None:
    for slot, count in zip(kind.slots, counts, strict=True):
        if count < slot.least:
            raise LlrpError(f"{slot.name} is missing in {kind.name}", where=where)
        if slot.most is not None and count > slot.most:
            raise LlrpError(f"{slot.name} stands {count} times in {kind.name}", where=where, fix="once")


def _written(made: Element, path: str, depth: int) -> bytes:
    if depth > DEPTH_MAX:
        raise LlrpError("too deep", where=path, fix=f"at most {DEPTH_MAX} levels")
    kind = made.kind
    out = [
        _run_bytes(step, made, path) if isinstance(step, Run) else _field_bytes(step, made, path)
        for step in kind.steps
    ]
    order: list[list[bytes]] = [[] for _ in kind.slots]
    behind: list[bytes] = []
    for child in made.children:
        slot = kind.place.get(child.kind.name)
        if slot is None and not child.kind.unknown:
            raise LlrpError(f"{child.kind.name} may not stand here", where=path)
        body = _written(child, f"{path}/{child.kind.name}", depth + 1)
        if child.kind.short:
            whole = bytes((0x80 | child.kind.number,)) + body
        elif len(body) > 0xFFFF - 4:
            raise LlrpError(f"{len(body)} bytes", where=f"{path}/{child.kind.name}", fix="at most 65531")
        else:
            whole = _TLV.pack(child.kind.number, 4 + len(body)) + body
        (behind if slot is None else order[slot]).append(whole)
    _require_counts(kind, [len(each) for each in order], path)
    return b"".join((*out, *(whole for each in order for whole in each), *behind))


def _run_bytes(run: Run, made: Element, path: str) -> bytes:
    items: list[Any] = [0] * run.items
    for name, item, shift, mask, _ in run.parts:
        value = made.values[name]
        if not mask:
            items[item] = value
        elif 0 <= value <= mask:
            items[item] |= int(value) << shift
        else:
            raise LlrpError(f"{value}", where=f"{path}.{name}", fix=f"0 to {mask}")
    if any(isinstance(item, bytes) and len(item) != 12 for item in items):
        raise LlrpError("not 96 bits", where=path, fix="EPCData takes other lengths")
    try:
        return run.packing.pack(*items)
    except (struct.error, TypeError):
        told = ", ".join(f"{name} {made.values[name]}" for name, *_ in run.parts)
        raise LlrpError(f"does not fit: {told}", where=path) from None


def _field_bytes(field: Field, made: Element, path: str) -> bytes:
    value = made.values[field.name]
    where = f"{path}.{field.name}"
    if field.type == "rest":
        return bytes(value)
    data: bytes
    if field.type == "text":
        data = value.encode()
        count = len(data)
    elif field.type == "bits":
        data, count = value.data, value.count
        if len(data) != (count + 7) // 8:
            raise LlrpError(f"{len(data)} bytes for {count} bits", where=where)
    else:
        count = len(value)
        try:
            data = struct.pack(f">{count}{field.type}", *value)
        except struct.error:
            raise LlrpError("a number does not fit", where=where) from None
    if count > 0xFFFF:
        raise LlrpError(f"a count of {count}", where=where, fix="at most 65535")
    return count.to_bytes(2, "big") + data
