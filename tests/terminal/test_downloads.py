"""Downloads: versions, times, digests, acknowledgements, restarts. Method: a terminal's week, and hostile bytes."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.kit import Refused, Usage
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
from jinka.tariff import Charge, Days, RideFacts, Share, TapKind, tariff_to_body
from jinka.terminal import (
    BlockList,
    Calendar,
    Download,
    DownloadKind,
    Downloads,
    DownloadStateError,
    FuelStatus,
    PurseTerminal,
    TapStatus,
)
from jinka.terminal.lists_download import WAITING_MAX
from tests.terminal import fuel_rig
from tests.terminal.rig import AT, BUS, City

TERMINAL = bytes.fromhex("440300000001")
DAY = dt.timedelta(days=1)
MONDAY = dt.datetime(2018, 9, 3)
KINDS = pytest.mark.parametrize("kind", list(DownloadKind))


def down(kind: DownloadKind, version: int, at: dt.datetime, body: bytes = b"") -> Download:
    return Download.of(kind, version, at, body or bytes((version,)))


def in_force(downloads: Downloads, kind: DownloadKind, at: dt.datetime) -> int:
    downloads.switch(at)
    found = downloads.current(kind)
    return found.version if found is not None else 0


@KINDS
def test_a_version_waits_for_its_time_and_is_acknowledged_at_once(kind: DownloadKind) -> None:
    downloads = Downloads(TERMINAL)
    downloads.install(down(kind, 1, MONDAY), MONDAY)
    answer = downloads.install(down(kind, 2, MONDAY + 2 * DAY), MONDAY)
    assert (answer.terminal_id, answer.list_version, answer.acknowledged_at, answer.kind) == (
        TERMINAL,
        2,
        MONDAY,
        kind,
    )
    assert downloads.next_change == MONDAY + 2 * DAY
    assert in_force(downloads, kind, MONDAY + 2 * DAY - dt.timedelta(seconds=1)) == 1
    assert in_force(downloads, kind, MONDAY + 2 * DAY) == 2
    assert downloads.next_change is None
    assert in_force(downloads, kind, MONDAY) == 2, "a clock that goes back brings no old version back"


@KINDS
def test_kinds_do_not_touch_one_another(kind: DownloadKind) -> None:
    downloads = Downloads(TERMINAL)
    downloads.install(down(kind, 7, MONDAY), MONDAY)
    assert [in_force(downloads, other, MONDAY) for other in DownloadKind if other is not kind] == [0, 0]


def test_older_versions_and_changed_bodies_are_refused() -> None:
    kind, downloads = DownloadKind.TARIFF, Downloads(TERMINAL)
    first = down(kind, 5, MONDAY + DAY)
    downloads.install(first, MONDAY)
    assert downloads.install(first, MONDAY + DAY).list_version == 5, "the same again is acknowledged again"
    with pytest.raises(Refused, match="version 5 is held"):
        downloads.install(down(kind, 4, MONDAY), MONDAY)
    with pytest.raises(Refused, match="version 5 is held"):
        downloads.install(down(kind, 5, MONDAY + DAY, b"another"), MONDAY)
    for changed in (
        {"body": b"x"},
        {"version": 6},
        {"kind": DownloadKind.CALENDAR},
        {"effective_from": MONDAY},
        {"digest": bytes(32)},
    ):
        with pytest.raises(Refused, match="digest"):
            downloads.install(replace(first, **changed), MONDAY)
    assert in_force(downloads, kind, MONDAY + DAY) == 5


def test_a_later_version_for_an_earlier_time_takes_the_place_of_what_waits_behind_it() -> None:
    kind, downloads = DownloadKind.TARIFF, Downloads(TERMINAL)
    downloads.install(down(kind, 1, MONDAY), MONDAY)
    downloads.install(down(kind, 2, MONDAY + 2 * DAY), MONDAY)
    downloads.install(down(kind, 3, MONDAY + 4 * DAY), MONDAY)
    downloads.install(down(kind, 4, MONDAY + 3 * DAY), MONDAY)
    assert [in_force(downloads, kind, MONDAY + n * DAY) for n in range(6)] == [1, 1, 2, 4, 4, 4]


def test_a_correction_that_holds_at_once() -> None:
    kind, downloads = DownloadKind.BLOCK_LIST, Downloads(TERMINAL)
    downloads.install(down(kind, 2, MONDAY + 2 * DAY), MONDAY)
    downloads.install(down(kind, 3, MONDAY), MONDAY + DAY)
    assert in_force(downloads, kind, MONDAY + 9 * DAY) == 3


def test_there_is_an_end_to_what_waits() -> None:
    kind, downloads = DownloadKind.CALENDAR, Downloads(TERMINAL)
    for number in range(1, WAITING_MAX + 1):
        downloads.install(down(kind, number, MONDAY + number * DAY), MONDAY)
    with pytest.raises(Refused, match="wait already"):
        downloads.install(down(kind, 9, MONDAY + 9 * DAY), MONDAY)
    assert downloads.install(down(kind, 9, MONDAY + 9 * DAY), MONDAY + DAY).list_version == 9


def test_a_restart_forgets_nothing() -> None:
    downloads = Downloads(TERMINAL)
    for kind in DownloadKind:
        downloads.install(down(kind, 1, MONDAY, b"now" * 99), MONDAY)
        downloads.install(down(kind, 2, MONDAY + DAY, b"then"), MONDAY)
    again = Downloads.from_bytes(downloads.to_bytes())
    assert again.to_bytes() == downloads.to_bytes()
    assert again.next_change == MONDAY + DAY
    assert [in_force(again, kind, MONDAY) for kind in DownloadKind] == [1, 1, 1]
    for kind in DownloadKind:
        assert in_force(again, kind, MONDAY + DAY) == 2
        assert again.current(kind) == down(kind, 2, MONDAY + DAY, b"then")
        with pytest.raises(Refused, match="version 2 is held"):
            again.install(down(kind, 1, MONDAY), MONDAY + DAY)


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_damaged_state_is_not_obeyed(place: int, change: int) -> None:
    downloads = Downloads(TERMINAL)
    downloads.install(down(DownloadKind.TARIFF, 1, MONDAY, b"fares"), MONDAY)
    raw = bytearray(downloads.to_bytes())
    raw[place % len(raw)] ^= change
    with pytest.raises(DownloadStateError):
        Downloads.from_bytes(bytes(raw))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(DownloadStateError):
        Downloads.from_bytes(raw)


_STEPS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 3)), max_size=12)


@settings(max_examples=200)
@given(_STEPS)
def test_whatever_comes_versions_in_force_only_rise(steps: list[tuple[int, int, int]]) -> None:
    kind, downloads, now, last = DownloadKind.TARIFF, Downloads(TERMINAL), MONDAY, 0
    for version, ahead, pause in steps:
        with contextlib.suppress(Refused):
            downloads.install(down(kind, version, MONDAY + ahead * DAY), now)
        now += pause * DAY
        downloads = Downloads.from_bytes(downloads.to_bytes())
        found = in_force(downloads, kind, now)
        assert found >= last
        last = found


def test_block_lists_and_calendars_have_bodies() -> None:
    blocked = BlockList(version=3, entries={bytes(9) + b"\x01": MONDAY, bytes(9) + b"\x02": MONDAY + DAY})
    assert BlockList.from_body(3, blocked.to_body()) == blocked
    calendar = Calendar(
        holidays=frozenset({dt.date(2018, 10, 1), dt.date(2018, 10, 2)}),
        working_days=frozenset({dt.date(2018, 9, 29)}),
    )
    assert Calendar.from_body(calendar.to_body()) == calendar
    assert [calendar.is_rest_day(dt.date(2018, *day)) for day in ((10, 1), (9, 29), (9, 30), (10, 8))] == [
        True,
        False,
        True,
        False,
    ]


@given(st.binary(min_size=1, max_size=60))
def test_bodies_of_any_bytes(raw: bytes) -> None:
    for read in (lambda: BlockList.from_body(1, raw), lambda: Calendar.from_body(raw)):
        with contextlib.suppress(Usage):
            read()


class Flat:
    """A tariff whose body is its fare, 2 bytes."""

    def __init__(self, body: bytes) -> None:
        if len(body) != 2:
            raise Usage("not a fare", where="tariff", fix="2 bytes")
        self.fare = int.from_bytes(body, "big")

    def price(self, facts: RideFacts) -> Charge:
        return Charge(self.fare, "flat")


def board(terminal: PurseTerminal, card: object, at: dt.datetime) -> tuple[TapStatus, int]:
    outcome = terminal.tap(card, kind=TapKind.BOARD, line=1, station=0, gross_fare=9, at=at)
    return outcome.status, outcome.record.amount if outcome.record else 0


def test_a_gate_prices_and_blocks_by_what_is_in_force_when_the_card_comes() -> None:
    city = City()
    old = city.bus
    old._psam.power_up()
    gate = PurseTerminal(old._data, old._psam, Flat(b"\x00\xc8"), AT.date(), read_tariff=Flat)
    card, number = city.cards[0], city.cards[1]
    number_2 = bytes.fromhex("00005180000000000002")
    noon = AT.replace(hour=12)
    gate.receive(down(DownloadKind.TARIFF, 1, noon, b"\x00\xfa"), AT)
    body = BlockList(entries={number_2: noon}).to_body()
    answer = gate.receive(down(DownloadKind.BLOCK_LIST, 4, AT, body), AT)
    assert (answer.list_version, answer.terminal_id, answer.kind) == (4, BUS, DownloadKind.BLOCK_LIST)
    assert board(gate, card, AT) == (TapStatus.DONE, 200)
    assert board(gate, number, AT) == (TapStatus.DONE, 200)
    old._psam.power_up()
    again = PurseTerminal(
        old._data,
        old._psam,
        Flat(b"\x00\xc8"),
        AT.date(),
        downloads=Downloads.from_bytes(gate.downloads.to_bytes()),
        read_tariff=Flat,
    )
    assert board(again, card, noon) == (TapStatus.DONE, 250)
    assert board(again, number, noon) == (TapStatus.BLOCKED, 0)
    with pytest.raises(Usage, match="not a fare"):
        again.receive(down(DownloadKind.TARIFF, 2, noon, b"1"), noon)
    holiday = Calendar(holidays=frozenset({noon.date()}))
    again.receive(down(DownloadKind.CALENDAR, 1, noon, holiday.to_body()), noon)
    assert again.calendar == holiday
    with pytest.raises(Usage, match="not a tariff"):
        old.receive(down(DownloadKind.TARIFF, 1, noon, b"\x00\xfa"), AT)


def test_a_tariff_and_a_calendar_come_down_and_price_the_next_tap() -> None:
    city = City()
    rest = replace(SHENZHEN_2018.products[3], code="bus.rest", rule=Share(10), days=Days.REST)
    tariff = replace(SHENZHEN_2018, products=(rest, *SHENZHEN_2018.products))
    monday, sunday = MONDAY.replace(hour=9), MONDAY.replace(hour=9) + 6 * DAY
    gate = city.bus
    gate.receive(down(DownloadKind.TARIFF, 1, MONDAY, tariff_to_body(tariff)), AT)
    holiday = Calendar(
        holidays=frozenset({(MONDAY + DAY).date()}), working_days=frozenset({(sunday + 7 * DAY).date()})
    )
    gate.receive(down(DownloadKind.CALENDAR, 1, MONDAY, holiday.to_body()), AT)

    def ride(at: dt.datetime) -> tuple[int, str]:
        found = gate.tap(city.cards[0], kind=TapKind.BOARD, line=1, station=0, gross_fare=200, at=at)
        assert found.record is not None
        return found.record.amount, found.record.product

    assert ride(AT) == (200, "full"), "the tariff waits for its time"
    assert ride(monday) == (160, "bus.ordinary")
    assert ride(monday + DAY) == (20, "bus.rest"), "a holiday"
    assert ride(sunday) == (20, "bus.rest")
    assert ride(sunday + 7 * DAY) == (160, "bus.ordinary"), "a Sunday that is a working day"


@pytest.mark.parametrize("version", [0, -1, 2**32, 2**40])
def test_versions_out_of_bounds_are_refused(version: int) -> None:
    download = replace(down(DownloadKind.TARIFF, 1, MONDAY), version=version)
    with pytest.raises(Refused, match="out of bounds"):
        Downloads(TERMINAL).install(download, MONDAY)
    with pytest.raises(Usage):
        Downloads(TERMINAL).install(
            replace(down(DownloadKind.TARIFF, 1, MONDAY), effective_from=MONDAY.replace(tzinfo=dt.UTC)),
            MONDAY,
        )


def test_another_terminals_downloads_are_refused() -> None:
    city = City()
    city.bus._psam.power_up()
    with pytest.raises(Refused, match="another terminal"):
        PurseTerminal(
            city.bus._data, city.bus._psam, Flat(b"\x00\xc8"), AT.date(), downloads=Downloads(bytes(6))
        )


def test_an_older_download_does_not_undo_a_list_that_was_installed_by_hand() -> None:
    city = City()
    number = bytes.fromhex("00005180000000000002")
    noon = AT.replace(hour=12)
    city.bus.receive(Download.of(DownloadKind.BLOCK_LIST, 4, noon, b""), AT)
    city.bus.install_list(BlockList(version=5, entries={number: AT}), AT)
    assert board(city.bus, city.cards[1], noon)[0] is TapStatus.BLOCKED


def test_a_list_that_contradicts_itself_is_refused() -> None:
    entry = bytes(9) + b"\x01" + bytes.fromhex("20180903000000")
    with pytest.raises(Usage, match="twice"):
        BlockList.from_body(1, entry + bytes(9) + b"\x01" + bytes.fromhex("20190903000000"))
    with pytest.raises(Usage, match="both"):
        Calendar.from_body(b"\x00" + bytes.fromhex("20181001") + b"\x01" + bytes.fromhex("20181001"))


def test_a_pump_takes_block_lists_the_same_way() -> None:
    oil = fuel_rig.Oil()
    pump = oil.pump()
    later = fuel_rig.AT + DAY
    body = BlockList(entries={fuel_rig.CARD_NO: fuel_rig.AT}).to_body()
    pump.receive(down(DownloadKind.BLOCK_LIST, 1, later, body), fuel_rig.AT)
    assert pump.lock(oil.card, fuel_rig.AT).status is FuelStatus.LOCKED
    pump.release(oil.card, pump.settle(fuel_rig.CARD_NO, 0), fuel_rig.AT)
    assert pump.lock(oil.card, later).status is FuelStatus.BLOCKED
    with pytest.raises(Refused, match="no use for a calendar"):
        pump.receive(down(DownloadKind.CALENDAR, 1, later), later)
