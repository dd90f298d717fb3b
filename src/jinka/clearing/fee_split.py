"""Fees of a day's paid groups by the lines of a schedule: computed, taxed, and split so that nothing is lost.

Groups are sums of records (`jinka.clearing.net.PaidGroup`); where a line is per record, each group holds records of
one amount. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from jinka.clearing.fees import FeeLine, FeeParty, FeeSchedule, FeeShare, Per
from jinka.kit import Usage, apportion


class FeeGroup(Protocol):
    """What is asked of a group of paid records."""

    @property
    def operator(self) -> str: ...
    @property
    def acquirer(self) -> str: ...
    @property
    def issuer(self) -> str: ...
    @property
    def product(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def by_amount(self) -> bool: ...


@dataclass(slots=True)
class _Bucket:
    """What one line is computed on for one set of payers."""

    line: FeeLine
    payers: tuple[str, ...]
    volume: int = 0
    count: int = 0
    by_record: int = 0  # the sum of the fees of single records
    weights: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # of payees, by money
    heads: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # the same by records


def split_fees(
    groups: Iterable[FeeGroup], schedule: FeeSchedule
) -> tuple[tuple[FeeShare, ...], dict[tuple[str, tuple[str, ...]], tuple[int, int]]]:
    """The fees, and the volumes of the month with this day: `FeeSchedule.earlier` of the next one.

    A participant pays itself nothing, except an operator, whose account for what it is owed is another than the one
    for what it earns.
    """
    buckets = _fill(groups, schedule)
    shares: list[FeeShare] = []
    volumes = dict(schedule.earlier)
    for key, bucket in sorted(buckets.items()):
        line = bucket.line
        if line.per is Per.RECORD:
            fee = bucket.by_record
        else:
            volume, count = schedule.earlier.get(key, (0, 0)) if line.per is Per.MONTH else (0, 0)
            now = volume + bucket.volume, count + bucket.count
            fee = line.rounded(*now) - line.rounded(volume, count)
            if line.per is Per.MONTH:
                volumes[key] = now
        shares += _shares(bucket, fee)
    return tuple(shares), volumes


@dataclass(frozen=True, slots=True)
class _Plan:
    """A line with its parties as places in `_parties`, so that a day's groups need no look into tables."""

    line: FeeLine
    name: str
    record: bool
    payers: tuple[int, ...]
    payees: tuple[tuple[int, int], ...]  # place, weight


_PLACE = {party: place for place, party in enumerate(FeeParty)}


def _fill(groups: Iterable[FeeGroup], schedule: FeeSchedule) -> dict[tuple[str, tuple[str, ...]], _Bucket]:
    buckets: dict[tuple[str, tuple[str, ...]], _Bucket] = {}
    known: dict[tuple[str, str], list[_Plan]] = {}
    switch, scheme = schedule.switch, schedule.scheme
    made = {line.name: _plan(line) for line in schedule.lines}
    if len(made) != len(schedule.lines):
        raise Usage("prices of several days", where="fees", fix="ask for those of one day: FeeSchedule.on")
    for group in groups:
        asked = (group.product, group.operator)
        plans = known.get(asked)
        if plans is None:
            plans = known[asked] = [made[line.name] for line in schedule.for_record(*asked)]
        amount, count = group.amount, group.count
        parties = (group.operator, group.acquirer, group.issuer, switch, scheme)  # in the order of `FeeParty`
        for plan in plans:
            payers = tuple([parties[place] for place in plan.payers])
            bucket = buckets.get((plan.name, payers))
            if bucket is None:
                bucket = buckets[plan.name, payers] = _Bucket(plan.line, payers)
            bucket.volume += amount
            bucket.count += count
            if plan.record:
                bucket.by_record += count * plan.line.of_record(_each(group))
            for place, weight in plan.payees:
                bucket.weights[parties[place]] += amount * weight
                bucket.heads[parties[place]] += count * weight
    return buckets


def _plan(line: FeeLine) -> _Plan:
    return _Plan(
        line,
        line.name,
        line.per is Per.RECORD,
        tuple(_PLACE[party] for party in line.payers),
        tuple((_PLACE[party], weight) for party, weight in line.payees.items()),
    )


def _each(group: FeeGroup) -> int:
    if not group.by_amount or not group.count or group.amount % group.count:
        raise Usage(
            "records of several amounts in one group",
            where=f"fees of {group.operator}",
            fix="group by amount where a line is per record",
        )
    return group.amount // group.count


def _shares(bucket: _Bucket, fee: int) -> list[FeeShare]:
    """Split a fee by payers, each part by payees, and the tax along with it."""
    line = bucket.line
    paid, tax = line.taxed(fee)
    if not paid:
        return []
    weights: Mapping[str, int] = bucket.weights if any(bucket.weights.values()) else bucket.heads
    payees = sorted(weights)
    roles = list(line.payers)
    parts = apportion(paid, list(line.payers.values()), list(bucket.payers))
    cells = [
        (role, payer, payee, amount)
        for role, payer, part in zip(roles, bucket.payers, parts, strict=True)
        for payee, amount in zip(
            payees, _split(part, [weights[code] for code in payees], payees), strict=True
        )
    ]
    taxes = _split(
        tax, [amount for *_, amount in cells], [f"{payer} {payee}" for _, payer, payee, _ in cells]
    )
    return [
        FeeShare(code=line.code, payer_is=role, payer=payer, payee=payee, amount=amount, tax=part)
        for (role, payer, payee, amount), part in zip(cells, taxes, strict=True)
        if amount and (role is FeeParty.OPERATOR or payer != payee)
    ]


def _split(total: int, weights: Sequence[int], ids: Sequence[str]) -> list[int]:
    return apportion(total, weights, ids) if total else [0] * len(ids)
