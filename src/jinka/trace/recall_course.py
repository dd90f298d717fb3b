"""How well a recall goes: who was told, who answered and how much is out of harm's way, after each of its acts.

The measures are those that a closing report asks for: how many holders know and when they knew, and what share of what
they had to account for is accounted for, and what share of that is safe (`Fate.safe`). Amounts are added per unit:
items with items, kilograms with kilograms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from jinka.trace.recall import HOUR_US, Fate, NoticeState, Recall, RecallEvent, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a recall stood after an act. Amounts by unit; the unit of items is empty."""

    at_us: int
    event: RecallEvent
    holder: str
    notices: int
    acknowledged: int
    settled: int
    due: Mapping[str, Decimal]
    answered: Mapping[str, Decimal]
    safe: Mapping[str, Decimal]


def course(recall: Recall) -> list[Point]:
    """A point for each act from the approval on."""
    points = []
    fresh = Recall(
        number=recall.number, title=recall.title, grade=recall.grade, cause=recall.cause, drill=recall.drill,
        scope=recall.acts[0].scope, acts=recall.acts[:1],
    )  # fmt: skip
    for act in recall.acts[1:]:
        fresh = fold(fresh, [act])
        if fresh.begun_us is not None:
            points.append(_point(fresh, act.at_us, act.event, act.holder))
    return points


def fates(recall: Recall) -> dict[tuple[str, Fate], Decimal]:
    """What became of it by the holders' words: amounts by unit and fate."""
    found: dict[tuple[str, Fate], Decimal] = defaultdict(Decimal)
    for notice in recall.notices.values():
        units = {line.subject: line.uom for line in notice.scope.lines}
        for outcome in notice.outcomes:
            found[units.get(outcome.subject, ""), outcome.fate] += outcome.amount
    return dict(found)


def overdue(recall: Recall, now_us: int) -> list[str]:
    """Holders who have not acknowledged within the hours of the recall's grade."""
    limit = recall.grade.hours * HOUR_US
    return [
        holder
        for holder, notice in recall.notices.items()
        if notice.state is NoticeState.ISSUED and now_us - notice.issued_us > limit
    ]


def _point(recall: Recall, at_us: int, event: RecallEvent, holder: str) -> Point:
    due: dict[str, Decimal] = defaultdict(Decimal)
    answered: dict[str, Decimal] = defaultdict(Decimal)
    safe: dict[str, Decimal] = defaultdict(Decimal)
    for notice in recall.notices.values():
        for line in notice.scope.lines:
            due[line.uom] += line.amount
            said = [o for o in notice.current() if o.subject == line.subject]
            answered[line.uom] += min(line.amount, sum((o.amount for o in said), Decimal(0)))
            safe[line.uom] += min(line.amount, sum((o.amount for o in said if o.fate.safe), Decimal(0)))
    each = recall.notices.values()
    return Point(
        at_us=at_us, event=event, holder=holder, notices=len(recall.notices),
        acknowledged=sum(n.acknowledged_us is not None or n.state is NoticeState.SETTLED for n in each),
        settled=sum(n.state is NoticeState.SETTLED for n in each), due=dict(due), answered=dict(answered),
        safe=dict(safe),
    )  # fmt: skip
