"""Social security and civil affairs: the LD/T card beside records of insurance, job seeking, assistance and care.

The card's folders open to keys of the authorities (EXTERNAL AUTHENTICATE); what other authorities write from month to
month lies in an application of Jinka's, updated under the maintenance key.
"""

from __future__ import annotations

import datetime as dt

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
    Start,
    Tell,
    Write,
)
from jinka.sectors.social_insurance_benefits import ASSISTANCE, BENEFITS
from jinka.sectors.social_insurance_enrolment import CONTRIBUTION, ENROLMENT, PAID_IN
from jinka.sectors.social_insurance_journeys import BENEFIT, CORRECTION, IDLE
from jinka.sectors.social_insurance_moving import MOVING, PART
from jinka.sectors.social_insurance_rights import (
    CARD,
    FOLDER_RECORDS,
    INSURED,
    RIGHTS,
    RIGHTS_OF_USE,
    TAG,
    WORN,
)
from jinka.sectors.social_insurance_rules import CASES, SHEETS
from jinka.sectors.social_security import RECORDS

_WORN = (Start(application=TAG.name, records={"care level": "3", "home": "C-204", "meals": "1"}),)
CARE = Journey(
    name="care", title_en="A day with a worn tag", title_zh="佩戴标签的一天", date=dt.date(2026, 3, 9),
    cards=(JourneyCard("tag", "Grandmother Wang's tag", "王奶奶的标签", _WORN),),
    steps=(
        Assess("care-level", {"score": 40}, {"level": 3}, at="08:00"),
        Admit("tag", "hall", "meal", at="11:30", torn=True),
        Admit("tag", "hall", "meal"),
        Tell("Her last meal was taken off and she had none: within a minute the same reader knows the tag again, and "
             "takes nothing more.", "最后一餐先前已扣而未放行：一分钟内回到同一读写器，予以认可，不再扣次。"),
        Admit("tag", "hall", "meal", refused="USED_UP"),
        Admit("tag", "gate", "go-out", at="15:00", refused="NOT_ALONE"),
        Reads("tag", "gate", {"home": "C-204", "care level": "3"}),
        Tell("The gate calls the carer of the room.", "门岗通知该房间护理员。"),
        Assess("care-level", {"score": 50}, {"level": 2}, at="+90 09:00"),
        Write("tag", "care-office", {"care level": "2", "meals": "3"}),
        Admit("tag", "gate", "go-out"),
    ),
)  # fmt: skip


def _device(name: str, en: str, zh: str, application: str, **knows: str) -> Device:
    return Device(name, en, zh, DeviceKind.CHECK, application=application, knows=knows)


def _report(name: str, en: str, zh: str, counts: Counted, by: str) -> Report:
    return Report(name=name, title_en=en, title_zh=zh, counts=counts, by=by)


SECTOR = Sector(
    name="social-security", title_en="Social security and civil affairs", title_zh="社会保障与民政",
    about_en="Enrolment, work injury, unemployment, pension, transfers, assistance and care of the elderly.",
    about_zh="参保登记、工伤、失业、养老、关系转移、社会救助与养老照护。",
    authority=CARD.authority, standards=("LD/T 32", "LD/T 33", "GB/T 42195"), archetypes=(Archetype.RECORD,),
    profiles=(CARD, RIGHTS, TAG), records={CARD.name: (*RECORDS, *FOLDER_RECORDS), RIGHTS.name: INSURED,
                                           TAG.name: WORN},
    accounts=(
        Account("fund.injury", "Work injury fund", "工伤保险基金", 50_000_000),
        Account("fund.unemployment", "Unemployment fund", "失业保险基金", 50_000_000),
        Account("fund.pension", "Pension fund", "养老保险基金", 50_000_000),
        Account("fund.health", "Medical insurance fund", "医疗保险基金"),
        Account("treasury.aid", "Assistance, treasury", "社会救助资金", 100_000_000),
        Account("employer", "The employer", "用人单位", overdraws=True),
        Account("person", "The insured person's account", "参保人账户"),
        Account("hospital", "The hospital", "医疗机构"),
    ),
    devices=(
        _device("desk", "the service hall", "社保服务大厅", CARD.name),
        _device("desk-of-rights", "the agency's desk", "经办窗口", RIGHTS.name, region="440300"),
        _device("arrival", "the agency of arrival", "转入地经办窗口", RIGHTS.name, region="110100"),
        _device("job-centre", "the job centre", "就业服务中心", RIGHTS.name),
        _device("hall", "the dining hall", "养老院食堂", TAG.name),
        _device("gate", "the gate of the home", "养老院门禁", TAG.name),
        _device("care-office", "the care office", "照护评估室", TAG.name),
        _device("appraisal", "the committee that grades injuries", "劳动能力鉴定委员会", CARD.name),
    ),
    sheets=(CONTRIBUTION, *SHEETS, BENEFIT), entitlements=RIGHTS_OF_USE, worked_cases=(*PAID_IN, *CASES), part=PART,
    reports=(
        _report("benefits", "Benefits by account", "待遇支付", Counted.MOVED, "account"),
        _report("assessments", "Assessments", "待遇核定", Counted.ASSESSED, "sheet"),
        _report("services", "Rights used", "待遇享受", Counted.ADMITTED, "entitlement"),
        _report("refusals", "Refusals by reason", "拒绝原因", Counted.REFUSED, "reason"),
        _report("looks", "Looks at base records", "信息查询", Counted.LOOKED, "department"),
    ),
    journeys=(ENROLMENT, BENEFITS, IDLE, MOVING, ASSISTANCE, CARE, CORRECTION),
    words={"ma": "马丽", "spell": "参保记录", "liu": "刘刚", "zhao": "赵敏", "wu": "吴莉",
           "job": "就业登记", "old": "原参保地记录", "new": "新参保地记录", "employed": "在职",
           "<months paid in>": "累计缴费月数", "<old account>": "原参保地个人账户储存额",
           "<new account>": "新参保地个人账户储存额"},
)  # fmt: skip
