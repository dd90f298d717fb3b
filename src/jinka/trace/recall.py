"""A recall: drafted, approved by a second officer, told to holders, answered by them, and closed with a report.

A recall is what its acts say, in their order; the tables below are all that may happen when. Deadlines are those of
the Measures for Food Recall (食品召回管理办法, 2015, articles 13 and 18): begun within 24, 48 or 72 hours, done within
10, 20 or 30 working days by grade. A drill is a recall that tells everybody it is one and holds nothing back.

Pure: who holds what comes in as a `Scope`, the time with each act. Nothing is sent from here: whoever runs it sends
notices, and puts the answers in as acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from types import MappingProxyType

from jinka.kit import NotFound, Refused, Usage, make_id

HOUR_US = 3_600_000_000


class CauseKind(Enum):
    """What a recall begins with: (value, Chinese title)."""

    LOT = ("lot", "批次")
    ITEM = ("item", "单品")
    CONTAINER = ("container", "物流单元")
    PLACE = ("place", "地点与时段")
    INPUT = ("input", "投入物")
    DEVICE = ("device", "设备")


class Grade(Enum):
    """How serious: (value, Chinese title, hours to begin, working days to finish)."""

    FIRST = ("1", "一级召回", 24, 10)
    SECOND = ("2", "二级召回", 48, 20)
    THIRD = ("3", "三级召回", 72, 30)

    @property
    def hours(self) -> int:
        return self.value[2]


class RecallState(Enum):
    """Where a recall stands: (value, Chinese title)."""

    DRAFTED = ("drafted", "已拟定")
    ACTIVE = ("active", "召回中")
    CLOSED = ("closed", "已结束")
    CANCELLED = ("cancelled", "已撤销")


class NoticeState(Enum):
    """Where a holder's notice stands: (value, Chinese title)."""

    ISSUED = ("issued", "已通知")
    ACKNOWLEDGED = ("acknowledged", "已确认")
    REPORTED = ("reported", "已回报")
    SETTLED = ("settled", "已结清")


class Fate(Enum):
    """What a holder says became of an amount: (value, Chinese title, whether it is out of harm's way)."""

    QUARANTINED = ("quarantined", "已封存", True)
    RETURNED = ("returned", "已退回", True)
    DESTROYED = ("destroyed", "已销毁", True)
    CORRECTED = ("corrected", "已补救", True)
    SOLD = ("sold", "已售出", False)
    USED = ("used", "已使用", False)
    MISSING = ("missing", "下落不明", False)

    @property
    def safe(self) -> bool:
        return self.value[2]


class RecallEvent(Enum):
    """What happens to a recall: (value, Chinese title)."""

    DRAFT = ("drafted", "拟定")
    APPROVE = ("approved", "批准")
    WIDEN = ("scope looked at again", "重新核定范围")
    ACKNOWLEDGE = ("acknowledged", "确认收悉")
    REPORT = ("reported", "回报数量")
    REMIND = ("reminded", "催办")
    CLOSE = ("closed", "结束")
    CANCEL = ("cancelled", "撤销")


_S, _E, _N = RecallState, RecallEvent, NoticeState
RECALL_STEPS: Mapping[tuple[RecallState, RecallEvent], RecallState] = MappingProxyType(
    {
        (_S.DRAFTED, _E.WIDEN): _S.DRAFTED,
        (_S.DRAFTED, _E.APPROVE): _S.ACTIVE,
        (_S.DRAFTED, _E.CANCEL): _S.CANCELLED,
        (_S.ACTIVE, _E.WIDEN): _S.ACTIVE,
        (_S.ACTIVE, _E.ACKNOWLEDGE): _S.ACTIVE,
        (_S.ACTIVE, _E.REPORT): _S.ACTIVE,
        (_S.ACTIVE, _E.REMIND): _S.ACTIVE,
        (_S.ACTIVE, _E.CLOSE): _S.CLOSED,
        (_S.ACTIVE, _E.CANCEL): _S.CANCELLED,
    }
)
# A report that leaves nothing open settles the notice; a wider scope may open it again.
NOTICE_STEPS: Mapping[tuple[NoticeState, RecallEvent], NoticeState] = MappingProxyType(
    {
        (_N.ISSUED, _E.REMIND): _N.ISSUED,
        (_N.ISSUED, _E.ACKNOWLEDGE): _N.ACKNOWLEDGED,
        (_N.ISSUED, _E.REPORT): _N.REPORTED,
        (_N.ACKNOWLEDGED, _E.REMIND): _N.ACKNOWLEDGED,
        (_N.ACKNOWLEDGED, _E.REPORT): _N.REPORTED,
        (_N.REPORTED, _E.REMIND): _N.REPORTED,
        (_N.REPORTED, _E.REPORT): _N.REPORTED,
        (_N.SETTLED, _E.REPORT): _N.REPORTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What is wrong: things, or a place (and a device there), in an interval of time where it matters."""

    kind: CauseKind
    names: tuple[str, ...]
    since_us: int | None = None
    until_us: int | None = None
    hazard: str = ""  # in words, for the notices


_AMOUNT_MAX = Decimal(10) ** 15
# Subjects of lines that are counted; every other is a lot. How many are where they are said to be, nobody knows.
ITEMS, SOLD_ITEMS, SAID_ITEMS = "items", "items sold", "items said to be there"
SOLD_OF = "sold:"  # before a lot: so much of it was sold there
MORE_OF = "more:"  # before these: beside the measured amount there is one, or was, that nobody measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So much of one thing: items that are there, items that were sold there, or an amount of a lot.

    An amount of zero: there is some, or was, and the events do not say how much.
    """

    subject: str = ITEMS
    amount: Decimal
    uom: str = ""

    @property
    def unknown(self) -> bool:
        return not self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderScope:
    """Who has something of it, or had it last, as the events tell: what he has to account for, all by standing.

    ``digest`` names the things and amounts themselves: as many others are not the same. Acts of before it have none.
    """

    holder: str
    lines: tuple[Line, ...]
    standings: Mapping[str, int] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom it concerns. ``digest`` names the set of things, which the store keeps."""

    as_of_us: int
    digest: str
    things: int
    holders: tuple[HolderScope, ...]
    limits: tuple[str, ...] = ()  # where nobody can follow it further
    unplaced: int = 0  # things that were never seen anywhere
    foreign: tuple[tuple[str, str], ...] = ()  # lots, and units that cannot be added to their amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A holder's word on an amount of a line."""

    subject: str = ITEMS
    fate: Fate
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act. What an officer or a holder does has a name; a report replaces the holder's last one."""

    event: RecallEvent
    at_us: int
    by: str
    holder: str = ""  # ACKNOWLEDGE, REPORT, REMIND
    scope: Scope | None = None  # DRAFT, WIDEN
    outcomes: tuple[Outcome, ...] = ()  # REPORT
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A holder's notice as the acts left it."""

    scope: HolderScope
    state: NoticeState
    issued_us: int
    acknowledged_us: int | None = None
    outcomes: tuple[Outcome, ...] = ()
    reminders: int = 0
    answered: str = ""  # the digest of the scope that the outcomes are about

    def current(self) -> tuple[Outcome, ...]:
        """What he reported on the things and amounts that are in the scope now; of others it settles nothing."""
        return self.outcomes if self.answered == self.scope.digest or not self.scope.lines else ()

    def open_lines(self) -> tuple[Line, ...]:
        """What the holder has not accounted for."""
        made = []
        for line in self.scope.lines:
            told = [o.amount for o in self.current() if o.subject == line.subject]
            said = sum(told, Decimal(0))
            if said < line.amount or (line.unknown and not told):
                made.append(replace(line, amount=line.amount - said))
        return tuple(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """A recall as its acts left it."""

    number: int
    title: str
    grade: Grade
    cause: Cause
    drill: bool
    state: RecallState = RecallState.DRAFTED
    acts: tuple[Act, ...] = ()
    scope: Scope | None = None
    notices: Mapping[str, Notice] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def id(self) -> bytes:
        return make_id("jinka.recall", self.number, self.title)

    @property
    def holds_back(self) -> bool:
        """Whether its things are in quarantine."""
        return self.state is RecallState.ACTIVE and not self.drill

    @property
    def begun_us(self) -> int | None:
        return next((act.at_us for act in self.acts if act.event is RecallEvent.APPROVE), None)

    def after(self, act: Act) -> Recall:
        """The recall after one more act. Raises `Refused` where a table, or the rule of two, does not allow it."""
        state = self._next(act)
        step = replace(self, state=state, acts=(*self.acts, act))
        match act.event:
            case RecallEvent.DRAFT:
                raise Refused("it is drafted already", where=f"recall {self.number}")
            case RecallEvent.WIDEN:
                return replace(step, scope=act.scope)._noticed(act.at_us)
            case RecallEvent.APPROVE:
                return step._noticed(act.at_us)
            case RecallEvent.ACKNOWLEDGE | RecallEvent.REPORT | RecallEvent.REMIND:
                return step._answered(act)
            case RecallEvent.CLOSE:
                self._check_close(act)
                return step
            case _:
                return step

    def _next(self, act: Act) -> RecallState:
        where = f"recall {self.number}"
        if self.acts and act.at_us < self.acts[-1].at_us:
            raise Refused("an act before the last one", where=where, fix="look at the clock")
        state = RECALL_STEPS.get((self.state, act.event))
        if state is None:
            raise Refused(f"{self.state.value[0]} cannot be {act.event.value[0]}", where=where)
        if not act.by:
            raise Usage("nobody does it", where=where, fix="say who")
        if act.event is RecallEvent.APPROVE and act.by == self.acts[0].by:
            raise Refused("who drafted it approves it", where=where, fix="a second officer has to")
        if act.event in (RecallEvent.CANCEL, RecallEvent.CLOSE) and not act.reason:
            raise Usage("no reason", where=where, fix="say why")
        return state

    def _noticed(self, at_us: int) -> Recall:
        """Notices to every holder of the scope; who has one keeps it, with what the new scope says of him."""
        if self.state is not RecallState.ACTIVE or self.scope is None:
            return self
        made = {}
        for scope in self.scope.holders:
            known = self.notices.get(scope.holder)
            notice = (
                replace(known, scope=scope)
                if known
                else Notice(scope=scope, state=NoticeState.ISSUED, issued_us=at_us)
            )
            made[scope.holder] = _settled(notice)
        for holder, notice in self.notices.items():  # who is out of the scope now has nothing left to say
            if holder not in made:
                made[holder] = _settled(replace(notice, scope=replace(notice.scope, lines=())))
        return replace(self, notices=MappingProxyType(made))

    def _answered(self, act: Act) -> Recall:
        notice = self.notice(act.holder)
        state = NOTICE_STEPS.get((notice.state, act.event))
        if state is None:
            raise Refused(
                f"a notice that is {notice.state.value[0]} cannot be {act.event.value[0]}", where=act.holder
            )
        made = replace(notice, state=state)
        if act.event is RecallEvent.REMIND:
            made = replace(made, reminders=made.reminders + 1)
        elif made.acknowledged_us is None:
            made = replace(made, acknowledged_us=act.at_us)
        if act.event is RecallEvent.REPORT:
            _check_outcomes(notice, act.outcomes)
            made = _settled(replace(made, outcomes=act.outcomes, answered=notice.scope.digest))
        return replace(self, notices=MappingProxyType({**self.notices, act.holder: made}))

    def notice(self, holder: str) -> Notice:
        """A holder's notice; `NotFound` for one that the recall does not concern."""
        found = self.notices.get(holder)
        if found is None:
            raise NotFound("the recall does not concern it", where=holder, fix="jinka trace recall show")
        return found

    def _check_close(self, act: Act) -> None:
        waiting = [holder for holder, each in self.notices.items() if each.state is not NoticeState.SETTLED]
        if waiting and not act.reason.startswith("open:"):
            who = "1 holder has" if len(waiting) == 1 else f"{len(waiting)} holders have"
            raise Refused(
                f"{who} not accounted for all",
                where=f"recall {self.number}",
                fix="wait, or close with a reason that begins with open: and stands in the report",
            )


def draft(*, number: int, title: str, grade: Grade, cause: Cause, scope: Scope, at_us: int, by: str,
          drill: bool = False) -> Recall:  # fmt: skip
    """Begin a recall."""
    if not by or not title:
        raise Usage("a recall has a title and an officer", where="recall")
    act = Act(event=RecallEvent.DRAFT, at_us=at_us, by=by, scope=scope)
    return Recall(number=number, title=title, grade=grade, cause=cause, drill=drill, scope=scope, acts=(act,))


def fold(recall: Recall, acts: Iterable[Act]) -> Recall:
    """A recall out of its first act and those that came after."""
    for act in acts:
        recall = recall.after(act)
    return recall


def _settled(notice: Notice) -> Notice:
    if not notice.open_lines() and (notice.outcomes or not notice.scope.lines):
        return replace(notice, state=NoticeState.SETTLED)
    if notice.state is NoticeState.SETTLED:
        return replace(notice, state=NoticeState.REPORTED if notice.outcomes else NoticeState.ISSUED)
    return notice


def _check_outcomes(notice: Notice, outcomes: Iterable[Outcome]) -> None:
    """An amount is positive and of a line that the notice has; more than the line is a surplus, and welcome.

    Of what the events do not say how much there is, there may be nothing.
    """
    subjects = {line.subject for line in notice.scope.lines}
    unsure = {line.subject for line in notice.scope.lines if line.unknown}
    for outcome in outcomes:
        if outcome.subject not in subjects:
            raise Refused("the notice says nothing of it", where=outcome.subject)
        if not outcome.amount and outcome.subject in unsure:
            continue
        if not outcome.amount.is_finite() or not 0 < outcome.amount < _AMOUNT_MAX:
            raise Refused(f"an amount of {outcome.amount}", where=outcome.subject, fix="more than zero")
        if (
            outcome.subject in (ITEMS, SOLD_ITEMS, SAID_ITEMS)
            and outcome.amount != outcome.amount.to_integral_value()
        ):
            raise Refused(f"{outcome.amount} items", where="items", fix="items are whole")
