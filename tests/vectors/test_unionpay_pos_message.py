"""A UnionPay terminal's message as it was published, with its MAC: read, checked and written again, byte for byte.

Source: q.cnblogs.com/q/128930, a terminal's message with the key of its MAC, whose asker could not reproduce the MAC.
"""

from __future__ import annotations

import pytest

from jinka.codec.framing import UNIONPAY_POS_FRAMING, Framer, close_frame
from jinka.codec.iso8583 import dialect
from jinka.codec.iso8583.compile import HOT
from jinka.codec.iso8583.nested import split
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.unionpay_mac import FIELD_SIZE, check_pos_mac, pos_mac
from jinka.kit import Refused

WIRE = bytes.fromhex(
    "007f600003000060321032007202003020048000c08015000000000000001234000002030099303030303030303139353237313831383232"
    "313738373531353600192600000100060000000000435f01123238343431323334353637383930313233345f03063136303033365f040632"
    "30303832365c0230314233413039324145"
)
KEY = BlockKey(cipher=BlockCipher.TDES, value=bytes.fromhex("0723C80DB5F4CD3D0723C80DB5F4CD3D"))


def test_the_published_message() -> None:
    frames, fault = Framer(UNIONPAY_POS_FRAMING).feed(WIRE)
    assert fault is None
    (frame,) = frames
    assert frame.tpdu.hex() == "6000030000"
    assert frame.head.hex() == "603210320072"
    codec = dialect("unionpay-pos")
    for _ in range(HOT + 2):  # by the slow road, then by the fast one
        message = codec.decode(frame.message)
        assert codec.encode(message) == frame.message
    assert message.mti == "0200"
    assert sorted(message.fields) == [3, 4, 11, 22, 25, 41, 42, 49, 60, 62, 64]
    assert message.text(4) == "000000001234"
    assert message.text(22) == "030"
    assert message.text(41) == "00000001"
    assert message.text(60) == "2600000100060000000"
    assert {node.key: node.value for node in split(codec.spec.fields[60], message.text(60))} == {
        "type": "26", "batch": "000001", "network": "000", "capability": "6", "fallback": "0", "partial": "0",
        "account": "000", "rest": "00",
    }  # fmt: skip
    check_pos_mac(KEY, frame.message[:-FIELD_SIZE], message.raw(64))
    assert close_frame(UNIONPAY_POS_FRAMING, frame) == WIRE


def test_a_changed_amount_has_another_mac() -> None:
    frame = Framer(UNIONPAY_POS_FRAMING).feed(WIRE)[0][0]
    codec = dialect("unionpay-pos")
    message = codec.decode(frame.message)
    raw = codec.encode(message.changed({4: "000000009999"}))
    with pytest.raises(Refused):
        check_pos_mac(KEY, raw[:-FIELD_SIZE], message.raw(64))
    signed = codec.encode(message.changed({4: "000000009999", 64: pos_mac(KEY, raw[:-FIELD_SIZE])}))
    check_pos_mac(KEY, signed[:-FIELD_SIZE], codec.decode(signed).raw(64))
