"""Which root makes which card key, and by which factors (JR/T 0025.1, key diversification; CJ/T 166).

Purchase keys come down two levels: national root, city, card. So the national key in a PSAM meets every
card: the PSAM is given the card's factor first, then the city's, and applies them from the last to the first. Load,
TAC and maintenance keys come down one level, from the issuer's root to the card. No key is kept here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jinka.codec import Algorithm
from jinka.crypto import diversify
from jinka.crypto.bulk import sm4_diversify, tdes_diversify
from jinka.keys.port import Purpose
from jinka.kit import Refused, Usage

# Levels between the root and the card's key.
LEVELS = {
    Purpose.PURCHASE: 2,
    Purpose.GREY_LOCK: 2,
    Purpose.LOAD: 1,
    Purpose.TAC: 1,
    Purpose.MAINTENANCE: 1,
    Purpose.UNLOAD: 1,
    Purpose.OVERDRAFT: 1,
    Purpose.PIN_UNBLOCK: 1,
    Purpose.PIN_RELOAD: 1,
}

_BULK = {Algorithm.TDES: tdes_diversify, Algorithm.SM4: sm4_diversify}


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


def parent_key(purpose: Purpose, algorithm: Algorithm, root16: bytes, city8: bytes) -> bytes:
    """The key one level above the card's: the city's for a purchase, else the root itself."""
    if purpose not in LEVELS:
        raise Refused(f"{purpose.value} is no purpose of a card's key", where="keys")
    return diversify(algorithm, root16, city8) if LEVELS[purpose] == 2 else root16


def card_key(purpose: Purpose, algorithm: Algorithm, root16: bytes, *, city8: bytes, factor8: bytes) -> bytes:
    """One card's key, 16 bytes."""
    if len(factor8) != 8:
        raise Usage(f"{len(factor8)} bytes", where="factor8", fix="the last 16 digits of the card number")
    return diversify(algorithm, parent_key(purpose, algorithm, root16, city8), factor8)


def card_keys(
    purpose: Purpose, algorithm: Algorithm, root16: bytes, *, city8: bytes, factors8: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """The keys of many cards: ``(N, 8)`` factors to ``(N, 16)`` keys."""
    return _BULK[algorithm](parent_key(purpose, algorithm, root16, city8), factors8)
