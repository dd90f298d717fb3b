"""What a terminal obeys: blocked cards, calendars, price lists; each is a value with a compact form for download.

How they come down, versioned and acknowledged, is in `jinka.terminal.lists_download`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from jinka.kit import Refused, Usage, bcd_date, bcd_time, local_datetime

_ENTRY = 17  # card 10 | date 4 | time 3


class DownloadKind(Enum):
    """What comes down to terminals."""

    BLOCK_LIST = "block list"
    TARIFF = "tariff"
    CALENDAR = "calendar"


class Listed(Refused):
    """The card stands on the list: it is not written, not loaded, and has no right."""

    reason = "BLOCKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockList:
    """``entries``: card number (10 bytes) to the local time from which the card is to be refused."""

    version: int = 0
    entries: Mapping[bytes, dt.datetime] = field(default_factory=dict)

    def blocks(self, card_no: bytes, at: dt.datetime) -> bool:
        """Tell whether the card is to be refused at ``at``."""
        since = self.entries.get(card_no)
        return since is not None and since <= at

    def refuse(self, card_no: bytes, at: dt.datetime) -> None:
        """Raise `Listed` for a card that is to be refused at ``at``."""
        if self.blocks(card_no, at):
            raise Listed("the card is on the list", where="block list", fix="keep it for its issuer")

    def to_body(self) -> bytes:
        """Entries of card 10, date 4, time 3, in the order of the cards."""
        return b"".join(
            card + bcd_date(since) + bcd_time(since) for card, since in sorted(self.entries.items())
        )

    @classmethod
    def from_body(cls, version: int, body: bytes) -> BlockList:
        """Read a body; `Usage` when it is no list of entries."""
        if len(body) % _ENTRY:
            raise Usage(f"{len(body)} bytes", where="block list", fix="17 bytes for each card")
        pieces = [body[at : at + _ENTRY] for at in range(0, len(body), _ENTRY)]
        entries = {p[:10]: local_datetime(p[10:14], p[14:]) for p in pieces}
        if len(entries) != len(pieces):
            raise Usage("a card stands twice", where="block list", fix="one entry for each card")
        return cls(version=version, entries=entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Days that do not count as what their weekday says: holidays, and working days on weekends."""

    holidays: frozenset[dt.date] = frozenset()
    working_days: frozenset[dt.date] = frozenset()

    def is_rest_day(self, day: dt.date) -> bool:
        """Whether ``day`` is a holiday, or a weekend that was not made a working day."""
        return day in self.holidays or (day.weekday() >= 5 and day not in self.working_days)

    def to_body(self) -> bytes:
        """Entries of kind 1 (00 holiday, 01 working day) and date 4."""
        days = [(0, day) for day in self.holidays] + [(1, day) for day in self.working_days]
        return b"".join(bytes((kind,)) + bcd_date(day) for kind, day in sorted(days))

    @classmethod
    def from_body(cls, body: bytes) -> Calendar:
        """Read a body; `Usage` when it is no calendar."""
        days: tuple[set[dt.date], set[dt.date]] = (set(), set())
        for at in range(0, len(body), 5):
            entry = body[at : at + 5]
            if len(entry) != 5 or entry[0] > 1:
                raise Usage("not kind and date", where=f"calendar, byte {at}", fix="5 bytes for each day")
            days[entry[0]].add(local_datetime(entry[1:], bytes(3)).date())
        if days[0] & days[1]:
            raise Usage("a day that is both", where="calendar", fix="a holiday or a working day")
        return cls(holidays=frozenset(days[0]), working_days=frozenset(days[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A terminal's word that it obeys a version of the list from a time on; the fields of registry.ACKNOWLEDGEMENTS."""

    terminal_id: bytes
    list_version: int
    acknowledged_at: dt.datetime
    kind: DownloadKind = DownloadKind.BLOCK_LIST
