"""What was issued, as ranges: who made it, on which grants, for whom and when; and where a range stands since. A table.

One entry is one order, whatever its size, and a number stands in one entry only. A product that is called back takes
its entries with it, whole; single cards and devices are the business of the lists.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from jinka.kit import Refused, Usage
from jinka.registry.issue_rules import Order
from jinka.registry.registration import REASON_MAX, check_officer


class EntryState(Enum):
    """Where a range stands: (value, Chinese title)."""

    IN_USE = ("in use", "在用")
    RECALLED = ("recalled", "已召回")
    RETIRED = ("retired", "已停用")


class EntryAct(Enum):
    """What is done about a range: (value, Chinese title)."""

    ENTER = ("enter", "登记")
    RECALL = ("recall", "召回")
    RELEASE = ("release", "解除召回")
    RETIRE = ("retire", "停用")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStep:
    """One row of the table; ``not_who``: the officer must not be the one who last did it."""

    act: EntryAct
    sources: tuple[EntryState, ...]
    target: EntryState
    not_who: EntryAct | None = None


ENTRY_STEPS = (
    EntryStep(act=EntryAct.ENTER, sources=(), target=EntryState.IN_USE),
    EntryStep(act=EntryAct.RECALL, sources=(EntryState.IN_USE,), target=EntryState.RECALLED),
    EntryStep(
        act=EntryAct.RELEASE,
        sources=(EntryState.RECALLED,),
        target=EntryState.IN_USE,
        not_who=EntryAct.RECALL,
    ),
    EntryStep(
        act=EntryAct.RETIRE,
        sources=(EntryState.IN_USE, EntryState.RECALLED),
        target=EntryState.RETIRED,
    ),
)
_STEP = {step.act: step for step in ENTRY_STEPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDeed:
    """An act that was done about a range."""

    act: EntryAct
    officer: str
    at_micros: int
    reason: str = ""

    def __post_init__(self) -> None:
        check_officer(self.officer)
        if len(self.reason) > REASON_MAX:
            raise Usage("not a reason", where="reason", fix=f"at most {REASON_MAX} characters")
        if self.act is not EntryAct.ENTER and not self.reason.strip():
            raise Usage("no reason is given", where="reason", fix=f"say why, to {self.act.value[0]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One order that was issued. ``grants`` are the numbers of what it rests on."""

    number: int
    order: Order
    grants: tuple[int, ...]
    on: dt.date
    deeds: tuple[EntryDeed, ...]

    @property
    def state(self) -> EntryState:
        """Where it stands."""
        return _STEP[self.deeds[-1].act].target

    def done(self, deed: EntryDeed) -> Entry:
        """The entry after an act; raises `Refused`."""
        step = _STEP[deed.act]
        if self.state not in step.sources:
            raise Refused(
                f"it is {self.state.value[0]}; {deed.act.value[0]} does not apply",
                where=f"entry {self.number}",
            )
        before = next((past.officer for past in reversed(self.deeds) if past.act is step.not_who), "")
        if deed.officer == before:
            raise Refused(
                f"{deed.officer} did the recall", where=f"entry {self.number}", fix="a second officer must"
            )
        deeds = (*self.deeds, deed)
        return Entry(number=self.number, order=self.order, grants=self.grants, on=self.on, deeds=deeds)
