"""Whether a grant in a register is one: every act on it has its entry in the register's audit log, and none came after.
The same of what a register demands.

A row that somebody wrote into the database has no entry; an act that was taken out of it leaves one. The log is chained
(`jinka.keys.audit`), and a log that was written anew shows against a checkpoint that another office holds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from jinka.app.registrar import AUDIT, audit_event
from jinka.keys import AuditEntry, Outcome, check_log
from jinka.kit import NotFound, Refused
from jinka.node import read_audit_lines
from jinka.registry import Registration
from jinka.store import Demand

_FIX = "jinka audit verify, and have it applied for again"
_PREFIX = "registration:"
DEMAND = "registry.demand"


class RegisterProof:
    """The acts that a register's log vouches for."""

    def __init__(self, folder: Path) -> None:
        """Read the log; raises `Refused` when it is damaged, `NotFound` when there is none."""
        path = folder / AUDIT
        if not path.exists():
            raise NotFound("the register has no audit log", where=str(path), fix="name the register's folder")
        lines = list(read_audit_lines(path))
        if not check_log(lines).sound:
            raise Refused("the register's audit log is damaged", where=str(path), fix="jinka audit verify")
        self._known: set[tuple[str, str, bytes]] = set()
        self._last: dict[str, bytes] = {}
        self._demand = b""
        for line in lines:
            if not line:
                continue
            entry = AuditEntry.from_line(line)
            if entry.outcome is Outcome.OK and entry.act == DEMAND:
                self._demand = entry.detail
            if entry.outcome is Outcome.OK and entry.subject.startswith(_PREFIX) and " " in entry.subject:
                number = entry.subject.split(" ", 1)[0]
                self._known.add((entry.actor, entry.act, entry.detail))
                self._last[number] = entry.detail

    def __call__(self, grant: Registration) -> None:
        """Raise `Refused` for a grant that the log does not vouch for as it stands."""
        where = f"registration {grant.number}"
        last = b""
        for count in range(1, len(grant.deeds) + 1):
            event = audit_event(dataclasses.replace(grant, deeds=grant.deeds[:count]))
            last = event.detail
            if (event.actor, event.act, event.detail) not in self._known:
                act = grant.deeds[count - 1].act.value
                raise Refused(
                    f"the audit log knows nothing of its {act}: it is forged", where=where, fix=_FIX
                )
        if self._last.get(f"{_PREFIX}{grant.number}") != last:
            raise Refused("the audit log has a later act on it", where=where, fix=_FIX)

    def check_demand(self, found: Demand | None) -> Demand | None:
        """Return what is demanded; raises `Refused` when the log's last demand is another, or none."""
        if (demand_digest(found) if found is not None else b"") != self._demand:
            raise Refused(
                "the audit log knows another demand, or none: it was changed",
                where="demand",
                fix="jinka audit verify",
            )
        return found


def demand_digest(demand: Demand) -> bytes:
    """What the entry of a demand vouches for."""
    facts = [demand.officer, demand.at_micros, demand.rules.to_text(), demand.register]
    return hashlib.sha256(json.dumps(facts).encode()).digest()
