"""Torn transactions: what became of a debit or load whose answer never came (JR/T 0025.1, GET TRANSACTION PROVE).

The proof alone does not say whose transaction it proves: another terminal may have used the same counter since. So
the counter is read first, then the log record with that counter, and only a record of this very transaction makes
the proof's TAC its TAC.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from jinka.codec import TransactionType
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import CounterKind, RecordState
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused, ask_exactly
from jinka.terminal.reading import read_public, select

LOG_RECORDS = 10
_ONLINE = frozenset(
    {
        TransactionType.ED_LOAD,
        TransactionType.EP_LOAD,
        TransactionType.UNLOAD,
        TransactionType.OVERDRAFT_LIMIT,
        0x95,  # online release of a grey lock: passbook, purse
        0x96,
    }
)


class Unresolved(Enum):
    """A torn transaction that did not become a confirmed record."""

    NOT_DEBITED = "not debited"  # the card never carried it out: the record is void
    UNKNOWN = "unknown"  # another card, no answer, or too long ago: clearing decides by the counters


def resolve(link: ApduLink, aid: bytes, kid: int, unconfirmed: ClearingRecord) -> ClearingRecord | Unresolved:
    """Select the application and settle ``unconfirmed``; never raises for a card that goes away again."""
    try:
        select(link, aid)
        if read_public(link).card_no != unconfirmed.card_no:
            return Unresolved.UNKNOWN
        return resolve_selected(link, kid, unconfirmed)
    except (CardRemoved, ChipRefused):
        return Unresolved.UNKNOWN


def resolve_selected(link: ApduLink, kid: int, unconfirmed: ClearingRecord) -> ClearingRecord | Unresolved:
    """As `resolve`, for a card whose application is selected and whose number is known to be the record's."""
    if _counter(link, kid, unconfirmed) <= unconfirmed.counter:
        return Unresolved.NOT_DEBITED
    logged = _logged(link, unconfirmed)
    if logged is None:
        return Unresolved.UNKNOWN
    wanted = (
        unconfirmed.amount.to_bytes(4, "big")
        + bytes((unconfirmed.txn_type,))
        + unconfirmed.terminal_id
        + unconfirmed.local_date
        + unconfirmed.local_time
    )
    if logged[5:] != wanted:
        return Unresolved.NOT_DEBITED
    after = (unconfirmed.counter + 1).to_bytes(2, "big")
    command = bytes((0x80, 0x5A, 0x00, unconfirmed.txn_type, 0x02)) + after + b"\x08"
    try:
        proof = ask_exactly(link, "get transaction prove", command, 8)
    except ChipRefused:
        return Unresolved.UNKNOWN
    return replace(unconfirmed, state=RecordState.CONFIRMED, tac=proof[4:])


def find_release(link: ApduLink, claimed: ClearingRecord) -> ClearingRecord | None:
    """The confirmed record of a grey lock's release that the log still shows and the proof still signs.

    ``claimed`` has any date and time: when the debit came is the log's to say.
    """
    try:
        logged = _logged(link, claimed)
    except CardRemoved:
        return None
    wanted = claimed.amount.to_bytes(4, "big") + bytes((claimed.txn_type,)) + claimed.terminal_id
    if logged is None or logged[5:16] != wanted:
        return None
    after = (claimed.counter + 1).to_bytes(2, "big")
    command = bytes((0x80, 0x5A, 0x00, claimed.txn_type, 0x02)) + after + b"\x08"
    try:
        proof = ask_exactly(link, "get transaction prove", command, 8)
    except (CardRemoved, ChipRefused):
        return None
    return replace(
        claimed, local_date=logged[16:20], local_time=logged[20:], state=RecordState.CONFIRMED, tac=proof[4:]
    )


def _counter(link: ApduLink, kid: int, record: ClearingRecord) -> int:
    """The card's counter of that kind, from an INITIALIZE over zero that is not followed up."""
    online = record.counter_kind is CounterKind.ONLINE
    head = bytes((0x80, 0x50, 0x00 if online else 0x01, 0x02, 0x0B, kid)) + bytes(4)
    size = 16 if online else 15
    answer = ask_exactly(link, "initialize", head + record.terminal_id + bytes((size,)), size)
    return answer[4] << 8 | answer[5]


def _logged(link: ApduLink, record: ClearingRecord) -> bytes | None:
    """The log record of this counter and kind, or None when the log no longer reaches back to it."""
    online = record.counter_kind is CounterKind.ONLINE
    for number in range(1, LOG_RECORDS + 1):
        try:
            raw = ask_exactly(link, "read 0018", bytes((0x00, 0xB2, number, 0xC4, 0x17)), 23)
        except ChipRefused:
            return None
        if (raw[9] in _ONLINE) is online and raw[0] << 8 | raw[1] == record.counter:
            return raw
    return None
