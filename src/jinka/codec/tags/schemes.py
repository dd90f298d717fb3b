"""The binary encodings of EPCs as one table: header, filter, partitions and fields of every scheme.

GS1 Tag Data Standard 2.3: 14.2 (headers), 14.6 (coding tables), 10 (filter values). `jinka.codec.tags.binary` reads and
writes the schemes of TDS 1.x after it, `jinka.codec.tags.plus` those of TDS 2.x, and `jinka.codec.tags.batch` arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Field(Enum):
    """How a part of the URN is written in bits (TDS 14.3 and 14.4)."""

    SPLIT_DIGITS = "partition, company prefix, reference padded to its digits"  # 14.3.3
    SPLIT_INTEGER = "partition, company prefix, reference as a number"  # 14.3.4
    SPLIT_TEXT = "partition, company prefix, reference of 7-bit characters"  # 14.3.5
    SPLIT_SIX = "partition, company prefix, reference of 6-bit characters"  # 14.3.9
    INTEGER = "a number without leading zeros"  # 14.3.1
    TEXT = "7-bit characters, zeros behind"  # 14.3.2
    NUMERIC = "digits behind a 1, as one number"  # 14.3.6
    DIGITS = "a number of fixed digits"  # 14.3.10
    SIX = "6-bit characters and six zero bits"  # 14.3.8
    CAGE_SIX = "six 6-bit characters"  # 14.3.7
    CAGE_EIGHT = "six 8-bit characters"
    ZEROS = "zero bits"


SPLITS = frozenset({Field.SPLIT_DIGITS, Field.SPLIT_INTEGER, Field.SPLIT_TEXT, Field.SPLIT_SIX})
# Bits of the company prefix by partition value 0 to 6, which stands for 12 to 6 digits; the same in every table.
PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A run of bits. Of a split, ``bits`` counts company prefix and reference together, without the partition."""

    field: Field
    bits: int = 0
    length: int = 0  # characters or digits at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """An encoding of one kind of EPC. ``bits`` is 0 where the length depends on the content."""

    name: str  # as in urn:epc:tag:
    header: int
    epc: str  # the word of the pure identity
    bits: int
    segments: tuple[Segment, ...] = ()
    filter_bits: int = 3
    # TDS 2.x: the application identifiers in order; no company prefix is marked.
    elements: tuple[str, ...] = ()
    dated: bool = False  # a date between filter and key
    hosted: bool = False  # a host name behind the key

    @property
    def is_plus(self) -> bool:
        """Whether it is one of TDS 2.x, written as application identifiers."""
        return bool(self.elements)


def _split(field: Field, bits: int) -> Segment:
    return Segment(field=field, bits=bits)


_D, _I, _T, _S = Field.SPLIT_DIGITS, Field.SPLIT_INTEGER, Field.SPLIT_TEXT, Field.SPLIT_SIX
_PIECES = (Segment(field=Field.DIGITS, bits=7, length=2), Segment(field=Field.DIGITS, bits=7, length=2))


def _integer(bits: int) -> Segment:
    return Segment(field=Field.INTEGER, bits=bits)


def _text(length: int) -> Segment:
    return Segment(field=Field.TEXT, bits=7 * length, length=length)


def _classic(name: str, header: int, bits: int, *segments: Segment, filter_bits: int = 3) -> Scheme:
    return Scheme(
        name=name,
        header=header,
        epc=name.split("-")[0],
        bits=bits,
        segments=segments,
        filter_bits=filter_bits,
    )


def _plus(name: str, header: int, *elements: str, dated: bool = False) -> Scheme:
    word = name.rstrip("+")
    return Scheme(
        name=name, header=header, epc="sgtin" if word == "dsgtin" else word, bits=0, elements=elements,
        dated=dated, hosted=name.endswith("++"),
    )  # fmt: skip


SCHEMES: tuple[Scheme, ...] = (
    _classic("sgtin-96", 0x30, 96, _split(_D, 44), _integer(38)),
    _classic("sgtin-198", 0x36, 198, _split(_D, 44), _text(20)),
    _classic("sscc-96", 0x31, 96, _split(_D, 58), Segment(field=Field.ZEROS, bits=24)),
    _classic("sgln-96", 0x32, 96, _split(_D, 41), _integer(41)),
    _classic("sgln-195", 0x39, 195, _split(_D, 41), _text(20)),
    _classic("grai-96", 0x33, 96, _split(_D, 44), _integer(38)),
    _classic("grai-170", 0x37, 170, _split(_D, 44), _text(16)),
    _classic("giai-96", 0x34, 96, _split(_I, 82)),
    _classic("giai-202", 0x38, 202, _split(_T, 188)),
    _classic("gsrn-96", 0x2D, 96, _split(_D, 58), Segment(field=Field.ZEROS, bits=24)),
    _classic("gsrnp-96", 0x2E, 96, _split(_D, 58), Segment(field=Field.ZEROS, bits=24)),
    _classic("gdti-96", 0x2C, 96, _split(_D, 41), _integer(41)),
    _classic("gdti-113", 0x3A, 113, _split(_D, 41), Segment(field=Field.NUMERIC, bits=58, length=17)),
    _classic("gdti-174", 0x3E, 174, _split(_D, 41), _text(17)),
    _classic("sgcn-96", 0x3F, 96, _split(_D, 41), Segment(field=Field.NUMERIC, bits=41, length=12)),
    _classic("cpi-96", 0x3C, 96, _split(_I, 51), _integer(31)),
    _classic("cpi-var", 0x3D, 0, _split(_S, 0), Segment(field=Field.INTEGER, bits=40, length=12)),
    _classic("itip-110", 0x40, 110, _split(_D, 44), *_PIECES, _integer(38)),
    _classic("itip-212", 0x41, 212, _split(_D, 44), *_PIECES, _text(20)),
    _classic("gid-96", 0x35, 96, _integer(28), _integer(24), _integer(36), filter_bits=0),
    _classic("usdod-96", 0x2F, 96, Segment(field=Field.CAGE_EIGHT, bits=48), _integer(36), filter_bits=4),
    _classic(
        "adi-var", 0x3B, 0, Segment(field=Field.CAGE_SIX, bits=36), Segment(field=Field.SIX, length=32),
        Segment(field=Field.SIX, length=30), filter_bits=6,
    ),
    _plus("sgtin+", 0xF7, "01", "21"),
    _plus("dsgtin+", 0xFB, "01", "21", dated=True),
    _plus("sscc+", 0xF9, "00"),
    _plus("sgln+", 0xF2, "414", "254"),
    _plus("grai+", 0xF1, "8003"),
    _plus("giai+", 0xFA, "8004"),
    _plus("gsrn+", 0xF4, "8018"),
    _plus("gsrnp+", 0xF5, "8017"),
    _plus("gdti+", 0xF6, "253"),
    _plus("sgcn+", 0xF8, "255"),
    _plus("cpi+", 0xF0, "8010", "8011"),
    _plus("itip+", 0xF3, "8006", "21"),
    _plus("sgtin++", 0xFD, "01", "21"),
    _plus("dsgtin++", 0xFC, "01", "21", dated=True),
    _plus("sscc++", 0xEF, "00"),
    _plus("sgln++", 0xE9, "414", "254"),
    _plus("grai++", 0xEB, "8003"),
    _plus("giai++", 0xEE, "8004"),
    _plus("gsrn++", 0xE7, "8018"),
    _plus("gsrnp++", 0xE8, "8017"),
    _plus("gdti++", 0xEA, "253"),
    _plus("sgcn++", 0xEC, "255"),
    _plus("cpi++", 0xE6, "8010", "8011"),
    _plus("itip++", 0xED, "8006", "21"),
)  # fmt: skip
SCHEME_BY_NAME = {scheme.name: scheme for scheme in SCHEMES}
SCHEME_BY_HEADER = {scheme.header: scheme for scheme in SCHEMES}

# The date of DSGTIN+ says which application identifier it is (14.5.3).
DATE_KINDS = ("11", "13", "15", "16", "17", "7006", "7007")

_OTHERS = ("all others", "其他")
# Section 10: filter values that are not reserved, in English and Chinese.
FILTERS: dict[str, dict[int, tuple[str, str]]] = {
    "sgtin": {
        0: _OTHERS,
        1: ("point of sale item", "零售商品"),
        2: ("full case for transport", "整箱运输包装"),
        4: ("inner pack for handling", "内包装"),
        6: ("unit load", "组合装载单元"),
        7: ("component inside an item", "商品内部组件"),
    },
    "sscc": {0: _OTHERS, 2: ("full case for transport", "整箱运输包装"), 6: ("unit load", "组合装载单元")},
    "gdti": {0: _OTHERS, 1: ("travel document", "旅行证件")},
    "giai": {0: _OTHERS, 1: ("rail vehicle", "铁路车辆")},
    "usdod": {0: ("pallet", "托盘"), 1: ("case", "箱"), 2: ("unit pack", "单元包装")},
    "adi": {
        0: _OTHERS, 1: ("item, other", "单件，其他"), 2: ("carton", "纸箱"), 6: ("pallet", "托盘"),
        8: ("seat cushion", "座垫"), 9: ("seat cover", "座套"), 10: ("seat belt", "安全带"),
        11: ("galley car", "餐车"), 12: ("unit load device, cargo", "集装器（货）"),
        13: ("aircraft security item", "航空安保件"), 14: ("life vest", "救生衣"),
        15: ("oxygen generator", "氧气发生器"),
        16: ("engine component", "发动机部件"), 17: ("avionics", "航空电子件"),
        18: ("experimental equipment", "试验设备"),
        19: ("other emergency equipment", "其他应急设备"), 20: ("other rotable", "其他周转件"),
        21: ("other repairable", "其他可修件"), 22: ("other cabin interior", "其他客舱内饰"),
        23: ("other repair", "其他维修件"), 24: ("passenger seat", "旅客座椅"),
        25: ("in-flight entertainment", "机上娱乐"), 56: ("location identifier", "位置标识"),
        57: ("documentation", "文件资料"), 58: ("tool", "工具"), 59: ("ground support equipment", "地面保障设备"),
        60: ("other equipment that does not fly", "其他非飞行设备"),
    },
}  # fmt: skip


def filter_title(scheme: Scheme, value: int) -> tuple[str, str]:
    """What a filter value means, in English and Chinese (section 10)."""
    if not scheme.filter_bits:
        return ("none", "无")
    return FILTERS.get(scheme.epc, {0: _OTHERS}).get(value, ("reserved", "保留"))
