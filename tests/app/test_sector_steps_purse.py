"""The steps of purses beyond loads and taps fail where the card, the pump or the second card says otherwise.

Goal: no clause of transit, parking and fuel is shown by a step that would pass whatever happens. Method: the sectors'
own journeys with one figure changed, on real virtual cards; and the trip file read back by APDU.
"""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors, catalogue_of
from jinka.app.sector_fuel import play_restrict
from jinka.app.sector_purse import play_tap
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import (
    Clear,
    Distribute,
    Fill,
    Journey,
    Lock,
    PayFor,
    Restrict,
    Sector,
    Step,
    Tap,
    Unlock,
)
from jinka.sectors import fuel_sector, parking, transit
from jinka.tariff import TapKind
from jinka.terminal import decode_ride
from jinka.terminal.link import ask_exactly
from jinka.terminal.reading import read_rule, select


def journey_with(journey: Journey, step: int, changed: Step) -> Journey:
    """The steps up to one, which is changed; nothing is cleared."""
    kept = [one for one in journey.steps[:step] if not isinstance(one, Clear)]
    return replace(journey, steps=(*kept, changed))


def place(journey: Journey, kind: type[Step], number: int = 0) -> int:
    return [at for at, step in enumerate(journey.steps) if isinstance(step, kind)][number]


@pytest.mark.parametrize(
    ("sector", "journey", "kind", "change", "said"),
    [
        (parking.SECTOR, parking.MOTORWAY, PayFor, {"pays": 2_566}, "2565 was debited"),
        (parking.SECTOR, parking.MOTORWAY, PayFor, {"facts": {"etc": 0, "free": 0}}, "2700 was debited"),
        (fuel_sector.SECTOR, fuel_sector.STATION, Lock, {"refused": "BLOCKED"}, "it was done"),
        (fuel_sector.SECTOR, fuel_sector.STATION, Unlock, {"pays": 9_599}, "9600 was debited"),
        (fuel_sector.SECTOR, fuel_sector.STATION, Fill, {"refused": "REFUSED"}, "it was done"),
        (fuel_sector.SECTOR, fuel_sector.FLEET, Distribute, {"pin": "999999"}, "it was done"),
    ],
)
def test_a_step_with_another_figure_fails(
    sector: Sector, journey: Journey, kind: type[Step], change: dict[str, object], said: str
) -> None:
    at = place(journey, kind)
    changed = replace(journey.steps[at], **change)  # type: ignore[arg-type]
    with pytest.raises(StepFailed, match=said):
        play(sector, journey_with(journey, at, changed), [sector])


def test_a_sub_cards_rule_stands_on_the_card() -> None:
    with closing(World(fuel_sector.SECTOR, fuel_sector.FLEET, catalogue_of(fuel_sector.SECTOR, []))) as world:
        play_restrict(Restrict("van", "office-reader", 1, 30_000), world)
        select(world.card("van").link, fuel_sector.PROFILE.aid)
        rule = read_rule(world.card("van").link)
        assert (rule.grades, rule.most_fen) == (1, 30_000)


def test_trips_stand_in_the_file_of_jt_t_978_newest_first() -> None:
    with closing(
        World(transit.SECTOR, transit.DAY, catalogue_of(transit.SECTOR, all_sectors().values()))
    ) as world:
        world.now = dt.datetime(2026, 3, 9, 8)
        play_tap(Tap("li", "bus", 160, gross=200, line=38), world)
        world.now = dt.datetime(2026, 3, 9, 8, 30)
        play_tap(Tap("li", "metro", 0, kind=TapKind.ENTRY, stop=1), world)
        link = world.card("li").link
        select(link, transit.NEW.aid)
        trips = [decode_ride(ask_exactly(link, "trip", bytes((0, 0xB2, n, 0xF4, 48)), 48)) for n in (1, 2)]
        assert [trip and (trip.kind, trip.line, trip.station) for trip in trips] == [
            (TapKind.ENTRY, 0, 1),
            (TapKind.BOARD, 38, 0),
        ]
