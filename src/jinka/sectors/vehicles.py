"""Vehicles and drivers: licence and vehicle cards, offences and points with their yearly cycle, inspection, tax.

The layouts of the cards are Jinka's: neither the chip of the driving licence nor GB/T 35789's electronic plate has a
published file or memory map. Tables: `jinka.sectors.vehicle_rules`.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Account,
    AccountHolds,
    Admit,
    Archetype,
    Ask,
    Assess,
    Counted,
    Device,
    DeviceKind,
    Journey,
    JourneyCard,
    Keep,
    OpenAccount,
    PayOnline,
    Reads,
    ReadTag,
    Report,
    Sector,
    Stands,
    Start,
    TakeBack,
    Tell,
    Viewed,
    Write,
    WriteTag,
)
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.sectors.vehicle_rules import CASES, SHEETS

DRIVER_RECORDS = (
    record(1, "licence number", Coding.TEXT, 18, "440301199003072719", "Licence number", "驾驶证号", fid=0x0006,
           personal=PersonalDatum.IDENTITY_NUMBER),
    record(2, "name", Coding.TEXT, 30, "李雷", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "classes", Coding.TEXT, 12, "C1", "Classes of vehicle", "准驾车型"),
    record(2, "licence until", Coding.DATE, 4, "20300415", "Licence valid until", "驾驶证有效期止"),
    record(3, "points left", Coding.NUMBER, 1, "12", "Points left in this cycle", "本周期剩余分值"),
    record(4, "cycle until", Coding.DATE, 4, "20270414", "Last day of the cycle", "记分周期止"),
)  # fmt: skip
DRIVER = record_application(
    name="cn.traffic.driver", aid=b"JINKA.TRAFFIC.1", fid=0x3F61, title_en="Driving licence", title_zh="驾驶证应用",
    authority="Traffic police 公安交通管理部门", standards=("GA 482",), records=DRIVER_RECORDS, after_pin=(0x0006,),
    extra_keys=(pin(),),
)  # fmt: skip
VEHICLE_RECORDS = (
    record(1, "plate", Coding.TEXT, 12, "粤B12345", "Plate", "号牌号码", personal=PersonalDatum.MOVEMENT),
    record(2, "use", Coding.TEXT, 20, "small private", "Use", "使用性质"),
    record(3, "inspected until", Coding.DATE, 4, "20270531", "Inspection valid until", "检验有效期止"),
    record(4, "taxed until", Coding.DATE, 4, "20261231", "Vehicle tax paid until", "车船税缴至"),
)
VEHICLE = record_application(
    name="cn.traffic.vehicle", aid=b"JINKA.TRAFFIC.2", fid=0x3F62, title_en="Vehicle licence", title_zh="行驶证应用",
    authority="Traffic police 公安交通管理部门", standards=("GA 37",), records=VEHICLE_RECORDS,
)  # fmt: skip

DRIVE = Entitlement(
    name="drive", title_en="Drive a vehicle of a class", title_zh="驾驶资格", application=DRIVER.name,
    conditions=(
        Condition("licence until", Test.NOT_BEFORE, Fact("date"), "LICENCE_EXPIRED"),
        Condition("classes", Test.LISTS, Fact("class"), "OTHER_CLASS"),
        Condition("points left", Test.AT_LEAST, 1, "TWELVE_POINTS"),
    ),
    source="道路交通安全法第19、24条",
)  # fmt: skip
PENALISE = Entitlement(
    name="penalise", title_en="Enter an offence's points", title_zh="记分", application=DRIVER.name,
    conditions=(
        Condition("cycle until", Test.NOT_BEFORE, Fact("date"), "CYCLE_OVER"),
        Condition("points left", Test.AT_LEAST, Fact("points"), "TWELVE_REACHED"),
    ),
    changes=(Change("points left", take=Fact("points")),),
    source="道路交通安全违法行为记分管理办法第3、7条",
)  # fmt: skip
ROAD = Entitlement(
    name="road", title_en="A vehicle on the road", title_zh="车辆上路", application=VEHICLE.name,
    conditions=(
        Condition("plate", Test.EQUALS, Fact("plate"), "OTHER_PLATE"),
        Condition("inspected until", Test.NOT_BEFORE, Fact("date"), "NOT_INSPECTED"),
        Condition("taxed until", Test.NOT_BEFORE, Fact("date"), "TAX_DUE"),
    ),
    source="道路交通安全法第13条；车船税法第10条",
)  # fmt: skip

LI = JourneyCard("li", "Li Lei's licence", "李雷的驾驶证", (Start(application=DRIVER.name, pin="246810", records={
    "licence number": "440301199003072719", "name": "李雷", "classes": "C1", "licence until": "20300415",
    "points left": "12", "cycle until": "20260414",
}),))  # fmt: skip
CAR = JourneyCard("car", "the vehicle's card", "车辆的卡", (Start(application=VEHICLE.name, records={
    "plate": "粤B12345", "use": "small private", "inspected until": "20260430", "taxed until": "20251231",
}),))  # fmt: skip

POINTS_YEAR = Journey(
    name="points", title_en="A cycle of points", title_zh="一个记分周期", date=dt.date(2026, 3, 9), cards=(LI,),
    steps=(
        Admit("li", "patrol", "drive", facts={"class": "C1"}, at="08:00"),
        Admit("li", "patrol", "drive", facts={"class": "A1"}, refused="OTHER_CLASS"),
        Assess("points", {"offence": "red light"}, {"points": 6}, remembers={"points": "points"}),
        Admit("li", "desk", "penalise", facts={"points": "=points"}, at="09:00"),
        Assess("points", {"offence": "phone"}, {"points": 3}, remembers={"points": "points"}),
        Admit("li", "desk", "penalise", facts={"points": "=points"}),
        Reads("li", "patrol", {"points left": "3"}, refused=("licence number",)),
        Reads("li", "desk", {"name": "李雷"}, pin="246810"),
        Tell("The fine of the red light is paid, that of the phone is not: its three points go over.",
             "闯红灯罚款已缴，打电话罚款未缴：3分转入下一周期。"),
        Assess("cycle", {"points": 9, "unpaid": 3}, {"carried": 3, "left": 9}, at="+37 09:00"),
        Admit("li", "desk", "penalise", facts={"points": "1"}, refused="CYCLE_OVER"),
        Write("li", "desk", {"points left": "9", "cycle until": "20270414"}),
        Assess("reduction", {"online": 1, "classroom": 0, "service": 1, "before": 0}, {"off": 2}),
        Write("li", "desk", {"points left": "11"}),
        Assess("points", {"offence": "drunk"}, {"points": 12}, remembers={"points": "points"}),
        Admit("li", "desk", "penalise", facts={"points": "=points"}, refused="TWELVE_REACHED"),
        Write("li", "desk", {"points left": "0"}),
        Admit("li", "patrol", "drive", facts={"class": "C1"}, refused="TWELVE_POINTS"),
        Assess("study", {"points": 13, "large": 0}, {"days": 7, "tests": 1}),
        Write("li", "desk", {"points left": "12"}, at="+50 09:00"),
        Admit("li", "patrol", "drive", facts={"class": "C1"}),
    ),
)  # fmt: skip
ROADWORTHY = Journey(
    name="roadworthy", title_en="E-plate, inspection and tax", title_zh="电子标识、检验与车船税",
    date=dt.date(2026, 5, 11), cards=(CAR,),
    steps=(
        WriteTag("e-plate", "giai+", {"8004": "6901234440300000123", "91": "B12345"}, "E280116020001234", at="07:30"),
        ReadTag("e-plate", "portal", {"91": "B12345"}),
        Tell("Somebody drives with a copy of the plate; another tag nobody registered.",
             "有人使用复制的电子标识；另一枚标识未经登记。"),
        WriteTag("copy", "giai+", {"8004": "6901234440300000123", "91": "B12345"}, "E280116020009999", forged=True),
        ReadTag("copy", "portal", refused="OTHER_CHIP"),
        WriteTag("home-made", "giai+", {"8004": "6901234440300000999", "91": "B99999"}, "E280116020007777",
                 forged=True),
        ReadTag("home-made", "portal", refused="UNKNOWN"),
        Admit("car", "gate", "road", facts={"plate": "粤B12345"}, refused="NOT_INSPECTED", at="08:00"),
        Assess("inspection", {"use": "small private", "age": 7}, {"months": 12}),
        Write("car", "station", {"inspected until": "20270531"}),
        Admit("car", "gate", "road", facts={"plate": "粤B12345"}, refused="TAX_DUE"),
        Assess("car-tax", {"ml": 1_600, "month": 1}, {"year": 42_000, "due": 42_000}),
        Write("car", "tax-desk", {"taxed until": "20261231"}),
        Admit("car", "gate", "road", facts={"plate": "粤B12345"}),
        Admit("car", "gate", "road", facts={"plate": "粤B99999"}, refused="OTHER_PLATE"),
        Assess("vessel-tax", {"tons": 2_000, "month": 5}, {"due": 533_333}),
        Stands("treasury.vehicle-tax", 575_333),
    ),
)  # fmt: skip
FINES = Journey(
    name="fine", title_en="A fine is paid at a bank", title_zh="银行缴纳罚款", date=dt.date(2026, 4, 1),
    steps=(
        OpenAccount("lilei", 30_000, pin="123456", at="09:00"),
        Tell("The decision said 200 yuan within fifteen days; he comes ten days late.",
             "处罚决定：罚款200元，15日内缴纳；逾期10日到银行缴款。"),
        Assess("fine", {"fine": 20_000, "days late": 10}, {"late": 6_000, "due": 26_000}),
        PayOnline("lilei", "treasury.fines", 26_000, pin="654321", refused="55"),
        PayOnline("lilei", "treasury.fines", 26_000, pin="123456", lost=True),
        AccountHolds("lilei", 30_000),
        PayOnline("lilei", "treasury.fines", 26_000, pin="123456", as_="fine"),
        PayOnline("lilei", "treasury.fines", 26_000, pin="123456", refused="51"),
        Stands("treasury.fines", 26_000),
        Tell("The decision is revoked on review: the treasury gives the money back.", "复议撤销处罚决定，罚款退还。"),
        TakeBack("fine"),
        AccountHolds("lilei", 30_000),
        Stands("treasury.fines", 0),
    ),
)  # fmt: skip
RECORDS_SEEN = Journey(
    name="records", title_en="Who may see a driver's record", title_zh="谁可查看驾驶人信息", date=dt.date(2026, 4, 2),
    steps=(
        Keep("licence", "driver", "traffic-police", {"file_number": "440300123456", "vehicle_class": "C1",
             "valid_to": "2030-04-15", "points": "9"}, at="09:00"),
        Keep("lilei", "person", "public-security", {"identity_number": "440301199003072719", "name": "李雷"}),
        Keep("lilei", "person", "traffic-police", {"licences": "@licence"}),
        Ask("licence", "traffic-police", "traffic-enforcement", {"points": "9"}, case="440300-2026-0815"),
        Ask("licence", "bank", "loan-review", fields=("points",), refused="NO_GROUND"),
        Viewed("lilei", (("traffic-police", "traffic-enforcement", True), ("bank", "loan-review", False))),
    ),
)  # fmt: skip


def _check(name: str, en: str, zh: str, application: str) -> Device:
    return Device(name, en, zh, DeviceKind.CHECK, application=application)


def _report(name: str, en: str, zh: str, counts: Counted, by: str) -> Report:
    return Report(name=name, title_en=en, title_zh=zh, counts=counts, by=by)


SECTOR = Sector(
    name="vehicles", title_en="Vehicles and drivers", title_zh="车辆与驾驶人",
    about_en="Driving and vehicle licences, points with their yearly cycle, inspection, vehicle tax, fines.",
    about_zh="驾驶证与行驶证，按年记分，检验，车船税，罚款。",
    authority="Traffic police 公安交通管理部门", standards=("公安部令第163号", "国务院令第405号", "国务院令第611号"),
    archetypes=(Archetype.RECORD,), profiles=(DRIVER, VEHICLE),
    records={DRIVER.name: DRIVER_RECORDS, VEHICLE.name: VEHICLE_RECORDS},
    accounts=(
        Account("owner", "Owners of vehicles", "车主", overdraws=True),
        Account("treasury.vehicle-tax", "Vehicle tax", "车船税收入"),
        Account("treasury.fines", "Fines", "罚没收入"),
    ),
    devices=(
        _check("patrol", "the patrol's reader", "路面执勤终端", DRIVER.name),
        _check("desk", "the desk for offences", "违法处理窗口", DRIVER.name),
        _check("gate", "the reader at the road", "路口读写器", VEHICLE.name),
        _check("portal", "the portal over the road", "路侧电子标识读写器", VEHICLE.name),
        _check("station", "the inspection station", "检验机构", VEHICLE.name),
        _check("tax-desk", "the insurer that collects the tax", "代收车船税的保险机构", VEHICLE.name),
    ),
    sheets=SHEETS, entitlements=(DRIVE, PENALISE, ROAD), worked_cases=CASES,
    reports=(
        _report("checks", "Checks passed", "核查通过", Counted.ADMITTED, "entitlement"),
        _report("refusals", "Refusals by reason", "拒绝原因", Counted.REFUSED, "reason"),
        _report("looks", "Looks at drivers' records", "信息查询", Counted.LOOKED, "department"),
        _report("revenue", "Paid to the treasury", "入库金额", Counted.MOVED, "account"),
    ),
    journeys=(POINTS_YEAR, ROADWORTHY, FINES, RECORDS_SEEN),
)  # fmt: skip
