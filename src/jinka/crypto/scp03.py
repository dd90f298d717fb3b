"""Secure Channel Protocol 03, i=60 and i=70 (GlobalPlatform 2.3 Amendment D 1.2): AES of 128, 192 and 256 bits.

The option's bits: 10 the card challenge is pseudo-random, 20 R-MAC, 40 R-ENCRYPTION. Challenges and cryptograms are
of 8 bytes (mode S8); the mode of 16 bytes is not built. Errors are answered without protection (6.2.5).
"""

from __future__ import annotations

import hmac

from jinka.codec.apdu import Command
from jinka.crypto.aes import BLOCK, aes_cbc_decrypt, aes_cbc_encrypt, aes_cmac, aes_encrypt
from jinka.crypto.block import pad80
from jinka.crypto.scp import MAC_SIZE, ChannelBroken, CommandChannel, KeySet, Level, unpad80

ID = 0x03
LEVELS = frozenset({Level(0x00), Level(0x01), Level(0x03), Level(0x11), Level(0x13), Level(0x33)})
COUNTER_SIZE, CARD_CHALLENGE_SIZE = 3, 8
_CARD, _HOST, _CHALLENGE, _S_ENC, _S_MAC, _S_RMAC = 0x00, 0x01, 0x02, 0x04, 0x06, 0x07
_RESPONSE_FLAG = 0x80


def derived(key: bytes, constant: int, context: bytes, size: int) -> bytes:
    """4.1.5: ``size`` bytes by NIST SP 800-108 in counter mode with CMAC."""
    head = bytes(11) + bytes((constant, 0)) + (8 * size).to_bytes(2, "big")
    blocks = (
        aes_cmac(key, head + bytes((counter,)) + context) for counter in range(1, -(-size // BLOCK) + 1)
    )
    return b"".join(blocks)[:size]


def card_challenge(keys: KeySet, counter3: bytes, aid: bytes) -> bytes:
    """6.2.2.1: the pseudo-random card challenge, from the sequence counter and the application's name."""
    return derived(keys.enc, _CHALLENGE, counter3 + aid, CARD_CHALLENGE_SIZE)


class Scp03(CommandChannel):
    """One session, on either side; made when both challenges are known."""

    __slots__ = ("_chain", "_counter", "_rmac")
    NAME = "SCP03"
    LEVELS = LEVELS

    def __init__(self, keys: KeySet, *, host8: bytes, card8: bytes) -> None:
        context, size = host8 + card8, len(keys.enc)
        self._enc = derived(keys.enc, _S_ENC, context, size)
        self._mac = derived(keys.mac, _S_MAC, context, size)
        self._rmac = derived(keys.mac, _S_RMAC, context, size)
        self._dek = keys.dek
        self._chain = bytes(BLOCK)
        self._counter = 0
        self.level = Level.NONE
        self.card_cryptogram = derived(self._mac, _CARD, context, MAC_SIZE)
        self.host_cryptogram = derived(self._mac, _HOST, context, MAC_SIZE)

    def wrap(self, command: Command) -> Command:
        """Host: encryption of the data, then C-MAC over what is sent."""
        if Level.C_MAC not in self.level:
            return command
        self._counter += 1
        if Level.C_ENC in self.level and command.data:
            body = aes_cbc_encrypt(self._enc, pad80(command.data, BLOCK), self._initial(0))
            command = Command(command.cla, command.ins, command.p1, command.p2, body, command.le)
        return self._with_mac(command)

    def unwrap(self, command: Command) -> Command:
        """Card: check the C-MAC, then decrypt; the plain command comes back without the secure bit in its class."""
        if Level.C_MAC not in self.level:
            return command
        if len(command.data) < MAC_SIZE:
            raise ChannelBroken("the MAC is missing", where="SCP03", fix="open the channel anew")
        plain = self._checked(command)
        self._counter += 1
        if Level.C_ENC not in self.level or not plain.data:
            return plain
        if len(plain.data) % BLOCK:
            raise ChannelBroken("no whole blocks", where="SCP03", fix="open the channel anew")
        body = unpad80(aes_cbc_decrypt(self._enc, plain.data, self._initial(0)))
        return Command(plain.cla, plain.ins, plain.p1, plain.p2, body, plain.le)

    def respond(self, data: bytes, sw: int) -> bytes:
        """Card: R-ENCRYPTION, then R-MAC; an error's status word goes out bare."""
        status = sw.to_bytes(2, "big")
        if Level.R_MAC not in self.level or not _protected(sw):
            return data + status
        if Level.R_ENC in self.level and data:
            data = aes_cbc_encrypt(self._enc, pad80(data, BLOCK), self._initial(_RESPONSE_FLAG))
        return data + self._response_mac(data, status) + status

    def read(self, response: bytes) -> bytes:
        """Host: check and uncover a response; `ChannelBroken`."""
        sw = int.from_bytes(response[-2:], "big")
        if Level.R_MAC not in self.level or not _protected(sw):
            return response
        if len(response) < MAC_SIZE + 2:
            raise ChannelBroken("the response's MAC is missing", where="SCP03", fix="open the channel anew")
        data, mac, status = response[: -MAC_SIZE - 2], response[-MAC_SIZE - 2 : -2], response[-2:]
        if not hmac.compare_digest(self._response_mac(data, status), mac):
            raise ChannelBroken("the response's MAC is wrong", where="SCP03", fix="open the channel anew")
        if Level.R_ENC in self.level and data:
            if len(data) % BLOCK:
                raise ChannelBroken("no whole blocks", where="SCP03", fix="open the channel anew")
            data = unpad80(aes_cbc_decrypt(self._enc, data, self._initial(_RESPONSE_FLAG)))
        return data + status

    def wrap_key(self, data: bytes) -> bytes:
        """6.2.8: AES in CBC with a zero initial value under the static DEK."""
        if not data or len(data) % BLOCK:
            raise ChannelBroken(f"{len(data)} bytes", where="SCP03 key", fix="whole blocks of 16 bytes")
        return aes_cbc_encrypt(self._dek, data)

    def unwrap_key(self, data: bytes) -> bytes:
        """The inverse of `wrap_key`."""
        if not data or len(data) % BLOCK:
            raise ChannelBroken(f"{len(data)} bytes", where="SCP03 key", fix="whole blocks of 16 bytes")
        return aes_cbc_decrypt(self._dek, data)

    def _initial(self, flag: int) -> bytes:
        """6.2.6 and 6.2.7: the initial value is the encrypted counter, with bit 80 set for a response."""
        return aes_encrypt(self._enc, bytes((flag,)) + self._counter.to_bytes(BLOCK - 1, "big"))

    def _next_mac(self, cla: int, command: Command, body: bytes) -> bytes:
        head = bytes((cla, command.ins, command.p1, command.p2, len(body) + MAC_SIZE & 0xFF))
        self._chain = aes_cmac(self._mac, self._chain + head + body)
        return self._chain[:MAC_SIZE]

    def _response_mac(self, data: bytes, status: bytes) -> bytes:
        return aes_cmac(self._rmac, self._chain + data + status)[:MAC_SIZE]


def _protected(sw: int) -> bool:
    """Whether a response with this status word carries protection: success and warnings do."""
    return sw == 0x9000 or sw >> 8 in (0x62, 0x63)
