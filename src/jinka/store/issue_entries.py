"""What was issued on which grants, in SQL: one row for an order, checked and counted in one transaction.

The rule is `jinka.registry.check_issue`. An order that is sent again is answered with the entry that it has; another
order under its name, or with a number that stands in the register, is refused. What grants hold is the sum of their
uses, and the register's lock (`store.registrations`) lets no two orders count at once.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from jinka.kit import NotFound, Refused
from jinka.registry import (
    GRANTS,
    Entry,
    EntryAct,
    EntryDeed,
    EntryState,
    Held,
    Item,
    Order,
    Registration,
    RuleSet,
    check_issue,
)
from jinka.store.register_tables import acts, demands, entries, uses
from jinka.store.registrations import Register, take_turn

_CHUNK = 500
Vouched = Callable[[Registration], None]  # raises `Refused` for a grant that nobody vouches for


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a folder demands of every issue: rules, and the folder of another register, if that one is asked."""

    rules: RuleSet
    register: str = ""
    officer: str
    at_micros: int


class IssueRegister:
    """Grants and what was issued on them, as one transaction sees them."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.registrations = Register(connection)

    def demand(self) -> Demand | None:
        """What was demanded last; None where nobody did."""
        query = sa.select(demands).order_by(demands.c.seq.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        rules = RuleSet.from_text(row.rules)
        return Demand(rules=rules, register=row.register, officer=row.officer, at_micros=row.at_micros)

    def set_demand(self, wanted: Demand) -> None:
        """Demand something from now on; another officer must than the one who demanded last."""
        before = self.demand()
        if before is not None and before.officer == wanted.officer:
            raise Refused(
                f"{wanted.officer} made the demand that stands", where="demand", fix="a second officer must"
            )
        seq = int(self._connection.scalar(sa.select(sa.func.count()).select_from(demands)) or 0)
        row = {
            "seq": seq, "officer": wanted.officer, "at_micros": wanted.at_micros, "rules": wanted.rules.to_text(),
            "register": wanted.register,
        }  # fmt: skip
        self._connection.execute(demands.insert(), row)

    def held(self) -> list[Held]:
        """All grants with what was issued on them."""
        found = [
            one for kind in sorted(GRANTS, key=lambda k: k.value) for one in self.registrations.listed(kind)
        ]
        total = sa.select(uses.c.grant, sa.func.sum(uses.c.count)).group_by(uses.c.grant)
        used = {grant: int(count) for grant, count in self._connection.execute(total)}
        return [Held(grant=one, used=used.get(one.number, 0)) for one in found]

    def check(
        self, rules: RuleSet, order: Order, on: dt.date, *, vouched: Vouched | None = None
    ) -> tuple[int, ...]:
        """The grants that the order may be issued on, or was; raises `MissingGrants` and `Refused`."""
        there = self._load(entries.c.order_id == order.id)
        if there:
            self._check_same(there[0], order)
            return self.require(there[0].number, on, vouched=vouched).grants
        low, high = _reach(order)
        overlap = (entries.c.low <= high) & (entries.c.high >= low)
        taken = self._load((entries.c.item == order.item.value) & overlap)
        if taken:
            raise Refused(
                f"numbers of it were issued before, by order {taken[0].order.id}",
                where=f"order {order.id}",
                fix="take numbers that are free",
            )
        granted = check_issue(rules, self.held(), order, on)
        if vouched is not None:
            for grant in granted.grants:
                vouched(self.registrations.read(grant))
        return granted.grants

    def enter(
        self, rules: RuleSet, order: Order, deed: EntryDeed, on: dt.date, *, vouched: Vouched | None = None
    ) -> tuple[Entry, bool]:
        """The entry of an order, and whether it is new; raises `MissingGrants` and `Refused`."""
        grants = self.check(rules, order, on, vouched=vouched)
        there = self._load(entries.c.order_id == order.id)
        if there:
            return there[0], False
        number = int(self._connection.scalar(sa.select(sa.func.max(entries.c.number))) or 0) + 1
        row = {"number": number, "issued_on": on.isoformat(), **_row(order)}
        self._connection.execute(entries.insert(), row)
        counted = [{"entry": number, "grant": grant, "count": order.count} for grant in grants]
        self._connection.execute(uses.insert(), counted)
        self._write(number, 0, deed)
        return self.read(number), True

    def require(self, number: int, on: dt.date, *, vouched: Vouched | None = None) -> Entry:
        """An entry that is in use, and whose grants are in force still; raises `Refused`."""
        found = self.read(number)
        where = f"order {found.order.id}"
        if found.state is not EntryState.IN_USE:
            raise Refused(f"it is {found.state.value[0]}", where=where, fix="see jinka registry entries")
        for grant in found.grants:
            held = self.registrations.read(grant)
            if vouched is not None:
                vouched(held)
            if not held.in_force(on):
                state = (
                    held.state.value
                    if held.valid_from <= on <= held.valid_to
                    else f"over since {held.valid_to}"
                )
                raise Refused(
                    f"the {held.kind.value} {held.value} that it rests on is {state}",
                    where=where,
                    fix="have it resumed or renewed, then go on with the order",
                )
        return found

    def require_number(
        self, item: Item, number: str, on: dt.date, *, vouched: Vouched | None = None
    ) -> Entry:
        """The entry in use that has a card or device; raises `Refused`."""
        found = self.find(item, number)
        if found is None:
            raise Refused(
                f"no {item.value} of this number was entered",
                where="register",
                fix="jinka registry enter it first",
            )
        return self.require(found.number, on, vouched=vouched)

    def find(self, item: Item, number: str) -> Entry | None:
        """The entry that has a card or device; None when nobody issued it."""
        wanted = number.upper()
        key = _key(wanted)
        inside = (entries.c.low <= key) & (entries.c.high >= key)
        found = self._load((entries.c.item == item.value) & inside)
        return next((entry for entry in found if entry.order.has(wanted)), None)

    def read(self, number: int) -> Entry:
        """One entry."""
        found = self._load(entries.c.number == number)
        if not found:
            raise NotFound(f"no entry {number}", where="register", fix="see jinka registry entries")
        return found[0]

    def listed(self, items: Iterable[Item] = Item, *, grant: int = 0) -> list[Entry]:
        """Entries of some items, or those alone that rest on a grant."""
        where: sa.ColumnElement[bool] = entries.c.item.in_([item.value for item in items])
        if grant:
            where &= entries.c.number.in_(sa.select(uses.c.entry).where(uses.c.grant == grant))
        return self._load(where)

    def act(self, number: int, deed: EntryDeed) -> Entry:
        """Do an act about an entry; raises `NotFound` and `Refused`."""
        before = self.read(number)
        after = before.done(deed)
        self._write(number, len(before.deeds), deed)
        return after

    @staticmethod
    def _check_same(there: Entry, order: Order) -> None:
        if there.order != order:
            names = [f.name for f in dataclasses.fields(Order)]
            differing = [name for name in names if getattr(order, name) != getattr(there.order, name)]
            raise Refused(
                f"another order has this name (different: {', '.join(differing)})",
                where=f"order {order.id}",
                fix="name it otherwise",
            )

    def _load(self, where: sa.ColumnElement[bool]) -> list[Entry]:
        rows = self._connection.execute(sa.select(entries).where(where).order_by(entries.c.number)).all()
        deeds: dict[int, list[EntryDeed]] = {row.number: [] for row in rows}
        grants: dict[int, list[int]] = {row.number: [] for row in rows}
        numbers = list(deeds)
        for start in range(0, len(numbers), _CHUNK):
            some = numbers[start : start + _CHUNK]
            for act in self._connection.execute(
                sa.select(acts).where(acts.c.entry.in_(some)).order_by(acts.c.seq)
            ):
                deeds[act.entry].append(_deed(act))
            used = sa.select(uses.c.entry, uses.c.grant).where(uses.c.entry.in_(some)).order_by(uses.c.grant)
            for entry, grant in self._connection.execute(used):
                grants[entry].append(grant)
        return [
            Entry(
                number=row.number,
                order=_order(row),
                grants=tuple(grants[row.number]),
                on=dt.date.fromisoformat(row.issued_on),
                deeds=tuple(deeds[row.number]),
            )
            for row in rows
        ]

    def _write(self, number: int, seq: int, deed: EntryDeed) -> None:
        row = {
            "entry": number, "seq": seq, "act": deed.act.value[0], "officer": deed.officer,
            "at_micros": deed.at_micros, "reason": deed.reason,
        }  # fmt: skip
        self._connection.execute(acts.insert(), row)


@contextmanager
def issues_in(engine: sa.Engine) -> Iterator[IssueRegister]:
    """The register in one transaction: committed at the end of the block, taken back when it raises."""
    with engine.begin() as connection:
        take_turn(connection)
        yield IssueRegister(connection)


def _key(number: str) -> str:
    return f"{len(number):02d}:{number}"


def _reach(order: Order) -> tuple[str, str]:
    return _key(order.first), _key(order.last)


def _row(order: Order) -> dict[str, Any]:
    low, high = _reach(order)
    return {
        "order_id": order.id, "item": order.item.value, "maker": order.maker, "issuer": order.issuer,
        "facts": json.dumps(dict(order.facts), sort_keys=True), "first": order.first, "last": order.last,
        "low": low, "high": high, "count": order.count, "fee_fen": order.fee_fen, "again": int(order.again),
    }  # fmt: skip


def _order(row: Any) -> Order:
    return Order(
        id=row.order_id, item=Item(row.item), maker=row.maker, issuer=row.issuer,
        facts=tuple(sorted(json.loads(row.facts).items())), first=row.first, last=row.last,
        count=row._mapping["count"], fee_fen=row.fee_fen, again=bool(row.again),
    )  # fmt: skip


def _deed(row: Any) -> EntryDeed:
    act: Sequence[EntryAct] = [act for act in EntryAct if act.value[0] == row.act]
    return EntryDeed(act=act[0], officer=row.officer, at_micros=row.at_micros, reason=row.reason)
