"""Organisation code and enterprise card: the code card with its certificate, the yearly report, base data that
departments share, log-on and signature.

The card shows the unified social credit code (GB 32100), in which the organisation code stands (GB 11714). The annual
inspection of enterprises was replaced by a report each year (企业信息公示暂行条例, Art. 8). The layout is Jinka's own.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
    Agree,
    Alter,
    Archetype,
    Ask,
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
    Start,
    Verify,
    Viewed,
    WorkedCase,
    Write,
)
from jinka.identity.base_records import Clause, Law, Named, Part, ViewRule
from jinka.kit import Unit
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.tariff.sheet import Least, Less, Line, Minus, Most, Sheet, Step

SIGNS = "jinka.identity"
CODE = "91350100M000100Y43"  # the example of GB 32100-2015
RECORDS = (
    record(1, "credit code", Coding.TEXT, 18, CODE, "Unified social credit code", "统一社会信用代码"),
    record(2, "name", Coding.TEXT, 40, "示例公司", "Name", "名称"),
    record(3, "founded", Coding.DATE, 4, "20200115", "Founded", "成立日期"),
    record(4, "status", Coding.TEXT, 12, "active", "Status", "登记状态"),
    record(5, "reported year", Coding.NUMBER, 2, "2024", "Last year reported", "已报送年度"),
    record(1, "representative", Coding.TEXT, 30, "陈红", "Legal representative", "法定代表人",
           fid=0x0006, personal=PersonalDatum.NAME),
)  # fmt: skip
CARD = record_application(
    name="cn.enterprise.code",
    aid=b"JINKA.ORGCODE.1",
    fid=0x3F34,
    title_en="Code card of an organisation",
    title_zh="组织机构代码卡（企业卡）",
    authority="Market regulation 市场监督管理部门",
    standards=("GB 32100-2015", "GB 11714-1997"),
    records=RECORDS,
    after_pin=(0x0006,),
    extra_keys=(pin(),),
)
_REGULATION = "企业信息公示暂行条例 (国务院令第654号, 2014-08-07), Art. 8, 17"
TRANSACT = Entitlement(
    name="transact",
    title_en="Apply in the enterprise's name",
    title_zh="以企业名义办事",
    application=CARD.name,
    conditions=(
        Condition("status", Test.EQUALS, "active", "NOT_ACTIVE"),
        Condition("reported year", Test.AT_LEAST, Fact("year due"), "REPORT_MISSING"),
    ),
    source=_REGULATION,
)
REPORTING = Sheet(
    name="annual-report",
    title_en="Reports that an enterprise owes",
    title_zh="企业应报未报的年度报告",
    source=_REGULATION,
    facts=("year", "month_day", "founded", "reported", "years_listed"),
    lines=(
        Line(code="due", title_en="Newest year due by 30 June", title_zh="6月30日前应报的最近年度",
             unit=Unit.NUMBER, value=Step("month_day", ((630, Minus("year", 2)), (None, Minus("year", 1))))),
        Line(code="overdue", title_en="Reports overdue", title_zh="逾期未报", unit=Unit.POINT,
             value=Less("due", Most(("reported", Minus("founded", 1))))),
        Line(code="abnormal", title_en="On the list of abnormal operation", title_zh="列入经营异常名录（1为是）",
             unit=Unit.POINT, value=Least((1, "overdue"))),
        Line(code="serious", title_en="On the list of serious violations", title_zh="列入严重违法名单（1为是）",
             unit=Unit.POINT, value=Least(("abnormal", Step("years_listed", ((2, 0), (None, 1)))))),
    ),
    result="overdue",
    rising=("month_day",),
)  # fmt: skip
PART = Part(
    departments=(Named(code="statistics", title=("statistics", "统计")),),
    purposes=(Named(code="survey", title=("statistical survey", "统计调查")),),
    laws=(Law(code="tax-collection", title=("Tax Collection and Administration Law", "中华人民共和国税收征收管理法")),),
    rules=(
        ViewRule(department="tax", purpose="tax-assessment", kind="organisation",
                 fields=("credit_code", "name", "address", "founded", "status", "contact"),
                 clause=Clause(law="tax-collection", article="15")),
    ),
)  # fmt: skip

FIRM = JourneyCard("firm", "The company's code card", "示例公司代码卡", (
    Start(application=CARD.name, pin="314159", records={
        "credit code": CODE, "name": "示例公司", "founded": "20200115", "status": "active", "reported year": "2024",
        "representative": "陈红",
    }),
    Start(application=SIGNS, pin="271828"),
), holder="firm")  # fmt: skip
_NAMES = {"organisation": "示例公司", "code": CODE}
_KEPT = {"credit_code": CODE, "founded": "2020-01-15", "status": "active",
         "address": "海港路1号", "contact": "陈红"}  # fmt: skip
SIGNATURE = Journey(
    name="signature",
    title_en="The card gets its certificate, logs on and signs",
    title_zh="代码卡领证、登录与签名",
    date=dt.date(2026, 3, 2),
    cards=(FIRM,),
    steps=(
        Certify("firm", "registry", "示例公司", pin="271828", organisation=_NAMES["organisation"],
                code=CODE[:-1] + "Z", refused="REFUSED", at="09:00"),
        Certify("firm", "registry", "示例公司", pin="271828", **_NAMES),
        Reads("firm", "window", {"credit code": CODE, "status": "active"}, refused=("representative",)),
        Reads("firm", "window", {"representative": "陈红"}, pin="314159"),
        LogOn("firm", "portal", pin="271828", at="10:00"),
        LogOn("firm", "portal", pin="000000", refused="REFUSED"),
        Sign("firm", "application", "change of address: 2 Harbour Road", pin="000000", refused="WRONG_PIN"),
        Sign("firm", "application", "change of address: 2 Harbour Road", pin="271828"),
        Verify("application", "portal"),
        Alter("application", "change of address: 9 Harbour Road"),
        Verify("application", "portal", refused="ALTERED"),
        Alter("application", "change of address: 2 Harbour Road"),
        Revoke("firm", at="14:00"),
        Verify("application", "portal"),
        Sign("firm", "loan contract", "1,000,000.00", pin="271828"),
        Verify("loan contract", "portal", refused="REVOKED"),
        LogOn("firm", "portal", pin="271828", refused="REVOKED"),
        Keep("chen", "person", "public-security", {"identity_number": "440398198804110046", "name": "陈红"}),
        Keep("firm", "organisation", "market-regulation",
             _KEPT | {"name": _NAMES["organisation"], "legal_representative": "@chen"}),
        Certify("firm", "registry", "方兰", pin="271828", **_NAMES, post="legal representative", refused="NO_OFFICER"),
        Certify("firm", "registry", "陈红", pin="271828", **_NAMES, post="legal representative", at="16:00"),
        LogOn("firm", "portal", pin="271828"),
        Sign("firm", "deed", "the warehouse is sold", pin="000000", refused="WRONG_PIN"),
        Sign("firm", "deed", "the warehouse is sold", pin="000001", refused="WRONG_PIN"),
        Sign("firm", "deed", "the warehouse is sold", pin="000002", refused="6983"),
        Sign("firm", "deed", "the warehouse is sold", pin="271828", refused="6983"),
    ),
)  # fmt: skip
ANNUAL = Journey(
    name="annual-report",
    title_en="The yearly report, in time and late",
    title_zh="年度报告：按期与逾期",
    date=dt.date(2026, 6, 30),
    cards=(FIRM,),
    steps=(
        Certify("firm", "registry", "示例公司", pin="271828", **_NAMES, at="09:00"),
        Assess("annual-report", {"year": 2026, "month_day": 630, "founded": 2020, "reported": 2024, "years_listed": 0},
               {"due": 2024, "overdue": 0, "abnormal": 0}, remembers={"due": "due"}),
        Admit("firm", "window", "transact", facts={"year due": "=due"}),
        Assess("annual-report", {"year": 2026, "month_day": 701, "founded": 2020, "reported": 2024, "years_listed": 0},
               {"due": 2025, "overdue": 1, "abnormal": 1, "serious": 0}, remembers={"due": "due"}, at="+1 09:00"),
        Admit("firm", "window", "transact", facts={"year due": "=due"}, refused="REPORT_MISSING"),
        Sign("firm", "report of 2025", "turnover 8,000,000.00; staff 12", pin="271828"),
        Verify("report of 2025", "window"),
        Write("firm", "window", {"reported year": "2025"}),
        Admit("firm", "window", "transact", facts={"year due": "=due"}),
        Write("firm", "registry", {"status": "revoked"}, at="+9 09:00"),
        Admit("firm", "window", "transact", facts={"year due": "2025"}, refused="NOT_ACTIVE"),
    ),
)  # fmt: skip
SHARED = Journey(
    name="shared",
    title_en="Base data that departments share",
    title_zh="部门共享企业基础数据",
    date=dt.date(2026, 3, 3),
    steps=(
        Keep("firm", "organisation", "market-regulation", _KEPT | {"name": "示例公司"}, at="09:00"),
        Keep("firm", "organisation", "tax", {"address": "海港路3号"}, refused="REFUSED"),
        Ask("firm", "tax", "tax-assessment", {"name": "示例公司", "contact": "陈红"}),
        Ask("firm", "statistics", "survey", {"name": "示例公司", "address": "海港路1号"}),
        Ask("firm", "statistics", "survey", fields=("name", "contact"), refused="NO_GROUND"),
        Ask("firm", "bank", "loan-review", fields=("contact",), refused="NO_GROUND"),
        Agree("firm", "bank", "loan-review", ("contact",), kind="organisation"),
        Ask("firm", "bank", "loan-review", {"contact": "陈红"}),
        Keep("firm", "organisation", "market-regulation", {"address": "海港路2号"}, at="15:00"),
        Ask("firm", "tax", "tax-assessment", {"address": "海港路2号"}),
        Viewed("firm", (
            ("tax", "tax-assessment", True), ("statistics", "survey", True), ("statistics", "survey", False),
            ("bank", "loan-review", False), ("bank", "loan-review", True), ("tax", "tax-assessment", True),
        )),
    ),
)  # fmt: skip


def _reporting(title_en: str, title_zh: str, founded: int, month_day: int, overdue: int) -> WorkedCase:
    return WorkedCase(
        title_en=title_en, title_zh=title_zh, sheet=REPORTING.name, source=_REGULATION,
        facts={"year": 2026, "month_day": month_day, "founded": founded, "reported": 2024, "years_listed": 0},
        gives={"overdue": overdue},
    )  # fmt: skip


SECTOR = Sector(
    name="enterprise",
    title_en="Organisation code and enterprise card",
    title_zh="组织机构代码与企业卡",
    about_en="The code card with its certificate, the yearly report, base data shared between departments.",
    about_zh="代码卡与数字证书、年度报告公示、部门间基础数据共享。",
    authority="Market regulation 市场监督管理部门",
    standards=("GB 32100-2015", "GB 11714-1997", "企业信息公示暂行条例", "ISO/IEC 7816-8"),
    archetypes=(Archetype.RECORD,),
    profiles=(CARD,),
    records={CARD.name: RECORDS},
    composes=(SIGNS,),
    part=PART,
    devices=(
        Device("registry", "the registry", "登记机关", DeviceKind.CHECK, application=CARD.name),
        Device("window", "the service window", "政务服务窗口", DeviceKind.CHECK, application=CARD.name),
        Device("portal", "the portal", "网上办事大厅", DeviceKind.CHECK, application=CARD.name),
    ),
    sheets=(REPORTING,),
    entitlements=(TRANSACT,),
    worked_cases=(
        WorkedCase(title_en="Organisation code of the standard", title_zh="标准中的组织机构代码", check="gb11714",
                   number="D2143569X", source="GB 11714-1997, example of the check character"),
        WorkedCase(title_en="Credit code of the standard (sum 1640)", title_zh="标准中的统一社会信用代码（和1640）",
                   check="gb32100", number=CODE, source="GB 32100-2015, annex, example of the check character"),
        _reporting("On 30 June a report is in time", "6月30日仍为按期", 2020, 630, 0),
        _reporting("On 1 July it is late", "7月1日起逾期", 2020, 701, 1),
        _reporting("A company founded this year owes none", "当年设立的企业无须报送", 2026, 701, 0),
    ),
    reports=(
        Report(name="looks", title_en="Looks by department", title_zh="各部门查询", counts=Counted.LOOKED,
               by="department", unit=Unit.POINT),
        Report(name="signatures", title_en="Signatures by card", title_zh="各卡签名", counts=Counted.SIGNED,
               by="device", unit=Unit.POINT),
        Report(name="refused", title_en="Refusals by reason", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason",
               unit=Unit.POINT),
    ),
    journeys=(SIGNATURE, ANNUAL, SHARED),
    words={"firm": "示例公司", "chen": "陈红", "legal representative": "法定代表人", "application": "申请书",
           "change of address: 2 Harbour Road": "住所变更为港湾路2号",
           "change of address: 9 Harbour Road": "住所变更为港湾路9号", "loan contract": "借款合同",
           "deed": "契约", "report of 2025": "2025年度报告",
           "turnover 8,000,000.00; staff 12": "营业收入8,000,000.00元，从业12人", "active": "存续", "revoked": "吊销"},
)  # fmt: skip
