"""Settlement windows. Goal: every claim is settled once, whatever is capped, suspended, aborted or killed in between.

Method: worked windows; and random acts with a kill at a random write, after which a new desk goes on from journal and
ledger alone. The ledger says who was paid what.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.clearing import Flow, LineKind
from jinka.kit import Refused, Usage
from jinka.ledger import MemoryLedger
from jinka.settlement import (
    WINDOW_STEPS,
    AccountCode,
    AccountName,
    Claim,
    NetDebitCap,
    OnBreach,
    WindowDesk,
    WindowEvent,
    WindowState,
    post_day,
    trial_balance,
)
from jinka.settlement.window_text import read_act, read_opening
from tests.settlement.claim_case import DAY, claim
from tests.settlement.window_case import Fuse, FusedLedger, Killed, MemoryWindows, desk_of

AT = DAY.micros
E, S = WindowEvent, WindowState


def officer(desk: WindowDesk, event: WindowEvent, participant: str = "") -> None:
    desk.by_officer(event, at_micros=AT, officer="li", reason="as told by phone", participant=participant)


def settle(desk: WindowDesk, *caps: NetDebitCap) -> list[str]:
    codes = [finding.code for finding in desk.close(caps, at_micros=AT)]
    assert desk.hold(at_micros=AT) == []
    assert desk.settle(at_micros=AT) == []
    return codes


def sums(ledger: MemoryLedger, owner: str) -> tuple[int, int]:
    """Credits less debits, posted and pending, of an owner's payable."""
    name = AccountName(code=AccountCode.OPERATOR_PAYABLE, owner=owner).id
    balance = ledger.balances([name])[name]
    return balance.credits_posted - balance.debits_posted, balance.credits_pending - balance.debits_pending


def paid(ledger: MemoryLedger) -> Counter[bytes]:
    """How often each claim was posted, as the ledger has it."""
    transfers = {t.id: t for account in ledger.accounts() for t in ledger.history(account.id)}
    return Counter(t.pending_id for t in transfers.values() if t.user_data != bytes(16))


def fresh() -> tuple[MemoryWindows, MemoryLedger, WindowDesk]:
    journal, ledger = MemoryWindows(), MemoryLedger()
    desk = desk_of(journal, ledger)
    desk.open(DAY)
    return journal, ledger, desk


def test_a_window_pays_what_it_took_and_leaves_nothing_open() -> None:
    _, ledger, desk = fresh()
    claims = [claim(1, "a", "b", 60), claim(2, "b", "c", 25)]
    assert desk.take(claims, at_micros=AT) == []
    assert sums(ledger, "a") == (0, -60)
    assert settle(desk) == []
    assert paid(ledger) == {one.id: 1 for one in claims}
    assert [sums(ledger, code) for code in "abc"] == [(0, 0)] * 3, "the orders have paid the positions"
    assert [(o.debtor, o.creditor, o.amount) for o in desk.orders()] == [
        ("a", "cn.sz.float", 60), ("cn.sz.float", "b", 35), ("cn.sz.float", "c", 25)
    ]  # fmt: skip
    assert trial_balance(ledger).balances


def test_what_breaches_a_cap_waits_and_is_settled_by_a_later_window() -> None:
    _, ledger, desk = fresh()
    desk.take([claim(1, "a", "b", 60), claim(2, "a", "b", 50)], at_micros=AT)
    assert settle(desk, NetDebitCap(participant="a", limit=100)) == ["CLAIMS_WAIT_CAP"]
    assert paid(ledger) == {claim(1, "a", "b", 60).id: 1}
    assert sums(ledger, "a") == (0, -50)
    desk.open(replace(DAY, cycle=2))
    assert [one.number for one in desk.window.claims.values()] == [2]
    settle(desk, NetDebitCap(participant="a", limit=100))
    assert set(paid(ledger).values()) == {1}
    assert sums(ledger, "a") == (0, 0)


def test_a_pending_window_holds_its_orders_and_posts_nothing() -> None:
    _, ledger, desk = fresh()
    desk.take([claim(1, "a", "b", 60)], at_micros=AT)
    desk.close([], at_micros=AT)
    before = sums(ledger, "b")
    desk.hold(at_micros=AT)
    assert (before, sums(ledger, "b")) == ((0, 60), (0, 0)), "the claim and the order that pays it, both held"
    assert paid(ledger) == {}


def test_an_officer_decides_a_breach_where_the_cap_says_so() -> None:
    _, ledger, desk = fresh()
    desk.take([claim(1, "a", "b", 60)], at_micros=AT)
    desk.close([NetDebitCap(participant="a", limit=10, on_breach=OnBreach.OFFICER)], at_micros=AT)
    desk.hold(at_micros=AT)
    with pytest.raises(Refused, match="cap of a is breached"):
        desk.settle(at_micros=AT)
    assert desk.window.state is S.PENDING
    with pytest.raises(Refused, match="breaches no cap"):
        officer(desk, E.APPROVE, "b")
    with pytest.raises(Refused, match="without name or reason"):
        desk.by_officer(E.APPROVE, at_micros=AT, officer="", reason="x", participant="a")
    officer(desk, E.APPROVE, "a")
    assert desk.settle(at_micros=AT) == []
    assert sums(ledger, "b") == (0, 0)


def test_a_participant_suspended_in_mid_window_is_left_out_and_paid_when_it_is_back() -> None:
    _, ledger, desk = fresh()
    desk.take([claim(1, "a", "b", 60), claim(2, "c", "b", 5)], at_micros=AT)
    officer(desk, E.SUSPEND, "a")
    assert settle(desk) == ["CLAIMS_WAIT_SUSPENDED"]
    assert paid(ledger) == {claim(2, "c", "b", 5).id: 1}
    desk.open(replace(DAY, cycle=2))
    assert desk.window.suspended == {"a"}, "the next window knows it"
    assert settle(desk) == ["CLAIMS_WAIT_SUSPENDED"]
    desk.open(replace(DAY, cycle=3))
    officer(desk, E.RESUME, "a")
    assert settle(desk) == []
    assert set(paid(ledger).values()) == {1}


def test_nobody_is_suspended_in_a_pending_window_but_it_can_be_aborted() -> None:
    _, ledger, desk = fresh()
    desk.take([claim(1, "a", "b", 60)], at_micros=AT)
    desk.close([], at_micros=AT)
    desk.hold(at_micros=AT)
    with pytest.raises(Refused, match="abort the window, or settle it first"):
        officer(desk, E.SUSPEND, "a")
    officer(desk, E.ABORT)
    assert sums(ledger, "b") == (0, 60), "the order is void, the claim held"
    desk.open(replace(DAY, cycle=2))
    settle(desk)
    assert paid(ledger) == {claim(1, "a", "b", 60).id: 1}
    assert sums(ledger, "b") == (0, 0)


def test_a_claim_that_comes_twice_is_taken_once_and_one_that_was_changed_never() -> None:
    _, ledger, desk = fresh()
    one = claim(1, "a", "b", 60)
    desk.take([one, one], at_micros=AT)
    assert desk.take([one], at_micros=AT) == []
    with pytest.raises(Refused, match="another content"):
        desk.take([replace(one, amount=61)], at_micros=AT)
    settle(desk)
    desk.open(replace(DAY, cycle=2))
    assert [f.code for f in desk.take([one], at_micros=AT)] == ["CLAIM_SETTLED_BEFORE"]
    assert [f.code for f in desk.take([replace(one, amount=61)], at_micros=AT)] == ["CLAIM_CHANGED"]
    assert not desk.window.claims
    settle(desk)
    assert paid(ledger) == {one.id: 1}


def test_a_day_is_posted_at_once_or_settled_by_a_window_and_never_both() -> None:
    flow = Flow(kind=LineKind.CHARGE, payer="issuer", payee="bus", amount=700)
    _, ledger, desk = fresh()
    desk.take_day(DAY, [flow])
    settle(desk)

    class Netted:
        flows = (flow,)

    assert [f.code for f in post_day(ledger, DAY, Netted(), issuer="issuer")[1]] == [  # type: ignore[arg-type]
        "LEDGER_EXISTS_WITH_DIFFERENT_FLAGS"
    ]
    assert sums(ledger, "bus") == (0, 0)


def test_a_settled_window_and_one_with_the_same_date_are_closed_to_all() -> None:
    journal, _, desk = fresh()
    with pytest.raises(Refused, match="is open"):
        desk.open(replace(DAY, cycle=2))
    settle(desk)
    with pytest.raises(Refused, match="go on with the next window"):
        desk.take([claim(1, "a", "b", 1)], at_micros=AT)
    with pytest.raises(Usage, match="same date and cycle"):
        desk.open(DAY)
    other = WindowDesk(journal, MemoryLedger(), centre="cn.sz", chain="taxi", funds="cn.sz")
    with pytest.raises(Refused, match="no window yet"):
        _ = other.window
    with pytest.raises(Refused, match="date and cycle"):
        other.open(DAY)


def test_the_table_has_a_way_out_of_every_state_that_is_not_final() -> None:
    reached, todo = {S.OPEN}, [S.OPEN]
    while todo:
        state = todo.pop()
        for (old, _), new in WINDOW_STEPS.items():
            if old is state and new not in reached:
                reached.add(new)
                todo.append(new)
    assert reached == set(S)
    assert {old for old, _ in WINDOW_STEPS} == set(S) - {S.SETTLED, S.ABORTED}
    assert all((state, E.ABORT) in WINDOW_STEPS for state in (S.OPEN, S.CLOSED, S.PENDING))


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"event":"PAY"}', "\x00", '{"centre":"c"}'])
def test_a_journal_that_was_changed_is_refused(line: str) -> None:
    for read in (read_act, read_opening):
        with pytest.raises(Refused, match="no act of a window"):
            read(line, where="test")


def _script(desk: WindowDesk) -> None:
    """Two windows with all that can happen to claims; said twice it goes on where it was."""
    first, second = DAY, replace(DAY, cycle=2)
    steps = (
        lambda: desk.open(first),
        lambda: desk.take([claim(1, "a", "b", 60), claim(2, "c", "b", 5)], at_micros=AT),
        lambda: desk.take([claim(3, "b", "a", 7)], at_micros=AT),
        lambda: officer(desk, E.SUSPEND, "c"),
        lambda: desk.close([], at_micros=AT),
        lambda: desk.hold(at_micros=AT),
        lambda: officer(desk, E.ABORT),
        lambda: desk.open(second),
        lambda: officer(desk, E.RESUME, "c"),
        lambda: desk.close([], at_micros=AT),
        lambda: desk.hold(at_micros=AT),
        lambda: desk.settle(at_micros=AT),
    )
    for step in steps[_made(desk) :]:
        step()


def _made(desk: WindowDesk) -> int:
    """How many steps of the script are in the journal."""
    try:
        window = desk.window
    except Refused:
        return 0
    return window.acts + (1 if window.key.ordinal == 1 else 8)


def test_after_a_kill_at_any_write_the_ledger_is_what_it_would_have_been() -> None:
    whole = FusedLedger(Fuse())
    _script(desk_of(MemoryWindows(), whole))
    every = {t.id: t for account in whole.accounts() for t in whole.history(account.id)}
    kills = 0
    while True:
        fuse = Fuse(kills)
        journal, ledger = MemoryWindows(fuse), FusedLedger(fuse)
        try:
            _script(desk_of(journal, ledger))
            break
        except Killed:
            fuse.left = None
        desk = desk_of(journal, ledger)
        assert desk.recovered == []
        if _made(desk):
            assert set(ledger.lookup(list(desk.window.claims))) == set(desk.window.claims)
        _script(desk)
        assert {t.id: t for account in ledger.accounts() for t in ledger.history(account.id)} == every
        kills += 1
    assert kills > 25


acts = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 50)),
        st.tuples(st.sampled_from(["again", "close", "close", "hold", "settle", "settle", "abort", "open"])),
        st.tuples(st.sampled_from(["suspend", "resume", "approve"]), st.sampled_from("abc")),
        st.tuples(st.just("kill"), st.integers(0, 6)),
    ),
    min_size=5,
    max_size=40,
)
CAPS = (
    NetDebitCap(participant="a", limit=40),
    NetDebitCap(participant="b", limit=60, on_breach=OnBreach.OFFICER),
)


class World:
    """A desk that may be killed, and the claims that were asked of it."""

    def __init__(self) -> None:
        self.fuse = Fuse()
        self.journal, self.ledger = MemoryWindows(self.fuse), FusedLedger(self.fuse)
        self.asked: list[Claim] = []
        self.opened = 0
        self.desk = desk_of(self.journal, self.ledger)
        self.do("open")

    def do(self, name: str, *rest: object) -> None:
        """One act; what the table refuses does nothing, and after a kill a new desk takes over."""
        try:
            self._do(name, *rest)
        except (Refused, Usage):
            pass
        except Killed:
            self.fuse.left = None
            self.desk = desk_of(self.journal, self.ledger)
            assert self.desk.recovered == []

    def _do(self, name: str, *rest: object) -> None:
        match name:
            case "take":
                payer, payee, amount = rest
                if payer != payee:
                    self.asked.append(claim(len(self.asked) + 1, str(payer), str(payee), int(str(amount))))
                    self.desk.take(self.asked[-1:], at_micros=AT)
            case "again":
                self.desk.take(self.asked, at_micros=AT)
            case "close":
                self.desk.close(CAPS, at_micros=AT)
            case "hold" | "settle":
                assert getattr(self.desk, name)(at_micros=AT) == []
            case "open":
                self.opened += 1
                self.desk.open(replace(DAY, cycle=self.opened))
            case "kill":
                self.fuse.left = int(str(rest[0]))
            case _:
                officer(self.desk, WindowEvent[name.upper()], str(rest[0]) if rest else "")


@settings(max_examples=120, deadline=None)
@given(acts)
def test_killed_anywhere_every_claim_is_settled_once(steps: list[tuple[object, ...]]) -> None:
    world = World()
    for name, *rest in steps:
        world.do(str(name), *rest)
        done, here = paid(world.ledger), world.desk.window.claims
        assert set(done.values()) <= {1}
        if world.fuse.left is None:
            open_ = set() if world.desk.window.is_final else set(here)
            assert not open_ & set(done), "what is settled is in no open window"
    world.fuse.left = None
    world.do("again")
    for participant in "abc":
        world.do("resume", participant)
    for _ in range(len(world.asked) + 3):  # windows until nobody is left over
        for name in ("again", "close", "hold"):
            world.do(name)
        world.do("approve", "b")
        world.do("settle")
        world.do("open")
        for participant in "abc":
            world.do("resume", participant)
    left = {row.id for row in world.desk.window.claims.values()}
    done = paid(world.ledger)
    assert {one.id for one in world.asked} == left | set(done)
    assert not left & set(done)
    trial = trial_balance(world.ledger)
    assert trial.balances
    for code in "abc":
        if any(code in (one.payer, one.payee) for one in world.asked):
            waiting = [one for one in world.asked if one.id in left]
            pending = sum(one.amount * ((one.payee == code) - (one.payer == code)) for one in waiting)
            assert sums(world.ledger, code) == (0, pending)
