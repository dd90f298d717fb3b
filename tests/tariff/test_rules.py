"""The rules by hand-worked fares, and by properties that every fare rule must have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.kit import Usage
from jinka.tariff import AmountOff, Bands, Share

BUS = Bands(((300, 80), (600, 75), (None, 65)))


@pytest.mark.parametrize(
    ("rule", "gross", "charge"),
    [
        (Share(95), 200, 190),
        (Share(0), 500, 0),
        (Share(50), 75, 38),  # half up
        (BUS, 250, 200),
        (BUS, 400, 315),
        (BUS, 700, 530),
        (BUS, 1000, 725),
        (AmountOff(BUS, 40), 100, 40),
        (AmountOff(BUS, 40), 25, 0),  # never below zero
    ],
)
def test_prices_by_hand(rule, gross, charge):
    assert rule.price(gross) == charge


@given(gross=st.integers(0, 10**6), more=st.integers(0, 10**4))
def test_a_longer_ride_never_costs_less(gross, more):
    for rule in (Share(95), BUS, AmountOff(BUS, 40)):
        assert 0 <= rule.price(gross) <= rule.price(gross + more)
        assert rule.price(gross) <= gross


@pytest.mark.parametrize(
    "bands", [(), ((300, 80),), ((None, 80), (None, 70)), ((600, 80), (300, 70), (None, 60))]
)
def test_bands_that_are_no_bands_are_refused(bands):
    with pytest.raises(Usage):
        Bands(bands)
