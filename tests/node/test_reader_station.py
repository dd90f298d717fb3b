"""A station with our emulated readers, up to the events that it tells.

Goal: a gate tells in from out, a copy of a chip is an event, a restart tells nothing twice, a lost reader sends nobody
away. Method: asyncio in this process with the emulator over sockets; the finer rules are those of tests/trace.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from jinka.codec.epcis import Event
from jinka.codec.llrp import Message, element, message
from jinka.node.reader_emulator import ReaderEmulator
from jinka.node.reader_field import TagField, Visit
from jinka.node.reader_station import Station, StationSettings
from jinka.node.reader_watch import ReaderRead, ReaderSettings
from jinka.node.system import SystemClock
from jinka.trace.passage import Gate
from jinka.trace.presence import PresenceRules
from jinka.trace.read_events import ReadPlace
from tests.node.reader_rig import tag, until

POINT, HALL = "urn:epc:id:sgln:0614141.07346.1", "urn:epc:id:sgln:0614141.07346.0"
QUICK = PresenceRules(epoch_micros=40_000, silence_least_micros=300_000, silence_most_micros=600_000)
SGTIN = "urn:epc:id:sgtin:0614141.812345."


def _place(gate: bool = False) -> ReadPlace:
    return ReadPlace(
        name="p", read_point=POINT, biz_location=HALL, rules=QUICK, together_micros=100_000,
        gate=Gate(outer="outer", inner="inner") if gate else None,
    )  # fmt: skip


@asynccontextmanager
async def _running(port: int, folder: Path, *, gate: bool = False) -> Any:
    reader = ReaderSettings(
        name="r", host="127.0.0.1", port=port, turn_ms=20, tid_words=6, retry_first_s=0.02, retry_most_s=0.1
    )
    antennas = {("r", 1): ("p", "outer"), ("r", 2): ("p", "inner")} if gate else {("r", 0): ("p", "")}
    events: list[Event] = []
    station = Station(
        StationSettings(readers=(reader,), places={"p": _place(gate)}, antennas=antennas, folder=folder),
        SystemClock(),
        events.extend,
        offset_of=lambda _: "+08:00",
    )
    stop = asyncio.Event()
    task = asyncio.create_task(station.run(stop))
    try:
        yield station, events
    finally:
        stop.set()
        await task


def _steps(events: list[Event]) -> list[str]:
    return [str(event.biz_step).rpartition("-")[2] for event in events]


def _talk(talk: Callable[[], Any]) -> None:
    asyncio.run(talk())


def test_a_gate_tells_who_went_in_and_who_went_out(tmp_path: Path) -> None:
    async def talk() -> None:
        goes_in = tag(1, Visit(antenna=1, from_s=0.5, to_s=1.0), Visit(antenna=2, from_s=0.8, to_s=1.3))
        goes_out = tag(2, Visit(antenna=2, from_s=0.5, to_s=1.0), Visit(antenna=1, from_s=0.8, to_s=1.3))
        reader = ReaderEmulator(TagField([goes_in, goes_out]), SystemClock())
        async with reader.serving(), _running(reader.port, tmp_path, gate=True) as (station, events):
            await until(lambda: len(events) == 2)
            told = {event.epcs: event for event in events}
            came, went = told[(f"{SGTIN}1",)], told[(f"{SGTIN}2",)]
            assert _steps([came, went]) == ["arriving", "departing"]
            assert came.biz_location is not None
            assert came.biz_location.id == HALL
            assert went.biz_location is None
            assert came.read_point is not None
            assert came.read_point.id == POINT
            assert came.event_id is not None
            assert came.event_id.startswith("ni:///sha-256;")
            assert station.status()["told"] == {"in": 1, "out": 1, "events": 2}

    _talk(talk)


def test_a_copied_tag_is_told_with_both_chips(tmp_path: Path) -> None:
    async def talk() -> None:
        copy = bytes.fromhex("E28011050000000099999999")
        right, wrong = tag(7, Visit(antenna=1, to_s=0.4)), tag(7, Visit(antenna=2, from_s=0.6), tid=copy)
        reader = ReaderEmulator(TagField([right, wrong]), SystemClock())
        async with reader.serving(), _running(reader.port, tmp_path) as (_, events):
            await until(lambda: "inspecting" in _steps(events))
            (told,) = [event for event in events if _steps([event]) == ["inspecting"]]
            assert str(told.disposition).endswith("mismatch_instance")
            facts = {each.name: each.text for each in told.extensions[0].children}
            assert facts == {
                "sign": "epc_on_another_chip", "tid": copy.hex().upper(), "boundTid": right.tid.hex().upper(),
                "boundEpc": f"{SGTIN}7",
            }  # fmt: skip
        async with reader.serving(), _running(reader.port, tmp_path) as (station, events):
            await until(lambda: "inspecting" in _steps(events))  # the binding has outlived the process
            assert station.status()["chips"]["bound"] == 1

    _talk(talk)


def test_a_restart_tells_nothing_twice_and_a_lost_reader_sends_nobody_away(tmp_path: Path) -> None:
    async def talk() -> None:
        reader = ReaderEmulator(TagField([tag(1), tag(2)]), SystemClock())
        async with reader.serving():
            port = reader.port
            async with _running(port, tmp_path) as (_, events):
                await until(lambda: events)
                assert [event.epcs for event in events] == [(f"{SGTIN}1", f"{SGTIN}2")]
        async with _running(port, tmp_path) as (station, events):
            await until(lambda: station.watches[0].figures.tries >= 3)
            await asyncio.sleep(0.7)  # longer than the longest silence
            assert station.status()["places"] == {"p": 2}
            assert not events
            one = ReaderEmulator(TagField([tag(1)]), SystemClock())
            async with one.serving(port):
                await until(lambda: events)
                (gone,) = events
                assert (_steps(events), gone.epcs) == (["departing"], (f"{SGTIN}2",))
                assert gone.extensions[0].name == "uncertainUntil"
                reasons = [gap["reason"] for gap in station.status()["gaps"]]
                assert reasons == ["the station was not running"] * 2
        lines = [json.loads(line) for line in (tmp_path / "gaps.jsonl").read_text().splitlines()]
        assert [line["to_micros"] is None for line in lines[:2]] == [True, False]

    _talk(talk)


class _Clock:
    def __init__(self) -> None:
        self.micros = 1_700_000_000_000_000

    def now_micros(self) -> int:
        return self.micros


def _by_hand(folder: Path, clock: _Clock, events: list[Event], **more: Any) -> Station:
    settings = StationSettings(
        readers=(ReaderSettings(name="r", host="x"),), places={"p": _place()}, antennas={("r", 0): ("p", "")},
        folder=folder, **more,
    )  # fmt: skip
    return Station(settings, clock, events.extend, offset_of=lambda _: "+08:00")


def _put(station: Station, clock: _Clock, epc: bytes, *, pc: int | None = None) -> None:
    at = clock.micros
    station._buffer.put(
        ReaderRead(
            reader="r", antenna=1, epc=epc, epc_bits=96, first_micros=at, last_micros=at, count=1, rssi_dbm=None, pc=pc
        )
    )  # fmt: skip


def test_a_kill_at_any_moment_loses_no_arrival_and_no_departure(tmp_path: Path) -> None:
    for killed_after in (1, 7, 14, 21, 28, 30, 33, 35, 42, 50):
        folder = tmp_path / str(killed_after)
        clock, events = _Clock(), list[Event]()
        station = _by_hand(folder, clock, events)
        folder.mkdir()
        for beat in range(80):
            if beat < 30:  # the tag is there for three seconds
                _put(station, clock, tag(1).epc)
            station.watches[0]._hear(message("KEEPALIVE"))
            station.beat(clock.micros)
            if beat % 7 == 0:
                station._keep()
            if beat == killed_after:
                station = _by_hand(folder, clock, events)
                station._restore()
                station.watches[0]._end_gap(0)  # as when the reader is there again
            clock.micros += 100_000
        steps = _steps(events)
        assert steps[0] == "arriving"
        assert steps[-1] == "departing"
        assert len(steps) <= 4


def _report(clock: _Clock, at_micros: int, *serials: int) -> Message:
    stamp = {"Microseconds": at_micros}
    return message(
        "RO_ACCESS_REPORT",
        *(
            element(
                "TagReportData", element("EPC_96", EPC=tag(n).epc), element("LastSeenTimestampUTC", **stamp)
            )
            for n in serials
        ),
    )


def test_late_reports_and_a_silent_line_send_nobody_away(tmp_path: Path) -> None:
    clock, events = _Clock(), list[Event]()
    station = _by_hand(tmp_path, clock, events)
    (watch,) = station.watches
    watch._times.heard(clock.micros, clock.micros, utc=True)  # the clocks agree
    watch._connected_micros = clock.micros - 10_000_000

    def run(seconds: float, *serials: int, late_s: float = 0.0, every: int = 1) -> None:
        for beat in range(round(seconds * 10)):
            clock.micros += 100_000
            if every and beat % every == 0:
                watch._hear(_report(clock, clock.micros - round(late_s * 1_000_000), *serials))
            station.beat(clock.micros)

    run(2.0, 1, 2)
    run(5.0, every=0)  # nothing is heard at all, keepalives neither
    run(4.0, 1, 2, late_s=3.0, every=10)  # a reader that reports once a second, three seconds late
    assert _steps(events) == ["arriving"]
    run(6.0, 1, late_s=3.0, every=10)  # now the second has gone
    run(2.0, 1)
    told = [(step, len(event.epcs)) for step, event in zip(_steps(events), events, strict=True)]
    assert told == [("arriving", 2), ("departing", 1)]


def test_one_tag_is_one_thing_whether_its_control_word_is_told_or_not(tmp_path: Path) -> None:
    clock, events = _Clock(), list[Event]()
    station = _by_hand(tmp_path, clock, events)
    for pc in (None, 0x3000, None):
        _put(station, clock, tag(1).epc, pc=pc)
    _put(station, clock, b"\xe2" + bytes(11))
    clock.micros += 1
    station.beat(clock.micros)
    clock.micros += 500_000
    station.beat(clock.micros)
    assert [event.epcs for event in events] == [
        ("urn:epc:id:sgtin:0614141.812345.1", "urn:epc:raw:96.xE2" + "00" * 11)
    ]
    assert station.status()["not_epc_reads"] == 1
    silent = _by_hand(tmp_path / "b", clock, events, raw=False)
    _put(silent, clock, b"\xe2" + bytes(11))
    silent.beat(clock.micros)
    assert silent.status()["places"] == {"p": 0}


def test_what_no_tag_can_be_is_counted_and_left_out(tmp_path: Path) -> None:
    clock, events = _Clock(), list[Event]()
    station = _by_hand(tmp_path, clock, events)
    for epc, bits in ((b"", 0), (bytes(8000), 64_000)):
        station._buffer.put(
            ReaderRead(
                reader="r", antenna=1, epc=epc, epc_bits=bits, first_micros=0, last_micros=0, count=1, rssi_dbm=None,
                pc=None, tid=bytes(9000),
            )
        )  # fmt: skip
    station.beat(clock.micros)
    assert station.status()["not_epc_reads"] == 2
    assert station.status()["places"] == {"p": 0}


def test_the_log_of_chips_is_bounded_and_keeps_what_is_bound(tmp_path: Path) -> None:
    clock, events = _Clock(), list[Event]()
    station = _by_hand(tmp_path, clock, events, stays=3)
    for serial in range(20):
        epc, tid = tag(serial).epc, tag(serial).tid
        station._buffer.put(
            ReaderRead(
                reader="r", antenna=1, epc=epc, epc_bits=96, first_micros=0, last_micros=0, count=1, rssi_dbm=None,
                pc=None, tid=tid,
            )
        )  # fmt: skip
        station.beat(clock.micros)
    lines = (tmp_path / "chips.jsonl").read_text().splitlines()
    assert len(lines) <= 7
    assert f"{SGTIN}19" in lines[-1]
    again = _by_hand(tmp_path, clock, events, stays=3)
    again._restore()
    assert again.status()["chips"]["bound"] == 3


def test_reads_of_antennas_that_serve_no_place_are_counted(tmp_path: Path) -> None:
    async def talk() -> None:
        reader = ReaderEmulator(TagField([tag(1, Visit(antenna=3))]), SystemClock())
        async with reader.serving(), _running(reader.port, tmp_path, gate=True) as (station, events):
            await until(lambda: station.status()["unplaced_reads"] >= 3)
            assert not events

    _talk(talk)
