"""Implements `jinka.api.epcis_trace.TraceDesk`: graphs and recalls of a served repository, with the eyes of who asks.

A participant is a holder where the place or the party is its own; who sees all speaks for every holder. Drafts are
nobody's business. Every look is written down, and each answer with the participant whose token gave it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinka.api.epcis_exchange import Caller
from jinka.app.trace_access import Access
from jinka.app.trace_lineage import Traced, follow, thing_name
from jinka.app.trace_recall import RecallDesk
from jinka.codec.tags import canonical_id
from jinka.kit import Clock, JinkaError, NotFound, Usage
from jinka.reports import Language
from jinka.reports.trace_recall import notice_text, recall_facts
from jinka.store.database import Database
from jinka.store.trace_patient import ROWS_MAX, PatientLinks
from jinka.store.trace_query import ParameterException, TooComplexException
from jinka.trace.lineage import NodeSort
from jinka.trace.recall import Notice, Recall, RecallEvent, RecallState

NODES_MAX = 10_000  # of a graph over the net
ROWS = ROWS_MAX
GRAPH_S = 10.0
_LOOKED_AT = 500  # recalls, for one page


class ServedTraces:
    """``access``: None where everybody sees everything."""

    def __init__(self, database: Database, clock: Clock, access: Access | None) -> None:
        self._database, self._clock, self._access = database, clock, access
        self._recalls = RecallDesk(database, clock)

    def graph(
        self, caller: Caller, things: Sequence[str], *, forward: bool, since_us: int | None, until_us: int | None
    ) -> Traced:  # fmt: skip
        asked = [_name(thing) for thing in things]
        access = self._access if self._access is not None and self._access.bounded(caller) else None
        with PatientLinks(self._database, seconds=GRAPH_S, rows_max=ROWS) as links:
            try:
                return follow(
                    links, asked, forward=forward, since_us=since_us, until_us=until_us, viewer=caller.name,
                    access=access, nodes_max=NODES_MAX,
                )  # fmt: skip
            except Usage as error:
                if error.where != "trace":
                    raise
                raise TooComplexException(error.what, where="thing", fix=error.fix) from error

    def recalls(self, caller: Caller, before: int, most: int) -> tuple[list[dict[str, Any]], int]:
        found, looked = list[dict[str, Any]](), 0
        while looked < _LOOKED_AT:
            numbers = self._recalls.books.numbers(before, most + 1)
            for number in numbers:
                recall, looked = self._recalls.books.get(number), looked + 1
                if self._all(caller) or self._own(caller, recall):
                    if len(found) == most:
                        return found, before
                    found.append(self._short(caller, recall))
                before = number
            if len(numbers) <= most:
                return found, 0
        return found, before

    def recall(self, caller: Caller, number: int) -> dict[str, Any]:
        recall = self._require(caller, number)
        if self._all(caller):
            return recall_facts(recall, self._clock.now_micros())
        return self._short(caller, recall)

    def notice(self, caller: Caller, number: int, holder: str, language: Language) -> dict[str, Any]:
        recall, notice = self._notice(caller, number, holder)
        return _facts(notice) | {"text": notice_text(recall, notice, language=language)}

    def things(
        self, caller: Caller, number: int, holder: str, after: int, most: int
    ) -> list[tuple[int, str]]:
        _, notice = self._notice(caller, number, holder)
        with PatientLinks(self._database, seconds=GRAPH_S) as links:
            who = links.number(notice.scope.holder)
            found = list[tuple[int, str]]()
            while len(found) < most:
                page = self._recalls.books.things(number, holder=who, after=after, most=most)
                things = [thing.node for thing in page if thing.node & 7 != NodeSort.TRANSFORMATION]
                names = links.names(things)
                found += [(node, names[node]) for node in things]
                if len(page) < most:
                    break
                after = page[-1].node
        return found[:most]

    def acknowledge(self, caller: Caller, number: int, holder: str, by: str) -> dict[str, Any]:
        return self._act(caller, number, holder, RecallEvent.ACKNOWLEDGE, by)

    def answer(
        self, caller: Caller, number: int, holder: str, by: str, outcomes: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]:
        told = [f"{each['subject']}:{each['fate']}={each['amount']}" for each in outcomes]
        return self._act(caller, number, holder, RecallEvent.REPORT, by, told)

    def _act(
        self, caller: Caller, number: int, holder: str, event: RecallEvent, by: str, outcomes: Sequence[str] = ()
    ) -> dict[str, Any]:  # fmt: skip
        _, notice = self._notice(caller, number, holder)
        who = f"{by} ({caller.name})" if caller.name else by
        made = self._recalls.act(number, event, by=who, holder=notice.scope.holder, outcomes=outcomes)
        return _facts(made.notice(notice.scope.holder))

    def _all(self, caller: Caller) -> bool:
        return self._access is None or not self._access.bounded(caller)

    def _own(self, caller: Caller, recall: Recall) -> list[Notice]:
        """The caller's notices of a recall."""
        holders = sorted(recall.notices)
        own = set(holders) if self._access is None else self._access.owns(caller, holders)
        return [recall.notices[holder] for holder in holders if holder in own]

    def _require(self, caller: Caller, number: int) -> Recall:
        """A recall that concerns the caller; raises `NotFound`, the same whether there is such a recall."""
        found = next(iter(self._recalls.books.numbers(number + 1, 1)), 0)
        recall = self._recalls.books.get(number) if found == number else None
        if recall is None or not (self._all(caller) or self._own(caller, recall)):
            raise NotFound("no such recall", where="number", fix="GET /trace/recalls")
        if self._access is not None:
            self._access.note(caller, f"recall {number}", 1, 0)
        return recall

    def _notice(self, caller: Caller, number: int, holder: str) -> tuple[Recall, Notice]:
        recall, key = self._require(caller, number), canonical_id(holder)
        found = next((one for one in self._own(caller, recall) if one.scope.holder == key), None)
        if found is None:
            raise NotFound("no such notice of yours", where="holder", fix=f"GET /trace/recalls/{number}")
        return recall, found

    def _short(self, caller: Caller, recall: Recall) -> dict[str, Any]:
        """What a holder is told: of others and of the scope nothing."""
        mine = [_facts(notice) for notice in self._own(caller, recall)]
        return {
            "number": recall.number, "title": recall.title, "grade": recall.grade.value[0], "drill": recall.drill,
            "state": recall.state.value[0], "hazard": recall.cause.hazard,
            "acknowledge_within_hours": recall.grade.hours,
            "open": recall.state is RecallState.ACTIVE, "notices": mine,
        }  # fmt: skip


def _name(thing: str) -> str:
    try:
        return thing_name(thing)
    except JinkaError as error:
        raise ParameterException(
            error.what,
            where="thing",
            fix="a URN, a Digital Link, bits of a tag in hexadecimal, an element string",
        ) from error


def _facts(notice: Notice) -> dict[str, Any]:
    def lines(of: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            {"subject": line.subject, "amount": None if line.unknown else str(line.amount), "unit": line.uom}
            for line in of
        ]

    return {
        "holder": notice.scope.holder, "state": notice.state.value[0], "reminders": notice.reminders,
        "lines": lines(notice.scope.lines), "open_lines": lines(notice.open_lines()),
        "outcomes": [
            {"subject": each.subject, "fate": each.fate.value[0], "amount": str(each.amount)}
            for each in notice.outcomes
        ],
    }  # fmt: skip
