"""Broadcasting: conditional access by card, pay channels, titles on demand, a household's cards, arrears.

Operators' conditional access systems are secret, so entitlement messages and the card's part are simulated: Jinka's
own, on a native card. Scrambling is the public DVB-CISSA. Prices are examples but for the 18 yuan commonly quoted for
Beijing's basic channels.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec import Algorithm
from jinka.codec.fields import Coding
from jinka.declaration import (
    Account,
    Archetype,
    Bill,
    BuyTitle,
    Channel,
    Counted,
    Device,
    DeviceKind,
    Entitle,
    Journey,
    JourneyCard,
    Pair,
    PayBill,
    Plan,
    Reads,
    Report,
    Sector,
    Serve,
    Stands,
    Start,
    Subscribe,
    Tell,
    Watch,
)
from jinka.profile.applications import record, record_application
from jinka.profile.spec import KeySpec, KeyUse

_PAIRED = 0x11
FACTORY = bytes.fromhex(
    "5061697220616674657220666163746F"
)  # until the installer puts the receiver's key in its place
RECORDS = (
    record(1, "channels", Coding.TEXT, 32, "basic,film", "Channels", "授权频道"),
    record(2, "paid until", Coding.DATE, 4, "20260331", "Entitled until", "授权至"),
    record(3, "household", Coding.NUMBER, 4, "7001", "Household", "户号"),
)
KEYS = (
    KeySpec(use=KeyUse.EXTERNAL_AUTHENTICATE, kid=1, version=1, algorithm=Algorithm.TDES, tries=3, state_after=1,
            change_right=_PAIRED, initial=FACTORY),
    *(KeySpec(use=KeyUse.DECRYPT, kid=slot, version=1, algorithm=Algorithm.SM4, use_right=_PAIRED, change_right=_PAIRED)
      for slot in (1, 2, 3)),
)  # fmt: skip
VIEWER = record_application(
    name="cn.tv.access", aid=b"JINKA.TV.1", fid=0x3F71, title_en="Conditional access", title_zh="有线电视条件接收",
    authority="Cable operators 有线电视网络公司", standards=("GY/Z 175",), records=RECORDS, extra_keys=KEYS,
)  # fmt: skip


def _card(name: str, title_en: str, title_zh: str) -> JourneyCard:
    empty = {"channels": "none", "paid until": "20000101", "household": "7001"}
    return JourneyCard(name, title_en, title_zh, (Start(application=VIEWER.name, records=empty),))


CARDS = (_card("main", "the main card", "主卡"), _card("second", "the secondary card", "副卡"))
CHANNELS = (
    Channel(code="basic", title_en="basic channels", title_zh="基本频道", slot=1),
    Channel(code="film", title_en="the film channel", title_zh="付费电影频道", slot=2),
    Channel(code="film-31", title_en="film 31 on demand", title_zh="影片31", slot=3, on_demand=True),
    Channel(code="film-32", title_en="film 32 on demand", title_zh="影片32", slot=3, on_demand=True),
)
PLANS = (
    Plan(code="home", title_en="Basic channels, main card", title_zh="基本收视（主卡）", price_fen=1_800,
         services=("basic",), each_fen=1_000, day_fen=2_000, month_fen=5_000, months=1, due_days=10, grace_days=5,
         payee="operator"),
    Plan(code="films", title_en="Basic and film channels, main card", title_zh="基本加电影（主卡）", price_fen=3_800,
         services=("basic", "film"), each_fen=1_000, day_fen=1_500, month_fen=5_000, months=1, due_days=10,
         grace_days=5, payee="operator"),
    Plan(code="second-card", title_en="Basic channels, secondary card", title_zh="基本收视（副卡）", price_fen=600,
         services=("basic",), months=1, due_days=10, grace_days=5, payee="operator", main="films"),
)  # fmt: skip
EVENING = Journey(
    name="channels", title_en="Channels and titles on demand", title_zh="频道与点播", date=dt.date(2026, 3, 9),
    cards=CARDS,
    steps=(
        Pair("main", "living-room", at="18:00"),
        Watch("main", "living-room", "basic", refused="NO_ENTITLEMENT"),
        Subscribe("li", "home"),
        Bill("li", 1_800),
        PayBill("li", "household", 1_800),
        Entitle("main", "living-room", "li"),
        Watch("main", "living-room", "basic", at="19:30"),
        Watch("main", "living-room", "film", refused="NO_ENTITLEMENT"),
        Tell("Somebody puts the card into another receiver.", "卡被插入另一台机顶盒。"),
        Watch("main", "bedroom", "basic", refused="NOT_PAIRED"),
        BuyTitle("main", "living-room", "li", "film-31", "studio", 1_001, refused="OVER_EACH"),
        BuyTitle("main", "living-room", "li", "film-31", "studio", 500),
        Watch("main", "living-room", "film-31"),
        Watch("main", "living-room", "film-32", refused="NO_ENTITLEMENT"),
        Watch("main", "living-room", "film-31", at="+1 20:00", refused="NO_ENTITLEMENT"),
        Watch("main", "living-room", "basic"),
        Bill("li", 2_300, at="+31 09:00"),
        Serve("li", "basic", at="+42 09:00", state="in arrears"),
        PayBill("li", "household", 2_300),
        Stands("studio", 500),
    ),
)  # fmt: skip
HOUSEHOLD = Journey(
    name="household", title_en="A household's cards, and arrears", title_zh="主副卡与欠费停复",
    date=dt.date(2026, 3, 1), cards=CARDS,
    steps=(
        Subscribe("second", "second-card", refused="NO_MAIN_PLAN", at="09:00"),
        Subscribe("main", "films"),
        Subscribe("second", "second-card", under="main"),
        Pair("main", "living-room"),
        Pair("second", "bedroom"),
        Bill("main", 3_800),
        Bill("second", 600),
        Entitle("main", "living-room", "main"),
        Entitle("second", "bedroom", "second"),
        Watch("main", "living-room", "film"),
        Watch("second", "bedroom", "basic"),
        Watch("second", "bedroom", "film", refused="NO_ENTITLEMENT"),
        PayBill("second", "household", 600),
        Serve("main", "basic", at="+11 09:00", state="in arrears"),
        Watch("main", "living-room", "film"),
        Serve("main", "basic", at="+16 09:00", state="suspended", refused="NOT_OPEN"),
        Entitle("main", "living-room", "main", refused="NOT_OPEN"),
        Entitle("second", "bedroom", "second", refused="NOT_OPEN"),
        Watch("main", "living-room", "film", refused="NO_ENTITLEMENT"),
        Watch("second", "bedroom", "basic", refused="NO_ENTITLEMENT"),
        Reads("main", "living-room", {"channels": "none"}),
        PayBill("main", "household", 3_800),
        Entitle("main", "living-room", "main"),
        Entitle("second", "bedroom", "second"),
        Watch("main", "living-room", "film"),
        Watch("second", "bedroom", "basic"),
        Reads("main", "living-room", {"channels": "basic,film", "paid until": "20260331"}),
        Tell("A new month: last month's keys open nothing.", "次月：上月密钥失效。"),
        Watch("main", "living-room", "film", at="+31 20:00", refused="NO_ENTITLEMENT"),
        Bill("main", 3_800),
        PayBill("main", "household", 3_800),
        Entitle("main", "living-room", "main"),
        Watch("main", "living-room", "film"),
        Bill("second", 600),
        Serve("second", "basic", at="+42 20:00", state="in arrears"),
        Stands("operator", 108_200),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="broadcasting",
    title_en="Broadcasting",
    title_zh="广播电视",
    about_en="Pay channels and titles on demand by card: entitlements, control words. The access system is simulated.",
    about_zh="有线电视条件接收：授权与控制字、付费频道、点播、主副卡、欠费停复。条件接收系统为模拟。",
    authority="Cable operators 有线电视网络公司",
    standards=("ETSI TS 103 127", "GY/Z 175"),
    archetypes=(Archetype.SUBSCRIPTION, Archetype.RECORD),
    profiles=(VIEWER,),
    records={VIEWER.name: RECORDS},
    accounts=(
        Account("household", "The household", "住户", overdraws=True),
        Account("operator", "The cable operator", "有线电视公司", opening=100_000),
        Account("studio", "A film studio", "影片版权方"),
    ),
    plans=PLANS,
    channels=CHANNELS,
    devices=(
        Device("living-room", "the box in the living room", "客厅机顶盒", DeviceKind.CHECK, application=VIEWER.name),
        Device("bedroom", "the box in the bedroom", "卧室机顶盒", DeviceKind.CHECK, application=VIEWER.name),
    ),
    reports=(
        Report(name="watched", title_en="Watched", title_zh="收看次数", counts=Counted.ADMITTED, by="product"),
        Report(name="refused", title_en="Refused", title_zh="拒绝", counts=Counted.REFUSED, by="reason"),
        Report(name="billed", title_en="Billed by plan", title_zh="各套餐出账", counts=Counted.BILLED, by="product"),
        Report(name="entitled", title_en="Entitlements sent", title_zh="下发授权", counts=Counted.WRITTEN, by="record"),
    ),
    journeys=(EVENING, HOUSEHOLD),
    words={"li": "李家", "main": "主卡用户", "second": "副卡用户", "basic": "基本频道",
           "film": "付费电影频道", "none": "无"},
    no_worked_case="no rule of arrears with a computed result was found; the scrambling has its published vector "
    "欠费规则未见公布算例；加扰算法另有公开测试向量",
)  # fmt: skip
