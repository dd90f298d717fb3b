"""Electronic cash over the contacts: an offline purchase that the card pays from its own balance (JR/T 0025.13).

A terminal that offers it says 9F7A 01 with the processing options. When balance 9F79 and single limit 9F78 allow
the amount, the card's file locator names one record more, with the issuer's authorisation code 9F74: that is how a
terminal knows. The debit comes with the TC of the first GENERATE AC, for the amount that both commands named. The
velocity checks of credit do not count such a purchase, since it is paid. Whether to go online to load is the terminal's
decision, by the threshold 9F6D. The holder is verified by the card's one list.
"""

from __future__ import annotations

from jinka.card.emv_checks import FIRST, Check
from jinka.card.emv_data import CURRENCY, ECASH, ECASH_SINGLE, Cvr, EmvBase, Flag, Option, fen
from jinka.card.nvm import Entry
from jinka.codec.emv_tags import Tag

# What the card looks at before it pays: everything but the counts of unpaid purchases.
CHECKS: tuple[Check, ...] = tuple(check for check in FIRST if check.cvr not in (Cvr.VELOCITY, Cvr.NEW_CARD))


def cash_place(applet: EmvBase) -> bytes:
    """What the file locator gets behind it when this purchase can be paid from the balance; else nothing."""
    place = applet.options.get(Option.ECASH_PLACE, b"")
    if len(place) != 4 or applet.flags & Flag.BLOCKED:
        return b""
    if applet.running.values.get(Tag.ECASH_TERMINAL) != b"\x01":
        return b""
    return place if _payable(applet, amount_of(applet)) else b""


def amount_of(applet: EmvBase) -> int:
    """The amount that the terminal named, in fen; 0 when it is in another currency or not decimal."""
    values = applet.running.values
    text = values.get(Tag.AMOUNT, b"\x00").hex()
    if values.get(Tag.CURRENCY) != applet.read(CURRENCY, 2) or not text.isdigit():
        return 0
    return int(text)


def cash_debit(applet: EmvBase) -> tuple[bytes, list[Entry]] | None:
    """(the balance that is left, its write); None when the amount is no longer the one that was agreed."""
    amount = amount_of(applet)
    if amount != applet.running.cash_fen or not _payable(applet, amount):
        return None
    left = fen(applet.money(ECASH) - amount)
    return left, [applet.entry(ECASH, left)]


def _payable(applet: EmvBase, amount: int) -> bool:
    return 0 < amount <= min(applet.money(ECASH), applet.money(ECASH_SINGLE))
