"""Medical insurance and health: a bill split on the spot, the personal account as a purse, records, instruments.

The personal account is a purse of JR/T 0025.2 that pays no more than the bill leaves to it; the fund's part and cash
move between accounts. Shared records are base records: seen by consent, or in an emergency, which is always reviewed.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Account,
    Admit,
    Agree,
    Archetype,
    Ask,
    Assess,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Holds,
    Journey,
    JourneyCard,
    Keep,
    Party,
    Reads,
    Report,
    Review,
    Sector,
    Start,
    Step,
    Tap,
    Viewed,
    Withdraw,
    Write,
)
from jinka.sectors.medical_bills import BILLS, ZHOU
from jinka.sectors.medical_records import (
    ACCOUNT,
    GAUGE,
    GAUGE_RECORDS,
    HEALTH,
    HEALTH_RECORDS,
    INSPECTOR,
    LICENCE,
    NHSA,
    PART,
    RIGHTS,
)
from jinka.sectors.medical_rules import CASES, SHEETS
from jinka.tariff import full_price

# What the card says of the year goes into the bill, and what the bill comes to back onto the card.
_YEAR = {"used": "outpatient used", "spent": "outpatient spent"}
_KEPT: dict[str, int | str] = {"used": "=used", "spent": "=spent", "account": "=held"}
_NOW = {"used": "used now", "spent": "spent now", "paid": "from account"}
# A bill of the clinic needs a visit that was granted and insurance that was shown, and uses both up.
_VISIT = ("visit", "who")
_FIRST: dict[str, int | str] = {"class A": 200_000, "class B": 20_000, "class C": 1_000, "place": "hospital"}
_COMMUNITY: dict[str, int | str] = {"class B": 0, "class C": 0, "place": "community"}


def _again(at: str) -> tuple[Step, ...]:
    """Registered, seen and shown to be insured once more."""
    return (
        Write("zhou", "registration", {"registered": "cardiology"}, at=at),
        Admit("zhou", "clinic", "see-doctor", remembers={"visit": "admitted"}),
        Admit("zhou", "clinic", "settle", facts={"scheme": "employee"}, remembers={"who": "scheme"}),
    )


CLINIC = Journey(
    name="clinic", title_en="Registered, examined, prescribed", title_zh="挂号、就诊、开方、取药",
    date=dt.date(2026, 3, 9),
    cards=(
        ZHOU,
        JourneyCard("gauge", "A blood pressure meter", "血压计", (Start(application=GAUGE.name, records={
            "kind": "sphygmomanometer", "verified until": "20260311"}),)),
        JourneyCard("inspector", "The inspector's card", "检定员的卡", (Start(application=INSPECTOR.name, records={
            "inspects": "sphygmomanometer", "licensed until": "20271231"}),)),
    ),
    steps=(
        Admit("zhou", "clinic", "see-doctor", refused="NOT_REGISTERED", at="08:00"),
        Write("zhou", "registration", {"registered": "cardiology"}),
        Assess("outpatient", {**_FIRST, "used": 0, "spent": 0, "account": 0}, {}, refused="NOT_SHOWN", spends=_VISIT),
        Admit("zhou", "clinic", "see-doctor", remembers={"visit": "admitted"}),
        Admit("gauge", "instrument-desk", "use-instrument"),
        Assess("prescription", {"kind": "ordinary", "days": 8, "drugs": 2}, {}, refused="REFUSED"),
        Assess("prescription", {"kind": "ordinary", "days": 7, "drugs": 6}, {}, refused="REFUSED"),
        Assess("prescription", {"kind": "ordinary", "days": 7, "drugs": 5}, {"most": 7}),
        Reads("zhou", "clinic", {"outpatient used": "0", "outpatient spent": "0"}, remembers=_YEAR),
        Holds("zhou", 50_000, remembers="held"),
        Admit("zhou", "clinic", "settle", facts={"scheme": "employee"}, remembers={"who": "scheme"}),
        Assess("outpatient", {**_FIRST, **_KEPT},
               {"deductible": 180_000, "fund": 26_600, "from account": 50_000, "cash": 144_400}, remembers=_NOW,
               spends=_VISIT),
        Tap("zhou", "hospital-till", "=paid", gross="=paid"),
        Write("zhou", "clinic", {"outpatient used": "=used", "outpatient spent": "=spent"}),
        Reads("zhou", "clinic", {"outpatient used": "180000", "outpatient spent": "26600"}, remembers=_YEAR),
        Holds("zhou", 0, remembers="held"),
        *_again("10:00"),
        Assess("outpatient", {**_COMMUNITY, "class A": 10_000, **_KEPT},
               {"deductible": 0, "fund": 9_000, "cash": 1_000}, remembers=_NOW, spends=_VISIT),
        Assess("outpatient", {**_COMMUNITY, "class A": 10_000, **_KEPT}, {}, refused="USED_TWICE", spends=_VISIT),
        *_again("14:00"),
        Assess("outpatient", {**_COMMUNITY, "class A": 2_500_000, **_KEPT},
               {"fund": 1_964_400, "spent now": 2_000_000, "cash": 535_600}, remembers=_NOW, spends=_VISIT),
        Write("zhou", "clinic", {"outpatient used": "=used", "outpatient spent": "=spent"}),
        Write("zhou", "clinic", {"prescribed until": "20260309", "prescriptions": "1"}),
        Admit("zhou", "pharmacy", "dispense"),
        Admit("zhou", "pharmacy", "dispense", refused="DISPENSED"),
        Admit("zhou", "pharmacy", "dispense", at="+1 08:00", refused="EXPIRED"),
        Reads("zhou", "registration", {"scheme": "employee"}, refused=("name",)),
        Admit("gauge", "instrument-desk", "use-instrument", at="+5 08:00", refused="VERIFICATION_OVER"),
        Admit("inspector", "inspection", "inspect", facts={"kind": "ecg"}, refused="OTHER_KIND"),
        Admit("inspector", "inspection", "inspect", facts={"kind": "sphygmomanometer"}),
        Write("gauge", "instrument-desk", {"verified until": "20270311"}),
        Admit("gauge", "instrument-desk", "use-instrument"),
        Clear({"medical.hospital": 50_000}),
    ),
)  # fmt: skip
_LOOK = ("other-hospital", "treatment")
SHARED = Journey(
    name="shared-records", title_en="Who reads a patient's records", title_zh="病历共享与急诊调阅",
    date=dt.date(2026, 3, 9),
    steps=(
        Keep("zhou", "patient", "health", {"patient_number": "440398198509230045", "blood_group": "AB",
                                           "allergies": "penicillin", "diagnosis": "hypertension"}, at="09:00"),
        Ask("zhou", *_LOOK, fields=("diagnosis",), refused="NO_GROUND"),
        Agree("zhou", *_LOOK, ("diagnosis",), kind="patient", separate=True, as_="second opinion"),
        Ask("zhou", *_LOOK, {"diagnosis": "hypertension"}),
        Withdraw("zhou", "second opinion"),
        Ask("zhou", *_LOOK, fields=("diagnosis",), refused="WITHDRAWN"),
        Ask("zhou", *_LOOK, {"allergies": "penicillin", "blood_group": "AB"}, emergency=True, reason="unconscious"),
        Review("zhou", "justify", "", by="other-hospital", refused="REFUSED"),
        Review("zhou", "explain", "brought in unconscious", by="other-hospital"),
        Review("zhou", "justify", "the admission book agrees"),
        Review("zhou", "blame", "too late", refused="REFUSED"),
        Ask("zhou", *_LOOK, fields=("diagnosis",), emergency=True, reason="unconscious", refused="NO_EMERGENCY"),
        Viewed("zhou", tuple((*_LOOK, shown) for shown in (False, True, False, True, False))),
    ),
)  # fmt: skip


def _check(name: str, en: str, zh: str, application: str, **knows: str) -> Device:
    return Device(name, en, zh, DeviceKind.CHECK, application=application, knows=knows)


def _report(name: str, en: str, zh: str, counts: Counted, by: str) -> Report:
    return Report(name=name, title_en=en, title_zh=zh, counts=counts, by=by)


SECTOR = Sector(
    name="medical", title_en="Medical insurance and health", title_zh="医疗保险与卫生健康",
    about_en="Bills split into fund, personal account and cash; prescriptions; shared records; instruments.",
    about_zh="费用由基金、个人账户、现金分担；处方、病历共享、计量器具。",
    authority=NHSA, standards=("JR/T 0025.2", "LD/T 33", "WS/T 543"), archetypes=(Archetype.PURSE, Archetype.RECORD),
    profiles=(ACCOUNT, HEALTH, GAUGE, INSPECTOR),
    records={HEALTH.name: HEALTH_RECORDS, GAUGE.name: GAUGE_RECORDS, INSPECTOR.name: LICENCE},
    parties=(Party("medical.hospital", "Hospital", "医院"),),
    accounts=(
        Account("fund.medical", "Pooled fund", "统筹基金", 100_000_000),
        Account("fund.rural", "Rural fund", "新农合基金", 50_000_000),
        Account("agency.there", "Agency of the place of treatment", "就医地经办机构", 5_000_000),
        Account("patient", "The patient's cash", "患者现金", overdraws=True),
        Account("hospital", "The hospital", "医院"),
    ),
    devices=(
        Device("account-desk", "the insurance agency", "医保经办窗口", DeviceKind.LOAD),
        Device("hospital-till", "the hospital's till", "医院收费处", DeviceKind.PURSE, operator="medical.hospital"),
        _check("ward", "the ward", "住院处", HEALTH.name),
        _check("ward-there", "a hospital's ward in another province", "外省医院住院处", HEALTH.name),
        _check("registration", "registration", "挂号处", HEALTH.name),
        _check("clinic", "the clinic", "门诊诊室", HEALTH.name, clinic="cardiology"),
        _check("pharmacy", "the pharmacy", "药房", HEALTH.name),
        _check("instrument-desk", "the instrument room", "设备科", GAUGE.name),
        _check("inspection", "the metrology station", "计量检定所", INSPECTOR.name),
    ),
    tariffs={ACCOUNT.name: full_price("medical-account", title_en="From the account", title_zh="账户支付",
                                      gross_max_fen=2_000_000)},
    sheets=SHEETS, entitlements=RIGHTS, worked_cases=CASES, part=PART,
    reports=(
        _report("paid", "From personal accounts", "个人账户支付", Counted.PAID, "operator"),
        _report("split", "Bills by payee", "费用结算", Counted.MOVED, "account"),
        _report("services", "Services", "就医服务", Counted.ADMITTED, "entitlement"),
        _report("looks", "Looks at records", "病历查询", Counted.LOOKED, "department"),
    ),
    journeys=(*BILLS, CLINIC, SHARED),
    words={"zhou": "周婷", "cardiology": "心内科", "ecg": "心电图机", "employee": "职工医保",
           "rural": "新农合", "brought in unconscious": "送医时昏迷",
           "the admission book agrees": "与入院登记相符"},
)  # fmt: skip
