"""Broadcasting: conditional access by card, pay channels, titles on demand, a household's cards, arrears.

Operators' conditional access systems are secret. Scrambling is the public DVB-CISSA; the card's part is Jinka's own.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
    Archetype,
    Counted,
    Device,
    DeviceKind,
    Journey,
    JourneyCard,
    Report,
    Sector,
    Start,
    Write,
)
from jinka.profile.applications import record, record_application
from jinka.profile.entitlement import Condition, Entitlement, Fact, Test

RECORDS = (
    record(1, "channels", Coding.TEXT, 32, "basic,film", "Channels and titles", "授权频道与节目"),
    record(2, "paid until", Coding.DATE, 4, "20260331", "Entitled until", "授权至"),
    record(3, "household", Coding.NUMBER, 4, "7001", "Household", "户号"),
)
VIEWER = record_application(
    name="cn.tv.access", aid=b"JINKA.TV.1", fid=0x3F71, title_en="Conditional access", title_zh="有线电视条件接收",
    authority="Cable operators 有线电视网络公司", standards=("GY/Z 175",), records=RECORDS,
)  # fmt: skip
WATCH = Entitlement(
    name="watch", title_en="Watch a channel", title_zh="收看频道", application=VIEWER.name,
    conditions=(
        Condition("paid until", Test.NOT_BEFORE, Fact("date"), "EXPIRED"),
        Condition("channels", Test.LISTS, Fact("channel"), "NOT_SUBSCRIBED"),
    ),
)  # fmt: skip
MAIN = JourneyCard(
    "main", "the household's main card", "主卡",
    (Start(application=VIEWER.name, records={"channels": "basic", "paid until": "20260331", "household": "7001"}),),
)  # fmt: skip
EVENING = Journey(
    name="evening", title_en="An evening of television", title_zh="一晚的电视", date=dt.date(2026, 3, 9), cards=(MAIN,),
    steps=(
        Admit("main", "box", "watch", facts={"channel": "basic"}, at="19:30"),
        Admit("main", "box", "watch", facts={"channel": "film"}, refused="NOT_SUBSCRIBED"),
        Write("main", "head-end", {"channels": "basic,film"}),
        Admit("main", "box", "watch", facts={"channel": "film"}),
        Admit("main", "box", "watch", facts={"channel": "film"}, at="+30 19:00", refused="EXPIRED"),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="broadcasting",
    title_en="Broadcasting",
    title_zh="广播电视",
    about_en="Pay channels and titles on demand by card: entitlements and control words.",
    about_zh="有线电视条件接收：授权、控制字、付费频道、点播、主副卡、欠费停复。",
    authority="Cable operators 有线电视网络公司",
    standards=("ETSI TS 103 127", "GY/Z 175"),
    archetypes=(Archetype.RECORD,),
    profiles=(VIEWER,),
    records={VIEWER.name: RECORDS},
    devices=(
        Device("box", "the set-top box", "机顶盒", DeviceKind.CHECK, application=VIEWER.name),
        Device("head-end", "the head-end", "前端", DeviceKind.CHECK, application=VIEWER.name),
    ),
    entitlements=(WATCH,),
    reports=(
        Report(name="watched", title_en="Watched", title_zh="收看次数", counts=Counted.ADMITTED, by="entitlement"),
        Report(name="refused", title_en="Refused", title_zh="拒绝", counts=Counted.REFUSED, by="reason"),
    ),
    journeys=(EVENING,),
    no_worked_case="fees of cable operators are local and no arrears rule with a computed result was found",
)  # fmt: skip
