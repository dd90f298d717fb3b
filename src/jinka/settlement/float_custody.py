"""The custodian account: whether the bank holds what the scheme owes its card holders, and what it pays for holding it.

The balance is that of a bank's statement (ISO 20022 camt.053, closing booked balance), not one that the scheme says of
itself. Interest is exact: fen times days times rate, added up as whole numbers and rounded once, down; then it is
apportioned by the largest remainder. Rates and shares are data. Decides no law: who may keep interest is the scheme's
table (for payment institutions in China, 非银行支付机构客户备付金存管办法, People's Bank of China, order 1 of 2021).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from jinka.kit import Finding, Refused, Severity, Usage, apportion
from jinka.settlement.chart import AccountCode
from jinka.settlement.float_acts import Deed, DeedKind, named
from jinka.settlement.iso20022 import Answer, Statement, StatementKind

_MILLION = 1_000_000
_DAYS_MAX = 400  # between two statements


class DayCount(IntEnum):
    """Days of a year, by which a yearly rate is divided."""

    ACT_360 = 360
    ACT_365 = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``ppm`` a year, from a day on, until the next row."""

    since: dt.date
    ppm: int

    def __post_init__(self) -> None:
        if not 0 <= self.ppm <= _MILLION:
            raise Usage(f"a rate of {self.ppm} ppm", where="custody.rate", fix="0 to 1000000 a year")


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyRules:
    """Rates in the order of days, the day count, and who gets which part of the interest (weights by code)."""

    rates: tuple[Rate, ...] = ()
    day_count: DayCount = DayCount.ACT_360
    shares: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days = [rate.since for rate in self.rates]
        if days != sorted(set(days)):
            raise Usage(
                "not in the order of days", where="custody.rate", fix="each day once, the oldest first"
            )
        if any(weight < 0 for weight in self.shares.values()) or (
            self.shares and not any(self.shares.values())
        ):
            raise Usage("not weights", where="custody.shares", fix="0 or more, and not all 0")

    def ppm_on(self, day: dt.date) -> int:
        """The rate of a day; nothing before the first row."""
        return next((rate.ppm for rate in reversed(self.rates) if rate.since <= day), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """What a bank's statements say: the newest balance against what is owed, and the interest of the days between."""

    closed_on: dt.date
    balance: int
    owed: int
    interest: int
    since: dt.date
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "closed_on": self.closed_on.isoformat(), "balance_fen": self.balance, "owed_fen": self.owed,
            "short_fen": max(0, self.owed - self.balance), "interest_fen": self.interest,
            "interest_since": self.since.isoformat(),
            "findings": [finding.as_dict() for finding in self.findings],
        }  # fmt: skip


def closings(answers: Sequence[Answer], *, account: str) -> dict[dt.date, int]:
    """Closing balances of an account by day. Raises `Usage` when two statements of one day differ."""
    found: dict[dt.date, int] = {}
    for each in answers:
        if not isinstance(each, Statement) or each.kind is not StatementKind.STATEMENT:
            continue
        if each.account != account or each.closing is None or not each.closed_on:
            continue
        day = dt.date.fromisoformat(each.closed_on)
        if found.setdefault(day, each.closing) != each.closing:
            raise Usage(
                f"two closing balances on {day}", where=each.where, fix="ask the bank which one is right"
            )
    return found


def examine(found: Mapping[dt.date, int], *, owed: int, rules: CustodyRules, where: str) -> Custody:
    """Hold the newest balance against what is owed; interest runs from the first statement to the last."""
    if not found:
        raise Usage(
            "no closing balance of the account", where=where, fix="a camt.053 of the custodian account"
        )
    days = sorted(found)
    findings = []
    short = owed - found[days[-1]]
    if short > 0:
        findings.append(
            Finding(
                code="CUSTODY_SHORT", severity=Severity.ERROR, where=f"{where} on {days[-1]}",
                what=f"{found[days[-1]]} fen stand behind {owed}: {short} are missing",
                fix="pay them in, and find what left the account",
            )
        )  # fmt: skip
    return Custody(
        closed_on=days[-1], balance=found[days[-1]], owed=owed, since=days[0],
        interest=interest(found, rules), findings=tuple(findings),
    )  # fmt: skip


def interest(found: Mapping[dt.date, int], rules: CustodyRules) -> int:
    """Of each day from the first balance until the day before the last; an overdrawn account earns nothing."""
    days = sorted(found)
    if (days[-1] - days[0]).days > _DAYS_MAX:
        raise Usage("more than a year of statements", where="custody", fix=f"{_DAYS_MAX} days at most")
    total, balance = 0, 0
    for number in range((days[-1] - days[0]).days):
        day = days[0] + dt.timedelta(days=number)
        balance = found.get(day, balance)
        total += max(0, balance) * rules.ppm_on(day)
    return total // (_MILLION * rules.day_count)


def interest_deeds(
    custody: Custody, rules: CustodyRules, done: Sequence[Deed], *, issuer: str, actor: str
) -> list[Deed]:
    """The interest as the bank credited it, one deed for each party that has a share.

    Raises `Refused` for days whose interest is booked already by another statement, `Usage` without shares.
    """
    if not custody.interest:
        return []
    if not rules.shares:
        raise Usage(
            "nobody has a share of the interest", where="custody.share", fix="name them in float.toml"
        )
    period = f"{custody.since} {custody.closed_on}"
    for deed in done:
        if deed.kind is DeedKind.INTEREST and deed.on > custody.since and not deed.subject.startswith(period):
            raise Refused(
                f"interest until {deed.on} is booked already",
                where="custody",
                fix=f"begin with the statement of {deed.on}",
            )
    codes = sorted(rules.shares)
    parts = apportion(custody.interest, [rules.shares[code] for code in codes], codes)
    return [
        Deed(
            kind=DeedKind.INTEREST, subject=f"{period} {code}", on=custody.closed_on, amount=part,
            debit=named(AccountCode.CUSTOMER_FUNDS, issuer), credit=named(AccountCode.INTEREST, code),
            actor=actor, reason=f"{custody.interest} fen of interest",
        )
        for code, part in zip(codes, parts, strict=True)
        if part
    ]  # fmt: skip
