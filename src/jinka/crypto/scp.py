"""What the secure channels of GlobalPlatform share: key sets, levels, and how a card's keys come from a master.

GlobalPlatform Card Specification 2.3.1, 10 (secure communication), B.6 (key check values); Amendment D 1.2 (SCP03).
Key diversification by card issuers has no standard: ``visa2`` and ``emv`` are the forms that card makers publish,
``kdf3`` is a NIST SP 800-108 counter mode over the key diversification data. `jinka.crypto.scp02` and
`jinka.crypto.scp03` hold the protocols; both sides use the same class there.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import ClassVar, Protocol

from jinka.codec.apdu import Command
from jinka.crypto.aes import BLOCK, KEY_SIZES, aes_cmac, aes_encrypt
from jinka.crypto.block import tdes_encrypt
from jinka.kit import Refused, Usage

MAC_SIZE = 8
CHALLENGE_SIZE = 8
SECURE = 0x04  # bit of CLA
_KDD_SIZE = 10


class Level(IntFlag):
    """The security level of EXTERNAL AUTHENTICATE (P1)."""

    NONE = 0x00
    C_MAC = 0x01
    C_ENC = 0x02
    R_MAC = 0x10
    R_ENC = 0x20


class KeyFamily(Enum):
    """Which cipher a key set is for, with the key type byte of GlobalPlatform 2.3.1, table 11-16."""

    TDES = 0x80
    AES = 0x88


class Diversification(Enum):
    """How the keys of one card come from the issuer's master keys."""

    NONE = "none"
    VISA2 = "visa2"
    EMV = "emv"
    KDF3 = "kdf3"


class ChannelBroken(Refused):
    """The other side did not prove itself, or a message of the channel was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """The three static keys of a security domain under one version number."""

    version: int
    family: KeyFamily
    enc: bytes
    mac: bytes
    dek: bytes

    def __post_init__(self) -> None:
        sizes = KEY_SIZES if self.family is KeyFamily.AES else (16,)
        if len(self.enc) not in sizes or not len(self.enc) == len(self.mac) == len(self.dek):
            raise Usage(f"keys of {len(self.enc)} bytes", where="key set", fix=f"three keys of {sizes} bytes")
        if not 1 <= self.version <= 0x7F:
            raise Usage(f"key version {self.version}", where="key set", fix="1 to 127")

    def __repr__(self) -> str:
        values = "/".join(value.hex().upper() for value in self.check_values)
        return f"KeySet(version={self.version}, {self.family.name}, check values {values})"

    @property
    def keys(self) -> tuple[bytes, bytes, bytes]:
        """ENC, MAC, DEK: key identifiers 1, 2, 3."""
        return self.enc, self.mac, self.dek

    @property
    def check_values(self) -> tuple[bytes, ...]:
        """The key check values of ENC, MAC and DEK."""
        return tuple(check_value(self.family, key) for key in self.keys)

    def for_card(self, kdd10: bytes, how: Diversification) -> KeySet:
        """The keys of one card, from its key diversification data (the first 10 bytes of INITIALIZE UPDATE)."""
        if how is Diversification.NONE:
            return self
        enc, mac, dek = (derive(key, kid, kdd10, how) for kid, key in enumerate(self.keys, 1))
        return KeySet(version=self.version, family=self.family, enc=enc, mac=mac, dek=dek)


class Channel(Protocol):
    """An open secure channel, as either side sees it. The host wraps and reads; the card unwraps and responds."""

    level: Level

    def wrap(self, command: Command) -> Command:
        """Host: protect a command as the level asks."""
        ...

    def read(self, response: bytes) -> bytes:
        """Host: check and uncover a response, SW1 SW2 included; `ChannelBroken`."""
        ...

    def unwrap(self, command: Command) -> Command:
        """Card: check and uncover a command; `ChannelBroken`."""
        ...

    def respond(self, data: bytes, sw: int) -> bytes:
        """Card: protect a response as the level asks; SW1 SW2 last."""
        ...

    def wrap_key(self, data: bytes) -> bytes:
        """Encrypt a key, or other sensitive data of whole blocks, under the data encryption key."""
        ...

    def unwrap_key(self, data: bytes) -> bytes:
        """The inverse of `wrap_key`; `ChannelBroken` when the length is none of whole blocks."""
        ...


class CommandChannel:
    """How both protocols open a channel and guard a command; how a MAC is made is each one's own."""

    __slots__ = ("_dek", "_enc", "_mac", "card_cryptogram", "host_cryptogram", "level")
    NAME: ClassVar[str]
    LEVELS: ClassVar[frozenset[Level]]
    _dek: bytes
    _enc: bytes
    _mac: bytes
    card_cryptogram: bytes
    host_cryptogram: bytes
    level: Level

    @property
    def session_keys(self) -> tuple[bytes, bytes, bytes]:
        """S-ENC, S-MAC, DEK: for key check values in tests, never for the wire."""
        return self._enc, self._mac, self._dek

    def external_authenticate(self, level: Level) -> Command:
        """Host: the command that proves the host and sets the level."""
        if level not in self.LEVELS:
            allowed = ", ".join(f"{one:02X}" for one in sorted(self.LEVELS))
            raise ChannelBroken(f"level {level:02X}", where=self.NAME, fix=f"one of {allowed}")
        command = self._with_mac(Command(0x80, 0x82, level, 0, self.host_cryptogram))
        self.level = level
        return command

    def accept(self, command: Command) -> None:
        """Card: check EXTERNAL AUTHENTICATE; `ChannelBroken`."""
        if command.p1 not in self.LEVELS or command.p2 or len(command.data) != 2 * MAC_SIZE:
            raise ChannelBroken(f"a level or length that {self.NAME} does not have", where=self.NAME)
        plain = self._checked(command)
        if not hmac.compare_digest(plain.data, self.host_cryptogram):
            raise ChannelBroken("the host cryptogram is wrong", where=self.NAME, fix="use the domain's keys")
        self.level = Level(command.p1)

    def _with_mac(self, command: Command) -> Command:
        cla = command.cla | SECURE
        body = command.data + self._next_mac(cla, command, command.data)
        return Command(cla, command.ins, command.p1, command.p2, body, command.le)

    def _checked(self, command: Command) -> Command:
        """The command without its MAC and without the secure bit in its class; `ChannelBroken`."""
        body, mac = command.data[:-MAC_SIZE], command.data[-MAC_SIZE:]
        if not command.cla & SECURE or not hmac.compare_digest(
            self._next_mac(command.cla, command, body), mac
        ):
            raise ChannelBroken("the MAC is wrong", where=self.NAME, fix="open the channel anew")
        return Command(command.cla & ~SECURE, command.ins, command.p1, command.p2, body, command.le)

    def _next_mac(self, cla: int, command: Command, body: bytes) -> bytes:
        """The C-MAC of the next command, whose chain goes on with it."""
        raise NotImplementedError


def check_value(family: KeyFamily, key: bytes) -> bytes:
    """The key check value, 3 bytes: zeros under 3DES, ones under AES."""
    if family is KeyFamily.AES:
        return aes_encrypt(key, b"\x01" * BLOCK)[:3]
    return tdes_encrypt(key, bytes(8))[:3]


def derive(master: bytes, kid: int, kdd10: bytes, how: Diversification) -> bytes:
    """One key of one card, as long as its master; ``kid`` 1 ENC, 2 MAC, 3 DEK."""
    if len(kdd10) != _KDD_SIZE:
        raise Usage(f"{len(kdd10)} bytes", where="key diversification data", fix="10 bytes")
    if how is Diversification.KDF3:
        body = bytes((0, 0, 0, kid, 0)) + kdd10
        blocks = (aes_cmac(master, bytes((counter,)) + body) for counter in (1, 2))
        return b"".join(blocks)[: len(master)]
    seed = kdd10[4:10] if how is Diversification.EMV else kdd10[0:2] + kdd10[4:8]
    return tdes_encrypt(master, seed + bytes((0xF0, kid)) + seed + bytes((0x0F, kid)))


def unpad80(data: bytes) -> bytes:
    """Undo padding 80 00..; `ChannelBroken` when there is none."""
    body = data.rstrip(b"\x00")
    if not body.endswith(b"\x80"):
        raise ChannelBroken("the padding is wrong", where="secure channel", fix="open the channel anew")
    return body[:-1]
