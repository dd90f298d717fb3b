"""Tariffs of the utilities as published: Beijing's water, gas, electricity and heat, Zhejiang's yearly electricity.

Units are litres (1 m³ = 1,000) and watt-hours; rates in the tables are hundredths of a fen a kWh, or fen a m³.
"""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import Choose, Less, Line, Marginal, Rounding, Sheet, Sum, Times

_WATER_STEPS = (180_000, 260_000, None)  # litres a household and year


def _water(rates: tuple[int, int, int]) -> Marginal:
    return Marginal("litres", tuple(zip(_WATER_STEPS, rates, strict=True)), per=1_000, start="before")


WATER = Sheet(
    name="water-year",
    title_en="Water of a household, by the year",
    title_zh="居民阶梯水价（按年）",
    source="北京市发展和改革委员会 关于北京市居民用水实行阶梯水价的通知（京发改〔2014〕865号，2014-05-01起）",
    facts=("litres", "reading", "left"),
    lines=(
        Line(code="before", title_en="Bought before: used, and left in the meter", title_zh="此前购量（读数加余量）",
             unit=Unit.POINT, value=Sum(("reading", "left")), shown=False),
        Line(code="works", title_en="Water fee", title_zh="水费", value=_water((207, 407, 607)), payer="household",
             payee="water-works"),
        Line(code="resource", title_en="Water resource fee (a tax since 2017-12)",
             title_zh="水资源费（2017-12起为水资源税）", value=_water((157, 157, 157)), payer="household",
             payee="water-resource"),
        Line(code="sewage", title_en="Sewage treatment fee", title_zh="污水处理费", value=_water((136, 136, 136)),
             payer="household", payee="sewage"),
        Line(code="price", title_en="To pay", title_zh="应付", value=Sum(("works", "resource", "sewage"))),
    ),
    result="price",
    rising=("litres",),
)  # fmt: skip
ELECTRICITY = Sheet(
    name="electricity-month",
    title_en="Electricity of a household, by the month",
    title_zh="居民阶梯电价（按月）",
    source="北京市发展和改革委员会 居民阶梯电价（2012-07-01起，不满1千伏，一户一表）",
    facts=("watt_hours", "before"),
    lines=(
        Line(code="tenths", title_en="Tenths of a kilowatt-hour on the token", title_zh="代码电量（0.1千瓦时）",
             unit=Unit.POINT, value=Times("watt_hours", 1, 100, Rounding.DOWN), shown=False),
        Line(code="price", title_en="To pay", title_zh="应付", payer="household", payee="power",
             value=Marginal("watt_hours", ((240_000, 4_883), (400_000, 5_383), (None, 7_883)), per=100_000,
                            start="before")),
    ),
    result="price",
    rising=("watt_hours",),
)  # fmt: skip
ZHEJIANG = Sheet(
    name="electricity-year",
    title_en="Electricity of a household, by the year (Zhejiang)",
    title_zh="居民阶梯电价（浙江，按年）",
    source="浙江省物价局 关于完善居民生活用电阶梯电价政策有关事项的通知",
    facts=("watt_hours", "before"),
    lines=(
        Line(code="price", title_en="To pay", title_zh="应付", payer="household", payee="power",
             value=Marginal("watt_hours", ((2_760_000, 538), (4_800_000, 588), (None, 838)), per=10_000,
                            start="before")),
    ),
    result="price",
    rising=("watt_hours",),
)  # fmt: skip
GAS = Sheet(
    name="gas-month",
    title_en="Gas of a household, in steps by the year",
    title_zh="居民阶梯气价（按年）",
    source="北京市发展和改革委员会 居民生活用气价格联动调整（2018-07-10起，历史价格）："
           "350、500立方米分档，2.63、2.85、4.25元",
    facts=("litres", "before"),
    lines=(
        Line(code="price", title_en="To pay", title_zh="应付", payer="household", payee="gas-works",
             value=Marginal("litres", ((350_000, 263), (500_000, 285), (None, 425)), per=1_000, start="before")),
    ),
    result="price",
    rising=("litres",),
)  # fmt: skip
_HEAT_LAW = (
    "京价（商）字〔2001〕372号（按面积：热力集团24元、锅炉30元每平方米一采暖季）；京政容发〔2010〕98号"
    "（两部制：基本热价12元、18元每平方米，计量热价0.16元每千瓦时）"
)
_BY_AREA = Choose("source", (("network", 2_400), ("boiler", 3_000)))
HEAT_AREA = Sheet(
    name="heat-area",
    title_en="Heat of a season by area, paid before it",
    title_zh="按面积预交采暖费（采暖季）",
    source=_HEAT_LAW,
    facts=("area", "source"),
    lines=(
        Line(code="price", title_en="To pay", title_zh="应付", value=Times("area", _BY_AREA), payer="household",
             payee="heat-works"),
    ),
    result="price",
    rising=("area",),
)  # fmt: skip
HEAT = Sheet(
    name="heat-season",
    title_en="Heat of a season by meter, in two parts",
    title_zh="热计量收费（两部制，采暖季）",
    source=_HEAT_LAW,
    facts=("area", "source", "watt_hours"),
    lines=(
        Line(code="base", title_en="By area", title_zh="基本热费",
             value=Times("area", Choose("source", (("network", 1_200), ("boiler", 1_800))))),
        Line(code="metered", title_en="By meter", title_zh="计量热费", value=Times("watt_hours", 16, 1_000)),
        Line(code="price", title_en="Heat of the season", title_zh="采暖费合计", value=Sum(("base", "metered"))),
        Line(code="prepaid", title_en="Paid by area before", title_zh="已按面积预交", value=Times("area", _BY_AREA)),
        Line(code="more", title_en="Still to pay", title_zh="应补", value=Less("price", "prepaid"), payer="household",
             payee="heat-works"),
        Line(code="back", title_en="Paid back", title_zh="应退", value=Less("prepaid", "price"), payer="heat-works",
             payee="household"),
    ),
    result="price",
    rising=("area", "watt_hours"),
)  # fmt: skip

_ROW = "its printed rows; "
CASES = (
    WorkedCase(
        title_en="One cubic metre in the first step: 5.00 yuan in three parts", title_zh="第一档1立方米5元",
        sheet="water-year", facts={"litres": 1_000, "reading": 0, "left": 0},
        gives={"works": 207, "resource": 157, "sewage": 136, "price": 500},
        source="京发改〔2014〕865号, annex: " + _ROW + "the sum is printed",
    ),
    WorkedCase(
        title_en="One in the second step: 7.00 yuan", title_zh="第二档1立方米7元",
        sheet="water-year", facts={"litres": 1_000, "reading": 200_000, "left": 0},
        gives={"works": 407, "resource": 157, "sewage": 136, "price": 700},
        source="京发改〔2014〕865号, annex: " + _ROW + "the sum is printed",
    ),
    WorkedCase(
        title_en="One in the third step: 9.00 yuan", title_zh="第三档1立方米9元",
        sheet="water-year", facts={"litres": 1_000, "reading": 260_000, "left": 0},
        gives={"works": 607, "resource": 157, "sewage": 136, "price": 900},
        source="京发改〔2014〕865号, annex: " + _ROW + "the sum is printed",
    ),
    WorkedCase(
        title_en="300 m³ in a year: 1,820.00 yuan", title_zh="全年300立方米1820元",
        sheet="water-year", facts={"litres": 300_000, "reading": 0, "left": 0}, gives={"price": 182_000},
        source="京发改〔2014〕865号, annex: " + _ROW + "one step of arithmetic on them", derived=True,
    ),
    WorkedCase(
        title_en="500 kWh in a month: 282.15 yuan", title_zh="当月500度282.15元",
        sheet="electricity-month", facts={"watt_hours": 500_000, "before": 0}, gives={"price": 28_215},
        source="Beijing, 2012-07-01: 0.4883, 0.5383 and 0.7883 yuan a kWh; one step of arithmetic on them",
        derived=True,
    ),
    WorkedCase(
        title_en="5,000 kWh in a year in Zhejiang: 2,852.00 yuan", title_zh="浙江全年5000度2852元",
        sheet="electricity-year", facts={"watt_hours": 5_000_000, "before": 0}, gives={"price": 285_200},
        source="浙江省物价局's notice: 0.538, 0.588 and 0.838 yuan a kWh; one step of arithmetic on them",
        derived=True,
    ),
    *(WorkedCase(
        title_en=f"A cubic metre of gas at {used // 1_000} m³: {price / 100:.2f} yuan",
        title_zh=f"年用气{used // 1_000}立方米时每立方米{price / 100:.2f}元", sheet="gas-month",
        facts={"litres": 1_000, "before": used}, gives={"price": price}, source=GAS.source + ": printed",
    ) for used, price in ((0, 263), (400_000, 285), (500_000, 425))),
    *(WorkedCase(
        title_en=f"A square metre for a season, {source}",
        title_zh=f"{zh}：每平方米{area / 100:.0f}元，基本热价{base / 100:.0f}元",
        sheet="heat-season", facts={"area": 1, "source": source, "watt_hours": 0},
        gives={"base": base, "price": base, "prepaid": area}, source=_HEAT_LAW + ": printed",
    ) for source, zh, area, base in (("network", "热力集团", 2_400, 1_200), ("boiler", "锅炉", 3_000, 1_800))),
    WorkedCase(
        title_en="90 m² and 8,000 kWh: 2,360.00 yuan, 200.00 more than by area",
        title_zh="90平方米8000千瓦时2360元，应补200元",
        sheet="heat-season", facts={"area": 90, "source": "network", "watt_hours": 8_000_000},
        gives={"price": 236_000, "more": 20_000, "back": 0},
        source=_HEAT_LAW + ": one step of arithmetic on them", derived=True,
    ),
)  # fmt: skip
