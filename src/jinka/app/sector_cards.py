"""The cards of a journey: real virtual cards, a security domain for each application, filled by its authority.

GlobalPlatform 2.3.1 from the factory's card on: the issuer makes the domains and hands them over, then each authority
loads, installs and personalises its own application over SCP03. Keys come from the key service of the application's
issuer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from jinka.app.sector_emv import emv_personal
from jinka.card import Card, Nvm, Personal
from jinka.card.domains import with_issuer_domain
from jinka.card.files import ISSUER_AID, blank_memory
from jinka.card.records import record_contents
from jinka.crypto.scp import KeyFamily, KeySet
from jinka.declaration import JourneyCard, Sector, Start
from jinka.issuer import FieldUpdate
from jinka.keys import SoftKeyService, card_factor
from jinka.keys.hierarchy import chip_key_name, chip_keys_of
from jinka.kit import Randomness, Usage
from jinka.profile import ApplicationKind, ApplicationProfile, KeySpec, KeyUse
from jinka.profile.records import RecordSpec
from jinka.reports.day import Text
from jinka.sim.field import Reader
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import HolderClass

_CARD_NUMBERS = 9000_0000_0000_0000
_DOMAIN_AID = bytes.fromhex("D156000501")
_REGISTRY = 64  # a domain, a package and an instance for each application, and the issuer's own
_NAME_MAX = 15  # a package is named after its application and its version: the domain may give both


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application of one card, and what its authority needs to reach it."""

    profile: ApplicationProfile
    sector: Sector
    holder: HolderClass
    domain: bytes
    keys: KeySet


@dataclass(slots=True)
class VirtualCard:
    """A card and its applications by profile; ``opening`` are offline counter, online counter and balance.

    The openings are those of the next clearing.
    """

    name: str
    title: Text
    number: bytes
    holder: str
    link: Reader
    applications: dict[str, Application]
    opening: dict[str, tuple[int, int, int]]
    randomness: Randomness
    lost: bool = False

    def session(self, application: str) -> FieldUpdate:
        """An open session of an authority with its own domain on the card."""
        made = self.applications[application]
        update = FieldUpdate(self.link, domain=made.domain, keys=made.keys, randomness=self.randomness)
        update.open()
        return update


class Issuers(Protocol):
    """Who knows the applications, their issuers and their keys."""

    randomness: SeededRandomness

    @property
    def label(self) -> str:
        """Tells this journey's keys from others'."""
        ...

    def sector_of(self, application: str) -> Sector: ...

    def profile(self, application: str) -> ApplicationProfile: ...

    def record_specs(self, application: str) -> tuple[RecordSpec, ...]: ...

    def keys(self, sector: Sector) -> SoftKeyService: ...

    def issuer_number(self, sector: Sector) -> bytes: ...

    def demand(self, application: str, card_no: bytes, *, further: bool) -> None:
        """Enter a card into the register, or ask it for a further application; `Refused` where it is not granted."""
        ...


def make_card(issuers: Issuers, wanted: JourneyCard, place: int) -> VirtualCard:
    """Make the card, the ``place``-th of its journey, and put its applications onto it."""
    number = bytes.fromhex(f"0000{_CARD_NUMBERS + place:016d}")
    factory = _key_set(f"{issuers.label}|factory of {wanted.name}")
    memory = with_issuer_domain(blank_memory(), factory, kdd10=number, records=_REGISTRY)
    chip = Card(Nvm(memory), SeededRandomness(f"{issuers.label}|chip {wanted.name}"))
    card = VirtualCard(
        name=wanted.name, title=Text(wanted.title_en, wanted.title_zh), number=number, holder=wanted.holder,
        link=Reader(chip), applications={}, opening={}, randomness=issuers.randomness,
    )  # fmt: skip
    for start in wanted.starts:
        put_on(issuers, card, start)
    return card


def put_on(issuers: Issuers, card: VirtualCard, start: Start) -> None:
    """The card's issuer makes a domain and hands it over; the authority puts its application into it.

    No card is personalised that is not in the register, for its first application; each further one needs its own
    issuer's grants, whenever it is put on.
    """
    issuers.demand(start.application, card.number, further=bool(card.applications))
    domain = _DOMAIN_AID + bytes((0, len(card.applications) + 1))
    factory = _key_set(f"{issuers.label}|factory of {card.name}")
    sector, profile = issuers.sector_of(start.application), issuers.profile(start.application)
    keys = _key_set(f"{issuers.label}|{profile.name} on {card.name}")
    issuer = FieldUpdate(card.link, domain=ISSUER_AID, keys=factory, randomness=issuers.randomness)
    issuer.open()
    names = (profile.aid[:_NAME_MAX], *(folder.name for folder in profile.folders))
    issuer.make_domain(domain, quota=0, names=names)
    handed = FieldUpdate(card.link, domain=domain, keys=factory, randomness=issuers.randomness)
    handed.open()
    handed.put_keys(keys)
    made = Application(profile=profile, sector=sector, holder=start.holder, domain=domain, keys=keys)
    card.applications[profile.name] = made
    update = card.session(profile.name)
    update.load(profile)
    update.install(profile)
    update.personalise(profile, _personal(issuers, card, made, start))
    card.opening[profile.name] = (0, 0, start.balance)


def _personal(issuers: Issuers, card: VirtualCard, made: Application, start: Start) -> Personal:
    if made.profile.application is ApplicationKind.EMV:
        others = [one.profile for one in card.applications.values()]
        return emv_personal(made.sector, made.profile, card.number, start, others)
    specs = issuers.record_specs(made.profile.name)
    return Personal(
        card_no=card.number,
        keys=tuple(_card_key(issuers, made, key, card.number, start) for key in made.profile.keys),
        holder_class=int(start.holder),
        issuer=issuers.issuer_number(made.sector),
        balance=start.balance,
        start=b"\x20\x00\x01\x01",
        contents=record_contents(specs, start.records) if specs else {},
    )


def _card_key(issuers: Issuers, made: Application, key: KeySpec, number: bytes, start: Start) -> bytes:
    if key.initial:
        return b""
    if key.use is KeyUse.PIN:
        if not start.pin:
            raise Usage("this application has a PIN", where=f"start of {made.profile.name}", fix="give one")
        return pin_bytes(start.pin)
    if not key.service_purpose:
        return _unserved_key(made.profile, key)
    factors = np.frombuffer(card_factor(number), np.uint8).reshape(1, 8)
    [found] = chip_keys_of(issuers.keys(made.sector), chip_key_name(made.profile, key), factors)
    return bytes(found.tobytes())


def _unserved_key(profile: ApplicationProfile, key: KeySpec) -> bytes:
    """A place for what a step puts there later, or a secret of the holder's: the same on all cards of a journey."""
    return SeededRandomness(f"{profile.name}|{key.use}|{key.kid}|{key.folder}").token_bytes(16)


def _key_set(label: str) -> KeySet:
    source = SeededRandomness(label)
    enc, mac, dek = (source.token_bytes(16) for _ in range(3))
    return KeySet(version=1, family=KeyFamily.AES, enc=enc, mac=mac, dek=dek)


def pin_bytes(digits: str) -> bytes:
    """A PIN as the card keeps it: BCD, filled up with F."""
    if not (digits.isascii() and digits.isdigit() and 4 <= len(digits) <= 12):
        raise Usage("a PIN of 4 to 12 digits", where="pin")
    return bytes.fromhex(digits + "F" * (len(digits) % 2))
