"""`Entitlement`: what a holder may do, as conditions on the records of the card, inert.

A terminal reads the records that the conditions name, judges them against what it knows itself (the date, the place,
what is asked for) and writes back what the use costs: see `jinka.terminal.entitlement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from jinka.kit import Usage


class Test(Enum):
    """What is asked of a record. A fact is what the terminal knows; dates are YYYYMMDD."""

    EQUALS = "is"
    ONE_OF = "is one of"
    NOT_AFTER = "is not after"  # the record's date against a fact's
    NOT_BEFORE = "is not before"
    BEFORE = "is before"
    AT_LEAST = "is at least"
    AT_MOST = "is at most"
    LISTS = "lists"  # words joined by commas, or the whole range by *
    IS_SET = "is written"


_SAID_ZH = {
    Test.EQUALS: "等于",
    Test.ONE_OF: "属于",
    Test.NOT_AFTER: "不晚于",
    Test.NOT_BEFORE: "不早于",
    Test.BEFORE: "早于",
    Test.AT_LEAST: "不少于",
    Test.AT_MOST: "不多于",
    Test.LISTS: "含有",
    Test.IS_SET: "已写入",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that the terminal knows or is told; ``date`` (YYYYMMDD), ``time`` (HHMM) and ``moment`` (both) always
    are.

    ``shown`` is what an earlier step established, an admission or a verified signature: nobody may type it.
    """

    name: str
    shown: bool = False


Against = str | int | tuple[str, ...] | Fact


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition and the reason that is given when it does not hold, such as EXPIRED."""

    record: str
    test: Test
    against: Against
    reason: str

    def text(self, *, zh: bool = False, names: Mapping[str, str] = MappingProxyType({})) -> str:
        """The condition as people read it; ``names`` are the records' titles."""
        against = self.against
        if isinstance(against, Fact):
            shown = f"<{against.name}>"
        else:
            shown = ", ".join(against) if isinstance(against, tuple) else str(against)
        name = names.get(self.record, self.record)
        return f"{name}{_SAID_ZH[self.test]}{shown}" if zh else f"{name} {self.test.value} {shown}".rstrip()


@dataclass(frozen=True, slots=True)
class Change:
    """What a use writes back: a number less ``take`` (a number or a fact), the value of a fact (``put``), or the
    record's own date and so many ``months`` (the last day of a shorter month).

    Less than ``take`` refuses the use as NOT_ENOUGH; with ``rest`` it takes what is left, down to zero. A fact that is
    ``shown`` is used up by the use.
    """

    record: str
    take: int | Fact | None = None
    put: str | Fact | None = None
    months: int | Fact | None = None
    rest: bool = False

    def __post_init__(self) -> None:
        if [self.take, self.put, self.months].count(None) != 2:
            raise Usage("take, put or months, one of them", where=f"change of {self.record}")
        if self.rest and self.take is None:
            raise Usage("rest is of what is taken", where=f"change of {self.record}")

    @property
    def fact(self) -> Fact | None:
        """The fact that it needs, where it needs one."""
        found = [one for one in (self.take, self.put, self.months) if isinstance(one, Fact)]
        return found[0] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """A right: where it applies, its conditions in the order in which they are judged, and what its use changes.

    Changes are written in their order, each at once and not all together: what decides comes last, or first what uses
    up. A card that holds a part of them must have no right that it had neither before nor with all of them.
    """

    name: str
    title_en: str
    title_zh: str
    application: str  # the profile's name
    conditions: tuple[Condition, ...]
    changes: tuple[Change, ...] = ()
    source: str = ""  # the rule behind it, where there is one

    def __post_init__(self) -> None:
        changed = [change.record for change in self.changes]
        if len(set(changed)) != len(changed):
            raise Usage("a record is changed twice", where=self.name, fix="one change for each record")
