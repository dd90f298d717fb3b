"""The desk for disputes: opens them, takes steps, lets deadlines pass, and posts what follows.

A deed is written down before it is posted, and posting it again is harmless, so a crash between the two is mended by
the next step, or by `DisputeDesk.post_again`. A deadline that has passed is a deed of the day after it, whenever
somebody looks. All disputes of one original together never claim more than it moved. The caller says who acts; books,
ledger and calendar are given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from jinka.clearing.dispute import (
    Deed,
    Dispute,
    Evidence,
    OpenDay,
    Original,
    Parties,
    Terms,
    apply,
    dispute_id,
    judge,
    weekday,
)
from jinka.clearing.dispute_reasons import require_reason
from jinka.clearing.dispute_tables import TABLES, Kind
from jinka.clearing.dispute_words import Actor, Event, State
from jinka.kit import NotFound, Refused
from jinka.ledger import LedgerEngine
from jinka.settlement.dispute_posting import post_deed

_DAY = dt.timedelta(days=1)
TERMS = Terms()
_VOLUNTARY = (Event.ADJUST, Event.PROPOSE)  # nobody has a right to them


class DisputeBooks(Protocol):
    """Where disputes and their deeds are kept: rows are added, never changed."""

    def together(self) -> AbstractContextManager[object]:
        """All that is written in the block is durable at its end, or none of it."""
        ...

    def get(self, dispute: bytes) -> Dispute | None: ...

    def of_original(self, original: bytes) -> list[Dispute]:
        """Every dispute of an original; nobody else opens one of it until the block ends."""
        ...

    def write(self, dispute: Dispute) -> None:
        """A dispute as its last deed left it; that deed is new."""
        ...

    def listed(self) -> list[Dispute]:
        """All in the order in which they were opened."""
        ...


class MemoryDisputes:
    """The reference of `DisputeBooks`."""

    def __init__(self) -> None:
        self._disputes: dict[bytes, Dispute] = {}

    def together(self) -> AbstractContextManager[object]:
        return nullcontext()

    def get(self, dispute: bytes) -> Dispute | None:
        return self._disputes.get(dispute)

    def of_original(self, original: bytes) -> list[Dispute]:
        return [each for each in self._disputes.values() if each.original.id == original]

    def write(self, dispute: Dispute) -> None:
        self._disputes[dispute.id] = dispute

    def listed(self) -> list[Dispute]:
        return list(self._disputes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDispute:
    """What is disputed, by whom, and why. ``reference``: the opener's own number; the same one is the same dispute."""

    kind: Kind
    original: Original
    parties: Parties
    claimed: int
    reason: str
    reference: str
    who: Actor
    actor: str
    on: dt.date
    subsidy: int = 0
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeMove:
    """A step that somebody wants to take; ``amount`` 0 is the whole."""

    event: Event
    who: Actor
    actor: str
    on: dt.date
    amount: int = 0
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


class DisputeDesk:
    """Disputes over one ledger. Raises `Refused`, `NotFound` and `Usage`."""

    def __init__(
        self,
        ledger: LedgerEngine,
        books: DisputeBooks,
        *,
        zone: str,
        is_open: OpenDay = weekday,
        terms: Terms = TERMS,
    ) -> None:
        self._ledger, self._books = ledger, books
        self._zone, self._is_open, self._terms = zone, is_open, terms

    def open(self, opening: NewDispute) -> Dispute:
        """Open a dispute; opening the same again answers with it as it stands now."""
        require_reason(opening.kind.machine, opening.reason)
        fresh = Dispute(
            id=dispute_id(opening.kind.machine, opening.original, opening.reference),
            machine=opening.kind.machine,
            original=opening.original,
            parties=opening.parties,
            claimed=opening.claimed,
            reason=opening.reason,
            reference=opening.reference,
            subsidy=opening.subsidy,
        )
        deed = Deed(
            seq=0, event=opening.kind.event, actor=opening.actor, on=opening.on, note=opening.note,
            evidence=opening.evidence,
        )  # fmt: skip
        with self._books.together():
            others = self._books.of_original(opening.original.id)
            known = next((each for each in others if each.id == fresh.id), None)
            if known is not None:
                _require_same(known, fresh, deed)
                return self._posted(known)
            _require_room(fresh, others, voluntary=opening.kind.event in _VOLUNTARY)
            return self._take(fresh, deed, opening.who)

    def step(self, dispute: bytes, move: DisputeMove) -> Dispute:
        """Take a step. The same step again changes nothing. Deadlines that have passed come first."""
        deed = Deed(
            seq=0, event=move.event, actor=move.actor, on=move.on, amount=move.amount, note=move.note,
            evidence=move.evidence,
        )  # fmt: skip
        with self._books.together():
            found = self._require(dispute)
            if _was_taken(found, deed):
                return self._posted(found)
            found = self._overdue(self._posted(found), move.on)
            if move.event is Event.DEADLINE:
                raise Refused(
                    "a deadline is passed by time alone", where="event", fix="let the deadlines pass"
                )
            return self._take(found, deed, move.who)

    def pass_deadlines(self, on: dt.date) -> list[Dispute]:
        """Let every deadline pass that is over on that day; the disputes that it moved."""
        moved = []
        for each in self._books.listed():
            with self._books.together():
                found = self._require(each.id)
                if found.due is None or on <= found.due:
                    continue
                after = self._overdue(self._posted(found), on)
                moved.append(after)
        return moved

    def post_again(self) -> int:
        """After a crash: post every deed that the books have; how many there are. What is posted stays as it is."""
        found = self._books.listed()
        for dispute in found:
            self._posted(dispute)
        return sum(len(dispute.deeds) for dispute in found)

    def _overdue(self, dispute: Dispute, on: dt.date) -> Dispute:
        while dispute.due is not None and on > dispute.due:
            deed = Deed(seq=0, event=Event.DEADLINE, actor=Actor.CLOCK.word, on=dispute.due + _DAY)
            dispute = self._take(dispute, deed, Actor.CLOCK)
        return dispute

    def _take(self, dispute: Dispute, deed: Deed, who: Actor) -> Dispute:
        finished, after, moves = judge(
            TABLES[dispute.machine], dispute, deed, who=who, is_open=self._is_open, terms=self._terms
        )
        self._books.write(after)
        post_deed(self._ledger, after, finished, moves, zone=self._zone)
        return after

    def _posted(self, dispute: Dispute) -> Dispute:
        at = replace(dispute, state=State.START, pending=0, held=0, returned=0, deeds=())
        for deed in dispute.deeds:
            at, moves = apply(TABLES[dispute.machine], at, deed)
            post_deed(self._ledger, at, deed, moves, zone=self._zone)
        if at != dispute:
            raise Refused(
                "its deeds do not make it what it is", where=f"dispute {dispute.id.hex()}", fix="restore it"
            )
        return dispute

    def _require(self, dispute: bytes) -> Dispute:
        found = self._books.get(dispute)
        if found is None:
            raise NotFound(f"no dispute {dispute.hex()}", where="dispute", fix="see jinka dispute list")
        return found


def _require_room(fresh: Dispute, others: Iterable[Dispute], *, voluntary: bool) -> None:
    """What is left of the original. What was decided stays so; the other side may give more of its own will."""
    taken = 0
    for other in others:
        taken += other.reserved if voluntary else other.decided
        if (other.original.amount, other.original.date) != (fresh.original.amount, fresh.original.date):
            raise Refused("the original has another amount or date in an earlier dispute", where="original")
    left = fresh.original.amount - taken
    if not 0 < fresh.claimed <= left:
        raise Refused(
            f"{fresh.claimed} of {fresh.original.amount}, of which {taken} is disputed, decided or returned already",
            where="claimed",
            fix=f"at most {left}" if left else "nothing is left to dispute",
        )


def _require_same(known: Dispute, fresh: Dispute, deed: Deed) -> None:
    first = known.deeds[0]
    same = replace(known, state=State.START, pending=0, held=0, returned=0, deeds=()) == fresh
    if not same or (first.event, first.actor, first.on) != (deed.event, deed.actor, deed.on):
        raise Refused("this reference is another dispute's", where="reference", fix="give it a new one")


def _was_taken(dispute: Dispute, deed: Deed) -> bool:
    """Whether the step was taken before: no table comes back to a state, so the same one twice is a repetition."""
    wanted = (deed.event, deed.actor, deed.on, deed.amount, deed.evidence)
    return any(
        (each.event, each.actor, each.on, each.amount, each.evidence) == wanted for each in dispute.deeds
    )
