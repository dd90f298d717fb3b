"""What must be decided about a record: reviews of emergency looks, objections, disputes of credit. Tables of steps.

An objection asks the source to correct a value (个人信息保护法 Art. 46; a refusal gives its reasons, Art. 50). A
dispute of a credit entry marks it at once and is answered within 20 days (征信业管理条例 Art. 25); a complaint goes
to the authority (Art. 26). An emergency look is justified or not by the supervision, never by the officer who looked;
its five days are this register's own rule. A case is its acts, folded; what an act leads to elsewhere (a correction,
a mark) is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from jinka.identity.base_records.access import check_text
from jinka.identity.base_records.fields import Words, echoed
from jinka.kit import Refused, Usage

SUPERVISION = "supervision"
DAY_US = 86_400_000_000


class Party(Enum):
    """Who does a step."""

    HOLDER = "holder"
    KEEPER = "keeper"  # the department that keeps the field, looked, or reported the entry
    SUPERVISION = "supervision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of a table. ``reason``: it must be said why."""

    act: str
    title: Words
    sources: tuple[str, ...]
    target: str
    by: Party
    reason: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A kind of case. The first step opens it; ``days`` is how long an answer may take (0: no limit)."""

    name: str
    title: Words
    states: Mapping[str, Words]
    open_states: tuple[str, ...]
    days: int
    steps: tuple[Step, ...]

    def step(self, act: str) -> Step:
        """The row of an act; raises `Usage`."""
        found = next((step for step in self.steps if step.act == act), None)
        if found is None:
            known = ", ".join(step.act for step in self.steps[1:])
            raise Usage("no such step", where=f"{self.name} {echoed(act, 'step')}", fix=f"one of {known}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A step that was taken. ``actor`` is a department, or the holder (``person:12``)."""

    act: str
    actor: str
    officer: str
    at_micros: int
    note: str = ""

    def __repr__(self) -> str:
        return f"Act({self.act}, {self.actor})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case with its acts, oldest first. ``about`` is a statement, a log entry or a credit entry, by its machine."""

    number: int
    machine: Machine
    holder: str  # person:12
    keeper: str  # a department's code
    record: int
    about: int
    opened_us: int
    acts: tuple[Act, ...] = ()

    @property
    def state(self) -> str:
        """Where it stands."""
        return self.machine.step(self.acts[-1].act).target

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in self.machine.open_states

    @property
    def due_us(self) -> int:
        """When it must be answered; 0: no limit."""
        return self.opened_us + self.machine.days * DAY_US if self.machine.days else 0

    def overdue(self, at_micros: int) -> bool:
        """Whether it should have been answered before."""
        return self.is_open and 0 < self.due_us < at_micros

    def done(self, act: Act) -> Case:
        """The case after an act; raises `Refused` when the table does not allow it, or not this party."""
        step = self.machine.step(act.act)
        where = f"{self.machine.name} {self.number}"
        check_text(act.note, "note")
        state = self.state if self.acts else ""
        if state not in step.sources and (state or step.sources):
            possible = ", ".join(row.act for row in self.machine.steps if state in row.sources) or "nothing"
            raise Refused(
                f"it is {state}; {act.act} does not apply", where=where, fix=f"possible: {possible}"
            )
        if act.actor != self._party(step.by):
            raise Refused(
                f"{act.act} is not for {_party_said(act.actor)}",
                where=where,
                fix=f"it is for: {step.by.value}",
            )
        if self.acts and act.actor == SUPERVISION and act.officer == self.acts[0].officer:
            raise Refused("nobody judges what he did himself", where=where, fix="a second officer must")
        if step.reason and not act.note.strip():
            raise Usage("no reason is given", where="note", fix=f"say why, to {act.act}")
        return replace(self, acts=(*self.acts, act))

    def _party(self, party: Party) -> str:
        return {Party.HOLDER: self.holder, Party.KEEPER: self.keeper}.get(party, SUPERVISION)


def _step(act: str, title: Words, sources: str, target: str, by: Party, *, reason: bool = False) -> Step:
    return Step(act=act, title=title, sources=tuple(sources.split()), target=target, by=by, reason=reason)


def _party_said(actor: str) -> str:
    kind, _, number = actor.partition(":")
    return (
        actor
        if echoed(kind, "") and (not number or (number.isdigit() and len(number) < 11))
        else "this party"
    )


REVIEW = Machine(
    name="review",
    title=("review of an emergency look", "紧急查询复核"),
    states=MappingProxyType(
        {
            "opened": ("opened", "待复核"),
            "explained": ("explained", "已说明"),
            "justified": ("justified", "属正当"),
            "unjustified": ("not justified", "属不当"),
        }
    ),
    open_states=("opened", "explained"),
    days=5,
    steps=(
        _step("open", ("opened", "立案"), "", "opened", Party.KEEPER),
        _step("explain", ("explained", "说明"), "opened explained", "explained", Party.KEEPER, reason=True),
        _step(
            "justify",
            ("found justified", "认定正当"),
            "opened explained",
            "justified",
            Party.SUPERVISION,
            reason=True,
        ),
        _step(
            "blame",
            ("found not justified", "认定不当"),
            "opened explained",
            "unjustified",
            Party.SUPERVISION,
            reason=True,
        ),
    ),
)
OBJECTION = Machine(
    name="objection",
    title=("objection to a value", "更正申请"),
    states=MappingProxyType(
        {
            "filed": ("filed", "已提出"),
            "accepted": ("accepted", "已受理"),
            "refused": ("refused", "已驳回"),
            "escalated": ("before the supervision", "已申诉"),
            "upheld": ("upheld", "申诉成立"),
            "dismissed": ("dismissed", "申诉不成立"),
            "corrected": ("corrected", "已更正"),
            "withdrawn": ("withdrawn", "已撤回"),
        }
    ),
    open_states=("filed", "accepted", "escalated", "upheld"),
    days=15,
    steps=(
        _step("file", ("filed", "提出"), "", "filed", Party.HOLDER, reason=True),
        _step("accept", ("accepted", "受理"), "filed", "accepted", Party.KEEPER),
        _step("refuse", ("refused", "驳回"), "filed accepted", "refused", Party.KEEPER, reason=True),
        _step(
            "escalate",
            ("taken to the supervision", "申诉"),
            "refused",
            "escalated",
            Party.HOLDER,
            reason=True,
        ),
        _step("uphold", ("upheld", "支持申诉"), "escalated", "upheld", Party.SUPERVISION, reason=True),
        _step("dismiss", ("dismissed", "驳回申诉"), "escalated", "dismissed", Party.SUPERVISION, reason=True),
        _step("correct", ("corrected", "更正"), "filed accepted upheld", "corrected", Party.KEEPER),
        _step("withdraw", ("withdrawn", "撤回"), "filed accepted escalated", "withdrawn", Party.HOLDER),
    ),
)
DISPUTE = Machine(
    name="dispute",
    title=("dispute of a credit entry", "征信异议"),
    states=MappingProxyType(
        {
            "marked": ("marked as disputed", "已标注异议"),
            "corrected": ("corrected", "已更正"),
            "confirmed": ("found right", "核查无误"),
            "recorded": ("not settled, recorded", "未能确认，已记载"),
            "complained": ("before the authority", "已投诉"),
            "upheld": ("upheld", "投诉成立"),
            "dismissed": ("dismissed", "投诉不成立"),
            "withdrawn": ("withdrawn", "已撤回"),
        }
    ),
    open_states=("marked", "complained", "upheld"),
    days=20,
    steps=(
        _step("file", ("filed", "提出"), "", "marked", Party.HOLDER, reason=True),
        _step("correct", ("corrected", "更正"), "marked upheld", "corrected", Party.KEEPER),
        _step("confirm", ("found right", "确认无误"), "marked", "confirmed", Party.KEEPER, reason=True),
        _step("record", ("recorded", "记载"), "marked", "recorded", Party.KEEPER, reason=True),
        _step(
            "complain",
            ("complained", "投诉"),
            "marked confirmed recorded",
            "complained",
            Party.HOLDER,
            reason=True,
        ),
        _step("uphold", ("upheld", "支持投诉"), "complained", "upheld", Party.SUPERVISION, reason=True),
        _step(
            "dismiss", ("dismissed", "驳回投诉"), "complained", "dismissed", Party.SUPERVISION, reason=True
        ),
        _step("withdraw", ("withdrawn", "撤回"), "marked complained", "withdrawn", Party.HOLDER),
    ),
)
MACHINES: Mapping[str, Machine] = MappingProxyType({one.name: one for one in (REVIEW, OBJECTION, DISPUTE)})
MARKED = ("marked", "complained", "upheld")  # while a dispute is here, its entry is shown as disputed
