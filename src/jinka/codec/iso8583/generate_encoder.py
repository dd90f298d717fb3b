"""Python source that writes one shape of a message: which fields, in which dialect. The fast road of `compile`.

The text is put together from numbers, slices and fixed words of this file (see `generate`). Neighbours that are written
alike are joined first and turned into bytes together.
"""

from __future__ import annotations

from jinka.codec.iso8583.generate import Checks, function, join
from jinka.codec.iso8583.spec import (
    MESSAGE_MAX,
    Coding,
    Content,
    Counts,
    FieldSpec,
    LengthCoding,
    MessageSpec,
)
from jinka.codec.iso8583.wire import write_bitmaps


def encoder_source(spec: MessageSpec, numbers: tuple[int, ...]) -> str:
    """Source of ``encode(mti, fields) -> bytes`` for mappings with exactly these keys."""
    checks, lines = Checks(), []
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
    return function("encode(mti, fields)", [*lines, "return raw"])


def _kind(coding: Coding) -> str:
    return {Coding.ASCII: "t", Coding.EBCDIC: "e", Coding.BCD: "h", Coding.BCD_LEFT: "h"}[coding]


def _write(spec: FieldSpec, lines: list[str], checks: Checks, parts: list[tuple[str, str]]) -> None:
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


def _write_length(spec: FieldSpec, checks: Checks, parts: list[tuple[str, str]]) -> None:
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
            done.append(f"fromhex({join(texts)})")
        else:
            ebcdic = ".translate(TO_EBCDIC)" if kind == "e" else ""
            done.append(f"{join(texts)}.encode('ascii'){ebcdic}")
    return f"b''.join(({', '.join(done)},))"
