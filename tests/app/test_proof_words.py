"""A proof is shown. Goal: what a centre wrote into it gives no orders to the terminal of whoever checks it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from jinka.cli.proof import shown
from tests.app.test_proof import SCRIPT, Centre
from tests.clearing.outcomes import rows


def test_a_centres_own_words_do_not_reach_the_terminal_raw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    centre, said = Centre(tmp_path / "centre"), "\x1b[2J\x9b1m\u202e\ud800"
    centre.publish(rows(20))
    document = centre.batch(1)
    document["records"][0]["fields"]["words"]["operator"] = said
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(document))
    spec = importlib.util.spec_from_file_location("verify_proof", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "check_path", lambda *_: None)  # as if the centre had signed these words
    script.main(str(file), str(centre.log.key_file))
    told = capsys.readouterr().out
    assert r"\x1b[2J\x9b1m\u202e\ud800" in told
    assert told.count("\n") == 10
    assert shown(f"{said}\n\u5df2") == "\\x1b[2J\\x9b1m\\u202e\\ud800\\n\u5df2"
