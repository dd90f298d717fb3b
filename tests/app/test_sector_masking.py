"""Players print of a person what a receipt would: goal, no name or number of a card in full on a page or a screen.

Method: the journeys that read and write personal records are played, and what they say is searched for the values.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_masking import Masks, masked_name, masked_number
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Reads


def test_a_name_keeps_its_first_character_and_a_number_its_last_four() -> None:
    assert (masked_name("王秀英"), masked_number("11010519491231002X")) == ("王**", "*" * 14 + "002X")
    assert (masked_name(""), masked_number("-"), masked_number("0815")) == ("", "-", "**15")
    assert (masked_number("1"), masked_number("粤B12345")) == ("*", "****345")


@pytest.mark.parametrize(
    ("sector", "journey", "hidden", "seen"),
    [
        (
            "social-security",
            "enrolment",
            ("44039819960518002X", "Name 马丽", "姓名马丽", "19960518"),
            ("002X", "马*"),
        ),
        ("housing-fund", "paying-in", ("440300000815",), ("********0815",)),
    ],
)
def test_what_is_personal_is_not_printed(
    sector: str, journey: str, hidden: tuple[str, ...], seen: tuple[str, ...]
) -> None:
    sectors = all_sectors()
    found = sectors[sector]
    told = play(found, found.journey(journey), sectors.values()).told
    for said in (" ".join(one.said.en for one in told), " ".join(one.said.zh for one in told)):
        assert [value for value in hidden if value in said] == []
        assert [value for value in seen if value not in said] == []


def test_a_failure_says_no_more_than_a_page() -> None:
    """What was read instead of what was wanted, by a step that fails."""
    sectors = all_sectors()
    found = sectors["social-security"]
    journey = found.journey("enrolment")
    reads = next(step for step in journey.steps if isinstance(step, Reads) and "name" in step.values)
    wrong = replace(reads, values={**reads.values, "name": "马莉"})
    steps = tuple(wrong if step is reads else step for step in journey.steps)
    with pytest.raises(StepFailed) as failed:
        play(found, replace(journey, steps=steps), sectors.values())
    said = str(failed.value)
    assert "马*" in said
    assert [value for value in ("马丽", "马莉", "44039819960518002X") if value in said] == []


def test_a_subject_is_hidden_when_a_record_has_it_and_public_otherwise() -> None:
    sectors = all_sectors()
    found = sectors["identity"]
    told = " ".join(one.said.zh for one in play(found, found.journey("verification"), sectors.values()).told)
    assert "李*的证书写入卡中" in told
    assert "李雷" not in told
    masks = Masks({"李雷": "李*"})
    assert masks.hide("李雷、高明签署") == "李*、高明签署"
