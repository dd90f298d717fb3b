"""One tap, step by step: what goes right, and everything that may go wrong at a gate."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.codec import RECORD_SCHEMA, Algorithm, StatusWord
from jinka.codec.clearing import record_table
from jinka.codec.record import CounterKind, RecordState
from jinka.kit import Refused, Usage
from jinka.sectors.transit_shenzhen import PROFILE, RIDE_RECORD_ID
from jinka.tariff import Charge, HolderClass, Mode, PaidRide, RideFacts, RideState, TapKind
from jinka.terminal import (
    BlockList,
    ChipRefused,
    RideStamp,
    TapOutcome,
    TapStatus,
    Unresolved,
    decode_ride,
    encode_ride,
    write_ride_state,
)
from tests.card.rig import Pull, Reader
from tests.terminal.rig import AT, BUS, GATE, City, balance

BOTH = pytest.mark.parametrize("algorithm", list(Algorithm))


class Remembering:
    """A pricer that keeps what it was asked."""

    def __init__(self, amount: int = 200) -> None:
        self.asked: list[RideFacts] = []
        self.amount = amount

    def price(self, facts: RideFacts) -> Charge:
        self.asked.append(facts)
        return Charge(0, "entry") if facts.kind is TapKind.ENTRY else Charge(self.amount, "full")


def board(city: City, card: object, *, fare: int = 200, at: dt.datetime = AT) -> TapOutcome:
    return city.bus.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=fare, at=at)


@BOTH
def test_a_boarding_pays_and_leaves_a_record_with_a_true_tac(algorithm: Algorithm) -> None:
    city = City(algorithm)
    outcome = city.bus.tap(
        city.cards[0],
        kind=TapKind.BOARD,
        line=113,
        station=0,
        gross_fare=200,
        at=AT,
        line_code="113",
        stop_code=None,
    )
    record = outcome.record
    assert outcome.status is TapStatus.DONE
    assert record is not None
    assert record.tac == city.issuer.tac(record)
    assert (record.amount, record.balance, record.counter, record.counter_kind) == (
        200,
        4800,
        0,
        CounterKind.OFFLINE,
    )
    assert (record.terminal_id, record.terminal_serial, record.txn_type) == (BUS, 1, 9)
    assert (record.local_date.hex(), record.local_time.hex()) == ("20180901", "083000")
    assert (record.card_len, record.algorithm, record.key_version) == (16, algorithm, 1)
    assert (record.issuer, record.operator, record.line, record.stop) == ("iss.sz", "op.sz.bus", "113", None)
    assert balance(city.cards[0]) == 4800


@pytest.mark.parametrize("key_index", [1, 2, 3])
def test_every_version_of_the_purchase_key_serves(key_index: int) -> None:
    city = City()
    terminal = city.terminal(GATE, Mode.BUS, key_index=key_index)
    outcome = terminal.tap(city.cards[0], kind=TapKind.BOARD, line=1, station=0, gross_fare=5, at=AT)
    assert outcome.status is TapStatus.DONE


def test_an_entry_is_free_and_the_exit_still_knows_the_ride_before_it() -> None:
    city, pricer = City(), Remembering()
    gate = city.terminal(GATE, Mode.METRO, pricer=pricer)
    card = city.cards[0]
    board(city, card, at=AT)
    entry_at, exit_at = AT + dt.timedelta(minutes=20), AT + dt.timedelta(minutes=50)
    entry = gate.tap(card, kind=TapKind.ENTRY, line=2, station=0x0A0B0C0D, gross_fare=0, at=entry_at)
    assert entry.record is not None
    assert (entry.record.amount, entry.record.product, entry.record.counter) == (0, "entry", 1)
    gate.tap(card, kind=TapKind.EXIT, line=2, station=8, gross_fare=500, at=exit_at)
    asked = pricer.asked[1]
    assert asked.state == RideState(
        kind=TapKind.ENTRY,
        mode=Mode.METRO,
        line=2,
        station=0x0A0B0C0D,
        at=entry_at,
        before=PaidRide(mode=Mode.BUS, line=113, at=AT),
    )
    assert asked.holder is HolderClass.ORDINARY
    assert pricer.asked[0].state is not None
    assert pricer.asked[0].state.last_paid == PaidRide(mode=Mode.BUS, line=113, at=AT)


def test_too_little_money_asks_for_a_load_of_exactly_what_is_missing() -> None:
    city = City(balance=150)
    outcome = board(city, city.cards[0], fare=200)
    assert (outcome.status, outcome.shortfall) == (TapStatus.NEEDS_LOAD, 50)
    city.counter.load(city.cards[0], 50, AT, city.issuer)
    assert board(city, city.cards[0], fare=200).status is TapStatus.DONE
    assert balance(city.cards[0]) == 0


def test_a_blocked_card_is_refused_from_the_time_of_its_entry() -> None:
    city = City()
    card_no = board(city, city.cards[0]).record.card_no
    told = city.bus.install_list(BlockList(version=4, entries={card_no: AT + dt.timedelta(hours=1)}), AT)
    assert (told.list_version, told.terminal_id) == (4, BUS)
    assert board(city, city.cards[0], at=AT + dt.timedelta(minutes=59)).status is TapStatus.DONE
    assert board(city, city.cards[0], at=AT + dt.timedelta(hours=1)).status is TapStatus.BLOCKED
    assert city.bus.install_list(BlockList(version=3), AT).list_version == 4, "an older list is not taken"
    assert board(city, city.cards[0], at=AT + dt.timedelta(hours=2)).status is TapStatus.BLOCKED
    assert board(city, city.cards[1], at=AT + dt.timedelta(hours=2)).status is TapStatus.DONE


@pytest.mark.parametrize("year", [2017, 2041])
def test_a_card_out_of_its_dates_is_refused_before_any_debit(year: int) -> None:
    city = City()
    outcome = board(city, city.cards[0], at=AT.replace(year=year))
    assert (outcome.status, outcome.step, outcome.sw) == (TapStatus.REFUSED, "dates", 0)


def test_a_card_of_another_scheme_is_refused_with_its_status_word() -> None:
    city = City()
    outcome = board(city, Scripted({}))
    assert (outcome.status, outcome.sw, outcome.step) == (
        TapStatus.REFUSED,
        StatusWord.FILE_NOT_FOUND,
        "select",
    )


class Scripted:
    """A chip that answers 6A82 to everything but the commands given, or garbles an answer."""

    def __init__(self, answers: dict[int, bytes], card: object = None) -> None:
        self.answers, self.card = answers, card

    def transmit(self, command: bytes) -> bytes:
        if command[1] in self.answers:
            if self.card is not None:
                self.card.transmit(command)
            return self.answers[command[1]]
        return self.card.transmit(command) if self.card is not None else b"\x6a\x82"


@pytest.mark.parametrize(
    ("ins", "answer", "status"),
    [
        (0x54, bytes(8) + b"\x90\x00", TapStatus.TORN),  # MAC2 that the PSAM refuses
        (0x54, bytes(7) + b"\x90\x00", TapStatus.TORN),
        (0x54, b"", TapStatus.TORN),
        (0x54, b"\x93\x02", TapStatus.REFUSED),
        (0x50, bytes(14) + b"\x90\x00", TapStatus.REFUSED),
        (0x50, b"\x94\x02", TapStatus.REFUSED),
        (0xB0, bytes(30) + b"\x90\x00", TapStatus.REFUSED),
        (0xB2, b"\x31\x30" + b"\xff" * 48 + b"\x90\x00", TapStatus.REFUSED),
        (0xB2, b"\x6a\x83", TapStatus.REFUSED),
        (0xDC, b"\x69\x01", TapStatus.REFUSED),
    ],
)
def test_answers_that_no_sound_card_gives(ins: int, answer: bytes, status: TapStatus) -> None:
    city = City()
    outcome = board(city, Scripted({ins: answer}, city.cards[0]))
    assert outcome.status is status, outcome
    if status is TapStatus.TORN:
        assert outcome.record is not None
        assert (outcome.record.state, outcome.record.tac) == (RecordState.UNCONFIRMED, None)


@pytest.mark.parametrize("write", [0, 3, 9, 12, 14, None])
def test_a_torn_tap_is_settled_when_the_card_comes_back(write: int | None) -> None:
    city = City()
    reader = Reader(city.cards[0])
    reader.pull(Pull("money", write))
    torn = board(city, reader)
    assert torn.status is TapStatus.TORN
    assert torn.record is not None
    reader.insert()
    again = board(city, reader, at=AT + dt.timedelta(seconds=2))
    assert again.status is TapStatus.DONE
    if again.void is not None:  # the card never paid: this is the first payment
        assert again.void == torn.record
        assert again.resolved is None
        assert again.record is not None
        assert again.record.terminal_serial == torn.record.terminal_serial + 1
    else:  # the card had paid: the gate opens, nothing is charged twice
        assert again.record is again.resolved
        assert again.resolved == torn.record.confirmed(city.issuer.tac(torn.record))
    assert balance(city.cards[0]) == 4800


def test_a_ride_half_an_hour_later_is_a_ride_of_its_own() -> None:
    city = City()
    reader = Reader(city.cards[0])
    reader.pull(Pull("money", None))
    torn = board(city, reader)
    reader.insert()
    later = board(city, reader, at=AT + dt.timedelta(minutes=30))
    assert torn.record is not None
    assert later.record is not None
    assert later.resolved is not None
    assert later.record.counter == later.resolved.counter + 1
    assert balance(city.cards[0]) == 4600


def test_a_counter_used_at_another_terminal_does_not_confirm_a_torn_tap() -> None:
    """The proof for that counter exists, but it is the other terminal's: the TAC must not be taken."""
    city = City()
    reader = Reader(city.cards[0])
    reader.pull(Pull("money", 0))
    torn = board(city, reader)
    assert torn.record is not None
    reader.insert()
    other = city.gate.tap(reader, kind=TapKind.EXIT, line=2, station=1, gross_fare=200, at=AT)
    assert other.record is not None
    assert other.record.counter == torn.record.counter
    assert city.bus.resolve(reader, torn.record) is Unresolved.NOT_DEBITED


def test_a_torn_tap_paid_long_ago_stays_unknown() -> None:
    city = City()
    reader = Reader(city.cards[0])
    reader.pull(Pull("money", None))
    torn = board(city, reader)
    assert torn.record is not None
    reader.insert()
    city.gate.tap(reader, kind=TapKind.EXIT, line=2, station=1, gross_fare=1, at=AT)
    assert city.bus.resolve(reader, torn.record) is Unresolved.UNKNOWN, "the proof is overwritten"
    assert city.bus.resolve(Reader(city.cards[1]), torn.record) is Unresolved.UNKNOWN, "another card"


def test_a_card_pulled_before_the_debit_has_paid_nothing() -> None:
    city = City()
    for command in range(6):
        reader = Reader(city.cards[0])
        reader.pull(Pull(command, -1))
        assert board(city, reader).status is TapStatus.REMOVED
        reader.insert()
    assert balance(city.cards[0]) == 5000
    assert not city.bus.unconfirmed


@BOTH
def test_a_load_is_a_record_of_type_02(algorithm: Algorithm) -> None:
    city = City(algorithm)
    record = city.counter.load(city.cards[0], 10_000, AT, city.issuer)
    assert record.tac == city.issuer.tac(record)
    assert (record.txn_type, record.counter_kind, record.terminal_serial) == (2, CounterKind.ONLINE, 0)
    assert (record.amount, record.gross_fare, record.balance, record.product) == (
        10_000,
        10_000,
        15_000,
        "load",
    )
    assert balance(city.cards[0]) == 15_000


def test_a_load_without_leave_beyond_the_limit_or_of_nothing() -> None:
    city = City()
    city.issuer.refuses = True
    with pytest.raises(Refused, match="MAC1"):
        city.counter.load(city.cards[0], 100, AT, city.issuer)
    with pytest.raises(ChipRefused, match="6985"):
        city.counter.load(city.cards[0], 95_001, AT, city.issuer)
    with pytest.raises(Usage):
        city.counter.load(city.cards[0], 0, AT, city.issuer)
    assert balance(city.cards[0]) == 5000


@pytest.mark.parametrize("write", [0, 6, 9, None])
def test_a_torn_load_is_settled(write: int | None) -> None:
    city = City()
    reader = Reader(city.cards[0])
    reader.pull(Pull("money", write))
    record = city.counter.load(reader, 100, AT, city.issuer)
    assert record.state is RecordState.UNCONFIRMED
    reader.insert()
    found = city.counter.resolve(reader, record)
    if balance(city.cards[0]) == 5100:
        assert found == record.confirmed(city.issuer.tac(record))
    else:
        assert found is Unresolved.NOT_DEBITED


@BOTH
def test_the_service_desk_writes_a_ride_under_secure_messaging(algorithm: Algorithm) -> None:
    city = City(algorithm)
    card, pricer = city.cards[0], Remembering()
    card_no = bytes.fromhex("0000") + bytes.fromhex(f"{5180_0000_0000_0001:016d}")
    ride = RideState(kind=TapKind.EXIT, mode=Mode.METRO, line=4, station=1260, at=AT)
    raw = encode_ride(ride, STAMP)
    arguments = {"aid": PROFILE.aid, "card_no": card_no, "record_id": RIDE_RECORD_ID, "ride": raw}
    write_ride_state(card, city.issuer, **arguments)
    gate = city.terminal(GATE, Mode.METRO, pricer=pricer)
    gate.tap(card, kind=TapKind.ENTRY, line=1, station=1, gross_fare=0, at=AT)
    assert pricer.asked[0].state == ride
    with pytest.raises(ChipRefused, match="6988"):
        write_ride_state(card, _WrongMac(), **arguments)


class _WrongMac:
    def message_mac(self, card_no: bytes, rand4: bytes, message: bytes) -> bytes:
        return bytes(4)


STAMP = RideStamp(terminal_id=GATE, amount=190, balance=4810, city=b"\x44\x03", acquirer=bytes(8))


def test_the_ride_record_has_the_published_layout() -> None:
    """JT/T 978.2 trip record as in T-Union_Master; the reserved bytes hold the paid ride before an entry."""
    before = PaidRide(mode=Mode.BUS, line=113, at=AT - dt.timedelta(minutes=10))
    ride = RideState(kind=TapKind.ENTRY, mode=Mode.METRO, line=2, station=7, at=AT, before=before)
    raw = encode_ride(ride, STAMP)
    assert raw == bytes.fromhex(
        "03 0000440300000002 01 000002 00000007 000000BE 000012CA 20180901083000 4403 0000000000000000 02 000071 0258"
    )
    assert decode_ride(raw) == ride
    assert decode_ride(bytes(48)) is None
    old = replace(ride, before=replace(before, at=AT - dt.timedelta(days=2)))
    assert decode_ride(encode_ride(old, STAMP)) == replace(ride, before=None)


@pytest.mark.parametrize(("at", "value"), [(0, 0x55), (9, 0x07), (25, 0xFF), (42, 0x09)])
def test_a_ride_record_that_cannot_be_read_says_so(at: int, value: int) -> None:
    raw = bytearray(
        encode_ride(RideState(kind=TapKind.BOARD, mode=Mode.BUS, line=1, station=0, at=AT), STAMP)
    )
    raw[at] = value
    with pytest.raises(Usage):
        decode_ride(bytes(raw))


def test_records_become_rows_of_the_clearing_schema() -> None:
    city = City()
    records = [board(city, city.cards[0]).record, city.counter.load(city.cards[1], 100, AT, city.issuer)]
    reader = Reader(city.cards[0])
    reader.pull(Pull("money", None))
    records.append(board(city, reader).record)
    known = [record for record in records if record is not None]
    table = record_table(known, [bytes(16)] * 3, [0, 1, 2])
    assert table.schema.equals(RECORD_SCHEMA, check_metadata=True)
    assert table["tac"].null_count == 1
    assert table["amount"].to_pylist() == [200, 100, 200]
    assert table["state"].to_pylist() == [0, 0, 1]
    with pytest.raises(Usage):
        record_table(known, [bytes(16)], [0])


def test_a_terminal_hides_the_card_number_in_a_repr() -> None:
    city = City()
    record = board(city, city.cards[0]).record
    assert record is not None
    assert record.card_no.hex() not in repr(record)
