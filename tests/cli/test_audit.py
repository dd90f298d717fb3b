"""`jinka audit`. Goal: tampering ends with exit code 6 and the entry's name, a false checkpoint with 4, and what is
shown cannot fool a terminal. Method: the real commands over logs that were harmed on the disk.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.cli.main import app
from jinka.keys import AuditEvent
from jinka.node import AuditLog


class Clock:
    """A clock that stands still."""

    def now_micros(self) -> int:
        return 1_700_000_000_000_000


def _jinka(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def _write(path: Path, count: int = 5) -> None:
    with AuditLog(path, origin="test", clock=Clock()) as log:
        for n in range(count):
            log.append(AuditEvent(actor="officer-1", act="registry.grant", subject=f"n:{n} \u202e\x1b[31m"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    _write(path)
    return path


@pytest.fixture
def held(log: Path, tmp_path: Path) -> list[str | Path]:
    """The options of a checkpoint that another centre holds."""
    pem, note, public = tmp_path / "key.pem", tmp_path / "held.note", tmp_path / "centre.pub"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", pem], check=True, capture_output=True
    )
    signer = ("checkpoint", log, "--signer", pem, "--name", "centre.test")
    public.write_text(_jinka(*signer, "--public").stdout)
    signed = _jinka(*signer, "--out", note)
    assert signed.stdout.startswith("test\n6\n")
    assert note.read_text() == signed.stdout
    return ["--checkpoint", note, "--key", public]


def test_a_sound_log(log: Path, held: list[str | Path]) -> None:
    plain = _jinka("verify", log)
    assert (plain.exit_code, "6 entries, sound" in plain.stdout) == (0, True)
    assert "tail" in plain.stderr
    found = json.loads(_jinka("verify", log, *held, "--json").stdout)
    assert (found["sound"], found["entries"], found["findings"]) == (True, 6, [])
    assert found["checkpoints"] == [{"origin": "test", "size": 6}]
    _write(log)  # it grows, and still begins with what the checkpoint says
    assert _jinka("verify", log, *held).exit_code == 0


def test_tampering_is_named(log: Path, held: list[str | Path]) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:3], lines[3].replace(b"n:2", b"n:7"), *lines[4:]]))
    found = _jinka("verify", log)
    assert (found.exit_code, "entry 3: error: CHANGED" in found.stdout) == (6, True)
    log.write_bytes(b"".join(lines[:-2]))
    assert _jinka("verify", log).exit_code == 0
    found = _jinka("verify", log, *held, "--json")
    assert found.exit_code == 6
    [finding] = json.loads(found.stdout)["findings"]
    assert (finding["code"], finding["where"]) == ("TAIL_CUT", "entry 4")


def test_a_false_checkpoint_is_refused(log: Path, held: list[str | Path], tmp_path: Path) -> None:
    note = tmp_path / "held.note"
    note.write_text(note.read_text().replace("\n6\n", "\n5\n"))
    assert _jinka("verify", log, *held).exit_code == 4
    assert _jinka("verify", log, "--checkpoint", note).exit_code == 2
    note.write_bytes(b"\xff")
    assert _jinka("verify", log, *held).exit_code == 2


def test_a_damaged_log_is_not_signed(log: Path, tmp_path: Path, held: list[str | Path]) -> None:
    log.write_bytes(log.read_bytes().replace(b"n:2", b"n:7"))
    refused = _jinka("checkpoint", log, "--signer", tmp_path / "key.pem", "--name", "centre.test")
    assert (refused.exit_code, refused.stdout) == (4, "")


def test_show(log: Path) -> None:
    shown = _jinka("show", log, "--last", "2").stdout
    assert len(shown.splitlines()) == 2
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "2023-11-14T22:13:20.000000Z  officer-1  registry.grant  ok  n:4 \\u202e\\u001b[31m" in shown
    assert len(json.loads(_jinka("show", log, "--actor", "jinka", "--json").stdout)) == 1
    assert _jinka("show", log, "--act", "key").stdout == ""
    log.write_bytes(log.read_bytes() + b"torn")
    assert "line 7: not an entry" in _jinka("show", log).stdout
    assert _jinka("show", log, "--last", "-1").exit_code == 2


@pytest.mark.parametrize("verb", ["verify", "show"])
def test_a_file_that_is_not_there(tmp_path: Path, verb: str) -> None:
    assert _jinka(verb, tmp_path / "none").exit_code == 3
    assert _jinka(verb, tmp_path).exit_code == 2
