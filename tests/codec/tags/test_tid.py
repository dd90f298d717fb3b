"""The TID bank, after 16.1 to 16.3 of the Tag Data Standard: its own layout of headers, put together by hand."""

from __future__ import annotations

import pytest

from jinka.codec.tags import TagError
from jinka.codec.tags.tid import parse_tid


def test_a_chip_with_a_serial_of_48_bits() -> None:
    # Header 0010 0000 0000 0000 is the standard's example of a chip with nothing but such a serial (16.2).
    found = parse_tid(bytes.fromhex("E280 1160 2000 7164AB60E10B".replace(" ", "")))
    assert (found.designer, found.model, found.extended, found.security) == (0x001, 0x160, True, False)
    assert found.stid == "urn:epc:stid:x801.x160.x7164AB60E10B"


@pytest.mark.parametrize(("size", "bits"), [(1, 48), (2, 64), (3, 80), (4, 96), (5, 112), (6, 128), (7, 144)])
def test_the_header_says_how_long_a_serial_is(size: int, bits: int) -> None:
    serial = ("0123456789ABCDEF" * 3)[: bits // 4]
    raw = bytes.fromhex("E2C06003") + (size << 13 | 0x1C00).to_bytes(2) + bytes.fromhex(serial) + b"\xff\xff"
    found = parse_tid(raw)
    assert found.serial == serial
    assert found.stid == f"urn:epc:stid:xC06.x003.x{serial}"
    with pytest.raises(TagError, match="the serial needs"):
        parse_tid(raw[: 6 + bits // 8 - 1])


def test_a_chip_without() -> None:
    short = parse_tid(bytes.fromhex("E2003412"))
    assert (short.designer, short.model, short.serial, short.stid) == (0x003, 0x412, "", "")
    assert parse_tid(bytes.fromhex("E28034120000")).stid == ""


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ("", "bit 0"),
        ("E28011", "bit 24"),
        ("E0801160200071", "bits 0 to 7"),
        ("3074257BF7194E4000001A85", "bits 0 to 7"),
        ("E2801160", "bit"),
        ("E28011602001" + "00" * 6, "bits 39 to 47"),
        ("E2" + "00" * 64, "bit 520"),
    ],
)
def test_no_tid(raw: str, where: str) -> None:
    with pytest.raises(TagError) as caught:
        parse_tid(bytes.fromhex(raw))
    assert caught.value.where.startswith(where)
