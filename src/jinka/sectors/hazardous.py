"""Hazardous goods and special supplies: storage by class and quantity, escorted transport, stores that two release.

Regulation on the Safety Administration of Hazardous Chemicals (国务院令第591号, rev. 2013) Art. 24 (acutely toxic goods
lie alone; two receive, issue and keep them), 44, 48 (escort) and 50 (pass); the Act (危险化学品安全法) is in force
since 2026-05-01, its articles are not cited here. GB 18218-2018 (major hazards). Which classes may lie together is
judged by the general table of the IMDG Code, 7.2.4, which is made for ships: a warehouse on land falls under GB
15603-2022, whose table could not be checked and is not here. The journeys are in `jinka.sectors.hazardous_journeys`.
"""

from __future__ import annotations

from jinka.declaration import (
    Archetype,
    Counted,
    Device,
    DeviceKind,
    ItemClass,
    ItemKey,
    KeptWithin,
    Report,
    Sector,
    StorageZone,
    Trace,
    TracePlace,
    WorkedCase,
)
from jinka.kit import Unit
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.sectors.hazardous_cards import CARD_RECORDS, CONTAINER, OFFICER, PERMIT, PROFILES, SIGNS
from jinka.sectors.hazardous_journeys import JOURNEYS
from jinka.tariff.sheet import Choose, Line, Sheet, Step, Sum, Times

WORKS = Entitlement(
    name="on-duty", title_en="Act in a post", title_zh="按岗位履职", application=OFFICER.name,
    conditions=(
        Condition("good until", Test.NOT_BEFORE, Fact("date"), "CARD_EXPIRED"),
        Condition("post", Test.EQUALS, Fact("post"), "OTHER_POST"),
        Condition("stores", Test.LISTS, Fact("store"), "OTHER_STORE"),
    ),
)  # fmt: skip
LEAVES = Entitlement(
    name="leaves", title_en="A container leaves", title_zh="集装箱出库", application=CONTAINER.name,
    conditions=(
        Condition("keeper", Test.EQUALS, Fact("keeper", shown=True), "KEEPER_MISSING"),
        Condition("commander", Test.EQUALS, Fact("commander", shown=True), "COMMANDER_MISSING"),
        Condition("seal", Test.EQUALS, Fact("ordered seal", shown=True), "ORDER_MISSING"),
        Condition("driver", Test.EQUALS, Fact("driver", shown=True), "DRIVER_MISSING"),
        Condition("escort", Test.EQUALS, Fact("escort", shown=True), "ESCORT_MISSING"),
        Condition("seal", Test.EQUALS, Fact("seal"), "OTHER_SEAL"),
    ),
    source="危险化学品安全管理条例 (国务院令第591号, rev. 2013) Art. 24, 44, 48; the order is the store's own rule",
)  # fmt: skip
TOXIC = Entitlement(
    name="toxic", title_en="A container with acutely toxic goods leaves", title_zh="剧毒化学品出库上路",
    application=CONTAINER.name,
    conditions=(
        *LEAVES.conditions, Condition("number", Test.EQUALS, Fact("pass container", shown=True), "PASS_MISSING")
    ),
    source="危险化学品安全管理条例 (国务院令第591号, rev. 2013) Art. 50: 剧毒化学品道路运输通行证",
)  # fmt: skip
ARRIVES = Entitlement(
    name="arrives", title_en="A container is taken in", title_zh="集装箱验收", application=CONTAINER.name,
    conditions=(Condition("seal", Test.EQUALS, Fact("seal"), "OTHER_SEAL"),),
    changes=tuple(Change(role, put="no") for role in ("keeper", "commander", "driver", "escort")),
)  # fmt: skip
_PRECURSORS = "易制毒化学品管理条例 (国务院令第445号, rev. 2018) Art. 20-22"
CARRIES = Entitlement(
    name="carries", title_en="A journey with a precursor", title_zh="易制毒化学品运输", application=PERMIT.name,
    conditions=(
        Condition("good until", Test.NOT_BEFORE, Fact("date"), "PERMIT_EXPIRED"),
        Condition("journeys", Test.AT_LEAST, 1, "PERMIT_USED"),
    ),
    changes=(Change("journeys", take=1),), source=_PRECURSORS,
)  # fmt: skip

_SOURCE = "GB 18218-2018 危险化学品重大危险源辨识, 4.2 and table 1: sum of q/Q"
_PRINTED = "危险化学品重大危险源监督管理暂行规定 (国家安全监管总局令第40号), annex 1: α, β and grades"
HAZARD = Sheet(
    name="major-hazard", title_en="Major hazard and its grade", title_zh="重大危险源辨识与分级",
    source=f"{_SOURCE}; {_PRINTED}", facts=("chlorine kg", "ammonia kg", "petrol kg", "people"),
    lines=(
        Line(code="chlorine", title_en="chlorine, millionths of 5 t", title_zh="氯（临界量5吨，百万分之）",
             unit=Unit.POINT, value=Times("chlorine kg", 200)),
        Line(code="ammonia", title_en="ammonia, millionths of 10 t", title_zh="氨（临界量10吨，百万分之）",
             unit=Unit.POINT, value=Times("ammonia kg", 100)),
        Line(code="petrol", title_en="petrol, millionths of 200 t", title_zh="汽油（临界量200吨，百万分之）",
             unit=Unit.POINT, value=Times("petrol kg", 5)),
        Line(code="sum", title_en="sum of q/Q, millionths", title_zh="q/Q之和（百万分之）", unit=Unit.POINT,
             value=Sum(("chlorine", "ammonia", "petrol"))),
        Line(code="major", title_en="a major hazard", title_zh="构成重大危险源", unit=Unit.POINT,
             value=Step("sum", ((999_999, 0), (None, 1)))),
        Line(code="alpha", title_en="α in tenths, by the people within 500 m", title_zh="校正系数α（十分之）",
             unit=Unit.POINT, value=Step("people", ((0, 5), (29, 10), (49, 12), (99, 15), (None, 20)))),
        Line(code="r", title_en="R, millionths (β: chlorine 4, ammonia 2, petrol 1)", title_zh="R值（百万分之）",
             unit=Unit.POINT, value=Times(Sum((Times("chlorine", 4), Times("ammonia", 2), "petrol")), "alpha", 10)),
        Line(code="grade", title_en="grade, 1 the gravest; 0: none", title_zh="级别（0为不构成）", unit=Unit.POINT,
             value=Choose("major", ((0, 0), (1, Step("r", (
                 (9_999_999, 4), (49_999_999, 3), (99_999_999, 2), (None, 1))))))),
    ),
    result="r", rising=("chlorine kg", "ammonia kg", "petrol kg", "people"),
)  # fmt: skip
ALPHA = Sheet(
    name="alpha", title_en="Correction α by the people near", title_zh="校正系数α", source=_PRINTED,
    facts=("people",), lines=tuple(line for line in HAZARD.lines if line.code == "alpha"), result="alpha",
    rising=("people",),
)  # fmt: skip


def _case(
    en: str, zh: str, kilograms: tuple[int, int, int], people: int, note: str, **gives: int
) -> WorkedCase:
    facts = dict(zip(("chlorine kg", "ammonia kg", "petrol kg"), kilograms, strict=True))
    return WorkedCase(
        title_en=en, title_zh=zh, sheet=HAZARD.name, facts={**facts, "people": people}, gives=gives,
        source=f"{_SOURCE}; {_PRINTED} ({note})", derived="step" in note,
    )  # fmt: skip


_TRADE = ItemKey.TRADE_ITEM
_APART = (
    "amounts: the licence of the place 许可核定; segregation: IMDG Code 7.2.4, a table for ships, in place of that of "
    "GB 15603-2022, which could not be checked 隔离暂按海运IMDG规则7.2.4，GB 15603-2022配存表未能核对"
)
TRACE = Trace(
    items=(
        ItemClass("chlorine", "Chlorine cylinder (1 t)", "液氯钢瓶（1吨）", ItemKey.SINGLE_ASSET, "6903456",
                  tag="GIAI-202", hazard=("2.3", "5.1", "8"), contents=1_000),
        ItemClass("ammonia", "Ammonia", "液氨", _TRADE, "6903456.070002", hazard=("2.3", "8")),
        ItemClass("petrol", "Petrol", "汽油", _TRADE, "6903456.070003", hazard=("3",)),
        ItemClass("signals", "Signal cartridges", "信号弹", _TRADE, "6903456.070004", hazard=("1.4",)),
        ItemClass("tents", "Relief tents", "救灾帐篷", _TRADE, "6903456.070005"),
        ItemClass("container", "Container", "集装箱", ItemKey.OTHER, "urn:jinka:container:CSQU305438"),
    ),
    places=(
        TracePlace("plant", "the plant", "化工厂", "6903456.00001"),
        TracePlace("warehouse", "the warehouse", "危化品仓库", "6903456.00002"),
        TracePlace("military", "the military store", "军用物资库", "6903456.00003"),
        TracePlace("emergency", "the emergency store", "应急物资库", "6903456.00004"),
        TracePlace("waterworks", "the waterworks", "自来水厂", "6903456.00006"),
        TracePlace("town", "the stricken town", "受灾乡镇", "6903456.00005"),
    ),
    kept=(
        KeptWithin("cylinders", "Gas cylinders out of the heat", "气瓶不得受热", "", "40", gap_minutes=120,
                   source="the limit of this operator's own"),
    ),
    zones=(
        StorageZone("gas", "Gas store", "毒气库区", "warehouse", {"2.3": 6_000},
                    source=_APART),
        StorageZone("liquids", "Store of flammable liquids", "易燃液体库区", "warehouse", {"3": 150_000},
                    source=_APART),
        StorageZone("magazine", "Military magazine", "军用弹药库", "military", {"1.4": 500},
                    source=_APART),
    ),
    rules={"HELD": "refuse"},
)  # fmt: skip

SECTOR = Sector(
    name="hazardous",
    title_en="Hazardous goods and special supplies",
    title_zh="危险品与特殊物资",
    about_en="Zones take what came to their place, within their licence and the table of segregation (that of the IMDG "
    "Code, which is made for ships, in place of GB 15603-2022's). A container leaves when two have released it, driver "
    "and escort have shown their cards and its seal is the right one; acutely toxic goods need a pass of the police "
    "too. Military and emergency stock are kept apart; what leaves needs an order that two of its officers signed.",
    about_zh="库区只收有收货记录的货物，并受许可量和隔离表约束（隔离暂按海运IMDG规则，GB 15603-2022配存表未能核对）。"
    "集装箱须经双人放行、驾驶员和押运员验卡、封志相符方可出库，剧毒化学品另须通行证。军用与应急物资分库保管，出库单须本库双人签名。",
    authority="Emergency management 应急管理部门",
    standards=("GB 18218-2018", "IMDG Code 7.2.4", "国务院令第591号", "国务院令第445号", "EPCIS 2.0"),
    archetypes=(Archetype.TRACE, Archetype.RECORD),
    profiles=PROFILES,
    records=CARD_RECORDS,
    composes=(SIGNS,),
    devices=(
        Device("desk", "the store's desk", "库房登记台", DeviceKind.CHECK, application=CONTAINER.name,
               also=(OFFICER.name,)),
        Device("gate", "the store's gate", "库区大门", DeviceKind.CHECK, application=CONTAINER.name,
               also=(OFFICER.name,)),
        Device("checkpoint", "the checkpoint", "检查站", DeviceKind.CHECK, application=PERMIT.name),
    ),
    entitlements=(WORKS, LEAVES, TOXIC, ARRIVES, CARRIES),
    sheets=(HAZARD, ALPHA),
    trace=TRACE,
    reports=(
        Report(name="events", title_en="Events by step", title_zh="各环节事件", counts=Counted.EVENT, by="step"),
        Report(name="refused", title_en="Refusals", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason"),
        Report(name="admitted", title_en="Admissions", title_zh="准入次数", counts=Counted.ADMITTED, by="entitlement"),
        Report(name="zones", title_en="Refused by zone", title_zh="各库区拒收", counts=Counted.REFUSED, by="zone"),
    ),
    journeys=JOURNEYS,
    words={"keeper": "保管员", "commander": "负责人", "driver": "驾驶员", "escort": "押运员",
           "emergency": "应急库", "military": "军用库", "yes": "是", "no": "否", "none": "无",
           "order": "出库令", "release order": "放行令",
           "pass": "通行证", "police": "民警", "military order": "军库出库令", "military keeper": "军库保管员",
           "military commander": "军库负责人",
           "container CSQU3054383; seal H100; to the waterworks": "集装箱CSQU3054383，封志H100，发往自来水厂",
           "container CSQU3054383; chlorine 1 t; warehouse to waterworks; 14 April":
               "集装箱CSQU3054383，液氯1吨，危化品仓库至自来水厂，4月14日",
           "lot M1; 300 signal cartridges; to be destroyed": "信号弹批次M1，300件，予以销毁",
           "container CSQU3054383; 2 tents; seal R1; to the town": "集装箱CSQU3054383，帐篷2顶，封志R1，发往受灾乡镇"},
    worked_cases=(
        _case("5 t of chlorine are the threshold", "液氯5吨即达临界量", (5_000, 0, 0), 0, "q/Q printed, R one step on",
              sum=1_000_000, major=1, r=2_000_000),
        _case("3 t of chlorine and 5 t of ammonia, 40 people", "氯3吨、氨5吨，周边40人", (3_000, 5_000, 0), 40,
              "one step from the printed figures", sum=1_100_000, major=1, alpha=12, r=4_080_000, grade=4),
        _case("199 t of petrol alone", "汽油199吨", (0, 0, 199_000), 120, "one step from the printed figures",
              sum=995_000, major=0, alpha=20, r=1_990_000, grade=0),
        *(WorkedCase(title_en=f"α with {people} people within 500 m", title_zh=f"500米内{people}人的校正系数α",
                     sheet=ALPHA.name, facts={"people": people}, gives={"alpha": tenths}, source=f"{_PRINTED} (rows)")
          for people, tenths in ((0, 5), (1, 10), (29, 10), (30, 12), (49, 12), (50, 15), (99, 15), (100, 20))),
    ),
)  # fmt: skip
