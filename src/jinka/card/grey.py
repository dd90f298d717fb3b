"""The grey lock of fuel cards: lock before refuelling, debit and release after it (JR/T 0025.9; CJ/T 304; FMCOS 2.0).

A grey purse refuses load, purchase, unload and a new limit until it is released, whatever happens to the power. The
pump that locked it releases it with the amount and a GMAC; since the session key stays in the card's memory, so
may anybody who was given both. Amount 0 releases without a debit. The issuer releases online, with the unload key.
Three wrong GMACs in a row block the application until APPLICATION UNBLOCK. What sources do not agree on is in
`jinka.profile.GreySpec`; unconfirmed and fixed here: what GTAC binds, and that "TAC unread" forbids nothing.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from jinka.card.access import key_algorithm, key_bytes
from jinka.card.files import (
    BLOCKED,
    GREY,
    GREY_FLAGS,
    GREY_KEY,
    GREY_PROOF,
    GREY_PROOF_SIZE,
    GREY_SERIAL,
    GREY_SESSION,
    GREY_STATE,
    GREY_TRIES,
    GREY_TYPES,
    KEY_X,
    KEY_Y,
    NOT_GREY,
    OFFLINE,
    OVERDRAFT,
    PURSE_BODY,
    STATE,
    TAC_UNREAD,
    CardError,
    File,
)
from jinka.card.purse import (
    COUNTER_MAX,
    PASSBOOK,
    PURSE,
    Kind,
    Pending,
    Step,
    begun,
    book,
    find_purse,
    is_grey,
    make_tac,
    ready,
    require_mac,
)
from jinka.codec import Algorithm, Command, StatusWord
from jinka.crypto import grey_session, load_session, mac4
from jinka.profile import FileKind, KeyUse

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

GMAC_TRIES = 3
_OFFLINE, _ONLINE = 0x08, 0x09  # P1
_LOCK, _UNLOCK, _ONLINE_UNLOCK = 0, 1, 2  # places in GREY_TYPES
_FLAG_LOW_BYTE, _FLAG_7C = 0x01, 0x02
_READ, _CLEAR = 0x00, 0x01  # P1 of GET LOCK PROOF


def initialize(card: CardOs, command: Command) -> bytes:
    """INITIALIZE FOR GREY LOCK (P1 08) and FOR GREY UNLOCK (P1 09); data: key index, terminal 6."""
    if command.p1 not in (_OFFLINE, _ONLINE) or command.p2 not in (PASSBOOK, PURSE):
        raise CardError(StatusWord.P1P2_WRONG)
    if len(command.data) != 7:
        raise CardError(StatusWord.WRONG_LENGTH)
    purse = _lockable(card, command.p2)
    return (_begin_lock if command.p1 == _OFFLINE else _begin_release)(card, purse, command.data)


def _begin_lock(card: CardOs, purse: File, data: bytes) -> bytes:
    memory, at = card.nvm.memory, purse.at
    kind = Kind(memory[at + GREY_TYPES + _LOCK], Step.GREY_LOCK, memory[at + GREY_KEY], False)
    key, counter = ready(card, purse, kind, data[0])
    if is_grey(memory, purse):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    rand4 = card.randomness.token_bytes(4)
    balance = int.from_bytes(memory[at : at + 4], "big")
    card.pending = Pending(kind, purse, key, bytes((kind.type,)) + data[1:], balance, counter, rand4)
    label = bytes((memory[key + KEY_X], memory[key + KEY_Y]))
    overdraft = memory[at + OVERDRAFT : at + OVERDRAFT + 3]
    return bytes(memory[at : at + 4] + counter.to_bytes(2, "big") + overdraft + label + rand4)


def _begin_release(card: CardOs, purse: File, data: bytes) -> bytes:
    memory, at = card.nvm.memory, purse.at
    kind = Kind(memory[at + GREY_TYPES + _ONLINE_UNLOCK], Step.GREY_UNLOCK, KeyUse.UNLOAD, True)
    key, counter = ready(card, purse, kind, data[0])
    if not is_grey(memory, purse):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    rand4 = card.randomness.token_bytes(4)
    balance = int.from_bytes(memory[at : at + 4], "big")
    head = bytes((kind.type,)) + data[1:]
    algorithm = key_algorithm(card, key)
    session = load_session(algorithm, key_bytes(card, key), rand4, counter)
    card.pending = Pending(kind, purse, key, head, balance, counter, rand4, session)
    seen = bytes(memory[at : at + 4] + memory[at + OFFLINE : at + OFFLINE + 2])
    label = bytes((memory[key + KEY_X], memory[key + KEY_Y]))
    return seen + counter.to_bytes(2, "big") + label + rand4 + mac4(algorithm, session, seen + head)


def lock(card: CardOs, command: Command) -> bytes:
    """GREY LOCK: terminal serial 4, terminal random 4, date 4, time 3, MAC1; answers GTAC and MAC2."""
    if command.p1 == _ONLINE:
        return _release_online(card, command)
    if (command.p1, command.p2) != (_OFFLINE, 0):
        raise CardError(StatusWord.P1P2_WRONG)
    pending = begun(card, Step.GREY_LOCK)
    data = command.data
    if len(data) != 19:
        raise CardError(StatusWord.WRONG_LENGTH)
    serial, rand4, moment, mac1 = data[:4], data[4:8], data[8:15], data[15:]
    algorithm, purse = key_algorithm(card, pending.key), pending.purse
    key = key_bytes(card, pending.key)
    session = grey_session(algorithm, key, pending.rand4, pending.counter, serial, rand4)
    require_mac(card, purse, mac4(algorithm, session, pending.head + moment), mac1)
    memory, at = card.nvm.memory, purse.at
    balance, counter = pending.balance.to_bytes(4, "big"), pending.counter.to_bytes(2, "big")
    bound = counter[1:] if memory[at + GREY_FLAGS] & _FLAG_LOW_BYTE else counter
    mac2 = mac4(algorithm, session, balance + bound)
    gtac = make_tac(card, purse, balance + counter + pending.head + serial + moment)
    proof = _proof(purse, pending.head, balance + counter, moment, mac2 + gtac)
    kept = serial + bytes((algorithm,)) + session.ljust(16, b"\x00")
    card.nvm.commit(
        [
            (at + GREY_STATE, bytes((GREY, GMAC_TRIES)) + proof + kept)
        ]  # one run of bytes: state, tries, proof, session
    )
    card.pending = None
    return gtac + mac2


def release(card: CardOs, command: Command) -> bytes:
    """DEBIT FOR UNLOCK: amount 4, counter 2, terminal 6, terminal serial 4, date 4, time 3, GMAC; answers the TAC."""
    if command.p1 == _ONLINE:
        return _release_online(card, command)
    if command.p1 != _OFFLINE or command.p2 not in (PASSBOOK, PURSE):
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    if len(data) != 27:
        raise CardError(StatusWord.WRONG_LENGTH)
    purse = _lockable(card, command.p2)
    memory, at = card.nvm.memory, purse.at
    if not is_grey(memory, purse):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    amount4, counter2, serial, moment = data[:4], data[4:6], data[12:16], data[16:23]
    counter, balance = int.from_bytes(counter2, "big"), int.from_bytes(memory[at : at + 4], "big")
    if counter2 != memory[at + OFFLINE : at + OFFLINE + 2] or counter == COUNTER_MAX:
        raise CardError(StatusWord.PROOF_UNAVAILABLE)
    if int.from_bytes(amount4, "big") > balance:
        raise CardError(StatusWord.BALANCE_INSUFFICIENT)
    _require_gmac(card, purse, amount4, data[23:])
    kind = Kind(memory[at + GREY_TYPES + _UNLOCK], Step.GREY_UNLOCK, memory[at + GREY_KEY], False)
    head = bytes((kind.type,)) + data[6:12]
    tac = make_tac(card, purse, amount4 + head + serial + moment)
    left = (balance - int.from_bytes(amount4, "big")).to_bytes(4, "big")
    pending = Pending(kind, purse, 0, head, balance, counter, b"")
    _book(card, pending, TAC_UNREAD, left, amount4, moment, data[23:], tac)
    return tac


def _release_online(card: CardOs, command: Command) -> bytes:
    """GREY UNLOCK: amount 4, date 4, time 3, MAC2 of the issuer; answers MAC3."""
    pending = begun(card, Step.GREY_UNLOCK)
    purse = pending.purse
    wanted = 0x7C if card.nvm.memory[purse.at + GREY_FLAGS] & _FLAG_7C else 0x7E
    if command.p2 or command.ins != wanted:
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    if len(data) != 15:
        raise CardError(StatusWord.WRONG_LENGTH)
    amount4, moment, mac2 = data[:4], data[4:11], data[11:]
    algorithm, bound = key_algorithm(card, pending.key), amount4 + pending.head + moment
    require_mac(card, purse, mac4(algorithm, pending.session, bound), mac2)
    amount = int.from_bytes(amount4, "big")
    if amount > pending.balance:
        raise CardError(StatusWord.BALANCE_INSUFFICIENT)
    left = (pending.balance - amount).to_bytes(4, "big")
    mac3 = mac4(algorithm, pending.session, left + pending.counter.to_bytes(2, "big") + bound)
    _book(card, pending, NOT_GREY, left, amount4, moment, mac2, mac3)
    return mac3


def get_lock_proof(card: CardOs, command: Command) -> bytes:
    """GET LOCK PROOF: P1 00 reads, 01 also clears "TAC unread".

    State 1 (00, 01 grey, 10 TAC unread) | type 1 | passbook or purse 1 | balance 4 | counter 2 | terminal 6 | date 4 |
    time 3 | amount, or MAC2 while grey, 4 | GTAC, TAC or MAC3 4. The purse that is grey comes first.
    """
    if command.p1 not in (_READ, _CLEAR) or command.p2 or command.data:
        raise CardError(StatusWord.P1P2_WRONG)
    memory = card.nvm.memory
    found = [card.folder.children[fid] for fid in (PURSE, PASSBOOK) if _has_lock(card, fid)]
    if not found:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    rank = {GREY: 0, TAC_UNREAD: 1, NOT_GREY: 2}
    purse = min(found, key=lambda file: rank[memory[file.at + GREY_STATE]])
    at = purse.at + GREY_PROOF
    answer = bytes((memory[purse.at + GREY_STATE],)) + memory[at : at + GREY_PROOF_SIZE]
    if command.p1 == _CLEAR and answer[0] == TAC_UNREAD:
        card.nvm.commit([(purse.at + GREY_STATE, bytes((NOT_GREY,)))])
        return bytes((NOT_GREY,)) + answer[1:]
    return answer


def _has_lock(card: CardOs, fid: int) -> bool:
    purse = card.folder.children.get(fid)
    return purse is not None and purse.kind is FileKind.PURSE and purse.size > PURSE_BODY


def _lockable(card: CardOs, fid: int) -> File:
    if not _has_lock(card, fid):
        raise CardError(StatusWord.FILE_NOT_FOUND)
    return find_purse(card, fid)


def _require_gmac(card: CardOs, purse: File, amount4: bytes, given: bytes) -> None:
    """9302 when the GMAC is wrong; at the third in a row the application is blocked for a time.

    The try is spent, and the application blocked, before the comparison; a right GMAC undoes it.
    """
    memory, at = card.nvm.memory, purse.at
    algorithm = Algorithm(memory[at + GREY_SESSION - 1])
    size = 8 if algorithm is Algorithm.TDES else 16
    session = bytes(memory[at + GREY_SESSION : at + GREY_SESSION + size])
    tries, state = at + GREY_TRIES, card.folder.header + STATE
    before = [(place, bytes(memory[place : place + 1])) for place in (tries, state)]
    left = memory[tries] - 1
    if left:
        card.nvm.commit([(tries, bytes((left,)))])
    else:
        card.nvm.commit([(tries, bytes((GMAC_TRIES,))), (state, bytes((BLOCKED,)))])
    if not hmac.compare_digest(mac4(algorithm, session, amount4), given):
        raise CardError(StatusWord.MAC_INVALID)
    card.nvm.commit(before)


def _proof(purse: File, head: bytes, seen: bytes, moment: bytes, tail: bytes) -> bytes:
    """The 29 bytes behind the state in GET LOCK PROOF."""
    return head[:1] + bytes((purse.fid & 0xFF,)) + seen + head[1:] + moment + tail


def _book(
    card: CardOs,
    pending: Pending,
    state: int,
    left: bytes,
    amount4: bytes,
    moment: bytes,
    given: bytes,
    answer: bytes,
) -> None:
    """Book the release and forget the session key in the same transaction."""
    purse = pending.purse
    seen = left + pending.counter.to_bytes(2, "big")
    proof = _proof(purse, pending.head, seen, moment, amount4 + answer)
    at = purse.at
    more = ((at + GREY_STATE, bytes((state, GMAC_TRIES)) + proof), (at + GREY_SERIAL, bytes(21)))
    book(card, pending, left, amount4 + pending.head + moment, given + answer, more=more)


TABLE: dict[tuple[int, int], Handler] = {
    (0xE0, 0x7A): initialize,
    (0xE0, 0x7C): lock,
    (0xE0, 0x7E): release,
    (0xE0, 0xCA): get_lock_proof,
}
STEPS = frozenset({(0xE0, 0x7A), (0xE0, 0x7C), (0xE0, 0x7E)})
