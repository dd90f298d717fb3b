"""Steps of tickets: what is said untruly of a copy or of the gates' report is refused.

Goal: a journey cannot pass over a double use, invent one, or pay a use twice. Method: the beginning of the sector's own
journey, then a report that says something else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, CopyCard, GatesReport, Stands
from jinka.sectors import SECTORS
from jinka.sectors.logistics import SECTOR

_JOURNEY = SECTOR.journey("tickets")
_BEGIN = (
    CopyCard("he", "false"),
    Admit("he", "east", "rides", facts={"train": "G101"}, at="08:10"),
    Admit("false", "west", "rides", facts={"train": "G101"}),
)
_REPORT: dict[str, Any] = {
    "ticket": "ticket", "left": "left", "price": 5_000, "pays": "logistics.sold", "stands_in": "logistics.guarantee",
}  # fmt: skip
_BOTH = ("east", "west")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((GatesReport(_BOTH, "rides", 2, **_REPORT),), "used twice"),
        ((GatesReport(("east",), "rides", 1, **_REPORT, twice={"E1": _BOTH}),), "used twice: none"),
        ((CopyCard("he", "false"),), "stands already"),
    ],
)
def test_what_is_said_wrongly_fails(steps: tuple[Any, ...], said: str) -> None:
    journey = replace(_JOURNEY, steps=(*_BEGIN, *steps), cards=_JOURNEY.cards[:1])
    with pytest.raises(StepFailed, match="step") as failed:
        play(SECTOR, journey, SECTORS)
    assert said in str(failed.value)


def test_the_order_of_reports_changes_nobodys_sum() -> None:
    steps = (
        *_BEGIN, GatesReport(("west",), "rides", 1, **_REPORT),
        GatesReport(("east",), "rides", 1, **_REPORT, twice={"E1": _BOTH}),
        Stands("logistics.east", 5_000), Stands("logistics.west", 5_000), Stands("logistics.guarantee", 45_000),
    )  # fmt: skip
    play(SECTOR, replace(_JOURNEY, steps=steps, cards=_JOURNEY.cards[:1]), SECTORS)
