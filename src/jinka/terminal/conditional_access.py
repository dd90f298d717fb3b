"""A receiver and its access card: entitlements go in, control words come out (after ETSI ETR 289: ECM and EMM).

Operators' conditional access systems are secret: the messages' form here is Jinka's own, made of what a native card
does anyway. The card deciphers an ECM only for the receiver it is paired with (EXTERNAL AUTHENTICATE), under a service
key that an EMM wrote (WRITE KEY, enciphered and with a MAC for this card alone) and that is good for one period. Real
EMMs are broadcast one way; these answer the card's challenge, which real ones cannot.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from jinka.codec import Algorithm
from jinka.crypto import sm3, sm4_encrypt, tdes_encrypt
from jinka.crypto.block import message_mac4, pad80
from jinka.crypto.cissa import descramble
from jinka.kit import Refused
from jinka.profile import KeyUse
from jinka.terminal.link import ApduLink, ChipRefused, ask, ask_exactly
from jinka.terminal.reading import select

PAIRING, USE_PAIRED = 1, 0x11  # the pairing key's index, and the right of who has proven it
_WORD = 16
_CHALLENGE4, _CHALLENGE8 = bytes.fromhex("0084000004"), bytes.fromhex("0084000008")


class AccessRefused(Refused):
    """``reason`` is NOT_PAIRED or NO_ENTITLEMENT."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, where="access card")
        self.reason = reason


def make_ecm(service_key16: bytes, control_word16: bytes, channel: str) -> bytes:
    """The control word and a check that binds it to the channel, enciphered under the period's key."""
    return sm4_encrypt(service_key16, control_word16 + _check(control_word16, channel))


class EmmMaker:
    """The operator's side for one card: new keys, enciphered and with a MAC under the card's maintenance key."""

    def __init__(self, maintenance16: bytes) -> None:
        self._key = maintenance16

    def __repr__(self) -> str:
        return "EmmMaker(..)"

    def service_key(self, rand4: bytes, slot: int, key16: bytes) -> bytes:
        """For a slot of control words: used and changed by the paired receiver alone; version 1, SM4."""
        return self._command(rand4, KeyUse.DECRYPT, slot, bytes((USE_PAIRED, USE_PAIRED, 0x01, 0x04)) + key16)

    def pairing_key(self, rand4: bytes, key16: bytes) -> bytes:
        """The receiver's own, in place of the maker's: state 1, 3DES, three tries."""
        return self._command(
            rand4, KeyUse.EXTERNAL_AUTHENTICATE, PAIRING, bytes((0xF0, USE_PAIRED, 0x01, 0x33)) + key16
        )

    def _command(self, rand4: bytes, use: KeyUse, kid: int, data: bytes) -> bytes:
        body = tdes_encrypt(self._key, pad80(bytes((len(data),)) + data, 8))
        head = bytes((0x84, 0xD4, use, kid, len(body) + 4))
        return head + body + message_mac4(Algorithm.TDES, self._key, rand4, head + body)


class Receiver:
    """A set-top box; ``pairing16`` is the key that its cards must know."""

    __slots__ = ("_aid", "_pairing")

    def __init__(self, aid: bytes, pairing16: bytes) -> None:
        self._aid, self._pairing = aid, pairing16

    def pass_on(self, link: ApduLink, emm: Callable[[bytes], bytes]) -> None:
        """Hand the card a message that was made for its challenge. Raises `AccessRefused`, `ChipRefused`."""
        self._prove(link)
        ask(link, "EMM", emm(ask_exactly(link, "get challenge", _CHALLENGE4, 4)))

    def watch(self, link: ApduLink, slot: int, channel: str, ecm: bytes, packet: bytes) -> bytes:
        """The clear payload. Raises `AccessRefused` when the card gives no control word for it."""
        self._prove(link)
        try:
            plain = ask(link, "ECM", bytes((0x00, 0x88, 0x01, slot, len(ecm))) + ecm)
        except ChipRefused:
            raise AccessRefused("NO_ENTITLEMENT") from None
        word = plain[:_WORD]
        if len(plain) != len(ecm) or not hmac.compare_digest(plain[_WORD:], _check(word, channel)):
            raise AccessRefused("NO_ENTITLEMENT")
        return descramble(word, packet)

    def _prove(self, link: ApduLink) -> None:
        select(link, self._aid)
        challenge = ask_exactly(link, "get challenge", _CHALLENGE8, 8)
        answer = tdes_encrypt(self._pairing, challenge)
        try:
            ask(link, "pairing", bytes((0x00, 0x82, 0x00, PAIRING, 8)) + answer)
        except ChipRefused:
            raise AccessRefused("NOT_PAIRED") from None


def _check(control_word16: bytes, channel: str) -> bytes:
    return sm3(control_word16 + channel.encode())[:_WORD]
