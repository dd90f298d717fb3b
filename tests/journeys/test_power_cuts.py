"""The plug is pulled on a small day at twenty random points; each time the command is typed again.

Whatever was acknowledged or checkpointed is taken up and not made again, and the books come out as in a day that nobody
disturbed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter

from tests.journeys.city import JINKA, books, day, log

KILLS = 20
ASKED = ("--riders", "150", "--seed", "11", "--spoil", "0.02")
FAULTS_FOUND = 6


def start(folder):
    with folder.with_name("stderr").open("w") as said:
        return subprocess.Popen(
            [JINKA, "--debug", "day", "--dir", folder, *ASKED],
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )


def test_kill_9_at_twenty_random_points(tmp_path):
    undisturbed = tmp_path / "undisturbed"
    begin = time.monotonic()
    day(undisturbed, *ASKED, code=FAULTS_FOUND)
    whole = time.monotonic() - begin
    wanted = books(undisturbed)
    draw = random.Random(2018)
    kills = folders = resumed = 0
    while kills < KILLS:
        folder = tmp_path / f"disturbed-{folders}"
        folders += 1
        finished = False
        while not finished:
            before = log_size(folder)
            running, begun = start(folder), time.monotonic()
            if draw.random() < 0.8:  # else it may not even have begun
                while running.poll() is None and log_size(folder) == before:
                    time.sleep(0.01)
            try:
                # Late kills are as likely as early ones: a day that was resumed has less left to do.
                running.wait(timeout=draw.uniform(0, 0.3 * whole) if kills < KILLS else None)
                finished = True
                whole = min(whole, max(2.0, time.monotonic() - begun))  # the machine's load may have changed
                assert running.returncode == FAULTS_FOUND, (tmp_path / "stderr").read_text()
            except subprocess.TimeoutExpired:
                kills += 1
                if draw.random() < 0.5:
                    os.killpg(running.pid, signal.SIGKILL)  # the whole machine
                else:
                    running.kill()  # the program alone: its lanes notice
                running.wait()
        assert books(folder) == wanted
        resumed += nothing_was_made_twice(folder)
    assert resumed > KILLS // 2, "most kills must have hit a day that had begun"


def log_size(folder):
    """It grows as soon as a run is at work: by the ceremony, or by the note that the day is resumed."""
    path = folder / "day.log.jsonl"
    return path.stat().st_size if path.exists() else 0


def nothing_was_made_twice(folder):
    """Once the log says that a thing was made, it never says so again. Returns how often the day was resumed."""
    entries = log(folder)
    made = Counter(
        (entry["event"], entry.get("lane"), entry.get("slice"), entry.get("delivery"))
        for entry in entries
        if entry["event"] in ("ceremony_held", "cards_made", "slice_played", "delivery_acknowledged")
    )
    assert max(made.values()) == 1
    return sum(entry["event"] == "resumed" for entry in entries)
