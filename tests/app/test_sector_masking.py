"""Players print of a person what a receipt would: goal, no name or number of a card in full on a page or a screen.

Method: the journeys that read and write personal records are played, and what they say is searched for the values.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import re
from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_masking import Masks, masked_name, masked_number
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Certify, Journey, JourneyCard, Keep, Reads
from jinka.identity.base_records import Catalogue


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


def test_a_person_who_is_a_subject_is_hidden() -> None:
    sectors = all_sectors()
    found = sectors["identity"]
    told = " ".join(one.said.zh for one in play(found, found.journey("verification"), sectors.values()).told)
    assert "李*的证书写入卡中" in told
    assert "李雷" not in told
    masks = Masks({"李雷": "李*"})
    assert masks.hide("李雷、高明签署") == "李*、高明签署"


def test_a_holder_is_hidden_in_both_languages_wherever_he_is_named() -> None:
    """By the card's declared holder, by his certificate, and by the card's English title beside its Chinese one."""
    card = JourneyCard("sun", "Sun Li's card", "孙丽的卡", (), "孙丽")
    journey = Journey(
        name="one", title_en="one", title_zh="一", date=dt.date(2026, 1, 1), cards=(card,),
        steps=(
            Certify("sun", "desk", "赵敏", pin="1", post="keeper"),
            Certify("sun", "desk", "示例公司", pin="1", organisation="示例公司", code="9"),
        ),
    )  # fmt: skip
    masks = Masks.of([journey], lambda _: (), str, Catalogue(()))
    assert masks.hide("孙丽的卡，赵敏（保管员），示例公司") == "孙*的卡，赵*（保管员），示例公司"
    assert masks.hide("Sun Li's card; sunli pays; Sunday") == "Sun **'s card; sun** pays; Sunday"


def test_no_name_of_a_person_stands_whole_on_a_page() -> None:
    """All pages against the names of all sectors: one person is masked in each of them, or in none."""
    found = all_sectors()
    names: set[str] = set()
    for sector in found.values():
        told = [step for journey in sector.journeys for step in journey.steps]
        names |= {step.holder for step in told if isinstance(step, Certify) and not step.organisation}
        kept = [step.values for step in told if isinstance(step, Keep) and step.kind == "person"]
        names |= {values["name"] for values in kept if "name" in values}
        names |= {
            card.holder for journey in sector.journeys for card in journey.cards if not card.holder.isascii()
        }
    assert len(names) > 20
    pages = sorted((pathlib.Path(__file__).parents[2] / "docs" / "sectors").glob("*.md"))
    stories = {page.name: page.read_text() for page in pages}
    assert [(page, name) for page, text in stories.items() for name in sorted(names) if name in text] == []
    owners = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+'s (?:licence|\w+ card|card)")
    whole = {found[0] for text in stories.values() for found in owners.finditer(text)}
    assert {one for one in whole if one.split()[0] not in {"Officer", "Grandmother", "Guide"}} == set()
