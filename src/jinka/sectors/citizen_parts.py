"""The citizen card's parts: what lies on it, and how each authority blocks and replaces its own (人社部发〔2011〕83号).

The applications are those of their own sectors, taken by name.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    AccountHolds,
    Admit,
    Block,
    Clear,
    Holds,
    Issue,
    Journey,
    JourneyCard,
    List,
    Load,
    OpenAccount,
    PayOnline,
    Reads,
    Replace,
    ReportLost,
    Stands,
    Start,
    Tap,
    Tell,
    Write,
)
from jinka.profile.applications import purse_application
from jinka.tariff import TapKind

PURSE = purse_application(
    name="cn.citizen.services", aid=b"JINKA.CITIZEN.1", fid=0x3F50, title_en="Purse for services",
    title_zh="市民服务钱包", authority="The citizen card centre 市民卡中心", standards=("JR/T 0025.2",), limit=100_000,
)  # fmt: skip
TRANSIT, ACCOUNT = "cn.beijing.transit", "cn.medical.account"
HEALTH, SOCIAL = "cn.health.card", "cn.social-security"
TICKET, IDENTITY = "cn.tour.ticket", "jinka.identity"
METER, FUEL, DEBIT = "cn.utility.meter", "cn.fuel", "cn.bank.debit"
_PERSON = {"social security number": "440398199005120023", "name": "林月", "card number": "A00000815",
           "card id": "440300D15600000599110145FFFFFFFF"}  # fmt: skip
_PATIENT = {"name": "林月", "scheme": "employee", "insured until": "20261231", "registered": "-",
            "prescribed until": "20260101", "prescriptions": "0"}  # fmt: skip
LIN = JourneyCard(
    "lin", "Lin Yue's citizen card", "林月的市民卡",
    (
        Start(application=PURSE.name, balance=20_000),
        Start(application=TRANSIT, balance=5_000),
        Start(application=ACCOUNT, balance=30_000),
        Start(application=HEALTH, pin="271828", records=_PATIENT),
        Start(application=SOCIAL, pin="161803", records=_PERSON),
    ),
)  # fmt: skip
PARTS = Journey(
    name="parts", title_en="Each part blocked and replaced on its own", title_zh="分应用锁定与补换",
    date=dt.date(2026, 3, 9), cards=(LIN,),
    steps=(
        Issue("lin", maker="maker.unlicensed", refused="NOT_GRANTED", at="09:00"),
        Issue("lin", made={"chip_version": "B7"}, fee=2_500, refused="FEE, OTHER_SCOPE"),
        Issue("lin", fee=2_000, paid_to="card-centre"), Stands("card-centre", 2_000),
        Tap("lin", "canteen", 1_800, gross=1_800, at="12:00"),
        Block("lin", HEALTH),
        Admit("lin", "medical:ward", "settle", facts={"scheme": "employee"}, refused="6A81"),
        Tap("lin", "transit-beijing:rail", 0, kind=TapKind.ENTRY, stop=1),
        Tap("lin", "transit-beijing:rail", 300, kind=TapKind.EXIT, stop=2, at="12:30"),
        Block("lin", TRANSIT),
        Tap("lin", "transit-beijing:bus", kind=TapKind.ENTRY, stop=1, refused="REFUSED"),
        Block("lin", HEALTH, blocked=False), Block("lin", TRANSIT, blocked=False),
        Admit("lin", "medical:ward", "settle", facts={"scheme": "employee"}),
        Write("lin", "medical:registration", {"registered": "cardiology"}),
        Reads("lin", "social-security:desk", {"card number": "A00000815"}, refused=("name",)),
        Reads("lin", "social-security:desk", {"name": "林月"}, pin="161803"),
        Replace("lin", "lin-2", refused="NOT_LISTED"),
        Tell("The card is lost; the centre lists it.", "卡片遗失，市民卡中心挂失。"),
        List("lin", at="18:00"),
        Tap("lin", "canteen", gross=900, refused="BLOCKED"),
        Load("lin", "centre", 5_000, refused="BLOCKED"),
        Write("lin", "medical:registration", {"registered": "oncology"}, refused="BLOCKED"),
        Replace("lin", "lin-2", applications=(HEALTH, SOCIAL)),
        Admit("lin-2", "medical:clinic", "see-doctor"),
        Reads("lin-2", "social-security:desk", {"name": "林月"}, pin="161803"),
        Replace("lin", "lin-2", applications=(PURSE.name, TRANSIT, ACCOUNT), refused="CLAIM_PERIOD"),
        Replace("lin", "lin-2", applications=(PURSE.name,), refused="NOT_CLEARED", at="+8 09:00"),
        Clear({"citizen.canteen": 1_800, "bj.rail": 300}),
        Replace("lin", "lin-2", applications=(PURSE.name, TRANSIT, ACCOUNT)),
        Holds("lin-2", 18_200, application=PURSE.name), Holds("lin-2", 4_700, application=TRANSIT),
        Load("lin-2", "centre", 5_000),
        Tap("lin-2", "canteen", 1_800, gross=1_800),
        Holds("lin-2", 30_000, application=ACCOUNT),
        Clear({"citizen.canteen": 1_800}, {"loads.citizen": 5_000}),
    ),
)  # fmt: skip
_BANK_CARD = JourneyCard(
    "lin", "Lin Yue's citizen card", "林月的市民卡",
    (
        Start(application=HEALTH, pin="271828", records=_PATIENT),
        Start(application=SOCIAL, pin="161803", records=_PERSON),
        Start(application=DEBIT, pin="112358"),
    ),
)  # fmt: skip
_SETTLES = {"scheme": "employee"}
BANK = Journey(
    name="bank-part", title_en="The bank's part is the bank's own", title_zh="银行应用由银行负责",
    date=dt.date(2026, 3, 11), cards=(_BANK_CARD,),
    steps=(
        OpenAccount("wages", 100_000, pin="112358", card="lin", application=DEBIT, at="09:00"),
        PayOnline("wages", "shop", 20_000, pin="112358"),
        Block("lin", DEBIT),
        Admit("lin", "medical:ward", "settle", facts=_SETTLES),
        Reads("lin", "social-security:desk", {"name": "林月"}, pin="161803"),
        Block("lin", DEBIT, blocked=False), Block("lin", SOCIAL),
        PayOnline("wages", "shop", 5_000, pin="112358"),
        Tell("The card is lost: each authority stops its own part.", "卡片遗失：各发行方各自挂失。"),
        ReportLost("wages"),
        PayOnline("wages", "shop", 5_000, pin="112358", refused="41"),
        List("lin"),
        Admit("lin", "medical:ward", "settle", facts=_SETTLES, refused="BLOCKED"),
        Replace("lin", "lin-2", applications=(DEBIT,)), Replace("lin", "lin-2", applications=(HEALTH,)),
        Admit("lin-2", "medical:ward", "settle", facts=_SETTLES),
        AccountHolds("wages", 75_000),
        Stands("shop", 25_000),
    ),
)  # fmt: skip
