"""Identity and travel documents: holders at a counter and a gate, inspection of passports, badges of events.

The resident identity card is SIMULATED: its chip's algorithms and files are not public (GA 448 names the card, not
them). What is here is Jinka's own application, labelled so wherever it is shown. Event badges follow no public rule.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
    Archetype,
    Ask,
    Assess,
    Certify,
    Counted,
    Device,
    DeviceKind,
    Forge,
    Inspect,
    IssueDocument,
    Journey,
    JourneyCard,
    Keep,
    List,
    LogOn,
    Reads,
    Report,
    Revoke,
    Sector,
    Start,
    Viewed,
    Write,
)
from jinka.kit import Unit
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.sectors import identity_card, identity_rules, travel_document

CERTIFICATE = identity_card.PROFILE
PASSPORT = travel_document.PROFILE
RESIDENT_RECORDS = (
    record(1, "citizen number", Coding.TEXT, 18, "11010519491231002X", "Citizen number", "公民身份号码",
           fid=0x0006, personal=PersonalDatum.IDENTITY_NUMBER),
    record(2, "name", Coding.TEXT, 30, "李雷", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(3, "address", Coding.TEXT, 60, "深圳市福田区", "Address", "住址", fid=0x0006),
    record(1, "valid until", Coding.DATE, 4, "20360309", "Valid until", "有效期限止"),
    record(2, "gate mark", Coding.BYTES, 8, "00112233445566FF", "Mark that a ticket names", "票证绑定标识"),
)  # fmt: skip
RESIDENT = record_application(
    name="jinka.resident.simulated",
    aid=b"JINKA.SIM.ID.1",
    fid=0x3F31,
    title_en="Resident identity card (SIMULATED)",
    title_zh="居民身份证（模拟）",
    authority="Public security, simulated 公安机关（模拟）",
    standards=("GB 11643-1999",),
    records=RESIDENT_RECORDS,
    after_pin=(0x0006,),
    extra_keys=(pin(),),
)
BADGE_RECORDS = (
    record(1, "zones", Coding.TEXT, 16, "A,B", "Zones", "可入区域"),
    record(2, "from day", Coding.DATE, 4, "20260309", "First day", "起始日"),
    record(3, "to day", Coding.DATE, 4, "20260311", "Last day", "截止日"),
    record(4, "from hour", Coding.DIGITS, 2, "0800", "Open from, each day", "每日启用时刻"),
    record(5, "to hour", Coding.DIGITS, 2, "1800", "Open until, each day", "每日停用时刻"),
)
BADGE = record_application(
    name="jinka.event.badge",
    aid=b"JINKA.BADGE.1",
    fid=0x3F32,
    title_en="Event badge",
    title_zh="会展活动证件",
    authority="The event's organiser 活动主办方",
    standards=("LD/T 33",),
    records=BADGE_RECORDS,
)
VALID = Condition("valid until", Test.NOT_BEFORE, Fact("date"), "EXPIRED")
COUNTER = Entitlement(
    name="holder",
    title_en="Match of holder and form",
    title_zh="持证人与申请表核对",
    application=RESIDENT.name,
    conditions=(VALID, Condition("citizen number", Test.EQUALS, Fact("number"), "OTHER_PERSON")),
)
GATE = Entitlement(
    name="gate",
    title_en="Match of card and ticket",
    title_zh="人证票核对",
    application=RESIDENT.name,
    conditions=(VALID, Condition("gate mark", Test.EQUALS, Fact("ticket"), "OTHER_TICKET")),
)
ZONE = Entitlement(
    name="zone",
    title_en="Entry to a zone of the event",
    title_zh="进入活动区域",
    application=BADGE.name,
    conditions=(
        Condition("from day", Test.NOT_AFTER, Fact("date"), "TOO_EARLY"),
        Condition("to day", Test.NOT_BEFORE, Fact("date"), "OVER"),
        Condition("from hour", Test.NOT_AFTER, Fact("time"), "CLOSED"),
        Condition("to hour", Test.NOT_BEFORE, Fact("time"), "CLOSED"),
        Condition("zones", Test.LISTS, Fact("zone"), "OTHER_ZONE"),
    ),
)

LI = JourneyCard("li", "Li Lei's card (simulated)", "李雷的证件（模拟）", (
    Start(application=RESIDENT.name, pin="135790", records={
        "citizen number": "440301199003072719", "name": "李雷", "address": "深圳市福田区", "valid until": "20360309",
        "gate mark": "0102030405060708",
    }),
    Start(application=CERTIFICATE.name, pin="246802"),
), holder="li")  # fmt: skip
HAN = JourneyCard("han", "Han Meimei's old card (simulated)", "韩梅梅的旧证件（模拟）", (
    Start(application=RESIDENT.name, pin="135790", records={
        "citizen number": "110198198802290066", "name": "韩梅梅", "address": "北京市朝阳区", "valid until": "20260308",
        "gate mark": "1112131415161718",
    }),
))  # fmt: skip
GUEST = JourneyCard("guest", "A guest's badge", "嘉宾证", (
    Start(application=BADGE.name, records={
        "zones": "A,B", "from day": "20260309", "to day": "20260310", "from hour": "0800", "to hour": "1800",
    }),
))  # fmt: skip
_PERSON = {"identity_number": "440301199003072719", "name": "李雷", "sex": "male", "birth_date": "1990-03-07"}
VERIFICATION = Journey(
    name="verification",
    title_en="A holder at a counter and at a gate (identity card simulated)",
    title_zh="柜台与闸机核验持证人（居民身份证为模拟）",
    date=dt.date(2026, 3, 9),
    cards=(LI, HAN),
    steps=(
        Keep("li", "person", "public-security", _PERSON, at="08:30"),
        Reads("li", "counter", {"name": "李雷"}, pin="135790", at="09:00"),
        Reads("li", "counter", {"valid until": "20360309"}, refused=("name", "citizen number")),
        Admit("li", "counter", "holder", pin="135790", facts={"number": "440301199003072719"}),
        Admit("li", "counter", "holder", pin="135790", facts={"number": "110198198802290066"}, refused="OTHER_PERSON"),
        Admit("li", "counter", "holder", pin="000000", facts={"number": "440301199003072719"}, refused="63C2"),
        Ask("li", "public-security", "identity-check", {"name": "李雷"}, case="2026-17"),
        Ask("li", "public-security", "identity-check", fields=("name",), refused="NO_CASE"),
        Viewed("li", (("public-security", "identity-check", True), ("public-security", "identity-check", False))),
        Admit("li", "gate", "gate", facts={"ticket": "0102030405060708"}, at="10:00"),
        Admit("li", "gate", "gate", facts={"ticket": "1112131415161718"}, refused="OTHER_TICKET"),
        Admit("han", "gate", "gate", facts={"ticket": "1112131415161718"}, refused="EXPIRED"),
        Admit("han", "counter", "holder", pin="135790", facts={"number": "110198198802290066"}, refused="EXPIRED"),
        Write("han", "counter", {"valid until": "20460309"}, at="10:30"),
        Admit("han", "gate", "gate", facts={"ticket": "1112131415161718"}),
        List("han"),
        Admit("han", "gate", "gate", facts={"ticket": "1112131415161718"}, refused="BLOCKED"),
        LogOn("li", "counter", pin="246802", refused="NO_CERTIFICATE", at="11:00"),
        Certify("li", "counter", "李雷", pin="246802"),
        LogOn("li", "counter", pin="246802"),
        LogOn("li", "counter", pin="000000", refused="REFUSED"),
        Revoke("li", "suspend"),
        LogOn("li", "counter", pin="246802", refused="REVOKED"),
        Revoke("li", "resume"),
        LogOn("li", "counter", pin="246802"),
    ),
)  # fmt: skip
BORDER = Journey(
    name="border",
    title_en="A passport is inspected",
    title_zh="查验护照",
    date=dt.date(2026, 3, 9),
    steps=(
        Assess("passport-years", {"age": 51}, {"years": 10}, at="09:00"),
        IssueDocument("passport", surname="ERIKSSON", given_names="ANNA MARIA", number="L898902C3", state="UTO",
                      birth="740812", sex="F", expiry="360308", optional="ZE184226B"),
        Inspect("passport", "border"),
        Forge("passport", "name", "renamed passport"),
        Inspect("renamed passport", "border", refused="FORGED"),
        Forge("passport", "photo", "passport with another face"),
        Inspect("passport with another face", "border", refused="FORGED"),
        Forge("passport", "clone", "cloned passport"),
        Inspect("cloned passport", "border", refused="FORGED"),
        Forge("passport", "signer", "passport of no state"),
        Inspect("passport of no state", "border", refused="SIGNER_UNKNOWN"),
        IssueDocument("specimen", surname="ERIKSSON", given_names="ANNA MARIA", number="L898902C3", state="UTO",
                      birth="740812", sex="F", expiry="120415", optional="ZE184226B"),
        Inspect("specimen", "border", refused="EXPIRED"),
        Inspect("passport", "border", printed="specimen", refused="UNREADABLE"),
        IssueDocument("late passport", surname="DOE", given_names="JOHN", number="X1234567", state="UTO",
                      birth="800101", sex="M", expiry="310101", signer_days=30),
        Inspect("late passport", "border"),
        Inspect("late passport", "border", refused="SIGNER_UNKNOWN", at="+40 09:00"),
    ),
)  # fmt: skip
EVENT = Journey(
    name="event",
    title_en="An event's badges by zone and time",
    title_zh="活动证件按区域与时间放行",
    date=dt.date(2026, 3, 8),
    cards=(GUEST,),
    steps=(
        Admit("guest", "hall", "zone", refused="TOO_EARLY", at="12:00"),
        Admit("guest", "hall", "zone", refused="CLOSED", at="+1 07:59"),
        Admit("guest", "hall", "zone"),
        Admit("guest", "backstage", "zone", refused="OTHER_ZONE"),
        Write("guest", "desk", {"zones": "*"}, at="+1 09:00"),
        Admit("guest", "backstage", "zone"),
        Admit("guest", "hall", "zone", refused="CLOSED", at="+2 18:01"),
        Admit("guest", "hall", "zone", refused="OVER", at="+3 10:00"),
    ),
)

SECTOR = Sector(
    name="identity",
    title_en="Identity and travel documents",
    title_zh="身份与旅行证件",
    about_en="Holder verification, passport inspection and event badges. The resident identity card here is SIMULATED: "
             "the real card's algorithms and files are not public.",
    about_zh="持证人核验、护照芯片查验、活动证件。本处居民身份证为模拟：真实证件的算法与文件结构不公开。",
    authority="Public security and border control 公安与出入境管理",
    standards=("ICAO Doc 9303", "GB 11643-1999", "ISO/IEC 7816-8", "RFC 5280", "RFC 6960"),
    archetypes=(Archetype.RECORD,),
    profiles=(CERTIFICATE, PASSPORT, RESIDENT, BADGE),
    records={RESIDENT.name: RESIDENT_RECORDS, BADGE.name: BADGE_RECORDS},
    devices=(
        Device("counter", "the service counter", "办事柜台", DeviceKind.CHECK, application=RESIDENT.name),
        Device("gate", "the station's gate", "车站闸机", DeviceKind.CHECK, application=RESIDENT.name),
        Device("border", "the border's inspection desk", "边检查验台", DeviceKind.CHECK, application=PASSPORT.name),
        Device("hall", "the hall's door", "展厅门", DeviceKind.CHECK, application=BADGE.name, knows={"zone": "A"}),
        Device("backstage", "the backstage door", "后台门", DeviceKind.CHECK, application=BADGE.name,
               knows={"zone": "C"}),
        Device("desk", "the organiser's desk", "主办方证件台", DeviceKind.CHECK, application=BADGE.name),
    ),
    sheets=(identity_rules.PASSPORT, identity_rules.CARD),
    entitlements=(COUNTER, GATE, ZONE),
    reports=(
        Report(name="inspected", title_en="Travel documents by verdict", title_zh="证件查验结果",
               counts=Counted.INSPECTED, by="reason", unit=Unit.POINT),
        Report(name="refused", title_en="Refusals by reason", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason",
               unit=Unit.POINT),
        Report(name="admitted", title_en="Admissions by device", title_zh="各终端放行", counts=Counted.ADMITTED,
               by="device", unit=Unit.POINT),
        Report(name="looks", title_en="Looks at base records", title_zh="基础信息查询", counts=Counted.LOOKED,
               by="department", unit=Unit.POINT),
    ),
    journeys=(VERIFICATION, BORDER, EVENT),
    words={"li": "李雷", "passport": "护照", "renamed passport": "改名护照",
           "passport with another face": "换像护照", "cloned passport": "复制护照",
           "passport of no state": "伪国签发护照", "specimen": "过期样本护照",
           "late passport": "迟签护照", "UTO": "乌托邦国（UTO）"},
    worked_cases=identity_rules.WORKED_CASES,
)  # fmt: skip
