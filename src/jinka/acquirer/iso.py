"""The gateway's operations as messages of an acquirer to its switch, by tables, and what the answers mean.

ISO 8583:1987: 4.1 (message types), 4.3 (processing codes, entry modes, conditions), field 90 (original data elements).
An operation's numbers (fields 7, 11, 32, 37, 41) come from the operation, so the same operation is the same message
whenever it is asked again, then with 1 at the end of its type. Kinds are told as UnionPay's terminals tell them (type,
field 3, field 25); condition 59 is electronic commerce. Field 61: `jinka.codec.iso8583.card_not_present`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from jinka.acquirer.currency import currency_of
from jinka.acquirer.orders import Kind, Operation
from jinka.acquirer.ports import Answer, Ask, Entry, Merchant, NoAnswer, Result
from jinka.codec.iso8583.card_not_present import FIELD, write_card_value
from jinka.codec.iso8583.message import Message, Value
from jinka.kit import Refused

# kind -> message type, field 3, field 25; None where they follow from the original's kind.
MESSAGES: Mapping[Kind, tuple[str, str, str]] = MappingProxyType(
    {
        Kind.PURCHASE: ("0200", "000000", "59"),
        Kind.AUTHORISE: ("0100", "030000", "59"),
        Kind.CAPTURE: ("0200", "000000", "06"),
        Kind.REFUND: ("0220", "200000", "59"),
    }
)
VOIDS: Mapping[Kind, tuple[str, str, str]] = MappingProxyType(
    {
        Kind.PURCHASE: ("0200", "200000", "59"),
        Kind.AUTHORISE: ("0100", "200000", "06"),
        Kind.CAPTURE: ("0200", "200000", "06"),
    }
)
# How the number came in, and field 22: manual, credential on file, a code read by its lines. No PIN can be typed.
ENTRIES: Mapping[Entry, str] = MappingProxyType({Entry.TYPED: "012", Entry.STORED: "102", Entry.CODE: "032"})
# As the switch counts them: after these codes the money has moved.
APPROVALS = frozenset({"00", "08", "11", "16", "A2", "A4", "A5", "A6"})
# The switch refused to look at the message: no word on what became of it when it came before.
UNHEARD = frozenset({"03", "30", "77", "96", "97", "A0"})
_TAKEN_BACK = frozenset({"00", "25"})  # 25: it had not come, and will be refused when it does
_TIMED_OUT = "98"
_STANS = 1_000_000
_EPOCH = dt.datetime(1970, 1, 1)
_CHINA = dt.timedelta(hours=8)
NEEDED = frozenset({2, 3, 4, 7, 11, 12, 13, 14, 18, 22, 25, 32, 37, 39, 41, 42, 43, 49, 55, FIELD, 90})


def request_of(ask: Ask, institution: str) -> Message:
    """An operation as a message; ``institution`` is ours, field 32, for an operation that does not say its own."""
    operation, merchant, card = ask.operation, ask.merchant, ask.card
    institution = operation.institution or institution
    mti, code, condition = _kind(ask)
    fields = _common(operation, merchant, card.pan, institution) | {
        3: code,
        14: card.expiry4,
        22: ENTRIES[card.entry],
        25: condition,
        43: _place(merchant),
        49: currency_of(ask.currency).numeric,
    }
    if card.card_value:
        fields[FIELD] = write_card_value(card.card_value)
    if card.chip:
        fields[55] = card.chip
    if ask.original is not None:
        fields[90] = _elements(ask.original, _first_type(ask.original), institution)
    return Message(mti=mti[:3] + "1" if ask.again else mti, fields=dict(sorted(fields.items())))


def reversal_of(ask: Ask, institution: str) -> Message:
    """The reversal of an operation whose outcome is not known: it names what the operation's message named."""
    operation, sent = ask.operation, request_of(ask, institution)
    kept: dict[int, Value] = {n: v for n, v in sent.fields.items() if n not in (43, 55, FIELD, 90)}
    kept |= {39: _TIMED_OUT, 90: _elements(operation, _first_type(operation), institution)}
    return Message(mti="0421" if ask.again else "0420", fields=dict(sorted(kept.items())))


def answer_of(message: Message) -> Answer:
    """What an answer says; `NoAnswer` for one without a code."""
    code = message.text(39)
    if len(code) != 2:
        raise NoAnswer("an answer without a code", where="field 39")
    if code in APPROVALS:
        return Answer(result=Result.APPROVED, code="00", approval=message.text(38))
    return Answer(result=Result.DECLINED, code=code)


def taken_back(message: Message) -> Answer:
    """What the answer to a reversal says; `NoAnswer` where it leaves the doubt."""
    code = message.text(39)
    if code not in _TAKEN_BACK:
        raise NoAnswer(f"the reversal was answered {code}", where="field 39")
    return Answer(result=Result.APPROVED, code="00")


def _kind(ask: Ask) -> tuple[str, str, str]:
    if ask.operation.kind is not Kind.VOID:
        return MESSAGES[ask.operation.kind]
    if ask.original is None:
        raise Refused("a void without its original", where="books", fix="restore the database")
    return VOIDS[ask.original.kind]


def _first_type(operation: Operation) -> str:
    """The type that an operation was first sent with; of a void it does not matter, whatever it voids."""
    return MESSAGES.get(operation.kind, VOIDS[Kind.PURCHASE])[0]


def _common(operation: Operation, merchant: Merchant, pan: str, institution: str) -> dict[int, Value]:
    local = _EPOCH + dt.timedelta(microseconds=operation.at_micros) + _CHINA
    return {
        2: pan,
        4: f"{operation.amount_minor:012d}",
        7: _moment(operation),
        11: _stan(operation),
        12: f"{local:%H%M%S}",
        13: f"{local:%m%d}",
        18: merchant.category,
        32: institution,
        37: f"{operation.serial % 10**12:012d}",
        41: operation.terminal or merchant.terminal,
        42: f"{merchant.id:<15}",
    }


def _moment(operation: Operation) -> str:
    """Field 7: MMDDhhmmss, UTC."""
    return f"{_EPOCH + dt.timedelta(microseconds=operation.at_micros):%m%d%H%M%S}"


def _stan(operation: Operation) -> str:
    return f"{operation.serial % _STANS:06d}"


def _elements(operation: Operation, mti: str, institution: str) -> str:
    number = (operation.institution or institution).zfill(11)
    return f"{mti}{_stan(operation)}{_moment(operation)}{number}{'0' * 11}"


def _place(merchant: Merchant) -> str:
    """Field 43: name 25, city 13, country 2."""
    return f"{merchant.name[:25]:<25}{merchant.city[:13]:<13}CN"
