"""A bank's counter with the issuer's real hosts and a key service, for cards that have a passbook."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from jinka.card import Card, CardTemplate, Personal
from jinka.codec import Algorithm
from jinka.issuer import LimitHost, LoadHost, UnloadHost
from jinka.sectors.fuel import PROFILE, PROFILE_SM4, PURSE_LIMIT_FEN
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import LoadDevice, LoadTerminal, PassbookDevice, PassbookTerminal
from tests.terminal.fuel_rig import CARD_NO, ISSUER, chip_key, open_keys

AT = dt.datetime(2024, 5, 2, 10, 0, 0)
PIN = bytes.fromhex("999999FF")
DESK = bytes.fromhex("100000000077")


class Bank:
    """One card made with the key service's keys, a counter, and the hosts."""

    def __init__(
        self, algorithm: Algorithm = Algorithm.TDES, *, balance: int = 0, most: int = 50_000
    ) -> None:
        self.profile = PROFILE if algorithm is Algorithm.TDES else PROFILE_SM4
        self.randomness = SeededRandomness("bank")
        self.card_no = CARD_NO
        self.keys = open_keys()
        personal = Personal(
            card_no=CARD_NO,
            keys=tuple(
                chip_key(self.keys, spec.service_purpose, algorithm, CARD_NO) for spec in self.profile.keys
            ),
            issuer=ISSUER,
            balance=balance,
        )
        self.card = Card.from_image(CardTemplate(self.profile).clone(personal), self.randomness)
        self.unloads = UnloadHost(self.keys)
        self.limits = LimitHost(self.keys, most={CARD_NO: most})
        self.loads = LoadHost(self.keys, purse_limit=PURSE_LIMIT_FEN)
        common = {
            "terminal_id": DESK,
            "aid": self.profile.aid,
            "profile": self.profile.name,
            "profile_version": 1,
            "zone": "Asia/Shanghai",
            "operator": "op.bank",
            "acquirer": "acq.oil",
            "issuers": {ISSUER: "iss.oil"},
        }
        device = PassbookDevice(unload_key_index=1, limit_key_index=1, **common)
        self.desk = PassbookTerminal(device, AT.date())
        load = LoadDevice(key_index=1, purse=1, **common)
        self.till = LoadTerminal(load, AT.date())
        self.purse_till = LoadTerminal(replace(load, purse=2), AT.date())

    def says(self, which: int = 1) -> tuple[int, int]:
        """(what can be spent, the overdraft limit), after a fresh start."""
        self.card.nvm.cut_after(None)
        self.card.power_up()
        aid = self.profile.aid
        self.card.transmit(b"\x00\xa4\x04\x00" + bytes((len(aid),)) + aid)
        self.card.transmit(b"\x00\x20\x00\x00" + bytes((len(PIN),)) + PIN)
        spent = self.card.transmit(bytes((0x80, 0x5C, 0, which, 4)))
        limit = self.card.transmit(bytes((0x80, 0x5C, 1, which, 4)))
        assert spent[-2:] == limit[-2:] == b"\x90\x00", (spent.hex(), limit.hex())
        return int.from_bytes(spent[:4], "big"), int.from_bytes(limit[:4], "big")
