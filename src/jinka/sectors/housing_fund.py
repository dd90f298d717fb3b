"""Housing provident fund: contributions, withdrawals, loans and their equal instalments.

Standard: 住房公积金管理条例 (国务院令第262号, revised by 710号), Art. 16-18, 24-26. Contributions are rounded to whole
yuan, as fund centres do. A loan's growth is worked in steps of a billionth of a millionth: exact to the fen.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Account,
    Admit,
    Archetype,
    Assess,
    Counted,
    Device,
    DeviceKind,
    Journey,
    JourneyCard,
    Reads,
    Report,
    Sector,
    Stands,
    Start,
    Tell,
    WorkedCase,
    Write,
)
from jinka.kit import Unit
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.tariff.sheet import Choose, Expression, Least, Line, Minus, Most, Sheet, Step, Sum, Times

LAW = "住房公积金管理条例（国务院令第262号，2019年第710号修订）"
RATES = "中国人民银行关于下调个人住房公积金贷款利率的通知（2025-05-08起）"
RECORDS = (
    record(1, "fund number", Coding.TEXT, 12, "440300123456", "Fund account number", "公积金账号", fid=0x0006,
           personal=PersonalDatum.IDENTITY_NUMBER),
    record(1, "months", Coding.NUMBER, 2, "24", "Months paid without a gap", "连续缴存月数"),
    record(2, "paid until", Coding.DATE, 4, "20260331", "Paid in until", "缴存至"),
    record(3, "loans", Coding.NUMBER, 1, "0", "Loans taken so far", "已贷款次数"),
    record(4, "arrears", Coding.NUMBER, 1, "0", "Instalments in arrears", "逾期期数"),
    record(5, "state", Coding.TEXT, 8, "open", "State of the account", "账户状态"),
)  # fmt: skip
CARD = record_application(
    name="cn.housing-fund", aid=b"JINKA.HOUSING.1", fid=0x3F33, title_en="Housing fund", title_zh="住房公积金应用",
    authority="The city's housing fund centre 住房公积金管理中心", standards=("LD/T 33",), records=RECORDS,
    after_pin=(0x0006,), extra_keys=(pin(),),
)  # fmt: skip
_OPEN = Condition("state", Test.EQUALS, "open", "CLOSED")
BORROW = Entitlement(
    name="borrow", title_en="Apply for a loan", title_zh="申请公积金贷款", application=CARD.name,
    conditions=(
        _OPEN,
        Condition("paid until", Test.NOT_BEFORE, Fact("paid since"), "NOT_PAYING"),
        Condition("months", Test.AT_LEAST, 6, "TOO_FEW_MONTHS"),
        Condition("arrears", Test.AT_MOST, 0, "IN_ARREARS"),
        Condition("loans", Test.AT_MOST, 1, "THIRD_LOAN"),
    ),
    changes=(Change("loans", put=Fact("loan number")),),
    source="住房城乡建设部 财政部 中国人民银行关于发展住房公积金个人住房贷款业务的通知（建金〔2014〕148号）第一条",
)  # fmt: skip
WITHDRAW_RIGHT = Entitlement(
    name="withdraw", title_en="Withdraw", title_zh="提取", application=CARD.name, conditions=(_OPEN,),
    source=f"{LAW}第24、25条",
)  # fmt: skip

CONTRIBUTION = Sheet(
    name="contribution", title_en="Monthly contribution", title_zh="月缴存额",
    source=f"{LAW}第16—18条；建金〔2005〕5号",
    facts=("wage", "floor", "ceiling", "rate"),
    lines=(
        Line(code="within", title_en="how far the rate lies within 5 to 12 %", title_zh="缴存比例在5%至12%以内",
             unit=Unit.POINT, value=Least((Minus("rate", 5), Minus(12, "rate")))),
        Line(code="base", title_en="base", title_zh="缴存基数", value=Least((Most(("wage", "floor")), "ceiling"))),
        Line(code="own", title_en="by the employee", title_zh="个人缴存",
             value=Times(Times("base", "rate", 10_000), 100), payer="employee", payee="fund.account"),
        Line(code="employer", title_en="by the employer", title_zh="单位缴存", value=Sum(("own",)), payer="employer",
             payee="fund.account"),
        Line(code="both", title_en="both", title_zh="月缴存额合计", value=Sum(("own", "employer"))),
    ),
    result="both", rising=("wage",),
)  # fmt: skip
_REASONS = ("home", "retired", "disabled", "abroad", "loan", "rent")  # Art. 24, (1) to (6)
_CLOSING = {"retired", "disabled", "abroad"}
WITHDRAWAL = Sheet(
    name="withdrawal", title_en="Withdrawal", title_zh="提取", source=f"{LAW}第24条",
    facts=("reason", "balance", "asked"),
    lines=(
        Line(code="closes", title_en="the account is closed", title_zh="销户", unit=Unit.POINT,
             value=Choose("reason", tuple((reason, int(reason in _CLOSING)) for reason in _REASONS))),
        Line(code="paid", title_en="paid out", title_zh="提取金额", payer="fund.account", payee="person",
             value=Choose("reason", tuple(
                 (reason, "balance" if reason in _CLOSING else Least(("asked", "balance"))) for reason in _REASONS))),
    ),
    result="paid", rising=("balance",),
)  # fmt: skip
_ONE = 10**15
_POWERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_YEARS = {5: (32, 16, 8, 4), 10: (64, 32, 16, 8), 20: (128, 64, 32, 16), 30: (256, 64, 32, 8)}


def _grown(months: tuple[int, ...]) -> Expression:
    made: Expression = f"growth {months[0]}"
    for power in months[1:]:
        made = Times(made, f"growth {power}", _ONE)
    return made


LOAN = Sheet(
    name="loan", title_en="Equal instalments of a first home's loan", title_zh="首套公积金贷款等额本息", source=RATES,
    facts=("loan", "years", "day"),
    lines=(
        Line(code="rate", title_en="rate of a year, hundredths of a per cent", title_zh="年利率（万分之一）",
             unit=Unit.POINT,
             value=Choose("day", (("before 2025-05-08", Step("years", ((5, 235), (None, 285)))),
                                  ("since 2025-05-08", Step("years", ((5, 210), (None, 260))))))),
        Line(code="month", title_en="rate of a month, 10^-15", title_zh="月利率（10⁻¹⁵）", unit=Unit.POINT, shown=False,
             value=Times("rate", _ONE, 120_000)),
        Line(code="growth 1", title_en="growth in a month", title_zh="1个月本利", unit=Unit.POINT, shown=False,
             value=Sum((_ONE, "month"))),
        *(Line(code=f"growth {power}", title_en=f"growth in {power} months", title_zh=f"{power}个月本利",
               unit=Unit.POINT, shown=False, value=Times(f"growth {power // 2}", f"growth {power // 2}", _ONE))
          for power in _POWERS[1:]),
        Line(code="growth", title_en="growth until the end", title_zh="到期本利", unit=Unit.POINT, shown=False,
             value=Choose("years", tuple((years, _grown(months)) for years, months in _YEARS.items()))),
        Line(code="instalment", title_en="instalment a month", title_zh="月还款额",
             value=Times("loan", Times("growth", "month", _ONE), Minus("growth", _ONE))),
    ),
    result="instalment", rising=("loan",),
)  # fmt: skip
CASES = (
    *(WorkedCase(title_en=f"Beijing's ceiling of {year} at 12 %", title_zh=f"北京{year}年度缴存上限",
                 sheet=CONTRIBUTION.name, facts={"wage": 9_000_000, "floor": 242_000, "ceiling": ceiling, "rate": 12},
                 gives={"own": own},
                 source=f"北京住房公积金{year}年度缴存基数上限 (the notice was not read); {LAW}第18条")
      for year, ceiling, own in ((2022, 3_188_400, 382_600), (2023, 3_389_100, 406_700), (2024, 3_528_300, 423_400))),
    WorkedCase(title_en="One million for 30 years, before the cut of May 2025",
               title_zh="100万元30年，2025年5月下调前",
               sheet=LOAN.name, facts={"loan": 100_000_000, "years": 30, "day": "before 2025-05-08"},
               gives={"rate": 285, "instalment": 413_557},
               source=f"{RATES}: the example published with it "
                      "(after the cut it prints 4,003.38; exact sums give 4,003.40)"),
)  # fmt: skip

_CHEN = {"fund number": "440300000815", "months": "5", "paid until": "20260331", "loans": "0", "arrears": "0",
         "state": "open"}  # fmt: skip
CHEN = JourneyCard(
    "chen", "Chen Jing's card", "陈静的卡", (Start(application=CARD.name, pin="246802", records=_CHEN),)
)
_PAYS = {"floor": 236_000, "ceiling": 4_200_000}
MONTHS = Journey(
    name="paying-in", title_en="Paid in, looked up, withdrawn", title_zh="缴存、查询与提取", date=dt.date(2026, 4, 10),
    cards=(CHEN,),
    steps=(
        Assess("contribution", {"wage": 1_000_000, "rate": 12, **_PAYS}, {"own": 120_000, "employer": 120_000},
               at="09:00"),
        Assess("contribution", {"wage": 200_000, "rate": 5, **_PAYS}, {"base": 236_000, "own": 11_800},
               posts=False),
        Assess("contribution", {"wage": 9_000_000, "rate": 12, **_PAYS}, {"base": 4_200_000, "own": 504_000},
               posts=False),
        Assess("contribution", {"wage": 1_000_000, "rate": 4, **_PAYS}, {}, refused="REFUSED"),
        Stands("fund.account", 240_000, remembers="balance"),
        Write("chen", "centre", {"months": "6", "paid until": "20260430"}),
        Reads("chen", "centre", {"months": "6"}, refused=("fund number",)),
        Reads("chen", "centre", {"fund number": "440300000815"}, pin="246802"),
        Admit("chen", "centre", "withdraw"),
        Assess("withdrawal", {"reason": "rent", "balance": "=balance", "asked": 100_000},
               {"paid": 100_000, "closes": 0}),
        Stands("fund.account", 140_000, remembers="balance"),
        Assess("withdrawal", {"reason": "holiday", "balance": "=balance", "asked": 100_000}, {}, refused="REFUSED"),
        Assess("withdrawal", {"reason": "abroad", "balance": "=balance", "asked": 1}, {"paid": 140_000, "closes": 1}),
        Stands("fund.account", 0),
        Stands("person", 240_000),
        Write("chen", "centre", {"state": "closed"}),
        Admit("chen", "centre", "withdraw", refused="CLOSED"),
    ),
)  # fmt: skip
_LOAN = {"paid since": "20260301", "loan number": "1"}
LOANS = Journey(
    name="loan", title_en="Loan and standing", title_zh="贷款与信用状况", date=dt.date(2026, 4, 10), cards=(CHEN,),
    steps=(
        Admit("chen", "loans", "borrow", facts=_LOAN, refused="TOO_FEW_MONTHS", at="09:00"),
        Write("chen", "centre", {"months": "6", "arrears": "1"}),
        Admit("chen", "loans", "borrow", facts=_LOAN, refused="IN_ARREARS"),
        Write("chen", "centre", {"arrears": "0"}),
        Admit("chen", "loans", "borrow", facts=_LOAN),
        Assess("loan", {"loan": 100_000_000, "years": 30, "day": "since 2025-05-08"}, {"instalment": 400_340}),
        Assess("loan", {"loan": 50_000_000, "years": 5, "day": "since 2025-05-08"}, {"rate": 210}),
        Tell("A second loan is possible, a third is not.", "可申请第二次贷款，第三次不予受理。"),
        Admit("chen", "loans", "borrow", facts={"paid since": "20260301", "loan number": "2"}),
        Admit("chen", "loans", "borrow", facts=_LOAN, refused="THIRD_LOAN"),
        Admit("chen", "loans", "borrow", facts={"paid since": "20260601", "loan number": "3"}, refused="NOT_PAYING"),
    ),
)  # fmt: skip
SECTOR = Sector(
    name="housing-fund", title_en="Housing provident fund", title_zh="住房公积金",
    about_en="Monthly contributions of employee and employer, withdrawals, loans.",
    about_zh="个人与单位月缴存、提取、贷款。",
    authority=CARD.authority, standards=(LAW,), archetypes=(Archetype.RECORD,), profiles=(CARD,),
    records={CARD.name: RECORDS},
    accounts=(
        Account("employee", "The employee's wages", "职工工资", overdraws=True),
        Account("employer", "The employer", "用人单位", overdraws=True),
        Account("fund.account", "The employee's fund account", "职工公积金账户"),
        Account("person", "The employee's bank account", "职工银行账户"),
    ),
    devices=(
        Device("centre", "the fund centre", "公积金中心窗口", DeviceKind.CHECK, application=CARD.name),
        Device("loans", "the loan desk of the bank", "受托银行贷款窗口", DeviceKind.CHECK, application=CARD.name),
    ),
    sheets=(CONTRIBUTION, WITHDRAWAL, LOAN), entitlements=(BORROW, WITHDRAW_RIGHT), worked_cases=CASES,
    reports=(
        Report(name="moved", title_en="Paid in and out", title_zh="缴存与提取", counts=Counted.MOVED, by="account"),
        Report(name="applications", title_en="Applications", title_zh="业务申请", counts=Counted.ADMITTED,
               by="entitlement"),
        Report(name="refused", title_en="Refusals", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason"),
    ),
    journeys=(MONTHS, LOANS),
)  # fmt: skip
