"""DER has one encoding for a value; every other one is refused, and no bytes do more harm than that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.codec import TlvError
from jinka.codec.der import DEPTH_MAX, check_der


@pytest.mark.parametrize(
    "text",
    [
        "0500", "0101ff", "020100", "02020080", "0201ff", "030100", "03020780", "0400", "06032a8648", "3000",
        "3006020101020102", "3106020101020102", "a003020101", "800101", "0c0161",
    ],
)  # fmt: skip
def test_good(text: str) -> None:
    check_der(bytes.fromhex(text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing"),
        ("05", "length is missing"),
        ("050000", "behind the end"),
        ("050100", "NULL"),
        ("058100", "minimal"),
        ("0481017f", "minimal"),
        ("0482000100", "minimal"),
        ("3080020101" + "0000", "length byte 80"),
        ("0485000000000100", "length byte 85"),
        ("0405aa", "claims 5"),
        ("010101", "boolean"),
        ("0100", "boolean"),
        ("0200", "without digits"),
        ("02020001", "minimal"),
        ("0202ff80", "minimal"),
        ("0300", "unused"),
        ("030108", "unused"),
        ("030101", "unused"),
        ("03020701", "unused bits that are set"),
        ("0600", "object identifier"),
        ("060280" + "01", "object identifier"),
        ("06022a86", "object identifier"),
        ("2403040161", "wrong form"),
        ("1000", "wrong form"),
        ("1f0100", "tag 1F"),
        ("0000", "tag 00"),
        ("3106020102020101", "out of order"),
        ("3003020101" + "00", "behind the end"),
        ("3002020101", "claims 1"),
    ],
)
def test_bad(text: str, why: str) -> None:
    with pytest.raises(TlvError, match=why):
        check_der(bytes.fromhex(text))


def test_bombs() -> None:
    deep = b""
    for _ in range(DEPTH_MAX + 3):
        deep = b"\x30" + bytes((len(deep),)) + deep
    with pytest.raises(TlvError, match="too deep"):
        check_der(deep)
    with pytest.raises(TlvError, match="at most 65536"):
        check_der(bytes(65537))


@given(st.binary(max_size=200))
def test_any_bytes_are_judged(raw: bytes) -> None:
    try:
        check_der(raw)
    except TlvError:
        return
    assert raw
