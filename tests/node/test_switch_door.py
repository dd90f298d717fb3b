"""Turns, shares and the door of a port, without sockets.

Method: lines that only count what they were let hand on, on a loop that runs a few turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jinka.node.switch_door import Door, Share, Turns


class Sending:
    """A line with so many messages to hand on."""

    def __init__(self, name: str, share: Share, waiting: int, told: list[str]) -> None:
        self.name, self.share, self.waiting, self.told = name, share, waiting, told
        self.queued = False
        self.closed = ""

    def deliver(self, count: int) -> None:
        assert 0 <= count <= self.waiting
        self.waiting -= count
        self.told += [self.name] * count

    def close(self, reason: str) -> None:
        self.closed, self.waiting = reason, 0


def never() -> bool:
    return False


def on_a_loop(act: Callable[[], Any], turns: int = 3) -> None:
    async def run() -> None:
        act()
        for _ in range(turns):
            await asyncio.sleep(0)

    asyncio.run(run())


def share(rate: float = 1.0, burst: float = 1_000.0) -> Share:
    return Share(rate, burst, asyncio.get_running_loop().time())


def test_who_sends_little_comes_between_those_who_flood() -> None:
    told: list[str] = []

    def act() -> None:
        turns, theirs = Turns(never), share()
        for _ in range(24):
            turns.ready(Sending("flood", theirs, 100, told))
        turns.ready(Sending("honest", share(), 3, told))

    on_a_loop(act)
    assert told.count("honest") == 3
    assert "honest" in told[:40], "peers take turns, however many lines one of them has"


def test_lines_of_one_peer_take_turns() -> None:
    told: list[str] = []

    def act() -> None:
        turns, theirs = Turns(never), share()
        for name in "abc":
            turns.ready(Sending(name, theirs, 100, told))

    on_a_loop(act)
    first = told[:96]
    assert {name: first.count(name) for name in "abc"} == {"a": 32, "b": 32, "c": 32}
    assert len(told) == 300


def test_a_rate_is_of_all_lines_together_and_other_peers_go_on() -> None:
    told: list[str] = []

    def act() -> None:
        turns, theirs = Turns(never), share(rate=0.001, burst=50)
        for _ in range(20):
            turns.ready(Sending("flood", theirs, 100, told))
        turns.ready(Sending("honest", share(), 60, told))

    on_a_loop(act, turns=10)
    assert (told.count("flood"), told.count("honest")) == (50, 60)


def test_what_was_held_back_goes_when_the_rate_allows_it() -> None:
    told: list[str] = []

    async def run() -> None:
        turns = Turns(never)
        turns.ready(Sending("late", share(rate=1_000.0, burst=5), 30, told))
        while len(told) < 30:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(run(), 20))
    assert told == ["late"] * 30


def test_nobody_has_a_turn_while_the_work_behind_has_enough_to_do() -> None:
    told: list[str] = []
    busy = True

    async def run() -> None:
        nonlocal busy
        turns = Turns(lambda: busy)
        turns.ready(Sending("a", share(), 5, told))
        await asyncio.sleep(0.01)
        assert not told
        busy = False
        while not told:
            await asyncio.sleep(0.001)

    asyncio.run(run())
    assert told == ["a"] * 5


def test_a_line_that_fails_is_closed_and_holds_up_nobody() -> None:
    told: list[str] = []
    made: list[Sending] = []

    class Failing(Sending):
        def deliver(self, count: int) -> None:
            raise RuntimeError(self.name)

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: told.append(str(context["exception"]))
        )
        turns, theirs = Turns(never), share()
        made.append(Failing("broken", theirs, 5, told))
        turns.ready(made[0])
        turns.ready(Sending("a", theirs, 2, told))
        for _ in range(4):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert told == ["broken", "a", "a"]
    assert made[0].closed == "fault"


def door(**more: Any) -> Door:
    given = {"rate": 500.0, "burst": 2_000, "lines_max": 3, "address_lines": 2} | more
    return Door(Turns(never), **given)


def test_a_port_has_so_many_lines_and_an_address_so_many_of_them() -> None:
    def act() -> None:
        port = door()
        assert [port.enter("10.0.0.1") for _ in range(3)] == ["", "", "too_many"]
        assert [port.enter("10.0.0.2") for _ in range(2)] == ["", "too_many"]
        port.leave("10.0.0.1")
        assert [port.enter("10.0.0.2"), port.enter("10.0.0.3"), port.lines] == ["", "too_many", 3]

    on_a_loop(act)


def test_a_new_line_brings_no_new_burst() -> None:
    def act() -> None:
        port = door()
        now = asyncio.get_running_loop().time()
        assert port.enter("10.0.0.1") == ""
        strangers = port.strangers("10.0.0.1")
        taken = strangers.allow(now, 10_000)
        assert taken < 2_000, "who has proven nothing has less than the peer"
        port.leave("10.0.0.1")
        assert port.enter("10.0.0.1") == ""
        assert port.strangers("10.0.0.1").allow(now, 10_000) == 0
        assert port.enter("10.0.0.2") == ""
        assert port.strangers("10.0.0.2").allow(now, 10_000) == taken
        assert port.share.allow(now, 10_000) == 2_000, "the peer's own is untouched"

    on_a_loop(act)


def test_an_address_whose_line_was_closed_waits_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        now = [loop.time()]
        port = door(lines_max=100, address_lines=100)
        monkeypatch.setattr(loop, "time", lambda: now[0])
        waits = []
        for _ in range(8):
            assert port.enter("10.0.0.1") == ""
            port.blame("10.0.0.1")
            assert port.enter("10.0.0.2") == "", "others come in"
            began = now[0]
            while port.enter("10.0.0.1") == "has_to_wait":
                now[0] += 0.5
            waits.append(now[0] - began)
        assert waits == [1, 2, 4, 8, 16, 32, 32, 32]
        port.praise("10.0.0.1")
        port.blame("10.0.0.1")
        now[0] += 1
        assert port.enter("10.0.0.1") == ""
        monkeypatch.undo()

    asyncio.run(run())


def test_addresses_are_not_kept_without_end() -> None:
    def act() -> None:
        port = door(lines_max=10**6)
        assert port.enter("there") == ""
        for number in range(5_000):
            assert port.enter(str(number)) == ""
            port.leave(str(number))
        assert len(port._addresses) <= 4_096
        port.leave("there")  # whose line stood is still known

    on_a_loop(act)
