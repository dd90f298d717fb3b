"""Tables of the housing fund as sheets: contributions, withdrawals, instalments of loans and their repayment.

Each side's contribution is rounded to whole yuan, half up, which is what the limits that Shanghai and Beijing print
come to. A loan's growth is worked in steps of 10^-15: exact to the fen.
"""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import Choose, Expression, Least, Less, Line, Minus, Most, Sheet, Step, Sum, Times

LAW = "住房公积金管理条例（国务院令第262号，2019年第710号修订）"
RATES = "中国人民银行关于下调个人住房公积金贷款利率的通知（2024-05-18起；2025-05-08起）"
CONTRIBUTION = Sheet(
    name="contribution", title_en="Monthly contribution", title_zh="月缴存额",
    source=f"{LAW}第16—18条；建金〔2005〕5号",
    facts=("wage", "floor", "ceiling", "rate"),
    lines=(
        Line(code="within", title_en="how far the rate lies within 5 to 12 %", title_zh="缴存比例在5%至12%以内",
             unit=Unit.POINT, value=Least((Minus("rate", 5), Minus(12, "rate")))),
        Line(code="base", title_en="base", title_zh="缴存基数", value=Least((Most(("wage", "floor")), "ceiling"))),
        Line(code="own", title_en="by the employee", title_zh="个人缴存",
             value=Times(Times("base", "rate", 10_000), 100), payer="employee", payee="fund.account"),
        Line(code="employer", title_en="by the employer", title_zh="单位缴存", value=Sum(("own",)), payer="employer",
             payee="fund.account"),
        Line(code="both", title_en="both", title_zh="月缴存额合计", value=Sum(("own", "employer"))),
    ),
    result="both", rising=("wage",),
)  # fmt: skip
_REASONS = ("home", "retired", "disabled", "abroad", "loan", "rent")  # Art. 24, (1) to (6)
_CLOSING = {"retired", "disabled", "abroad"}
WITHDRAWAL = Sheet(
    name="withdrawal", title_en="Withdrawal", title_zh="提取", source=f"{LAW}第24条",
    facts=("reason", "balance", "asked"),
    lines=(
        Line(code="closes", title_en="the account is closed", title_zh="销户", unit=Unit.POINT,
             value=Choose("reason", tuple((reason, int(reason in _CLOSING)) for reason in _REASONS))),
        Line(code="paid", title_en="paid out", title_zh="提取金额", payer="fund.account", payee="person",
             value=Choose("reason", tuple(
                 (reason, "balance" if reason in _CLOSING else Least(("asked", "balance"))) for reason in _REASONS))),
    ),
    result="paid", rising=("balance",),
)  # fmt: skip
_ONE = 10**15
_POWERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_YEARS = {5: (32, 16, 8, 4), 10: (64, 32, 16, 8), 20: (128, 64, 32, 16), 30: (256, 64, 32, 8)}


def _grown(months: tuple[int, ...]) -> Expression:
    made: Expression = f"growth {months[0]}"
    for power in months[1:]:
        made = Times(made, f"growth {power}", _ONE)
    return made


_BEFORE = (("first", (2_350, 2_850)), ("second", (2_775, 3_325)))
_SINCE = (("first", (2_100, 2_600)), ("second", (2_525, 3_075)))


def _rates(homes: tuple[tuple[str, tuple[int, int]], ...]) -> Choose:
    """Up to five years and longer."""
    return Choose(
        "home", tuple((home, Step("years", ((5, short), (None, long)))) for home, (short, long) in homes)
    )


LOAN = Sheet(
    name="loan", title_en="Equal instalments of a home's loan", title_zh="公积金贷款等额本息", source=RATES,
    facts=("loan", "years", "day", "home"),
    lines=(
        Line(code="rate", title_en="rate of a year, thousandths of a per cent", title_zh="年利率（十万分之一）",
             unit=Unit.POINT,
             value=Choose("day", (("before 2025-05-08", _rates(_BEFORE)), ("since 2025-05-08", _rates(_SINCE))))),
        Line(code="month", title_en="rate of a month, 10^-15", title_zh="月利率（10⁻¹⁵）", unit=Unit.POINT, shown=False,
             value=Times("rate", _ONE, 1_200_000)),
        Line(code="growth 1", title_en="growth in a month", title_zh="1个月本利", unit=Unit.POINT, shown=False,
             value=Sum((_ONE, "month"))),
        *(Line(code=f"growth {power}", title_en=f"growth in {power} months", title_zh=f"{power}个月本利",
               unit=Unit.POINT, shown=False, value=Times(f"growth {power // 2}", f"growth {power // 2}", _ONE))
          for power in _POWERS[1:]),
        Line(code="growth", title_en="growth until the end", title_zh="到期本利", unit=Unit.POINT, shown=False,
             value=Choose("years", tuple((years, _grown(months)) for years, months in _YEARS.items()))),
        Line(code="instalment", title_en="instalment a month", title_zh="月还款额",
             value=Times("loan", Times("growth", "month", _ONE), Minus("growth", _ONE))),
    ),
    result="instalment", rising=("loan",),
)  # fmt: skip
REPAY = Sheet(
    name="repayment", title_en="A month's repayment", title_zh="当月还款", source=f"{RATES}；等额本息，按月计息",
    facts=("left", "rate", "paid"),
    lines=(
        Line(code="interest", title_en="interest of the month", title_zh="当月利息",
             value=Times("left", "rate", 1_200_000), payer="person", payee="fund.interest"),
        Line(code="principal", title_en="principal", title_zh="归还本金",
             value=Least((Minus("paid", "interest"), "left")), payer="person", payee="fund.loans"),
        Line(code="rest", title_en="loan left", title_zh="贷款余额", value=Less("left", "principal")),
    ),
    result="principal", rising=("paid",),
)  # fmt: skip


def _limit(
    en: str, zh: str, wage: int, bounds: tuple[int, int], rate: int, both: int, source: str
) -> WorkedCase:
    return WorkedCase(
        title_en=en, title_zh=zh, sheet=CONTRIBUTION.name, gives={"both": both}, source=source,
        facts={"wage": wage, "floor": bounds[0], "ceiling": bounds[1], "rate": rate},
    )  # fmt: skip


_SHANGHAI = (
    "关于2025年度上海市调整住房公积金缴存基数、比例以及月缴存额上下限的通知"
    "（沪公积金管委会〔2025〕8号）：月缴存额上限5222元、下限376元"
)
_BEIJING = "北京住房公积金管理委员会2009-04-02通知第二条：3726×300%×12%×2＝2682元（四舍五入）"
SHEETS = (CONTRIBUTION, WITHDRAWAL, LOAN, REPAY)
CASES = (
    _limit("Shanghai 2025: the most, both sides at 7 %", "上海2025年度月缴存额上限5222元", 9_000_000,
           (269_000, 3_730_200), 7, 522_200, _SHANGHAI),
    _limit("Shanghai 2025: the least at 7 %", "上海2025年度月缴存额下限376元", 100_000, (269_000, 3_730_200), 7, 37_600,
           _SHANGHAI),
    _limit("Beijing 2009: the most, both sides at 12 %", "北京2009年度月缴存额上限2682元", 9_000_000,
           (96_000, 3 * 372_600), 12, 268_200, _BEIJING),
    WorkedCase(title_en="One million for 30 years, before the cut of May 2025",
               title_zh="100万元30年，2025年5月下调前",
               sheet=LOAN.name, facts={"loan": 100_000_000, "years": 30, "day": "before 2025-05-08", "home": "first"},
               gives={"rate": 2_850, "instalment": 413_557}, derived=True,
               source=f"{RATES}: the rate is printed, the instalment follows from it by the usual formula"),
)  # fmt: skip
