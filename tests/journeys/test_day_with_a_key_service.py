"""A day whose keys live elsewhere. Goal: the same books, byte for byte, wherever the keys are.

Method: one day with keys in process; its keys served by `jinka keys serve`, in memory and on a SoftHSM2 token; the same
day again with each.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jinka.app import DayOptions
from jinka.app.day import run_day
from jinka.app.key_token import move_to_token
from jinka.kit import NotFound, Refused
from tests.keys import hsm
from tests.keys.serving import served

RIDERS = 300


def books(folder: Path) -> dict[str, bytes]:
    """All that the centre wrote for others: outcomes, accounts, lists, the report's figures."""
    kinds = ("centre/**/*.parquet", "centre/**/*.csv", "report/*.csv")
    return {str(path.relative_to(folder)): path.read_bytes() for kind in kinds for path in folder.glob(kind)}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day") / "soft"
    assert run_day(DayOptions(riders=RIDERS, directory=folder)).books_balance
    return folder


def key_folder(day: Path, to: Path) -> Path:
    for part in ("keys", "custodians"):
        shutil.copytree(day / part, to / part)
    return to


def test_keys_in_a_process_of_their_own(day: Path, tmp_path: Path) -> None:
    folder = key_folder(day, tmp_path / "keys")
    with served(folder) as (facts, _):
        assert facts["provider"] == "soft"
        report = run_day(DayOptions(riders=RIDERS, directory=tmp_path / "day", keys=Path(facts["socket"])))
    assert report.books_balance
    assert books(tmp_path / "day") == books(day)
    assert len(books(day)) > 5
    assert not (tmp_path / "day" / "keys").exists(), "the day made no keys of its own"
    acts = {json.loads(line)["act"] for line in (folder / "keys-audit.jsonl").read_text().splitlines()}
    assert acts >= {
        "keys.verify_tacs",
        "keys.seal_batch",
        "keys.check_batch_seals",
        "keys.chip_keys",
        "keys.seal_image",
    }


def test_keys_on_a_token(day: Path, tmp_path: Path) -> None:
    module = hsm.module()
    hsm.token_folder()
    folder = key_folder(day, tmp_path / "keys")
    before = (folder / "keys/store.sealed").read_bytes()
    moved = move_to_token(folder, module=module, label="jinka-day", pin=hsm.PIN, shares=())
    assert {name.split("/")[1] for name in moved.moved} == {"TDES", "HMAC-SHA256", "AES-256-GCM"}
    assert {name.split("/")[1] for name in moved.stayed} == {"SM4"}
    again = move_to_token(folder, module=module, label="jinka-day", pin=hsm.PIN, shares=())
    assert again.moved == ()
    (folder / "pin").write_text(hsm.PIN)
    (folder / "pin").chmod(0o600)
    (folder / "keys.toml").write_text(f'[token]\nmodule="{module}"\nlabel="jinka-day"\npin_file="pin"\n')
    with served(folder) as (facts, _):
        assert facts["provider"] == "pkcs11:jinka-day+soft"
        report = run_day(DayOptions(riders=RIDERS, directory=tmp_path / "day", keys=Path(facts["socket"])))
    assert report.books_balance
    assert books(tmp_path / "day") == books(day)
    # interrupted after the token had the keys: the old store is moved once more, and nothing is there twice
    (folder / "keys/store.sealed").write_bytes(before)
    assert set(move_to_token(folder, module=module, label="jinka-day", pin=hsm.PIN, shares=()).moved) == set(
        moved.moved
    )


def test_a_token_with_other_keys_of_these_names_is_refused(day: Path, tmp_path: Path) -> None:
    module = hsm.module()
    hsm.token_folder()
    one, other = key_folder(day, tmp_path / "one"), tmp_path / "other"
    assert run_day(DayOptions(riders=20, seed=99, directory=other)).books_balance
    move_to_token(one, module=module, label="jinka-other", pin=hsm.PIN, shares=())
    before = (other / "keys/store.sealed").read_bytes()
    with pytest.raises(Refused, match="another key of that name"):
        move_to_token(other, module=module, label="jinka-other", pin=hsm.PIN, shares=())
    assert (other / "keys/store.sealed").read_bytes() == before


def test_a_service_that_is_away_or_of_another_city(day: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no key service"):
        run_day(DayOptions(riders=20, directory=tmp_path / "day", keys=tmp_path / "none.sock"))
    folder = key_folder(day, tmp_path / "keys")
    (folder / "keys.toml").write_text("[service]\nregion = '110000'\n")
    with served(folder) as (facts, _), pytest.raises(Refused, match="another city"):
        run_day(DayOptions(riders=20, directory=tmp_path / "day2", keys=Path(facts["socket"])))


def test_a_service_that_dies_stops_the_day_and_the_day_goes_on_later(day: Path, tmp_path: Path) -> None:
    folder = key_folder(day, tmp_path / "keys")
    options = DayOptions(riders=RIDERS, directory=tmp_path / "day", keys=folder / "keys.sock")
    command = [sys.executable, "-c", "from jinka.cli import main; main()", "day", "--riders", str(RIDERS)]
    command += ["--dir", str(options.folder), "--keys", str(options.keys)]
    with served(folder) as (_, process):
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        log = options.folder / "day.log.jsonl"
        while running.poll() is None and not (log.exists() and "cards_made" in log.read_text()):
            os.sched_yield()
        process.kill()
        _, said = running.communicate(timeout=120)
    assert running.returncode == 1, said
    assert "still runs" in said or "hung up" in said
    assert "Traceback" not in said
    with served(folder):
        assert run_day(options).books_balance
    assert books(options.folder) == books(day)
