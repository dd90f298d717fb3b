"""Parking, tolls and parks: a purse for the kerb, the car park and the toll lane, a pass card in the car, a day pass.

The purse is JR/T 0025.2's; pass card and day pass are Jinka's records, since the layout of toll cards (GB/T 20851)
could not be read. Rates of roads are those commonly quoted, and said to be so; published results are the worked cases.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
    Archetype,
    Assess,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Fare,
    Holds,
    Journey,
    JourneyCard,
    List,
    Load,
    Party,
    PayFor,
    Reads,
    Report,
    Sector,
    Start,
    Tap,
    Tell,
    Write,
)
from jinka.profile.applications import purse_application, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.sectors.road_tariff import CASES, HOLIDAY, KERB_DAY, KERB_NIGHT, TOLL
from jinka.tariff import Mode, TapKind, full_price

PURSE = purse_application(
    name="cn.road.purse", aid=b"JINKA.ROAD.1", fid=0x3F41, title_en="Parking and toll purse",
    title_zh="停车与通行电子钱包", authority="Transport bureau and road operators 交通运输局与道路经营者",
    standards=("JR/T 0025.2",), limit=500_000,
)  # fmt: skip
PASS_RECORDS = (
    record(1, "plate", Coding.TEXT, 12, "粤B12345", "Plate", "车牌号", personal=PersonalDatum.MOVEMENT),
    record(2, "vehicle class", Coding.NUMBER, 1, "1", "Vehicle class", "车型"),
    record(
        3,
        "entry station",
        Coding.NUMBER,
        2,
        "101",
        "Entry station",
        "入口站",
        personal=PersonalDatum.MOVEMENT,
    ),
    record(4, "last gantry", Coding.NUMBER, 2, "7", "Last gantry", "最近门架"),
    record(5, "metres", Coding.NUMBER, 4, "52000", "Metres so far", "已行里程（米）"),
)
PASS = record_application(
    name="cn.road.pass", aid=b"JINKA.ROAD.2", fid=0x3F42, title_en="Pass card of the motorway",
    title_zh="高速公路通行卡", authority="Motorway operators 高速公路经营者", standards=("GB/T 20851",),
    records=PASS_RECORDS,
)  # fmt: skip
DAY_RECORDS = (
    record(1, "pass date", Coding.DATE, 4, "20260501", "Day of the pass", "票日"),
    record(2, "gates", Coding.TEXT, 16, "zoo,garden", "Gates that it opens", "可入园门"),
)
DAY_PASS = record_application(
    name="cn.park.day-pass", aid=b"JINKA.ROAD.3", fid=0x3F43, title_en="Day pass of the parks", title_zh="公园一日票",
    authority="Parks bureau 公园管理中心", standards=("LD/T 33",), records=DAY_RECORDS,
)  # fmt: skip

LEAVE = Entitlement(
    name="leave", title_en="Leave the motorway", title_zh="驶离高速公路", application=PASS.name,
    conditions=(
        Condition("entry station", Test.AT_LEAST, 1, "NO_ENTRY"),
        Condition("plate", Test.EQUALS, Fact("plate"), "OTHER_VEHICLE"),
    ),
    changes=(Change("last gantry", put="0"), Change("metres", put="0"), Change("entry station", put="0")),
)  # fmt: skip
PARK = Entitlement(
    name="park", title_en="Enter with a day pass", title_zh="凭一日票入园", application=DAY_PASS.name,
    conditions=(
        Condition("pass date", Test.EQUALS, Fact("date"), "OTHER_DAY"),
        Condition("gates", Test.LISTS, Fact("gate"), "OTHER_PARK"),
    ),
)  # fmt: skip

CAR = JourneyCard("car", "the driver's card", "司机的卡", (Start(application=PURSE.name, balance=20_000),))
_NOTHING = {"entry station": "0", "last gantry": "0", "metres": "0"}
PASS_CARD = JourneyCard(
    "pass", "the pass card in the car", "车内通行卡",
    (Start(application=PASS.name, records={"plate": "粤B12345", "vehicle class": "1", **_NOTHING}),),
)  # fmt: skip
VISITOR = JourneyCard(
    "visitor", "a visitor's card", "游客的卡",
    (Start(application=PURSE.name, balance=6_000),
     Start(application=DAY_PASS.name, records={"pass date": "20200101", "gates": "none"})),
)  # fmt: skip
_IN, _OUT = TapKind.ENTRY, TapKind.EXIT
KERB = Journey(
    name="kerb", title_en="At the kerb and in the car park", title_zh="占道与停车场停车",
    date=dt.date(2026, 3, 9), cards=(CAR, VISITOR),
    steps=(
        Tap("car", "kerb", 0, kind=_IN, at="10:00"),
        Tap("car", "kerb", 2_500, kind=_OUT, at="12:00"),
        Tap("car", "kerb", 0, kind=_IN, at="12:30"),
        Tell("Fourteen minutes are no full quarter of an hour.", "十四分钟不满一个计时单位。"),
        Tap("car", "kerb", 0, kind=_OUT, at="12:44"),
        Tap("car", "garage", 0, kind=_IN, at="13:00"),
        Tap("car", "garage", 1_375, kind=_OUT, at="14:20", torn=True),
        Tap("car", "garage", 1_375, kind=_OUT),
        Tap("car", "garage", 0, kind=_IN, at="15:00"),
        Tell("He leaves behind a lorry, so the card never goes out.", "跟车驶出，卡未刷出。"),
        Tap("car", "garage", 6_000, kind=_IN, at="17:00"),
        Tap("car", "garage", 0, kind=_OUT, at="17:10"),
        Tap("car", "kerb-night", 0, kind=_IN, at="19:00"),
        Tap("car", "kerb-night", 100, kind=_OUT, at="22:59"),
        Holds("car", 20_000 - 2_500 - 1_375 - 6_000 - 100),
        List("visitor"),
        Tap("visitor", "garage", kind=_IN, refused="BLOCKED"),
        Clear({"road.city": 2_600, "road.garage": 7_375}, at="23:50"),
    ),
)  # fmt: skip
# Minutes from the day before Qingming: the exit lane's clock, and the holiday from its first 00:00 to its last 24:00
_LEFT, _QINGMING = "=minutes since 2026-04-03", {"begins": 1_440, "ends": 4 * 1_440}
MOTORWAY = Journey(
    name="motorway", title_en="On the motorway with two cards", title_zh="双卡通行高速公路",
    date=dt.date(2026, 4, 3), cards=(CAR, PASS_CARD),
    steps=(
        Load("car", "service-area", 10_000, at="08:00"),
        Write("pass", "toll-entry", {"entry station": "101"}, at="08:30"),
        Write("pass", "gantry-7", {"last gantry": "7", "metres": "31500"}, at="08:50"),
        Write("pass", "gantry-8", {"last gantry": "8", "metres": "60000"}, at="09:10"),
        Reads("pass", "toll-exit-check", {"entry station": "101", "last gantry": "8", "metres": "60000",
                                          "vehicle class": "1"},
              remembers={"metres": "metres", "class": "vehicle class"}, at="09:20"),
        Assess("holiday", {"left": _LEFT, **_QINGMING, "seats": 5}, {"free": 0}, remembers={"free": "free"}),
        Assess("toll", {"metres": "=metres", "vehicle_class": "=class", "etc": 1, "free": "=free"},
               {"toll": 2_700, "due": 2_565}),
        PayFor("car", "toll-exit", "pass", PASS.name, "toll", {"metres": "metres", "vehicle_class": "vehicle class"},
               2_565, facts={"etc": 1, "free": "=free"}),
        Admit("pass", "toll-exit-check", "leave", facts={"plate": "粤B99999"}, refused="OTHER_VEHICLE"),
        Admit("pass", "toll-exit-check", "leave", facts={"plate": "粤B12345"}),
        Admit("pass", "toll-exit-check", "leave", facts={"plate": "粤B12345"}, refused="NO_ENTRY"),
        Clear({"road.motorway": 2_565}, {"loads.parking": 10_000}, at="23:00"),
        Tell("Tomorrow is Qingming: who leaves after midnight goes free.", "次日清明假期开始，零时后驶离免费。"),
        Write("pass", "toll-entry", {"entry station": "101"}, at="23:20"),
        Write("pass", "gantry-8", {"last gantry": "8", "metres": "60000"}, at="23:50"),
        Assess("holiday", {"left": _LEFT, **_QINGMING, "seats": 5}, {"free": 1}, at="+1 00:01",
               remembers={"free": "free"}),
        PayFor("car", "toll-exit", "pass", PASS.name, "toll", {"metres": "metres", "vehicle_class": "vehicle class"},
               0, facts={"etc": 1, "free": "=free"}),
        Admit("pass", "toll-exit-check", "leave", facts={"plate": "粤B12345"}),
        List("car"),
        Write("pass", "toll-entry", {"entry station": "101"}, at="+1 09:00"),
        PayFor("car", "toll-exit", "pass", PASS.name, "toll", {"metres": "metres", "vehicle_class": "vehicle class"},
               facts={"etc": 1, "free": "=free"}, refused="BLOCKED"),
        Clear({"road.motorway": 0}, at="+1 23:50"),
    ),
)  # fmt: skip
PARKS = Journey(
    name="parks", title_en="A day in the parks", title_zh="公园一日", date=dt.date(2026, 5, 1), cards=(VISITOR,),
    steps=(
        Admit("visitor", "zoo", "park", refused="OTHER_DAY", at="09:00"),
        Tap("visitor", "ticket-office", 4_500, gross=4_500),
        Write("visitor", "ticket-desk", {"pass date": "20260501", "gates": "zoo,garden"}),
        Admit("visitor", "zoo", "park"),
        Admit("visitor", "zoo", "park", at="13:00"),
        Admit("visitor", "palace", "park", refused="OTHER_PARK"),
        Clear({"road.parks": 4_500}, at="23:50"),
        Admit("visitor", "zoo", "park", refused="OTHER_DAY", at="+1 09:00"),
    ),
)  # fmt: skip


def _check(name: str, en: str, zh: str, application: str = PASS.name, **knows: str) -> Device:
    return Device(name, en, zh, DeviceKind.CHECK, application=application, knows=knows)


def _pays(name: str, en: str, zh: str, operator: str, mode: Mode, fare: str = "") -> Device:
    return Device(name, en, zh, DeviceKind.PURSE, operator=operator, mode=mode, fare=fare)


def _report(name: str, en: str, zh: str, counts: Counted, by: str) -> Report:
    return Report(name=name, title_en=en, title_zh=zh, counts=counts, by=by)


SECTOR = Sector(
    name="parking", title_en="Parking, tolls and parks", title_zh="停车、通行费与公园",
    about_en="Kerb and car park by the minute, motorways with a pass card, day passes, the list at the gate.",
    about_zh="占道与停车场按时计费，高速公路双卡通行，公园一日票，入口黑名单。",
    authority="Municipal transport bureau 市交通运输局", standards=("JR/T 0025.2", "JT/T 489-2019", "国发〔2012〕37号"),
    archetypes=(Archetype.PURSE, Archetype.RECORD), profiles=(PURSE, PASS, DAY_PASS),
    records={PASS.name: PASS_RECORDS, DAY_PASS.name: DAY_RECORDS},
    parties=(
        Party("road.city", "City's kerb parking", "市占道停车中心"), Party("road.garage", "Car park", "停车场"),
        Party("road.motorway", "Motorway company", "高速公路公司"), Party("road.parks", "Parks", "公园"),
    ),
    devices=(
        _pays("kerb", "the kerb by day", "白天占道车位", "road.city", Mode.PARKING, "kerb-day"),
        _pays("kerb-night", "the kerb by night", "夜间占道车位", "road.city", Mode.PARKING, "kerb-night"),
        _pays("garage", "the car park's barrier", "停车场道闸", "road.garage", Mode.PARKING, "garage"),
        _pays("toll-exit", "the exit lane", "出口车道", "road.motorway", Mode.TOLL),
        _pays("ticket-office", "the park's ticket office", "公园售票处", "road.parks", Mode.GATE),
        Device("service-area", "the service area's counter", "服务区充值点", DeviceKind.LOAD),
        _check("toll-entry", "the entry lane", "入口车道"), _check("gantry-7", "gantry 7", "7号门架"),
        _check("gantry-8", "gantry 8", "8号门架"), _check("toll-exit-check", "the exit's reader", "出口读卡器"),
        _check("zoo", "the zoo's gate", "动物园门", DAY_PASS.name, gate="zoo"),
        _check("palace", "the palace's gate", "颐和园门", DAY_PASS.name, gate="palace"),
        _check("ticket-desk", "the desk that writes passes", "制票台", DAY_PASS.name),
    ),
    tariffs={PURSE.name: full_price("road-full", title_en="As asked", title_zh="按应收全额", gross_max_fen=300_000)},
    fares=(
        Fare(name="kerb-day", sheet=KERB_DAY), Fare(name="kerb-night", sheet=KERB_NIGHT),
        Fare(name="garage", sheet=KERB_DAY, lost_exit=6_000),
    ),
    sheets=(TOLL, HOLIDAY), entitlements=(LEAVE, PARK), worked_cases=CASES,
    reports=(
        _report("takings", "Takings by operator", "各经营者收入", Counted.PAID, "operator"),
        _report("rights", "Gates and lanes opened", "放行次数", Counted.ADMITTED, "entitlement"),
        _report("refusals", "Refusals by reason", "拒绝原因", Counted.REFUSED, "reason"),
    ),
    journeys=(KERB, MOTORWAY, PARKS),
    words={"palace": "颐和园", "garden": "植物园", "zoo": "动物园", "<left>": "驶离时刻"},
)  # fmt: skip
