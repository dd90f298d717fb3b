"""Tax: a tax-control card in a cash register signs numbered invoices, keeps their sums, and declares each month.

GB 18240 describes cash registers with a tax-control function; the layout and keys of real tax-control cards are not
public, so the records here are Jinka's own. A card that has not been declared in time issues no more invoices.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Account,
    Alter,
    Archetype,
    Assess,
    Certify,
    Counted,
    Declare,
    Device,
    DeviceKind,
    Invoice,
    Journey,
    JourneyCard,
    Reads,
    Report,
    Revoke,
    Sector,
    Stands,
    Start,
    Tell,
    Verify,
    Write,
)
from jinka.kit import Unit
from jinka.profile.applications import record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.records import DigitGroup
from jinka.sectors import tax_rules

SIGNS = "jinka.identity"
CODE = "91350100M000100Y43"  # the example of GB 32100-2015
COUNTER, SUMS = "counter", ("net", "vat")


def counter(number: int, declared: int, net: int, vat: int) -> str:
    """The record of digits that one invoice writes at once."""
    return f"{number:010d}{declared:010d}{net:014d}{vat:014d}"


RECORDS = (
    record(1, "taxpayer", Coding.TEXT, 18, CODE, "Taxpayer's number", "纳税人识别号"),
    record(2, "invoice code", Coding.TEXT, 12, "144032600111", "Invoice code", "发票代码"),
    record(
        3,
        COUNTER,
        Coding.DIGITS,
        24,
        counter(1000, 1000, 0, 0),
        "Last number, number declared to, amounts and VAT since",
        "最近号码、已申报号码、本期金额与税额累计",
        groups=(
            DigitGroup(10, "last number", "最近号码"),
            DigitGroup(10, "declared to number", "已申报至"),
            DigitGroup(14, "amounts since", "本期金额累计", Unit.FEN),
            DigitGroup(14, "VAT since", "本期税额累计", Unit.FEN),
        ),
    ),
    record(4, "allotted to", Coding.NUMBER, 4, "1100", "Numbers allotted up to", "领用号码止"),
    record(5, "most each", Coding.NUMBER, 5, "1000000", "Limit of one invoice, fen", "单张限额（分）"),
    record(6, "declare by", Coding.DATE, 4, "20260415", "To be declared by", "申报截止日"),
)
CARD = record_application(
    name="cn.tax.control",
    aid=b"JINKA.TAX.1",
    fid=0x3F35,
    title_en="Tax-control card",
    title_zh="税控卡",
    authority="Tax authority 税务机关",
    standards=("GB 18240",),
    records=RECORDS,
)
ISSUE = Entitlement(
    name="issue",
    title_en="Issue the next invoice",
    title_zh="开具下一张发票",
    application=CARD.name,
    conditions=(
        Condition("declare by", Test.NOT_BEFORE, Fact("date"), "NOT_DECLARED"),
        Condition("allotted to", Test.AT_LEAST, Fact("number"), "NUMBERS_USED_UP"),
        Condition("most each", Test.AT_LEAST, Fact("amount"), "OVER_LIMIT"),
    ),
    changes=(Change(COUNTER, put=Fact("counter")),),
    source="中华人民共和国发票管理办法 (国务院令第764号, 2023-07-20), Art. 22, 23",
)


def _invoice(document: str, gross: int, net: int, *, rate: int = 13, at: str = "", torn: bool = False,
             refused: str = "", device: str = "till") -> Invoice:  # fmt: skip
    return Invoice(
        "shop", device, document, entitlement=ISSUE.name, sheet="vat-split", facts={"gross": gross, "rate": rate},
        gives={"net": net, "vat": gross - net}, counter=COUNTER, charged="net", sums=SUMS,
        tells=("taxpayer", "invoice code"), pin="161803", at=at, torn=torn, refused=refused,
    )  # fmt: skip


def _declare(count: int, gives: dict[str, int], *, by: str = "20260515", at: str = "", refused: str = "",
             without: tuple[str, ...] = (), twice: tuple[str, ...] = ()) -> Declare:  # fmt: skip
    return Declare(
        "shop", "tax-office", count, gives, counter=COUNTER, sums=SUMS,
        resets={"declare by": by}, remembers={"output": "vat"}, at=at, refused=refused, without=without, twice=twice,
    )  # fmt: skip


SHOP = JourneyCard("shop", "The shop's tax-control card", "商店的税控卡", (
    Start(application=CARD.name, records={
        "taxpayer": CODE, "invoice code": "144032600111", COUNTER: counter(1000, 1000, 0, 0), "allotted to": "1004",
        "most each": "1000000", "declare by": "20260415",
    }),
    Start(application=SIGNS, pin="161803"),
), holder="shop")  # fmt: skip
_CERTIFIED = Certify("shop", "tax-office", "示例公司", pin="161803", code=CODE,
                     organisation="GB 32100 example company 示例公司", at="08:00")  # fmt: skip
_CARRIED = {"carried": "left"}  # what is not deducted in a month goes into the next
MONTH = Journey(
    name="month",
    title_en="A month of invoices and its declaration",
    title_zh="一个月的开票与申报",
    date=dt.date(2026, 3, 2),
    cards=(SHOP,),
    steps=(
        _CERTIFIED,
        _invoice("invoice A", 9_600, 8_496, at="09:00"),
        Verify("invoice A", "public"),
        _invoice("invoice B", 113_000, 100_000, torn=True, at="10:00"),
        Reads("shop", "till", {COUNTER: counter(1002, 1000, 108_496, 14_104)}),
        _invoice("invoice C", 10_900, 10_000, rate=9),
        Verify("invoice B", "public"),
        _invoice("invoice D", 2_260_000, 2_000_000, refused="OVER_LIMIT"),
        _invoice("invoice D", 5_650, 5_000, at="17:00"),
        Reads("shop", "till", {COUNTER: counter(1004, 1000, 123_496, 15_654)}),
        _invoice("invoice E", 1_130, 1_000, refused="NUMBERS_USED_UP"),
        Write("shop", "tax-office", {"allotted to": "1100"}, at="+1 09:00"),
        _invoice("invoice E", 1_130, 1_000),
        Tell("March is declared within fifteen days of April.", "3月税款于4月15日前申报。"),
        _declare(5, {}, without=("invoice C",), refused="GAP", at="+39 09:00"),
        _declare(5, {}, twice=("invoice A",), refused="REPEATED"),
        _declare(5, {"net": 124_496, "vat": 15_784}),
        Reads("shop", "till", {COUNTER: counter(1005, 1005, 0, 0), "declare by": "20260515"}),
        Assess("vat-month", {"output": "=output", "input": 4_000, "carried": 1_000}, {"payable": 10_784, "left": 0},
               remembers=_CARRIED),
        Stands("treasury", 10_784),
        _invoice("invoice F", 1_130, 1_000, at="+50 09:00"),
        _invoice("invoice G", 1_130, 1_000, refused="NOT_DECLARED", at="+75 09:00"),
        _declare(1, {"net": 1_000, "vat": 130}, by="20260615"),
        Assess("vat-month", {"output": "=output", "input": 500, "carried": "=carried"}, {"payable": 0, "left": 370},
               remembers=_CARRIED),
        _invoice("invoice G", 1_130, 1_000),
        _declare(1, {"vat": 130}, by="20260715", at="+100 09:00"),
        Assess("vat-month", {"output": "=output", "input": 0, "carried": "=carried"}, {"payable": 0, "left": 240}),
    ),
)  # fmt: skip
FRAUD = Journey(
    name="fraud",
    title_en="False invoices are found out",
    title_zh="虚假发票的查验",
    date=dt.date(2026, 4, 7),
    cards=(SHOP,),
    steps=(
        _CERTIFIED,
        _invoice("invoice A", 9_600, 8_496, at="09:00"),
        _invoice("invoice B", 113_000, 100_000),
        Verify("invoice B", "public"),
        Alter("invoice B", "number=1002; day=2026-04-07; net=10000; vat=1300; total=11300"),
        Verify("invoice B", "public", refused="ALTERED"),
        _declare(2, {}, refused="ALTERED", at="12:00"),
        Tell("A plain reader can have the card sign, but counts no number: it has no key of the tax authority.",
             "普通签名读卡器可令卡签名，却没有税务机关的密钥，不能计号开票。"),
        _invoice("invoice D", 1_130, 1_000, device="reader", refused="NOT_ITS_OWN"),
        _invoice("invoice D", 1_130, 1_000),
        Tell("The tax office has seen A; D was signed before the revocation, but nobody had seen it by then.",
             "A票税务机关吊销前已查验；D票吊销前开具，但吊销前无人收到。"),
        Revoke("shop", at="13:00"),
        _invoice("invoice C", 1_130, 1_000),
        Verify("invoice C", "public", refused="REVOKED"),
        Verify("invoice D", "public", refused="REVOKED"),
        Verify("invoice A", "public"),
        Assess("vat-small", {"period": "month", "sales": 10_000_000, "day": "since 2026"},
               {"taxed": 10_000_000, "payable": 100_000}),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="tax",
    title_en="Tax",
    title_zh="税务",
    about_en="A tax-control card: signed invoices without a gap, the month's declaration, anybody's verification. "
    "Since 2024-12-01 fully digital invoices, made online, are the rule in China (国家税务总局公告2024年第11号).",
    about_zh="税控卡：发票连号签名、按月抄报、任何人可查验。自2024-12-01起全国推广在线开具的数电发票"
    "（国家税务总局公告2024年第11号）。",
    authority="Tax authority 税务机关",
    standards=("GB 18240", "ISO/IEC 7816-8"),
    archetypes=(Archetype.RECORD,),
    profiles=(CARD,),
    records={CARD.name: RECORDS},
    composes=(SIGNS,),
    accounts=(
        Account("taxpayer", "The taxpayer", "纳税人", overdraws=True),
        Account("treasury", "The treasury", "国库"),
    ),
    devices=(
        Device("till", "the cash register", "税控收款机", DeviceKind.CHECK, application=CARD.name),
        Device("tax-office", "the tax office", "办税服务厅", DeviceKind.CHECK, application=CARD.name),
        Device("reader", "a plain reader", "普通签名读卡器", DeviceKind.CHECK, application=SIGNS),
        Device("public", "anybody's verification page", "发票查验平台", DeviceKind.CHECK, application=CARD.name),
    ),
    sheets=tax_rules.SHEETS,
    entitlements=(ISSUE,),
    worked_cases=tax_rules.WORKED_CASES,
    reports=(
        Report(name="invoices", title_en="Invoices signed by card", title_zh="各卡开票张数", counts=Counted.SIGNED,
               by="device", unit=Unit.POINT),
        Report(name="refused", title_en="Refusals by reason", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason",
               unit=Unit.POINT),
        Report(name="revenue", title_en="Paid to the treasury", title_zh="入库税款", counts=Counted.MOVED,
               by="account"),
    ),
    journeys=(MONTH, FRAUD),
    words={"invoice A": "A票", "invoice B": "B票", "invoice C": "C票", "invoice D": "D票",
           "number": "号码", "day": "日期", "net": "金额", "vat": "税额", "total": "价税合计"},
)  # fmt: skip
