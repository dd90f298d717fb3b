"""A demonstration sector: one lot of rice from the farm to the shop, with a recall."""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    AnswerRecall,
    Archetype,
    Assess,
    CheckItem,
    CloseRecall,
    Commissioned,
    Conditions,
    Counted,
    Destroyed,
    ItemClass,
    ItemKey,
    Journey,
    KeptWithin,
    Measured,
    Observed,
    Packed,
    Recall,
    Received,
    Report,
    Sector,
    Shipped,
    Sold,
    StorageZone,
    StoreGoods,
    Trace,
    TraceBack,
    TraceForward,
    TracePlace,
    Transformed,
    Unpacked,
)
from jinka.tariff.sheet import Choose, Line, Sheet

TRACE = Trace(
    items=(
        ItemClass("paddy", "Paddy", "稻谷", ItemKey.TRADE_ITEM, "6901234.011111"),
        ItemClass("rice", "Bag of rice", "袋装大米", ItemKey.TRADE_ITEM, "6901234.012345", tag="SGTIN-96"),
        ItemClass("pallet", "Pallet", "托盘", ItemKey.LOGISTIC_UNIT, "6901234", tag="SSCC-96"),
        ItemClass("phosphine", "Aluminium phosphide", "磷化铝", ItemKey.TRADE_ITEM, "6901234.013333",
                  hazard=("4.3", "6.1")),
        ItemClass("bleach", "Calcium hypochlorite", "次氯酸钙", ItemKey.TRADE_ITEM, "6901234.014444",
                  hazard=("5.1",), contents=100),
    ),
    places=(
        TracePlace("farm", "The farm", "农场", "6901234.00001"),
        TracePlace("mill", "The mill", "米厂", "6901234.00002", at=(45.8, 126.5)),
        TracePlace("shop", "The shop", "商店", "6901234.00003", party="6901234.00003", at=(22.5, 114.1)),
        TracePlace("market", "The market", "集市", "6901234.00004", at=(39.9, 116.4)),
    ),
    kept=(KeptWithin("cool", "Cool and dry", "阴凉干燥", "", "20", outside_minutes=30, gap_minutes=120),),
    zones=(
        StorageZone("fumigants", "Fumigant store", "熏蒸剂库", "mill", {"4.3": 500, "5.1": 500}),
    ),
    rules={"AFTER_END": "refuse"},
)  # fmt: skip

REFUND = Sheet(
    name="refund", title_en="Refund of a bag", title_zh="退款", source="test", facts=("price", "sold"),
    lines=(Line(code="refund", title_en="Refund", title_zh="退款", value=Choose("sold", ((1, "price"),))),),
    result="refund", rising=("price",),
)  # fmt: skip

CHAIN = Journey(
    name="chain",
    title_en="From the farm to the shop, and back",
    title_zh="从农场到商店及召回",
    date=dt.date(2026, 3, 9),
    steps=(
        Commissioned("paddy#P1 1000 KGM", "farm", at="06:00", data={"countryOfOrigin": "CN"}),
        Shipped("paddy#P1 900 KGM", "farm", "mill", document="desadv urn:jinka:doc:1"),
        Received("paddy#P1 900 KGM", "mill", source="farm"),
        Transformed("paddy#P1 600 KGM", "rice/1..6", "mill", lot="R1", at="09:00"),
        Commissioned("rice/7", "mill", lot="R0", tid="E2801160200073A1B2C3D4E5"),
        Packed("pallet/1", "rice/1..4", "mill"),
        Measured("pallet/1", "mill", {"09:30": "18", "10:30": "24", "10:50": "19", "12:00": "18.5"}, at="12:00"),
        Conditions("rice/2", ("cool",), excursions=1),
        Conditions("pallet/1", ("cool",), excursions=1),
        Measured("rice/7", "mill", {"12:00": "64.4"}, uom="FAH"),
        Conditions("rice/7"),
        Shipped("pallet/1", "mill", "shop", at="13:00", seal="S1"),
        Received("pallet/1", "shop", at="+1 08:00", seal="S1"),
        Unpacked("pallet/1", "shop"),
        Sold("rice/1", "shop"),
        CheckItem("rice/1", "sold", remembers={"bag": "sold"}),
        CheckItem("rice/2", "known", remembers={"other bag": "sold"}),
        Assess("refund", {"price": 5_000, "sold": "=bag"}, {"refund": 5_000}),
        Assess("refund", {"price": 5_000, "sold": "=other bag"}, {}, refused="REFUSED"),
        CheckItem("rice/99", "never made", signs=("unknown_serial",)),
        CheckItem("rice/7", "contradicted", signs=("other_chip",), tid="E2801160200073A1B2C3D4E6"),
        TraceBack("rice/2", "paddy#P1", places=("mill", "shop")),
        TraceForward("paddy#P1", "rice#R1, rice/1..6", places=("farm", "mill")),
        Recall("cadmium", "Cadmium in rice", "大米镉超标", "paddy#P1", {
            "farm": "100 KGM paddy#P1",
            "mill": "2 items, 300 KGM paddy#P1",
            "shop": "3 items, 1 item sold",
        }, kind="lot", hazard="cadmium above GB 2762"),
        Sold("rice/2", "shop", refused="QUARANTINED"),
        Shipped("rice/5", "mill", "market", refused="QUARANTINED"),
        Sold("rice/7", "mill"),
        AnswerRecall("cadmium", "market", refused="REFUSED"),
        AnswerRecall("cadmium", "farm", "100 KGM paddy#P1 quarantined"),
        AnswerRecall("cadmium", "mill", "2 items quarantined", settled=False),
        CloseRecall("cadmium", refused="REFUSED"),
        AnswerRecall("cadmium", "mill", "2 items quarantined, 300 KGM paddy#P1 destroyed"),
        AnswerRecall("cadmium", "shop", "3 items returned, 1 item sold missing"),
        Shipped("rice/2..4", "shop", "mill", disposition="returned"),
        Received("rice/2..4", "mill"),
        Destroyed("rice/2..4", "mill"),
        Sold("rice/3", "mill", refused="AFTER_END"),
        CloseRecall("cadmium"),
        Observed("inspecting", "rice/1", "market"),
        CheckItem("rice/1", "contradicted", signs=("after_end", "impossible_travel")),
        StoreGoods("fumigants", "phosphine#F1 300 KGM", refused="NOT_HERE", at="+2 08:00"),
        Commissioned("phosphine#F1 300 KGM, phosphine#F2 300 KGM", "mill"),
        StoreGoods("fumigants", "phosphine#F1 300 KGM"),
        StoreGoods("fumigants", "bleach#B1 10 KGM", refused="SEGREGATION"),
        StoreGoods("fumigants", "phosphine#F2 300 KGM", refused="TOO_MUCH"),
        Shipped("phosphine#F1 200 KGM", "mill", "farm"),
        StoreGoods("fumigants", "phosphine#F2 300 KGM"),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="food-demo",
    title_en="Rice",
    title_zh="大米追溯",
    about_en="A lot of rice is followed.",
    about_zh="追溯一批大米。",
    authority="SAMR 市场监督管理总局",
    standards=("EPCIS 2.0",),
    archetypes=(Archetype.TRACE,),
    trace=TRACE,
    sheets=(REFUND,),
    reports=(
        Report(
            name="steps", title_en="Events by step", title_zh="各环节事件", counts=Counted.EVENT, by="step"
        ),
        Report(name="refusals", title_en="Refusals", title_zh="拒绝", counts=Counted.REFUSED, by="reason"),
    ),
    journeys=(CHAIN,),
    no_worked_case="the journey has none",
)
