"""Beijing's fares of 2014 and its taxis of 2013: rail by distance with the month's discounts, buses, drivers paid.

The purse keeps what was spent on rail in the month beside the ride record (Jinka's own record; the city's is not
public), so the gate prices the discount itself. Only what the notices print is a worked case; the rounding of a taxi's
total is not in what was read, so its parts are.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Archetype,
    Assess,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Fare,
    Holds,
    Journey,
    JourneyCard,
    Load,
    Party,
    Report,
    Sector,
    Start,
    Step,
    Tap,
    Tell,
    WorkedCase,
)
from jinka.profile.applications import purse_application
from jinka.registry import Role
from jinka.tariff import HolderClass, Mode, Product, Share, TapKind, Tariff, Transfer, TransferRule
from jinka.tariff.sheet import Begun, Less, Line, Rounding, Sheet, Sum, Times
from jinka.tariff.sheet import Step as Band

_PLAN = "北京市公共电汽车、轨道交通价格调整方案 (北京市发展和改革委员会, in force 2014-12-28)"
_TAXI = "北京市出租汽车价格方案 (北京市发展和改革委员会, 2013-06-06, in force 2013-06-10)"
PURSE = purse_application(
    name="cn.beijing.transit", aid=b"JINKA.BJTU.1", fid=0x3F44, title_en="Beijing transit card",
    title_zh="北京市政交通一卡通", authority="Beijing Municipal Commission of Transport 北京市交通委员会",
    standards=("JR/T 0025.2", "JT/T 978.2"), limit=100_000, counts_spent=True,
)  # fmt: skip

RAIL = Sheet(
    name="rail", title_en="Rail by distance", title_zh="轨道交通计程票价", source=_PLAN, facts=("metres",),
    result="fare", rising=("metres",),
    lines=(
        Line(code="fare", title_en="Fare", title_zh="票价", value=Band("metres", (
            (6_000, 300), (12_000, 400), (22_000, 500), (32_000, 600),
            (None, Sum((600, Times(Begun(Less("metres", 32_000), 20_000), 100)))),
        ))),
    ),
)  # fmt: skip
BUS = Sheet(
    name="bus", title_en="Bus by distance", title_zh="公共电汽车计程票价", source=_PLAN, facts=("metres",),
    result="fare", rising=("metres",),
    lines=(Line(code="fare", title_en="Fare", title_zh="票价",
                value=Sum((200, Times(Begun(Less("metres", 10_000), 5_000), 100)))),),
)  # fmt: skip
TAXI = Sheet(
    name="taxi", title_en="Taxi", title_zh="出租汽车", source=_TAXI, result="total", rising=("metres", "quiet", "peak"),
    facts=("metres", "quiet", "peak", "night", "booked"),  # waits of five minutes; night 1 or 0; booking 0, 5 or 6 yuan
    lines=(
        Line(code="flag", title_en="First 3 km", title_zh="起步价（3公里）", value=1_300),
        Line(code="distance", title_en="Beyond 3 km", title_zh="超起步里程",
             value=Times(Less("metres", 3_000), 230, 1_000, Rounding.DOWN)),
        Line(code="empty", title_en="Empty return beyond 15 km", title_zh="空驶费（超15公里加收50%）",
             value=Times(Less("metres", 15_000), 115, 1_000, Rounding.DOWN)),
        Line(code="dark", title_en="23:00 to 05:00", title_zh="夜间加收20%",
             value=Times(Times("distance", 20, 100, Rounding.DOWN), "night")),
        Line(code="waiting", title_en="Waiting and slow traffic", title_zh="低速及等候费",
             value=Sum((Times("quiet", 230), Times("peak", 460)))),
        Line(code="fuel", title_en="Fuel surcharge", title_zh="燃油附加费", value=100),
        Line(code="booking", title_en="Booking", title_zh="预约叫车服务费", value=Times("booked", 100)),
        Line(code="total", title_en="Fare", title_zh="合计",
             value=Sum(("flag", "distance", "empty", "dark", "waiting", "fuel", "booking"))),
    ),
)  # fmt: skip
_QUOTED = "rows as quoted in public teaching sheets of the plan"
CASES = (
    *(
        WorkedCase(
            title_en=f"Rail, {km} km", title_zh=f"轨道交通{km}公里", sheet="rail", facts={"metres": km * 1_000},
            gives={"fare": fare}, source=f"{_PLAN}; {said}", derived="step" in said,
        )
        for km, fare, said in (
            (6, 300, _QUOTED), (12, 400, _QUOTED), (22, 500, _QUOTED), (32, 600, _QUOTED),
            (52, 700, "one step from the published rule: each 20 km begun beyond 32"),
            (53, 800, "one step from the published rule: each 20 km begun beyond 32"),
        )
    ),
    WorkedCase(
        title_en="Five minutes' wait in the peak", title_zh="高峰等候5分钟", sheet="taxi",
        facts={"metres": 3_000, "quiet": 0, "peak": 1, "night": 0, "booked": 0}, gives={"waiting": 460},
        source=f"{_TAXI}; two kilometres' price, one step", derived=True,
    ),
)  # fmt: skip

_ORDINARY, _STUDENT = (HolderClass.ORDINARY, HolderClass.FULL_FARE), (HolderClass.HALF_FARE,)


def _rail(code: str, en: str, zh: str, share: int, month_from: int) -> Product:
    return Product(
        code=code, title_en=en, title_zh=zh, modes=(Mode.METRO,), holders=tuple(HolderClass),
        transfer=Transfer.ANY, rule=Share(share), month_from=month_from,
    )  # fmt: skip


def _bus(code: str, en: str, zh: str, holders: tuple[HolderClass, ...], share: int) -> Product:
    return Product(
        code=code, title_en=en, title_zh=zh, modes=(Mode.BUS,), holders=holders, transfer=Transfer.ANY,
        rule=Share(share), borne_by=Role.GOVERNMENT,
    )  # fmt: skip


TARIFF = Tariff(
    name="beijing.2014", gross_max_fen=50_000,
    products=(
        _rail("rail.400", "Rail, from 400 yuan in the month", "轨道交通当月满400元", 100, 40_000),
        _rail("rail.150", "Rail, from 150 yuan in the month", "轨道交通当月满150元五折", 50, 15_000),
        _rail("rail.100", "Rail, from 100 yuan in the month", "轨道交通当月满100元八折", 80, 10_000),
        _rail("rail", "Rail", "轨道交通", 100, 0),
        _bus("bus.student", "Bus, students", "公交学生卡2.5折", _STUDENT, 25),
        _bus("bus", "Bus, card", "公交刷卡五折", _ORDINARY, 50),
        _bus("bus.free", "Bus, seniors", "公交老年人免费", (HolderClass.FREE,), 0),
        Product(code="taxi", title_en="Taxi", title_zh="出租汽车", modes=(Mode.TAXI,), holders=tuple(HolderClass),
                transfer=Transfer.ANY, rule=Share(100)),
    ),
    transfer=TransferRule(within=dt.timedelta(0), pairs=frozenset()),
)  # fmt: skip

COMMUTER = JourneyCard(
    "li", "a commuter's card", "通勤者的卡", (Start(application=PURSE.name, balance=10_000),)
)
PUPIL = JourneyCard(
    "pupil", "a pupil's card", "学生卡",
    (Start(application=PURSE.name, balance=5_000, holder=HolderClass.HALF_FARE),),
)  # fmt: skip
SENIOR = JourneyCard(
    "senior", "a senior's card", "老年卡", (Start(application=PURSE.name, holder=HolderClass.FREE),)
)
_IN, _OUT = TapKind.ENTRY, TapKind.EXIT


def _ride(card: str, at: str, till: str, pays: int, stop: int = 3) -> tuple[Step, ...]:
    """Rail from stop 1; stops 2 to 5 lie 6, 22, 32 and 53 km away."""
    return (
        Tap(card, "rail", 0, kind=_IN, stop=1, at=at),
        Tap(card, "rail", pays, kind=_OUT, stop=stop, at=till),
    )


_DAYS = [(day, time, till) for day in range(17) for time, till in (("08:00", "08:40"), ("18:00", "18:40"))]
_PAYS = [500] * 20 + [400] * 13 + [250]
MONTH = Journey(
    name="month", title_en="A commuter's month", title_zh="通勤者的一个月", date=dt.date(2015, 1, 5), cards=(COMMUTER,),
    steps=(
        Tell("Twenty rides of 5 yuan are 100 yuan; the next costs 4, and from 150 yuan on 2.50.",
             "二十次5元满100元，其后每次4元，满150元后每次2.5元。"),
        Load("li", "counter", 20_000, at="07:00"),
        *(tap for place, (day, time, till) in enumerate(_DAYS)
          for tap in _ride("li", f"+{day} {time}", f"+{day} {till}", _PAYS[place])),
        Holds("li", 30_000 - 20 * 500 - 13 * 400 - 250),
        Clear({"bj.rail": 15_450}, {"loads.transit-beijing": 20_000}, at="+16 23:30"),
        *_ride("li", "+27 08:00", "+27 08:40", 500),  # February begins anew
        Clear({"bj.rail": 500}, at="+27 23:30"),
    ),
)  # fmt: skip
DAY = Journey(
    name="day", title_en="Distances, a bus, and a taxi at night", title_zh="里程、公交与夜间出租车",
    date=dt.date(2015, 1, 6), cards=(COMMUTER, PUPIL, SENIOR),
    steps=(
        *_ride("li", "08:00", "08:20", 300, 2),
        *_ride("li", "09:00", "09:50", 600, 4),
        *_ride("li", "10:00", "11:20", 800, 5),
        Tap("li", "bus", 0, kind=_IN, stop=1, at="12:00"),
        Tap("li", "bus", 150, kind=_OUT, stop=2, at="12:40"),
        Tap("pupil", "bus", 0, kind=_IN, stop=1, at="13:00"),
        Tap("pupil", "bus", 75, kind=_OUT, stop=2, at="13:40"),
        Tap("senior", "bus", 0, kind=_IN, stop=1, at="14:00"),
        Tap("senior", "bus", 0, kind=_OUT, stop=2, at="14:40"),
        Assess("taxi", {"metres": 8_000, "quiet": 1, "peak": 0, "night": 1, "booked": 5},
               {"distance": 1_150, "dark": 230, "total": 3_510}, at="23:30", posts=False,
               remembers={"total": "total"}),
        Tap("li", "taxi", "=total", gross="=total"),
        Clear({"bj.rail": 1_700, "bj.bus": 900, "bj.driver": 3_510}, {"bj.finance": 675}, at="23:50"),
    ),
)  # fmt: skip
_METRES = {(1, 2): 6_000, (1, 3): 22_000, (1, 4): 32_000, (1, 5): 53_000}


def _pays(name: str, en: str, zh: str, operator: str, mode: Mode, fare: str = "") -> Device:
    return Device(name, en, zh, DeviceKind.PURSE, operator=operator, mode=mode, fare=fare)


SECTOR = Sector(
    name="transit-beijing", title_en="Transit in Beijing", title_zh="北京公共交通",
    about_en="Rail by distance with the month's discounts, buses with students and seniors, taxis paid to the driver.",
    about_zh="轨道交通计程与月度累计优惠，公交学生老年优惠，出租车款结算到司机。",
    authority="Beijing Municipal Commission of Transport 北京市交通委员会", standards=("JR/T 0025.2", "JT/T 978.2"),
    archetypes=(Archetype.PURSE,), profiles=(PURSE,), region="110000",
    parties=(
        Party("bj.rail", "Beijing rail", "北京轨道交通"), Party("bj.bus", "Beijing buses", "北京公交"),
        Party("bj.driver", "Driver Wang", "王师傅"), Party("bj.finance", "City treasury", "市财政", Role.GOVERNMENT),
    ),
    devices=(
        Device("counter", "the service counter", "服务网点", DeviceKind.LOAD),
        _pays("rail", "the rail gate", "轨道交通闸机", "bj.rail", Mode.METRO, "rail"),
        _pays("bus", "the bus", "公交车", "bj.bus", Mode.BUS, "bus"),
        _pays("taxi", "Wang's taxi", "王师傅的出租车", "bj.driver", Mode.TAXI),
    ),
    tariffs={PURSE.name: TARIFF},
    fares=(
        Fare(name="rail", sheet=RAIL, measures={pair: {"metres": m} for pair, m in _METRES.items()}),
        Fare(name="bus", sheet=BUS, measures={(1, 2): {"metres": 12_000}}),
    ),
    sheets=(TAXI,), worked_cases=CASES,
    reports=(
        Report(name="products", title_en="Rides by product", title_zh="各产品乘次", counts=Counted.PAID, by="product"),
        Report(name="operators", title_en="Takings", title_zh="各运营方收入", counts=Counted.PAID, by="operator"),
    ),
    journeys=(MONTH, DAY),
)  # fmt: skip
