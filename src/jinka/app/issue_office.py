"""`jinka registry demand|enter|recall ...`: orders of cards and devices entered on grants, each in the audit log first.

An order is checked, counted and entered in one transaction (`jinka.store.issue_entries`); before that is committed its
entry is in the log, as with every act of the register. Grants are believed as far as the log vouches for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from jinka.app.register_proof import DEMAND, RegisterProof, demand_digest
from jinka.app.registrar import Registrar, register_database
from jinka.keys import AuditEvent, Outcome
from jinka.keys.audit import withhold
from jinka.kit import JinkaError, NotFound, Refused
from jinka.registry import (
    RULE_SETS,
    Entry,
    EntryAct,
    EntryDeed,
    EntryState,
    Item,
    Order,
    Registration,
    RuleSet,
    State,
)
from jinka.registry.registration import REASON_MAX, check_officer
from jinka.store import Demand, IssueRegister, database_at, issues_in

T = TypeVar("T")


class IssueOffice(Registrar):
    """A register of grants and of what was issued on them."""

    def demand(self, rules: RuleSet, *, register: str = "", officer: str) -> Demand:
        """Demand grants for every issue from now on; nothing takes it back but a demand of another officer."""
        check_officer(officer)
        now = self._clock.now_micros()
        wanted = Demand(rules=rules, register=register, officer=officer, at_micros=now)
        with (
            self._noting_refusals("demand", officer, f"rules {rules.name}"),
            issues_in(self._engine) as issues,
        ):
            issues.set_demand(wanted)
            subject = f"rules {rules.name}"
            self._log.record(
                AuditEvent(actor=officer, act=DEMAND, subject=subject, detail=demand_digest(wanted))
            )
        return wanted

    def check(self, order: Order) -> tuple[int, ...]:
        """The grants on which the order could be issued now; nothing is entered. Raises `MissingGrants`."""
        with (
            self._noting_refusals("issue", "jinka", f"order:{order.id}"),
            issues_in(self._engine) as register,
        ):
            proof = RegisterProof(self.folder)
            return register.check(_rules(register, proof), order, self.today, vouched=proof)

    def enter(self, order: Order, *, officer: str) -> Entry:
        """Enter an order; the same order again is answered with its entry. Raises `MissingGrants`."""

        def write(register: IssueRegister) -> tuple[Entry, str, list[object]]:
            proof = RegisterProof(self.folder)
            found, new = register.enter(
                _rules(register, proof), order, self._entering(officer), self.today, vouched=proof
            )
            subject = f"entry:{found.number} {order.item.value} {order.count}" + (" again" if not new else "")
            return found, subject, [order.as_dict(), list(found.grants)]

        return self._issue_act("issue", officer, f"order:{order.id}", write)

    def recall(self, grant: int, *, officer: str, reason: str) -> tuple[Registration, list[Entry]]:
        """Call back whatever rests on a grant that is no longer in force; what was called back before stays so."""
        with issues_in(self._engine) as register:
            held = register.registrations.read(grant)
            resting = register.listed(grant=grant)
        if held.terms is None:
            raise Refused(f"a {held.kind.value} is no grant", where=f"registration {grant}")
        if held.state not in (State.SUSPENDED, State.WITHDRAWN, State.EXPIRED):
            raise Refused(
                f"it is {held.state.value}",
                where=f"registration {grant}",
                fix="suspend or withdraw it first: jinka registry withdraw NUMBER",
            )
        for entry in resting:
            if entry.state is EntryState.IN_USE:
                self.entry_act(entry.number, EntryAct.RECALL, officer, reason)
        with issues_in(self._engine) as register:
            return held, register.listed(grant=grant)

    def _entering(self, officer: str) -> EntryDeed:
        return EntryDeed(act=EntryAct.ENTER, officer=officer, at_micros=self._clock.now_micros())

    def entry_act(self, number: int, act: EntryAct, officer: str, reason: str) -> Entry:
        """Do an act about an entry."""
        kept = withhold(reason, REASON_MAX)
        deed = EntryDeed(act=act, officer=officer, at_micros=self._clock.now_micros(), reason=kept)

        def write(register: IssueRegister) -> tuple[Entry, str, list[object]]:
            found = register.act(number, deed)
            return found, f"entry:{number} {found.state.value[0]}", [number, kept]

        return self._issue_act(act.value[0], officer, f"entry:{number}", write)

    def _issue_act(
        self,
        act: str,
        officer: str,
        subject: str,
        write: Callable[[IssueRegister], tuple[T, str, list[object]]],
    ) -> T:
        with self._noting_refusals(act, officer, subject), issues_in(self._engine) as register:
            found, told, facts = write(register)
            detail = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).digest()
            self._log.record(AuditEvent(actor=officer, act=f"registry.{act}", subject=told, detail=detail))
            return found

    @contextmanager
    def _noting_refusals(self, act: str, officer: str, subject: str) -> Iterator[None]:
        try:
            yield
        except JinkaError as problem:
            outcome = Outcome.REFUSED if isinstance(problem, Refused) else Outcome.FAILED
            self._refused(officer, act, subject, outcome)
            raise

    def _refused(self, officer: str, act: str, subject: str, outcome: Outcome = Outcome.REFUSED) -> None:
        self._log.record(AuditEvent(actor=officer, act=f"registry.{act}", subject=subject, outcome=outcome))


def _rules(register: IssueRegister, proof: RegisterProof) -> RuleSet:
    """What is demanded; `cn-2001` where nobody said."""
    found = proof.check_demand(register.demand())
    return found.rules if found is not None else RULE_SETS["cn-2001"]


def read_entries(folder: Path, items: Iterable[Item], number: str = "") -> list[Entry]:
    """Entries of some items, or the one that has a number; nothing is written, and a log is not needed."""
    path = register_database(folder)
    if not path.exists():
        raise NotFound("no register is here", where=str(folder), fix="jinka registry demand begins one")
    with database_at(path) as engine, issues_in(engine) as register:
        if not number:
            return register.listed(items)
        found = [register.find(item, number) for item in items]
        return [entry for entry in found if entry is not None]
