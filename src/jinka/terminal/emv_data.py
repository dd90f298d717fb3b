"""What an EMV kernel is told, what it gathers, and how a transaction ends.

EMV Book 3, annex C5 (TVR), C6 (TSI); Book 4, 6 and 10 (terminal data). Bits are named once here; every phase sets them
through `Run.mark`. A kernel holds public keys of CAs and nothing secret.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntFlag
from typing import Protocol

from jinka.codec.emv_tags import Tag, amount
from jinka.crypto.emv_oda import CaKey, PublicKey
from jinka.crypto.emv_oda_sm2 import Sm2CaKey
from jinka.crypto.sm2 import Sm2PublicKey
from jinka.kit import NotFound, Randomness
from jinka.terminal.link import ApduLink


class Tvr(IntFlag):
    """Terminal verification results, 5 bytes; byte 1 is the uppermost."""

    ODA_NOT_DONE = 0x80 << 32
    SDA_FAILED = 0x40 << 32
    DATA_MISSING = 0x20 << 32
    ON_EXCEPTION_FILE = 0x10 << 32
    DDA_FAILED = 0x08 << 32
    CDA_FAILED = 0x04 << 32
    SDA_SELECTED = 0x02 << 32
    VERSIONS_DIFFER = 0x80 << 24
    EXPIRED = 0x40 << 24
    NOT_YET_EFFECTIVE = 0x20 << 24
    SERVICE_NOT_ALLOWED = 0x10 << 24
    NEW_CARD = 0x08 << 24
    CVM_FAILED = 0x80 << 16
    CVM_UNKNOWN = 0x40 << 16
    PIN_TRIES_EXCEEDED = 0x20 << 16
    PIN_PAD_MISSING = 0x10 << 16
    PIN_NOT_ENTERED = 0x08 << 16
    ONLINE_PIN = 0x04 << 16
    FLOOR_LIMIT = 0x80 << 8
    LOWER_LIMIT = 0x40 << 8
    UPPER_LIMIT = 0x20 << 8
    RANDOM = 0x10 << 8
    FORCED_ONLINE = 0x08 << 8
    DEFAULT_TDOL = 0x80
    ISSUER_AUTHENTICATION_FAILED = 0x40
    SCRIPT_BEFORE_FAILED = 0x20
    SCRIPT_AFTER_FAILED = 0x10


class Tsi(IntFlag):
    """Transaction status information, 2 bytes."""

    ODA = 0x8000
    CVM = 0x4000
    CARD_RISK = 0x2000
    ISSUER_AUTHENTICATION = 0x1000
    TERMINAL_RISK = 0x0800
    SCRIPT = 0x0400


class Aip(IntFlag):
    """Application interchange profile, byte 1."""

    SDA = 0x40
    DDA = 0x20
    CVM = 0x10
    RISK = 0x08
    ISSUER_AUTHENTICATION = 0x04
    CDA = 0x01


class Capability(IntFlag):
    """Terminal capabilities, 9F33, 3 bytes."""

    MAGSTRIPE = 0x400000
    CHIP = 0x200000
    PLAIN_PIN = 0x008000
    ONLINE_PIN = 0x004000
    SIGNATURE = 0x002000
    ENCIPHERED_PIN = 0x001000
    NO_CVM = 0x000800
    SDA = 0x000080
    DDA = 0x000040
    CDA = 0x000008


_ALL = Capability(0xE0F8C8)


@dataclass(frozen=True, slots=True, kw_only=True)
class AidData:
    """What a terminal is told about one application: selection, limits in fen, and action codes of 5 bytes."""

    aid: bytes
    partial: bool = True
    version: bytes = b"\x00\x30"
    floor_limit_fen: int = 0
    random_threshold_fen: int = 0
    target_percent: int = 0
    target_percent_max: int = 0
    tac_default: int = 0xDC4000A800
    tac_denial: int = 0x0010000000
    tac_online: int = 0xDC4004F800
    default_ddol: bytes = bytes.fromhex("9F3704")
    ecash_limit_fen: int = 0  # up to here electronic cash over the contacts is offered (9F7B); 0: not at all
    contactless_limit_fen: int = 100_000
    contactless_floor_fen: int = 100_000
    contactless_cvm_fen: int = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvDevice:
    """A terminal: where it stands, what it can do, which applications and CA keys it knows."""

    aids: tuple[AidData, ...]
    ca_keys: tuple[CaKey | Sm2CaKey, ...] = ()
    terminal_type: int = 0x22
    capabilities: Capability = _ALL
    capabilities_more: bytes = bytes.fromhex("F000F0A001")
    country: bytes = b"\x01\x56"
    currency: bytes = b"\x01\x56"
    merchant_category: bytes = b"\x54\x11"
    serial: bytes = b"JINKA001"
    online: bool = True
    atm: bool = False
    exceptions: frozenset[str] = frozenset()  # card numbers

    def application(self, aid: bytes) -> AidData:
        """The entry that fits a card's AID; the longest wins."""
        fits = [e for e in self.aids if aid == e.aid or (e.partial and aid.startswith(e.aid))]
        if not fits:
            raise NotFound(
                "no such application", where=aid.hex().upper(), fix="add it to the terminal's list"
            )
        return max(fits, key=lambda entry: len(entry.aid))

    @property
    def knows_sm2(self) -> bool:
        """Whether cards are told by DF69 to show their SM2 certificates."""
        return any(isinstance(key, Sm2CaKey) for key in self.ca_keys)

    def ca_key(self, rid: bytes, index: int) -> CaKey | Sm2CaKey | None:
        """The CA key of a scheme and an index; its kind says by which algorithm the card is authenticated."""
        return next((key for key in self.ca_keys if key.rid == rid and key.index == index), None)


class IssuerPort(Protocol):
    """The way to the issuer. Both directions carry BER-TLV: field 55 up; 8A, 91, 71 and 72 down."""

    def authorise(self, request: bytes) -> bytes | None:
        """Answer a request; None when nobody answered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What the merchant wants. ``at`` is local time; ``pin`` is asked when the card wants one (None: not entered)."""

    amount_fen: int
    at: dt.datetime
    other_fen: int = 0
    type: int = 0x00
    forced_online: bool = False
    pin: Callable[[], str | None] = field(default=lambda: None, repr=False)


class EmvStatus(Enum):
    """``REFUSED``: ended before a cryptogram; ``REMOVED``: the card went, and what it did last is not known."""

    APPROVED_OFFLINE = "approved offline"
    APPROVED_ONLINE = "approved online"
    DECLINED_OFFLINE = "declined offline"
    DECLINED_ONLINE = "declined online"
    REFUSED = "refused"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvOutcome:
    """How it ended. ``data`` are the objects gathered, for clearing; ``step`` and ``sw`` say where it was refused.

    ``reversal_wanted``: the issuer approved or may have, and the purchase did not end so (Book 4, 6.3.8).
    """

    status: EmvStatus
    step: str = ""
    sw: int = 0
    tvr: Tvr
    tsi: Tsi
    signature_wanted: bool = False
    failed_scripts: int = 0
    reversal_wanted: bool = False
    data: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    @property
    def approved(self) -> bool:
        return self.status in (EmvStatus.APPROVED_OFFLINE, EmvStatus.APPROVED_ONLINE)


@dataclass(slots=True)
class Run:
    """One transaction while it runs: the objects gathered so far, and the results' bits."""

    device: EmvDevice
    link: ApduLink
    sale: Sale
    randomness: Randomness
    values: dict[int, bytes] = field(default_factory=dict)
    application: AidData = field(default_factory=lambda: AidData(aid=b""))
    static: bytes = b""
    tvr: Tvr = Tvr.ODA_NOT_DONE
    tsi: Tsi = field(default_factory=lambda: Tsi(0))
    cash: bool = False  # the card offers to pay from its electronic cash
    icc_key: PublicKey | Sm2PublicKey | None = None
    combined: bool = False
    asked: bytes = b""
    signature_wanted: bool = False
    failed_scripts: int = 0
    pending: bool = False  # the issuer was asked and did not decline

    def mark(self, tvr: Tvr) -> None:
        """Set bits of the TVR."""
        self.tvr |= tvr
        self.values[Tag.TVR] = int(self.tvr).to_bytes(5, "big")

    def unmark(self, tvr: Tvr) -> None:
        """Clear bits of the TVR."""
        self.tvr &= ~tvr
        self.mark(Tvr(0))

    def aip(self, bit: Aip) -> bool:
        """Whether the card says that it can do this."""
        return bool(self.values.get(Tag.AIP, b"\x00")[0] & bit)

    def can(self, bit: Capability) -> bool:
        """Whether the terminal can."""
        return bool(self.device.capabilities & bit)

    def begin(self) -> None:
        """The terminal's own objects (EMV Book 3, annex A)."""
        device, sale = self.device, self.sale
        self.values.update(
            {
                Tag.AMOUNT: amount(sale.amount_fen),
                Tag.AMOUNT_OTHER: amount(sale.other_fen),
                Tag.COUNTRY_TERMINAL: device.country,
                Tag.CURRENCY: device.currency,
                Tag.DATE: bytes.fromhex(f"{sale.at:%y%m%d}"),
                Tag.TIME: bytes.fromhex(f"{sale.at:%H%M%S}"),
                Tag.TYPE: bytes((sale.type,)),
                Tag.UNPREDICTABLE: self.randomness.token_bytes(4),
                Tag.TERMINAL_TYPE: bytes((device.terminal_type,)),
                Tag.CAPABILITIES: int(device.capabilities).to_bytes(3, "big"),
                Tag.CAPABILITIES_MORE: device.capabilities_more,
                Tag.SM_SUPPORT: b"\x01" if device.knows_sm2 else b"\x00",
                0x9F1E: device.serial,
                0x9F15: device.merchant_category,
            }
        )
        self.mark(Tvr(0))

    @property
    def pan(self) -> str:
        """The card's number, from 5A or from track 2."""
        raw = self.values.get(Tag.PAN, b"")
        if raw:
            return raw.hex().rstrip("f")
        return self.values.get(Tag.TRACK2, b"").hex().split("d")[0]

    def outcome(self, status: EmvStatus, step: str = "", sw: int = 0) -> EmvOutcome:
        """The transaction's end."""
        return EmvOutcome(
            status=status,
            step=step,
            sw=sw,
            tvr=self.tvr,
            tsi=self.tsi,
            signature_wanted=self.signature_wanted,
            failed_scripts=self.failed_scripts,
            reversal_wanted=self.pending and status is not EmvStatus.APPROVED_ONLINE,
            data=dict(self.values),
        )
