"""The PIN pad: PIN blocks, MACs and the work keys that a host sends at sign-in. No key leaves it in the clear.

ISO 9564-1 (PIN blocks); field 62 of a UnionPay terminal's sign-in as published terminals read it: PIN key and MAC key,
each with its check value, under the terminal's master key in ECB; the layouts are `LAYOUTS` (the key of the track is
left out where a host sends one). MACs are those of `jinka.crypto.unionpay_mac` and ISO/IEC 9797-1. Where
the keys of a simulated pad are kept is the caller's business, and `PadKeys` is all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.mac import X9_19, MacAlgorithm, MacScheme, expect_mac, make_mac
from jinka.crypto.pin_block import PinFormat, PinZone, check_pin, encipher_pin
from jinka.crypto.seal import seal, unseal
from jinka.crypto.unionpay_mac import PosMacForm, check_pos_mac, pos_mac
from jinka.kit import Randomness, Refused, Usage

STORAGE_SIZE = 32
_CHECK = 4


class PadMac(Enum):
    """How messages are protected."""

    NONE = "none"
    POS = "pos"  # UnionPay's terminals
    ISO = "iso"  # ISO/IEC 9797-1 over the raw message


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLayout:
    """One layout of field 62: bytes of the PIN key and of the MAC key, and of what follows and is not used."""

    pin: int
    mac: int
    rest: int = 0

    @property
    def size(self) -> int:
        return self.pin + self.mac + 2 * _CHECK + self.rest


# By the length of the field. 40: a MAC key of 8 bytes has 8 zeros behind it.
LAYOUTS = {
    layout.size: layout
    for layout in (
        KeyLayout(pin=8, mac=8),
        KeyLayout(pin=16, mac=16),
        KeyLayout(pin=16, mac=16, rest=16 + _CHECK),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PadKeys:
    """All that a pad keeps. Without ``master`` its work keys are put in by hand; with it they come by signing in."""

    storage: bytes = field(repr=False)  # of the journal
    master: bytes = field(default=b"", repr=False)
    pin: bytes = field(default=b"", repr=False)
    mac: bytes = field(default=b"", repr=False)
    cipher: str = "TDES"

    def __post_init__(self) -> None:
        if len(self.storage) != STORAGE_SIZE:
            raise Usage(f"{len(self.storage)} bytes", where="pad.storage", fix=f"{STORAGE_SIZE} random bytes")
        if self.cipher not in {cipher.value for cipher in BlockCipher}:
            raise Usage(f"no cipher {self.cipher}", where="pad.cipher", fix="TDES, AES or SM4")


@dataclass(frozen=True, slots=True, kw_only=True)
class PadTerms:
    """What is agreed with the host."""

    mac: PadMac = PadMac.POS
    form: PosMacForm = PosMacForm.HEX
    algorithm: MacAlgorithm = MacAlgorithm.RETAIL
    pin_format: PinFormat = PinFormat.ISO_0


class PinPad:
    """Works with its keys; new work keys replace the old ones whole."""

    __slots__ = ("_randomness", "keys", "terms")

    def __init__(self, keys: PadKeys, terms: PadTerms, randomness: Randomness) -> None:
        self.keys, self.terms, self._randomness = keys, terms, randomness

    def __repr__(self) -> str:
        return f"PinPad({self.terms.mac.value})"

    @property
    def signed_in(self) -> bool:
        """Whether it has what it needs for transactions."""
        return bool(self.keys.pin) and (bool(self.keys.mac) or self.terms.mac is PadMac.NONE)

    def pin_block(self, pin: str, pan: str) -> bytes:
        """The PIN as it travels; `Usage` for what is no PIN, `Refused` without a key."""
        check_pin(pin)
        zone = PinZone(key=self._key(self.keys.pin), format=self.terms.pin_format)
        return encipher_pin(zone, pin, pan, self._randomness)

    def make_mac(self, data: bytes) -> bytes:
        """The MAC of a message, 8 bytes; ``data`` is all that stands before it."""
        if self.terms.mac is PadMac.POS:
            return pos_mac(self._key(self.keys.mac), data, self.terms.form)
        return make_mac(self._scheme, self._key(self.keys.mac), data)

    def check_mac(self, data: bytes, mac: bytes) -> None:
        """Check an answer's MAC; `Refused`."""
        if self.terms.mac is PadMac.POS:
            check_pos_mac(self._key(self.keys.mac), data, mac, self.terms.form)
        else:
            expect_mac(make_mac(self._scheme, self._key(self.keys.mac), data), mac)

    def take_keys(self, field62: bytes) -> None:
        """Take the work keys of a sign-in; `Refused` for another layout or a wrong check value, and nothing changes."""
        layout = LAYOUTS.get(len(field62))
        if layout is None:
            raise Refused(
                f"{len(field62)} bytes of keys", where="field 62", fix=f"one of {sorted(LAYOUTS)} bytes"
            )
        first = layout.pin + _CHECK
        pin = self._opened(field62[:first], layout.pin)
        mac = self._opened(field62[first : first + layout.mac + _CHECK], layout.mac)
        self.keys = replace(self.keys, pin=pin, mac=mac)

    def forget_keys(self) -> None:
        """Drop the work keys: the host knows them no more."""
        if self.keys.master:
            self.keys = replace(self.keys, pin=b"", mac=b"")

    def seal(self, plain: bytes, context: str) -> bytes:
        """Seal a line of the journal."""
        return seal(self.keys.storage, plain, context=context, nonce12=self._randomness.token_bytes(12))

    def unseal(self, blob: bytes, context: str) -> bytes:
        """Open one; `Refused`."""
        return unseal(self.keys.storage, blob, context=context)

    @property
    def _scheme(self) -> MacScheme:
        return X9_19 if self.terms.algorithm is X9_19.algorithm else MacScheme(algorithm=self.terms.algorithm)

    def _key(self, value: bytes) -> BlockKey:
        if not value:
            raise Refused("no work key", where="PIN pad", fix="sign in")
        return BlockKey(cipher=BlockCipher(self.keys.cipher), value=value)

    def _opened(self, part: bytes, size: int) -> bytes:
        wrapped, check = part[:size], part[size:]
        if size == 16 and self.keys.cipher == "TDES" and wrapped[8:] == bytes(8):
            wrapped = wrapped[:8]  # a single key in the room of a double one
        value = self._key(self.keys.master).decrypt(wrapped)
        return BlockKey(cipher=BlockCipher(self.keys.cipher), value=value).expect(check).value
