"""Organisations' codes, strictly. Oracle values: the examples of python-stdnum's documentation and of GB 11714."""

from __future__ import annotations

import pytest

from jinka.kit import Refused
from jinka.registry.credit_code import check_credit_code, check_organisation_code

GOOD = "91350100M000100Y43"


def test_published_examples() -> None:
    check_credit_code(GOOD)
    check_organisation_code("D2143569X")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("", "18 characters"),
        (GOOD[:-1], "18 characters"),
        (GOOD + "0", "18 characters"),
        (GOOD.lower(), "18 characters"),
        (GOOD.replace("Y", "S"), "18 characters"),
        ("91350100M000100Y44", "check character"),
        ("91350100M000100Y56", "check character"),  # right by itself; the organisation code in it is not
        ("01350100M000100Y43", "department"),
        ("91999999M000100Y43", "division"),
        ("9135010AM000100Y43", "division"),
        ("９1350100M000100Y43", "18 characters"),
    ],
)
def test_faults_are_named(code: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        check_credit_code(code)


@pytest.mark.parametrize("code", ["", "D2143569", "D2143569-X", "D21435690", "d2143569X", "D2143569XX"])
def test_faulty_organisation_codes(code: str) -> None:
    with pytest.raises(Refused):
        check_organisation_code(code)


def test_every_single_wrong_character_is_seen() -> None:
    for at in range(18):
        for char in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if char != GOOD[at]:
                with pytest.raises(Refused):
                    check_credit_code(GOOD[:at] + char + GOOD[at + 1 :])
