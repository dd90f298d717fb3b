"""What a tag holds: an encoding with its filter value and its parts, shown as tag URN, identity or key.

GS1 Tag Data Standard 2.3: 12 (tag URN), 14.6. `Tag.values` are as cheap as the bits give them; every text is made when
it is asked for. Control bits (attributes, user memory indicator) stand outside the EPC and are not here.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.codec.tags.epc import Elements, Epc, parse_urn, urn_escape
from jinka.codec.tags.faults import TagError, at_character
from jinka.codec.tags.keys import KEY_BY_SCHEME
from jinka.codec.tags.schemes import SCHEME_BY_NAME, SCHEMES, SPLITS, Field, Scheme
from jinka.kit import NotFound
from jinka.kit.frozen import quick

_PREFIX = "urn:epc:tag:"
NO_EXTENSION = "0"  # of a location: the location itself (TDS 14.6.3; TDT, SGLN+)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plus:
    """What a tag of TDS 2.x holds besides its key. ``date`` and ``extra`` are application identifiers with values."""

    date: tuple[str, str] | None = None
    hostname: str = ""
    toggle: bool = False  # says that data follows the EPC
    extra: Elements = ()


_NOTHING_MORE = Plus()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A decoded EPC. ``values`` holds numbers where the tag does, and texts unescaped; of a scheme of TDS 2.x the
    values of its application identifiers."""

    scheme: Scheme
    filter: int
    values: tuple[int | str, ...]
    prefix_digits: int = 0
    plus: Plus = _NOTHING_MORE

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the URN, unescaped. Raises `NotFound` for a scheme of TDS 2.x, which marks no company prefix."""
        if self.scheme.is_plus:
            raise NotFound(
                f"{self.scheme.name} does not say how long the company prefix is",
                where="tag",
                fix="split its key with the list of prefixes, or say how many digits",
            )
        return tuple(_texts(self))

    @property
    def epc(self) -> Epc:
        """The pure identity; as for `parts`."""
        return Epc(scheme=self.scheme.epc, parts=self.parts)

    @property
    def elements(self) -> Elements:
        """The GS1 key with its serial, the date, and what follows the EPC; empty where it is no GS1 key."""
        if not self.scheme.is_plus:
            return self.epc.elements
        found = [(ai, str(value)) for ai, value in zip(self.scheme.elements, self.values, strict=True)]
        if found[-1] == ("254", NO_EXTENSION):
            found.pop()
        return (*found, *([self.plus.date] if self.plus.date else ()), *self.plus.extra)

    @property
    def urn(self) -> str:
        """``urn:epc:tag:``, which TDS defines for the schemes of TDS 1.x alone."""
        scheme = self.scheme
        start = f"{_PREFIX}{scheme.name}:{self.filter}." if scheme.filter_bits else f"{_PREFIX}{scheme.name}:"
        return start + self._shown()

    @property
    def epc_urn(self) -> str:
        """The pure identity as URN; the same as ``epc.urn``, and quicker."""
        return f"urn:epc:id:{self.scheme.epc}:" + self._shown()

    def _shown(self) -> str:
        """The parts, escaped, with dots between."""
        total, values = _ALL_NUMBERS.get(self.scheme.name), self.values
        if total is None:
            return ".".join(map(urn_escape, self.parts))
        digits = self.prefix_digits
        text = f"{values[0]:0{digits}}."
        if total > digits:
            text += f"{values[1]:0{total - digits}}"
        return f"{text}.{values[2]}" if len(values) > 2 else text


# Digits of company prefix and reference together, where these and perhaps one more number are all that a scheme has.
_ALL_NUMBERS = {
    scheme.name: KEY_BY_SCHEME[scheme.epc].digits
    for scheme in SCHEMES
    if [segment.field for segment in scheme.segments]
    in ([Field.SPLIT_DIGITS, Field.INTEGER], [Field.SPLIT_DIGITS, Field.ZEROS])
}


def _texts(tag: Tag) -> list[str]:
    found: list[str] = []
    values = iter(tag.values)
    for segment in tag.scheme.segments:
        if segment.field in SPLITS:
            found.append(str(next(values)).zfill(tag.prefix_digits))
            reference = next(values)
            if segment.field is Field.SPLIT_DIGITS:
                digits = KEY_BY_SCHEME[tag.scheme.epc].digits - tag.prefix_digits
                found.append(str(reference).zfill(digits) if digits else "")
            else:
                found.append(str(reference))
        elif segment.field is Field.DIGITS:
            found.append(str(next(values)).zfill(segment.length))
        elif segment.field is not Field.ZEROS:
            found.append(str(next(values)))
    return found


def parse_tag_urn(text: str) -> tuple[Scheme, int, Epc]:
    """Read ``urn:epc:tag:scheme:filter.parts``: what has to be written into a tag. Raises `TagError`."""
    if text[: len(_PREFIX)].lower() != _PREFIX:
        raise at_character("no tag URN", 0, fix=f"it begins with {_PREFIX}")
    name, colon, body = text[len(_PREFIX) :].partition(":")
    scheme = SCHEME_BY_NAME.get(name)
    if not colon or scheme is None or scheme.is_plus:
        raise at_character(f"no tag URN of {name[:20]!r}", len(_PREFIX), fix="such as sgtin-96")
    start, filter_value = len(_PREFIX) + len(name) + 1, 0
    if scheme.filter_bits:
        word, _, body = body.partition(".")
        if not (word.isascii() and word.isdigit() and len(word) <= 2 and str(int(word)) == word):
            raise at_character("the filter value is no number", start)
        filter_value = int(word)
        if filter_value >> scheme.filter_bits:
            raise at_character(f"a filter value of {scheme.filter_bits} bits is no {filter_value}", start)
        start += len(word) + 1
    pure = f"urn:epc:id:{scheme.epc}:"
    try:
        return scheme, filter_value, parse_urn(pure + body)
    except TagError as error:  # its place is counted in the pure identity
        place = int(error.where.removeprefix("character ")) + start - len(pure)
        raise at_character(error.what, max(place, 0), fix=error.fix) from None


def make_tag(scheme: Scheme, epc: Epc, filter_value: int = 0) -> Tag:
    """Put an identity into a scheme of TDS 1.x. Raises `TagError` where a part does not fit the scheme's bits."""
    if scheme.epc != epc.scheme or epc.wild or scheme.is_plus:
        raise TagError(f"{epc.urn} is no identity of {scheme.name}", where="tag")
    if not 0 <= filter_value < 1 << scheme.filter_bits:
        raise TagError(f"{scheme.name} has no filter value {filter_value}", where="filter")
    values: list[int | str] = []
    parts = iter(epc.parts)
    digits = 0
    for segment in scheme.segments:
        if segment.field in SPLITS:
            prefix, reference = next(parts), next(parts)
            digits = len(prefix)
            values.append(int(prefix))
            if segment.field is Field.SPLIT_DIGITS:
                values.append(int(reference or "0"))
            elif segment.field is Field.SPLIT_INTEGER:
                values.append(_integer(scheme, reference))
            else:
                values.append(reference)
        elif segment.field is Field.INTEGER:
            values.append(_integer(scheme, next(parts)))
        elif segment.field is Field.DIGITS:
            values.append(int(next(parts)))
        elif segment.field is Field.NUMERIC:
            values.append(_digits(scheme, next(parts)))
        elif segment.field is not Field.ZEROS:
            values.append(next(parts))
    return Tag(scheme=scheme, filter=filter_value, values=tuple(values), prefix_digits=digits)


def _integer(scheme: Scheme, text: str) -> int:
    """A number that comes back: without leading zeros, which the bits do not keep."""
    if not (text.isascii() and text.isdigit()) or str(int(text)) != text:
        raise TagError(
            f"{scheme.name} holds a number without leading zeros, not {text[:24]!r}",
            where=scheme.name,
            fix="take the longer encoding, which holds characters",
        )
    return int(text)


def _digits(scheme: Scheme, text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise TagError(f"{scheme.name} holds digits alone, not {text[:24]!r}", where=scheme.name)
    return text
