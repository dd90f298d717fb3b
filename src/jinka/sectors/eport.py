"""E-port: identity cards of companies and customs officers, a declaration that two sign and three release, its taxes.

The card carries its owner's post and the certificate application beside it. Customs Law (海关法), Art. 79: review,
inspection, release and audit are separate posts that check one another. The layout of the real card is not public.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Account,
    Admit,
    Alter,
    Archetype,
    Assess,
    Certify,
    Counted,
    Device,
    DeviceKind,
    Journey,
    JourneyCard,
    Keep,
    LogOn,
    Reads,
    Report,
    Revoke,
    Sector,
    Sign,
    Stands,
    Start,
    Tell,
    Verify,
)
from jinka.kit import Unit
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.sectors import eport_rules

SIGNS = "jinka.identity"
RECORDS = (
    record(1, "operator", Coding.TEXT, 30, "陈红", "Operator", "操作员", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "side", Coding.TEXT, 8, "company", "Side: company or customs", "所属：企业或海关"),
    record(2, "unit number", Coding.TEXT, 10, "4403960001", "Company or customs office", "海关注册编码或关区代码"),
    record(3, "post", Coding.TEXT, 12, "declarant", "Post", "岗位"),
    record(4, "valid until", Coding.DATE, 4, "20280630", "Valid until", "有效期至"),
)  # fmt: skip
CARD = record_application(
    name="cn.eport.card",
    aid=b"JINKA.EPORT.1",
    fid=0x3F33,
    title_en="E-port identity card",
    title_zh="电子口岸身份卡",
    authority="Data centre of the e-port 中国电子口岸数据中心",
    standards=("LD/T 33", "ISO/IEC 7816-8"),
    records=RECORDS,
    after_pin=(0x0006,),
    extra_keys=(pin(),),
)
_VALID = Condition("valid until", Test.NOT_BEFORE, Fact("date"), "EXPIRED")


def _desk(name: str, title_en: str, title_zh: str, side: str, *posts: str) -> Entitlement:
    return Entitlement(
        name=name, title_en=title_en, title_zh=title_zh, application=CARD.name,
        conditions=(
            _VALID, Condition("side", Test.EQUALS, side, "OTHER_SIDE"),
            Condition("post", Test.ONE_OF, posts, "OTHER_POST"),
        ),
        source="中华人民共和国海关法, Art. 79" if side == "customs" else "",
    )  # fmt: skip


DECLARE = _desk("declare", "Lodge a declaration", "申报", "company", "declarant", "checker")
HANDLE = _desk("handle", "Handle a declaration", "办理通关", "customs", "review", "inspection", "release")


def _card(
    name: str, title_en: str, title_zh: str, operator: str, side: str, unit: str, post: str
) -> JourneyCard:
    return JourneyCard(name, title_en, title_zh, (
        Start(application=CARD.name, pin="112233", records={
            "operator": operator, "side": side, "unit number": unit, "post": post, "valid until": "20280630",
        }),
        Start(application=SIGNS, pin="445566"),
    ))  # fmt: skip


CHEN = _card(
    "chen", "Chen Hong's company card", "陈红的企业操作员卡", "陈红", "company", "4403960001", "declarant"
)
FANG = _card(
    "fang", "Fang Lan's company card", "方兰的企业法人卡", "方兰", "company", "4403960001", "checker"
)
GAO = _card("gao", "Officer Gao's card", "高关员的卡", "高明", "customs", "5303", "review")
HE = _card("he", "Officer He's card", "何关员的卡", "何平", "customs", "5303", "inspection")
JIN = _card("jin", "Officer Jin's card", "金关员的卡", "金涛", "customs", "5303", "release")
_FIRM = {"organisation": "示例公司", "code": "91350100M000100Y43"}
_REGISTERED = (
    Keep("chen", "person", "public-security", {"identity_number": "440398198804110046", "name": "陈红"}, at="07:30"),
    Keep("fang", "person", "public-security", {"identity_number": "440398199007060060", "name": "方兰"}),
    Keep("firm", "organisation", "market-regulation", {"credit_code": _FIRM["code"], "name": _FIRM["organisation"],
         "status": "active", "legal_representative": "@fang"}),
    Keep("firm", "organisation", "market-regulation", {"officers": "@chen"}),
)  # fmt: skip
TWO = {"declarant": 1, "checker": 1}
THREE = TWO | {"review": 1, "inspection": 1, "release": 1}
_PAID = ("late fee", "taxes")  # 海关法 Art. 29: released when the taxes are paid
_TEXT = "530320261000000017; value 100000.00; duty 10 %; VAT 13 %"
RELEASE = Journey(
    name="release",
    title_en="A declaration signed by two, released by three",
    title_zh="一票报关单：两人签、三岗放",
    date=dt.date(2026, 4, 20),
    cards=(CHEN, FANG, GAO, HE, JIN),
    steps=(
        *_REGISTERED,
        Certify("chen", "card-desk", "陈红", pin="445566", post="declarant", **_FIRM, at="08:00"),
        Certify("fang", "card-desk", "方兰", pin="445566", post="checker", **_FIRM),
        Certify("gao", "card-desk", "高明", pin="445566", post="review"),
        Certify("he", "card-desk", "何平", pin="445566", post="inspection"),
        Certify("jin", "card-desk", "金涛", pin="445566", post="release"),
        Certify("gao", "card-desk", "高明", pin="445566", post="checker", **_FIRM, refused="NO_OFFICER"),
        Certify("jin", "card-desk", "金涛", pin="445566", post="audit", clerk="first officer", refused="REFUSED"),
        Certify("jin", "card-desk", "金涛", pin="445566", post="release"),
        Reads("chen", "company", {"post": "declarant"}, refused=("operator",), at="09:00"),
        LogOn("chen", "company", pin="445566"),
        Admit("chen", "company", "declare"),
        Admit("gao", "company", "declare", refused="OTHER_SIDE"),
        Sign("chen", "declaration", _TEXT, pin="445566"),
        Verify("declaration", "customs", needs=TWO, refused="SIGNERS_MISSING"),
        Sign("chen", "declaration", pin="445566"),
        Verify("declaration", "customs", needs=TWO, refused="SIGNERS_MISSING"),
        Sign("fang", "declaration", pin="999999", refused="WRONG_PIN"),
        Sign("fang", "declaration", pin="445566", counter=True),
        Verify("declaration", "customs", needs=TWO,
               remembers={"value": "value", "duty": "duty", "VAT": "VAT"}),
        Tell("The ship was declared in on 3 April, so this is the seventeenth day.",
             "运输工具4月3日申报进境，今日为第17日。"),
        Assess("late-declaration", {"value": "=value", "declared_on_day": "=days since 2026-04-03",
                                    "direction": "import"}, {"days": 3, "fee": 15_000}, remembers={"late fee": "fee"}),
        Admit("gao", "customs", "handle", at="11:00"),
        Admit("fang", "customs", "handle", refused="OTHER_SIDE"),
        Sign("gao", "declaration", pin="445566", counter=True),
        Sign("he", "declaration", pin="445566", counter=True),
        Verify("declaration", "barrier", needs=THREE, after=_PAID, refused="SIGNERS_MISSING"),
        Sign("jin", "declaration", pin="445566", counter=True),
        Tell("All have signed; nobody has paid the taxes yet.", "各岗签署齐全，税款尚未缴纳。"),
        Verify("declaration", "barrier", needs=THREE, after=_PAID, refused="NOT_SHOWN"),
        Assess("import-taxes", {"value": "=value", "duty_rate": "=duty", "consumption_tax": 0, "vat_rate": "=VAT"},
               {"duty": 1_000_000, "vat": 1_430_000}, remembers={"taxes": "taxes"}),
        Stands("treasury", 2_445_000),
        Verify("declaration", "barrier", needs=THREE, after=_PAID),
        Alter("declaration", _TEXT.replace("100000.00", "10000.00")),
        Verify("declaration", "barrier", needs=THREE, after=_PAID, refused="ALTERED"),
        Alter("declaration", _TEXT),
        Verify("declaration", "barrier", needs=THREE, after=_PAID),
    ),
)  # fmt: skip
STOPPED = Journey(
    name="stopped",
    title_en="A revoked signer stops a release",
    title_zh="签署人证书吊销，放行中止",
    date=dt.date(2026, 4, 21),
    cards=(CHEN, FANG, GAO, HE, JIN),
    steps=(
        *_REGISTERED,
        Certify("chen", "card-desk", "陈红", pin="445566", post="declarant", **_FIRM, at="08:00"),
        Certify("fang", "card-desk", "方兰", pin="445566", post="checker", **_FIRM),
        Certify("gao", "card-desk", "高明", pin="445566", post="review"),
        Certify("he", "card-desk", "何平", pin="445566", post="inspection"),
        Certify("jin", "card-desk", "金涛", pin="445566", post="release"),
        Sign("chen", "declaration", _TEXT, pin="445566", at="09:00"),
        Sign("chen", "amendment", "value 90000.00", pin="445566"),
        Tell("Customs receives the declaration before the key is reported stolen; nobody has seen the amendment.",
             "报关单在吊销前已由海关收到；修改单吊销前无人收到。"),
        Verify("declaration", "customs", needs=TWO, refused="SIGNERS_MISSING"),
        Revoke("chen", at="09:30"),
        Verify("amendment", "customs", refused="REVOKED"),
        LogOn("chen", "company", pin="445566", refused="REVOKED"),
        Sign("fang", "declaration", pin="445566", counter=True),
        Verify("declaration", "customs", needs=TWO),
        Sign("gao", "declaration", pin="445566", counter=True, at="10:00"),
        Revoke("he", "suspend"),
        Sign("he", "declaration", pin="445566", counter=True),
        Sign("jin", "declaration", pin="445566", counter=True),
        Verify("declaration", "barrier", needs=THREE, after=_PAID, refused="REVOKED"),
        Assess("late-payment", {"taxes": 2_430_000, "days_late": 10}, {"surcharge": 12_150}, at="+25 09:00"),
    ),
)  # fmt: skip
SECTOR = Sector(
    name="eport",
    title_en="E-port",
    title_zh="电子口岸",
    about_en="Cards of companies and customs officers; a declaration that two sign and three release; its taxes.",
    about_zh="企业与海关身份卡；报关单两人签署、三岗放行；关税与进口增值税。",
    authority="Customs 海关总署",
    standards=("海关法", "ISO/IEC 7816-8", "RFC 5280", "RFC 6960"),
    archetypes=(Archetype.RECORD,),
    profiles=(CARD,),
    records={CARD.name: RECORDS},
    composes=(SIGNS,),
    accounts=(
        Account("importer", "The importer", "进口企业", overdraws=True),
        Account("treasury", "The treasury", "国库"),
    ),
    devices=(
        Device("card-desk", "the card desk", "制卡窗口", DeviceKind.CHECK, application=CARD.name),
        Device("company", "the company's client", "企业客户端", DeviceKind.CHECK, application=CARD.name),
        Device("customs", "the customs office", "海关业务现场", DeviceKind.CHECK, application=CARD.name),
        Device("barrier", "the port's barrier", "卡口", DeviceKind.CHECK, application=CARD.name),
    ),
    sheets=eport_rules.SHEETS,
    entitlements=(DECLARE, HANDLE),
    worked_cases=eport_rules.WORKED_CASES,
    reports=(
        Report(name="signatures", title_en="Signatures by card", title_zh="各卡签名次数", counts=Counted.SIGNED,
               by="device", unit=Unit.POINT),
        Report(name="stopped", title_en="Refusals by reason", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason",
               unit=Unit.POINT),
        Report(name="revenue", title_en="Paid to the treasury, by rule", title_zh="入库税费（按规则）",
               counts=Counted.MOVED, by="sheet"),
    ),
    journeys=(RELEASE, STOPPED),
    words={"firm": "示例公司", "chen": "陈红", "fang": "方兰",
           "declaration": "报关单", "amendment": "修改单", "declarant": "报关员", "checker": "复核人",
           "review": "审单", "inspection": "查验", "release": "放行", "company": "企业", "customs": "海关",
           "value": "完税价格", "duty": "关税", "VAT": "增值税"},
)  # fmt: skip
