"""The PSAM's side of the grey lock: MAC1 for the lock, MAC2 checked, GMAC for the amount (JR/T 0025.9; fuel systems).

The session of a lock stays in file 001B (Jinka's own), so that a pump that lost its power can still ask for the GMAC.
A lock gets a GMAC for one amount only, and never for more than the balance that the card showed.
The lengths of E040 and E044 are those of the one readable system; what follows GMAC in its answer is unconfirmed and
not given.
"""

from __future__ import annotations

import hmac

from jinka.card.cos import CardOs
from jinka.card.files import CardError, File
from jinka.card.psam_keys import (
    GREY_TYPE,
    card_key,
    counters_of,
    forgiven,
    next_serial,
    spend_mac_try,
    split_factors,
    terminal_number,
)
from jinka.codec import Algorithm, Command, StatusWord
from jinka.crypto import grey_session, mac4

LOCKS = 0x001B
SLOTS = 16  # refuellings at once, or unfinished
SLOT = 48  # state 1 | card 8 | counter 2 | balance 4 | amount 4 | algorithm 1 | session key 16 | free
LOCKS_SIZE = 1 + SLOTS * SLOT  # the first byte: the slot of the last lock
_FIXED = 0x14
_FREE, _ASKED, _LOCKED, _SETTLED = 0, 1, 2, 3
_AMOUNT, _ALGORITHM, _SESSION = 15, 19, 20


def init_grey_lock(card: CardOs, command: Command) -> bytes:
    """INIT SAM GREY LOCK: rand 4, counter 2, balance 4, type, date 4, time 3, key version, algorithm, factors.

    Answers terminal serial 4, terminal random 4, MAC1.
    """
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    factors = split_factors(data, _FIXED)
    counters, locks = counters_of(card), _locks(card)
    algorithm, key = card_key(card, GREY_TYPE, data[18], data[19], factors)
    number = _next_slot(card, locks)
    serial, used = next_serial(card, counters)
    bound = data[10:11] + terminal_number(card) + data[11:18]
    rand4 = card.randomness.token_bytes(4)
    session = grey_session(algorithm, key, data[:4], int.from_bytes(data[4:6], "big"), serial, rand4)
    head = bytes((_ASKED,)) + factors[0] + data[4:10] + bytes(4) + bytes((algorithm,))
    slot = (locks.at + 1 + number * SLOT, head + session.ljust(16, b"\x00"))
    card.nvm.commit([used, slot, (locks.at, bytes((number,)))])
    return serial + rand4 + mac4(algorithm, session, bound)


def certify_grey_lock(card: CardOs, command: Command) -> bytes:
    """CERTIFICATE SAM GREY LOCK: the card's MAC2 over balance and counter, for the last lock that was asked for.

    Also for an earlier one, or again: a pump that lost its power finds MAC2 in the card's proof, when other cards may
    have come since. An older lock of the same card and counter is over then: only the issuer can have released it.
    """
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if len(command.data) != 4:
        raise CardError(StatusWord.WRONG_LENGTH)
    counters, locks = counters_of(card), _locks(card)
    memory = card.nvm.memory
    slots = [locks.at + 1 + (memory[locks.at] - back) % SLOTS * SLOT for back in range(SLOTS)]
    open_slots = [at for at in slots if memory[at] in (_ASKED, _LOCKED)]
    if not open_slots:
        raise CardError(StatusWord.STATE_INVALID)
    wrong = spend_mac_try(card, counters)
    for at in open_slots:
        if _is_mac2(card, at, command.data):
            break
    else:
        raise wrong
    lock = memory[at + 1 : at + 11]
    done = [old for old in slots if old != at and memory[old] in (_LOCKED, _SETTLED)]
    over = [(old, bytes((_FREE,))) for old in done if memory[old + 1 : old + 11] == lock]
    card.nvm.commit([(at, bytes((_LOCKED,))), *over, forgiven(card, counters)])
    return b""


def _is_mac2(card: CardOs, at: int, given: bytes) -> bool:
    memory = card.nvm.memory
    algorithm, session = _session(card, at)
    balance, counter = bytes(memory[at + 11 : at + 15]), bytes(memory[at + 9 : at + 11])
    # A card binds both bytes of the counter or, in one reading of its manual, the low one.
    wanted = (mac4(algorithm, session, balance + counter), mac4(algorithm, session, balance + counter[1:]))
    return any(hmac.compare_digest(mac2, given) for mac2 in wanted)


def make_gmac(card: CardOs, command: Command) -> bytes:
    """GMAC: type, card 8, counter 2, amount 4; answers the GMAC that releases the lock of that card and counter.

    9406 without such a lock, 9401 beyond the balance, 6985 when the lock has its GMAC for another amount.
    """
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    data = command.data
    if len(data) != 15:
        raise CardError(StatusWord.WRONG_LENGTH)
    counters_of(card)
    locks, memory = _locks(card), card.nvm.memory
    amount4 = data[11:]
    for number in range(SLOTS):
        at = locks.at + 1 + number * SLOT
        if memory[at] in (_LOCKED, _SETTLED) and memory[at + 1 : at + 11] == data[1:11]:
            break
    else:
        raise CardError(StatusWord.PROOF_UNAVAILABLE)
    if int.from_bytes(amount4, "big") > int.from_bytes(memory[at + 11 : at + 15], "big"):
        raise CardError(StatusWord.BALANCE_INSUFFICIENT)
    if memory[at] == _SETTLED and memory[at + _AMOUNT : at + _AMOUNT + 4] != amount4:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if memory[at] == _LOCKED:  # before the answer, so that no second amount ever gets one
        card.nvm.commit([(at, bytes((_SETTLED,))), (at + _AMOUNT, amount4)])
    algorithm, session = _session(card, at)
    return mac4(algorithm, session, amount4)


def _locks(card: CardOs) -> File:
    file = card.folder.children.get(LOCKS)
    if file is None or file.size != LOCKS_SIZE:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    return file


def _next_slot(card: CardOs, locks: File) -> int:
    """The next slot in turn that no unsettled lock holds; 6A84 when all do."""
    memory, last = card.nvm.memory, card.nvm.memory[locks.at]
    for step in range(1, SLOTS + 1):
        number = (last + step) % SLOTS
        if memory[locks.at + 1 + number * SLOT] != _LOCKED:
            return number
    raise CardError(StatusWord.NO_SPACE)


def _session(card: CardOs, at: int) -> tuple[Algorithm, bytes]:
    memory = card.nvm.memory
    algorithm = Algorithm(memory[at + _ALGORITHM])
    size = 8 if algorithm is Algorithm.TDES else 16
    return algorithm, bytes(memory[at + _SESSION : at + _SESSION + size])
