"""The walker finds what a declaration lacks; a sector that was begun with `jinka sector new` and installed is found
and passes.

Goal: no check of the walker can pass whatever stands in the declaration. Method: one sound sector, spoiled in one
place at a time; and a package made, installed by pip and asked for through the command, in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jinka.app import sector_check_cards
from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_check import check_sector
from jinka.app.sector_new import begin_sector
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, Assess, Clear, Holds, Move, Sector, Tap, WorkedCase
from jinka.kit import Refused, Usage
from jinka.profile import FREE
from jinka.sectors import campus
from jinka.tariff.sheet import Less, Line, Minus, Sheet

DAY = campus.SECTOR.journey("day")
SHORT = replace(
    DAY,
    steps=tuple(step for step in DAY.steps if not isinstance(step, (Clear, Tap, Holds))),
)
QUICK = replace(
    campus.SECTOR, journeys=(SHORT,), sheets=(), worked_cases=(), no_worked_case="none of what is left here"
)


def codes(sector: Sector) -> set[str]:
    return {finding.code for finding in check_sector(sector, [sector]).findings}


@pytest.mark.parametrize("spoil", [{"read_right": FREE}, {"write_right": FREE, "mac_required": False}])
def test_a_right_that_the_card_does_not_keep_is_found(
    spoil: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card was made laxer than the declaration says: free to read, or to be written without a MAC."""
    assert "RIGHTS" not in codes(QUICK)
    files = tuple(replace(f, **spoil) if f.fid == 0x0006 else f for f in campus.STUDENT.files)  # type: ignore[arg-type]
    lax = {campus.STUDENT.name: replace(campus.STUDENT, files=files)}
    made = sector_check_cards.example_card
    monkeypatch.setattr(
        sector_check_cards, "example_card", lambda profile: made(lax.get(profile.name, profile))
    )
    assert "RIGHTS" in codes(QUICK)


def test_what_is_personal_and_free_is_found() -> None:
    files = tuple(replace(f, read_right=FREE) if f.fid == 0x0006 else f for f in campus.STUDENT.files)
    spoiled = replace(QUICK, profiles=(campus.PURSE, replace(campus.STUDENT, files=files)))
    assert "PERSONAL" in codes(spoiled)


def test_an_example_that_does_not_come_back_is_found() -> None:
    first, *others = campus.RECORDS
    spoiled = {campus.STUDENT.name: (replace(first, example=first.example[:-1]), *others)}
    assert "RECORD" in codes(replace(QUICK, records=spoiled))


def test_a_price_that_falls_is_found() -> None:
    falls = Sheet(
        name="falls", title_en="Falls", title_zh="下降", source="-", facts=("kwh",), rising=("kwh",), result="fee",
        lines=(Line(code="fee", title_en="Fee", title_zh="费", value=Less(1_000, "kwh")),),
    )  # fmt: skip
    filled = replace(SHORT, steps=(*SHORT.steps, Assess("falls", {"kwh": 10}, {"fee": 990})))
    assert "PRICES" in codes(replace(QUICK, sheets=(falls,), journeys=(filled,)))
    rises = replace(falls, lines=(replace(falls.lines[0], value=Minus("kwh", 0)),))
    filled = replace(SHORT, steps=(*SHORT.steps, Assess("falls", {"kwh": 10}, {"fee": 10})))
    assert "PRICES" not in codes(replace(QUICK, sheets=(rises,), journeys=(filled,)))
    assert "PRICES" in codes(replace(QUICK, sheets=(rises,)))  # nothing fills it


def test_a_published_result_that_does_not_come_out_is_found() -> None:
    sheet = Sheet(
        name="twice", title_en="Twice", title_zh="加倍", source="-", facts=("a",), result="b",
        lines=(Line(code="b", title_en="B", title_zh="乙", value=Minus("a", 1)),),
    )  # fmt: skip
    case = WorkedCase(
        title_en="C", title_zh="例", sheet="twice", facts={"a": 2}, gives={"b": 4}, source="notice 1"
    )
    spoiled = replace(QUICK, sheets=(sheet,), worked_cases=(case,), no_worked_case="")
    assert "WORKED_CASE" in codes(spoiled)
    assert "WORKED_CASE" in codes(replace(spoiled, worked_cases=(replace(case, gives={"b": 1}, source=""),)))
    assert "WORKED_CASE" not in codes(replace(spoiled, worked_cases=(replace(case, gives={"b": 1}),)))


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (Tap("li", "canteen", 999, gross=500), "debited"),
        (Tap("li", "canteen", gross=500, refused="BLOCKED"), "should have been refused"),
        (Holds("li", 1), "holds 5000"),
        (Admit("li", "library", "borrow", refused="OTHER"), "should have been refused"),
        (Admit("li", "house-e4", "door"), "OTHER_HOUSE"),
        (Clear({"campus.canteen": 1}), "nothing to clear"),
        (
            Move("treasury.educatoin", "school.kitchen", 1, "aid", "补助"),
            "no account or party 'treasury.educatoin'",
        ),
        (
            Move("treasury.education", "school.kitchn", 1, "aid", "补助"),
            "no account or party 'school.kitchn'",
        ),
        (Move("treasury.education", "school.kitchen", 1.5, "aid", "补助"), "1.5 is no whole number"),
    ],
)
def test_a_step_that_goes_otherwise_than_declared_fails(step: object, what: str) -> None:
    story = replace(DAY, steps=(step,))  # type: ignore[arg-type]
    with pytest.raises(StepFailed, match=what) as failed:
        play(campus.SECTOR, story, [campus.SECTOR])
    assert failed.value.where.startswith("campus.day, step 1")


def test_what_is_never_cleared_counted_used_or_said_is_found() -> None:
    taps = replace(DAY, steps=(Tap("li", "canteen", 500, gross=500),))
    found = codes(replace(campus.SECTOR, journeys=(taps,), title_zh="Campus"))
    assert {"CLEARING", "REPORT", "UNUSED", "TEXT"} <= found
    assert "REPORT" in codes(replace(QUICK, reports=()))


def test_a_sector_needs_a_worked_case_or_the_reason_why_there_is_none() -> None:
    with pytest.raises(Usage, match="worked cases"):
        replace(QUICK, no_worked_case="")


def test_a_sector_of_a_third_party_is_installed_found_and_passes(tmp_path: Path) -> None:
    package, site = tmp_path / "ski", tmp_path / "site"
    begin_sector("com.example.ski", package)
    with pytest.raises(Refused, match="not empty"):
        begin_sector("com.example.ski", package)
    with pytest.raises(Usage, match="no name"):
        begin_sector("Ski!", tmp_path / "other")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", str(site), str(package)], check=True, timeout=120, capture_output=True)
    asked = subprocess.run(
        [Path(sys.executable).with_name("jinka"), "sector", "check", "com.example.ski"],
        env={"PYTHONPATH": str(site)}, timeout=120, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "com.example.ski" in asked.stdout
    assert "com.example.ski" not in all_sectors()  # only where it is installed
