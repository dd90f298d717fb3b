"""How long documents of identity last: the Passport Law and the Resident Identity Card Law, as sheets."""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import Line, Sheet, Step

_PASSPORT_LAW = "中华人民共和国护照法 (2006-04-29), Art. 7"
_CARD_LAW = "中华人民共和国居民身份证法 (2003-06-28, 2011-10-29), Art. 5"

PASSPORT = Sheet(
    name="passport-years",
    title_en="Validity of an ordinary passport, years",
    title_zh="普通护照有效期（年）",
    source=_PASSPORT_LAW,
    facts=("age",),
    lines=(
        Line(code="years", title_en="Years", title_zh="年数", unit=Unit.POINT,
             value=Step("age", ((15, 5), (None, 10)))),
    ),
    result="years",
    rising=("age",),
)  # fmt: skip
CARD = Sheet(
    name="identity-card-years",
    title_en="Validity of a resident identity card, years (100: without end)",
    title_zh="居民身份证有效期（年，100为长期）",
    source=_CARD_LAW,
    facts=("age",),
    lines=(
        Line(code="years", title_en="Years", title_zh="年数", unit=Unit.POINT,
             value=Step("age", ((15, 5), (25, 10), (45, 20), (None, 100)))),
    ),
    result="years",
    rising=("age",),
)  # fmt: skip


def _years(sheet: Sheet, age: int, years: int, source: str) -> WorkedCase:
    return WorkedCase(
        title_en=f"{sheet.title_en}, at {age}", title_zh=f"{sheet.title_zh}，{age}岁", sheet=sheet.name,
        facts={"age": age}, gives={"years": years}, source=source,
    )  # fmt: skip


def _number(title_en: str, title_zh: str, check: str, number: str, source: str) -> WorkedCase:
    return WorkedCase(title_en=title_en, title_zh=title_zh, check=check, number=number, source=source)


_GB = "GB 11643-1999, clause 4.3 and its examples"
_ICAO = "ICAO Doc 9303-4 (8th ed., 2021), appendix, specimen's machine readable zone; Doc 9303-3, 4.9"
WORKED_CASES = (
    _number("Citizen number ending in X", "末位为X的公民身份号码", "gb11643", "11010519491231002X", _GB),
    _number(
        "Citizen number ending in a digit", "末位为数字的公民身份号码", "gb11643", "440524188001010014", _GB
    ),
    _number("Number of the specimen passport", "样本护照号码", "icao9303", "L898902C36", _ICAO),
    _number("Birthday of the specimen passport", "样本护照出生日期", "icao9303", "7408122", _ICAO),
    _number("Expiry of the specimen passport", "样本护照有效期", "icao9303", "1204159", _ICAO),
    _years(PASSPORT, 15, 5, _PASSPORT_LAW),
    _years(PASSPORT, 16, 10, _PASSPORT_LAW),
    _years(CARD, 15, 5, _CARD_LAW),
    _years(CARD, 16, 10, _CARD_LAW),
    _years(CARD, 26, 20, _CARD_LAW),
    _years(CARD, 46, 100, _CARD_LAW),
)
