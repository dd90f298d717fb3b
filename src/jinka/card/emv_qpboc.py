"""The contactless purchase in one command: qPBOC with electronic cash (JR/T 0025.12 and .13).

GET PROCESSING OPTIONS with reader's qualifiers 9F66 that ask for qPBOC decides at once: offline with a debit of the
electronic cash and a dynamic signature (fDDA), online, or declined. Counter, balance and log are written together
before the answer leaves, so a purchase is debited once or not at all. The signature comes in this answer, so the
card's key has at most 1024 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jinka.card.emv_ac import in_currency, logged
from jinka.card.emv_data import (
    CURRENCY,
    ECASH,
    ECASH_SINGLE,
    RESET,
    RSA_FILE,
    Cvr,
    EmvBase,
    Flag,
    Kind,
    Stage,
    fen,
)
from jinka.card.files import CardError
from jinka.card.nvm import Entry
from jinka.codec import StatusWord, tlv
from jinka.codec.emv_tags import Tag
from jinka.crypto import emv_oda

# Reader's qualifiers 9F66, byte 1 and 2.
QPBOC, OFFLINE_ONLY, ONLINE_PIN, SIGNATURE = 0x20, 0x08, 0x04, 0x02
WANTS_ONLINE, WANTS_CVM = 0x80, 0x40
# Card's qualifiers 9F6C, byte 1.
CARD_ONLINE_PIN, CARD_SIGNATURE, ONLINE_IF_UNSIGNED = 0x80, 0x40, 0x20
_FDDA_VERSION = b"\x01"
_ANSWER_MAX = 256
_DYNAMIC_SUPPORT = 0x20  # byte 1 of the AIP: DDA


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
    writes = [counted]
    objects: list[tuple[int, bytes]] = []
    if kind is Kind.TC:
        running.cvr |= Cvr.FIRST_TC
        balance = fen(tap.balance - tap.amount)
        if _signs(applet):
            running.cvr |= Cvr.DYNAMIC_DONE
        objects = _signature(applet) if _signs(applet) else []
        writes += [applet.entry(ECASH, balance), *logged(applet, running.values)]
    elif kind is Kind.ARQC:
        running.cvr |= Cvr.FIRST_ARQC
    cryptogram = applet.cryptogram(running.values)
    running.bound = running.counter.to_bytes(2, "big") + cryptogram
    answer = _answer(applet, kind, cryptogram, balance, objects)
    if len(answer) > _ANSWER_MAX:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    applet.card.nvm.commit(writes)
    running.stage = Stage.ONLINE if kind is Kind.ARQC else Stage.COMPLETED
    return answer


def _tap(applet: EmvBase) -> Tap:
    values = applet.running.values
    qualifiers = values[Tag.TERMINAL_QUALIFIERS].ljust(2, b"\x00")
    return Tap(
        amount=in_currency(applet),
        balance=applet.money(ECASH),
        single=applet.money(ECASH_SINGLE),
        reset=applet.money(RESET),
        own_currency=values.get(Tag.CURRENCY) == applet.read(CURRENCY, 2),
        wants_online=bool(qualifiers[1] & WANTS_ONLINE),
        offline_only=bool(qualifiers[0] & OFFLINE_ONLY),
    )


def _answer(
    applet: EmvBase, kind: Kind, cryptogram: bytes, balance: bytes, signature: list[tuple[int, bytes]]
) -> bytes:
    """Template 77 in the order of the cards in the field."""
    options, running = applet.options, applet.running
    objects: list[tuple[int, bytes]] = [(Tag.AIP, options.get(Tag.AIP, bytes(2)))]
    if kind is Kind.TC:
        objects.append((Tag.AFL, options.get(Tag.AFL, b"")))
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
    aip = applet.options.get(Tag.AIP, b"\x00")
    return bool(aip[0] & _DYNAMIC_SUPPORT) and RSA_FILE in applet.folder.children


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
    signed = emv_oda.sign_dynamic(applet.rsa_key(), b"\x02" + number, bound)
    return [(Tag.CARD_AUTHENTICATION, related), (Tag.DYNAMIC_SIGNATURE, signed)]
