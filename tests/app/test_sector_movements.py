"""Goods move, are destroyed and are released only after the checks that come before it.

Goal: a movement that needs a licence, an order, a signature or a payment is refused where that was not established, and
a release serves one movement. Method: shipped journeys without the step that establishes it, and short ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import (
    Admit,
    Assess,
    Journey,
    Packed,
    Received,
    Sector,
    Shipped,
    Stands,
    Step,
    Tap,
    Verify,
)
from jinka.sectors import drugs, eport, hazardous, logistics, tourism

SECTORS = all_sectors().values()


def without(journey: Journey, left_out: Callable[[Step], bool]) -> Journey:
    return replace(journey, steps=tuple(step for step in journey.steps if not left_out(step)))


def taxes(step: Step) -> bool:
    return isinstance(step, Stands) or (isinstance(step, Assess) and step.sheet == "import-taxes")


def document(name: str) -> Callable[[Step], bool]:
    return lambda step: isinstance(step, Verify) and step.document == name and not step.refused


@pytest.mark.parametrize(
    ("sector", "journey", "left_out"),
    [
        (drugs.SECTOR, "chain", lambda step: isinstance(step, Admit) and not step.refused),
        (logistics.SECTOR, "consignment", document("delivery note")),
        (eport.SECTOR, "release", taxes),
        (hazardous.SECTOR, "reserves", document("military order")),
    ],
    ids=["a licence", "an addressee's signature", "taxes", "an order of two officers"],
)
def test_nothing_moves_without_the_check_before_it(
    sector: Sector, journey: str, left_out: Callable[[Step], bool]
) -> None:
    with pytest.raises(StepFailed, match="NOT_SHOWN"):
        play(sector, without(sector.journey(journey), left_out), SECTORS)


def test_a_gate_that_nobody_passed_lets_no_container_go_and_one_pass_serves_one_departure() -> None:
    escort = hazardous.SECTOR.journey("escort")
    packed = next(at for at, step in enumerate(escort.steps) if isinstance(step, Packed))
    leaves = next(
        step for step in escort.steps if isinstance(step, Shipped) and step.spends and not step.refused
    )
    goods = tuple(step for step in escort.steps[: packed + 1] if not isinstance(step, Verify))
    with pytest.raises(StepFailed, match="NOT_SHOWN"):
        play(hazardous.SECTOR, replace(escort, steps=(*goods, leaves)), SECTORS)
    gone = escort.steps.index(leaves)
    again = replace(leaves, at="09:10")
    with pytest.raises(StepFailed, match="USED_TWICE"):
        play(hazardous.SECTOR, replace(escort, steps=(*escort.steps[: gone + 1], again)), SECTORS)


def test_who_is_refused_leaves_no_licence_of_an_earlier_time() -> None:
    chain = drugs.SECTOR.journey("chain")
    received = next(step for step in chain.steps if isinstance(step, Received) and step.needs)
    at = chain.steps.index(received)
    refused = Admit(
        "maker", "purchasing", "deals", facts={"practice": "GSP", "goods": "prescription"},
        remembers={"maker licensed": "admitted"}, refused="OTHER_PRACTICE",
    )  # fmt: skip
    with pytest.raises(StepFailed, match="NOT_SHOWN"):
        play(drugs.SECTOR, replace(chain, steps=(*chain.steps[:at], refused, received)), SECTORS)


def test_a_ticket_is_written_from_what_was_paid() -> None:
    booking = without(tourism.SECTOR.journey("booking"), lambda step: isinstance(step, Tap))
    with pytest.raises(StepFailed, match="nothing is remembered as 'paid'"):
        play(tourism.SECTOR, booking, SECTORS)
