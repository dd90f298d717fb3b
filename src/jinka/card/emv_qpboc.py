"""The contactless purchase in one command: qPBOC with electronic cash (JR/T 0025.12 and .13).

GET PROCESSING OPTIONS with reader's qualifiers 9F66 that ask for qPBOC decides at once: offline from the electronic
cash with a dynamic signature (fDDA), online, or declined. The debit waits for the last record: balance and log are
written together before that answer leaves, so a card pulled earlier has lost nothing. The signature is in that
record, never before it: the other records never change, and who kept them from an earlier tap could show them to a
reader and let the card pay nothing. Where the record lies (SFI 10, record 1) is Jinka's choice, as is to put keys of
up to 1024 bits there too. `Form.DEBIT_WITH_OPTIONS` is the older way: debit and signature in the first answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jinka.card.emv_ac import logged
from jinka.card.emv_cash import amount_of
from jinka.card.emv_data import (
    CURRENCY,
    ECASH,
    ECASH_SINGLE,
    RESET,
    RSA_FILE,
    Cvr,
    Debit,
    EmvBase,
    Flag,
    Form,
    Kind,
    Stage,
    fen,
)
from jinka.card.files import CardError, File
from jinka.card.nvm import Entry
from jinka.codec import Command, StatusWord, tlv
from jinka.codec.emv_tags import Tag

# Reader's qualifiers 9F66, byte 1 and 2.
QPBOC, OFFLINE_ONLY, ONLINE_PIN, SIGNATURE = 0x20, 0x08, 0x04, 0x02
WANTS_ONLINE, WANTS_CVM = 0x80, 0x40
# Card's qualifiers 9F6C, byte 1.
CARD_ONLINE_PIN, CARD_SIGNATURE, ONLINE_IF_UNSIGNED = 0x80, 0x40, 0x20
_FDDA_VERSION = b"\x01"
_ANSWER_MAX = 256
_DYNAMIC_SUPPORT = 0x20  # byte 1 of the AIP: DDA
SIGNATURE_SFI = 0x0A
_SIGNATURE_PLACE = bytes((SIGNATURE_SFI << 3, 1, 1, 0))
_BY_NUMBER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """What the decision looks at; amounts in fen."""

    amount: int
    balance: int
    single: int
    reset: int
    own_currency: bool
    wants_online: bool
    offline_only: bool


# In this order; the first that holds decides.
DECISIONS: tuple[tuple[str, Callable[[Tap], object], Kind], ...] = (
    ("the reader wants a cryptogram online", lambda t: t.wants_online and not t.offline_only, Kind.ARQC),
    ("another currency, offline only", lambda t: not t.own_currency and t.offline_only, Kind.AAC),
    ("another currency", lambda t: not t.own_currency, Kind.ARQC),
    ("nothing to pay", lambda t: t.amount == 0, Kind.AAC),
    (
        "more than there is, offline only",
        lambda t: t.offline_only and t.amount > min(t.balance, t.single),
        Kind.AAC,
    ),
    ("more than there is", lambda t: t.amount > min(t.balance, t.single), Kind.ARQC),
    (
        "below the threshold: time to load",
        lambda t: t.balance - t.amount < t.reset and not t.offline_only,
        Kind.ARQC,
    ),
    ("paid from the electronic cash", lambda _: True, Kind.TC),
)


def is_contactless(values: dict[int, bytes]) -> bool:
    """Whether the reader asks for qPBOC; a contact terminal answers 9F66 with zeros."""
    return bool(int.from_bytes(values.get(Tag.TERMINAL_QUALIFIERS, b"")[:1], "big") & QPBOC)


def purchase(applet: EmvBase, counted: Entry) -> bytes:
    """The whole transaction; ``counted`` is the write of the new counter."""
    running = applet.running
    if applet.flags & Flag.BLOCKED:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    tap = _tap(applet)
    kind = next(kind for _, holds, kind in DECISIONS if holds(tap))
    running.cvr |= Cvr.SECOND_NONE
    running.first = kind
    balance = applet.read(ECASH, 6)
    paid: list[Entry] = []
    objects: list[tuple[int, bytes]] = []
    if kind is Kind.TC:
        running.cvr |= Cvr.FIRST_TC
        balance = fen(tap.balance - tap.amount)
        if _signs(applet):
            running.cvr |= Cvr.DYNAMIC_DONE
            objects = _signature(applet)
        paid = [applet.entry(ECASH, balance), *logged(applet, running.values)]
    elif kind is Kind.ARQC:
        running.cvr |= Cvr.FIRST_ARQC
    locator = applet.locator
    debit = None
    if kind is Kind.TC and not applet.form & Form.DEBIT_WITH_OPTIONS:
        debit, objects, locator = _put_off(paid, objects, locator)
    cryptogram = applet.cryptogram(running.values)
    running.bound = running.counter.to_bytes(2, "big") + cryptogram
    answer = _answer(applet, kind, cryptogram, balance, locator, objects)
    if len(answer) > _ANSWER_MAX:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    applet.card.nvm.commit([counted] if debit is not None else [counted, *paid])
    running.debit = debit
    if kind is Kind.TC:
        running.stage = Stage.COMPLETED if debit is None else Stage.PAYING
    else:
        running.stage = Stage.ONLINE if kind is Kind.ARQC else Stage.COMPLETED
    return answer


def _put_off(
    paid: list[Entry], objects: list[tuple[int, bytes]], locator: bytes
) -> tuple[Debit | None, list[tuple[int, bytes]], bytes]:
    """(what happens with the last record, the objects left for this answer, the file locator with that record)."""
    signed = [tlv(tag, value) for tag, value in objects if tag == Tag.DYNAMIC_SIGNATURE]
    record = tlv(0x70, *signed) if signed else b""
    if len(record) > _ANSWER_MAX:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if record:
        locator += _SIGNATURE_PLACE
    if len(locator) < 4:
        return None, objects, locator  # nothing will be read: it happens now
    head, _, number, _ = locator[-4:]
    debit = Debit(sfi=head >> 3, number=number, record=record, writes=paid)
    return debit, [entry for entry in objects if entry[0] != Tag.DYNAMIC_SIGNATURE], locator


def last_record(applet: EmvBase, command: Command) -> bytes | None:
    """The record with this purchase's signature, paid for by reading it; None when another one is asked for."""
    debit = applet.running.debit
    if debit is None or not debit.record:
        return None
    if command.p1 != debit.number or command.p2 != debit.sfi << 3 | _BY_NUMBER:
        return None
    if command.data:
        raise CardError(StatusWord.WRONG_LENGTH)
    if command.le not in (None, 256) and command.le != len(debit.record):
        raise CardError(StatusWord.LE_WRONG | min(len(debit.record), 255))
    _pay(applet, debit)
    return debit.record


def pay_with(applet: EmvBase, file: File, number: int) -> None:
    """Debit when this record of a file is the last one of a purchase."""
    debit = applet.running.debit
    if debit is None or debit.record or number != debit.number:
        return
    if applet.folder.by_sfi.get(debit.sfi) is file:
        _pay(applet, debit)


def _pay(applet: EmvBase, debit: Debit) -> None:
    """Once: reading the record again gives the same bytes and writes nothing."""
    if applet.running.stage is Stage.PAYING:
        applet.card.nvm.commit(debit.writes)
        applet.running.stage = Stage.COMPLETED


def _tap(applet: EmvBase) -> Tap:
    values = applet.running.values
    qualifiers = values[Tag.TERMINAL_QUALIFIERS].ljust(2, b"\x00")
    return Tap(
        amount=amount_of(applet),
        balance=applet.money(ECASH),
        single=applet.money(ECASH_SINGLE),
        reset=applet.money(RESET),
        own_currency=values.get(Tag.CURRENCY) == applet.read(CURRENCY, 2),
        wants_online=bool(qualifiers[1] & WANTS_ONLINE),
        offline_only=bool(qualifiers[0] & OFFLINE_ONLY),
    )


def _answer(
    applet: EmvBase,
    kind: Kind,
    cryptogram: bytes,
    balance: bytes,
    locator: bytes,
    signature: list[tuple[int, bytes]],
) -> bytes:
    """Template 77 in the order of the cards in the field."""
    options, running = applet.options, applet.running
    objects: list[tuple[int, bytes]] = [(Tag.AIP, applet.aip)]
    if kind is Kind.TC:
        objects.append((Tag.AFL, locator))
    objects += [
        (Tag.COUNTER, running.counter.to_bytes(2, "big")),
        (Tag.TRACK2, options.get(Tag.TRACK2, b"")),
        (Tag.ISSUER_DATA, applet.issuer_data(balance)),
        (Tag.CRYPTOGRAM, cryptogram),
        (Tag.SEQUENCE, options.get(Tag.SEQUENCE, b"\x00")),
        (Tag.CARD_QUALIFIERS, _qualifiers(applet)),
        (Tag.AVAILABLE, balance),
        *signature,
    ]
    return tlv(0x77, *(tlv(tag, value) for tag, value in objects))


def _qualifiers(applet: EmvBase) -> bytes:
    """9F6C: which verification of the holder the card asks for when the reader wants one, and what if unsigned."""
    asked = applet.running.values[Tag.TERMINAL_QUALIFIERS].ljust(2, b"\x00")
    found = ONLINE_IF_UNSIGNED
    if asked[1] & WANTS_CVM:
        if asked[0] & ONLINE_PIN:
            found |= CARD_ONLINE_PIN
        elif asked[0] & SIGNATURE:
            found |= CARD_SIGNATURE
        else:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    return bytes((found, 0))


def _signs(applet: EmvBase) -> bool:
    return bool(applet.aip[:1] and applet.aip[0] & _DYNAMIC_SUPPORT) and RSA_FILE in applet.folder.children


def _signature(applet: EmvBase) -> list[tuple[int, bytes]]:
    """fDDA version 01: signed over the reader's number, amount, currency, and the card's own 9F69."""
    values = applet.running.values
    related = _FDDA_VERSION + applet.card.randomness.token_bytes(4) + _qualifiers(applet)
    bound = (
        values.get(Tag.UNPREDICTABLE, b"")
        + values.get(Tag.AMOUNT, b"")
        + values.get(Tag.CURRENCY, b"")
        + related
    )
    number = applet.running.counter.to_bytes(2, "big")
    signed = applet.sign_dynamic(b"\x02" + number, bound, contactless=True)
    return [(Tag.CARD_AUTHENTICATION, related), (Tag.DYNAMIC_SIGNATURE, signed)]
