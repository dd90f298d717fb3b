"""The walker over declarations that break in the hands of the kernel: a finding with type and place, never an end.

Goal: one bad declaration does not end the check of all. Method: what raises a bare Python error somewhere is declared,
and the walker goes on to its last part.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jinka.app import sector_check
from jinka.app.sector_check import check_sector
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Journey, Tell
from jinka.declaration.sector import STEPS_MAX
from jinka.kit import Usage
from jinka.sectors import campus
from jinka.tariff.sheet import Begun, Marginal

DAY = campus.SECTOR.journey("day")
TELL = Tell("Something happens.", "有事发生。")
STORY = replace(DAY, cards=(), steps=(TELL,))
QUICK = replace(
    campus.SECTOR, profiles=(), records={}, tariffs={}, devices=(), entitlements=(), sheets=(), journeys=(STORY,),
    worked_cases=(), no_worked_case="none of what is left here",
)  # fmt: skip


def said(**spoil: Any) -> list[str]:
    return [
        f"{one.code} {one.where}: {one.what}" for one in check_sector(replace(QUICK, **spoil), ()).findings
    ]


def raises(*_: object, **__: object) -> Any:
    raise KeyError("ticket")


def test_a_bare_error_is_a_finding_with_its_type_and_place_and_the_rest_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sector_check, "check_encodings", raises)
    late = replace(STORY, steps=(replace(TELL, at="+99999999 08:00"),))
    found = said(profiles=(campus.PURSE,), journeys=(late,))
    assert any(one.startswith("ENCODINGS campus.cn.campus.purse: KeyError: ") for one in found)
    assert any("is no time (08:30 or +2 08:30)" in one for one in found)
    assert any(one.startswith("REPORT campus.") for one in found)


@pytest.mark.parametrize(
    ("check", "name"),
    [
        ("check_protected", "ACCESS_RIGHTS"), ("check_torn_uses", "TORN_USES"), ("report_rows", "REPORTS"),
        ("check_plans", "PLANS"), ("sector_page", "DOCUMENTATION"), ("_texts", "DECLARATION"),
    ],
)  # fmt: skip
def test_every_check_is_guarded(check: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sector_check, check, raises)
    place = "(test_sector_check_broken.py, line"
    (found,) = [one for one in said() if place in one]
    assert found.startswith(f"{name} campus.{name.lower().replace('_', ' ')}: KeyError: 'ticket' {place}")


def test_a_bare_error_of_a_step_names_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(play.__globals__["PLAYERS"], Tell, raises)
    with pytest.raises(StepFailed, match="KeyError: 'ticket'") as failed:
        play(QUICK, STORY, ())
    assert failed.value.where == "campus.day, step 1 (Tell)"


@pytest.mark.parametrize("steps", [(TELL,) * (STEPS_MAX + 1), (7,), [TELL]])
def test_a_journey_has_an_end_and_steps(steps: Any) -> None:
    with pytest.raises(Usage):
        Journey(name="a", title_en="A", title_zh="甲", date=DAY.date, steps=steps)


@pytest.mark.parametrize("size", [0, -1, 1.5])
def test_units_are_counted_from_one(size: Any) -> None:
    with pytest.raises(Usage, match="no number of units"):
        Begun("a", size)
    with pytest.raises(Usage, match="no number of units"):
        Marginal("a", ((None, 1),), per=size)
