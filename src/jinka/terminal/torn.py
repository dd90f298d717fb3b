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
from jinka.terminal.reading import read_public, select, verify_pin

LOG_RECORDS = 10
# How the counter of a type is asked for: P1 and P2 of INITIALIZE, and the size of its answer.
_BEGIN: dict[int, tuple[int, int, int]] = {
    TransactionType.ED_LOAD: (0x00, 0x01, 16),
    TransactionType.EP_LOAD: (0x00, 0x02, 16),
    TransactionType.UNLOAD: (0x05, 0x01, 16),
    TransactionType.ED_CASH: (0x02, 0x01, 15),
    TransactionType.ED_PURCHASE: (0x01, 0x01, 15),
    TransactionType.EP_PURCHASE: (0x01, 0x02, 15),
    TransactionType.OVERDRAFT_LIMIT: (0x04, 0x01, 19),
    TransactionType.CAPP_PURCHASE: (0x01, 0x02, 15),
}
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


def resolve(
    link: ApduLink, aid: bytes, kid: int, unconfirmed: ClearingRecord, *, pin: bytes = b""
) -> ClearingRecord | Unresolved:
    """Select the application and settle ``unconfirmed``; never raises for a card that goes away again.

    A passbook answers after its PIN only.
    """
    try:
        select(link, aid)
        if read_public(link).card_no != unconfirmed.card_no:
            return Unresolved.UNKNOWN
        if pin:
            verify_pin(link, pin)
        return resolve_selected(link, kid, unconfirmed)
    except (CardRemoved, ChipRefused):
        return Unresolved.UNKNOWN


def resolve_selected(link: ApduLink, kid: int, unconfirmed: ClearingRecord) -> ClearingRecord | Unresolved:
    """As `resolve`, for a card whose application is selected and whose number is known to be the record's."""
    begin = _BEGIN.get(unconfirmed.txn_type)
    if begin is None:
        return Unresolved.UNKNOWN
    if _counter(link, kid, unconfirmed, begin) <= unconfirmed.counter:
        return Unresolved.NOT_DEBITED
    wanted = (
        unconfirmed.amount.to_bytes(4, "big")
        + bytes((unconfirmed.txn_type,))
        + unconfirmed.terminal_id
        + unconfirmed.local_date
        + unconfirmed.local_time
    )
    found = _logged(link, unconfirmed, wanted)
    if isinstance(found, Unresolved):
        return found
    try:
        proof = prove(link, unconfirmed)
    except ChipRefused:
        return Unresolved.UNKNOWN
    return replace(unconfirmed, state=RecordState.CONFIRMED, tac=proof[4:])


def prove(link: ApduLink, record: ClearingRecord) -> bytes:
    """GET TRANSACTION PROVE for the record's type and counter: MAC2 4 | TAC 4."""
    after = (record.counter + 1).to_bytes(2, "big")
    command = bytes((0x80, 0x5A, 0x00, record.txn_type, 0x02)) + after + b"\x08"
    return ask_exactly(link, "get transaction prove", command, 8)


def find_release(link: ApduLink, claimed: ClearingRecord) -> ClearingRecord | None:
    """The confirmed record of a grey lock's release that the log still shows and the proof still signs.

    ``claimed`` has any date and time: when the debit came is the log's to say.
    """
    wanted = claimed.amount.to_bytes(4, "big") + bytes((claimed.txn_type,)) + claimed.terminal_id
    try:
        logged = _logged(link, claimed, wanted)
    except CardRemoved:
        return None
    if isinstance(logged, Unresolved):
        return None
    try:
        proof = prove(link, claimed)
    except (CardRemoved, ChipRefused):
        return None
    return replace(
        claimed, local_date=logged[16:20], local_time=logged[20:], state=RecordState.CONFIRMED, tac=proof[4:]
    )


def _counter(link: ApduLink, kid: int, record: ClearingRecord, begin: tuple[int, int, int]) -> int:
    """The card's counter of that kind, from an INITIALIZE over zero that is not followed up."""
    p1, p2, size = begin
    amount4 = b"" if record.txn_type == TransactionType.OVERDRAFT_LIMIT else bytes(4)
    body = bytes((kid,)) + amount4 + record.terminal_id
    head = bytes((0x80, 0x50, p1, p2, len(body)))
    answer = ask_exactly(link, "initialize", head + body + bytes((size,)), size)
    return answer[4] << 8 | answer[5]


def _logged(link: ApduLink, record: ClearingRecord, wanted: bytes) -> bytes | Unresolved:
    """The log record of this counter that goes on with ``wanted``.

    NOT_DEBITED when the counter served another transaction of the same purse, UNKNOWN when the log no longer reaches
    back to it. Passbook and purse count apart and share the log, so that one counter may stand there twice.
    """
    online = record.counter_kind is CounterKind.ONLINE
    place = record.counter.to_bytes(2, "big")
    for number in range(1, LOG_RECORDS + 1):
        try:
            raw = ask_exactly(link, "read 0018", bytes((0x00, 0xB2, number, 0xC4, 0x17)), 23)
        except ChipRefused:
            return Unresolved.UNKNOWN
        if raw[:2] != place or (raw[9] in _ONLINE) is not online:
            continue
        if raw[5 : 5 + len(wanted)] == wanted:
            return raw
        if _purse_of(raw[9]) == _purse_of(record.txn_type) is not None:
            return Unresolved.NOT_DEBITED
    return Unresolved.UNKNOWN


def _purse_of(txn_type: int) -> int | None:
    """01 passbook, 02 purse; None for the grey lock's types, whose purse is the profile's choice."""
    begin = _BEGIN.get(txn_type)
    return begin[1] if begin is not None else None
