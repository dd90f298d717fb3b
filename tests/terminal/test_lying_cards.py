"""Cards that lie to a gate: forged proofs, wrong balances, counters that jump, rides of the year 1."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from jinka.codec.record import RecordState
from jinka.kit import bcd_date, bcd_time
from jinka.tariff import TapKind
from jinka.terminal import ApduLink, CardRemoved, TapOutcome, TapStatus
from tests.card.rig import Pull, Reader
from tests.terminal.rig import AT, BUS, City, balance

FARE = 200
OK = b"\x90\x00"


def board(city: City, card: ApduLink, at: dt.datetime = AT, fare: int = FARE) -> TapOutcome:
    return city.bus.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=fare, at=at)


class Counterfeit:
    """A chip without keys: it copies what is public of a real card, runs off at the debit, and comes back paid."""

    def __init__(self, real: ApduLink) -> None:
        self.real, self.counter, self.gone = real, 7, False

    def transmit(self, command: bytes) -> bytes:
        ins = command[1]
        if ins in (0xA4, 0xB0) or (ins == 0xB2 and command[3] == 0xD0):
            return self.real.transmit(command)
        if ins == 0x50:
            return (
                bytes.fromhex("00001388")
                + self.counter.to_bytes(2, "big")
                + bytes(3)
                + b"\x01\x00"
                + b"rand"
                + OK
            )
        if ins == 0xDC:
            return OK
        if ins == 0x54:
            self.counter += 1
            raise CardRemoved("ran off", where="counterfeit")
        if ins == 0xB2:
            moment = bcd_date(AT) + bcd_time(AT)
            log = (self.counter - 1).to_bytes(2, "big") + bytes(3) + FARE.to_bytes(4, "big") + b"\x09" + BUS
            return log + moment + OK
        if ins == 0x5A:
            return b"MAC2TAC4" + OK
        return b"\x6d\x00"


@pytest.mark.parametrize("between", [False, True], ids=["at once", "after another card"])
def test_a_card_without_keys_does_not_ride_on_a_torn_tap(between: bool) -> None:
    city = City()
    forged = Counterfeit(city.cards[0])
    assert board(city, forged).status is TapStatus.TORN
    if between:
        assert board(city, city.cards[1], AT + dt.timedelta(seconds=1)).status is TapStatus.DONE
    again = board(city, forged, AT + dt.timedelta(seconds=2))
    assert again.status is not TapStatus.DONE
    assert again.record is None or again.record.state is RecordState.UNCONFIRMED


@pytest.mark.parametrize("between", [False, True], ids=["at once", "after another card"])
def test_an_honest_torn_tap_is_not_paid_twice(between: bool) -> None:
    city = City()
    reader = Reader(city.cards[0])
    start = balance(city.cards[0])
    reader.insert()
    reader.pull(Pull("money", None))
    assert board(city, reader).status is TapStatus.TORN
    reader.insert()
    if between:
        assert board(city, city.cards[1], AT + dt.timedelta(seconds=1)).status is TapStatus.DONE
    again = board(city, reader, AT + dt.timedelta(seconds=2))
    assert again.status is TapStatus.DONE
    assert again.resolved is not None
    assert again.resolved.tac == city.issuer.tac(again.resolved)
    assert again.record is not None
    if between:  # the module has forgotten the session: the card shows its keys by a purchase of nothing
        assert (again.record.amount, again.record.product) == (0, "entry")
        assert again.record.tac == city.issuer.tac(again.record)
        assert again.record.counter == again.resolved.counter + 1
    else:
        assert again.record is again.resolved
    assert balance(city.cards[0]) == start - FARE
    assert not city.bus.unconfirmed


class Changed:
    """A real card whose answers to one command are changed on the way."""

    def __init__(
        self, card: ApduLink, ins: int, change: Callable[[bytes], bytes], p1: int | None = None
    ) -> None:
        self.card, self.ins, self.change, self.p1 = card, ins, change, p1

    def transmit(self, command: bytes) -> bytes:
        answer = self.card.transmit(command)
        mine = command[1] == self.ins and (self.p1 is None or command[2] == self.p1)
        return self.change(answer) if mine else answer


@pytest.mark.parametrize("shown", [0, 1, FARE - 1])
def test_a_card_that_shows_less_than_the_fare_and_opens_all_the_same(shown: int) -> None:
    city = City()
    liar = Changed(city.cards[0], 0x50, lambda answer: shown.to_bytes(4, "big") + answer[4:])
    found = board(city, liar)
    assert (found.status, found.sw) == (TapStatus.REFUSED, 0x6A80)
    assert balance(city.cards[0]) == 5_000


def test_a_card_that_shows_more_than_it_holds_pays_what_is_asked() -> None:
    city = City()
    liar = Changed(city.cards[0], 0x50, lambda answer: b"\xff\xff\xff\xff" + answer[4:])
    found = board(city, liar)
    assert found.status is TapStatus.DONE
    assert found.record is not None
    assert found.record.tac == city.issuer.tac(found.record), "no TAC binds the balance: the chain finds it"
    assert balance(city.cards[0]) == 5_000 - FARE


@pytest.mark.parametrize("counter", [0, 1, 9, 0xFFFF])
def test_a_counter_that_jumps_gets_no_mac1_that_the_card_would_take(counter: int) -> None:
    city = City()
    board(city, city.cards[0])
    board(city, city.cards[0])
    liar = Changed(city.cards[0], 0x50, lambda answer: answer[:4] + counter.to_bytes(2, "big") + answer[6:])
    found = board(city, liar)
    assert (found.status, found.sw, found.step) == (TapStatus.REFUSED, 0x9302, "debit")
    assert balance(city.cards[0]) == 5_000 - 2 * FARE


def test_a_mac2_that_was_right_before_is_not_right_again() -> None:
    city = City()
    kept = []

    def listen(answer: bytes) -> bytes:
        kept.append(answer)
        return answer

    assert board(city, Changed(city.cards[0], 0x54, listen)).status is TapStatus.DONE
    replay = board(city, Changed(city.cards[0], 0x54, lambda answer: kept[0]))
    assert replay.status is TapStatus.TORN
    assert replay.record is not None
    assert replay.record.tac is None


@pytest.mark.parametrize("year", [1, 9999])
def test_a_ride_of_another_age_is_refused_or_priced_but_never_a_crash(year: int) -> None:
    city = City()
    board(city, city.cards[0])
    moment = bytes.fromhex(f"{year:04d}0101000000")

    def change(answer: bytes) -> bytes:
        ride = bytearray(answer)
        ride[2 + 25 : 2 + 32] = moment
        ride[2] = TapKind.ENTRY
        ride[2 + 42 : 2 + 48] = b"\x02\x00\x00\x01\xff\xff"
        return bytes(ride)

    found = board(city, Changed(city.cards[0], 0xB2, change, p1=0x31))
    assert found.status in (TapStatus.DONE, TapStatus.REFUSED)
