"""EPC patterns of queries (EPCIS 2.0, 8.2.7.1.1; ``urn:epc:idpat``) as beginnings of canonical identifiers.

A canonical identifier (`jinka.codec.tags.canonical_id`) shows no length of its company prefix, so a pattern with a
wild reference also finds what lies under a longer prefix that begins with the same digits.
"""

from __future__ import annotations

import re

from jinka.codec.tags import canonical_id
from jinka.codec.tags.identity import CANONICAL_STEM
from jinka.codec.tags.keys import KEYS, Lead

_PATTERN = re.compile(r"urn:epc:idpat:([a-z]+):(.+)", re.IGNORECASE)
_KEYS = {key.scheme: key for key in KEYS}


def is_pattern(text: str) -> bool:
    """Whether a text is a pattern and not an identifier."""
    return _PATTERN.fullmatch(text) is not None and "*" in text


def beginnings(pattern: str) -> tuple[str, ...]:
    """What the canonical form of everything that matches begins with; raises ValueError for what is no pattern."""
    found = _PATTERN.fullmatch(pattern)
    key = _KEYS.get(found[1].lower()) if found else None
    if found is None or key is None:
        raise ValueError("no pattern of a GS1 key")
    prefix, *rest = found[2].split(".")
    wild = [part == "*" for part in rest]
    if not rest or wild != sorted(wild) or not any(wild) or (prefix == "*" and not all(wild)):
        raise ValueError("wild parts stand at the end: PREFIX.REFERENCE.*, PREFIX.*.* or *.*.*")
    stem = f"{CANONICAL_STEM}{key.ai}/"
    if prefix == "*":
        return (stem,)
    if not prefix.isdigit():
        raise ValueError("a company prefix has digits alone")
    if wild[0]:
        if key.lead is Lead.FIRST:
            return tuple(f"{stem}{digit}{prefix}" for digit in range(10))
        return (f"{stem}{key.lead.value}{prefix}",)
    if key.serial is None:
        raise ValueError("nothing of this key can be wild but its reference")
    kind = "class" if key.is_class else "id"
    head = f"urn:epc:{kind}:{key.scheme}:{'.'.join(part for part in (prefix, *rest) if part != '*')}"
    absent = key.serial.absent
    one = canonical_id(f"{head}.{absent or '1'}")
    if not one.startswith(stem):
        raise ValueError("the reference does not fit its company prefix")
    return (one if absent else one.removesuffix("1"),)
