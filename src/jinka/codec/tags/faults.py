"""What is wrong with a code, and where: at which character of a text, or at which bit of a tag."""

from __future__ import annotations

from jinka.kit import Fault, JinkaError, Refused


class TagError(JinkaError):
    """A code that is not what it claims to be; the peer's fault. ``where`` counts from 0."""

    fault = Fault.PEER


class WrongCheckDigit(TagError, Refused):
    """A code whose check digit is not the one that belongs to it: refused, whatever else is right."""

    fault = Fault.PEER
    exit_code = Refused.exit_code


def at_character(what: str, offset: int, *, fix: str = "") -> TagError:
    """A fault in a text: ``offset`` is the first character that does not fit."""
    return TagError(what, where=f"character {offset}", fix=fix)


def at_bits(what: str, start: int, end: int | None = None, *, fix: str = "") -> TagError:
    """A fault in a tag's memory: bits ``start`` to ``end`` (exclusive), counted from the header's first."""
    last = start if end is None else end - 1
    return TagError(what, where=f"bit {start}" if last <= start else f"bits {start} to {last}", fix=fix)
