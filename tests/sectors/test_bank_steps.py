"""Steps of bank accounts, chips and tags fail when what they say is not so."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import (
    AccountHolds,
    CashHolds,
    Journey,
    JourneyCard,
    Move,
    OpenAccount,
    PayByChip,
    PayInto,
    PayOnline,
    ReadTag,
    Sector,
    Stands,
    Start,
    Step,
    TakeBack,
    WriteTag,
)
from jinka.sectors import SECTORS

BANK = next(sector for sector in SECTORS if sector.name == "bank")
VEHICLES = next(sector for sector in SECTORS if sector.name == "vehicles")
OPENED = OpenAccount("a", 10_000, pin="123456", at="09:00")
CARD = JourneyCard("card", "a card", "一张卡",
                   (Start(application="cn.bank.debit", balance=5_000, pin="123456"),
                    Start(application="cn.bank.environment")))  # fmt: skip
CHIPPED = OpenAccount("a", 10_000, pin="123456", card="card", at="09:00")


def played(*steps: Step, cards: tuple[JourneyCard, ...] = (), sector: Sector = BANK) -> None:
    journey = Journey(
        name="try", title_en="a try", title_zh="试", date=dt.date(2026, 3, 9), steps=steps, cards=cards
    )
    play(replace(sector, journeys=(journey,)), journey, SECTORS)


@pytest.mark.parametrize(
    "step",
    [
        AccountHolds("a", 9_999),
        PayOnline("a", "shop", 1_000, pin="123456", refused="51"),
        PayOnline("a", "shop", 20_000, pin="123456"),
        PayOnline("a", "shop", 20_000, pin="123456", refused="55"),
        PayOnline("a", "shop", 1_000),
        PayInto("shop", "a", 1),
    ],
    ids=lambda step: type(step).__name__,
)
def test_what_is_not_so_fails(step: Step) -> None:
    with pytest.raises(StepFailed):
        played(OPENED, step)


def test_a_payment_is_taken_back_once() -> None:
    with pytest.raises(StepFailed, match=r"step 6 .*no payment"):
        played(
            OPENED, PayOnline("a", "shop", 1_000, pin="123456", as_="one"), TakeBack("one"),
            AccountHolds("a", 10_000), Stands("shop", 0), TakeBack("one"),
        )  # fmt: skip


def test_the_banks_books_and_the_sectors_tell_the_same_or_the_journey_fails() -> None:
    behind = Move("shop", "bank.issuer", 400, "behind the switch", "绕过转接系统")
    again = PayOnline("a", "shop", 1_000, pin="123456")
    with pytest.raises(StepFailed, match=r"the bank says -2000, the sector's books -1600"):
        played(OPENED, again, behind, again)


@pytest.mark.parametrize(
    "step",
    [
        CashHolds("card", 4_999),
        PayByChip("card", "kiosk", 1_000, "online"),
        PayByChip("card", "kiosk", 1_000, refused="DECLINED_OFFLINE"),
        PayByChip("card", "kiosk", 6_000, "offline", online=False),
    ],
    ids=("cash", "offline not online", "not refused", "more than it holds"),
)
def test_a_chip_does_what_it_does(step: Step) -> None:
    with pytest.raises(StepFailed):
        played(CHIPPED, step, cards=(CARD,))


def test_a_chip_without_an_account_pays_nobody() -> None:
    with pytest.raises(StepFailed, match="the card has no account"):
        played(PayByChip("card", "kiosk", 1_000, "offline"), cards=(CARD,))


_DATA = {"8004": "6901234440300000123", "91": "B12345"}


@pytest.mark.parametrize(
    "step", [ReadTag("plate", "portal", {"91": "B99999"}), ReadTag("plate", "portal", refused="UNKNOWN")]
)
def test_a_tag_says_what_it_says(step: Step) -> None:
    with pytest.raises(StepFailed):
        played(WriteTag("plate", "giai+", _DATA, "E280116020001234", at="08:00"), step, sector=VEHICLES)
