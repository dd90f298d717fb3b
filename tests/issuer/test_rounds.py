"""Requests that share flushes at the issuer. Goal: fewer flushes, and yet nothing is decided otherwise or twice.

Method: rounds are looked at as data; commits of a real database are counted; and the power goes before each commit in
turn, over one list with all that hangs together, after which what was answered, booked and tried has to agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.issuer import AuthorisationRequest, Decision, Kind, Reason
from jinka.issuer.rounds import rounds
from jinka.store import SqlIssuerBooks, SqlLedger, open_database
from tests.issuer.host_rig import OPENING, OTHER, PAN, STRIPE_ONLY, Bank, pin_data, vault


class Killed(Exception):
    """The power went."""


@contextmanager
def commits(engine: sa.Engine, most: int = 1_000) -> Iterator[list[int]]:
    """Counts commits; the power goes before one more than ``most``."""
    seen: list[int] = []

    def at_commit(_: sa.Connection) -> None:
        if len(seen) >= most:
            raise Killed
        seen.append(1)

    sa.event.listen(engine, "commit", at_commit)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "commit", at_commit)


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], tuple[sa.Engine, Bank]]]:
    """Makes a bank on a new database, at each call."""
    engines: list[sa.Engine] = []

    def fresh() -> tuple[sa.Engine, Bank]:
        sqlite = request.param == "sqlite"
        where = tmp_path / f"{len(engines)}.db" if sqlite else request.getfixturevalue("fresh_postgres")()
        engine = open_database(where)
        engines.append(engine)
        ledger = SqlLedger(engine)
        return engine, Bank(books=SqlIssuerBooks(engine, vault(), ledger), ledger=ledger)

    yield fresh
    for engine in engines:
        engine.dispose()


def shape(requests: list[AuthorisationRequest]) -> list[list[list[int]]]:
    return [[[at for at, _ in wave] for wave in waves] for waves in rounds(requests)]


def test_what_has_nothing_in_common_shares_a_wave_and_one_card_follows_itself() -> None:
    bank = Bank()
    asked = [bank.ask(pan=pan) for pan in (PAN, PAN, OTHER, OTHER, PAN, STRIPE_ONLY)]
    assert shape(asked) == [[[0, 2, 5], [1, 3], [4]]]
    to_other = bank.ask(Kind.TRANSFER, receiver=OTHER)
    assert shape([to_other, bank.ask(pan=OTHER)]) == [[[0], [1]]], "who gets money has it before he pays"
    assert shape([]) == []


def test_a_round_ends_where_a_row_has_to_be_durable_by_itself() -> None:
    bank = Bank()
    with_pin = [bank.ask(pin=pin_data()) for _ in range(3)]
    assert shape(with_pin) == [[[0]], [[1]], [[2]]], "each try is taken when the one before it was compared"
    sale = bank.ask()
    back = bank.ask(Kind.REVERSAL, sale.amount_fen, original=sale.trace)
    assert shape([sale, sale]) == [[[0]], [[1]]]
    assert shape([sale, back]) == [[[0], [1]]]
    assert shape([back, sale]) == [[[0]], [[1]]], "the original behind its reversal"
    assert shape([sale, back, replace(sale, forced=True)]) == [[[0], [1]], [[2]]]


def mixed(bank: Bank) -> list[AuthorisationRequest]:
    """Purchases, a hold with its completion, a reversal, an advice without cover, PINs, a repeat."""
    sale, gone = bank.ask(fen=700), bank.ask(fen=300, pan=OTHER)
    hold = bank.ask(Kind.PREAUTHORISATION, 5_000)
    return [
        sale, gone, hold, bank.ask(fen=OPENING, pan=PAN),
        bank.ask(Kind.COMPLETION, 4_000, original=hold.trace),
        bank.ask(Kind.REVERSAL, 300, pan=OTHER, original=gone.trace),
        bank.ask(fen=2 * OPENING, pan=OTHER, forced=True),
        bank.ask(fen=50, pin=pin_data()), bank.ask(fen=60, pin=pin_data("000000")), sale,
    ]  # fmt: skip


OWED = 700 + 4_000 + 2 * OPENING + 50
CODES = ["00", "00", "00", "51", "00", "00", "00", "00", "55", "00"]


def assert_books(bank: Bank, answers: list[Decision]) -> None:
    assert [answer.code for answer in answers] == CODES
    assert bank.owed() == OWED
    assert bank.sums("A").debits_posted == 4_750
    assert bank.books.cards([PAN])[PAN].tries_left == 2
    assert not bank.books.unfinished()


def test_a_list_is_decided_as_if_one_came_after_the_other(
    opened: Callable[[], tuple[sa.Engine, Bank]],
) -> None:
    engine, bank = opened()
    with commits(engine) as flushes:
        answers = bank.host.decide_all(mixed(bank))
    assert len(flushes) == len(rounds(mixed(bank))) + 1 == 3
    assert_books(bank, answers)
    one_by_one = opened()[1]
    assert_books(one_by_one, [one_by_one.host.decide(request) for request in mixed(one_by_one)])


def test_two_flushes_do_however_many_requests_there_are(
    opened: Callable[[], tuple[sa.Engine, Bank]],
) -> None:
    engine, bank = opened()
    asked = [bank.ask(fen=1, pan=pan) for pan in (PAN, OTHER, STRIPE_ONLY) * 10]
    with commits(engine) as flushes:
        assert all(answer.approved for answer in bank.host.decide_all(asked))
    assert len(flushes) == 2
    assert bank.owed() == 30


@pytest.mark.parametrize("restart", [True, False])
def test_the_power_may_go_before_any_commit(
    opened: Callable[[], tuple[sa.Engine, Bank]], restart: bool
) -> None:
    for most in range(3):
        engine, bank = opened()
        requests = mixed(bank)
        with pytest.raises(Killed), commits(engine, most):
            bank.host.decide_all(requests)
        assert bank.books.cards([PAN])[PAN].tries_left == (2 if most else 3), "taken before it is compared"
        if restart:
            bank.ledger = SqlLedger(engine)
            bank.books = SqlIssuerBooks(engine, vault(), bank.ledger)
            bank.start().recover()
        answers = bank.host.decide_all(requests)
        assert not bank.books.unfinished()
        owed = {request.id: request.amount_fen for request, a in zip(requests, answers, strict=True)
                if a.approved and request.kind in (Kind.PURCHASE, Kind.COMPLETION)}  # fmt: skip
        taken_back = sum(r.amount_fen for r in requests if r.kind is Kind.REVERSAL and r.original_id in owed)
        assert bank.owed() == sum(owed.values()) - taken_back
        assert answers[6].approved, "what happened is booked whatever comes"
        again = bank.host.decide_all(requests)
        gone = "94" if answers[1].approved else answers[1].code  # it was reversed
        assert [a.code for a in again] == [answers[0].code, gone, *(a.code for a in answers[2:])]
        assert all(a.repeated for a in again)


def test_limits_see_what_the_same_list_and_earlier_ones_did() -> None:
    bank = Bank()
    sale = bank.ask(fen=100)
    bank.host.decide_all([sale, bank.ask(fen=200)])
    bank.back(sale)
    card = bank.books.bookings([sale.id])[sale.id].card
    [past] = bank.host._pasts.of({card}, 0, beside=set()).values()
    stored = bank.books.recent([card], 0, 1_000)[card]
    assert list(past.values()) == stored, "what is remembered is what is in the books"
    assert bank.host.decide(bank.ask(fen=1)).reason is Reason.APPROVED
