"""GENERATE AC, first and second, EXTERNAL AUTHENTICATE, and the card's own risk management.

EMV Book 3, 6.5; Book 2, 6.6 (combined signature); JR/T 0025.5 (checks, default action).
The card decides by the tables of `card.emv_checks`. Each command writes counters, flags and log in one transaction.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from jinka.card import emv_cash
from jinka.card.access import find_key, tries_left
from jinka.card.emv_cash import amount_of
from jinka.card.emv_checks import FIRST, OFFLINE, Action, Check, Force, Situation
from jinka.card.emv_data import (
    ACTIONS,
    FLAGS,
    LOWER,
    ONLINE_ATC,
    SCRIPTS,
    SPENT,
    SPENT_LOWER,
    SPENT_UPPER,
    UPPER,
    Cvr,
    EmvBase,
    Flag,
    Form,
    Kind,
    Running,
    Stage,
    applet_of,
    fen,
)
from jinka.card.files import CardError, File, appending
from jinka.card.nvm import Entry
from jinka.codec import Command, StatusWord, tlv
from jinka.codec.dol import dol_size, fill_dol, split_dol
from jinka.codec.emv_tags import Tag
from jinka.codec.tlv import TlvError
from jinka.crypto import emv
from jinka.profile import FileKind, KeyUse

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

_COMBINED = 0x10
_AUTHENTICATION_FAILED = 0x6300
_UNABLE_ONLINE = frozenset({b"Y3", b"Z3"})
_AMOUNT_MOST = 999_999_999_999
_SDA_FAILED, _DDA_FAILED, _CDA_FAILED = 0x40, 0x08, 0x04  # byte 1 of the TVR


def situation(applet: EmvBase) -> Situation:
    """The card's state as the checks see it, this transaction included."""
    last = applet.number(ONLINE_ATC, 2)
    return Situation(
        flags=applet.flags,
        new=last == 0,
        pin_exceeded=_pin_exceeded(applet),
        offline_count=applet.running.counter - last,
        spent_fen=applet.money(SPENT) + amount_of(applet),
        lower=applet.number(LOWER),
        upper=applet.number(UPPER),
        spent_lower_fen=applet.money(SPENT_LOWER),
        spent_upper_fen=applet.money(SPENT_UPPER),
    )


def judged(applet: EmvBase, checks: tuple[Check, ...]) -> Force:
    """The strongest force of the checks that hold; their bits go into the CVR."""
    facts, actions = situation(applet), Action(applet.number(ACTIONS, 2))
    found = Force.NOTHING
    for check in checks:
        if check.holds(facts):
            applet.running.cvr |= check.cvr
            if (not check.when or check.when & actions) and check.force.value > found.value:
                found = check.force
    return found


def logged(applet: EmvBase, values: dict[int, bytes]) -> list[Entry]:
    """The writes of one record of the log, in the format that 9F4F names; none when there is no such file."""
    form, entry = applet.options.get(Tag.LOG_FORMAT), log_file(applet)
    if form is None or entry is None or entry.a2 != dol_size(form):
        return []
    counter = applet.running.counter.to_bytes(2, "big")
    return appending(applet.card.nvm.memory, entry, fill_dol(form, {**values, Tag.COUNTER: counter}))


def log_file(applet: EmvBase) -> File | None:
    """The cyclic file 000B."""
    file = applet.folder.by_sfi.get(0x0B)
    return file if file is not None and file.kind is FileKind.CYCLIC else None


def generate_ac(card: CardOs, command: Command) -> bytes:
    """GENERATE AC: P1 the kind that the terminal wants, 10h for a combined signature; the card may answer lower."""
    applet = applet_of(card)
    first = applet.running.stage is Stage.INITIATED
    if command.p2 or command.p1 & 0x2F or command.p1 & 0xC0 == 0xC0 or (not first and command.p1 & 0x80):
        raise CardError(StatusWord.P1P2_WRONG)
    wanted, combined = Kind(command.p1 & 0xC0), bool(command.p1 & _COMBINED)
    try:
        values = split_dol(applet.options.get(Tag.CDOL1 if first else Tag.CDOL2, b""), command.data)
    except TlvError:
        raise CardError(StatusWord.WRONG_LENGTH) from None
    applet.running.values |= values
    try:
        kind, writes, balance = _first(applet, wanted) if first else (*_second(applet, wanted), None)
        number = card.randomness.token_bytes(8) if combined else b""
        answer, cryptogram = _answer(applet, kind, number, command.data, balance)
    except CardError:
        applet.running = Running()  # half judged: such a transaction is not gone on with
        raise
    card.nvm.commit(writes)
    running = applet.running
    if first:
        running.first, running.bound = kind, running.counter.to_bytes(2, "big") + cryptogram
    running.stage = Stage.ONLINE if kind is Kind.ARQC else Stage.COMPLETED
    return answer


def _first(applet: EmvBase, wanted: Kind) -> tuple[Kind, list[Entry], bytes | None]:
    """(the kind, its writes, the electronic cash that is left when it pays)."""
    by_cash = applet.running.cash_fen > 0
    force, kind = judged(applet, emv_cash.CHECKS if by_cash else FIRST), wanted
    debit = emv_cash.cash_debit(applet) if by_cash and wanted is Kind.TC else None
    if by_cash and debit is None and force is Force.NOTHING:
        force = Force.ONLINE  # another amount than was agreed: not without the issuer
    if force is Force.DECLINE:
        kind = Kind.AAC
    elif force is Force.ONLINE and wanted is Kind.TC:
        kind = Kind.ARQC
    running, flags = applet.running, applet.flags
    running.cvr |= Cvr.SECOND_NONE
    if kind is Kind.ARQC:
        running.cvr |= Cvr.FIRST_ARQC
        return kind, [_flags(applet, flags | Flag.ONLINE_PENDING)], None
    if kind is Kind.TC:
        running.cvr |= Cvr.FIRST_TC
        left, paid = debit if debit is not None else (None, [_spent(applet)])
        return kind, [*paid, *logged(applet, running.values)], left
    return kind, [_flags(applet, flags | _failures(applet))], None


def _second(applet: EmvBase, wanted: Kind) -> tuple[Kind, list[Entry]]:
    running = applet.running
    running.cvr &= ~Cvr.SECOND_NONE
    given = running.values.get(Tag.ISSUER_AUTHENTICATION, b"")
    if any(given) and running.authenticated is None:
        _authenticate(applet, given[:8], given[8:10])
    if running.values.get(Tag.ARC) in _UNABLE_ONLINE:
        return _second_offline(applet, wanted)
    actions = Action(applet.number(ACTIONS, 2))
    kind, flags = wanted, applet.flags & ~Flag.ONLINE_PENDING
    if running.authenticated is False:
        running.cvr |= Cvr.AUTHENTICATION_FAILED
        flags |= Flag.AUTHENTICATION_FAILED
        if actions & Action.DECLINE_FAILED_AUTHENTICATION:
            kind = Kind.AAC
    elif running.authenticated is None:
        running.cvr |= Cvr.AUTHENTICATION_MISSING
        if actions & Action.DECLINE_MISSING_AUTHENTICATION:
            kind = Kind.AAC
    writes: list[Entry] = []
    if running.authenticated:
        flags &= ~(Flag.AUTHENTICATION_FAILED | Flag.SCRIPT_FAILED | Flag.STATIC_FAILED | Flag.DYNAMIC_FAILED)
        online = running.counter.to_bytes(2, "big")
        writes = [
            applet.entry(ONLINE_ATC, online),
            applet.entry(SPENT, bytes(6)),
            applet.entry(SCRIPTS, b"\x00"),
        ]
    if kind is Kind.TC:
        running.cvr |= Cvr.SECOND_TC
        writes += logged(applet, running.values)
    return kind, [*writes, _flags(applet, flags)]


def _second_offline(applet: EmvBase, wanted: Kind) -> tuple[Kind, list[Entry]]:
    running = applet.running
    running.cvr |= Cvr.UNABLE_ONLINE
    kind = Kind.AAC if judged(applet, OFFLINE) is Force.DECLINE else wanted
    if kind is Kind.AAC:
        return kind, [_flags(applet, applet.flags | _failures(applet))]
    running.cvr |= Cvr.SECOND_TC
    return kind, [_spent(applet), *logged(applet, running.values)]


def external_authenticate(card: CardOs, command: Command) -> bytes:
    """EXTERNAL AUTHENTICATE: the issuer's cryptogram and response code, once a transaction; 6300 when it is wrong."""
    applet = applet_of(card)
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if not 10 <= len(command.data) <= 16:
        raise CardError(StatusWord.WRONG_LENGTH)
    if applet.running.authenticated is not None:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    _authenticate(applet, command.data[:8], command.data[8:10])
    if not applet.running.authenticated:
        card.nvm.commit([_flags(applet, applet.flags | Flag.AUTHENTICATION_FAILED)])
        raise CardError(_AUTHENTICATION_FAILED)
    return b""


def _authenticate(applet: EmvBase, arpc8: bytes, code2: bytes) -> None:
    running = applet.running
    algorithm, session = applet.session(KeyUse.CRYPTOGRAM, running.counter)
    wanted = emv.response_cryptogram(algorithm, session, running.bound[2:], code2)
    running.authenticated = hmac.compare_digest(wanted, arpc8)


def _answer(
    applet: EmvBase, kind: Kind, number: bytes, asked: bytes, balance: bytes | None
) -> tuple[bytes, bytes]:
    """(answer, cryptogram): format 1, format 2, or with a combined signature (over ``number``) in its place."""
    running, signs = applet.running, bool(number) and kind is not Kind.AAC
    if signs:
        running.cvr |= Cvr.DYNAMIC_DONE
    cryptogram = applet.cryptogram(running.values)
    counter, own, cid = running.counter.to_bytes(2, "big"), applet.issuer_data(balance), bytes((kind,))
    if signs:
        head = tlv(Tag.CID, cid) + tlv(Tag.COUNTER, counter)
        transaction = running.asked + asked + head + tlv(Tag.ISSUER_DATA, own)
        dynamic = applet.combined(number, kind, cryptogram, transaction)
        signed = applet.sign_dynamic(dynamic, running.values.get(Tag.UNPREDICTABLE, b""))
        running.asked += asked
        return tlv(0x77, head, tlv(Tag.DYNAMIC_SIGNATURE, signed), tlv(Tag.ISSUER_DATA, own)), cryptogram
    running.asked += asked
    if applet.form & Form.CRYPTOGRAM_TAGGED:
        objects = (
            (Tag.CID, cid),
            (Tag.COUNTER, counter),
            (Tag.CRYPTOGRAM, cryptogram),
            (Tag.ISSUER_DATA, own),
        )
        return tlv(0x77, *(tlv(tag, value) for tag, value in objects)), cryptogram
    return tlv(0x80, cid, counter, cryptogram, own), cryptogram


def _failures(applet: EmvBase) -> Flag:
    """Offline authentication that failed, as the terminal's TVR says, kept for the next transaction."""
    tvr = applet.running.values.get(Tag.TVR, b"")[:1] or b"\x00"
    found = Flag(0)
    if tvr[0] & _SDA_FAILED:
        found |= Flag.STATIC_FAILED
    if tvr[0] & (_DDA_FAILED | _CDA_FAILED):
        found |= Flag.DYNAMIC_FAILED
    return found


def _flags(applet: EmvBase, flags: Flag) -> Entry:
    return applet.entry(FLAGS, bytes((flags,)))


def _spent(applet: EmvBase) -> Entry:
    return applet.entry(SPENT, fen(min(applet.money(SPENT) + amount_of(applet), _AMOUNT_MOST)))


def _pin_exceeded(applet: EmvBase) -> bool:
    try:
        return tries_left(applet.card, find_key(applet.card, KeyUse.PIN, 0)) == 0
    except CardError:
        return False


TABLE: dict[tuple[int, int], Handler] = {
    (0x80, 0xAE): generate_ac,
    (0x00, 0x82): external_authenticate,
}
