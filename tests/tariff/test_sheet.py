"""Sheets: lines of whole numbers over facts. Expected values are worked by hand beside each case."""

from __future__ import annotations

import pytest

from jinka.kit import Usage
from jinka.tariff.sheet import (
    Begun,
    Choose,
    Expression,
    Least,
    Less,
    Line,
    Marginal,
    Minus,
    Most,
    Rounding,
    Sheet,
    Step,
    Sum,
    Times,
    percent,
)
from jinka.tariff.sheet_text import expression_text


def sheet(value: Expression, *facts: str) -> Sheet:
    line = Line(code="result", title_en="Result", title_zh="结果", value=value)
    return Sheet(
        name="t", title_en="T", title_zh="表", source="-", facts=facts, lines=(line,), result="result"
    )


@pytest.mark.parametrize(
    ("value", "facts", "wanted"),
    [
        (Sum(("a", 5)), {"a": 2}, 7),
        (Less("a", 5), {"a": 2}, 0),
        (Most((Minus("a", 5), 1)), {"a": 2}, 1),
        (Least(("a", 5)), {"a": 9}, 5),
        (percent("a", 85), {"a": 10}, 9),  # 8.5 is rounded half up
        (percent("a", 85, rounding=Rounding.DOWN), {"a": 10}, 8),
        (Times("a", 1, 3, Rounding.UP), {"a": 10}, 4),
        (Times("a", 2, Minus("b", 1)), {"a": 10, "b": 4}, 7),  # 20 by 3
        (Begun("a", 60), {"a": 0}, 0),
        (Begun("a", 60), {"a": 60}, 1),
        (Begun("a", 60), {"a": 61}, 2),
        # 240 at 4, 160 at 5, 100 at 7
        (Marginal("a", ((240, 4), (400, 5), (None, 7))), {"a": 500}, 240 * 4 + 160 * 5 + 100 * 7),
        # after 200 used: 40 more at 4, then 60 at 5
        (Marginal("a", ((240, 4), (400, 5), (None, 7)), start=200), {"a": 100}, 40 * 4 + 60 * 5),
        # after 450 used all of it is in the last band
        (Marginal("a", ((240, 4), (400, 5), (None, 7)), start=450), {"a": 10}, 70),
        (Step("a", ((6, 300), (12, 400), (None, 500))), {"a": 6}, 300),
        (Step("a", ((6, 300), (12, 400), (None, 500))), {"a": 7}, 400),
        (Step("a", ((6, 300), (12, 400), (None, 500))), {"a": 99}, 500),
        (Choose("w", (("small", 1), ("large", "a"))), {"w": "large", "a": 3}, 3),
    ],
)
def test_an_expression_is_what_was_worked_by_hand(
    value: Expression, facts: dict[str, int | str], wanted: int
) -> None:
    assert sheet(value, *facts).fill(facts) == {"result": wanted}
    assert expression_text(value)
    assert expression_text(value, zh=True)


def test_a_line_builds_on_lines_above() -> None:
    lines = (
        Line(code="over", title_en="Over", title_zh="超出", value=Less("bill", 100)),
        Line(
            code="fund",
            title_en="Fund",
            title_zh="基金",
            value=Least((percent("over", 80), 500)),
            payer="f",
            payee="h",
        ),
        Line(code="own", title_en="Own", title_zh="自付", value=Minus("bill", "fund")),
    )
    bill = Sheet(
        name="b", title_en="B", title_zh="单", source="-", facts=("bill",), lines=lines, result="own"
    )
    assert bill.fill({"bill": 300}) == {"over": 200, "fund": 160, "own": 140}
    assert bill.fill({"bill": 5_000}) == {"over": 4_900, "fund": 500, "own": 4_500}


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({}, "facts are"),
        ({"a": 1, "b": 2}, "facts are"),
        ({"a": -1}, "no whole number"),
        ({"a": 2**63}, "no whole number"),
        ({"a": "word"}, "is a word"),
        ({"a": 3}, "comes to -0.02"),
    ],
)
def test_wrong_facts_are_refused_with_their_place(facts: dict[str, int | str], word: str) -> None:
    with pytest.raises(Usage, match=word) as error:
        sheet(Minus("a", 5), "a").fill(facts)
    assert error.value.where.startswith("t.")


def test_nothing_is_divided_by_nothing() -> None:
    for by in (0, 1):
        with pytest.raises(Usage, match="divided by"):
            sheet(Times("a", 1, Minus("b", 1)), "a", "b").fill({"a": 10, "b": by})


def test_a_sheet_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Usage, match="no fact or line above"):
        sheet("later")
    with pytest.raises(Usage, match="no case 'huge'"):
        sheet(Choose("w", (("small", 1),)), "w").fill({"w": "huge"})
    deep: Expression = "a"
    for _ in range(40):
        deep = Sum((deep, 1))
    with pytest.raises(Usage, match="too deep"):
        sheet(deep, "a").fill({"a": 1})
