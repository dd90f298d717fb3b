"""The switch's timers: thousands run at once, nearly all are stopped long before they end, and few lengths occur.

So the timers of one length stand in a queue in the order of their ends, and the loop has one timer of its own, for the
first end of all. Starting and stopping cost no search. A timer fires no earlier than its end, in the loop's time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

_Queue = deque[tuple[float, int]]  # end, token


class Timers:
    """``fired`` hears of each token whose time is over and that was not stopped."""

    def __init__(self, fired: Callable[[int], None]) -> None:
        self._fired = fired
        self._queues: dict[int, _Queue] = {}  # by length in milliseconds
        self._running: dict[int, _Queue] = {}  # by token
        self._next: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, token: int, after_ms: int) -> None:
        """Let a token fire after a while."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        queue = self._queues.get(after_ms)
        if queue is None:
            queue = self._queues[after_ms] = deque()
        end = self._loop.time() + after_ms / 1000
        queue.append((end, token))
        self._running[token] = queue
        if self._next is None or end < self._next.when():
            self._wake(self._loop, end)

    def stop(self, token: int) -> None:
        """Forget a token, if it runs."""
        queue = self._running.pop(token, None)
        while queue and queue[0][1] not in self._running:
            queue.popleft()

    def close(self) -> None:
        """Let nothing fire any more."""
        self._running.clear()
        self._queues.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wake(self, loop: asyncio.AbstractEventLoop, end: float) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = loop.call_at(end, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Fire what is over; wake for the next."""
        self._next = None
        now = loop.time()
        over: list[tuple[float, int]] = []
        for length, queue in list(self._queues.items()):
            while queue and (queue[0][0] <= now or queue[0][1] not in self._running):
                over.append(queue.popleft())
            if not queue:
                del self._queues[length]
        for _, token in sorted(over):
            if self._running.pop(token, None) is not None:
                self._fired(token)
        first = min((queue[0][0] for queue in self._queues.values() if queue), default=None)
        if first is not None and (self._next is None or first < self._next.when()):
            self._wake(loop, first)
