"""Fuel as a sector: pumps of two regions, refuelling interrupted and paid later, a fleet's master and sub-cards.

The card is `fuel`'s (JR/T 0025.9, CJ/T 304). No public vector of the grey lock's MACs was found; what is published and
computed here are the rules about the fuel itself: litres to the ton, the tax on a litre.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Archetype,
    Assess,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Distribute,
    Fill,
    FundMaster,
    Holds,
    Journey,
    JourneyCard,
    List,
    Load,
    Lock,
    Party,
    Report,
    Restrict,
    Sector,
    Start,
    Tell,
    Unlock,
    UnlockOnline,
    WorkedCase,
)
from jinka.kit import Unit
from jinka.registry import Role
from jinka.sectors.fuel import PROFILE, TARIFF, Grade
from jinka.tariff.sheet import Choose, Line, Sheet, Times

_RULES = (
    "消费税暂行条例实施细则 (财政部 国家税务总局令第51号, 2008-12-15), Art. 10; 财税〔2015〕11号 (2015-01-12)"
)
_LITRES = (
    ("petrol", 1_388), ("diesel", 1_176), ("kerosene", 1_246), ("naphtha", 1_385), ("solvent", 1_282),
    ("lubricant", 1_126), ("fuel-oil", 1_015),
)  # fmt: skip
TAX = Sheet(
    name="fuel-tax", title_en="Consumption tax on fuel", title_zh="成品油消费税", source=_RULES, result="tax",
    facts=("kilograms", "product"), rising=("kilograms",),
    lines=(
        Line(code="litres", title_en="Litres", title_zh="折合升数", unit=Unit.POINT,
             value=Times("kilograms", Choose("product", _LITRES), 1_000)),
        Line(code="tax", title_en="Consumption tax", title_zh="消费税", value=Times("litres", Choose("product", (
            ("petrol", 152), ("naphtha", 152), ("solvent", 152), ("lubricant", 152),
            ("diesel", 120), ("kerosene", 120), ("fuel-oil", 120),
        )))),
    ),
)  # fmt: skip
LITRES = Sheet(
    name="fuel-litres", title_en="Litres in a ton", title_zh="吨与升的换算", source=f"{_RULES}: the table of Art. 10",
    result="litres", facts=TAX.facts, rising=("kilograms",), lines=TAX.lines[:1],
)  # fmt: skip
SALE = Sheet(
    name="pump-sale", title_en="What the pump shows", title_zh="加油机计价", source="volume times price, to the fen",
    facts=("millilitres", "fen_a_litre"), result="amount", rising=("millilitres",),
    lines=(Line(code="amount", title_en="Amount", title_zh="金额", value=Times("millilitres", "fen_a_litre", 1_000)),),
)  # fmt: skip
_ZH = {"petrol": "汽油", "diesel": "柴油", "kerosene": "航空煤油", "naphtha": "石脑油", "solvent": "溶剂油",
       "lubricant": "润滑油", "fuel-oil": "燃料油"}  # fmt: skip
CASES = tuple(
    WorkedCase(
        title_en=f"A ton of {product}", title_zh=f"一吨{_ZH[product]}", sheet="fuel-litres", source=LITRES.source,
        facts={"kilograms": 1_000, "product": product}, gives={"litres": litres},
    )
    for product, litres in _LITRES
) + tuple(
    WorkedCase(
        title_en=f"Tax on a ton of {product}", title_zh=f"一吨{_ZH[product]}的消费税", sheet="fuel-tax",
        source=f"{_RULES}; litres and rate as printed, the tax one step on", derived=True,
        facts={"kilograms": 1_000, "product": product}, gives={"tax": tax},
    )
    for product, tax in (("petrol", 210_976), ("diesel", 141_120), ("naphtha", 210_520), ("fuel-oil", 121_800))
)  # fmt: skip

_PIN = "999999"


def _card(name: str, en: str, zh: str, balance: int = 0) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=PROFILE.name, balance=balance),))


WANG, ZHAO = (
    _card("wang", "Wang's card", "王师傅的卡", 50_000),
    _card("zhao", "Zhao's card", "赵师傅的卡", 30_000),
)
STATION = Journey(
    name="station", title_en="At the pump, and interrupted", title_zh="加油与中断", date=dt.date(2026, 3, 9),
    cards=(WANG, ZHAO),
    steps=(
        Load("wang", "office", 10_000, at="08:00"),
        Lock("wang", "pump-92", at="08:30"),
        Assess("pump-sale", {"millilitres": 12_292, "fen_a_litre": 781}, {"amount": 9_600}, posts=False,
               remembers={"amount": "amount"}),
        Fill("wang", "pump-92", "=amount"),
        Unlock("wang", "pump-92", "=amount"),
        Tell("The nozzle is hung up again before anything flows.", "未出油即挂枪。"),
        Lock("wang", "pump-92"), Fill("wang", "pump-92", 0), Unlock("wang", "pump-92", 0),
        Tell("He pulls the card away while the pump locks it: the pump fills nothing until it is sure.",
             "灰锁时抽卡：油机确认前不出油。"),
        Lock("wang", "pump-92", torn=True),
        Fill("wang", "pump-92", 1_000, refused="REFUSED"),
        Lock("wang", "pump-92"), Fill("wang", "pump-92", 60_000, refused="REFUSED"), Fill("wang", "pump-92", 20_000),
        Tell("The card is gone when the pump wants its money; it stays grey.", "结算时卡已离开，卡仍灰锁。"),
        Lock("wang", "pump-far", refused="GREY"),
        Unlock("wang", "pump-far", 20_000, pump="pump-92", refused="REFUSED"),
        Unlock("wang", "pump-diesel", 20_000, pump="pump-92"),
        Holds("wang", 30_400),
        Lock("wang", "pump-92", at="12:00"), Fill("wang", "pump-92", 5_000),
        Unlock("wang", "pump-92", 5_000, torn=True),
        Lock("wang", "pump-92", 5_000),
        Lock("zhao", "pump-92", at="15:00"), Fill("zhao", "pump-92", 4_400),
        UnlockOnline("zhao", "office-reader", "pump-92", told=False, refused="REFUSED"),
        UnlockOnline("zhao", "office-reader", "pump-92", 4_400, at="16:00"),
        Holds("zhao", 25_600),
        List("zhao"), Lock("zhao", "pump-92", refused="BLOCKED"),
        Clear({"fuel.south": 39_000}, {"loads.fuel": 10_000}, at="23:50"),
    ),
)  # fmt: skip
MASTER = _card("master", "the fleet's master card", "车队主卡")
VAN, LORRY = (
    _card("van", "the van's sub-card", "面包车副卡"),
    _card("lorry", "the lorry's sub-card", "货车副卡"),
)
FLEET = Journey(
    name="fleet", title_en="A fleet, far from home", title_zh="车队跨区加油", date=dt.date(2026, 3, 10),
    cards=(MASTER, VAN, LORRY),
    steps=(
        FundMaster("master", "office", 200_000, pin=_PIN, at="08:00"),
        Restrict("van", "office-reader", int(Grade.PETROL_92), 30_000),
        Restrict("lorry", "office-reader", int(Grade.DIESEL), 100_000),
        Distribute("master", "van", "office", 40_000, pin="111111", refused="REFUSED"),
        Distribute("master", "van", "office", 40_000, pin=_PIN),
        Distribute("master", "lorry", "office", 120_000, pin=_PIN),
        Distribute("master", "van", "office", 60_000, pin=_PIN, refused="REFUSED"),
        Lock("lorry", "pump-92", refused="REFUSED", at="09:00"),
        Lock("van", "pump-diesel", refused="REFUSED"),
        Lock("van", "pump-92"), Fill("van", "pump-92", 30_001, refused="REFUSED"), Fill("van", "pump-92", 30_000),
        Unlock("van", "pump-92", 30_000),
        Tell("The lorry refuels in the other region, and leaves with a grey card.", "货车在外省加油，灰锁离开。"),
        Lock("lorry", "pump-far", at="14:00"), Fill("lorry", "pump-far", 80_000),
        Lock("lorry", "pump-diesel", refused="GREY", at="20:00"),
        Tell("Two days later any station may release it; the far region is paid all the same.",
             "两天后任一站可解锁，款项仍归外省。"),
        Unlock("lorry", "pump-diesel", 80_000, pump="pump-far", at="+2 15:00"),
        Holds("lorry", 40_000), Holds("van", 10_000),
        Assess("fuel-tax", {"kilograms": 10_000, "product": "diesel"}, {"tax": 1_411_200}, posts=False),
        # 2,000.00 onto the master card, 1,600.00 off it again and onto the two others
        Clear({"fuel.south": 30_000, "fuel.west": 80_000, "loads.fuel": 160_000}, {"loads.fuel": 360_000},
              at="+2 23:50"),
    ),
)  # fmt: skip


def _pump(name: str, en: str, zh: str, operator: str, station: str, grade: Grade | int) -> Device:
    return Device(
        name,
        en,
        zh,
        DeviceKind.PUMP,
        operator=operator,
        application=PROFILE.name,
        station=station,
        grade=int(grade),
    )


SECTOR = Sector(
    name="fuel", title_en="Fuel", title_zh="加油卡",
    about_en="Grey lock at the pump, refuelling interrupted and paid later, fleets with limits, other regions.",
    about_zh="加油灰锁，中断后补扣解锁，车队主副卡限油品，跨区结算。",
    authority="An oil company with its stations 石油公司及其加油站",
    standards=("JR/T 0025.9", "CJ/T 304", "JR/T 0025.2"), archetypes=(Archetype.PURSE,), profiles=(PROFILE,),
    parties=(
        Party("fuel.south", "Sales company, Guangdong", "广东销售公司"),
        Party("fuel.west", "Sales company, Guangxi", "广西销售公司"),
        Party("fuel.cards", "Card centre", "加油卡中心", Role.ISSUER),
    ),
    devices=(
        Device("office", "the card office", "加油卡营业厅", DeviceKind.LOAD),
        _pump("pump-92", "the 92 pump", "92号加油机", "fuel.south", "south-1", Grade.PETROL_92),
        _pump("pump-diesel", "the diesel pump beside it", "旁边的柴油机", "fuel.south", "south-1", Grade.DIESEL),
        _pump("pump-far", "a pump in Guangxi", "广西加油机", "fuel.west", "west-9", 0),
        _pump("office-reader", "the office's reader", "营业厅读写器", "fuel.south", "office", 0),
    ),
    tariffs={PROFILE.name: TARIFF}, sheets=(TAX, LITRES, SALE), worked_cases=CASES,
    reports=(
        Report(name="sales", title_en="Sales by company", title_zh="各公司销售", counts=Counted.PAID, by="operator"),
        Report(name="pumps", title_en="Sales by pump", title_zh="各油机销售", counts=Counted.PAID, by="device"),
        Report(name="refusals", title_en="Refusals", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason"),
    ),
    journeys=(STATION, FLEET),
)  # fmt: skip
