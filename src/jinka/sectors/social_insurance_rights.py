"""What authorities write onto the cards of social insurance and care, and the rights that stand on it.

The card of LD/T 33 in its second version asks for the PIN before it names its holder (Jinka's choice: the standard's
rights are not readable). What tells of assistance, unemployment, injury or care opens to the authority's access key.
"""

from __future__ import annotations

from dataclasses import replace

from jinka.codec.fields import Coding
from jinka.declaration import JourneyCard, Start
from jinka.profile.applications import pin, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum
from jinka.sectors.social_security import HOLDER, PROFILE, READ_RIGHT

SENSITIVE = PersonalDatum.SENSITIVE
CARD = replace(
    PROFILE,
    version=2,
    files=tuple(
        replace(one, read_right=READ_RIGHT) if (one.folder, one.fid) == (0, HOLDER) else one
        for one in PROFILE.files
    ),
)
INSURED = (
    record(1, "insured at", Coding.DIGITS, 3, "440300", "Region of insurance", "参保地"),
    record(2, "months", Coding.NUMBER, 2, "120", "Months paid in", "累计缴费月数"),
    record(3, "pension drawn", Coding.NUMBER, 1, "0", "Pension is drawn", "已领取养老金"),
    record(4, "job seeker until", Coding.DATE, 4, "20261231", "Registered job seeker until", "求职登记有效期",
           personal=SENSITIVE),
    record(5, "benefit months", Coding.NUMBER, 1, "12", "Months of unemployment benefit", "失业金剩余月数",
           personal=SENSITIVE),
    record(6, "training left", Coding.NUMBER, 1, "1", "Training courses left", "培训券余数"),
    record(7, "assistance until", Coding.DATE, 4, "20261231", "Assistance until", "救助有效期", personal=SENSITIVE),
    record(8, "retires on", Coding.DATE, 4, "20251201", "Day of retirement", "法定退休日期"),
    record(9, "benefit next", Coding.DATE, 4, "20260401", "Next benefit on", "下次失业金发放日", personal=SENSITIVE),
    record(10, "injury grade", Coding.NUMBER, 1, "4", "Grade of injury", "伤残等级", personal=SENSITIVE),
    record(11, "injury grant", Coding.NUMBER, 1, "0", "One-time injury grant was paid", "已付一次性伤残补助金",
           personal=SENSITIVE),
    record(12, "aid next", Coding.DATE, 4, "20260401", "Next allowance on", "下次保障金发放日", personal=SENSITIVE),
)  # fmt: skip
_EMPLOYMENT, _INSURANCE = 0xDF02, 0xDF03
# LD/T 33 has these files; their columns are not readable, so these are Jinka's.
FOLDER_RECORDS = (
    replace(record(1, "employment", Coding.TEXT, 10, "employed", "Employment", "就业状态", fid=0xEF05,
                   personal=SENSITIVE), folder=_EMPLOYMENT),
    replace(record(1, "idle months", Coding.NUMBER, 1, "12", "Unemployment months", "失业保险月数", fid=0xEF05,
                   personal=SENSITIVE), folder=_INSURANCE),
    replace(record(1, "pension months", Coding.NUMBER, 2, "186", "Pension months", "养老保险月数", fid=0xEF07),
            folder=_INSURANCE),
    replace(record(1, "injury grade", Coding.NUMBER, 1, "4", "Grade of injury", "工伤等级", fid=0xEF15,
                   personal=SENSITIVE), folder=_INSURANCE),
)  # fmt: skip
RIGHTS = record_application(
    name="cn.social-insurance.rights", aid=b"JINKA.SI.RIGHTS", fid=0x3F30, title_en="Insurance and assistance",
    title_zh="社保与救助记录", authority="Ministry of Human Resources and Social Security 人力资源和社会保障部",
    standards=("LD/T 33",), records=INSURED, by_key=(0x0005,), extra_keys=(pin(),),
)  # fmt: skip
WORN = (
    record(1, "care level", Coding.NUMBER, 1, "3", "Level of care", "照护等级", personal=SENSITIVE),
    record(2, "home", Coding.TEXT, 8, "C-204", "Room", "房间", personal=SENSITIVE),
    record(3, "meals", Coding.NUMBER, 1, "3", "Meals left today", "当日餐次"),
)
TAG = record_application(
    name="cn.elder-care.tag", aid=b"JINKA.CARE.TAG", fid=0x3F31, title_en="Worn tag", title_zh="老人佩戴标签",
    authority="Ministry of Civil Affairs 民政部", standards=("GB/T 42195",), records=WORN, by_key=(0x0005,),
)  # fmt: skip


def _right(
    name: str, en: str, zh: str, application: str, *conditions: Condition,
    changes: tuple[Change, ...] = (), source: str = "",
) -> Entitlement:  # fmt: skip
    return Entitlement(
        name=name, title_en=en, title_zh=zh, application=application, conditions=conditions, changes=changes,
        source=source,
    )  # fmt: skip


_SEEKS = Condition("job seeker until", Test.NOT_BEFORE, Fact("date"), "NOT_REGISTERED")
RIGHTS_OF_USE = (
    _right("draw-pension", "Begin to draw the pension", "申领养老金", RIGHTS.name,
           Condition("pension drawn", Test.AT_MOST, 0, "ALREADY_DRAWN"),
           Condition("retires on", Test.NOT_AFTER, Fact("date"), "NOT_RETIRED"),
           Condition("insured at", Test.EQUALS, Fact("region"), "INSURED_ELSEWHERE"),
           Condition("months", Test.AT_LEAST, Fact("least"), "TOO_FEW_MONTHS"),
           changes=(Change("pension drawn", put="1"),), source="社会保险法第16、19条"),
    _right("benefit-month", "A month of unemployment benefit", "领取一个月失业金", RIGHTS.name,
           Condition("pension drawn", Test.AT_MOST, 0, "DRAWS_PENSION"), _SEEKS,
           Condition("benefit months", Test.AT_LEAST, 1, "USED_UP"),
           Condition("benefit next", Test.NOT_AFTER, Fact("date"), "PAID_THIS_MONTH"),
           changes=(Change("benefit next", put=Fact("next month")), Change("benefit months", take=1)),
           source="失业保险条例第14、15、17条；社会保险法第51条"),
    _right("training", "A training course", "参加职业培训", RIGHTS.name, _SEEKS,
           Condition("training left", Test.AT_LEAST, 1, "USED_UP"), changes=(Change("training left", take=1),)),
    _right("injury-benefit", "Benefits for an injury at work", "享受工伤待遇", RIGHTS.name,
           Condition("injury grade", Test.AT_LEAST, 1, "NOT_ASSESSED"),
           Condition("injury grant", Test.AT_MOST, 0, "GRANT_PAID"),
           changes=(Change("injury grant", put="1"),), source="工伤保险条例第23、35—37条"),
    _right("assisted", "Treated as a household in need", "救助对象待遇", RIGHTS.name,
           Condition("assistance until", Test.NOT_BEFORE, Fact("date"), "NOT_ASSISTED")),
    _right("aid-month", "A month of subsistence allowance", "领取当月保障金", RIGHTS.name,
           Condition("assistance until", Test.NOT_BEFORE, Fact("date"), "NOT_ASSISTED"),
           Condition("aid next", Test.NOT_AFTER, Fact("date"), "PAID_THIS_MONTH"),
           changes=(Change("aid next", put=Fact("next month")),), source="社会救助暂行办法第12条"),
    _right("go-out", "Go out alone", "独自外出", TAG.name, Condition("care level", Test.AT_MOST, 2, "NOT_ALONE")),
    _right("meal", "A meal in the hall", "食堂就餐", TAG.name, Condition("meals", Test.AT_LEAST, 1, "USED_UP"),
           changes=(Change("meals", take=1),)),
)  # fmt: skip


def insured_card(name: str, en: str, zh: str, **records: str) -> JourneyCard:
    """A card of an insured person; ``records`` with _ for spaces."""
    return JourneyCard(name, en, zh, (Start(
        application=RIGHTS.name, pin="135790",
        records={"insured at": "440300", "months": "186", "pension drawn": "0", "retires on": "20301201",
                 "benefit next": "20260401"} | {
            key.replace("_", " "): value for key, value in records.items()},
    ),))  # fmt: skip
