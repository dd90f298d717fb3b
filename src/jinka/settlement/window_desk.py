"""The desk of one chain of windows: each act is written down first, then the ledger follows it.

Ids of transfers follow from claims and orders, so the ledger can be brought up to the acts at any time and as often as
one likes: what a kill left half done is done by `WindowDesk.recover`, nothing twice. A claim is a pending transfer from
the moment it is taken until a window settles it; the orders of a pending window are pending transfers as well.

Whoever keeps the acts gives a `WindowJournal`. The ledger's refusals come back as findings: they say that the books
hold something else than the acts, and an officer has to look. Sending orders to a bank is `settlement.iso20022`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from jinka.clearing import Flow
from jinka.kit import Finding, Refused, Severity
from jinka.ledger import LedgerEngine, Transfer, TransferResult, batches
from jinka.settlement.caps import NetDebitCap
from jinka.settlement.chart import AccountName
from jinka.settlement.claims import Claim, claims_of
from jinka.settlement.order_life import OrderResult, OrderState, finish_orders, hold_orders
from jinka.settlement.orders import SettlementOrder, orders_of
from jinka.settlement.posting import BusinessDay
from jinka.settlement.window import Act, Window, WindowEvent, WindowKey, WindowState

_FINE = (TransferResult.CREATED, TransferResult.EXISTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a window began: what the one before left to it."""

    key: WindowKey
    claims: tuple[Claim, ...] = ()
    suspended: frozenset[str] = frozenset()

    def window(self, acts: Iterable[Act] = ()) -> Window:
        """The window, after its acts."""
        window = Window(
            key=self.key, claims={claim.id: claim for claim in self.claims}, suspended=self.suspended
        )
        for act in acts:
            window = window.after(act)
        return window


class WindowJournal(Protocol):
    """Keeps the acts of a centre's windows. What a call wrote is durable when it returns."""

    def open(self, opening: Opening) -> None:
        """Write a window's beginning.

        Raises `Refused` when the chain has a window of that ordinal, or the centre one of that date and cycle.
        """
        ...

    def append(self, key: WindowKey, number: int, act: Act) -> None:
        """Write the act ``number`` (from 1); raises `Refused` when the window has one of that number."""
        ...

    def last(self, centre: str, chain: str) -> tuple[Opening, Sequence[Act]] | None:
        """The newest window of a chain, or None."""
        ...


def window_orders(window: Window, *, funds: str) -> list[SettlementOrder]:
    """What its members pay and receive: one order for each account that the settled claims leave open.

    ``funds`` is whose money stands on the other side, see `settlement_entry`; over all members it comes to zero where
    claims are between members alone.
    """
    return orders_of(window.key.day, [claim.entry for claim in window.admission.taken], issuer=funds)


class WindowDesk:
    """One chain of windows over its journal and its ledger. Not for two threads or processes at once."""

    def __init__(
        self, journal: WindowJournal, engine: LedgerEngine, *, centre: str, chain: str, funds: str
    ) -> None:
        self._journal, self._engine, self._funds = journal, engine, funds
        self._centre, self._chain = centre, chain
        self._window: Window | None = None
        self.recovered = self.recover()

    @property
    def window(self) -> Window:
        """The newest window. Raises `Refused` before the first one is opened."""
        if self._window is None:
            raise Refused(
                "no window yet", where=f"window {self._centre}/{self._chain}", fix="open the first one"
            )
        return self._window

    @property
    def newest(self) -> Window | None:
        """The newest window, or None before the first one."""
        return self._window

    def recover(self) -> list[Finding]:
        """Read the newest window and bring the ledger up to it; done at every start, and harmless at any time."""
        found = self._journal.last(self._centre, self._chain)
        if found is None:
            return []
        opening, acts = found
        self._window = opening.window(acts)
        return self._bring_up(self._window)

    def open(self, day: BusinessDay) -> Window:
        """Open the next window of the chain; raises `Refused` while the last one is not over."""
        if self._window is None:
            key = WindowKey(centre=self._centre, chain=self._chain, ordinal=1, day=day)
            opened = Window(key=key)
        else:
            opened = self._window.next(day)
        claims = tuple(opened.claims.values())
        self._journal.open(Opening(key=opened.key, claims=claims, suspended=opened.suspended))
        self._window = opened
        return opened

    def take_day(self, day: BusinessDay, flows: Iterable[Flow]) -> list[Finding]:
        """Take a netted day's flows as claims of the open window; a day that was taken before changes nothing."""
        return self.take(claims_of(day, flows), at_micros=day.micros)

    def take(self, claims: Iterable[Claim], *, at_micros: int) -> list[Finding]:
        """Take claims, numbered anew in their order behind those that are here.

        A claim that an earlier window settled is a finding, and is not taken: it comes a second time.
        """
        window = self.window
        fresh = list(window.new_claims(claims).values())
        known = self._engine.lookup([claim.id for claim in fresh])
        findings = [_known(claim, known[claim.id], window) for claim in fresh if claim.id in known]
        fresh = [claim for claim in fresh if claim.id not in known]
        if fresh:
            first = 1 + max((claim.number for claim in window.claims.values()), default=0)
            taken = tuple(replace(claim, number=number) for number, claim in enumerate(fresh, first))
            findings += self._do(Act(event=WindowEvent.TAKE, at_micros=at_micros, claims=taken))
        return findings

    def close(self, caps: Iterable[NetDebitCap], *, at_micros: int) -> list[Finding]:
        """Take no more, and hold positions against the caps as they are now."""
        findings = self._do(Act(event=WindowEvent.CLOSE, at_micros=at_micros, caps=tuple(caps)))
        return findings + self.window.admission.findings()

    def hold(self, *, at_micros: int) -> list[Finding]:
        """Hold the orders on the ledger: from here an officer, where a cap is breached, and the bank decide."""
        return self._do(Act(event=WindowEvent.HOLD, at_micros=at_micros))

    def settle(self, *, at_micros: int) -> list[Finding]:
        """Post claims and orders: the window is final. Raises `Refused` while a breach is not approved."""
        return self._do(Act(event=WindowEvent.SETTLE, at_micros=at_micros))

    def by_officer(
        self, event: WindowEvent, *, at_micros: int, officer: str, reason: str, participant: str = ""
    ) -> list[Finding]:
        """SUSPEND, RESUME, APPROVE or ABORT."""
        act = Act(event=event, at_micros=at_micros, participant=participant, officer=officer, reason=reason)
        findings = self._do(act)
        admitted = event in (WindowEvent.SUSPEND, WindowEvent.RESUME)
        return findings + (self.window.admission.findings() if admitted else [])

    def orders(self) -> list[SettlementOrder]:
        """The orders of the newest window, as far as it is closed."""
        return window_orders(self.window, funds=self._funds)

    def _do(self, act: Act) -> list[Finding]:
        after = self.window.after(act)
        self._journal.append(after.key, after.acts, act)
        self._window = after
        if act.event is WindowEvent.TAKE:
            return self._hold_claims(act.claims, after)
        return self._bring_up(after)

    def _hold_claims(self, claims: Sequence[Claim], window: Window) -> list[Finding]:
        unit = window.key.day.unit
        names: set[AccountName] = {name for claim in claims for name in (claim.debit, claim.credit)}
        for opened in batches([name.opened(unit) for name in sorted(names, key=lambda name: name.id)]):
            self._engine.create_accounts(opened)
        return self._send([claim.held(unit) for claim in claims])

    def _bring_up(self, window: Window) -> list[Finding]:
        """Make the ledger hold what the window's acts say; what it holds already stays."""
        day, state = window.key.day, window.state
        findings = self._hold_claims(list(window.claims.values()), window)
        if state in (WindowState.OPEN, WindowState.CLOSED):
            return findings
        orders = window_orders(window, funds=self._funds)
        if state in (WindowState.PENDING, WindowState.SETTLED):
            findings += hold_orders(self._engine, day, orders, issuer=self._funds)
        if state is WindowState.SETTLED:
            findings += self._send([claim.settled(window.key.id, day) for claim in window.admission.taken])
        if window.is_final:
            end = OrderState.SETTLED if state is WindowState.SETTLED else OrderState.REJECTED
            results = [OrderResult(order=order, state=end, since=day.date.isoformat()) for order in orders]
            findings += finish_orders(self._engine, day, results, issuer=self._funds)
        return findings

    def _send(self, transfers: Sequence[Transfer]) -> list[Finding]:
        results = [one for call in batches(transfers) for one in self._engine.create_transfers(call)]
        return [
            Finding(
                code=f"LEDGER_{result.name}",
                severity=Severity.ERROR,
                where=f"transfer {transfer.id.hex()}",
                what=f"the ledger refused {transfer.amount}",
                fix="the books hold something else than the window's acts: have an officer look",
            )
            for transfer, result in zip(transfers, results, strict=True)
            if result not in _FINE
        ]


def _known(claim: Claim, there: Transfer, window: Window) -> Finding:
    """A claim that is on the ledger and in no window that is open."""
    same = there == claim.held(window.key.day.unit)
    return Finding(
        code="CLAIM_SETTLED_BEFORE" if same else "CLAIM_CHANGED",
        severity=Severity.INFO if same else Severity.ERROR,
        where=f"claim {claim.id.hex()}",
        what=f"{claim.payer} to {claim.payee}: " + ("came before" if same else f"was {there.amount} before"),
        fix="nothing: it is paid once" if same else "ask its sender which of the two holds",
    )
