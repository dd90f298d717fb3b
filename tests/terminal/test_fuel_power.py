"""Power cuts of the pump and of the card around a refuelling, and the issuer's host: paid once, whoever comes back."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.card import Psam
from jinka.codec import Algorithm
from jinka.kit import Refused
from jinka.profile import ApplicationProfile
from jinka.sectors.fuel import PROFILE, PROFILE_CJT304
from jinka.terminal import CardRemoved, ChipRefused, FuelState, FuelStatus, FuelTerminal, KeptStateError
from tests.card.rig import Pull, Reader
from tests.terminal.fuel_rig import AT, CARD_NO, FAR_PUMP, PUMP_1, PUMP_2, Oil

LATER = AT + dt.timedelta(hours=1)
TOMORROW = AT + dt.timedelta(days=1)


class Storage:
    """What a pump's flash holds; the power may fail before the n-th writing."""

    def __init__(self) -> None:
        self.raw: bytes | None = None
        self.writes = 0
        self.fail_at: int | None = None

    def __call__(self, raw: bytes) -> None:
        if self.writes == self.fail_at:
            raise PowerFailed
        self.writes += 1
        self.raw = raw

    @property
    def state(self) -> FuelState | None:
        return FuelState.from_bytes(self.raw) if self.raw is not None else None


class PowerFailed(Exception):
    """The pump is dark."""


class Dark:
    """A card reader of a pump whose power fails before or after the n-th command."""

    def __init__(self, reader: Reader, command: int, *, after: bool) -> None:
        self.reader, self.left, self.after = reader, command, after

    def transmit(self, command: bytes) -> bytes:
        self.left -= 1
        if self.left == -1 and not self.after:
            raise PowerFailed
        answer = self.reader.transmit(command)
        if self.left == -1:
            raise PowerFailed
        return answer


def restarted(oil: Oil, storage: Storage, psam: Psam) -> FuelTerminal:
    module = Psam.from_bytes(psam.to_bytes(), oil.randomness)
    return oil.pump(psam=module, state=storage.state, keep=storage)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("command", range(10))
def test_the_pump_goes_dark_at_any_command_and_the_card_is_paid_once(command: int, after: bool) -> None:
    oil, storage = Oil(), Storage()
    reader, psam = Reader(oil.card), oil.psam(PUMP_1)
    pump = oil.pump(psam=psam, keep=storage)
    dark = Dark(reader, command, after=after)
    done = []
    try:
        assert pump.lock(dark, AT).status is FuelStatus.LOCKED
        outcome = pump.release(dark, pump.settle(CARD_NO, 1_500), AT)
        done.append(outcome.record)
        assert done[0] is not None
    except PowerFailed:
        pump = restarted(oil, storage, psam)
        reader.insert()
        elsewhere = oil.pump(PUMP_2).lock(reader, LATER)
        if (
            elsewhere.status is FuelStatus.LOCKED
        ):  # it was never grey, or is no more: this pump has a card to free
            free = oil.pump(PUMP_2, psam=oil.psam(PUMP_2))
            assert free.lock(reader, LATER).status is FuelStatus.GREY
            return  # both pumps' story is told by test_a_torn_debit_is_found_in_the_log_after_another_refuelling
        assert elsewhere.status is FuelStatus.GREY
        assert elsewhere.proof is not None
        assert elsewhere.proof.terminal_id == PUMP_1
        reader.insert()
        outcome = pump.lock(reader, TOMORROW)
        if outcome.status is FuelStatus.LOCKED:
            outcome = pump.release(reader, pump.settle(CARD_NO, 1_500), TOMORROW)
        assert outcome.status is FuelStatus.DONE
        done.append(outcome.record)
    assert [record.tac for record in done if record] == [oil.tac(record) for record in done if record]
    assert oil.balance() == 50_000 - 1_500


@pytest.mark.parametrize("write", range(4))
def test_a_state_that_cannot_be_kept_stops_the_pump_before_the_card_is_asked(write: int) -> None:
    oil, storage = Oil(), Storage()
    psam = oil.psam(PUMP_1)
    pump = oil.pump(psam=psam, keep=storage)
    storage.fail_at = write
    try:
        pump.lock(oil.card, AT)
        pump.release(oil.card, pump.settle(CARD_NO, 900), AT)
    except PowerFailed:
        assert (write == 0) is (oil.pump(PUMP_2).lock(oil.card, AT).status is FuelStatus.LOCKED)
        if write:
            storage.fail_at = None
            pump = restarted(oil, storage, psam)
            oil.card.power_up()
            assert pump.lock(oil.card, AT).status is FuelStatus.LOCKED
            assert pump.release(oil.card, pump.settle(CARD_NO, 900), AT).status is FuelStatus.DONE
    assert oil.balance() == (50_000 if write == 0 else 49_100)


def test_dark_between_lock_and_debit_the_card_goes_to_another_pump_and_comes_back_next_day() -> None:
    oil, storage = Oil(), Storage()
    psam = oil.psam(PUMP_1)
    pump = oil.pump(psam=psam, keep=storage)
    pump.lock(oil.card, AT)
    claim = pump.settle(CARD_NO, 7_000)
    other = oil.pump(PUMP_2)
    assert other.lock(oil.card, LATER).status is FuelStatus.GREY
    assert oil.balance() == 50_000
    pump = restarted(oil, storage, psam)
    assert pump.claims == {CARD_NO: claim}
    done = pump.lock(oil.card, TOMORROW)
    assert done.status is FuelStatus.DONE
    assert done.record is not None
    assert done.record.tac == oil.tac(done.record)
    assert oil.balance() == 43_000
    stale = restarted(
        oil, storage, psam
    )  # what was kept lags behind: the claim comes again, and pays nothing twice
    assert stale.claims == {CARD_NO: claim}
    assert stale.lock(oil.card, TOMORROW).record == done.record
    assert not stale.claims
    assert oil.balance() == 43_000


@given(st.integers(0, 5_000), st.integers(1, 255))
def test_a_damaged_state_is_refused(place: int, change: int) -> None:
    raw = bytearray(KEPT)
    raw[place % len(raw)] ^= change
    with pytest.raises(KeptStateError):
        FuelState.from_bytes(bytes(raw))


@given(st.binary(max_size=300))
def test_any_bytes_are_no_state(raw: bytes) -> None:
    for body in (raw, b"JFS\x01" + raw, b"JFS\x02" + raw):
        with pytest.raises(KeptStateError):
            FuelState.from_bytes(body, product="fuel")


def test_a_state_of_before_the_product_was_named_is_read_with_the_pump_s_own() -> None:
    body = b"JFS\x01" + KEPT[4:-32].replace(b'"product":"fuel",', b"")
    old = body + hashlib.sha256(body).digest()
    assert FuelState.from_bytes(old, product="fuel") == FuelState.from_bytes(KEPT)
    with pytest.raises(KeptStateError):
        FuelState.from_bytes(old)


def _kept() -> bytes:
    oil = Oil()
    pump, storage = oil.pump(), Storage()
    pump._keep = storage
    pump.lock(oil.card, AT)
    held = pump.state
    pump.settle(CARD_NO, 5)
    both = replace(pump.state, holds=held.holds)
    assert FuelState.from_bytes(both.to_bytes()) == both
    assert both.to_bytes() == FuelState.from_bytes(both.to_bytes()).to_bytes()
    return both.to_bytes()


KEPT = _kept()


def test_another_pumps_state_is_refused() -> None:
    oil = Oil()
    with pytest.raises(Refused, match="another terminal"):
        oil.pump(PUMP_2, state=FuelState.from_bytes(KEPT))


@pytest.mark.parametrize(
    ("profile", "algorithm"),
    [(PROFILE, Algorithm.TDES), (PROFILE, Algorithm.SM4), (PROFILE_CJT304, Algorithm.TDES)],
)
@pytest.mark.parametrize("command", range(6))
def test_an_online_release_that_is_torn_is_concluded_once_wherever_the_card_comes_next(
    profile: ApplicationProfile, algorithm: Algorithm, command: int
) -> None:
    for write in (-1, 0, 1, 3, 6, None):
        oil = Oil(profile, algorithm)
        pump, office, branch = oil.pump(), oil.pump(FAR_PUMP, "office"), oil.pump(PUMP_2, "branch")
        pump.lock(oil.card, AT)
        oil.host.take(pump.settle(CARD_NO, 4_400))
        reader = Reader(oil.card)
        reader.pull(Pull(command, write))
        try:
            amount = office.release_online(reader, LATER, oil.host)
        except CardRemoved:
            reader.insert()
            amount = branch.release_online(reader, TOMORROW, oil.host)
        assert amount == 4_400
        assert oil.balance() == 45_600, (command, write)
        [record] = oil.host.concluded.values()
        assert (record.amount, record.terminal_id, record.txn_type) == (4_400, PUMP_1, oil.grey.online_type)
        pump.settled(record)
        assert not pump.claims
        assert pump.lock(oil.card, TOMORROW).status is FuelStatus.LOCKED


def test_a_station_cannot_invent_a_lock_or_claim_more_than_the_card_held() -> None:
    oil = Oil()
    pump = oil.pump()
    pump.lock(oil.card, AT)
    claim = pump.settle(CARD_NO, 4_400)
    for changed in (
        {"balance": 60_000},
        {"counter": 7},
        {"terminal_id": PUMP_2},
        {"serial": bytes(4)},
        {"moment": bytes(7)},
        {"gtac": bytes(4)},
        {"gtac": b""},
        {"card_no": bytes(10)},
    ):
        with pytest.raises(Refused):
            oil.host.take(replace(claim, hold=replace(claim.hold, **changed)))
    with pytest.raises(Refused, match="more than the card held"):
        oil.host.take(replace(claim, amount=50_001))
    oil.host.take(claim)
    oil.host.take(claim)
    with pytest.raises(Refused, match="claimed before"):
        oil.host.take(replace(claim, amount=4_500))
    assert oil.pump(FAR_PUMP, "office").release_online(oil.card, LATER, oil.host) == 4_400
    oil.host.take(claim)
    assert not oil.host.claims, "what was released is not owed again"


def test_the_host_checks_the_cards_word_both_times() -> None:
    oil = Oil()
    pump, office = oil.pump(), oil.pump(FAR_PUMP, "office")
    pump.lock(oil.card, AT)
    oil.host.take(pump.settle(CARD_NO, 4_400))
    asked = []

    class Listening:
        def release(self, request):
            asked.append(request)
            return oil.host.release(request)

        def released(self, card_no: bytes, online_counter: int, mac3: bytes) -> None:
            with pytest.raises(Refused, match="MAC is wrong"):
                oil.host.released(card_no, online_counter, bytes(4))
            oil.host.released(card_no, online_counter, mac3)
            oil.host.released(card_no, online_counter, mac3)
            with pytest.raises(Refused, match="another answer"):
                oil.host.released(card_no, online_counter, bytes(4))
            with pytest.raises(Refused, match="nothing was authorised"):
                oil.host.released(card_no, online_counter + 1, mac3)

    office.release_online(oil.card, LATER, Listening())
    [request] = asked
    with pytest.raises(Refused, match="was used"):
        oil.host.release(request)
    with pytest.raises(Refused, match="MAC is wrong"):
        oil.host.release(replace(request, balance=request.balance + 1))
    assert len(oil.host.concluded) == 1


def test_a_lock_under_the_same_offline_counter_is_another_lock() -> None:
    oil = Oil()
    pump, office = oil.pump(), oil.pump(FAR_PUMP, "office")
    for number, amount in enumerate((4_400, 600)):
        pump.lock(oil.card, AT)
        claim = pump.settle(CARD_NO, amount)
        assert claim.hold.counter == 0
        oil.host.take(claim)
        assert office.release_online(oil.card, LATER, oil.host) == amount
        assert len(oil.host.concluded) == number + 1
        pump.settled(oil.host.concluded[CARD_NO, number])
    assert oil.balance() == 45_000


def test_a_stale_claim_never_costs_the_card_a_try() -> None:
    oil = Oil()
    pump, office, other = oil.pump(), oil.pump(FAR_PUMP, "office"), oil.pump(PUMP_2)
    pump.lock(oil.card, AT)
    oil.host.take(pump.settle(CARD_NO, 4_400))
    office.release_online(oil.card, LATER, oil.host)
    other.lock(oil.card, LATER)
    for _ in range(4):  # three wrong GMACs would block the application
        assert pump.lock(oil.card, LATER).status is FuelStatus.GREY
    assert other.release(oil.card, other.settle(CARD_NO, 100), LATER).status is FuelStatus.DONE
    assert oil.balance() == 45_500


def test_an_algorithm_that_no_card_has_is_refused_not_a_crash() -> None:
    oil = Oil()

    class Liar:
        def transmit(self, command: bytes) -> bytes:
            answer = bytearray(oil.card.transmit(command))
            if command[1] == 0x7A:
                answer[10 if command[2] == 8 else 9] = 0x77
            return bytes(answer)

    pump = oil.pump()
    found = pump.lock(Liar(), AT)
    assert (found.status, found.sw) == (FuelStatus.REFUSED, 0x6A80)
    pump.lock(oil.card, AT)
    oil.host.take(pump.settle(CARD_NO, 1))
    with pytest.raises(ChipRefused, match="6A80"):
        oil.pump(FAR_PUMP).release_online(Liar(), AT, oil.host)
