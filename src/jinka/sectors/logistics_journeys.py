"""The cards and journeys of logistics: a parcel signed over three times, and a ticket that is copied."""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
    Alter,
    Assess,
    Certify,
    CheckItem,
    Commissioned,
    CopyCard,
    GatesReport,
    Journey,
    JourneyCard,
    Packed,
    Reads,
    Received,
    Shipped,
    Sign,
    Stands,
    Start,
    Tell,
    TraceBack,
    TraceForward,
    Unpacked,
    Verify,
    Write,
)
from jinka.profile.applications import pin, record, record_application
from jinka.profile.spec import PersonalDatum

SIGNS = "jinka.identity"
TICKET_RECORDS = (
    record(1, "ticket", Coding.TEXT, 16, "E20260001", "Ticket number", "票号"),
    record(2, "train", Coding.TEXT, 8, "G101", "Train", "车次"),
    record(3, "day", Coding.DATE, 4, "20260309", "Day", "乘车日期"),
    record(4, "left", Coding.NUMBER, 1, "1", "Uses left", "剩余次数"),
)
TICKET = record_application(
    name="cn.logistics.ticket", aid=b"JINKA.LOG.1", fid=0x3F57, title_en="E-ticket", title_zh="电子客票",
    authority="The railway 铁路运输企业", standards=("LD/T 33",), records=TICKET_RECORDS,
)  # fmt: skip
COURIER_RECORDS = (
    record(1, "name", Coding.TEXT, 30, "周明", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "stations", Coding.TEXT, 40, "hub,depot", "Stations", "作业站点"),
    record(2, "good until", Coding.DATE, 4, "20281231", "Good until", "有效期"),
)
COURIER = record_application(
    name="cn.logistics.courier", aid=b"JINKA.LOG.2", fid=0x3F58, title_en="Courier's card", title_zh="快递员工卡",
    authority="Postal administration 邮政管理部门", standards=("LD/T 33",), records=COURIER_RECORDS,
    after_pin=(0x0006,), extra_keys=(pin(),),
)  # fmt: skip


def _courier(name: str, en: str, zh: str, holder: str, stations: str, until: str = "20281231") -> JourneyCard:
    return JourneyCard(name, en, zh, (
        Start(application=COURIER.name, pin="112233", records={
            "name": holder, "stations": stations, "good until": until}),
        Start(application=SIGNS, pin="445566"),
    ))  # fmt: skip


def _ticket(name: str, en: str, zh: str, number: str) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=TICKET.name, records={
        "ticket": number, "train": "G101", "day": "20260309", "left": "1"}),), zh.removesuffix("的票卡"))  # fmt: skip


_BOTH = {"carrier": 1, "addressee": 1}
CONSIGNMENT = Journey(
    name="consignment",
    title_en="A parcel is signed over from hand to hand",
    title_zh="一件包裹逐手签字交接",
    date=dt.date(2026, 3, 9),
    cards=(
        _courier("zhou", "Zhou Ming's card", "周明的工卡", "周明", "sender,hub"),
        _courier("wu", "Wu Fei's card", "吴飞的工卡", "吴飞", "hub,depot"),
        _courier("old", "a card that has expired", "过期工卡", "郑强", "hub", "20251231"),
        JourneyCard("lu", "the addressee's card", "收件人的卡", (Start(application=SIGNS, pin="778899"),)),
    ),
    steps=(
        Certify("zhou", "handheld", "周明", pin="445566", post="collector", at="07:00"),
        Certify("wu", "handheld", "吴飞", pin="445566", post="carrier"),
        Certify("lu", "handheld", "陆芳", pin="778899", post="addressee"),
        Commissioned("parcel/1", "sender", at="08:00"),
        Commissioned("mail/9CN", "sender"),
        Assess("s10", {f"d{at}": int(digit) for at, digit in enumerate("47312482", 1)}, {"check": 9}),
        Admit("zhou", "handheld", "handles", facts={"station": "sender"}),
        Admit("zhou", "handheld", "handles", facts={"station": "depot"}, refused="OTHER_STATION"),
        Reads("zhou", "handheld", {}, refused=("name",)),
        Sign("zhou", "waybill", "parcel 1 and EE473124829CN, sender to hub, sound", pin="445566"),
        Verify("waybill", "handheld", needs={"collector": 1}, remembers={"collected": "signed"}),
        Shipped("parcel/1, mail/9CN", "sender", "hub", document="bol urn:jinka:doc:waybill-1", spends=("collected",)),
        Received("parcel/1, mail/9CN", "hub", at="12:00"),
        Admit("old", "handheld", "handles", facts={"station": "hub"}, refused="CARD_EXPIRED"),
        Admit("wu", "handheld", "handles", facts={"station": "hub"}),
        Sign("wu", "waybill", pin="999999", refused="WRONG_PIN"),
        Verify("waybill", "handheld", needs={"collector": 1, "carrier": 1}, refused="SIGNERS_MISSING"),
        Sign("wu", "waybill", pin="445566", counter=True),
        Verify("waybill", "handheld", needs={"collector": 1, "carrier": 1}, remembers={"carried": "signed"}),
        Packed("box/3", "parcel/1, mail/9CN", "hub"),
        Unpacked("box/3", "hub", "parcel/2", refused="UNPACKED_NOT_PACKED"),
        Shipped("box/3", "hub", "depot", at="13:00", spends=("carried",)),
        Received("box/3", "depot", at="+1 07:00"),
        Unpacked("box/3", "depot"),
        Tell("Somebody writes into the waybill afterwards that the parcel was damaged.",
             "事后有人在运单上添注“破损”。"),
        Alter("waybill", "parcel 1 and EE473124829CN, sender to hub, damaged"),
        Verify("waybill", "handheld", refused="ALTERED"),
        Admit("wu", "handheld", "handles", facts={"station": "depot"}),
        Shipped("parcel/1", "depot", "addressee", at="+1 09:00"),
        Tell("A delivery counts when the addressee has signed for it, not when the courier says so.",
             "妥投以收件人签收为准，快递员单方签名不算。"),
        Sign("wu", "delivery note", "parcel 1, depot to addressee, seal whole", pin="445566", at="+1 11:00"),
        Verify("delivery note", "handheld", needs=_BOTH, remembers={"delivered": "signed"}, refused="SIGNERS_MISSING"),
        Received("parcel/1", "addressee", spends=("delivered",), refused="NOT_SHOWN"),
        Sign("lu", "delivery note", pin="778899", counter=True),
        Verify("delivery note", "handheld", needs=_BOTH, remembers={"delivered": "signed"}),
        Received("parcel/1", "addressee", document="urn:jinka:doc:delivery-note-1", spends=("delivered",)),
        CheckItem("parcel/1", "known"),
        TraceBack("parcel/1", "", places=("sender", "hub", "depot", "addressee")),
        TraceForward("mail/9CN", "", places=("sender", "hub", "depot")),
    ),
)  # fmt: skip


def _report(gates: tuple[str, ...], found: int, at: str = "", **twice: tuple[str, ...]) -> GatesReport:
    return GatesReport(
        gates, "rides", found, ticket="ticket", left="left", price=5_000, pays="logistics.sold",
        stands_in="logistics.guarantee", twice=twice, at=at,
    )  # fmt: skip


TICKETS = Journey(
    name="tickets",
    title_en="A ticket is used once; its copy gets through another offline gate, is found, and is settled",
    title_zh="电子票一次有效；复制卡骗过另一离线闸机后被查出并结清",
    date=dt.date(2026, 3, 9),
    cards=(
        _ticket("he", "He Jun's ticket card", "何军的票卡", "E1"),
        _ticket("lin", "Lin Na's ticket card", "林娜的票卡", "E2"),
    ),
    steps=(
        Admit("lin", "east", "rides", facts={"train": "G103"}, refused="OTHER_TRAIN", at="08:00"),
        Admit("lin", "east", "rides", facts={"train": "G101"}),
        Tell("The ticket was used up on the card itself, so another gate sees it without asking anybody.",
             "票已在卡内核销，另一闸机离线也能识别。"),
        Admit("lin", "west", "rides", facts={"train": "G101"}, refused="USED"),
        CopyCard("he", "false"),
        Admit("he", "east", "rides", facts={"train": "G101"}, at="08:10"),
        Admit("false", "west", "rides", facts={"train": "G101"}, at="08:12"),
        Admit("false", "east", "rides", facts={"train": "G101"}, refused="USED"),
        Tell("The east gate reports first: two uses, nothing odd. The west gate's report shows the second one.",
             "东口先上报，两次使用均无异常；西口上报后才显出重复。"),
        _report(("east",), 2, "20:00"),
        Stands("logistics.east", 10_000),
        _report(("east", "west"), 1, "20:30", E1=("east", "west")),
        _report(("east", "west"), 0),
        Stands("logistics.west", 5_000),
        Stands("logistics.sold", 10_000),
        Stands("logistics.guarantee", 45_000),
        Write("he", "counter", {"ticket": "E3", "day": "20260310", "left": "1"}, refused="BLOCKED"),
        Admit("false", "west", "rides", facts={"train": "G101"}, refused="BLOCKED", at="+1 08:00"),
        Admit("he", "west", "rides", facts={"train": "G101"}, refused="BLOCKED"),
        Write("lin", "counter", {"ticket": "E4", "day": "20260311", "left": "1"}),
        Admit("lin", "east", "rides", facts={"train": "G101"}, refused="OTHER_DAY"),
        Tell("She gives the ticket of 50 yuan back 30 hours before departure; what is refunded opens no gate.",
             "她在开车前30小时退票，票价50元；退票核销后不得进站。"),
        Reads("lin", "counter", {"ticket": "E4", "left": "1"}),
        Write("lin", "counter", {"left": "0"}),
        Assess("refund", {"price": 5_000, "hours": 30}, {"fee": 500, "back": 4_500}),
        Stands("logistics.sold", 5_000),
        Stands("logistics.passengers", 4_500),
        Stands("logistics.rail", 500),
        Admit("lin", "east", "rides", facts={"train": "G101"}, refused="USED", at="+2 08:00"),
    ),
)  # fmt: skip

JOURNEYS = (CONSIGNMENT, TICKETS)
