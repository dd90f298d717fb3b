"""Pure identities: EPC URNs, their classes and patterns, and the GS1 keys that they are.

GS1 Tag Data Standard 2.x: 6.3 (EPC URN), 6.4 (classes), 7 (correspondence to GS1 keys), 8 (patterns). The parts of an
`Epc` are unescaped and in the order of the URN. Which of a key's digits are the company prefix is known to a URN and to
no barcode; from there it takes the prefix's length (`jinka.codec.tags.prefixes`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jinka.codec.tags.check_digit import check_digit, check_key
from jinka.codec.tags.faults import TagError, at_character
from jinka.codec.tags.identity import unescape
from jinka.codec.tags.keys import KEY_BY_SCHEME, NUMERIC, PLAIN, PREFIX_MAX, PREFIX_MIN, Key, Lead, Serial
from jinka.kit import NotFound
from jinka.kit.frozen import quick

Elements = tuple[tuple[str, str], ...]  # application identifiers with their values
TEXT_MAX = 2048

# Section 5: what a URN may show as it is; the other characters of a serial are escaped.
_URN_ESCAPED = str.maketrans({c: f"%{ord(c):02X}" for c in '"#%&/<>?'})
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_PLAIN_TEXT = re.compile(r"[!'()*+,\-.0-9:;=A-Z_a-z]*").fullmatch


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Epc:
    """A pure identity. ``wild`` counts the last parts that are ``*``: a pattern, not a thing."""

    scheme: str  # the word of the URN: sgtin, lgtin, sscc, gid ...
    parts: tuple[str, ...]
    wild: int = 0

    @property
    def key(self) -> Key | None:
        """The GS1 key that this is, where it is one."""
        return KEY_BY_SCHEME.get(self.scheme)

    @property
    def urn(self) -> str:
        """``urn:epc:id:`` of a thing, ``urn:epc:class:`` of a lot, ``urn:epc:idpat:`` of a pattern."""
        key = self.key
        kind = "idpat" if self.wild else "class" if key is not None and key.is_class else "id"
        shown = self.parts[: len(self.parts) - self.wild]
        return ":".join(("urn:epc", kind, self.scheme, ".".join([*map(urn_escape, shown), *"*" * self.wild])))

    @property
    def elements(self) -> Elements:
        """The GS1 key as application identifiers; of a pattern what it fixes. Empty where it is no GS1 key."""
        key = self.key
        if key is None or self.wild > (1 if key.serial else 0):
            return ()
        prefix, reference, *more = self.parts
        value = key_value(key, prefix, reference, "".join(more[:2]) if key.pieces else "")
        serial = None if self.wild or not key.serial else more[-1]
        if serial is None or key.serial is None or serial == key.serial.absent:
            return ((key.ai, value),)
        return ((key.ai, value), (key.serial.ai, serial)) if key.serial.ai else ((key.ai, value + serial),)


def urn_escape(text: str) -> str:
    """Escape a part for a URN (section 5 and annex A)."""
    return text if _PLAIN_TEXT(text) else text.translate(_URN_ESCAPED)


def key_value(key: Key, prefix: str, reference: str, pieces: str = "") -> str:
    """Put a GS1 key together from company prefix and reference, with its check digit."""
    if key.lead is Lead.FIRST:
        body = reference[:1] + prefix + reference[1:]
    else:
        body = key.lead.value + prefix + reference
    return body + (check_digit(body) if key.check else "") + pieces


def parse_urn(text: str) -> Epc:
    """Read ``urn:epc:id:``, ``urn:epc:class:`` and ``urn:epc:idpat:``. Raises `TagError` at the character."""
    if len(text) > TEXT_MAX:
        raise at_character(f"a text of {len(text)} characters is no EPC", TEXT_MAX)
    if not text.isascii():
        offset = next(at for at, letter in enumerate(text) if not letter.isascii())
        raise at_character("an EPC is written in ASCII", offset)
    words = text.split(":", 4)
    if len(words) < 5 or [w.lower() for w in words[:2]] != ["urn", "epc"]:
        raise at_character(
            "no EPC URN", 0, fix="it begins with urn:epc:id:, urn:epc:class: or urn:epc:idpat:"
        )
    kind, scheme, body = words[2:]
    start = len(text) - len(body)
    if kind not in ("id", "class", "idpat"):
        raise at_character(f"urn:epc:{kind} is no identity", 8, fix="id, class or idpat")
    key = KEY_BY_SCHEME.get(scheme)
    if (key is None and scheme not in PLAIN) or (kind == "class") != (key is not None and key.is_class):
        raise at_character(f"no scheme {scheme} of urn:epc:{kind}", 9 + len(kind))
    found = _BAD_ESCAPE.search(body)
    if found:
        raise at_character("a % without two hexadecimal digits", start + found.start())
    count = parts_of(scheme)
    split = body.split(".", count - 1)
    if len(split) != count:
        raise at_character(f"{scheme} has {count} parts, not {len(split)}", len(text))
    wild = 0
    while kind == "idpat" and wild < count and split[-1 - wild] == "*":
        wild += 1
    epc = Epc(scheme=scheme, parts=tuple(map(unescape, split)), wild=wild)
    offsets = [start + sum(len(part) + 1 for part in split[:at]) for at in range(count)]
    check_parts(epc, offsets)
    return epc


def parts_of(scheme: str) -> int:
    """How many parts a URN of this scheme has."""
    key = KEY_BY_SCHEME.get(scheme)
    return len(PLAIN[scheme]) if key is None else 2 + 2 * key.pieces + (key.serial is not None)


def check_parts(epc: Epc, offsets: list[int] | None = None) -> None:
    """Raise `TagError` for the first part that its scheme does not allow; ``offsets`` say where each begins."""
    places = offsets or [0] * len(epc.parts)
    fixed = epc.parts[: len(epc.parts) - epc.wild]
    key = epc.key
    if key is None:
        for part, (name, grammar, words), place in zip(fixed, PLAIN[epc.scheme], places, strict=False):
            if not re.fullmatch(grammar, part):
                raise at_character(f"{name} does not fit {epc.scheme}", place, fix=f"it is {words}")
        return
    if fixed and not re.fullmatch(f"[0-9]{{{PREFIX_MIN},{PREFIX_MAX}}}", fixed[0]):
        raise at_character(f"a company prefix has {PREFIX_MIN} to {PREFIX_MAX} digits", places[0])
    if len(fixed) > 1:
        _check_reference(key, fixed[0], fixed[1], places[1])
    for at in (2, 3) if key.pieces else ():
        if len(fixed) > at and not re.fullmatch("[0-9]{2}", fixed[at]):
            raise at_character("piece and total have two digits each", places[at])
    if key.serial and len(fixed) == len(epc.parts):
        check_serial(key.serial, fixed[-1], places[-1])


def check_serial(serial: Serial, text: str, place: int = 0) -> None:
    """Raise `TagError` unless ``text`` may be the serial of a key."""
    if not re.fullmatch(f"[{serial.charset}]{{1,{serial.max_length}}}", text):
        kind = "digits" if serial.charset == NUMERIC else "characters of the GS1 set"
        raise at_character(f"a {serial.name} has 1 to {serial.max_length} {kind}", place)


def _check_reference(key: Key, prefix: str, reference: str, place: int) -> None:
    if key.digits:
        want = key.digits - len(prefix)
        if not re.fullmatch(f"[0-9]{{{want}}}", reference):
            raise at_character(
                f"after a company prefix of {len(prefix)} digits a {key.scheme} reference has {want} digits",
                place,
            )
    elif not re.fullmatch(f"[{key.charset}]{{1,{key.max_length - len(prefix)}}}", reference):
        raise at_character(
            f"not a reference of {key.scheme}: 1 to {key.max_length - len(prefix)} characters", place
        )


def epc_of(elements: Elements, prefix_digits: int) -> Epc:
    """Split a GS1 key at its company prefix. The key's check digit has to be right (`Refused`).

    ``elements`` names one key and, where it has one, its serial; others are left out. Raises `NotFound` for
    a key that is no EPC, `TagError` for one that does not fit the length.
    """
    values = dict(elements)
    key, serial = _key_of(values)
    value = values[key.ai]
    if not PREFIX_MIN <= prefix_digits <= PREFIX_MAX:
        raise TagError(
            f"a company prefix of {prefix_digits} digits", where=f"({key.ai})", fix="6 to 12 digits"
        )
    parts: list[str] = []
    if not key.digits:
        parts = [value[:prefix_digits], value[prefix_digits:]]
    else:
        end = key.digits + (key.lead is Lead.ZERO) + key.check
        main, rest = value[:end], value[end:]
        if len(main) < end or not re.fullmatch("[0-9]+", main):
            raise TagError(f"a key of {end} digits is needed", where=f"({key.ai})")
        if key.check:
            check_key(main, f"({key.ai}) {main}")
        body = main[: end - key.check]
        if key.lead is Lead.FIRST:
            parts = [body[1 : 1 + prefix_digits], body[0] + body[1 + prefix_digits :]]
        else:
            body = body[key.lead is Lead.ZERO :]
            parts = [body[:prefix_digits], body[prefix_digits:]]
        if key.pieces:
            parts += [rest[:2], rest[2:]]
        elif key.serial and not key.serial.ai:
            serial = rest
    wild = 0
    if key.serial:
        if not serial:
            wild = key.serial.absent is None
            serial = key.serial.absent or "*"
        parts.append(serial)
    epc = Epc(scheme=key.scheme, parts=tuple(parts), wild=int(wild))
    check_parts(epc)
    return epc


def _key_of(values: dict[str, str]) -> tuple[Key, str]:
    """The finest key that these application identifiers name, and its serial."""
    named = [key for key in KEY_BY_SCHEME.values() if key.ai in values]
    for key in named:
        if key.serial and values.get(key.serial.ai):
            return key, values[key.serial.ai]
    if not named:
        shown = ", ".join(f"({ai})" for ai in values) or "nothing"
        raise NotFound(
            f"{shown} names no EPC", where="elements", fix="a key such as (01) with (21), (00) or (414)"
        )
    return named[0], ""
