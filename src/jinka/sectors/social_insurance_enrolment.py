"""Enrolment: a person at work is entered as insured, two months are paid in by the employer, and the card is written.

社会保险法 Art. 10, 12 (pension), 23 (medical), 33, 34 (work injury: the employer alone), 44 (unemployment), 57, 58
(registration), 60 (the employee's part is withheld by the employer). Rates are those published for the whole country;
places set their own beside them, and the unemployment rate of one per cent has been prolonged from time to time. The
medical rates are the framework of 1998; maternity is part of it since 2019. Persons and wages are examples.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Ask,
    Assess,
    Journey,
    JourneyCard,
    Keep,
    OpenFolder,
    Reads,
    Stands,
    Start,
    Step,
    Tell,
    Viewed,
    WorkedCase,
    Write,
)
from jinka.kit import Unit
from jinka.sectors.social_insurance_rights import CARD, RIGHTS
from jinka.sectors.social_insurance_rules import since_0
from jinka.tariff.sheet import Least, Line, Most, Sheet, Sum, Times, percent

RATES = (
    "社会保险法第10、12、23、33、44、60条；国办发〔2019〕13号第1、2、3条（养老单位16%，失业1%，基数60%—300%）；"
    "国发〔2005〕38号第6条（养老个人8%）；国发〔1998〕44号第2条（医疗6%、2%）；人社部发〔2015〕71号（工伤0.2%—1.9%）"
)


def _paid(code: str, en: str, zh: str, thousandths: int | str, fund: str) -> Line:
    return Line(code=code, title_en=en, title_zh=zh, value=Times("base", thousandths, 1000), payer="employer",
                payee=fund)  # fmt: skip


CONTRIBUTION = Sheet(
    name="contribution", title_en="Contributions of a month", title_zh="社会保险费（月）", source=RATES,
    facts=("wage", "average", "injury rate", "months before"),
    lines=(
        Line(code="base", title_en="base, 60 to 300 % of the average wage", title_zh="缴费基数",
             value=Least((Most(("wage", percent("average", 60))), percent("average", 300)))),
        _paid("pension", "pension, by the employer, 16 %", "养老保险（单位16%）", 160, "fund.pension"),
        _paid("own pension", "pension, withheld from the wage, 8 %", "养老保险（个人8%）", 80, "fund.pension"),
        _paid("medical", "medical, by the employer, 6 %", "医疗保险（单位6%）", 60, "fund.health"),
        _paid("own medical", "medical, withheld, 2 %", "医疗保险（个人2%）", 20, "fund.health"),
        _paid("idle", "unemployment, by the employer, 0.5 %", "失业保险（单位0.5%）", 5, "fund.unemployment"),
        _paid("own idle", "unemployment, withheld, 0.5 %", "失业保险（个人0.5%）", 5, "fund.unemployment"),
        _paid("injury", "work injury, by the employer at the rate of its trade", "工伤保险（单位，行业费率）",
              "injury rate", "fund.injury"),
        Line(code="withheld", title_en="withheld from the wage in all", title_zh="代扣个人缴费合计",
             value=Sum(("own pension", "own medical", "own idle"))),
        Line(code="total", title_en="paid in by the employer in all", title_zh="单位申报缴纳合计",
             value=Sum(("pension", "medical", "idle", "injury", "withheld"))),
        Line(code="months", title_en="months paid in by now", title_zh="累计缴费月数", unit=Unit.POINT,
             value=Sum(("months before", 1))),
    ),
    result="total", rising=("wage", "average", "injury rate"),
)  # fmt: skip
PAID_IN = (
    WorkedCase(
        title_en="A base of 10,000 yuan", title_zh="缴费基数1万元", sheet=CONTRIBUTION.name,
        facts={"wage": 1_000_000, "average": 1_000_000, "injury rate": 2, "months before": 0},
        gives={"pension": 160_000, "own pension": 80_000, "idle": 5_000, "own idle": 5_000, "injury": 2_000},
        source=f"{RATES}: rates printed, sums by one step", derived=True,
    ),
)  # fmt: skip
_NUMBER, _NAME = "44039819960518002X", "马丽"
_LDT = {"card id": "440300D15600000599110145FFFFFFFF", "class": "1", "version": "3.00", "card number": "A12345678",
        "social security number": _NUMBER, "name": _NAME, "born on": "19960518"}  # fmt: skip
MA = JourneyCard(
    "ma", "Ma Li's card", "马丽的卡",
    (Start(application=CARD.name, pin="135790", records=_LDT), Start(application=RIGHTS.name, pin="135790")),
    _NAME,
)  # fmt: skip
_AGENCY, _WHY = "social-insurance", "insurance-enrolment"
_WAGE, _AVERAGE, _RATE = 820_000, 1_100_000, 2
_SUMS = {"pension": 131_200, "own pension": 65_600, "medical": 49_200, "own medical": 16_400, "idle": 4_100,
         "own idle": 4_100, "injury": 1_640, "withheld": 86_100, "total": 272_240}  # fmt: skip
_JOB = {"since": "2025-03-01", "base_fen": str(_WAGE), "status": "employed"}


def _month(number: int, at: str = "") -> tuple[Step, ...]:
    """Month ``number`` from one: what the card counts goes into the sheet, and what it comes to back onto the card."""
    last = since_0(2025, 2 + number)
    return (
        Reads("ma", "desk-of-rights", {"months": str(number - 1)}, remembers={"before": "months"}, at=at),
        Assess(CONTRIBUTION.name, {"wage": "=wage", "average": _AVERAGE, "injury rate": _RATE,
                                   "months before": "=before"},
               {**_SUMS, "months": number}, remembers={"months": "months"}),
        Keep("spell", "insurance-spell", _AGENCY, {"months": "=months", "last": str(last)}),
        Write("ma", "desk-of-rights", {"months": "=months"}),
    )  # fmt: skip


ENROLMENT = Journey(
    name="enrolment", title_en="Enrolled, paid in, and the card read", title_zh="参保登记、缴费与读卡",
    date=dt.date(2025, 3, 3), cards=(MA,),
    steps=(
        Keep("ma", "person", "public-security", {"identity_number": _NUMBER, "name": _NAME,
                                                 "birth_date": "1996-05-18"}, at="09:00"),
        Keep("job", "employment", "human-resources", _JOB),
        Keep("ma", "person", "human-resources", {"employments": "@job"}),
        Ask("ma", _AGENCY, _WHY, fields=("identity_number", "name"), refused="NO_CASE"),
        Ask("ma", _AGENCY, _WHY, {"identity_number": _NUMBER, "name": _NAME, "birth_date": "1996-05-18"},
            case="SI-2025-0007"),
        Reads("ma", "desk", {"card number": "A12345678", "version": "3.00"},
              refused=("social security number", "name")),
        Reads("ma", "desk", {"social security number": _NUMBER, "name": _NAME, "born on": "19960518"}, pin="135790"),
        Ask("job", _AGENCY, _WHY, _JOB, case="SI-2025-0007", remembers={"wage": "base_fen"}),
        Keep("spell", "insurance-spell", _AGENCY, {
            "insured": "@ma", "division": "440300", "months": "0", "first": str(since_0(2025, 3)),
            "status": "paying"}),
        Write("ma", "desk-of-rights", {"insured at": "440300", "months": "0", "pension drawn": "0"}),
        Tell("The employer declares March and pays both parts; hers is withheld from the wage.",
             "单位申报3月社会保险费，个人部分由单位代扣代缴。"),
        *_month(1),
        OpenFolder("ma", "desk", {"pension months": ""}, proves=False, refused="6982"),
        OpenFolder("ma", "desk", {"pension months": ""}, {"pension months": "=months", "employment": "employed"}),
        Tell("A month later.", "次月。"),
        *_month(2, "+31 09:00"),
        OpenFolder("ma", "desk", {"pension months": "1", "employment": "employed"}, {"pension months": "=months"}),
        OpenFolder("ma", "desk", {}, {"pension months": "180"}, reading=True, refused="6982"),
        Stands("fund.pension", 50_000_000 + 2 * (131_200 + 65_600)),
        Stands("fund.health", 2 * (49_200 + 16_400)),
        Stands("fund.unemployment", 50_000_000 + 2 * 8_200),
        Stands("fund.injury", 50_000_000 + 2 * 1_640),
        Stands("employer", -2 * 272_240),
        Viewed("ma", ((_AGENCY, _WHY, False), (_AGENCY, _WHY, True), (_AGENCY, _WHY, True))),
    ),
)  # fmt: skip
