"""The audit log's file. Goal: what was answered is in the log, whatever is killed when. Method: a process that is
killed at random moments and says what it was told is durable; files torn at every byte; two writers; a full disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jinka.keys import AuditEvent, check_log
from jinka.kit import JinkaError, Refused, Usage
from jinka.node import AuditLog, read_audit_lines

WRITER = """
import sys, threading
from pathlib import Path
from jinka.keys import AuditEvent
from jinka.node import AuditLog

class Clock:
    def now_micros(self):
        return 7

log = AuditLog(Path(sys.argv[1]), origin="test", clock=Clock())

def work(name):
    for n in range(100000):
        number = log.record(AuditEvent(actor=name, act="work", subject=f"n:{n}"))
        sys.stdout.write(f"{number} {name} {n}\\n")
        sys.stdout.flush()

for name in ("a", "b"):
    threading.Thread(target=work, args=(name,)).start()
"""


class Clock:
    """A clock that ticks when it is read."""

    now = 1_700_000_000_000_000

    def now_micros(self) -> int:
        Clock.now += 1
        return Clock.now


def _open(path: Path) -> AuditLog:
    return AuditLog(path, origin="test", clock=Clock())


def _event(n: int = 0) -> AuditEvent:
    return AuditEvent(actor="a", act="act", subject=f"n:{n}")


def test_entries_are_there_when_it_returns(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "audit.jsonl"
    with _open(path) as log:
        assert log.record(_event()) == 1  # 0 says that the log was opened
        assert len(path.read_bytes().splitlines()) == 2
        log.append(_event())
        assert len(path.read_bytes().splitlines()) == 2
        assert log.checkpoint().size == 3
        assert len(path.read_bytes().splitlines()) == 3
    assert path.stat().st_mode & 0o777 == 0o600
    with _open(path) as log:
        assert (log.size, log.record(_event())) == (3, 3)
        report = check_log(read_audit_lines(path), [log.checkpoint()])
    assert (report.sound, report.entries, report.findings) == (True, 4, ())


def test_one_writer(tmp_path: Path) -> None:
    with _open(tmp_path / "log") as log:
        with pytest.raises(Refused):
            _open(tmp_path / "log")
        log.record(_event())
    _open(tmp_path / "log").close()


def test_closed_is_closed(tmp_path: Path) -> None:
    log = _open(tmp_path / "log")
    log.close()
    log.close()
    with pytest.raises(JinkaError):
        log.record(_event())


def test_another_log_is_refused(tmp_path: Path) -> None:
    _open(tmp_path / "log").close()
    with pytest.raises(Refused):
        AuditLog(tmp_path / "log", origin="tes", clock=Clock())
    with pytest.raises(Usage):
        AuditLog(tmp_path / "other", origin='a"b\n', clock=Clock())
    with pytest.raises(Usage):
        _open(tmp_path)


def test_a_line_torn_at_any_byte_is_cut_away_and_said(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    with _open(whole) as log:
        log.record(_event(1))
        log.record(_event(2))
    raw = whole.read_bytes()
    start = raw.rindex(b"\n", 0, -1) + 1
    for end in range(start + 1, len(raw)):
        path = tmp_path / f"torn{end}"
        path.write_bytes(raw[:end])
        with _open(path) as log:
            log.record(_event(3))
        report = check_log(read_audit_lines(path))
        assert (report.sound, report.entries) == (True, 4)
        [finding] = report.findings
        assert (finding.code, finding.where) == ("REPAIRED", "entry 2")
        assert f"{end - start} bytes" in finding.what


def test_a_torn_first_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"seq":0')
    _open(path).close()
    assert [json.loads(line)["act"] for line in read_audit_lines(path)] == ["log.opened", "log.repaired"]


@pytest.mark.parametrize("harm", ["changed", "removed", "rubbish", "long"])
def test_a_damaged_log_is_not_written_on(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "log"
    with _open(path) as log:
        for n in range(3):
            log.record(_event(n))
    lines = path.read_bytes().splitlines(keepends=True)
    if harm == "changed":
        lines[2] = lines[2].replace(b"n:1", b"n:2")
    elif harm == "removed":
        del lines[1]
    else:
        lines.insert(2, b"x" * (100_000 if harm == "long" else 3) + b"\n")
    path.write_bytes(b"".join(lines))
    before = path.read_bytes()
    with pytest.raises(Refused):
        _open(path)
    assert path.read_bytes() == before
    assert not check_log(read_audit_lines(path)).sound


def test_a_failed_write_closes_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = _open(tmp_path / "log")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JinkaError):
        log.record(_event())
    monkeypatch.undo()
    with pytest.raises(JinkaError):
        log.record(_event())
    with pytest.raises(JinkaError):
        log.commit()
    log.close()
    _open(tmp_path / "log").close()
    assert check_log(read_audit_lines(tmp_path / "log")).sound


def test_threads_share_a_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: flushes.append(real(handle)))
    with _open(tmp_path / "log") as log:
        threads = [
            threading.Thread(target=lambda: [log.record(_event(n)) for n in range(50)]) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        flushes.clear()
        for n in range(100):
            log.append(_event(n))
        log.commit()
        assert len(flushes) == 1
    assert check_log(read_audit_lines(tmp_path / "log")).entries == 501
    assert check_log(read_audit_lines(tmp_path / "log")).sound


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    path, answered = tmp_path / "log", {}
    for answers in (1, 40, 200):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(answers):
            number, name, n = writer.stdout.readline().split()
            answered[int(number)] = (name, f"n:{n}")
        writer.kill()
        rest = writer.stdout.read()  # answers that were on their way
        for line in rest[: rest.rfind("\n") + 1].splitlines():
            number, name, n = line.split()
            answered[int(number)] = (name, f"n:{n}")
        writer.wait()
        writer.stdout.close()
        _open(path).close()
        lines = [json.loads(line) for line in read_audit_lines(path)]
        assert all((lines[k]["actor"], lines[k]["subject"]) == said for k, said in answered.items())
        assert check_log(read_audit_lines(path)).sound
