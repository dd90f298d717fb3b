"""No fen appears or disappears at the issuer, whatever comes, comes again, comes late, or breaks off.

The machine sends all kinds of requests, alone and in lists, repeats them, reverses them before and after they came, and
kills the host at any of its writes (books or ledger), to start it again. The model knows only what was approved: what
the acquirer is owed is the sum of that; what holders have, what is short and what is owed add up to what was paid in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jinka.issuer import AuthorisationRequest, Decision, Kind, Reason
from jinka.issuer.books import State
from jinka.issuer.chart import IssuerAccount, office_account
from jinka.issuer.policy import read_policy
from tests.issuer.engines import books_on
from tests.issuer.host_rig import OPENING, OTHER, PAN, STRIPE_ONLY, Bank

DEBITS = (Kind.PURCHASE, Kind.CASH, Kind.TRANSFER_OUT)
CREDITS = (Kind.DEPOSIT, Kind.TRANSFER_IN, Kind.REFUND)
_pan = st.sampled_from([PAN, OTHER, STRIPE_ONLY])
_fen = st.one_of(st.integers(1, 2_000), st.integers(1, OPENING + 10))
_which = st.integers(0, 1_000)


class Killed(Exception):
    """The power went."""


class Fuse:
    """Burns at the nth write, before it or after it."""

    def __init__(self) -> None:
        self.left, self.after = -1, False

    def pull(self) -> bool:
        self.left -= 1
        return self.left == -1

    def around(self, write: Any, *args: Any) -> Any:
        burnt = self.left >= 0 and self.pull()
        if burnt and not self.after:
            raise Killed
        answer = write(*args)
        if burnt:
            raise Killed
        return answer


def fused(bank: Bank, fuse: Fuse) -> None:
    """Lay a fuse around the writes of a bank's books and ledger."""
    write, move = bank.books.write, bank.ledger.create_transfers
    books: Any = bank.books
    ledger: Any = bank.ledger
    books.write = lambda *args, **named: fuse.around(lambda: write(*args, **named))
    ledger.create_transfers = lambda transfers: fuse.around(move, transfers)


@dataclass
class Known:
    """What the model knows of a request that was decided."""

    request: AuthorisationRequest
    approved: bool
    live: bool = True
    disputed: bool = False  # or it is about what was


class Issuer(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.fuse = Fuse()
        self.bank = Bank(policy=read_policy({"pin": {"kinds": []}, "advice": {"unproven_fen": 20_000}}))
        fused(self.bank, self.fuse)
        self.known: dict[bytes, Known] = {}
        self.sent: list[AuthorisationRequest] = []
        self.unseen: set[bytes] = set()

    def send(self, *requests: AuthorisationRequest) -> None:
        try:
            answers = self.bank.host.decide_all(requests)
        except Killed:
            self.fuse.left = -1
            self.bank.start().recover()
            # Whoever had no answer asks again, and hears what became of it.
            answers = self.bank.host.decide_all(requests)
        for request, answer in zip(requests, answers, strict=True):
            self.learn(request, answer)

    def learn(self, request: AuthorisationRequest, answer: Decision) -> None:
        assert answer.reason is not Reason.DUPLICATE
        if request.id in self.unseen:
            assert answer.reason is Reason.ALREADY_REVERSED
            return
        before = self.known.get(request.id)
        if before is not None and request.kind is Kind.REVERSAL and not before.approved:
            before.approved = answer.approved  # it was decided anew
            if answer.approved:
                self.apply(request)
            return
        if before is not None:
            state = self.bank.books.bookings([request.id])[request.id].state
            used = state in (State.COMPLETED, State.LAPSED)
            stands = before.approved and (before.live or used)
            assert answer.approved is stands, "the same question, another answer"
            assert answer.repeated
            return
        self.sent.append(request)
        about = self.known.get(request.original_id)
        disputed = answer.reason is Reason.DISPUTED or (about is not None and about.disputed)
        self.known[request.id] = Known(request, answer.approved, disputed=disputed)
        if answer.approved:
            self.apply(request)

    def apply(self, request: AuthorisationRequest) -> None:
        """What an approved request does to the one that it names."""
        original = self.known.get(request.original_id)
        if request.kind is Kind.REVERSAL and original is None:
            self.unseen.add(request.original_id)
        elif request.kind is Kind.REVERSAL and original is not None and original.approved:
            original.live = False
            if original.request.kind is Kind.VOID:
                first = self.known[original.request.original_id]
                first.live = True
                self.hold_of(first, stands=False)
            else:
                self.hold_of(original, stands=True)
        elif request.kind is Kind.VOID:
            assert original is not None
            original.live = False
            self.hold_of(original, stands=True)
        elif request.kind is Kind.COMPLETION:
            self.hold_of(self.known[request.id], stands=False)

    def hold_of(self, completion: Known, *, stands: bool) -> None:
        """A completion uses up its hold; taking it back opens the hold again."""
        if completion.request.kind is Kind.COMPLETION:
            self.known[completion.request.original_id].live = stands

    @rule(
        kind=st.sampled_from([*DEBITS, *CREDITS[:2], Kind.PREAUTHORISATION]),
        pan=_pan,
        fen=_fen,
        forced=st.booleans(),
    )
    def ask(self, kind: Kind, pan: str, fen: int, forced: bool) -> None:
        told = forced and kind in (*DEBITS, Kind.PREAUTHORISATION)
        self.send(self.bank.ask(kind, fen, pan=pan, forced=told))

    @rule(asked=st.lists(st.tuples(st.sampled_from(DEBITS), _pan, _fen), max_size=6), twice=st.booleans())
    def ask_many(self, asked: list[tuple[Kind, str, int]], twice: bool) -> None:
        requests = [self.bank.ask(kind, fen, pan=pan) for kind, pan, fen in asked]
        backs = [self.about(r, Kind.REVERSAL, r.amount_fen) for r in requests[::2]]
        self.send(*requests, *(requests if twice else ()), *backs)

    def about(self, old: AuthorisationRequest, kind: Kind, fen: int) -> AuthorisationRequest:
        return self.bank.ask(kind, fen, pan=old.pan, original=old.trace)

    def any(self, which: int, *kinds: Kind) -> AuthorisationRequest | None:
        fitting = [r for r in self.sent if r.kind in kinds]
        return fitting[which % len(fitting)] if fitting else None

    @rule(which=_which)
    def again(self, which: int) -> None:
        if self.sent:
            old = self.sent[which % len(self.sent)]
            self.send(replace(old, at_micros=old.at_micros + 1_000_000))

    @rule(which=_which, kind=st.sampled_from([Kind.REVERSAL, Kind.VOID]))
    def take_back(self, which: int, kind: Kind) -> None:
        old = self.any(which, *(set(Kind) - {Kind.REVERSAL, Kind.BALANCE}))
        if old is not None:
            self.send(self.about(old, kind, old.amount_fen))

    @rule(which=_which)
    def take_back_too_much(self, which: int) -> None:
        """It is refused, and is in nobody's way."""
        old = self.any(which, *DEBITS, Kind.PREAUTHORISATION, Kind.COMPLETION)
        if old is None:
            return
        request = self.about(old, Kind.REVERSAL, old.amount_fen + 1)
        try:
            answer = self.bank.host.decide(request)
        except Killed:
            self.fuse.left = -1
            self.bank.start().recover()
            answer = self.bank.host.decide(request)
        assert not answer.approved

    @rule(which=_which)
    def take_back_a_void(self, which: int) -> None:
        old = self.any(which, Kind.VOID, Kind.COMPLETION)
        if old is not None:
            self.send(self.about(old, Kind.REVERSAL, old.amount_fen))

    @rule(which=_which, percent=st.integers(1, 120))
    def complete(self, which: int, percent: int) -> None:
        old = self.any(which, Kind.PREAUTHORISATION)
        if old is not None:
            self.send(self.about(old, Kind.COMPLETION, max(1, old.amount_fen * percent // 100)))

    @rule(which=_which, percent=st.integers(1, 110), forced=st.booleans())
    def refund(self, which: int, percent: int, forced: bool) -> None:
        old = self.any(which, Kind.PURCHASE, Kind.COMPLETION)
        if old is not None:
            self.give_back(old, percent, forced)

    @rule(pan=_pan, fen=_fen, percent=st.integers(1, 100), back=st.booleans())
    def refund_an_advice(self, pan: str, fen: int, percent: int, back: bool) -> None:
        sale = self.bank.ask(fen=fen, pan=pan, forced=True)
        self.send(sale)
        refund = self.give_back(sale, percent, True)
        if back:
            self.send(self.about(refund, Kind.REVERSAL, refund.amount_fen))

    def give_back(self, old: AuthorisationRequest, percent: int, forced: bool) -> AuthorisationRequest:
        """A refund goes to whoever bore the sale, and to nobody else."""
        fen = max(1, old.amount_fen * percent // 100)
        bearer = self.bank.books.bookings([old.id])[old.id].source
        request = replace(self.about(old, Kind.REFUND, fen), forced=forced)
        before = self.bank.ledger.balances([bearer]) if bearer != bytes(16) else {}
        self.send(request)
        if self.known[request.id].approved:
            [after] = self.bank.ledger.balances([bearer]).values()
            assert after.credits_posted - before[bearer].credits_posted == fen
        return request

    @rule(pan=_pan, fen=_fen, comes=st.booleans())
    def reverse_first(self, pan: str, fen: int, comes: bool) -> None:
        request = self.bank.ask(fen=fen, pan=pan)
        self.send(self.about(request, Kind.REVERSAL, fen))
        if comes:
            self.send(request)

    @rule()
    def time_passes(self) -> None:
        """Holds lapse."""
        later = self.bank.now + 31 * 86_400_000_000
        try:
            self.bank.host.lapse(later)
        except Killed:
            self.fuse.left = -1
            self.bank.start().recover()
            self.bank.host.lapse(later)
        for known in self.known.values():
            if known.request.kind is Kind.PREAUTHORISATION:
                known.live = False

    @rule(left=st.integers(0, 6), after=st.booleans())
    def kill_soon(self, left: int, after: bool) -> None:
        self.fuse.left, self.fuse.after = left, after

    @precondition(lambda self: hasattr(self, "bank"))
    @invariant()
    def the_books_agree(self) -> None:
        bank = self.bank
        live = [k.request for k in self.known.values() if k.approved and k.live]
        owed = sum(r.amount_fen for r in live if r.kind in (*DEBITS, Kind.COMPLETION))
        owed -= sum(r.amount_fen for r in live if r.kind in CREDITS)
        assert bank.owed() == owed
        disputed = [k.request for k in self.known.values() if k.approved and k.live and k.disputed]
        unproven = sum(r.amount_fen for r in disputed if r.kind in (*DEBITS, Kind.COMPLETION))
        unproven -= sum(r.amount_fen for r in disputed if r.kind in CREDITS)
        assert bank.owed(IssuerAccount.DISPUTED, "bank") == -unproven, (
            "no holder bears or gets what is disputed"
        )
        short = bank.owed(IssuerAccount.SHORTFALL, "bank") - unproven
        assert short + unproven <= 0, "nobody but the issuer fills that gap"
        sums = [bank.sums(number) for number in ("A", "B")]
        assert all(s.debits_posted + s.debits_pending <= s.credits_posted for s in sums)
        holders = sum(s.credits_posted - s.debits_posted for s in sums)
        assert holders + short + owed == 2 * OPENING
        held = sum(
            row.held_fen
            for row in bank.books.bookings([r.id for r in live if r.kind is Kind.PREAUTHORISATION]).values()
        )
        assert sum(s.debits_pending for s in sums) + self.short_held() == held
        assert not bank.books.unfinished()

    def short_held(self) -> int:
        """What is held at the issuer's own accounts."""
        ids = [office_account(code, "bank").id for code in (IssuerAccount.SHORTFALL, IssuerAccount.DISPUTED)]
        return sum(found.debits_pending for found in self.bank.ledger.balances(ids).values())


def test_on_each_engine(fresh_sqlite: Callable[[], Path], fresh_postgres: Callable[[], str]) -> None:
    """A few of the same runs with the books on a disk: what a block wrote before the kill is not there."""
    few = settings(
        max_examples=4, stateful_step_count=25, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    for place in (fresh_sqlite, fresh_postgres):
        with books_on(place):
            run_state_machine_as_test(Issuer, settings=few)


TestIssuer = Issuer.TestCase
TestIssuer.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
