"""Two stations of an oil company, its cards, and the issuer's host that releases them online."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache

import numpy as np

from jinka.card import Card, CardTemplate, Personal, Psam, SamKey, make_psam
from jinka.card.psam_keys import GREY_TYPE
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.crypto import mac4, tac_key
from jinka.issuer import ReleaseHost
from jinka.keys import Purpose, SoftKeyService, card_factor, hold_ceremony
from jinka.profile import ApplicationProfile, KeyUse
from jinka.sectors.fuel import PROFILE, PROFILE_SM4
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import FuelDevice, FuelState, FuelTerminal

AT = dt.datetime(2024, 5, 1, 9, 30, 0)
ISSUER = bytes.fromhex("1000000000000001")
CARD_NO = bytes.fromhex("00009010000000012345")
PUMP_1, PUMP_2, FAR_PUMP = (bytes.fromhex(f"10000000000{n}") for n in (1, 2, 9))
PSAM_NAME = b"JINKA.PSAM"


@cache
def open_keys(seed: str = "fuel") -> SoftKeyService:
    """The issuer's key service, with roots of its own for each seed."""
    ceremony = hold_ceremony(
        issuer="iss.oil",
        date="2024-01-01",
        custodians=("a", "b", "c"),
        randomness=SeededRandomness(seed),
        simulated=True,
    )
    return SoftKeyService.open(ceremony.sealed, list(ceremony.shares[:2]), region="1000")


def chip_key(keys: SoftKeyService, purpose: str, algorithm: Algorithm, card_no: bytes) -> bytes:
    """One card's key; nothing for the PIN, which no service derives."""
    if not purpose:
        return b""
    factor = np.frombuffer(card_factor(card_no), np.uint8).reshape(1, 8)
    [key] = keys.chip_keys(Purpose(purpose), algorithm=algorithm, version=1, factors8=factor)
    return key.tobytes()


class Oil:
    """The issuer's keys and host, one card and as many pumps as are asked for."""

    def __init__(
        self,
        profile: ApplicationProfile = PROFILE,
        algorithm: Algorithm = Algorithm.TDES,
        balance: int = 50_000,
        seed: str = "fuel",
        card_no: bytes = CARD_NO,
    ) -> None:
        self.algorithm = algorithm
        self.profile = profile if algorithm is Algorithm.TDES else PROFILE_SM4
        assert self.profile.purse_spec.grey is not None
        self.grey = self.profile.purse_spec.grey
        self.randomness = SeededRandomness("fuel")
        self.keys = open_keys(seed)
        self.card_no = card_no
        self.host = ReleaseHost(self.keys, AT.date())
        keys = tuple(chip_key(self.keys, k.service_purpose, algorithm, card_no) for k in self.profile.keys)
        personal = Personal(card_no=card_no, keys=keys, issuer=ISSUER, balance=balance)
        self.card = Card.from_image(CardTemplate(self.profile).clone(personal), self.randomness)
        self.start = balance

    def card_key(self, use: KeyUse) -> bytes:
        [purpose] = [key.service_purpose for key in self.profile.keys if key.use is use]
        return chip_key(self.keys, purpose, self.algorithm, self.card_no)

    def psam(self, number: bytes) -> Psam:
        root = self.keys.sam_key(Purpose.GREY_LOCK, algorithm=self.algorithm, version=1)
        keys = [SamKey(version=1, algorithm=self.algorithm, level=2, key=root, type=GREY_TYPE)]
        return make_psam(
            terminal_id=number,
            psam_id=number.rjust(10, b"\x01"),
            keys=keys,
            transport_key=bytes(16),
            randomness=self.randomness,
        )

    def pump(
        self,
        number: bytes = PUMP_1,
        station: str = "station-a",
        psam: Psam | None = None,
        *,
        date: dt.date | None = None,
        state: FuelState | None = None,
        keep: Callable[[bytes], None] | None = None,
    ) -> FuelTerminal:
        device = FuelDevice(
            aid=self.profile.aid,
            profile=self.profile.name,
            profile_version=1,
            purse=2,
            key_index=1,
            release_key_index=1,
            grey=self.grey,
            station=station,
            zone="Asia/Shanghai",
            product="fuel",
            operator="op.oil",
            acquirer="acq.oil",
            issuers={ISSUER: "iss.oil"},
            psam_name=PSAM_NAME,
        )
        return FuelTerminal(device, psam or self.psam(number), date or AT.date(), state=state, keep=keep)

    def tac(self, record: ClearingRecord) -> bytes:
        """The TAC that a release must carry (CJ/T 304)."""
        data = (
            record.amount.to_bytes(4, "big")
            + bytes((record.txn_type,))
            + record.terminal_id
            + record.terminal_serial.to_bytes(4, "big")
            + record.local_date
            + record.local_time
        )
        key = chip_key(self.keys, "tac", self.algorithm, self.card_no)
        return mac4(self.algorithm, tac_key(self.algorithm, key), data)

    def balance(self) -> int:
        self.card.nvm.cut_after(None)
        self.card.power_up()
        aid = self.profile.aid
        self.card.transmit(b"\x00\xa4\x04\x00" + bytes((len(aid),)) + aid)
        return int.from_bytes(self.card.transmit(bytes.fromhex("805C000204"))[:4], "big")
