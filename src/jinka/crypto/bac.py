"""Basic access control and secure messaging of travel documents (ICAO Doc 9303-11, 4.3 and 9.8), both sides.

Keys come from the machine readable zone by SHA-1; the channel is 3DES in CBC with a retail MAC and a send sequence
counter that grows by one for each command and each answer. PACE and AES channels are not here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from jinka.codec import Command, TlvError, parse, tlv
from jinka.crypto.block import pad80, retail_mac8, tdes_cbc_decrypt, tdes_cbc_encrypt
from jinka.kit import Refused

SECURE_CLASS = 0x0C
CHALLENGE, KEY_SHARE, CRYPTOGRAM = 8, 16, 32
PLAIN_MAX = 231  # the most data that one protected short answer carries
_ENC, _MAC = 1, 2
_DATA, _LE, _STATUS, _CHECKSUM = 0x87, 0x97, 0x99, 0x8E
_CLEAR_PADDING = b"\x01"


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """A pair of 16-byte keys, for encryption and for MACs."""

    enc: bytes
    mac: bytes

    def __repr__(self) -> str:
        return "AccessKeys(..)"


def derive_keys(seed: bytes) -> AccessKeys:
    """Encryption and MAC key from a seed, parity adjusted (9.7.1, 9.7.2)."""
    return AccessKeys(enc=_derived(seed, _ENC), mac=_derived(seed, _MAC))


def document_keys(mrz_information: bytes) -> AccessKeys:
    """The document basic access keys (9.7.2); ``mrz_information`` is number, birth, expiry with check digits."""
    return derive_keys(hashlib.sha1(mrz_information).digest()[:16])  # noqa: S324 by standard


def seal_shares(keys: AccessKeys, plain: bytes) -> bytes:
    """Encipher the 32 bytes of a mutual authentication and append their MAC: 40 bytes."""
    cipher = tdes_cbc_encrypt(keys.enc, plain)
    return cipher + retail_mac8(keys.mac, cipher)


def open_shares(keys: AccessKeys, message: bytes) -> bytes:
    """The 32 bytes behind 40; `Refused` when the MAC is wrong."""
    if len(message) != CRYPTOGRAM + 8:
        raise Refused("an authentication has 40 bytes", where="mutual authentication")
    if not hmac.compare_digest(retail_mac8(keys.mac, message[:CRYPTOGRAM]), message[CRYPTOGRAM:]):
        raise Refused("the MAC is wrong", where="mutual authentication", fix="read the MRZ again")
    return tdes_cbc_decrypt(keys.enc, message[:CRYPTOGRAM])


class SecureChannel:
    """Session keys and the counter; one instance on each side. Any `Refused` ends the session."""

    __slots__ = ("_keys", "counter")

    def __init__(self, keys: AccessKeys, counter: int) -> None:
        self._keys, self.counter = keys, counter

    @classmethod
    def agreed(
        cls, share_terminal: bytes, share_card: bytes, rand_terminal: bytes, rand_card: bytes
    ) -> SecureChannel:
        """The channel after a mutual authentication (4.3.1, 9.8.6.3)."""
        seed = bytes(a ^ b for a, b in zip(share_terminal, share_card, strict=True))
        return cls(derive_keys(seed), int.from_bytes(rand_card[4:] + rand_terminal[4:], "big"))

    def protect_command(self, command: Command) -> Command:
        """Terminal side: the class becomes 0C, data DO 87, Le DO 97, then the checksum DO 8E."""
        self._advance()
        head = bytes((SECURE_CLASS, command.ins, command.p1, command.p2))
        objects = self._data_object(command.data)
        if command.le is not None:
            objects += tlv(_LE, bytes((command.le & 0xFF,)))
        cla, ins, p1, p2 = head
        return Command(cla, ins, p1, p2, objects + tlv(_CHECKSUM, self._command_mac(head, objects)), 256)

    def open_command(self, command: Command) -> Command:
        """Card side: the plain command; `Refused` when an object is missing, out of order or false."""
        self._advance()
        found = _objects(command.data, (_DATA, _LE, _CHECKSUM))
        if _CHECKSUM not in found:
            raise Refused("no checksum", where="secure messaging")
        head = bytes((command.cla, command.ins, command.p1, command.p2))
        if not hmac.compare_digest(self._command_mac(head, command.data[:-10]), found[_CHECKSUM]):
            raise Refused("the checksum is wrong", where="secure messaging")
        le = found.get(_LE)
        if le is not None and len(le) != 1:
            raise Refused("Le has one byte", where="secure messaging")
        data = self._opened(found[_DATA]) if _DATA in found else b""
        return Command(
            0x00, command.ins, command.p1, command.p2, data, None if le is None else (le[0] or 256)
        )

    def protect_answer(self, data: bytes, sw: int) -> bytes:
        """Card side: DO 87, DO 99, DO 8E; the status word follows outside."""
        self._advance()
        objects = self._data_object(data) + tlv(_STATUS, sw.to_bytes(2, "big"))
        return objects + tlv(_CHECKSUM, retail_mac8(self._keys.mac, self._count() + objects))

    def open_answer(self, answer: bytes) -> tuple[bytes, int]:
        """Terminal side: (plain data, status word) of a protected answer without its outer status word."""
        self._advance()
        found = _objects(answer, (_DATA, _STATUS, _CHECKSUM))
        if _STATUS not in found or _CHECKSUM not in found or len(found[_STATUS]) != 2:
            raise Refused("status or checksum is missing", where="secure messaging")
        if not hmac.compare_digest(
            retail_mac8(self._keys.mac, self._count() + answer[:-10]), found[_CHECKSUM]
        ):
            raise Refused("the checksum is wrong", where="secure messaging")
        data = self._opened(found[_DATA]) if _DATA in found else b""
        return data, int.from_bytes(found[_STATUS], "big")

    def _advance(self) -> None:
        self.counter = (self.counter + 1) & 0xFFFF_FFFF_FFFF_FFFF

    def _count(self) -> bytes:
        return self.counter.to_bytes(8, "big")

    def _command_mac(self, head: bytes, objects: bytes) -> bytes:
        """The header is padded by itself when objects follow it."""
        return retail_mac8(self._keys.mac, self._count() + (pad80(head, 8) + objects if objects else head))

    def _data_object(self, data: bytes) -> bytes:
        if not data:
            return b""
        return tlv(_DATA, _CLEAR_PADDING, tdes_cbc_encrypt(self._keys.enc, pad80(data, 8)))

    def _opened(self, value: bytes) -> bytes:
        if value[:1] != _CLEAR_PADDING or len(value) < 9 or len(value) % 8 != 1:
            raise Refused("DO 87 does not hold whole blocks", where="secure messaging")
        plain = tdes_cbc_decrypt(self._keys.enc, value[1:])
        body = plain.rstrip(b"\x00")
        if body[-1:] != b"\x80" or len(plain) - len(body) > 7:
            raise Refused("the padding is wrong", where="secure messaging")
        return body[:-1]


def _objects(raw: bytes, order: Sequence[int]) -> dict[int, bytes]:
    """The objects of a message, each at most once and in the standard's order, nothing between or after them."""
    found: dict[int, bytes] = {}
    rest = list(order)
    try:
        for tag, value, _ in parse(raw):
            if tag not in rest:
                raise Refused(f"object {tag:02X} out of place", where="secure messaging")
            del rest[: rest.index(tag) + 1]
            found[tag] = value
    except TlvError as error:
        raise Refused(error.what, where="secure messaging") from None
    if len(found.get(_CHECKSUM, b"")) != 8 or b"".join(tlv(tag, found[tag]) for tag in found) != raw:
        raise Refused("the objects are not encoded as they must be", where="secure messaging")
    return found


def _derived(seed: bytes, use: int) -> bytes:
    """SHA-1(seed | counter), 16 bytes with odd parity (9.7.1.1)."""
    raw = hashlib.sha1(seed + use.to_bytes(4, "big")).digest()[:16]  # noqa: S324 by standard
    return bytes(byte & 0xFE | 1 - (byte >> 1).bit_count() % 2 for byte in raw)
