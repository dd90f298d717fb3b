"""An ISO 8583 message as a value, and the errors of reading and writing one.

Text and digits are `str`, bytes are `bytes`; what lies inside a field is taken apart by `nested`. What a message
prints of itself is masked. Headers in front of the type belong to `jinka.codec.framing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinka.kit import Fault, JinkaError
from jinka.kit.frozen import quick

Value = str | bytes

# Account numbers, tracks, PIN blocks and chip data, whatever the dialect: never in a message's own print.
HIDDEN = frozenset({2, 14, 34, 35, 36, 45, 48, 52, 53, 55, 58, 61, 62, 63, 96, 102, 103})


class MessageError(JinkaError):
    """``path`` is the field and what lies in it (``55.9F02``), ``offset`` the byte, -1 where there is none.

    The text never holds what the field holds.
    """

    def __init__(self, what: str, *, path: str, offset: int = -1, fix: str = "") -> None:
        self.path, self.offset = path, offset
        named = path if not path[:1].isdigit() else f"field {path}"
        super().__init__(what, where=named if offset < 0 else f"{named}, offset {offset}", fix=fix)


class DecodeError(MessageError):
    """The peer's bytes are not a message of this dialect.

    ``begun`` is what could be read before that: the type and the fields in front of the fault. None where the fault
    is in the type or the bitmap.
    """

    fault = Fault.PEER
    begun: Message | None = None


class EncodeError(MessageError):
    """Our own value does not fit the dialect."""

    fault = Fault.OURS


def in_order(fields: dict[int, Value]) -> dict[int, Value]:
    """The fields in the order of their numbers; the same dictionary where they are."""
    numbers = sorted(fields)
    return fields if numbers == list(fields) else {number: fields[number] for number in numbers}


@quick
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Message:
    """The type's four digits, and the fields by number."""

    mti: str
    fields: Mapping[int, Value]

    def text(self, number: int) -> str:
        """A field of text or digits; the empty string where it is absent. For bytes, `raw`."""
        value = self.fields.get(number, "")
        return value if isinstance(value, str) else value.hex().upper()

    def raw(self, number: int) -> bytes:
        """A field of bytes; empty where it is absent. `DecodeError` when the dialect writes it as text."""
        value = self.fields.get(number, b"")
        if isinstance(value, str):
            raise DecodeError("text where bytes are asked for", path=str(number))
        return value

    def changed(self, fields: Mapping[int, Value | None], mti: str = "") -> Message:
        """A copy with other fields (None takes one away) and, where given, another type."""
        kept = dict(self.fields)
        for number, value in fields.items():
            if value is None:
                kept.pop(number, None)
            else:
                kept[number] = value
        return Message(mti=mti or self.mti, fields=in_order(kept))

    def __repr__(self) -> str:
        shown = (f"{n}: {'…' if n in HIDDEN else repr(value)}" for n, value in self.fields.items())
        return f"Message({self.mti} {{{', '.join(shown)}}})"
