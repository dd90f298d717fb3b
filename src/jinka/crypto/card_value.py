"""Card values: CVV and CVC of the stripe, CVV2 and CVC2 in print, iCVV of the chip, dCVV and CVC3 of one transaction.

Visa's Payment Technology Standards Manual and Mastercard's rules give one algorithm for the static ones: algorithm 3
of ISO/IEC 9797-1 over number, date and service code, made decimal. They differ in the service code. dCVV (Visa)
puts the card's counter in place of the first four digits; CVC3 (Mastercard) is a cryptogram over number and
counter of the reader and the card. The date is as the card carries it (YYMM on stripe and chip; CVV2 by the
issuer's choice). Not here: CAVV and AAV of online shops.
"""

from __future__ import annotations

import hmac

from jinka.crypto.block import pad80
from jinka.crypto.block_key import BlockCipher, CipherKey
from jinka.crypto.decimals import decimalise
from jinka.crypto.mac import X9_19, make_mac
from jinka.crypto.pin_block import check_pan
from jinka.kit import Refused, Usage

PRINTED = "000"  # the service code of CVV2 and CVC2
CHIP = "999"  # the service code of iCVV and Chip CVC
_VALUE_DIGITS = range(3, 6)
_DATA_DIGITS = 32


def card_value(key: CipherKey, pan: str, date4: str, service3: str, digits: int = 3) -> str:
    """CVV or CVC: ``service3`` from the stripe, or `PRINTED` or `CHIP`; ``key`` is the pair CVK A and CVK B."""
    check_pan(pan)
    return _value(key, pan, date4, service3, digits)


def check_card_value(key: CipherKey, pan: str, date4: str, service3: str, value: str) -> None:
    """`Refused` unless the value is right; a value of fewer than 3 digits is none."""
    _expect(card_value(key, pan, date4, service3, max(3, min(len(value), 5))), value)


def dynamic_value(card_key: CipherKey, pan: str, date4: str, service3: str, counter: int) -> str:
    """dCVV, 3 digits: under the card's own key, with the counter's 4 decimal digits in front of the number."""
    check_pan(pan)
    if not 0 <= counter <= 9999:
        raise Usage(f"counter {counter}", where="dCVV", fix="0 to 9999, as the track carries it")
    return _value(card_key, f"{counter:04}{pan[4:]}", date4, service3, 3)


def check_dynamic_value(
    card_key: CipherKey, pan: str, date4: str, service3: str, counter: int, value: str
) -> None:
    """`Refused` unless the dCVV is right. That the counter is new is the issuer's check."""
    _expect(dynamic_value(card_key, pan, date4, service3, counter), value)


def cvc3(card_key: CipherKey, track: bytes, unpredictable4: bytes, counter: int, digits: int = 5) -> str:
    """CVC3: the last digits of a cryptogram under the card's key; ``track`` is its template without the digits."""
    check_value_key(card_key)
    if len(unpredictable4) != 4 or not 0 <= counter <= 0xFFFF or digits not in _VALUE_DIGITS:
        raise Usage(
            "a number, counter or size out of bounds", where="CVC3", fix="4 bytes, 16 bits, 3 to 5 digits"
        )
    start = card_key.chain(pad80(track, 8))[-2:]
    last = card_key.encrypt(start + unpredictable4 + counter.to_bytes(2, "big"))[-2:]
    return f"{int.from_bytes(last, 'big'):05}"[-digits:]


def check_cvc3(card_key: CipherKey, track: bytes, unpredictable4: bytes, counter: int, value: str) -> None:
    """`Refused` unless the CVC3 is right, to at least 3 digits."""
    _expect(cvc3(card_key, track, unpredictable4, counter, max(3, min(len(value), 5))), value)


def value_data(pan: str, date4: str, service3: str) -> bytes:
    """The 16 bytes whose MAC becomes a static value, for those who make many MACs at once; `Usage`."""
    check_pan(pan)
    return _data(pan, date4, service3)


def value_of(mac: bytes, given: str) -> bool:
    """Whether a value is what this MAC gives; compared in constant time."""
    right = decimalise(mac, max(3, min(len(given), 5)))
    return hmac.compare_digest(right.encode(), given.encode())


def _value(key: CipherKey, pan: str, date4: str, service3: str, digits: int) -> str:
    check_value_key(key)
    if digits not in _VALUE_DIGITS:
        raise Usage(f"{digits} digits", where="card value", fix="3 to 5")
    return decimalise(make_mac(X9_19, key, _data(pan, date4, service3)), digits)


def _data(pan: str, date4: str, service3: str) -> bytes:
    for text, size, name in ((date4, 4, "date"), (service3, 3, "service code")):
        if len(text) != size or not (text.isascii() and text.isdigit()):
            raise Usage(f"not {size} digits", where=f"card value, {name}")
    return bytes.fromhex(f"{pan}{date4}{service3}".ljust(_DATA_DIGITS, "0"))


def check_value_key(key: CipherKey) -> None:
    """`Usage` or `Refused` for a key that card values are not made with."""
    if key.cipher is not BlockCipher.TDES or key.size != 16:
        raise Usage("not a double DES key", where="card value", fix="a TDES key of 16 bytes")
    key.strong()


def _expect(right: str, given: str) -> None:
    if not hmac.compare_digest(right.encode(), given.encode()):
        raise Refused("the card value is wrong", where="card value")
