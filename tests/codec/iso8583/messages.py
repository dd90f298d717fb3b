"""Messages of any dialect for property tests: values that its specification allows, and hostile changes to bytes."""

from __future__ import annotations

import random
import string

from hypothesis import strategies as st

from jinka.codec.iso8583.message import Message, Value
from jinka.codec.iso8583.spec import Coding, Content, Counts, FieldSpec, MessageSpec

_LETTERS = {
    Content.A: string.ascii_letters + " ",
    Content.N: string.digits,
    Content.AN: string.ascii_letters + string.digits + " ",
    Content.ANS: "".join(map(chr, range(32, 127))),
    Content.Z: "0123456789:;<=>?",
    Content.XN: string.digits,
}


def values(field: FieldSpec) -> st.SearchStrategy[Value]:
    """Every value that the field may hold."""
    least = 0 if field.prefix else field.size
    most = field.size
    if field.prefix:
        most = min(most, 60, field.prefix.highest)
        if field.prefix.counts is Counts.BYTES and field.coding is Coding.HEX:
            most = min(most, field.prefix.highest // 2)
    if field.is_bytes:
        return st.binary(min_size=least, max_size=most)
    letters = "中文金卡 A1" if field.coding is Coding.GB18030 and field.prefix else _LETTERS[field.content]
    if field.coding is Coding.GB18030 and field.prefix:
        most //= 4
    text = st.text(st.sampled_from(letters), min_size=least, max_size=most)
    if field.content is Content.XN:
        return st.tuples(st.sampled_from("CD"), text).map("".join)
    packed = field.coding in (Coding.BCD, Coding.BCD_LEFT)
    if packed and field.prefix and field.prefix.counts is Counts.BYTES:
        return text.filter(lambda found: len(found) % 2 == 0)
    return text


@st.composite
def messages(draw: st.DrawFn, spec: MessageSpec, most: int = 12) -> Message:
    """A message of some of the dialect's fields."""
    numbers = draw(st.lists(st.sampled_from(sorted(spec.fields)), unique=True, max_size=most))
    mti = draw(st.text(st.sampled_from(string.digits), min_size=4, max_size=4))
    return Message(mti=mti, fields={n: draw(values(spec.fields[n])) for n in sorted(numbers)})


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """The bytes with a few changes: flips, cuts, insertions, false lengths."""
    found = bytearray(raw)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = dice.randrange(len(found)) if found else 0
        kind = dice.randrange(5)
        if kind == 0 and found:
            found[at] ^= 1 << dice.randrange(8)
        elif kind == 1 and found:
            found[at] = dice.choice(b"\x00\x01\x09\x10\x30\x39\x3a\x7f\x80\x99\xf0\xff \n")
        elif kind == 2:
            del found[at : at + dice.randrange(1, 9)]
        elif kind == 3:
            found[at:at] = dice.randbytes(dice.randrange(1, 9))
        else:
            found += dice.randbytes(dice.choice((1, 8, 200)))
    return bytes(found)
