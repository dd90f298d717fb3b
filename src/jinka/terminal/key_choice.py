"""Which of a card's purchase keys a terminal asks for, by the card's city and the date: how versions are switched.

Cards carry several versions of the purchase key from personalisation (JR/T 0025.1, CJ/T 166), PSAMs the parents.
While two versions are good, a terminal asks for the preferred one first and falls back when the card answers that it
has none (9403); from the date on the old one is not asked for any more, whatever the card says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jinka.codec import StatusWord
from jinka.codec.clearing import ClearingRecord
from jinka.terminal import torn
from jinka.terminal.link import ApduLink, ChipRefused
from jinka.terminal.torn import Unresolved

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPeriod:
    """A key index with the days on which it is good, both included. ``region8`` is a city's factor, empty for all."""

    index: int
    valid_from: dt.date = dt.date.min
    valid_to: dt.date = dt.date.max
    region8: bytes = b""


def key_indexes(
    periods: Sequence[KeyPeriod], otherwise: int, *, region8: bytes, day: dt.date
) -> tuple[int, ...]:
    """The indexes to ask for, the preferred one first: those of the card's city if it has any, else those for all."""
    ours = [period for period in periods if period.region8 == region8]
    named = ours or [period for period in periods if not period.region8]
    if not named:
        return (otherwise,)
    return tuple(period.index for period in named if period.valid_from <= day <= period.valid_to)


def first_that_is_there(indexes: Sequence[int], step: str, ask: Callable[[int], T]) -> T:
    """What ``ask`` answers for the first key that the card has; `ChipRefused` with 9403 when it has none of them."""
    for index in indexes:
        try:
            return ask(index)
        except ChipRefused as error:
            if error.sw != StatusWord.KEY_NOT_FOUND:
                raise
    raise ChipRefused(step, StatusWord.KEY_NOT_FOUND)


def settle_torn(
    card: ApduLink, periods: Sequence[KeyPeriod], otherwise: int, record: ClearingRecord
) -> ClearingRecord | Unresolved:
    """`torn.resolve_selected` with whichever key the card has: any of them shows the counter."""
    return first_that_is_there(
        _all_indexes(periods, otherwise), "torn", lambda kid: torn.resolve_selected(card, kid, record)
    )


def resolve_torn(
    card: ApduLink, aid: bytes, periods: Sequence[KeyPeriod], otherwise: int, record: ClearingRecord
) -> ClearingRecord | Unresolved:
    """`torn.resolve` with whichever key the card has."""
    found: ClearingRecord | Unresolved = Unresolved.UNKNOWN
    for kid in _all_indexes(periods, otherwise):
        found = torn.resolve(card, aid, kid, record)
        if found is not Unresolved.UNKNOWN:
            break
    return found


def _all_indexes(periods: Sequence[KeyPeriod], otherwise: int) -> tuple[int, ...]:
    return tuple(dict.fromkeys((*(period.index for period in periods), otherwise)))
