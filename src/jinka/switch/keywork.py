"""What the switch asks of the key service: PINs translated, MACs made and checked, keys exchanged.

Each step is a verb of `jinka.keys` with its arguments; the switch never sees a key or a PIN. Which bytes a MAC covers:
for fields 64 and 128 over the raw message everything before the field (UnionPay terminals, ISO/IEC 9797-1 members),
for UnionPay's members a text of selected fields (`INTERBANK_FIELDS`, from published member code; check with the peer).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jinka.codec.iso8583.message import Message
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.pin_block import PinFormat
from jinka.crypto.unionpay_mac import PosMacForm
from jinka.kit.frozen import quick


class MacKind(Enum):
    """How a peer's messages are protected."""

    ISO = "iso"  # ISO/IEC 9797-1 over the raw message
    POS = "pos"  # UnionPay's terminals
    INTERBANK = "interbank"  # UnionPay's members


@dataclass(frozen=True, slots=True, kw_only=True)
class MacRule:
    """A peer's MAC: ``key`` is a key's name in the key service, ``size`` the bytes of the field on the wire."""

    kind: MacKind
    key: str
    field: int = 64
    algorithm: MacAlgorithm = MacAlgorithm.RETAIL
    form: PosMacForm = PosMacForm.HEX


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRule:
    """The key and the format that PINs have with a peer."""

    key: str
    format: PinFormat


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckMac:
    """Check a MAC; gives nothing. ``former`` is a key that is good still, just after an exchange."""

    rule: MacRule
    data: bytes | tuple[str, ...]
    mac: bytes
    former: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class MakeMac:
    """Make a MAC, 8 bytes."""

    rule: MacRule
    data: bytes | tuple[str, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TranslatePin:
    """Give the PIN block for the other zone."""

    source: PinRule
    target: PinRule
    block: bytes
    pan: str
    former: str = ""  # a key of the source that is good still


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UnwrapKey:
    """Take in the key that a peer sends; gives its check value."""

    block: str
    under: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapNewKey:
    """Draw a key for a peer; gives its key block."""

    name: str
    under: str
    size: int


class KeyLayout(Enum):
    """How a terminal's keys lie in field 62: sizes of the PIN key and of the MAC key, each with 4 bytes of check."""

    SINGLE = "single"  # 8 and 8: 24 bytes
    DOUBLE = "double"  # 16 and 8, filled to 16 with zeros: 40 bytes
    DOUBLE_MAC = "double_mac"  # 16 and 16: 40 bytes

    @property
    def pin_kind(self) -> str:
        """The algorithm of the PIN key."""
        return "DES" if self is KeyLayout.SINGLE else "TDES"

    @property
    def mac_kind(self) -> str:
        """The algorithm of the MAC key."""
        return "TDES" if self is KeyLayout.DOUBLE_MAC else "DES"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveTerminalKeys:
    """Draw a terminal's keys and give them as field 62, under its master key; without a name no PIN key."""

    master: str
    pin: str
    mac: str
    layout: KeyLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class DropKeys:
    """Forget working keys; gives nothing."""

    names: tuple[str, ...]


KeyStep = CheckMac | MakeMac | TranslatePin | UnwrapKey | WrapNewKey | GiveTerminalKeys | DropKeys

FAULTED = 1_000  # added to a step's number when the key service itself failed
INTERBANK_FIELDS = (2, 3, 4, 7, 11, 18, 25, 28, 32, 33, 38, 39, 41, 42, 90)
INTERBANK_KEY_FIELDS = (7, 11, 39, 53, 70, 100)  # of network management


def mac_data(rule: MacRule, message: Message, raw: bytes, width: int) -> bytes | tuple[str, ...]:
    """What the MAC covers; ``width`` is how many bytes the field takes at the end of ``raw``."""
    if rule.kind is MacKind.INTERBANK:
        numbers = INTERBANK_KEY_FIELDS if message.mti[1] == "8" else INTERBANK_FIELDS
        return (message.mti, *(message.text(n) for n in numbers if n in message.fields))
    return raw[: len(raw) - width]
