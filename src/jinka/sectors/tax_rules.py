"""Value added tax as sheets: the split of a gross price, a month's declaration, small taxpayers."""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.tariff.sheet import Choose, Less, Line, Minus, Sheet, Step, Sum, Times, percent

_VAT = "增值税法 (2024-12-25, in force 2026-01-01)"
_SMALL = "国家税务总局公告2023年第1号 (2023-01-09), 一 and its official explanation: up to the threshold free"
_REACHED = (
    "增值税法, Art. 23; 财政部 税务总局公告2026年第10号: free below the threshold, all is taxed from it on"
)
_RATES = (13, 9, 6, 3, 1)

SPLIT = Sheet(
    name="vat-split",
    title_en="Amount and VAT in a gross price",
    title_zh="含税价价税分离",
    source=f"{_VAT}, Art. 10, 16",
    facts=("gross", "rate"),
    lines=(
        Line(code="net", title_en="Amount", title_zh="金额",
             value=Choose("rate", tuple((rate, Times("gross", 100, 100 + rate)) for rate in _RATES))),
        Line(code="vat", title_en="VAT", title_zh="税额", value=Minus("gross", "net")),
        Line(code="total", title_en="Price with tax", title_zh="价税合计", value=Sum(("net", "vat"))),
    ),
    result="total",
    rising=("gross",),
)  # fmt: skip
MONTH = Sheet(
    name="vat-month",
    title_en="A month's VAT: output less input",
    title_zh="当月应纳增值税",
    source=f"{_VAT}, Art. 14, 21: what is not deducted is carried on, or paid back",
    facts=("output", "input", "carried"),
    lines=(
        Line(code="deducted", title_en="To be deducted", title_zh="应抵扣税额", value=Sum(("input", "carried"))),
        Line(code="payable", title_en="Payable", title_zh="应纳税额", value=Less("output", "deducted"),
             payer="taxpayer", payee="treasury"),
        Line(code="left", title_en="Carried on", title_zh="留抵税额", value=Less("deducted", "output")),
    ),
    result="payable",
    rising=("output",),
)  # fmt: skip


def _from(reached: int) -> Choose:
    """What is free of a month's and of a quarter's sales; ``reached``: the threshold itself is taxed."""
    return Choose("period", tuple(
        (period, Step("sales", ((most - reached, 0), (None, "sales"))))
        for period, most in (("month", 10_000_000), ("quarter", 30_000_000))
    ))  # fmt: skip


SMALL = Sheet(
    name="vat-small",
    title_en="VAT of a small taxpayer (1 %, free up to the threshold)",
    title_zh="小规模纳税人增值税（减按1%，起征额以下免征）",
    source=f"{_SMALL}; {_REACHED}",
    facts=("period", "sales", "day"),
    lines=(
        Line(code="taxed", title_en="Sales that are taxed", title_zh="应税销售额",
             value=Choose("day", (("2023 to 2025", _from(0)), ("since 2026", _from(1))))),
        Line(code="payable", title_en="Payable", title_zh="应纳税额", value=percent("taxed", 1), payer="taxpayer",
             payee="treasury"),
    ),
    result="payable",
    rising=("sales",),
)  # fmt: skip
SHEETS = (SPLIT, MONTH, SMALL)


def _small(title_en: str, title_zh: str, period: str, sales: int, taxed: int) -> WorkedCase:
    return WorkedCase(
        title_en=title_en, title_zh=title_zh, sheet=SMALL.name,
        facts={"period": period, "sales": sales, "day": "2023 to 2025"},
        gives={"taxed": taxed}, source=_SMALL,
    )  # fmt: skip


WORKED_CASES = (
    WorkedCase(
        title_en="An electronic invoice for petrol", title_zh="一张汽油电子发票", sheet=SPLIT.name,
        facts={"gross": 9_600, "rate": 13}, gives={"net": 8_496, "vat": 1_104, "total": 9_600},
        source="an electronic VAT invoice of 2023-08-10, 12.29193342 l at 6.91150442: printed 84.96 + 11.04 = 96.00",
        address="https://github.com/sungaila/PDFtoImage/files/14063112",
    ),
    _small("Monthly filer, first month 60,000", "按月申报，首月6万元", "month", 6_000_000, 0),
    _small("Monthly filer, second month 80,000", "按月申报，次月8万元", "month", 8_000_000, 0),
    _small("Monthly filer, third month 120,000", "按月申报，第三月12万元", "month", 12_000_000, 12_000_000),
    _small("Quarterly filer, 260,000", "按季申报，26万元", "quarter", 26_000_000, 0),
    _small("Quarterly filer, 340,000", "按季申报，34万元", "quarter", 34_000_000, 34_000_000),
    _small("Exactly 100,000 in a month until 2025: free", "2025年前月销售额恰为10万元：免征", "month", 10_000_000, 0),
    WorkedCase(
        title_en="Exactly 100,000 in a month since 2026: taxed in full",
        title_zh="2026年起月销售额恰为10万元：全额计税",
        sheet=SMALL.name, facts={"period": "month", "sales": 10_000_000, "day": "since 2026"},
        gives={"taxed": 10_000_000}, source=_REACHED,
    ),
)  # fmt: skip
