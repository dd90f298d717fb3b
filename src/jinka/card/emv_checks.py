"""The card's own risk management as two tables, `FIRST` and `OFFLINE` (JR/T 0025.5; EMV Book 3, 10.8).

A check names a condition, the bits of the card verification results that tell of it, and what it forces: always, or
when the application default action says so. Decline goes before online.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntFlag

from jinka.card.emv_data import Cvr, Flag


class Force(Enum):
    """What a check that holds makes of a request for approval."""

    NOTHING = 0
    ONLINE = 1
    DECLINE = 2


class Action(IntFlag):
    """The application default action, 9F52 (JR/T 0025.5)."""

    ONLINE_AFTER_FAILED_AUTHENTICATION = 0x8000
    DECLINE_FAILED_AUTHENTICATION = 0x4000
    DECLINE_MISSING_AUTHENTICATION = 0x2000
    ONLINE_IF_NEW = 0x0200
    DECLINE_NEW_OFFLINE = 0x0100
    DECLINE_PIN_EXCEEDED = 0x0040
    ONLINE_PIN_EXCEEDED = 0x0020
    DECLINE_PIN_EXCEEDED_OFFLINE = 0x0010
    ONLINE_AFTER_FAILED_SCRIPT = 0x0008


_ALWAYS = Action(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the checks look at. ``spent_fen`` counts this transaction too, when it is in the card's currency."""

    flags: Flag
    new: bool
    pin_exceeded: bool
    offline_count: int
    spent_fen: int
    lower: int
    upper: int
    spent_lower_fen: int
    spent_upper_fen: int


@dataclass(frozen=True, slots=True)
class Check:
    """A condition, the CVR bits it sets, and what it forces, always or when the card's default action says so."""

    name: str
    holds: Callable[[Situation], object]
    cvr: Cvr
    force: Force = Force.NOTHING
    when: Action = _ALWAYS


FIRST = (
    Check("application blocked", lambda s: s.flags & Flag.BLOCKED, Cvr(0), Force.DECLINE),
    Check(
        "last online transaction not completed",
        lambda s: s.flags & Flag.ONLINE_PENDING,
        Cvr.LAST_ONLINE_OPEN,
        Force.ONLINE,
    ),
    Check(
        "issuer authentication failed last time",
        lambda s: s.flags & Flag.AUTHENTICATION_FAILED,
        Cvr.LAST_AUTHENTICATION_FAILED,
        Force.ONLINE,
        Action.ONLINE_AFTER_FAILED_AUTHENTICATION,
    ),
    Check("static data failed last time", lambda s: s.flags & Flag.STATIC_FAILED, Cvr.LAST_STATIC_FAILED),
    Check("dynamic data failed last time", lambda s: s.flags & Flag.DYNAMIC_FAILED, Cvr.LAST_DYNAMIC_FAILED),
    Check(
        "script failed last time",
        lambda s: s.flags & Flag.SCRIPT_FAILED,
        Cvr.SCRIPT_FAILED,
        Force.ONLINE,
        Action.ONLINE_AFTER_FAILED_SCRIPT,
    ),
    Check("new card", lambda s: s.new, Cvr.NEW_CARD, Force.ONLINE, Action.ONLINE_IF_NEW),
    Check(
        "PIN tries exceeded",
        lambda s: s.pin_exceeded,
        Cvr.PIN_EXCEEDED,
        Force.DECLINE,
        Action.DECLINE_PIN_EXCEEDED,
    ),
    Check(
        "PIN tries exceeded, online",
        lambda s: s.pin_exceeded,
        Cvr.PIN_EXCEEDED,
        Force.ONLINE,
        Action.ONLINE_PIN_EXCEEDED,
    ),
    Check(
        "consecutive offline transactions",
        lambda s: s.lower and s.offline_count > s.lower,
        Cvr.VELOCITY,
        Force.ONLINE,
    ),
    Check(
        "offline amount",
        lambda s: s.spent_lower_fen and s.spent_fen > s.spent_lower_fen,
        Cvr.VELOCITY,
        Force.ONLINE,
    ),
)
OFFLINE = (
    Check("new card", lambda s: s.new, Cvr.NEW_CARD, Force.DECLINE, Action.DECLINE_NEW_OFFLINE),
    Check(
        "PIN tries exceeded",
        lambda s: s.pin_exceeded,
        Cvr.PIN_EXCEEDED,
        Force.DECLINE,
        Action.DECLINE_PIN_EXCEEDED_OFFLINE,
    ),
    Check(
        "consecutive offline transactions, upper",
        lambda s: s.upper and s.offline_count > s.upper,
        Cvr.VELOCITY,
        Force.DECLINE,
    ),
    Check(
        "offline amount, upper",
        lambda s: s.spent_upper_fen and s.spent_fen > s.spent_upper_fen,
        Cvr.VELOCITY,
        Force.DECLINE,
    ),
)
