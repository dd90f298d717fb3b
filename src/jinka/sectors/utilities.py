"""Utilities: gas, water, electricity and heat, bought onto a meter card, by keypad token or read from afar.

The card's layout is Jinka's own: makers of Chinese meter cards publish none. The tariffs are those of the notices named
at each sheet; what they leave out (heat's price, emergency credit) is an example and says so.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from jinka.codec.fields import Coding
from jinka.declaration import (
    Account,
    Archetype,
    Assess,
    Bill,
    CallEmergency,
    ChangeMeterKey,
    Commodity,
    Consume,
    Counted,
    Device,
    DeviceKind,
    InsertCard,
    Journey,
    JourneyCard,
    KeyIn,
    Meter,
    MeterKind,
    MeterShows,
    PayBill,
    Plan,
    ReadRemotely,
    Reads,
    ReplaceMeter,
    Report,
    Sector,
    SellToken,
    Serve,
    Stands,
    Start,
    Subscribe,
    Tell,
    Write,
)
from jinka.kit import Unit
from jinka.profile.applications import record, record_application
from jinka.sectors.utility_tariffs import CASES, ELECTRICITY, GAS, HEAT, HEAT_AREA, WATER, ZHEJIANG

RECORDS = (
    record(1, "order number", Coding.NUMBER, 2, "7", "Number of the purchase order", "购量单号"),
    replace(record(2, "order amount", Coding.NUMBER, 4, "20000", "Litres or watt-hours of the order",
                   "购买量（升或瓦时）"), spends=True),
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

NEXT = JourneyCard("next", "the neighbour's card", "邻居的卡", (Start(application=CARD.name, records=_NEW),))
_CARD, _KEYPAD, _REMOTE = MeterKind.CARD, MeterKind.KEYPAD, MeterKind.REMOTE
METERS = (
    Meter(name="water", title_en="the water meter", title_zh="水表", kind=_CARD, commodity=Commodity.WATER,
          number=10001, application=CARD.name, emergency=1_000),
    Meter(name="neighbour", title_en="the neighbour's meter", title_zh="邻居水表", kind=_CARD,
          commodity=Commodity.WATER, number=10002, application=CARD.name),
    Meter(name="water-new", title_en="the new water meter", title_zh="新水表", kind=_CARD, commodity=Commodity.WATER,
          number=10003, application=CARD.name, emergency=1_000),
    Meter(name="keypad", title_en="the keypad electricity meter", title_zh="键盘电表", kind=_KEYPAD,
          commodity=Commodity.ELECTRICITY, number=7001),
    Meter(name="keypad-2", title_en="another keypad meter", title_zh="另一只键盘电表", kind=_KEYPAD,
          commodity=Commodity.ELECTRICITY, number=7002),
    Meter(name="gas", title_en="the gas meter", title_zh="燃气表", kind=_REMOTE, commodity=Commodity.GAS, number=3001,
          most_a_day=60_000),
    Meter(name="heat", title_en="the heat meter", title_zh="热量表", kind=_REMOTE, commodity=Commodity.HEAT,
          number=4001, most_a_day=500_000),
)  # fmt: skip
_TENTHS = {"tenths": "tenths"}
_BOUGHT = {"bought": "bought"}
_PAID = {"litres": "litres"}  # what was paid for is what the order says
_KNOWN = {"reading": "reading", "left": "left"}  # what the meter wrote back onto the card
_BEFORE = {"reading": "=reading", "left": "=left"}
_SPLIT = {"works": 4_140, "resource": 3_140, "sewage": 2_720, "price": 10_000}
BUY = Journey(
    name="water-card", title_en="A water card and its meter", title_zh="水卡与水表", date=dt.date(2026, 3, 9),
    cards=(HOME, NEXT),
    steps=(
        InsertCard("home", "water", 0, at="08:00"),
        Reads("home", "counter", {"reading": "0", "left": "0"}, remembers=_KNOWN, at="08:59"),
        Assess("water-year", {"litres": 20_000, **_BEFORE}, _SPLIT, remembers=_PAID),
        Write("home", "counter", {"order number": "1", "order amount": "=litres", "order meter": "10001"}),
        Tell("Somebody copies the card before it has been in the meter.", "插表之前，卡被人复制。"),
        InsertCard("home", "water", copy=True, refused="COPIED_CARD"),
        InsertCard("home", "neighbour", refused="OTHER_METER"),
        InsertCard("home", "water", 20_000),
        Write("home", "counter", {"order number": "2", "order amount": "=litres", "order meter": "10001"},
              refused="USED_TWICE"),
        MeterShows("water", 20_000, 0),
        InsertCard("home", "water", 0),
        MeterShows("water", 20_000, 0),
        Reads("next", "counter", {"reading": "0", "left": "0"}, remembers=_KNOWN),
        Assess("water-year", {"litres": 5_000, **_BEFORE}, {"price": 2_500}, remembers=_PAID),
        Write("next", "counter", {"order number": "9", "order amount": "=litres", "order meter": "10001"}),
        InsertCard("next", "water", refused="OTHER_CARD"),
        Consume("water", 12_000, at="+5 20:00"),
        InsertCard("home", "water", 0),
        Reads("home", "counter", {"credited order": "1", "reading": "12000", "left": "8000"}, at="+6 09:00",
              remembers=_KNOWN),
        Consume("water", 9_000, 8_000, at="+9 20:00"),
        CallEmergency("water", 1_000),
        Consume("water", 600),
        MeterShows("water", 0, 20_600, 600),
        Consume("water", 500, 400),
        CallEmergency("water", refused="NO_EMERGENCY_CREDIT"),
        Assess("water-year", {"litres": 20_000, **_BEFORE}, _SPLIT, at="+10 09:00", remembers=_PAID),
        Write("home", "counter", {"order number": "2", "order amount": "=litres", "order meter": "10001"}),
        InsertCard("home", "water", 20_000),
        MeterShows("water", 19_000, 21_000),
        ReplaceMeter("water", "water-new", at="+40 10:00"),
        MeterShows("water-new", 19_000, 21_000),
        InsertCard("home", "water", refused="TAKEN_OUT"),
        InsertCard("home", "water-new", refused="OTHER_METER"),
        Reads("home", "counter", {"reading": "21000", "left": "19000"}, remembers=_KNOWN),
        Assess("water-year", {"litres": 200_000, **_BEFORE}, {"price": 112_000}, remembers=_PAID),
        Write("home", "counter", {"order number": "3", "order amount": "=litres", "order meter": "10003"}),
        InsertCard("home", "water-new", 200_000),
        MeterShows("water-new", 219_000, 21_000),
        Reads("home", "counter", {"credited order": "3", "reading": "21000", "left": "219000"}),
        Stands("water-works", 62_715),
        Stands("water-resource", 38_465),
        Stands("sewage", 33_320),
    ),
)  # fmt: skip
TOKENS = Journey(
    name="keypad", title_en="Electricity by keypad", title_zh="键盘代码购电", date=dt.date(2026, 3, 9),
    steps=(
        MeterShows("keypad", 0, 0, remembers=_BOUGHT, at="08:59"),
        Assess("electricity-month", {"watt_hours": 25_600, "before": "=bought"}, {"price": 1_250},
               remembers=_TENTHS),
        SellToken("first", "keypad", "=tenths"),
        SellToken("again", "keypad", "=tenths", refused="USED_TWICE"),
        KeyIn("first", "keypad", wrong=True, refused="REJECT"),
        KeyIn("first", "keypad-2", refused="REJECT"),
        KeyIn("first", "keypad", 25_600),
        KeyIn("first", "keypad", refused="USED"),
        Consume("keypad", 30_000, 25_600, at="+9 20:00"),
        MeterShows("keypad", 0, 25_600, remembers=_BOUGHT),
        Assess("electricity-month", {"watt_hours": 474_400, "before": "=bought"}, {"price": 26_965},
               remembers=_TENTHS),
        SellToken("second", "keypad", "=tenths"),
        KeyIn("second", "keypad", 474_400),
        ChangeMeterKey("keypad", 2),
        KeyIn("second", "keypad", refused="REJECT"),
        MeterShows("keypad", 474_400, 25_600, remembers=_BOUGHT),
        Assess("electricity-month", {"watt_hours": 1_000, "before": "=bought"}, {"price": 79}, remembers=_TENTHS),
        SellToken("third", "keypad", "=tenths"),
        KeyIn("third", "keypad", 1_000),
        MeterShows("keypad", 475_400, 25_600),
        Stands("power", 28_294),
    ),
)  # fmt: skip
REMOTE = Journey(
    name="remote-reading", title_en="Gas and heat read from afar", title_zh="远程抄表：燃气与热力",
    date=dt.date(2026, 1, 31),
    steps=(
        Assess("heat-area", {"area": 90, "source": "network"}, {"price": 216_000}, at="00:05"),
        ReadRemotely("gas", 0, at="00:10"),
        Consume("gas", 40_000, at="+27 20:00"),
        ReadRemotely("gas", forged=10_000, refused="FORGED"),
        ReadRemotely("gas", 40_000, remembers={"gas": "used", "gas before": "before"}),
        ReadRemotely("gas", again=True, refused="REPEATED"),
        Assess("gas-month", {"litres": "=gas", "before": "=gas before"}, {"price": 10_520}),
        Tell("What follows in a cold year: past 350 m³ and past 500 m³ the price is a higher one.",
             "采暖用气较多的年份：年用量超过350、500立方米的部分分别加价。"),
        Assess("gas-month", {"litres": 200_000, "before": 240_000}, {"price": 54_580}, posts=False),
        Assess("gas-month", {"litres": 100_000, "before": 450_000}, {"price": 35_500}, posts=False),
        Consume("gas", 900_000, at="+28 20:00"),
        ReadRemotely("gas", refused="TOO_MUCH"),
        Consume("heat", 2_400_000),
        ReadRemotely("heat", 2_400_000, remembers={"heat": "used"}),
        Tell("The season is settled by the meter, in two parts, against what was paid by area.",
             "采暖季结束，按两部制热计量与预交款结算。"),
        Assess("heat-season", {"area": 90, "source": "network", "watt_hours": "=heat"},
               {"base": 108_000, "metered": 38_400, "price": 146_400, "back": 69_600}),
        Stands("gas-works", 10_520),
        Stands("heat-works", 146_400),
    ),
)  # fmt: skip

PLAN = Plan(
    code="heat-base", title_en="Heat, fixed part of 90 m² in nine parts", title_zh="基本热费（90平方米，分九期）",
    price_fen=12_000, services=("heat",), payee="heat-works", months=1, due_days=15, grace_days=30,
)  # fmt: skip
ARREARS = Journey(
    name="arrears", title_en="Heat that is not paid for", title_zh="热费欠缴", date=dt.date(2025, 11, 15),
    steps=(
        Subscribe("flat-301", "heat-base", at="09:00"),
        Bill("flat-301", 12_000),
        Serve("flat-301", "heat", at="+15 09:00", state="active"),
        Serve("flat-301", "heat", at="+16 09:00", state="in arrears"),
        Bill("flat-301", 12_000, at="+30 09:00"),
        Serve("flat-301", "heat", at="+46 09:00", state="suspended", refused="NOT_OPEN"),
        PayBill("flat-301", "household", 12_000),
        Tell("One of two overdue bills is paid: the valve stays shut.", "两笔欠费只缴一笔，阀门不开。"),
        Serve("flat-301", "heat", state="suspended", refused="NOT_OPEN"),
        PayBill("flat-301", "household", 12_000),
        Serve("flat-301", "heat", state="active"),
        Stands("heat-works", 24_000),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="utilities", title_en="Utilities", title_zh="公用事业",
    about_en="Gas, water, electricity and heat: bought onto a meter card, by a keypad token, or read from afar.",
    about_zh="燃气、自来水、电、热：表具购量卡、键盘代码预付费、远程抄表。",
    authority="Gas, water, power and heat companies 燃气、供水、供电、供热企业",
    standards=("CJ/T 166", "IEC 62055-41"),
    archetypes=(Archetype.RECORD, Archetype.SUBSCRIPTION), profiles=(CARD,), records={CARD.name: RECORDS},
    accounts=(
        Account("household", "The household", "住户", overdraws=True),
        Account("water-works", "Water company", "自来水公司"),
        Account("water-resource", "Water resource tax", "水资源税"),
        Account("sewage", "Sewage treatment fee", "污水处理费"),
        Account("power", "Power company", "供电公司"),
        Account("gas-works", "Gas company", "燃气公司"),
        Account("heat-works", "Heat company", "供热公司"),
    ),
    devices=(Device("counter", "the company's counter", "营业厅柜台", DeviceKind.CHECK, application=CARD.name),),
    sheets=(WATER, ELECTRICITY, ZHEJIANG, GAS, HEAT_AREA, HEAT),
    worked_cases=CASES,
    reports=(
        Report(name="sold", title_en="Sold by tariff", title_zh="各价目售量金额", counts=Counted.ASSESSED, by="sheet"),
        Report(name="paid", title_en="Paid to", title_zh="各收款方", counts=Counted.MOVED, by="account"),
        Report(name="credited", title_en="Credited by meter, in litres", title_zh="各水表充入量（升）",
               counts=Counted.WRITTEN, by="device", unit=Unit.MILLILITRE),
        Report(name="billed", title_en="Billed by plan", title_zh="出账", counts=Counted.BILLED, by="product"),
        Report(name="refused", title_en="Refused", title_zh="拒绝", counts=Counted.REFUSED, by="reason"),
    ),
    meters=METERS, plans=(PLAN,),
    journeys=(BUY, TOKENS, REMOTE, ARREARS),
    words={"<left>": "表内余量", "flat-301": "301室", "heat": "供热"},
)  # fmt: skip
