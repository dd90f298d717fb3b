"""PIN blocks and their translation: ISO 9564-1 (GB/T 21078.1) formats 0 to 4, and UnionPay's 16-byte block for SM4.

Formats 0, 1 and 3 travel under 3DES, format 4 under AES (Jinka takes SM4 there too), UnionPay's
under SM4: format 0 with filler and account number stretched to 16 bytes. Format 2 goes to a chip and never
between centres. What may become what is `TRANSLATIONS`: a block that is bound to an account number stays bound to
that number. Every fault of a block has one message, so that a stranger cannot learn a PIN from the refusals.
Formats 0 and 3 show a wrong account number only where it breaks the filler or a digit; format 4 shows any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from jinka.crypto.block import xor
from jinka.crypto.block_key import BlockCipher, CipherKey
from jinka.kit import Randomness, Refused, Usage

PIN_DIGITS = range(4, 13)
PAN_DIGITS = range(8, 20)


class PinFormat(IntEnum):
    """How a PIN is laid out. The numbers are ISO 9564-1's; the last is Jinka's own."""

    ISO_0 = 0  # bound to the account number
    ISO_1 = 1  # not bound: where no number is known yet
    ISO_2 = 2  # to a chip, in an offline VERIFY
    ISO_3 = 3  # as 0, with a random filler
    ISO_4 = 4  # 16 bytes, bound by a second encipherment
    UNIONPAY_16 = 16  # as 0, 16 bytes long, for SM4


_TDES, _AES, _SM4 = BlockCipher.TDES, BlockCipher.AES, BlockCipher.SM4
CIPHERS: dict[PinFormat, frozenset[BlockCipher]] = {
    PinFormat.ISO_0: frozenset({_TDES}),
    PinFormat.ISO_1: frozenset({_TDES}),
    PinFormat.ISO_2: frozenset(),  # enciphered for a chip only, with its public key
    PinFormat.ISO_3: frozenset({_TDES}),
    PinFormat.ISO_4: frozenset({_AES, _SM4}),
    PinFormat.UNIONPAY_16: frozenset({_SM4}),
}
BOUND = (PinFormat.ISO_0, PinFormat.ISO_3, PinFormat.ISO_4, PinFormat.UNIONPAY_16)
# From the format on the left to those on the right (ISO 9564-1, restrictions of translation; ANSI X9.8-1).
TRANSLATIONS: dict[PinFormat, frozenset[PinFormat]] = {
    **{bound: frozenset(BOUND) for bound in BOUND},
    PinFormat.ISO_1: frozenset({PinFormat.ISO_1, *BOUND}),
    PinFormat.ISO_2: frozenset(),
}
_FILLERS = {
    PinFormat.ISO_0: "f",
    PinFormat.ISO_1: "0123456789abcdef",
    PinFormat.ISO_2: "f",
    PinFormat.ISO_3: "abcdef",
    PinFormat.ISO_4: "a",
    PinFormat.UNIONPAY_16: "f",
}
_LONG = (PinFormat.ISO_4, PinFormat.UNIONPAY_16)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinZone:
    """How PINs travel between two parties: under which key, in which format."""

    key: CipherKey
    format: PinFormat

    def __post_init__(self) -> None:
        if self.key.cipher not in CIPHERS[self.format]:
            raise Refused(
                f"format {self.format.value} under {self.key.cipher.value}",
                where="PIN zone",
                fix="0, 1 and 3 under TDES, 4 under AES or SM4, 16 under SM4",
            )
        self.key.strong()


def check_pin(pin: str) -> None:
    """`Usage` unless the PIN has 4 to 12 digits."""
    if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_DIGITS):
        raise Usage("a PIN has 4 to 12 digits", where="PIN")


def encode_block(form: PinFormat, pin: str, pan: str, rng: Randomness | None = None) -> bytes:
    """The clear block of formats 0 to 3 and 16. ``pan`` with its check digit; formats 1 and 2 do not look at it."""
    if form is PinFormat.ISO_4:
        raise Usage("format 4 has no clear block", where="PIN block", fix="encipher it")
    return xor(_pin_field(form, pin, rng), _pan_field(form, pan))


def decode_block(form: PinFormat, block: bytes, pan: str) -> str:
    """The PIN in a clear block of formats 0 to 3 and 16; `Refused`."""
    if form is PinFormat.ISO_4:
        raise Usage("format 4 has no clear block", where="PIN block", fix="decipher it")
    _check_size(form, block)
    return _read(form, xor(block, _pan_field(form, pan)))


def encipher_pin(zone: PinZone, pin: str, pan: str, rng: Randomness) -> bytes:
    """A PIN as it travels: 8 bytes, or 16 in formats 4 and 16."""
    if zone.format is not PinFormat.ISO_4:
        return zone.key.encrypt(encode_block(zone.format, pin, pan, rng))
    inner = zone.key.encrypt(_pin_field(zone.format, pin, rng))
    return zone.key.encrypt(xor(inner, _pan_field(zone.format, pan)))


def decipher_pin(zone: PinZone, block: bytes, pan: str) -> str:
    """The PIN in a block as it travels; `Refused`, whatever is wrong with it."""
    _check_size(zone.format, block)
    bound = _pan_field(zone.format, pan)
    clear = xor(zone.key.decrypt(block), bound)
    return _read(zone.format, zone.key.decrypt(clear) if zone.format is PinFormat.ISO_4 else clear)


def decipher_pins(zone: PinZone, blocks: Sequence[bytes], pans: Sequence[str]) -> list[str | None]:
    """`decipher_pin` for many, the cipher called once (format 4: twice); None for what it would refuse."""
    width = 16 if zone.format in _LONG else 8
    whole = [block if len(block) == width else bytes(width) for block in blocks]
    bound = b"".join([_pan_field(zone.format, pan) for pan in pans])
    clear = xor(zone.key.decrypt(b"".join(whole)), bound)
    if zone.format is PinFormat.ISO_4:
        clear = zone.key.decrypt(clear)
    pins: list[str | None] = []
    for n, block in enumerate(blocks):
        try:
            _check_size(zone.format, block)
            pins.append(_read(zone.format, clear[width * n : width * n + width]))
        except Refused:
            pins.append(None)
    return pins


def check_translation(source: PinZone, target: PinZone) -> None:
    """`Refused` unless the table allows a PIN to go from the one zone to the other."""
    if target.format not in TRANSLATIONS[source.format]:
        raise Refused(
            f"from format {source.format.value} to {target.format.value}",
            where="PIN translation",
            fix="a bound block stays bound to its account number",
        )


def translate_pin(block: bytes, source: PinZone, target: PinZone, pan: str, rng: Randomness) -> bytes:
    """The same PIN for the same account number in another zone; `Refused`."""
    check_translation(source, target)
    return encipher_pin(target, decipher_pin(source, block, pan), pan, rng)


def refused() -> Refused:
    """The one answer to every fault of a PIN block."""
    return Refused("the PIN block is refused", where="PIN block")


def check_pan(pan: str) -> None:
    """`Usage` unless the account number has 8 to 19 digits; the message does not show it."""
    if not (pan.isascii() and pan.isdigit() and len(pan) in PAN_DIGITS):
        raise Usage("an account number has 8 to 19 digits", where="PIN block")


def _pin_field(form: PinFormat, pin: str, rng: Randomness | None) -> bytes:
    check_pin(pin)
    width = 32 if form is PinFormat.UNIONPAY_16 else 16
    control = 0 if form is PinFormat.UNIONPAY_16 else form.value
    head = f"{control:x}{len(pin):x}{pin}"
    alphabet = _FILLERS[form]
    if len(alphabet) == 1:
        text = head.ljust(width, alphabet)
    else:
        text = head + "".join(alphabet[byte * len(alphabet) >> 8] for byte in _draw(rng, width - len(head)))
    return bytes.fromhex(text) + (_draw(rng, 8) if form is PinFormat.ISO_4 else b"")


def _draw(rng: Randomness | None, count: int) -> bytes:
    if rng is None:
        raise Usage("a random filler without randomness", where="PIN block", fix="pass a source")
    return rng.token_bytes(count)


def _pan_field(form: PinFormat, pan: str) -> bytes:
    """What binds the block: the 12 digits before the check digit; in format 4 the whole number with its length."""
    if form in (PinFormat.ISO_1, PinFormat.ISO_2):
        return bytes(8)
    check_pan(pan)
    if form is PinFormat.ISO_4:
        whole = pan.rjust(12, "0")
        return bytes.fromhex(f"{len(whole) - 12:x}{whole}".ljust(32, "0"))
    return bytes.fromhex(pan[:-1][-12:].rjust(32 if form in _LONG else 16, "0"))


def _check_size(form: PinFormat, block: bytes) -> None:
    if len(block) != (16 if form in _LONG else 8):
        raise refused()


def _read(form: PinFormat, field: bytes) -> str:
    """All rules are looked at before the one answer is given."""
    text = field[:8].hex() if form is PinFormat.ISO_4 else field.hex()
    count = int(text[1], 16)
    digits, filler = text[2 : 2 + count], text[2 + count :]
    control = "0" if form is PinFormat.UNIONPAY_16 else f"{form.value:x}"
    faults = [
        text[0] != control,
        count not in PIN_DIGITS,
        not digits.isdigit(),
        bool(filler.strip(_FILLERS[form])),
    ]
    if any(faults):
        raise refused()
    return digits
