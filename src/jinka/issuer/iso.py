"""The issuer's side of ISO 8583: messages to requests, decisions to answers, by tables. No sockets, no MACs.

ISO 8583:1987, 4.1 and 4.3 (message types, processing codes), field 90 (original data elements); UnionPay's terminals
name an original in field 61. A transaction's moment is field 7, all ten digits, as field 90 has them; without one it
has the date of field 13, as field 61 has it. The places of the terminal's capability in field 60 and of the CVV in
track 2 are UnionPay's habit: check them with the peer; so is the place of a printed card value
(`jinka.codec.iso8583.card_not_present`). Field 95 of 1987 says what stays of an amount. Totals (0500) are
`jinka.issuer.day_totals`. Not read: clear PINs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from jinka.codec.iso8583 import Message, Value
from jinka.codec.iso8583.card_not_present import FIELD, read_card_value
from jinka.crypto.pin_block import PinFormat
from jinka.issuer.authorisation import (
    AuthorisationRequest,
    CardValue,
    Channel,
    Decision,
    Entry,
    Kind,
    PinData,
    Trace,
)
from jinka.issuer.day_totals import DayTotals, settled_on
from jinka.issuer.host import IssuerHost
from jinka.issuer.iso_loads import IsoLoads, is_load
from jinka.kit import JinkaError, Refused, Usage

_VOID, _DONE = Kind.VOID, "06"
# (message class, with an "a" before it for an advice; first two digits of field 3; field 25 or "" for any), as a
# switch tells them. An advice of class 1 tells of an authorisation (money is held), of class 2 of a payment.
KIND_TABLE: Mapping[tuple[str, str, str], Kind] = MappingProxyType(
    {
        ("1", "00", ""): Kind.PREAUTHORISATION,
        ("1", "03", ""): Kind.PREAUTHORISATION,
        ("1", "20", ""): _VOID,
        ("1", "30", ""): Kind.BALANCE,
        ("1", "31", ""): Kind.BALANCE,
        ("2", "00", _DONE): Kind.COMPLETION,
        ("2", "00", ""): Kind.PURCHASE,
        ("2", "01", ""): Kind.CASH,
        ("2", "20", ""): _VOID,
        ("2", "21", ""): Kind.DEPOSIT,
        ("2", "30", ""): Kind.BALANCE,
        ("2", "31", ""): Kind.BALANCE,
        ("2", "40", ""): Kind.TRANSFER,
        ("2", "46", ""): Kind.TRANSFER_OUT,
        ("2", "47", ""): Kind.TRANSFER_IN,
        ("2", "50", ""): Kind.BILL,
        ("a1", "00", ""): Kind.PREAUTHORISATION,
        ("a1", "03", ""): Kind.PREAUTHORISATION,
        ("a2", "00", _DONE): Kind.COMPLETION,
        ("a2", "00", ""): Kind.PURCHASE,
        ("a2", "01", ""): Kind.CASH,
        ("a2", "20", ""): Kind.REFUND,
    }
)
ENTRY_TABLE: Mapping[str, Entry] = MappingProxyType(
    {
        "01": Entry.MANUAL,
        "02": Entry.STRIPE,
        "03": Entry.QR,
        "05": Entry.CHIP,
        "07": Entry.CONTACTLESS,
        "10": Entry.STORED,
        "80": Entry.FALLBACK,
        "90": Entry.STRIPE,
    }
)
CATEGORY_CHANNELS: Mapping[str, Channel] = MappingProxyType({"6010": Channel.COUNTER, "6011": Channel.ATM})
_REMOTE_CONDITIONS = frozenset({"08", "59"})  # mail or telephone order, electronic commerce
_PRINTED = "000"  # the service code that a printed card value is made with
_CHIP_READERS = frozenset({"5", "6"})
_ANSWERED = (2, 3, 4, 7, 11, 12, 13, 15, 23, 25, 32, 33, 37, 41, 42, 49, 60, 90, 100)
_APPROVED_TYPE = "02"  # field 54: amount type "available"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoTerms:
    """What is agreed with the peer: under which zone key PINs come, and where in track 2 the CVV stands."""

    zone: str = ""
    pin_format: PinFormat = PinFormat.ISO_0
    cvv_at: int = 5  # digits after the service code: key index 1, PVV 4
    capability_at: int = 5  # of field 60: what the terminal reads; 11 where terminals' own fields come
    currency: str = "156"


class IsoIssuer:
    """An `IssuerHost` that speaks ISO 8583 with one peer, with a desk for the loads of purses where it has one.

    Totals of a day are compared where ``days`` are given.
    """

    def __init__(
        self, host: IssuerHost, terms: IsoTerms, loads: IsoLoads | None = None, days: DayTotals | None = None
    ) -> None:
        self._host, self._terms, self._loads, self._days = host, terms, loads, days

    def handle(self, message: Message, at_micros: int) -> Message | None:
        """The answer; None for what is itself an answer."""
        return self.handle_all([message], at_micros)[0]

    def handle_all(self, messages: Sequence[Message], at_micros: int) -> list[Message | None]:
        """The answers in order; all that they say is durable. Messages of one call share the flushes."""
        answers: list[Message | None] = [None] * len(messages)
        asked: list[tuple[int, AuthorisationRequest]] = []
        totals: list[int] = []
        for at, message in enumerate(messages):
            if message.mti[2] not in "02":
                continue
            if message.mti[1] == "8":
                answers[at] = answer_to(message, {39: "00"})
                continue
            if message.mti[1] == "5" and self._days is not None:
                totals.append(at)
                continue
            try:
                if is_load(message):
                    answers[at] = answer_to(message, self._load(message, at_micros))
                    continue
                asked.append((at, request_of(message, at_micros, self._terms)))
            except JinkaError as error:
                code = "12" if error.where == "message type" else "30"
                answers[at] = answer_to(message, {39: code})
        decisions = self._host.decide_all([request for _, request in asked])
        for (at, _), decision in zip(asked, decisions, strict=True):
            answers[at] = answer_to(messages[at], answer_fields(decision, self._terms))
        for at in totals:  # what came before them is decided now
            if self._days is not None:
                answers[at] = answer_to(messages[at], self._days.answer(messages[at], at_micros))
        return answers

    def _load(self, message: Message, at_micros: int) -> dict[int, Value]:
        if self._loads is None:
            return {39: "12"}
        return self._loads.answer(message, at_micros, _pin(message, self._terms))


def request_of(message: Message, at_micros: int, terms: IsoTerms) -> AuthorisationRequest:
    """A request, an advice or a reversal in the issuer's words; `Usage` or `Refused` for what is none."""
    kind = kind_of(message)
    track2 = message.text(35).upper().replace("=", "D")
    entry = ENTRY_TABLE.get(message.text(22)[:2], Entry.STORED)
    pan = _card_number(message, track2)
    capability = message.text(60)[terms.capability_at : terms.capability_at + 1]
    return AuthorisationRequest(
        kind=kind,
        pan=pan,
        amount_fen=_number(*((message.text(95)[:12], 95) if kind is Kind.PARTIAL else (message.text(4), 4))),
        at_micros=at_micros,
        trace=_trace(message, message.text(11), message.text(7) or message.text(13)),
        currency=_number(message.text(49) or terms.currency, 49),
        entry=entry,
        channel=_channel(message, entry),
        terminal_chip=capability in _CHIP_READERS or entry in (Entry.CHIP, Entry.CONTACTLESS, Entry.FALLBACK),
        merchant=message.text(42).strip(),
        category=message.text(18),
        rrn=message.text(37),
        expiry4=message.text(14) or track2.partition("D")[2][:4],
        sequence=message.text(23)[-2:] or "00",
        pin=_pin(message, terms),
        card_value=_card_value(track2, terms) or _printed_value(message),
        field55=_bytes(message, 55),
        original=_original(message) if kind.needs_original else None,
        forced=message.mti[2] == "2",
        receiver=message.text(103) if kind is Kind.TRANSFER else "",
        settled=settled_on(message, at_micros),
    )  # fmt: skip


def kind_of(message: Message) -> Kind:
    """The kind of a message by the table; `Usage` for one that the issuer does not take."""
    if message.mti[1] == "4":
        stays = (
            _number(message.text(95)[:12], 95) if message.mti[0] == "0" else 0
        )  # 1993 has other things there
        return Kind.PARTIAL if stays else Kind.REVERSAL
    what = "a" * (message.mti[2] == "2") + message.mti[1]
    code, condition = message.text(3)[:2], message.text(25)
    found = KIND_TABLE.get((what, code, condition)) or KIND_TABLE.get((what, code, ""))
    if found is None:
        raise Usage("the issuer takes no such transaction", where="message type", fix="see KIND_TABLE")
    return found


def answer_to(request: Message, given: Mapping[int, Value]) -> Message:
    """The answer to a message: what it repeats, and what is given."""
    fields: dict[int, Value] = {n: request.fields[n] for n in _ANSWERED if n in request.fields}
    fields.update(given)
    mti = f"{request.mti[:2]}{int(request.mti[2]) + 1}0"
    return Message(mti=mti, fields=dict(sorted(fields.items())))


def answer_fields(decision: Decision, terms: IsoTerms) -> dict[int, Value]:
    """What a decision says in an answer: 38, 39, 54 and 55."""
    fields: dict[int, Value] = {39: decision.code}
    if decision.authorisation:
        fields[38] = decision.authorisation
    if decision.available_fen is not None:
        fields[54] = f"10{_APPROVED_TYPE}{terms.currency}C{decision.available_fen:012}"
    if decision.chip:
        fields[55] = decision.chip
    return fields


def _original(message: Message) -> Trace:
    """By field 90; by field 61 of a terminal (batch 6, trace number 6, date 4); a reversal by its own trace number."""
    elements, place = message.text(90), message.text(61)
    if len(elements) == 42:
        return _trace(message, elements[4:10], elements[10:20])
    if len(place) >= 16 and place[:16].isdigit():
        return _trace(message, place[6:12], place[12:16])
    if message.mti[1] == "4":
        return _trace(message, message.text(11), message.text(7) or message.text(13))
    raise Refused("it names no original", where="field 90", fix="send original data elements")


def _trace(message: Message, stan: str, moment: str) -> Trace:
    """A transaction of the message's acquirer and terminal; ``moment`` is field 7, or a date alone."""
    return Trace(
        acquirer=message.text(32), terminal=message.text(41).strip(), stan=stan, date4=moment[:4], time6=moment[4:]
    )  # fmt: skip


def _card_number(message: Message, track2: str) -> str:
    pan, track = message.text(2), track2.partition("D")[0]
    if pan and track and pan != track:
        raise Refused("two numbers", where="field 35", fix="ask the acquirer")
    return pan or track


def _channel(message: Message, entry: Entry) -> Channel:
    found = CATEGORY_CHANNELS.get(message.text(18))
    if found is not None:
        return found
    if entry is Entry.QR:
        return Channel.PHONE
    remote = message.text(25) in _REMOTE_CONDITIONS
    return Channel.ONLINE if remote or entry is Entry.MANUAL else Channel.POS


def _pin(message: Message, terms: IsoTerms) -> PinData | None:
    block = _bytes(message, 52)
    if not block:
        return None
    if not terms.zone:
        raise Refused("PINs were not agreed with this peer", where="field 52", fix="name a zone key")
    return PinData(block=block, zone=terms.zone, format=terms.pin_format)


def _card_value(track2: str, terms: IsoTerms) -> CardValue | None:
    after = track2.partition("D")[2]
    service, value = after[4:7], after[7 + terms.cvv_at : 10 + terms.cvv_at]
    complete = len(value) == 3 and (service + value).isdigit()
    return CardValue(value=value, service3=service) if complete else None


def _printed_value(message: Message) -> CardValue | None:
    value = read_card_value(message.text(FIELD))
    return CardValue(value=value, service3=_PRINTED) if value else None


def _number(text: str, field: int) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise Usage("not a number", where=f"field {field}")
    return int(text or 0)


def _bytes(message: Message, number: int) -> bytes:
    """A field of bytes, whether the dialect writes it as bytes or as hex."""
    try:
        return bytes.fromhex(message.text(number))
    except ValueError:
        raise Usage("not bytes", where=f"field {number}") from None
