"""Tourism: attraction gates, guides' licences, hotel doors, a resort's purse, booking by identity number.

No national layout of these cards is readable; the layouts are Jinka's. Ticket ages: 发改价格〔2012〕283号.
Guides: 导游人员管理条例 (in force); the points of 导游人员管理实施办法 (2001) were repealed in 2016: history.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
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
    Start,
    Tap,
    Tell,
    Viewed,
    Write,
)
from jinka.profile.applications import pin, purse_application, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.sectors.tourism_rules import BOOKINGS, CASES, SHEETS
from jinka.tariff import Mode, full_price

PURSE = purse_application(
    name="cn.resort.purse", aid=b"JINKA.TOUR.1", fid=0x3F71, title_en="Resort purse", title_zh="度假区电子钱包",
    authority="The resort 度假区经营者", standards=("JR/T 0025.2",), limit=500_000,
)  # fmt: skip
TICKET_RECORDS = (
    record(1, "sight", Coding.TEXT, 16, "palace", "Sight", "景区"),
    record(2, "visit day", Coding.DATE, 4, "20260501", "Day of the visit", "参观日期"),
    record(3, "entries left", Coding.NUMBER, 1, "1", "Entries left", "剩余入园次数"),
    record(4, "identity tail", Coding.TEXT, 4, "2719", "Last four of the identity number", "身份证号末四位"),
    record(5, "price", Coding.NUMBER, 4, "6000", "Price paid, fen", "票价（分）"),
)
TICKET = record_application(
    name="cn.tour.ticket", aid=b"JINKA.TOUR.2", fid=0x3F72, title_en="Ticket of a sight", title_zh="景区门票",
    authority="The sight 景区", standards=("LD/T 33",), records=TICKET_RECORDS,
)  # fmt: skip
ROOM_RECORDS = (
    record(1, "rooms", Coding.TEXT, 24, "1208,pool,gym", "Doors that it opens", "可开门锁"),
    record(2, "check-in", Coding.DIGITS, 6, "202605011400", "Valid from", "入住时间"),
    record(3, "check-out", Coding.DIGITS, 6, "202605031200", "Valid until", "退房时间"),
)
ROOM = record_application(
    name="cn.tour.room", aid=b"JINKA.TOUR.3", fid=0x3F73, title_en="Hotel key", title_zh="酒店门卡",
    authority="The hotel 酒店", standards=("LD/T 33",), records=ROOM_RECORDS,
)  # fmt: skip
GUIDE_RECORDS = (
    record(1, "identity number", Coding.TEXT, 18, "440301199003072719", "Identity number", "身份证号", fid=0x0006,
           personal=PersonalDatum.IDENTITY_NUMBER),
    record(1, "licence until", Coding.DATE, 4, "20280630", "Guide's licence valid until", "导游证有效期止"),
    record(2, "suspended until", Coding.DATE, 4, "20200101", "Suspended until", "暂扣至"),
    record(3, "languages", Coding.TEXT, 12, "zh,en", "Languages", "语种"),
    record(4, "points left", Coding.NUMBER, 1, "10", "Points left (repealed 2016)", "剩余分值（2016年废止）"),
)  # fmt: skip
GUIDE = record_application(
    name="cn.tour.guide", aid=b"JINKA.TOUR.4", fid=0x3F74, title_en="Guide's licence", title_zh="导游证",
    authority="Culture and tourism authority 文化和旅游主管部门", standards=("LD/T 33",), records=GUIDE_RECORDS,
    after_pin=(0x0006,), extra_keys=(pin(),),
)  # fmt: skip

ENTER = Entitlement(
    name="enter", title_en="Enter a sight", title_zh="入园", application=TICKET.name,
    conditions=(
        Condition("sight", Test.EQUALS, Fact("sight"), "OTHER_SIGHT"),
        Condition("visit day", Test.EQUALS, Fact("date"), "OTHER_DAY"),
        Condition("identity tail", Test.EQUALS, Fact("identity tail"), "OTHER_PERSON"),
        Condition("entries left", Test.AT_LEAST, 1, "ALREADY_USED"),
    ),
    changes=(Change("entries left", take=1),),
)  # fmt: skip
DOOR = Entitlement(
    name="door", title_en="Open a hotel's door", title_zh="开客房门", application=ROOM.name,
    conditions=(
        Condition("check-in", Test.NOT_AFTER, Fact("moment"), "TOO_EARLY"),
        Condition("check-out", Test.NOT_BEFORE, Fact("moment"), "CHECKED_OUT"),
        Condition("rooms", Test.LISTS, Fact("room"), "OTHER_ROOM"),
    ),
)  # fmt: skip
LEAD = Entitlement(
    name="lead", title_en="Lead a group", title_zh="导游执业", application=GUIDE.name,
    conditions=(
        Condition("licence until", Test.NOT_BEFORE, Fact("date"), "LICENCE_EXPIRED"),
        Condition("suspended until", Test.NOT_AFTER, Fact("date"), "SUSPENDED"),
        Condition("languages", Test.LISTS, Fact("language"), "OTHER_LANGUAGE"),
    ),
    source="导游人员管理条例第4、8、22条",
)  # fmt: skip
PENALISE = Entitlement(
    name="guide-points", title_en="Points off a guide's card (2002 to 2016)",
    title_zh="导游扣分（2002—2016年，已废止）", application=GUIDE.name,
    conditions=(Condition("points left", Test.AT_LEAST, 1, "NO_POINTS"),),
    changes=(Change("points left", take=Fact("points")),), source="导游人员管理实施办法（国家旅游局令第15号，已废止）",
)  # fmt: skip

VISITOR = JourneyCard(
    "visitor", "the visitor's card", "游客的卡",
    (Start(application=TICKET.name, records={"sight": "none", "visit day": "20200101", "entries left": "0",
                                             "identity tail": "0000", "price": "0"}),
     Start(application=ROOM.name, records={"rooms": "none", "check-in": "202001010000", "check-out": "202001010000"}),
     Start(application=PURSE.name, balance=2_000)),
)  # fmt: skip
WANG = JourneyCard("wang", "guide Wang's card", "王导的卡", (Start(application=GUIDE.name, pin="135790", records={
    "identity number": "110198198608150019", "licence until": "20280630", "suspended until": "20200101",
    "languages": "zh,en", "points left": "10",
}),))  # fmt: skip
_TAIL, _DUE, _PAID = {"identity tail": "2719"}, {"due": "due"}, {"paid": "paid"}
_ME = {"sight": "palace", **_TAIL}

HOLIDAY = Journey(
    name="holiday", title_en="Three days in a resort", title_zh="度假三日", date=dt.date(2026, 5, 1), cards=(VISITOR,),
    steps=(
        Load("visitor", "reception-till", 50_000, at="09:00"),
        Tell("A student of nineteen pays half, her brother of six nothing.", "十九岁学生半价，六岁弟弟免票。"),
        Assess("ticket", {"price": 6_000, "age": 19, "cm": 168, "student": 1}, {"due": 3_000}, remembers=_DUE),
        Assess("ticket", {"price": 6_000, "age": 6, "cm": 125, "student": 0}, {"due": 0}),
        Tap("visitor", "ticket-office", "=due", gross="=due", remembers=_PAID),
        Write("visitor", "ticket-desk", {**_ME, "visit day": "20260501", "entries left": "1", "price": "=paid"}),
        Reads("visitor", "palace-gate", {"price": "3000"}),
        Admit("visitor", "palace-gate", "enter", facts={"identity tail": "0014"}, refused="OTHER_PERSON"),
        Admit("visitor", "museum-gate", "enter", facts=_TAIL, refused="OTHER_SIGHT"),
        Admit("visitor", "palace-gate", "enter", facts=_TAIL, at="10:00"),
        Admit("visitor", "palace-gate-2", "enter", facts=_TAIL, refused="ALREADY_USED"),
        Write("visitor", "reception", {"rooms": "1208,pool", "check-in": "202605011400", "check-out": "202605031200"},
              at="11:00"),
        Admit("visitor", "door-1208", "door", refused="TOO_EARLY"),
        Admit("visitor", "door-1208", "door", at="14:00"),
        Admit("visitor", "door-1209", "door", refused="OTHER_ROOM"),
        Admit("visitor", "pool", "door"),
        Tap("visitor", "restaurant", 18_800, gross=18_800, at="18:00"),
        Tap("visitor", "rides", 8_000, gross=8_000, torn=True),
        Tap("visitor", "rides", 8_000, gross=8_000),
        Holds("visitor", 22_200, application=PURSE.name),
        List("visitor"),
        Tap("visitor", "rides", gross=8_000, refused="BLOCKED"),
        Admit("visitor", "door-1208", "door", refused="BLOCKED"),
        List("visitor", blocked=False),
        Admit("visitor", "door-1208", "door"),
        Clear({"resort.tickets": 3_000, "resort.table": 18_800, "resort.rides": 8_000}, {"loads.tourism": 50_000},
              at="23:50"),
        Admit("visitor", "palace-gate", "enter", facts=_TAIL, refused="OTHER_DAY", at="+1 09:00"),
        Admit("visitor", "door-1208", "door", at="+2 11:59"),
        Admit("visitor", "door-1208", "door", refused="CHECKED_OUT", at="+2 12:01"),
    ),
)  # fmt: skip
BOOKING = Journey(
    name="booking", title_en="A booking bound to the identity number", title_zh="实名预约", date=dt.date(2026, 4, 20),
    cards=(VISITOR,),
    steps=(
        Keep("han", "person", "public-security", {"identity_number": "440398200610042719", "name": "韩梅"}, at="09:00"),
        Keep("order", "booking", "scenic-area", {"booking_number": "B20260501-0007", "visitor": "@han",
             "visitor_number": "440398200610042719", "sight": "palace", "day": "2026-05-01"}),
        Ask("order", "scenic-area", "admission", {"visitor_number": "440398200610042719"}, at="+11 08:30"),
        Ask("order", "bank", "loan-review", fields=("sight",), refused="NO_GROUND"),
        Ask("han", "scenic-area", "admission", fields=("name",), refused="NO_GROUND"),
        Viewed("han", (("scenic-area", "admission", True), ("bank", "loan-review", False),
                       ("scenic-area", "admission", False))),
        Load("visitor", "reception-till", 10_000),
        Assess("ticket", {"price": 6_000, "age": 23, "cm": 168, "student": 0}, {"due": 6_000}, remembers=_DUE),
        Tap("visitor", "ticket-office", "=due", gross="=due", remembers=_PAID),
        Write("visitor", "ticket-desk", {**_ME, "visit day": "20260501", "entries left": "1", "price": "=paid"}),
        Admit("visitor", "palace-gate", "enter", facts={"identity tail": "0014"}, refused="OTHER_PERSON"),
        Admit("visitor", "palace-gate", "enter", facts=_TAIL),
        Clear({"resort.tickets": 6_000}, {"loads.tourism": 10_000}, at="+11 23:50"),
    ),
)  # fmt: skip
GUIDES = Journey(
    name="guide", title_en="A guide's licence", title_zh="导游证", date=dt.date(2028, 3, 1), cards=(WANG,),
    steps=(
        Admit("wang", "inspector", "lead", facts={"language": "en"}, at="09:00"),
        Admit("wang", "inspector", "lead", facts={"language": "ja"}, refused="OTHER_LANGUAGE"),
        Reads("wang", "inspector", {"licence until": "20280630"}, refused=("identity number",)),
        Assess("guide-renewal", {"months left": 3}, {"in time": 1, "months": 36}),
        Write("wang", "authority", {"licence until": "20310630"}),
        Tell("He adds a shop to the programme on his own: suspended for three to six months.",
             "擅自增加购物项目：暂扣导游证3至6个月。"),
        Assess("guide-suspension", {"asked": 2}, {"months": 3}),
        Write("wang", "authority", {"suspended until": "20280601"}),
        Admit("wang", "inspector", "lead", facts={"language": "en"}, refused="SUSPENDED"),
        Admit("wang", "inspector", "lead", facts={"language": "en"}, at="+92 09:00"),
        Tell("Until 2016 the same card carried ten points a year; the rule is repealed.",
             "2016年以前同一张卡每年记10分，该办法已废止。"),
        Assess("guide-points", {"offence": "programme changed"}, {"points": 8}, remembers={"points": "points"}),
        Admit("wang", "inspector", "guide-points", facts={"points": "=points"}),
        Admit("wang", "inspector", "guide-points", facts={"points": "2"}),
        Admit("wang", "inspector", "guide-points", facts={"points": "2"}, refused="NO_POINTS"),
        Admit("wang", "inspector", "lead", facts={"language": "en"}, at="+1300 09:00", refused="LICENCE_EXPIRED"),
    ),
)  # fmt: skip


def _check(name: str, en: str, zh: str, application: str, **knows: str) -> Device:
    return Device(name, en, zh, DeviceKind.CHECK, application=application, knows=knows)


def _till(name: str, en: str, zh: str, operator: str, mode: Mode = Mode.SHOP) -> Device:
    return Device(name, en, zh, DeviceKind.PURSE, operator=operator, mode=mode)


def _report(name: str, en: str, zh: str, counts: Counted, by: str) -> Report:
    return Report(name=name, title_en=en, title_zh=zh, counts=counts, by=by)


SECTOR = Sector(
    name="tourism", title_en="Tourism", title_zh="旅游",
    about_en="Sights, guides, hotel doors, a resort's purse, booking by identity number.",
    about_zh="景区门票、导游证、酒店门锁、度假区消费、实名预约。",
    authority=GUIDE.authority, standards=("JR/T 0025.2", "发改价格〔2012〕283号", "国务院令第263号"),
    archetypes=(Archetype.PURSE, Archetype.RECORD), profiles=(PURSE, TICKET, ROOM, GUIDE),
    records={TICKET.name: TICKET_RECORDS, ROOM.name: ROOM_RECORDS, GUIDE.name: GUIDE_RECORDS},
    parties=(Party("resort.tickets", "Ticket office", "售票处"), Party("resort.table", "Restaurant", "餐厅"),
             Party("resort.rides", "Rides", "游乐项目")),
    devices=(
        Device("reception-till", "the reception's till", "前台充值机", DeviceKind.LOAD),
        _till("ticket-office", "the ticket office", "售票处", "resort.tickets"),
        _till("restaurant", "the restaurant", "餐厅", "resort.table"),
        _till("rides", "the rides", "游乐项目", "resort.rides", Mode.GATE),
        _check("ticket-desk", "the desk that writes tickets", "制票台", TICKET.name),
        _check("palace-gate", "the palace's gate", "古宫检票口", TICKET.name, sight="palace"),
        _check("palace-gate-2", "the palace's second gate", "古宫二号检票口", TICKET.name, sight="palace"),
        _check("museum-gate", "the museum's gate", "博物馆检票口", TICKET.name, sight="museum"),
        _check("reception", "the reception", "酒店前台", ROOM.name),
        _check("door-1208", "the door of room 1208", "1208房门锁", ROOM.name, room="1208"),
        _check("door-1209", "the door of room 1209", "1209房门锁", ROOM.name, room="1209"),
        _check("pool", "the pool's door", "泳池门锁", ROOM.name, room="pool"),
        _check("inspector", "the inspector's reader", "旅游执法终端", GUIDE.name),
        _check("authority", "the licensing authority", "导游证发证机关", GUIDE.name),
    ),
    tariffs={PURSE.name: full_price("resort-sale", title_en="Sale", title_zh="消费", gross_max_fen=100_000)},
    sheets=SHEETS, entitlements=(ENTER, DOOR, LEAD, PENALISE), worked_cases=CASES, part=BOOKINGS,
    reports=(
        _report("takings", "Takings by operator", "各经营者收入", Counted.PAID, "operator"),
        _report("admissions", "Gates and doors opened", "放行次数", Counted.ADMITTED, "device"),
        _report("refusals", "Refusals by reason", "拒绝原因", Counted.REFUSED, "reason"),
        _report("looks", "Looks at bookings and persons", "信息查询", Counted.LOOKED, "record"),
    ),
    journeys=(HOLIDAY, BOOKING, GUIDES),
    words={"han": "韩梅", "order": "订单", "palace": "古宫", "zoo": "动物园", "museum": "博物馆",
           "ja": "日语", "pool": "泳池", "none": "无"},
)  # fmt: skip
