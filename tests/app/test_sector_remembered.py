"""What a step found is what later steps pay, write and judge by; what nobody established is not there to be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, Holds, Load, Move, Stands, Step, Tap
from jinka.sectors import campus, hazardous, housing_fund

SECTORS = all_sectors().values()
DAY = campus.SECTOR.journey("day")


def campus_says(*steps: Step) -> list[str]:
    played = play(campus.SECTOR, replace(DAY, steps=steps), SECTORS)
    return [told.said.en for told in played.told]


LOADED = next(step for step in DAY.steps if isinstance(step, Load))
TAPPED = next(step for step in DAY.steps if isinstance(step, Tap) and step.gross and not step.refused)


def test_an_amount_that_nobody_remembered_is_no_amount() -> None:
    with pytest.raises(StepFailed, match="nothing is remembered as 'bill'"):
        campus_says(replace(LOADED, amount="=bill"))
    with pytest.raises(StepFailed, match="'ten' is no amount"):
        campus_says(replace(LOADED, amount="ten"))


def test_a_till_takes_what_the_card_was_found_to_hold_and_a_counter_loads_it_again() -> None:
    held = next(start.balance for start in DAY.cards[0].starts if start.balance)
    card = DAY.cards[0].name
    told = campus_says(
        Holds(card, held, remembers="held"),
        replace(LOADED, card=card, amount="=held", at="09:00"),
        Holds(card, 2 * held),
    )
    assert len(told) == 3
    with pytest.raises(StepFailed, match=f"not {held + int(LOADED.amount)}"):
        campus_says(
            replace(LOADED, card=card, at="09:00"),
            Holds(card, held + int(LOADED.amount), remembers="more"),
            replace(TAPPED, card=card, gross=100, pays="=more", at="10:00"),
        )


def test_an_account_pays_what_it_was_found_to_stand_at() -> None:
    journey = replace(
        housing_fund.SECTOR.journey("loan"),
        steps=(
            Move("employer", "fund.account", 7_700, "paid in", "缴存", at="09:00"),
            Stands("fund.account", 7_700, remembers="balance"),
            Move("fund.account", "person", "=balance", "paid out", "提取"),
            Stands("person", 7_700),
        ),
    )
    assert len(play(housing_fund.SECTOR, journey, SECTORS).told) == 4


def test_a_container_does_not_leave_by_typed_words_nor_without_one_of_the_five() -> None:
    whole = hazardous.SECTOR.journey("escort")
    gate = next(step for step in whole.steps if isinstance(step, Admit) and step.entitlement == "leaves")
    cards = [step for step in whole.steps if isinstance(step, Admit) and step.remembers and not step.refused]
    assert [step.card for step in cards] == ["keeper", "chief", "driver", "escort"]
    for typed in ("keeper", "commander", "driver", "escort", "ordered seal"):
        facts = {**gate.facts, typed: "yes"}
        with pytest.raises(StepFailed, match=f"{typed} is typed"):
            play(hazardous.SECTOR, replace(whole, steps=(replace(gate, facts=facts, at="09:00"),)), SECTORS)
    for missing in cards[::3]:
        steps = tuple(step for step in whole.steps if step is not missing)
        with pytest.raises(StepFailed, match=r"nothing is remembered|MISSING"):
            play(hazardous.SECTOR, replace(whole, steps=steps), SECTORS)
