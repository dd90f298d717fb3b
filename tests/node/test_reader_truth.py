"""Hundreds of visits whose truth is known, through reader, line, presence and events.

Goal: each visit is one arrival and one departure at its own time, though tags miss turns and the line is cut again and
again. Method: the emulated reader's specs and a station, driven by one clock of the test's; no socket, no waiting.
"""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

from jinka.codec.epcis import Event
from jinka.codec.llrp import Message, decode, encode, message
from jinka.codec.llrp.orders import add_inventory, add_tid_read
from jinka.node.reader_field import EmulatedTag, TagField, Visit
from jinka.node.reader_specs import ReaderSpecs
from jinka.node.reader_station import Station, StationSettings
from jinka.node.reader_watch import ReaderSettings
from jinka.trace.presence import PresenceRules
from jinka.trace.read_events import ReadPlace
from tests.node.reader_rig import tag

BEGAN, TURN_S = 1_700_000_000_000_000, 0.05
RULES = PresenceRules(epoch_micros=50_000, silence_least_micros=500_000, silence_most_micros=3_000_000)


class _Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now_micros(self) -> int:
        return BEGAN + round(self.seconds * 1_000_000)


def _visits(chance: random.Random, until_s: float) -> tuple[Visit, ...]:
    made, at = list[Visit](), 1.0 + 2 * chance.random()
    while at < until_s:
        stays = chance.uniform(1.0, 3.0)
        made.append(Visit(antenna=1, from_s=at, to_s=at + stays, rate=chance.choice((0.95, 0.7, 0.5))))
        at += stays + chance.uniform(3.5, 5.0)
    return tuple(made)


def _reader(tags: list[EmulatedTag]) -> ReaderSpecs:
    specs = ReaderSpecs(
        TagField(tags, seed=3), lambda at: BEGAN + round((at or 0.0) * 1_000_000), antennas=4, uptime=False
    )
    for asked in (
        add_inventory(1, [1], turn_ms=round(TURN_S * 1_000)),
        add_tid_read(2, 1, words=6),
        message("ENABLE_ACCESSSPEC", AccessSpecID=2),
        message("ENABLE_ROSPEC", ROSpecID=1),
        message("START_ROSPEC", ROSpecID=1),
    ):
        specs.answers[asked.name](asked)
    return specs


def test_every_visit_is_one_arrival_and_one_departure_though_the_line_is_cut(tmp_path: Path) -> None:
    chance, clock, events = random.Random(11), _Clock(), list[Event]()
    tags = [tag(number, *_visits(chance, 14.0)) for number in range(1, 61)]
    specs = _reader(tags)
    place = ReadPlace(name="p", read_point="urn:epc:id:sgln:0614141.07346.1", rules=RULES, together_micros=0)
    settings = StationSettings(
        readers=(ReaderSettings(name="r", host="x"),), places={"p": place}, antennas={("r", 0): ("p", "")},
        folder=tmp_path,
    )  # fmt: skip
    station = Station(settings, clock, events.extend, offset_of=lambda _: "+08:00")
    (watch,) = station.watches
    held: list[Message] = []
    back_s, cuts = 0.0, 0
    while clock.seconds < 25.0:
        clock.seconds += TURN_S
        for report in specs.work(clock.seconds):
            held.append(decode(encode(report)))
        if clock.seconds >= back_s:
            for report in held:
                watch._hear(report)
            watch._hear(message("KEEPALIVE"))
            held = []
            watch._end_gap(0)
            if chance.random() < 0.05:
                watch._begin_gap("cut")
                back_s, cuts = clock.seconds + chance.uniform(0.2, 0.9), cuts + 1
        station.beat(clock.now_micros())
    assert cuts >= 10
    told: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for event in events:
        for epc in event.epcs:
            at_s = (event.event_time_us - BEGAN) / 1_000_000
            told[epc].append((str(event.biz_step).rpartition("-")[2], at_s))
    assert sum(len(each.visits) for each in tags) >= 120
    for each in tags:
        serial = int.from_bytes(each.epc[-4:], "big")
        seen = told[f"urn:epc:id:sgtin:0614141.812345.{serial}"]
        assert [step for step, _ in seen] == ["arriving", "departing"] * len(each.visits)
        for visit, (_, came_s), (_, went_s) in zip(each.visits, seen[::2], seen[1::2], strict=True):
            assert visit.from_s - 0.01 < came_s < visit.from_s + 0.6
            assert visit.to_s - 0.6 < went_s < visit.to_s + 0.01
    assert station.status()["chips"]["bound"] == len(tags)
