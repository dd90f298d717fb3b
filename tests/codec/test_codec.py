"""APDU, TLV and BCD: round trips, published shapes, and bytes that lie."""

from __future__ import annotations

import contextlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.codec import (
    RECORD_SCHEMA,
    Command,
    Response,
    TlvError,
    bcd_to_digits,
    digits_to_bcd,
    find,
    parse,
    tlv,
)
from jinka.codec.apdu import ApduError
from jinka.codec.record import IDENTITY, require_schema
from jinka.kit import Usage

TUNION_FCI = bytes.fromhex(  # Beijing T-Union card, as published by a host card emulation project
    "6F318408A000000632010105A5259F0801029F0C1E01011000FFFFFFFF0201031051700101709079842019080620401231 0000"
)


def test_fci_of_a_real_card():
    assert find(TUNION_FCI, 0x6F, 0x84) == bytes.fromhex("A000000632010105")
    assert find(TUNION_FCI, 0x6F, 0xA5, 0x9F08) == b"\x02"
    assert len(find(TUNION_FCI, 0x6F, 0xA5, 0x9F0C)) == 0x1E
    assert find(TUNION_FCI, 0x6F, 0x99) is None


@given(st.integers(0, 0x40_00).filter(lambda n: n < 70_000), st.sampled_from([0x84, 0x9F0C, 0xBF0C]))
def test_tlv_round_trip(size, tag):
    value = b"\x5a" * size
    assert [(t, v) for t, v, _ in parse(tlv(tag, value))] == [(tag, value)]


@given(st.binary(max_size=80))
def test_any_bytes_are_tlv_or_a_tlv_error(raw):
    with contextlib.suppress(TlvError):
        assert sum(len(value) for _, value, _ in parse(raw)) <= len(raw)


@pytest.mark.parametrize(
    "text", ["84", "8405AA", "9F", "9F9F9F9F9F01", "8480", "84FF", "8483FFFFFF00", "848400000001AA"]
)
def test_tlv_that_lies_is_refused(text):
    with pytest.raises(TlvError):
        list(parse(bytes.fromhex(text)))


def test_tlv_limits():
    with pytest.raises(TlvError):
        list(parse(bytes(65 * 1024)))
    with pytest.raises(TlvError):
        find(b"", *range(9))
    with pytest.raises(TlvError):
        tlv(0x84, bytes(70_000))


@given(
    header=st.tuples(*[st.integers(0, 255)] * 4),
    data=st.binary(max_size=255),
    le=st.none() | st.integers(1, 256),
)
def test_command_round_trip(header, data, le):
    command = Command(*header, data, le)
    assert Command.parse(command.build()) == command


@given(st.binary(max_size=300))
def test_any_bytes_are_a_command_or_an_apdu_error(raw):
    with contextlib.suppress(ApduError):
        assert Command.parse(raw).build() == raw


def test_response():
    assert Response.parse(bytes.fromhex("0102 9000")) == Response(b"\x01\x02", 0x9000)
    with pytest.raises(ApduError):
        Response.parse(b"\x90")


def test_bcd():
    assert digits_to_bcd("3105170010170907984", 10).hex() == "03105170010170907984"
    assert bcd_to_digits(bytes.fromhex("03105170010170907984"), 19) == "3105170010170907984"
    for bad in ("", "12a", "1" * 21, "１２"):
        with pytest.raises(Usage):
            digits_to_bcd(bad, 10)
    with pytest.raises(Usage):
        bcd_to_digits(b"\xaf", 2)


def test_unknown_columns_types_and_versions_are_refused():
    require_schema(RECORD_SCHEMA, RECORD_SCHEMA, where="f")
    assert set(IDENTITY) <= set(RECORD_SCHEMA.names)
    with pytest.raises(Usage, match="unknown columns"):
        require_schema(RECORD_SCHEMA.append(pa.field("bonus", pa.int64())), RECORD_SCHEMA, where="f")
    with pytest.raises(Usage, match="missing columns"):
        require_schema(RECORD_SCHEMA.remove(3), RECORD_SCHEMA, where="f")
    at = RECORD_SCHEMA.get_field_index("amount")
    with pytest.raises(Usage, match=r"f\.amount"):
        require_schema(RECORD_SCHEMA.set(at, pa.field("amount", pa.float64())), RECORD_SCHEMA, where="f")
    with pytest.raises(Usage, match="version"):
        require_schema(RECORD_SCHEMA.with_metadata({}), RECORD_SCHEMA, where="f")
