"""The state's own base records, to which sectors add theirs: who may see which record, by which clause.

Clauses are those of the laws as in force in 2025. A rule that rests on a law of its own field names it; what a state
organ needs besides for a duty that a law gives it goes by the Personal Information Protection Law (个人信息保护法),
Art. 13, first paragraph, item 3. A department that no rule names sees nothing without the holder's consent. It is a
sound default and no legal advice: who runs a register has its table of rules examined, and declares its own beside
it.
"""

from __future__ import annotations

from jinka.identity.base_records.catalogue import ANYONE, UPKEEP, Clause, Law, Named, Part, ViewRule
from jinka.sectors.state_holdings import KINDS


def _named(code: str, english: str, chinese: str) -> Named:
    return Named(code=code, title=(english, chinese))


def _law(code: str, english: str, chinese: str) -> Law:
    return Law(code=code, title=(english, chinese))


DEPARTMENTS = (
    _named("public-security", "public security (household register)", "公安户政"),
    _named("traffic-police", "traffic police", "公安交管"),
    _named("market-regulation", "market regulation", "市场监管"),
    _named("human-resources", "human resources and social security", "人力资源社会保障"),
    _named("social-insurance", "social insurance agency", "社会保险经办机构"),
    _named("medical-insurance", "medical insurance agency", "医疗保障经办机构"),
    _named("civil-affairs", "civil affairs", "民政"),
    _named("education", "education", "教育"),
    _named("tax", "tax authority", "税务"),
    _named("housing-fund", "housing provident fund", "住房公积金中心"),
    _named("health", "health service", "卫生健康"),
    _named("card-centre", "citizen card centre", "市民卡中心"),
    _named("credit-bureau", "credit bureau", "征信机构"),
    _named("bank", "bank", "银行"),
    _named("supervision", "supervision of personal information", "个人信息保护监督"),
)

PURPOSES = (
    _named(UPKEEP, "keeping one's own records", "本部门数据维护"),
    _named("identity-check", "verification of a holder", "身份核验"),
    _named("insurance-enrolment", "social insurance registration", "社会保险登记"),
    _named("benefit-check", "eligibility for a benefit", "待遇资格核验"),
    _named("assistance-check", "means test for assistance", "救助家庭经济状况核对"),
    _named("school-admission", "school admission", "入学招生"),
    _named("tax-assessment", "tax assessment", "税款征收"),
    _named("traffic-enforcement", "traffic enforcement", "道路交通执法"),
    _named("account-opening", "opening an account", "开立账户"),
    _named("loan-review", "review of a loan", "贷款审批"),
    _named("card-service", "issuing and serving a card", "卡片发行与服务"),
    _named("treatment", "medical treatment", "诊疗"),
    _named("audit", "audit of looks", "查询审计"),
)

LAWS = (
    _law("pipl", "Personal Information Protection Law", "中华人民共和国个人信息保护法"),
    _law("identity-card", "Resident Identity Card Law", "中华人民共和国居民身份证法"),
    _law("social-insurance", "Social Insurance Law", "中华人民共和国社会保险法"),
    _law("road-safety", "Road Traffic Safety Law", "中华人民共和国道路交通安全法"),
    _law("vehicle-tax", "Vehicle and Vessel Tax Law", "中华人民共和国车船税法"),
    _law("education", "Compulsory Education Law", "中华人民共和国义务教育法"),
    _law("assistance", "Interim Measures for Social Assistance", "社会救助暂行办法"),
    _law("real-name", "Provisions on Real Names of Personal Deposit Accounts", "个人存款账户实名制规定"),
    _law("enterprise-disclosure", "Interim Regulation on Enterprise Disclosure", "企业信息公示暂行条例"),
    _law(
        "entity-registration",
        "Regulation on the Registration of Market Entities",
        "中华人民共和国市场主体登记管理条例",
    ),
    _law("commercial-bank", "Law on Commercial Banks", "中华人民共和国商业银行法"),
    _law("credit", "Regulation on the Credit Reporting Industry", "征信业管理条例"),
)


def _rule(
    department: str, purpose: str, kind: str, fields: str, law: str, article: str, *,
    case: bool = False, commissioned: bool = False, emergency: bool = False,
) -> ViewRule:  # fmt: skip
    return ViewRule(
        department=department, purpose=purpose, kind=kind, fields=tuple(fields.split()),
        clause=Clause(law=law, article=article), case=case, commissioned=commissioned, emergency=emergency,
    )  # fmt: skip


_DUTY = ("pipl", "13(1)(3)")
_CORE = "identity_number name"
RULES = (
    # Registers of enterprises are published.
    _rule(
        ANYONE,
        ANYONE,
        "organisation",
        "credit_code name address founded status",
        "enterprise-disclosure",
        "6",
    ),
    # Who is registered as an officer is registered by his real name.
    _rule("market-regulation", "identity-check", "person", _CORE, "entity-registration", "15"),
    # The police tell the agencies of births, deaths and residence, market regulation of employers begun and ended.
    _rule(
        "social-insurance",
        "insurance-enrolment",
        "person",
        f"{_CORE} sex birth_date death_date residences employments",
        "social-insurance",
        "57",
        case=True,
    ),
    _rule(
        "social-insurance",
        "insurance-enrolment",
        "residence",
        "kind division since",
        "social-insurance",
        "57",
        case=True,
    ),
    _rule(
        "social-insurance",
        "insurance-enrolment",
        "employment",
        "employer since base_fen status",
        "social-insurance",
        "74",
        case=True,
    ),
    _rule(
        "social-insurance",
        "benefit-check",
        "person",
        f"{_CORE} birth_date death_date",
        "social-insurance",
        "57",
    ),
    _rule(
        "medical-insurance",
        "benefit-check",
        "person",
        f"{_CORE} birth_date death_date",
        "social-insurance",
        "57",
    ),
    # The applicant's own commission opens what the household has.
    _rule(
        "civil-affairs",
        "assistance-check",
        "person",
        f"{_CORE} residences vehicles employments",
        "assistance",
        "58",
        case=True,
        commissioned=True,
    ),
    _rule(
        "civil-affairs",
        "assistance-check",
        "employment",
        "employer since base_fen status",
        "assistance",
        "58",
        case=True,
        commissioned=True,
    ),
    _rule(
        "civil-affairs",
        "assistance-check",
        "vehicle",
        "model use registered status",
        "assistance",
        "58",
        case=True,
        commissioned=True,
    ),
    _rule(
        "education",
        "school-admission",
        "person",
        f"{_CORE} birth_date residences",
        "education",
        "12",
        case=True,
    ),
    _rule(
        "education",
        "school-admission",
        "residence",
        "kind division address since",
        "education",
        "12",
        case=True,
    ),
    _rule(
        "tax",
        "tax-assessment",
        "vehicle",
        "plate vin use displacement_ml registered status",
        "vehicle-tax",
        "10",
    ),
    _rule("traffic-police", "traffic-enforcement", "person", f"{_CORE} licences vehicles", *_DUTY, case=True),
    _rule(
        "traffic-police",
        "traffic-enforcement",
        "driver",
        "file_number vehicle_class valid_to points status",
        "road-safety",
        "24",
        case=True,
    ),
    _rule(
        "traffic-police",
        "traffic-enforcement",
        "vehicle",
        "plate vin model use inspected_until status",
        "road-safety",
        "13",
        case=True,
    ),
    _rule(
        "public-security",
        "identity-check",
        "person",
        f"{_CORE} sex birth_date",
        "identity-card",
        "15",
        case=True,
    ),
    _rule("bank", "account-opening", "person", _CORE, "real-name", "7", case=True),
    # Nobody waits for a consent where a life is in danger; a review follows.
    _rule(
        "health",
        "treatment",
        "person",
        "name sex birth_date emergency_contact",
        "pipl",
        "13(1)(4)",
        emergency=True,
    ),
    # The consent that the credit regulation wants (Art. 18) is that of an individual; a lender examines its borrower.
    _rule(ANYONE, ANYONE, "enterprise-credit", "public_entries", "credit", "21"),
    _rule(
        "bank",
        "loan-review",
        "enterprise-credit",
        "entries public_entries",
        "commercial-bank",
        "35",
        case=True,
    ),
)

PART = Part(departments=DEPARTMENTS, purposes=PURPOSES, laws=LAWS, kinds=KINDS, rules=RULES)
