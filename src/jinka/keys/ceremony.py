"""The first key ceremony: roots are drawn, sealed under a wrapping key, and that key is parted among custodians.

Any M of N shares open the store, or N components that are all needed (`jinka.keys.shares`). The record of a ceremony
holds check values and no secret. What is done to a store later is in `jinka.keys.acts`, the signed records of all of
it in `jinka.keys.minutes`. Who calls writes the files, each share to a place of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jinka.codec import Algorithm
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.pairs import draw_pair
from jinka.keys.port import Purpose
from jinka.keys.provider import PAIRS, KeyKind
from jinka.keys.shares import Share, Sharing
from jinka.keys.store import CIPHER, VERSION, KeyStore, new_store, read_header, root_check
from jinka.kit import Randomness, Usage

NEEDED = 2
HMAC, GCM = KeyKind.HMAC.value, KeyKind.GCM.value

_VERSIONS = {
    Purpose.PURCHASE: 3,
    Purpose.LOAD: 1,
    Purpose.TAC: 3,
    Purpose.MAINTENANCE: 1,
    Purpose.GREY_LOCK: 1,
    Purpose.UNLOAD: 1,
    Purpose.OVERDRAFT: 1,
    Purpose.PIN_UNBLOCK: 1,
    Purpose.PIN_RELOAD: 1,
}
_BANK = (Purpose.CRYPTOGRAM, Purpose.SCRIPT_MAC, Purpose.SCRIPT_DATA)  # masters of debit and credit cards
SEALING = (  # what a service seals records at rest with
    KeyName(purpose=Purpose.RECORD_SEAL, algorithm=GCM, version=1),
    KeyName(purpose=Purpose.RECORD_SEAL, algorithm=HMAC, version=1),
)
_SEALS = ((Purpose.BATCH_SEAL, HMAC), (Purpose.RECORD_SEAL, GCM), (Purpose.RECORD_SEAL, HMAC))


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyRecord:
    """Who made what, with check values: for the auditors' file. No secret is in it."""

    issuer: str
    date: str  # YYYY-MM-DD
    custodians: tuple[str, ...]
    needed: int
    sharing: Sharing
    wrapping_check: str
    roots: tuple[tuple[str, str], ...]  # (name, check value in hex)
    simulated: bool

    def as_dict(self) -> dict[str, Any]:
        return {
            "format": "jinka.ceremony",
            "version": VERSION,
            "issuer": self.issuer,
            "date": self.date,
            "custodians": list(self.custodians),
            "needed": self.needed,
            "sharing": self.sharing.value,
            "cipher": CIPHER,
            "wrapping_check": self.wrapping_check,
            "roots": dict(self.roots),
            "simulated": self.simulated,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony:
    """What a ceremony leaves behind: the sealed store, a share for each custodian, and the record."""

    sealed: bytes = field(repr=False)
    shares: tuple[Share, ...]
    record: CeremonyRecord


def hold_ceremony(
    *,
    issuer: str,
    date: str,
    custodians: tuple[str, ...],
    randomness: Randomness,
    simulated: bool,
    needed: int = NEEDED,
    sharing: Sharing = Sharing.SHAMIR,
    names: Sequence[KeyName] = (),
) -> Ceremony:
    """Draw all roots, seal them, and part the wrapping key among different custodians; any ``needed`` open it.

    An issuer's roots, unless ``names`` says which keys alone are wanted.
    """
    if not issuer:
        raise Usage("no issuer", where="ceremony", fix="name the issuer whose keys these are")
    roots = {name: draw_secret(name, randomness) for name in names or issuer_names()}
    records = {name: KeyRecord(name=name, check=root_check(name, secret)) for name, secret in roots.items()}
    store = KeyStore(issuer=issuer, simulated=simulated, roots=roots, records=records)
    sealed, shares = new_store(
        store, custodians, needed=needed, sharing=sharing, serial=1, randomness=randomness
    )
    return Ceremony(
        sealed=sealed,
        shares=shares,
        record=CeremonyRecord(
            issuer=issuer,
            date=date,
            custodians=custodians,
            needed=needed,
            sharing=sharing,
            wrapping_check=read_header(sealed).check,
            roots=tuple((str(name), record.check) for name, record in records.items()),
            simulated=simulated,
        ),
    )


def key_bytes(name: KeyName) -> int:
    """How long a key of this name is when it is drawn here as bytes."""
    return 32 if name.algorithm in (HMAC, GCM) else 16


def draw_secret(name: KeyName, randomness: Randomness) -> bytes:
    """A fresh value for a key of this name: bytes, or the private value of a key pair."""
    pair = next((kind for kind in PAIRS if kind.value == name.algorithm), None)
    if pair is not None:
        return draw_pair(pair, randomness)
    return randomness.token_bytes(key_bytes(name))


def issuer_names() -> list[KeyName]:
    """The roots of an issuer. Access keys are added by what they open (`jinka.keys.hierarchy.chip_key_name`)."""
    cards = [
        KeyName(purpose=purpose, algorithm=algorithm.name, version=version)
        for purpose, last in _VERSIONS.items()
        for algorithm in Algorithm
        for version in range(1, last + 1)
    ]
    seals = [KeyName(purpose=p, algorithm=a, version=1) for p, a in _SEALS]
    return cards + seals + [KeyName(purpose=p, algorithm=a.name, version=1) for p in _BANK for a in Algorithm]
