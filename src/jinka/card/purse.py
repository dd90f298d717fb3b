"""The electronic passbook and purse: load, unload, purchase, cash, overdraft limit, proof (JR/T 0025.1; CJ/T 304).

Each transaction is two commands: INITIALIZE, which draws a random number and changes nothing, and CREDIT, DEBIT or
UPDATE, which checks the other side's MAC and writes balance, counter, log, proof and cached records in one
transaction of the memory. The balance includes the overdraft limit: what the holder owns is the balance less the
limit. That, and the tail of the unload's MAC3, no readable text confirms. With SM4 keys this is Jinka's own profile.
The grey lock of fuel cards is in `jinka.card.grey`. A purse without a passbook beside it is unloaded as a passbook is,
if its application has an unload key: Jinka's own addition, for old cards whose balance goes onto new ones.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from jinka.card.access import find_key, key_algorithm, key_bytes, require_right
from jinka.card.file_access import file_of_record, record_change
from jinka.card.files import (
    BALANCE,
    GREY,
    GREY_STATE,
    KEY_X,
    KEY_Y,
    LIMIT,
    OFFLINE,
    ONLINE,
    OVERDRAFT,
    PROOF,
    PROOFS,
    PURSE_BODY,
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

PASSBOOK, PURSE = 0x01, 0x02
COUNTER_MAX = 0xFFFF
_BALANCE_MAX = 0xFFFFFFFF
_CACHE_MAX = 8
_LOG_LENGTH = 23


class Step(Enum):
    """Which command concludes a begun transaction."""

    CREDIT = auto()
    DEBIT = auto()
    CASH = auto()
    UNLOAD = auto()
    LIMIT = auto()
    GREY_LOCK = auto()
    GREY_UNLOCK = auto()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of transaction: its type byte, the command that concludes it, the key's use, which counter counts it."""

    type: int
    step: Step
    key: int
    online: bool


# (P1, P2) of INITIALIZE -> kind of transaction
_INITIALIZE = {
    (0x00, PASSBOOK): Kind(TransactionType.ED_LOAD, Step.CREDIT, KeyUse.LOAD, True),
    (0x00, PURSE): Kind(TransactionType.EP_LOAD, Step.CREDIT, KeyUse.LOAD, True),
    (0x01, PASSBOOK): Kind(TransactionType.ED_PURCHASE, Step.DEBIT, KeyUse.PURCHASE, False),
    (0x01, PURSE): Kind(TransactionType.EP_PURCHASE, Step.DEBIT, KeyUse.PURCHASE, False),
    (0x02, PASSBOOK): Kind(TransactionType.ED_CASH, Step.CASH, KeyUse.PURCHASE, False),
    (0x03, PURSE): Kind(TransactionType.CAPP_PURCHASE, Step.DEBIT, KeyUse.PURCHASE, False),
    (0x04, PASSBOOK): Kind(TransactionType.OVERDRAFT_LIMIT, Step.LIMIT, KeyUse.OVERDRAFT, True),
    (0x05, PASSBOOK): Kind(TransactionType.UNLOAD, Step.UNLOAD, KeyUse.UNLOAD, True),
    (0x05, PURSE): Kind(TransactionType.UNLOAD, Step.UNLOAD, KeyUse.UNLOAD, True),
}
_DEBITS = {0x01: Step.DEBIT, 0x02: Step.CASH, 0x03: Step.UNLOAD}


@dataclass(slots=True)
class Pending:
    """A transaction between its two commands; lost with the power, with SELECT and with any error."""

    kind: Kind
    purse: File
    key: int  # offset of the key's record
    head: (
        bytes  # amount 4 (none yet for a new limit) | type 1 | terminal 6: the beginning of every MAC's data
    )
    balance: int
    counter: int
    rand4: bytes
    session: bytes = b""
    cache: tuple[Entry, ...] = ()


def get_balance(card: CardOs, command: Command) -> bytes:
    """GET BALANCE, 4 bytes; P2 01 passbook, 02 purse. P1 as T-Union cards take it.

    P1 00: what can be spent; 01: the overdraft limit; 02: how much of it is used; 03: what the holder owns.
    """
    if command.p1 > 3 or command.p2 not in (PASSBOOK, PURSE):
        raise CardError(StatusWord.P1P2_WRONG)
    purse = find_purse(card, command.p2)
    memory, at = card.nvm.memory, purse.at
    if not command.p1:
        return bytes(memory[at + BALANCE : at + BALANCE + 4])
    balance, limit = int.from_bytes(memory[at : at + 4], "big"), _limit(card, purse)
    value = (limit, max(0, limit - balance), max(0, balance - limit))[command.p1 - 1]
    return value.to_bytes(4, "big")


def initialize(card: CardOs, command: Command) -> bytes:
    """INITIALIZE; data: key index, amount 4 (not for a new overdraft limit), terminal 6."""
    kind = _INITIALIZE.get((command.p1, command.p2))
    if kind is None:
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    if len(data) != (7 if kind.step is Step.LIMIT else 11):
        raise CardError(StatusWord.WRONG_LENGTH)
    purse = find_purse(card, command.p2)
    if kind.step is Step.UNLOAD and command.p2 == PURSE and PASSBOOK in card.folder.children:
        raise CardError(StatusWord.P1P2_WRONG)  # proofs of one type could not be told apart
    key, counter = ready(card, purse, kind, data[0])
    memory, at = card.nvm.memory, purse.at
    if is_grey(memory, purse):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    balance = int.from_bytes(memory[at : at + 4], "big")
    amount4 = data[1:-6]
    _check_amount(card, purse, kind, balance, int.from_bytes(amount4, "big"))
    rand4 = card.randomness.token_bytes(4)
    head = amount4 + bytes((kind.type,)) + data[-6:]
    pending = card.pending = Pending(kind, purse, key, head, balance, counter, rand4)
    answer = memory[at : at + 4] + counter.to_bytes(2, "big")
    overdraft = memory[at + OVERDRAFT : at + OVERDRAFT + 3]
    label = bytes((memory[key + KEY_X], memory[key + KEY_Y]))
    if not kind.online:
        return bytes(answer + overdraft + label + rand4)
    algorithm = key_algorithm(card, key)
    pending.session = load_session(algorithm, key_bytes(card, key), rand4, counter)
    old = bytes(overdraft) if kind.step is Step.LIMIT else b""
    mac1 = mac4(algorithm, pending.session, bytes(memory[at : at + 4]) + old + head)
    return bytes(answer + old + label + rand4 + mac1)


def ready(card: CardOs, purse: File, kind: Kind, kid: int) -> tuple[int, int]:
    """(offset of the key, counter) of a transaction that may begin; 9303, 9403, 6982 or 9402 otherwise."""
    memory, at = card.nvm.memory, purse.at
    if not memory[at + TRIES]:
        raise CardError(StatusWord.APPLICATION_LOCKED)
    key = find_key(card, kind.key, kid)
    require_right(card, memory[key + 3], card.folder)
    place = at + (ONLINE if kind.online else OFFLINE)
    counter = memory[place] << 8 | memory[place + 1]
    if counter == COUNTER_MAX:
        raise CardError(StatusWord.COUNTER_EXHAUSTED)
    return key, counter


def _check_amount(card: CardOs, purse: File, kind: Kind, balance: int, amount: int) -> None:
    if kind.step is Step.CREDIT:
        at = purse.at + LIMIT
        most = int.from_bytes(card.nvm.memory[at : at + 4], "big")
        if balance - _limit(card, purse) + amount > most or balance + amount > _BALANCE_MAX:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    elif kind.step is Step.UNLOAD:  # credit is not the holder's to take to the bank
        if amount > balance - _limit(card, purse):
            raise CardError(StatusWord.BALANCE_INSUFFICIENT)
    elif amount > balance:
        raise CardError(StatusWord.BALANCE_INSUFFICIENT)


def credit_for_load(card: CardOs, command: Command) -> bytes:
    """CREDIT FOR LOAD: date 4, time 3, MAC2; answers the TAC."""
    pending = begun(card, Step.CREDIT)
    data = command.data
    if (command.p1, command.p2) != (0, 0):
        raise CardError(StatusWord.P1P2_WRONG)
    if len(data) != 11:
        raise CardError(StatusWord.WRONG_LENGTH)
    algorithm = key_algorithm(card, pending.key)
    require_mac(card, pending.purse, mac4(algorithm, pending.session, pending.head + data[:7]), data[7:])
    balance = (pending.balance + int.from_bytes(pending.head[:4], "big")).to_bytes(4, "big")
    bound = balance + pending.counter.to_bytes(2, "big") + pending.head + data[:7]
    tac = make_tac(card, pending.purse, bound)
    book(card, pending, balance, pending.head + data[:7], data[7:] + tac)
    return tac


def update_overdraft_limit(card: CardOs, command: Command) -> bytes:
    """UPDATE OVERDRAW LIMIT: new limit 3, date 4, time 3, MAC2; answers the TAC. The balance moves with the limit."""
    pending = begun(card, Step.LIMIT)
    data = command.data
    if (command.p1, command.p2) != (0, 0):
        raise CardError(StatusWord.P1P2_WRONG)
    if len(data) != 14:
        raise CardError(StatusWord.WRONG_LENGTH)
    new3, moment, mac2 = data[:3], data[3:10], data[10:]
    algorithm, purse = key_algorithm(card, pending.key), pending.purse
    require_mac(card, purse, mac4(algorithm, pending.session, new3 + pending.head + moment), mac2)
    value = pending.balance - _limit(card, purse) + int.from_bytes(new3, "big")
    if value < 0:  # more of the old limit is used than the new one allows
        raise CardError(StatusWord.BALANCE_INSUFFICIENT)
    if value > _BALANCE_MAX:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    balance = value.to_bytes(4, "big")
    tac = make_tac(card, purse, balance + pending.counter.to_bytes(2, "big") + new3 + pending.head + moment)
    logged = b"\x00" + new3 + pending.head + moment
    book(card, pending, balance, logged, mac2 + tac, overdraft=new3)
    return tac


def update_capp_cache(card: CardOs, command: Command) -> bytes:
    """UPDATE CAPP DATA CACHE: keep a record change that the following DEBIT writes; may come several times."""
    pending = card.pending
    if pending is None or pending.kind.type != TransactionType.CAPP_PURCHASE:
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
    """DEBIT FOR PURCHASE, CASH WITHDRAW, CAPP PURCHASE: terminal serial 4, date 4, time 3, MAC1; answers TAC, MAC2.

    P1 03 is DEBIT FOR UNLOAD: date 4, time 3, MAC2; answers MAC3.
    """
    pending = card.pending
    if pending is None or pending.kind.step not in _DEBITS.values():
        raise CardError(StatusWord.STATE_INVALID)
    if _DEBITS.get(command.p1) is not pending.kind.step or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    if pending.kind.step is Step.UNLOAD:
        return _debit_for_unload(card, pending, data)
    if len(data) != 15:
        raise CardError(StatusWord.WRONG_LENGTH)
    serial, moment, mac1 = data[:4], data[4:11], data[11:]
    algorithm, head = key_algorithm(card, pending.key), pending.head
    key = key_bytes(card, pending.key)
    session = purchase_session(algorithm, key, pending.rand4, pending.counter, serial)
    require_mac(card, pending.purse, mac4(algorithm, session, head + moment), mac1)
    balance = (pending.balance - int.from_bytes(head[:4], "big")).to_bytes(4, "big")
    mac2 = mac4(algorithm, session, head[:4])
    tac = make_tac(card, pending.purse, head + serial + moment)
    book(card, pending, balance, head + moment, mac2 + tac)
    return tac + mac2


def _debit_for_unload(card: CardOs, pending: Pending, data: bytes) -> bytes:
    if len(data) != 11:
        raise CardError(StatusWord.WRONG_LENGTH)
    algorithm, bound = key_algorithm(card, pending.key), pending.head + data[:7]
    require_mac(card, pending.purse, mac4(algorithm, pending.session, bound), data[7:])
    balance = (pending.balance - int.from_bytes(pending.head[:4], "big")).to_bytes(4, "big")
    mac3 = mac4(algorithm, pending.session, balance + pending.counter.to_bytes(2, "big") + bound)
    book(card, pending, balance, bound, data[7:] + mac3)
    return mac3


def get_transaction_prove(card: CardOs, command: Command) -> bytes:
    """GET TRANSACTION PROVE: P2 type, data the counter after the transaction; answers MAC and TAC, else 9406.

    The last four bytes are what the concluding command answered: MAC3 in the place of the TAC for an unload.
    """
    if command.p1 or len(command.data) != 2:
        raise CardError(StatusWord.P1P2_WRONG if command.p1 else StatusWord.WRONG_LENGTH)
    wanted = bytes((command.p2,)) + command.data
    memory = card.nvm.memory
    for fid in (PURSE, PASSBOOK):
        purse = card.folder.children.get(fid)
        if purse is None or purse.kind is not FileKind.PURSE or not command.p2:
            continue
        for at in (purse.at + PROOFS, purse.at + PROOFS + PROOF):
            if memory[at : at + 3] == wanted:
                return bytes(memory[at + 3 : at + PROOF])
    raise CardError(StatusWord.PROOF_UNAVAILABLE)


def find_purse(card: CardOs, fid: int) -> File:
    """The passbook (01) or purse (02) of the current folder; 6A82, or 6982 while its right is not satisfied."""
    purse = card.folder.children.get(fid)
    if purse is None or purse.kind is not FileKind.PURSE:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    require_right(card, purse.read, card.folder)
    return purse


def is_grey(memory: bytearray, purse: File) -> bool:
    """Whether the purse is locked for a refuelling that has not been paid yet."""
    return purse.size > PURSE_BODY and memory[purse.at + GREY_STATE] == GREY


def begun(card: CardOs, step: Step) -> Pending:
    """The transaction that ``step`` concludes; 6901 when none of that kind was begun."""
    pending = card.pending
    if pending is None or pending.kind.step is not step:
        raise CardError(StatusWord.STATE_INVALID)
    return pending


def make_tac(card: CardOs, purse: File, bound: bytes) -> bytes:
    """The TAC over ``bound`` by the key that the purse names."""
    at = find_key(card, KeyUse.TAC, 0 if purse.a1 == 0xFF else purse.a1)
    algorithm = key_algorithm(card, at)
    return mac4(algorithm, tac_key(algorithm, key_bytes(card, at)), bound)


def require_mac(card: CardOs, purse: File, wanted: bytes, given: bytes) -> None:
    """9302 when the MAC is wrong, and one try less; the purse answers 9303 when none is left.

    The try is spent before the comparison, so that pulling the card does not save it, and given back after.
    """
    at = purse.at + TRIES
    left = card.nvm.memory[at] - 1
    card.nvm.commit([(at, bytes((left,)))])
    if not hmac.compare_digest(wanted, given):
        raise CardError(StatusWord.MAC_INVALID if left else StatusWord.APPLICATION_LOCKED)
    card.nvm.commit([(at, bytes((PURSE_TRIES,)))])


def book(
    card: CardOs,
    pending: Pending,
    balance: bytes,
    logged: bytes,
    proof: bytes,
    *,
    overdraft: bytes = b"",
    more: tuple[Entry, ...] = (),
) -> None:
    """Write the whole transaction at once: balance, counter, proof, log record, cached records.

    ``logged`` is amount 4, type 1, terminal 6, date 4, time 3; ``overdraft`` a new limit; ``more`` further writes.
    """
    memory, purse, kind = card.nvm.memory, pending.purse, pending.kind
    after = (pending.counter + 1).to_bytes(2, "big")
    writes: list[Entry] = [
        (purse.at + BALANCE, balance),
        (purse.at + (ONLINE if kind.online else OFFLINE), after),
        (purse.at + PROOFS + (PROOF if kind.online else 0), bytes((kind.type,)) + after + proof),
    ]
    if overdraft:
        writes.append((purse.at + OVERDRAFT, overdraft))
    log = card.folder.by_sfi.get(purse.a2)
    if log is not None and log.kind is FileKind.CYCLIC and log.a2 == _LOG_LENGTH:
        limit = overdraft or bytes(memory[purse.at + OVERDRAFT : purse.at + OVERDRAFT + 3])
        writes += appending(memory, log, pending.counter.to_bytes(2, "big") + limit + logged)
    writes += pending.cache
    writes += more
    card.nvm.commit(writes)
    card.pending = None


def _limit(card: CardOs, purse: File) -> int:
    at = purse.at + OVERDRAFT
    return int.from_bytes(card.nvm.memory[at : at + 3], "big")


TABLE: dict[tuple[int, int], Handler] = {
    (0x80, 0x5C): get_balance,
    (0x80, 0x50): initialize,
    (0x80, 0x52): credit_for_load,
    (0x80, 0xDC): update_capp_cache,
    (0x80, 0x54): debit,
    (0x80, 0x58): update_overdraft_limit,
    (0x80, 0x5A): get_transaction_prove,
}
# Commands after which a begun transaction still stands.
STEPS = frozenset({(0x80, 0x50), (0x80, 0x52), (0x80, 0x54), (0x80, 0x58), (0x80, 0xDC)})
