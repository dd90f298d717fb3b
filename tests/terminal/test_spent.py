"""What a card spent counts with the purchase that it belongs to, prices by the month, caps by the day.

Goal: Beijing's months (100 yuan at full price, then 80 %, from 150 half, from 400 full again) and a day's cap come off
the card's own record. Method: a real virtual card and module; the record is read back by APDU.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import (
    Archetype,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Journey,
    JourneyCard,
    MoveBalance,
    Party,
    Report,
    Sector,
    Start,
    Tap,
)
from jinka.kit import Usage
from jinka.profile import ApplicationProfile
from jinka.profile.applications import purse_application
from jinka.profile.package import decode, encode
from jinka.tariff import (
    Cap,
    Charge,
    HolderClass,
    Mode,
    Period,
    Product,
    RideFacts,
    Share,
    TapKind,
    Tariff,
    Transfer,
    TransferRule,
    tariff_from_body,
    tariff_to_body,
)


def product(code: str, share: int, month_from: int = 0) -> Product:
    return Product(
        code=code, title_en=code, title_zh=code, modes=(Mode.METRO,), holders=tuple(HolderClass),
        transfer=Transfer.ANY, rule=Share(share), month_from=month_from,
    )  # fmt: skip


MONTHLY = Tariff(
    name="monthly", gross_max_fen=10_000,
    products=(product("m400", 100, 40_000), product("m150", 50, 15_000), product("m100", 80, 10_000),
              product("m", 100)),
    transfer=TransferRule(within=dt.timedelta(0), pairs=frozenset()),
)  # fmt: skip
DAY = Cap(code="day", title_en="day", title_zh="日", period=Period.DAY, most_fen=1_200)


def facts(gross: int, *, today: int = 0, month: int = 0) -> RideFacts:
    return RideFacts(
        mode=Mode.METRO, kind=TapKind.BOARD, line=1, station=1, gross_fare=gross, holder=HolderClass.ORDINARY,
        state=None, at=dt.datetime(2026, 3, 9, 8), spent_today=today, spent_month=month,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("month", "pays", "code"),
    [(9_999, 500, "m"), (10_000, 400, "m100"), (14_999, 400, "m100"), (15_000, 250, "m150"),
     (39_999, 250, "m150"), (40_000, 500, "m400")],
)  # fmt: skip
def test_the_month_decides_the_product(month: int, pays: int, code: str) -> None:
    assert MONTHLY.price(facts(500, month=month)) == Charge(pays, code)


def test_a_cap_leaves_the_rest_and_then_nothing() -> None:
    capped = replace(MONTHLY, caps=(DAY,))
    assert capped.price(facts(500, today=700)) == Charge(500, "m")
    assert capped.price(facts(500, today=900)) == Charge(300, "day", gross=300)
    assert capped.price(facts(500, today=1_200)) == Charge(0, "day", gross=0)
    assert capped.price_table([("day", 300), ("day", 10_001), ("m", 500)]) == {
        ("day", 300): 300,
        ("m", 500): 500,
    }
    assert tariff_from_body(tariff_to_body(capped)) == capped
    assert b"caps" not in tariff_to_body(MONTHLY.__class__(
        name="x", products=(product("m", 100),), transfer=MONTHLY.transfer, gross_max_fen=1))  # fmt: skip
    with pytest.raises(Usage):
        tariff_from_body(tariff_to_body(capped).replace(b'"period":"DAY"', b'"period":"AGE"'))


def application(name: str, fid: int, *, unloads: bool = False, counts: bool = False) -> ApplicationProfile:
    return purse_application(
        name=name, aid=f"JINKA.{fid:04X}".encode(), fid=fid, title_en=name, title_zh="卡", authority="a",
        standards=(), limit=100_000, unloads=unloads, counts_spent=counts,
    )  # fmt: skip


OLD, NEW = application("test.old", 0x3F51, unloads=True), application("test.new", 0x3F52, counts=True)


def sector(steps: tuple[object, ...]) -> Sector:
    cards = (JourneyCard("old", "old", "旧", (Start(application=OLD.name, balance=3_000),)),
             JourneyCard("new", "new", "新", (Start(application=NEW.name, balance=0),)))  # fmt: skip
    return Sector(
        name="test", title_en="t", title_zh="试", about_en="t", about_zh="试", authority="a", standards=(),
        archetypes=(Archetype.PURSE,), profiles=(OLD, NEW), parties=(Party("op", "op", "运营"),),
        devices=(
            Device("old-desk", "d", "柜", DeviceKind.LOAD), Device("new-desk", "d", "柜", DeviceKind.LOAD,
                                                                  application=NEW.name),
            Device("gate", "g", "闸", DeviceKind.PURSE, operator="op", mode=Mode.METRO, application=NEW.name),
        ),
        tariffs={OLD.name: MONTHLY, NEW.name: replace(MONTHLY, caps=(DAY,))},
        reports=(Report(name="r", title_en="r", title_zh="表", counts=Counted.PAID, by="operator"),),
        no_worked_case="a test",
        journeys=(Journey(name="j", title_en="j", title_zh="程", date=dt.date(2026, 3, 31), cards=cards, steps=steps),),
    )  # fmt: skip


def test_a_balance_moves_whole_and_spending_counts_by_day_and_month() -> None:
    made = sector((
        MoveBalance("old", "new", "old-desk", 3_000, new_device="new-desk", at="08:00"),
        Tap("new", "gate", 500, gross=500), Tap("new", "gate", 500, gross=500, torn=True),
        Tap("new", "gate", 500, gross=500),  # the torn one over again: counted once
        Tap("new", "gate", 200, gross=500), Tap("new", "gate", 0, gross=500),
        Clear({"op": 1_200, "loads.test": 3_000}, {"loads.test": 3_000}, at="23:00"),
        Tap("new", "gate", 500, gross=500, at="+1 08:00"),  # another day, another month
        Clear({"op": 500}, at="+1 23:00"),
    ))  # fmt: skip
    assert play(made, made.journeys[0], [made]).uncleared == 0


def test_a_purse_without_an_unload_key_gives_nothing_back() -> None:
    made = sector((MoveBalance("new", "old", "new-desk", 0, new_device="old-desk"),))
    with pytest.raises(StepFailed, match="unload"):
        play(made, made.journeys[0], [made])


def test_the_package_keeps_the_record_and_old_packages_stand() -> None:
    assert decode(encode(NEW)).spent_record_id == NEW.spent_record_id == 0x32
    assert decode(encode(OLD)).spent_record_id == 0
