"""What a table of LLRP declares: kinds of messages and parameters, their fields and the parameters inside them.

Standard: EPCglobal Low Level Reader Protocol 1.0.1, clauses 15 and 16 (the binary encoding). A field's type is one of

    u8 u16 u32 u64 s8 s16   whole numbers, big-endian      flag b2    one bit, two bits
    r7                      reserved bits: written as 0    b96        96 bits as 12 bytes
    text                    UTF-8 behind a 16-bit count    bits       a bit string behind a 16-bit count of bits
    u8[] u16[] u32[]        numbers behind a 16-bit count  rest       the bytes up to the end

and a slot is the name of a parameter or of a choice, with ``?`` (may be absent), ``*`` (any number) or ``+`` (one or
more) behind it. Nothing here reads bytes (`jinka.codec.llrp.wire`).
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from jinka.kit import Fault, JinkaError

_NUMBERS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "s8": "b", "s16": "h"}
_BITS = re.compile(r"(?:flag|b2|r\d+)\Z")
_MANY = {"": (1, 1), "?": (0, 1), "*": (0, None), "+": (1, None)}


class LlrpError(JinkaError):
    """Bytes that are no LLRP, or values that do not fit into it; ``where`` is the path and the offset."""

    fault = Fault.PEER


@dataclass(frozen=True, slots=True, kw_only=True)
class Bits:
    """A bit string: ``count`` bits, the first one the highest of the first byte, filled up with zeros."""

    count: int
    data: bytes

    @classmethod
    def of(cls, data: bytes) -> Bits:
        """Whole bytes."""
        return cls(count=8 * len(data), data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Fields of fixed size that follow one another: one unpacking. ``parts`` are (name, item, shift, mask, is flag).

    ``mask`` 0 is a whole item. Names are of fields; reserved bits have none and are in no part.
    """

    packing: struct.Struct
    items: int
    parts: tuple[tuple[str, int, int, int, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a size of its own: ``type`` is text, bits, rest, or the struct letter of an array's items."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Which parameters may stand here, by name, and how often; ``most`` None is any number."""

    name: str
    names: tuple[str, ...]
    least: int
    most: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of message or parameter. ``short`` parameters (TV) have no length; an ``unknown`` one is kept as bytes."""

    number: int
    name: str
    steps: tuple[Run | Field, ...]
    defaults: Mapping[str, object]
    slots: tuple[Slot, ...]
    place: Mapping[str, int]  # name of an inner parameter → index of its slot
    short: bool = False
    unknown: bool = False


def kind(
    number: int,
    name: str,
    fields: str,
    slots: str,
    choices: Mapping[str, tuple[str, ...]],
    *,
    short: bool = False,
) -> Kind:
    """Make a kind of a row of a table."""
    steps, defaults = _steps(fields)
    made = tuple(_slot(text, choices) for text in slots.split())
    place = {inner: index for index, slot in reversed(list(enumerate(made))) for inner in slot.names}
    return Kind(
        number=number, name=name, steps=steps, defaults=defaults, slots=made, place=place, short=short
    )  # fmt: skip


@functools.lru_cache(1024)
def unknown_kind(number: int) -> Kind:
    """A parameter or a message that no table names: its bytes are kept."""
    field = Field(name="Data", type="rest")
    return Kind(
        number=number, name=f"type {number}", steps=(field,), defaults={"Data": b""}, slots=(), place={},
        unknown=True,
    )  # fmt: skip


def _slot(text: str, choices: Mapping[str, tuple[str, ...]]) -> Slot:
    name = text.rstrip("?*+")
    least, most = _MANY[text[len(name) :]]
    return Slot(name=name, names=choices.get(name, (name,)), least=least, most=most)


def _steps(text: str) -> tuple[tuple[Run | Field, ...], dict[str, object]]:
    steps: list[Run | Field] = []
    defaults: dict[str, object] = {}
    run: list[tuple[str, str]] = []
    for each in text.split():
        name, type_ = each.split(":")
        if type_ in _NUMBERS or type_ == "b96" or _BITS.match(type_):
            run.append((name, type_))
            if not type_.startswith("r"):
                defaults[name] = b"\0" * 12 if type_ == "b96" else False if type_ == "flag" else 0
            continue
        if run:
            steps.append(_run(run))
            run = []
        array = type_.endswith("[]")
        steps.append(Field(name=name, type=_NUMBERS[type_[:-2]] if array else type_))
        defaults[name] = (
            () if array else {"text": "", "bits": Bits(count=0, data=b""), "rest": b""}[type_]
        )  # fmt: skip
    if run:
        steps.append(_run(run))
    return tuple(steps), defaults


def _run(fields: list[tuple[str, str]]) -> Run:
    letters: list[str] = []
    parts: list[tuple[str, int, int, int, bool]] = []
    open_bits = 0  # of the byte or the pair of bytes that is being filled
    for index, (name, type_) in enumerate(fields):
        if not _BITS.match(type_):
            letters.append("12s" if type_ == "b96" else _NUMBERS[type_])
            parts.append((name, len(letters) - 1, 0, 0, False))
            continue
        if not open_bits:
            open_bits = _width(fields[index:])
            letters.append({8: "B", 16: "H"}[open_bits])
        size = 1 if type_ == "flag" else int(type_[1:])
        open_bits -= size
        if not type_.startswith("r"):
            parts.append((name, len(letters) - 1, open_bits, (1 << size) - 1, type_ == "flag"))
    return Run(packing=struct.Struct(">" + "".join(letters)), items=len(letters), parts=tuple(parts))


def _width(fields: list[tuple[str, str]]) -> int:
    """Bits up to the next whole byte's end that no field crosses."""
    total = 0
    for _, type_ in fields:
        total += 1 if type_ == "flag" else int(type_[1:])
        if total % 8 == 0:
            break
    return total
