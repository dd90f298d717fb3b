"""What an issuer checks a PIN against: IBM 3624 (natural PIN and offset) and Visa's PIN verification value.

IBM 3624 as IBM's CCA describes it; PVV by Visa's Payment Technology Standards Manual. Both
need a 3DES key of two independent halves. The decimal table belongs to the issuer, never to the caller of a verb:
a table chosen by an attacker finds a PIN in some fifteen tries. Counting wrong tries is the key service's.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from jinka.crypto.block_key import BlockCipher, CipherKey
from jinka.crypto.decimals import decimalise
from jinka.crypto.pin_block import check_pan, check_pin
from jinka.kit import Refused, Usage

STANDARD_TABLE = "0123456789012345"
_TABLE_KINDS_MIN, _TABLE_SAME_MAX = 8, 4  # a table with fewer kinds of digits makes PINs easy to guess
PVV_DIGITS = 4
_DATA_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ibm3624:
    """An issuer's way of making PINs from account numbers.

    The validation data are ``length`` digits of the account number from ``start``, filled to 16 with ``filler``.
    """

    key: CipherKey
    start: int = 0
    length: int = 16
    filler: str = "F"
    table: str = STANDARD_TABLE

    def __post_init__(self) -> None:
        check_pin_key(self.key)
        kinds = [self.table.count(digit) for digit in set(self.table)]
        if len(self.table) != 16 or not _digits(self.table):
            raise Usage("not 16 digits", where="decimal table")
        if len(kinds) < _TABLE_KINDS_MIN or max(kinds) > _TABLE_SAME_MAX:
            raise Refused(
                "a weak decimal table", where="decimal table", fix="8 kinds of digits, none over 4 times"
            )
        if (
            self.start < 0
            or not 1 <= self.length <= _DATA_DIGITS
            or self.filler not in tuple("0123456789ABCDEF")
        ):
            raise Usage("out of bounds", where="validation data", fix="1 to 16 digits and one hex filler")

    def natural_pin(self, pan: str, size: int = 4) -> str:
        """The PIN that the account number itself gives, 4 to 12 digits."""
        check_pan(pan)
        data = pan[self.start : self.start + self.length]
        if len(data) != self.length:
            raise Usage("the account number is shorter", where="validation data", fix="other start or length")
        text = self.key.encrypt(bytes.fromhex(data.ljust(_DATA_DIGITS, self.filler))).hex()
        pin = "".join(self.table[int(c, 16)] for c in text)[:size]
        check_pin(pin)
        return pin

    def pin(self, pan: str, offset: str) -> str:
        """The PIN of an account number and the offset that is stored with it."""
        return _each_digit(self.natural_pin(pan, len(offset)), _offset(offset), 1)

    def offset(self, pan: str, pin: str) -> str:
        """The offset of a PIN that the holder chose."""
        check_pin(pin)
        return _each_digit(pin, self.natural_pin(pan, len(pin)), -1)

    def check(self, pan: str, pin: str, offset: str) -> None:
        """`Refused` unless it is the PIN of this account number and offset."""
        check_pin(pin)
        _expect(self.pin(pan, offset), pin)


def pin_verification_value(key: CipherKey, pan: str, pin: str, index: int) -> str:
    """PVV, 4 digits: over 11 digits before the check digit, the key's index (0 to 9) and 4 digits of the PIN."""
    check_pin_key(key)
    check_pin(pin)
    check_pan(pan)
    if len(pan) < 12 or not 0 <= index <= 9:
        raise Usage("an account number under 12 digits or an index over 9", where="PVV")
    return decimalise(key.encrypt(bytes.fromhex(f"{pan[-12:-1]}{index}{pin[:4]}")), PVV_DIGITS)


def check_pin_verification_value(key: CipherKey, pan: str, pin: str, index: int, pvv: str) -> None:
    """`Refused` unless the PIN gives this PVV."""
    _expect(pin_verification_value(key, pan, pin, index), pvv)


def check_pin_key(key: CipherKey) -> None:
    """`Usage` or `Refused` for a key that PINs are not verified with."""
    if key.cipher is not BlockCipher.TDES:
        raise Usage(f"a key of {key.cipher.value}", where="PIN verification", fix="a TDES key")
    key.strong()


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _offset(offset: str) -> str:
    if not _digits(offset):
        raise Usage("an offset has as many digits as its PIN", where="PIN offset")
    return offset


def _each_digit(left: str, right: str, sign: int) -> str:
    return "".join(str((int(a) + sign * int(b)) % 10) for a, b in zip(left, right, strict=True))


def _expect(right: str, given: str) -> None:
    if not hmac.compare_digest(right.encode(), given.encode()):
        raise Refused("the PIN is wrong", where="PIN verification")
