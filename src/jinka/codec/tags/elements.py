"""GS1 element strings: what a barcode says, with and without brackets, and with FNC1.

GS1 General Specifications 24, 7.8 (concatenation) and 7.9 (check digits). Three ways of writing are read: brackets
around the identifiers, ``(01)...(21)...``, where a bracket that belongs to a value has a backslash before it; what a
scanner sends, with the group separator (1D hex) for FNC1 and perhaps a symbology identifier before it (``]C1``,
``]d2``, ``]Q3``, ``]e0``, ``]J1``); and the same with ``^`` for every FNC1. Which identifiers have to be together, or
may not be, is not checked.
"""

from __future__ import annotations

import re

from jinka.codec.tags.ai_table import AI_LENGTHS, IDENTIFIERS, ApplicationIdentifier, fits
from jinka.codec.tags.check_digit import check_key
from jinka.codec.tags.epc import Elements
from jinka.codec.tags.faults import TagError, at_character
from jinka.kit import NotFound

FNC1 = "\x1d"
TEXT_MAX = 1024
_SYMBOLOGY = ("]C1", "]d2", "]Q3", "]e0", "]J1")
_BRACKET = re.compile(r"\(([0-9]{2,4})\)((?:\\[()\\]|[^()\\])*)")
_ESCAPE = re.compile(r"\\([()\\])")


def parse_elements(text: str) -> Elements:
    """Read an element string. Raises `TagError` at the character, `NotFound` for an unknown identifier and `Refused`
    for a wrong check digit."""
    if len(text) > TEXT_MAX:
        raise at_character(f"an element string of {len(text)} characters", TEXT_MAX)
    found = _bracketed(text) if text.startswith("(") else _scanned(text)
    seen: dict[str, str] = {}
    for ai, value in found:
        if seen.setdefault(ai, value) != value:
            raise TagError(f"({ai}) stands twice, with two values", where=f"({ai})")
    return tuple(seen.items())


def identifier(ai: str, where: str) -> ApplicationIdentifier:
    """Look an application identifier up; `NotFound` says where it stood."""
    found = IDENTIFIERS.get(ai)
    if found is None:
        raise NotFound(f"no application identifier ({ai}) is declared", where=where)
    return found


def check_value(ai: str, value: str, offset: int = 0) -> None:
    """Raise unless ``value`` may stand behind ``(ai)``: its characters, its length and its check digit."""
    known = identifier(ai, f"character {offset}")
    if not fits(ai)(value):
        wrong = _first_misfit(known, value)
        raise at_character(f"not a value of ({ai})", offset + wrong, fix=f"it is {known.words}")
    if known.check:
        check_key(value[: known.check], f"({ai}) {value}")


def show_elements(elements: Elements) -> str:
    """Write an element string with brackets; a bracket in a value gets a backslash."""
    return "".join(
        f"({ai}){re.sub(r'[()]', lambda found: chr(92) + found[0], value)}" for ai, value in elements
    )


def scan_elements(elements: Elements) -> str:
    """Write what a scanner sends: FNC1 behind a value without predefined length, unless it is the last."""
    text, open_end = "", False
    for ai, value in elements:
        text += (FNC1 if open_end else "") + ai + value
        open_end = not identifier(ai, "elements").ends_itself
    return text


def _bracketed(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        match = _BRACKET.match(text, at)
        if match is None:
            raise at_character(
                "an application identifier in brackets belongs here",
                at,
                fix=r"a bracket in a value is \( or \)",
            )
        value = _ESCAPE.sub(r"\1", match[2])
        check_value(match[1], value, match.start(2))
        found.append((match[1], value))
        at = match.end()
    return found


def _scanned(text: str) -> list[tuple[str, str]]:
    at = 3 if text.startswith(_SYMBOLOGY) else 0
    mark = "^" if text.startswith("^", at) else FNC1
    at += text.startswith(mark, at)
    found = []
    while at < len(text):
        length = AI_LENGTHS.get(text[at : at + 2])
        if length is None:
            raise at_character(f"no application identifier begins with {text[at : at + 2]!r}", at)
        ai = text[at : at + length]
        known = identifier(ai, f"character {at}")
        start = at + length
        end = text.find(mark, start)
        end = len(text) if end < 0 else end
        if known.ends_itself:
            end = min(end, start + sum(part.length for part in known.components))
        check_value(ai, text[start:end], start)
        found.append((ai, text[start:end]))
        at = end + text.startswith(mark, end)
    if not found:
        raise at_character("an empty element string", 0)
    return found


def _first_misfit(known: ApplicationIdentifier, value: str) -> int:
    """Where a value stops to be the beginning of a right one: its first wrong character, else its end.

    Of a value that is long enough and has the right characters (a date that is none) it is the beginning.
    """
    longest = sum(part.length for part in known.components)
    for end in range(len(value)):
        if end >= longest or not re.fullmatch(r"[!-#%-?A-Z_a-z]", value[end]):
            return end
        if end < known.components[0].length and known.check > end and not "0" <= value[end] <= "9":
            return end
    return 0 if len(value) == longest else len(value)
