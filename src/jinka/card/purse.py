"""The electronic passbook and purse: load, purchase, cash, composite purchase, proof (JR/T 0025.1; CJ/T 304).

Each transaction is two commands: INITIALIZE, which draws a random number and changes nothing, and CREDIT or DEBIT,
which checks the other side's MAC and writes balance, counter, log, proof and cached records in one transaction of
the memory. Unload, overdraft and the grey lock are not here. With SM4 keys this is Jinka's own profile.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinka.card.access import find_key, key_algorithm, key_bytes, require_right
from jinka.card.file_access import file_of_record, record_change
from jinka.card.files import (
    BALANCE,
    KEY_X,
    KEY_Y,
    LIMIT,
    OFFLINE,
    ONLINE,
    OVERDRAFT,
    PROOF,
    PROOFS,
    PURSE_TRIES,
    TRIES,
    CardError,
    File,
    appending,
)
from jinka.card.nvm import Entry
from jinka.codec import Command, StatusWord, TransactionType
from jinka.crypto import load_session, mac4, purchase_session, tac_key
from jinka.profile import NEVER, FileKind, KeyUse

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

_PASSBOOK, _PURSE = 0x01, 0x02
_COUNTER_MAX = 0xFFFF
_ONLINE_TYPES = frozenset({TransactionType.ED_LOAD, TransactionType.EP_LOAD})
_CACHE_MAX = 8
_LOG_LENGTH = 23

# (P1, P2) of INITIALIZE -> transaction type
_INITIALIZE = {
    (0x00, _PASSBOOK): TransactionType.ED_LOAD,
    (0x00, _PURSE): TransactionType.EP_LOAD,
    (0x01, _PASSBOOK): TransactionType.ED_PURCHASE,
    (0x01, _PURSE): TransactionType.EP_PURCHASE,
    (0x02, _PASSBOOK): TransactionType.ED_CASH,
    (0x03, _PURSE): TransactionType.CAPP_PURCHASE,
}


@dataclass(slots=True)
class Pending:
    """A transaction between its two commands; lost with the power, with SELECT and with any error."""

    type: TransactionType
    purse: File
    key: int  # offset of the key's record
    head: bytes  # amount 4 | type 1 | terminal 6: the beginning of every MAC's data
    balance: int
    counter: int
    rand4: bytes
    session: bytes = b""
    cache: tuple[Entry, ...] = ()


def get_balance(card: CardOs, command: Command) -> bytes:
    """GET BALANCE, 4 bytes; P2 01 passbook, 02 purse."""
    if command.p1 or command.p2 not in (_PASSBOOK, _PURSE):
        raise CardError(StatusWord.P1P2_WRONG)
    purse = _purse(card, command.p2)
    return bytes(card.nvm.memory[purse.at + BALANCE : purse.at + BALANCE + 4])


def initialize(card: CardOs, command: Command) -> bytes:
    """INITIALIZE FOR LOAD, PURCHASE, CASH WITHDRAW or CAPP PURCHASE; data: key index, amount 4, terminal 6."""
    kind = _INITIALIZE.get((command.p1, command.p2))
    if kind is None:
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    if len(data) != 11:
        raise CardError(StatusWord.WRONG_LENGTH)
    purse = _purse(card, command.p2)
    memory, at = card.nvm.memory, purse.at
    if not memory[at + TRIES]:
        raise CardError(StatusWord.APPLICATION_LOCKED)
    online = kind in _ONLINE_TYPES
    key = find_key(card, KeyUse.LOAD if online else KeyUse.PURCHASE, data[0])
    require_right(card, memory[key + 3], card.folder)
    place = at + (ONLINE if online else OFFLINE)
    counter = memory[place] << 8 | memory[place + 1]
    if counter == _COUNTER_MAX:
        raise CardError(StatusWord.COUNTER_EXHAUSTED)
    balance = int.from_bytes(memory[at : at + 4], "big")
    amount = int.from_bytes(data[1:5], "big")
    if online and balance + amount > int.from_bytes(memory[at + LIMIT : at + LIMIT + 4], "big"):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if not online and amount > balance:
        raise CardError(StatusWord.BALANCE_INSUFFICIENT)
    rand4 = card.randomness.token_bytes(4)
    head = data[1:5] + bytes((kind,)) + data[5:]
    pending = card.pending = Pending(kind, purse, key, head, balance, counter, rand4)
    answer = memory[at : at + 4] + counter.to_bytes(2, "big")
    label = bytes((memory[key + KEY_X], memory[key + KEY_Y]))
    if not online:
        return bytes(answer + memory[at + OVERDRAFT : at + OVERDRAFT + 3] + label + rand4)
    algorithm = key_algorithm(card, key)
    pending.session = load_session(algorithm, key_bytes(card, key), rand4, counter)
    mac1 = mac4(algorithm, pending.session, bytes(memory[at : at + 4]) + head)
    return bytes(answer + label + rand4 + mac1)


def credit_for_load(card: CardOs, command: Command) -> bytes:
    """CREDIT FOR LOAD: date 4, time 3, MAC2; answers the TAC."""
    pending = card.pending
    if pending is None or pending.type not in _ONLINE_TYPES:
        raise CardError(StatusWord.STATE_INVALID)
    data = command.data
    if (command.p1, command.p2) != (0, 0):
        raise CardError(StatusWord.P1P2_WRONG)
    if len(data) != 11:
        raise CardError(StatusWord.WRONG_LENGTH)
    algorithm = key_algorithm(card, pending.key)
    _require_mac(card, pending, mac4(algorithm, pending.session, pending.head + data[:7]), data[7:])
    balance = (pending.balance + int.from_bytes(pending.head[:4], "big")).to_bytes(4, "big")
    bound = balance + pending.counter.to_bytes(2, "big") + pending.head + data[:7]
    tac = _tac(card, pending.purse, bound)
    _book(card, pending, balance, data[:7], data[7:] + tac)
    return tac


def update_capp_cache(card: CardOs, command: Command) -> bytes:
    """UPDATE CAPP DATA CACHE: keep a record change that the following DEBIT writes; may come several times."""
    pending = card.pending
    if pending is None or pending.type is not TransactionType.CAPP_PURCHASE:
        raise CardError(StatusWord.STATE_INVALID)
    if len(pending.cache) >= _CACHE_MAX:
        raise CardError(StatusWord.NO_SPACE)
    file = file_of_record(card, command.p2)
    if file.write == NEVER:  # the log among them: it is the card's own
        raise CardError(StatusWord.SECURITY_NOT_SATISFIED)
    if file.kind is FileKind.CYCLIC:
        if any(at == file.at for at, _ in pending.cache):
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)  # one new record for each purchase
        pending.cache += tuple(appending(card.nvm.memory, file, command.data))
    else:
        pending.cache += (record_change(card, file, command.p1, command.p2 & 0x07, command.data),)
    return b""


def debit(card: CardOs, command: Command) -> bytes:
    """DEBIT FOR PURCHASE, CASH WITHDRAW, CAPP PURCHASE: terminal serial 4, date 4, time 3, MAC1; answers TAC, MAC2."""
    pending = card.pending
    if pending is None or pending.type in _ONLINE_TYPES:
        raise CardError(StatusWord.STATE_INVALID)
    wanted_p1 = 0x02 if pending.type is TransactionType.ED_CASH else 0x01
    if (command.p1, command.p2) != (wanted_p1, 0):
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    if len(data) != 15:
        raise CardError(StatusWord.WRONG_LENGTH)
    serial, moment, mac1 = data[:4], data[4:11], data[11:]
    algorithm, head = key_algorithm(card, pending.key), pending.head
    key = key_bytes(card, pending.key)
    session = purchase_session(algorithm, key, pending.rand4, pending.counter, serial)
    _require_mac(card, pending, mac4(algorithm, session, head + moment), mac1)
    balance = (pending.balance - int.from_bytes(head[:4], "big")).to_bytes(4, "big")
    mac2 = mac4(algorithm, session, head[:4])
    tac = _tac(card, pending.purse, head + serial + moment)
    _book(card, pending, balance, moment, mac2 + tac)
    return tac + mac2


def get_transaction_prove(card: CardOs, command: Command) -> bytes:
    """GET TRANSACTION PROVE: P2 type, data the counter after the transaction; answers MAC and TAC, else 9406."""
    if command.p1 or len(command.data) != 2:
        raise CardError(StatusWord.P1P2_WRONG if command.p1 else StatusWord.WRONG_LENGTH)
    wanted = bytes((command.p2,)) + command.data
    memory = card.nvm.memory
    for fid in (_PURSE, _PASSBOOK):
        purse = card.folder.children.get(fid)
        if purse is None or purse.kind is not FileKind.PURSE or not command.p2:
            continue
        for at in (purse.at + PROOFS, purse.at + PROOFS + PROOF):
            if memory[at : at + 3] == wanted:
                return bytes(memory[at + 3 : at + PROOF])
    raise CardError(StatusWord.PROOF_UNAVAILABLE)


def _purse(card: CardOs, fid: int) -> File:
    purse = card.folder.children.get(fid)
    if purse is None or purse.kind is not FileKind.PURSE:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    require_right(card, purse.read, card.folder)
    return purse


def _tac(card: CardOs, purse: File, bound: bytes) -> bytes:
    at = find_key(card, KeyUse.TAC, 0 if purse.a1 == 0xFF else purse.a1)
    algorithm = key_algorithm(card, at)
    return mac4(algorithm, tac_key(algorithm, key_bytes(card, at)), bound)


def _require_mac(card: CardOs, pending: Pending, wanted: bytes, given: bytes) -> None:
    """9302 when the MAC is wrong, and one try less; the purse answers 9303 when none is left."""
    if hmac.compare_digest(wanted, given):
        return
    at = pending.purse.at + TRIES
    left = card.nvm.memory[at] - 1
    card.nvm.commit([(at, bytes((left,)))])
    raise CardError(StatusWord.MAC_INVALID if left else StatusWord.APPLICATION_LOCKED)


def _book(card: CardOs, pending: Pending, balance: bytes, moment: bytes, proof: bytes) -> None:
    """Write the whole transaction at once: balance, counter, proof, log record, cached records."""
    memory, purse = card.nvm.memory, pending.purse
    online = pending.type in _ONLINE_TYPES
    after = (pending.counter + 1).to_bytes(2, "big")
    writes: list[Entry] = [
        (purse.at + BALANCE, balance),
        (purse.at + (ONLINE if online else OFFLINE), after),
        (purse.at + PROOFS + (PROOF if online else 0), bytes((pending.type,)) + after + proof),
    ]
    if memory[purse.at + TRIES] != PURSE_TRIES:
        writes.append((purse.at + TRIES, bytes((PURSE_TRIES,))))
    log = card.folder.by_sfi.get(purse.a2)
    if log is not None and log.kind is FileKind.CYCLIC and log.a2 == _LOG_LENGTH:
        overdraft = bytes(memory[purse.at + OVERDRAFT : purse.at + OVERDRAFT + 3])
        record = pending.counter.to_bytes(2, "big") + overdraft + pending.head + moment
        writes += appending(memory, log, record)
    writes += pending.cache
    card.nvm.commit(writes)
    card.pending = None


TABLE: dict[tuple[int, int], Handler] = {
    (0x80, 0x5C): get_balance,
    (0x80, 0x50): initialize,
    (0x80, 0x52): credit_for_load,
    (0x80, 0xDC): update_capp_cache,
    (0x80, 0x54): debit,
    (0x80, 0x5A): get_transaction_prove,
}
