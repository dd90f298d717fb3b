"""Pensions of people who were insured in two regions: kept spells, what counts once, who may draw where.

社会保险法 Art. 16, 19; 国办发〔2009〕66号; 人社厅发〔2019〕94号. Months are counted from year 0, as the sheets do.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import Admit, Ask, Assess, Journey, Keep, Stands, Tell, Write
from jinka.identity.base_records import Clause, FieldSpec, FieldType, Named, Part, RecordKind, ViewRule
from jinka.identity.base_records import Sensitivity as Level
from jinka.sectors.social_insurance_rights import insured_card
from jinka.sectors.social_insurance_rules import since_0

_AGENCY, _ELSEWHERE = "social-insurance", "agency-of-arrival"
_SPELL = RecordKind(
    name="insurance-spell",
    title=("spell of insurance", "参保记录"),
    fields=tuple(
        FieldSpec(name=name, title=title, type=kind, source=_AGENCY, sensitivity=Level.PERSONAL, target=target,
                  words=words, held=bool(target))
        for name, title, kind, target, words in (
            ("insured", ("insured person", "参保人"), FieldType.REFERENCE, "person", ()),
            ("division", ("region", "统筹地区"), FieldType.DIVISION, "", ()),
            ("months", ("months", "缴费月数"), FieldType.COUNT, "", ()),
            ("first", ("first month", "起始月"), FieldType.COUNT, "", ()),
            ("last", ("last month", "终止月"), FieldType.COUNT, "", ()),
            ("account_fen", ("personal account, fen", "个人账户储存额（分）"), FieldType.COUNT, "", ()),
            ("status", ("status", "状态"), FieldType.WORD, "", ("paying", "transferred", "drawn")),
        )
    ),
)  # fmt: skip
PART = Part(
    departments=(Named(code=_ELSEWHERE, title=("agency of the place of arrival", "转入地经办机构")),),
    purposes=(Named(code="transfer", title=("transfer of insurance", "关系转移接续")),),
    kinds=(_SPELL,),
    rules=(
        ViewRule(department=_ELSEWHERE, purpose="transfer", kind=_SPELL.name,
                 fields=("division", "months", "first", "last", "account_fen", "status"),
                 clause=Clause(law="social-insurance", article="19"), case=True),
    ),
)  # fmt: skip


_SPELLS = {"old": ("440300", 121, since_0(2010, 1), since_0(2020, 1), 4_850_000),
           "new": ("110100", 66, since_0(2020, 1), since_0(2025, 6), 3_600_000)}  # fmt: skip


def _kept(name: str) -> dict[str, str]:
    region, months, first, last, account = _SPELLS[name]
    return {"division": region, "months": str(months), "first": str(first), "last": str(last)} | {
        "account_fen": str(account),
        "status": "paying",
    }


ZHAO = insured_card("zhao", "Zhao Min's card", "赵敏的卡", months="121", retires_on="20251201",
                    job_seeker_until="20261231", benefit_months="3")  # fmt: skip
YOUNG = insured_card("young", "a younger colleague's card", "年轻同事的卡")
_LEAST = {"least": "=least"}
_DRAWN = {"paid months": "months"}
_PENSION: dict[str, int | str] = {"average": 1_200_000, "index": 95, "paid months": "=paid months",
                                  "account": "=account", "age": "=age", "additional": 0}  # fmt: skip
MOVING = Journey(
    name="moving", title_en="Insured in two regions", title_zh="跨地区参保",
    date=dt.date(2026, 5, 6), cards=(ZHAO, YOUNG),
    steps=(
        Keep("zhao", "person", "public-security", {"identity_number": "110105197009150027", "name": "赵敏"},
             at="09:00"),
        Keep("old", "insurance-spell", _AGENCY, {"insured": "@zhao", **_kept("old")}),
        Keep("new", "insurance-spell", _AGENCY, {"insured": "@zhao", **_kept("new")}),
        Assess("retirement", {"who": "woman of 55", "born": since_0(1970, 9)},
               {"delay": 3, "retires": since_0(2025, 12), "full years": 55, "least": 180},
               remembers={"least": "least", "age": "full years"}),
        Admit("zhao", "desk-of-rights", "draw-pension", facts=_LEAST, refused="TOO_FEW_MONTHS"),
        Ask("old", _ELSEWHERE, "transfer", fields=("months", "status"), refused="NO_CASE"),
        Ask("old", _ELSEWHERE, "transfer", _kept("old"), case="T-2026-31",
            remembers={"old months": "months", "last": "last", "old account": "account_fen"}),
        Ask("new", _ELSEWHERE, "transfer", _kept("new"), case="T-2026-31",
            remembers={"new months": "months", "first": "first", "new account": "account_fen"}),
        Tell("January 2020 was paid in both regions: it counts once. A gap would be no hindrance.",
             "2020年1月两地重复缴费，只计一次；断缴并不影响转移。"),
        Assess("transfer", {"old months": "=old months", "new months": "=new months", "last old": "=last",
                            "first new": "=first", "old account": "=old account", "new account": "=new account"},
               {"paid twice": 1, "months": 186, "account": 8_450_000},
               remembers={"months": "months", "account": "account"}),
        Assess("transfer", {"old months": 120, "new months": 66, "last old": since_0(2019, 12),
                            "first new": since_0(2020, 3), "old account": 0, "new account": 0},
               {"paid twice": 0, "months": 186}),
        Keep("old", "insurance-spell", _AGENCY, {"status": "transferred"}),
        Keep("old", "insurance-spell", _ELSEWHERE, {"status": "paying"}, refused="REFUSED"),
        Write("zhao", "arrival", {"insured at": "110100", "months": "=months"}),
        Admit("zhao", "desk-of-rights", "draw-pension", facts=_LEAST, refused="INSURED_ELSEWHERE", remembers=_DRAWN),
        Assess("pension", _PENSION, {}, refused="NOT_SHOWN"),
        Tell("Where she is insured now it is granted, and the months on her card are those that it is paid for.",
             "现参保地准予领取，养老金按卡上累计月数核定发放。"),
        Admit("zhao", "arrival", "draw-pension", facts=_LEAST, remembers=_DRAWN),
        Assess("pension", _PENSION, {"base": 181_350, "from account": 49_706, "pension": 231_056},
               spends=("paid months",)),
        Admit("zhao", "arrival", "draw-pension", facts=_LEAST, refused="ALREADY_DRAWN"),
        Assess("pension", _PENSION, {}, refused="USED_TWICE"),
        Stands("person", 231_056),
        Stands("fund.pension", 50_000_000 - 231_056),
        Tell("Who draws a pension draws no unemployment benefit beside it.", "领取养老金者不得同时领取失业金。"),
        Admit("zhao", "job-centre", "benefit-month", facts={"next month": "20260601"}, refused="DRAWS_PENSION"),
        Admit("young", "desk-of-rights", "draw-pension", facts=_LEAST, refused="NOT_RETIRED"),
    ),
)  # fmt: skip
