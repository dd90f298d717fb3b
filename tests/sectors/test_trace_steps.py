"""Steps of things that are followed, over a small food chain: farm, mill, shop, recall.

Goal: a journey goes as declared on the real capture road, and a declaration that is wrong anywhere is refused. Method:
the walker over `tests.sectors.food_chain`, and short journeys in which one step says something untrue.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.app.sector_check import check_sector
from jinka.app.sector_docs import sector_page
from jinka.app.sector_run import PLAYERS, play, report_rows
from jinka.app.sector_trace_world import repository, serials, tag_of
from jinka.app.sector_world import StepFailed, World
from jinka.codec.tags import TagError, canonical_id
from jinka.declaration import (
    Admit,
    AnswerRecall,
    Assess,
    CheckItem,
    CloseRecall,
    Commissioned,
    Conditions,
    ItemClass,
    ItemKey,
    Journey,
    Measured,
    Observed,
    Packed,
    Recall,
    Received,
    Sector,
    Shipped,
    Sold,
    Step,
    StoreGoods,
    Trace,
    TraceBack,
    TraceForward,
    TracePlace,
    Transformed,
    Unpacked,
)
from jinka.kit import Usage
from jinka.sectors import campus
from tests.sectors.food_chain import SECTOR, TRACE

BEGIN = (
    Commissioned("paddy#P1 10 KGM", "farm", at="06:00"),
    Shipped("paddy#P1 10 KGM", "farm", "mill"),
    Received("paddy#P1 10 KGM", "mill"),
    Transformed("paddy#P1 10 KGM", "rice/1..3", "mill", lot="R1"),
)
CHIP = "E2801160200073A1B2C3D4E5"


def _play(*steps: Step, sector: Sector = SECTOR, trace: Trace = TRACE) -> list[str]:
    journey = Journey(name="j", title_en="J", title_zh="事", date=dt.date(2026, 3, 9), steps=steps)
    sector = replace(sector, journeys=(journey,), trace=trace)
    return [told.said.en for told in play(sector, journey, [sector]).told]


def test_the_walker_finds_nothing_wrong_and_reports_count() -> None:
    checked = check_sector(SECTOR, [SECTOR])
    assert [str(finding) for finding in checked.findings] == []
    assert checked.tried["codes and places"] == 9
    (played,) = checked.played
    steps, refusals = (report_rows(report, played.happenings) for report in SECTOR.reports)
    assert ("recall notice", 3, 0) in steps
    assert ("shipping", 4, 0) in steps
    assert ("QUARANTINED", 2, 0) in refusals
    told = [(one.said.en, one.said.zh) for one in played.told]
    assert any("tag 3015A537C80C0E4000000007" in en and "标签3015" in zh for en, zh in told)
    for zh, words in ((False, ("`6901234.012345`", "4.3: 500", "≤ 20 ℃")), (True, ("追溯对象", "熏蒸剂库"))):
        page = sector_page(SECTOR, checked.played, zh=zh)
        assert all(word in page for word in words)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((TraceBack("rice/1", "paddy#P1, rice#R1"),), "not reached: rice#R1"),
        ((TraceBack("rice/1", ""),), "reached besides: paddy#P1"),
        ((TraceForward("paddy#P1", "rice/1..3"),), "besides: rice#R1"),
        ((TraceBack("rice/1", "paddy#P1", places=("farm", "mill")),), "it was at mill"),
        ((TraceBack("rice/1", "paddy#P1", breaks=("CYCLE",)),), "broken as nothing"),
        ((Received("rice/9", "shop"), TraceBack("rice/9", "")), "broken as ORIGIN"),
        ((Recall("r", "R", "召回", "paddy#P1", {"mill": "2 items"}),), "it concerns mill: 3 items"),
        (
            (Recall("r", "R", "召回", "paddy#P1", {"mill": "3 items", "shop": "1 items"}),),
            "it concerns mill: 3 items",
        ),
        ((CheckItem("rice/1", "sold"),), "it says known"),
        ((CheckItem("rice/1", "known", signs=("after_end",)),), "it says known, signs nothing"),
        ((Sold("rice/1", "mill", refused="QUARANTINED"),), "should have been refused"),
        ((Sold("rice/1", "mill"), Sold("rice/1", "mill", found=("AFTER_END",))), "remark SOLD_TWICE"),
        ((Transformed("paddy#P1 10 KGM", "rice/1", "mill"),), "remark BORN_TWICE"),
        ((Unpacked("pallet/1", "mill", "rice/1"),), "remark UNPACKED_NOT_PACKED"),
        ((Shipped("rice/1", "mill", "nowhere"),), "no place 'nowhere'"),
        ((Observed("transforming", "rice/1", "mill"),), "no business step"),
        ((Observed("inspecting", "gold/1", "mill"),), "no item class 'gold'"),
        ((Observed("inspecting", "", "mill"),), "refused as NOTHING_NAMED"),
        ((Packed("rice/1", "rice/1", "mill"),), "refused as OWN_PARENT"),
        ((Observed("inspecting", "rice/1", "mill", document="no uri"),), "refused as UNREADABLE"),
        ((Measured("rice/1", "mill", {"06:04": "30"}), Conditions("rice/1")), "excursions 1"),
        ((Conditions("rice/1"),), "nobody measured it"),
        ((Commissioned("rice/8", "mill", tid=CHIP), Commissioned("rice/9", "mill", tid=CHIP)), "bound already"),
        ((StoreGoods("fumigants", "rice/1"),), "not one class of dangerous goods"),
        ((StoreGoods("fumigants", "bleach#B 501 KGM"),), "refused as TOO_MUCH"),
        ((AnswerRecall("r", "mill"),), "no recall 'r'"),
        (
            (Recall("r", "R", "召回", "paddy#P1", {"mill": "3 items"}), AnswerRecall("r", "mill", "2 items returned")),
            "still open",
        ),
    ],
)  # fmt: skip
def test_what_is_said_wrongly_fails(steps: tuple[Step, ...], said: str) -> None:
    with pytest.raises(StepFailed, match="step") as failed:
        _play(*BEGIN, *steps)
    assert said in str(failed.value)


def test_a_drill_holds_nothing_back_and_a_place_may_be_the_cause() -> None:
    told = _play(
        *BEGIN,
        Recall("d", "Heat", "高温", "mill", {"mill": "3 items"}, kind="place", since="06:00", until="07:00",
               drill=True, at="08:00"),
        Sold("rice/1", "mill"),
    )  # fmt: skip
    assert told[-2].startswith("Drill: Heat: notices to The mill (3 items)")


def test_amounts_that_leave_a_zone_leave_room() -> None:
    told = _play(
        Commissioned("bleach#B 4 KGM, bleach/1..3", "mill", at="08:00"),
        StoreGoods("fumigants", "bleach#B 4 KGM"),
        StoreGoods("fumigants", "bleach/1..2", refused="TOO_MUCH"),
        Shipped("bleach#B 1 KGM", "mill", "farm"),
        StoreGoods("fumigants", "bleach/1..2"),
        StoreGoods("fumigants", "bleach/3", refused="TOO_MUCH"),
        Sold("bleach/1", "mill"),
        Assess(
            "refund", {"price": "=mill bleach", "sold": 1}, {"refund": 400}
        ),  # 3 kg and one piece: 300 and 100
        StoreGoods("fumigants", "bleach/3"),
        Assess("refund", {"price": "=mill bleach", "sold": 1}, {"refund": 500}),
        Assess("refund", {"price": "=mill phosphine", "sold": 1}, {"refund": 0}),
    )
    assert "600 where 500 may be" in told[5]


def test_only_what_came_to_a_place_is_stored_there() -> None:
    told = _play(
        StoreGoods("fumigants", "phosphine#F 1 KGM", refused="NOT_HERE", at="08:00"),
        Commissioned("phosphine#F 90 KGM, phosphine/1", "farm"),
        StoreGoods("fumigants", "phosphine/1", refused="NOT_HERE"),
        Shipped("phosphine#F 60 KGM, phosphine/1", "farm", "mill"),
        StoreGoods("fumigants", "phosphine#F 60 KGM", refused="NOT_HERE"),  # it is on its way
        Received("phosphine#F 60 KGM, phosphine/1", "mill"),
        StoreGoods("fumigants", "phosphine#F 61 KGM", refused="NOT_HERE"),
        StoreGoods("fumigants", "phosphine#F 40 KGM"),
        StoreGoods("fumigants", "phosphine#F 21 KGM", refused="NOT_HERE"),  # 40 of the 60 lie there already
        StoreGoods("fumigants", "phosphine#F 20 KGM"),
        StoreGoods("fumigants", "phosphine/1"),
    )
    assert "no more than 60 of it came here" in told[6]


def test_what_was_kept_badly_is_set_aside_until_it_is_cleared() -> None:
    told = _play(
        *BEGIN,
        Measured("rice/1", "mill", {"06:04": "30", "06:40": "30"}),
        Measured("rice/2", "mill", {"06:04": "18"}),
        Conditions("rice/1", excursions=1, breaches=1, holds="rice/1", place="mill"),
        Conditions("rice/2", holds="rice/2", place="mill"),
        Shipped("rice/1", "mill", "shop", found=("HELD",)),
        Shipped("rice/2", "mill", "shop"),
        Observed("inspecting", "rice/1", "mill", disposition="conformant"),
        Sold("rice/1", "mill"),
        Sold("rice/1", "mill", found=("SOLD_TWICE",)),
    )
    assert told[-7].endswith("The mill holds back Bag of rice 1")
    with pytest.raises(Usage, match="set aside"):
        Conditions("rice/1", holds="rice/1")


def test_answers_that_nobody_takes_are_found() -> None:
    journey = replace(
        SECTOR.journeys[0], steps=(CheckItem("rice/2", "known", remembers={"late": "expired"}),)
    )
    found = check_sector(replace(SECTOR, journeys=(journey,)), [SECTOR]).findings
    assert any(one.what.startswith("what a check found is remembered") for one in found)


def test_an_answer_is_a_fact_of_a_right() -> None:
    told = tuple(replace(device, knows={}) for device in campus.SECTOR.devices)
    sector, [journey] = replace(campus.SECTOR, trace=TRACE, devices=told), campus.SECTOR.journeys[:1]
    steps = (
        Commissioned("rice/1", "mill", at="08:00"),
        CheckItem("rice/1", "known", remembers={"bag": "verdict"}),
        Admit("li", "house-e3", "door", facts={"house": "=bag"}, refused="OTHER_HOUSE"),
    )
    assert len(play(sector, replace(journey, steps=steps), [sector]).told) == 3


def test_a_date_of_expiry_is_known_of_the_lot_and_of_what_is_made_in_it() -> None:
    world = World(SECTOR, SECTOR.journeys[0], {})
    world.now = dt.datetime(2026, 3, 9, 8)
    try:
        for step in (
            Commissioned("paddy#P1 10 KGM", "farm", data={"itemExpirationDate": "2026-03-08"}),
            Transformed("paddy#P1 10 KGM", "rice/1", "mill", data={"itemExpirationDate": "2026-04-08"}),
            CheckItem("rice/1", "known", remembers={"late": "expired", "left": "days left"}),
            CheckItem("paddy#P1", "known", remembers={"paddy late": "expired", "paddy left": "days left"}),
        ):
            PLAYERS[type(step)](step, world)
            world.now += dt.timedelta(minutes=1)
        assert world.remembered == {"late": 0, "left": 30, "paddy late": 1, "paddy left": 0}
    finally:
        world.close()


def test_goods_on_a_vehicle_are_where_it_is_and_unmeasured_ones_are_asked_for() -> None:
    truck = ItemClass("truck", "Truck", "货车", ItemKey.SINGLE_ASSET, "6901234", tag="GIAI-96")
    _play(
        *BEGIN,
        Packed("truck/77", "rice/1..2", "mill"),
        Shipped("truck/77", "mill", "shop"),
        Recall("r", "R", "召回", "paddy#P1", {"mill": "1 items", "shop": "2 items"}),
        Received("truck/77", "shop", at="09:00"),
        Shipped("truck/77", "shop", "market", refused="QUARANTINED"),
        trace=replace(TRACE, items=(*TRACE.items, truck)),
    )
    _play(
        Commissioned("paddy#P1 10 KGM", "farm", at="06:00"),
        Shipped("paddy#P1", "farm", "mill"),
        Recall("r", "R", "召回", "paddy#P1", {"farm": "10 KGM paddy#P1", "mill": "some paddy#P1"}),
        AnswerRecall("r", "mill", "4 KGM paddy#P1 destroyed"),
        AnswerRecall("r", "farm", "6 KGM paddy#P1 quarantined, 4 KGM paddy#P1 missing"),
        CloseRecall("r"),
    )


def test_the_walker_names_what_nobody_uses() -> None:
    other = TracePlace("port", "The port", "港口", "6901234.00009")
    wrong = ItemClass("gold", "Gold", "黄金", ItemKey.TRADE_ITEM, "6901234.12")
    short = replace(SECTOR.journeys[0], steps=BEGIN)
    trace = replace(TRACE, places=(*TRACE.places, other), items=(*TRACE.items, wrong))
    checked = check_sector(replace(SECTOR, trace=trace, journeys=(short,)), [SECTOR])
    found = {(finding.code, finding.where.partition(".")[2]) for finding in checked.findings}
    assert {
        ("UNUSED", "port"), ("UNUSED", "gold"), ("UNUSED", "cool"), ("UNUSED", "fumigants"),
        ("UNUSED", "AFTER_END"), ("UNUSED", "trace"), ("UNUSED", "shop"), ("CODE", "gold"),
    } <= found  # fmt: skip
    assert ("UNUSED", "paddy") not in found


@pytest.mark.parametrize(
    ("key", "stem", "serial", "uri"),
    [
        (ItemKey.TRADE_ITEM, "6901234.012345", "7", "urn:epc:id:sgtin:6901234.012345.7"),
        (ItemKey.LOGISTIC_UNIT, "6901234", "12", "urn:epc:id:sscc:6901234.0000000012"),
        (ItemKey.ASSET, "6901234.12345", "7", "urn:epc:id:grai:6901234.12345.7"),
        (ItemKey.SINGLE_ASSET, "6901234", "CYL7", "urn:epc:id:giai:6901234.CYL7"),
        (ItemKey.DRUG, "8360001", "42", "urn:jinka:drug:83600010000000000042"),
        (ItemKey.ECODE, "10001", "1234", "urn:jinka:ecode:100011234"),
        (ItemKey.OTHER, "urn:example:battery:", "B1", "urn:example:battery:B1"),
    ],
)
def test_codes_of_items(key: ItemKey, stem: str, serial: str, uri: str) -> None:
    item = ItemClass("thing", "Thing", "物", key, stem)
    assert item.item(serial) == uri
    if uri.startswith("urn:epc:"):
        assert canonical_id(uri).startswith("https://id.gs1.org/")
    trace = Trace(items=(item,), places=(TracePlace("here", "Here", "此处", "6901234.00001"),))
    told = _play(
        Commissioned(f"thing/{serial}", "here", at="08:00"),
        CheckItem(f"thing/{serial}", "known"),
        trace=trace,
    )
    assert f"Thing {serial}" in told[0]


def test_codes_that_are_none() -> None:
    drug = ItemClass("drug", "Drug", "药品", ItemKey.DRUG, "8360001")
    with pytest.raises(TagError, match="20 digits"):
        drug.item("12345678901234")
    with pytest.raises(Usage, match="only trade items have lots"):
        drug.lot("A")
    with pytest.raises(Usage, match="stands twice"):
        Trace(items=(drug, drug), places=())
    assert list(serials("08..11")) == ["08", "09", "10", "11"]
    for text in ("5..1", "1..99999"):
        with pytest.raises(Usage, match="no range"):
            serials(text)
    rice = TRACE.item("rice")
    assert tag_of(rice, rice.item("7")) == "3015A537C80C0E4000000007"


@pytest.mark.parametrize(
    "text", ["rice/1 5 KGM", "rice 5 KG M", "/1", "rice#", "rice/1..20000", "phosphine/1 x"]
)
def test_names_that_name_nothing(text: str) -> None:
    journey = SECTOR.journeys[0]
    world = World(SECTOR, journey, {})
    try:
        with pytest.raises(Usage):
            repository(world).named(text)
    finally:
        world.close()
