"""Tickets that were used more often than they were sold.

Goal: two reports of one use are found in whatever order they come, and nothing else is. Method: uses made by hand.
"""

from __future__ import annotations

import datetime as dt
from itertools import permutations

from jinka.clearing.tickets import TicketUse, used_twice


def _use(ticket: str, left: int, gate: str, minute: int) -> TicketUse:
    at = dt.datetime(2026, 3, 9, 8, minute)
    return TicketUse(ticket=ticket, left=left, card_no=bytes(10), gate=gate, at=at)


def test_the_same_use_at_two_gates_is_found_in_any_order_and_the_earlier_counts() -> None:
    uses = [_use("E1", 1, "east", 10), _use("E1", 1, "west", 12), _use("E2", 1, "east", 11)]
    for order in permutations(uses):
        (found,) = used_twice(order)
        assert (found.first, found.again) == (uses[0], (uses[1],))
    assert "E1" in repr(uses[0])


def test_uses_of_a_ticket_for_many_and_repeated_reports_are_no_double_use() -> None:
    uses = [_use("E1", 2, "east", 10), _use("E1", 1, "west", 12)]
    assert used_twice([*uses, *uses]) == []
    (found,) = used_twice([*uses, _use("E1", 2, "west", 13), _use("E1", 2, "north", 14)])
    assert [use.gate for use in found.again] == ["west", "north"]
