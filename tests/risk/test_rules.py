"""Risk rules: each at its border, and the reading of rule tables. A rule that is one off lets a thief through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from jinka.kit import Usage
from jinka.risk import Action, CardFacts, read_rules

SECOND = 1_000_000
CARD = CardFacts(id=b"c" * 16, chip=True, first_use_micros=1)


@dataclass(frozen=True)
class Did:
    at_micros: int = 0
    amount_fen: int = 100
    approved: bool = True
    entry_word: str = "chip"
    channel_word: str = "pos"
    acquirer: str = "a"
    merchant: str = "m"
    category: str = "5411"
    place_e6: tuple[int, int] | None = None


def struck(now: Did, *before: Did, card: CardFacts = CARD, **rule: Any) -> bool:
    rules = read_rules([{"code": "R", "en": "e", "zh": "z", **rule}])
    return rules.judge(now, before, card) is not None


def test_velocity_counts_this_one_and_forgets_at_the_windows_end() -> None:
    rule = {"kind": "velocity", "window_s": 10, "count": 2}
    now = Did(at_micros=10 * SECOND)
    assert not struck(now, Did(at_micros=1), **rule)
    assert struck(now, Did(at_micros=1), Did(at_micros=2), **rule)
    assert not struck(now, Did(at_micros=0), Did(at_micros=2), **rule), "ten seconds ago is outside"
    assert not struck(now, Did(at_micros=1, approved=False), Did(at_micros=2), **rule)


def test_velocity_of_amounts_and_of_refusals() -> None:
    now = Did(at_micros=10 * SECOND, amount_fen=60)
    assert not struck(now, Did(at_micros=1, amount_fen=40), kind="velocity", window_s=10, amount_fen=100)
    assert struck(now, Did(at_micros=1, amount_fen=41), kind="velocity", window_s=10, amount_fen=100)
    refused = Did(at_micros=1, approved=False)
    assert not struck(now, refused, kind="velocity", window_s=10, count=2, declined=True)
    assert struck(now, refused, refused, kind="velocity", window_s=10, count=2, declined=True)


def test_distance_at_the_equator() -> None:
    """One degree of the equator is 111.19 km on a globe of 6371 km."""
    rule = {"kind": "distance", "kmh": 100, "slack_km": 0}
    start = Did(place_e6=(0, 0))
    hour = 3600 * SECOND
    assert struck(Did(at_micros=hour, place_e6=(0, 1_000_000)), start, **rule)
    assert not struck(Did(at_micros=hour * 1112 // 1000, place_e6=(0, 1_000_000)), start, **rule)
    assert not struck(Did(at_micros=hour, place_e6=(0, 1_000_000)), start, **rule | {"slack_km": 12})
    assert not struck(Did(at_micros=1), start, **rule), "nobody knows where"
    assert struck(Did(place_e6=(0, 180_000_000)), start, **rule), "the other side of the world at once"


def test_lists() -> None:
    assert struck(Did(), kind="listed", merchants=["m"])
    assert struck(Did(), kind="listed", categories=["5411"])
    assert struck(Did(), kind="listed", acquirers=["a"])
    assert struck(Did(), kind="listed", cards=[CARD.id.hex()])
    assert not struck(Did(), kind="listed", merchants=["x"], categories=["x"], acquirers=["x"], cards=["x"])


def test_fallback() -> None:
    now = Did(at_micros=86_400 * SECOND, entry_word="fallback")
    past = Did(at_micros=1, entry_word="fallback")
    assert struck(now, kind="fallback")
    assert not struck(now, kind="fallback", count=1)
    assert struck(now, past, kind="fallback", count=1)
    assert not struck(now, Did(at_micros=0, entry_word="fallback"), kind="fallback", count=1)
    assert struck(now, kind="fallback", count=9, amount_fen=99)
    assert not struck(Did(), past, kind="fallback")


def test_first_use() -> None:
    fresh = CardFacts(id=CARD.id, chip=True, first_use_micros=0)
    assert struck(Did(amount_fen=101), card=fresh, kind="first-use", amount_fen=100)
    assert not struck(Did(amount_fen=100), card=fresh, kind="first-use", amount_fen=100)
    assert struck(Did(entry_word="manual"), card=fresh, kind="first-use", entries=["chip"])
    young = {"kind": "first-use", "amount_fen": 100, "young_s": 10}
    assert struck(Did(at_micros=10 * SECOND, amount_fen=101), **young)
    assert not struck(Did(at_micros=10 * SECOND + 1, amount_fen=101), **young)


def test_the_first_that_declines_speaks_before_any_alert() -> None:
    rows = [
        {"kind": "listed", "merchants": ["m"], "code": "A", "en": "e", "zh": "z", "action": "alert"},
        {"kind": "listed", "merchants": ["m"], "code": "B", "en": "e", "zh": "z", "channels": ["atm"]},
        {"kind": "listed", "merchants": ["m"], "code": "C", "en": "e", "zh": "z"},
    ]
    found = read_rules(rows).judge(Did(), (), CARD)
    assert found is not None
    assert (found.code, found.action) == ("C", Action.DECLINE)
    found = read_rules(rows[:2]).judge(Did(), (), CARD)
    assert found is not None
    assert (found.code, found.action) == ("A", Action.ALERT)
    assert read_rules([]).judge(Did(), (), CARD) is None


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"kind": "magic"}, "kind"),
        ({"kind": "velocity", "window_s": -1}, "window_s"),
        ({"kind": "velocity", "window_s": 1.5}, "window_s"),
        ({"kind": "velocity", "window_s": True}, "window_s"),
        ({"kind": "velocity"}, "rules"),
        ({"kind": "listed", "merchants": "m"}, "merchants"),
        ({"kind": "listed", "merchants": [1]}, "merchants"),
        ({"kind": "listed", "colour": "red"}, "colour"),
        ({"kind": "listed", "action": "maybe"}, "action"),
        ({"kind": "listed", "en": ""}, "rules"),
        ({"kind": "listed", "code": 7}, "code"),
    ],
)
def test_a_rule_that_is_none_is_named(row: dict[str, Any], where: str) -> None:
    with pytest.raises(Usage, match=where):
        read_rules([{"code": "R", "en": "e", "zh": "z"} | row])


def test_two_rules_of_one_code() -> None:
    row = {"kind": "listed", "code": "R", "en": "e", "zh": "z"}
    with pytest.raises(Usage, match="two rules"):
        read_rules([row, row])
