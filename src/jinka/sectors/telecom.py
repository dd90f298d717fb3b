"""Telecom: a USIM that the network authenticates, a public-phone card, small payments on the phone's account.

The purse of the public-phone card counts units, not fen, and is JR/T 0025.2's: the chips of the old phone cards were
memory cards with counters of their own, of which no layout could be read.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Account,
    Archetype,
    Assess,
    Attach,
    Bill,
    Charge,
    Clear,
    Counted,
    Device,
    DeviceKind,
    EndSubscription,
    Holds,
    Journey,
    JourneyCard,
    Load,
    Party,
    PayBill,
    PayBySheet,
    Plan,
    Report,
    Sector,
    Serve,
    Stands,
    Start,
    Subscribe,
    Tell,
    WorkedCase,
)
from jinka.kit import Unit
from jinka.profile.applications import purse_application
from jinka.sectors.usim import PROFILE as USIM
from jinka.tariff import full_price
from jinka.tariff.sheet import Begun, Choose, Line, Sheet, Times

PHONE = purse_application(
    name="cn.telecom.phone", aid=b"JINKA.PHONE.1", fid=0x3F61, title_en="Public-phone card", title_zh="公用电话卡",
    authority="Telecom operators 电信运营商", standards=("JR/T 0025.2",), limit=1_000, unit=Unit.POINT,
)  # fmt: skip
CALL = Sheet(
    name="long-distance",
    title_en="A long-distance call from a public phone",
    title_zh="公用电话长途",
    source="信息产业部、国家计委、财政部 信部联清〔2000〕1255号（历史资费，2014年后放开）",
    facts=("seconds", "tariff"),
    lines=(
        Line(code="price", title_en="To pay", title_zh="话费",
             value=Times(Begun("seconds", 6), Choose("tariff", (("day", 7), ("night", 4), ("hong-kong", 20),
                                                               ("abroad", 80))))),
    ),
    result="price",
    rising=("seconds",),
)  # fmt: skip
UNITS = Sheet(
    name="phone-units", title_en="Units of a call", title_zh="通话次数单位", facts=CALL.facts,
    source=f"{CALL.source}; a unit of 0.10 yuan, Jinka's own figure",
    lines=(*CALL.lines, Line(code="units", title_en="Units, each of 0.10 yuan begun", title_zh="单位（每0.10元）",
                             unit=Unit.POINT, value=Begun("price", 10))),
    result="units", rising=("seconds",),
)  # fmt: skip
_SOURCE = "信部联清〔2000〕1255号"
CASES = (
    WorkedCase(title_en="Six seconds at home: 0.07 yuan", title_zh="国内长途每6秒0.07元", sheet="long-distance",
               facts={"seconds": 6, "tariff": "day"}, gives={"price": 7}, source=_SOURCE + ": printed"),
    WorkedCase(title_en="Six seconds at night: 0.04 yuan", title_zh="夜间每6秒0.04元", sheet="long-distance",
               facts={"seconds": 6, "tariff": "night"}, gives={"price": 4}, source=_SOURCE + ": printed"),
    WorkedCase(title_en="61 seconds: 0.77 yuan", title_zh="61秒0.77元", sheet="long-distance",
               facts={"seconds": 61, "tariff": "day"}, gives={"price": 77},
               source=_SOURCE + ": 0.07 yuan for each 6 s begun; one step of arithmetic on it", derived=True),
)  # fmt: skip

CARD = JourneyCard("card", "the phone card", "电话卡", (Start(application=PHONE.name, balance=10),))
CALLS = Journey(
    name="public-phone", title_en="At a public phone in 2012", title_zh="公用电话（2012年）",
    date=dt.date(2012, 3, 12), cards=(CARD,),
    steps=(
        Assess("phone-units", {"seconds": 61, "tariff": "day"}, {"price": 77, "units": 8}, at="09:59"),
        PayBySheet("card", "phone", "phone-units", {"seconds": 61, "tariff": "day"}, 8, at="10:00"),
        PayBySheet("card", "phone", "phone-units", {"seconds": 61, "tariff": "day"}, refused="NEEDS_LOAD"),
        Load("card", "shop", 200),
        PayBySheet("card", "phone", "phone-units", {"seconds": 60, "tariff": "hong-kong"}, 20),
        PayBySheet("card", "phone", "phone-units", {"seconds": 61, "tariff": "night"}, 5, at="23:30"),
        Holds("card", 177),
        Clear({"telecom.phones": 33}, {"loads.telecom": 200}, at="23:50"),
    ),
)  # fmt: skip
_SIM = USIM.name
SIM = Journey(
    name="sim", title_en="A phone and its network", title_zh="手机入网鉴权", date=dt.date(2026, 3, 9),
    steps=(
        Attach("Mr Zhang", _SIM, at="08:00"),
        Attach("Mr Zhang", _SIM),
        Attach("Mr Zhang", _SIM, false_network=True, refused="NETWORK_FALSE"),
        Tell("The home network loses its numbers and goes on with an old copy.", "归属网络丢失序列号，由旧备份恢复。"),
        Attach("Mr Zhang", _SIM, restored=True, resynchronises=True),
        Attach("Mr Zhang", _SIM),
        Attach("Ms Li", _SIM, pin="4321"),
    ),
)  # fmt: skip
PLAN = Plan(
    code="mobile", title_en="Mobile, 39 yuan a month", title_zh="手机套餐39元/月", price_fen=3_900,
    services=("calls", "data"), payee="operator", months=1, due_days=10, grace_days=5, each_fen=3_000, day_fen=5_000,
    month_fen=10_000,
)  # fmt: skip
SMALL = Journey(
    name="phone-bill", title_en="Small payments on the phone's bill", title_zh="话费小额支付", date=dt.date(2026, 3, 1),
    steps=(
        Subscribe("Mr Zhang", "mobile", at="09:00"),
        Serve("Mr Zhang", "calls", state="active"),
        Serve("Mr Zhang", "television", refused="NOT_IN_PLAN"),
        Bill("Mr Zhang", 3_900),
        Bill("Mr Zhang", 3_900, refused="NOT_YET"),
        PayBill("Mr Zhang", "subscriber", 3_900),
        PayBill("Mr Zhang", "subscriber", 3_900, refused="NOTHING_OWED"),
        Charge("Mr Zhang", "music", 3_000, at="+1 10:00"),
        Charge("Mr Zhang", "music", 3_001, refused="OVER_EACH"),
        Charge("Mr Zhang", "music", 2_000),
        Charge("Mr Zhang", "music", 1, refused="OVER_DAY"),
        Charge("Mr Zhang", "games", 3_000, at="+2 10:00"),
        Charge("Mr Zhang", "games", 2_001, refused="OVER_DAY"),
        Charge("Mr Zhang", "games", 2_000),
        Charge("Mr Zhang", "games", 100, at="+3 10:00", refused="OVER_MONTH"),
        Bill("Mr Zhang", 13_900, at="+31 00:10"),
        Charge("Mr Zhang", "games", 100),
        Serve("Mr Zhang", "calls", at="+41 09:00", state="active"),
        Serve("Mr Zhang", "calls", at="+42 09:00", state="in arrears"),
        Charge("Mr Zhang", "games", 100, refused="NOT_OPEN"),
        Serve("Mr Zhang", "calls", at="+47 09:00", state="suspended", refused="NOT_OPEN"),
        PayBill("Mr Zhang", "empty", 13_900, refused="NO_MONEY"),
        PayBill("Mr Zhang", "subscriber", 13_900),
        Serve("Mr Zhang", "calls", state="active"),
        Bill("Mr Zhang", 4_000, at="+61 00:10"),
        PayBill("Mr Zhang", "subscriber", 4_000),
        EndSubscription("Mr Zhang"),
        Serve("Mr Zhang", "calls", state="ended", refused="ENDED"),
        Bill("Mr Zhang", 3_900, at="+92 00:10", refused="ENDED"),
        Stands("music", 5_000),
        Stands("games", 5_100),
        Stands("operator", 111_700),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="telecom",
    title_en="Telecom",
    title_zh="电信",
    about_en="SIM authentication, public-phone cards, small payments on the phone's account.",
    about_zh="用户卡鉴权、公用电话卡、话费小额支付。",
    authority="Telecom operators 电信运营商",
    standards=("3GPP TS 33.102", "3GPP TS 35.206", "JR/T 0025.2"),
    archetypes=(Archetype.PURSE, Archetype.SUBSCRIPTION),
    profiles=(PHONE, USIM),
    accounts=(
        Account("subscriber", "The subscriber's bank account", "用户银行账户", overdraws=True),
        Account("empty", "An account without money", "无余额的账户"),
        Account("operator", "The operator", "运营商", opening=100_000),
        Account("music", "A music shop", "音乐商户"),
        Account("games", "A maker of games", "游戏商户"),
    ),
    plans=(PLAN,),
    parties=(Party("telecom.phones", "Public phones", "公用电话"),),
    devices=(
        Device("phone", "the public phone", "公用电话机", DeviceKind.PURSE, operator="telecom.phones"),
        Device("shop", "the operator's shop", "营业厅", DeviceKind.LOAD),
    ),
    tariffs={PHONE.name: full_price("phone-call", title_en="Call", title_zh="通话", gross_max_fen=500)},
    sheets=(CALL, UNITS),
    worked_cases=CASES,
    reports=(
        Report(name="calls", title_en="Paid calls", title_zh="公用电话话费", counts=Counted.PAID, by="operator",
               unit=Unit.POINT),
        Report(name="bills", title_en="Billed by plan", title_zh="各套餐出账", counts=Counted.BILLED, by="product"),
        Report(name="paid", title_en="Paid to", title_zh="各收款方", counts=Counted.MOVED, by="account"),
        Report(name="refused", title_en="Refused", title_zh="拒绝", counts=Counted.REFUSED, by="reason"),
    ),
    journeys=(CALLS, SIM, SMALL),
    words={"Mr Zhang": "张先生", "Ms Li": "李女士", "calls": "通话", "data": "流量", "television": "电视",
           "music": "音乐商户", "games": "游戏商户"},
)  # fmt: skip
