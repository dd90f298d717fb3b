"""Players print of a person what a receipt would: goal, no name or number of a card in full on a page or a screen.

Method: the journeys that read and write personal records are played, and what they say is searched for the values.
"""

from __future__ import annotations

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_masking import masked_name, masked_number
from jinka.app.sector_run import play


def test_a_name_keeps_its_first_character_and_a_number_its_last_four() -> None:
    assert (masked_name("王秀英"), masked_number("11010519491231002X")) == ("王**", "*" * 14 + "002X")
    assert (masked_name(""), masked_number("-"), masked_number("0815")) == ("", "-", "0815")


@pytest.mark.parametrize(
    ("sector", "journey", "hidden", "seen"),
    [
        (
            "social-security",
            "enrolment",
            ("11010519491231002X", "Name 王秀英", "姓名王秀英", "19491231"),
            ("002X", "王**"),
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
