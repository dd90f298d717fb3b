"""Silence and lateness by rule: an issuer's centre that does not answer, and a terminal that does not take its list.

- **Silence is consent.** An issuer's centre has N business days for its verdict on a record; then the record counts as
  accepted, its operator is paid, and what the centre says later is its own loss.
- **A late list is the operator's loss.** A list blocks at a terminal from its acknowledgement. One that has not been
  acknowledged in the time of grace counts as acknowledged at its end, so what the terminal takes afterwards of a listed
  card is rejected, and no terminal gains by staying away from its lists.

Both give findings, so that who loses sees by which rule. Pure: rules over dates and Arrow tables that the caller gives.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from jinka.clearing import Reason
from jinka.clearing.port import ClearingEngine, Table
from jinka.kit import Finding, Severity, Usage, format_minor
from jinka.registry import ACKNOWLEDGEMENTS
from jinka.settlement.calendar import EVERY_DAY, Calendar

_MOMENT = "%Y%m%d%H%M%S"
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRule:
    """How many business days of ``calendar`` a centre has for its answer."""

    days: int
    calendar: Calendar = EVERY_DAY

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 100:
            raise Usage(f"{self.days} days", where="silence.days", fix="1 to 100 business days")

    def last_day(self, sent: dt.date) -> dt.date:
        """The last day on which an answer to what was sent on ``sent`` is in time."""
        return self.calendar.add(sent, self.days)

    def silent_up_to(self, today: dt.date) -> dt.date:
        """What was sent on this day or before, and is not answered when ``today`` begins, is accepted by silence."""
        sent = today - _DAY
        while self.last_day(sent) >= today:
            sent -= _DAY
        return sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Records of one issuer that were sent on one day and are not answered; ``centre`` where it is known."""

    issuer: str
    sent: dt.date
    count: int
    amount: int
    centre: str = ""


def judge_silence(
    waiting: Sequence[Unanswered], *, until: dt.date, due: Callable[[dt.date], dt.date]
) -> tuple[list[Unanswered], list[Finding]]:
    """Which of them silence accepts, sent on ``until`` or before, and a finding for each of them and for all others.

    ``due`` is the last day for an answer to what was sent on a day (`SilenceRule.last_day`).
    """
    rows = sorted(waiting, key=lambda row: (row.sent, row.centre, row.issuer))
    accepted = [row for row in rows if row.sent <= until]
    findings = [
        Finding(
            code="DEEMED_ACCEPTED" if row.sent <= until else "VERDICT_AWAITED",
            severity=Severity.WARNING if row.sent <= until else Severity.INFO,
            where=f"{row.centre}, {row.issuer}" if row.centre else row.issuer,
            what=f"{row.count} records of {format_minor(row.amount)}, sent {row.sent}, "
            + ("no answer in time" if row.sent <= until else f"answer due {due(row.sent)}"),
            fix="what it rejects from now on is its own loss" if row.sent <= until else "nothing yet",
        )
        for row in rows
    ]
    return accepted, findings


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRule:
    """How long after a list's last entry takes effect every terminal has to acknowledge it."""

    grace_minutes: int

    def __post_init__(self) -> None:
        if not 0 <= self.grace_minutes <= 366 * 24 * 60:
            raise Usage(f"{self.grace_minutes} minutes", where="lists.grace_minutes", fix="a year at most")

    def deadlines(self, listings: pa.Table) -> dict[int, str]:
        """Version to the moment (local, YYYYMMDDhhmmss) by which it must be acknowledged."""
        latest: dict[int, str] = {}
        columns = (listings[name].to_pylist() for name in ("list_version", "effective_from"))
        for version, moment in zip(*columns, strict=True):
            latest[version] = max(latest.get(version, ""), moment)
        grace = dt.timedelta(minutes=self.grace_minutes)
        return {
            version: (_moment(text) + grace).strftime(_MOMENT) for version, text in sorted(latest.items())
        }


def deem_acknowledged(
    listings: pa.Table, acknowledgements: pa.Table, terminals: Mapping[bytes, str], rule: ListRule
) -> tuple[pa.Table, list[Finding]]:
    """The acknowledgements with those that the rule supposes, and how many it supposed of each operator.

    ``terminals`` are the active ones with their operators. Lists are cumulative: whoever acknowledged version 5 in time
    has versions 1 to 4.
    """
    deadlines = rule.deadlines(listings)
    heard: dict[bytes, list[tuple[int, str]]] = defaultdict(list)
    names = ("terminal_id", "list_version", "acknowledged_at")
    for terminal, version, at in zip(*(acknowledgements[name].to_pylist() for name in names), strict=True):
        heard[terminal].append((version, at))
    made: list[dict[str, object]] = []
    late: dict[str, set[bytes]] = defaultdict(set)
    for terminal, operator in sorted(terminals.items()):
        acks = sorted(heard[terminal])
        versions = [version for version, _ in acks]
        first = [""] * (len(acks) + 1)  # the earliest acknowledgement from here on
        for place in range(len(acks) - 1, -1, -1):
            first[place] = min(acks[place][1], first[place + 1] or "9")
        for version, deadline in deadlines.items():
            at = first[bisect_right(versions, version - 1)]
            if not at or at > deadline:
                made.append(dict(zip(names, (terminal, version, deadline), strict=True)))
                late[operator].add(terminal)
    findings = [
        Finding(
            code="LIST_DEEMED_TAKEN",
            severity=Severity.WARNING,
            where=operator,
            what=f"{len(late[operator])} terminals did not acknowledge a list within {rule.grace_minutes} minutes",
            fix="bring them their lists: what they take of listed cards is the operator's loss",
        )
        for operator in sorted(late)
    ]
    supposed = pa.Table.from_pylist(made, schema=ACKNOWLEDGEMENTS)
    return pa.concat_tables([acknowledgements.cast(ACKNOWLEDGEMENTS), supposed]), findings


def list_losses(engine: ClearingEngine, outcomes: Table) -> list[Finding]:
    """What each operator lost on cards that were on a list in force: the day's rejected taps of them."""
    lost = outcomes.filter(outcomes.reason == Reason.CARD_BLOCKED.name)
    # Rejected amounts are claims of the operator's: an absurd one must not spoil the sum.
    lost = lost.filter(lost.amount.between(0, 2**32))
    sums = lost.group_by("operator").aggregate(count=lost.count(), amount=lost.amount.sum())
    return [
        Finding(
            code="OPERATOR_LOSS_LISTED",
            severity=Severity.WARNING,
            where=row["operator"],
            what=f"{row['count']} taps of listed cards, {format_minor(int(row['amount']))}, after the list took effect",
            fix="nothing is paid for them: the terminals must refuse these cards",
        )
        for row in engine.collect(sums.order_by("operator")).to_pylist()
    ]


def _moment(text: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(text, _MOMENT)
    except ValueError:
        raise Usage(f"no moment: {text!r}", where="listings.effective_from", fix="YYYYMMDDhhmmss") from None
