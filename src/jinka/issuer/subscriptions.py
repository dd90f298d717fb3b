"""Subscriptions: billed for each period, in arrears after the due day, suspended after the grace, open again once
paid.

A pure state machine over days. Money is moved by the caller, who asks here first: what a bill comes to, whether a
small payment fits the limits, whether a service is open. No dunning fees and no parts of a period.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from jinka.kit import Refused, Usage


class SubscriptionState(Enum):
    """Services are open while active and in arrears."""

    ACTIVE = "active"
    ARREARS = "in arrears"
    SUSPENDED = "suspended"
    ENDED = "ended"


class SubscriptionEvent(Enum):
    OVERDUE = "a bill is overdue"
    GRACE_OVER = "the grace is over"
    PAID = "all bills that are due are paid"
    ENDED = "ended"


_S, _E = SubscriptionState, SubscriptionEvent
# Where no row stands, nothing changes.
TRANSITIONS: Mapping[tuple[SubscriptionState, SubscriptionEvent], SubscriptionState] = {
    (_S.ACTIVE, _E.OVERDUE): _S.ARREARS,
    (_S.ARREARS, _E.GRACE_OVER): _S.SUSPENDED,
    (_S.ARREARS, _E.PAID): _S.ACTIVE,
    (_S.SUSPENDED, _E.PAID): _S.ACTIVE,
    (_S.ACTIVE, _E.ENDED): _S.ENDED,
    (_S.ARREARS, _E.ENDED): _S.ENDED,
    (_S.SUSPENDED, _E.ENDED): _S.ENDED,
}


class SubscriptionRefused(Refused):
    """``reason`` is the code: NOT_OPEN, NOT_IN_PLAN, OVER_EACH, OVER_DAY, OVER_MONTH, NOT_YET, NOTHING_OWED, ENDED."""

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(reason, where=where)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan says. A period is ``months`` or ``days``; None of a limit allows no small payments at all."""

    price_fen: int
    services: tuple[str, ...]
    months: int = 0
    days: int = 0
    due_days: int = 0  # after the bill
    grace_days: int = 0  # after the due day
    each_fen: int = 0  # the most of one small payment; 0 allows none
    day_fen: int = 0
    month_fen: int = 0

    def __post_init__(self) -> None:
        if bool(self.months) == bool(self.days) or min(self.months, self.days, self.price_fen) < 0:
            raise Usage("a period is months or days, and a price is not below zero", where="terms")

    def after(self, begin: dt.date, periods: int = 1) -> dt.date:
        """The first day behind so many periods; the last of a month where it has no such day."""
        if self.days:
            return begin + dt.timedelta(days=self.days * periods)
        year, month = divmod(begin.year * 12 + begin.month - 1 + self.months * periods, 12)
        last = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
        return dt.date(year, month + 1, min(begin.day, last))


@dataclass(slots=True, kw_only=True)
class Bill:
    """One period and the small payments before it."""

    begin: dt.date
    until: dt.date  # the first day that is not in it
    amount_fen: int
    due: dt.date
    paid: bool = False


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One subscriber's plan. Days go forward only."""

    name: str
    terms: Terms
    begin: dt.date
    state: SubscriptionState = SubscriptionState.ACTIVE
    bills: list[Bill] = field(default_factory=list)
    charges: list[tuple[dt.date, int]] = field(default_factory=list)
    _billed: int = 0  # charges that stand in a bill

    def at(self, today: dt.date) -> SubscriptionState:
        """The state of that day, after what the days since have done to it."""
        open_ = [bill for bill in self.bills if not bill.paid]
        if any(today > bill.due for bill in open_):
            self._become(SubscriptionEvent.OVERDUE)
        if any(today > bill.due + dt.timedelta(days=self.terms.grace_days) for bill in open_):
            self._become(SubscriptionEvent.GRACE_OVER)
        return self.state

    def bill(self, today: dt.date) -> Bill:
        """Bill the next period and all small payments so far; NOT_YET before the period begins."""
        if self.at(today) is SubscriptionState.ENDED:
            raise SubscriptionRefused("ENDED", self.name)
        begin = self.bills[-1].until if self.bills else self.begin
        if today < begin:
            raise SubscriptionRefused("NOT_YET", self.name)
        small = sum(amount for _, amount in self.charges[self._billed :])
        self._billed = len(self.charges)
        made = Bill(
            begin=begin, until=self.terms.after(self.begin, len(self.bills) + 1),
            amount_fen=self.terms.price_fen + small,
            due=today + dt.timedelta(days=self.terms.due_days),
        )  # fmt: skip
        self.bills.append(made)
        return made

    def owed(self) -> Bill:
        """The oldest bill that is not paid; NOTHING_OWED."""
        for bill in self.bills:
            if not bill.paid:
                return bill
        raise SubscriptionRefused("NOTHING_OWED", self.name)

    def pay(self, today: dt.date) -> Bill:
        """The oldest bill is paid, and whatever was closed for it opens once nothing is overdue."""
        self.at(today)
        bill = self.owed()
        bill.paid = True
        if not any(today > one.due for one in self.bills if not one.paid):
            self._become(SubscriptionEvent.PAID)
        return bill

    def charge(self, today: dt.date, amount_fen: int) -> None:
        """A small payment that goes onto the next bill, within the plan's limits; only while nothing is overdue."""
        if amount_fen <= 0:
            raise Usage("a payment is more than nothing", where=self.name)
        if self.at(today) is not SubscriptionState.ACTIVE:
            raise SubscriptionRefused(self._closed(), self.name)
        of_day = sum(amount for day, amount in self.charges if day == today)
        of_month = sum(
            amount for day, amount in self.charges if (day.year, day.month) == (today.year, today.month)
        )
        for reason, found, most in (
            ("OVER_EACH", amount_fen, self.terms.each_fen),
            ("OVER_DAY", of_day + amount_fen, self.terms.day_fen),
            ("OVER_MONTH", of_month + amount_fen, self.terms.month_fen),
        ):
            if found > most:
                raise SubscriptionRefused(reason, self.name)
        self.charges.append((today, amount_fen))

    def serve(self, today: dt.date, service: str) -> None:
        """Raises `SubscriptionRefused` unless the service is open today."""
        if service not in self.terms.services:
            raise SubscriptionRefused("NOT_IN_PLAN", self.name)
        if self.at(today) not in (SubscriptionState.ACTIVE, SubscriptionState.ARREARS):
            raise SubscriptionRefused(self._closed(), self.name)

    def _closed(self) -> str:
        """Why nothing is open: for arrears, or because it has ended."""
        return "ENDED" if self.state is SubscriptionState.ENDED else "NOT_OPEN"

    def end(self, today: dt.date) -> None:
        """No further periods; what is owed stays owed."""
        self.at(today)
        self._become(SubscriptionEvent.ENDED)

    def _become(self, event: SubscriptionEvent) -> None:
        self.state = TRANSITIONS.get((self.state, event), self.state)
