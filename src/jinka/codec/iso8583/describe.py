"""A message in words: number, name and value of every field and of what lies in it, masked unless asked otherwise.

Masked are account numbers (first six, last four), tracks, PIN blocks, expiry dates, the chip's copies of them, and
keys in network management. What cannot be taken apart is hidden whole, with its fault, and never stops the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinka.codec.iso8583.message import DecodeError, Message, Value
from jinka.codec.iso8583.nested import Node, split
from jinka.codec.iso8583.spec import FieldSpec, LengthCoding, Mask, MessageSpec

_PAN_SHOWN = 12  # digits from which on first six and last four do not add up to the number


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: ``path`` is ``4`` or ``55.9F02``, ``kind`` such as ``n12`` or ``n..19``."""

    path: str
    title: tuple[str, str]
    value: str
    kind: str = ""
    fault: str = ""


def describe(spec: MessageSpec, message: Message, *, unmask: bool = False) -> tuple[Line, ...]:
    """The lines of a message in the order of its fields."""
    return tuple(_lines(spec, message, unmask=unmask))


def _lines(spec: MessageSpec, message: Message, *, unmask: bool) -> Iterator[Line]:
    for number, value in message.fields.items():
        field = spec.fields[number]
        kind = f"{field.content.value}{'.' * _length_digits(field)}{field.size}"
        mask = Mask.OPEN if unmask else effective(field.mask, message.mti)
        try:
            nodes, fault = split(field, value, code_page=spec.code_page), ""
        except DecodeError as error:
            nodes, fault = (), str(error)
        # Objects that cannot be told apart may hold an account number.
        hidden = Mask.HIDDEN if fault and not unmask else mask
        shown = "" if nodes else masked(value, hidden)
        yield Line(path=str(number), title=field.title, value=shown, kind=kind, fault=fault)
        yield from _inner(str(number), nodes, mask, unmask=unmask)


def _inner(path: str, nodes: tuple[Node, ...], outer: Mask, *, unmask: bool) -> Iterator[Line]:
    for node in nodes:
        named = f"{path}.{node.key}"
        mask = Mask.OPEN if unmask else node.mask if node.mask is not Mask.OPEN else outer
        if isinstance(node.value, tuple):
            yield Line(path=named, title=node.title, value="")
            yield from _inner(named, node.value, mask, unmask=unmask)
        else:
            yield Line(path=named, title=node.title, value=masked(node.value, mask))


def _length_digits(field: FieldSpec) -> int:
    """As the standard writes it: two dots for LL, three for LLL."""
    if field.prefix is None:
        return 0
    if field.prefix.coding in (LengthCoding.ASCII, LengthCoding.EBCDIC):
        return field.prefix.width
    return 2 if field.prefix.width == 1 else 3 if field.size <= 999 else 4


def effective(mask: Mask, mti: str) -> Mask:
    """What `Mask.KEYS` comes to in a message of this type."""
    if mask is Mask.KEYS:
        return Mask.HIDDEN if mti[1:2] == "8" else Mask.OPEN
    return mask


def masked(value: Value, mask: Mask) -> str:
    """A value as it may be shown; bytes in hexadecimal."""
    text = value.hex().upper() if isinstance(value, bytes) else value
    if mask is Mask.OPEN:
        return text
    if mask is Mask.PAN and len(text) > _PAN_SHOWN:
        return f"{text[:6]}{'*' * (len(text) - 10)}{text[-4:]}"
    return "*" * min(len(text), 16)
