"""The switch's timers fire once, in order, never early, and not when they were stopped. Method: a loop's own clock."""

from __future__ import annotations

import asyncio
import random

from jinka.node.switch_timers import Timers


class Loop:
    """A loop whose time is turned by hand; the only thing that it knows is `call_at`."""

    def __init__(self) -> None:
        self.now, self.calls = 0.0, list[asyncio.TimerHandle]()
        self.handles = 0

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: object, *args: object) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, asyncio.get_running_loop())
        self.calls.append(handle)
        self.handles += 1
        return handle

    def turn(self, until: float) -> None:
        while due := sorted(h for h in self.calls if h.when() <= until and not h.cancelled()):
            self.calls.remove(due[0])
            self.now = max(self.now, due[0].when())
            due[0]._run()
        self.now = until


def test_each_fires_once_at_its_end_and_the_stopped_do_not() -> None:
    async def live() -> None:
        loop, dice = Loop(), random.Random(1)
        fired: list[tuple[float, int]] = []
        timers = Timers(lambda token: fired.append((loop.now, token)))
        timers._loop = loop
        ends: dict[int, float] = {}
        for token in range(500):
            after_ms = dice.choice((10, 200, 200, 15_000))
            timers.start(token, after_ms)
            ends[token] = loop.now + after_ms / 1000
            if dice.random() < 0.8:
                gone = dice.choice(list(ends))
                if ends[gone] > loop.now:
                    timers.stop(gone)
                    del ends[gone]
            timers.stop(10_000)  # never started
            loop.turn(loop.now + 0.003)
        loop.turn(60.0)
        assert [token for _, token in fired] == sorted(ends, key=lambda token: (ends[token], token))
        assert all(abs(at - ends[token]) < 1e-6 for at, token in fired)
        assert loop.handles < 500  # one timer of the loop serves many

    asyncio.run(live())


def test_what_fires_may_start_and_stop_others_and_nothing_fires_after_the_end() -> None:
    async def live() -> None:
        fired: list[int] = []

        def hear(token: int) -> None:
            fired.append(token)
            if token == 1:
                timers.stop(2)
                timers.start(3, 1)

        timers = Timers(hear)
        timers.start(1, 1)
        timers.start(2, 1)
        timers.start(4, 60_000)
        await asyncio.sleep(0.02)
        assert fired == [1, 3]
        timers.start(5, 1)
        timers.close()
        await asyncio.sleep(0.01)
        assert fired == [1, 3]

    asyncio.run(live())
