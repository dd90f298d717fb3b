"""In CI an absent component fails the run. Method: run pytest in a folder of its own, with and without CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import pytest

def test_runs():
    pass

@pytest.mark.skip(reason="no SoftHSM2 here")
def test_component():
    pass

@pytest.mark.data
@pytest.mark.skip(reason="no taps here")
def test_data():
    pass

@pytest.mark.xfail
def test_known():
    assert False
"""


@pytest.mark.parametrize(
    ("ci", "code", "summary"),
    [("", 0, "1 passed, 2 skipped, 1 xfailed"), ("true", 1, "1 passed, 1 skipped, 1 xfailed, 1 error")],
)
def test_a_skip_fails_in_ci_unless_it_is_data(tmp_path: Path, ci: str, code: int, summary: str) -> None:
    (tmp_path / "conftest.py").write_bytes(SHARED.read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = data: shared data\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    done = _pytest(tmp_path, ci)
    assert done.returncode == code, done.stdout
    assert summary in done.stdout
    if ci:
        assert "a skip is a failure in CI: Skipped: no SoftHSM2 here" in done.stdout


def test_a_module_that_skips_itself_fails_in_ci(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_bytes(SHARED.read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text("import pytest\npytest.importorskip('no_such_package')\n")
    assert _pytest(tmp_path, "").returncode == 5  # nothing ran
    assert _pytest(tmp_path, "true").returncode == 2  # an error while collecting


def _pytest(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=os.environ | {"CI": ci, "PYTHONPATH": str(SHARED.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
