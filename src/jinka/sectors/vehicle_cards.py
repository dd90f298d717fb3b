"""The driver's and the vehicle's card: records, and the rights that stand on them.

The layouts are Jinka's. What an offence leaves open stands on both cards until it is settled: on the driver's the
points whose fine is not paid, on the vehicle's the fines.
"""

from __future__ import annotations

from jinka.codec.fields import Coding
from jinka.declaration import JourneyCard, Start
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum

DRIVER_RECORDS = (
    record(1, "licence number", Coding.TEXT, 18, "440301199003072719", "Licence number", "驾驶证号", fid=0x0006,
           personal=PersonalDatum.IDENTITY_NUMBER),
    record(2, "name", Coding.TEXT, 30, "李雷", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "classes", Coding.TEXT, 12, "C1", "Licence class entry", "准驾车型"),
    record(2, "licence until", Coding.DATE, 4, "20300415", "Licence valid until", "驾驶证有效期止"),
    record(3, "points left", Coding.NUMBER, 1, "12", "Points left in this cycle", "本周期剩余分值"),
    record(4, "cycle until", Coding.DATE, 4, "20270414", "Last day of the cycle", "记分周期止"),
    record(5, "points unpaid", Coding.NUMBER, 1, "0", "Points whose fine is not paid", "罚款未缴的记分"),
    record(6, "study days", Coding.NUMBER, 1, "0", "Days of study after twelve points", "满分学习天数"),
    record(7, "tests passed", Coding.NUMBER, 1, "0", "Tests passed after twelve points", "满分考试通过科目数"),
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
    record(5, "fines open", Coding.NUMBER, 4, "0", "Fines that are open, in fen", "未缴罚款（分）"),
)
VEHICLE = record_application(
    name="cn.traffic.vehicle", aid=b"JINKA.TRAFFIC.2", fid=0x3F62, title_en="Vehicle licence", title_zh="行驶证应用",
    authority="Traffic police 公安交通管理部门", standards=("GA 37",), records=VEHICLE_RECORDS,
)  # fmt: skip

LI = JourneyCard("li", "Li Lei's licence", "李雷的驾驶证", (Start(application=DRIVER.name, pin="246810", records={
    "licence number": "440301199003072719", "name": "李雷", "classes": "C1", "licence until": "20300415",
    "points left": "12", "cycle until": "20260414", "points unpaid": "0", "study days": "0", "tests passed": "0",
}),))  # fmt: skip
CAR = JourneyCard("car", "the vehicle's card", "车辆的卡", (Start(application=VEHICLE.name, records={
    "plate": "粤B12345", "use": "small private", "inspected until": "20260430", "taxed until": "20251231",
    "fines open": "0",
}),))  # fmt: skip

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
    ),
    changes=(Change("points left", take=Fact("points"), rest=True), Change("points unpaid", put=Fact("unpaid"))),
    source="道路交通安全违法行为记分管理办法第3、7条",
)  # fmt: skip
_FROM = Condition("points left", Test.EQUALS, Fact("from", shown=True), "OTHER_POINTS")
_NOW = Change("points left", put=Fact("now", shown=True))
CREDIT = Entitlement(
    name="credit", title_en="Give points back", title_zh="恢复记分", application=DRIVER.name,
    conditions=(
        Condition("cycle until", Test.NOT_BEFORE, Fact("date"), "CYCLE_OVER"),
        Condition("points left", Test.AT_LEAST, 1, "TWELVE_POINTS"), _FROM,
    ),
    changes=(_NOW,), source="道路交通安全违法行为记分管理办法第25—27条；行政复议法",
)  # fmt: skip
NEW_CYCLE = Entitlement(
    name="new-cycle", title_en="Begin the next cycle", title_zh="转入下一记分周期", application=DRIVER.name,
    conditions=(Condition("cycle until", Test.BEFORE, Fact("date"), "CYCLE_RUNS"), _FROM),
    changes=(Change("cycle until", months=12), _NOW),
    source="道路交通安全违法行为记分管理办法第3、15条",
)  # fmt: skip
STUDIED = Entitlement(
    name="studied", title_en="Twelve points again after study and test", title_zh="满分学习考试合格",
    application=DRIVER.name,
    conditions=(
        Condition("points left", Test.AT_MOST, 0, "POINTS_LEFT"),
        Condition("study days", Test.AT_LEAST, Fact("days", shown=True), "NOT_STUDIED"),
        Condition("tests passed", Test.AT_LEAST, Fact("tests", shown=True), "NOT_TESTED"),
    ),
    changes=(Change("study days", put="0"), Change("tests passed", put="0"), Change("points left", put="12")),
    source="道路交通安全违法行为记分管理办法第18、22条",
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
MARK = Entitlement(
    name="mark", title_en="The mark of inspection", title_zh="核发检验标志", application=VEHICLE.name,
    conditions=(
        Condition("plate", Test.EQUALS, Fact("plate"), "OTHER_PLATE"),
        Condition("fines open", Test.AT_MOST, 0, "FINE_OPEN"),
    ),
    changes=(Change("inspected until", months=Fact("months", shown=True)),),
    source="机动车登记规定（公安部令第164号，2022-05-01施行）第54条：申请前应将涉及该车的违法行为处理完毕",
)  # fmt: skip
RIGHTS = (DRIVE, PENALISE, CREDIT, NEW_CYCLE, STUDIED, ROAD, MARK)
