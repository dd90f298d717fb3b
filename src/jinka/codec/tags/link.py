"""GS1 Digital Links: a key, its qualifiers and its attributes in a web address, and back.

GS1 Digital Link URI syntax 1.6: 4 (grammar), 4.12 (canonical form on id.gs1.org). Read strictly here, with check
digits; `jinka.codec.tags.identity` asks no more than which thing a link names. A GTIN of 8, 12 or 13 digits, a pair of
the query that is no application identifier, and the short names of earlier versions (``/gtin/``) are read and never
written. A link may hold a tag's bits instead (Compression for EPC binary strings 1.0, 4.2): ``/eh`` with hexadecimal,
``/ex`` with base 64. The older compression of whole links is not read.
"""

from __future__ import annotations

import re

from jinka.codec.tags.ai_codec import BASE64
from jinka.codec.tags.ai_table import IDENTIFIERS
from jinka.codec.tags.binary import decode_bits, decode_hex
from jinka.codec.tags.elements import check_value
from jinka.codec.tags.epc import Elements
from jinka.codec.tags.faults import TagError, at_character
from jinka.codec.tags.identity import CANONICAL_STEM, TEXT_MAX, link_escape, unescape
from jinka.codec.tags.keys import KEYS, QUALIFIERS, SHORT_NAMES
from jinka.codec.tags.tag import Tag
from jinka.kit import NotFound

_PRIMARY = frozenset({*(key.ai for key in KEYS), "8013"})
_STEM = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)
_COMPRESSED = re.compile(r"^https?://[^?#\s]+/e(?:h([0-9a-f]+)|x([A-Za-z0-9_-]+))/?(?:[?#]|$)", re.ASCII)
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def parse_link(text: str) -> Elements:
    """Read a Digital Link on any domain: the key, its qualifiers, then the attributes of the query.

    Raises `TagError` at the character, `NotFound` for a web address without a key, `Refused` for a wrong check digit.
    """
    if len(text) > TEXT_MAX:
        raise at_character(f"a link of {len(text)} characters", TEXT_MAX)
    if not text.isascii():
        offset = next(at for at, letter in enumerate(text) if not letter.isascii())
        raise at_character(
            "a link is written in ASCII", offset, fix="percent escapes stand for other characters"
        )
    stem, escape = _STEM.match(text), _BAD_ESCAPE.search(text)
    if stem is None:
        raise at_character("no web address", 0, fix="it begins with https://")
    if escape:
        raise at_character("a % without two hexadecimal digits", escape.start())
    tag = compressed_tag(text)
    if tag is not None:
        return tag.elements
    end = re.search("[?#]|$", text)
    path_end = end.start() if end else len(text)
    found = _path(text[: path_end - text.endswith("/", 0, path_end)], stem.end())
    seen = dict(found)
    query = text[path_end:].partition("#")[0]
    at = path_end + 1
    for pair in re.split("[&;]", query[1:]) if query.startswith("?") else ():
        name, _, value = pair.partition("=")
        if name in IDENTIFIERS:
            if name in seen:
                raise at_character(f"({name}) stands twice", at)
            if name in QUALIFIERS.get(found[0][0], ()):  # there it would not count for which thing it is
                raise at_character(
                    f"({name}) stands behind the question mark", at, fix=f"it belongs into the path: /{name}/"
                )
            seen[name] = unescape(value)
            check_value(name, seen[name], at + len(name) + 1)
        at += len(pair) + 1
    return tuple(seen.items())


def compressed_tag(text: str) -> Tag | None:
    """The tag whose bits a link holds instead of a key, or None where it holds none that can be read."""
    found = _COMPRESSED.search(text) if len(text) <= TEXT_MAX else None
    if found is None:
        return None
    try:
        if found[1]:
            return decode_hex(found[1])
        value = 0
        for letter in found[2]:
            value = value << 6 | BASE64.index(letter)
        return decode_bits(value, 6 * len(found[2]))
    except TagError:
        return None  # many a page begins with ex


def digital_link(elements: Elements, stem: str = CANONICAL_STEM) -> str:
    """Write the link of a key: its qualifiers in the path, all else in the query; empty where there is no key."""
    values = dict(elements)
    ai = next((ai for ai in values if ai in _PRIMARY), None)
    if ai is None:
        return ""
    path = [ai, *(name for name in QUALIFIERS.get(ai, ()) if name in values)]
    query = "&".join(f"{name}={link_escape(values[name])}" for name in sorted(values) if name not in path)
    shown = "/".join(f"{name}/{link_escape(values[name])}" for name in path)
    return f"{stem.rstrip('/')}/{shown}" + f"?{query}" * bool(query)


def _path(text: str, start: int) -> list[tuple[str, str]]:
    """The last key in the path with its qualifiers; what stands before it is the owner's business."""
    words, places, at = text[start + 1 :].split("/"), list[int](), start + 1
    for word in words:
        places.append(at)
        at += len(word) + 1
    names = [SHORT_NAMES.get(word, word) for word in words]
    first = next(
        (n for n in range(len(words) - 2, -1, -1) if names[n] in _PRIMARY and not (len(words) - n) % 2), None
    )
    if first is None:
        raise NotFound(
            "the address names no GS1 key",
            where=text,
            fix="such as /01/ with a GTIN; compressed links are not read",
        )
    ai, value = names[first], unescape(words[first + 1])
    if ai == "01" and re.fullmatch("[0-9]{8}|[0-9]{12,13}", value):
        value = value.rjust(14, "0")
    check_value(ai, value, places[first + 1])
    found = [(ai, value)]
    allowed = list(QUALIFIERS.get(ai, ()))
    for n in range(first + 2, len(words), 2):
        if names[n] not in allowed:
            fix = ", ".join(allowed) or "none"
            raise at_character(f"({names[n][:8]}) may not stand here", places[n], fix=f"what may: {fix}")
        allowed = allowed[allowed.index(names[n]) + 1 :]
        value = unescape(words[n + 1])
        check_value(names[n], value, places[n + 1])
        found.append((names[n], value))
    if not all(value for _, value in found):
        raise TagError("an empty value", where=text)
    return found
