"""One name for one thing: EPC URN, GS1 Digital Link and tag URN to the canonical Digital Link on id.gs1.org.

CBV 2.0, 8.9: a URN and a Digital Link of the same key are the same identity, whatever the domain of the link; its
attributes, its consumer product variant and whatever is coarser than its finest level do not count.
`canonical_id` is total: a text that is no well-formed identity of this kind is its own canonical form, so it may be
asked of every URI in an event. It does not look at check digits of links and is no validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from jinka.codec.tags.check_digit import check_digit
from jinka.codec.tags.keys import (
    ALNUM,
    FINEST,
    KEYS,
    PREFIX_MAX,
    PREFIX_MIN,
    QUALIFIERS,
    SHORT_NAMES,
    Key,
    Lead,
)

CANONICAL_STEM = "https://id.gs1.org/"
TEXT_MAX = 2048  # no identity is longer; what is, stays what it is
_CACHED, _CACHED_LENGTH = (
    1 << 15,
    256,
)  # texts, and characters of each: a stranger fills no more than some megabytes

_KINDS = 1 << 12  # classes and places of each scheme
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+").fullmatch
# Digital Link URI syntax, 4.11 and the reference implementation of CBV 8.9: what a path segment escapes.
_ESCAPED = str.maketrans({c: f"%{ord(c):02X}" for c in '!"#%&()*+,/:<>?'})
_CANONICAL = re.compile(
    r"https://id\.gs1\.org/(?:01/[0-9]{14}(?:/(?:21|10)/[A-Za-z0-9._-]{1,20})?|00/[0-9]{18}"
    r"|41[47]/[0-9]{13}(?:(?<=414/.{13})/254/(?!0$)[A-Za-z0-9._-]{1,20})?)"
).fullmatch

_HEADS = ("urn:epc:", "http://", "https://")
_SERIALISED = ("urn:epc:id:sgtin:", "urn:epc:class:lgtin:")
_PLAIN_SERIAL = re.compile(
    "[A-Za-z0-9_-]{1,20}"
).fullmatch  # needs no escape; without a dot, so that it is the whole
_SERIAL_MAX = 20
_TOGETHER = 8  # a shorter list is named sooner one by one
_ITEM = re.compile(r"https://id\.gs1\.org/01/[0-9]{14}/21/[A-Za-z0-9_-]{1,20}").fullmatch
_ITEM_STEM = len("https://id.gs1.org/01/") + 14 + len("/21/")
_LINKS: dict[str, str] = {}
_NAMES: dict[str, str] = {}

_Rule = Callable[[str], str | None]


def canonical_id(text: str) -> str:
    """Return the canonical form of an EPC URN or GS1 Digital Link; any other text as it is.

    A class (``lgtin``) and a pattern of a class (``idpat`` with ``*`` for the serial) have one as well: the link
    without the serial. Schemes without a GS1 key (GID, USDOD, ADI, BIC, IMOVN) keep their URN.
    """
    found = _NAMES.get(text)
    return _name(text) if found is None else found


def _name(text: str) -> str:
    """The canonical form, which is remembered: one capture asks for it ten times."""
    if not text.startswith(_HEADS) and text[:8].lower() not in _HEADS and text[:4].lower() != "http":
        return text
    found = _serial(text)
    if found is None:
        found = make_canonical(text)
        if found is not text and text.startswith(_SERIALISED):
            _remember_class(text, found)
    if len(text) <= _CACHED_LENGTH:
        if len(_NAMES) >= _CACHED:
            _NAMES.clear()
        _NAMES[text] = found
    return found


def canonical_ids(texts: Sequence[str]) -> list[str]:
    """`canonical_id` of each, in their order; what long lists hold mostly, serials of one class, is named at once.

    Serials are not remembered here: who asks for a whole list mostly asks once.
    """
    if len(texts) >= _TOGETHER:
        first = canonical_id(texts[0])
        stem = texts[0].rpartition(".")[0]
        link = _LINKS.get(stem)
        stem += "."
        if link is None and _ITEM(texts[0]):
            stem = link = first[:_ITEM_STEM]
        if link is not None:
            serials = ("\n" + "\n".join(texts)).split("\n" + stem)
            del serials[0]
            every = "".join(serials)  # letters and digits: then no line ends within one either
            plain = len(serials) == len(texts) and every.isascii() and every.isalnum()
            if plain and "" not in serials and max(map(len, serials)) <= _SERIAL_MAX:
                return [link + serial for serial in serials]
    return [_serial(text) or canonical_id(text) for text in texts]


def _serial(text: str) -> str | None:
    """The canonical form of the next serial of a class that is known."""
    class_, _, serial = text.rpartition(".")
    link = _LINKS.get(class_)
    return link + serial if link is not None and _PLAIN_SERIAL(serial) else None


def _remember_class(text: str, found: str) -> None:
    """Keep the link of a class up to its serial: serials differ, the class comes again."""
    class_, _, serial = text.rpartition(".")
    if class_.count(".") == 1 and _PLAIN_SERIAL(serial):
        if len(_LINKS) >= _KINDS:
            _LINKS.clear()
        _LINKS[class_] = found.removesuffix(serial)


def make_canonical(text: str) -> str:
    """As `canonical_id`, without a memory of what was asked before."""
    if len(text) > TEXT_MAX:
        return text
    if text.startswith("urn:epc:"):
        kind, _, rest = text[8:].partition(":")
        scheme, _, value = rest.partition(":")
        rule = _URN_RULES.get((kind, scheme))
        found = rule(value) if rule else None
        return text if found is None else found
    if _CANONICAL(text):
        return text
    head = text[:8].lower()
    if head == "urn:epc:" and head != text[:8]:
        return make_canonical(head + text[8:])
    if head.startswith(("http://", "https://")):
        found = _link(text)
        return text if found is None else found
    return text


def forget_names() -> None:
    """Empty the memory of `canonical_id`: for who measures."""
    _NAMES.clear()
    _LINKS.clear()


def unescape(text: str) -> str:
    """Replace percent escapes by their (ASCII) characters."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "%" in text else text


def link_escape(text: str) -> str:
    """Escape a value for a segment of a canonical Digital Link."""
    return text if _PLAIN(text) else text.translate(_ESCAPED)


def _within(charset: str, longest: int) -> Callable[[str], object]:
    return re.compile(f"[{charset}]{{1,{longest}}}").fullmatch


def _value(charset: str, longest: int) -> _Rule:
    """A function from an escaped value to the same as a canonical link has it, or None."""
    within = _within(charset, longest)
    plain = _within(r"A-Za-z0-9._\-" if charset == ALNUM else "0-9", longest)

    def value(text: str) -> str | None:
        if plain(text):
            return text
        raw = unescape(text)
        return raw.translate(_ESCAPED) if within(raw) else None

    return value


def _key_rule(key: Key) -> Callable[[str, str], str | None]:
    """A function from (company prefix, reference) to the primary segment of a canonical link."""
    stem = f"{CANONICAL_STEM}{key.ai}/"
    rest, lead, check = key.digits, key.lead, key.check
    if not key.digits:
        value = _value(key.charset, key.max_length)

        def alphanumeric(prefix: str, reference: str) -> str | None:
            found = value(prefix + reference) if reference else None
            return None if found is None else stem + found

        return alphanumeric

    def numeric(prefix: str, reference: str) -> str | None:
        if len(prefix) + len(reference) != rest:
            return None
        if lead is Lead.FIRST:
            body = reference[0] + prefix + reference[1:]
        else:
            body = lead.value + prefix + reference
        return stem + body + check_digit(body) if check else stem + body

    return numeric


def _quick_rule(key: Key) -> _Rule:
    """As `_urn_rule`, for keys of digits with a serial of their own or none: those that events are full of."""
    stem, total, serial = f"{CANONICAL_STEM}{key.ai}/", key.digits, key.serial
    indicated, lead, count = key.lead is Lead.FIRST, key.lead.value, 3 if key.serial else 2
    between = f"/{serial.ai}/" if serial and serial.ai else ""
    value: _Rule = _value(serial.charset, serial.max_length) if serial else str
    absent = serial.absent if serial else None

    def primary(prefix: str, reference: str) -> str | None:
        digits = prefix + reference
        if not PREFIX_MIN <= len(prefix) <= PREFIX_MAX or not (digits.isdigit() and digits.isascii()):
            return None
        body = reference[0] + prefix + reference[1:] if indicated else lead + digits
        return stem + body + check_digit(body)

    # Serials differ, what bears them comes again; keys without a serial are all different.
    known = lru_cache(_KINDS)(primary) if serial else primary

    def rule(text: str) -> str | None:
        parts = text.split(".", 2) if count == 3 else text.split(".")
        if len(parts) != count or len(parts[0]) + len(parts[1]) != total:
            return None
        made = known(parts[0], parts[1])
        if made is None or count == 2 or parts[2] == absent:
            return made
        end = value(parts[2])
        return None if end is None else made + between + end

    return rule


def _urn_rule(key: Key, *, pattern: bool) -> _Rule:
    """A function from what follows ``urn:epc:id:scheme:`` to the canonical link."""
    if key.digits and key.check and not key.pieces and not pattern:
        return _quick_rule(key)
    reference = "[0-9]*" if key.digits else r"[^.]+" if key.scheme == "cpi" else ".+"
    grammar = (
        f"([0-9]{{{PREFIX_MIN},{PREFIX_MAX}}})\\.({reference})" + r"\.([0-9]{2})\.([0-9]{2})" * key.pieces
    )
    serial = key.serial
    if serial:
        grammar += r"\.\*" if pattern else r"\.(.+)"
    fits, primary = re.compile(grammar).fullmatch, _key_rule(key)
    if serial is None or pattern:

        def bare(text: str) -> str | None:
            found = fits(text)
            if found is None:
                return None
            made = primary(found[1], found[2])
            return made + found[3] + found[4] if key.pieces and made else made

        return bare
    value, absent = _value(serial.charset, serial.max_length), serial.absent
    between = f"/{serial.ai}/" if serial.ai else ""
    last = 5 if key.pieces else 3

    def serialised(text: str) -> str | None:
        found = fits(text)
        if found is None:
            return None
        made = primary(found[1], found[2])
        if made is None:
            return None
        if last == 5:
            made += found[3] + found[4]
        end = found[last]
        if end == absent:
            return made
        end_value = value(end)
        return None if end_value is None else made + between + end_value

    return serialised


def _rules() -> dict[tuple[str, str], _Rule]:
    rules: dict[tuple[str, str], _Rule] = {}
    for key in KEYS:
        rules["class" if key.is_class else "id", key.scheme] = _urn_rule(key, pattern=False)
        if key.serial and not key.is_class and key.scheme != "sgln":
            rules["idpat", key.scheme] = _urn_rule(key, pattern=True)
    return rules


_URN_RULES = _rules()


def _primary_grammar(key: Key) -> str:
    """What a link's primary segment may hold, unescaped. Links show no company prefix, so its length is open."""
    if not key.digits:
        return f"[0-9]{{4}}[{key.charset}]{{1,{key.max_length - 4}}}"
    # A GRAI begins with a zero; published documents have some without, which are the same to CBV's reference as well.
    digits = f"[0-9]{{{key.digits + (key.lead is Lead.ZERO) + key.check}}}"
    if key.serial and not key.serial.ai:
        digits += f"(?:[{key.serial.charset}]{{1,{key.serial.max_length}}})?"
    return digits


_FITS: Mapping[str, Callable[[str], object]] = {
    key.ai: re.compile(_primary_grammar(key)).fullmatch for key in KEYS
} | {
    "01": re.compile("[0-9]{8}|[0-9]{12,14}").fullmatch,  # a GTIN of 8, 12 or 13 digits is the same thing
    "8006": re.compile("[0-9]{18}").fullmatch,
}
_QUALIFIER_VALUES = {
    key.serial.ai: _within(key.serial.charset, key.serial.max_length)
    for key in KEYS
    if key.serial and key.serial.ai
} | {"22": _within(KEYS[0].serial.charset, 20) if KEYS[0].serial else _PLAIN}


def _link(text: str) -> str | None:
    """The canonical form of a Digital Link on any domain, or None."""
    path = text.split("#", 1)[0].split("?", 1)[0].split("/")[3:]
    if path and not path[-1]:
        path.pop()
    for at in range(len(path) - 2, -1, -1):  # the primary key is the last one in the path
        ai = SHORT_NAMES.get(path[at], path[at])
        if ai in _FITS and (len(path) - at) % 2 == 0:
            found = _canonical_path(ai, path[at + 1], path[at + 2 :])
            if found is not None:
                return found
    return None


def _canonical_path(ai: str, primary: str, rest: list[str]) -> str | None:
    value = unescape(primary)
    if not _FITS[ai](value):
        return None
    if ai == "01":
        value = value.rjust(14, "0")
    allowed, qualifiers = QUALIFIERS.get(ai, ()), dict[str, str]()
    for name, escaped in zip(rest[::2], rest[1::2], strict=True):
        qualifier = SHORT_NAMES.get(name, name)
        raw = unescape(escaped)
        if qualifier not in allowed or qualifier in qualifiers or not raw:
            return None
        if qualifier in _QUALIFIER_VALUES and not _QUALIFIER_VALUES[qualifier](raw):
            return None
        qualifiers[qualifier] = raw
    link = f"{CANONICAL_STEM}{ai}/{link_escape(value)}"
    for qualifier in FINEST.get(ai, ()):
        if qualifier in qualifiers:
            if (qualifier, qualifiers[qualifier]) == ("254", "0"):
                return link
            return f"{link}/{qualifier}/{link_escape(qualifiers[qualifier])}"
    return link
