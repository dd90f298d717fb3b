"""What parking and roads cost: Beijing's kerb of 2019, motorway tolls by class and distance, free passage on holidays.

Published results are the worked cases; of the toll's rate only what is commonly quoted was at hand, and `TOLL` says so.
"""

from __future__ import annotations

from jinka.declaration import WorkedCase
from jinka.kit import Unit
from jinka.tariff.sheet import Choose, Least, Less, Line, Marginal, Rounding, Sheet, Step, Sum, Times

_KERB = (
    "北京市发改委、市交通委 关于本市停车收费有关事项的通知（2018-05-01起）：满1个计时单位后方可收费；"
    "北京市发改委 占道停车收费标准（2018-12-18）一类地区小型车7:00—19:00首小时2.5元、其后3.75元每15分钟"
)
KERB_DAY = Sheet(
    name="kerb-day", title_en="Kerb by day, class 1", title_zh="一类地区占道停车（白天）", source=_KERB,
    facts=("minutes",), result="fee", rising=("minutes",),
    lines=(
        Line(code="quarters", title_en="Full quarters of an hour", title_zh="满15分钟的时段数",
             value=Times("minutes", 1, 15, Rounding.DOWN), unit=Unit.POINT),
        Line(code="fee", title_en="Fee", title_zh="停车费", value=Marginal("quarters", ((4, 250), (None, 375)))),
    ),
)  # fmt: skip
KERB_NIGHT = Sheet(
    name="kerb-night", title_en="Kerb by night", title_zh="占道停车（夜间）",
    source="北京市发改委 占道停车收费标准（2018-12-18）：小型车19:00—次日7:00，每满2小时1元",
    facts=("minutes",), result="fee", rising=("minutes",),
    lines=(Line(code="fee", title_en="Fee", title_zh="停车费",
                value=Times(Times("minutes", 1, 120, Rounding.DOWN), 100)),),
)  # fmt: skip
TOLL = Sheet(
    name="toll", title_en="Motorway toll", title_zh="高速公路通行费",
    source="classes: JT/T 489-2019; ETC 5 % off: national policy from 2019-07-01; rate 0.45 yuan/km and the "
    "coefficients 1, 1.5, 2, 3: Guangdong, four lanes, as commonly quoted",
    facts=("metres", "vehicle_class", "etc", "free"), result="due", rising=("metres",),
    lines=(
        Line(code="base", title_en="Class 1 by distance", title_zh="一类车里程费", value=Times("metres", 45, 1_000)),
        Line(code="toll", title_en="Toll of the class", title_zh="按车型计费",
             value=Times("base", Choose("vehicle_class", ((1, 10), (2, 15), (3, 20), (4, 30))), 10)),
        Line(code="off", title_en="ETC discount", title_zh="ETC优惠", value=Times("toll", Times("etc", 5), 100)),
        Line(code="due", title_en="To be paid", title_zh="应付", value=Times(Less("toll", "off"), Less(1, "free"))),
    ),
)  # fmt: skip
HOLIDAY = Sheet(
    name="holiday", title_en="Free passage on holidays", title_zh="重大节假日免费通行",
    source="国发〔2012〕37号 (State Council, 2012-07-24): the moment of leaving the exit lane counts",
    facts=("left", "begins", "ends", "seats"), rising=("ends",), falling=("begins", "seats"), result="free",
    lines=(  # times are minutes from any one moment
        Line(code="begun", title_en="Has begun", title_zh="已开始", unit=Unit.POINT,
             value=Least((1, Less(Sum(("left", 1)), "begins")))),
        Line(code="not_over", title_en="Is not over", title_zh="未结束", unit=Unit.POINT,
             value=Least((1, Less("ends", "left")))),
        Line(code="small", title_en="Seven seats or fewer", title_zh="七座及以下", unit=Unit.POINT,
             value=Step("seats", ((7, 1), (None, 0)))),
        Line(code="free", title_en="Passes free", title_zh="免费通行", unit=Unit.POINT,
             value=Times(Times("begun", "not_over"), "small")),
    ),
)  # fmt: skip
CASES = tuple(
    WorkedCase(
        title_en=f"{minutes} minutes at the kerb", title_zh=f"占道停车{minutes}分钟", sheet="kerb-day",
        facts={"minutes": minutes}, gives={"fee": fee}, derived="step" in step, source=f"{_KERB}{step}",
    )
    for minutes, fee, step in (
        (14, 0, ""), (60, 1_000, "（即10元/1小时：京发改委2011-04-01起，新华社2011-03-26）"),
        (80, 1_375, "; one step from the rates"), (120, 2_500, "; one step from the rates"),
    )
) + tuple(
    WorkedCase(
        title_en=en, title_zh=zh, sheet="holiday",
        facts={"left": left, "begins": 1_440, "ends": 8 * 1_440, "seats": 5}, gives={"free": free},
        source="国发〔2012〕37号, 2012-07-24, the plan's section on time and road",
    )
    for en, zh, left, free in (
        ("Out at 00:01 of the first day", "首日00:01驶离", 1_441, 1),
        ("Out after 24:00 of the last day", "末日24:00后驶离", 8 * 1_440, 0),
    )
)  # fmt: skip
