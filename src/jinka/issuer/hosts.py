"""What the issuer answers to terminals: MAC2 for a load, the MAC of an update, the proof of an access key."""

from __future__ import annotations

from collections.abc import Container

from jinka.codec import Algorithm
from jinka.codec.load import LoadRequest
from jinka.keys import KeyName, KeyService, card_factor
from jinka.kit import Refused

LOAD_KEY_VERSION = 1
MAINTENANCE_KEY_VERSION = 1


class CardListed(Refused):
    """A load for a card that its issuer blocks."""

    reason = "BLOCKED"


class LoadHost:
    """Authorises loads: checks the card's MAC1 and the purse's limit, and makes MAC2 (JR/T 0025.1, load).

    ``listed`` are the cards that are blocked now: money on a lost card would be its finder's.
    """

    def __init__(self, keys: KeyService, *, purse_limit: int, listed: Container[bytes] = frozenset()) -> None:
        self._keys, self._purse_limit, self._listed = keys, purse_limit, listed

    def authorise(self, request: LoadRequest) -> bytes:
        """Return MAC2, 4 bytes; raises `Refused` for a wrong MAC1, a balance beyond the limit or a listed card."""
        if request.card_no in self._listed:
            raise CardListed("the card is on the list", where="load", fix="keep it for its issuer")
        if request.balance + request.amount > self._purse_limit:
            raise Refused("the purse would hold more than its limit", where="load.amount", fix="load less")
        seed = (request.rand4, request.online_counter)
        self._keys.check_load_mac1(
            algorithm=request.algorithm,
            version=request.key_version,
            factor8=request.factor8,
            session_seed=seed,
            data=request.mac1_data,
            mac4=request.mac1,
        )
        return self._keys.make_load_mac2(
            algorithm=request.algorithm,
            version=request.key_version,
            factor8=request.factor8,
            session_seed=seed,
            data=request.mac2_data,
        )


class MaintenanceHost:
    """Signs updates of cards by secure messaging."""

    def __init__(self, keys: KeyService, algorithm: Algorithm) -> None:
        self._keys, self._algorithm = keys, algorithm

    def message_mac(self, card_no: bytes, rand4: bytes, message: bytes) -> bytes:
        """The 4-byte MAC over header and data, initial value ``rand4 | 00..``."""
        return self._keys.make_message_mac(
            algorithm=self._algorithm,
            version=MAINTENANCE_KEY_VERSION,
            factor8=card_factor(card_no),
            rand4=rand4,
            message=message,
        )


class AccessHost:
    """Proves one access key to cards that open a folder, or make a key pair, for whoever has it."""

    def __init__(self, keys: KeyService, key: KeyName) -> None:
        self._keys, self._key = keys, key

    def answer(self, card_no: bytes, challenge: bytes) -> bytes:
        """The 8 bytes of EXTERNAL AUTHENTICATE for the card's challenge."""
        return self._keys.answer_challenge(challenge, key=str(self._key), factor8=card_factor(card_no))
