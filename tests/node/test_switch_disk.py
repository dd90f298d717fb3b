"""The journal's thread writes what has come in one flush, answers in order, and ends with the first failure.

Method: a journal in memory that can be held, slowed and broken.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from jinka.kit import JinkaError, make_id
from jinka.node.switch_disk import JournalThread
from jinka.node.system import SystemClock
from jinka.store import SwitchJournal
from jinka.switch import Entity, Event, Found, LookUp, Record, Write, Written
from jinka.switch.record import entry_of
from tests.switch.ground import DATE, request


class _Log:
    due = False


class Journal:
    """What the thread calls; ``gate`` holds a flush."""

    def __init__(self) -> None:
        self.log, self.gate, self.broken = _Log(), threading.Event(), ""
        self.groups: list[int] = []
        self.gate.set()

    def prepare(self, entries: Any) -> Any:
        if self.broken == "prepare":
            raise JinkaError("no room", where="test")
        return entries

    def write_prepared(self, writes: list[Any]) -> list[dict[bytes, Record]]:
        self.gate.wait(10)
        if self.broken == "write":
            raise OSError("no space")
        self.groups.append(len(writes))
        return [{} for _ in writes]

    def find(self, id_: bytes) -> Record | None:
        return None


def _write(token: int) -> Write:
    record = Record(
        entity=Entity.TRANSACTION, id=make_id("test", token), version=1, state="routed", kind="purchase",
        source="till", target="bank", at_micros=1, business_date=DATE, request=request(token),
    )  # fmt: skip
    return Write(token=token, entries=(entry_of(record),))


def _live(story: Callable[[Journal, JournalThread, list[Event], list[BaseException]], Any]) -> None:
    async def live() -> None:
        journal, events, failures = Journal(), list[Event](), list[BaseException]()
        made: Any = journal
        typed: SwitchJournal = made
        thread = JournalThread(typed, SystemClock(), answered=events.extend, failed=failures.append)
        await story(journal, thread, events, failures)
        await asyncio.wait_for(thread.stop(), 10)

    asyncio.run(live())


async def _until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


def test_what_comes_during_a_flush_is_the_next_flush() -> None:
    async def story(
        journal: Journal, thread: JournalThread, events: list[Event], failures: list[BaseException]
    ) -> None:
        journal.gate.clear()
        thread.ask(_write(1))
        thread.ask(_write(2))
        await asyncio.sleep(0.02)  # the thread has them
        for token in range(3, 40):
            thread.ask(_write(token))
            await asyncio.sleep(0)
        thread.ask(LookUp(token=40, tx=bytes(16)))
        await asyncio.sleep(0.01)
        assert events == []
        journal.gate.set()
        await _until(lambda: len(events) == 40)
        assert journal.groups == [2, 37]
        assert (thread.flushes, thread.written) == (2, 39)
        assert events[:39] == [Written(token=token, clashes={}) for token in range(1, 40)]
        assert events[39] == Found(token=40, record=None)
        thread.ask(_write(41))
        await thread.stop()  # writes what waits
        assert events[40] == Written(token=41, clashes={})
        assert failures == []

    _live(story)


@pytest.mark.parametrize("where", ["prepare", "write"])
def test_after_a_failure_nothing_is_answered(where: str) -> None:
    async def story(
        journal: Journal, thread: JournalThread, events: list[Event], failures: list[BaseException]
    ) -> None:
        thread.ask(_write(1))
        await _until(lambda: events)
        journal.broken = where
        thread.ask(_write(2))
        await _until(lambda: failures)
        journal.broken = ""
        thread.ask(_write(3))
        await asyncio.sleep(0.02)
        assert events == [Written(token=1, clashes={})]

    _live(story)
