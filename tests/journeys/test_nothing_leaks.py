"""The scan for clear keys. Goal: nothing that a run of the tests leaves behind holds a key or a PIN block in the clear.

Method: secrets planted in every form are found; a day and an order of the bureau hold none; and, after all other tests,
everything that they wrote is looked through for the secrets of every key folder in it. That is what this session wrote,
or what the session did whose base folder `JINKA_TESTS_WROTE` names, with those of its processes (`make unit`).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from jinka.app import DayOptions
from jinka.app.card_files import open_key_folder
from jinka.app.day import run_day
from jinka.app.issue import IssueOptions, issue, open_letters
from jinka.app.key_scan import scan
from jinka.app.keyring import open_keys, unlock_store
from jinka.app.workspace import Workspace
from jinka.cli.main import app
from jinka.codec import Algorithm
from jinka.issuer.bank_production import bank_factors
from jinka.keys import KeyName, Purpose
from jinka.kit import Refused
from jinka.sectors import bank
from jinka.store import load_registry, open_database

ROOT = Path(__file__).parents[2]
PLANTED = (
    "test_a_planted_key",
    "test_a_pin_block_in_the_clear",
    "test_the_command",
)  # tests that leave one on purpose
TAC = KeyName(purpose=Purpose.TAC, algorithm="TDES", version=2)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scanned") / "day"
    assert run_day(DayOptions(riders=60, seed=5, directory=folder)).books_balance
    return folder


def card_key(day: Path) -> bytes:
    """A TAC key of the last card that the day's centre registered."""
    engine = open_database(day / "centre/centre.db")
    number = load_registry(engine).cards["card_no"].to_pylist()[-1]
    engine.dispose()
    factors = np.frombuffer(number[2:], np.uint8).reshape(1, 8)
    keys = open_keys(Workspace(day), "440300")
    return keys.chip_keys(Purpose.TAC, algorithm=Algorithm.TDES, version=2, factors8=factors).tobytes()


def _parquet(value: bytes, path: Path) -> None:
    rows = [b"x" * 16] * 1000 + [value] + [b"y" * 16] * 1000
    pq.write_table(pa.table({"a": rows}), path, compression="zstd")


PLACES: dict[str, Callable[[bytes, Path], object]] = {
    "bytes": lambda value, path: path.write_bytes(b"abc" + value + b"d"),
    "the file's end": lambda value, path: path.write_bytes(b"abcdefg" + value),
    "hex": lambda value, path: path.write_text(f"key={value.hex()}\n"),
    "HEX in pairs": lambda value, path: path.write_text(value.hex(" ").upper()),
    "hex after a nibble": lambda value, path: path.write_text("f" + value.hex()),
    "base64": lambda value, path: path.write_bytes(b'{"key":"' + base64.b64encode(value) + b'"}'),
    "base64 within a longer text": lambda value, path: path.write_bytes(
        base64.urlsafe_b64encode(b"ab" + value + b"c")
    ),
    "a column": lambda value, path: _parquet(value, path.with_suffix(".parquet")),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", ["root", "card", "wrapping"])
def test_a_planted_key_is_found_in_every_form(day: Path, tmp_path: Path, place: str, what: str) -> None:
    opened = unlock_store(Workspace(day))
    value = {"root": opened.store.roots[TAC], "card": card_key(day), "wrapping": opened.wrapping}[what]
    PLACES[place](value, tmp_path / "left-behind")
    found = scan([day], [tmp_path])
    assert found.findings, place
    assert {"root": "tac/TDES/2", "card": "tac/TDES/2 of card", "wrapping": "wrapping key"}[
        what
    ] in found.findings[0].what
    assert value.hex() not in str(found.findings)


def test_a_pin_block_in_the_clear_is_found_and_an_order_leaves_none(tmp_path: Path) -> None:
    folder = tmp_path / "bureau"
    issue(IssueOptions(directory=folder, profile=bank.PROFILE.name, cards=3))
    clean = scan([folder], [folder])
    assert clean.findings == ()
    assert clean.files > 5
    letter = open_letters(folder, "order-1")[1]
    number = letter["number"].replace(" ", "")
    plain = int(f"0{len(letter['pin'])}{letter['pin']}".ljust(16, "f"), 16) ^ int(number[-13:-1], 16)
    (tmp_path / "host.log").write_text(f"F52={plain:016x}")
    [finding] = scan([folder], [tmp_path / "host.log"]).findings
    assert "PIN block" in finding.what
    keys = open_key_folder(folder)
    factor = bank_factors([(number, 0)])
    for purpose in (Purpose.CRYPTOGRAM, Purpose.SCRIPT_DATA):
        own = keys.chip_keys(purpose, algorithm=Algorithm.TDES, version=1, factors8=factor)
        (tmp_path / "host.log").write_bytes(own.tobytes())
        [finding] = scan([folder], [tmp_path / "host.log"]).findings
        assert finding.what == f"{purpose.value}/TDES/1 of card 2"
    root = unlock_store(Workspace(folder)).store.roots[KeyName.parse("script_mac/TDES/1")]
    (tmp_path / "host.log").write_bytes(root)
    [finding] = scan([folder], [tmp_path / "host.log"]).findings
    assert finding.what == "script_mac/TDES/1"


def test_the_command(day: Path, tmp_path: Path) -> None:
    clean = CliRunner().invoke(app, ["keys", "scan", str(day), "--json"])
    assert clean.exit_code == 0, clean.output
    facts = json.loads(clean.stdout)
    assert facts["findings"] == []
    assert facts["secrets"] > 1000
    (tmp_path / "dump").write_bytes(card_key(day))
    found = CliRunner().invoke(app, ["keys", "scan", str(day), str(tmp_path)])
    assert found.exit_code == 6
    assert "CLEAR_SECRET" in found.stdout


@pytest.mark.after_all
def test_nothing_that_this_session_wrote_holds_a_secret(
    day: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = tmp_path_factory.getbasetemp()
    bases = [own]
    if named := os.environ.get("JINKA_TESTS_WROTE"):
        bases += [Path(named), *Path(named).glob("popen-*")]
    folders = []
    for store in sorted({store for base in bases for store in base.rglob("keys/store.sealed")}):
        try:
            unlock_store(Workspace(store.parents[1]))
        except Refused:
            continue  # its shares lie elsewhere, or a test damaged it
        folders.append(store.parents[1])
    assert day in folders
    paths = [
        path for base in bases for path in base.iterdir() if not path.name.startswith((*PLANTED, "popen-"))
    ]
    paths += [ROOT / name for name in (".hypothesis", ".pytest_cache", "out") if (ROOT / name).exists()]
    found = scan(folders, paths)
    assert found.findings == ()
    assert found.secrets > 1000
