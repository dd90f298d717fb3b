"""What a hostile or broken reader sends.

Goal: an error with the place, never a hang, never another error. Method: bytes made wrong one by one, and random ones.
"""

from __future__ import annotations

import random

import pytest

from jinka.codec.llrp import (
    HEADER,
    MESSAGE_MAX,
    MESSAGES,
    Bits,
    LlrpError,
    decode,
    element,
    encode,
    frame_length,
    message,
    tag_reports,
)
from tests.codec.llrp.random_messages import random_message


def _framed(type_: int, body: bytes, version: int = 1) -> bytes:
    return (version << 10 | type_).to_bytes(2, "big") + (10 + len(body)).to_bytes(4, "big") + bytes(4) + body


def _tlv(number: int, body: bytes = b"") -> bytes:
    return number.to_bytes(2, "big") + (4 + len(body)).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "0 bytes"),
        (b"GET / HTTP", "no LLRP is spoken there"),
        (b"\x00" * 10, "no LLRP is spoken there"),
        (_framed(62, b"", version=2), "version 2"),
        ((1 << 10 | 62).to_bytes(2, "big") + b"\xff\xff\xff\xff" + bytes(4), "a length of 4294967295"),
        ((1 << 10 | 62).to_bytes(2, "big") + bytes(3) + b"\x09" + bytes(4), "a length of 9"),
        (_framed(62, b"")[:-1] + b"\0\0", "it says 10"),
        (_framed(22, b"\0\0\0"), "START_ROSPEC at 10: cut off"),
        (_framed(61, b"\x00"), "RO_ACCESS_REPORT at 10: cut off"),
        (_framed(61, _tlv(240)[:2] + b"\x00\x03"), "TagReportData has a length of 3"),
        (_framed(61, b"\x00\xf0\xff\xff"), "TagReportData has a length of 65535"),
        (_framed(61, _tlv(240)), "EPCParameter is missing in TagReportData"),
        (_framed(61, _tlv(240, b"\x8d" + bytes(11))), "cut off"),
        (_framed(61, _tlv(240, b"\xff" + bytes(11))), "unknown short parameter 127"),
        (_framed(61, _tlv(240, b"\x8d" + bytes(12) + b"\x8d" + bytes(12))), "EPCParameter stands 2 times"),
        (_framed(61, _tlv(240, _tlv(241, b"\xff\xff\x00"))), "8192 bytes are said, 1 are there"),
        (_framed(61, _tlv(287, bytes(4))), "LLRPStatus may not stand here"),
        (_framed(4, _tlv(287, b"\0\0\0\x02\xc3\x28")), "not UTF-8"),
        (_framed(4, b""), "LLRPStatus is missing"),
        (_framed(61, _tlv(13, bytes(12))), ""),  # a short parameter's number in the long form: kept, not taken for it
    ],
)  # fmt: skip
def test_broken_bytes_are_named_with_their_place(raw: bytes, said: str) -> None:
    if not said:
        assert not list(tag_reports(decode(raw)))
        assert encode(decode(raw)) == raw
        return
    with pytest.raises(LlrpError) as caught:
        decode(raw)
    assert said in str(caught.value)


def test_deep_nesting_ends() -> None:
    body = b""
    for _ in range(3000):
        body = _tlv(289, bytes(4) + body)
    with pytest.raises(LlrpError, match="too deep"):
        decode(_framed(100, _tlv(287, bytes(4) + body)))
    made = element("ParameterError")
    for _ in range(40):
        made = element("ParameterError", made)
    with pytest.raises(LlrpError, match="too deep"):
        encode(message("ERROR_MESSAGE", element("LLRPStatus", made)))


def test_a_message_of_millions_of_parameters_ends() -> None:
    with pytest.raises(LlrpError, match="too many parameters"):
        decode(_framed(61, _tlv(999) * 250_000))


def test_random_bytes_and_changed_messages_raise_nothing_else() -> None:
    chance = random.Random(7)
    kinds = list(MESSAGES.values())
    for _ in range(1500):
        raw = bytearray(encode(random_message(chance.choice(kinds), chance)))
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(HEADER, len(raw)) if len(raw) > HEADER else 9] = chance.getrandbits(8)
        if chance.random() < 0.3:
            raw = raw[: chance.randint(0, len(raw))]
        try:
            list(tag_reports(decode(bytes(raw))))
        except LlrpError:
            continue


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LlrpError, match="no field Colour"):
        element("AntennaID", Colour=1)
    for made in (
        element("AntennaID", AntennaID=70_000),
        element("C1G2Filter", element("C1G2TagInventoryMask", MB=4)),
        element("EPC_96", EPC=b"short"),
        element("EPCData", EPC=Bits(count=9, data=b"1")),
        element("AISpec", AntennaIDs=(70_000,)),
        element("Identification", ReaderID=(1,) * 70_000),
    ):
        name = {"AntennaID": "TagReportData", "EPC_96": "TagReportData", "EPCData": "TagReportData"}
        holder = name.get(made.name)
        with pytest.raises(LlrpError):
            if holder:
                encode(message("RO_ACCESS_REPORT", element(holder, made)))
            elif made.name == "Identification":
                encode(message("GET_READER_CONFIG_RESPONSE", element("LLRPStatus"), made))
            elif made.name == "AISpec":
                encode(message("ADD_ROSPEC", element("ROSpec", made)))
            else:
                encode(message("SET_READER_CONFIG", element("AntennaConfiguration", made)))
    with pytest.raises(LlrpError, match="32 bits"):
        encode(message("KEEPALIVE", id=1 << 32))


def test_a_length_beyond_the_bound_is_refused_before_it_is_read() -> None:
    assert frame_length(encode(message("KEEPALIVE"))) == HEADER
    head = (1 << 10 | 61).to_bytes(2, "big") + (MESSAGE_MAX + 1).to_bytes(4, "big") + bytes(4)
    with pytest.raises(LlrpError):
        frame_length(head)
