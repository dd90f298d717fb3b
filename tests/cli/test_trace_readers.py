"""`jinka trace readers` as processes: an emulated reader, a station, and a repository that its events end in.

Goal: what goes through a gate can be queried, a killed reader is told and found again, and no event is lost while the
server is away. Method: three processes on free ports; everything else is asked in this one.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from jinka.app.trace_serving import query_events
from jinka.cli.main import app

JINKA = (sys.executable, "-c", "from jinka.cli import main; main()")
EPC = "urn:epc:id:sgtin:0614141.812345.9"
STATION = """
[station]
metrics = "127.0.0.1:0"

[capture]
url = "http://127.0.0.1:{server}"
retry_most_ms = 500

[readers.dock]
address = "127.0.0.1:{reader}"
antennas = [1, 2]
tid_words = 6
turn_ms = 100
retry_most_ms = 300

[places.gate]
read_point = "urn:epc:id:sgln:0614141.07346.1"
biz_location = "urn:epc:id:sgln:0614141.07346.0"
outer = ["dock:1"]
inner = ["dock:2"]
together_ms = 0
silence_least_ms = 300
"""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A command that serves, once it has said so; it must end well when it is told to."""
    process = subprocess.Popen(
        [*JINKA, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    text = ""
    try:
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            text += line
        yield process, json.loads(text)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0, process.communicate()[1]
    finally:
        process.kill()
        process.communicate()


def _until(true: Callable[[], Any], within_s: float = 60.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.1)
    return found


def _jinka(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def _status(file: Path) -> dict[str, Any]:
    found = json.loads(_jinka("trace", "readers", "status", str(file), "--json").stdout)
    assert isinstance(found, dict)
    return found


def _events(server: int) -> list[Any]:
    document = query_events(f"http://127.0.0.1:{server}", [], epc_format="Always_EPC_URN", most=100)[0]
    found: list[Any] = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


def test_what_goes_through_a_gate_is_captured_whatever_is_killed_meanwhile(tmp_path: Path) -> None:
    reader, server = _free_port(), _free_port()
    file, repository = tmp_path / "readers.toml", tmp_path / "trace.toml"
    file.write_text(STATION.format(reader=reader, server=server))
    repository.write_text(f'[trace]\nlisten = "127.0.0.1:{server}"\n')
    emulate = ("trace", "readers", "emulate", "--port", str(reader), "--tags", "2", "--walk", "in")

    refused = _jinka("trace", "readers", "check", str(file), "--connect")
    assert refused.exit_code == 6
    assert "is it on?" in refused.stdout
    with _process("trace", "readers", "run", str(file)) as (_, told):
        assert told["readers"] == ["dock"]
        again = _jinka("trace", "readers", "run", str(file))
        assert again.exit_code == 4
        metrics = told["metrics"]
        bound = _jinka("trace", "readers", "bind", str(file), EPC, "E28011050000000012345678")
        assert json.loads(bound.stdout) == {"epc": EPC, "tid": "E28011050000000012345678"}
        assert _status(file)["chips"]["bound"] == 1
        for epc, tid in ((EPC, "E280"), (EPC, "x"), ("urn:epc:id:sgtin:1", "E28011050000000012345678")):
            assert _jinka("trace", "readers", "bind", str(file), epc, tid).exit_code != 0
        with _process(*emulate) as (emulator, _):
            _until(lambda: _status(file)["outbox"]["waiting"])  # the server is not there yet
            assert "ConnectionRefusedError" in _until(lambda: _status(file)["outbox"]["answer"])
            emulator.kill()
            emulator.wait()
            found = _until(lambda: _status(file)["readers"]["dock"]["gaps_open"])
            assert "127.0.0.1" in found[0]["reason"]
            table = _jinka("trace", "readers", "status", str(file), "--lang", "zh")
            assert "失联" in table.stdout
            assert "待发送" in table.stdout
        with _process("trace", "serve", str(repository)), _process(*emulate):
            _until(lambda: _status(file)["told"].get("in", 0) >= 3)
            _until(lambda: not _status(file)["outbox"]["waiting"])
            status = _status(file)
            page = urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10).read().decode()
            assert 'jinka_readers_connections_total{reader="dock"} 2\n' in page
            assert "jinka_readers_outbox_refused 0\n" in page
            assert status["readers"]["dock"]["connections"] == 2
            assert status["outbox"]["refused"] == 0
            events = _events(server)
    ways = {event["bizStep"] for event in events}
    assert ways <= {"arriving", "entering_exiting"}  # a reader that was killed left somebody in the gate
    came = [event for event in events if event["bizStep"] == "arriving"]
    epcs = {epc for event in came for epc in event["epcList"]}
    assert epcs <= {f"urn:epc:id:sgtin:0614141.812345.{number}" for number in (1, 2)}
    assert len(came) >= 3
    assert all(event["bizLocation"]["id"] == "urn:epc:id:sgln:0614141.07346.0" for event in came)
    assert len({event["eventID"] for event in events}) == len(events)


def test_what_is_wrong_is_said_before_anything_begins(tmp_path: Path) -> None:
    file = tmp_path / "readers.toml"
    file.write_text(STATION.format(reader=1, server=1).replace("outer", "outher"))
    wrong = _jinka("trace", "readers", "check", str(file))
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "jinka: error: places.gate: unknown: outher (see docs/readers.md)\n",
    )
    assert _jinka("trace", "readers", "status", str(tmp_path / "absent.toml")).exit_code == 3
    file.write_text(STATION.format(reader=1, server=1))
    asked = _jinka("trace", "readers", "status", str(file))
    assert (asked.exit_code, "nobody listens there" in asked.stderr) == (3, True)
    good = _jinka("trace", "readers", "check", str(file), "--json")
    assert json.loads(good.stdout)[0]["reader"] == "dock"
    assert _jinka("trace", "readers", "emulate", "--walk", "fly", "--port", "0").exit_code == 2
