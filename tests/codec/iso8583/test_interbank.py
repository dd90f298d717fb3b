"""A member's message from its fields to the wire and back: header, length, MAC in field 128."""

from __future__ import annotations

import pytest

from jinka.codec.framing import (
    UNIONPAY_INTERBANK_FRAMING,
    Frame,
    Framer,
    InterbankHeader,
    close_frame,
    read_interbank,
)
from jinka.codec.iso8583 import Message, dialect
from jinka.codec.iso8583.unionpay_interbank import mac_fields
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.unionpay_mac import check_interbank_mac, interbank_mac, interbank_text
from jinka.kit import Refused

KEY = BlockKey(cipher=BlockCipher.TDES, value=bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"))
SALE = Message(
    mti="0200",
    fields={
        2: "6222021234567890123", 3: "000000", 4: "000000012300", 7: "1122081500", 11: "123456", 18: "5411", 22: "051",
        25: "00", 28: "D00000100", 32: "01020000", 33: "00010000", 41: "TERM0001", 42: "MERCHANT1234567",
        43: "金卡商店" + " " * 32, 49: "156", 90: "0200123456112208150000001020000" + "00000010000",
    },
)  # fmt: skip


def test_a_members_message_there_and_back() -> None:
    codec = dialect("unionpay-interbank")
    signed = SALE.changed({128: interbank_mac(KEY, mac_fields(SALE))})
    raw = codec.encode(signed)
    header = InterbankHeader(destination="00010000   ", source="01020000   ", message_size=len(raw))
    wire = close_frame(UNIONPAY_INTERBANK_FRAMING, Frame(message=raw, head=header.encode()))
    (frame,), fault = Framer(UNIONPAY_INTERBANK_FRAMING).feed(wire)
    assert fault is None
    assert read_interbank(frame.head) == header
    message = codec.decode(frame.message)
    assert message == signed
    check_interbank_mac(KEY, mac_fields(message), message.raw(128))
    with pytest.raises(Refused):
        check_interbank_mac(KEY, mac_fields(message.changed({4: "000000099900"})), message.raw(128))


def test_what_the_mac_covers() -> None:
    text = interbank_text(mac_fields(SALE))
    assert text.startswith(
        b"0200 6222021234567890123 000000 000000012300 1122081500 123456 5411 00 D00000100 01020000 "
    )
    assert b" 156" not in text
    assert interbank_text(mac_fields(SALE, (2, 3), lengths=True)) == b"0200 196222021234567890123 000000"
    echo = Message(mti="0820", fields={7: "1122081500", 11: "000001", 33: "00010000", 70: "301"})
    assert interbank_text(mac_fields(echo)) == b"0820 1122081500 000001 301"
