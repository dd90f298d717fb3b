"""The gate before cards and devices: nothing is issued that a register does not grant, wherever a register is demanded.

A folder's issues are gated when JINKA_REGISTER names a register's folder (the machine's own configuration: no folder
on it is excused), when the folder's register, or one in its subfolder ``register``, made a demand or has grants, and
when that demand names another register, which is asked then. Where none of it is so, numbers alone are asked for, as
`jinka.app.registrar` does.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinka.app.issue_office import IssueOffice
from jinka.app.register_proof import RegisterProof
from jinka.app.registrar import AUDIT, register_database, utc_today
from jinka.kit import NotFound, Refused, Usage
from jinka.node.system import SystemClock
from jinka.registry import Entry, Item, Order, pieces
from jinka.store import database_at, issues_in

VARIABLE = "JINKA_REGISTER"
SUBFOLDER = "register"
OFFICER = "bureau"  # who enters an order that a program makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What a bureau says of its order: its blanks' facts, what holders are asked for, and who makes them."""

    facts: tuple[tuple[str, str], ...] = ()  # without the maker
    maker: str = ""
    fee_fen: int = 0
    again: bool = False

    @classmethod
    def of(cls, made: Sequence[str], *, fee_fen: int = 0, again: bool = False) -> Making:
        """From texts such as ``chip=SC01``; raises `Usage`."""
        found: dict[str, str] = {}
        for text in made:
            name, equals, value = text.partition("=")
            if not equals or not value or name in found:
                raise Usage(f"{text!r} tells no fact", where="--made", fix="NAME=VALUE, each name once")
            found[name] = value
        maker = found.pop("maker", "")
        return cls(facts=tuple(sorted(found.items())), maker=maker, fee_fen=fee_fen, again=again)

    def order(self, item: Item, *, name: str, issuer: str, first: str, last: str, **facts: str) -> Order:
        """The order for a register; ``facts`` are what the caller knows better than its user."""
        if not self.maker:
            raise Usage("nobody is said to have made it", where="--made", fix="--made maker=CODE")
        return Order(
            id=name, item=item, maker=self.maker, issuer=issuer, first=first, last=last, count=pieces(first, last),
            facts=tuple(sorted((dict(self.facts) | facts).items())), fee_fen=self.fee_fen, again=self.again,
        )  # fmt: skip


class IssueGate:
    """The register that is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not register_database(folder).exists():
            raise NotFound(
                "the register that is demanded is not there",
                where=str(folder),
                fix="jinka registry demand begins one",
            )

    def check(self, order: Order) -> None:
        """Raise `MissingGrants` where the order could not be issued."""
        with IssueOffice(self.folder) as office:
            office.check(order)

    def enter(self, order: Order) -> Entry:
        """Enter the order, or find it entered."""
        with IssueOffice(self.folder) as office:
            return office.enter(order, officer=OFFICER)

    def require(self, entry: int) -> None:
        """Raise `Refused` when an entry is recalled, or what it rests on is no longer in force."""
        today, proof = utc_today(SystemClock()), RegisterProof(self.folder)
        with database_at(register_database(self.folder)) as engine, issues_in(engine) as register:
            register.require(entry, today, vouched=proof)

    def require_number(self, item: Item, number: str) -> Entry:
        """The entry of one device; raises `Refused`."""
        today, proof = utc_today(SystemClock()), RegisterProof(self.folder)
        with database_at(register_database(self.folder)) as engine, issues_in(engine) as register:
            return register.require_number(item, number, today, vouched=proof)


def gate_of(folder: Path) -> IssueGate | None:
    """The gate of a folder's issues; None where no register is demanded."""
    named = os.environ.get(VARIABLE, "")
    if named:
        return IssueGate(Path(named))
    for place in (folder, folder / SUBFOLDER):
        if not register_database(place).exists():
            continue
        with database_at(register_database(place)) as engine, issues_in(engine) as register:
            found, grants = register.demand(), register.held()
        if (place / AUDIT).exists():  # a demand that was taken out of the database stands in the log
            RegisterProof(place).check_demand(found)
        if found is not None and found.register:
            return IssueGate((place / found.register).resolve())
        if found is not None or grants:
            return IssueGate(place)
    return None


def require_device(folder: Path, item: Item, number: str) -> None:
    """Raise `Refused` for a device that was not entered, where a register is demanded."""
    gate = gate_of(folder)
    if gate is not None:
        gate.require_number(item, number)


def refuse_simulated(folder: Path) -> None:
    """Raise `Refused` for simulated cards where a register is demanded: none grants them."""
    if gate_of(folder) is not None:
        raise Refused(
            "a register is demanded here, and simulated cards are granted by none",
            where=str(folder),
            fix=f"jinka issue makes cards that are granted; unset {VARIABLE} to simulate",
        )
