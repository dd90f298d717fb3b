"""Files from outside are looked through elsewhere. Goal: no file ends the centre's process or holds it up.

Method: a file that aborts the native reader, and readers that die, hang, babble or are killed; then an honest file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jinka.codec.parcel_contents import Contents, ParquetLimits
from jinka.kit import Refused
from jinka.node import parcel_examiner
from jinka.node.parcel_examiner import ParcelExaminer
from jinka.store.parcel_parquet import write_parcel_file
from tests.parcels import ROWS, rows

LIMITS = ParquetLimits(rows_max=1000, decoded_max=1 << 20)


@pytest.fixture(scope="module")
def examiner() -> Iterator[ParcelExaminer]:
    with closing(ParcelExaminer()) as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.parquet"
    write_parcel_file(path, rows(300), ROWS)
    return path


def _look(examiner: ParcelExaminer, path: Path, claimed: int = 300) -> Contents:
    return examiner.look(path, ROWS, LIMITS, where="file", claimed=claimed)


def test_it_says_what_the_same_look_here_would_say(examiner: ParcelExaminer, path: Path) -> None:
    assert _look(examiner, path) == Contents(rows=300, amount_fen=300 * 299 // 2)
    with pytest.raises(Refused) as caught:
        _look(examiner, path, claimed=299)
    assert (caught.value.what, caught.value.where) == ("300 rows, not 299", "file.rows")


def test_a_footer_that_aborts_the_native_reader_is_only_refused(examiner: ParcelExaminer, path: Path) -> None:
    """Arrow 26: a histogram of repetition levels (SizeStatistics) of a wrong length ends the process."""
    pq.write_table(rows(300), path)
    raw = path.read_bytes()
    mark = b"\x19\x06\x19\x26"  # an empty list of i64, then one of two
    assert mark in raw
    path.write_bytes(raw.replace(mark, b"\x19\x46\x19\x26", 1))
    with pytest.raises(Refused):
        _look(examiner, path)
    pq.write_table(rows(300), path)
    assert _look(examiner, path).rows == 300


def test_no_byte_of_a_file_can_be_changed_into_an_error_of_ours(examiner: ParcelExaminer, path: Path) -> None:
    """Bytes of header, pages and footer, one after the other: refused, or as before. Pages carry checksums."""
    write_parcel_file(path, rows(50), ROWS)
    raw, refused = path.read_bytes(), 0
    for at in range(0, len(raw), 7):
        changed = bytearray(raw)
        changed[at] ^= 0x5A
        path.write_bytes(changed)
        try:
            assert _look(examiner, path, 50) == Contents(rows=50, amount_fen=50 * 49 // 2)
        except Refused:
            refused += 1
    assert refused > len(raw) // 14


def test_a_reader_that_was_killed_is_started_again(examiner: ParcelExaminer, path: Path) -> None:
    _look(examiner, path)
    assert examiner._process is not None
    os.kill(examiner._process.pid, signal.SIGKILL)
    try:
        assert _look(examiner, path).rows == 300
    except Refused:  # it took the question before it died
        assert _look(examiner, path).rows == 300


@pytest.mark.parametrize(
    "work",
    [
        "import os; os.abort()",
        "import sys; sys.stdin.readline(); sys.exit()",
        "import time; time.sleep(60)",
        "print('{', end='')",
    ],
)
def test_a_reader_that_breaks_off_or_hangs_is_a_refusal(
    path: Path, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcel_examiner, "_WORK", work)
    with closing(ParcelExaminer(answer_s=0.5)) as made:
        for _ in range(2):
            with pytest.raises(Refused, match="broke off"):
                _look(made, path)


def test_memory_has_an_end(path: Path) -> None:
    with closing(ParcelExaminer(memory_max=64 << 20)) as made, pytest.raises(Refused, match="broke off"):
        _look(made, path)


def test_it_ends_with_its_owner(examiner: ParcelExaminer, path: Path) -> None:
    _look(examiner, path)
    process = examiner._process
    assert process is not None
    examiner.close()
    assert process.poll() is not None


def test_it_does_not_outlive_a_centre_that_was_killed() -> None:
    """Its questions come through a pipe, whose end it sees."""
    script = (
        "import os, signal; from jinka.node.parcel_examiner import ParcelExaminer;"
        "made = ParcelExaminer(); made._start(); print(made._process.pid, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    worker = Path("/proc") / done.stdout.decode().strip() / "stat"
    for _ in range(1000):
        try:
            if worker.read_text().rpartition(")")[2].split()[0] == "Z":  # nobody reaps orphans here
                return
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError("it is still there")
