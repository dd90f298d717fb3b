"""What a fuel card may buy: file 001C names grades and the most for one refuelling, and the pump keeps to both.

The card itself cannot: the grey lock says nothing of grades, and the amount is the pump's word under the GMAC.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.card import Card
from jinka.kit import Refused
from jinka.sectors.fuel import LIMITS_FILE, Grade, limits
from jinka.terminal import FuelState, FuelStatus, FuelTerminal
from tests.card.rig import Pull, Reader
from tests.terminal.fuel_rig import AT, CARD_NO, PUMP_1, PUMP_2, Oil

LATER = AT + dt.timedelta(minutes=4)


def _ruled(grades: Grade | int, most_fen: int) -> Oil:
    """A card whose issuer wrote this rule."""
    oil = Oil()
    file = oil.card.directory.by_name[oil.profile.aid].children[LIMITS_FILE]
    oil.card.nvm.memory[file.at : file.at + file.size] = limits(Grade(grades), most_fen)
    return oil


def _pump(oil: Oil, grade: Grade | int) -> FuelTerminal:
    pump = oil.pump()
    pump._data = replace(pump._data, grade=int(grade))
    return pump


@pytest.mark.parametrize(
    ("grades", "grade", "allowed"),
    [
        (Grade.PETROL_92 | Grade.DIESEL, Grade.DIESEL, True),
        (Grade.PETROL_92 | Grade.DIESEL, Grade.PETROL_95, False),
        (Grade.PETROL_92, Grade.SHOP, False),
        (0, Grade.PETROL_98, True),
        (Grade.PETROL_92, 0, True),
    ],
)
def test_a_nozzle_sells_what_the_card_may_buy(grades: int, grade: int, allowed: bool) -> None:
    oil = _ruled(grades, 0)
    before = bytes(oil.card.nvm.memory)
    outcome = _pump(oil, grade).lock(oil.card, AT)
    if allowed:
        assert outcome.status is FuelStatus.LOCKED
    else:
        assert (outcome.status, outcome.step) == (FuelStatus.REFUSED, "grade")
        assert oil.card.nvm.memory == before, "refused before the lock"


@pytest.mark.parametrize(
    ("most", "allowed", "refused"), [(20_000, 20_000, 20_001), (0, 50_000, 50_001), (60_000, 50_000, 50_001)]
)
def test_no_more_flows_than_the_rule_and_the_balance(most: int, allowed: int, refused: int) -> None:
    oil = _ruled(0, most)
    pump = oil.pump()
    hold = pump.lock(oil.card, AT).hold
    assert hold is not None
    assert hold.most == allowed
    with pytest.raises(Refused, match="most"):
        pump.settle(CARD_NO, refused)
    assert pump.release(oil.card, pump.settle(CARD_NO, allowed), LATER).status is FuelStatus.DONE
    assert oil.balance() == 50_000 - allowed


def test_the_rule_outlives_the_pump_s_power_and_a_lost_answer() -> None:
    oil = _ruled(0, 20_000)
    kept: list[bytes] = []
    psam = oil.psam(PUMP_1)
    pump = oil.pump(psam=psam, keep=kept.append)
    reader = Reader(oil.card)
    reader.pull(Pull(5, None))  # the GREY LOCK, done, and its answer lost
    unsure = pump.lock(reader, AT)
    assert unsure.status is FuelStatus.UNSURE
    psam.power_up()
    again = oil.pump(psam=psam, state=FuelState.from_bytes(kept[-1]))
    reader.insert()
    assert again.lock(reader, LATER).status is FuelStatus.LOCKED
    with pytest.raises(Refused):
        again.settle(CARD_NO, 20_001)


def test_a_card_without_the_file_has_no_rule_and_a_worn_one_is_refused() -> None:
    oil = Oil()
    assert isinstance(oil.card, Card)
    outcome = oil.pump(PUMP_2).lock(_Answers(oil.card, b"\x6a\x82"), AT)
    assert outcome.hold is not None
    assert outcome.hold.most == 50_000
    other = Oil()
    outcome = other.pump(PUMP_2).lock(_Answers(other.card, b"\x65\x81"), AT)
    assert (outcome.status, outcome.sw, outcome.step) == (FuelStatus.REFUSED, 0x6581, "read 001C")


class _Answers:
    """A card that answers a READ of 001C in its own way."""

    def __init__(self, card: Card, answer: bytes) -> None:
        self.card, self.answer = card, answer

    def transmit(self, command: bytes) -> bytes:
        return self.answer if command == bytes.fromhex("00B09C0006") else self.card.transmit(command)
