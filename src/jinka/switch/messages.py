"""The messages that the switch writes: a request passed on, an answer, a reversal, an advice, network management.

ISO 8583:1987: field 90 (original data elements: type 4, trace number 6, transmission date and time 10, acquirer 11,
forwarder 11), 4.1 (message types). Which fields an answer repeats is a table. Nothing here is sent.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from jinka.codec.iso8583.message import Message, Value, in_order
from jinka.kit import make_id
from jinka.switch.config import Peer
from jinka.switch.record import account_of

_EPOCH = dt.datetime(1970, 1, 1)
REPEATED = (2, 3, 4, 7, 11, 12, 13, 15, 23, 25, 32, 33, 37, 41, 42, 49, 60, 90, 100)
_ANSWERED = (5, 6, 37, 38, 39, 44, 54, 55, 58, 62, 63)  # what an issuer's answer gives the acquirer
_NETWORK_REPEATED = (7, 11, 12, 13, 15, 32, 33, 41, 42, 53, 60, 70, 100)
_REVERSED = (2, 3, 4, 12, 13, 15, 18, 22, 23, 25, 32, 37, 38, 41, 42, 49, 60, 95)
_REPLACED = frozenset({33, 52, 64, 128})

_DAY = re.compile(
    r"(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)|02(?:0[1-9]|[12][0-9])"
)
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]")

MatchKey = tuple[str, str, str, str, str, str]


def transmission(now_micros: int) -> str:
    """Field 7 of a moment, MMDDhhmmss in UTC (ISO 8583:1987: in UCT)."""
    return (_EPOCH + dt.timedelta(microseconds=now_micros)).strftime("%m%d%H%M%S")


def mmdd(business_date: str) -> str:
    """Field 15 of a business date."""
    return business_date[5:7] + business_date[8:10]


def reference(now_micros: int, number: int) -> str:
    """Field 37 where the acquirer gave none: last digit of the year, day of the year, hour, a running number."""
    return f"{_hour(now_micros // 3_600_000_000)}{number % 1_000_000:06d}"


@lru_cache(maxsize=4)
def _hour(hours: int) -> str:
    moment = _EPOCH + dt.timedelta(hours=hours)
    return f"{moment.year % 10}{moment.timetuple().tm_yday:03d}{moment.hour:02d}"


def answer_type(mti: str) -> str:
    """The type that answers a request or an advice; a repeat's is the same."""
    return f"{mti[:2]}{int(mti[2]) + 1}0"


def transaction_id(peer: str, message: Message) -> bytes:
    """What makes a transaction one and the same: where it was sent, trace number, terminal, and its own time.

    That is field 7; a terminal gives none, and its batch (field 60) stands for it, or else its date.
    """
    moment = message.text(7) or message.text(60)[2:8] or message.text(13)
    return make_id("switch.tx", peer, message.text(11), moment, message.text(41))


def original_id(peer: str, reversal: Message) -> bytes:
    """The transaction that a reversal is about: by field 90, or by the same trace number of the same terminal."""
    data = reversal.text(90)
    if len(data) == 42:
        return make_id("switch.tx", peer, data[4:10], data[10:20], reversal.text(41))
    return transaction_id(peer, reversal)


def misdated(message: Message) -> bool:
    """Whether field 7, 12 or 13 is no time or day (any year may have a 29 February), or field 90 names nothing."""
    moment, clock, day = message.text(7), "", ""
    if message.mti[0] == "0":  # 1993 has other things there
        clock, day = message.text(12), message.text(13)
        if 90 in message.fields and not message.text(90).strip("0"):
            return True
    return not (_is_day(moment[:4]) and _is_day(day) and _is_clock(moment[4:]) and _is_clock(clock))


@lru_cache(maxsize=512)
def _is_day(text: str) -> bool:
    """Whether it is a day, or absent. The answer is kept: a busy moment has one day and few seconds."""
    return not text or _DAY.fullmatch(text) is not None


@lru_cache(maxsize=512)
def _is_clock(text: str) -> bool:
    return not text or _CLOCK.fullmatch(text) is not None


def content_digest(message: Message) -> bytes:
    """What a repeat must have in common with its original."""
    receiver = (message.text(103),) if 103 in message.fields else ()
    return make_id("switch.content", account_of(message), *(message.text(n) for n in (3, 4, 49)), *receiver)


def path_key(message: Message) -> tuple[str, str, str, str]:
    """What stays of a transaction wherever it is passed on: to notice one that comes round again."""
    return message.text(11), message.text(7), message.text(41), message.text(32)


def match_key(peer: str, message: Message) -> MatchKey:
    """What an answer has in common with what was sent."""
    return (peer, message.mti[1], message.text(11), message.text(7), message.text(41), message.text(32))


def passed_on(
    message: Message, source: Peer, target: Peer, *, own: str, now_micros: int, number: int, settled: str
) -> Message:
    """A request as the target gets it, still without PIN and MAC; ``settled`` is the business date."""
    known = target.codec.spec.fields
    fields: dict[int, Value] = {n: v for n, v in message.fields.items() if n not in _REPLACED and n in known}
    if 7 not in fields:
        fields[7] = transmission(now_micros)
    fields.setdefault(32, source.institution or own)
    if 37 not in fields:
        fields[37] = reference(now_micros, number)
    fields[33] = own
    if 15 in known:
        fields[15] = mmdd(settled)
    return Message(mti=message.mti[:3] + "0", fields=in_order(fields))


def answer_to(request: Message, given: dict[int, Value], peer: Peer) -> Message:
    """The answer to a request: what it repeats, and what is ``given``."""
    known = peer.codec.spec.fields
    numbers = _NETWORK_REPEATED if request.mti[1] == "8" else REPEATED
    fields = {n: request.fields[n] for n in numbers if n in request.fields and n in known}
    fields.update((n, v) for n, v in given.items() if n in known)
    return Message(mti=answer_type(request.mti), fields=in_order(fields))


def answer_fields(reply: Message, business_date: str) -> dict[int, Value]:
    """What an issuer's answer means for the acquirer, with the date that it counts to."""
    given = {n: reply.fields[n] for n in _ANSWERED if n in reply.fields}
    given[15] = mmdd(business_date)
    return given


def original_elements(mti: str, sent: Message) -> str:
    """Field 90 for a message that was sent."""
    parts = (
        mti,
        sent.text(11).zfill(6),
        sent.text(7).zfill(10),
        sent.text(32).zfill(11),
        sent.text(33).zfill(11),
    )
    return "".join(parts)


def reversal_of(sent: Message, target: Peer, *, trace: str, now_micros: int, reason: str) -> Message:
    """The reversal of a request that was passed on, with its original data elements."""
    fields: dict[int, Value] = {n: sent.fields[n] for n in _REVERSED if n in sent.fields}
    fields |= {
        7: transmission(now_micros), 11: trace, 33: sent.text(33), 39: reason, 90: original_elements(sent.mti, sent)
    }  # fmt: skip
    known = target.codec.spec.fields
    return Message(
        mti=target.reversal_mti, fields={n: v for n, v in sorted(fields.items()) if n in known and v}
    )


def advice_of(sent: Message, target: Peer, *, code: str, approval: str) -> Message:
    """The advice of what was approved in the issuer's place: the request as a fact, with the answer that was given."""
    fields: dict[int, Value] = dict(sent.fields) | {39: code, 38: approval}
    known = target.codec.spec.fields
    return Message(
        mti=f"{sent.mti[:2]}20",
        fields={n: v for n, v in sorted(fields.items()) if n in known and n not in _REPLACED - {33}},
    )


def network(
    peer: Peer, *, own: str, trace: str, now_micros: int, code: str, extra: dict[int, Value]
) -> Message:
    """A request of network management: ``code`` is field 70."""
    fields: dict[int, Value] = {7: transmission(now_micros), 11: trace, 33: own, 70: code, **extra}
    known = peer.codec.spec.fields
    return Message(mti=peer.network_mti, fields={n: v for n, v in sorted(fields.items()) if n in known})
