"""Housing provident fund: contributions, withdrawals, loans and their equal instalments.

Standard: 住房公积金管理条例 (国务院令第262号, revised by 710号), Art. 16-18, 24-26. Tables: `housing_fund_rules`.
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
    Move,
    Reads,
    Report,
    Sector,
    Stands,
    Start,
    Tell,
    Write,
)
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.sectors.housing_fund_rules import CASES, LAW, SHEETS

LOANS_LAW = (
    "建金〔2014〕148号第一条（连续缴存6个月，不得贷第三套）；建金〔2015〕128号（首套贷款结清后方可再贷）"
)
RECORDS = (
    record(1, "fund number", Coding.TEXT, 12, "440300123456", "Fund account number", "公积金账号", fid=0x0006,
           personal=PersonalDatum.IDENTITY_NUMBER),
    record(1, "months", Coding.NUMBER, 2, "24", "Months paid without a gap", "连续缴存月数"),
    record(2, "paid until", Coding.DATE, 4, "20260331", "Paid in until", "缴存至"),
    record(3, "loans left", Coding.NUMBER, 1, "2", "Loans that may still be taken", "可贷款次数"),
    record(4, "arrears", Coding.NUMBER, 1, "0", "Instalments in arrears", "逾期期数"),
    record(5, "state", Coding.TEXT, 8, "open", "State of the account", "账户状态"),
    record(6, "loan left", Coding.NUMBER, 4, "0", "Loan still to be repaid, in fen", "贷款余额（分）"),
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
        Condition("loans left", Test.AT_LEAST, 1, "THIRD_LOAN"),
        Condition("loan left", Test.AT_MOST, 0, "LOAN_STANDING"),
    ),
    changes=(Change("loan left", put=Fact("loan")), Change("loans left", take=1)), source=LOANS_LAW,
)  # fmt: skip
WITHDRAW_RIGHT = Entitlement(
    name="withdraw", title_en="Withdraw", title_zh="提取", application=CARD.name, conditions=(_OPEN,),
    source=f"{LAW}第24、25条",
)  # fmt: skip
CLOSE = Entitlement(
    name="close", title_en="Close the account", title_zh="销户", application=CARD.name,
    conditions=(_OPEN, Condition("loan left", Test.AT_MOST, 0, "LOAN_STANDING")),
    changes=(Change("state", put="closed"),), source=f"{LAW}第24条",
)  # fmt: skip

_CHEN = {"fund number": "440300000815", "months": "5", "paid until": "20260331", "loans left": "2", "arrears": "0",
         "state": "open", "loan left": "0"}  # fmt: skip
CHEN = JourneyCard(
    "chen", "Chen Jing's card", "陈静的卡", (Start(application=CARD.name, pin="246802", records=_CHEN),), "陈静"
)  # fmt: skip
_GRANTED = {"granted": "admitted"}
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
        Admit("chen", "centre", "withdraw", remembers=_GRANTED),
        Assess("withdrawal", {"reason": "rent", "balance": "=balance", "asked": 100_000},
               {"paid": 100_000, "closes": 0}, spends=("granted",)),
        Stands("fund.account", 140_000, remembers="balance"),
        Assess("withdrawal", {"reason": "rent", "balance": "=balance", "asked": 100_000}, {}, spends=("granted",),
               refused="USED_TWICE"),
        Admit("chen", "centre", "withdraw", remembers=_GRANTED),
        Assess("withdrawal", {"reason": "holiday", "balance": "=balance", "asked": 100_000}, {}, spends=("granted",),
               refused="REFUSED"),
        Assess("withdrawal", {"reason": "abroad", "balance": "=balance", "asked": 1}, {"paid": 140_000, "closes": 1},
               spends=("granted",)),
        Stands("fund.account", 0),
        Stands("person", 240_000),
        Admit("chen", "centre", "close"),
        Admit("chen", "centre", "withdraw", refused="CLOSED"),
        Admit("chen", "centre", "close", refused="CLOSED"),
        Admit("chen", "loans", "borrow", facts={"paid since": "20260301", "loan": "1"}, refused="CLOSED"),
    ),
)  # fmt: skip
_DAY = {"day": "since 2025-05-08"}
_FIRST = {"paid since": "20260301", "loan": "=loan"}
_SECOND = {"paid since": "20260401", "loan": "=loan"}
LOANS = Journey(
    name="loan", title_en="Loans and standing", title_zh="贷款与信用状况", date=dt.date(2026, 4, 10), cards=(CHEN,),
    steps=(
        Assess("loan", {"loan": 50_000_000, "years": 5, "home": "first", **_DAY},
               {"rate": 2_100, "instalment": 878_577}, at="09:00",
               remembers={"loan": "loan", "rate": "rate", "instalment": "instalment"}),
        Admit("chen", "loans", "borrow", facts=_FIRST, refused="TOO_FEW_MONTHS"),
        Write("chen", "centre", {"months": "6", "arrears": "1"}),
        Admit("chen", "loans", "borrow", facts=_FIRST, refused="IN_ARREARS"),
        Write("chen", "centre", {"arrears": "0"}),
        Admit("chen", "loans", "borrow", facts=_FIRST, remembers={"first loan": "loan left"}),
        Move("fund.loans", "seller", "=first loan", "The loan is paid out to the seller", "贷款发放至售房人"),
        Assess("repayment", {"left": "=loan", "rate": "=rate", "paid": "=instalment"},
               {"interest": 87_500, "principal": 791_077}, at="+30 09:00", remembers={"left": "rest"}),
        Write("chen", "centre", {"loan left": "=left", "paid until": "20260430"}),
        Tell("She asks for a second loan while the first stands: it must be repaid before, and the account stays open.",
             "首笔贷款未结清即申请第二次贷款：须先结清，账户也不得销户。"),
        Admit("chen", "loans", "borrow", facts=_SECOND, refused="LOAN_STANDING"),
        Admit("chen", "centre", "close", refused="LOAN_STANDING"),
        Assess("repayment", {"left": "=left", "rate": "=rate", "paid": 60_000_000},
               {"interest": 86_116, "principal": 49_208_923, "rest": 0}, at="+60 09:00", remembers={"left": "rest"}),
        Write("chen", "centre", {"loan left": "=left", "paid until": "20260531"}),
        Stands("fund.loans", 10_000_000_000),
        Assess("loan", {"loan": 100_000_000, "years": 30, "home": "second", **_DAY},
               {"rate": 3_075, "instalment": 425_660}, remembers={"loan": "loan"}),
        Admit("chen", "loans", "borrow", facts=_SECOND, remembers={"second loan": "loan left"}),
        Move("fund.loans", "seller", "=second loan", "The second loan is paid out", "第二次贷款发放"),
        Tell("A third is not granted, whatever has been repaid.", "第三次申请不予受理，结清与否均同。"),
        Admit("chen", "loans", "borrow", facts=_SECOND, refused="THIRD_LOAN"),
        Admit("chen", "loans", "borrow", facts={**_SECOND, "paid since": "20260801"}, refused="NOT_PAYING"),
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
        Account("person", "The employee's bank account", "职工银行账户", overdraws=True),
        Account("fund.loans", "The fund's money for loans", "公积金贷款资金", 10_000_000_000),
        Account("fund.interest", "Interest that the fund earns", "贷款利息收入"),
        Account("seller", "The home's seller", "售房人"),
    ),
    devices=(
        Device("centre", "the fund centre", "公积金中心窗口", DeviceKind.CHECK, application=CARD.name),
        Device("loans", "the loan desk of the bank", "受托银行贷款窗口", DeviceKind.CHECK, application=CARD.name),
    ),
    sheets=SHEETS, entitlements=(BORROW, WITHDRAW_RIGHT, CLOSE), worked_cases=CASES,
    reports=(
        Report(name="moved", title_en="Paid in and out", title_zh="缴存与提取", counts=Counted.MOVED, by="account"),
        Report(name="applications", title_en="Applications", title_zh="业务申请", counts=Counted.ADMITTED,
               by="entitlement"),
        Report(name="refused", title_en="Refusals", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason"),
    ),
    journeys=(MONTHS, LOANS),
    words={"open": "正常", "closed": "已销户", "holiday": "出国旅游"},
)  # fmt: skip
