"""The gateway keeps what its OpenAPI 3.1 says. Method: schemathesis against the real server, with a bounded run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.acquirer.rig import KEY, MERCHANT
from tests.api.rig import site

_CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_schemathesis_finds_no_fault(tmp_path: Path) -> None:
    with site(tmp_path / "g.db") as at:
        with at.rig.books.desk() as desk:
            desk.put_merchant(replace(MERCHANT, requests_per_minute=1_000_000))
        assert at.ask("GET", "/openapi.json").json["openapi"].startswith("3.1")
        done = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "run",
                f"http://127.0.0.1:{at.port}/openapi.json", "-H", f"Authorization: Bearer {KEY}",
                "--max-examples", "5", "--seed", "1", "--no-color", "--generation-database", "none",
            ],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert "14 passed" in done.stdout
