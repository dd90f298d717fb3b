"""Secure Channel Protocol 02, options i=15 and i=55 (GlobalPlatform Card Specification 2.3.1, annex E).

Explicit initiation, C-MAC on the modified command, initial value encrypted with single DES, three static keys.
With i=55 the card challenge is computed from the counter and the application's name. Levels: none, C-MAC, C-MAC
with C-DECRYPTION. R-MAC is not built: it needs BEGIN R-MAC SESSION, which these options do not have.
"""

from __future__ import annotations

from jinka.codec.apdu import Command
from jinka.crypto.block import (
    pad80,
    retail_mac8,
    tdes_cbc_decrypt,
    tdes_cbc_encrypt,
    tdes_decrypt,
    tdes_encrypt,
)
from jinka.crypto.scp import MAC_SIZE, ChannelBroken, CommandChannel, KeySet, Level, unpad80

ID = 0x02
LEVELS = frozenset({Level.NONE, Level.C_MAC, Level.C_MAC | Level.C_ENC})
COUNTER_SIZE, CARD_CHALLENGE_SIZE = 2, 6
_MAC, _ENC, _DEK = b"\x01\x01", b"\x01\x82", b"\x01\x81"


def session_key(static16: bytes, constant2: bytes, counter2: bytes) -> bytes:
    """E.4.1: 3DES in CBC over constant, sequence counter and zeros."""
    return tdes_cbc_encrypt(static16, constant2 + counter2 + bytes(12))


def card_challenge(keys: KeySet, counter2: bytes, aid: bytes) -> bytes:
    """The pseudo-random card challenge of i=55: the left 6 bytes of a MAC over the application's name."""
    return retail_mac8(session_key(keys.mac, _MAC, counter2), aid)[:CARD_CHALLENGE_SIZE]


class Scp02(CommandChannel):
    """One session, on either side; made when both challenges are known."""

    __slots__ = ("_icv",)
    NAME = "SCP02"
    LEVELS = LEVELS

    def __init__(self, keys: KeySet, *, counter2: bytes, host8: bytes, card6: bytes) -> None:
        self._enc = session_key(keys.enc, _ENC, counter2)
        self._mac = session_key(keys.mac, _MAC, counter2)
        self._dek = session_key(keys.dek, _DEK, counter2)
        self._icv = bytes(MAC_SIZE)
        self.level = Level.NONE
        self.card_cryptogram = self._cryptogram(host8 + counter2 + card6)
        self.host_cryptogram = self._cryptogram(counter2 + card6 + host8)

    def wrap(self, command: Command) -> Command:
        """Host: C-MAC over the plain command, then encryption of its data."""
        if Level.C_MAC not in self.level:
            return command
        signed = self._with_mac(command)
        if Level.C_ENC not in self.level or not command.data:
            return signed
        body = tdes_cbc_encrypt(self._enc, pad80(command.data, 8)) + signed.data[-MAC_SIZE:]
        return Command(signed.cla, signed.ins, signed.p1, signed.p2, body, signed.le)

    def unwrap(self, command: Command) -> Command:
        """Card: decrypt, then check the C-MAC; the plain command comes back in class 80."""
        if Level.C_MAC not in self.level:
            return command
        if len(command.data) < MAC_SIZE:
            raise ChannelBroken("the MAC is missing", where="SCP02", fix="open the channel anew")
        body, mac = command.data[:-MAC_SIZE], command.data[-MAC_SIZE:]
        if Level.C_ENC in self.level and body:
            if len(body) % 8:
                raise ChannelBroken("no whole blocks", where="SCP02", fix="open the channel anew")
            body = unpad80(tdes_cbc_decrypt(self._enc, body))
        return self._checked(
            Command(command.cla, command.ins, command.p1, command.p2, body + mac, command.le)
        )

    def respond(self, data: bytes, sw: int) -> bytes:
        """Card: responses are not protected with these options."""
        return data + sw.to_bytes(2, "big")

    def read(self, response: bytes) -> bytes:
        """Host: responses are not protected with these options."""
        return response

    def wrap_key(self, data: bytes) -> bytes:
        """E.4.7: 3DES in ECB under the session DEK."""
        if not data or len(data) % 8:
            raise ChannelBroken(f"{len(data)} bytes", where="SCP02 key", fix="whole blocks of 8 bytes")
        return tdes_encrypt(self._dek, data)

    def unwrap_key(self, data: bytes) -> bytes:
        """The inverse of `wrap_key`."""
        if not data or len(data) % 8:
            raise ChannelBroken(f"{len(data)} bytes", where="SCP02 key", fix="whole blocks of 8 bytes")
        return tdes_decrypt(self._dek, data)

    def _cryptogram(self, seed16: bytes) -> bytes:
        return tdes_cbc_encrypt(self._enc, pad80(seed16, 8))[-8:]

    def _next_mac(self, cla: int, command: Command, body: bytes) -> bytes:
        head = bytes((cla, command.ins, command.p1, command.p2, len(body) + MAC_SIZE & 0xFF))
        mac = retail_mac8(self._mac, head + body, self._icv)
        self._icv = tdes_encrypt(self._mac[:8], mac)  # ICV encryption, for the next command
        return mac
