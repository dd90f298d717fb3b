"""A settlement window: open, closed, pending, settled or aborted, as a table of steps and a fold over its acts.

A window is what its acts say, in their order. An act is written down before the ledger moves (`window_desk`), and what
the ledger must hold follows from the acts alone: so a window that was killed anywhere is brought up again by its acts.

- OPEN takes claims. CLOSED takes no more; caps and suspensions decide what waits. PENDING holds the orders and waits
  for an officer, where a cap was breached, or for the bank. SETTLED and ABORTED are for good.
- What waits, and all that an aborted window held, goes on to the next window of the same chain, each claim once.
- Who is suspended in a pending window is part of its positions already: the window is settled or aborted first.

Deferred net settlement as in CPSS-IOSCO, Principles for financial market infrastructures, 8 (finality). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from jinka.kit import Refused, Usage, make_id
from jinka.settlement.caps import Admission, NetDebitCap, Waiting, WaitReason, admit, cap_table
from jinka.settlement.claims import Claim
from jinka.settlement.posting import BusinessDay


class WindowState(Enum):
    """Where a window stands: (value, Chinese title)."""

    OPEN = ("open", "开放")
    CLOSED = ("closed", "已关闭")
    PENDING = ("pending", "待结算")
    SETTLED = ("settled", "已结算")
    ABORTED = ("aborted", "已中止")


class WindowEvent(Enum):
    """What happens to it: (value, Chinese title)."""

    TAKE = ("claims are taken", "接收债权")
    SUSPEND = ("a participant is suspended", "暂停参与方")
    RESUME = ("a participant is resumed", "恢复参与方")
    CLOSE = ("the window is closed", "关闭窗口")
    HOLD = ("the orders are held", "冻结轧差头寸")
    APPROVE = ("an officer approves a breach", "批准超限")
    SETTLE = ("the window is settled", "结算")
    ABORT = ("the window is aborted", "中止")


_S, _E = WindowState, WindowEvent
WINDOW_STEPS: Mapping[tuple[WindowState, WindowEvent], WindowState] = MappingProxyType(
    {
        (_S.OPEN, _E.TAKE): _S.OPEN,
        (_S.OPEN, _E.SUSPEND): _S.OPEN,
        (_S.OPEN, _E.RESUME): _S.OPEN,
        (_S.OPEN, _E.CLOSE): _S.CLOSED,
        (_S.OPEN, _E.ABORT): _S.ABORTED,
        (_S.CLOSED, _E.SUSPEND): _S.CLOSED,
        (_S.CLOSED, _E.RESUME): _S.CLOSED,
        (_S.CLOSED, _E.HOLD): _S.PENDING,
        (_S.CLOSED, _E.ABORT): _S.ABORTED,
        (_S.PENDING, _E.APPROVE): _S.PENDING,
        (_S.PENDING, _E.SETTLE): _S.SETTLED,
        (_S.PENDING, _E.ABORT): _S.ABORTED,
    }
)
_FINAL = (_S.SETTLED, _S.ABORTED)
_BY_OFFICER = (_E.SUSPEND, _E.RESUME, _E.APPROVE, _E.ABORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowKey:
    """Which window: ``ordinal`` counts the windows of a ``chain`` of a ``centre`` from 1; each goes on from the last.

    ``day`` is its business date and cycle, which no other window of the centre may have: the ids of orders follow.
    """

    centre: str
    chain: str
    ordinal: int
    day: BusinessDay

    @property
    def id(self) -> bytes:
        return make_id("jinka.window", self.centre, self.chain, self.ordinal)

    @property
    def name(self) -> str:
        return f"{self.centre}/{self.chain}/{self.ordinal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act upon a window. What an officer does has a name and a reason."""

    event: WindowEvent
    at_micros: int
    claims: tuple[Claim, ...] = ()  # TAKE
    participant: str = ""  # SUSPEND, RESUME, APPROVE
    caps: tuple[NetDebitCap, ...] = ()  # CLOSE: as they are at this moment
    officer: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window as its acts left it. ``approved`` is how much each participant may owe by an officer's word."""

    key: WindowKey
    state: WindowState = WindowState.OPEN
    acts: int = 0
    claims: Mapping[bytes, Claim] = field(default_factory=lambda: MappingProxyType({}))
    suspended: frozenset[str] = frozenset()
    caps: Mapping[str, NetDebitCap] = field(default_factory=lambda: MappingProxyType({}))
    approved: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    admission: Admission = field(default_factory=Admission)  # from CLOSED on

    def after(self, act: Act) -> Window:
        """The window after one more act. Raises `Refused` when the table, or a breach, does not allow it."""
        state = self._next(act)
        step = replace(self, state=state, acts=self.acts + 1)
        match act.event:
            case WindowEvent.TAKE:
                return replace(step, claims=MappingProxyType({**self.claims, **self.new_claims(act.claims)}))
            case WindowEvent.SUSPEND | WindowEvent.RESUME:
                others = self.suspended - {act.participant}
                suspended = others | ({act.participant} if act.event is WindowEvent.SUSPEND else set())
                return replace(step, suspended=suspended)._admitted()
            case WindowEvent.CLOSE:
                return replace(step, caps=MappingProxyType(cap_table(act.caps)))._admitted()
            case WindowEvent.APPROVE:
                owed = {row.participant: row.owed for row in self.admission.breaches}
                return replace(
                    step,
                    approved=MappingProxyType({**self.approved, act.participant: owed[act.participant]}),
                )
            case _:
                return step

    def _next(self, act: Act) -> WindowState:
        where = f"window {self.key.name}"
        state = WINDOW_STEPS.get((self.state, act.event))
        if state is None:
            possible = [event.value[0] for old, event in WINDOW_STEPS if old is self.state]
            fix = f"possible: {'; '.join(possible)}" if possible else "go on with the next window"
            if (self.state, act.event) == (_S.PENDING, _E.SUSPEND):
                fix = "abort the window, or settle it first: its positions count that participant"
            raise Refused(f"is {self.state.value[0]}: {act.event.value[0]}?", where=where, fix=fix)
        if act.event in _BY_OFFICER and not (act.officer and act.reason):
            raise Refused("an officer's act without name or reason", where=where, fix="give both")
        if act.event in (_E.SUSPEND, _E.RESUME) and not act.participant:
            raise Usage("nobody is named", where=where, fix="name the participant")
        open_breaches = self.unapproved()
        if act.event is _E.APPROVE and act.participant not in open_breaches:
            raise Refused(f"{act.participant} breaches no cap", where=where, fix="approve what is listed")
        if act.event is _E.SETTLE and open_breaches:
            raise Refused(
                f"the net debit cap of {', '.join(open_breaches)} is breached",
                where=where,
                fix="an officer approves it, or the window is aborted",
            )
        return state

    def _admitted(self) -> Window:
        if self.state is WindowState.OPEN:
            return self
        return replace(self, admission=admit(self.claims.values(), self.caps, self.suspended))

    def new_claims(self, claims: Iterable[Claim]) -> dict[bytes, Claim]:
        """Those that are not here yet. Raises `Refused` when an id is here with another content."""
        new: dict[bytes, Claim] = {}
        for claim in claims:
            known = self.claims.get(claim.id) or new.get(claim.id)
            if known is None:
                new[claim.id] = claim
            elif known.entry != claim.entry:
                raise Refused(
                    "was taken before with another content",
                    where=f"window {self.key.name}, claim {claim.id.hex()}",
                    fix="ask its sender which of the two holds",
                )
        return new

    def unapproved(self) -> list[str]:
        """Who owes more than its cap without an officer's word for that much."""
        return [
            row.participant
            for row in self.admission.breaches
            if self.approved.get(row.participant, -1) < row.owed
        ]

    @property
    def is_final(self) -> bool:
        return self.state in _FINAL

    def leaves(self) -> tuple[Waiting, ...]:
        """What a window that is over leaves to the next one: what waits, or after an abort all of it, oldest first."""
        if self.state is WindowState.SETTLED:
            return self.admission.waiting
        if self.state is WindowState.ABORTED:
            waiting = {row.claim.id: row for row in self.admission.waiting}
            rows = sorted(self.claims.values(), key=lambda claim: claim.age)
            return tuple(
                waiting.get(claim.id)
                or Waiting(claim=claim, reason=WaitReason.ABORTED, participant=claim.payer)
                for claim in rows
            )
        raise Refused(
            f"is {self.state.value[0]}", where=f"window {self.key.name}", fix="settle or abort it first"
        )

    def next(self, day: BusinessDay) -> Window:
        """The next window of the chain, open, with what this one leaves and who is suspended."""
        key = replace(self.key, ordinal=self.key.ordinal + 1, day=day)
        if day == self.key.day:
            raise Usage(
                "the next window has the same date and cycle",
                where=f"window {key.name}",
                fix="count on the cycle",
            )
        claims = {row.claim.id: row.claim for row in self.leaves()}
        return Window(key=key, claims=MappingProxyType(claims), suspended=self.suspended)
