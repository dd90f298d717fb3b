"""`jinka trace recall`: a repository's recalls. Causes become seeds, walks become scopes, and acts are written down.

Who does something is named by the caller; that a person is who he says he is, is for whoever lets him at the database.
Notices are written for the caller to send.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from jinka.app.trace_config import read_trace_file
from jinka.app.trace_lineage import thing_name, trace_database, walk
from jinka.codec.tags import canonical_id
from jinka.kit import Clock, Usage
from jinka.kit.collection import no_collection
from jinka.node import write_durable
from jinka.node.system import SystemClock
from jinka.reports import Language
from jinka.reports.trace_recall import notice_text, recall_facts, recall_files
from jinka.store.database import Database
from jinka.store.trace_belief import anything_after, judge_of
from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_recalls import SqlRecalls, events_of_device
from jinka.trace.lineage import EdgeKind, NodeSort
from jinka.trace.recall import (
    ITEMS,
    MORE_OF,
    SAID_ITEMS,
    SOLD_ITEMS,
    SOLD_OF,
    Act,
    Cause,
    CauseKind,
    Fate,
    Grade,
    Outcome,
    Recall,
    RecallEvent,
    draft,
)
from jinka.trace.recall_doubts import DoubtfulLinks, Sober
from jinka.trace.recall_place import present_at
from jinka.trace.recall_scope import FoundScope, scope_of
from jinka.trace.rules import RuleBook
from jinka.trace.spread import NODES_MAX, Seed, Spread
from jinka.trace.stays import BEFORE_US, FOREVER_US

_PAGE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an officer asks for."""

    title: str
    grade: str
    kind: str
    names: Sequence[str]
    since_us: int | None = None
    until_us: int | None = None
    hazard: str = ""
    drill: bool = False


class RecallDesk:
    """The recalls of one repository."""

    def __init__(self, database: Database, clock: Clock, *, ahead_s: int = RuleBook().ahead_s) -> None:
        """``ahead_s``: by how much clocks may be ahead; what is told of later says not where things are."""
        self._database, self._clock, self._ahead_us = database, clock, ahead_s * 1_000_000
        self.books = SqlRecalls(database)

    def draft(self, plan: Plan, *, by: str) -> Recall:
        """Find the scope and keep it as a draft. Raises `NotFound` for a thing that no event names."""
        cause = _cause(plan)
        found = self.scope(cause)
        recall = draft(
            number=self.books.next_number(), title=plan.title, grade=_choice(Grade, plan.grade, "--grade"),
            cause=cause, scope=found.scope, at_us=self._clock.now_micros(), by=by, drill=plan.drill,
        )  # fmt: skip
        self.books.begin(recall, found.things)
        return recall

    def scope(self, cause: Cause) -> FoundScope:
        """Whom a cause concerns, as of now."""
        now_us = self._clock.now_micros()
        until_us = now_us + self._ahead_us
        with SqlLinks(self._database) as links, no_collection():
            judge, sober = judge_of(self._database, links), None
            if judge is None and not anything_after(self._database, until_us):
                found = self._walked(links, links, cause)
            else:
                doubtful = DoubtfulLinks(links, until_us, judge)
                found = self._walked(links, doubtful, cause)
                while doubtful.learn():
                    sober = Sober(
                        links=doubtful, found=self._walked(links, doubtful, cause), until_us=until_us
                    )
            if not found.reached and (sober is None or not sober.found.reached):
                raise Usage(
                    "nothing was there then",
                    where=", ".join(cause.names),
                    fix="look at the place and the times",
                )
            return scope_of(links, found, as_of_us=now_us, sober=sober)

    def _walked(self, links: SqlLinks, over: SqlLinks | DoubtfulLinks, cause: Cause) -> Spread:
        return walk(over, self._seeds(links, over, cause), forward=True, nodes_max=NODES_MAX)

    def act(self, number: int, event: RecallEvent, *, by: str, holder: str = "", reason: str = "",
            outcomes: Sequence[str] = ()) -> Recall:  # fmt: skip
        """Do something with a recall. Raises `Refused` where it is not allowed."""
        found = self.scope(self.books.get(number).cause) if event is RecallEvent.WIDEN else None
        act = Act(
            event=event, at_us=self._clock.now_micros(), by=by, holder=canonical_id(holder), reason=reason,
            scope=found.scope if found else None, outcomes=tuple(_outcome(text) for text in outcomes),
        )  # fmt: skip
        return self.books.act(number, act, found.things if found else None)

    def facts(self, number: int) -> dict[str, Any]:
        return recall_facts(self.books.get(number), self._clock.now_micros())

    def report(self, number: int, folder: Path, language: Language) -> list[Path]:
        """Write the page, the tables and the JSON into a folder."""
        recall, now = self.books.get(number), self._clock.now_micros()
        return _write(folder, recall_files(recall, now, language=language))

    def notices(self, number: int, folder: Path, language: Language) -> list[Path]:
        """Write a notice for each holder with the list of his things."""
        recall, files = self.books.get(number), dict[str, bytes]()
        for count, (holder, notice) in enumerate(sorted(recall.notices.items()), 1):
            files[f"{count:04d}.txt"] = notice_text(recall, notice, language=language).encode()
            files[f"{count:04d}.csv"] = "".join(
                f"{name}\r\n" for name in self.things(number, holder)
            ).encode()
        return _write(folder, files)

    def things(self, number: int, holder: str = "") -> Iterator[str]:
        """The things of a scope by name, or those that a holder is asked for."""
        links, after = SqlLinks(self._database), -1
        who = links.number(canonical_id(holder)) if holder else None
        while page := self.books.things(number, holder=who, after=after, most=_PAGE):
            after = page[-1].node
            names = links.names(thing.node for thing in page)
            for thing in page:
                if thing.node & 7 != NodeSort.TRANSFORMATION:
                    yield names[thing.node]

    def _seeds(self, links: SqlLinks, over: SqlLinks | DoubtfulLinks, cause: Cause) -> Iterator[Seed]:
        low = cause.since_us if cause.since_us is not None else BEFORE_US
        high = cause.until_us if cause.until_us is not None else FOREVER_US
        for name in cause.names:
            if cause.kind is CauseKind.PLACE:
                place = links.number(name)
                rows = links.arriving([place], (EdgeKind.AT,), None, high)
                rows = over.kept(rows) if isinstance(over, DoubtfulLinks) else rows
                yield from present_at(over, place, rows, low, high)
            elif cause.kind is CauseKind.DEVICE:
                yield from self._measured(links, name, low, high)
            else:
                yield Seed(links.number(name), low, high)

    def _measured(self, links: SqlLinks, device: str, low: int, high: int) -> Iterator[Seed]:
        """What a device was with: the things of the events that it reported, at their times."""
        with self._database.connect() as connection:
            numbers = events_of_device(connection, device)
        for event in links.events(numbers).values():
            if low <= event.event_time_us <= high and event.error is None:
                names = {canonical_id(epc) for epc in event.all_epcs()}
                names |= {canonical_id(part.epc_class) for part in event.all_quantities()}
                for node in links.numbers(names).values():
                    yield Seed(node, event.event_time_us, event.event_time_us)


@contextmanager
def recall_desk(at: str, clock: Clock | None = None) -> Iterator[RecallDesk]:
    """The desk of a repository, its database open."""
    rules = read_trace_file(Path(at)).tables["rules"] if at.endswith(".toml") else {}
    ahead_s = RuleBook().ahead_s
    if type(own := rules.get("ahead_s")) is int and own >= 0:  # another is refused where the rules are read
        ahead_s = own
    with trace_database(at) as database:
        yield RecallDesk(database, clock or SystemClock(), ahead_s=ahead_s)


def _cause(plan: Plan) -> Cause:
    kind = _choice(CauseKind, plan.kind, "--kind")
    if not plan.names:
        raise Usage("nothing is named", where="NAMES", fix="a lot, an item, a place, a device")
    if kind is CauseKind.PLACE and (plan.since_us is None or plan.until_us is None):
        raise Usage(
            "a place without a time", where="--since, --until", fix="from when until when it was unsafe"
        )
    if plan.since_us is not None and plan.until_us is not None and plan.until_us < plan.since_us:
        raise Usage("it ends before it begins", where="--until")
    plain = kind in (CauseKind.DEVICE, CauseKind.PLACE)
    names = tuple(canonical_id(name) if plain else thing_name(name) for name in plan.names)
    return Cause(kind=kind, names=names, since_us=plan.since_us, until_us=plan.until_us, hazard=plan.hazard)


def _outcome(text: str) -> Outcome:
    """``returned=5``, ``sold:sold=3`` (of items sold), ``urn:epc:class:lgtin:...:destroyed=2.5`` (of a lot)."""
    left, equals, amount = text.rpartition("=")
    subject, _, fate = left.rpartition(":")
    where = f"--outcome {text}"
    if not equals:
        raise Usage("not FATE=AMOUNT", where=where, fix="returned=5, sold:sold=3, LOT:destroyed=2.5")
    try:
        said = Decimal(amount)
    except InvalidOperation:
        raise Usage(f"no amount: {amount!r}", where=where) from None
    named = {"": ITEMS, "items": ITEMS, "sold": SOLD_ITEMS, "said": SAID_ITEMS}
    if subject not in named:
        more = MORE_OF if subject.startswith(MORE_OF) else ""
        rest = subject.removeprefix(more)
        sold = SOLD_OF if rest.startswith(SOLD_OF) else ""
        subject = more + sold + canonical_id(rest.removeprefix(sold))
    subject = named.get(subject, subject)
    return Outcome(subject=subject, fate=_choice(Fate, fate, where), amount=said)


def _choice(words: Any, text: str, where: str) -> Any:
    found = {each.value[0]: each for each in words}
    if text not in found:
        raise Usage(f"{text!r}", where=where, fix=f"one of {', '.join(found)}")
    return found[text]


def _write(folder: Path, files: dict[str, bytes]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_durable(folder / name, content)
    return [folder / name for name in files]
