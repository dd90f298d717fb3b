"""The tables of disputes. Goal: no table loses money, hangs, or lets the wrong one act.

Method: every path through every table is walked with the whole amount and with one fen, and the sums are kept beside
it; rules are then shown by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from jinka.clearing.dispute import (
    Deed,
    Dispute,
    Evidence,
    Movement,
    Original,
    Parties,
    Step,
    Table,
    Terms,
    due_on,
    judge,
    rebuild,
    weekday,
)
from jinka.clearing.dispute_reasons import DISPUTE_REASONS, require_reason
from jinka.clearing.dispute_tables import KINDS, TABLES, require_kind
from jinka.clearing.dispute_words import (
    Actor,
    Event,
    EvidenceKind,
    How,
    Machine,
    Place,
    State,
    Sum,
    by_word,
)
from jinka.kit import Refused, Usage

DAY = dt.date(2026, 11, 2)  # a Monday
PARTIES = Parties(claimant="issuer", respondent="other", scheme="scheme", government="gov")
WAITING = {
    State.REFUND_DUE,
    State.WAITED,
}  # money that is due to a holder, and an officer's count, do not lapse
CLAIM = 700


def evidence(*kinds: EvidenceKind) -> tuple[Evidence, ...]:
    return tuple(Evidence(kind=kind, sha256=bytes(32), name="a.pdf", size=1) for kind in kinds)


def fresh(machine: Machine, *, sort: str = "credit", subsidy: int = 0) -> Dispute:
    return Dispute(
        id=bytes(15) + b"\1", machine=machine, original=Original(id=bytes(16), amount=1_000, date=DAY, sort=sort),
        parties=PARTIES, claimed=CLAIM, reason="B01", reference="1", subsidy=subsidy,
    )  # fmt: skip


def deed_for(dispute: Dispute, step: Step, amount: int = 0, *, on: dt.date | None = None) -> Deed:
    last = dispute.deeds[-1].on if dispute.deeds else DAY
    if step.event is Event.DEADLINE:
        assert dispute.due is not None
        last = dispute.due + dt.timedelta(days=1)
    actor = PARTIES.of(step.who[0])
    return Deed(
        seq=0, event=step.event, actor=actor, on=on or last, amount=amount, evidence=evidence(*step.evidence)
    )


def take(
    dispute: Dispute, event: Event, amount: int = 0, *, who: Actor | None = None, on: dt.date | None = None
) -> tuple[Dispute, tuple[Movement, ...]]:
    table = TABLES[dispute.machine]
    step = table.find(dispute.state, event)
    assert step is not None, f"{event.word} at {dispute.state.word}"
    deed = deed_for(dispute, step, amount, on=on)
    if who is not None:
        deed = replace(deed, actor=PARTIES.of(who))
    _, after, moves = judge(table, dispute, deed, who=who or step.who[0], is_open=weekday, terms=Terms())
    return after, moves


def walk(table: Table, dispute: Dispute, depth: int = 0) -> Iterator[tuple[Dispute, list[Movement]]]:
    """Every way from here to an end, with what it posted."""
    assert depth < 14
    if dispute.ended:
        yield dispute, []
    for step in table.from_state(dispute.state):
        partial = any(post.sum in (Sum.CHOSEN, Sum.REST) for post in step.posts)
        for amount in (0, 1) if partial else (0,):
            after, moves = take(dispute, step.event, amount)
            for end, later in walk(table, after, depth + 1):
                yield end, [*moves, *later]


@pytest.mark.parametrize("machine", Machine)
def test_every_way_ends_with_nothing_held_and_nothing_lost(machine: Machine) -> None:
    table, ends = TABLES[machine], set()
    for end, moves in walk(table, fresh(machine, subsidy=-30)):
        ends.add(end.state)
        assert (end.held, end.pending) == (0, 0)
        assert 0 <= end.returned <= CLAIM
        posted = [move for move in moves if move.how in (How.POST, How.TAKE)]
        into = sum(move.amount for move in posted if move.credit is Place.HELD)
        assert into == sum(move.amount for move in posted if move.debit is Place.HELD) <= CLAIM
        holds = sum(move.how is How.HOLD for move in moves)
        assert holds == sum(move.how in (How.TAKE, How.DROP) for move in moves) <= 1
        assert rebuild(table, replace(fresh(machine, subsidy=-30)), end.deeds) == end
    assert ends == {step.next for step in table.steps if step.next.end}, "an end that nobody reaches"


@pytest.mark.parametrize("machine", Machine)
def test_each_state_has_one_deadline_and_each_step_its_own_event(machine: Machine) -> None:
    table = TABLES[machine]
    states = {step.state for step in table.steps} | {step.next for step in table.steps}
    keys = [(step.state, step.event) for step in table.steps]
    assert len(keys) == len(set(keys))
    for state in states - {State.START}:
        deadlines = [step for step in table.from_state(state) if step.event is Event.DEADLINE]
        assert len(deadlines) == (not state.end and state not in WAITING), state
        assert all(step.days and step.who == (Actor.CLOCK,) for step in deadlines)
        assert table.ends(state) is state.end
        assert state.end or state in {step.next for step in table.steps}
    for step in table.steps:
        assert (step.days is not None) <= (step.event is Event.DEADLINE or step.state is State.START)


def test_each_kind_can_reach_a_posting() -> None:
    for kind in KINDS:
        opened, first = take(fresh(kind.machine), kind.event)
        posts = [moves for _, later in walk(TABLES[kind.machine], opened) if (moves := [*first, *later])]
        assert any(move.how in (How.POST, How.TAKE) for moves in posts for move in moves), kind.word


def test_a_deadline_counts_business_days_and_its_last_day_is_in_time() -> None:
    assert due_on(DAY, 5, weekday) == dt.date(2026, 11, 9)
    holiday = {dt.date(2026, 11, 4)}
    assert due_on(DAY, 5, lambda day: weekday(day) and day not in holiday) == dt.date(2026, 11, 10)
    asked, _ = take(fresh(Machine.BANK), Event.INQUIRE)
    assert asked.due == dt.date(2026, 11, 9)
    assert take(asked, Event.REPLY, on=asked.due)[0].state is State.ANSWERED
    with pytest.raises(Refused, match="the deadline has passed"):
        take(asked, Event.REPLY, on=dt.date(2026, 11, 10))
    with pytest.raises(Refused, match="the deadline has not passed"):
        take(asked, Event.DEADLINE, on=asked.due)
    with pytest.raises(Usage, match="no 3 business days"):
        due_on(DAY, 3, lambda _: False)


def test_who_may_not_act_is_refused() -> None:
    charged, _ = take(fresh(Machine.BANK), Event.CHARGE_BACK)
    for who in (Actor.CLAIMANT, Actor.SCHEME, Actor.DESK, Actor.CLOCK):
        with pytest.raises(Refused, match="may not accept"):
            take(charged, Event.ACCEPT, who=who)
    step = TABLES[Machine.BANK].find(State.CHARGED_BACK, Event.ACCEPT)
    assert step is not None
    deed = replace(deed_for(charged, step), actor="somebody else")
    with pytest.raises(Refused, match="may not accept"):
        judge(TABLES[Machine.BANK], charged, deed, who=Actor.RESPONDENT, is_open=weekday, terms=Terms())


def test_evidence_amounts_and_time_bars_are_asked_for() -> None:
    table, dispute = TABLES[Machine.BANK], fresh(Machine.BANK)
    step = table.find(State.START, Event.CHARGE_BACK)
    assert step is not None
    with pytest.raises(Refused, match="needs evidence: statement"):
        bare = replace(deed_for(dispute, step), evidence=evidence(EvidenceKind.LETTER))
        judge(table, dispute, bare, who=Actor.CLAIMANT, is_open=weekday, terms=Terms())
    with pytest.raises(Refused, match="time-barred: 181 days"):
        take(dispute, Event.CHARGE_BACK, on=DAY + dt.timedelta(days=181))
    assert take(dispute, Event.PROPOSE, on=DAY + dt.timedelta(days=181))[0].state is State.NEGOTIATED
    with pytest.raises(Refused, match="before its original"):
        take(dispute, Event.CHARGE_BACK, on=DAY - dt.timedelta(days=1))
    with pytest.raises(Refused, match="is for the whole"):
        take(dispute, Event.CHARGE_BACK, 1)
    charged, _ = take(dispute, Event.CHARGE_BACK)
    for wrong in (CLAIM + 1, -1):
        with pytest.raises(Refused, match=f"{wrong} of {CLAIM}"):
            take(charged, Event.REPRESENT, wrong)
    longer = Terms(days={(Machine.BANK, State.START, Event.CHARGE_BACK): 400})
    late = deed_for(dispute, step, on=DAY + dt.timedelta(days=181))
    assert judge(table, dispute, late, who=Actor.CLAIMANT, is_open=weekday, terms=longer)[1].held == CLAIM


def test_a_debit_card_is_charged_back_once() -> None:
    for sort in ("debit", "cash"):
        charged, _ = take(fresh(Machine.BANK, sort=sort), Event.CHARGE_BACK)
        again, _ = take(charged, Event.REPRESENT)
        with pytest.raises(Refused, match="only a credit card"):
            take(again, Event.CHARGE_BACK_AGAIN)
        assert take(again, Event.ARBITRATE)[0].state is State.ARBITRATED


def test_without_documents_the_chargeback_is_final() -> None:
    asked, _ = take(fresh(Machine.BANK), Event.RETRIEVE)
    late, _ = take(asked, Event.DEADLINE)
    done, moves = take(late, Event.CHARGE_BACK)
    assert (done.state, done.returned) == (State.UPHELD, CLAIM)
    assert [(move.debit, move.credit) for move in moves] == [(Place.RESPONDENT, Place.CLAIMANT)]


def test_what_is_not_presented_again_is_accepted_and_a_ruling_may_split_the_rest() -> None:
    charged, _ = take(fresh(Machine.BANK), Event.CHARGE_BACK)
    part, moves = take(charged, Event.REPRESENT, 500)
    assert (part.held, part.returned, moves[0].amount) == (500, 200, 200)
    again, moves = take(part, Event.CHARGE_BACK_AGAIN, 400)
    assert (again.held, [(m.credit, m.amount) for m in moves]) == (400, [(Place.RESPONDENT, 100)])
    brought, _ = take(again, Event.ARBITRATE)
    ruled, moves = take(brought, Event.UPHOLD, 150)
    assert ruled.returned == ruled.reserved == 350
    assert [(m.credit, m.amount) for m in moves] == [
        (Place.CLAIMANT, 150), (Place.RESPONDENT, 250), (Place.FEES, Terms().arbitration_fee),
    ]  # fmt: skip


def test_a_subsidy_moves_where_the_whole_claim_is_right() -> None:
    for subsidy, ways in (
        (60, (Place.GOVERNMENT, Place.OPERATOR)),
        (-60, (Place.OPERATOR, Place.GOVERNMENT)),
    ):
        open_, _ = take(fresh(Machine.WRONG_FARE, subsidy=subsidy), Event.REPORT)
        _, moves = take(open_, Event.AGREE)
        assert [(m.debit, m.credit, m.amount) for m in moves[1:]] == [(*ways, 60)]
        assert len(take(open_, Event.AGREE, CLAIM - 1)[1]) == 1


def test_deeds_that_do_not_fit_are_refused() -> None:
    charged, _ = take(fresh(Machine.BANK), Event.CHARGE_BACK)
    table, begin = TABLES[Machine.BANK], fresh(Machine.BANK)
    with pytest.raises(Refused, match="does not follow"):
        rebuild(table, begin, [replace(charged.deeds[0], seq=1)])
    with pytest.raises(Refused, match="accept is not possible when start"):
        rebuild(table, begin, [replace(charged.deeds[0], event=Event.ACCEPT)])


def test_words_are_unique_in_both_languages_and_reasons_belong_to_their_machine() -> None:
    for kind in (Machine, State, Event, Actor, EvidenceKind, Place, Sum, How):
        assert all(text for member in kind for text in member.title)
        assert by_word(kind, next(iter(kind)).word, where="word") is next(iter(kind))
    assert len({reason.code for reason in DISPUTE_REASONS}) == len(DISPUTE_REASONS)
    assert {machine for reason in DISPUTE_REASONS for machine in reason.machines} == set(Machine)
    assert require_reason(Machine.DEAD_CARD, "P09").title_zh == "卡片无法读取"
    with pytest.raises(Usage, match="'B01' is no reason of a dead card dispute"):
        require_reason(Machine.DEAD_CARD, "B01")
    with pytest.raises(Usage, match="no such kind"):
        require_kind("quarrel")
    with pytest.raises(Usage, match="no such event"):
        by_word(Event, "sue", where="event")
