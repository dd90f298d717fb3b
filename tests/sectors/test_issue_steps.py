"""No card of a journey is made that the register has not entered: what is missing is told, and no card is there."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.app.sector_cards import put_on
from jinka.app.sector_catalogue import catalogue_of
from jinka.app.sector_register import CardRegister
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import Holds, Issue, Journey, JourneyCard, Stands, Start, Step, Tell
from jinka.kit import Refused
from jinka.registry import MissingGrants
from jinka.sectors import SECTORS

CITIZEN = next(sector for sector in SECTORS if sector.name == "citizen")
CARD = JourneyCard("card", "a card", "一张卡", (Start(application="cn.citizen.services", balance=5_000),))
BANK_CARD = JourneyCard("card", "a card", "一张卡", (Start(application="cn.bank.debit", pin="112358"),))


def _journey(*steps: Step, card: JourneyCard = CARD) -> Journey:
    return Journey(
        name="try", title_en="a try", title_zh="试", date=dt.date(2026, 3, 9), steps=steps, cards=(card,)
    )


def played(*steps: Step, card: JourneyCard = CARD) -> list[str]:
    journey = _journey(*steps, card=card)
    return [told.said.en for told in play(replace(CITIZEN, journeys=(journey,)), journey, SECTORS).told]


def test_a_card_is_issued_once_all_is_granted() -> None:
    told = played(
        Issue("card", maker="maker.other", refused="NOT_GRANTED"),
        Issue("card", made={"os_version": "9"}, refused="OTHER_SCOPE"),
        Issue("card", fee=2_001, refused="FEE"),
        Issue("card", fee=2_000, paid_to="card-centre"),
        Holds("card", 5_000),
        Stands("card-centre", 2_000),
    )
    assert told[0].endswith("is not issued from another maker: the issue was not granted")
    assert "is entered in the register and issued for 20.00" in told[3]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (Issue("card", refused="NOT_GRANTED"), "it was done"),
        (Issue("card", maker="maker.other"), "refused as NOT_GRANTED"),
        (Issue("card", made={"chip": "SC2"}, fee=9_000, refused="FEE"), "refused as FEE, OTHER_SCOPE"),
    ],
    ids=["done", "not done", "more is missing"],
)
def test_what_is_not_so_fails(step: Step, why: str) -> None:
    with pytest.raises(StepFailed, match=why):
        played(step)


def test_a_card_that_was_refused_is_not_there() -> None:
    with pytest.raises(StepFailed, match="no card 'card'"):
        played(Issue("card", maker="maker.other", refused="NOT_GRANTED"), Holds("card", 5_000))


def test_a_bank_card_needs_the_maker_and_no_approval_of_its_fee() -> None:
    played(Issue("card", fee=9_000, paid_to="card-centre"), card=BANK_CARD)
    with pytest.raises(StepFailed, match="refused as OTHER_SCOPE"):
        played(Issue("card", made={"chip": "SC2"}), card=BANK_CARD)


def test_a_number_is_entered_once_and_a_use_that_nobody_approved_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(CITIZEN, _journey(Holds("card", 5_000)), catalogue_of(CITIZEN, SECTORS))
    card = world.card("card")
    card.applications.clear()
    with pytest.raises(Refused, match=r"another order has this name"):
        put_on(world, card, Start(application="cn.fuel", balance=0))
    with pytest.raises(Refused):
        world.demand("cn.fuel", card.number, further=False)
    world.close()
    granted = CardRegister.__init__
    monkeypatch.setattr(
        CardRegister,
        "__init__",
        lambda self, journey, sectors, database: granted(self, journey, [], database),
    )
    with pytest.raises(MissingGrants, match="no card approval of"):
        World(CITIZEN, _journey(Holds("card", 5_000)), catalogue_of(CITIZEN, SECTORS))


@pytest.mark.parametrize("first", ["cn.citizen.services", "cn.bank.debit"])
def test_each_further_application_needs_its_own_issuers_approval(
    monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """On a new card, and on one that is there already."""
    granted = CardRegister.__init__
    monkeypatch.setattr(
        CardRegister,
        "__init__",
        lambda self, journey, sectors, database: granted(self, journey, [CITIZEN], database),
    )
    world = World(CITIZEN, _journey(Tell("-", "-"), card=BANK_CARD), catalogue_of(CITIZEN, SECTORS))
    begun = Start(application=first, pin="112358") if first == "cn.bank.debit" else Start(application=first)
    card = world.issue(JourneyCard("other", "another", "又一张", (begun,)))
    with pytest.raises(MissingGrants, match=r"cn\.health\.card") as missing:
        put_on(world, card, Start(application="cn.health.card", pin="112358"))
    assert {finding.code for finding in missing.value.findings} == {"NOT_GRANTED"}
    assert set(card.applications) == {first}
    world.close()
