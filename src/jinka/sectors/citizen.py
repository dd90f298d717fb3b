"""Citizen card: social security, transit, health, tickets, a certificate and a purse for services on one card.

Issued jointly: each authority has a security domain of its own on the card, blocks and replaces its own part, and
reads nothing of the others'. The applications are those of their own sectors, taken by name. No rule that publishes a
result of the whole card was found (人社部发〔2011〕83号 says of the bank part that it is the bank's own).
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Account,
    AccountHolds,
    Admit,
    Agree,
    Archetype,
    Ask,
    Assess,
    Block,
    Certify,
    Clear,
    Commodity,
    Counted,
    Device,
    DeviceKind,
    Fill,
    Holds,
    InsertCard,
    Issue,
    Journey,
    JourneyCard,
    Keep,
    List,
    Load,
    Lock,
    Meter,
    MeterKind,
    MeterShows,
    OpenAccount,
    Party,
    PayOnline,
    Reads,
    Replace,
    Report,
    ReportLost,
    Sector,
    Sign,
    Stands,
    Start,
    Tap,
    Tell,
    Unlock,
    Verify,
    Viewed,
    Write,
)
from jinka.profile.applications import purse_application
from jinka.tariff import TapKind, full_price

PURSE = purse_application(
    name="cn.citizen.services", aid=b"JINKA.CITIZEN.1", fid=0x3F50, title_en="Purse for services",
    title_zh="市民服务钱包", authority="The citizen card centre 市民卡中心", standards=("JR/T 0025.2",), limit=100_000,
)  # fmt: skip
_TRANSIT, _ACCOUNT = "cn.beijing.transit", "cn.medical.account"
_HEALTH, _SOCIAL = "cn.health.card", "cn.social-security"
_TICKET, _IDENTITY = "cn.tour.ticket", "jinka.identity"
_METER, _FUEL, _BANK = "cn.utility.meter", "cn.fuel", "cn.bank.debit"
_OTHERS = "NOT_ITS_OWN"  # the record is another authority's
_PERSON = {"social security number": "440398199005120023", "name": "林月", "card number": "A00000815",
           "card id": "440300D15600000599110145FFFFFFFF"}  # fmt: skip
_PATIENT = {"name": "林月", "scheme": "employee", "insured until": "20261231", "registered": "-",
            "prescribed until": "20260101", "prescriptions": "0"}  # fmt: skip
LIN = JourneyCard(
    "lin", "Lin Yue's citizen card", "林月的市民卡",
    (
        Start(application=PURSE.name, balance=20_000),
        Start(application=_TRANSIT, balance=5_000),
        Start(application=_ACCOUNT, balance=30_000),
        Start(application=_HEALTH, pin="271828", records=_PATIENT),
        Start(application=_SOCIAL, pin="161803", records=_PERSON),
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
        Block("lin", _HEALTH),
        Admit("lin", "medical:ward", "settle", facts={"scheme": "employee"}, refused="6A81"),
        Tap("lin", "transit-beijing:rail", 0, kind=TapKind.ENTRY, stop=1),
        Tap("lin", "transit-beijing:rail", 300, kind=TapKind.EXIT, stop=2, at="12:30"),
        Block("lin", _TRANSIT),
        Tap("lin", "transit-beijing:bus", kind=TapKind.ENTRY, stop=1, refused="REFUSED"),
        Block("lin", _HEALTH, blocked=False), Block("lin", _TRANSIT, blocked=False),
        Admit("lin", "medical:ward", "settle", facts={"scheme": "employee"}),
        Write("lin", "medical:registration", {"registered": "cardiology"}),
        Reads("lin", "social-security:desk", {"card number": "A00000815"}, refused=("name",)),
        Reads("lin", "social-security:desk", {"name": "林月"}, pin="161803"),
        Replace("lin", "lin-2", refused="NOT_LISTED"),
        Tell("The card is lost; the centre lists it.", "卡片遗失，市民卡中心挂失。"),
        List("lin", at="18:00"),
        Tap("lin", "canteen", gross=900, refused="BLOCKED"),
        Replace("lin", "lin-2", applications=(_HEALTH, _SOCIAL)),
        Admit("lin-2", "medical:clinic", "see-doctor", facts={"clinic": "cardiology"}),
        Reads("lin-2", "social-security:desk", {"name": "林月"}, pin="161803"),
        Replace("lin", "lin-2", applications=(PURSE.name, _TRANSIT, _ACCOUNT), refused="CLAIM_PERIOD"),
        Replace("lin", "lin-2", applications=(PURSE.name,), refused="NOT_CLEARED", at="+8 09:00"),
        Clear({"citizen.canteen": 1_800, "bj.rail": 300}),
        Replace("lin", "lin-2", applications=(PURSE.name, _TRANSIT, _ACCOUNT)),
        Holds("lin-2", 18_200, application=PURSE.name), Holds("lin-2", 4_700, application=_TRANSIT),
        Load("lin-2", "centre", 5_000),
        Tap("lin-2", "canteen", 1_800, gross=1_800),
        Holds("lin-2", 30_000, application=_ACCOUNT),
        Clear({"citizen.canteen": 1_800}, {"loads.citizen": 5_000}),
    ),
)  # fmt: skip
_DAY_CARD = JourneyCard(
    "lin", "Lin Yue's citizen card", "林月的市民卡",
    (
        *LIN.starts,
        Start(application=_TICKET, records={"sight": "museum", "visit day": "20260310", "entries left": "1",
                                            "identity tail": "0023", "price": "0"}),
        Start(application=_IDENTITY, pin="141421"), Start(application=_BANK, pin="112358"),
        Start(application=_FUEL, balance=40_000),
        Start(application=_METER, records=dict.fromkeys(
            ("order number", "order amount", "order meter", "credited order", "reading", "left", "owed"), "0")),
    ),
)  # fmt: skip
_MUSEUM = {"sight": "museum", "identity tail": "0023"}
DAY = Journey(
    name="day", title_en="A citizen's day", title_zh="市民的一天", date=dt.date(2026, 3, 10), cards=(_DAY_CARD,),
    steps=(
        Keep("lin", "person", "public-security", {"identity_number": "440398199005120023", "name": "林月",
                                                  "birth_date": "1990-05-12"}, at="07:00"),
        Tap("lin", "transit-beijing:rail", 0, kind=TapKind.ENTRY, stop=1, at="07:30"),
        Tap("lin", "transit-beijing:rail", 500, kind=TapKind.EXIT, stop=3, at="08:10"),
        Tap("lin", "canteen", 2_200, gross=2_200, at="12:00"),
        Write("lin", "medical:registration", {"registered": "cardiology"}, at="13:30"),
        Admit("lin", "medical:clinic", "see-doctor", facts={"clinic": "cardiology"}),
        Holds("lin", 30_000, application=_ACCOUNT, remembers="account"),
        Assess("medical:outpatient", {"class A": 200_000, "class B": 20_000, "class C": 1_000, "place": "hospital",
                                      "used": 0, "spent": 0, "account": "=account"},
               {"fund": 26_600, "own": 194_400, "from account": 30_000, "cash": 164_400},
               remembers={"from account": "from account"}),
        Tap("lin", "medical:hospital-till", "=from account", gross="=from account"),
        Stands("hospital", 26_600 + 164_400),
        Assess("utilities:gas-month", {"litres": 20_000, "before": 0}, {"price": 5_260},
               remembers={"gas": "litres"}, at="14:30"),
        Write("lin", "utilities:counter", {"order number": "1", "order amount": "=gas", "order meter": "5001"}),
        Lock("lin", "fuel:pump-92"),
        Fill("lin", "fuel:pump-92", 21_000),
        Unlock("lin", "fuel:pump-92", 21_000),
        Admit("lin", "tourism:palace-gate", "enter", facts=_MUSEUM, at="15:00"),
        Admit("lin", "tourism:palace-gate", "enter", facts=_MUSEUM, refused="ALREADY_USED"),
        Certify("lin", "certificate-desk", "林月", pin="141421", organisation="深圳示例有限公司",
                code="91350100M000100Y43", post="legal representative", at="16:00"),
        Sign("lin", "application form", "变更登记申请", pin="141421"),
        Verify("application form", "certificate-desk", needs={"legal representative": 1}),
        Ask("lin", "medical-insurance", "benefit-check", {"name": "林月"}, at="17:00"),
        Ask("lin", "housing-fund", "benefit-check", fields=("name",), refused="NO_GROUND"),
        Agree("lin", "bank", "loan-review", ("name",), as_="loan"),
        Ask("lin", "bank", "loan-review", {"name": "林月"}),
        Ask("lin", "bank", "loan-review", fields=("birth_date",), refused="NO_GROUND"),
        Viewed("lin", (("medical-insurance", "benefit-check", True), ("housing-fund", "benefit-check", False),
                       ("bank", "loan-review", True), ("bank", "loan-review", False))),
        Reads("lin", "social-security:desk", {"card number": "A00000815"}, refused=("name",)),
        Reads("lin", "medical:registration", {"scheme": "employee"}, refused=("name",)),
        Reads("lin", "medical:registration", application=_SOCIAL, refused=("card number",), reason=_OTHERS),
        Reads("lin", "social-security:desk", application=_HEALTH, refused=("scheme",), reason=_OTHERS),
        Reads("lin", "canteen", application=_HEALTH, refused=("scheme",), pin="271828", reason=_OTHERS),
        Reads("lin", "medical:account-desk", application=_TICKET, refused=("visit day",), reason=_OTHERS),
        Write("lin", "tourism:palace-gate", {"registered": "-"}, application=_HEALTH, refused=_OTHERS),
        Admit("lin", "medical:account-desk", "see-doctor", facts={"clinic": "cardiology"}, refused=_OTHERS),
        InsertCard("lin", "gas", 20_000, at="18:30"),
        InsertCard("lin", "gas", 0),
        MeterShows("gas", 20_000, 0),
        Stands("gas-works", 5_260),
        OpenAccount("wages", 100_000, pin="112358", card="lin", application=_BANK, at="19:00"),
        PayOnline("wages", "shop", 12_600, pin="112358"),
        AccountHolds("wages", 87_400),
        Clear({"bj.rail": 500, "citizen.canteen": 2_200, "medical.hospital": 30_000, "fuel.south": 21_000},
              at="23:50"),
        Holds("lin", 17_800, application=PURSE.name), Holds("lin", 0, application=_ACCOUNT),
        Stands("shop", 12_600),
    ),
)  # fmt: skip
_BANK_CARD = JourneyCard(
    "lin", "Lin Yue's citizen card", "林月的市民卡",
    (
        Start(application=_HEALTH, pin="271828", records=_PATIENT),
        Start(application=_SOCIAL, pin="161803", records=_PERSON),
        Start(application=_BANK, pin="112358"),
    ),
)  # fmt: skip
_SETTLES = {"scheme": "employee"}
BANK = Journey(
    name="bank-part", title_en="The bank's part is the bank's own", title_zh="银行应用由银行负责",
    date=dt.date(2026, 3, 11), cards=(_BANK_CARD,),
    steps=(
        OpenAccount("wages", 100_000, pin="112358", card="lin", application=_BANK, at="09:00"),
        PayOnline("wages", "shop", 20_000, pin="112358"),
        Block("lin", _BANK),
        Admit("lin", "medical:ward", "settle", facts=_SETTLES),
        Reads("lin", "social-security:desk", {"name": "林月"}, pin="161803"),
        Block("lin", _BANK, blocked=False), Block("lin", _SOCIAL),
        PayOnline("wages", "shop", 5_000, pin="112358"),
        Tell("The card is lost: each authority stops its own part.", "卡片遗失：各发行方各自挂失。"),
        ReportLost("wages"),
        PayOnline("wages", "shop", 5_000, pin="112358", refused="41"),
        List("lin"),
        Admit("lin", "medical:ward", "settle", facts=_SETTLES, refused="BLOCKED"),
        Replace("lin", "lin-2", applications=(_BANK,)), Replace("lin", "lin-2", applications=(_HEALTH,)),
        Admit("lin-2", "medical:ward", "settle", facts=_SETTLES),
        AccountHolds("wages", 75_000),
        Stands("shop", 25_000),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="citizen", title_en="Citizen card", title_zh="市民卡",
    about_en="Social security, transit, health, services and a certificate on one card, issued jointly.",
    about_zh="社保、公交、健康、市民服务与数字证书一卡承载，联合发行。",
    authority=PURSE.authority, standards=("JR/T 0025.2", "人社部发〔2011〕83号"),
    archetypes=(Archetype.PURSE, Archetype.RECORD), profiles=(PURSE,),
    composes=(_TRANSIT, _ACCOUNT, _HEALTH, _SOCIAL, _TICKET, _IDENTITY, _METER, _FUEL, _BANK),
    parties=(Party("citizen.canteen", "Canteen of the service hall", "政务服务大厅餐厅"),),
    devices=(
        Device("centre", "the citizen card centre", "市民卡服务网点", DeviceKind.LOAD),
        Device("canteen", "the canteen", "餐厅", DeviceKind.PURSE, operator="citizen.canteen"),
        Device("certificate-desk", "the enterprise hall", "企业服务窗口", DeviceKind.CHECK, application=_IDENTITY),
    ),
    meters=(
        Meter(name="gas", title_en="the gas meter at home", title_zh="家中燃气表", kind=MeterKind.CARD,
              commodity=Commodity.GAS, number=5001, application=_METER),
    ),
    accounts=(Account("shop", "A shop", "商店"), Account("card-centre", "Citizen card centre", "市民卡中心")),
    tariffs={PURSE.name: full_price("citizen-sale", title_en="Sale", title_zh="消费", gross_max_fen=50_000)},
    reports=(
        Report(name="paid", title_en="Paid by application", title_zh="各应用消费", counts=Counted.PAID,
               by="application"),
        Report(name="used", title_en="Rights used", title_zh="权益使用", counts=Counted.ADMITTED, by="entitlement"),
        Report(name="refused", title_en="Refusals", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason"),
        Report(name="looks", title_en="Looks at base records", title_zh="信息查询", counts=Counted.LOOKED,
               by="department"),
    ),
    journeys=(PARTS, DAY, BANK),
    words={"lin": "林月", "legal representative": "法定代表人", "application form": "申请表",
           "wages": "工资账户", "cardiology": "心内科", "employee": "职工医保", "museum": "博物馆"},
    no_worked_case="no rule of citizen cards publishes a computed result; the composed applications bring theirs "
    "市民卡未见公布算例；各合用应用另有其算例",
)  # fmt: skip
