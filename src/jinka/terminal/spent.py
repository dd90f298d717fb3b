"""What a card has spent this month and today: a second record beside the ride record, for discounts and caps.

Layout (Jinka's own; no readable standard fixes one): year and month BCD 3 | spent in that month 4 | day BCD 1 | spent
on that day 4. The purchase that it counts writes it (UPDATE CAPP DATA CACHE, JR/T 0025.1), so what never happened is
not counted. A record of another month or day stands for nothing spent.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jinka.kit import bcd_date
from jinka.terminal.link import ApduLink, ChipRefused, ask, ask_exactly

SPENT_SIZE = 12
_FILE = 0x1A << 3
_MOST = 0xFFFFFFFF
_DATA_WRONG = 0x6A80


@dataclass(frozen=True, slots=True)
class Spent:
    """Spent on the day and in the month of the tap, before it."""

    today: int = 0
    month: int = 0


def read_spent(card: ApduLink, record_id: int, at: dt.datetime) -> Spent:
    """Read the record as of ``at``; `ChipRefused` for a card that answers something else."""
    raw = ask_exactly(
        card, "read spent", bytes((0x00, 0xB2, record_id, _FILE, SPENT_SIZE + 2)), SPENT_SIZE + 2
    )
    if raw[:2] != bytes((record_id, SPENT_SIZE)):
        raise ChipRefused("read spent", _DATA_WRONG)
    now, body = bcd_date(at), raw[2:]
    if body[:3] != now[:3]:
        return Spent()
    today = int.from_bytes(body[8:], "big") if body[7:8] == now[3:] else 0
    return Spent(today=today, month=int.from_bytes(body[3:7], "big"))


def cache_spent(card: ApduLink, record_id: int, spent: Spent, amount: int, at: dt.datetime) -> None:
    """Let the purchase that is begun write what has been spent with it."""
    now = bcd_date(at)
    body = (
        now[:3]
        + min(_MOST, spent.month + amount).to_bytes(4, "big")
        + now[3:]
        + min(_MOST, spent.today + amount).to_bytes(4, "big")
    )
    head = bytes((0x80, 0xDC, record_id, _FILE, SPENT_SIZE + 2, record_id, SPENT_SIZE))
    ask(card, "update capp data cache", head + body)
