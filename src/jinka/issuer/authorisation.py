"""What an issuer is asked and what it answers, in no dialect: ISO 8583 stands in front of it (`jinka.codec`).

The kinds are a table: which way money goes, whether it is held or moved, whether an original is needed. A transaction
is known by acquirer, terminal, stan and the moment of its field 7; asked again it is the same transaction. One
currency, the yuan. An amount is taken back whole, or in part by a partial reversal (TAKES).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from jinka.crypto.pin_block import PinFormat
from jinka.issuer.reasons import Reason
from jinka.kit import MAX_MINOR, Usage, make_id
from jinka.ledger import Transfer

YUAN = 156  # ISO 4217 numeric, which is the number of the ledger as well
_TEXT_MAX = 40
_EPOCH = dt.datetime(1970, 1, 1, 8)  # in China, UTC+8 without summer time
_CHINA_MICROS = 8 * 3_600 * 1_000_000
_DAY_MICROS = 24 * 3_600 * 1_000_000
_TIME_MAX = 4_102_444_800_000_000  # the year 2100


class Flow(Enum):
    """Which way money goes: from the holder, to the holder, held only, or not at all."""

    DEBIT = "debit"
    CREDIT = "credit"
    HOLD = "hold"
    NONE = "none"


class Kind(Enum):
    """What is asked: (word, flow, needs an original, English, Chinese). A partial reversal's amount is what stays."""

    PURCHASE = ("purchase", Flow.DEBIT, False, "purchase", "消费")
    CASH = ("cash", Flow.DEBIT, False, "cash withdrawal", "取现")
    BILL = ("bill", Flow.DEBIT, False, "bill payment", "缴费")
    TRANSFER = ("transfer", Flow.DEBIT, False, "transfer to another account here", "行内转账")
    TRANSFER_OUT = ("transfer out", Flow.DEBIT, False, "transfer out", "转出")
    TRANSFER_IN = ("transfer in", Flow.CREDIT, False, "transfer in", "转入")
    DEPOSIT = ("deposit", Flow.CREDIT, False, "deposit", "存款")
    BALANCE = ("balance", Flow.NONE, False, "balance inquiry", "余额查询")
    PREAUTHORISATION = ("preauthorisation", Flow.HOLD, False, "pre-authorisation", "预授权")
    COMPLETION = ("completion", Flow.DEBIT, True, "completion", "预授权完成")
    REFUND = ("refund", Flow.CREDIT, True, "refund", "退货")
    VOID = ("void", Flow.NONE, True, "void", "撤销")
    REVERSAL = ("reversal", Flow.NONE, True, "reversal", "冲正")
    PARTIAL = ("partial reversal", Flow.NONE, True, "partial reversal", "部分冲正")

    def __init__(self, word: str, flow: Flow, needs_original: bool, english: str, chinese: str) -> None:
        self.word, self.flow, self.needs_original, self.title = word, flow, needs_original, (english, chinese)

    __hash__ = object.__hash__  # an enumeration's own is Python's, and asked for dozens of times a request


class Entry(Enum):
    """How the card number came in. ``FALLBACK``: the stripe of a chip card, where the chip could not be read."""

    CHIP = "chip"
    CONTACTLESS = "contactless"
    STRIPE = "stripe"
    FALLBACK = "fallback"
    MANUAL = "manual"
    STORED = "stored"
    QR = "qr"

    __hash__ = object.__hash__


class Channel(Enum):
    """Where the holder stands: (word, English, Chinese)."""

    POS = ("pos", "shop", "商户")
    ATM = ("atm", "cash machine", "自动柜员机")
    ONLINE = ("online", "card not present", "无卡支付")
    COUNTER = ("counter", "bank counter", "柜面")
    SELF_SERVICE = ("self-service", "self-service", "自助终端")
    PHONE = ("phone", "phone", "手机")
    LOAD = ("load", "purse load", "圈存")

    __hash__ = object.__hash__


# A payer's code comes from the chip in the phone, with its cryptogram in field 55.
CHIP_ENTRIES = frozenset({Entry.CHIP, Entry.CONTACTLESS, Entry.QR})
STRIPE_ENTRIES = frozenset({Entry.STRIPE, Entry.FALLBACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class PinData:
    """A PIN block as it came, and the zone key of the key service that it came under."""

    block: bytes = field(repr=False)
    zone: str
    format: PinFormat = PinFormat.ISO_0
    serial: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardValue:
    """CVV, CVV2 or iCVV: the digits, and the service code that they are for (``000`` printed, ``999`` chip)."""

    value: str = field(repr=False)
    service3: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a terminal stands, in millionths of a degree."""

    latitude_e6: int
    longitude_e6: int

    def __post_init__(self) -> None:
        if abs(self.latitude_e6) > 90_000_000 or abs(self.longitude_e6) > 180_000_000:
            raise Usage("no such place on earth", where="place", fix="degrees times one million")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What names a transaction: acquirer, terminal, stan (6 digits) and when it was sent.

    That is field 7, MMDD and hhmmss in UTC: a stan comes again within a day. A terminal that sends no field 7 has only
    a local date.
    """

    acquirer: str
    terminal: str
    stan: str
    date4: str
    time6: str = ""

    def __post_init__(self) -> None:
        times = (("time", self.time6, 6),) if self.time6 else ()
        for name, text, size in (("stan", self.stan, 6), ("date", self.date4, 4), *times):
            if len(text) != size or not (text.isascii() and text.isdigit()):
                raise Usage(f"not {size} digits", where=f"trace.{name}", fix="as the message carries it")
        for name, text in (("acquirer", self.acquirer), ("terminal", self.terminal)):
            if not 0 < len(text) <= _TEXT_MAX or not text.isprintable():
                raise Usage("empty or too long", where=f"trace.{name}", fix=f"1 to {_TEXT_MAX} characters")

    def id_of(self, year: int) -> bytes:
        """The transaction's id; ``year`` because the date has none."""
        moment = self.date4 + self.time6
        return make_id("jinka.issuer.transaction", self.acquirer, self.terminal, self.stan, moment, year)

    @property
    def by_day(self) -> Trace:
        """The name without the time of day, as books had it before (`jinka.issuer.day_names`)."""
        return replace(self, time6="")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationRequest:
    """One request. ``at_micros`` is when the host took it in; the year of the local date is the nearest to it.

    ``forced`` marks what happened already (a stand-in's advice, an offline sale): it is booked even when the
    account has not the money.
    """

    kind: Kind
    pan: str = field(repr=False)
    amount_fen: int
    at_micros: int
    trace: Trace
    currency: int = YUAN
    entry: Entry = Entry.CHIP
    channel: Channel = Channel.POS
    terminal_chip: bool = True
    merchant: str = ""
    category: str = ""
    rrn: str = ""
    expiry4: str = ""
    sequence: str = "00"
    place: Place | None = None
    pin: PinData | None = None
    card_value: CardValue | None = None
    field55: bytes = field(default=b"", repr=False)
    original: Trace | None = None
    forced: bool = False
    receiver: str = field(default="", repr=False)  # of a transfer: the card whose account gets the money
    settled: str = ""  # the business date that it counts to, YYYY-MM-DD
    # The transaction's id; a reversal is known by its original: sent again with another stan it is the same.
    id: bytes = field(init=False, repr=False)
    original_id: bytes = field(init=False, repr=False)  # zeros without one
    card_id: bytes = field(init=False, repr=False)  # the card in journals, which hold no card number
    fingerprint: bytes = field(init=False, repr=False)  # what is the same when a transaction is asked again

    def __post_init__(self) -> None:
        if type(self.amount_fen) is not int or not 0 <= self.amount_fen <= MAX_MINOR:
            raise Usage("not an amount", where="request.amount_fen", fix="0 to 2^63-1, an int")
        if not (self.pan.isascii() and self.pan.isdigit() and 12 <= len(self.pan) <= 19):
            raise Usage("not a card number", where="request.pan", fix="12 to 19 digits")
        if self.kind.needs_original is not (self.original is not None):
            raise Usage(f"a {self.kind.word} and its original", where="request.original",
                        fix="name the original where one is taken back or completed")  # fmt: skip
        if self.kind is Kind.TRANSFER and not (self.receiver.isascii() and self.receiver.isdigit()):
            raise Usage("a transfer to nobody", where="request.receiver", fix="a card number of this issuer")
        if not 0 <= self.at_micros <= _TIME_MAX:
            raise Usage("not a time", where="request.at_micros", fix="microseconds since 1970")

        self._name()

    def _name(self) -> None:
        """Work the ids out once: they are asked for often."""
        original = bytes(16) if self.original is None else self.id_of(self.original)
        own = self.id_of(self.trace)
        named = {Kind.REVERSAL: "jinka.issuer.reversal", Kind.PARTIAL: "jinka.issuer.partial"}.get(self.kind)
        what = (self.kind.word, self.pan, self.amount_fen, self.currency, original)
        more = () if named else (self.merchant, own)
        if self.receiver:
            more = (*more, card_id(self.receiver))
        for name, value in (
            ("original_id", original),
            ("id", make_id(named, original) if named else own),
            ("card_id", card_id(self.pan)),
            ("fingerprint", make_id("jinka.issuer.fingerprint", *what, *more)),
        ):
            object.__setattr__(self, name, value)

    def id_of(self, trace: Trace) -> bytes:
        """The id of a transaction that this request names: its own, or its original's."""
        return trace.id_of(self._year(trace))

    def sent_micros(self, trace: Trace) -> int | None:
        """When a transaction was sent, by its field 7; None where that is no moment."""
        text = trace.date4 + trace.time6
        try:
            month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 10, 2))
            sent = dt.datetime(self._year(trace), month, day, hour, minute, second, tzinfo=dt.UTC)
        except ValueError:
            return None
        return int(sent.timestamp()) * 1_000_000

    def _year(self, trace: Trace) -> int:
        """The year in which a date of month and day lies nearest to the request, in Chinese time."""
        year, month = year_and_month(self.at_micros)
        return year - 1 if month - int(trace.date4[:2]) <= -6 else year + (month - int(trace.date4[:2]) > 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer. ``rule`` names the limit or risk rule that spoke; ``chip`` is field 55 of the answer.

    ``transfers`` are those that this decision made on the ledger; none when it is an old answer given again.
    """

    code: str
    reason: Reason
    rule: str = ""
    rule_title: tuple[str, str] = ("", "")
    id: bytes = bytes(16)
    authorisation: str = ""
    available_fen: int | None = None
    chip: bytes = b""
    repeated: bool = False
    transfers: tuple[Transfer, ...] = ()

    @property
    def approved(self) -> bool:
        return self.code == "00"

    @property
    def title(self) -> tuple[str, str]:
        """The reason in English and Chinese, with the rule's own words where there are any."""
        english, chinese = self.reason.title
        if self.rule_title[0]:
            return f"{english}: {self.rule_title[0]}", f"{chinese}：{self.rule_title[1]}"
        return english, chinese


# What the original must be, for each kind that has one.
TAKES: Mapping[Kind, frozenset[Kind]] = MappingProxyType(
    {
        Kind.COMPLETION: frozenset({Kind.PREAUTHORISATION}),
        Kind.REFUND: frozenset({Kind.PURCHASE, Kind.COMPLETION, Kind.BILL}),
        Kind.VOID: frozenset({Kind.PURCHASE, Kind.PREAUTHORISATION, Kind.COMPLETION}),
        Kind.REVERSAL: frozenset(set(Kind) - {Kind.REVERSAL, Kind.PARTIAL, Kind.BALANCE}),
        Kind.PARTIAL: frozenset({Kind.PURCHASE, Kind.COMPLETION, Kind.CASH, Kind.BILL, Kind.TRANSFER_OUT}),
    }
)


def card_id(pan: str) -> bytes:
    """16 bytes that name a card."""
    return make_id("jinka.issuer.card", pan)


def year_and_month(micros: int) -> tuple[int, int]:
    """Year and month in China (UTC+8, without summer time) of a moment."""
    day = local_day(micros)
    return day // 10_000, day // 100 % 100


def day_of(micros: int) -> tuple[int, int]:
    """When the day in China of a moment began, and when it ends."""
    began = (micros + _CHINA_MICROS) // _DAY_MICROS * _DAY_MICROS - _CHINA_MICROS
    return began, began + _DAY_MICROS


def day_number(micros: int) -> int:
    """The day in China of a moment, counted from 1970."""
    return (micros + _CHINA_MICROS) // _DAY_MICROS


def local_day(micros: int) -> int:
    """The day in China as YYYYMMDD."""
    day = _EPOCH + dt.timedelta(microseconds=micros)
    return day.year * 10_000 + day.month * 100 + day.day
