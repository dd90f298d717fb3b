"""How small a card of four authorities is at rest: transit, fuel, social security and a bank, made by APDUs alone.

Its base is the specimen of the order: made as every card of it, for nobody, with keys that open nothing
(`jinka.card.image.ImageBase.of_specimen`). What is weighed is all that a holder's card has of its own: derived keys,
domain keys, the bank's RSA pair and certificates, names and balances. The issuer that keeps such cards does as here:
make the specimen once, keep its memory, and give every card and image the same base.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from jinka.app.bench_purchase import ISSUER, REGION_FACTOR, FlatPricer, KeyRoots, make_device, make_module
from jinka.card import Card, CardImage, ImageBase, Nvm, Personal, record_contents
from jinka.card.domains import with_issuer_domain
from jinka.card.emv_issue import Authority, EmvHolder, environment_contents
from jinka.card.emv_issue import contents as bank_contents
from jinka.card.files import ISSUER_AID, blank_memory
from jinka.codec import Algorithm
from jinka.crypto.emv_oda import PrivateKey
from jinka.crypto.scp import KeyFamily, KeySet
from jinka.issuer.field_update import FieldUpdate
from jinka.kit import JinkaError, Randomness
from jinka.profile import ApplicationProfile, KeySpec, KeyUse
from jinka.sectors import bank, fuel, social_security, transit_shenzhen
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import TapKind
from jinka.terminal import PurseTerminal, TapStatus

_AT = dt.datetime(2018, 9, 1, 8, 30)
_TAPS = 40
_CARD_NO = bytes.fromhex("00005180000000000001")
_ENTRY = (bank.AID_DEBIT, "PBOC DEBIT", 1)
_ENVIRONMENT = Personal(card_no=bytes(10), keys=(), contents=environment_contents([_ENTRY]))
_FROM, _TO = dt.date(2018, 1, 1), dt.date(2028, 12, 31)
_HOLDER = EmvHolder(
    pan="6228000112345678", sequence=1, effective=_FROM, expiry=_TO, pin="123456", ecash_fen=100_000
)
_NOBODY = EmvHolder(pan="6228000000000003", sequence=1, effective=_FROM, expiry=_TO)
_VALUES = {
    "card id": "330300D15600000599110145FFFFFFFF",
    "class": "1",
    "version": "3.00",
    "initialiser": "330300D15600000599110145",
    "issued on": "20180901",
    "valid until": "20280831",
    "card number": "A12345678",
    "social security number": "11010519491231002X",
    "name": "张三",
    "sex": "1",
    "nation": "01",
    "birthplace": "110105",
    "born on": "19491231",
}
_NO_VALUES = _VALUES | {
    "card id": "0" * 32,
    "initialiser": "0" * 24,
    "card number": "A00000000",
    "social security number": "0" * 18,
    "name": "样卡",
    "birthplace": "000000",
    "born on": "20000101",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What differs between a holder's card and the specimen. ``randomness`` None makes keys of zeros."""

    transit_keys: tuple[bytes, ...]
    balance: int
    holder: EmvHolder
    icc: PrivateKey
    values: dict[str, str]
    randomness: Randomness | None

    def keys(self, specs: tuple[KeySpec, ...]) -> tuple[bytes, ...]:
        """An application's keys; PINs, which the bank's holder has, are of three bytes."""
        return tuple(self.secret(3 if spec.use is KeyUse.PIN else 16) for spec in specs)

    def secret(self, size: int) -> bytes:
        return bytes(size) if self.randomness is None else self.randomness.token_bytes(size)

    def domain_keys(self) -> KeySet:
        enc, mac, dek = (self.secret(16) for _ in range(3))
        return KeySet(version=1, family=KeyFamily.AES, enc=enc, mac=mac, dek=dek)


def wallet_image_bytes(authority: Authority, pairs: tuple[PrivateKey, PrivateKey]) -> tuple[int, int]:
    """Bytes of a card of four applications, as issued and after 40 rides; ``pairs``: the specimen's key, a card's."""
    randomness = SeededRandomness("bench wallet")
    roots = KeyRoots.drawn(Algorithm.TDES, randomness)
    zeros = tuple(bytes(16) for _ in transit_shenzhen.PROFILE.keys)
    nobody = _Order(
        transit_keys=zeros, balance=0, holder=_NOBODY, icc=pairs[0], values=_NO_VALUES, randomness=None
    )
    holder = _Order(
        transit_keys=roots.card_keys(_CARD_NO),
        balance=1_000_000,
        holder=_HOLDER,
        icc=pairs[1],
        values=_VALUES,
        randomness=randomness,
    )
    base = ImageBase.of_specimen("bench wallet", 1, bytes(_made(nobody, authority).nvm.memory))
    card = Card(_made(holder, authority).nvm, randomness, base)
    fresh = _weighed(card, base)
    psam = make_module(roots, REGION_FACTOR[:6], randomness)
    bus = PurseTerminal(make_device(), psam, FlatPricer(), _AT.date())
    for tap in range(_TAPS):
        at = _AT + dt.timedelta(minutes=tap)
        ride = bus.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=200, at=at)
        if ride.status is not TapStatus.DONE:
            raise JinkaError(f"{ride.status.value}", where="bench card, four applications")
    return fresh, _weighed(card, base)


def _weighed(card: Card, base: ImageBase) -> int:
    """The bytes of a card's image, which has to give back the card."""
    raw = card.to_image().to_bytes()
    if CardImage.from_bytes(raw, {base.id: base}).memory() != card.nvm.memory:
        raise JinkaError("the image is not the card", where="bench card, four applications")
    return len(raw)


def _made(order: _Order, authority: Authority) -> Card:
    """A card from the factory on: the issuer makes a domain for each authority, which fills it over its own channel."""
    keys, host = order.domain_keys(), SeededRandomness("bench wallet host")
    card = Card(Nvm(with_issuer_domain(blank_memory(), keys)), SeededRandomness("bench wallet card"))
    for number, applications in enumerate(_applications(order, authority), 1):
        aid, own = bytes.fromhex("D15600010100") + bytes((number,)), order.domain_keys()
        names = [profile.aid for profile, _ in applications]
        names += [folder.name for profile, _ in applications for folder in profile.folders]
        issuer = FieldUpdate(card, domain=ISSUER_AID, keys=keys, randomness=host)
        issuer.open()
        issuer.make_domain(aid, quota=8000, names=names)
        hand_over = FieldUpdate(card, domain=aid, keys=keys, randomness=host)
        hand_over.open()
        hand_over.put_keys(own)
        update = FieldUpdate(card, domain=aid, keys=own, randomness=host)
        update.open()
        for profile, personal in applications:
            update.load(profile)
            update.install(profile)
            update.personalise(profile, personal)
    return card


def _applications(order: _Order, authority: Authority) -> Iterator[list[tuple[ApplicationProfile, Personal]]]:
    """Of the four authorities, one after another."""
    transit, social = transit_shenzhen.PROFILE, social_security.PROFILE
    yield [
        (
            transit,
            Personal(card_no=_CARD_NO, keys=order.transit_keys, issuer=ISSUER, balance=order.balance),
        )
    ]
    fuel_keys = order.keys(fuel.PROFILE.keys)
    yield [
        (
            fuel.PROFILE,
            Personal(card_no=_CARD_NO, keys=fuel_keys, issuer=ISSUER, balance=order.balance),
        )
    ]
    records = record_contents(social_security.RECORDS, order.values)
    yield [(social, Personal(card_no=bytes(10), keys=order.keys(social.keys), contents=records))]
    files = bank_contents(bank.SPEC, order.holder, authority, order.icc)
    *bank_keys, _ = order.keys(bank.PROFILE.keys)
    held = Personal(card_no=bytes(10), keys=(*bank_keys, order.holder.pin_bytes), contents=files)
    yield [(bank.PROFILE, held), (bank.ENVIRONMENT, _ENVIRONMENT)]
