"""A dispute as a value: its original, its deeds, its state, and what each step posts. Pure, and the same for all kinds.

What may follow what is data: `jinka.clearing.dispute_bank` and `jinka.clearing.dispute_purse` have one table for each
machine. A dispute is what its deeds made of it, so a deed keeps all that the rules of its day gave it: the deadline and
the fee. Money is named by places (`Place`); `jinka.settlement.dispute_posting` knows their accounts.

The acts are those of bank card error handling in China (差错处理: 查询、调单、退单、再请款、贷记调整、例外、仲裁)
and of a city card's service desk. UnionPay's rule book is not public: days and fees are
parameters, and the defaults are Jinka's own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from jinka.clearing.dispute_words import Actor, Event, EvidenceKind, How, Machine, Place, State, Sum
from jinka.kit import Refused, Usage, check_minor, make_id

OpenDay = Callable[[dt.date], bool]  # whether a date is a business day
DEEDS_MAX = 100
DAYS_MAX = 3_660
_AS_BEFORE = (State.LAPSED, State.WITHDRAWN, State.CLEARED)  # nothing was decided


def weekday(date: dt.date) -> bool:
    """The simplest calendar: Monday to Friday."""
    return date.weekday() < 5


def due_on(start: dt.date, days: int, is_open: OpenDay) -> dt.date:
    """The last day of a period of ``days`` business days after ``start``; acts on that day are in time."""
    at, left = start, days
    for _ in range(DAYS_MAX):
        if not left:
            return at
        at += dt.timedelta(days=1)
        left -= is_open(at)
    raise Usage(
        f"no {days} business days within {DAYS_MAX} days", where="calendar", fix="correct the calendar"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One movement of a step, in words: ``how`` much of which sum goes from one place to another."""

    debit: Place
    credit: Place
    sum: Sum
    how: How = How.POST


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of a machine's table.

    ``days``: business days from the day on which ``state`` was entered, for a deadline; for an opening, calendar days
    since the original within which it must come (None: at any time). ``evidence`` is needed, all of it.
    """

    state: State
    event: Event
    who: tuple[Actor, ...]
    next: State
    posts: tuple[Post, ...] = ()
    evidence: tuple[EvidenceKind, ...] = ()
    days: int | None = None
    note: str = ""


def row(
    state: State,
    event: Event,
    who: tuple[Actor, ...],
    then: State,
    posts: tuple[Post, ...] = (),
    *evidence: EvidenceKind,
    days: int | None = None,
    note: str = "",
) -> Step:
    """A `Step` as it is read in a table."""
    return Step(
        state=state, event=event, who=who, next=then, posts=posts, evidence=evidence, days=days, note=note
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A machine: its steps, and the place whose money is in dispute (what goes back there was not returned)."""

    machine: Machine
    giver: Place
    steps: tuple[Step, ...]

    def find(self, state: State, event: Event) -> Step | None:
        return next((step for step in self.steps if (step.state, step.event) == (state, event)), None)

    def from_state(self, state: State) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.state is state)

    def ends(self, state: State) -> bool:
        return not self.from_state(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A document by its hash; where its bytes lie is the store's business."""

    kind: EvidenceKind
    sha256: bytes
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The transaction in dispute (of a dead card, its balance): how much it moved, and when.

    ``sort``: credit, debit or cash for a bank card, the transaction's type for a purse. ``title`` is what people are
    shown, with card numbers masked.
    """

    id: bytes
    amount: int
    date: dt.date
    sort: str
    title: str = ""

    def __post_init__(self) -> None:
        check_minor(self.amount, where="original.amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Codes of participants. ``claimant``: the issuer; ``respondent``: acquirer, operator or load agent."""

    claimant: str
    respondent: str
    scheme: str
    government: str = ""

    def of(self, actor: Actor) -> str:
        """Who acts in that part; the clock and the clearing are nobody's."""
        by_actor = {
            Actor.CLAIMANT: self.claimant, Actor.DESK: self.claimant, Actor.RESPONDENT: self.respondent,
            Actor.SCHEME: self.scheme,
        }  # fmt: skip
        return by_actor.get(actor, actor.word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One event of one dispute. ``amount`` 0: the whole; ``fee`` and ``due`` as the rules of the day gave them."""

    seq: int
    event: Event
    actor: str
    on: dt.date
    amount: int = 0
    fee: int = 0
    due: dt.date | None = None
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One posting of a deed. ``line`` counts within it; ids follow from dispute, deed and line."""

    line: int
    how: How
    debit: Place
    credit: Place
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """Where a dispute stands. ``subsidy`` is what a right fare would move from the government (negative: back to it).

    ``pending``: held by a pending posting; ``held``: in the dispute's own suspense; ``returned``: went where it was
    asked for.
    """

    id: bytes
    machine: Machine
    original: Original
    parties: Parties
    claimed: int
    reason: str
    reference: str
    subsidy: int = 0
    state: State = State.START
    pending: int = 0
    held: int = 0
    returned: int = 0
    deeds: tuple[Deed, ...] = ()

    @property
    def due(self) -> dt.date | None:
        """The last day before the deadline of its state; None when it has none."""
        return self.deeds[-1].due if self.deeds else None

    @property
    def reserved(self) -> int:
        """How much of the original nobody else may have."""
        return self.returned if self.ended else self.claimed

    @property
    def decided(self) -> int:
        """How much of the original is not to be disputed as of right, beside this one or after it.

        What was ruled or conceded between banks stays so. A record of a purse has one complaint at a time, whatever
        part it claims: what a fare should have been is one question, and its answer is not asked for twice.
        """
        if self.machine is not Machine.BANK:
            return 0 if self.state in _AS_BEFORE else self.original.amount
        return self.claimed if self.state in (State.UPHELD, State.REJECTED) else self.reserved

    @property
    def ended(self) -> bool:
        return self.state.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a scheme's rule book says: fees, and days other than the tables', by machine, state and event."""

    retrieval_fee: int = 1_000
    arbitration_fee: int = 50_000
    days: Mapping[tuple[Machine, State, Event], int] = field(default_factory=dict)

    def days_of(self, machine: Machine, step: Step) -> int | None:
        return self.days.get((machine, step.state, step.event), step.days)


def dispute_id(machine: Machine, original: Original, reference: str) -> bytes:
    """The same original, machine and reference are the same dispute."""
    return make_id("jinka.dispute", machine.word, original.id, reference)


def judge(
    table: Table,
    dispute: Dispute,
    deed: Deed,
    *,
    who: Actor,
    is_open: OpenDay,
    terms: Terms,
) -> tuple[Deed, Dispute, tuple[Movement, ...]]:
    """Check a deed against the table and finish it with deadline and fee. Raises `Refused`.

    Returns the finished deed, the dispute after it and what it posts.
    """
    step = _require_step(table, dispute, deed.event)
    _require_actor(step, dispute, deed, who)
    _require_in_time(table, step, dispute, deed, terms)
    missing = [kind for kind in step.evidence if kind not in {each.kind for each in deed.evidence}]
    if missing:
        names = ", ".join(kind.word for kind in missing)
        raise Refused(f"{deed.event.word} needs evidence: {names}", where="evidence", fix="hand it in")
    if deed.event is Event.CHARGE_BACK_AGAIN and dispute.original.sort != "credit":
        raise Refused(
            "only a credit card's transaction is charged back twice", where="event", fix="ask for arbitration"
        )
    limit = table.find(step.next, Event.DEADLINE)
    days = terms.days_of(table.machine, limit) if limit else None
    finished = replace(
        deed,
        seq=len(dispute.deeds),
        fee=_fee(step, terms),
        due=None if days is None else due_on(deed.on, days, is_open),
    )
    after, moves = apply(table, dispute, finished)
    return finished, after, moves


def apply(table: Table, dispute: Dispute, deed: Deed) -> tuple[Dispute, tuple[Movement, ...]]:
    """What a finished deed makes of a dispute, and what it posts; the same for ever. Raises `Refused`."""
    step = _require_step(table, dispute, deed.event)
    if deed.seq != len(dispute.deeds) or deed.seq >= DEEDS_MAX:
        raise Refused(f"deed {deed.seq} does not follow", where="dispute", fix="restore its deeds")
    chosen = _chosen(step, dispute, deed)
    moves: list[Movement] = []
    pending, held, returned = dispute.pending, dispute.held, dispute.returned
    for post in step.posts:
        amount = _sum(post.sum, dispute, deed, chosen, held)
        if not amount:
            continue
        moves.append(
            Movement(line=len(moves), how=post.how, debit=post.debit, credit=post.credit, amount=amount)
        )
        if post.how is How.HOLD:
            pending = amount
            continue
        if post.how in (How.TAKE, How.DROP):
            pending = 0
        if post.how is not How.DROP:
            held += amount * ((post.credit is Place.HELD) - (post.debit is Place.HELD))
            if post.credit in _ASKED_FOR - {table.giver} and post.sum not in _BESIDE:
                returned += amount
    if held < 0 or not 0 <= returned <= dispute.claimed or (step.next.end and (held or pending)):
        raise Refused(f"{deed.event.word} does not add up", where="dispute", fix="correct the table")
    after = replace(
        dispute, state=step.next, pending=pending, held=held, returned=returned, deeds=(*dispute.deeds, deed)
    )
    return after, tuple(moves)


def rebuild(table: Table, fresh: Dispute, deeds: Iterable[Deed]) -> Dispute:
    """A dispute from its first row and its deeds. Raises `Refused` when they do not fit."""
    for deed in deeds:
        fresh, _ = apply(table, fresh, deed)
    return fresh


_ASKED_FOR = frozenset({Place.CLAIMANT, Place.FUNDS, Place.COUNTER, Place.OPERATOR, Place.PURSE})
_BESIDE = frozenset({Sum.FEE_RETRIEVAL, Sum.FEE_ARBITRATION, Sum.SUBSIDY, Sum.SUBSIDY_BACK})


def _require_step(table: Table, dispute: Dispute, event: Event) -> Step:
    step = table.find(dispute.state, event)
    if step is None:
        can = ", ".join(each.event.word for each in table.from_state(dispute.state)) or "nothing any more"
        raise Refused(
            f"{event.word} is not possible when {dispute.state.word}", where="event", fix=f"possible: {can}"
        )
    return step


def _require_actor(step: Step, dispute: Dispute, deed: Deed, who: Actor) -> None:
    if who not in step.who or deed.actor != dispute.parties.of(who):
        may = " or ".join(f"{dispute.parties.of(actor)} ({actor.word})" for actor in step.who)
        raise Refused(f"{deed.actor} ({who.word}) may not {step.event.word}", where="actor", fix=f"{may} may")


def _require_in_time(table: Table, step: Step, dispute: Dispute, deed: Deed, terms: Terms) -> None:
    if dispute.state is State.START:
        days = terms.days_of(table.machine, step)
        since = (deed.on - dispute.original.date).days
        if since < 0:
            raise Refused("before its original", where="on", fix="check the date")
        if days is not None and since > days:
            raise Refused(
                f"time-barred: {since} days after the original, at most {days}",
                where="on",
                fix="propose an exception",
            )
        return
    if deed.on < dispute.deeds[-1].on:
        raise Refused("before the last deed", where="on", fix=f"{dispute.deeds[-1].on} or later")
    passed = dispute.due is not None and deed.on > dispute.due
    if passed != (step.event is Event.DEADLINE):
        what = "the deadline has passed" if passed else "the deadline has not passed"
        raise Refused(what, where="on", fix=f"it is {dispute.due}")


def _chosen(step: Step, dispute: Dispute, deed: Deed) -> int:
    """The part that the event names; the whole when it names none."""
    partial = any(post.sum in (Sum.CHOSEN, Sum.REST) for post in step.posts)
    whole = dispute.held or dispute.pending or dispute.claimed
    if not deed.amount:
        return whole
    if not partial and deed.amount != whole:
        raise Refused(f"{step.event.word} is for the whole", where="amount", fix=f"leave it out: {whole}")
    if not 0 < deed.amount <= whole:
        raise Refused(f"{deed.amount} of {whole}", where="amount", fix=f"1 to {whole}")
    return deed.amount


def _sum(which: Sum, dispute: Dispute, deed: Deed, chosen: int, held: int) -> int:
    right_fare = chosen == dispute.claimed
    values = {
        Sum.CLAIM: dispute.claimed,
        Sum.CHOSEN: chosen,
        Sum.REST: (dispute.held or dispute.pending) - chosen,
        Sum.PENDING: dispute.pending,
        Sum.HELD: held,
        Sum.FEE_RETRIEVAL: deed.fee,
        Sum.FEE_ARBITRATION: deed.fee,
        Sum.SUBSIDY: max(dispute.subsidy, 0) if right_fare else 0,
        Sum.SUBSIDY_BACK: max(-dispute.subsidy, 0) if right_fare else 0,
    }
    return values[which]


def _fee(step: Step, terms: Terms) -> int:
    sums = {post.sum for post in step.posts}
    if Sum.FEE_RETRIEVAL in sums:
        return terms.retrieval_fee
    return terms.arbitration_fee if Sum.FEE_ARBITRATION in sums else 0
