"""The identification keys of GS1 and the other EPC schemes, as one table: how each is written as URN, as GS1 Digital
Link and in barcodes.

GS1 Tag Data Standard 2.x, section 6.3 (URN grammar) and 7 (correspondence to GS1 keys); GS1 Digital Link URI syntax,
section 4. How a key is laid out in a tag's bits is `jinka.codec.tags.schemes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PREFIX_MIN, PREFIX_MAX = 6, 12  # digits of a GS1 company prefix inside an EPC
ALNUM = (
    r"!\"%-?A-Z_a-z"  # the 82 characters of GS1 application identifiers (ISO/IEC 646, GenSpecs figure 7.11-1)
)
ALNUM_39 = r"#\-/0-9A-Z"  # the 39 characters of component and part identifiers
NUMERIC = "0-9"


class Lead(Enum):
    """What stands in front of the company prefix in the GS1 key."""

    NONE = ""
    FIRST = "first"  # the first digit of the reference: an indicator or an extension digit
    ZERO = "0"  # a fixed zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Serial:
    """The serial part: ``ai`` is its own application identifier, or empty where it is appended to the key."""

    ai: str
    name: str
    max_length: int
    charset: str = ALNUM
    absent: str | None = None  # how a URN says that there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of GS1. ``digits`` counts company prefix and reference where both are numeric, without a check digit;
    otherwise ``max_length`` bounds the two together."""

    scheme: str  # the word of the URN
    ai: str
    title: tuple[str, str]  # English, Chinese
    digits: int = 0
    lead: Lead = Lead.NONE
    check: bool = True
    max_length: int = 0
    charset: str = NUMERIC
    pieces: bool = False  # two digits of piece and two of total behind the key
    serial: Serial | None = None
    is_class: bool = False  # names a class of things: urn:epc:class


KEYS: tuple[Key, ...] = (
    Key(
        scheme="sgtin", ai="01", digits=13, lead=Lead.FIRST, title=("trade item", "贸易项目"),
        serial=Serial(ai="21", name="serial", max_length=20),
    ),
    Key(
        scheme="lgtin", ai="01", digits=13, lead=Lead.FIRST, title=("lot of a trade item", "贸易项目批次"),
        serial=Serial(ai="10", name="lot", max_length=20), is_class=True,
    ),
    Key(
        scheme="upui", ai="01", digits=13, lead=Lead.FIRST, title=("unit packet of tobacco", "烟草单元包装"),
        serial=Serial(ai="235", name="serial extension", max_length=28),
    ),
    Key(scheme="sscc", ai="00", digits=17, lead=Lead.FIRST, title=("logistic unit", "物流单元")),
    Key(
        scheme="sgln", ai="414", digits=12, title=("location", "位置"),
        serial=Serial(ai="254", name="extension", max_length=20, absent="0"),
    ),
    Key(scheme="pgln", ai="417", digits=12, title=("party", "参与方")),
    Key(
        scheme="grai", ai="8003", digits=12, lead=Lead.ZERO, title=("returnable asset", "可回收资产"),
        serial=Serial(ai="", name="serial", max_length=16),
    ),
    Key(scheme="giai", ai="8004", check=False, max_length=30, charset=ALNUM, title=("asset", "单个资产")),
    Key(scheme="gsrn", ai="8018", digits=17, title=("recipient of a service", "服务接受方")),
    Key(scheme="gsrnp", ai="8017", digits=17, title=("provider of a service", "服务提供方")),
    Key(
        scheme="gdti", ai="253", digits=12, title=("document", "文件"),
        serial=Serial(ai="", name="serial", max_length=17),
    ),
    Key(
        scheme="sgcn", ai="255", digits=12, title=("coupon", "优惠券"),
        serial=Serial(ai="", name="serial", max_length=12, charset=NUMERIC),
    ),
    Key(
        scheme="cpi", ai="8010", check=False, max_length=30, charset=ALNUM_39, title=("component", "部件"),
        serial=Serial(ai="8011", name="serial", max_length=12, charset=NUMERIC),
    ),
    Key(
        scheme="itip", ai="8006", digits=13, lead=Lead.FIRST, pieces=True,
        title=("piece of a trade item", "贸易项目组件"),
        serial=Serial(ai="21", name="serial", max_length=20),
    ),
    Key(scheme="ginc", ai="401", check=False, max_length=30, charset=ALNUM, title=("consignment", "托运")),
    Key(scheme="gsin", ai="402", digits=16, title=("shipment", "装运")),
)  # fmt: skip
KEY_BY_SCHEME = {key.scheme: key for key in KEYS}

# Schemes that are no GS1 key: the parts of their URN with a grammar and its words (TDS 6.3.16 to 6.3.20).
_INTEGER = "(?:0|[1-9][0-9]*)"
_CAGE = "[0-9A-HJ-NP-Z]{5,6}"  # a CAGE code has five characters, a DoDAAC six
_NUMBER, _SUPPLIER = "a number without leading zeros", "5 or 6 digits and capital letters, no I and no O"
PLAIN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "gid": (("manager", _INTEGER, _NUMBER), ("class", _INTEGER, _NUMBER), ("serial", _INTEGER, _NUMBER)),
    "usdod": (("CAGE or DoDAAC", _CAGE, _SUPPLIER), ("serial", _INTEGER, _NUMBER)),
    "adi": (
        ("CAGE or DoDAAC", _CAGE, _SUPPLIER),
        ("part number", r"[0-9A-Z/\-]{0,32}", "up to 32 capital letters, digits, - and /"),
        (
            "serial", r"[0-9A-Z/\-]{1,30}|#[0-9A-Z/\-]{1,29}",
            "1 to 30 capital letters, digits, - and /, perhaps behind a #",
        ),
    ),
    "bic": (
        (
            "container number", "[A-HJ-NP-Z]{3}[JUZ][0-9]{7}",
            "three letters without I and O, one of J, U and Z, seven digits",
        ),
    ),
    "imovn": (("vessel number", "[0-9]{7}", "seven digits"),),
}  # fmt: skip

# Names that stood in the place of application identifiers in GS1 Digital Link 1.0 and 1.1; still met in documents.
SHORT_NAMES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018",
    "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004",
    "cpv": "22", "lot": "10", "ser": "21", "glnx": "254", "cpsn": "8011", "tpx": "235",
}  # fmt: skip

# Qualifiers that may stand behind a primary key in a Digital Link's path, from the coarse to the fine.
QUALIFIERS = {
    "01": ("22", "10", "21", "235"),
    "8006": ("22", "10", "21"),
    "414": ("254", "7040"),
    "8010": ("8011",),
    "8017": ("8019",),
    "8018": ("8019",),
}
# Of these a thing's identity is the finest that is there; the others say something about it.
FINEST = {
    "01": ("21", "235", "10"),
    "8006": ("21", "10"),
    "414": ("254",),
    "8010": ("8011",),
}
