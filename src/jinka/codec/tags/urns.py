"""From a tag's bits to its URN at once, without the parts in between: for who has very many tags and needs no more.

GS1 Tag Data Standard 2.3: 6.3 and 12 (URNs), 14.4 and 14.6 (decoding). Made of the table of schemes when the module is
loaded: of each scheme shifts, limits, and the URN's form for each filter value and partition. A tag that breaks a rule
goes to `jinka.codec.tags.decode`, which alone has words for faults, so both roads have one answer. Tags of TDS 2.x have
no URN (`NotFound`). ADI-var and what is longer than its scheme take the other road always.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jinka.codec.tags.binary import decode
from jinka.codec.tags.epc import urn_escape
from jinka.codec.tags.keys import ALNUM, KEY_BY_SCHEME, PREFIX_MAX
from jinka.codec.tags.schemes import PREFIX_BITS, SCHEMES, SPLITS, Field, Scheme

_Show = Callable[[int], str | None]  # None: the other road finds the fault
_Rest = Callable[[int], tuple[int | str, ...] | None]
_Row = tuple[
    int, int, int, int, int, str
]  # of a filter value and a partition: shift, masks, limits, the URN's form

_SLOTS = 24  # characters that are spread at once: no text of a fixed scheme is longer
_PLAIN = re.compile(r"[!'()*+,\-.0-9:;=A-Z_a-z]+").fullmatch
_TEXT = re.compile(f"[{ALNUM}]+").fullmatch
_CAGE = re.compile(rb" [0-9A-HJ-NP-Z]{5}|[0-9A-HJ-NP-Z]{6}").fullmatch


def decode_urn(raw: bytes) -> str:
    """The pure identity of a tag, ``urn:epc:id:``; as ``decode(raw).epc_urn``. Raises as that does."""
    size, show, _ = _ROADS[raw[0] if raw else 0]
    if len(raw) == size:
        urn = show(int.from_bytes(raw))
        if urn is not None:
            return urn
    return decode(raw).epc_urn


def decode_tag_urn(raw: bytes) -> str:
    """``urn:epc:tag:`` of a tag, with its encoding and filter value; as ``decode(raw).urn``. Raises as that does."""
    size, _, show = _ROADS[raw[0] if raw else 0]
    if len(raw) == size:
        urn = show(int.from_bytes(raw))
        if urn is not None:
            return urn
    return decode(raw).urn


def _spread_masks() -> list[int]:
    """Which characters move when blocks of 16, 8, 4, 2 and 1 of them go to places that are bytes wide."""
    masks = []
    for block in (16, 8, 4, 2, 1):
        mask = 0
        for at in range(_SLOTS):
            pair, within = divmod(at, 2 * block)
            if within >= block:
                mask |= 0x7F << (16 * block * pair + 7 * within)
        masks.append(mask)
    return masks


_BY_16, _BY_8, _BY_4, _BY_2, _BY_1 = _spread_masks()


def _characters(bits: int) -> str | None:
    """Characters of seven bits from the first of the slots on, escaped for a URN; None where one does not fit.

    A block moves up by as many bits as it has characters: adding it ``2**n - 1`` times to where it was.
    """
    bits += (bits & _BY_16) * 0xFFFF
    bits += (bits & _BY_8) * 0xFF
    bits += (bits & _BY_4) * 0xF
    bits += (bits & _BY_2) * 3
    bits += bits & _BY_1
    text = bits.to_bytes(_SLOTS).rstrip(b"\0").decode("ascii")
    if _PLAIN(text):
        return text
    return urn_escape(text) if _TEXT(text) else None


def _rows(scheme: Scheme, rest: str, *, tag: bool) -> tuple[list[_Row], int]:
    """What a split needs for each filter value and partition; and the bits of prefix and reference together."""
    split, digits_of_all = scheme.segments[0], KEY_BY_SCHEME[scheme.epc].digits
    found: list[_Row] = []
    for number in range(64):
        filter_value, partition = divmod(number, 8)
        if partition >= len(PREFIX_BITS):
            found.append((0, 0, 0, 0, 0, ""))  # nothing is below its limits
            continue
        wide, digits = PREFIX_BITS[partition], PREFIX_MAX - partition
        reference_bits = split.bits - wide
        limit, reference = 1 << reference_bits, "%d"
        if split.field is Field.SPLIT_DIGITS:
            count = digits_of_all - digits
            limit, reference = 10**count, f"%0{count}d" if count else "%.0s"
        elif split.field is Field.SPLIT_TEXT:
            limit, reference = KEY_BY_SCHEME[scheme.epc].max_length - digits, "%s"
        stem = f"urn:epc:tag:{scheme.name}:{filter_value}." if tag else f"urn:epc:id:{scheme.epc}:"
        form = f"{stem}%0{digits}d.{reference}{rest}"
        found.append((reference_bits, (1 << wide) - 1, 10**digits, (1 << reference_bits) - 1, limit, form))
    return found, split.bits


def _number_road(scheme: Scheme, *, tag: bool) -> _Show:
    """Company prefix, reference, and a number behind them."""
    rows, split = _rows(scheme, ".%d", tag=tag)
    low = scheme.segments[1].bits
    mask = (1 << low) - 1

    def show(value: int) -> str | None:
        upper = value >> low
        at, prefix_mask, prefix_limit, reference_mask, limit, form = rows[upper >> split & 63]
        prefix, reference = upper >> at & prefix_mask, upper & reference_mask
        if prefix >= prefix_limit or reference >= limit:
            return None
        return form % (prefix, reference, value & mask)

    return show


def _bare_road(scheme: Scheme, *, tag: bool) -> _Show:
    """Company prefix and reference, and zeros behind them or nothing."""
    rows, split = _rows(scheme, "", tag=tag)
    low = scheme.segments[1].bits if len(scheme.segments) > 1 else 0
    mask = (1 << low) - 1

    def show(value: int) -> str | None:
        upper = value >> low
        at, prefix_mask, prefix_limit, reference_mask, limit, form = rows[upper >> split & 63]
        prefix, reference = upper >> at & prefix_mask, upper & reference_mask
        if prefix >= prefix_limit or reference >= limit or value & mask:
            return None
        return form % (prefix, reference)

    return show


def _rest_road(scheme: Scheme, *, tag: bool) -> _Show:
    """Company prefix, reference, and what is more than a number behind them."""
    rests, low = _rest(scheme)
    form_of_rest, rest = rests
    rows, split = _rows(scheme, form_of_rest, tag=tag)
    mask = (1 << low) - 1

    def show(value: int) -> str | None:
        upper = value >> low
        at, prefix_mask, prefix_limit, reference_mask, limit, form = rows[upper >> split & 63]
        prefix, reference = upper >> at & prefix_mask, upper & reference_mask
        if prefix >= prefix_limit or reference >= limit:
            return None
        more = rest(value & mask)
        return None if more is None else form % (prefix, reference, *more)

    return show


def _rest(scheme: Scheme) -> tuple[tuple[str, _Rest], int]:
    """The URN's form of what follows a split, a function that reads it, and its bits with the padding behind."""
    padding = _size(scheme) * 8 - scheme.bits
    after = scheme.segments[1:]
    bits = sum(segment.bits for segment in after) + padding
    last, zeros = after[-1], (1 << padding) - 1
    longest = last.length

    def text(value: int) -> tuple[str] | None:
        found = _characters(value << (7 * _SLOTS - bits))
        return None if found is None or value & zeros else (found,)

    def digits(value: int) -> tuple[str] | None:
        shown = str(value >> padding)
        fits = shown[0] == "1" and 1 < len(shown) <= longest + 1 and not value & zeros
        return (shown[1:],) if fits else None

    if len(after) == 1:
        return (".%s", digits if last.field is Field.NUMERIC else text), bits
    second = padding + last.bits
    first, mask = second + after[1].bits, (1 << second) - 1
    left = 7 * _SLOTS - second
    is_text = last.field is Field.TEXT

    def pieces(value: int) -> tuple[int | str, ...] | None:
        piece, total, serial = value >> first, value >> second & 0x7F, value & mask
        shown = _characters(serial << left) if is_text else serial >> padding
        return None if piece > 99 or total > 99 or value & zeros or shown is None else (piece, total, shown)

    return (".%02d.%02d.%s", pieces), bits


def _text_road(scheme: Scheme, *, tag: bool) -> _Show:
    """Company prefix and a reference of characters."""
    rows, split = _rows(scheme, "", tag=tag)
    padding = _size(scheme) * 8 - scheme.bits
    zeros = (1 << padding) - 1

    def show(value: int) -> str | None:
        upper = value >> padding
        at, prefix_mask, prefix_limit, reference_mask, limit, form = rows[upper >> split & 63]
        prefix = upper >> at & prefix_mask
        if prefix >= prefix_limit or value & zeros:
            return None
        text = _characters((upper & reference_mask) << (7 * _SLOTS - at))
        return None if text is None or len(text) > limit else form % (prefix, text)

    return show


def _numbers_road(scheme: Scheme, *, tag: bool) -> _Show:
    """Three numbers and no filter."""
    _, second, third = (segment.bits for segment in scheme.segments)
    first = second + third
    masks = [(1 << segment.bits) - 1 for segment in scheme.segments]
    form = (f"urn:epc:tag:{scheme.name}:" if tag else f"urn:epc:id:{scheme.epc}:") + "%d.%d.%d"
    one, two, three = masks

    def show(value: int) -> str | None:
        return form % (value >> first & one, value >> third & two, value & three)

    return show


def _cage_road(scheme: Scheme, *, tag: bool) -> _Show:
    """The code of a supplier in six bytes, and a number."""
    cage, number = (segment.bits for segment in scheme.segments)
    cage_mask, mask, shown_filter = (1 << cage) - 1, (1 << number) - 1, (1 << scheme.filter_bits) - 1
    stem = f"urn:epc:tag:{scheme.name}:" if tag else f"urn:epc:id:{scheme.epc}:"

    def show(value: int) -> str | None:
        code = (value >> number & cage_mask).to_bytes(6)
        if not _CAGE(code):
            return None
        head = f"{stem}{value >> (cage + number) & shown_filter}." if tag else stem
        return f"{head}{code.decode('ascii').lstrip()}.{value & mask}"

    return show


def _other_road(value: int) -> str | None:  # noqa: ARG001 - as every road
    return None


def _size(scheme: Scheme) -> int:
    """Bytes of a tag of this scheme: whole words of 16 bits."""
    return -(-scheme.bits // 16) * 2


def _make_road(scheme: Scheme, *, tag: bool) -> _Show:
    fields = [segment.field for segment in scheme.segments]
    if fields[0] is Field.SPLIT_TEXT:
        return _text_road(scheme, tag=tag)
    if fields[0] in SPLITS:
        if fields[1:] in ([], [Field.ZEROS]):
            return _bare_road(scheme, tag=tag)
        return (_number_road if fields[1:] == [Field.INTEGER] else _rest_road)(scheme, tag=tag)
    return (_cage_road if fields[0] is Field.CAGE_EIGHT else _numbers_road)(scheme, tag=tag)


# By header: bytes, pure identity, tag URN. No tag has no byte, so what is not filled in takes the other road.
_ROADS: list[tuple[int, _Show, _Show]] = [(0, _other_road, _other_road)] * 256
for _scheme in SCHEMES:
    if _scheme.bits:
        _ROADS[_scheme.header] = (
            _size(_scheme), _make_road(_scheme, tag=False), _make_road(_scheme, tag=True)
        )  # fmt: skip
