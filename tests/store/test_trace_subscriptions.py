"""Subscriptions on SQLite and PostgreSQL. Goal: what is on the disk is what was decided, and ends with its query."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jinka.store import database_at
from jinka.store.trace_subscriptions import DeliveryTurn, SubscriptionBooks
from jinka.trace.schedule import read_schedule
from jinka.trace.subscriptions import State, Subscription, begun, failed, offering, taken

ONE = begun(
    Subscription(
        id="a", query="q", owner="farm", dest="https://x.example/", sealed_token=b"\0\1", created_micros=5,
        initial_micros=5, acknowledged=4,
    )
)  # fmt: skip
DAILY = begun(
    replace(ONE, id="b", schedule=read_schedule({"hour": "1"}), report_if_empty=True, epc_format="x")
)


def test_a_subscription_is_kept_as_it_was_decided(where: Path | str) -> None:
    with database_at(where) as database:
        books = SubscriptionBooks(database)
        books.add(ONE)
        books.add(DAILY)
        assert books.one("q", "a") == ONE
        assert books.listed("q", "farm", "", 9) == [ONE, DAILY]
        assert books.listed("q", "farm", "a", 9) == [DAILY]
        assert books.listed("q", "mill", "", 9) == []
        assert books.one("other", "a") is None
        assert [one.id for one in books.due(5, 5, 9)] == ["a"]
        assert [one.id for one in books.due(3_600_000_000, 5, 9)] == ["a", "b"]
        assert books.due(5, 4, 9) == []  # it has looked at every event that there is
        tried = failed(offering(ONE, 17), 9, "HTTP 500")
        assert books.save(tried)
        assert books.one("q", "a") == tried
        assert books.due(9, 99, 9) == []
        assert books.save(replace(tried, state=State.HALTED, next_micros=0))
        assert books.due(9, 99, 9) == []
        assert (books.count("farm"), books.count("mill")) == (2, 0)


def test_what_was_ended_is_not_written_again(where: Path | str) -> None:
    with database_at(where) as database:
        books = SubscriptionBooks(database)
        books.add(ONE)
        books.add(DAILY)
        assert not books.remove("other", "a")
        assert books.remove("q", "a")
        assert not books.save(taken(offering(ONE, 9), 9, more=False))
        assert books.one("q", "a") is None
        assert books.remove_of("q") == 1
        assert books.listed("q", "farm", "", 9) == []


def test_the_same_events_are_the_same_message_until_they_were_taken() -> None:
    first = offering(ONE, 17)
    again = failed(failed(first, 9, "x"), 10, "y")
    assert again.message_id(b"told") == first.message_id(b"told") != first.message_id(b"other")
    assert [again.next_micros, again.attempts] == [10 + 5_000_000, 2]
    done = taken(again, 20, more=False)
    assert (done.acknowledged, done.offered, done.attempts, done.notified_micros) == (17, 0, 0, 20)
    assert offering(done, 17).message_id(b"told") != first.message_id(b"told")


def test_what_is_under_way_is_kept_as_it_was_and_goes_with_its_end(where: Path | str) -> None:
    with database_at(where) as database:
        books = SubscriptionBooks(database)
        books.add(ONE)
        assert books.message("a") == b""
        assert books.offer(offering(ONE, 17), b"what was told " * 99)
        assert books.save(failed(offering(ONE, 17), 9, "HTTP 500"))
        assert books.message("a") == b"what was told " * 99
        assert books.one("q", "a") == failed(offering(ONE, 17), 9, "HTTP 500")
        assert books.save(taken(offering(ONE, 17), 9, more=False))
        assert books.message("a") == b""
        assert not books.offer(replace(ONE, id="gone"), b"x")


def test_one_of_several_processes_has_the_turn_until_it_ends(where: Path | str) -> None:
    with database_at(where) as one, database_at(where) as other:
        first, second = DeliveryTurn(one), DeliveryTurn(other)
        assert [first.held(), second.held(), first.held()] == [True, False, True]
        first.close()
        assert [second.held(), first.held()] == [True, False]
        second.close()
