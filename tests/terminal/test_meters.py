"""Meters. Goal: an order and a token are credited once, whatever is copied, replayed, pulled or typed. Method: a real
card behind the meter, with links that lie; the keypad meter against its vendor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_world import World
from jinka.declaration import Journey, JourneyCard, Start, Tell
from jinka.issuer.token_vending import TokenVendor
from jinka.kit import Refused
from jinka.sectors.utilities import CARD, RECORDS
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.entitlement import write_records
from jinka.terminal.keypad_meter import KEPT, KeypadMeter, TokenRefused
from jinka.terminal.link import ApduLink, CardRemoved
from jinka.terminal.meter import TRANSITIONS, CardMeter, MeterEvent, MeterRefused, MeterState

NEW = {spec.name: "0" for spec in RECORDS}
WORLDS: list[World] = []  # opened by the test that runs


@pytest.fixture(autouse=True)
def closed_worlds() -> Iterator[None]:
    yield
    while WORLDS:
        WORLDS.pop().close()


class Rig:
    """A card with an order of 20,000 for meter 1, and the meter."""

    def __init__(self) -> None:
        card = JourneyCard("home", "the card", "卡", (Start(application=CARD.name, records=NEW),))
        sector = all_sectors()["utilities"]
        journey = Journey(
            name="rig", title_en="r", title_zh="试", date=dt.date(2026, 3, 9), cards=(card,),
            steps=(Tell("a rig", "试验台"),),
        )  # fmt: skip
        self.world = World(sector, journey, {CARD.name: sector})
        WORLDS.append(self.world)
        self.link = self.world.card("home").link
        self.macs = self.world.maintenance(CARD.name)
        self.meter = CardMeter(number=1, emergency=500)
        self.order(1, 20_000)

    def order(self, number: int, amount: int, meter: int = 1) -> None:
        values = {"order number": str(number), "order amount": str(amount), "order meter": str(meter)}
        number_of = self.world.card("home").number
        write_records(self.link, self.macs, aid=CARD.aid, card_no=number_of, records=RECORDS, values=values)

    def insert(self, link: ApduLink | None = None) -> int:
        return self.meter.insert(link or self.link, self.macs, aid=CARD.aid, records=RECORDS)


class Tape:
    """Passes on and remembers; or plays what it remembers, as a chip without keys would."""

    def __init__(self, link: ApduLink | None, taken: list[bytes] | None = None) -> None:
        self.link, self.taken, self.left = link, [], list(taken or ())

    def transmit(self, command: bytes) -> bytes:
        if self.link is None:
            return self.left.pop(0) if self.left else b"\x90\x00"
        answer = self.link.transmit(command)
        self.taken.append(answer)
        return answer


class Pulled:
    """The card is gone at the ``at``-th command."""

    def __init__(self, link: ApduLink, at: int) -> None:
        self.link, self.at = link, at

    def transmit(self, command: bytes) -> bytes:
        if self.at == 0:
            raise CardRemoved("pulled", where="test")
        self.at -= 1
        return self.link.transmit(command)


class Spoiling:
    """Changes one bit of each record that is read."""

    def __init__(self, link: ApduLink) -> None:
        self.link = link

    def transmit(self, command: bytes) -> bytes:
        answer = self.link.transmit(command)
        if command[:2] == b"\x04\xb2" and len(answer) > 6:
            return answer[:-7] + bytes((answer[-7] ^ 1,)) + answer[-6:]
        return answer


def test_an_order_is_credited_once_and_a_recorded_session_gains_nothing() -> None:
    rig = Rig()
    tape = Tape(rig.link)
    assert rig.insert(tape) == 20_000
    assert rig.insert() == 0
    assert rig.insert(Tape(None, tape.taken)) == 0  # the order that it plays was credited
    assert rig.meter.left == 20_000


def test_an_amount_that_was_changed_on_its_way_is_no_order() -> None:
    rig = Rig()
    with pytest.raises(MeterRefused, match="COPIED_CARD"):
        rig.insert(Spoiling(rig.link))
    assert (rig.meter.left, rig.meter.last_order, rig.meter.bound) == (0, 0, b"")


def test_a_card_that_is_pulled_anywhere_is_credited_once() -> None:
    rig, at = Rig(), 0
    while True:
        try:
            rig.insert(Pulled(rig.link, at))
            break
        except CardRemoved:
            at += 1
            assert rig.meter.left in (0, 20_000)
    assert at > 10
    assert rig.meter.left == 20_000


def test_an_older_order_is_not_credited() -> None:
    rig = Rig()
    rig.order(5, 1_000)
    assert rig.insert() == 1_000
    rig.order(4, 9_000)
    assert rig.insert() == 0


def test_what_was_lent_is_taken_back_first_even_by_a_small_order() -> None:
    rig = Rig()
    rig.insert()
    assert rig.meter.draw(30_000) == 20_000
    assert rig.meter.call_emergency() == 500
    assert rig.meter.draw(400) == 400
    rig.order(2, 100)
    rig.insert()
    assert (rig.meter.left, rig.meter.owed, rig.meter.state) == (0, 300, MeterState.EMERGENCY)
    rig.order(3, 1_000)
    rig.insert()
    assert (rig.meter.left, rig.meter.owed, rig.meter.state) == (700, 0, MeterState.OPEN)
    with pytest.raises(MeterRefused, match="NOT_WHEN_OPEN"):
        rig.meter.call_emergency()


def test_a_meter_that_was_taken_out_does_nothing_more() -> None:
    assert not [event for event in MeterEvent if (MeterState.REMOVED, event) in TRANSITIONS]
    rig = Rig()
    rig.insert()
    heir = rig.meter.replaced_by(2)
    assert (heir.left, rig.meter.left) == (20_000, 0)
    for deed in (rig.insert, rig.meter.call_emergency, lambda: rig.meter.draw(1)):
        with pytest.raises(MeterRefused, match="TAKEN_OUT"):
            deed()


PAN, AT = "600727000000070010", dt.datetime(2026, 3, 9, 9)


def keypad() -> tuple[TokenVendor, KeypadMeter]:
    vendor = TokenVendor(bytes(range(8)), "123456", SeededRandomness("vendor"))
    return vendor, KeypadMeter(key=vendor.enrol(PAN), commodity=0)


def test_tokens_are_taken_once_in_any_order_until_they_are_too_old() -> None:
    vendor, meter = keypad()
    tokens = [vendor.credit(PAN, 0, 10, AT) for _ in range(KEPT + 2)]  # of one minute: each gets its own
    assert len(set(tokens)) == len(tokens)
    for token in reversed(tokens[2:]):
        assert meter.enter(token) == 1_000
    for token, reason in ((tokens[1], "OLD"), (tokens[0], "OLD"), (tokens[-1], "USED"), (tokens[5], "USED")):
        with pytest.raises(TokenRefused, match=reason):
            meter.enter(token)
    assert meter.left == KEPT * 1_000


def test_another_commodity_another_key_and_a_lone_second_section_are_refused() -> None:
    vendor, meter = keypad()
    first, second = vendor.change_key(PAN, 2)
    with pytest.raises(TokenRefused, match="FIRST_SECTION"):
        meter.enter(second)
    with pytest.raises(TokenRefused, match="REJECT"):
        meter.enter(vendor.credit(PAN, 0, 10, AT))  # it is under the new key already
    assert (meter.enter(first), meter.enter(second), meter.tariff) == (0, 0, 2)
    assert meter.enter(vendor.credit(PAN, 0, 10, AT)) == 1_000
    with pytest.raises(TokenRefused, match="REJECT"):
        meter.enter(vendor.credit(PAN, 1, 10, AT))
    for text in ("", "12345", "9" * 20, "x" * 20):
        with pytest.raises(Refused):
            meter.enter(text)
    assert meter.left == 1_000
