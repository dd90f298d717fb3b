"""Campus: one card that pays in the canteen, borrows in the library and opens the dormitory.

A purse and a record application on one card. No national standard of campus cards has a file layout that could be read;
the layout here is JR/T 0025.2's purse and Jinka's records.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Account,
    Admit,
    Agree,
    Archetype,
    Ask,
    Assess,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Holds,
    Journey,
    JourneyCard,
    Keep,
    List,
    Load,
    Party,
    Reads,
    Report,
    Sector,
    Stands,
    Start,
    Tap,
    Viewed,
    Withdraw,
    WorkedCase,
    Write,
)
from jinka.profile.applications import pin, purse_application, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.tariff import full_price
from jinka.tariff.sheet import Choose, Line, Sheet, Times

PURSE = purse_application(
    name="cn.campus.purse", aid=b"JINKA.CAMPUS.1", fid=0x3F21, title_en="Campus purse", title_zh="校园电子钱包",
    authority="The university 高等学校", standards=("JR/T 0025.2",), limit=200_000,
)  # fmt: skip
RECORDS = (
    record(1, "student number", Coding.TEXT, 12, "2024010001", "Student number", "学号",
           fid=0x0006, personal=PersonalDatum.IDENTITY_NUMBER),
    record(2, "name", Coding.TEXT, 30, "李明", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "enrolled until", Coding.DATE, 4, "20280701", "Enrolled until", "学籍有效期"),
    record(2, "dormitory", Coding.TEXT, 8, "E3", "Dormitory", "宿舍楼"),
    record(3, "books left", Coding.NUMBER, 1, "10", "Books that may still be borrowed", "可借册数"),
    record(4, "lectures attended", Coding.NUMBER, 2, "0", "Lectures attended", "出勤次数"),
    record(5, "next free meal", Coding.DATE, 4, "20260309", "Day of the next free meal", "下次免费餐日期"),
)  # fmt: skip
STUDENT = record_application(
    name="cn.campus.student", aid=b"JINKA.CAMPUS.2", fid=0x3F22, title_en="Student record", title_zh="学生信息应用",
    authority="The university 高等学校", standards=("LD/T 33",), records=RECORDS, after_pin=(0x0006,),
    extra_keys=(pin(),),
)  # fmt: skip

BORROW = Entitlement(
    name="borrow", title_en="Borrow a book", title_zh="借书", application=STUDENT.name,
    conditions=(
        Condition("enrolled until", Test.NOT_BEFORE, Fact("date"), "NOT_ENROLLED"),
        Condition("books left", Test.AT_LEAST, 1, "TOO_MANY_BOOKS"),
    ),
    changes=(Change("books left", take=1),),
)  # fmt: skip
DOOR = Entitlement(
    name="door", title_en="Open a dormitory's door", title_zh="开宿舍门", application=STUDENT.name,
    conditions=(
        Condition("enrolled until", Test.NOT_BEFORE, Fact("date"), "NOT_ENROLLED"),
        Condition("dormitory", Test.EQUALS, Fact("house"), "OTHER_HOUSE"),
    ),
)  # fmt: skip

ATTEND = Entitlement(
    name="attend", title_en="Sign in at a lecture", title_zh="课堂考勤", application=STUDENT.name,
    conditions=(Condition("enrolled until", Test.NOT_BEFORE, Fact("date"), "NOT_ENROLLED"),),
    changes=(Change("lectures attended", take=-1),),
)  # fmt: skip
MEAL = Entitlement(
    name="meal", title_en="One free meal a school day", title_zh="每个学习日一份营养餐", application=STUDENT.name,
    conditions=(Condition("next free meal", Test.NOT_AFTER, Fact("date"), "EATEN_TODAY"),),
    changes=(Change("next free meal", put=Fact("next school day")),),
    source="农村义务教育学生营养改善计划",
)  # fmt: skip
MEALS = Sheet(
    name="meal-subsidy",
    title_en="Meal subsidy of a rural pupil",
    title_zh="农村义务教育学生营养膳食补助",
    source="国务院办公厅关于实施农村义务教育学生营养改善计划的意见 (国办发〔2011〕54号) and its later rates",
    facts=("since", "days"),
    rising=("days",),
    lines=(
        Line(code="rate", title_en="A day", title_zh="每生每天",
             value=Choose("since", ((2011, 300), (2014, 400), (2021, 500)))),
        Line(code="subsidy", title_en="Subsidy", title_zh="补助", value=Times("days", "rate"),
             payer="treasury.education", payee="school.kitchen"),
    ),
    result="subsidy",
)  # fmt: skip

LI = JourneyCard(
    "li", "Li Ming's card", "李明的卡",
    (
        Start(application=PURSE.name, balance=5_000),
        Start(application=STUDENT.name, pin="246810", records={
            "student number": "2024010001", "name": "李明", "enrolled until": "20280701", "dormitory": "E3",
            "books left": "1", "lectures attended": "41", "next free meal": "20260309",
        }),
    ),
)  # fmt: skip
DAY = Journey(
    name="day",
    title_en="A student's day",
    title_zh="学生的一天",
    date=dt.date(2026, 3, 9),
    cards=(LI,),
    steps=(
        Load("li", "kiosk", 10_000, at="07:30"),
        Tap("li", "canteen", 1_250, gross=1_250, at="07:40"),
        Admit("li", "library", "borrow", at="09:00"),
        Admit("li", "library", "borrow", refused="TOO_MANY_BOOKS"),
        Write("li", "office", {"books left": "5"}, at="09:30"),
        Admit("li", "library", "borrow"),
        Reads("li", "office", {"name": "李明"}, pin="246810", at="10:00"),
        Reads("li", "office", {"enrolled until": "20280701"}, refused=("name",)),
        Tap("li", "laundry", 400, gross=400, at="18:00", torn=True),
        Tap("li", "laundry", 400, gross=400),
        Admit("li", "house-e3", "door", at="22:00"),
        Admit("li", "house-e4", "door", refused="OTHER_HOUSE"),
        Holds("li", 13_350),
        List("li"),
        Tap("li", "canteen", gross=500, refused="BLOCKED"),
        Clear({"campus.canteen": 1_250, "campus.laundry": 400}, {"loads.campus": 10_000}, at="23:50"),
    ),
)
SCHOOL = Journey(
    name="school", title_en="Lectures and free meals", title_zh="考勤与营养餐", date=dt.date(2026, 3, 9),
    cards=(
        LI,
        JourneyCard("left", "a card of somebody who left", "已离校学生的卡", (
            Start(application=STUDENT.name, pin="135790", records={"enrolled until": "20250701"}),
        )),
    ),
    steps=(
        Admit("li", "hall", "attend", at="08:00"),
        Reads("li", "hall", {"lectures attended": "42"}),
        Admit("left", "hall", "attend", refused="NOT_ENROLLED"),
        Admit("left", "library", "borrow", refused="NOT_ENROLLED"),
        Admit("left", "house-e3", "door", refused="NOT_ENROLLED"),
        Admit("li", "hatch", "meal", facts={"next school day": "20260310"}, at="11:50"),
        Admit("li", "hatch", "meal", facts={"next school day": "20260310"}, refused="EATEN_TODAY"),
        Admit("li", "hatch", "meal", facts={"next school day": "20260311"}, at="+1 11:55"),
        Assess("meal-subsidy", {"since": 2021, "days": 2}, {"subsidy": 1_000}),
        Stands("school.kitchen", 1_000),
    ),
)  # fmt: skip
ENROLMENT = Journey(
    name="enrolment",
    title_en="Who may see a student's records",
    title_zh="谁可查看学生信息",
    date=dt.date(2026, 3, 10),
    steps=(
        Keep("li", "person", "public-security", {"identity_number": "440398200804110038", "name": "李明",
                                                 "sex": "male", "birth_date": "2008-04-11"}, at="09:00"),
        Ask("li", "bank", "loan-review", fields=("name", "birth_date"), refused="NO_GROUND"),
        Agree("li", "bank", "loan-review", ("name",), as_="student loan"),
        Ask("li", "bank", "loan-review", {"name": "李明"}),
        Withdraw("li", "student loan"),
        Ask("li", "bank", "loan-review", fields=("name",), refused="WITHDRAWN"),
        Viewed("li", (("bank", "loan-review", False), ("bank", "loan-review", True), ("bank", "loan-review", False))),
    ),
)  # fmt: skip


def _door(house: str) -> Device:
    names = f"house-{house.lower()}", f"the door of house {house}", f"{house}宿舍门禁"
    return Device(*names, DeviceKind.CHECK, application=STUDENT.name, knows={"house": house})


def _report(name: str, en: str, zh: str, counts: Counted, by: str) -> Report:
    return Report(name=name, title_en=en, title_zh=zh, counts=counts, by=by)


SECTOR = Sector(
    name="campus",
    title_en="Campus",
    title_zh="校园一卡通",
    about_en="Canteen, laundry, library and dormitory on one card.",
    about_zh="食堂、洗衣、图书馆、宿舍门禁一卡通用。",
    authority="The university 高等学校",
    standards=("JR/T 0025.2", "LD/T 33"),
    archetypes=(Archetype.PURSE, Archetype.RECORD),
    profiles=(PURSE, STUDENT),
    records={STUDENT.name: RECORDS},
    parties=(Party("campus.canteen", "Canteen", "食堂"), Party("campus.laundry", "Laundry", "洗衣房")),
    devices=(
        Device("kiosk", "the top-up kiosk", "圈存机", DeviceKind.LOAD),
        Device("canteen", "the canteen", "食堂", DeviceKind.PURSE, operator="campus.canteen"),
        Device("laundry", "the laundry", "洗衣房", DeviceKind.PURSE, operator="campus.laundry"),
        Device("library", "the library", "图书馆", DeviceKind.CHECK, application=STUDENT.name),
        Device("hall", "the lecture hall", "教室考勤机", DeviceKind.CHECK, application=STUDENT.name),
        Device("hatch", "the kitchen hatch", "食堂取餐口", DeviceKind.CHECK, application=STUDENT.name),
        Device("office", "the registrar", "教务处", DeviceKind.CHECK, application=STUDENT.name),
        _door("E3"),
        _door("E4"),
    ),
    tariffs={PURSE.name: full_price("campus-sale", title_en="Sale", title_zh="消费", gross_max_fen=20_000)},
    entitlements=(BORROW, DOOR, ATTEND, MEAL),
    reports=(
        _report("sales", "Sales by operator", "各商户消费", Counted.PAID, "operator"),
        _report("doors", "Admissions", "准入次数", Counted.ADMITTED, "entitlement"),
        _report("looks", "Looks at records", "信息查询", Counted.LOOKED, "department"),
    ),
    journeys=(DAY, SCHOOL, ENROLMENT),
    words={"li": "李明"},
    accounts=(
        Account("treasury.education", "Education treasury", "教育财政专户", 50_000),
        Account("school.kitchen", "School kitchen", "学校食堂账户"),
    ),
    sheets=(MEALS,),
    worked_cases=(
        WorkedCase(
            title_en="A pupil's year from November 2014: 800 yuan, as printed",
            title_zh="2014年11月起每生每天4元，达到每生每年800元",
            sheet="meal-subsidy",
            facts={"since": 2014, "days": 200},
            gives={"rate": 400, "subsidy": 80_000},
            source="财政部教科文司, 人民日报2014-11-01: 每日3元提高到4元，达到每生每年800元; 国办发〔2011〕54号: 200天",
            address="http://finance.china.com.cn/roll/20141101/2765609.shtml",
        ),
    ),
)
