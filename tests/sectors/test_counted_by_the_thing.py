"""What a card, a meter or a payment says itself is what counts: a journey cannot type it, nor use it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, Assess, Lock, Move, OpenAccount, PayOnline, Step, TakeBack, Tap, Write
from jinka.sectors import SECTORS

BY_NAME = {sector.name: sector for sector in SECTORS}


def told(sector: str, journey: str, steps: Sequence[Step]) -> list[str]:
    whole = BY_NAME[sector].journey(journey)
    played = play(BY_NAME[sector], replace(whole, steps=tuple(steps)), SECTORS)
    return [each.said.en for each in played.told]


def steps_of(sector: str, journey: str) -> tuple[Step, ...]:
    return BY_NAME[sector].journey(journey).steps


@pytest.mark.parametrize(
    ("sector", "journey", "first", "sheet"),
    [("fuel", "station", Lock, "pump-sale"), ("transit-beijing", "day", Tap, "taxi")],
)
def test_a_pump_and_a_taxi_take_what_their_table_comes_to(
    sector: str, journey: str, first: type[Step], sheet: str
) -> None:
    whole = steps_of(sector, journey)
    at = next(n for n, step in enumerate(whole) if isinstance(step, Assess) and step.sheet == sheet)
    before = [step for step in whole[:at] if isinstance(step, first)][:1]
    with pytest.raises(StepFailed, match="nothing is remembered"):
        told(sector, journey, [*before, *whole[at + 1 : at + 3]])


def test_the_card_counts_its_loans_and_the_fund_pays_what_was_granted() -> None:
    whole = steps_of("housing-fund", "loan")
    grants = [step for step in whole if isinstance(step, Admit) and step.remembers]
    assess, ready = whole[0], Write("chen", "centre", {"months": "6", "loan left": "0"})
    repaid = replace(ready, values={"loan left": "0"})
    second = replace(grants[1], facts=grants[0].facts)
    third = replace(second, refused="THIRD_LOAN")
    paid = next(step for step in whole if isinstance(step, Move))
    assert told("housing-fund", "loan", [assess, ready, grants[0], paid, repaid, second, repaid, third])
    with pytest.raises(StepFailed, match="nothing is remembered as 'first loan'"):
        told("housing-fund", "loan", [assess, ready, paid])


_HEAD = (
    OpenAccount("zhou", 300_000, pin="246810", at="09:00"),
    PayOnline("zhou", "railway", 55_300, pin="246810", as_="one",
              remembers={"ticket": "amount", "ticket of": "category"}),
    PayOnline("zhou", "karaoke", 48_000, pin="246810", remembers={"song": "amount", "song of": "category"}),
    Assess("official-travel", {"days": 1, "region": "other", "nights": 2, "rank": "other", "lodging": 0}, {},
           posts=False, remembers={"standard": "ceiling", "budget": "ceiling"}),
)  # fmt: skip


def _claim(kind: int | str, paid: int | str, refused: str = "", standard: int | str = "=standard") -> Assess:
    facts = {"category": kind, "paid": paid, "standard": standard, "budget": "=budget"}
    return Assess("card-claim", facts, {}, refused=refused)


def test_a_claim_is_one_payment_s_merchant_and_amount_and_none_is_claimed_twice_or_after_it_was_paid_back() -> (
    None
):
    train = _claim("=ticket of", "=ticket")
    again = replace(train, refused="USED_TWICE")
    assert told("bank", "business", [*_HEAD, _claim("=song of", "=song", "REFUSED"), train, again])
    assert told("bank", "business", [*_HEAD, TakeBack("one"), replace(train, refused="NOT_SHOWN")])
    for wrong, said in (
        ((_claim(4_112, "=song"),), "category is typed"),
        ((_claim("=ticket of", "=song"),), "not of one payment"),
        ((_claim("=standard", "=budget"),), "not of one payment"),
        ((_claim("=ticket of", "=ticket", standard=9),), "standard is typed"),
        ((train, train), "USED_TWICE"),
    ):
        with pytest.raises(StepFailed, match=said):
            told("bank", "business", [*_HEAD, *wrong])


def test_an_order_on_a_meter_s_card_is_what_was_paid_for_once() -> None:
    paid = Assess(
        "water-year", {"litres": 20_000, "reading": 0, "left": 0}, {}, remembers={"litres": "litres"}
    )
    looked = replace(paid, posts=False)
    order = Write("home", "counter", {"order number": "1", "order amount": "=litres", "order meter": "10001"})
    again = replace(order, refused="USED_TWICE")
    typed = replace(order, values={**order.values, "order amount": "20000"})
    assert told("utilities", "water-card", [paid, order, again, paid, order])
    for wrong, said in (
        ((typed,), "order amount is typed"),
        ((looked, order), "not of one payment"),
        ((paid, order, order), "USED_TWICE"),
    ):
        with pytest.raises(StepFailed, match=said):
            told("utilities", "water-card", wrong)
