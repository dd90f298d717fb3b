"""Fire and safety equipment: each extinguisher bears a tag that knows when it has to be serviced and when it ends.

GB 50444-2008, tables 5.3.2 and 5.4.3 (service and end of life of extinguishers). A passive chip on the equipment holds
its dates, the inspector's card his licence; what happens to a piece goes to the trace server as well. The layout of
the records is Jinka's; no public standard of such tags is known.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
    Archetype,
    Assess,
    CheckItem,
    Commissioned,
    Counted,
    Destroyed,
    Device,
    DeviceKind,
    ItemClass,
    ItemKey,
    Journey,
    JourneyCard,
    Observed,
    Reads,
    Received,
    Report,
    Sector,
    Shipped,
    Start,
    Tell,
    Trace,
    TraceBack,
    TracePlace,
    WorkedCase,
    Write,
)
from jinka.kit import Unit
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.tariff.sheet import Choose, Line, Sheet, Sum, Times, Unordered

_SOURCE = "GB 50444-2008 建筑灭火器配置验收及检查规范, tables 5.3.2 and 5.4.3"
EQUIPMENT_RECORDS = (
    record(1, "kind", Coding.TEXT, 12, "powder", "Kind", "种类"),
    record(2, "serial", Coding.TEXT, 16, "F0001", "Serial number", "出厂编号"),
    record(3, "service due", Coding.DATE, 4, "20200601", "Service due", "应维修日期"),
    record(4, "scrap on", Coding.DATE, 4, "20250601", "End of life", "报废日期"),
    record(5, "check due", Coding.DATE, 4, "20200201", "Monthly check due", "应巡检日期"),
)
EQUIPMENT = record_application(
    name="cn.fire.equipment", aid=b"JINKA.FIRE.1", fid=0x3F51, title_en="Tag of a piece of fire equipment",
    title_zh="消防器材标签", authority="Fire and rescue 消防救援机构", standards=("GB 50444-2008", "LD/T 33"),
    records=EQUIPMENT_RECORDS,
)  # fmt: skip
INSPECTOR_RECORDS = (
    record(1, "name", Coding.TEXT, 30, "王强", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "works", Coding.TEXT, 24, "check,service", "Works that he may do", "准许作业"),
    record(2, "licensed until", Coding.DATE, 4, "20271231", "Licensed until", "证书有效期"),
)
INSPECTOR = record_application(
    name="cn.fire.inspector", aid=b"JINKA.FIRE.2", fid=0x3F52, title_en="Fire inspector's licence",
    title_zh="消防检查维保人员证", authority="Fire and rescue 消防救援机构", standards=("LD/T 33",),
    records=INSPECTOR_RECORDS, after_pin=(0x0006,), extra_keys=(pin(),),
)  # fmt: skip
READY = Entitlement(
    name="ready", title_en="The piece may stand ready for use", title_zh="器材可继续使用", application=EQUIPMENT.name,
    conditions=(
        Condition("scrap on", Test.NOT_BEFORE, Fact("date"), "SCRAP"),
        Condition("service due", Test.NOT_BEFORE, Fact("date"), "SERVICE_OVERDUE"),
        Condition("check due", Test.NOT_BEFORE, Fact("date"), "CHECK_OVERDUE"),
    ),
    source=_SOURCE,
)  # fmt: skip
CHECKED = Entitlement(
    name="checked", title_en="A check is written onto the tag", title_zh="写入巡检结果", application=EQUIPMENT.name,
    conditions=(
        Condition("scrap on", Test.NOT_BEFORE, Fact("date"), "SCRAP"),
        Condition("service due", Test.NOT_BEFORE, Fact("date"), "SERVICE_OVERDUE"),
        Condition("serial", Test.EQUALS, Fact("body"), "OTHER_PIECE"),
    ),
    changes=(Change("check due", put=Fact("next check")),),
)  # fmt: skip
WORKS = Entitlement(
    name="works", title_en="Work on fire equipment", title_zh="从事消防器材作业", application=INSPECTOR.name,
    conditions=(
        Condition("licensed until", Test.NOT_BEFORE, Fact("date"), "LICENCE_EXPIRED"),
        Condition("works", Test.LISTS, Fact("work"), "NOT_LICENSED_FOR_IT"),
    ),
)  # fmt: skip

_KINDS = ("water", "powder", "clean gas", "carbon dioxide")
_ZH = ("水基型", "干粉", "洁净气体", "二氧化碳")
_YEAR = 10_000  # of a date written as 20230201
_YEARS = ((3, 1, 6), (5, 2, 10), (5, 2, 10), (5, 2, 12))  # first service, then every, end of life


def _column(at: int) -> Choose:
    return Choose("kind", tuple((kind, years[at]) for kind, years in zip(_KINDS, _YEARS, strict=True)))


LIFE = Sheet(
    name="life", title_en="Service and end of an extinguisher", title_zh="灭火器维修与报废期限", source=_SOURCE,
    facts=("kind", "made", "services"),
    lines=(
        Line(code="first", title_en="first service after years", title_zh="首次维修（年）", unit=Unit.NUMBER,
             value=_column(0)),
        Line(code="every", title_en="then every so many years", title_zh="以后每（年）", unit=Unit.NUMBER,
             value=_column(1)),
        Line(code="scrap after", title_en="scrapped after years", title_zh="报废（年）", unit=Unit.NUMBER,
             value=_column(2)),
        Line(code="due", title_en="next service by (year, month, day)", title_zh="下次维修日期（年月日）",
             unit=Unit.NUMBER, value=Sum(("made", Times(Sum(("first", Times("services", "every"))), _YEAR)))),
        Line(code="scrap", title_en="scrapped on (year, month, day)", title_zh="报废日期（年月日）", unit=Unit.NUMBER,
             value=Sum(("made", Times("scrap after", _YEAR)))),
    ),
    result="due", rising=("services", "made"),
)  # fmt: skip
YEARS = Sheet(
    name="life-years", title_en="Years of an extinguisher", title_zh="灭火器维修与报废年限", source=_SOURCE,
    facts=("kind",), lines=LIFE.lines[:3], result="scrap after", unordered=Unordered.WORDS,
)  # fmt: skip


def _tag(
    name: str, en: str, zh: str, kind: str, serial: str, service: str, scrap: str, check: str
) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=EQUIPMENT.name, records={
        "kind": kind, "serial": serial, "service due": service, "scrap on": scrap, "check due": check}),))  # fmt: skip


def _person(name: str, en: str, zh: str, works: str, until: str) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=INSPECTOR.name, pin="246810", records={
        "name": zh.removesuffix("的证"), "works": works, "licensed until": until}),))  # fmt: skip


CARDS = (
    _tag("e1", "the tag of extinguisher F1", "F1号灭火器标签", "powder", "F1", "20310501", "20360501", "20260531"),
    _tag("e2", "the tag of extinguisher F2", "F2号灭火器标签", "powder", "F2", "20270601", "20260601", "20260228"),
    _tag("e3", "the tag of extinguisher F3", "F3号灭火器标签", "water", "F3", "20260201", "20290201", "20260531"),
    _person("wang", "Wang Qiang's licence", "王强的证", "check,service", "20271231"),
    _person("zhao", "Zhao Lei's licence", "赵磊的证", "check", "20271231"),
    _person("sun", "Sun Yue's licence", "孙悦的证", "check,service", "20260131"),
)  # fmt: skip
ROUND = Journey(
    name="round",
    title_en="A round through the house, a service, an end",
    title_zh="一次巡检、一次维修、一次报废",
    date=dt.date(2026, 5, 20),
    cards=CARDS,
    steps=(
        Commissioned("extinguisher/F1", "maker", at="07:00", tid="E2801160200073A1B2C3D4E5"),
        Tell("F1 is new; F2 and F3 have hung in the house for years and get their tags from the workshop.",
             "F1为新购；F2、F3为在用旧器材，由维修点加装标签。"),
        Commissioned("extinguisher/F2, extinguisher/F3", "workshop"),
        Shipped("extinguisher/F1", "maker", "house"),
        Shipped("extinguisher/F2, extinguisher/F3", "workshop", "house"),
        Received("extinguisher/F1, extinguisher/F2, extinguisher/F3", "house", at="08:00"),
        Observed("installing", "extinguisher/F1, extinguisher/F2, extinguisher/F3", "house"),
        Tell("A year has its rounds; here is one of them.", "以下为其中一次月度巡检。"),
        Admit("sun", "reader", "works", facts={"work": "check"}, refused="LICENCE_EXPIRED", at="09:00"),
        Admit("zhao", "reader", "works", facts={"work": "check"}),
        Reads("zhao", "reader", {}, application=INSPECTOR.name, refused=("name",)),
        Admit("e1", "reader", "ready"),
        Admit("e1", "reader", "checked", facts={"body": "F1", "next check": "20260630"}),
        Reads("e1", "reader", {"check due": "20260630"}),
        Observed("inspecting", "extinguisher/F1", "house"),
        Tell("The tag of F1 sits on another body, which the reader tells by the number on it.",
             "F1的标签被移到另一具瓶体上，读写器按瓶身编号识破。"),
        Admit("e1", "reader", "checked", facts={"body": "F9", "next check": "20260630"}, refused="OTHER_PIECE"),
        CheckItem("extinguisher/F1", "contradicted", signs=("other_chip",), tid="E2801160200073A1B2C3D4E6"),
        Admit("e2", "reader", "ready", refused="CHECK_OVERDUE"),
        Admit("e3", "reader", "checked", facts={"body": "F3", "next check": "20260630"}, refused="SERVICE_OVERDUE"),
        Admit("e3", "reader", "ready", refused="SERVICE_OVERDUE"),
        Shipped("extinguisher/F2, extinguisher/F3", "house", "workshop"),
        Received("extinguisher/F2, extinguisher/F3", "workshop"),
        Admit("zhao", "workshop", "works", facts={"work": "service"}, refused="NOT_LICENSED_FOR_IT", at="14:00"),
        Admit("wang", "workshop", "works", facts={"work": "service"}),
        Assess("life", {"kind": "water", "made": 20230201, "services": 1}, {"due": 20270201, "scrap": 20290201},
               remembers={"service": "due", "scrap": "scrap"}),
        Write("e3", "workshop", {"service due": "=service", "scrap on": "=scrap", "check due": "20260630"}),
        Observed("repairing", "extinguisher/F3", "workshop"),
        Admit("e3", "reader", "ready", at="16:00"),
        Reads("e3", "workshop", {"service due": "20270201", "scrap on": "20290201"}),
        Assess("life", {"kind": "powder", "made": 20160601, "services": 3}, {"due": 20270601, "scrap": 20260601}),
        Admit("e2", "reader", "ready", refused="SCRAP", at="+13 09:00"),
        Admit("e2", "reader", "checked", facts={"body": "F2", "next check": "20261231"}, refused="SCRAP"),
        Destroyed("extinguisher/F2", "workshop"),
        Observed("installing", "extinguisher/F2", "house", refused="AFTER_END"),
        TraceBack("extinguisher/F3", "", places=("workshop", "house", "workshop")),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="fire",
    title_en="Fire and safety equipment",
    title_zh="消防安全器材",
    about_en="Every extinguisher bears a tag with its dates. A reader refuses one that is overdue or past its end, the "
    "inspector's licence decides who may check and who may service, and the list of what was refused is the report.",
    about_zh="每具灭火器带有记载期限的标签。逾期或已到报废期的，读写器判为不合格；检查与维修各凭证件；不合格清单即为报表。",
    authority="Fire and rescue 消防救援机构",
    standards=("GB 50444-2008", "GS1 GIAI", "EPCIS 2.0"),
    archetypes=(Archetype.RECORD, Archetype.TRACE),
    profiles=(EQUIPMENT, INSPECTOR),
    records={EQUIPMENT.name: EQUIPMENT_RECORDS, INSPECTOR.name: INSPECTOR_RECORDS},
    devices=(
        Device("reader", "the inspector's reader", "巡检读写器", DeviceKind.CHECK, application=EQUIPMENT.name,
               also=(INSPECTOR.name,)),
        Device("workshop", "the service workshop", "维修点", DeviceKind.CHECK, application=EQUIPMENT.name,
               also=(INSPECTOR.name,)),
    ),
    entitlements=(READY, CHECKED, WORKS),
    sheets=(LIFE, YEARS),
    trace=Trace(
        items=(ItemClass("extinguisher", "Extinguisher", "灭火器", ItemKey.SINGLE_ASSET, "6905678", tag="GIAI-202"),),
        places=(
            TracePlace("maker", "the maker", "生产厂", "6905678.00001"),
            TracePlace("house", "the house", "使用单位", "6905678.00002"),
            TracePlace("workshop", "the workshop", "维修点", "6905678.00003"),
        ),
        rules={"AFTER_END": "refuse"},
    ),
    reports=(
        Report(name="unfit", title_en="Refused, by reason", title_zh="不合格原因", counts=Counted.REFUSED, by="reason"),
        Report(name="passed", title_en="Passed", title_zh="合格次数", counts=Counted.ADMITTED, by="entitlement"),
        Report(name="steps", title_en="Events by step", title_zh="各环节事件", counts=Counted.EVENT, by="step"),
    ),
    journeys=(ROUND,),
    words={"service": "维修", "check": "巡检"},
    worked_cases=(
        *(WorkedCase(title_en=f"Years of an extinguisher of {kind}", title_zh=f"{zh}灭火器年限", sheet=YEARS.name,
                     facts={"kind": kind}, source=_SOURCE,
                     gives={"first": years[0], "every": years[1], "scrap after": years[2]})
          for kind, zh, years in zip(_KINDS, _ZH, _YEARS, strict=True)),
        WorkedCase(title_en="Powder, made in June 2015", title_zh="2015年6月出厂的干粉灭火器", sheet=LIFE.name,
                   facts={"kind": "powder", "made": 20150601, "services": 2}, derived=True,
                   gives={"due": 20240601, "scrap": 20250601}, source=f"{_SOURCE}; the dates a step from its years"),
    ),
)  # fmt: skip
