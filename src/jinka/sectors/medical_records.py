"""The applications of medical insurance and health, the rights that stand on them, and who reads a patient's records.

The personal account has the files of JR/T 0025.2. The layout of the health card's records (WS/T 543) is not readable;
they are Jinka's. What is not the name opens to the authority's access key alone: it tells of a patient's health.
"""

from __future__ import annotations

from jinka.codec.fields import Coding
from jinka.identity.base_records import Clause, FieldSpec, FieldType, Named, Part, RecordKind, ViewRule
from jinka.identity.base_records import Sensitivity as Level
from jinka.profile.applications import pin, purse_application, record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.profile.spec import PersonalDatum

NHSA = "National Healthcare Security Administration 国家医疗保障局"
NHC = "National Health Commission 国家卫生健康委员会"
ACCOUNT = purse_application(
    name="cn.medical.account", aid=b"JINKA.MI.ACCT", fid=0x3F40, title_en="Personal medical account",
    title_zh="医保个人账户", authority=NHSA, standards=("JR/T 0025.2", "LD/T 33"), limit=2_000_000,
)  # fmt: skip
HEALTH_RECORDS = (
    record(1, "name", Coding.TEXT, 30, "周婷", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "scheme", Coding.TEXT, 10, "employee", "Scheme of insurance", "险种"),
    record(2, "insured until", Coding.DATE, 4, "20261231", "Insured until", "参保有效期"),
    record(3, "registered", Coding.TEXT, 12, "cardiology", "Registered for", "挂号科室",
           personal=PersonalDatum.SENSITIVE),
    record(4, "prescribed until", Coding.DATE, 4, "20260312", "Prescription valid until", "处方有效期",
           personal=PersonalDatum.SENSITIVE),
    record(5, "prescriptions", Coding.NUMBER, 1, "1", "Prescriptions not yet dispensed", "待取处方数",
           personal=PersonalDatum.SENSITIVE),
    record(6, "outpatient used", Coding.NUMBER, 4, "180000", "Outpatient deductible used, fen", "门诊起付线累计（分）",
           personal=PersonalDatum.SENSITIVE),
    record(7, "outpatient spent", Coding.NUMBER, 4, "26600", "Outpatient, by the fund, fen", "门诊基金累计（分）",
           personal=PersonalDatum.SENSITIVE),
)  # fmt: skip
HEALTH = record_application(
    name="cn.health.card", aid=b"JINKA.HEALTH.1", fid=0x3F41, title_en="Health card", title_zh="居民健康卡应用",
    authority=NHC, standards=("WS/T 543",), records=HEALTH_RECORDS, after_pin=(0x0006,), by_key=(0x0005,),
    extra_keys=(pin(),),
)  # fmt: skip
GAUGE_RECORDS = (
    record(1, "kind", Coding.TEXT, 16, "sphygmomanometer", "Kind of instrument", "器具类别"),
    record(2, "verified until", Coding.DATE, 4, "20260630", "Verified until", "检定有效期"),
)
GAUGE = record_application(
    name="cn.metrology.instrument", aid=b"JINKA.METRO.1", fid=0x3F42, title_en="Instrument's tag",
    title_zh="计量器具标签", authority="Market regulation 市场监督管理部门", standards=("JJF 1001",),
    records=GAUGE_RECORDS,
)  # fmt: skip
LICENCE = (
    record(1, "inspects", Coding.TEXT, 40, "sphygmomanometer,ecg", "Kinds that he inspects", "检定项目"),
    record(2, "licensed until", Coding.DATE, 4, "20271231", "Licensed until", "资格有效期"),
)
INSPECTOR = record_application(
    name="cn.metrology.inspector", aid=b"JINKA.METRO.2", fid=0x3F43, title_en="Inspector's card", title_zh="检定员证",
    authority="Market regulation 市场监督管理部门", standards=("JJF 1001",), records=LICENCE,
)  # fmt: skip


def _right(name: str, en: str, zh: str, of: str, *conditions: Condition, changes: tuple[Change, ...] = (),
           source: str = "") -> Entitlement:  # fmt: skip
    return Entitlement(name=name, title_en=en, title_zh=zh, application=of, conditions=conditions, changes=changes,
                       source=source)  # fmt: skip


_INSURED = Condition("insured until", Test.NOT_BEFORE, Fact("date"), "NOT_INSURED")
RIGHTS = (
    _right("see-doctor", "See the doctor", "就诊", HEALTH.name, _INSURED,
           Condition("registered", Test.EQUALS, Fact("clinic"), "NOT_REGISTERED"),
           changes=(Change("registered", put="-"),)),
    _right("settle", "Have a bill settled", "医保结算", HEALTH.name, _INSURED,
           Condition("scheme", Test.EQUALS, Fact("scheme"), "OTHER_SCHEME")),
    _right("dispense", "Have a prescription dispensed", "取药", HEALTH.name,
           Condition("prescribed until", Test.NOT_BEFORE, Fact("date"), "EXPIRED"),
           Condition("prescriptions", Test.AT_LEAST, 1, "DISPENSED"), changes=(Change("prescriptions", take=1),),
           source="处方管理办法第18条"),
    _right("use-instrument", "Use an instrument", "使用计量器具", GAUGE.name,
           Condition("verified until", Test.NOT_BEFORE, Fact("date"), "VERIFICATION_OVER"), source="计量法第9条"),
    _right("inspect", "Verify an instrument", "检定器具", INSPECTOR.name,
           Condition("licensed until", Test.NOT_BEFORE, Fact("date"), "LICENCE_OVER"),
           Condition("inspects", Test.LISTS, Fact("kind"), "OTHER_KIND"), source="计量法第20条"),
)  # fmt: skip
_PATIENT = RecordKind(
    name="patient", title=("patient", "患者"), person=True,
    fields=tuple(
        FieldSpec(name=name, title=title, type=FieldType.CITIZEN if key else FieldType.TEXT, source="health",
                  sensitivity=Level.SENSITIVE, key=key)
        for name, title, key in (
            ("patient_number", ("citizen number", "公民身份号码"), True),
            ("blood_group", ("blood group", "血型"), False),
            ("allergies", ("allergies", "过敏史"), False), ("diagnosis", ("diagnosis", "诊断"), False))
    ),
)  # fmt: skip
PART = Part(
    departments=(Named(code="other-hospital", title=("another hospital", "外院")),),
    kinds=(_PATIENT,),
    rules=(
        ViewRule(department="other-hospital", purpose="treatment", kind=_PATIENT.name,
                 fields=("blood_group", "allergies"),
                 clause=Clause(law="pipl", article="13(1)(4)"), emergency=True),
    ),
)  # fmt: skip
