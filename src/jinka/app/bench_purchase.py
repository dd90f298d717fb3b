"""How many full purchases one core does: terminal, card and PSAM, every step by APDU.

One purchase is one tap: SELECT, three reads, pricing, INITIALIZE, INIT SAM (two diversifications, session, MAC1),
UPDATE CAPP DATA CACHE, DEBIT (session, MAC1, MAC2, TAC), CREDIT SAM (MAC2), and a clearing record. The lower bound
beside it makes the same cipher calls in a straight loop and nothing else.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import time
from dataclasses import dataclass

from jinka.card import Card, CardTemplate, Personal, Psam, SamKey, make_psam
from jinka.codec import Algorithm
from jinka.crypto import diversify, mac4, purchase_session, tac_key
from jinka.kit import Randomness
from jinka.profile import KeyUse
from jinka.sectors.transit_shenzhen import PROFILE, PROFILE_SM4, RIDE_RECORD_ID
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import Charge, Mode, RideFacts, TapKind
from jinka.terminal import DeviceData, PurseTerminal, TapStatus

REGION_FACTOR = bytes.fromhex("4403FF0000000000")
ISSUER = bytes.fromhex("4403000000000001")
PSAM_NAME = b"JINKA.PSAM"
_START = dt.datetime(2018, 9, 1, 6, 0, 0)
_ROUNDS = 3
_CARDS = 200


@dataclass(frozen=True, slots=True)
class FlatPricer:
    """Charges the gross fare on exit and boarding, nothing on entry."""

    def price(self, facts: RideFacts) -> Charge:
        """The gross fare itself."""
        return Charge(0, "entry") if facts.kind is TapKind.ENTRY else Charge(facts.gross_fare, "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRoots:
    """Roots of a bench: the national purchase root and the issuer's load, TAC and maintenance roots."""

    algorithm: Algorithm
    purchase: bytes
    load: bytes
    tac: bytes
    maintenance: bytes

    @classmethod
    def drawn(cls, algorithm: Algorithm, randomness: Randomness) -> KeyRoots:
        """Four fresh roots."""
        roots = [randomness.token_bytes(16) for _ in range(4)]
        return cls(algorithm=algorithm, purchase=roots[0], load=roots[1], tac=roots[2], maintenance=roots[3])

    def __repr__(self) -> str:
        return f"KeyRoots({self.algorithm.name})"

    def card_keys(self, card_no: bytes) -> tuple[bytes, ...]:
        """A card's keys in the order of the transit profile."""
        factor = card_no[2:]
        city = diversify(self.algorithm, self.purchase, REGION_FACTOR)
        by_use = {
            KeyUse.PURCHASE: diversify(self.algorithm, city, factor),
            KeyUse.LOAD: diversify(self.algorithm, self.load, factor),
            KeyUse.TAC: diversify(self.algorithm, self.tac, factor),
            KeyUse.MAINTENANCE: diversify(self.algorithm, self.maintenance, factor),
        }
        return tuple(by_use[key.use] for key in PROFILE.keys)


def make_cards(roots: KeyRoots, count: int, balance: int, randomness: Randomness) -> list[Card]:
    """Cards of the transit profile, numbered from one."""
    template = CardTemplate(PROFILE_SM4 if roots.algorithm is Algorithm.SM4 else PROFILE)
    numbers = [bytes.fromhex(f"0000{5180_0000_0000_0000 + i:016d}") for i in range(1, count + 1)]
    images = [
        template.clone(Personal(card_no=number, keys=roots.card_keys(number), issuer=ISSUER, balance=balance))
        for number in numbers
    ]
    return [Card.from_image(image, randomness) for image in images]


def make_module(roots: KeyRoots, terminal_id: bytes, randomness: Randomness) -> Psam:
    """A PSAM that holds the national key in three versions (one and the same key, for a bench)."""
    keys = [SamKey(version=v, algorithm=roots.algorithm, level=2, key=roots.purchase) for v in (1, 2, 3)]
    return make_psam(
        terminal_id=terminal_id,
        psam_id=terminal_id.rjust(10, b"\x01"),
        keys=keys,
        transport_key=randomness.token_bytes(16),
        randomness=randomness,
    )


def make_device(*, mode: Mode = Mode.BUS, key_index: int = 1) -> DeviceData:
    """A device of Shenzhen transit."""
    return DeviceData(
        aid=PROFILE.aid,
        profile=PROFILE.name,
        profile_version=PROFILE.version,
        ride_record_id=RIDE_RECORD_ID,
        key_index=key_index,
        mode=mode,
        zone="Asia/Shanghai",
        operator="op.sz.bus",
        acquirer="acq.sz",
        issuers={ISSUER: "iss.sz"},
        psam_name=PSAM_NAME,
        region=REGION_FACTOR[:2],
    )


def bench_purchase(seconds: float = 5.0) -> dict[str, object]:
    """Measure both algorithms; the rates are medians of three rounds on one core."""
    share = seconds / 2 / (_ROUNDS * 2)
    measured = {name.name.lower(): _measure(name, share) for name in Algorithm}
    main = measured["tdes"]
    return {
        "bench": "purchase",
        "rate_per_second": main["rate_per_second"],
        "peer": "the same cipher calls of `cryptography` in a straight loop",
        "peer_rate_per_second": main["peer_rate_per_second"],
        "ratio": main["ratio"],
        "by_algorithm": measured,
        "apdus_per_purchase": 9,
        "rounds": _ROUNDS,
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _measure(algorithm: Algorithm, share: float) -> dict[str, object]:
    randomness = SeededRandomness("bench purchase")
    roots = KeyRoots.drawn(algorithm, randomness)
    cards = make_cards(roots, _CARDS, 1_000_000_000, randomness)
    psam = make_module(roots, bytes.fromhex("440300000001"), randomness)
    terminal = PurseTerminal(make_device(), psam, FlatPricer(), _START.date())
    rates, peers = [], []
    for _ in range(_ROUNDS):
        rates.append(_tap_rate(terminal, cards, share))
        peers.append(_cipher_rate(roots, share))
    rate, peer = statistics.median(rates), statistics.median(peers)
    return {
        "rate_per_second": round(rate),
        "peer_rate_per_second": round(peer),
        "ratio": round(rate / peer, 3),
        "image_bytes": len(cards[0].to_image().to_bytes()),
        "memory_bytes": len(cards[0].nvm.memory),
    }


def _tap_rate(terminal: PurseTerminal, cards: list[Card], share: float) -> float:
    done, at = 0, _START
    begin = time.perf_counter()
    while (spent := time.perf_counter() - begin) < share:
        for card in cards:
            outcome = terminal.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=200, at=at)
            if outcome.status is not TapStatus.DONE:
                raise AssertionError(f"a tap of the bench ended as {outcome.status}, SW {outcome.sw:04X}")
        done += len(cards)
        at += dt.timedelta(seconds=1)
    return done / spent


def _cipher_rate(roots: KeyRoots, share: float) -> float:
    """Derive twice, session and MAC1 twice, MAC2 twice, TAC: nine calls, nothing between them."""
    algorithm, factor, rand, serial = roots.algorithm, bytes(8), bytes(4), bytes(4)
    head, done = bytes(18), 0
    begin = time.perf_counter()
    while (spent := time.perf_counter() - begin) < share:
        for _ in range(100):
            key = diversify(algorithm, diversify(algorithm, roots.purchase, REGION_FACTOR), factor)
            for _side in range(2):
                session = purchase_session(algorithm, key, rand, 1, serial)
                mac4(algorithm, session, head)
                mac4(algorithm, session, head[:4])
            mac4(algorithm, tac_key(algorithm, key), head + serial)
        done += 100
    return done / spent
