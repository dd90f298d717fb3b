"""Which root makes which card key, and by which factors (JR/T 0025.1, key diversification; CJ/T 166).

Purchase keys come down two levels: national root, city, card. So the national key in a PSAM meets every
card: the PSAM is given the card's factor first, then the city's, and applies them from the last to the first. Load,
TAC, maintenance and access keys come down one level, from the issuer's root to the card. Each folder of a card that
opens to a key has a root of its own for it, so that who may read one folder opens no other. No key is kept here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jinka.codec import Algorithm
from jinka.keys.catalogue import KeyName
from jinka.keys.port import ChipKeys, Purpose
from jinka.kit import Usage
from jinka.profile import ApplicationProfile, KeySpec

# Levels between the root and the card's key.
LEVELS = {
    Purpose.PURCHASE: 2,
    Purpose.GREY_LOCK: 2,
    Purpose.LOAD: 1,
    Purpose.TAC: 1,
    Purpose.MAINTENANCE: 1,
    Purpose.ACCESS: 1,
    Purpose.UNLOAD: 1,
    Purpose.OVERDRAFT: 1,
    Purpose.PIN_UNBLOCK: 1,
    Purpose.PIN_RELOAD: 1,
    Purpose.CRYPTOGRAM: 1,  # of bank cards (EMV Book 2, A1.4.1), whose factor is number and sequence
    Purpose.SCRIPT_MAC: 1,
    Purpose.SCRIPT_DATA: 1,
}


def city_factor(region: str) -> bytes:
    """The city's factor: its four digits of GB/T 2260 in BCD, FF, five times 00. ``440300`` and ``4403`` agree."""
    if len(region) not in (4, 6) or not (region.isascii() and region.isdigit()):
        raise Usage("not 4 or 6 digits", where="region", fix="a code of GB/T 2260, such as 440300")
    return bytes.fromhex(region[:4]) + b"\xff" + bytes(5)


def card_factor(card_no: bytes) -> bytes:
    """The card's factor: the last 16 digits of its number, 8 bytes of the 10."""
    if len(card_no) != 10:
        raise Usage(f"{len(card_no)} bytes", where="card_no", fix="10 bytes BCD")
    return card_no[2:]


def chip_key_name(profile: ApplicationProfile, key: KeySpec, algorithm: Algorithm | None = None) -> KeyName:
    """The root behind a key of an application: that of its purpose, and for an access key that of what it opens.

    What it opens is the application, the folder (0000 is the application's own) and the key's number on the card:
    ``access/TDES/1@cn.social-security.DF01.2``.
    """
    purpose = Purpose(key.service_purpose)
    place = f"{profile.name}.{key.folder:04X}.{key.kid}" if purpose is Purpose.ACCESS else ""
    kind = key.algorithm if algorithm is None else algorithm
    return KeyName(purpose=purpose, algorithm=kind.name, version=key.version, owner=place)


def chip_keys_of(source: ChipKeys, name: KeyName, factors8: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The keys of N simulated chips under the root of that name, ``(N, 8)`` factors to ``(N, 16)``."""
    return source.chip_keys(
        name.purpose,
        algorithm=Algorithm[name.algorithm],
        version=name.version,
        factors8=factors8,
        owner=name.owner,
    )
