"""Messages of other people's software are read here, and ours there: pyiso8583 and iso8583sim as oracles.

Method: the same fields written by both sides in ASCII, EBCDIC and packed decimals; the bytes and the values agree.
"""

from __future__ import annotations

import copy
import logging
from typing import Any

import iso8583
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso8583.specs import default_ascii
from iso8583sim.core.types import ISO8583Message
from iso8583sim.wire import WireFormat, decode_message, encode_message

from jinka.codec.iso8583 import DIALECTS, Message, compile_spec
from jinka.codec.iso8583.spec import Coding, Content, Counts, LengthCoding, MessageSpec
from tests.codec.iso8583.messages import messages

logging.getLogger("iso8583sim").setLevel(logging.CRITICAL)
_TEXT = {Coding.ASCII: "ascii", Coding.EBCDIC: "cp037"}


def pyiso_spec(spec: MessageSpec) -> dict[str, Any]:
    """Our specification in pyiso8583's terms."""
    peer = copy.deepcopy(default_ascii)
    peer["h"]["max_len"] = 0
    peer["t"]["data_enc"] = "b" if spec.mti is Coding.BCD else _TEXT[spec.mti]
    for bitmap in ("p", "1"):
        binary = spec.bitmap is Coding.BINARY
        peer[bitmap] |= {
            "data_enc": "b" if binary else _TEXT.get(spec.bitmap, "ascii"),
            "max_len": 8 if binary else 16,
        }
    for number, field in spec.fields.items():
        packed = field.coding in (Coding.BCD, Coding.BCD_LEFT)
        raw = packed or field.coding is Coding.BINARY
        size = 2 * field.size if field.coding is Coding.HEX else field.size
        signed = field.content is Content.XN
        entry = {
            "data_enc": "b" if raw else _TEXT.get(field.coding, "ascii"),
            "len_enc": "ascii",
            "len_type": 0,
            "max_len": size + signed,
            "desc": "",
        }
        if packed:
            entry |= {"len_count": "nibbles", "left_pad" if field.coding is Coding.BCD else "right_pad": "0"}
        if field.prefix:
            codings = {LengthCoding.BCD: "bcd", LengthCoding.EBCDIC: "cp037", LengthCoding.ASCII: "ascii"}
            entry |= {"len_enc": codings[field.prefix.coding], "len_type": field.prefix.width}
        peer[str(number)] = entry
    return peer


def peer_fields(spec: MessageSpec, message: Message) -> dict[str, str]:
    """Our values as pyiso8583 has them: all text, bytes in hexadecimal."""
    found = {"t": message.mti}
    for number, value in message.fields.items():
        text = value.hex().upper() if isinstance(value, bytes) else value
        if spec.fields[number].content is Content.Z and spec.fields[number].coding is Coding.BCD_LEFT:
            text = text.translate(str.maketrans(":;<=>?", "ABCDEF"))
        found[str(number)] = text
    return found


def told(spec: MessageSpec, message: Message) -> bool:
    """Whether the peer can say it: it has no packed amount behind a letter, and none of a bitmap's carrier."""
    packed = spec.fields[2].coding in (Coding.BCD, Coding.BCD_LEFT)
    return not any(
        (spec.fields[n].content is Content.XN and packed)
        or (spec.fields[n].coding is Coding.HEX and spec.fields[n].prefix is not None)
        for n in message.fields
    )


@pytest.mark.parametrize(
    "name", ["iso1987-ascii", "iso1987-binary", "iso1987-bcd", "iso1987-ebcdic", "iso1993-bcd"]
)
@settings(max_examples=40)
@given(data=st.data())
def test_pyiso8583_agrees(name: str, data: st.DataObject) -> None:
    spec = DIALECTS[name]
    message = data.draw(messages(spec).filter(lambda m: told(spec, m)))
    codec, peer = compile_spec(spec), pyiso_spec(spec)
    wanted = peer_fields(spec, message)
    theirs, _ = iso8583.encode(dict(wanted), peer)
    ours = codec.encode(message)
    assert ours == bytes(theirs)
    assert codec.decode(bytes(theirs)) == message
    found, _ = iso8583.decode(ours, peer)
    shown = {key: value for key, value in found.items() if key not in ("h", "p", "1")}
    assert shown == wanted


SALE = {
    2: "4111111111111111", 3: "000000", 4: "000000001000", 7: "1215143022", 11: "123456", 12: "143022", 13: "1215",
    14: "2612", 18: "5411", 22: "051", 24: "001", 25: "00", 32: "12345", 35: "4111111111111111=26121010000",
    37: "123456789012", 38: "AB1234", 39: "00", 41: "TERM0001", 42: "MERCHANT123456 ", 43: "SHOP".ljust(40),
    49: "840", 52: bytes.fromhex("0412AC8901234567"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("iso1987-ascii", WireFormat.ascii_hex()),
        ("iso1987-binary", WireFormat.ascii_binary()),
        ("iso1987-bcd", WireFormat.bcd()),
        ("iso1987-ebcdic", WireFormat.ebcdic()),
    ],
)
@pytest.mark.parametrize("mti", ["0100", "0200", "0800"])
def test_iso8583sim_agrees(name: str, wire: WireFormat, mti: str) -> None:
    fields = {7: "1215143022", 11: "123456", 70: "301"} if mti == "0800" else dict(SALE)
    if (
        name == "iso1987-bcd"
    ):  # it packs 39 and 49, and justifies an odd track to the right, which is its own way
        fields = {n: v for n, v in fields.items() if n not in (35, 39, 49)}
    message = Message(mti=mti, fields=fields)
    texts = {n: v.hex().upper() if isinstance(v, bytes) else v for n, v in fields.items()}
    theirs = encode_message(ISO8583Message(mti=mti, fields={0: mti} | texts), wire)
    codec = compile_spec(DIALECTS[name])
    assert codec.encode(message) == theirs
    assert codec.decode(theirs) == message
    back = decode_message(codec.encode(message), wire)
    assert back.mti == mti
    found = {n: v for n, v in back.fields.items() if n}
    assert found == texts | ({43: texts[43].rstrip()} if 43 in texts else {}), "it trims the merchant's name"


def test_the_oracle_can_disagree() -> None:
    """Left and right justification give other bytes for an odd account number: the comparison sees it."""
    spec = DIALECTS["unionpay-pos"]
    assert spec.fields[2].prefix is not None
    assert spec.fields[2].prefix.counts is Counts.UNITS
    message = Message(mti="0200", fields={2: "123"})
    ours = compile_spec(spec).encode(message)
    right = compile_spec(DIALECTS["iso1987-bcd"]).encode(message)
    assert ours[-3:].hex() == "031230"
    assert right[-3:].hex() == "030123"
    theirs, _ = iso8583.encode({"t": "0200", "2": "123"}, pyiso_spec(spec))
    assert bytes(theirs) == ours
