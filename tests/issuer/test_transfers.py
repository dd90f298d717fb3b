"""A transfer between two banks that run the issuer's host: both ledgers, and the acquirer's accounts at both.

Method: the switch's core in a world of memory between two hosts; a credit that is refused, lost, late, and reversed.
"""

from __future__ import annotations

from typing import Any

import pytest

from jinka.codec.iso8583 import Message
from jinka.issuer import IssuedCard
from tests.issuer.host_rig import OPENING, PAN
from tests.issuer.test_iso import Adapter, Desk
from tests.switch.ground import PANS, reversal
from tests.switch.two_banks import RECEIVERS, TwoBanks, transfer

pytestmark = pytest.mark.usefixtures("books_engine")
NOW = 1_700_000_000_000_000


class Town:
    """Two issuers behind the switch."""

    def __init__(self) -> None:
        self.world = TwoBanks()
        self.payer, self.receiver = self._issuer(PANS[0]), self._issuer(RECEIVERS[0])
        world: Any = self.world
        world.bank, world.other = Adapter(self.payer, NOW), Adapter(self.receiver, NOW)

    def _issuer(self, pan: str) -> Desk:
        desk = Desk()
        state = desk.bank.books.cards([PAN])[PAN].state
        desk.bank.host.add_card(IssuedCard(pan=pan, account="A", expiry4="2812", chip=False, state=state))
        return desk

    def ask(self, message: Message) -> str:
        answer = self.world.pay(message)
        return "" if answer is None else answer.text(39)

    def books(self) -> tuple[int, int, int, int]:
        """What each holder has, less the opening; what each bank owes the acquirer."""
        one, two = self.payer, self.receiver
        return one.bank.available() - OPENING, two.bank.available() - OPENING, one.owed(), two.owed()


def test_money_reaches_the_other_bank() -> None:
    town = Town()
    assert town.ask(transfer(1, fen=700)) == "00"
    assert town.books() == (-700, 700, 700, -700)
    assert town.ask(transfer(1, fen=700)) == "00"
    assert town.books() == (-700, 700, 700, -700)
    assert town.ask(reversal(transfer(1, fen=700), 2)) == "00"
    town.world.settle()
    assert town.books() == (0, 0, 0, 0)


def test_no_such_receiver() -> None:
    town = Town()
    assert town.ask(transfer(1, fen=700, receiver="6217000000000019")) == "14"
    town.world.settle()
    assert town.books() == (0, 0, 0, 0)


def test_not_enough_money() -> None:
    town = Town()
    assert town.ask(transfer(1, fen=OPENING + 1)) == "51"
    assert town.books() == (0, 0, 0, 0)


def test_a_credit_whose_answer_is_lost() -> None:
    town = Town()
    town.world.other_answers = False
    town.ask(transfer(1, fen=700))
    town.world.other_works(deaf=True)
    assert town.books() == (-700, 700, 700, -700)
    town.world.wait(6)
    town.world.settle()
    assert town.books() == (0, 0, 0, 0)
    assert town.world.transfers() == [("reversed", "aborted")]


def test_a_credit_that_is_spent_is_given_back_by_its_bank() -> None:
    town = Town()
    town.world.other_answers = False
    town.ask(transfer(1, fen=700))
    town.world.other_works(deaf=True)
    spent = town.receiver.message("0200", "000000", OPENING + 700, f2=RECEIVERS[0])
    assert town.receiver.ask(spent).text(39) == "00"
    town.world.wait(6)
    town.world.settle()
    assert town.world.transfers() == [("reversed", "aborted")]
    assert town.books() == (0, -OPENING, 0, OPENING + 700)  # the shop is paid, the bank bears 700
