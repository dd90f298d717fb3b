"""Loads over messages: a card at a counter, the switch's core, and the home issuer's desk, all in one process.

`load_world.World` with its line replaced: the counter's calls become messages that the switch routes and keeps.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from jinka.acquirer import NoAnswer
from jinka.acquirer.purse_loads import PurseLoads, Way
from jinka.app.issuer_loads import CityLoads
from jinka.codec.iso8583 import Message
from jinka.issuer import IsoIssuer, IsoTerms
from jinka.issuer.iso_loads import IsoLoads, LoadTerms
from jinka.issuer.online_load import LoadBooks, LoadOrder, LoadState
from tests.acquirer.switched import ACQUIRER, MemoryWire, WorldClock
from tests.issuer.host_rig import PAN, pin_data
from tests.journeys.load_world import LineDown, World
from tests.switch.ground import BANK_PIN, TILL_PIN, config, key_desk
from tests.switch.ground import World as Switch

MERCHANT, PREFIX, GUANGZHOU = "M00000000000001", "00005180", "303"


class Desk:
    """The bank of a switch's world, with a load desk."""

    def __init__(self, issuer: IsoIssuer, switch: Switch) -> None:
        self.issuer, self.switch, self.deaf = issuer, switch, False
        self.seen: list[Message] = []

    def handle(self, message: Message) -> Message | None:
        self.seen.append(message)
        answer = self.issuer.handle(message, self.switch.now)
        return None if self.deaf else answer


class WiredLine:
    """`load_world.Line` over messages. ``lose``: call -> "request", "answer", or "desk" (the issuer's answer)."""

    def __init__(self, world: World, switch: Switch, desk: Desk) -> None:
        self.switch, self.desk = switch, desk
        self.wire = MemoryWire(switch)
        self.loads = PurseLoads(
            self.wire,
            WorldClock(switch),
            count(1),
            institution=ACQUIRER,
            terminal="T0000001",
            merchant=MERCHANT,
        )
        self.world = world
        self.lose: dict[str, str] = {}

    def authorise(self, order: LoadOrder) -> bytes:
        way = Way.CARD if self.world.road == "card" else Way.CASH
        more = {"pan": PAN, "pin_block": pin_data().block} if way is Way.CARD else {}
        return self._call("authorise", lambda: self.loads.authorise(order.question, way, **more))

    def confirm(self, load_id: bytes, tac: bytes) -> None:
        self._call("confirm", lambda: self.loads.confirm(self._card(), load_id, tac))

    def challenge(self, load_id: bytes) -> bytes:
        return self._call("challenge", lambda: self.loads.challenge(self._card(), load_id))

    def disprove(self, load_id: bytes, answer16: bytes) -> LoadState:
        word = self._call("disprove", lambda: self.loads.disprove(self._card(), load_id, answer16))
        return next(state for state in LoadState if state.value[0] == word)

    def _card(self) -> bytes:
        return self.world.orders[-1].card_no

    def _call(self, name: str, act: Any) -> Any:
        lost = self.lose.pop(name, "")
        self.wire.lost = {"request": "before", "answer": "after"}.get(lost, "")
        self.desk.deaf = lost == "desk"
        try:
            return act()
        except NoAnswer as error:
            raise LineDown("no answer") from error
        finally:
            self.desk.deaf = False
            self.switch.wait(1)


def between_cities() -> tuple[World, MemoryWire, Desk]:
    """The city where the holder pays asks the card's own city through a switch; the counter sits in the former."""
    world = World("city")
    switch = Switch(config(till={"institution": GUANGZHOU}, routes={PREFIX: "bank"}, stand_in={}))
    terms = LoadTerms(cities={GUANGZHOU: "gz"})
    desk = Desk(IsoIssuer(world.bank.host, IsoTerms(), IsoLoads(world.home, terms)), switch)
    switch.bank = desk
    wire = MemoryWire(switch)
    lines = PurseLoads(
        wire, WorldClock(switch), count(1), institution=GUANGZHOU, terminal="LOADS001", merchant="LOADS"
    )
    world.away._home = CityLoads(lines, world.away_books)
    return world, wire, desk


def wired(road: str = "agent", *, books: LoadBooks | None = None) -> tuple[World, WiredLine]:
    """A world whose counter reaches its issuer through a switch."""
    world = World(road, books=books)
    rules = config(till={"pin": TILL_PIN}, bank={"pin": BANK_PIN}, routes={PREFIX: "bank"}, stand_in={})
    switch = Switch(rules, keys=key_desk())
    terms = LoadTerms(agents={(ACQUIRER, MERCHANT): "kiosk"})
    desk = Desk(IsoIssuer(world.bank.host, IsoTerms(zone=BANK_PIN.key), IsoLoads(world.home, terms)), switch)
    switch.bank = desk
    line = world.line = WiredLine(world, switch, desk)
    return world, line
