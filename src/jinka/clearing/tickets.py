"""Finds tickets that were used more often than they were sold, once the gates have reported.

A ticket is a record on a card: its number and how many uses are left. A gate that cannot ask anybody takes one use off;
a copy of the card still has it. No gate can tell, but two reports that begin from the same count of one ticket can be
true of one card alone. There is no published rule for this; it is the reasoning by which purses' counters are judged.
It cannot say which of the two was the copy, and does not try: the earlier use counts as the ticket's own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketUse:
    """One use as its gate reports it; ``left`` is the count that the gate found."""

    ticket: str
    left: int
    card_no: bytes
    gate: str
    at: dt.datetime

    def __repr__(self) -> str:
        return f"TicketUse({self.ticket}, left={self.left}, {self.gate}, {self.at:%Y-%m-%d %H:%M})"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedTwice:
    """One use of a ticket that more than one gate took off."""

    first: TicketUse
    again: tuple[TicketUse, ...]


def used_twice(uses: Iterable[TicketUse]) -> list[UsedTwice]:
    """The uses that were taken off more than once, by time; a report that comes twice counts once."""
    found: dict[tuple[str, int], list[TicketUse]] = {}
    for use in sorted(set(uses), key=lambda each: (each.at, each.gate)):
        found.setdefault((use.ticket, use.left), []).append(use)
    return [UsedTwice(first=same[0], again=tuple(same[1:])) for same in found.values() if len(same) > 1]
