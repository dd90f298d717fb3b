"""A purse topped up over TCP: what the card got is what the agent paid, once, whatever is lost on the way.

Method: the card and the issuer's desk of `tests.journeys.load_world`, behind the street's switch; answers are lost at
the terminal's line, and the card is pulled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.app.pos_config import opened_till, read_pos_file
from jinka.app.pos_topup import PendingLoad, PurseCounter, loads_of
from jinka.cli.main import app
from jinka.issuer.iso_loads import IsoLoads, LoadTerms
from jinka.kit import Usage
from jinka.node.host_line import LineTerms
from jinka.node.system import SystemClock
from jinka.node.till_journal import SealedLog
from jinka.terminal import LoadTerminal
from tests.app.pos_rig import ACQUIRER, MERCHANT, Street, street
from tests.app.test_pos_faults import Lossy
from tests.journeys.load_world import World

PURSE = """[purse]
terminal = "440300000002"
issuers = { "4403000000000001" = "iss.sz" }
"""


@pytest.fixture(scope="module")
def world() -> World:
    return World("agent")


@pytest.fixture(scope="module")
def town(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    desk = IsoLoads(world.home, LoadTerms(agents={(ACQUIRER, MERCHANT): "kiosk"}))
    with street(tmp_path_factory.mktemp("street"), desk) as there:
        yield there


class Link:
    """The world's card at a reader; ``pull`` takes it away at the credit."""

    def __init__(self, world: World) -> None:
        self.reader = world.reader
        self.reset()

    def reset(self) -> None:
        self.reader.insert()

    def transmit(self, command: bytes) -> bytes:
        return self.reader.transmit(command)


def paid(world: World, town: Street) -> tuple[int, int]:
    """(posted, held) of the agent, once the switch has told what it was told."""
    town.settle()
    return world.paid()


@contextmanager
def agent(file: Path) -> Iterator[tuple[PurseCounter, Lossy, bytes]]:
    read, lines = read_pos_file(file), list[Lossy]()

    def dial(terms: LineTerms) -> Lossy:
        lines.append(Lossy(terms))
        return lines[0]

    assert read.purse is not None
    with opened_till(read, line=dial) as till:
        log = SealedLog(read.folder / "loads", till.pad, PendingLoad, magic=b"TEST", context="test")
        terminal = LoadTerminal(read.purse, till.now().date())
        yield PurseCounter(loads_of(till, SystemClock()), terminal, log, till.now), lines[0], read.purse.aid


def test_a_purse_is_topped_up_once_whatever_is_lost(world: World, town: Street, tmp_path: Path) -> None:
    file = town.toml(tmp_path, "atm", "80000070")
    file.write_text(file.read_text(encoding="utf-8") + PURSE, encoding="utf-8")
    with agent(file) as (counter, line, aid):
        good = counter.top_up(Link(world), 1_000, aid)
        assert (good.status, world.credited(), paid(world, town)) == ("confirmed", 1_000, (1_000, 0))
        assert good.card.endswith("0001")
        line.lost = 1  # of MAC2
        lost = counter.top_up(Link(world), 500, aid)
        assert (lost.status, paid(world, town)) == ("open", (1_000, 500))
    with agent(file) as (counter, line, aid):  # started again: the card proves that it got nothing
        assert len(counter.open_loads) == 1
        again = counter.top_up(Link(world), 700, aid)
        assert list(again.settled.values()) == ["voided"]
        assert (again.status, world.credited(), paid(world, town)) == ("confirmed", 1_700, (1_700, 0))

        class Pulled(Link):
            def transmit(self, command: bytes) -> bytes:
                answer = super().transmit(command)
                if command[1] == 0x52:
                    from jinka.terminal import CardRemoved

                    raise CardRemoved("pulled", where="reader")
                return answer

        torn = counter.top_up(Pulled(world), 300, aid)
        assert (torn.status, world.credited(), paid(world, town)) == ("open", 2_000, (1_700, 300))
        last = counter.top_up(Link(world), 100, aid)
        assert list(last.settled.values()) == ["confirmed"]
        assert (world.credited(), paid(world, town)) == (2_100, (2_100, 0))
        assert not counter.open_loads
    assert (
        world.card.to_image().to_bytes().hex() not in (tmp_path / "terminal-80000070" / "loads").read_text()
    )


def test_the_command(world: World, town: Street, tmp_path: Path) -> None:
    file = town.toml(tmp_path, "atm", "80000071")
    file.write_text(file.read_text(encoding="utf-8") + PURSE, encoding="utf-8")
    image, before = tmp_path / "purse.jci", world.paid()[0]
    image.write_bytes(world.card.to_image().to_bytes())
    words = ["pos", "top-up", "--config", str(file), "--card", str(image), "--amount", "200"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["status"] == "confirmed"
    assert paid(world, town) == (before + 200, 0)
    pos = town.toml(tmp_path / "b", terminal="80000072")
    pos.write_text(pos.read_text(encoding="utf-8") + PURSE, encoding="utf-8")
    words[3] = str(pos)
    assert CliRunner().invoke(app, words).exit_code == Usage.exit_code  # that dialect cannot name a purse
