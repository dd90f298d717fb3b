"""`jinka switch journal`: lines by state, and a word that is no state. Method: the command on an empty journal."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from jinka.cli.main import app

FILE = """
[switch]
institution = "1"
[keys]
folder = "."
[peers.a]
listen = "127.0.0.1:0"
"""


def test_a_word_that_is_no_state_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    file = tmp_path / "switch.toml"
    file.write_text(FILE)
    asked = [CliRunner().invoke(app, ["switch", "journal", str(file), "--json", "--state", word])
             for word in ("nonsense", "refused", "unanswered")]  # fmt: skip
    assert [result.exit_code for result in asked] == [2, 0, 0]
    told = asked[0].stderr or str(asked[0].exception)
    assert all(word in told for word in ("nonsense", "refused", "reversing", "unanswered", "differ")), told
    assert [json.loads(result.stdout) for result in asked[1:]] == [[], []]
