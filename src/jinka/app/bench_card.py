"""How fast cards are made and used on one core, and how small they are at rest.

Everything by APDU: a purchase is a whole transit tap with its PSAM, an EMV transaction a contact purchase with dynamic
data authentication, offline PIN, an online answer and the second cryptogram, a qPBOC tap an offline purchase with the
card's signature checked. A personalised card has its keys derived, its image cloned, packed and sealed. For bank cards
three rates stand apart: without offline authentication; with a key from a pool and the issuer's two signatures over key
and data; and drawing the pool's keys, which each card with dynamic authentication needs one of and nothing can save. A
card is weighed with transit alone and with the applications of four authorities (`jinka.app.bench_wallet`).
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
from jinka.app.bench_wallet import wallet_image_bytes
from jinka.app.card_files import ISSUER_NUMBER, make_test_keys, sealed_file, template_of
from jinka.card import Card
from jinka.card.emv_issue import Authority, EmvHolder
from jinka.card.emv_template import EmvTemplate
from jinka.codec import Algorithm
from jinka.codec.bcd import digits_to_bcd
from jinka.crypto.emv_oda import CaKey, sign_issuer
from jinka.crypto.rsa_sign import draw_private_key
from jinka.issuer.bank_production import KeyPool, make_bank_cards
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
_CA_BITS, _ISSUER_BITS, _CARD_BITS, _KEYS = 1152, 1024, 1024, 50
_NO_ODA = Tvr.ODA_NOT_DONE | Tvr.SDA_FAILED | Tvr.DDA_FAILED | Tvr.CDA_FAILED


def bench_card(seconds: float = 10.0) -> dict[str, object]:
    """All rates and sizes; each rate is the median of three rounds on one core."""
    share = seconds / 6
    purchases = bench_purchase(2 * share)
    emv_rate, qpboc_rate = _bank_rates(share)
    fresh, used = _image_bytes()
    *_, authority, _ = _bank(SeededRandomness("bench wallet bank"))
    pairs = draw_private_key(_CARD_BITS), draw_private_key(_CARD_BITS)
    wallet_fresh, wallet_used = wallet_image_bytes(authority, pairs)
    return {
        "bench": "card",
        "purchases_per_second": purchases["rate_per_second"],
        "purchase_peer": purchases["peer"],
        "purchase_peer_per_second": purchases["peer_rate_per_second"],
        "emv_contact_per_second": emv_rate,
        "qpboc_taps_per_second": qpboc_rate,
        "personalised_cards_per_second": _personalisation_rate(share),
        **_bank_card_rates(share / 3),
        "image_bytes_fresh": fresh,
        "image_bytes_used": used,
        "million_used_cards_mib": round(used * 1_000_000 / 2**20),
        "four_applications_image_bytes_fresh": wallet_fresh,
        "four_applications_image_bytes_used": wallet_used,
        "million_used_cards_of_four_mib": round(wallet_used * 1_000_000 / 2**20),
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
    template, masters, authority, ca_key = _bank(randomness)
    images = make_bank_cards(
        [_holder(number) for number in range(_CARDS)],
        spec=bank.SPEC,
        template=template,
        masters=masters,
        authority=authority,
        pool=KeyPool(draw_private_key(_CARD_BITS) for _ in range(_CARDS)),
    )
    cards = [Card.from_image(image, randomness) for image in images]
    application = AidData(
        aid=bank.AID_DEBIT[:7], contactless_floor_fen=60_000, contactless_cvm_fen=60_000
    )  # floor limit 0: every contact purchase goes online
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


def _bank_card_rates(share: float) -> dict[str, int]:
    """Of bank cards with and without the issuer's two RSA signatures, and of drawing the keys that they are given."""
    randomness = SeededRandomness("bench bank cards")
    keys, masters, authority, _ = _bank(randomness)
    pairs = [draw_private_key(_CARD_BITS) for _ in range(_KEYS)]
    numbers = iter(range(100_000_000))

    def drawn() -> int:
        draw_private_key(_CARD_BITS)
        return 1

    def made(authority: Authority | None, pool: Callable[[], KeyPool | None]) -> int:
        holders = [_holder(next(numbers)) for _ in pairs]
        images = make_bank_cards(
            holders, spec=bank.SPEC, template=keys, masters=masters, authority=authority, pool=pool()
        )
        for row, image in enumerate(images):
            sealed_file(image.to_bytes(), f"bench|{row}", test_keys)
        return len(holders)

    test_keys = make_test_keys()
    made(None, lambda: None)  # the kernels' first use loads them
    return {
        "bank_cards_without_rsa_per_second": _rate(lambda: made(None, lambda: None), share),
        "bank_cards_per_second": _rate(lambda: made(authority, lambda: KeyPool(pairs)), share),
        "rsa_keys_per_second": _rate(drawn, share),
    }


def _bank(randomness: Randomness) -> tuple[EmvTemplate, IssuerKeys, Authority, CaKey]:
    masters = IssuerKeys(*(randomness.token_bytes(16) for _ in range(3)))
    ca, issuer = draw_private_key(_CA_BITS), draw_private_key(_ISSUER_BITS)
    certificate, remainder = sign_issuer(
        ca, issuer.public, identifier="622800", expiry=b"\x12\x29", serial=b"\0\0\1"
    )
    authority = Authority(ca_index=0x61, key=issuer, certificate=certificate, remainder=remainder)
    ca_key = CaKey(bank.AID_DEBIT[:5], authority.ca_index, ca.public, dt.date(2030, 12, 31))
    return EmvTemplate(bank.PROFILE, bank.ENVIRONMENT, [_ENTRY]), masters, authority, ca_key


def _holder(number: int) -> EmvHolder:
    return EmvHolder(
        pan=f"62280001{number:08d}",
        sequence=1,
        effective=dt.date(2018, 1, 1),
        expiry=dt.date(2028, 12, 31),
        pin=_PIN,
        ecash_fen=100_000,
    )
