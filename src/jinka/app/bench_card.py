"""How fast cards are made and used on one core, and how small they are at rest.

Everything by APDU: a purchase is a whole transit tap with its PSAM, an EMV transaction a contact purchase with dynamic
data authentication, offline PIN, an online answer and the second cryptogram, a qPBOC tap an offline purchase with the
card's signature checked. A personalised card has its keys derived, its image cloned, packed and sealed.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import time
from collections.abc import Callable

from jinka.app.bench_purchase import (
    REGION_FACTOR,
    FlatPricer,
    KeyRoots,
    bench_purchase,
    make_device,
    make_module,
)
from jinka.app.bench_purchase import make_cards as bench_cards
from jinka.app.card_files import ISSUER_NUMBER, make_test_keys, sealed_file, template_of
from jinka.card import Card, Personal
from jinka.card.emv_issue import (
    Authority,
    EmvHolder,
    contents,
    directory_script,
    environment_contents,
    joined,
)
from jinka.card.personalise import script
from jinka.codec import Algorithm
from jinka.codec.bcd import digits_to_bcd
from jinka.crypto import diversify, emv
from jinka.crypto.emv_oda import CaKey, PrivateKey, sign_issuer
from jinka.issuer.emv import EmvIssuer, IssuerKeys
from jinka.issuer.production import CardOrder, make_cards
from jinka.kit import JinkaError, Randomness
from jinka.sectors import bank
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import HolderClass, TapKind
from jinka.terminal import AidData, EmvDevice, EmvTerminal, PurseTerminal, QpbocTerminal, Sale
from jinka.terminal.emv_data import Tvr

_AT = dt.datetime(2018, 9, 1, 8, 30)
_ORDER = 2_000
_TAPS = 40  # of a used card, before its image is weighed
_CARDS = 8
_ENTRY = (bank.AID_DEBIT, "PBOC DEBIT", 1)
_ROUNDS = 3
_PIN = "123456"
_NO_ODA = Tvr.ODA_NOT_DONE | Tvr.SDA_FAILED | Tvr.DDA_FAILED | Tvr.CDA_FAILED


def bench_card(seconds: float = 10.0) -> dict[str, object]:
    """All rates and sizes; each rate is the median of three rounds on one core."""
    share = seconds / 5
    purchases = bench_purchase(2 * share)
    emv_rate, qpboc_rate = _bank_rates(share)
    fresh, used = _image_bytes()
    return {
        "bench": "card",
        "purchases_per_second": purchases["rate_per_second"],
        "purchase_peer": purchases["peer"],
        "purchase_peer_per_second": purchases["peer_rate_per_second"],
        "emv_contact_per_second": emv_rate,
        "qpboc_taps_per_second": qpboc_rate,
        "personalised_cards_per_second": _personalisation_rate(share),
        "image_bytes_fresh": fresh,
        "image_bytes_used": used,
        "million_used_cards_mib": round(used * 1_000_000 / 2**20),
        "rounds": _ROUNDS,
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _rate(step: Callable[[], int], share: float) -> int:
    """Median of the rounds; ``step`` returns how many it did."""
    rates = []
    for _ in range(_ROUNDS):
        done, begin = 0, time.perf_counter()
        while (spent := time.perf_counter() - begin) < share / _ROUNDS:
            done += step()
        rates.append(done / spent)
    return round(statistics.median(rates))


def _personalisation_rate(share: float) -> int:
    keys, template = make_test_keys(), template_of(PROFILE, Algorithm.TDES)
    numbers = iter(range(5_180_000_000_000_000, 5_190_000_000_000_000))

    def order() -> int:
        orders = [
            CardOrder(card_no=digits_to_bcd(str(next(numbers)), 10), holder=HolderClass.ORDINARY, balance=0)
            for _ in range(_ORDER)
        ]
        images = make_cards(
            orders, template=template, algorithm=Algorithm.TDES, issuer=ISSUER_NUMBER, keys=keys
        )
        for row, image in enumerate(images):
            sealed_file(image.to_bytes(), f"bench|{row}", keys)
        return _ORDER

    order()  # the kernels' first use loads them
    return _rate(order, share)


def _image_bytes() -> tuple[int, int]:
    """Of a card as it is issued, and of one that filled its log."""
    randomness = SeededRandomness("bench card images")
    roots = KeyRoots.drawn(Algorithm.TDES, randomness)
    [card] = bench_cards(roots, 1, 1_000_000, randomness)
    fresh = len(card.to_image().to_bytes())
    bus = PurseTerminal(
        make_device(), make_module(roots, REGION_FACTOR[:6], randomness), FlatPricer(), _AT.date()
    )
    for tap in range(_TAPS):
        at = _AT + dt.timedelta(minutes=tap)
        bus.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=200, at=at)
    return fresh, len(card.to_image().to_bytes())


def _bank_rates(share: float) -> tuple[int, int]:
    randomness = SeededRandomness("bench bank")
    masters = IssuerKeys(*(randomness.token_bytes(16) for _ in range(3)))
    ca, issuer_key, card_key = (_key(bits, randomness) for bits in (1152, 1024, 1024))
    cards = [_bank_card(number, masters, ca, issuer_key, card_key) for number in range(_CARDS)]
    application = AidData(
        aid=bank.AID_DEBIT[:7], contactless_floor_fen=60_000, contactless_cvm_fen=60_000
    )  # floor limit 0: every contact purchase goes online
    ca_key = CaKey(bank.AID_DEBIT[:5], 0x61, ca.public, dt.date(2030, 12, 31))
    device = EmvDevice(aids=(application,), ca_keys=(ca_key,))
    terminal, reader = EmvTerminal(device, randomness), QpbocTerminal(device, randomness)
    issuer = EmvIssuer(masters, decide=lambda _: b"00")
    at = _AT

    def contact() -> int:
        nonlocal at
        at += dt.timedelta(seconds=1)
        for card in cards:
            card.power_up()
            outcome = terminal.purchase(card, Sale(amount_fen=1000, at=at, pin=lambda: _PIN), issuer)
            if not outcome.approved or outcome.tvr & _NO_ODA:
                raise JinkaError(f"{outcome.status.value}, {outcome.step}", where="bench card, EMV")
        return len(cards)

    def tap() -> int:
        nonlocal at
        at += dt.timedelta(seconds=1)
        for card in cards:
            card.power_up()
            outcome = reader.tap(card, Sale(amount_fen=1, at=at), issuer)
            if not outcome.approved or outcome.tvr & _NO_ODA:
                raise JinkaError(f"{outcome.status.value}, {outcome.step}", where="bench card, qPBOC")
        return len(cards)

    taps = _rate(tap, share)
    return _rate(contact, share), taps


def _bank_card(number: int, masters: IssuerKeys, ca: PrivateKey, issuer: PrivateKey, own: PrivateKey) -> Card:
    certificate, remainder = sign_issuer(
        ca, issuer.public, identifier="622800", expiry=b"\x12\x29", serial=b"\0\0\1"
    )
    authority = Authority(ca_index=0x61, key=issuer, certificate=certificate, remainder=remainder)
    holder = EmvHolder(
        pan=f"62280001{number:08d}",
        sequence=1,
        effective=dt.date(2018, 1, 1),
        expiry=dt.date(2028, 12, 31),
        pin=_PIN,
        ecash_fen=100_000,
    )
    block = emv.card_block(holder.pan, f"{holder.sequence:02d}")
    roots = (masters.cryptogram, masters.script_mac, masters.script_cipher)
    keys = (*(diversify(Algorithm.TDES, root, block) for root in roots), holder.pin_bytes)
    files = contents(bank.SPEC, holder, authority, own)
    personal = Personal(card_no=bytes(10), keys=keys, contents=files)
    environment = Personal(card_no=bytes(10), keys=(), contents=environment_contents([_ENTRY]))
    scripts = [script(bank.PROFILE, personal), script(bank.ENVIRONMENT, environment)]
    card = Card.blank(SeededRandomness(f"bench bank card {number}"))
    for command in joined(directory_script([_ENTRY]), scripts):
        answer = card.transmit(command)
        if answer[-2:] != b"\x90\x00":
            raise JinkaError(f"SW {answer[-2:].hex().upper()}", where=command[:5].hex())
    return card


def _key(bits: int, randomness: Randomness) -> PrivateKey:
    """A key for this bench alone: its primes come from a seed."""
    return PrivateKey.from_primes(_prime(bits // 2, randomness), _prime(bits // 2, randomness))


def _prime(bits: int, randomness: Randomness) -> int:
    """A prime that leaves 2 when divided by 3, since the public exponent is 3 (Miller-Rabin, 24 bases)."""
    while True:
        drawn = int.from_bytes(randomness.token_bytes(bits // 8), "big") | 3 << bits - 2 | 1
        if drawn % 3 == 2 and all(drawn % small for small in (5, 7, 11, 13, 17, 19, 23)) and _passes(drawn):
            return drawn


def _passes(number: int) -> bool:
    odd, twos = number - 1, 0
    while not odd & 1:
        odd, twos = odd >> 1, twos + 1
    for base in range(2, 26):
        found = pow(base, odd, number)
        if found in (1, number - 1):
            continue
        for _ in range(twos - 1):
            found = found * found % number
            if found == number - 1:
                break
        else:
            return False
    return True
