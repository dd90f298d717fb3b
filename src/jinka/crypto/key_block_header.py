"""The header of a key block: what the key is, what it may do and whether it may leave (ANSI X9.143:2021, TR-31:2018).

Sixteen characters and optional blocks, in clear but covered by the block's MAC (`jinka.crypto.key_block`). Values of
one's own that the standard leaves to a vendor (numeric ones, so any for SM4) are refused: nobody else knows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from jinka.kit import Refused, Usage

LENGTH_MAX = 9999
_FIXED = 16
_PADDING = "PB"
_TEXT = re.compile(r"[\x20-\x7e]*")
_NAME = re.compile(r"[0-9A-Za-z]{2}")
_HEX = re.compile(r"[0-9A-F]+")
# A long optional block has a length of 4 digits: announced as 04 by ANSI X9.143, as 02 (bytes) by TR-31:2018.
_EXTENDED, _EXTENDED_DIGITS = ("04", "02"), 4


class KeyBlockVersion(Enum):
    """How the key is bound to the header."""

    A = "A"  # TDES, variants; only for old blocks
    B = "B"  # TDES, derived keys
    C = "C"  # TDES, variants, as A
    D = "D"  # AES in CBC
    E = "E"  # AES in counter mode: ISO 20038

    @property
    def block(self) -> int:
        """The unit that the optional blocks fill up."""
        return 16 if self in (KeyBlockVersion.D, KeyBlockVersion.E) else 8


class KeyUsage(Enum):
    """What the key is for."""

    BDK = "B0"
    DUKPT_INITIAL = "B1"
    BASE_VARIANT = "B2"
    KEY_DERIVATION = "B3"
    CARD_VALUE = "C0"
    DATA = "D0"
    DATA_ASYMMETRIC = "D1"
    DECIMAL_TABLE = "D2"
    DATA_SENSITIVE = "D3"
    EMV_CRYPTOGRAM = "E0"
    EMV_CONFIDENTIALITY = "E1"
    EMV_INTEGRITY = "E2"
    EMV_AUTHENTICATION_CODE = "E3"
    EMV_DYNAMIC_NUMBER = "E4"
    EMV_PERSONALISATION = "E5"
    EMV_OTHER = "E6"
    EMV_PIN_PAIR = "E7"
    INITIAL_VECTOR = "I0"
    KEK = "K0"
    KBPK = "K1"
    KEY_PAIR_TR34 = "K2"
    KEY_PAIR = "K3"
    KBPK_ISO_20038 = "K4"
    MAC_ISO_16609 = "M0"
    MAC_1 = "M1"
    MAC_2 = "M2"
    MAC_3 = "M3"
    MAC_4 = "M4"
    MAC_5_OLD = "M5"
    MAC_CMAC = "M6"
    HMAC = "M7"
    MAC_6 = "M8"
    PIN = "P0"
    PIN_PAIR = "P1"
    SIGN_PAIR = "S0"
    CA_PAIR = "S1"
    SIGN_OTHER = "S2"
    PIN_VERIFY = "V0"
    PIN_VERIFY_IBM_3624 = "V1"
    PIN_VERIFY_PVV = "V2"
    PIN_VERIFY_X9_132_1 = "V3"
    PIN_VERIFY_X9_132_2 = "V4"
    PIN_VERIFY_X9_132_3 = "V5"


class KeyAlgorithm(Enum):
    """The algorithm that the key is for."""

    AES = "A"
    DES = "D"
    EC = "E"
    HMAC = "H"
    RSA = "R"
    DSA = "S"
    TDES = "T"


class KeyMode(Enum):
    """What may be done with the key."""

    BOTH = "B"  # encrypt and decrypt
    CALCULATE = "C"  # generate and verify
    DECRYPT = "D"
    ENCRYPT = "E"
    GENERATE = "G"
    ANY = "N"  # no restriction but that of the usage
    SIGN = "S"
    SIGN_AND_DECRYPT = "T"
    VERIFY = "V"
    DERIVE = "X"
    VARIANTS = "Y"


class Exportability(Enum):
    """Whether the key may leave the service that holds it."""

    TRUSTED = "E"  # under a key that came in a key block itself
    NO = "N"
    SENSITIVE = "S"  # under other forms too


_CRYPT = frozenset({KeyMode.BOTH, KeyMode.DECRYPT, KeyMode.ENCRYPT, KeyMode.ANY})
_CHECK = frozenset({KeyMode.CALCULATE, KeyMode.GENERATE, KeyMode.VERIFY, KeyMode.ANY})
_DERIVE = frozenset({KeyMode.DERIVE, KeyMode.ANY})
_SIGN = frozenset({KeyMode.SIGN, KeyMode.VERIFY, KeyMode.ANY})
_GROUPS = {
    "B": _DERIVE,
    "C": _CHECK,
    "D": _CRYPT,
    "E": _DERIVE,
    "K": _CRYPT,
    "M": _CHECK,
    "P": _CRYPT,
    "S": _SIGN,
    "V": _CHECK,
}
MODES: dict[KeyUsage, frozenset[KeyMode]] = {
    **{usage: _GROUPS[usage.value[0]] for usage in KeyUsage if usage.value[0] in _GROUPS},
    KeyUsage.BASE_VARIANT: frozenset({KeyMode.VARIANTS, KeyMode.DERIVE, KeyMode.ANY}),
    KeyUsage.EMV_PIN_PAIR: _CRYPT,
    KeyUsage.INITIAL_VECTOR: frozenset({KeyMode.ANY}),
    KeyUsage.KEY_PAIR: _CRYPT | _DERIVE,
    KeyUsage.SIGN_OTHER: _SIGN | {KeyMode.SIGN_AND_DECRYPT},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBlockHeader:
    """All that is said about a key in clear. ``optional``: pairs of a name and its text, the padding left out."""

    version: KeyBlockVersion
    usage: KeyUsage
    algorithm: KeyAlgorithm
    mode: KeyMode
    exportability: Exportability
    key_version: str = "00"
    optional: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = [name for name, _ in self.optional]
        if not _NAME.fullmatch(self.key_version) or not all(map(_NAME.fullmatch, names)):
            raise Usage("a name of other than two letters or digits", where="key block header")
        if len(set(names)) != len(names) or _PADDING in names or len(names) > 98:
            raise Usage("an optional block twice, or padding by hand", where="key block header")
        if not all(_TEXT.fullmatch(text) for _, text in self.optional):
            raise Usage("an optional block that is no plain text", where="key block header")

    def text(self, body_size: int) -> str:
        """The header as sent, in front of ``body_size`` bytes of key and MAC, which go as hex."""
        blocks = [name + _sized(data) for name, data in self.optional]
        missing = -sum(map(len, blocks)) % self.version.block
        if blocks and missing:
            missing += self.version.block if missing < 4 else 0
            blocks.append(f"{_PADDING}{missing:02X}".ljust(missing, "0"))
        tail = "".join(blocks)
        length = _FIXED + len(tail) + 2 * body_size
        if length > LENGTH_MAX:
            raise Usage(f"{length} characters", where="key block", fix=f"at most {LENGTH_MAX}")
        fields = (self.usage, self.algorithm, self.mode)
        head = f"{self.version.value}{length:04}" + "".join(field.value for field in fields)
        return f"{head}{self.key_version}{self.exportability.value}{len(blocks):02}00{tail}"

    def check_mode(self) -> None:
        """`Refused` when the mode does not go with the usage."""
        if self.mode not in MODES[self.usage]:
            what = f"mode {self.mode.value} of usage {self.usage.value}"
            raise Refused(what, where="key block header", fix="wrap the key anew with a mode of its usage")

    def check_export(self, *, under_trusted: bool) -> None:
        """`Refused` when the key may not leave again so; ``under_trusted``: in a key block."""
        allowed = {
            Exportability.SENSITIVE: True,
            Exportability.TRUSTED: under_trusted,
            Exportability.NO: False,
        }
        if not allowed[self.exportability]:
            raise Refused(
                "the key may not leave", where="key block header", fix="make it exportable at its birth"
            )


def parse_header(text: str) -> tuple[KeyBlockHeader, int]:
    """Read the header of a whole key block; return it with its length in characters. `Refused` for any other text."""
    if not _FIXED <= len(text) <= LENGTH_MAX or not _TEXT.fullmatch(text):
        raise _refused("not 16 to 9999 plain characters")
    if not (text[1:5].isdigit() and int(text[1:5]) == len(text)):
        raise _refused("another length than it says")
    if not text[12:14].isdigit() or text[14:16] != "00":
        raise _refused("not a number of optional blocks and 00")
    optional, at = _read_blocks(text, int(text[12:14]))
    version = _value(KeyBlockVersion, text[0])
    if (at - _FIXED) % version.block:
        raise _refused("optional blocks that do not fill whole blocks")
    try:
        header = KeyBlockHeader(
            version=version,
            usage=_value(KeyUsage, text[5:7]),
            algorithm=_value(KeyAlgorithm, text[7]),
            mode=_value(KeyMode, text[8]),
            key_version=text[9:11],
            exportability=_value(Exportability, text[11]),
            optional=optional,
        )
    except Usage as error:
        raise _refused(error.what) from None
    return header, at


def _read_blocks(text: str, count: int) -> tuple[tuple[tuple[str, str], ...], int]:
    found, at = [], _FIXED
    for number in range(1, count + 1):
        name, start = text[at : at + 2], at + 4
        size = _number(text[at + 2 : at + 4])
        if size == 0:  # the extended form: of how many digits the length is, then the length
            if text[start : start + 2] not in _EXTENDED:
                raise _refused("an optional block without its length")
            start += 2 + _EXTENDED_DIGITS
            size = _number(text[start - _EXTENDED_DIGITS : start])
        if size < start - at or at + size > len(text):
            raise _refused("an optional block that leads out of the key block")
        if name != _PADDING:
            found.append((name, text[start : at + size]))
        elif number != count:
            raise _refused("padding that is not the last optional block")
        at += size
    return tuple(found), at


def _number(text: str) -> int:
    if not _HEX.fullmatch(text):
        raise _refused("an optional block without its length")
    return int(text, 16)


def _sized(data: str) -> str:
    short = 4 + len(data)
    return f"{short:02X}{data}" if short <= 0xFF else f"0004{10 + len(data):04X}{data}"


_Named = TypeVar("_Named", bound=Enum)


def _value(kind: type[_Named], text: str) -> _Named:
    try:
        return kind(text)
    except ValueError:
        raise _refused(f"an unknown {kind.__name__}") from None


def _refused(what: str) -> Refused:
    return Refused(what, where="key block header", fix="ask the sender for a block of ANSI X9.143")
