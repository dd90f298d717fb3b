"""The cards and journeys of hazardous goods: a warehouse, an escorted container, two stores, a precursor's permit."""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
    Assess,
    Certify,
    Commissioned,
    Conditions,
    Journey,
    JourneyCard,
    Measured,
    Packed,
    Reads,
    Received,
    Shipped,
    Sign,
    Start,
    StoreGoods,
    Tell,
    TraceBack,
    TraceForward,
    Unpacked,
    Verify,
    Write,
)
from jinka.profile import ApplicationProfile
from jinka.profile.applications import pin, record, record_application
from jinka.profile.spec import PersonalDatum

SIGNS = "jinka.identity"
_AUTHORITY = "Emergency management 应急管理部门"
_OFFICER = (
    record(1, "name", Coding.TEXT, 30, "李勇", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "post", Coding.TEXT, 12, "keeper", "Post", "岗位"),
    record(2, "stores", Coding.TEXT, 40, "warehouse", "Stores", "库别"),
    record(3, "good until", Coding.DATE, 4, "20281231", "Good until", "有效期"),
)
OFFICER = record_application(
    name="cn.hazardous.officer", aid=b"JINKA.HAZ.1", fid=0x3F54, title_en="Duty card", title_zh="岗位证",
    authority=_AUTHORITY, standards=("LD/T 33",), records=_OFFICER, after_pin=(0x0006,), extra_keys=(pin(),),
)  # fmt: skip
_CONTAINER = (
    record(1, "seal", Coding.TEXT, 16, "H100", "Seal", "封志号"),
    record(2, "keeper", Coding.TEXT, 20, "no", "Released by the keeper", "保管员放行"),
    record(3, "commander", Coding.TEXT, 20, "no", "Released by the commander", "负责人放行"),
    record(4, "driver", Coding.TEXT, 20, "no", "Driver admitted", "驾驶员已验"),
    record(5, "escort", Coding.TEXT, 20, "no", "Escort admitted", "押运员已验"),
)
CONTAINER = record_application(
    name="cn.hazardous.container", aid=b"JINKA.HAZ.2", fid=0x3F55, title_en="Container's electronic tag",
    title_zh="集装箱电子标签", authority=_AUTHORITY, standards=("LD/T 33", "ISO 6346"), records=_CONTAINER,
)  # fmt: skip
_PERMIT = (
    record(1, "journeys", Coding.NUMBER, 1, "1", "Journeys left", "剩余运次"),
    record(2, "good until", Coding.DATE, 4, "20260630", "Good until", "有效期"),
)
PERMIT = record_application(
    name="cn.hazardous.permit", aid=b"JINKA.HAZ.3", fid=0x3F56, title_en="Transport permit for precursors",
    title_zh="易制毒化学品运输许可证", authority="Public security 公安机关", standards=("LD/T 33",), records=_PERMIT,
)  # fmt: skip
PROFILES: tuple[ApplicationProfile, ...] = (CONTAINER, OFFICER, PERMIT)
CARD_RECORDS = {OFFICER.name: _OFFICER, CONTAINER.name: _CONTAINER, PERMIT.name: _PERMIT}


def _officer(
    name: str, en: str, zh: str, post: str, stores: str, until: str = "20281231", *, signs: bool = False
) -> JourneyCard:
    duty = Start(application=OFFICER.name, pin="135790", records={
        "name": "李勇", "post": post, "stores": stores, "good until": until})  # fmt: skip
    return JourneyCard(name, en, zh, (duty, Start(application=SIGNS, pin="246802")) if signs else (duty,))


def _tag(name: str, en: str, zh: str) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=CONTAINER.name, records={
        "seal": "none", "keeper": "no", "commander": "no", "driver": "no", "escort": "no"}),))  # fmt: skip


def _permit(name: str, en: str, zh: str, journeys: str, until: str) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=PERMIT.name, records={
        "journeys": journeys, "good until": until}),))  # fmt: skip


_ARRIVED = "chlorine/1..3, ammonia#N1 5000 KGM, petrol#G1 140000 KGM, petrol#G2 20000 KGM"
_STOCK = {"chlorine kg": "=warehouse chlorine", "ammonia kg": "=warehouse ammonia", "petrol kg": "=warehouse petrol",
          "people": 40}  # fmt: skip
STORE = Journey(
    name="store", date=dt.date(2026, 3, 9),
    title_en="What a warehouse takes and what it does not, and when it becomes a major hazard",
    title_zh="仓库收货与拒收，何时构成重大危险源",
    steps=(
        Commissioned("chlorine/1..3", "plant", at="07:00"),
        Commissioned("ammonia#N1 5000 KGM", "plant"),
        Commissioned("petrol#G1 140000 KGM, petrol#G2 20000 KGM", "plant"),
        Shipped(_ARRIVED, "plant", "warehouse"),
        StoreGoods("gas", "chlorine/1..3", refused="NOT_HERE"),
        Received(_ARRIVED, "warehouse", at="+1 08:00"),
        StoreGoods("gas", "chlorine/1..3"),
        Tell("Chlorine is acutely toxic and lies alone; it is an oxidizer too, and ammonia is corrosive.",
             "液氯属剧毒化学品，应单独存放；氯兼具氧化性，氨有腐蚀性，不得同库。"),
        StoreGoods("gas", "ammonia#N1 3000 KGM", refused="SEGREGATION"),
        StoreGoods("gas", "petrol#G1 1000 KGM", refused="SEGREGATION"),
        StoreGoods("liquids", "chlorine/1", refused="CLASS"),
        StoreGoods("liquids", "petrol#G1 140000 KGM"),
        StoreGoods("liquids", "petrol#G2 20000 KGM", refused="TOO_MUCH"),
        Tell("What lies in the zones, and the people within 500 m, decide about the major hazard.",
             "按库区实存量和周边500米人数辨识重大危险源。"),
        Assess("major-hazard", _STOCK, {"sum": 1_300_000, "major": 1, "grade": 4}),
        Shipped("chlorine/2..3", "warehouse", "plant", disposition="returned"),
        Assess("major-hazard", _STOCK, {"sum": 900_000, "major": 0, "grade": 0}),
        Shipped("petrol#G1 40000 KGM", "warehouse", "town"),
        StoreGoods("liquids", "petrol#G2 20000 KGM"),
        TraceForward("petrol#G1", "", places=("plant", "warehouse")),
    ),
)  # fmt: skip
_SHOWN = ("keeper", "commander", "driver", "escort", "ordered seal")  # never typed
_GATE = {name: f"={name}" for name in _SHOWN}
_TWO = {"keeper": 1, "commander": 1}


def _shows(card: str, device: str, post: str, store: str) -> tuple[Admit, Write]:
    """A card is shown for a post, and its number goes onto the container's tag."""
    return (
        Admit(card, device, "on-duty", facts={"post": post, "store": store}, remembers={post: "card"}),
        Write("tag", device, {post: f"={post}"}),
    )


def _leaves(seal: str, refused: str = "") -> Admit:
    return Admit("tag", "gate", "leaves", facts={**_GATE, "seal": seal}, refused=refused)


ESCORT = Journey(
    name="escort", date=dt.date(2026, 4, 14),
    title_en="A container with chlorine is released by two, escorted by two, and sealed",
    title_zh="一箱液氯：双人放行、双人押运、施封",
    cards=(
        _tag("tag", "the container's tag", "集装箱标签"),
        _officer("keeper", "the keeper's card", "保管员证", "keeper", "warehouse", signs=True),
        _officer("chief", "the commander's card", "负责人证", "commander", "warehouse", signs=True),
        _officer("driver", "the driver's card", "驾驶员证", "driver", "warehouse,road"),
        _officer("escort", "the escort's card", "押运员证", "escort", "warehouse,road"),
        _officer("late", "the other escort's card", "候补押运员证", "escort", "warehouse,road", "20260331"),
    ),
    steps=(
        Certify("keeper", "desk", "李强", pin="246802", post="keeper", at="06:00"),
        Certify("chief", "desk", "赵敏", pin="246802", post="commander"),
        Commissioned("chlorine/11", "warehouse", at="07:00"),
        Measured("chlorine/11", "warehouse", {"06:30": "20", "07:00": "20"}),
        Conditions("chlorine/11", ("cylinders",)),
        Packed("container/3", "chlorine/11", "warehouse"),
        Write("tag", "desk", {"seal": "H100"}),
        Write("tag", "desk", {"keeper": "yes", "commander": "yes", "driver": "yes", "escort": "yes"}),
        Tell("Words on the tag release nothing: nobody has shown a card.", "标签上写“是”不算放行：无人出示证件。"),
        _leaves("H100", "KEEPER_MISSING"),
        *_shows("keeper", "desk", "keeper", "warehouse"),
        _leaves("H100", "COMMANDER_MISSING"),
        Tell("The keeper cannot be the commander as well.", "保管员不得兼作负责人放行。"),
        Admit("keeper", "desk", "on-duty", facts={"post": "commander", "store": "warehouse"}, refused="OTHER_POST"),
        *_shows("chief", "desk", "commander", "warehouse"),
        Sign("keeper", "order", "container CSQU3054383; seal H100; to the town", pin="246802"),
        Verify("order", "gate", needs=_TWO, remembers={"ordered seal": "seal"}, refused="SIGNERS_MISSING"),
        _leaves("H100", "ORDER_MISSING"),
        Sign("chief", "order", pin="246802", counter=True),
        Verify("order", "gate", needs=_TWO, remembers={"ordered seal": "seal"}),
        _leaves("H100", "DRIVER_MISSING"),
        *_shows("driver", "gate", "driver", "road"),
        Admit("late", "gate", "on-duty", facts={"post": "escort", "store": "road"}, remembers={"escort": "card"},
              refused="CARD_EXPIRED"),
        _leaves("H100", "ESCORT_MISSING"),
        *_shows("escort", "gate", "escort", "road"),
        _leaves("H999", "OTHER_SEAL"),
        _leaves("H100"),
        Shipped("container/3", "warehouse", "town", at="09:00", seal="H100"),
        Measured("container/3", "town", {"10:00": "21", "10:40": "43", "11:00": "22"}, at="11:05"),
        Received("container/3", "town", at="12:00", seal="H101"),
        Admit("tag", "gate", "arrives", facts={"seal": "H101"}, refused="OTHER_SEAL"),
        Conditions("container/3", ("cylinders",), excursions=1, breaches=1, seals=("CHANGED",)),
        Tell("The seal on the door is another one: the escort explains it to the police, who put a new one on.",
             "门上封志不符，押运员向公安机关说明后重新施封。"),
        Write("tag", "gate", {"seal": "H102"}),
        Admit("tag", "gate", "arrives", facts={"seal": "H102"}),
        Reads("tag", "desk", {"keeper": "no", "escort": "no"}),
        Unpacked("container/3", "town"),
        TraceBack("chlorine/11", "", places=("warehouse", "town")),
    ),
)  # fmt: skip
RESERVES = Journey(
    name="reserves", date=dt.date(2026, 7, 20),
    title_en="Military and emergency stock: kept apart, released by two", title_zh="军用与应急物资：分库保管、双人出库",
    cards=(
        _tag("tag", "the container's tag", "集装箱标签"),
        _officer("soldier", "the military keeper's card", "军库保管员证", "keeper", "military"),
        _officer("keeper", "the emergency keeper's card", "应急库保管员证", "keeper", "emergency", signs=True),
        _officer("driver", "the driver's card", "驾驶员证", "driver", "emergency,road"),
        _officer("escort", "the escort's card", "押运员证", "escort", "emergency,road"),
        _officer("chief", "the emergency commander's card", "应急指挥员证", "commander", "emergency", signs=True),
    ),
    steps=(
        Certify("keeper", "desk", "王刚", pin="246802", post="keeper", at="07:30"),
        Certify("chief", "desk", "陈军", pin="246802", post="commander"),
        Commissioned("signals#M1 300 EA, signals#M2 300 EA", "military", at="08:00"),
        Commissioned("petrol#M9 200 KGM", "military"),
        StoreGoods("magazine", "signals#M1 300 EA"),
        StoreGoods("magazine", "petrol#M9 200 KGM", refused="SEGREGATION"),
        Commissioned("tents/1..3", "emergency", lot="T1"),
        Packed("container/3", "tents/1..2", "emergency"),
        Write("tag", "desk", {"seal": "R1"}),
        Tell("An officer of the military store may release nothing of the emergency store.",
             "军库人员无权放行应急物资。"),
        Admit("soldier", "desk", "on-duty", facts={"post": "keeper", "store": "emergency"}, refused="OTHER_STORE"),
        _leaves("R1", "KEEPER_MISSING"),
        *_shows("keeper", "desk", "keeper", "emergency"),
        Sign("keeper", "release order", "container CSQU3054383; 2 tents; seal R1; to the town", pin="246802"),
        Verify("release order", "gate", needs={"keeper": 1, "commander": 1}, refused="SIGNERS_MISSING"),
        Sign("keeper", "release order", pin="246802"),
        Verify("release order", "gate", needs={"keeper": 1, "commander": 1}, refused="SIGNERS_MISSING"),
        *_shows("chief", "desk", "commander", "emergency"),
        _leaves("R1", "ORDER_MISSING"),
        Sign("chief", "release order", pin="246802", counter=True),
        Verify("release order", "gate", needs=_TWO, remembers={"ordered seal": "seal"}),
        _leaves("R1", "DRIVER_MISSING"),
        *_shows("driver", "gate", "driver", "road"),
        *_shows("escort", "gate", "escort", "road"),
        _leaves("R1"),
        Shipped("container/3", "emergency", "town", at="09:00", seal="R1"),
        Received("container/3", "town", at="15:00", seal="R1"),
        TraceForward("tents/1", "", places=("emergency", "town")),
        Tell("Two lots of cartridges ask for their compatibility groups; without them the second is not taken.",
             "两批弹药同库须核对配装组，未核对的第二批不收。"),
        StoreGoods("magazine", "signals#M2 100 EA", refused="SEGREGATION"),
        Shipped("signals#M1 300 EA", "military", "town"),
        StoreGoods("magazine", "signals#M2 600 EA", refused="TOO_MUCH"),
        StoreGoods("magazine", "signals#M2 300 EA"),
    ),
)  # fmt: skip
PRECURSOR = Journey(
    name="precursor", date=dt.date(2026, 6, 22),
    title_en="A permit of class 1 is good for one journey", title_zh="一类易制毒化学品运输许可一次有效",
    cards=(
        _permit("one", "the permit of class 1", "一类运输许可证", "1", "20260722"),
        _permit("three", "the permit of class 2", "二类运输许可证", "99", "20260921"),
    ),
    steps=(
        Admit("one", "checkpoint", "carries", at="08:00"),
        Admit("one", "checkpoint", "carries", refused="PERMIT_USED", at="+1 08:00"),
        Admit("three", "checkpoint", "carries"),
        Admit("three", "checkpoint", "carries"),
        Admit("three", "checkpoint", "carries", refused="PERMIT_EXPIRED", at="+92 08:00"),
    ),
)  # fmt: skip

JOURNEYS = (STORE, ESCORT, RESERVES, PRECURSOR)
