"""A gateway whose payments go through the switch's core to a real issuer's host, all in one process and without I/O.

What the merchant sees, what the switch's journal says and what the issuer's ledger holds are compared.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinka.acquirer import CardFacts, Draft, Entry, Gateway, Keyed, Merchant, NoAnswer, SwitchPayments, Vault
from jinka.codec.iso8583 import Message
from jinka.issuer import IsoIssuer, IsoTerms, IssuerHost
from jinka.sim.randomness import SeededRandomness
from jinka.store import GatewayBooks, database_at
from tests.acquirer.rig import PAN, VAULT_KEY, empty_books
from tests.issuer.host_rig import EXPIRY, OPENING, Bank
from tests.switch.ground import World, config

ACQUIRER = "101"
MERCHANT = Merchant(
    id="teahouse", name="TEA HOUSE", local_name="茶馆", category="5812", city="SHENZHEN", terminal="00000001",
    key_hash=hashlib.sha256(b"k").digest(),
)  # fmt: skip


class IssuerInPlace:
    """The bank of a `World`, played by an issuer's host. ``deaf``: it hears and does, and no answer leaves."""

    def __init__(self, bank: Bank, world: World) -> None:
        self.bank, self.world, self.deaf = bank, world, False
        bank.host = IssuerHost(
            issuer="bank", books=bank.books, ledger=bank.ledger, checks=bank.host._checks, policy=bank.policy,
            acquirers=[ACQUIRER],
        )  # fmt: skip
        self.iso = IsoIssuer(bank.host, IsoTerms())
        self.seen: list[Message] = []

    def handle(self, message: Message) -> Message | None:
        self.seen.append(message)
        answer = self.iso.handle(message, self.world.now)
        return None if self.deaf else answer


class MemoryWire:
    """A line that loses what it is told to: ``before`` the switch, ``after`` it, or brings it ``late``."""

    def __init__(self, world: World) -> None:
        self.world, self.lost = world, ""
        self.kept: dict[tuple[str, ...], Message] = {}
        self.asked: list[Message] = []

    def ask(self, message: Message) -> Message:
        lost, self.lost = self.lost, ""
        self.asked.append(message)
        if lost == "before":
            raise NoAnswer("lost", where="test")
        before = len(self.world.sent)
        self.world.pay(message)
        if len(self.world.sent) == before:
            self.world.wait(20)
        answers = [found for found in self.world.sent[before:] if _key(found) == _key(message)]
        if lost == "late" and answers:
            self.kept[_key(message)] = answers[0]
        if lost or not answers:
            raise NoAnswer("no answer", where="test")
        return answers[0]

    def late(self, message: Message) -> Message | None:
        return self.kept.get(_key(message))


def _key(message: Message) -> tuple[str, ...]:
    return message.mti[1], message.text(11), message.text(7), message.text(41)


class WorldClock:
    """The gateway lives in the world's time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now_micros(self) -> int:
        return self._world.now


@dataclass
class Shop:
    bank: Bank
    world: World
    issuer: IssuerInPlace
    wire: MemoryWire
    gateway: Gateway
    kept: GatewayBooks
    card: CardFacts
    count: int = 0

    def keyed(self) -> Keyed:
        self.count += 1
        return Keyed(key=f"k{self.count}", what={})

    def order(self, amount: int, **more: Any) -> bytes:
        made = self.gateway.create(MERCHANT, Draft(reference="", amount_minor=amount, **more), self.keyed())
        return bytes.fromhex(made["id"])

    def move(self) -> Merchant:
        """Give the merchant another terminal, as a new key may."""
        moved = replace(MERCHANT, terminal="00000099")
        with self.kept.desk() as desk:
            desk.put_merchant(moved)
        return moved

    def restarted(self, institution: str = ACQUIRER) -> Gateway:
        """Another process on the same books, perhaps with another number."""
        return Gateway(
            self.kept, SwitchPayments(self.wire, institution=institution), Vault(VAULT_KEY, SeededRandomness("v")),
            WorldClock(self.world), SeededRandomness("again"), institution=institution,
        )  # fmt: skip

    def books(self) -> tuple[int, int]:
        """What the holder has, and what the acquirer is owed."""
        return self.bank.available(), self.bank.owed(owner=ACQUIRER)


@contextmanager
def shop_at(place: Path | str, bank: Bank | None = None, prefix: str = PAN[:6]) -> Iterator[Shop]:
    bank, world = bank or Bank(), World(config(stand_in={}, routes={prefix: "bank"}))
    bank.host.add_card(bank.card(PAN, "A"))
    issuer = IssuerInPlace(bank, world)
    world.bank = issuer
    card = CardFacts(pan=PAN, expiry4=EXPIRY, entry=Entry.TYPED, card_value=bank.value("000", PAN).value)
    wire = MemoryWire(world)
    if isinstance(place, Path) and not place.exists():
        shutil.copy(empty_books(), place)
    with database_at(place) as engine:
        books = GatewayBooks(engine)
        with books.desk() as desk:
            desk.put_merchant(MERCHANT)
        gateway = Gateway(
            books, SwitchPayments(wire, institution=ACQUIRER), Vault(VAULT_KEY, SeededRandomness("v")),
            WorldClock(world), SeededRandomness("g"), institution=ACQUIRER,
        )  # fmt: skip
        yield Shop(
            bank=bank, world=world, issuer=issuer, wire=wire, gateway=gateway, kept=books, card=card
        )  # fmt: skip


FULL = (OPENING, 0)
