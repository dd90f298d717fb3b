"""The rules of import: duty, import VAT, late payment and late declaration, as sheets.

The figures are those of the dates in their sources; since 2024-12-01 the Tariff Law (关税法) stands in the place of the
regulation on duties (进出口关税条例).
"""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import Choose, Less, Line, Rounding, Sheet, Step, Sum, Times, percent

_VAT_LAW = "增值税法 (in force 2026-01-01), Art. 14"
_DUTY_LAW = (
    "关税法 (in force 2024-12-01, its articles were not read; until then 进出口关税条例, 国务院令第392号"
)
TAXES = Sheet(
    name="import-taxes",
    title_en="Duty and import VAT of a consignment",
    title_zh="进口关税与增值税",
    source=f"{_DUTY_LAW}, Art. 36, 45); {_VAT_LAW}",
    facts=("value", "duty_rate", "consumption_tax", "vat_rate"),
    lines=(
        Line(code="duty_reckoned", title_en="Duty by the rate", title_zh="应计关税",
             value=percent("value", "duty_rate")),
        Line(code="duty", title_en="Duty (50 yuan and less: free)", title_zh="关税（50元及以下免征）",
             value=Step("duty_reckoned", ((5_000, 0), (None, "duty_reckoned"))), payer="importer", payee="treasury"),
        Line(code="vat", title_en="Import VAT", title_zh="进口环节增值税",
             value=percent(Sum(("value", "duty", "consumption_tax")), "vat_rate"), payer="importer", payee="treasury"),
        Line(code="taxes", title_en="Duty and VAT", title_zh="税款合计", value=Sum(("duty", "vat"))),
    ),
    result="taxes",
    rising=("value", "duty_rate"),
)  # fmt: skip
LATE_PAYMENT = Sheet(
    name="late-payment",
    title_en="Surcharge for taxes paid after 15 days",
    title_zh="税款滞纳金",
    source=f"{_DUTY_LAW}, Art. 37): 0.05 % a day",
    facts=("taxes", "days_late"),
    lines=(
        Line(code="surcharge", title_en="Surcharge", title_zh="滞纳金",
             value=Times(Times("taxes", "days_late"), 5, 10_000), payer="importer", payee="treasury"),
    ),
    result="surcharge",
    rising=("taxes", "days_late"),
)  # fmt: skip
LATE_DECLARATION = Sheet(
    name="late-declaration",
    title_en="Fee for an import declared after 14 days",
    title_zh="进口货物滞报金",
    source="海关法, Art. 24; 海关征收进口货物滞报金办法 (海关总署令第128号): 0.05 % a day, "
           "whole yuan, none below 50 yuan",
    facts=("value", "declared_on_day", "direction"),
    lines=(
        Line(code="days", title_en="Days late", title_zh="滞报天数", unit=Unit.POINT,
             value=Choose("direction", (("import", Less("declared_on_day", 14)), ("export", 0)))),
        Line(code="whole", title_en="In whole yuan", title_zh="取整到元",
             value=Times(Times(Times("value", "days"), 5, 1_000_000, Rounding.DOWN), 100)),
        Line(code="fee", title_en="Fee", title_zh="滞报金", value=Step("whole", ((4_999, 0), (None, "whole"))),
             payer="importer", payee="treasury"),
    ),
    result="fee",
    rising=("value", "declared_on_day"),
)  # fmt: skip
SHEETS = (TAXES, LATE_PAYMENT, LATE_DECLARATION)
_DERIVED = "; result by one step of arithmetic on the rule's figures"
WORKED_CASES = (
    WorkedCase(title_en="Duty 10 %, VAT 13 %", title_zh="关税10%、增值税13%", sheet=TAXES.name,
               facts={"value": 10_000_000, "duty_rate": 10, "consumption_tax": 0, "vat_rate": 13},
               gives={"duty": 1_000_000, "vat": 1_430_000}, source=TAXES.source + _DERIVED, derived=True),
    WorkedCase(title_en="Duty of exactly 50 yuan", title_zh="关税恰为50元", sheet=TAXES.name,
               facts={"value": 50_000, "duty_rate": 10, "consumption_tax": 0, "vat_rate": 13},
               gives={"duty": 0, "vat": 6_500}, source=TAXES.source + _DERIVED, derived=True),
    WorkedCase(title_en="Ten days late", title_zh="滞纳10日", sheet=LATE_PAYMENT.name,
               facts={"taxes": 2_430_000, "days_late": 10}, gives={"surcharge": 12_150},
               source=LATE_PAYMENT.source + _DERIVED, derived=True),
    WorkedCase(title_en="45 yuan are not collected", title_zh="滞报金45元不征", sheet=LATE_DECLARATION.name,
               facts={"value": 3_000_000, "declared_on_day": 17, "direction": "import"}, gives={"fee": 0},
               source=LATE_DECLARATION.source + _DERIVED, derived=True),
    WorkedCase(title_en="Declared on the fourteenth day: no fee", title_zh="第14日申报：不征滞报金",
               sheet=LATE_DECLARATION.name, facts={"value": 10_000_000, "declared_on_day": 14, "direction": "import"},
               gives={"days": 0, "fee": 0}, source="海关法, Art. 24: 自运输工具申报进境之日起十四日内"),
)  # fmt: skip
