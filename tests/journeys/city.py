"""Runs `jinka` as its users do: as a program of its own, and reads what it leaves behind."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from jinka.cli.main import app

JINKA = Path(sys.executable).with_name("jinka")
TIMEOUT_S = 300


def jinka(*arguments, code=0):
    """Run a command; return what it printed. The exit code must be ``code``."""
    done = subprocess.run(
        [JINKA, *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == code, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    return done


def jinka_here(*arguments, code=0):
    """Run a command in this process, which has loaded everything already."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, f"exit code {done.exit_code}: {done.stderr[-2000:]}"
    return done


def day(folder, *arguments, code=0):
    """Run a day and return its report."""
    return json.loads(jinka("day", "--dir", folder, "--json", *arguments, code=code).stdout)


def log(folder):
    """The day's log, entry by entry."""
    return [json.loads(line) for line in (folder / "day.log.jsonl").read_text().splitlines()]


def books(folder):
    """Everything that must come out the same: hashes of outcomes, balances and report, and the ledger itself."""
    paths = sorted(path for path in folder.glob("centre/outcomes*/**/*") if path.is_file())
    paths += sorted(folder.glob("centre/outcomes*.parquet"))
    assert paths, "there are outcomes"
    paths += sorted((folder / "report").iterdir())
    paths += sorted(folder.glob("field/lane*/census.parquet"))
    found = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    found["ledger"] = ledger(folder)
    return found


def ledger(folder):
    """All accounts with their sums, and all transfers in the order in which they were posted."""
    with sqlite3.connect(folder / "centre" / "centre.db") as database:
        accounts = database.execute("SELECT * FROM ledger_accounts ORDER BY id").fetchall()
        transfers = database.execute("SELECT * FROM ledger_transfers ORDER BY seq").fetchall()
    database.close()
    return accounts, transfers


def outcomes(folder):
    """The hashes of the outcome files alone."""
    return {name: value for name, value in books(folder).items() if name.startswith("centre/outcomes")}
