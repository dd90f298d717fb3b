"""Python source for one shape of a message: which fields, in which dialect. The fast road of `compile`.

The text is put together from numbers, slices and fixed words of this file; no name or value of a specification's text,
and nothing that came over a wire, gets into it. A generated function either returns what the slow road would return or
raises something: any doubt (a length, an alphabet, a filler) ends in an exception, and the slow road names the fault.

Reading looks at the message in up to three ways, each made once: the bytes, their hexadecimal digits (packed decimals
are slices of it) and their characters. Slices behind one place are taken by one call, and alphabets are checked for all
fields together, since a join and one check cost less than a check for each field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from jinka.codec.iso8583.spec import (
    MESSAGE_MAX,
    Coding,
    Content,
    Counts,
    FieldSpec,
    LengthCoding,
    MessageSpec,
)
from jinka.codec.iso8583.wire import bitmap_size, mti_size, write_bitmaps

_WORD = re.compile(r"[a-zA-Z]\w*")


@dataclass(slots=True)
class _Checks:
    """Expressions to join, by alphabet; all of them have to hold. They are bytes in reading, text in writing."""

    of_bytes: bool = False
    digits: list[str] = field(default_factory=list)
    alnum: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    track: list[str] = field(default_factory=list)
    zeros: list[str] = field(default_factory=list)  # fillers of which only 0 is right
    fillers: list[str] = field(default_factory=list)  # those that may be 0 or f
    plain: list[str] = field(default_factory=list)  # other conditions that must be true
    _ends: dict[int, tuple[str, str]] = field(
        default_factory=dict
    )  # by list: where its last slice begins and ends

    def span(self, content: Content, view: str, start: str, end: str) -> None:
        """Ask for the alphabet of a slice of a view; slices that touch are checked as one."""
        view = {"t": "raw", "h": "hb", "e": "eb"}[view]
        group = self._group(content)
        first, last = self._ends.get(id(group), ("", ""))
        if last == f"{view}[{start}" and last:
            group.pop()
        else:
            first = start
        group.append(f"{view}[{first}:{end}]")
        self._ends[id(group)] = (first, f"{view}[{end}")

    def _group(self, content: Content) -> list[str]:
        return {
            Content.N: self.digits, Content.AN: self.alnum, Content.A: self.letters,
            Content.ANS: self.text, Content.Z: self.track, Content.XN: self.digits,
        }[content]  # fmt: skip

    def add(self, content: Content, name: str) -> None:
        """Ask for this value's alphabet."""
        if content is Content.XN:
            self.plain.append(f"{name}[0] in 'CD'")
            self.digits.append(f"{name}[1:]")
        else:
            self._group(content).append(name)

    def condition(self) -> str:
        """One expression that is true when everything is right."""
        terms = list(self.plain)
        terms += [f"not {_join(self.zeros)}.strip('0')"] if self.zeros else []
        terms += [f"not {_join(self.fillers)}.strip('0f')"] if self.fillers else []
        terms += [f"{self._bytes(self.digits)}.isdigit()"] if self.digits else []
        for group, alphabet in (
            (self.track, "TRACK"), (self.text, "PRINTABLE"), (self.alnum, "ALNUM"), (self.letters, "LETTERS"),
        ):  # fmt: skip
            terms += [f"not {self._bytes(group)}.translate(None, {alphabet})"] if group else []
        return " and ".join(terms) or "True"

    def _bytes(self, names: list[str]) -> str:
        """Methods of bytes know ASCII alone and are quicker than those of text."""
        if self.of_bytes:
            return names[0] if len(names) == 1 else f"b''.join(({', '.join(names)}))"
        return f"{_join(names)}.encode('ascii')"


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"''.join(({', '.join(names)}))"


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


# ------------------------------------------------------------------ reading


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
    checks = _Checks(of_bytes=True)
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
    return head + _function("decode(raw)", [*(line for name, line in views.items() if name in words), *done])


def _read(spec: FieldSpec, place: _Place, lines: _Lines, checks: _Checks) -> _Place:
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


def _read_length(spec: FieldSpec, place: _Place, start: _Place, lines: _Lines, checks: _Checks) -> None:
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
    spec: FieldSpec, start: _Place, end: _Place, units: int | str, lines: _Lines, checks: _Checks
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
    spec: FieldSpec, start: _Place, end: _Place, units: int | str, lines: _Lines, checks: _Checks
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


# ------------------------------------------------------------------ writing


def encoder_source(spec: MessageSpec, numbers: tuple[int, ...]) -> str:
    """Source of ``encode(mti, fields) -> bytes`` for mappings with exactly these keys."""
    checks, lines = _Checks(), []
    checks.plain.append("len(mti) == 4")
    checks.digits.append("mti")
    parts: list[tuple[str, str]] = [(_kind(spec.mti), "mti")]
    ordered = tuple(sorted(numbers))
    bitmap = write_bitmaps(spec, ordered)
    parts.append(("b", repr(bitmap)))
    for number in ordered:
        lines.append(f"v{number} = fields[{number}]")
        _write(spec.fields[number], lines, checks, parts)
    lines.append(f"if not ({checks.condition()}): raise Doubt")
    lines += [f"raw = {_pieces(parts)}", f"if len(raw) > {MESSAGE_MAX}: raise Doubt"]
    return _function("encode(mti, fields)", [*lines, "return raw"])


def _kind(coding: Coding) -> str:
    return {Coding.ASCII: "t", Coding.EBCDIC: "e", Coding.BCD: "h", Coding.BCD_LEFT: "h"}[coding]


def _write(spec: FieldSpec, lines: list[str], checks: _Checks, parts: list[tuple[str, str]]) -> None:
    name = f"v{spec.number}"
    if spec.is_bytes:
        checks.plain.append(f"type({name}) is bytes")
    units, body = f"len({name})", name
    if spec.coding is Coding.GB18030:
        lines.append(f"b{spec.number} = {name}.encode('gb18030')")
        units, body = f"len(b{spec.number})", f"b{spec.number}"
        checks.plain.append(f"{name}.isprintable()")
    elif spec.coding is Coding.HEX:
        body = f"{name}.hex().upper()"
    if spec.prefix is None:
        checks.plain.append(f"{units} == {spec.size + (spec.content is Content.XN)}")
    else:
        lines.append(f"n{spec.number} = {units}")
        checks.plain.append(f"n{spec.number} <= {spec.size}")
        _write_length(spec, checks, parts)
    packed = spec.coding in (Coding.BCD, Coding.BCD_LEFT)
    if not spec.is_bytes and spec.coding is not Coding.GB18030:
        checks.add(spec.content, name)
    if spec.content is Content.XN and packed:
        parts += [("t", f"{name}[0]"), ("h", f"{name}[1:]")]
        return
    if packed:
        if spec.content is Content.Z:
            checks.plain.append(f"'D' not in {name}")
            body = f"{name}.translate(TRACK_TO_NIBBLE)"
        parts += _with_filler(spec, body)
        return
    kinds = {Coding.ASCII: "t", Coding.EBCDIC: "e", Coding.HEX: "t"}
    parts.append((kinds.get(spec.coding, "b"), body))


def _with_filler(spec: FieldSpec, body: str) -> list[tuple[str, str]]:
    left = spec.coding is Coding.BCD
    if spec.prefix is None:
        if spec.size % 2 == 0:
            return [("h", body)]
        return [("h", "'0'"), ("h", body)] if left else [("h", body), ("h", repr(spec.filler))]
    filler = ("h", f"('', '{'0' if left else spec.filler}')[n{spec.number} & 1]")
    return [filler, ("h", body)] if left else [("h", body), filler]


def _write_length(spec: FieldSpec, checks: _Checks, parts: list[tuple[str, str]]) -> None:
    prefix, name = spec.prefix, f"n{spec.number}"
    assert prefix is not None
    count = name
    if prefix.counts is Counts.BYTES and spec.coding is Coding.HEX:
        count = f"{name} * 2"
    elif prefix.counts is Counts.BYTES and spec.coding in (Coding.BCD, Coding.BCD_LEFT):
        checks.plain.append(f"not {name} & 1")
        count = f"{name} // 2"
    checks.plain.append(f"{count} <= {prefix.highest}")
    if prefix.coding is LengthCoding.BINARY:
        parts.append(("b", f"({count}).to_bytes({prefix.width}, 'big')"))
        return
    packed = prefix.coding is LengthCoding.BCD
    digits = 2 * prefix.width if packed else prefix.width
    kind = "h" if packed else "e" if prefix.coding is LengthCoding.EBCDIC else "t"
    parts.append((kind, f"('%0{digits}d' % ({count}))"))


def _pieces(parts: list[tuple[str, str]]) -> str:
    """One expression: neighbours of one kind are joined, then turned into bytes together."""
    runs: list[tuple[str, list[str]]] = []
    for kind, text in parts:
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(text)
        else:
            runs.append((kind, [text]))
    done = []
    for kind, texts in runs:
        if kind == "b":
            done += texts
        elif kind == "h":
            done.append(f"fromhex({_join(texts)})")
        else:
            ebcdic = ".translate(TO_EBCDIC)" if kind == "e" else ""
            done.append(f"{_join(texts)}.encode('ascii'){ebcdic}")
    return f"b''.join(({', '.join(done)},))"


def _function(head: str, lines: list[str]) -> str:
    return f"def {head}:\n" + "".join(f"    {line}\n" for line in lines)
