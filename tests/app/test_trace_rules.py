"""The rules of a repository. Goal: its file decides, and what a capture is answered says which rule and where.

Method: captures through the interface's own handlers on a real store, with files that say different things.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jinka.app.trace_serving import capture_files
from jinka.codec.epcis import Action
from jinka.codec.epcis.json_writer import write_json
from jinka.codec.epcis.model import Document, Event
from jinka.kit import Usage
from tests.trace.test_choreography import thing

LIFE = (thing(10_000_000, Action.ADD, "commissioning"), thing(50_000_000, Action.DELETE, "destroying"))
AFTER = thing(60_000_000, Action.OBSERVE, "inspecting")


def _captured(folder: Path, rules: str, *events: Event) -> dict[str, Any]:
    (folder / "trace.toml").write_text(f"[trace]\n[rules]\n{rules}\n", encoding="utf-8")
    (folder / "one.jsonld").write_bytes(write_json(Document(events=events)))
    (job,) = capture_files(str(folder / "trace.toml"), [folder / "one.jsonld"], proceed=True)
    return job


def test_what_cannot_be_is_a_finding_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    job = _captured(tmp_path, "", *LIFE, AFTER)
    assert job["counts"] == {"accepted": 3, "duplicate": 0, "refused": 0}
    (finding,) = job["events"][2]["findings"]
    assert (finding["code"], finding["severity"], finding["where"]) == ("AFTER_END", "warning", "/epcList/0")
    job = _captured(tmp_path, 'AFTER_END = "refuse"', thing(70_000_000, Action.OBSERVE, "inspecting"))
    assert job["counts"]["refused"] == 1
    assert job["errors"][0]["where"] == "/epcisBody/eventList/0/epcList/0"
    job = _captured(tmp_path, "choreography = false", thing(80_000_000, Action.OBSERVE, "inspecting"))
    assert "findings" not in job["events"][0]
    assert json.dumps(job["errors"]) == "[]"


@pytest.mark.parametrize(
    "rules", ['NO_RULE = "off"', 'AFTER_END = "maybe"', "ahead_s = -1", 'choreography = "no"']
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, rules: str) -> None:
    with pytest.raises(Usage, match="rules"):
        _captured(tmp_path, rules, AFTER)
