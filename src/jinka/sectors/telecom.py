"""Telecom: a USIM that the network authenticates, a public-phone card, small payments on the phone's account.

The purse of the public-phone card is JR/T 0025.2's: the chips of the old phone cards were memory cards with counters
of their own, of which no layout could be read.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Archetype,
    Assess,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Holds,
    Journey,
    JourneyCard,
    Load,
    Party,
    Report,
    Sector,
    Start,
    Tap,
    WorkedCase,
)
from jinka.profile.applications import purse_application
from jinka.tariff import full_price
from jinka.tariff.sheet import Begun, Choose, Line, Sheet, Times

PHONE = purse_application(
    name="cn.telecom.phone", aid=b"JINKA.PHONE.1", fid=0x3F61, title_en="Public-phone card", title_zh="公用电话卡",
    authority="Telecom operators 电信运营商", standards=("JR/T 0025.2",), limit=100_000,
)  # fmt: skip
CALL = Sheet(
    name="long-distance",
    title_en="A long-distance call from a public phone",
    title_zh="公用电话国内长途",
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
_SOURCE = "信部联清〔2000〕1255号"
_AT = "17951ip.com.cn/2068.html"
CASES = (
    WorkedCase(title_en="Six seconds at home: 0.07 yuan", title_zh="国内长途每6秒0.07元", sheet="long-distance",
               facts={"seconds": 6, "tariff": "day"}, gives={"price": 7}, source=_SOURCE + ": printed", address=_AT),
    WorkedCase(title_en="Six seconds at night: 0.04 yuan", title_zh="夜间每6秒0.04元", sheet="long-distance",
               facts={"seconds": 6, "tariff": "night"}, gives={"price": 4}, source=_SOURCE + ": printed", address=_AT),
    WorkedCase(title_en="61 seconds: 0.77 yuan", title_zh="61秒0.77元", sheet="long-distance",
               facts={"seconds": 61, "tariff": "day"}, gives={"price": 77},
               source=_SOURCE + ": 0.07 yuan for each 6 s begun; one step of arithmetic on it", address=_AT),
)  # fmt: skip

CARD = JourneyCard("card", "the phone card", "电话卡", (Start(application=PHONE.name, balance=100),))
CALLS = Journey(
    name="public-phone", title_en="At a public phone", title_zh="公用电话", date=dt.date(2026, 3, 9), cards=(CARD,),
    steps=(
        Assess("long-distance", {"seconds": 61, "tariff": "day"}, {"price": 77}, at="10:00"),
        Tap("card", "phone", 77, gross=77),
        Tap("card", "phone", gross=77, refused="NEEDS_LOAD"),
        Load("card", "shop", 2_000),
        Tap("card", "phone", 77, gross=77),
        Holds("card", 1_946),
        Clear({"telecom.phones": 154}, at="23:50"),
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
    archetypes=(Archetype.PURSE,),
    profiles=(PHONE,),
    parties=(Party("telecom.phones", "Public phones", "公用电话"),),
    devices=(
        Device("phone", "the public phone", "公用电话机", DeviceKind.PURSE, operator="telecom.phones"),
        Device("shop", "the operator's shop", "营业厅", DeviceKind.LOAD),
    ),
    tariffs={PHONE.name: full_price("phone-call", title_en="Call", title_zh="通话", gross_max_fen=50_000)},
    sheets=(CALL,),
    worked_cases=CASES,
    reports=(
        Report(name="calls", title_en="Paid calls", title_zh="公用电话话费", counts=Counted.PAID, by="operator"),
        Report(name="refused", title_en="Refused", title_zh="拒绝", counts=Counted.REFUSED, by="reason"),
    ),
    journeys=(CALLS,),
)  # fmt: skip
