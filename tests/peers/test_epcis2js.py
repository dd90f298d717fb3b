"""A client that was not written here works against the EPCIS server: epcis2.js of npm (Apache-2.0).

Method: `jinka trace serve` as a process, and Node with the client's own classes: it validates and captures documents,
follows its jobs, and validates, reads and hashes what the server answers.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).with_name("epcis2js")
_GIVEN = {
    "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"example": "https://ns.example.com/"}],
    "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-03-01T10:00:00.000Z",
    "epcisBody": {
        "eventList": [
            {
                "type": "AggregationEvent", "eventTime": "2026-03-01T10:00:00.000+08:00",
                "eventTimeZoneOffset": "+08:00", "parentID": "urn:epc:id:sscc:6901234.0000000001",
                "childEPCs": ["urn:epc:id:sgtin:6901234.012345.77"], "action": "ADD", "bizStep": "packing",
                "example:line": "3",
            }
        ]
    },
}  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server of this test's own."""
    (tmp_path / "trace.toml").write_text('[trace]\nlisten = "127.0.0.1:0"\n')
    command = [Path(sys.executable).with_name("jinka"), "trace", "serve", str(tmp_path / "trace.toml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline()]
            while lines[-1] not in ("}\n", ""):
                lines.append(process.stdout.readline())
            yield str(json.loads("".join(lines))["epcis"])
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_server_that_is_stopped_as_it_begins_stops(tmp_path: Path) -> None:
    """The signal may come after the address is told and before the server runs: it is not lost."""
    (tmp_path / "trace.toml").write_text('[trace]\nlisten = "127.0.0.1:0"\n')
    command = [Path(sys.executable).with_name("jinka"), "trace", "serve", str(tmp_path / "trace.toml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "{\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)


def test_epcis2_js_captures_and_reads_what_it_gets(server: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node: scripts/system-setup installs nodejs and npm")
    if not (HERE / "node_modules" / "epcis2.js").is_dir():
        pytest.skip("epcis2.js is not installed: scripts/npm-setup installs it")
    given = tmp_path / "given.jsonld"
    given.write_text(json.dumps(_GIVEN))
    done = subprocess.run(
        [node, "client.js", server, str(given)],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == 202
    assert told["jobs"] == [[False, True, []]] * 2
    assert told["valid"] is True
    assert told["problem"] == [400, "epcisException:QueryParameterException"]
    assert told["epcs"] == ["urn:epc:id:sgtin:6901234.012345.77"]
    assert told["eventID"] == told["hash"]
