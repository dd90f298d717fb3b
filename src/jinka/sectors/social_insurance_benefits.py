"""Work injury, training and assistance as journeys: the right is granted at the card before any money moves.

工伤保险条例 Art. 23, 35, 36 (the committee grades, the agency pays); 社会救助暂行办法 Art. 11, 12. The committee writes
its grade into the card's folder under that folder's key; the agency reads it there. Wages and standards are examples.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Admit,
    Agree,
    Ask,
    Assess,
    Journey,
    JourneyCard,
    Keep,
    OpenFolder,
    Stands,
    Start,
    Tell,
    Write,
)
from jinka.sectors.social_insurance_rights import CARD, insured_card

_LIU = insured_card("liu", "Liu Gang's card", "刘刚的卡", job_seeker_until="20260831", training_left="1",
                    assistance_until="20251231")  # fmt: skip
_LDT = {
    "card number": "A12345679",
    "social security number": "440398197901030019",
    "name": "刘刚",
    "born on": "19790103",
}
LIU = JourneyCard(_LIU.name, _LIU.title_en, _LIU.title_zh, (
    Start(application=CARD.name, pin="135790", records=_LDT), *_LIU.starts), "刘刚")  # fmt: skip
OTHER = insured_card("other", "another worker's card", "另一职工的卡", injury_grade="6", injury_grant="0")
_INJURY: dict[str, int | str] = {"average": 1_000_000, "minimum": 236_000, "grade": "=grade"}
_LIUS: dict[str, int | str] = {"wage": 800_000, **_INJURY}
BENEFITS = Journey(
    name="benefits", title_en="Injured at work, and trained anew", title_zh="工伤待遇与职业培训",
    date=dt.date(2026, 4, 1), cards=(LIU, OTHER),
    steps=(
        Admit("liu", "desk-of-rights", "injury-benefit", refused="NOT_ASSESSED", at="09:00",
              remembers={"grade": "injury grade"}),
        Assess("work-injury", _LIUS, {}, refused="NOT_SHOWN"),
        OpenFolder("liu", "desk", {"injury grade": ""}, {"injury grade": "4"}, reading=True, refused="6982"),
        OpenFolder("liu", "appraisal", {"injury grade": ""}, {"injury grade": "4"}),
        OpenFolder("liu", "desk", {"injury grade": "4"}, remembers={"assessed": "injury grade"}),
        Write("liu", "desk-of-rights", {"injury grade": "=assessed", "injury grant": "0"}),
        Admit("liu", "desk-of-rights", "injury-benefit", remembers={"grade": "injury grade"}),
        Assess("work-injury", _LIUS, {"months": 21, "grant": 16_800_000, "allowance": 600_000, "employer": 0},
               spends=("grade",)),
        Tell("The grant is paid once: the card knows, and so does the table.",
             "一次性补助只付一次：卡与核定均不再发放。"),
        Admit("liu", "desk-of-rights", "injury-benefit", refused="GRANT_PAID"),
        Assess("work-injury", _LIUS, {}, refused="USED_TWICE"),
        Tell("Another worker, of the sixth grade, is paid by the employer month by month.",
             "另一职工六级伤残，伤残津贴由单位按月发放。"),
        Admit("other", "desk-of-rights", "injury-benefit", remembers={"grade": "injury grade"}),
        Assess("work-injury", {"wage": 300_000, **_INJURY},
               {"own wage": 600_000, "grant": 9_600_000, "allowance": 0, "employer": 360_000}, spends=("grade",)),
        Stands("fund.injury", 50_000_000 - 16_800_000 - 600_000 - 9_600_000),
        Stands("person", 16_800_000 + 600_000 + 9_600_000 + 360_000),
        Admit("liu", "job-centre", "training"),
        Admit("liu", "job-centre", "training", refused="USED_UP"),
        Write("liu", "job-centre", {"job seeker until": "20260331", "training left": "1"}),
        Admit("liu", "job-centre", "training", refused="NOT_REGISTERED"),
    ),
)  # fmt: skip
_CHECK = ("civil-affairs", "assistance-check")
_HOUSEHOLD: dict[str, int | str] = {"standard": 139_500, "persons": 3, "income": "=income", "refusals": 0}
_OWN: dict[str, int | str] = {"own": 400_000, "ceiling": 5_000_000}
_GRANTED = {"granted": "admitted"}
_NEXT = {"next month": "20260401"}
ASSISTANCE = Journey(
    name="assistance", title_en="A household in need", title_zh="困难家庭救助",
    date=dt.date(2026, 3, 9), cards=(LIU,),
    steps=(
        Keep("job", "employment", "human-resources", {"since": "2024-05-01", "base_fen": "180000",
                                                      "status": "employed"}, at="09:00"),
        Keep("liu", "person", "public-security", {"identity_number": "440398197901030019", "name": "刘刚"}),
        Keep("liu", "person", "human-resources", {"employments": "@job"}),
        Admit("liu", "desk-of-rights", "aid-month", facts=_NEXT, refused="NOT_ASSISTED", remembers=_GRANTED),
        Ask("job", *_CHECK, fields=("base_fen",), case="DB-118", refused="NO_COMMISSION"),
        Agree("liu", *_CHECK, ("base_fen", "status"), kind="employment", separate=True),
        Ask("job", *_CHECK, {"base_fen": "180000", "status": "employed"}, case="DB-118",
            remembers={"income": "base_fen"}),
        Assess("subsistence", _HOUSEHOLD, {"short": 238_500}, posts=False),
        Tell("The household falls short; without the grant on the card nothing is paid yet.",
             "家庭收入低于标准；卡上尚未登记救助资格，不予发放。"),
        Assess("subsistence", _HOUSEHOLD, {}, spends=("granted",), refused="NOT_SHOWN"),
        Write("liu", "desk-of-rights", {"assistance until": "20260331", "aid next": "20260309"}),
        Admit("liu", "desk-of-rights", "aid-month", facts=_NEXT, at="10:00", remembers=_GRANTED),
        Assess("subsistence", _HOUSEHOLD, {"allowance": 238_500}, spends=("granted",)),
        Admit("liu", "desk-of-rights", "aid-month", facts=_NEXT, refused="PAID_THIS_MONTH"),
        Assess("subsistence", _HOUSEHOLD, {}, spends=("granted",), refused="USED_TWICE"),
        Tell("Had he refused suitable work three times, his own share would stop.",
             "若三次拒绝适当工作，则停发其本人部分。"),
        Assess("subsistence", {**_HOUSEHOLD, "refusals": 3}, {"allowance": 99_000}, posts=False),
        Admit("liu", "desk-of-rights", "assisted", at="11:00", remembers=_GRANTED),
        Assess("medical-aid", _OWN, {"aid": 280_000, "left": 120_000}, spends=("granted",)),
        Assess("medical-aid", _OWN, {}, spends=("granted",), refused="USED_TWICE"),
        Stands("treasury.aid", 100_000_000 - 238_500 - 280_000),
        Admit("liu", "desk-of-rights", "assisted", at="+30 10:00", refused="NOT_ASSISTED",
              remembers={"granted in april": "admitted"}),
        Assess("medical-aid", _OWN, {}, spends=("granted in april",), refused="NOT_SHOWN"),
    ),
)  # fmt: skip
