"""Two more journeys of social security: a correction that reaches every copy, a year of unemployment benefit.

The benefit lies between the subsistence allowance and the minimum wage (失业保险条例 Art. 18); 90 per cent of the
minimum wage is where 人社部发〔2017〕71号 wants it to go. The wage in the journey is an example.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Admit,
    Assess,
    Behind,
    Correct,
    Fetch,
    Journey,
    JourneyCard,
    Keep,
    Reads,
    Stands,
    Start,
    Step,
    TakeCopy,
    Tell,
    Write,
)
from jinka.kit import Unit
from jinka.sectors.social_insurance_rights import RIGHTS
from jinka.tariff.sheet import Line, Sheet, percent

BENEFIT = Sheet(
    name="unemployment-benefit", title_en="A month of unemployment benefit", title_zh="失业保险金（月）",
    source="失业保险条例（国务院令第258号）第18条；人社部发〔2017〕71号", facts=("minimum", "months left"),
    lines=(
        Line(code="rest", title_en="months that are left then", title_zh="剩余月数", unit=Unit.POINT,
             value="months left"),
        Line(code="benefit", title_en="benefit, 90 per cent of the minimum wage", title_zh="按最低工资标准90%发放",
             value=percent("minimum", 90), payer="fund.unemployment", payee="person"),
    ),
    result="benefit", rising=("minimum",),
)  # fmt: skip
_MONTHS = 12
# What the card has left once a month was taken: a month is paid for each that was taken, and for no other.
_LEFT = {"left": "benefit months"}
_PAYS: dict[str, int | str] = {"minimum": 252_000, "months left": "=left"}


def _first(number: int) -> dt.date:
    """The first of the month so many months after April 2026."""
    return dt.date(2026 + (3 + number) // 12, (3 + number) % 12 + 1, 1)


def _at(number: int) -> str:
    return f"+{(_first(number) - _first(0)).days} 09:00"


def _next(number: int) -> dict[str, str]:
    return {"next month": f"{_first(number + 1):%Y%m%d}"}


def _month(number: int) -> tuple[Step, ...]:
    return (
        Admit("sun", "job-centre", "benefit-month", facts=_next(number), at=_at(number), remembers=_LEFT),
        Assess(BENEFIT.name, _PAYS, {"rest": _MONTHS - 1 - number, "benefit": 226_800}, spends=("left",)),
    )  # fmt: skip


IDLE = Journey(
    name="unemployment", title_en="Benefit month by month until it is used up", title_zh="失业金按月发放至领满",
    date=dt.date(2026, 4, 1),
    cards=(JourneyCard("sun", "Sun Li's card", "孙丽的卡", (Start(
        application=RIGHTS.name, pin="135790",
        records={"insured at": "440300", "months": "40", "pension drawn": "0", "job seeker until": "20270630",
                 "retires on": "20490601", "benefit next": "20260401", "benefit months": "0", "training left": "0",
                 "assistance until": "20200101"},
    ),), "孙丽"),),
    steps=(
        Tell("Forty months paid in, over three years: twelve months.", "缴费四十个月，满三年：领取期限十二个月。"),
        Admit("sun", "job-centre", "benefit-month", facts=_next(0), refused="USED_UP", at="08:00"),
        Reads("sun", "job-centre", {"months": "40", "benefit months": "0"},
              remembers={"paid": "months", "unused": "benefit months"}),
        Assess("unemployment-months", {"months paid in": "=paid", "unused": "=unused"},
               {"years": 3, "months": _MONTHS}, remembers={"term": "months"}),
        Write("sun", "job-centre", {"benefit months": "=term"}),
        *_month(0),
        Tell("She comes again in the same month.", "同月再次申领。"),
        Admit("sun", "job-centre", "benefit-month", facts=_next(0), refused="PAID_THIS_MONTH"),
        Assess(BENEFIT.name, _PAYS, {}, refused="USED_TWICE"),
        *(step for number in range(1, _MONTHS) for step in _month(number)),
        Stands("person", _MONTHS * 226_800),
        Tell("The thirteenth month: neither the card nor the table grants it.", "第十三个月：卡与核定均不再发放。"),
        Admit("sun", "job-centre", "benefit-month", facts=_next(_MONTHS), refused="USED_UP", at=_at(_MONTHS)),
        Assess(BENEFIT.name, _PAYS, {}, refused="USED_TWICE"),
        Stands("fund.unemployment", 50_000_000 - _MONTHS * 226_800),
    ),
)  # fmt: skip
_NAMED = ("identity_number", "name")
_OLD = {"identity_number": "440301196204153220", "name": "吴莉"}
_NEW = {**_OLD, "name": "吴丽"}
CORRECTION = Journey(
    name="correction", title_en="A correction reaches every copy", title_zh="更正同步至各部门副本",
    date=dt.date(2026, 3, 4),
    steps=(
        Keep("wu", "person", "public-security", _OLD, at="09:00"),
        TakeCopy("wu", "social-insurance", "benefit-check", _NAMED),
        TakeCopy("wu", "medical-insurance", "benefit-check", _NAMED),
        TakeCopy("wu", "housing-fund", "benefit-check", _NAMED, refused="NO_GROUND"),
        Fetch("wu", "social-insurance", _OLD),
        Fetch("wu", "medical-insurance", _OLD),
        Behind(()),
        Tell("The name was written wrongly: the register that is its source corrects it, nobody else.",
             "姓名登记有误：由来源部门更正，其他部门无权更正。"),
        Correct("wu", "medical-insurance", {"name": "吴丽"}, "holder's word", (), refused="REFUSED"),
        Correct("wu", "public-security", {"name": "吴丽"}, "户口簿", ("social-insurance", "medical-insurance"),
                at="+1 10:00"),
        Behind(("social-insurance", "medical-insurance")),
        Fetch("wu", "social-insurance", _NEW),
        Fetch("wu", "medical-insurance", _NEW, acknowledges=False),
        Tell("What was fetched but not acknowledged is told again.", "已取未确认者，仍列为未同步并再次下发。"),
        Behind(("medical-insurance",)),
        Fetch("wu", "medical-insurance", _NEW, at="+2 09:00"),
        Behind(()),
    ),
)  # fmt: skip
