"""Tables of tourism as sheets, and the records of bookings: ticket ages, guides' licences, points of the past."""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.identity.base_records import (
    Clause,
    FieldSpec,
    FieldType,
    Named,
    Part,
    RecordKind,
    Sensitivity,
    ViewRule,
)
from jinka.kit import Unit
from jinka.tariff.sheet import Choose, Expression, Least, Line, Most, Sheet, Step, Unordered, percent

TICKET_LAW = "国家发展改革委关于进一步落实青少年门票价格优惠政策的通知（发改价格〔2012〕283号）"
GUIDE_LAW = "导游人员管理条例（国务院令第263号，2017年修订）"
REPEALED = "导游人员管理实施办法（国家旅游局令第15号，2001；2016年令第40号废止）"
OFFENCES = {
    "coercion": 10, "programme changed": 8, "tips asked": 6, "card not worn": 4, "late": 2,
}  # fmt: skip


def _number(code: str, en: str, zh: str, value: Expression) -> Line:
    return Line(code=code, title_en=en, title_zh=zh, unit=Unit.POINT, value=value)


TICKET = Sheet(
    name="ticket", title_en="Ticket of a priced sight", title_zh="政府定价景区门票", source=TICKET_LAW,
    facts=("price", "age", "cm", "student"),
    lines=(
        _number("rate", "per cent to be paid", "应付比例（%）", Least((
            Step("age", ((6, 0), (18, 50), (None, 100))), Step("cm", ((120, 0), (None, 100))),
            Choose("student", ((0, 100), (1, 50)))))),
        Line(code="due", title_en="to be paid", title_zh="应付票价", value=percent("price", "rate")),
    ),
    result="due", rising=("price",),
)  # fmt: skip
RENEWAL = Sheet(
    name="guide-renewal", title_en="Renewal of a guide's licence", title_zh="导游证换发", source=f"{GUIDE_LAW}第8条",
    facts=("months left",), rising=("months left",),
    lines=(
        _number("months", "months of a licence", "有效期（月）", 36),
        _number("in time", "applied for at least three months before the end", "届满3个月前申请",
                Step("months left", ((2, 0), (None, 1)))),
    ),
    result="in time",
)  # fmt: skip
SUSPENSION = Sheet(
    name="guide-suspension", title_en="Suspension for a programme changed on one's own",
    title_zh="擅自变更行程的暂扣期", source=f"{GUIDE_LAW}第22条", facts=("asked",),
    lines=(_number("months", "months, three to six", "暂扣月数（3至6个月）", Most((3, Least(("asked", 6))))),),
    result="months", rising=("asked",),
)  # fmt: skip
POINTS = Sheet(
    name="guide-points", title_en="Guide's points (repealed in 2016)", title_zh="导游扣分（2016年废止）",
    source=REPEALED, facts=("offence",), unordered=Unordered.WORDS,
    lines=(_number("points", "points of ten a year", "扣分（每年10分）", Choose("offence", tuple(OFFENCES.items()))),),
    result="points",
)  # fmt: skip
SHEETS = (TICKET, RENEWAL, SUSPENSION, POINTS)

CASES = (
    *(WorkedCase(title_en=f"{age} years, {cm} cm, student {student}", title_zh=f"{age}岁，{cm}厘米", sheet=TICKET.name,
                 facts={"price": 6_000, "age": age, "cm": cm, "student": student}, gives={"due": due},
                 source=f"{TICKET_LAW}: rates printed" + (", half the price one step" if due == 3_000 else ""),
                 derived=due == 3_000)
      for age, cm, student, due in (
          (6, 125, 0, 0), (7, 120, 0, 0), (7, 121, 0, 3_000), (18, 175, 0, 3_000), (19, 175, 0, 6_000),
          (21, 175, 1, 3_000))),
    *(WorkedCase(title_en=f"{left} months before the end", title_zh=f"届满前{left}个月", sheet=RENEWAL.name,
                 facts={"months left": left}, gives={"months": 36, "in time": in_time}, source=f"{GUIDE_LAW}第8条",
                 address="https://github.com/LawRefBook/Laws") for left, in_time in ((3, 1), (2, 0))),
    *(WorkedCase(title_en=f"{asked} months asked", title_zh=f"拟暂扣{asked}个月", sheet=SUSPENSION.name,
                 facts={"asked": asked}, gives={"months": months}, source=f"{GUIDE_LAW}第22条",
                 address="https://github.com/LawRefBook/Laws") for asked, months in ((1, 3), (5, 5), (9, 6))),
    *(WorkedCase(title_en=f"History: {offence}", title_zh=f"历史规定：扣{points}分", sheet=POINTS.name,
                 facts={"offence": offence}, gives={"points": points}, source=REPEALED)
      for offence, points in OFFENCES.items()),
)  # fmt: skip


def _field(
    name: str,
    en: str,
    zh: str,
    kind: FieldType,
    sensitivity: Sensitivity,
    *,
    key: bool = False,
    target: str = "",
) -> FieldSpec:
    return FieldSpec(
        name=name, title=(en, zh), type=kind, source="scenic-area", sensitivity=sensitivity, key=key, target=target,
        held=bool(target),
    )  # fmt: skip


BOOKINGS = Part(
    departments=(Named(code="scenic-area", title=("sight", "景区")),),
    purposes=(Named(code="admission", title=("admission by a booking", "预约核验入园")),),
    kinds=(RecordKind(name="booking", title=("booking", "门票预约"), fields=(
        _field("booking_number", "number of the booking", "订单号", FieldType.TEXT, Sensitivity.INTERNAL, key=True),
        _field("visitor", "visitor, whose booking it is", "游客（预约人）", FieldType.REFERENCE, Sensitivity.PERSONAL,
               target="person"),
        _field("visitor_number", "visitor's number", "游客公民身份号码", FieldType.CITIZEN, Sensitivity.PERSONAL),
        _field("sight", "sight", "景区", FieldType.TEXT, Sensitivity.INTERNAL),
        _field("day", "day of the visit", "参观日期", FieldType.DATE, Sensitivity.INTERNAL),
    )),),
    rules=(ViewRule(
        department="scenic-area", purpose="admission", kind="booking",
        fields=("booking_number", "visitor_number", "sight", "day"), clause=Clause(law="pipl", article="13(1)(2)"),
    ),),
)  # fmt: skip
