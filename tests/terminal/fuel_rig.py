"""Two stations of an oil company, its cards, and the issuer's host that releases them online."""

from __future__ import annotations

import datetime as dt

from jinka.card import Card, CardTemplate, Personal, Psam, SamKey, make_psam
from jinka.card.psam_keys import GREY_TYPE
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.crypto import diversify, load_session, mac4, tac_key
from jinka.kit import Refused
from jinka.profile import ApplicationProfile, KeyUse
from jinka.sectors.fuel import PROFILE, PROFILE_SM4
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import FuelDevice, FuelTerminal, ReleaseRequest

AT = dt.datetime(2024, 5, 1, 9, 30, 0)
ISSUER = bytes.fromhex("1000000000000001")
REGION = bytes.fromhex("1000FF0000000000")
CARD_NO = bytes.fromhex("00009010000000012345")
PUMP_1, PUMP_2, FAR_PUMP = (bytes.fromhex(f"10000000000{n}") for n in (1, 2, 9))
PSAM_NAME = b"JINKA.PSAM"


class Oil:
    """Roots, one card and as many pumps as are asked for."""

    def __init__(
        self,
        profile: ApplicationProfile = PROFILE,
        algorithm: Algorithm = Algorithm.TDES,
        balance: int = 50_000,
    ) -> None:
        self.algorithm = algorithm
        self.profile = profile if algorithm is Algorithm.TDES else PROFILE_SM4
        assert self.profile.purse_spec.grey is not None
        self.grey = self.profile.purse_spec.grey
        self.randomness = SeededRandomness("fuel")
        self.roots = {key.use: self.randomness.token_bytes(16) for key in self.profile.keys}
        keys = tuple(self.card_key(key.use) for key in self.profile.keys)
        personal = Personal(card_no=CARD_NO, keys=keys, issuer=ISSUER, balance=balance)
        self.card = Card.from_image(CardTemplate(self.profile).clone(personal), self.randomness)
        self.start = balance
        self.debts: dict[bytes, int] = {}

    def card_key(self, use: KeyUse) -> bytes:
        root = self.roots[use]
        if use in (KeyUse.GREY_LOCK, KeyUse.PURCHASE):
            root = diversify(self.algorithm, root, REGION)
        return diversify(self.algorithm, root, CARD_NO[2:])

    def psam(self, number: bytes) -> Psam:
        root = self.roots[KeyUse.GREY_LOCK]
        keys = [SamKey(version=1, algorithm=self.algorithm, level=2, key=root, type=GREY_TYPE)]
        return make_psam(
            terminal_id=number,
            psam_id=number.rjust(10, b"\x01"),
            keys=keys,
            transport_key=bytes(16),
            randomness=self.randomness,
        )

    def pump(
        self, number: bytes = PUMP_1, station: str = "station-a", psam: Psam | None = None
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
            operator="op.oil",
            acquirer="acq.oil",
            issuers={ISSUER: "iss.oil"},
            psam_name=PSAM_NAME,
        )
        return FuelTerminal(device, psam or self.psam(number), AT.date())

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
        return mac4(self.algorithm, tac_key(self.algorithm, self.card_key(KeyUse.TAC)), data)

    def balance(self) -> int:
        self.card.nvm.cut_after(None)
        self.card.power_up()
        aid = self.profile.aid
        self.card.transmit(b"\x00\xa4\x04\x00" + bytes((len(aid),)) + aid)
        return int.from_bytes(self.card.transmit(bytes.fromhex("805C000204"))[:4], "big")

    def release(self, request: ReleaseRequest) -> tuple[int, bytes]:
        """The issuer's host: MAC1 checked, the debt looked up."""
        session = self._session(request)
        if mac4(self.algorithm, session, request.mac1_data) != request.mac1:
            raise Refused("MAC1 is wrong", where="release")
        amount = self.debts.get(request.card_no)
        if amount is None:
            raise Refused("no pump has claimed this lock yet", where="release", fix="come back later")
        return amount, mac4(self.algorithm, session, request.mac2_data(amount))

    def released(self, request: ReleaseRequest, mac3: bytes) -> None:
        amount = self.debts.pop(request.card_no)
        left = (request.balance - amount).to_bytes(4, "big")
        bound = left + request.online_counter.to_bytes(2, "big") + request.mac2_data(amount)
        if mac4(self.algorithm, self._session(request), bound) != mac3:
            raise Refused("MAC3 is wrong", where="release")

    def _session(self, request: ReleaseRequest) -> bytes:
        key = self.card_key(KeyUse.UNLOAD)
        return load_session(self.algorithm, key, request.rand4, request.online_counter)
