"""A terminal names an original by batch and trace number; the issuer hears its data elements as they went out.

Method: the switch's core with a terminal's dialect at the till, by day and by night (the terminal's date is not that of
field 7), from memory and after a kill, and for originals that never were or were another's.
"""

from __future__ import annotations

from typing import Any

import pytest

from jinka.codec.iso8583 import Message, dialect
from jinka.switch import Send, SwitchConfig
from tests.switch.ground import CODEC, PANS, World, config

pytestmark = pytest.mark.usefixtures("engine")
POS = dialect("unionpay-pos")


class Street(World):
    """What leaves for the till is in the terminal's dialect."""

    def _deliver(self, effect: Send) -> None:
        if effect.peer == "till":
            self.sent.append(POS.decode(effect.raw))
        else:
            super()._deliver(effect)

    def tell(
        self, trace: int, code: str = "000000", place: str = "", terminal: str = "T0000001", **more: Any
    ) -> Message:
        fields = {
            2: PANS[0], 3: code, 4: "000000001000", 11: f"{trace:06d}", 12: "003000", 13: "1116", 22: "022", 25: "00",
            41: terminal, 42: "M00000000000001", 49: "156", 60: "22000007000", **({61: place} if place else {}),
        }  # fmt: skip
        message = Message(mti=more.get("mti", "0200"), fields=dict(sorted(fields.items())))
        answer = self.pay(message, POS.encode)
        assert answer is not None
        assert 90 not in answer.fields
        return answer

    def seen(self) -> Message:
        return self.bank.seen[-1]


def rules() -> SwitchConfig:
    return config(till={"codec": POS})


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("advice", [False, True])
def test_the_issuer_gets_field_90(killed: bool, advice: bool) -> None:
    street = Street(rules())
    street.tell(1)
    sent = street.seen()
    if killed:
        street.restart()
        street.core.transactions.memory.known.clear()  # too long ago: only the journal has it
    street.tell(2, "200000", "0000070000011116", mti="0220" if advice else "0200")
    named = street.seen()
    assert named.text(90) == f"0200000001{sent.text(7)}{sent.text(32).zfill(11)}{sent.text(33).zfill(11)}"
    assert named.text(90)[10:14] != "1116", "the terminal's date is another than the message's"


@pytest.mark.parametrize("place", ["0000080000011116", "0000070000091116", "12345", ""])
def test_an_original_that_is_not_known_is_passed_on_as_it_came(place: str) -> None:
    street = Street(rules())
    street.tell(1)
    street.tell(2, "200000", place)
    assert 90 not in street.seen().fields
    street.tell(3, "200000", "0000070000011116", terminal="T0000002")
    assert 90 not in street.seen().fields, "another terminal's transaction"


def test_who_can_say_it_is_left_alone() -> None:
    world = World(config())
    asked = world.pay(Message(mti="0200", fields={
        2: PANS[0], 3: "200000", 4: "000000001000", 7: "1114221320", 11: "000009", 25: "00", 32: "101", 41: "T0000001",
        49: "156", 61: "0000070000011116",
    }))  # fmt: skip
    assert asked is not None
    assert 90 not in CODEC.decode(CODEC.encode(world.bank.seen[-1])).fields
