"""Logistics and e-tickets: consignments that are signed over, and tickets that two offline gates cannot both believe.

UPU S10 and ISO 6346 (numbers), EPCIS 2.0 (who had a consignment when), railway passenger rules (refund of a ticket). A
ticket is a record on a card that a gate uses up; whoever copies the card gets through a second offline gate and is
found when both report (`jinka.clearing.tickets`). The ticket card's layout is Jinka's. Journeys and cards are in
`jinka.sectors.logistics_journeys`.
"""

from __future__ import annotations

from jinka.declaration import (
    Account,
    Archetype,
    Counted,
    Device,
    DeviceKind,
    ItemClass,
    ItemKey,
    Party,
    Report,
    Sector,
    Trace,
    TracePlace,
    WorkedCase,
)
from jinka.kit import Unit
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.sectors.logistics_journeys import COURIER, COURIER_RECORDS, JOURNEYS, SIGNS, TICKET, TICKET_RECORDS
from jinka.tariff.sheet import (
    Choose,
    Less,
    Line,
    Minus,
    Most,
    Rounding,
    Sheet,
    Step,
    Sum,
    Times,
    Unordered,
    percent,
)

RIDES = Entitlement(
    name="rides", title_en="Pass a gate with an e-ticket", title_zh="持电子票进站", application=TICKET.name,
    conditions=(
        Condition("train", Test.EQUALS, Fact("train"), "OTHER_TRAIN"),
        Condition("day", Test.EQUALS, Fact("date"), "OTHER_DAY"),
        Condition("ticket", Test.IS_SET, "", "NO_TICKET"),
        Condition("left", Test.AT_LEAST, 1, "USED"),
    ),
    changes=(Change("left", take=1),),
)  # fmt: skip
HANDLES = Entitlement(
    name="handles", title_en="Take over a consignment", title_zh="交接货物", application=COURIER.name,
    conditions=(
        Condition("good until", Test.NOT_BEFORE, Fact("date"), "CARD_EXPIRED"),
        Condition("stations", Test.LISTS, Fact("station"), "OTHER_STATION"),
    ),
)  # fmt: skip

_SERIAL = tuple(f"d{place}" for place in range(1, 9))
S10 = Sheet(
    name="s10", title_en="Check digit of a postal item", title_zh="邮件号码校验码",
    source="UPU S10: weights 8 6 4 2 3 5 9 7, 11 less the rest of 11; 10 is written 0, 11 is written 5", facts=_SERIAL,
    unordered=Unordered.CHECK_CHARACTER,
    lines=(
        Line(code="sum", title_en="weighted sum", title_zh="加权和", unit=Unit.NUMBER,
             value=Sum(tuple(Times(d, w) for d, w in zip(_SERIAL, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)))),
        Line(code="rest", title_en="rest of 11", title_zh="除以11的余数", unit=Unit.NUMBER,
             value=Minus("sum", Times(Times("sum", 1, 11, Rounding.DOWN), 11))),
        Line(code="check", title_en="check digit", title_zh="校验码", unit=Unit.NUMBER,
             value=Choose("rest", ((0, 5), (1, 0), *((rest, 11 - rest) for rest in range(2, 11))))),
    ),
    result="check",
)  # fmt: skip
_PLACES = tuple(f"c{place}" for place in range(1, 11))
CONTAINER = Sheet(
    name="container", title_en="Check digit of a freight container", title_zh="集装箱箱号校验码",
    source="ISO 6346 (GB/T 1836), annex A: letters count 10, 12 ... without 11, 22, 33; weights are powers of two",
    facts=_PLACES, unordered=Unordered.CHECK_CHARACTER,
    lines=(
        Line(code="sum", title_en="weighted sum", title_zh="加权和", unit=Unit.NUMBER,
             value=Sum(tuple(Times(place, 2**at) for at, place in enumerate(_PLACES)))),
        Line(code="rest", title_en="rest of 11", title_zh="除以11的余数", unit=Unit.NUMBER,
             value=Minus("sum", Times(Times("sum", 1, 11, Rounding.DOWN), 11))),
        Line(code="check", title_en="check digit", title_zh="校验码", unit=Unit.NUMBER,
             value=Choose("rest", ((10, 0), *((rest, rest) for rest in range(10))))),
    ),
    result="check",
)  # fmt: skip
_REFUND = (
    "铁路旅客运输规程 and the notice on refund fees at 12306.cn: 5, 10, 20 %, to half a yuan, at least 2 yuan"
)
REFUND = Sheet(
    name="refund", title_en="Fee for giving back a train ticket", title_zh="火车票退票费", source=_REFUND,
    facts=("price", "hours"), result="fee", rising=("price",),
    lines=(
        Line(code="rate", title_en="percent, by whole hours before departure", title_zh="费率（%）", unit=Unit.NUMBER,
             value=Step("hours", ((23, 20), (47, 10), (None, 5)))),
        Line(code="exact", title_en="unrounded", title_zh="未取整", value=percent("price", "rate")),
        Line(code="fee", title_en="fee", title_zh="退票费", payer="logistics.sold", payee="logistics.rail",
             value=Most((Times(Times("exact", 1, 50), 50), 200))),
        Line(code="back", title_en="paid back", title_zh="退还票款", payer="logistics.sold",
             payee="logistics.passengers", value=Less("price", "fee")),
    ),
)  # fmt: skip


def _digits(facts: tuple[str, ...], values: str) -> dict[str, int | str]:
    """Values of a number's places; letters of a container as ISO 6346 counts them."""
    letters = [value for value in range(10, 39) if value % 11]
    return {name: int(each) if each.isdigit() else letters[ord(each) - ord("A")]
            for name, each in zip(facts, values, strict=True)}  # fmt: skip


TRACE = Trace(
    items=(
        ItemClass("parcel", "Parcel", "包裹", ItemKey.LOGISTIC_UNIT, "6904567", tag="SSCC-96"),
        ItemClass("mail", "Postal item EE47312482", "国际邮件EE47312482", ItemKey.OTHER, "urn:jinka:s10:EE47312482"),
        ItemClass("box", "Freight container CSQU305438", "集装箱CSQU305438", ItemKey.OTHER,
                  "urn:jinka:iso6346:CSQU305438"),
    ),
    places=(
        TracePlace("sender", "the sender", "寄件人", "6904567.00001"),
        TracePlace("hub", "the hub", "分拨中心", "6904567.00002"),
        TracePlace("depot", "the depot", "营业部", "6904567.00003"),
        TracePlace("addressee", "the addressee", "收件人", "6904567.00004"),
    ),
    rules={"UNPACKED_NOT_PACKED": "refuse"},
)  # fmt: skip

SECTOR = Sector(
    name="logistics",
    title_en="Logistics and e-tickets",
    title_zh="物流与电子票",
    about_en="Consignments bear tags and pass from hand to hand with signatures. A ticket on a card is used up by the "
    "gate; a copy of the card passes a second gate that is offline, is found when both report, and is settled.",
    about_zh="货物贴标签、逐手签字交接。卡内电子票过闸即核销；复制卡虽可骗过另一台离线闸机，两机上报后即被查出并结清。",
    authority="Transport and postal administration 交通运输与邮政管理部门",
    standards=("UPU S10", "ISO 6346", "GB/T 1836", "EPCIS 2.0"),
    archetypes=(Archetype.TRACE, Archetype.RECORD),
    profiles=(TICKET, COURIER),
    records={TICKET.name: TICKET_RECORDS, COURIER.name: COURIER_RECORDS},
    composes=(SIGNS,),
    parties=(Party("logistics.east", "Operator of the east gate", "东口运营方"),
             Party("logistics.west", "Operator of the west gate", "西口运营方")),
    accounts=(
        Account("logistics.sold", "Tickets sold and not used", "已售未用票款", opening=20_000),
        Account("logistics.guarantee", "Guarantee of the tickets' issuer", "发票方保证金", opening=50_000),
        Account("logistics.east", "East gate", "东口"),
        Account("logistics.west", "West gate", "西口"),
        Account("logistics.passengers", "Passengers", "旅客", overdraws=True),
        Account("logistics.rail", "The railway", "铁路"),
    ),
    devices=(
        Device("counter", "the ticket counter", "售票处", DeviceKind.CHECK, application=TICKET.name),
        Device("east", "the east gate", "东口闸机", DeviceKind.CHECK, operator="logistics.east",
               application=TICKET.name),
        Device("west", "the west gate", "西口闸机", DeviceKind.CHECK, operator="logistics.west",
               application=TICKET.name),
        Device("handheld", "the courier's handheld", "快递手持机", DeviceKind.CHECK, application=COURIER.name),
    ),
    entitlements=(RIDES, HANDLES),
    sheets=(S10, CONTAINER, REFUND),
    trace=TRACE,
    reports=(
        Report(name="events", title_en="Events by step", title_zh="各环节事件", counts=Counted.EVENT, by="step"),
        Report(name="passed", title_en="Passed", title_zh="各闸机通过", counts=Counted.ADMITTED, by="device"),
        Report(name="refused", title_en="Refusals", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason"),
        Report(name="settled", title_en="Settled", title_zh="结算金额", counts=Counted.MOVED, by="account"),
    ),
    journeys=JOURNEYS,
    words={"east": "东口", "west": "西口", "waybill": "运单", "collector": "揽收员", "carrier": "承运人",
           "addressee": "收件人", "delivery note": "签收单",
           "parcel 1, depot to addressee, seal whole": "包裹1，营业部至收件人，封签完好",
           "depot": "营业部", "hub": "分拨中心",
           "parcel 1 and EE473124829CN, sender to hub, sound": "包裹1及EE473124829CN，寄件人至分拨中心，完好",
           "parcel 1 and EE473124829CN, sender to hub, damaged": "包裹1及EE473124829CN，寄件人至分拨中心，破损",
           "logistics.guarantee": "发票方保证金"},
    worked_cases=(
        WorkedCase(title_en="Postal number 47312482", title_zh="邮件号47312482", sheet="s10",
                   facts=_digits(_SERIAL, "47312482"), gives={"sum": 200, "check": 9},
                   source="UPU S10, example 473124829"),
        WorkedCase(title_en="Container CSQU305438", title_zh="箱号CSQU305438", sheet="container",
                   facts=_digits(_PLACES, "CSQU305438"), gives={"sum": 6_185, "check": 3},
                   source="ISO 6346, example CSQU3054383"),
        *(
            WorkedCase(title_en=f"{price // 100} yuan, {hours} h before",
                       title_zh=f"票价{price // 100}元，提前{hours}小时", sheet="refund",
                       facts={"price": price, "hours": hours}, gives={"exact": exact, "fee": fee},
                       source=f"{_REFUND} (rates and edges printed; the sum is one step)", derived=True)
            for price, hours, exact, fee in ((55_300, 30, 5_530, 5_550), (7_300, 50, 365, 350), (2_000, 50, 100, 200))
        ),
    ),
)  # fmt: skip
