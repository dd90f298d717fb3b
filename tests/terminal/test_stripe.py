"""The magnetic stripe: what is a track, and when a swipe may stand for a chip."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.terminal import Chip, StripeVerdict, Swipe, TrackError, parse_track2
from jinka.terminal.stripe import RULES, decide, luhn_ok, track2_of_chip
from tests.card.emv_rig import HOLDER

CHIP = ";6228000100001117=2812220000000000?"
STRIPE = ";6228000100001117=2812120000000000?"
TODAY = dt.date(2018, 9, 1)


def test_a_track_and_the_chip_say_the_same() -> None:
    track = parse_track2(CHIP)
    assert (track.pan, track.expiry, track.service_code) == ("6228000100001117", "2812", "220")
    assert track2_of_chip(HOLDER.track2).pan == track.pan
    assert track.masked == "622800******1117"
    assert track.pan not in repr(track)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "6228000100001117",
        ";6228000100001118=2812220?",
        ";6228000100001117=2813220?",
        ";6228000100001117=28122?",
        ";6228000100001117=2812320?",
        ";6228000100001117=2812239?",
        ";62280001000A1117=2812220?",
        ";6228000100001117=2812220" + "0" * 20,
        ";٦٢٢٨000100001117=2812220?",
    ],
)
def test_what_is_no_track(text: str) -> None:
    with pytest.raises(TrackError):
        parse_track2(text)


@given(text=st.text(max_size=45))
def test_any_text_is_a_track_or_refused(text: str) -> None:
    try:
        track = parse_track2(text)
    except TrackError:
        pass
    else:
        assert luhn_ok(track.pan)


def _swipe(text: str, **more: object) -> Swipe:
    return replace(Swipe(track=parse_track2(text), today=TODAY), **more)


CASES = [
    (_swipe(STRIPE), StripeVerdict.ACCEPT, "stripe card", "90"),
    (_swipe(CHIP), StripeVerdict.USE_CHIP, "chip card: insert it", ""),
    (_swipe(CHIP, chip=Chip.FAILED), StripeVerdict.ACCEPT, "chip failed: stripe instead", "80"),
    (
        _swipe(CHIP, chip=Chip.NO_APPLICATION),
        StripeVerdict.ACCEPT,
        "chip without our applications: stripe instead",
        "80",
    ),
    (_swipe(CHIP, chip=Chip.REFUSED), StripeVerdict.REFUSE, "the chip said no", ""),
    (
        _swipe(CHIP, chip=Chip.FAILED, fallback_allowed=False),
        StripeVerdict.REFUSE,
        "fallback not allowed here",
        "",
    ),
    (_swipe(CHIP, chip_reader=False), StripeVerdict.ACCEPT, "chip card, no chip reader", "90"),
    (_swipe(STRIPE, online=False), StripeVerdict.REFUSE, "a stripe is never paid offline", ""),
    (_swipe(STRIPE, today=dt.date(2029, 1, 1)), StripeVerdict.REFUSE, "expired", ""),
    (_swipe(STRIPE.replace("120", "901", 1)), StripeVerdict.REFUSE, "test card", ""),
    (_swipe(STRIPE.replace("2812120", "2812701")), StripeVerdict.REFUSE, "private card, no agreement", ""),
    (
        _swipe(STRIPE.replace("2812120", "2812701"), private_agreed=True),
        StripeVerdict.ACCEPT,
        "stripe card",
        "90",
    ),
    (_swipe(STRIPE.replace("2812120", "2812104")), StripeVerdict.REFUSE, "cash only", ""),
    (
        _swipe(STRIPE.replace("2812120", "2812103"), cash=True),
        StripeVerdict.REFUSE,
        "teller machines only",
        "",
    ),
    (_swipe(STRIPE.replace("2812120", "2812102"), cash=True), StripeVerdict.REFUSE, "no cash", ""),
    (_swipe(STRIPE, pin_pad=False), StripeVerdict.REFUSE, "PIN wanted, no PIN pad", ""),
]


@pytest.mark.parametrize(("swipe", "verdict", "reason", "mode"), CASES, ids=[case[2] for case in CASES])
def test_every_rule(swipe: Swipe, verdict: StripeVerdict, reason: str, mode: str) -> None:
    found = decide(swipe)
    assert (found.verdict, found.reason, found.entry_mode) == (verdict, reason, mode)


def test_every_rule_has_a_case() -> None:
    assert [rule[0] for rule in RULES if rule[0] not in {case[2] for case in CASES}] == []


def test_who_is_asked_for_a_pin() -> None:
    assert decide(_swipe(STRIPE)).pin_wanted
    assert not decide(_swipe(STRIPE.replace("2812120", "2812101"))).pin_wanted
    where_possible = STRIPE.replace("2812120", "2812106")
    assert decide(_swipe(where_possible)).pin_wanted
    assert not decide(_swipe(where_possible, pin_pad=False)).pin_wanted
