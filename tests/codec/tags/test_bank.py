"""The EPC bank. Vectors: the check value of CRC-16/GENIBUS (D64E), and tag and raw URNs after 12.1 and 15.2 by hand."""

from __future__ import annotations

import random

import pytest

from jinka.codec.tags import TagError
from jinka.codec.tags.bank import EpcBank, crc16, parse_bank, write_bank

EPC = bytes.fromhex("3074257BF7194E4000001A85")


def test_the_crc_is_that_of_the_air_interface() -> None:
    assert crc16(b"123456789") == 0xD64E
    assert crc16(b"") == 0x0000
    raw = bytes.fromhex("3000") + EPC
    assert crc16(raw + crc16(raw).to_bytes(2)) == 0x1D0F ^ 0xFFFF, "the residue of a right message"


@pytest.mark.parametrize(
    ("bank", "pc", "urn"),
    [
        (EpcBank(epc=EPC), 0x3000, "urn:epc:tag:sgtin-96:3.0614141.812345.6789"),
        (
            EpcBank(epc=EPC, attributes=1, user_memory=True),
            0x3401,
            "urn:epc:tag:[att=x01][umi=1]:sgtin-96:3.0614141.812345.6789",
        ),
        (
            EpcBank(epc=bytes.fromhex("1234567890ABCDEF01234567"), attributes=1, user_memory=True),
            0x3401,
            "urn:epc:raw:[att=x01][umi=1]:96.x1234567890ABCDEF01234567",
        ),
        (
            EpcBank(epc=bytes.fromhex("1234567890ABCDEF01234567"), family=0xC1),
            0x31C1,
            "urn:epc:raw:96.xC1.x1234567890ABCDEF01234567",
        ),
        (EpcBank(epc=EPC, family=0xA1), 0x31A1, "urn:epc:raw:96.xA1.x3074257BF7194E4000001A85"),
        (
            EpcBank(epc=bytes.fromhex("F73795211411234538566CB0AFC4")),
            0x3800,
            "urn:epc:raw:112.xF73795211411234538566CB0AFC4",  # no tag URN is defined for it
        ),
        (EpcBank(epc=b""), 0x0000, "urn:epc:raw:0.x"),
    ],
)
def test_a_bank_there_and_back(bank: EpcBank, pc: int, urn: str) -> None:
    raw = write_bank(bank)
    assert int.from_bytes(raw[2:4]) == pc == bank.pc
    assert bank.urn == urn
    assert parse_bank(raw) == parse_bank(raw + bytes(10)) == bank


def test_extended_control_words_lie_at_210h() -> None:
    bank = EpcBank(epc=EPC, xpc=(0x0004,))
    raw = write_bank(bank).ljust(0x210 // 8, b"\x55")
    assert parse_bank(raw + b"\x00\x04") == bank
    assert bank.urn == "urn:epc:tag:[xpc-w1=x0004]:sgtin-96:3.0614141.812345.6789"
    both = parse_bank(raw + b"\x80\x04\x12\x34")
    assert both.urn == "urn:epc:tag:[xpc=x80041234]:sgtin-96:3.0614141.812345.6789"
    for short in (raw, raw + b"\x80\x04", raw[:20]):
        with pytest.raises(TagError, match="is not there"):
            parse_bank(short)


def test_hostile_banks() -> None:
    raw = write_bank(EpcBank(epc=EPC))
    for size in (0, 3, 4, len(raw) - 1):
        with pytest.raises(TagError):
            parse_bank(raw[:size])
    with pytest.raises(TagError, match="a bank of 71 bytes"):
        parse_bank(bytes(71))
    rng = random.Random(16)
    for _ in range(200):
        at = rng.randrange(8 * len(raw))
        wrong = (int.from_bytes(raw) ^ 1 << at).to_bytes(len(raw))
        with pytest.raises(TagError):
            parse_bank(wrong)
    with pytest.raises(TagError, match="whole words"):
        write_bank(EpcBank(epc=b"123"))
