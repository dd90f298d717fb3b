"""Transit in Shenzhen, all of it: metro, bus, ferry, bike and taxi; two card generations; cards of another city.

Tariff and first card are `shenzhen_tariff` and `transit_shenzhen`. The T-Union application has the files of JT/T 978.2
as far as they are public: 0015, 0016, 0017 (management, layout partly known), 0018, 001A, and 001E with thirty trips.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from jinka.declaration import (
    Archetype,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Fare,
    Holds,
    Journey,
    JourneyCard,
    List,
    Load,
    MoveBalance,
    Party,
    Report,
    Sector,
    Start,
    Tap,
    Tell,
    WorkedCase,
)
from jinka.profile import FREE, FileKind, FileSpec, PersonalDatum
from jinka.profile.applications import purse_application
from jinka.registry import Role
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
from jinka.tariff import (
    Cap,
    HolderClass,
    Mode,
    Period,
    Product,
    Share,
    TapKind,
    Transfer,
    full_price,
)
from jinka.tariff.sheet import Begun, Less, Line, Sheet, Step, Sum, Times, Unordered

_BUREAU = "Shenzhen Municipal Transport Bureau 深圳市交通运输局"
BEIJING = "cn.beijing.transit"  # good here as well
OLD = purse_application(
    name="cn.shenzhen.first", aid=b"JINKA.SZT.1", fid=0x3F45, title_en="Shenzhen card, first generation",
    title_zh="深圳通第一代卡", authority=_BUREAU, standards=("JR/T 0025.2",), limit=100_000, unloads=True,
)  # fmt: skip
_MANAGED = FileSpec(
    fid=0x0017, kind=FileKind.BINARY, size=60, write_right=FREE, mac_required=True, title_en="Management information",
    title_zh="管理信息文件", example=bytes.fromhex("00000000 4403 4403 0000 00") + bytes(49),
)  # fmt: skip
_TRIPS = FileSpec(
    fid=0x001E, kind=FileKind.CYCLIC, records=30, record_length=48, write_right=FREE, mac_required=True,
    title_en="Trips, thirty of 48 bytes", title_zh="交易循环记录文件（30条出行记录）",
)  # fmt: skip
_BASE = purse_application(
    name="cn.shenzhen.tunion", aid=bytes.fromhex("A000000632010105"), fid=0x3F46, title_en="Shenzhen T-Union card",
    title_zh="深圳交通联合卡", authority=_BUREAU, standards=("JT/T 978.2", "JR/T 0025.2"), limit=100_000,
    counts_spent=True,
)  # fmt: skip
NEW = replace(
    _BASE,
    files=(*_BASE.files, _MANAGED, _TRIPS),
    personal=(*_BASE.personal, (0x001E, PersonalDatum.MOVEMENT)),
)

_SOURCE = (
    "深圳市城市轨道交通里程分段计价票制（市发展改革委核定，二期线网起；文号未查得）："
    "首4公里2元；4至12公里每1元4公里，12至24公里每1元6公里，24公里以上每1元8公里"
)
METRO = Sheet(
    name="metro", title_en="Metro by distance", title_zh="地铁里程分段票价", source=_SOURCE, facts=("metres",),
    result="fare", rising=("metres",),
    lines=(Line(code="fare", title_en="Fare", title_zh="票价", value=Step("metres", (
        (4_000, 200), (12_000, Sum((200, Times(Begun(Less("metres", 4_000), 4_000), 100)))),
        (24_000, Sum((400, Times(Begun(Less("metres", 12_000), 6_000), 100)))),
        (None, Sum((600, Times(Begun(Less("metres", 24_000), 8_000), 100)))),
    ))),),
)  # fmt: skip
ZONES = Sheet(
    name="zones", title_en="Country bus by zones", title_zh="郊区公交分区票价",
    source="a zoned fare, Jinka's own figures", facts=("zones",), result="fare", rising=("zones",),
    lines=(Line(code="fare", title_en="Fare", title_zh="票价",
                value=Step("zones", ((1, 200), (2, 300), (None, 500)))),),
)  # fmt: skip
FLAT = Sheet(
    name="flat", title_en="Ferry, one price", title_zh="轮渡单一票价",
    source="a flat fare, Jinka's own figure", facts=(), result="fare", unordered=Unordered.ONE_AMOUNT,
    lines=(Line(code="fare", title_en="Fare", title_zh="票价", value=500),),
)  # fmt: skip
BIKE = Sheet(
    name="bike", title_en="Bike by time", title_zh="自行车计时", source="a fare by time, Jinka's own figures",
    facts=("minutes",), result="fare", rising=("minutes",),
    lines=(Line(code="fare", title_en="Each half hour begun", title_zh="每半小时",
                value=Times(Begun("minutes", 30), 150)),),
)  # fmt: skip
CASES = tuple(
    WorkedCase(title_en=f"Metro, {km} km", title_zh=f"地铁{km}公里", sheet="metro",
               source=_SOURCE + ("" if km == 4 else "; one step"), facts={"metres": km * 1_000}, gives={"fare": fare},
               derived=km != 4)
    for km, fare in ((4, 200), (8, 300), (12, 400), (18, 500), (24, 600), (32, 700))
)  # fmt: skip


def _product(code: str, en: str, zh: str, mode: Mode, share: int, *holders: HolderClass) -> Product:
    return Product(
        code=code, title_en=en, title_zh=zh, modes=(mode,), holders=holders, transfer=Transfer.ANY, rule=Share(share),
        borne_by=Role.GOVERNMENT if share < 100 else None,
    )  # fmt: skip


_ALL = tuple(HolderClass)
TARIFF = replace(
    SHENZHEN_2018, name="shenzhen.modes", gross_max_fen=50_000,
    products=(
        *SHENZHEN_2018.products,
        _product("ferry.half", "Ferry, half", "轮渡半价", Mode.FERRY, 50, HolderClass.HALF_FARE),
        _product("ferry.free", "Ferry, seniors", "轮渡老年免费", Mode.FERRY, 0, HolderClass.FREE),
        _product("ferry", "Ferry", "轮渡", Mode.FERRY, 100, HolderClass.ORDINARY, HolderClass.FULL_FARE),
        _product("bike", "Bike", "自行车", Mode.BIKE, 100, *_ALL),
        _product("taxi", "Taxi", "出租车", Mode.TAXI, 100, *_ALL),
    ),
    caps=(Cap(code="bike.day", title_en="Bikes, a day's most", title_zh="自行车日封顶", period=Period.DAY,
              most_fen=600, modes=(Mode.BIKE,)),
          Cap(code="bike.month", title_en="Bikes, a month's most", title_zh="自行车月封顶", period=Period.MONTH,
              most_fen=1_500, modes=(Mode.BIKE,))),
)  # fmt: skip


def _card(name: str, en: str, zh: str, balance: int, application: str = NEW.name,
          holder: HolderClass = HolderClass.ORDINARY) -> JourneyCard:  # fmt: skip
    return JourneyCard(name, en, zh, (Start(application=application, balance=balance, holder=holder),))


LI = _card("li", "Li's card", "李女士的卡", 10_000)
PUPIL = _card("pupil", "a pupil's card", "学生卡", 2_000, holder=HolderClass.HALF_FARE)
SENIOR = _card("senior", "a senior's card", "老年卡", 0, holder=HolderClass.FREE)
FIRST = _card("first", "Chen's old card", "陈先生的旧卡", 3_340, OLD.name)
SECOND = _card("second", "Chen's new card", "陈先生的新卡", 0)
VISITOR = _card("visitor", "a card from Beijing", "北京来的卡", 5_000, BEIJING)
_IN, _OUT = TapKind.ENTRY, TapKind.EXIT
DAY = Journey(
    name="day", title_en="A day on everything that moves", title_zh="各种交通一日", date=dt.date(2026, 3, 9),
    cards=(LI, PUPIL, SENIOR),
    steps=(
        Tap("li", "bus", 160, gross=200, line=38, at="08:00"),
        Tell("Within 90 minutes of the bus the metro takes 0.40 yuan off.", "公交后90分钟内换乘地铁优惠0.40元。"),
        Tap("li", "metro", 0, kind=_IN, stop=1, at="08:30"), Tap("li", "metro", 245, kind=_OUT, stop=2, at="08:55"),
        Tap("pupil", "metro", 0, kind=_IN, stop=1, at="09:00"),
        Tap("pupil", "metro", 250, kind=_OUT, stop=3, at="09:30"),
        Tap("senior", "metro", 0, kind=_IN, stop=1, at="10:00"),
        Tap("senior", "metro", 0, kind=_OUT, stop=2, at="10:20"),
        Tap("li", "country-bus", 0, kind=_IN, stop=1, line=9, at="11:00"),
        Tap("li", "country-bus", 240, kind=_OUT, stop=2, line=9, at="11:40"),
        Tap("li", "ferry", 500, at="12:30"), Tap("pupil", "ferry", 250), Tap("senior", "ferry", 0),
        Tap("li", "bike", 0, kind=_IN, at="14:00"), Tap("li", "bike", 450, kind=_OUT, at="15:20"),
        Tell("The day's cap on bikes is 6 yuan: 1.50 is left, then nothing.", "自行车日封顶6元：尚余1.5元，其后免费。"),
        Tap("li", "bike", 0, kind=_IN, at="16:00"), Tap("li", "bike", 150, kind=_OUT, at="16:50"),
        Tap("li", "bike", 0, kind=_IN, at="17:00"), Tap("li", "bike", 0, kind=_OUT, at="17:20"),
        Tap("pupil", "taxi", 2_000, gross=2_000, refused="NEEDS_LOAD"),
        Tap("li", "taxi", 2_860, gross=2_860, torn=True, at="18:00"), Tap("li", "taxi", 2_860, gross=2_860),
        Tell("In again without having gone out: the highest fare is taken.", "未刷出站再次进站：按最高票价扣。"),
        Tap("li", "metro", 0, kind=_IN, stop=1, at="19:00"), Tap("li", "metro", 1_400, kind=_IN, stop=1, at="21:00"),
        Tap("li", "metro", 190, kind=_OUT, stop=4, at="21:30"),
        Holds("li", 10_000 - 160 - 245 - 240 - 500 - 600 - 2_860 - 1_590),
        Clear({"sz.bus": 160 + 240, "sz.metro": 285 + 500 + 300 + 1_590, "sz.ferry": 1_500, "sz.bike": 600,
               "sz.driver": 2_860}, {"sz.finance": 1_340}, at="23:50"),
    ),
)  # fmt: skip
CHANGE = Journey(
    name="change", title_en="Old cards and new ones", title_zh="新旧卡并行与换卡", date=dt.date(2026, 3, 10),
    cards=(FIRST, SECOND),
    steps=(
        Tap("first", "old-bus", 160, gross=200, at="08:00"),
        MoveBalance("first", "second", "old-desk", 3_180, new_device="desk", at="09:00"),
        Holds("first", 0), Holds("second", 3_180),
        Tell("The old card is run off: no device takes it any more.", "旧卡注销，各终端拒收。"),
        List("first"), Tap("first", "old-bus", gross=200, refused="BLOCKED"),
        Load("second", "desk", 5_000), Tap("second", "bus", 160, gross=200, at="12:00"),
        Clear({"sz.bus": 320, "loads.transit": 3_180}, {"loads.transit": 8_180}, at="23:50"),
    ),
)  # fmt: skip
GUEST = Journey(
    name="guest", title_en="A card from another city", title_zh="异地卡互通", date=dt.date(2026, 3, 11),
    cards=(VISITOR,),
    steps=(
        Tap("visitor", "metro-guests", 0, kind=_IN, stop=1, at="09:00"),
        Tap("visitor", "metro-guests", 500, kind=_OUT, stop=3, at="09:40"),
        Holds("visitor", 4_500),
        Tell("Beijing's issuer pays Shenzhen's metro.", "由北京发卡方与深圳地铁结算。"),
        Clear({"sz.metro": 500}, at="23:50"),
    ),
)  # fmt: skip
MONTH = Journey(
    name="month", title_en="A month's cap on bikes", title_zh="自行车月封顶", date=dt.date(2026, 3, 27), cards=(LI,),
    steps=(
        Tell("Six yuan a day, fifteen a month; April begins anew.", "每日6元、每月15元封顶，四月重新累计。"),
        *(Tap("li", "bike", fare, kind=kind, at=f"+{day} {hour:02d}:00")
          for day, up in enumerate((600, 600, 300, 0, 0, 600)) for kind, hour, fare in ((_IN, 9, 0), (_OUT, 14, up))),
        Holds("li", 10_000 - 2_100), Clear({"sz.bike": 2_100}, at="+5 23:50"),
    ),
)  # fmt: skip
_METRES = {(1, 2): 8_000, (1, 3): 18_000, (1, 4): 4_000}


def _pays(
    name: str, en: str, zh: str, operator: str, mode: Mode, fare: str = "", of: str = NEW.name
) -> Device:
    return Device(name, en, zh, DeviceKind.PURSE, operator=operator, mode=mode, fare=fare, application=of)


SECTOR = Sector(
    name="transit", title_en="Transit", title_zh="公共交通",
    about_en="Metro, bus, ferry, bike and taxi; transfers and caps; old cards beside new ones; cards of other cities.",
    about_zh="地铁、公交、轮渡、自行车、出租车；换乘与封顶；新旧卡并行；异地卡互通。",
    authority=_BUREAU, standards=("JR/T 0025.2", "JT/T 978.2"), archetypes=(Archetype.PURSE,), profiles=(NEW, OLD),
    composes=(BEIJING,),
    parties=(
        Party("sz.metro", "Metro", "地铁集团"), Party("sz.bus", "Buses", "公交集团"),
        Party("sz.ferry", "Ferry", "轮渡公司"), Party("sz.bike", "Bikes", "自行车公司"),
        Party("sz.driver", "Driver Zhang", "张师傅"), Party("sz.finance", "City treasury", "市财政", Role.GOVERNMENT),
    ),
    devices=(
        _pays("metro", "the metro gate", "地铁闸机", "sz.metro", Mode.METRO, "metro"),
        _pays("metro-guests", "the guests' gate", "异地卡闸机", "sz.metro", Mode.METRO, "metro", BEIJING),
        _pays("bus", "the bus", "公交车", "sz.bus", Mode.BUS),
        _pays("old-bus", "the bus's old reader", "公交旧读卡器", "sz.bus", Mode.BUS, of=OLD.name),
        _pays("country-bus", "the country bus", "郊区公交", "sz.bus", Mode.BUS, "zones"),
        _pays("ferry", "the ferry", "轮渡", "sz.ferry", Mode.FERRY, "flat"),
        _pays("bike", "the bike", "自行车", "sz.bike", Mode.BIKE, "bike"),
        _pays("taxi", "Zhang's taxi", "张师傅的出租车", "sz.driver", Mode.TAXI),
        Device("desk", "the service desk", "服务网点", DeviceKind.LOAD),
        Device("old-desk", "the desk for old cards", "旧卡换卡柜台", DeviceKind.LOAD, application=OLD.name),
    ),
    tariffs={NEW.name: TARIFF, OLD.name: SHENZHEN_2018,
             BEIJING: full_price("guest", title_en="Other cities' cards", title_zh="异地卡全价", gross_max_fen=5_000)},
    fares=(
        Fare(name="metro", sheet=METRO, lost_exit=1_400, measures={pair: {"metres": m} for pair, m in _METRES.items()}),
        Fare(name="zones", sheet=ZONES, measures={(1, 2): {"zones": 2}}),
        Fare(name="flat", sheet=FLAT), Fare(name="bike", sheet=BIKE),
    ),
    worked_cases=CASES,
    reports=(
        Report(name="operators", title_en="Takings", title_zh="各运营方收入", counts=Counted.PAID, by="operator"),
        Report(name="products", title_en="Rides by product", title_zh="各产品乘次", counts=Counted.PAID, by="product"),
        Report(name="moved", title_en="Balances moved", title_zh="余额转移", counts=Counted.MOVED, by="application"),
    ),
    journeys=(DAY, MONTH, CHANGE, GUEST),
)  # fmt: skip
