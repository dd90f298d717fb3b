"""Random LLRP messages: by our own tables, and by the tables of pyllrp with that program's classes."""

from __future__ import annotations

import random
import runpy
from typing import Any

import bitstring
from pyllrp import llrpdef, pyllrp

from jinka.codec.llrp import Bits, Element, Kind, Message
from jinka.codec.llrp.parameters import PARAMETERS_BY_NAME
from jinka.codec.llrp.shapes import Field, Run

# pyllrp throws its tables away once it has made its classes of them
_TABLES = runpy.run_path(llrpdef.__file__)
PEER_MESSAGES: list[dict[str, Any]] = _TABLES["messages"]
PEER_PARAMETERS: list[dict[str, Any]] = _TABLES["parameters"]
VENDOR = 0x00ABCDEF
_SIZES = {"B": 8, "H": 16, "I": 32, "Q": 64, "b": 8, "h": 16}


def random_message(kind: Kind, chance: random.Random) -> Message:
    """One of our own, every field and every slot drawn."""
    return Message(id=chance.getrandbits(32), body=_element(kind, chance, 0))


def _element(kind: Kind, chance: random.Random, depth: int) -> Element:
    values: dict[str, Any] = {}
    for step in kind.steps:
        values |= _run(step, chance) if isinstance(step, Run) else {step.name: _field(step, chance)}
    if "VendorIdentifier" in values:
        values["VendorIdentifier"] = VENDOR
    children: list[Element] = []
    for slot in kind.slots:
        most = slot.least if depth > 4 else (slot.most or slot.least + 2)
        for _ in range(chance.randint(slot.least, most)):
            name = chance.choice([n for n in slot.names if n != "Custom" or len(slot.names) == 1])
            children.append(_element(PARAMETERS_BY_NAME[name], chance, depth + 1))
    return Element(kind=kind, values=values, children=tuple(children))


def _run(run: Run, chance: random.Random) -> dict[str, Any]:
    letters = run.packing.format.replace("12s", "x")[1:]
    values: dict[str, Any] = {}
    for name, item, _, mask, flag in run.parts:
        letter = letters[item]
        if letter == "x":
            values[name] = chance.randbytes(12)
        elif mask:
            values[name] = bool(chance.getrandbits(1)) if flag else chance.randint(0, mask)
        elif letter.islower():
            values[name] = chance.randint(-(1 << _SIZES[letter] - 1), (1 << _SIZES[letter] - 1) - 1)
        else:
            values[name] = chance.getrandbits(_SIZES[letter])
    return values


def _field(field: Field, chance: random.Random) -> Any:
    count = chance.randint(0, 5)
    if field.type == "text":
        return "".join(chance.choice("reader 读写器 ñ") for _ in range(count))
    if field.type == "rest":
        return chance.randbytes(count)
    if field.type == "bits":
        bits = chance.randint(0, 130)
        whole = chance.getrandbits(bits) if bits else 0
        return Bits(count=bits, data=(whole << -bits % 8).to_bytes((bits + 7) // 8, "big"))
    return tuple(chance.getrandbits(_SIZES[field.type]) for _ in range(count))


def peer_message(name: str, chance: random.Random) -> Any:
    """One of pyllrp's, by that program's own tables."""
    (spec,) = [each for each in PEER_MESSAGES if each["name"] == name]
    made = getattr(pyllrp, f"{name}_Message")(MessageID=chance.getrandbits(32))
    return _fill(made, spec, chance, 0)


def _fill(made: Any, spec: dict[str, Any], chance: random.Random, depth: int) -> Any:
    for field in made.FieldDefs:
        if not field.TypeCode.startswith("skip"):
            setattr(made, field.Name, _peer_value(field, chance))
    for slot in spec.get("parameters", ()):
        least, most = slot["repeat"]
        for _ in range(chance.randint(least, min(most, least + 2) if depth < 4 else least)):
            names = [n for n, of in _CHOICES.items() if of == slot["parameter"]] or [slot["parameter"]]
            inner = chance.choice([n for n in names if not n.startswith(("Impinj", "Custom"))] or [""])
            if inner:
                (of,) = [each for each in PEER_PARAMETERS if each["name"] == inner]
                made.Parameters.append(_fill(getattr(pyllrp, f"{inner}_Parameter")(), of, chance, depth + 1))
    return made


_CHOICES: dict[str, str] = _TABLES["choiceDefinitions"]


def _peer_value(field: Any, chance: random.Random) -> Any:
    type_, _, size = field.TypeCode.partition(":")
    if field.Enum:
        value = chance.choice(field.Enum._choices)[0]
        if type_ == "array":
            return [value]
        return bool(value) if type_ == "bool" else value
    if type_ == "bool":
        return bool(chance.getrandbits(1))
    if type_ in ("uintbe", "bits"):
        return max(1, chance.getrandbits(int(size)))
    if type_ == "intbe":
        return chance.randint(-(1 << int(size) - 1), (1 << int(size) - 1) - 1)
    if type_ == "string":
        return "".join(chance.choice("reader 读写器 ñ") for _ in range(chance.randint(0, 5)))
    if type_ == "array":
        return [chance.getrandbits(int(size)) for _ in range(chance.randint(0, 5))]
    assert type_ == "bitarray"
    return chance.randbytes(chance.randint(0, 17))


def peer_bytes(made: Any) -> bytes:
    """As pyllrp sends it."""
    packed = made.pack(bitstring.BitStream()).tobytes()
    assert isinstance(packed, bytes)
    return packed
