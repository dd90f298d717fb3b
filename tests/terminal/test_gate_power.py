"""A gate that goes dark around a debit: what was written down before it finds the debit again, and opens once."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.card import Psam
from jinka.kit import Refused
from jinka.tariff import TapKind
from jinka.terminal import ApduLink, KeptStateError, PurseTerminal, TapOutcome, TapStatus, TornTaps
from tests.terminal.rig import AT, BUS, City, balance

FARE = 200


class PowerFailed(Exception):
    """The gate is dark."""


class Dark:
    """A reader whose gate loses its power after the n-th command."""

    def __init__(self, card: ApduLink, command: int) -> None:
        self.card, self.left = card, command

    def transmit(self, command: bytes) -> bytes:
        answer = self.card.transmit(command)
        self.left -= 1
        if self.left < 0:
            raise PowerFailed
        return answer


def board(gate: PurseTerminal, card: ApduLink, at: dt.datetime = AT) -> TapOutcome:
    return gate.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=FARE, at=at)


def gate_of(city: City, torn_taps: TornTaps) -> PurseTerminal:
    """The bus after a restart: its module has lost its session, and the terminal all but what was kept."""
    old = city.bus
    assert isinstance(old._psam, Psam)
    module = Psam.from_bytes(old._psam.to_bytes(), city.randomness)
    return PurseTerminal(old._data, module, old.pricer, AT.date(), torn_taps=torn_taps)


@pytest.mark.parametrize("command", range(8))
def test_dark_at_any_command_the_passenger_pays_once(command: int) -> None:
    city, kept = City(), [TornTaps(BUS).to_bytes()]
    card = city.cards[0]
    gate = gate_of(city, TornTaps(BUS, keep=kept.append))
    city.bus = gate
    try:
        done = board(gate, Dark(card, command))
        assert done.status is TapStatus.DONE
    except PowerFailed:
        card.power_up()
        gate = gate_of(city, TornTaps.from_bytes(kept[-1], keep=kept.append))
        done = board(gate, card, AT + dt.timedelta(seconds=30))
        assert done.status is TapStatus.DONE
        paid = done.resolved or done.record
        assert paid is not None
        assert paid.amount == FARE
        assert paid.tac == city.issuer.tac(paid)
    assert balance(card) == 5_000 - FARE
    assert not len(gate.unconfirmed)


def test_the_tap_is_written_down_before_the_debit() -> None:
    city = City()
    card = city.cards[0]

    def fail(raw: bytes) -> None:
        raise PowerFailed

    gate = gate_of(city, TornTaps(BUS, keep=fail))
    with pytest.raises(PowerFailed):
        board(gate, card)
    assert balance(card) == 5_000


def _kept() -> bytes:
    city = City()
    kept: list[bytes] = []
    board(gate_of(city, TornTaps(BUS, keep=kept.append)), city.cards[0])
    again = TornTaps.from_bytes(kept[0])
    assert again.to_bytes() == kept[0]
    assert [tap.record.amount for tap in again] == [FARE]
    return kept[0]


KEPT = _kept()


@given(st.integers(0, 3_000), st.integers(1, 255))
def test_a_damaged_state_is_refused(place: int, change: int) -> None:
    raw = bytearray(KEPT)
    raw[place % len(raw)] ^= change
    with pytest.raises(KeptStateError):
        TornTaps.from_bytes(bytes(raw))


def test_another_terminals_taps_are_refused() -> None:
    with pytest.raises(Refused, match="another terminal"):
        gate_of(City(), TornTaps(bytes(6)))
