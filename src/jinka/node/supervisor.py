"""Processes that belong together: started in order, started again when they die, stopped in the opposite order.

A part is a program that prints one JSON object when it is ready (as every ``serve`` of Jinka does), serves until
SIGTERM, and reads nothing: its standard input is the line to this process, at whose end it stops (`end_with_parent`),
so nothing is left running when this one is killed. What others lean on takes them along when it dies: they are started
again after it. Nothing here knows what the parts do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinka.kit import JinkaError

READY_S = 120.0  # from a start to the word that it is ready
STOP_S = 40.0  # from SIGTERM to the end; then it is killed
FALSE_STARTS = 2  # of a part that never came up: what an earlier process held may be free by then
_SETTLE_S = 0.1
_LINE_MAX = 4096
_TOLD_MAX = 1 << 20

Tell = Callable[[str, str, Mapping[str, Any]], None]  # part, event, facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process. ``leans_on`` names parts that must be ready before it, and whose death ends it too."""

    name: str
    command: tuple[str, ...]
    leans_on: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Restarts:
    """How long to wait before a part is started again: twice as long each time, until it has lived for a while.

    None: too many deaths in a row, it is given up; one that was never ready is given up sooner (`FALSE_STARTS`).
    """

    first_s: float = 0.25
    most_s: float = 30.0
    tries: int = 6
    calm_s: float = 60.0
    _deaths: int = field(default=0, init=False)

    def died(self, lived_s: float) -> float | None:
        """The wait after a life of so many seconds."""
        self._deaths = 1 if lived_s >= self.calm_s else self._deaths + 1
        if self._deaths > self.tries:
            return None
        return min(self.most_s, self.first_s * 2.0 ** (self._deaths - 1))


def end_with_parent() -> None:
    """Stop this process, as SIGTERM does, when its standard input ends: for a part, before anything else."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class _Running:
    """A part and what became of it."""

    def __init__(self, part: Part, restarts: Restarts) -> None:
        self.part, self.restarts = part, restarts
        self.process: asyncio.subprocess.Process | None = None
        self.ready = asyncio.Event()
        self.once_ready = False
        self.false_starts = 0
        self.taken_along = False
        self.last_word = ""


class Supervisor:
    """Runs parts until `stop`; raises from `run` when one of them is given up."""

    def __init__(
        self, parts: Sequence[Part], tell: Tell, restarts: Callable[[], Restarts] = Restarts
    ) -> None:
        self._all = {part.name: _Running(part, restarts()) for part in parts}
        self._tell = tell
        self._stopped = asyncio.Event()
        self._given_up: BaseException | None = None
        self.facts: dict[str, dict[str, Any]] = {}

    async def run(self, all_ready: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        """Start all, keep them up, and stop them in the opposite order; ``all_ready`` is told once."""
        tasks = [asyncio.create_task(self._keep(each)) for each in self._all.values()]
        tasks.append(asyncio.create_task(self._say_ready(all_ready)))
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            await self._stopped.wait()
        finally:
            self._stopped.set()
            for each in reversed(self._all.values()):
                await self._end(each)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in self._all.values():  # one that was being started meanwhile
                await self._end(each)
        if self._given_up is not None:
            raise self._given_up

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopped.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that fails leaves a part without its keeper: that must not go unseen."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._given_up = self._given_up or error
            self._stopped.set()

    async def _say_ready(self, all_ready: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        for each in self._all.values():
            await each.ready.wait()
        all_ready(dict(self.facts))

    async def _keep(self, each: _Running) -> None:
        while not self._stopped.is_set():
            for name in each.part.leans_on:
                await self._all[name].ready.wait()
            if self._stopped.is_set():
                return
            each.taken_along = False
            began = time.monotonic()
            code = await self._live(each)
            each.ready.clear()
            self.facts.pop(each.part.name, None)
            if self._stopped.is_set():
                return
            self._take_along(each.part.name)
            await asyncio.sleep(_SETTLE_S)  # it may have seen the death of what it leans on before we did
            if each.taken_along or not all(self._all[name].ready.is_set() for name in each.part.leans_on):
                continue
            how = _how(code)
            wait = each.restarts.died(time.monotonic() - began)
            if not each.once_ready:
                each.false_starts += 1
                wait = wait if each.false_starts <= FALSE_STARTS else None
            self._tell(
                each.part.name, "died", {"how": how, "word": each.last_word, "again": wait is not None}
            )
            if wait is None:
                self._give_up(each, how)
                return
            await asyncio.sleep(wait)

    async def _live(self, each: _Running) -> int:
        """One life of a part, from its start to its end."""
        each.last_word = ""
        try:
            process = each.process = await asyncio.create_subprocess_exec(
                *each.part.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE, start_new_session=True,  # Ctrl-C is ours: they are stopped in order
            )  # fmt: skip
        except OSError as error:  # no memory, no more files: that may pass
            each.last_word = f"it cannot be started: {error.strerror}"
            return 1
        self._tell(each.part.name, "started", {"pid": process.pid})
        errors = asyncio.create_task(self._read_errors(each, process))
        told = asyncio.create_task(self._read_told(each, process))
        try:
            return await process.wait()
        finally:
            await asyncio.gather(errors, told, return_exceptions=True)

    async def _read_told(self, each: _Running, process: asyncio.subprocess.Process) -> None:
        """Wait for the object that says that it is ready; whatever it says later goes nowhere."""
        assert process.stdout is not None
        text = b""
        try:
            async with asyncio.timeout(READY_S):
                while facts := await process.stdout.read(_LINE_MAX):
                    text += facts
                    with contextlib.suppress(ValueError):
                        self.facts[each.part.name] = json.loads(text)
                        break
                    if len(text) > _TOLD_MAX:
                        break
        except TimeoutError:
            each.last_word = f"not ready after {READY_S:.0f} s"
            process.kill()
        if each.part.name in self.facts:
            each.once_ready = True
            each.ready.set()
            self._tell(each.part.name, "ready", self.facts[each.part.name])
        while await process.stdout.read(_LINE_MAX):
            pass

    async def _read_errors(self, each: _Running, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        rest = b""
        while more := await process.stderr.read(_LINE_MAX):
            *lines, rest = (rest + more).split(b"\n")
            if len(rest) > _LINE_MAX:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._heard(each, line)
        self._heard(each, rest)

    def _heard(self, each: _Running, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip()
        if text:
            each.last_word = text
            self._tell(each.part.name, "said", {"text": text})

    def _take_along(self, name: str) -> None:
        for other in self._all.values():
            if name in other.part.leans_on and other.process is not None and other.process.returncode is None:
                other.taken_along = True
                other.ready.clear()
                self._tell(other.part.name, "taken along", {"by": name})
                with contextlib.suppress(ProcessLookupError):
                    other.process.terminate()

    def _give_up(self, each: _Running, how: str) -> None:
        why = each.last_word.removeprefix("jinka: error: ") or how
        self._given_up = JinkaError(
            f"{each.part.name} was given up: {why}", where="serve", fix="mend what it says, and start again"
        )
        self._stopped.set()

    async def _end(self, each: _Running) -> None:
        process = each.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            self._tell(each.part.name, "killed", {"why": f"did not stop in {STOP_S:.0f} s"})
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._tell(each.part.name, "stopped", {"how": _how(process.returncode)})


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"ended with {code}"


def program(*arguments: str) -> tuple[str, ...]:
    """The command line of a part that is a command of Jinka's own."""
    code = "from jinka.node.supervisor import end_with_parent; end_with_parent(); from jinka.cli import main; main()"
    return (sys.executable, "-c", code, *arguments)
