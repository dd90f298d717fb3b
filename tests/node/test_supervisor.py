"""Parts are started in order, started again, stopped in the opposite order, and none is left. Method: small shells."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from jinka.kit import JinkaError
from jinka.node.supervisor import Part, Restarts, Supervisor

SERVES = "echo '{'; echo '\"pid\": '$$'}'; exec sleep 60"


def shell(name: str, script: str = SERVES, *leans_on: str) -> Part:
    return Part(name=name, command=("/bin/sh", "-c", script), leans_on=leans_on)


class Stage:
    """Runs parts, and does one thing after another as soon as all are ready."""

    def __init__(self, *parts: Part, tries: int = 6) -> None:
        self.heard: list[tuple[str, str]] = []
        self.pids: list[int] = []
        self.supervisor = Supervisor(parts, self.tell, lambda: Restarts(first_s=0.01, tries=tries))

    def tell(self, part: str, event: str, facts: Mapping[str, Any]) -> None:
        self.heard.append((part, event))
        if event == "started":
            self.pids.append(facts["pid"])

    async def until(self, part: str, event: str, times: int) -> None:
        while self.heard.count((part, event)) < times:
            await asyncio.sleep(0.01)

    def play(self, act: Callable[[Stage], Any]) -> None:
        async def live() -> None:
            told = asyncio.Event()
            run = asyncio.create_task(self.supervisor.run(lambda _: told.set()))
            await asyncio.wait_for(told.wait(), 20)
            await asyncio.wait_for(act(self), 20)
            self.supervisor.stop()
            await run

        asyncio.run(live())

    def left(self) -> list[int]:
        found = []
        for pid in self.pids:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                continue
            found.append(pid)
        return found


def test_in_order_up_and_in_the_opposite_order_down() -> None:
    async def nothing(stage: Stage) -> None:
        assert [name for name, facts in stage.supervisor.facts.items() if facts["pid"]] == ["keys", "host"]

    stage = Stage(shell("keys"), shell("host", SERVES, "keys"))
    stage.play(nothing)
    assert stage.heard == [
        ("keys", "started"), ("keys", "ready"), ("host", "started"), ("host", "ready"),
        ("host", "stopped"), ("keys", "stopped"),
    ]  # fmt: skip
    assert stage.left() == []


def test_one_that_dies_is_started_again_alone() -> None:
    async def kill(stage: Stage) -> None:
        os.kill(stage.supervisor.facts["host"]["pid"], signal.SIGKILL)
        await stage.until("host", "ready", 2)

    stage = Stage(shell("keys"), shell("host", SERVES, "keys"))
    stage.play(kill)
    assert stage.heard.count(("keys", "started")) == 1
    assert ("host", "died") in stage.heard
    assert stage.left() == []


def test_what_leans_on_one_that_dies_is_started_again_after_it() -> None:
    async def kill(stage: Stage) -> None:
        os.kill(stage.supervisor.facts["keys"]["pid"], signal.SIGKILL)
        await stage.until("host", "ready", 2)

    stage = Stage(shell("keys"), shell("host", SERVES, "keys"))
    stage.play(kill)
    again = stage.heard[stage.heard.index(("keys", "died")) :]
    assert again.index(("keys", "ready")) < again.index(("host", "started"))
    assert ("host", "taken along") in stage.heard
    assert ("host", "died") not in stage.heard
    assert stage.left() == []


def test_one_that_never_comes_up_ends_all_with_its_last_word() -> None:
    async def run(stage: Stage) -> None:
        await stage.supervisor.run(lambda _: None)

    stage = Stage(shell("keys"), shell("host", "echo 'the port is taken' >&2; exit 2", "keys"))
    with pytest.raises(JinkaError, match="host was given up: the port is taken"):
        asyncio.run(run(stage))
    assert stage.heard.count(("host", "started")) == 3
    assert stage.heard.count(("host", "died")) == 3
    assert stage.left() == []


def test_what_cannot_be_started_or_told_ends_all() -> None:
    async def run(stage: Stage, ready: Callable[[Any], None]) -> None:
        await stage.supervisor.run(ready)

    stage = Stage(shell("keys"), Part(name="host", command=("/no/such/program",)))
    with pytest.raises(JinkaError, match="cannot be started: No such file"):
        asyncio.run(run(stage, lambda _: None))
    assert stage.left() == []

    def broken(_: object) -> None:
        raise ValueError("nobody listens")

    stage = Stage(shell("keys"))
    with pytest.raises(ValueError, match="nobody listens"):
        asyncio.run(run(stage, broken))
    assert stage.left() == []


def test_one_that_dies_again_and_again_is_given_up() -> None:
    async def run(stage: Stage) -> None:
        await stage.supervisor.run(lambda _: None)

    stage = Stage(shell("host", "echo '{}'; echo 'the disk is full' >&2; exit 1"), tries=2)
    with pytest.raises(JinkaError, match="the disk is full"):
        asyncio.run(run(stage))
    assert stage.heard.count(("host", "started")) == 3
    assert stage.left() == []


def test_the_waits_double_and_a_long_life_forgives() -> None:
    restarts = Restarts(first_s=1, most_s=5, tries=4, calm_s=60)
    assert [restarts.died(0.5) for _ in range(3)] == [1, 2, 4]
    assert restarts.died(61) == 1
    assert [restarts.died(1) for _ in range(4)] == [2, 4, 5, None]


def test_a_part_stops_when_the_process_that_started_it_is_gone() -> None:
    code = "import time; from jinka.node.supervisor import end_with_parent as end; end(); print('{}', flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", code + "; time.sleep(60)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as part:
        assert part.stdout is not None
        assert part.stdin is not None
        assert part.stdout.readline() == "{}\n"
        part.stdin.close()  # as the kernel does for a killed process
        assert part.wait(20) == -signal.SIGTERM
