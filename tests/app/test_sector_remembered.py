"""What a step found is what later steps pay, write and judge by; what nobody established is not there to be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, Assess, Holds, Load, Move, OpenAccount, PayOnline, Stands, Step, Tap
from jinka.sectors import campus, citizen, drugs, hazardous, housing_fund, medical, vehicles

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
    gate = next(step for step in whole.steps if isinstance(step, Admit) and step.entitlement == "toxic")
    shown = [step for step in whole.steps if isinstance(step, Admit) and step.entitlement == "on-duty"]
    cards = [step for step in shown if step.remembers and not step.refused]
    assert [step.card for step in cards] == ["keeper", "chief", "driver", "escort"]
    for typed in ("keeper", "commander", "driver", "escort", "ordered seal"):
        facts = {**gate.facts, typed: "yes"}
        with pytest.raises(StepFailed, match=f"{typed} is typed"):
            play(hazardous.SECTOR, replace(whole, steps=(replace(gate, facts=facts, at="09:00"),)), SECTORS)
    for missing in cards[::3]:
        steps = tuple(step for step in whole.steps if step is not missing)
        with pytest.raises(StepFailed, match=r"nothing is remembered|MISSING"):
            play(hazardous.SECTOR, replace(whole, steps=steps), SECTORS)


def test_the_journey_s_clock_counts_days_and_minutes_and_knows_no_day_to_come() -> None:
    fine = vehicles.SECTOR.journey("points")
    late = Assess(
        "fine", {"fine": 20_000, "days late": "=days since 2026-03-04"}, {"due": 23_000}, at="09:00"
    )
    assert play(vehicles.SECTOR, replace(fine, steps=(late,)), SECTORS).told
    for day in ("2026-03-10", "2026-02-30"):
        facts: dict[str, int | str] = {"fine": 20_000, "days late": f"=days since {day}"}
        with pytest.raises(StepFailed, match=r"has not come yet|is no day"):
            play(vehicles.SECTOR, replace(fine, steps=(replace(late, facts=facts),)), SECTORS)
    facts = {"fine": 20_000, "days late": "=minutes since 2026-03-09"}
    steps = (replace(late, facts=facts, gives={"due": 26_000}, at="00:10"),)
    assert play(vehicles.SECTOR, replace(fine, steps=steps), SECTORS).told


def test_a_payment_settles_its_own_fine_and_neither_more_nor_less() -> None:
    fine = vehicles.SECTOR.journey("revoked")
    for paid in (19_999, 20_001):
        facts = {"paid": "=paid", "due": 20_000, "fine": 20_000, "points": 6, "unpaid": 6, "open": 20_000}
        steps = (
            OpenAccount("lilei", 30_000, pin="123456", at="09:00"),
            PayOnline("lilei", "treasury.fines", paid, pin="123456", remembers={"paid": "amount"}),
            Assess("settled", facts, {}, refused="REFUSED"),
        )
        assert play(vehicles.SECTOR, replace(fine, steps=steps), SECTORS).told


def test_a_bill_needs_the_visit_that_was_granted_and_settles_it_once() -> None:
    whole = medical.SECTOR.journey("ward")
    see = next(step for step in whole.steps if isinstance(step, Admit))
    bill = Assess("prescription", {"kind": "ordinary", "days": 7, "drugs": 5}, {"most": 7}, spends=("visit",))
    seen = replace(see, remembers={"visit": "admitted"}, at="")
    other = replace(seen, facts={"scheme": "rural"}, refused="OTHER_SCHEME")
    unseen, again = replace(bill, refused="NOT_SHOWN"), replace(bill, refused="USED_TWICE")
    steps = (unseen, seen, bill, again, seen, bill, seen, other, unseen)
    assert play(medical.SECTOR, replace(whole, steps=steps), SECTORS).told
    for wrong in ((other, bill), (seen, bill, bill)):
        with pytest.raises(StepFailed, match=r"refused as (NOT_SHOWN|USED_TWICE)"):
            play(medical.SECTOR, replace(whole, steps=wrong), SECTORS)


def test_an_assessment_that_is_refused_leaves_nothing_of_an_earlier_one() -> None:
    whole = medical.SECTOR.journey("ward")
    good = Assess("prescription", {"kind": "ordinary", "days": 7, "drugs": 5}, {}, remembers={"days": "most"})
    bad = replace(good, facts={**good.facts, "days": 8}, refused="REFUSED")
    after = replace(good, facts={**good.facts, "days": "=days"}, remembers={})
    assert play(medical.SECTOR, replace(whole, steps=(good, after)), SECTORS).told
    with pytest.raises(StepFailed, match="NOT_SHOWN"):
        play(medical.SECTOR, replace(whole, steps=(good, bad, after)), SECTORS)


def test_a_fund_pays_no_bill_without_the_right_that_the_card_showed() -> None:
    for sector in (medical.SECTOR, drugs.SECTOR):
        sheets = {sheet.name: sheet for sheet in sector.sheets}
        for journey in sector.journeys:
            for step in journey.steps:
                if (
                    isinstance(step, Assess)
                    and step.posts
                    and any(line.payer for line in sheets[step.sheet].lines)
                ):
                    assert step.spends, (journey.name, step)
    day = [step for step in citizen.SECTOR.journey("day").steps if isinstance(step, Assess)]
    assert [step.spends for step in day if step.sheet.startswith("medical:")] == [("visit", "who")]
    whole = medical.SECTOR.journey("farmers-card")
    for missing in (step for step in whole.steps if isinstance(step, Admit) and not step.refused):
        steps = tuple(step for step in whole.steps if step is not missing)
        with pytest.raises(StepFailed, match=r"NOT_SHOWN|USED_TWICE"):
            play(medical.SECTOR, replace(whole, steps=steps), SECTORS)
