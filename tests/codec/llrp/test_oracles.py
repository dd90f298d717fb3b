"""Two other implementations of LLRP read what we write and write what we read.

Goal: the tables are the standard's, not ours. Method: random messages of every kind. pyllrp makes them by its own
tables and we must find its values and give its bytes back; ours are read by llrpkit, whose values and bytes must be
the same.
"""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from llrpkit.protocol import decode_message
from llrpkit.protocol.codec import BitStr, LLRPParameter, LLRPStruct
from pyllrp import pyllrp

from jinka.codec.llrp import MESSAGES, PARAMETERS, Bits, Element, Kind, decode, element, encode, message
from tests.codec.llrp.random_messages import (
    PEER_MESSAGES,
    PEER_PARAMETERS,
    peer_bytes,
    peer_message,
    random_message,
)

_STANDARD = [each["name"] for each in PEER_MESSAGES if "IMPINJ" not in each["name"]]


def test_both_have_the_same_messages_and_parameters() -> None:
    assert {kind.name: number for number, kind in MESSAGES.items()} == {
        each["name"]: each["typeNum"] for each in PEER_MESSAGES if "IMPINJ" not in each["name"]
    }
    assert {kind.name: number for number, kind in PARAMETERS.items()} == {
        each["name"]: each["typeNum"] for each in PEER_PARAMETERS if not each["name"].startswith("Impinj")
    }


@pytest.mark.parametrize("name", [name for name in _STANDARD if name != "CUSTOM_MESSAGE"])
def test_what_pyllrp_writes_is_read_and_written_the_same(name: str) -> None:
    chance = random.Random(name)
    for _ in range(3):
        theirs = peer_message(name, chance)
        raw = peer_bytes(theirs)
        ours = decode(raw)
        assert (ours.id, ours.name) == (theirs._MessageID, name)
        _same_as_pyllrp(ours.body, theirs)
        assert encode(ours) == raw


def _same_as_pyllrp(ours: Element, theirs: Any) -> None:
    for name, value in theirs._getValues():
        mine = ours[name]
        if isinstance(mine, Bits):
            assert mine == Bits.of(value)
        elif isinstance(mine, bytes):
            assert int.from_bytes(mine, "big") == value
        else:
            assert mine == (tuple(value) if isinstance(value, list) else value)
    assert len(ours.children) == len(theirs.Parameters)
    for mine, his in zip(ours.children, theirs.Parameters, strict=True):
        assert f"{mine.name}_Parameter" == type(his).__name__
        _same_as_pyllrp(mine, his)


@pytest.mark.parametrize("kind", MESSAGES.values(), ids=lambda kind: kind.name)
def test_what_we_write_is_read_and_written_the_same_by_llrpkit(kind: Kind) -> None:
    chance = random.Random(kind.name)
    for _ in range(3):
        ours = random_message(kind, chance)
        raw = encode(ours)
        assert decode(raw).body == ours.body or encode(decode(raw)) == raw
        theirs = decode_message(raw)
        assert theirs.message_id == ours.id
        _same_as_llrpkit(ours.body, theirs)
        assert theirs.to_bytes() == raw


def _same_as_llrpkit(ours: Element, theirs: LLRPStruct) -> None:
    assert dataclasses.is_dataclass(theirs)
    told = [getattr(theirs, field.name) for field in dataclasses.fields(theirs)]
    inner: list[LLRPStruct] = []
    values: list[Any] = []
    for value in told:
        if isinstance(value, LLRPParameter):
            inner.append(value)
        elif isinstance(value, list) and value and isinstance(value[0], LLRPParameter):
            inner += value
        elif value is not None:
            values.append(value)
    if not type(theirs).__name__.startswith("UnknownCustom"):
        values = [value for value in values if value != [] or () in ours.values.values()]
    for mine, his in zip(ours.values.values(), values, strict=False):
        if isinstance(mine, Bits):
            assert (mine.count, mine.data) == (his.bit_len, his.data)
        elif isinstance(mine, tuple):
            assert mine == tuple(his)
        else:
            assert mine == his
    assert len(ours.children) == len(inner)
    by_name = sorted(ours.children, key=lambda child: child.name)
    his_names = sorted("Custom" if "Custom" in type(each).__name__ else type(each).__name__ for each in inner)
    assert [child.name for child in by_name] == his_names


def test_a_vendors_parameter_is_kept_byte_by_byte() -> None:
    report = pyllrp.RO_ACCESS_REPORT_Message(
        MessageID=9,
        Parameters=[
            pyllrp.TagReportData_Parameter(
                Parameters=[
                    pyllrp.EPC_96_Parameter(EPC=0x3034257BF7194E4000001A85),
                    pyllrp.ImpinjPeakRSSI_Parameter(RSSI=-5512),
                ]
            )
        ],
    )
    raw = peer_bytes(report)
    ours = decode(raw)
    (tag,) = ours.body.children
    custom = tag.first("Custom")
    assert custom is not None
    assert (custom["VendorIdentifier"], custom["Data"]) == (25882, (-5512).to_bytes(2, "big", signed=True))
    assert encode(ours) == raw


def test_bit_strings_of_any_length_are_the_same_at_llrpkit() -> None:
    for count in (0, 1, 7, 8, 9, 95, 96, 97, 200):
        data = bytes(((1 << count) - 1 << -count % 8).to_bytes((count + 7) // 8, "big"))
        told = message(
            "RO_ACCESS_REPORT", element("TagReportData", element("EPCData", EPC=Bits(count=count, data=data)))
        )
        theirs: Any = decode_message(encode(told))
        assert theirs.tag_report_datas[0].epc_parameter.epc == BitStr(count, data)
