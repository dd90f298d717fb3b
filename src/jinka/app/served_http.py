"""What servers over HTTP share: the TLS of a file's table, and a process that runs until it is told to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn

from jinka.kit import Usage
from jinka.node import file_errors
from jinka.node.switch_tls import LineTls

TLS_NAMES = frozenset({"certificate", "key", "authority", "crl"})


def tls_of(table: Mapping[str, Any], folder: Path, where: str) -> LineTls | None:
    """The TLS that a server ends itself, if its table says so; raises `Usage`. Paths are relative to the file."""
    given = {name: folder / str(table[name]) for name in TLS_NAMES & set(table)}
    if not given:
        return None
    if missing := sorted({"certificate", "key", "authority"} - set(given)):
        raise Usage("missing", where=f"{where}.{missing[0]}", fix="certificate, key and authority in PEM")
    return LineTls(
        certificate=given["certificate"], key=given["key"], authority=given["authority"], name="",
        crl=given.get("crl"),
    )  # fmt: skip


def run_until_stopped(
    runner: uvicorn.Server, path: Path, host: str, port: int, listening: Callable[[int], None]
) -> None:
    """Run on that address until SIGTERM or Ctrl-C; ``listening`` is told the port. ``path`` is the server's file."""
    # uvicorn takes them over, and raises them again at its end
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(runner, "should_exit", True))
    with file_errors(path), socket.create_server((host, port)) as place:
        listening(place.getsockname()[1])
        runner.run(sockets=[place])
