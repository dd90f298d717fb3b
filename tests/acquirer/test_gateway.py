"""Orders: nothing charged twice, nothing refunded beyond what was taken. Method: the view against the ledger."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.acquirer import (
    STEPS,
    Ask,
    Busy,
    CardFacts,
    Conflict,
    Draft,
    Entry,
    Keyed,
    Kind,
    OrderState,
    Step,
)
from jinka.kit import JinkaError, NotFound, Refused, Usage
from jinka.store import database_at
from tests.acquirer.rig import CARD, MERCHANT, OTHER, PAN, Rig, rig

# What the engines might do differently is tried on both; what the rules say of orders, on one.
BOTH = pytest.mark.parametrize("engine", ["sqlite", "postgres"])


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def where(engine: str, request: pytest.FixtureRequest) -> Path | str:
    made: Path | str = request.getfixturevalue(f"fresh_{engine}")()
    return made


@pytest.fixture
def at(where: Path | str) -> Iterator[Rig]:
    with rig(where) as made:
        yield made


@BOTH
def test_a_purchase_and_its_refunds(at: Rig) -> None:
    order = at.order(1000)
    paid = at.gateway.pay(MERCHANT, order, CARD, at.keyed())
    assert (paid["state"], paid["captured_minor"], paid["card"]) == ("captured", 1000, "622848******0018")
    assert at.network.taken(PAN) == 1000
    assert at.gateway.refund(MERCHANT, order, at.keyed(), 300)["state"] == "refunded_partly"
    with pytest.raises(Refused) as error:
        at.gateway.refund(MERCHANT, order, at.keyed(), 701)
    assert error.value.fix == "at most 700 minor units"
    assert at.gateway.refund(MERCHANT, order, at.keyed())["state"] == "refunded"
    assert at.network.taken(PAN) == 0
    with pytest.raises(Refused):
        at.gateway.refund(MERCHANT, order, at.keyed(), 1)


@BOTH
def test_authorised_then_captured_for_less(at: Rig) -> None:
    order = at.order(1000, capture_later=True)
    assert at.gateway.pay(MERCHANT, order, CARD, at.keyed())["state"] == "authorised"
    assert at.network.taken(PAN) == 0
    with pytest.raises(Refused):
        at.gateway.refund(MERCHANT, order, at.keyed(), 1)
    with pytest.raises(Refused):
        at.gateway.capture(MERCHANT, order, at.keyed(), 1001)
    assert at.gateway.capture(MERCHANT, order, at.keyed(), 600)["captured_minor"] == 600
    assert at.network.taken(PAN) == 600
    assert at.network.balance(PAN).debits_pending == 0
    with pytest.raises(Refused):
        at.gateway.void(MERCHANT, order, at.keyed())
    assert at.gateway.refund(MERCHANT, order, at.keyed())["state"] == "refunded"


@pytest.mark.parametrize("later", [False, True])
def test_a_void_takes_everything_back(at: Rig, later: bool) -> None:
    order = at.order(1000, capture_later=later)
    at.gateway.pay(MERCHANT, order, CARD, at.keyed())
    assert at.gateway.void(MERCHANT, order, at.keyed())["state"] == "voided"
    assert (at.network.taken(PAN), at.network.balance(PAN).debits_pending) == (0, 0)


def test_an_order_that_nobody_paid(at: Rig) -> None:
    assert at.gateway.void(MERCHANT, at.order(), at.keyed())["state"] == "voided"
    late = at.order()
    at.clock.pass_s(1801)
    with pytest.raises(Refused):
        at.gateway.pay(MERCHANT, late, CARD, at.keyed())
    at.gateway.settle()
    assert at.gateway.read(MERCHANT, late)["state"] == "expired"


def test_a_declined_card_leaves_the_order_open_for_another_a_few_times(at: Rig) -> None:
    order = at.order(1000)
    poor = CardFacts(pan=OTHER, expiry4="3012", entry=Entry.TYPED)
    for attempt in range(1, 5):
        answer = at.gateway.pay(MERCHANT, order, poor, at.keyed())
        assert (answer["state"], answer["code"], answer["attempts"]) == ("created", "51", attempt)
    assert at.gateway.pay(MERCHANT, order, poor, at.keyed())["state"] == "failed"
    with pytest.raises(Refused):
        at.gateway.pay(MERCHANT, order, CARD, at.keyed())


@BOTH
def test_a_key_gets_its_first_answer_and_no_other_body(at: Rig) -> None:
    order = at.order(1000)
    key = Keyed(key="pay-1", what={"order": order.hex()})
    first = at.gateway.pay(MERCHANT, order, CARD, key)
    at.gateway.refund(MERCHANT, order, at.keyed(), 100)
    assert at.gateway.pay(MERCHANT, order, CARD, key) == first
    assert at.restarted().pay(MERCHANT, order, CARD, key) == first
    with pytest.raises(Conflict):
        at.gateway.pay(MERCHANT, order, CARD, Keyed(key="pay-1", what={"order": "another"}))
    assert at.network.taken(PAN) == 900
    draft = Draft(reference="T", amount_minor=1)
    again = Keyed(key="make-1", what={})
    assert at.gateway.create(MERCHANT, draft, again) == at.gateway.create(MERCHANT, draft, again)
    for bad in ("", "x" * 129, "漢"):
        with pytest.raises(Usage):
            at.gateway.create(MERCHANT, draft, Keyed(key=bad, what={}))


class Killed(BaseException):
    """The process is gone."""


@BOTH
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_the_network_is_asked(at: Rig, moment: str) -> None:
    order, key = at.order(1000), Keyed(key="pay-1", what={})

    def kill(ask: Ask) -> str:
        at.network.lose = lambda _: ""
        if moment == "after":
            at.network.authorise(ask)
        raise Killed

    at.network.lose = kill
    with pytest.raises(Killed):
        at.gateway.pay(MERCHANT, order, CARD, key)
    other = at.restarted()
    with pytest.raises(Busy):
        other.pay(MERCHANT, order, CARD, key)
    with pytest.raises(Refused):
        other.pay(MERCHANT, order, CARD, at.keyed())
    assert other.settle(at_start=True) == 1
    seen = other.pay(MERCHANT, order, CARD, key)
    assert seen["state"] == ("captured" if moment == "after" else "created")
    assert at.network.taken(PAN) == seen["captured_minor"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", list(Kind))
def test_an_answer_that_is_lost(at: Rig, kind: Kind, moment: str) -> None:
    later = kind in (Kind.AUTHORISE, Kind.CAPTURE)
    order = at.order(1000, capture_later=later)
    acts: dict[Kind, Any] = {
        Kind.CAPTURE: lambda: at.gateway.capture(MERCHANT, order, at.keyed(), 700),
        Kind.VOID: lambda: at.gateway.void(MERCHANT, order, at.keyed()),
        Kind.REFUND: lambda: at.gateway.refund(MERCHANT, order, at.keyed(), 400),
    }
    if kind in acts:
        at.gateway.pay(MERCHANT, order, CARD, at.keyed())
    at.network.lose = lambda _: moment
    answer = acts.get(kind, lambda: at.gateway.pay(MERCHANT, order, CARD, at.keyed()))()
    assert answer["state"] == "unknown"
    for act in (*acts.values(), lambda: at.gateway.pay(MERCHANT, order, CARD, at.keyed())):
        with pytest.raises(Refused):
            act()
    at.network.lose = lambda _: ""
    at.clock.pass_s(31)
    at.network.dark = True
    assert at.gateway.settle() == 0
    assert at.gateway.read(MERCHANT, order)["state"] == "unknown"
    at.network.dark = False
    assert at.gateway.settle() == 1
    assert at.gateway.settle() == 0
    wanted = {
        Kind.AUTHORISE: "authorised", Kind.PURCHASE: "captured", Kind.CAPTURE: "captured", Kind.VOID: "voided",
        Kind.REFUND: "refunded_partly",
    }[kind]  # fmt: skip
    if moment == "before" and kind in (Kind.AUTHORISE, Kind.PURCHASE):
        wanted = "created"  # taken back at the network before anything else may happen
    found = at.gateway.read(MERCHANT, order)
    assert found["state"] == wanted
    assert at.network.taken(PAN) == found["captured_minor"] - found["refunded_minor"]


def test_a_payment_that_comes_late_is_refused_by_the_network(at: Rig) -> None:
    order = at.order(1000)
    at.network.lose = lambda _: "before"
    at.gateway.pay(MERCHANT, order, CARD, at.keyed())
    with at.books.desk() as desk:
        late = desk.operations(order)[0]
    at.network.lose = lambda _: ""
    at.clock.pass_s(31)
    at.gateway.settle()
    answer = at.network.authorise(Ask(operation=late, merchant=MERCHANT, currency="CNY", card=CARD))
    assert (answer.code, at.network.taken(PAN)) == ("98", 0)


@BOTH
def test_a_token_is_the_merchants_alone_and_can_be_taken_back(at: Rig) -> None:
    from dataclasses import replace

    stranger = replace(MERCHANT, id="other", key_hash=b"x" * 32)
    with at.books.desk() as desk:
        desk.put_merchant(stranger)
    token = at.gateway.keep_card(MERCHANT, CARD)
    assert at.gateway.keep_card(MERCHANT, CARD).id == token.id != at.gateway.keep_card(stranger, CARD).id
    order = at.order(1000)
    assert at.gateway.pay_by_token(MERCHANT, order, token.id, at.keyed())["state"] == "captured"
    with pytest.raises(NotFound):
        at.gateway.pay_by_token(stranger, order, token.id, at.keyed())
    with pytest.raises(NotFound):
        at.gateway.read(stranger, order)
    at.gateway.forget_card(MERCHANT, token.id)
    with pytest.raises(NotFound):
        at.gateway.pay_by_token(MERCHANT, at.order(), token.id, at.keyed())
    assert at.gateway.refund(MERCHANT, order, at.keyed())["state"] == "refunded"


def held(where: Path | str) -> bytes:
    """All that a database holds, as its file says it and as its tables do."""
    import sqlalchemy as sa

    said = list[bytes]()
    with database_at(where) as engine, engine.connect() as connection:
        for name in sa.inspect(engine).get_table_names():
            for row in connection.execute(sa.text(f"SELECT * FROM {name}")):
                said += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    files = where.parent.iterdir() if isinstance(where, Path) else ()
    return b"\n".join([*said, *(path.read_bytes() for path in files)])


@BOTH
def test_no_card_number_is_in_the_database_or_in_words(at: Rig, where: Path | str) -> None:
    order = at.order(1000)
    at.gateway.pay(MERCHANT, order, CARD, at.keyed(), keep=True)
    stored = held(where)
    assert b"622848******0018" in stored
    for secret in (PAN, PAN[6:-4]):
        assert secret.encode() not in stored
        assert bytes.fromhex(secret + "f" * (len(secret) % 2)) not in stored
        assert secret not in repr((CARD, at.network.asked, at.gateway.read(MERCHANT, order)))
    with pytest.raises(Usage) as error:
        at.gateway.pay(MERCHANT, at.order(), CardFacts(pan=PAN[:-1] + "7", expiry4="3012", entry=Entry.TYPED),
                       at.keyed())  # fmt: skip
    assert PAN[:-1] not in str(error.value)


def test_a_row_of_the_vault_that_was_moved_is_refused(at: Rig) -> None:
    from dataclasses import replace

    token = at.gateway.keep_card(MERCHANT, CARD)
    assert at.vault.open(token) == (PAN, "3012")
    for forged in (replace(token, merchant="other"), replace(token, id=b"y" * 16)):
        with pytest.raises(Refused):
            at.vault.open(forged)


@BOTH
def test_every_change_is_in_the_outbox_once(at: Rig) -> None:
    order = at.order(1000)
    at.gateway.pay(MERCHANT, order, CARD, at.keyed())
    at.gateway.refund(MERCHANT, order, at.keyed(), 10)
    with at.books.desk() as desk:
        kinds = [callback.kind for callback in desk.due_callbacks(at.clock.micros, 10)]
    assert kinds == ["order.captured", "order.refunded_partly"]


def test_the_table_ends_and_forgets_nothing() -> None:
    ends = {OrderState.VOIDED, OrderState.REFUNDED, OrderState.FAILED, OrderState.EXPIRED}
    assert not [state for state, _ in STEPS if state in ends]
    assert set(OrderState) - ends == {state for state, _ in STEPS}
    assert {step for _, step in STEPS} == set(Step)


_ACT = st.tuples(
    st.sampled_from(["pay", "capture", "refund", "void", "settle", "again"]),
    st.integers(min_value=0, max_value=1200),
    st.sampled_from(["", "", "before", "after"]),
)


@settings(max_examples=40, deadline=None)
@given(st.booleans(), st.lists(_ACT, max_size=9))
def test_whatever_is_done_the_books_agree(later: bool, acts: list[tuple[str, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, rig(Path(folder) / "g.db") as at:
        order, key = at.order(1000, capture_later=later), at.keyed()
        for name, amount, lost in acts:
            at.network.lose = lambda _, lost=lost: lost
            if name != "again":
                key = at.keyed()
            try:
                if name in ("pay", "again"):
                    at.gateway.pay(MERCHANT, order, CARD, key)
                elif name == "void":
                    at.gateway.void(MERCHANT, order, key)
                elif name == "settle":
                    at.clock.pass_s(31)
                    at.gateway.settle()
                else:
                    getattr(at.gateway, name)(MERCHANT, order, key, amount)
            except JinkaError:
                continue
        at.network.lose = lambda _: ""
        at.clock.pass_s(31)
        at.gateway.settle()
        found = at.gateway.read(MERCHANT, order)
        assert found["state"] not in ("unknown", "pending")
        assert at.network.taken(PAN) == found["captured_minor"] - found["refunded_minor"]
        held = found["authorised_minor"] if found["state"] == "authorised" else 0
        assert at.network.balance(PAN).debits_pending == held
        assert 0 <= found["refunded_minor"] <= found["captured_minor"] <= 1000


@BOTH
def test_doubts_that_cannot_be_settled_keep_no_others_waiting(at: Rig) -> None:
    orders = [at.order(1) for _ in range(12)]
    at.network.lose = lambda _: "after"
    for order in orders:
        assert at.gateway.pay(MERCHANT, order, CARD, at.keyed())["state"] == "unknown"
    with at.books.desk() as desk:
        seen = {found.id for _ in range(60) for found in desk.unresolved(0, 3)}
    assert len(seen) == len(orders)
