"""Events become lines for machines, without card numbers and keys, in a file that has an end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinka.node.event_log import ChangeLog, EventLog

PAN, KEY = "6225880123456782", "0123456789ABCDEFFEDCBA9876543210"


class Still:
    def now_micros(self) -> int:
        return 1_767_600_000_123_456


def test_a_line_says_when_who_and_what_and_hides_numbers_and_keys(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log" / "a.jsonl", Still())
    log.note("switch", "said", text=f"card {PAN} under {KEY}\nand a second line", port=7001, ready=True)
    raw = (tmp_path / "log" / "a.jsonl").read_text()
    line = json.loads(raw)
    assert raw.count("\n") == 1
    assert (line["at"], line["part"], line["event"]) == ("2026-01-05T08:00:00.123+00:00", "switch", "said")
    assert (line["port"], line["ready"]) == (7001, True)
    assert PAN not in raw
    assert KEY not in raw
    assert PAN[-4:] in line["text"]


def test_a_full_file_makes_room(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "a.jsonl", Still(), file_max=2_000)
    for number in range(100):
        log.note("switch", "tick", number=number)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 4_000
    assert json.loads((tmp_path / "a.jsonl").read_text().splitlines()[-1])["number"] == 99


def test_what_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "a.jsonl", Still())
    (tmp_path / "a.jsonl").mkdir()
    log.note("switch", "tick")


def test_only_what_changed_is_told(tmp_path: Path) -> None:
    status: dict[str, Any] = {
        "counts": {"requests{till}": 5}, "peers": {"bank": {"ready": True, "lines": ["ready"]}}, "known": 3,
    }  # fmt: skip
    changes = ChangeLog(
        EventLog(tmp_path / "a.jsonl", Still()), "switch", lambda: status, ("counts", "peers")
    )
    changes.look()
    changes.look()
    status["counts"] = {"requests{till}": 9, "refused{till}": 1}
    status["peers"] = {"bank": {"ready": False, "lines": []}}
    status["known"] = 4
    changes.look()
    status["counts"] = {}
    changes.look()
    said = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in line.items() if k not in ("at", "part", "event")} for line in said] == [
        {"counts.requests{till}": "+5", "peers.bank.ready": True, "peers.bank.lines": "ready"},
        {
            "counts.requests{till}": "+4", "counts.refused{till}": "+1", "peers.bank.ready": False,
            "peers.bank.lines": "",
        },
        {"counts.requests{till}": None, "counts.refused{till}": None},
    ]  # fmt: skip
