"""The EPCIS server keeps what its own OpenAPI 3.1 says. Method: schemathesis against the real server, a bounded run.

A resource of each kind is attacked: every case is a request that schemathesis makes up, some fifty for an operation.
GS1's own document cannot be used: it refers to schemas on the net, its CaptureJob is satisfied by no object (both
branches of its oneOf hold), and its 409 has the status 406.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jinka.api.epcis import epcis_app
from jinka.api.epcis_server import epcis_server
from jinka.api.epcis_services import Resource
from jinka.api.epcis_trace import TraceResources
from jinka.app.trace_desk import ServedTraces
from jinka.store import database_at
from jinka.store.database import Database
from tests.epcis_rig import Desk, desk_at, facts

_CONFIG = Path(__file__).with_name("epcis_schemathesis.toml")


@contextmanager
def served(desk: Desk, database: Database | None = None) -> Iterator[int]:
    """The port of a server."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        more: tuple[Resource, ...] = ()
        if database is not None:
            more = TraceResources(desk=ServedTraces(database, desk.services.clock, None)).resources()
        runner = epcis_server(epcis_app(desk.services, more=more))
        thread = threading.Thread(target=runner.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            while not runner.started:
                time.sleep(0.01)
            yield place.getsockname()[1]
        finally:
            runner.should_exit = True
            thread.join()


@pytest.mark.parametrize(
    ("paths", "phases", "tested"),
    [
        (
            r"^/(capture|queries|queries/{queryName}|epcs/{epc}/events|trace/back|"
            r"trace/recalls/{number}/notices/{holder}/report)$",
            "coverage,fuzzing",
            9,
        ),
        (
            r"^/events$",
            "fuzzing",
            2,
        ),  # it has so many parameters that to go through them one by one takes minutes
    ],
)
def test_schemathesis_finds_no_fault(
    paths: str, phases: str, tested: int, fresh_sqlite: Callable[[], Path], tmp_path: Path
) -> None:
    path = fresh_sqlite()
    with desk_at(path) as desk, database_at(path) as database:
        desk.capture(facts(bizStep="shipping"), facts(epcList=["urn:epc:id:sgtin:6901234.012345.2"]))
        with served(desk, database) as port:
            done = subprocess.run(
                [
                    sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "run",
                    f"http://127.0.0.1:{port}/openapi.json", "--max-examples", "4", "--seed", "1", "--no-color",
                    "--generation-database", "none", "--phases", phases, "--exclude-method", "OPTIONS",
                    "--include-path-regex", paths,
                ],
                cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    assert f"Tested: {tested}" in done.stdout
