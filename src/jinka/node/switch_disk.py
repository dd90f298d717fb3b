"""The switch's journal in a thread of its own: what has come is written in one flush, and the next begins at once.

The thread takes its work itself, so a loop that is busy does not keep the disk waiting, and a slow disk does not keep
the loop. What one turn of the loop has to write is handed over together. Answers come back in the order of the flushes.
After a failure nothing more is written or answered. What a flush means to the disk is `jinka.store`'s.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable

from jinka.kit import Clock
from jinka.store import SwitchJournal
from jinka.store.switch_journal import Prepared
from jinka.switch import Event, Found, LookUp, Write, Written

_GROUP_MAX = 4_096  # effects in one flush

_Asked = list[tuple[Write, Prepared] | LookUp]


class JournalThread:
    """``answered`` gets the events of each flush, ``failed`` what ended it; both are called in the loop."""

    def __init__(
        self,
        journal: SwitchJournal,
        clock: Clock,
        *,
        answered: Callable[[list[Event]], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._journal, self._clock, self._answered, self._failed = journal, clock, answered, failed
        self._queue: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._collected: _Asked = []
        self._outstanding = 0
        self._dead = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._copying: threading.Thread | None = None
        self.flushes = self.written = 0
        self.seconds = 0.0
        self.flushed_at_micros = 0  # the end of the last flush, UTC

    @property
    def waiting(self) -> int:
        """Effects that are not on the disk, or not found, yet."""
        return self._outstanding + len(self._collected)

    def ask(self, effect: Write | LookUp) -> None:
        """Do it with all that is asked in this turn of the loop."""
        loop = self._running()
        if self._dead:
            return
        try:
            asked = (effect, self._journal.prepare(effect.entries)) if isinstance(effect, Write) else effect
        except Exception as error:  # what cannot be kept must not be answered, and stays undecided
            loop.call_soon(self._die, error)
            return
        if not self._collected:
            loop.call_soon(self._hand_over)
        self._collected.append(asked)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread.start()
        return self._loop

    def _hand_over(self) -> None:
        asked, self._collected = self._collected, []
        self._outstanding += len(asked)
        self._queue.put(asked)

    def _work(self) -> None:
        loop = self._running()
        ended = False
        while not ended and (asked := self._queue.get()) is not None:
            while len(asked) < _GROUP_MAX and not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    ended = True
                    break
                asked += more
            try:
                events = self._done(asked)
            except Exception as error:  # whatever the engine raises: what is not kept must not be answered
                loop.call_soon_threadsafe(self._die, error)
                return
            loop.call_soon_threadsafe(self._tell, events)
            if self._journal.log.due and (self._copying is None or not self._copying.is_alive()):
                self._copying = threading.Thread(target=self._shorten, name="journal-log", daemon=True)
                self._copying.start()

    def _shorten(self) -> None:
        try:
            self._journal.log.shorten()
        except Exception as error:  # a log that only grows is noticed too late
            self._running().call_soon_threadsafe(self._die, error)

    def _done(self, asked: _Asked) -> list[Event]:
        writes = [effect for effect in asked if isinstance(effect, tuple)]
        events: list[Event] = []
        if writes:
            began = time.perf_counter()
            clashes = self._journal.write_prepared([prepared for _, prepared in writes])
            self.seconds += time.perf_counter() - began
            self.flushes += 1
            self.written += len(writes)
            self.flushed_at_micros = self._clock.now_micros()
            events += [
                Written(token=effect.token, clashes=clash)
                for (effect, _), clash in zip(writes, clashes, strict=True)
            ]
        for effect in asked:
            if isinstance(effect, LookUp):
                events.append(Found(token=effect.token, record=self._journal.find(effect.tx)))
        return events

    def _tell(self, events: list[Event]) -> None:
        self._outstanding -= len(events)
        if not self._dead:
            self._answered(events)

    def _die(self, error: BaseException) -> None:
        self._dead = True
        self._failed(error)

    async def stop(self) -> None:
        """Write what is waiting, answer it, and end the thread."""
        while (self._collected or self._outstanding) and not self._dead:
            await asyncio.sleep(0.001)
        if self._loop is not None:
            self._queue.put(None)
            self._thread.join()
        if self._copying is not None:
            self._copying.join()
