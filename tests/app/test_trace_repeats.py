"""A message is one thing for good. Goal: one id has one content, whatever changes between two tries.

Method: the rig of the tests of subscriptions, with eyes that see more the second time, queries that fail, owners who
are let in no more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from jinka.api.epcis_exchange import Caller
from jinka.codec.epcis import Event
from jinka.kit import Refused
from jinka.store.trace_query import EventQuery
from tests.app.test_trace_subscriptions import Hearer, Rig, hearer, rig, times_of

__all__ = ["hearer", "rig"]


def test_a_repeat_is_the_same_bytes_whatever_may_be_seen_meanwhile(rig: Rig, hearer: Hearer) -> None:
    hidden = 1

    class Eyes:
        def bounded(self, _: Caller) -> bool:
            return True

        def narrow(self, _: Caller, query: EventQuery) -> EventQuery:
            return query

        def show(self, _caller: Caller, events: Sequence[Event], _what: str) -> Sequence[Event]:
            return events[hidden:]

    rig.out = replace(rig.out, services=replace(rig.out.services, sight=Eyes()))
    rig.subscribe(hearer.url, owner="mill")
    rig.capture(1, 2)
    hearer.answer = lambda _: 500
    rig.deliver()
    hidden = 0  # another event made the first one the owner's as well
    for _ in range(3):
        rig.clock.pass_s(99)
        rig.deliver()
    assert hearer.times() == [[2]] * 4
    hearer.answer = lambda _: 200
    rig.clock.pass_s(999)
    rig.capture(3)
    assert rig.deliver() == 2
    assert hearer.times() == [[2]] * 5 + [[3]]
    contents: dict[str, set[bytes]] = {}
    for headers, body in hearer.heard:
        contents.setdefault(headers["webhook-id"], set()).add(body)
    assert [len(bodies) for bodies in contents.values()] == [1, 1]


def test_a_query_that_fails_is_told_under_an_id_of_its_own(
    rig: Rig, hearer: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.subscribe(hearer.url)
    rig.capture(1)
    with monkeypatch.context() as patched:

        def slow(*_: Any) -> Any:
            raise Refused("too long")

        patched.setattr("jinka.app.trace_subscriptions.find", slow)
        hearer.answer = lambda _: 500
        rig.deliver()
    hearer.answer = lambda _: 200
    rig.clock.pass_s(99)
    assert rig.deliver() == 1
    problem, told = hearer.heard
    assert json.loads(problem[1])["status"] >= 400
    assert times_of(json.loads(told[1])) == [1]
    assert problem[0]["webhook-id"] != told[0]["webhook-id"]


def test_an_owner_who_is_let_in_no_more_is_sent_nothing(rig: Rig, hearer: Hearer) -> None:
    rig.subscribe(hearer.url, owner="mill")
    rig.capture(1)
    hearer.answer = lambda _: 500
    rig.deliver()
    rig.clock.pass_s(99)
    rig.out = replace(rig.out, let_in=lambda owner: owner != "mill")
    assert rig.deliver() == 0
    assert len(hearer.heard) == 1
    assert rig.kept().outcome == "its owner is let in no more"
