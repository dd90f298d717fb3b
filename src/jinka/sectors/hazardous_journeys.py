"""The journeys of hazardous goods: a warehouse, an escorted container, two stores, a precursor's permit."""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Admit,
    Assess,
    Certify,
    Commissioned,
    Conditions,
    Destroyed,
    Journey,
    Measured,
    Observed,
    Packed,
    Reads,
    Received,
    Shipped,
    Sign,
    StoreGoods,
    Tell,
    TraceBack,
    TraceForward,
    Unpacked,
    Verify,
    Write,
)
from jinka.sectors.hazardous_cards import container_tag, officer, permit

_ARRIVED = "chlorine/1..3, ammonia#N1 5000 KGM, petrol#G1 140000 KGM, petrol#G2 20000 KGM"
_STOCK: dict[str, int | str] = {
    "chlorine kg": "=warehouse chlorine", "ammonia kg": "=warehouse ammonia", "petrol kg": "=warehouse petrol",
    "people": 40,
}  # fmt: skip
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
_CLEARED, _DEPARTS = {"gate": "admitted"}, ("gate",)  # for one departure


def _shows(card: str, device: str, post: str, store: str) -> tuple[Admit, Write]:
    """A card is shown for a post, and its number goes onto the container's tag."""
    return (
        Admit(card, device, "on-duty", facts={"post": post, "store": store}, remembers={post: "card"}),
        Write("tag", device, {post: f"={post}"}),
    )


def _leaves(seal: str, refused: str = "") -> Admit:
    return Admit("tag", "gate", "leaves", facts={**_GATE, "seal": seal}, remembers=_CLEARED, refused=refused)


_PASS = {"pass container": "container"}


def _toxic(seal: str, refused: str = "") -> Admit:
    facts = {**_GATE, "seal": seal, "pass container": "=pass container"}
    return Admit("tag", "gate", "toxic", facts=facts, remembers=_CLEARED, refused=refused)


ESCORT = Journey(
    name="escort", date=dt.date(2026, 4, 14),
    title_en="A container with chlorine: released by two, escorted, sealed, with a pass of the police",
    title_zh="一箱液氯：双人收发、押运、施封、凭通行证上路",
    cards=(
        container_tag("tag", "the container's tag", "集装箱标签"),
        officer("keeper", "the keeper's card", "保管员证", "keeper", "warehouse", signs=True),
        officer("chief", "the commander's card", "负责人证", "commander", "warehouse", signs=True),
        officer("police", "the police officer's card", "民警证", "police", "road", signs=True),
        officer("driver", "the driver's card", "驾驶员证", "driver", "warehouse,road"),
        officer("escort", "the escort's card", "押运员证", "escort", "warehouse,road"),
        officer("late", "the other escort's card", "候补押运员证", "escort", "warehouse,road", "20260331"),
    ),
    steps=(
        Certify("keeper", "desk", "李强", pin="246802", post="keeper", at="05:00"),
        Certify("chief", "desk", "赵敏", pin="246802", post="commander"),
        Certify("police", "desk", "孙涛", pin="246802", post="police"),
        Commissioned("chlorine/11", "plant", at="05:10"),
        Shipped("chlorine/11", "plant", "warehouse", seal="C11"),
        Received("chlorine/11", "warehouse", seal="C11", at="06:50"),
        Measured("chlorine/11", "warehouse", {"06:50": "20", "07:00": "20"}, at="07:01"),
        Conditions("chlorine/11", ("cylinders",)),
        Packed("container/3", "chlorine/11", "warehouse"),
        Write("tag", "desk", {"seal": "H100"}),
        Write("tag", "desk", {"keeper": "yes", "commander": "yes", "driver": "yes", "escort": "yes"}),
        Tell("Words on the tag release nothing: nobody has shown a card.", "标签上写“是”不算放行：无人出示证件。"),
        _toxic("H100", "KEEPER_MISSING"),
        *_shows("keeper", "desk", "keeper", "warehouse"),
        _toxic("H100", "COMMANDER_MISSING"),
        Tell("The keeper cannot be the commander as well.", "保管员不得兼作负责人放行。"),
        Admit("keeper", "desk", "on-duty", facts={"post": "commander", "store": "warehouse"}, refused="OTHER_POST"),
        *_shows("chief", "desk", "commander", "warehouse"),
        Sign("keeper", "order", "container CSQU3054383; seal H100; to the waterworks", pin="246802"),
        Verify("order", "gate", needs=_TWO, remembers={"ordered seal": "seal"}, refused="SIGNERS_MISSING"),
        _toxic("H100", "ORDER_MISSING"),
        Sign("chief", "order", pin="246802", counter=True),
        Verify("order", "gate", needs=_TWO, remembers={"ordered seal": "seal"}),
        _toxic("H100", "DRIVER_MISSING"),
        *_shows("driver", "gate", "driver", "road"),
        Admit("late", "gate", "on-duty", facts={"post": "escort", "store": "road"}, remembers={"escort": "card"},
              refused="CARD_EXPIRED"),
        _toxic("H100", "ESCORT_MISSING"),
        *_shows("escort", "gate", "escort", "road"),
        _toxic("H999", "OTHER_SEAL"),
        Tell("Chlorine is acutely toxic: on the road it needs a pass of the police, for this container and this way.",
             "氯属剧毒化学品，上路须凭公安机关核发的剧毒化学品道路运输通行证。"),
        _toxic("H100", "PASS_MISSING"),
        Shipped("container/3", "warehouse", "waterworks", seal="H100", spends=_DEPARTS, refused="NOT_SHOWN"),
        Sign("police", "pass", "container CSQU3054383; chlorine 1 t; warehouse to waterworks; 14 April", pin="246802"),
        Verify("pass", "gate", needs={"police": 1}, remembers=_PASS),
        _toxic("H100"),
        Shipped("container/3", "warehouse", "waterworks", at="09:00", seal="H100", spends=_DEPARTS),
        Shipped("container/3", "warehouse", "town", seal="H100", spends=_DEPARTS, refused="USED_TWICE"),
        Measured("container/3", "waterworks", {"10:00": "21", "10:40": "43", "11:00": "22"}, at="11:05"),
        Received("container/3", "waterworks", at="12:00", seal="H101"),
        Admit("tag", "gate", "arrives", facts={"seal": "H101"}, refused="OTHER_SEAL"),
        Unpacked("container/3", "waterworks"),
        Conditions("container/3", ("cylinders",), excursions=1, breaches=1, seals=("CHANGED",), holds="chlorine/11",
                   place="waterworks"),
        Shipped("chlorine/11", "waterworks", "town", refused="HELD"),
        Tell("Another seal on the door, and an hour in the sun: the escort reports it to the police, who open the "
             "container with the receiver, find the cylinder whole and put a new seal on.",
             "门上封志不符且曾受热：押运员报告公安机关，会同收货人开箱查验，钢瓶完好，重新施封。"),
        Observed("inspecting", "chlorine/11", "waterworks", disposition="conformant", seal="H102"),
        Write("tag", "gate", {"seal": "H102"}),
        Admit("tag", "gate", "arrives", facts={"seal": "H102"}),
        Reads("tag", "desk", {"keeper": "no", "escort": "no"}),
        TraceBack("chlorine/11", "", places=("plant", "warehouse", "waterworks")),
    ),
)  # fmt: skip
_MILITARY, _ORDERED = {"military keeper": 1, "military commander": 1}, {"ordered": "signed"}
RESERVES = Journey(
    name="reserves", date=dt.date(2026, 7, 20),
    title_en="Military and emergency stock: kept apart, released by two", title_zh="军用与应急物资：分库保管、双人出库",
    cards=(
        container_tag("tag", "the container's tag", "集装箱标签"),
        officer("soldier", "the military keeper's card", "军库保管员证", "keeper", "military", signs=True),
        officer("major", "the military commander's card", "军库负责人证", "commander", "military", signs=True),
        officer("keeper", "the emergency keeper's card", "应急库保管员证", "keeper", "emergency", signs=True),
        officer("driver", "the driver's card", "驾驶员证", "driver", "emergency,road"),
        officer("escort", "the escort's card", "押运员证", "escort", "emergency,road"),
        officer("chief", "the emergency commander's card", "应急指挥员证", "commander", "emergency", signs=True),
    ),
    steps=(
        Certify("keeper", "desk", "王刚", pin="246802", post="keeper", at="07:30"),
        Certify("chief", "desk", "陈军", pin="246802", post="commander"),
        Certify("soldier", "desk", "周岩", pin="246802", post="military keeper"),
        Certify("major", "desk", "吴刚", pin="246802", post="military commander"),
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
        Shipped("container/3", "emergency", "town", at="09:00", seal="R1", spends=_DEPARTS),
        Received("container/3", "town", at="15:00", seal="R1"),
        TraceForward("tents/1", "", places=("emergency", "town")),
        Tell("Two lots of cartridges ask for their compatibility groups; without them the second is not taken.",
             "两批弹药同库须核对配装组，未核对的第二批不收。"),
        StoreGoods("magazine", "signals#M2 100 EA", refused="SEGREGATION"),
        Tell("Nothing of the military store leaves on the word of the emergency store's officers.",
             "军用物资出库须军库两名人员签名，应急库人员签名无效。"),
        Sign("keeper", "military order", "lot M1; 300 signal cartridges; to be destroyed", pin="246802"),
        Sign("chief", "military order", pin="246802", counter=True),
        Verify("military order", "desk", needs=_MILITARY, remembers=_ORDERED, refused="SIGNERS_MISSING"),
        Destroyed("signals#M1 300 EA", "military", spends=("ordered",), refused="NOT_SHOWN"),
        Sign("soldier", "military order", pin="246802", counter=True),
        Sign("major", "military order", pin="246802", counter=True),
        Verify("military order", "desk", needs=_MILITARY, remembers=_ORDERED),
        Destroyed("signals#M1 300 EA", "military", spends=("ordered",)),
        StoreGoods("magazine", "signals#M2 600 EA", refused="TOO_MUCH"),
        StoreGoods("magazine", "signals#M2 300 EA"),
    ),
)  # fmt: skip
PRECURSOR = Journey(
    name="precursor", date=dt.date(2026, 6, 22),
    title_en="A permit of class 1 is good for one journey", title_zh="一类易制毒化学品运输许可一次有效",
    cards=(
        permit("one", "the permit of class 1", "一类运输许可证", "1", "20260722"),
        permit("three", "the permit of class 2", "二类运输许可证", "99", "20260921"),
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
