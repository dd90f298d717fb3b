"""Bills of medical insurance that hang on a right: stays in hospital, treatment elsewhere, the farmers' card of 2012.

The card shows the scheme by which the bill is made out; without that right there is no bill. Treated in another
province, the agency there pays the hospital and the home fund pays that agency (医保发〔2022〕22号).
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import Admit, Assess, Clear, Holds, Journey, JourneyCard, Load, Stands, Start, Tap
from jinka.sectors.medical_records import ACCOUNT, HEALTH


def _holder(**records: str) -> tuple[Start, ...]:
    held = {"name": "周婷", "scheme": "employee", "insured until": "20261231", "registered": "-",
            "prescribed until": "20260312", "prescriptions": "0", "outpatient used": "0",
            "outpatient spent": "0"} | records  # fmt: skip
    return (
        Start(application=ACCOUNT.name, balance=50_000),
        Start(application=HEALTH.name, pin="314159", records=held),
    )


ZHOU = JourneyCard("zhou", "Zhou Ting's card", "周婷的卡", _holder())
_BILL: dict[str, int | str] = {"grade": 3, "who": "=who", "ceiling": 10_000_000}
_SETTLES = {"scheme": "employee"}
_SHOWN = {"who": "scheme"}
_STAY = ("who",)
_SECOND: dict[str, int | str] = {**_BILL, "class A": 9_000_000, "class B": 0, "class C": 0, "stay": 2,
                                 "spent": "=spent", "account": "=held"}  # fmt: skip
WARD = Journey(
    name="ward", title_en="Two stays in a year", title_zh="一年两次住院", date=dt.date(2026, 3, 9), cards=(ZHOU,),
    steps=(
        Load("zhou", "account-desk", 30_000, at="08:00"),
        Admit("zhou", "ward", "settle", facts=_SETTLES, remembers=_SHOWN, at="10:00"),
        Holds("zhou", 80_000, remembers="held"),
        Assess("inpatient", {**_BILL, "class A": 4_000_000, "class B": 1_000_000, "class C": 20_000, "stay": 1,
                             "spent": 0, "account": "=held"},
               {"scope": 4_900_000, "deductible": 130_000, "fund": 4_194_500, "own": 825_500, "from account": 80_000,
                "cash": 745_500}, remembers={"spent": "spent now", "account": "from account"}, spends=_STAY),
        Tap("zhou", "hospital-till", "=account", gross="=account"),
        Holds("zhou", 0, remembers="held", at="+60 10:00"),
        Assess("inpatient", _SECOND, {}, refused="USED_TWICE", spends=_STAY),
        Admit("zhou", "ward", "settle", facts=_SETTLES, remembers=_SHOWN),
        Assess("inpatient", _SECOND,
               {"deductible": 65_000, "fund": 5_805_500, "spent now": 10_000_000, "own": 3_194_500}, spends=_STAY),
        Clear({"medical.hospital": 80_000}, {"loads.medical": 30_000}),
        Admit("zhou", "ward", "settle", facts=_SETTLES, remembers=_SHOWN, refused="NOT_INSURED", at="+300 10:00"),
        Assess("inpatient", {**_SECOND, "stay": 1, "spent": 0}, {}, refused="NOT_SHOWN", spends=_STAY),
        Stands("hospital", 4_194_500 + 745_500 + 5_805_500 + 3_194_500),
    ),
)  # fmt: skip
_ELSEWHERE: dict[str, int | str] = {
    "deductible": 100_000,
    "ratio": 85,
    "spent": 0,
    "ceiling": 10_000_000,
    "scope": "=scope",
    "outside": "=out",
}
_THERE: dict[str, int | str] = {"class A": 1_000_000, "class B": 200_000, "local drug": 50_000}
TRAVEL = Journey(
    name="elsewhere", title_en="Treated in another province", title_zh="跨省异地就医", date=dt.date(2026, 5, 11),
    cards=(ZHOU,),
    steps=(
        Assess("catalogue-there", {**_THERE, "place": "listed there"}, {"scope": 1_230_000, "outside": 20_000},
               at="09:00",
               remembers={"scope": "scope", "out": "outside"}),
        Assess("benefits-of-home", {**_ELSEWHERE, "how": "referred"}, {}, refused="NOT_SHOWN", spends=_STAY),
        Admit("zhou", "ward-there", "settle", facts=_SETTLES, remembers=_SHOWN),
        Assess("benefits-of-home", {**_ELSEWHERE, "how": "neither"}, {"ratio there": 65, "fund": 734_500},
               posts=False),
        Assess("benefits-of-home", {**_ELSEWHERE, "how": "referred"},
               {"ratio there": 75, "fund": 847_500, "cash": 402_500}, remembers={"owed": "fund"}, spends=_STAY),
        Stands("hospital", 1_250_000),
        Stands("agency.there", 5_000_000 - 847_500),
        Assess("catalogue-there", {**_THERE, "place": "not listed there"}, {"scope": 1_180_000, "outside": 70_000}),
        Assess("between-agencies", {"owed": "=owed"}, {"paid": 847_500}, spends=("owed",), at="+25 10:00"),
        Assess("between-agencies", {"owed": "=owed"}, {}, refused="USED_TWICE", spends=("owed",)),
        Stands("agency.there", 5_000_000),
        Stands("fund.medical", 100_000_000 - 847_500),
    ),
)  # fmt: skip
FARMER = JourneyCard(
    "farmer", "A farmer's card", "农民的卡", _holder(scheme="rural", **{"insured until": "20121231"})
)
_RURAL: dict[str, int | str] = {"scheme": "=who", "level": "county"}
FARM = Journey(
    name="farmers-card", title_en="The farmers' card of 2012", title_zh="新农合卡（2012年）",
    date=dt.date(2012, 3, 19), cards=(FARMER,),
    steps=(
        Admit("farmer", "ward", "settle", facts=_SETTLES, remembers=_SHOWN, refused="OTHER_SCHEME", at="09:00"),
        Assess("farmers", {**_RURAL, "scope": 830_000, "spent": 0}, {}, refused="NOT_SHOWN", spends=_STAY),
        Admit("farmer", "ward", "settle", facts={"scheme": "rural"}, remembers=_SHOWN),
        Assess("farmers", {**_RURAL, "scope": 830_000, "spent": 0}, {"fund": 600_000, "cash": 230_000},
               remembers={"spent": "spent now"}, spends=_STAY),
        Admit("farmer", "ward", "settle", facts={"scheme": "rural"}, remembers=_SHOWN, at="+90 09:00"),
        Assess("farmers", {**_RURAL, "scope": 7_300_000, "spent": "=spent"},
               {"fund": 5_400_000, "spent now": 6_000_000, "cash": 1_900_000}, remembers={"spent": "spent now"},
               spends=_STAY),
        Admit("farmer", "ward", "settle", facts={"scheme": "rural"}, remembers=_SHOWN, at="+300 09:00",
              refused="NOT_INSURED"),
        Assess("farmers", {**_RURAL, "scope": 830_000, "spent": 0}, {}, refused="NOT_SHOWN", spends=_STAY),
        Stands("fund.rural", 50_000_000 - 6_000_000),
        Stands("hospital", 830_000 + 7_300_000),
    ),
)  # fmt: skip
BILLS = (WARD, TRAVEL, FARM)
