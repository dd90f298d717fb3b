"""Dates and times: UTC microseconds inside, the card's local BCD time kept verbatim beside its zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from jinka.kit.errors import Usage

# The days on which a simulated city may run: its cards are valid on all of them, and on no other.
FIRST_DATE = dt.date(2000, 1, 1)
LAST_DATE = dt.date(2039, 12, 31)

BEIJING = dt.timezone(dt.timedelta(hours=8))  # the civil day of all China, without summer time since 1992


def parse_date(text: str, *, where: str) -> dt.date:
    """Read ``YYYY-MM-DD``; raise `Usage` that names the place otherwise."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Usage(f"not a date: {text!r}", where=where, fix="write it as YYYY-MM-DD") from None


def bcd_date(moment: dt.date) -> bytes:
    """``2018-09-01`` as the 4 bytes ``20 18 09 01`` of a card's transaction date."""
    return bytes.fromhex(f"{moment.year:04d}{moment.month:02d}{moment.day:02d}")


def bcd_time(moment: dt.datetime) -> bytes:
    """The 3 bytes ``hh mm ss`` of a card's transaction time."""
    return bytes.fromhex(f"{moment.hour:02d}{moment.minute:02d}{moment.second:02d}")


def local_datetime(date: bytes, time: bytes) -> dt.datetime:
    """Join a card's BCD date and time to a naive local time; `Usage` if they are not BCD or no such time."""
    text = date.hex() + time.hex()
    try:
        return dt.datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        raise Usage(f"not a card date and time: {text}", where="date|time") from None


def utc_micros(local: dt.datetime, zone: str) -> int:
    """Microseconds since the epoch, UTC, of a naive local time in an IANA ``zone``."""
    return int(local.replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000 + local.microsecond
