"""The first steps of docs/key-service.md. Goal: who types what the page says gets what it says. Method: a shell types
its commands, with /media in a folder of this test; what the service and the day print is compared.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "key-service.md").read_text(encoding="utf-8")
SECONDS = 60


def _commands() -> list[str]:
    return re.findall(r"^\$ (jinka (?:keys (?:ceremony|serve)|day) .*)$", PAGE, re.MULTILINE)


def _shown_facts() -> dict[str, Any]:
    [shown] = re.findall(r"^\{\n.*?^\}", PAGE, re.MULTILINE | re.DOTALL)
    facts: dict[str, Any] = json.loads(shown)
    return facts


class _Shell:
    """Types a line of the page in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        entry = (
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "from jinka.cli import main; main()" "$@"\n'
        )
        (folder / "bin").mkdir()
        (folder / "bin/jinka").write_text(entry)
        (folder / "bin/jinka").chmod(0o755)
        self._environment = os.environ | {"PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def start(self, line: str) -> subprocess.Popen[str]:
        line = line.replace("/media/", "media/")
        return subprocess.Popen(
            ["sh", "-c", f"exec {line}"], cwd=self.folder, env=self._environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def type(self, line: str) -> str:
        process = self.start(line)
        said, complaint = process.communicate(timeout=2 * SECONDS)
        assert process.returncode == 0, complaint
        return said


def test_the_page_as_it_is_typed(tmp_path: Path) -> None:
    ceremony, serve, day = _commands()
    shell = _Shell(tmp_path)
    shell.type(ceremony)
    for place in "abc":
        assert len(list((tmp_path / "media" / place).glob("share-*.json"))) == 1
    assert not list((tmp_path / "bank").rglob("share*.json")), "the store's folder has no share"
    service = shell.start(serve)
    try:
        assert service.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = service.stdout.readline()
            assert line, service.communicate(timeout=SECONDS)[1]
            text += line
        facts, shown = json.loads(text), _shown_facts()
        locked = facts.pop("memory_locked"), shown.pop("memory_locked")
        assert facts == shown
        assert locked[1] is True, "what the page shows; whether it comes off is up to the system's limits"
        shell.type(day)
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=SECONDS)
    assert json.loads((tmp_path / "day/report/day.json").read_text())
    assert not (tmp_path / "day/keys").exists(), "the day made no keys of its own"
    log = (tmp_path / "bank/keys-audit.jsonl").read_text().splitlines()
    assert {json.loads(line)["act"] for line in log} >= {
        "keys.chip_keys",
        "keys.verify_tacs",
        "keys.seal_batch",
    }


def test_one_share_serves_nothing_and_a_day_needs_simulated_keys(tmp_path: Path) -> None:
    """Why the page has two shares, and --simulated."""
    ceremony, serve, day = _commands()
    shell = _Shell(tmp_path)
    shell.type(ceremony.replace(" --simulated", ""))
    one = shell.start(re.sub(r" --share \S+$", "", serve))
    assert "1 of 2 shares" in one.communicate(timeout=SECONDS)[1]
    assert one.returncode == 4
    service = shell.start(serve)
    try:
        until = time.monotonic() + SECONDS
        while not (tmp_path / "bank/keys.sock").exists() and time.monotonic() < until:
            time.sleep(0.05)
        refused = shell.start(day)
        assert "simulated" in refused.communicate(timeout=2 * SECONDS)[1]
        assert refused.returncode == 4
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=SECONDS)
