"""Three cities under one national purchase root: cards, PSAMs that were given their keys by APDUs, and terminals."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from jinka.app.bench_purchase import FlatPricer, make_device
from jinka.app.key_folder import KeyFolder
from jinka.app.key_orders import give_module_keys
from jinka.app.keyring import unlock_store
from jinka.app.workspace import Workspace
from jinka.card import Card, CardTemplate, Psam, make_psam
from jinka.codec import Algorithm
from jinka.issuer.production import CardOrder, make_cards
from jinka.keys import KeyName, Purpose, SoftKeyService
from jinka.profile import KeyUse
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import HolderClass, TapKind
from jinka.terminal import PurseTerminal, TapOutcome
from jinka.terminal.key_choice import KeyPeriod

CITIES = {"shenzhen": "440300", "guangzhou": "440100", "foshan": "440600"}
TDES = Algorithm.TDES
BALANCE = 10_000


def issuer_number(city: str) -> bytes:
    return bytes.fromhex(CITIES[city][:4] + "000000000001")


def only(*versions: int) -> object:
    """The transit profile of cards that carry these versions of the purchase key alone."""
    keys = tuple(key for key in PROFILE.keys if key.use is not KeyUse.PURCHASE or key.version in versions)
    return dataclasses.replace(PROFILE, keys=keys)


class Federation:
    """Everything by hand: no class of the simulator takes part."""

    def __init__(self, folder: Path, *, today: str) -> None:
        self.folder, self.today = KeyFolder(folder), today
        self.randomness = SeededRandomness("federation")
        self.services = {}
        self.terminals: dict[tuple[str, int], PurseTerminal] = {}
        self.modules: dict[bytes, Psam] = {}
        self.records: list = []
        self._numbers = iter(range(1, 1000))
        self.open()

    def open(self) -> None:
        """Open the services of all cities over the store as it is now."""
        for service in self.services.values():
            service.close()
        store = unlock_store(Workspace(self.folder.workspace.folder)).store
        self.services = {
            city: SoftKeyService(store, region=region, today=lambda: self.today)
            for city, region in CITIES.items()
        }

    def cards(self, city: str, count: int = 1, *, versions: tuple[int, ...] = (1, 2, 3)) -> list[Card]:
        orders = [
            CardOrder(
                card_no=bytes.fromhex(f"0000{CITIES[city]}{next(self._numbers):010d}"),
                holder=HolderClass.ORDINARY,
                balance=BALANCE,
            )
            for _ in range(count)
        ]
        images = make_cards(
            orders, template=CardTemplate(only(*versions)), algorithm=TDES, issuer=issuer_number(city),
            keys=self.services[city],
        )  # fmt: skip
        return [Card.from_image(image, self.randomness) for image in images]

    def module(self, city: str, versions: tuple[int, ...]) -> Psam:
        """A PSAM without keys, which then takes its keys by its own WRITE KEY."""
        number = bytes.fromhex(CITIES[city]) + next(self._numbers).to_bytes(3, "big")
        psam = make_psam(
            terminal_id=number,
            psam_id=number.rjust(10, b"\x01"),
            keys=[],
            transport_key=self.services[city].sam_transport_key(psam_id=number.rjust(10, b"\x01")),
            randomness=self.randomness,
        )
        self.modules[number.rjust(10, b"\x01")] = psam
        self.give(psam, versions)
        return psam

    def give(self, psam: Psam, versions: tuple[int, ...]) -> None:
        names = [KeyName(purpose=Purpose.PURCHASE, algorithm="TDES", version=version) for version in versions]
        psam.power_up()
        give_module_keys(self.folder, psam, names, self.services["shenzhen"])
        psam.power_up()

    def terminal(
        self,
        city: str,
        number: int,
        *,
        periods: tuple[KeyPeriod, ...] = (),
        versions: tuple[int, ...] = (1, 2),
    ) -> PurseTerminal:
        issuers = {issuer_number(name): f"issuer.{name}" for name in CITIES}
        device = dataclasses.replace(
            make_device(), issuers=issuers, region=bytes.fromhex(CITIES[city][:4]), key_periods=periods
        )
        made = PurseTerminal(device, self.module(city, versions), FlatPricer(), dt.date(2019, 1, 1))
        self.terminals[city, number] = made
        return made

    def tap(self, terminal: PurseTerminal, card: Card, at: dt.datetime, fare: int = 200) -> TapOutcome:
        outcome = terminal.tap(card, kind=TapKind.BOARD, line=1, station=1, gross_fare=fare, at=at)
        if outcome.record is not None:
            self.records.append(outcome.record)
        return outcome


def balance(card: Card) -> int:
    card.power_up()
    card.transmit(b"\x00\xa4\x04\x00\x08" + PROFILE.aid)
    return int.from_bytes(card.transmit(bytes.fromhex("805C000204"))[:4], "big")
