"""Tables of medical insurance as sheets: a bill's split at home and elsewhere, the farmers' table, prescriptions.

Beijing's bands (北京市基本医疗保险规定) are those in force from about 2012 to 2024; the notices themselves were not
at hand. No Chinese authority's worked bill was found, so the bill whose results are printed is Japan's monthly ceiling
(高額療養費), and is named so.
"""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import (
    Choose,
    Least,
    Less,
    Line,
    Marginal,
    Minus,
    Sheet,
    Step,
    Sum,
    Unordered,
    percent,
)

BEIJING = "北京市基本医疗保险规定（市政府令第158号，约2012—2024年执行标准）"
REMOTE = "关于进一步做好基本医疗保险跨省异地就医直接结算工作的通知（医保发〔2022〕22号）"
RURAL = "关于做好2012年新型农村合作医疗工作的通知（卫农卫发〔2012〕36号）；起付线为示例县标准"
PRESCRIBED = "处方管理办法（卫生部令第53号）第6、18、19、23—25条"
JAPAN = "厚生労働省 高額療養費の自己負担限度額の見直しに係る計算事例（2015-01）"


def _after(deductible: str, *rates: int) -> Marginal:
    return Marginal(
        "scope", ((deductible, 0), *zip((3_000_000, 4_000_000, None), rates, strict=True)), per=100
    )


BILL = Sheet(
    name="inpatient", title_en="Inpatient bill, employees", title_zh="职工住院费用结算", source=BEIJING,
    facts=("class A", "class B", "class C", "grade", "stay", "who", "spent", "ceiling", "account"),
    lines=(
        Line(code="total", title_en="bill", title_zh="费用总额", value=Sum(("class A", "class B", "class C"))),
        Line(code="scope", title_en="within the catalogue: A, and 90 % of B",
             title_zh="目录内费用（甲类全额、乙类90%）",
             value=Sum(("class A", percent("class B", 90)))),
        Line(code="deductible", title_en="deductible", title_zh="起付线",
             value=Least(("scope", Step("stay", ((1, 130_000), (None, 65_000)))))),
        Line(code="band", title_en="by bands", title_zh="分段按比例", value=Choose("grade", (
            (3, _after("deductible", 85, 90, 95)), (2, _after("deductible", 87, 92, 97)),
            (1, _after("deductible", 90, 95, 97))))),
        Line(code="share", title_en="own share, a pensioner's at 60 %", title_zh="个人按比例负担", value=percent(
            Less(Less("scope", "deductible"), "band"), Choose("who", (("employee", 100), ("pensioner", 60))))),
        Line(code="fund", title_en="fund, up to the year's ceiling", title_zh="统筹基金支付（年度封顶）",
             payer="fund.medical", payee="hospital",
             value=Least((
            Less(Less("scope", "deductible"), "share"), Less("ceiling", "spent")))),
        Line(code="spent now", title_en="paid by the fund this year", title_zh="年度基金累计支付",
             value=Sum(("spent", "fund"))),
        Line(code="own", title_en="left to the patient", title_zh="个人负担合计", value=Less("total", "fund")),
        Line(code="from account", title_en="from the personal account", title_zh="个人账户支付", value=Least((
            Less("own", "class C"), "account"))),
        Line(code="cash", title_en="cash", title_zh="现金支付", value=Less("own", "from account"), payer="patient",
             payee="hospital"),
    ),
    result="own", rising=("class A", "class B", "class C"),
)  # fmt: skip
CLINIC = Sheet(
    name="outpatient", title_en="Outpatient bill, employees", title_zh="职工门诊费用结算", source=BEIJING,
    facts=("class A", "class B", "class C", "place", "used", "spent", "account"),
    lines=(
        Line(code="total", title_en="bill", title_zh="费用总额", value=Sum(("class A", "class B", "class C"))),
        Line(code="scope", title_en="within the catalogue: A, and 90 % of B",
             title_zh="目录内费用（甲类全额、乙类90%）",
             value=Sum(("class A", percent("class B", 90)))),
        Line(code="deductible", title_en="what is left of the year's deductible", title_zh="当年剩余起付线",
             value=Least(("scope", Less(180_000, "used")))),
        Line(code="fund", title_en="fund, up to 20,000 yuan in the year", title_zh="统筹基金支付（年度封顶2万元）",
             payer="fund.medical", payee="hospital", value=Least((
                 Choose("place", (("hospital", percent(Less("scope", "deductible"), 70)),
                                  ("community", percent(Less("scope", "deductible"), 90)))),
                 Less(2_000_000, "spent")))),
        Line(code="used now", title_en="deductible used this year", title_zh="年度起付线累计",
             value=Sum(("used", "deductible"))),
        Line(code="spent now", title_en="paid by the fund this year", title_zh="年度基金累计支付",
             value=Sum(("spent", "fund"))),
        Line(code="own", title_en="left to the patient", title_zh="个人负担合计", value=Less("total", "fund")),
        Line(code="from account", title_en="from the personal account", title_zh="个人账户支付", value=Least((
            Less("own", "class C"), "account"))),
        Line(code="cash", title_en="cash", title_zh="现金支付", value=Less("own", "from account"), payer="patient",
             payee="hospital"),
    ),
    result="own", rising=("class A", "class B", "class C"),
)  # fmt: skip
PLACE = Sheet(
    name="catalogue-there", title_en="Catalogue of the place of treatment", title_zh="就医地目录", source=REMOTE,
    facts=("place", "class A", "class B", "local drug"),
    lines=(
        Line(code="drug", title_en="a drug that only some places list", title_zh="地方增补药品",
             value=Choose("place", (
            ("listed there", "local drug"), ("not listed there", 0)))),
        Line(code="scope", title_en="within the catalogue", title_zh="目录内费用",
             value=Sum(("class A", percent("class B", 90), "drug"))),
        Line(code="outside", title_en="outside of it", title_zh="目录外费用", value=Minus(
            Sum(("class A", "class B", "local drug")), "scope")),
    ),
    result="scope", rising=("class A", "class B"),
)  # fmt: skip
HOME = Sheet(
    name="benefits-of-home", title_en="Benefits of the place of insurance", title_zh="参保地待遇", source=REMOTE,
    facts=("scope", "outside", "deductible", "ratio", "how", "spent", "ceiling"),
    lines=(
        Line(code="ratio there", title_en="ratio, lower when treated elsewhere", title_zh="异地支付比例",
             unit=Unit.POINT,
             value=Less("ratio", Choose("how", (("resident there", 0), ("referred", 10), ("emergency", 10),
                                                ("neither", 20))))),
        Line(code="fund", title_en="fund", title_zh="基金支付", payer="agency.there", payee="hospital", value=Least((
            percent(Less("scope", "deductible"), "ratio there"), Less("ceiling", "spent")))),
        Line(code="cash", title_en="cash", title_zh="个人现金", value=Less(Sum(("scope", "outside")), "fund"),
             payer="patient",
             payee="hospital"),
    ),
    result="fund", rising=("scope",),
)  # fmt: skip
BETWEEN = Sheet(
    name="between-agencies", title_en="What the home fund owes the agency there", title_zh="跨省清算", source=REMOTE,
    facts=("owed",), result="paid", rising=("owed",),
    lines=(
        Line(code="paid", title_en="paid to the agency of the place of treatment", title_zh="拨付就医地经办机构",
             value="owed", payer="fund.medical", payee="agency.there"),
    ),
)  # fmt: skip
FARMERS = Sheet(
    name="farmers", title_en="Inpatient bill, new rural cooperative", title_zh="新农合住院补偿", source=RURAL,
    facts=("scheme", "scope", "level", "spent"),
    lines=(
        Line(code="deductible", title_en="deductible", title_zh="起付线", value=Choose("level", (
            ("township", 10_000), ("county", 30_000), ("province", 80_000)))),
        Line(code="fund", title_en="75 %, up to 60,000 yuan in the year", title_zh="按75%补偿（年度封顶6万元）",
             value=Least((percent(Less("scope", "deductible"), Choose("scheme", (("rural", 75),))),
                          Less(6_000_000, "spent"))), payer="fund.rural", payee="hospital"),
        Line(code="spent now", title_en="paid by the fund this year", title_zh="年度基金累计支付",
             value=Sum(("spent", "fund"))),
        Line(code="cash", title_en="cash", title_zh="个人现金", value=Less("scope", "fund"), payer="patient",
             payee="hospital"),
    ),
    result="fund", rising=("scope",),
)  # fmt: skip
_DAYS = {
    "ordinary": 7, "emergency": 3, "narcotic injection": 1, "slow-release narcotic": 7, "narcotic, other form": 3,
    "narcotic injection, pain": 3, "slow-release narcotic, pain": 15, "narcotic, other form, pain": 7,
    "methylphenidate": 15, "psychotropic II": 7,
}  # fmt: skip
_KIND_ZH = {
    "ordinary": "普通处方", "emergency": "急诊处方", "narcotic injection": "麻醉药品、第一类精神药品注射剂",
    "slow-release narcotic": "麻醉药品、第一类精神药品控缓释制剂",
    "narcotic, other form": "麻醉药品、第一类精神药品其他剂型",
    "narcotic injection, pain": "注射剂（癌痛、中重度慢性疼痛）",
    "slow-release narcotic, pain": "控缓释制剂（癌痛、中重度慢性疼痛）",
    "narcotic, other form, pain": "其他剂型（癌痛、中重度慢性疼痛）",
    "methylphenidate": "哌醋甲酯（儿童多动症）", "psychotropic II": "第二类精神药品",
}  # fmt: skip
PRESCRIPTION = Sheet(
    name="prescription", title_en="Prescription within its limits", title_zh="处方限量", source=PRESCRIBED,
    facts=("kind", "days", "drugs"), unordered=Unordered.WORDS,
    lines=(
        Line(code="most", title_en="days at most (an injection: one dose)", title_zh="最长天数（注射剂为一次量）",
             unit=Unit.POINT,
             value=Choose("kind", tuple(_DAYS.items()))),
        Line(code="days left", title_en="days below the limit", title_zh="低于限量天数", unit=Unit.POINT,
             value=Minus("most", "days")),
        Line(code="drugs left", title_en="drugs below five", title_zh="低于五种药品", unit=Unit.POINT,
             value=Minus(5, "drugs")),
    ),
    result="most",
)  # fmt: skip
CEILING = Sheet(
    name="japan-ceiling", title_en="Japan's monthly ceiling, in yen", title_zh="日本高额疗养费（日元）", source=JAPAN,
    facts=("bill", "income"),
    lines=(
        Line(code="share", title_en="30 per cent", title_zh="三成负担", unit=Unit.POINT, value=percent("bill", 30)),
        Line(code="ceiling", title_en="ceiling of the month", title_zh="当月上限", unit=Unit.POINT,
             value=Choose("income", (
            ("ア", Sum((252_600, percent(Less("bill", 842_000), 1)))),
            ("イ", Sum((167_400, percent(Less("bill", 558_000), 1)))),
            ("ウ", Sum((80_100, percent(Less("bill", 267_000), 1)))), ("エ", 57_600)))),
        Line(code="pays", title_en="patient pays", title_zh="患者负担", unit=Unit.POINT,
             value=Least(("share", "ceiling"))),
    ),
    result="pays", rising=("bill",),
)  # fmt: skip
SHEETS = (BILL, CLINIC, PLACE, HOME, BETWEEN, FARMERS, PRESCRIPTION, CEILING)
FIRST_STAY: dict[str, int | str] = {"class A": 5_000_000, "class B": 0, "class C": 0, "grade": 3, "stay": 1,
                                    "spent": 0,
              "ceiling": 10_000_000, "account": 0}  # fmt: skip
CASES = (
    WorkedCase(title_en="50,000 yuan, first stay, an employee", title_zh="首次住院5万元，在职", sheet=BILL.name,
               facts={**FIRST_STAY, "who": "employee"}, gives={"fund": 4_289_500, "own": 710_500},
               source=f"{BEIJING}: bands printed, sum by one step", derived=True),
    WorkedCase(title_en="The same, a pensioner", title_zh="同上，退休", sheet=BILL.name,
               facts={**FIRST_STAY, "who": "pensioner"}, gives={"own": 478_300},
               source=f"{BEIJING}: bands printed, sum by one step", derived=True),
    *(WorkedCase(title_en=f"Prescribed: {kind}, {days} days", title_zh=f"{_KIND_ZH[kind]}处方最长{days}日",
                 sheet=PRESCRIPTION.name,
                 facts={"kind": kind, "days": 1, "drugs": 1}, gives={"most": days}, source=PRESCRIBED)
      for kind, days in _DAYS.items()),
    *(WorkedCase(title_en=f"Japan: {bill:,} yen, class {income}", title_zh=f"日本计算事例{bill}日元",
                 sheet=CEILING.name, facts={"bill": bill, "income": income}, gives={"pays": pays}, source=JAPAN)
      for bill, income, pays in ((88_000, "ア", 26_400), (945_760, "ア", 253_638), (726_410, "イ", 169_084),
                                 (364_520, "ウ", 81_075), (216_350, "エ", 57_600))),
)  # fmt: skip
