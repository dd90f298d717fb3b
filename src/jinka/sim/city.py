"""A generated city and its day, drawn from a seed.

The shape of the day: 45 % of riders commute by metro (three in ten of them reach it by bus), 30 % commute by bus
(two in ten change buses), 25 % make one trip or two at any hour. Morning trips gather around 08:00 (spread 40
minutes), evening trips around 18:15 (spread 55 minutes), the rest lies evenly between 06:00 and 22:30. Nobody taps
before 05:30 or after 23:30. One card in eight is half fare, one in sixteen free. A quarter of the cards is SM4. One
tap in 400 is torn. Metro fares rise with the number of stations (2 yuan for the first four, then 1 yuan for every
three begun, where the city counts kilometres); bus fares are flat by line. The city and its riders are made up; its
discounts are those of Shenzhen in 2018.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

from jinka.codec import Algorithm
from jinka.kit import Usage
from jinka.registry import Participant, Role
from jinka.sim.parties import common_parties
from jinka.sim.plan import CityPlan, PlannedCard, PlannedDevice, PlannedTap, Torn, card_number
from jinka.tariff import HolderClass, Mode, TapKind

RIDERS_MAX = 2_000_000
_METRO_LINES, _STATIONS, _GATES = 4, 14, 4
_BUS_LINES, _VEHICLES = 24, 10
_BUS_FARES_FEN = (100, 200, 200, 200, 200, 250, 250, 300, 400, 500, 600, 1000)
_TORN_SHARE = 1 / 400
_SM4_SHARE = 0.25
_LOW_BALANCE_SHARE = 0.08
_BLOCKED_SHARE = 1 / 500
_FIRST, _LAST = 5 * 3600 + 1800, 23 * 3600 + 1800  # seconds of the day
_REGION = "440300"


@dataclass(slots=True)
class _Day:
    """The taps as they are drawn: (second of the day, order of drawing, card, tap without its time)."""

    date: dt.date
    draw: random.Random
    taps: list[tuple[int, int, PlannedTap]] = field(default_factory=list)
    busy: dict[int, int] = field(default_factory=dict)  # card -> second of its last tap

    def add(
        self, second: int, card: int, device: int, mode: Mode, kind: TapKind, place: tuple[int, int, int]
    ) -> int:
        """Plan a tap at ``second`` or a little after the card's last one; return its second, or -1 past closing."""
        second = max(second, self.busy.get(card, -60) + 60)
        if second > _LAST:
            return -1
        self.busy[card] = second
        torn = None
        if self.draw.random() < _TORN_SHARE:
            torn = Torn.TAPS_AGAIN if self.draw.random() < 0.7 else Torn.WALKS_ON
        line, station, gross = place
        at = dt.datetime.combine(self.date, dt.time()) + dt.timedelta(seconds=second)
        tap = PlannedTap(
            at=at,
            card=card,
            device=device,
            mode=mode,
            kind=kind,
            line=line,
            station=station,
            gross_fen=gross,
            torn=torn,
        )
        self.taps.append((second, len(self.taps), tap))
        return second


def metro_fare_fen(stations: int) -> int:
    """The fare of a metro ride over so many stations: 2 yuan up to four, 1 yuan for every three begun beyond."""
    return 200 + 100 * -(-max(0, stations - 4) // 3)


def generate_city(*, riders: int, seed: int, date: dt.date) -> CityPlan:
    """Draw the city's day; the same arguments give the same plan."""
    if not 1 <= riders <= RIDERS_MAX:
        raise Usage(f"{riders} riders", where="--riders", fix=f"1 to {RIDERS_MAX}")
    draw = random.Random(f"city|{seed}|{riders}|{date}")  # noqa: S311 a seeded simulation
    day = _Day(date, draw)
    cards = tuple(_card(number, draw) for number in range(riders))
    for card in range(riders):
        _plan_rider(card, day)
    day.taps.sort(key=lambda entry: entry[:2])
    blocked = tuple(card for card in range(riders) if draw.random() < _BLOCKED_SHARE)
    return CityPlan(
        source="generated",
        region=_REGION,
        zone="Asia/Shanghai",
        date=date,
        participants=(*common_parties(_REGION), *_operators()),
        lines=_lines(),
        stations=_stations(),
        devices=_devices(),
        cards=cards,
        taps=tuple(tap for _, _, tap in day.taps),
        blocked=blocked,
        rows_read=len(day.taps),
        inferred={},
    )


def _plan_rider(card: int, day: _Day) -> None:
    draw, habit = day.draw, day.draw.random()
    morning = int(draw.gauss(8 * 3600, 40 * 60))
    evening = int(draw.gauss(18 * 3600 + 900, 55 * 60))
    if habit < 0.45:
        line = draw.randrange(_METRO_LINES)
        home, work = draw.sample(range(_STATIONS), 2)
        feeder = draw.randrange(_BUS_LINES) if draw.random() < 0.3 else None
        if feeder is not None:
            _bus(card, day, _clip(morning - 1500), feeder)
        _metro(card, day, _clip(morning), line, home, work)
        _metro(card, day, _clip(evening), line, work, home)
        if feeder is not None:
            _bus(card, day, _clip(evening + 2400), feeder)
    elif habit < 0.75:
        lines = draw.sample(range(_BUS_LINES), 2 if draw.random() < 0.2 else 1)
        for start, order in ((morning, lines), (evening, lines[::-1])):
            for leg, line in enumerate(order):
                _bus(card, day, _clip(start + leg * 1500), line)
    else:
        for _ in range(1 if draw.random() < 0.6 else 2):
            start = draw.randrange(6 * 3600, 22 * 3600 + 1800)
            if draw.random() < 0.5:
                _bus(card, day, start, draw.randrange(_BUS_LINES))
            else:
                come, go = draw.sample(range(_STATIONS), 2)
                _metro(card, day, start, draw.randrange(_METRO_LINES), come, go)


def _clip(second: int) -> int:
    return min(max(second, _FIRST), _LAST - 4 * 3600)


def _bus(card: int, day: _Day, second: int, line: int) -> None:
    device = _METRO_LINES * _STATIONS * _GATES + line * _VEHICLES + day.draw.randrange(_VEHICLES)
    fare = _BUS_FARES_FEN[line % len(_BUS_FARES_FEN)]
    day.add(second, card, device, Mode.BUS, TapKind.BOARD, (1 + _METRO_LINES + line, 0, fare))


def _metro(card: int, day: _Day, second: int, line: int, come: int, go: int) -> None:
    def gate(station: int) -> int:
        return (line * _STATIONS + station) * _GATES + day.draw.randrange(_GATES)

    def station_number(station: int) -> int:
        return 1 + line * _STATIONS + station

    stations = abs(come - go)
    entered = day.add(
        second, card, gate(come), Mode.METRO, TapKind.ENTRY, (1 + line, station_number(come), 0)
    )
    if entered >= 0:
        ride = 180 + stations * 150 + day.draw.randrange(120)
        fare = metro_fare_fen(stations)
        day.add(
            entered + ride, card, gate(go), Mode.METRO, TapKind.EXIT, (1 + line, station_number(go), fare)
        )


def _card(number: int, draw: random.Random) -> PlannedCard:
    kind = draw.random()
    holder = (
        HolderClass.HALF_FARE if kind < 1 / 8 else HolderClass.FREE if kind < 3 / 16 else HolderClass.ORDINARY
    )
    low = draw.random() < _LOW_BALANCE_SHARE
    return PlannedCard(
        card_no=card_number(f"{number:09d}"),
        holder=holder,
        balance=draw.randrange(0, 600) if low else draw.randrange(2_000, 20_000),
        algorithm=Algorithm.SM4 if draw.random() < _SM4_SHARE else Algorithm.TDES,
    )


def _operators() -> list[Participant]:
    rows = (
        ("op.sz.metro", "Metro Company (simulated)", "地铁公司（模拟）"),
        ("op.sz.bus", "Bus Group (simulated)", "巴士集团（模拟）"),
        ("op.sz.west", "Western Bus (simulated)", "西部公交（模拟）"),
    )
    return [
        Participant(code=code, role=Role.OPERATOR, region=_REGION, name_en=english, name_zh=chinese)
        for code, english, chinese in rows
    ]


def _lines() -> dict[int, str]:
    metro = {1 + line: f"地铁{line + 1}号线" for line in range(_METRO_LINES)}
    return metro | {1 + _METRO_LINES + line: f"M{300 + line}" for line in range(_BUS_LINES)}


def _stations() -> dict[int, str]:
    return {
        1 + line * _STATIONS + station: f"{line + 1}-{station + 1:02d}"
        for line in range(_METRO_LINES)
        for station in range(_STATIONS)
    }


def _devices() -> tuple[PlannedDevice, ...]:
    gates = [
        PlannedDevice(
            number=f"26{number:07d}",
            operator="op.sz.metro",
            mode=Mode.METRO,
            line=1 + number // (_STATIONS * _GATES),
            station=1 + number // _GATES,
        )
        for number in range(_METRO_LINES * _STATIONS * _GATES)
    ]
    validators = [
        PlannedDevice(
            number=f"23{number:07d}",
            operator="op.sz.bus" if number // _VEHICLES < 2 * _BUS_LINES // 3 else "op.sz.west",
            mode=Mode.BUS,
            line=1 + _METRO_LINES + number // _VEHICLES,
        )
        for number in range(_BUS_LINES * _VEHICLES)
    ]
    return (*gates, *validators)
