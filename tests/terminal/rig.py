"""A small city for the terminal's tests: one root of each kind, one gate, one bus, one load counter."""

from __future__ import annotations

import datetime as dt

from jinka.app.bench_purchase import (
    ISSUER,
    REGION_FACTOR,
    FlatPricer,
    KeyRoots,
    make_cards,
    make_device,
    make_module,
)
from jinka.card import Card
from jinka.codec import Algorithm, TransactionType
from jinka.codec.clearing import ClearingRecord
from jinka.crypto import diversify, load_session, mac4, tac_key
from jinka.kit import Refused
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import Mode, Pricer
from jinka.terminal import LoadDevice, LoadRequest, LoadTerminal, PurseTerminal

AT = dt.datetime(2018, 9, 1, 8, 30, 0)
BUS, GATE, COUNTER = (
    bytes.fromhex("440300000001"),
    bytes.fromhex("440300000002"),
    bytes.fromhex("440300000003"),
)

__all__ = ["AT", "BUS", "COUNTER", "GATE", "ISSUER", "REGION_FACTOR", "City", "Issuer"]


class Issuer:
    """The issuer's host: the only one that can make MAC2 of a load and check a TAC."""

    def __init__(self, roots: KeyRoots) -> None:
        self.roots = roots
        self.refuses = False

    def authorise(self, request: LoadRequest) -> bytes:
        key = diversify(request.algorithm, self.roots.load, request.factor8)
        session = load_session(request.algorithm, key, request.rand4, request.online_counter)
        if self.refuses or mac4(request.algorithm, session, request.mac1_data) != request.mac1:
            raise Refused("MAC1 is wrong", where="load")
        return mac4(request.algorithm, session, request.mac2_data)

    def tac(self, record: ClearingRecord) -> bytes:
        """The TAC that this record must carry (JR/T 0025.1)."""
        key = tac_key(record.algorithm, diversify(record.algorithm, self.roots.tac, record.card_no[2:]))
        head = record.amount.to_bytes(4, "big") + bytes((record.txn_type,)) + record.terminal_id
        moment = record.local_date + record.local_time
        if record.txn_type == TransactionType.EP_LOAD:
            before = record.balance.to_bytes(4, "big") + record.counter.to_bytes(2, "big")
            return mac4(record.algorithm, key, before + head + moment)
        return mac4(record.algorithm, key, head + record.terminal_serial.to_bytes(4, "big") + moment)

    def message_mac(self, card_no: bytes, rand4: bytes, message: bytes) -> bytes:
        from jinka.card.access import message_mac4

        key = diversify(self.roots.algorithm, self.roots.maintenance, card_no[2:])
        return message_mac4(self.roots.algorithm, key, rand4, message)


class City:
    """Roots, issuer, cards and terminals of one algorithm."""

    def __init__(self, algorithm: Algorithm = Algorithm.TDES, *, balance: int = 5000, cards: int = 2) -> None:
        self.randomness = SeededRandomness("city")
        self.roots = KeyRoots.drawn(algorithm, self.randomness)
        self.issuer = Issuer(self.roots)
        self.cards: list[Card] = make_cards(self.roots, cards, balance, self.randomness)
        self.bus = self.terminal(BUS, Mode.BUS)
        self.gate = self.terminal(GATE, Mode.METRO)
        self.counter = LoadTerminal(
            LoadDevice(
                terminal_id=COUNTER,
                aid=PROFILE.aid,
                profile=PROFILE.name,
                profile_version=PROFILE.version,
                key_index=1,
                zone="Asia/Shanghai",
                operator="op.sz.load",
                acquirer="acq.sz",
                issuers={ISSUER: "iss.sz"},
            ),
            AT.date(),
        )

    def terminal(
        self, number: bytes, mode: Mode, *, pricer: Pricer | None = None, key_index: int = 1
    ) -> PurseTerminal:
        psam = make_module(self.roots, number, self.randomness)
        return PurseTerminal(
            make_device(mode=mode, key_index=key_index), psam, pricer or FlatPricer(), AT.date()
        )


def balance(card: Card) -> int:
    """What the card itself says after a fresh start."""
    card.power_up()
    card.transmit(b"\x00\xa4\x04\x00\x08" + PROFILE.aid)
    return int.from_bytes(card.transmit(bytes.fromhex("805C000204"))[:4], "big")
