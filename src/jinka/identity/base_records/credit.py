"""Credit records of persons and enterprises: what was reported, how long it may be kept, and who may read it.

Regulation on the Credit Reporting Industry (征信业管理条例): negative information about an individual is deleted five
years after what it tells of has ended (Art. 16); the individual reads the own record twice a year for nothing (17);
others need the individual's written consent for an agreed use (18); the use goes no further (20); a disputed entry
bears a mark while it is examined (25). The limit of five years is that of individuals: the regulation has none for
enterprises. Religion, genes, fingerprints, blood group and illness may not be collected (14): an entry has no field
for them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from jinka.identity.base_records.fields import Words
from jinka.kit import Refused, Usage

BUREAU = "credit-bureau"  # who keeps them
KEPT_YEARS = 5
FREE_REPORTS = 2
TEXT_MAX = 200


class Sign(Enum):
    """What an entry tells: (value, Chinese title)."""

    GOOD = ("good", "正面信息")
    BAD = ("bad", "不良信息")
    PUBLISHED = ("published", "依法公开信息")

    @property
    def title(self) -> Words:
        """In both languages."""
        return self.value

    @classmethod
    def named(cls, text: str) -> Sign:
        """The sign of that value; raises `Usage`."""
        found = next((one for one in cls if one.value[0] == text), None)
        if found is None:
            raise Usage("no such sign", where=text[:20], fix="good, bad or published")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. ``since`` is the day of what it tells, ``ended`` the day on which that ended (None: it goes on)."""

    number: int
    subject: int
    institution: str
    sign: Sign
    text: str
    amount_fen: int
    since: dt.date
    ended: dt.date | None
    at_micros: int
    replaces: int = 0

    def __repr__(self) -> str:
        return f"Entry({self.number}, {self.institution}, {self.sign.value[0]})"

    def check(self) -> None:
        """Raises `Usage` or `Refused` for what cannot be reported."""
        if not self.text.strip() or len(self.text) > TEXT_MAX or not self.text.isprintable():
            raise Usage("not a text", where="entry", fix=f"1 to {TEXT_MAX} printable characters")
        if not 0 <= self.amount_fen < 2**63:
            raise Usage("not an amount", where="entry", fix="whole fen, 0 or more")
        if self.ended is not None and self.ended < self.since:
            raise Refused("it ended before it began", where="entry")

    def expires(self, *, person: bool) -> dt.date | None:
        """The first day on which it must be gone; None: none."""
        if not person or self.sign is not Sign.BAD or self.ended is None:
            return None
        try:
            return self.ended.replace(year=self.ended.year + KEPT_YEARS) + dt.timedelta(days=1)
        except ValueError:  # 29 February
            return dt.date(self.ended.year + KEPT_YEARS, 3, 1)

    def as_dict(self, *, disputed: bool) -> dict[str, Any]:
        """Plain data, for whoever may see it."""
        return {
            "entry": self.number,
            "institution": self.institution,
            "sign": self.sign.value[0],
            "text": self.text,
            "amount_fen": self.amount_fen,
            "since": self.since.isoformat(),
            "ended": self.ended.isoformat() if self.ended else "",
            "disputed": disputed,
        }


def standing(entries: Iterable[Entry], on: dt.date, *, person: bool) -> list[Entry]:
    """What may be shown on a day: not replaced, not over its time; by number."""
    known = list(entries)
    replaced = {entry.replaces for entry in known}
    return [
        entry
        for entry in sorted(known, key=lambda one: one.number)
        if entry.number not in replaced and not _over(entry, on, person)
    ]


def expired(entries: Iterable[Entry], on: dt.date, *, person: bool) -> list[Entry]:
    """What must be deleted on a day: what is over, with everything that it replaced."""
    known = {entry.number: entry for entry in entries}
    gone: dict[int, Entry] = {}
    for entry in standing_all(known.values()):
        chain = entry
        while _over(entry, on, person):
            gone[chain.number] = chain
            if chain.replaces not in known:
                break
            chain = known[chain.replaces]
    return [gone[number] for number in sorted(gone)]


def standing_all(entries: Collection[Entry]) -> list[Entry]:
    """What was not replaced."""
    replaced = {entry.replaces for entry in entries}
    return [entry for entry in entries if entry.number not in replaced]


def fee_due(reports_this_year: int) -> bool:
    """Whether the next own report of a year may cost a fee."""
    return reports_this_year >= FREE_REPORTS


def _over(entry: Entry, on: dt.date, person: bool) -> bool:
    limit = entry.expires(person=person)
    return limit is not None and on >= limit
