"""Chinese codes on goods as far as their rules are public: drug trace codes, Ecode, product barcodes, UHF tags.

NMPAB/T 1002-2019 (drug trace codes), GB/T 31866 (Ecode), GB 12904-2008 (product barcodes), GB/T 29768-2013 (UHF tags).
What is not public is not guessed: the last four digits of a drug trace code are made by an algorithm that its operator
keeps, so the format is all that can be checked here, and a right format proves nothing. The widths of an Ecode are
those of the edition of 2015; how an item's code is made within them is each coding system's own business. Of a national
UHF tag the four areas are public; what stands at which place in them, and the commands that reach them, are not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from jinka.codec.tags.check_digit import check_key
from jinka.codec.tags.epc import Elements
from jinka.codec.tags.faults import at_character
from jinka.codec.tags.prefixes import CHINA, PrefixList
from jinka.kit import NotFound

DRUG_CODE_LENGTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugTraceCode:
    """Twenty digits: which product and package size, and which box of it. Only the format was checked."""

    code: str

    @property
    def product(self) -> str:
        """药品标识码, the first seven digits: holder of the licence, product, package size."""
        return self.code[:7]

    @property
    def production(self) -> str:
        """生产标识码, the other thirteen: which box; the last four of them cannot be checked here."""
        return self.code[7:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecode:
    """A code of the Internet of Things as it is written: version, coding system, item. Only the format was checked."""

    version: int
    system: str  # NSI: which coding system the item's code follows
    item: str  # MD

    @property
    def code(self) -> str:
        """The code as it is written."""
        return f"{self.version}{self.system}{self.item}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductBarcode:
    """商品条码: an EAN-13 or EAN-8. ``company`` is empty where no list says how long it is."""

    code: str
    company: str
    item: str

    @property
    def chinese(self) -> bool:
        """Whether the number was given out in China (690 to 699), which says nothing about where a thing was made."""
        return self.code.startswith("69")

    @property
    def elements(self) -> Elements:
        """The same as a GTIN of fourteen digits."""
        return (("01", self.code.zfill(14)),)


class TagArea(Enum):
    """The areas of a national UHF tag (GB/T 29768-2013, 6.2), in English and Chinese."""

    INFORMATION = ("tag information: maker and number of the chip", "标签信息区")
    CODING = ("coding: the item's code", "编码区")
    SECURITY = ("security: passwords and keys", "安全区")
    USER = ("user: what its owner writes", "用户区")


# Version: digits of the coding system, greatest length of the item's code, and its characters (GB/T 31866-2015, 5).
# Version 0 is binary and for tags, 4 holds any characters; the others are reserved.
_ECODE = {1: (4, 20, "[0-9]"), 2: (4, 28, "[0-9]"), 3: (5, 39, "[0-9A-Za-z]")}


def parse_drug_code(text: str) -> DrugTraceCode:
    """Check the format of a drug trace code of twenty digits. Raises `TagError`."""
    wrong = re.search("[^0-9]", text)
    if wrong or len(text) != DRUG_CODE_LENGTH:
        raise at_character(
            f"a drug trace code has {DRUG_CODE_LENGTH} digits, not {len(text)} characters of this kind",
            wrong.start() if wrong else min(len(text), DRUG_CODE_LENGTH),
            fix="imported drugs may bear a GS1 code instead: (01)...(21)...",
        )
    return DrugTraceCode(code=text)


def parse_ecode(text: str) -> Ecode:
    """Take an Ecode of version 1, 2 or 3 apart. Raises `TagError`."""
    version = int(text[0]) if text[:1] in tuple("0123456789") else -1
    if version not in _ECODE:
        raise at_character("no Ecode of version 1, 2 or 3", 0, fix="version 0 is binary, 4 is not bounded")
    digits, longest, charset = _ECODE[version]
    if not re.fullmatch(f"[0-9]{{{digits}}}{charset}{{1,{longest}}}", text[1:]):
        good = re.match(f"[0-9]{{0,{digits}}}(?:(?<=[0-9]{{{digits}}}){charset}{{0,{longest}}})?", text[1:])
        raise at_character(
            f"not an Ecode of version {version}",
            1 + (good.end() if good else 0),
            fix=f"{digits} digits of the coding system, then 1 to {longest} characters",
        )
    return Ecode(version=version, system=text[1 : 1 + digits], item=text[1 + digits :])


def parse_product_barcode(text: str, prefixes: PrefixList = CHINA) -> ProductBarcode:
    """Check a product barcode of 13 or 8 digits with its check digit (GB 12904-2008, 4 and annex B).

    Raises `TagError`. Where the list does not know the company's length the company stays empty.
    """
    wrong = re.search("[^0-9]", text)
    if wrong or len(text) not in (8, 13):
        raise at_character(
            f"a product barcode has 13 or 8 digits, not {len(text)} characters of this kind",
            wrong.start() if wrong else len(text),
        )
    check_key(text, f"barcode {text}")
    if len(text) == 8:  # a short number is given out whole
        return ProductBarcode(code=text, company="", item=text[:-1])
    try:
        digits = prefixes.digits_of(text[:-1])
    except NotFound:
        digits = 0
    return ProductBarcode(code=text, company=text[:digits], item=text[digits:-1])
