"""The messages between a terminal and its host: written from an entry of the journal, and answers matched to them.

ISO 8583:1987 (field 90 for originals; fields 66, 74, 76, 86, 88 for totals) and UnionPay's terminals (fields 48, 60 to
62; field 60 is type 2, batch 6, network code 3, reading capability 1, chip condition 1). One builder for both: what a
dialect has no field for is left out. Field 35 of a chip is not sent: its objects are in field 55.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from jinka.codec.iso8583 import Codec, Message, Value
from jinka.kit import Refused, Usage
from jinka.terminal.pin_pad import PadMac, PinPad
from jinka.terminal.till_states import BatchTotals, TillEntry

SIGN_IN, SETTLE, UPLOAD, UPLOAD_END = "003", "201", "201", "207"
SIGN_ON = "001"  # field 70, of a line
REASON_TIMEOUT, REASON_MAC, REASON_OTHER = "98", "A0", "06"
TOTALS_WIDTHS = (12, 3, 12, 3)  # of field 48, then the host's verdict
_CHIP_READ, _STRIPE_READ = "5", "2"  # the terminal reads chips; stripes alone
_REVERSED = (2, 3, 4, 14, 22, 23, 25, 41, 42, 49)
_EPOCH = dt.datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalFacts:
    """What a terminal says of itself in every message."""

    terminal: str  # field 41, 8 characters
    merchant: str  # field 42, 15
    category: str = "5411"
    operator: str = "01"
    institution: str = ""  # field 32, where the terminal is told to name its acquirer
    currency: str = "156"
    reads_chips: bool = True
    sign_in: str = SIGN_IN  # the network code of its sign-in: 003 for double keys

    def __post_init__(self) -> None:
        for name, text, size in (("terminal", self.terminal, 8), ("merchant", self.merchant, 15)):
            if len(text) != size or not text.isascii() or not text.isprintable():
                raise Usage(f"not {size} characters", where=f"terminal.{name}", fix="as the host gave it")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What was read of a card. ``entry_mode`` is the first two digits of field 22."""

    pan: str = field(repr=False)
    expiry4: str = field(default="", repr=False)
    sequence: str = ""
    entry_mode: str = "05"
    track2: str = field(default="", repr=False)
    field55: bytes = field(default=b"", repr=False)
    chip_failed: bool = False


def transmission(now_micros: int) -> str:
    """Field 7 of a moment: MMDDhhmmss in UTC."""
    return f"{_EPOCH + dt.timedelta(microseconds=now_micros):%m%d%H%M%S}"


class HostMessages:
    """Writes and reads one terminal's messages. ``signs_on``: each line is opened with 0800, field 70."""

    def __init__(self, codec: Codec, facts: TerminalFacts, mac_field: int, *, signs_on: bool = False) -> None:
        self.codec, self.facts, self.mac_field, self.signs_on = codec, facts, mac_field, signs_on
        self._known = codec.spec.fields

    @property
    def has_moment(self) -> bool:
        """Whether the dialect has field 7, and originals are named by field 90."""
        return 7 in self._known

    @property
    def tells_parts(self) -> bool:
        """Whether a reversal can say what stays of an amount: field 95."""
        return 95 in self._known

    def request(self, entry: TillEntry, card: CardFacts, *, pin_block: bytes, target: str = "") -> Message:
        """A transaction; ``target`` is the account that a transfer goes to."""
        kind = entry.kind
        fields: dict[int, Value] = self._own() | {
            2: card.pan, 3: kind.code, 7: entry.moment, 11: entry.trace, 12: f"{entry.at:%H%M%S}",
            13: f"{entry.at:%m%d}", 14: card.expiry4, 22: self._entry(entry.entry_mode, bool(pin_block)),
            23: card.sequence, 25: kind.condition, 35: card.track2 if card.entry_mode in ("02", "80", "90") else "",
            37: entry.reference if kind.original else "", 38: entry.approval if kind.original else "",
            52: pin_block, 53: self._security(bool(pin_block)), 55: card.field55,
            60: self._private(kind.type60, entry.batch, failed=card.chip_failed), 103: target,
        }  # fmt: skip
        if entry.amount_fen or kind.name != "balance":
            fields[4] = f"{entry.amount_fen:012d}"
        if pin_block:
            fields[26] = "12"
        fields |= self._original(entry)
        return self._message(kind.mti, fields)

    def reversal(self, entry: TillEntry, *, trace: str, moment: str) -> Message:
        """The reversal of an entry. UnionPay's has the original's own trace number; ISO's names it in field 90."""
        sent = self.request(entry, _card_of(entry), pin_block=b"")
        fields: dict[int, Value] = {n: sent.fields[n] for n in _REVERSED if n in sent.fields}
        own = trace if self.has_moment else entry.trace
        fields |= {
            7: moment, 11: own, 12: f"{entry.at:%H%M%S}", 13: f"{entry.at:%m%d}", 38: entry.approval,
            39: entry.reason or REASON_OTHER, 60: self._private(entry.kind.type60, entry.batch),
        }  # fmt: skip
        if entry.stays_fen:
            fields[95] = f"{entry.stays_fen:012d}{'0' * 12}C{'0' * 8}C{'0' * 8}"
        if self.has_moment:
            fields[90] = self._elements(entry.kind.mti, entry.trace, entry.moment)
        else:
            fields |= self._original(entry)
        return self._message("0400", fields)

    def sign_in(self, trace: str, batch: str) -> Message:
        """A terminal's sign-in: the host answers with work keys."""
        fields = self._own() | {
            11: trace, 60: self._private("00", batch, self.facts.sign_in), 63: self.facts.operator.ljust(3)
        }  # fmt: skip
        del fields[49]
        return self._message("0800", fields)

    def sign_on(self, trace: str, moment: str) -> Message:
        """The opening of a line: field 70 is 001."""
        return self._message("0800", {7: moment, 11: trace, 70: SIGN_ON})

    def settlement(self, trace: str, moment: str, batch: str, totals: BatchTotals) -> Message:
        """The totals of a batch."""
        fields: dict[int, Value] = self._own() | {
            7: moment, 11: trace, 60: self._private("00", batch, SETTLE), 66: "1",
            74: f"{totals.credits:010d}", 76: f"{totals.debits:010d}",
            86: f"{totals.credit_fen:016d}", 88: f"{totals.debit_fen:016d}",
        }  # fmt: skip
        if not self.has_moment:
            counts = (totals.debit_fen, totals.debits, totals.credit_fen, totals.credits)
            fields[48] = "".join(f"{n:0{w}d}" for n, w in zip(counts, TOTALS_WIDTHS, strict=True)) + "0"
        return self._message("0500", fields)

    def item(self, entry: TillEntry) -> Message:
        """One transaction of a batch whose totals differ."""
        fields: dict[int, Value] = self._own() | {
            2: entry.pan, 3: entry.kind.code, 4: f"{entry.amount_fen:012d}", 7: entry.moment, 11: entry.trace,
            12: f"{entry.at:%H%M%S}", 13: f"{entry.at:%m%d}", 37: entry.reference, 38: entry.approval,
            60: self._private("00", entry.batch, UPLOAD),
        }  # fmt: skip
        return self._message("0320", fields)

    def upload_end(self, trace: str, moment: str, batch: str) -> Message:
        """The end of an upload."""
        fields: dict[int, Value] = self._own() | {
            7: moment, 11: trace, 60: self._private("00", batch, UPLOAD_END)
        }  # fmt: skip
        return self._message("0320", fields)

    def seal(self, message: Message, pad: PinPad) -> bytes:
        """The bytes that go out, with their MAC."""
        if pad.terms.mac is PadMac.NONE or message.mti[1] == "8":
            return self.codec.encode(message)
        raw = self.codec.encode(message.changed({self.mac_field: bytes(8)}))[:-8]
        return raw + pad.make_mac(raw)

    def open(self, raw: bytes, asked: Message) -> Message | None:
        """An answer to what was asked; None for another message. `DecodeError` for what is no message."""
        message = self.codec.decode(raw)
        given = {n: message.text(n) for n in (3, 4, 11, 41, 42) if n in message.fields and n in asked.fields}
        same = all(value.strip() == asked.text(n).strip() for n, value in given.items())
        mti = f"{asked.mti[:2]}{int(asked.mti[2]) + 1}0"
        return message if same and message.mti == mti and 11 in given else None

    def check(self, raw: bytes, message: Message, pad: PinPad) -> None:
        """The answer's MAC; `Refused` when it is wrong or missing."""
        if pad.terms.mac is PadMac.NONE or message.mti[1] == "8":
            return
        mac = message.fields.get(self.mac_field)
        if not isinstance(mac, bytes) or raw[-8:] != mac:
            raise Refused("no MAC", where="answer", fix="the host's keys, or somebody between")
        pad.check_mac(raw[:-8], mac)

    def _own(self) -> dict[int, Value]:
        facts = self.facts
        return {
            18: facts.category, 32: facts.institution, 41: facts.terminal, 42: facts.merchant, 49: facts.currency
        }  # fmt: skip

    def _message(self, mti: str, fields: Mapping[int, Value]) -> Message:
        return Message(mti=mti, fields={n: v for n, v in sorted(fields.items()) if v and n in self._known})

    def _private(self, type60: str, batch: str, network: str = "000", *, failed: bool = False) -> str:
        capability = _CHIP_READ if self.facts.reads_chips else _STRIPE_READ
        more = capability + ("2" if failed else "0") if type60 != "00" else ""
        return type60 + batch + network + more

    @staticmethod
    def _entry(mode: str, pin: bool) -> str:
        return mode + ("1" if pin else "2")

    @staticmethod
    def _security(pin: bool) -> str:
        return "2600000000000000" if pin else ""  # a PIN with the card's number, under a double key

    def _original(self, entry: TillEntry) -> dict[int, Value]:
        """Field 90, or a terminal's 61: which transaction an entry is about."""
        if not entry.original:
            return {}
        place, trace = entry.original[:16], entry.original[6:12]
        if not self.has_moment:
            return {61: place}
        return {90: self._elements(entry.original[26:], trace, entry.original[16:26])}

    def _elements(self, mti: str, trace: str, moment: str) -> str:
        acquirer = self.facts.institution.zfill(11)
        return f"{mti}{trace}{moment}{acquirer}{'0' * 11}"


def _card_of(entry: TillEntry) -> CardFacts:
    """What of a card an entry keeps."""
    return CardFacts(
        pan=entry.pan, expiry4=entry.expiry4, sequence=entry.sequence, entry_mode=entry.entry_mode
    )


def balance_of(message: Message) -> int | None:
    """Field 54: account type 2, amount type 2, currency 3, sign, amount 12; None without one."""
    text = message.text(54)[:20]
    if len(text) != 20 or not text[8:].isdigit():
        return None
    return int(text[8:]) * (-1 if text[7] == "D" else 1)
