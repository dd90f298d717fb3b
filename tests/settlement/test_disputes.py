"""No dispute pays twice, whatever comes, comes again, comes late, or breaks off.

The machine opens disputes of all kinds on a few originals, takes any step of their tables, lets time pass, repeats what
was said, and kills the desk at any write of books or ledger. The model keeps only what the tables say was returned; the
ledger must agree, and no original gives back more than it moved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jinka.clearing.dispute import Dispute, Evidence, Movement, Original, Parties
from jinka.clearing.dispute_tables import KINDS, TABLES, require_kind
from jinka.clearing.dispute_words import Actor, Event, EvidenceKind, How, Machine, Place, State
from jinka.kit import NotFound, Refused
from jinka.ledger import MemoryLedger, Transfer, TransferResult
from jinka.settlement import (
    AccountCode,
    AccountName,
    BooksWithoutDisputes,
    BusinessDay,
    prove_settlement,
    settle_disputes,
    trial_balance,
)
from jinka.settlement.dispute_desk import DisputeDesk, DisputeMove, MemoryDisputes, NewDispute
from jinka.settlement.dispute_posting import account_name, post_deed, suspense_of

DAY = dt.date(2026, 11, 2)
ZONE = "Asia/Shanghai"
PARTIES = Parties(claimant="issuer", respondent="other", scheme="scheme", government="gov")
ALL = tuple(
    Evidence(kind=kind, sha256=bytes([number]) * 32, name=f"{kind.word}.pdf", size=1)
    for number, kind in enumerate(EvidenceKind)
)
REASON = {Machine.BANK: "B02", Machine.TORN_TAP: "P01", Machine.UNCONFIRMED_LOAD: "P03", Machine.LOST_EXIT: "P04",
          Machine.WRONG_FARE: "P05", Machine.DEAD_CARD: "P09"}  # fmt: skip
ORIGINALS = [
    Original(id=bytes(15) + bytes([n]), amount=amount, date=DAY, sort="credit")
    for n, amount in enumerate((1, 300, 1_000), 1)
]


def opening(
    word: str, original: Original, claimed: int, *, reference: str = "1", on: dt.date = DAY
) -> NewDispute:
    kind = require_kind(word)
    step = TABLES[kind.machine].find(State.START, kind.event)
    assert step is not None
    who = step.who[0]
    return NewDispute(
        kind=kind, original=original, parties=PARTIES, claimed=claimed, reason=REASON[kind.machine],
        reference=reference, who=who, actor=PARTIES.of(who), on=on, evidence=ALL, subsidy=7,
    )  # fmt: skip


def move(dispute: Dispute, event: Event, amount: int = 0, *, on: dt.date | None = None) -> DisputeMove:
    step = TABLES[dispute.machine].find(dispute.state, event)
    who = step.who[0] if step else Actor.SCHEME
    last = dispute.deeds[-1].on
    return DisputeMove(
        event=event, who=who, actor=PARTIES.of(who), on=on or last, amount=amount, evidence=ALL
    )


def worth(ledger: MemoryLedger, code: AccountCode, owner: str) -> int:
    account = AccountName(code=code, owner=owner).id
    balance = ledger.balances([account]).get(account)
    return balance.credits_posted - balance.debits_posted if balance else 0


class Killed(Exception):
    """The power went."""


class Fuse:
    """Burns at the nth write, before it or after it."""

    left, after = -1, False

    def burns(self) -> bool:
        self.left -= 1
        return self.left == -1


class FusedBooks(MemoryDisputes):
    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self.fuse = fuse

    def write(self, dispute: Dispute) -> None:
        burnt = self.fuse.left >= 0 and self.fuse.burns()
        if not burnt or self.fuse.after:
            super().write(dispute)
        if burnt:
            raise Killed


class FusedLedger(MemoryLedger):
    fuse: Fuse

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        burnt = self.fuse.left >= 0 and self.fuse.burns()
        if burnt and not self.fuse.after:
            raise Killed
        answer = super().create_transfers(transfers)
        if burnt:
            raise Killed
        return answer


class Quarrels(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fuse = Fuse()
        self.books, self.ledger = FusedBooks(self.fuse), FusedLedger()
        self.ledger.fuse = self.fuse
        self.today = DAY

    @property
    def desk(self) -> DisputeDesk:
        """Started anew for every act: it keeps nothing."""
        return DisputeDesk(self.ledger, self.books, zone=ZONE)

    @rule(
        kind=st.sampled_from(KINDS), original=st.sampled_from(ORIGINALS), claimed=st.integers(0, 1_100),
        reference=st.sampled_from("12"),
    )  # fmt: skip
    def open(self, kind: object, original: Original, claimed: int, reference: str) -> None:
        asked = opening(kind.word, original, claimed, reference=reference, on=self.today)  # type: ignore[attr-defined]
        with suppress(Refused, Killed):
            self.desk.open(asked)
        self.fuse.left = -1

    @precondition(lambda self: self.books.listed())
    @rule(data=st.data(), amount=st.integers(0, 1_000), twice=st.booleans())
    def step(self, data: st.DataObject, amount: int, twice: bool) -> None:
        dispute = data.draw(st.sampled_from(self.books.listed()))
        event = data.draw(st.sampled_from(Event))
        likely = [step.event for step in TABLES[dispute.machine].from_state(dispute.state)]
        if likely and data.draw(st.booleans()):
            event = data.draw(st.sampled_from(likely))
        asked = move(dispute, event, min(amount, dispute.claimed), on=self.today)
        for _ in range(1 + twice):
            with suppress(Refused, Killed):
                self.desk.step(dispute.id, asked)
            self.fuse.left = -1

    @rule(days=st.sampled_from([1, 9, 40, 100]))
    def time_passes(self, days: int) -> None:
        self.today += dt.timedelta(days=days)
        with suppress(Killed):
            self.desk.pass_deadlines(self.today)
        self.fuse.left = -1

    @rule()
    def settle(self) -> None:
        self.fuse.left = -1
        self.desk.post_again()
        parties, funds = set[AccountName](), {}
        for dispute in self.books.listed():
            funds[dispute.id] = "scheme" if dispute.machine is Machine.BANK else "issuer"
            parties |= {account_name(place, dispute.id, PARTIES) for place in Place}
        owners = {name.id: name.owner for name in parties}
        day = BusinessDay(date=self.today, zone=ZONE)
        settle_disputes(self.ledger, day, owners=owners, funds_of=funds)
        assert settle_disputes(self.ledger, day, owners=owners, funds_of=funds) == []
        assert prove_settlement(self.ledger).holds

    @rule(writes=st.integers(0, 4), after=st.booleans())
    def power_will_go(self, writes: int, after: bool) -> None:
        self.fuse.left, self.fuse.after = writes, after

    @invariant()
    def money_is_conserved(self) -> None:
        left, self.fuse.left = self.fuse.left, -1
        mended = deepcopy(self.ledger)  # a copy: the next step has to find the gap of a crash by itself
        DisputeDesk(mended, self.books, zone=ZONE).post_again()
        self.fuse.left = left
        assert trial_balance(self.ledger).balances
        without = trial_balance(BooksWithoutDisputes(self.ledger))
        assert without.balances
        assert (without.debits, without.pending_debits) == (0, 0)
        for dispute in self.books.listed():
            assert suspense_of(mended, dispute.id) == (dispute.held, dispute.pending)
            if dispute.ended:
                assert (dispute.held, dispute.pending) == (0, 0)
        for original in ORIGINALS:
            assert sum(each.reserved for each in self.books.of_original(original.id)) <= original.amount
            assert sum(each.returned for each in self.books.of_original(original.id)) <= original.amount


TestQuarrels = Quarrels.TestCase
TestQuarrels.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def rig() -> tuple[MemoryLedger, DisputeDesk]:
    ledger = MemoryLedger()
    return ledger, DisputeDesk(ledger, MemoryDisputes(), zone=ZONE)


def test_two_disputes_of_one_original_never_claim_more_than_it_moved() -> None:
    ledger, desk = rig()
    first = desk.open(opening("chargeback", ORIGINALS[2], 600))
    with pytest.raises(Refused, match="401 of 1000, of which 600 is disputed"):
        desk.open(opening("adjustment", ORIGINALS[2], 401, reference="2"))
    again = desk.step(first.id, move(first, Event.REPRESENT, 500))
    desk.step(first.id, move(again, Event.ACCEPT))
    assert worth(ledger, AccountCode.MEMBER, "issuer") == 100
    desk.open(opening("adjustment", ORIGINALS[2], 900, reference="2"))
    assert worth(ledger, AccountCode.MEMBER, "issuer") == 1_000 == -worth(ledger, AccountCode.MEMBER, "other")
    with pytest.raises(Refused, match="nothing is left"):
        desk.open(opening("exception", ORIGINALS[2], 1, reference="3"))
    with pytest.raises(Refused, match="another amount or date"):
        desk.open(opening("exception", replace(ORIGINALS[2], amount=9_000), 1, reference="4"))


def test_what_was_decided_is_not_disputed_again_but_may_be_given() -> None:
    _, desk = rig()
    first = desk.open(opening("chargeback", ORIGINALS[2], 600))
    again = desk.step(first.id, move(first, Event.REPRESENT))
    assert desk.step(first.id, move(again, Event.ACCEPT)).state is State.REJECTED
    with pytest.raises(Refused, match="of which 600 is disputed, decided"):
        desk.open(opening("chargeback", ORIGINALS[2], 401, reference="2"))
    assert desk.open(opening("adjustment", ORIGINALS[2], 1_000, reference="3")).returned == 1_000
    tap = desk.open(opening("torn-tap", ORIGINALS[1], 300))
    assert desk.pass_deadlines(dt.date(2027, 6, 1))[0].state is State.LAPSED
    assert desk.open(opening("torn-tap", ORIGINALS[1], 300, reference="2")).id != tap.id


def test_the_same_opening_is_the_same_dispute_and_another_one_is_refused() -> None:
    ledger, desk = rig()
    asked = opening("chargeback", ORIGINALS[2], 600)
    first = desk.open(asked)
    assert desk.open(asked) == first
    assert worth(ledger, AccountCode.MEMBER, "other") == -600
    with pytest.raises(Refused, match="another dispute's"):
        desk.open(replace(asked, claimed=500))
    with pytest.raises(NotFound, match="no dispute"):
        desk.step(bytes(16), move(first, Event.ACCEPT))


def test_a_deadline_is_a_deed_of_its_own_day_whenever_somebody_looks() -> None:
    seen = []
    for looked in ([dt.date(2027, 6, 1)], [dt.date(2026, 12, 15), dt.date(2027, 6, 1)]):
        ledger, desk = rig()
        first = desk.open(opening("chargeback", ORIGINALS[2], 600))
        desk.step(first.id, move(first, Event.REPRESENT))
        for on in looked:
            desk.pass_deadlines(on)
        again = desk.step(first.id, move(first, Event.REPRESENT))  # the very same step, long after
        seen.append((again.deeds, worth(ledger, AccountCode.MEMBER, "other")))
        assert again.state is State.REJECTED
    assert seen[0] == seen[1]
    assert seen[0][1] == 0, "the issuer was too late: the acquirer has its money again"
    assert seen[0][0][-1].on == dt.date(2026, 12, 15)


def test_silence_is_acceptance_and_nobody_acts_after_it() -> None:
    ledger, desk = rig()
    first = desk.open(opening("chargeback", ORIGINALS[2], 600))
    with pytest.raises(Refused, match="represent is not possible when upheld"):
        desk.step(first.id, move(first, Event.REPRESENT, on=dt.date(2027, 1, 1)))
    with pytest.raises(Refused, match="by time alone"):
        desk.step(first.id, DisputeMove(event=Event.DEADLINE, who=Actor.CLOCK, actor="clock", on=DAY))
    assert worth(ledger, AccountCode.MEMBER, "issuer") == 600


def test_a_retrieval_costs_its_fee_and_the_loser_pays_the_arbitration() -> None:
    ledger, desk = rig()
    first = desk.open(opening("retrieval", ORIGINALS[2], 600))
    for event in (Event.FULFIL, Event.CHARGE_BACK, Event.REPRESENT, Event.ARBITRATE, Event.REJECT):
        first = desk.step(first.id, move(first, event))
    assert first.state is State.REJECTED
    assert worth(ledger, AccountCode.MEMBER, "issuer") == -1_000 - 50_000
    assert worth(ledger, AccountCode.MEMBER, "other") == 1_000
    assert worth(ledger, AccountCode.FEE_PAYABLE, "scheme") == 50_000


def test_a_book_that_was_changed_is_found_out() -> None:
    books = MemoryDisputes()
    desk = DisputeDesk(MemoryLedger(), books, zone=ZONE)
    first = desk.open(opening("chargeback", ORIGINALS[2], 600))
    books.write(replace(first, returned=600, held=0))
    with pytest.raises(Refused, match="its deeds do not make it what it is"):
        desk.post_again()


def test_a_step_mends_what_a_crash_left_unposted() -> None:
    fuse, ledger = Fuse(), FusedLedger()
    ledger.fuse = fuse
    desk = DisputeDesk(ledger, FusedBooks(fuse), zone=ZONE)
    first = desk.open(opening("torn-tap", ORIGINALS[2], 600))
    fuse.left = 2  # what is posted is posted again, the deed is written, its posting is not
    with pytest.raises(Killed):
        desk.step(first.id, move(first, Event.SHOW_UNSERVED))
    assert suspense_of(ledger, first.id) == (0, 600)
    due = replace(first, state=State.REFUND_DUE)
    done = desk.step(first.id, move(due, Event.PAY_OUT))
    assert done.state is State.REFUNDED
    assert suspense_of(ledger, first.id) == (0, 0)
    assert worth(ledger, AccountCode.PURSE_LIABILITY, "issuer") == -600


def test_the_ledger_itself_lets_no_dispute_pay_more_than_it_took() -> None:
    ledger, desk = rig()
    first = desk.open(opening("chargeback", ORIGINALS[2], 600))
    forged = Movement(line=0, how=How.POST, debit=Place.HELD, credit=Place.CLAIMANT, amount=601)
    with pytest.raises(Refused, match="exceeds_credits"):
        post_deed(ledger, first, replace(first.deeds[0], seq=1), [forged], zone=ZONE)
    assert suspense_of(ledger, first.id) == (600, 0)
