"""Seven centres on cut lines, killed at random. Goal: what is settled does not depend on how it was got there.

Method: a federation of seven processes, each line through a relay that cuts it at any byte and lets nobody in for a
while, and kill -9 of any centre at any moment, from a seed. The same folders were copied before and run in one
process, undisturbed. Afterwards the seven agree, positions add up, and each ledger is that of the undisturbed run,
transfer by transfer.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import shutil
import signal
import socket
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinka.app.centre_city import close_intake
from jinka.app.centre_config import read_config
from jinka.app.centre_folder import centre_keys, closed_days, uploads_of
from jinka.app.centre_serving import opened_centre
from jinka.app.federation import (
    CODES,
    DATE,
    NATION,
    PARENT_OF,
    Demo,
    make_federation,
    outcome,
    serve_until_settled,
)
from jinka.app.statistics import read_cells
from jinka.sim.travel import CITIES
from tests.app.centre_rig import FolderRoad

KILLS, RIDERS = 7, 5


class Relay:
    """A line from a child to its parent that can be cut; ``port`` is where the child goes."""

    def __init__(self) -> None:
        self.parent = 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._left = 1 << 40  # bytes until the next cut
        self.cuts = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def cut_after(self, count: int) -> None:
        self._left = count

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for pair in list(self._pairs):
            self._drop(pair)
        self._door.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            ends = {end: pair for pair in self._pairs for end in pair}
            ready, _, _ = select.select([self._door, *ends], [], [], 0.05)
            for end in ready:
                if end is self._door:
                    self._let_in()
                elif ends[end] in self._pairs:
                    self._pass_on(end, ends[end])

    def _let_in(self) -> None:
        child, _ = self._door.accept()
        try:
            parent = socket.create_connection(("127.0.0.1", self.parent), timeout=5)
        except OSError:
            child.close()
            return
        self._pairs.add((child, parent))

    def _pass_on(self, end: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        other = pair[1] if end is pair[0] else pair[0]
        try:
            data = end.recv(1 << 14)[: self._left]
            other.sendall(data)
        except OSError:
            data = b""
        self._left -= len(data)
        if self._left <= 0:
            self.cuts += 1
            self._left = 1 << 40
            data = b""
        if not data:
            self._drop(pair)

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.discard(pair)
        for end in pair:
            with contextlib.suppress(OSError):
                end.close()


class Chaos:
    """Kills and cuts, until all of them have been done."""

    def __init__(self, relays: Mapping[str, Relay], seed: int) -> None:
        self.relays, self.random = relays, random.Random(seed)
        self.pids: dict[str, int] = {}
        self.killed: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def tell(self, centre: str, event: str, facts: Mapping[str, Any]) -> None:
        if event == "started":
            self.pids[centre] = int(facts["pid"])

    def __enter__(self) -> Chaos:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while len(self.killed) < KILLS and not self._stop.wait(self.random.uniform(0.6, 1.6)):
            for relay in self.relays.values():
                if self.random.random() < 0.5:
                    relay.cut_after(self.random.choice((1, 100, 1_000, 3_000, 10_000)))
            left = [code for code in CODES if self.killed.count(code) < 2 and code in self.pids]
            if left:
                code = self.random.choice(left)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pids[code], signal.SIGKILL)
                    self.killed.append(code)


def _undisturbed(demo: Demo, folder: Path) -> Demo:
    """The same federation in one process, over folders that take the place of lines."""
    shutil.copytree(demo.folder, folder)
    other = Demo(folder=folder, ports=demo.ports)
    with contextlib.ExitStack() as stack:
        centres = {}
        for code in CODES:
            place = other.centre(code)
            config = read_config(place)
            keys = stack.enter_context(centre_keys(place, config.region))
            road = FolderRoad(folder / "road", code)
            centre = centres[code] = stack.enter_context(opened_centre(place, config, keys, road))
            if centre.city is not None:
                for day in closed_days(place):
                    close_intake(centre.city, day, uploads_of(place, day))
        moving = True
        while moving:
            moving = any(centre.advance() for centre in centres.values())
    return other


def _ledger(folder: Path) -> tuple[list[Any], list[Any]]:
    with contextlib.closing(sqlite3.connect(folder / "centre.db")) as database:
        accounts = database.execute("SELECT * FROM ledger_accounts ORDER BY id").fetchall()
        transfers = database.execute("SELECT * FROM ledger_transfers ORDER BY seq").fetchall()
    return accounts, transfers


def test_cut_lines_and_killed_centres_change_nothing(tmp_path: Path) -> None:
    relays = {code: Relay() for code in PARENT_OF}
    try:
        ways = {code: relay.port for code, relay in relays.items()}
        demo = make_federation(tmp_path / "demo", riders=RIDERS, seed=7, ways=ways)
        for code, parent in PARENT_OF.items():
            relays[code].parent = demo.ports[parent]
        calm = _undisturbed(demo, tmp_path / "calm")
        with Chaos(relays, seed=11) as chaos:
            serve_until_settled(demo, chaos.tell)
    finally:
        for relay in relays.values():
            relay.close()
    assert len(chaos.killed) >= 3, "the run was over before anything happened"
    assert sum(relay.cuts for relay in relays.values()) >= 3
    found, wanted = outcome(demo), outcome(calm)
    assert all(found["holds"].values()), found["holds"]
    assert any(records for _, _, records, _ in found["flows"])
    answered = {reason for city in found["cities"].values() for reason, *_ in city["answers"]}
    assert {"ACCEPTED", "WRONG_TAC"} <= answered
    for code in CODES:
        assert _ledger(demo.centre(code)) == _ledger(calm.centre(code)), code
        assert found["centres"][code] == wanted["centres"][code]
    assert found["cities"] == wanted["cities"]
    sums = read_cells([demo.centre(NATION)])
    assert sums.num_rows
    assert (
        sums == read_cells([calm.centre(NATION)]) == read_cells([demo.centre(city.code) for city in CITIES])
    )
    assert not list(demo.folder.glob(f"*/rounds/{DATE}/*.half"))
