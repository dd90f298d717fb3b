"""Utilities: gas, water, electricity and heat, bought onto a meter card, by keypad token or read from afar.

The card's layout is Jinka's own: makers of Chinese meter cards publish none. The tariffs are those of the notices named
at each sheet; what they leave out (heat's price, emergency credit) is an example and says so.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Account,
    Archetype,
    Assess,
    Counted,
    Device,
    DeviceKind,
    Journey,
    JourneyCard,
    Reads,
    Report,
    Sector,
    Stands,
    Start,
    Write,
)
from jinka.profile.applications import record, record_application
from jinka.sectors.utility_tariffs import CASES, ELECTRICITY, WATER, ZHEJIANG

RECORDS = (
    record(1, "order number", Coding.NUMBER, 2, "7", "Number of the purchase order", "购量单号"),
    record(2, "order amount", Coding.NUMBER, 4, "20000", "Litres or watt-hours of the order", "购买量（升或瓦时）"),
    record(3, "order meter", Coding.NUMBER, 4, "10001", "Meter that the order is for", "购量表号"),
    record(1, "credited order", Coding.NUMBER, 2, "6", "Last order that the meter credited", "表已入单号", fid=0x0006),
    record(2, "reading", Coding.NUMBER, 4, "512000", "Reading of the meter", "表读数", fid=0x0006),
    record(3, "left", Coding.NUMBER, 4, "1500", "Left in the meter", "表内余量", fid=0x0006),
    record(4, "owed", Coding.NUMBER, 4, "0", "Used on emergency credit", "应急欠量", fid=0x0006),
)  # fmt: skip
CARD = record_application(
    name="cn.utility.meter", aid=b"JINKA.METER.1", fid=0x3F51, title_en="Meter card", title_zh="表具购量卡",
    authority="Gas, water, power and heat companies 燃气、供水、供电、供热企业",
    standards=("CJ/T 166",), records=RECORDS,
)  # fmt: skip
_NEW = {"order number": "0", "order amount": "0", "order meter": "0", "credited order": "0", "reading": "0",
        "left": "0",
        "owed": "0"}  # fmt: skip
HOME = JourneyCard(
    "home", "the household's water card", "住户水卡", (Start(application=CARD.name, records=_NEW),)
)

BUY = Journey(
    name="water", title_en="Water bought at the counter", title_zh="柜台购水", date=dt.date(2026, 3, 9),
    cards=(HOME,),
    steps=(
        Assess("water-year", {"litres": 20_000, "before": 0}, {"price": 10_000, "works": 4_140, "resource": 3_140,
                                                               "sewage": 2_720}, at="09:00"),
        Write("home", "counter", {"order number": "1", "order amount": "20000", "order meter": "10001"}),
        Reads("home", "counter", {"order number": "1", "credited order": "0"}),
        Assess("electricity-month", {"watt_hours": 500_000, "before": 0}, {"price": 28_215}),
        Stands("water-works", 4_140),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="utilities",
    title_en="Utilities",
    title_zh="公用事业",
    about_en="Gas, water, electricity and heat: bought onto a meter card, by a keypad token, or read from afar.",
    about_zh="燃气、自来水、电、热：表具购量卡、键盘代码预付费、远程抄表。",
    authority="Gas, water, power and heat companies 燃气、供水、供电、供热企业",
    standards=("CJ/T 166", "IEC 62055-41"),
    archetypes=(Archetype.RECORD,),
    profiles=(CARD,),
    records={CARD.name: RECORDS},
    accounts=(
        Account("household", "The household", "住户", overdraws=True),
        Account("water-works", "Water company", "自来水公司"),
        Account("water-resource", "Water resource fee", "水资源费"),
        Account("sewage", "Sewage treatment fee", "污水处理费"),
        Account("power", "Power company", "供电公司"),
    ),
    devices=(Device("counter", "the company's counter", "营业厅柜台", DeviceKind.CHECK, application=CARD.name),),
    sheets=(WATER, ELECTRICITY, ZHEJIANG),
    worked_cases=CASES,
    reports=(
        Report(name="sold", title_en="Sold by tariff", title_zh="各价目售量金额", counts=Counted.ASSESSED, by="sheet"),
        Report(name="paid", title_en="Paid to", title_zh="各收款方", counts=Counted.MOVED, by="account"),
    ),
    journeys=(BUY,),
)  # fmt: skip
