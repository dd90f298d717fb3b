"""Python source that reads one shape of a message: which fields, in which dialect. The fast road of `compile`.

The text is made of numbers, slices and fixed words of this file (see `generate`). Reading looks at the message
in up to three ways, each made once: the bytes, their hexadecimal digits (packed decimals are slices of it) and their
characters. Slices behind one place are taken by one call, and alphabets are checked for all fields together, since a
join and one check cost less than a check for each field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jinka.codec.iso8583.generate import Checks, function
from jinka.codec.iso8583.spec import (
    MESSAGE_MAX,
    Coding,
    Content,
    Counts,
    FieldSpec,
    LengthCoding,
    MessageSpec,
)
from jinka.codec.iso8583.wire import bitmap_size, mti_size

_WORD = re.compile(r"[a-zA-Z]\w*")


class _Place:
    """An offset in the message: a constant, or the end of a variable field and a constant."""

    def __init__(self, number: int = 0, constant: int = 0) -> None:
        self.number, self.constant = number, constant

    def plus(self, count: int) -> _Place:
        return _Place(self.number, self.constant + count)

    def __str__(self) -> str:
        return self._sum("e", self.constant)

    def doubled(self, more: int = 0) -> str:
        """The place in the hexadecimal digits; ``g`` is twice ``e``."""
        return self._sum("g", 2 * self.constant + more)

    def _sum(self, letter: str, constant: int) -> str:
        if not self.number:
            return str(constant)
        return f"{letter}{self.number} + {constant}" if constant else f"{letter}{self.number}"


@dataclass(frozen=True, slots=True)
class _Slice:
    """A value that is a slice of fixed place and size behind the end of field ``number`` (0: behind the start)."""

    name: str
    view: str
    number: int
    first: int
    last: int

    @property
    def base(self) -> str:
        return f"{'g' if self.view == 'h' else 'e'}{self.number}" if self.number else ""

    def __str__(self) -> str:
        plus = f"{self.base} + " if self.number else ""
        return f"{self.name} = {self.view}[{plus}{self.first}:{plus}{self.last}]"


_Lines = list[str | _Slice]


def _gathered(lines: _Lines) -> tuple[list[str], list[str]]:
    """Slices behind one place are taken by one call; (what is made once, the function's lines)."""
    once: list[str] = []
    done: list[str] = []
    pending: dict[tuple[str, str], list[_Slice]] = {}

    def flush() -> None:
        for (view, base), slices in pending.items():
            if len(slices) == 1:
                done.append(str(slices[0]))
                continue
            once.append(
                f"G{len(once)} = itemgetter({', '.join(f'slice({s.first}, {s.last})' for s in slices)})"
            )
            source = f"{view}[{base}:]" if base else view
            done.append(f"{', '.join(s.name for s in slices)} = G{len(once) - 1}({source})")
        pending.clear()

    for line in lines:
        if isinstance(line, _Slice):
            pending.setdefault((line.view, line.base), []).append(line)
            continue
        names = {item.name for slices in pending.values() for item in slices}
        if names & set(_WORD.findall(line)):
            flush()
        done.append(line)
    flush()
    return once, done


def decoder_source(spec: MessageSpec, numbers: tuple[int, ...], bitmaps: int) -> str:
    """Source of ``decode(raw) -> Message`` for messages with exactly these fields."""
    checks = Checks(of_bytes=True)
    view = {Coding.BCD: "h", Coding.EBCDIC: "e", Coding.ASCII: "t"}[spec.mti]
    lines: _Lines = [_Slice("m", view, 0, 0, 4)]
    checks.span(Content.N, view, "0", "4")
    place = _Place(constant=mti_size(spec) + bitmap_size(spec) * bitmaps)
    for number in numbers:
        place = _read(spec.fields[number], place, lines, checks)
    checks.plain.insert(0, f"{place} == len(raw) <= {MESSAGE_MAX}")
    once, done = _gathered(lines)
    done.append(f"if not ({checks.condition()}): raise Doubt")
    words = set(_WORD.findall("\n".join(line for line in done if not line.startswith("g"))))
    done = [line for line in done if not line.startswith("g") or line.split()[0] in words]
    views = {
        "h": "h = raw.hex()",
        "hb": "hb = h.encode()",
        "t": "t = raw.decode('latin-1')",
        "eb": "eb = raw.translate(FROM_EBCDIC)",
        "e": "e = eb.decode('latin-1')",
    }
    found = ", ".join(f"{number}: v{number}" for number in numbers)
    done += ["made = new(Message)", "set_mti(made, m)", f"set_fields(made, {{{found}}})", "return made"]
    head = "".join(f"{line}\n" for line in once)
    return head + function("decode(raw)", [*(line for name, line in views.items() if name in words), *done])


def _read(spec: FieldSpec, place: _Place, lines: _Lines, checks: Checks) -> _Place:
    """Add the lines that read one field; the place behind it."""
    n = spec.number
    packed = spec.coding in (Coding.BCD, Coding.BCD_LEFT)
    if spec.prefix is None:
        units: int | str = spec.size
        start = place
        size = {True: (spec.size + 1) // 2, False: spec.size * (2 if spec.coding is Coding.HEX else 1)}[
            packed
        ]
        end = place.plus(
            size if spec.content is not Content.XN else 1 + (spec.size // 2 if packed else spec.size)
        )
    else:
        units, start = f"n{n}", place.plus(spec.prefix.width)
        _read_length(spec, place, start, lines, checks)
        if packed:
            lines.append(f"e{n} = {start} + (n{n} + 1 >> 1)")
        else:
            lines.append(f"e{n} = {start} + n{n}" + (" * 2" if spec.coding is Coding.HEX else ""))
        lines.append(f"g{n} = 2 * e{n}")
        end = _Place(n)
    _read_value(spec, start, end, units, lines, checks)
    return end


def _piece(name: str, view: str, start: _Place, end: _Place, more: int = 0, less: int = 0) -> str | _Slice:
    """The line that takes a value from a view; ``more`` and ``less`` move its ends by single digits."""
    double = view == "h"
    if start.number == end.number:
        factor = 2 if double else 1
        return _Slice(name, view, start.number, factor * start.constant + more, factor * end.constant + less)
    first, last = (start.doubled(more), end.doubled(less)) if double else (str(start), str(end))
    return f"{name} = {view}[{first}:{last}]"


def _read_length(spec: FieldSpec, place: _Place, start: _Place, lines: _Lines, checks: Checks) -> None:
    prefix, n = spec.prefix, spec.number
    assert prefix is not None
    if prefix.coding is LengthCoding.BINARY:
        lines.append(
            f"n{n} = raw[{place}]"
            if prefix.width == 1
            else f"n{n} = int.from_bytes(raw[{place}:{start}], 'big')"
        )
    else:
        view, first, last = "t", str(place), str(start)
        if prefix.coding is LengthCoding.BCD:
            view, first, last = "h", place.doubled(), start.doubled()
        elif prefix.coding is LengthCoding.EBCDIC:
            view = "e"
        lines += [_piece(f"l{n}", view, place, start), f"n{n} = int(l{n})"]
        checks.span(Content.N, view, first, last)
    if prefix.counts is Counts.BYTES and spec.coding is Coding.HEX:
        lines.append(f"n{n}, odd{n} = n{n} >> 1, n{n} & 1")
        checks.plain.append(f"not odd{n}")
    elif prefix.counts is Counts.BYTES and spec.coding in (Coding.BCD, Coding.BCD_LEFT):
        lines.append(f"n{n} *= 2")
    checks.plain.append(f"n{n} <= {spec.size}")


def _read_value(
    spec: FieldSpec, start: _Place, end: _Place, units: int | str, lines: _Lines, checks: Checks
) -> None:
    name = f"v{spec.number}"
    if spec.coding is Coding.BINARY:
        lines.append(_piece(name, "raw", start, end))
        return
    if spec.coding is Coding.HEX:
        lines.append(f"{name} = fromhex(t[{start}:{end}])")
        checks.plain.append(f"len({name}) == {units}")  # fromhex passes over blanks
        return
    if spec.coding is Coding.GB18030:
        lines.append(f"{name} = raw[{start}:{end}].decode('gb18030')")
        checks.plain += [f"{name}.isprintable()", f"{name}.encode('gb18030') == raw[{start}:{end}]"]
        return
    if spec.coding in (Coding.ASCII, Coding.EBCDIC):
        view = "t" if spec.coding is Coding.ASCII else "e"
        lines.append(_piece(name, view, start, end))
        signed = spec.content is Content.XN
        checks.span(spec.content, view, str(start.plus(signed)), str(end))
    elif spec.content is Content.XN:
        lines.append(f"{name} = t[{start}] + h[{start.doubled(2)}:{end.doubled()}]")
        checks.span(Content.N, "h", start.doubled(2), end.doubled())
    else:
        _read_packed(spec, start, end, units, lines, checks)
    if spec.content is Content.XN:
        checks.plain.append(f"{name}[0] in 'CD'")


def _read_packed(
    spec: FieldSpec, start: _Place, end: _Place, units: int | str, lines: _Lines, checks: Checks
) -> None:
    name, first, last = f"v{spec.number}", start.doubled(), end.doubled()
    cut_left = spec.coding is Coding.BCD
    if isinstance(units, int):
        odd = units % 2
        first, filler_end = (start.doubled(odd), start.doubled(odd)) if cut_left else (first, last)
        filler = f"h[{start.doubled()}:{filler_end}]" if cut_left else f"h[{end.doubled(-1)}:{last}]"
        last = end.doubled(0 if cut_left else -odd)
    else:
        odd = 1
        middle = f"{last} - {units}" if cut_left else f"{first} + {units}"
        filler = f"h[{first}:{middle}]" if cut_left else f"h[{middle}:{last}]"
        first, last = (middle, last) if cut_left else (first, middle)
    track = ".translate(NIBBLE_TO_TRACK)" if spec.content is Content.Z else ""
    if isinstance(units, int):
        cut = (odd, 0) if cut_left else (0, -odd)
        lines.append(_piece(name, "h", start, end, *cut))
        lines += [f"{name} = {name}{track}"] if track else []
    else:
        lines.append(f"{name} = h[{first}:{last}]{track}")
    if not track:  # of a track every nibble is right
        checks.span(Content.N, "h", first, last)
    if odd:
        (checks.zeros if cut_left else checks.fillers).append(filler)
