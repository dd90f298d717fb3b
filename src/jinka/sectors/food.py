"""Food from the farm to the shop: meat, dairy, grain, oil and drinks, home-made and imported.

Food Safety Law of the PRC, Art. 34 (nothing past its date is used or sold), 42 and 53 (traceability; records of what
came in and went out) and 63 (recall). Lots are split and merged, cold chains are measured, what stood too warm is set
aside, a recall reaches exactly those who hold or sold what it concerns. Single packs are set aside, not amounts of a
lot. The journeys are in `jinka.sectors.food_journeys`.
"""

from __future__ import annotations

from jinka.declaration import (
    Archetype,
    Counted,
    ItemClass,
    ItemKey,
    KeptWithin,
    Report,
    Sector,
    Trace,
    TracePlace,
    WorkedCase,
)
from jinka.kit import Unit
from jinka.sectors.food_journeys import JOURNEYS
from jinka.tariff.sheet import Begun, Choose, Line, Minus, Sheet, Sum, Times, Unordered

_LOTS = ItemKey.TRADE_ITEM
TRACE = Trace(
    items=(
        ItemClass("pig", "Pig with ear tag", "生猪（耳标）", ItemKey.OTHER, "urn:jinka:livestock:1440300"),
        ItemClass("carcass", "Half carcass", "白条肉", _LOTS, "6901234.010001"),
        ItemClass("pork", "Tray of pork", "盒装猪肉", _LOTS, "6901234.010002", tag="SGTIN-96"),
        ItemClass("milk", "Raw milk", "生鲜乳", _LOTS, "6901234.020001"),
        ItemClass("yoghurt", "Cup of yoghurt", "杯装酸奶", _LOTS, "6901234.020002"),
        ItemClass("paddy", "Paddy", "稻谷", _LOTS, "6901234.030001"),
        ItemClass("rice", "Bag of rice", "袋装大米", _LOTS, "6901234.030002", tag="SGTIN-96"),
        ItemClass("soya", "Soya beans", "大豆", _LOTS, "6901234.040001"),
        ItemClass("oil", "Bottle of soya oil", "瓶装大豆油", _LOTS, "6901234.040002"),
        ItemClass("wine", "Bottle of imported wine", "进口葡萄酒", _LOTS, "7804300.050001"),
        ItemClass("beef", "Carton of imported frozen beef", "进口冷冻牛肉", _LOTS, "9300605.050002"),
        ItemClass("crate", "Crate", "周转箱", ItemKey.ASSET, "6901234.50001", tag="GRAI-96"),
        ItemClass("pallet", "Pallet", "托盘", ItemKey.LOGISTIC_UNIT, "6901234", tag="SSCC-96"),
    ),
    places=(
        TracePlace("farm", "the rice farm", "农场", "6901234.00001"),
        TracePlace("pig-farm", "the pig farm", "生猪养殖场", "6901234.00009"),
        TracePlace("milk-station", "the milk station", "生鲜乳收购站", "6901234.00010"),
        TracePlace("slaughterhouse", "the slaughterhouse", "屠宰厂", "6901234.00002"),
        TracePlace("dairy", "the dairy", "乳品厂", "6901234.00003"),
        TracePlace("mill", "the mill", "粮油加工厂", "6901234.00004"),
        TracePlace("port", "the port of entry", "口岸", "6901234.00005"),
        TracePlace("market", "the market", "农贸市场", "6901234.00006"),
        TracePlace("shop", "the shop", "超市", "6901234.00007"),
        TracePlace("canteen", "the canteen", "食堂", "6901234.00008"),
    ),
    kept=(
        KeptWithin("raw-milk", "Raw milk at 0 to 4 °C", "生鲜乳0～4℃", "0", "4", outside_minutes=120, gap_minutes=60,
                   source="乳品质量安全监督管理条例 (国务院令第536号, 2008-10-09) Art. 25, 18 (two hours)"),
        KeptWithin("chilled-meat", "Chilled meat at 0 to 4 °C", "冷却肉0～4℃", "0", "4", outside_minutes=30,
                   gap_minutes=60,
                   source="本场景自定 declared by this journey; GB 20799-2016 applies, its text was not at hand"),
        KeptWithin("chilled", "Chilled food carried at 0 to 10 °C", "冷藏食品运输0～10℃", "0", "10",
                   outside_minutes=30, gap_minutes=60,
                   source="GB 31605-2020 (what a label says goes before); the minutes: the carrier's own"),
        KeptWithin("frozen", "Frozen food carried at -18 °C or colder", "冷冻食品运输不高于-18℃", "", "-18",
                   outside_minutes=15, gap_minutes=60, source="GB 31605-2020; the minutes: the carrier's own"),
    ),
    rules=dict.fromkeys(("AFTER_END", "AFTER_USE", "EXPIRED", "HELD", "SOLD_TWICE"), "refuse"),
)  # fmt: skip

_RECALL_SOURCE = (
    "食品召回管理办法 (国家食品药品监督管理总局令第12号, 2015-03-11, in force 2015-09-01) Art. 13, 18: grades"
)
RECALL_TIMES = Sheet(
    name="recall-times", title_en="Times of a recall", title_zh="召回时限", source=_RECALL_SOURCE, facts=("grade",),
    lines=(
        Line(code="start hours", title_en="hours until it starts", title_zh="启动时限（小时）", unit=Unit.NUMBER,
             value=Choose("grade", ((1, 24), (2, 48), (3, 72)))),
        Line(code="working days", title_en="working days until it is done", title_zh="完成时限（工作日）",
             unit=Unit.NUMBER, value=Choose("grade", ((1, 10), (2, 20), (3, 30)))),
    ),
    result="working days", rising=("grade",),
)  # fmt: skip
_DIGITS = tuple(f"d{place}" for place in range(1, 13))
GTIN = Sheet(
    name="gtin-13", title_en="Check digit of a product's code", title_zh="商品条码校验码",
    source="GB 12904-2008, annex (the same as GS1 General Specifications, 7.9)", facts=_DIGITS,
    unordered=Unordered.CHECK_CHARACTER,
    lines=(
        Line(code="sum", title_en="weighted sum", title_zh="加权和", unit=Unit.NUMBER,
             value=Sum((*_DIGITS[::2], Times(Sum(_DIGITS[1::2]), 3)))),
        Line(code="check", title_en="check digit", title_zh="校验码", unit=Unit.NUMBER,
             value=Minus(Times(Begun("sum", 10), 10), "sum")),
    ),
    result="check",
)  # fmt: skip

SECTOR = Sector(
    name="food",
    title_en="Food",
    title_zh="食品追溯",
    about_en="Meat, dairy, grain, oil and drinks are followed from the farm or the port to whoever eats them. Lots are "
    "split and merged, the cold chain is measured, the till refuses what is past its date or was set aside, and a "
    "recall finds exactly those who hold or sold what is unsafe.",
    about_zh="肉类、乳品、粮食、食用油和饮品从产地或口岸一直追溯到消费者。批次可拆分、可合并，冷链全程测温，过期或扣留待检的食品收银台拒售，"
    "召回只通知确实持有或售出问题食品的单位。",
    authority="Market regulation 市场监督管理部门",
    standards=("EPCIS 2.0", "CBV 2.0", "GB 12904-2008", "GB 31605-2020", "GB/T 38155-2019"),
    archetypes=(Archetype.TRACE,),
    trace=TRACE,
    sheets=(RECALL_TIMES, GTIN),
    reports=(
        Report(name="events", title_en="Events by step", title_zh="各环节事件", counts=Counted.EVENT, by="step"),
        Report(name="places", title_en="Events by place", title_zh="各场所事件", counts=Counted.EVENT, by="place"),
        Report(name="checks", title_en="Checks by answer", title_zh="查验结果", counts=Counted.EVENT, by="verdict"),
        Report(name="refusals", title_en="What was refused, and why", title_zh="拒绝原因", counts=Counted.REFUSED,
               by="reason"),
    ),
    journeys=JOURNEYS,
    worked_cases=(
        *(
            WorkedCase(
                title_en=f"A recall of grade {grade}", title_zh=f"{'一二三'[grade - 1]}级召回", sheet="recall-times",
                facts={"grade": grade}, gives={"start hours": hours, "working days": days}, source=_RECALL_SOURCE,
            )
            for grade, hours, days in ((1, 24, 10), (2, 48, 20), (3, 72, 30))
        ),
        WorkedCase(
            title_en="The code 690123456789 and its check digit 2", title_zh="690123456789的校验码为2",
            sheet="gtin-13", facts=dict(zip(_DIGITS, map(int, "690123456789"), strict=True)),
            gives={"sum": 128, "check": 2}, source="GB 12904-2008: the sample code 6901234567892",
        ),
    ),
)  # fmt: skip
