"""The fuel pump: filled and paid, interrupted at every step, settled later. What the card lost, one record shows."""

from __future__ import annotations

import datetime as dt

import pytest

from jinka.card import Psam
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord, record_table
from jinka.codec.record import CounterKind, RecordState
from jinka.kit import Refused
from jinka.profile import ApplicationProfile
from jinka.sectors.fuel import PROFILE, PROFILE_CJT304
from jinka.terminal import BlockList, ChipRefused, FuelOutcome, FuelState, FuelStatus, FuelTerminal
from tests.card.rig import Pull, Reader
from tests.terminal.fuel_rig import AT, CARD_NO, FAR_PUMP, ISSUER, PUMP_1, PUMP_2, Oil

LATER = AT + dt.timedelta(minutes=4)


@pytest.mark.parametrize(
    ("profile", "algorithm", "kind"),
    [
        (PROFILE, Algorithm.TDES, 0x94),
        (PROFILE, Algorithm.SM4, 0x94),
        (PROFILE_CJT304, Algorithm.TDES, 0x93),
    ],
)
def test_lock_fill_debit(profile: ApplicationProfile, algorithm: Algorithm, kind: int) -> None:
    oil = Oil(profile, algorithm)
    pump = oil.pump()
    locked = pump.lock(oil.card, AT)
    assert locked.status is FuelStatus.LOCKED
    assert locked.hold is not None
    assert locked.hold.balance == 50_000
    claim = pump.settle(CARD_NO, 32_150)
    done = pump.release(oil.card, claim, LATER)
    record = done.record
    assert done.status is FuelStatus.DONE
    assert record is not None
    assert record.tac == oil.tac(record)
    assert (record.txn_type, record.amount, record.balance, record.counter) == (kind, 32_150, 17_850, 0)
    assert (record.terminal_id, record.terminal_serial, record.counter_kind) == (
        PUMP_1,
        1,
        CounterKind.OFFLINE,
    )
    assert (record.local_date.hex(), record.local_time.hex()) == ("20240501", "093400")
    assert (record.issuer, record.operator, record.stop) == ("iss.oil", "op.oil", "station-a")
    record_table([record], [bytes(16)], [1])
    assert oil.balance() == 17_850
    assert not pump.holds
    assert not pump.claims


def test_nothing_flowed_and_everything_flowed() -> None:
    oil = Oil()
    pump = oil.pump()
    for amount, left in ((0, 50_000), (50_000, 0), (0, 0)):
        assert pump.lock(oil.card, AT).status is FuelStatus.LOCKED
        outcome = pump.release(oil.card, pump.settle(CARD_NO, amount), LATER)
        assert outcome.record is not None
        assert outcome.record.tac == oil.tac(outcome.record)
        assert oil.balance() == left


def test_a_claim_is_for_one_amount_and_no_more_than_the_balance() -> None:
    oil = Oil()
    pump = oil.pump()
    with pytest.raises(Refused, match="not locked here"):
        pump.settle(CARD_NO, 1)
    pump.lock(oil.card, AT)
    with pytest.raises(Refused, match="50001 of 50000"):
        pump.settle(CARD_NO, 50_001)
    claim = pump.settle(CARD_NO, 700)
    assert pump.settle(CARD_NO, 700) == claim
    with pytest.raises(ChipRefused, match="SW 6985"):
        pump.settle(CARD_NO, 800)


def test_a_locked_card_is_grey_everywhere_else() -> None:
    oil = Oil()
    pump, other = oil.pump(), oil.pump(PUMP_2)
    pump.lock(oil.card, AT)
    found = other.lock(oil.card, LATER)
    assert found.status is FuelStatus.GREY
    assert found.proof is not None
    assert found.proof.terminal_id == PUMP_1
    assert pump.lock(oil.card, LATER).status is FuelStatus.LOCKED, "its own pump goes on"


@pytest.mark.parametrize(("hours", "pays"), [(1, False), (47, False), (48, True)])
def test_another_station_must_wait_the_same_station_need_not(hours: int, pays: bool) -> None:
    oil = Oil()
    pump = oil.pump()
    pump.lock(oil.card, AT)
    claim = pump.settle(CARD_NO, 1000)
    at = AT + dt.timedelta(hours=hours)
    outcome = oil.pump(FAR_PUMP, "station-z").release(oil.card, claim, at)
    assert (outcome.status is FuelStatus.DONE) is pays
    if not pays:
        assert (outcome.status, outcome.sw) == (FuelStatus.REFUSED, 0)
        outcome = oil.pump(PUMP_2).release(oil.card, claim, at)
    record = outcome.record
    assert record is not None
    assert (record.terminal_id, record.stop, record.tac) == (PUMP_1, "station-a", oil.tac(record))
    again = pump.lock(oil.card, at)
    assert again.status is FuelStatus.DONE, "the first pump finds the same release"
    assert again.record == record


def test_the_issuer_releases_online_what_a_pump_has_claimed() -> None:
    oil = Oil()
    pump, counter = oil.pump(), oil.pump(FAR_PUMP, "office")
    pump.lock(oil.card, AT)
    with pytest.raises(Refused, match="no pump has claimed"):
        counter.release_online(oil.card, LATER, oil.host)
    oil.host.take(pump.settle(CARD_NO, 4_400))
    assert counter.release_online(oil.card, LATER, oil.host) == 4_400
    assert oil.balance() == 45_600
    assert not oil.host.claims
    [record] = oil.host.concluded.values()
    assert (record.txn_type, record.amount, record.balance, record.terminal_id, record.operator) == (
        0x96,
        4_400,
        45_600,
        PUMP_1,
        "op.oil",
    )
    assert (record.counter, record.counter_kind) == (0, CounterKind.ONLINE)
    assert pump.lock(oil.card, LATER).status is FuelStatus.SETTLED_ONLINE
    assert pump.lock(oil.card, LATER).status is FuelStatus.LOCKED
    assert oil.balance() == 45_600


def test_refusals_before_any_lock() -> None:
    oil = Oil()
    pump = oil.pump()
    pump.block_list = BlockList(version=1, entries={CARD_NO: AT})
    assert pump.lock(oil.card, AT).status is FuelStatus.BLOCKED
    pump.block_list = BlockList()
    assert pump.lock(oil.card, dt.datetime(2041, 1, 1)).step == "dates"
    pump._data.issuers.pop(ISSUER)
    assert pump.lock(oil.card, AT).step == "issuer"
    assert oil.pump(PUMP_2).lock(oil.card, AT).status is FuelStatus.LOCKED


def test_a_module_of_another_root_locks_nothing() -> None:
    oil, foreign = Oil(), Oil(seed="foreign")
    outcome = oil.pump(psam=foreign.psam(PUMP_1)).lock(oil.card, AT)
    assert (outcome.status, outcome.sw, outcome.step) == (FuelStatus.REFUSED, 0x9302, "grey lock")
    assert oil.pump().lock(oil.card, AT).status is FuelStatus.LOCKED


def test_the_pump_and_its_module_lose_their_power_while_filling() -> None:
    oil = Oil()
    psam = oil.psam(PUMP_1)
    before = oil.pump(psam=psam)
    before.lock(oil.card, AT)
    module = Psam.from_bytes(psam.to_bytes(), oil.randomness)
    after = oil.pump(psam=module, state=FuelState.from_bytes(before.state.to_bytes()))
    done = after.release(oil.card, after.settle(CARD_NO, 900), LATER)
    assert done.status is FuelStatus.DONE
    assert oil.balance() == 49_100


def refuel(oil: Oil, pump: FuelTerminal, reader: Reader, amount: int) -> list[FuelOutcome]:
    """Go on until the refuelling is over: present the card again whenever it was pulled."""
    outcomes = []
    for _ in range(6):
        outcome = pump.lock(reader, AT)
        outcomes.append(outcome)
        if outcome.status is FuelStatus.DONE:
            return outcomes
        if outcome.status is FuelStatus.LOCKED:
            if pump.holds:
                pump.settle(CARD_NO, amount)
            outcome = pump.release(reader, pump.claims[CARD_NO], LATER)
            outcomes.append(outcome)
            if outcome.status is FuelStatus.DONE:
                return outcomes
        reader.insert()
    raise AssertionError([outcome.status for outcome in outcomes])


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn write"])
@pytest.mark.parametrize("command", range(10))
def test_pulled_at_every_command_and_write_it_is_paid_exactly_once(command: int, torn: bool) -> None:
    for write in (-1, 0, 1, 2, 3, 4, 5, 6, 9, 12, None):
        oil = Oil()
        pump, reader = oil.pump(), Reader(oil.card)
        reader.pull(Pull(command, write, torn=torn))
        outcomes = refuel(oil, pump, reader, 1_234)
        done: list[ClearingRecord] = [o.record for o in outcomes if o.status is FuelStatus.DONE and o.record]
        assert len(done) == 1
        assert done[0].state is RecordState.CONFIRMED
        assert done[0].tac == oil.tac(done[0])
        assert oil.balance() == 50_000 - 1_234, (command, write)


def test_a_torn_debit_is_found_in_the_log_after_another_refuelling() -> None:
    oil = Oil()
    pump, other, reader = oil.pump(), oil.pump(PUMP_2), Reader(oil.card)
    pump.lock(reader, AT)
    claim = pump.settle(CARD_NO, 500)
    reader.pull(Pull(3, None))  # select, read, proof, debit
    assert pump.release(reader, claim, LATER).status is FuelStatus.TORN
    reader.insert()
    assert other.lock(reader, LATER).status is FuelStatus.LOCKED
    found = pump.lock(reader, LATER)
    assert found.status is FuelStatus.DONE
    assert found.record is not None
    assert found.record.tac == oil.tac(found.record)
    assert (found.record.local_time.hex(), found.record.amount) == ("093400", 500)
    assert not pump.claims


def test_another_card_cannot_be_made_to_pay() -> None:
    oil, stranger = Oil(), Oil()
    pump = oil.pump()
    pump.lock(oil.card, AT)
    claim = pump.settle(CARD_NO, 500)
    oil.pump(PUMP_2).lock(stranger.card, AT)
    outcome = pump.release(stranger.card, claim, LATER)  # same number, another lock
    assert outcome.status is FuelStatus.GREY, "no false GMAC is tried: three would block the card"
    assert stranger.balance() == 50_000
