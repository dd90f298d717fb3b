"""A key service in a process of its own, as `jinka keys serve` starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from jinka.app.keyring import make_keys
from jinka.app.workspace import Workspace
from jinka.keys.port import KeyService
from jinka.node.key_socket import connect_unix

ALL = '[callers.day]\nuid = {uid}\nverbs = ["*"]\nkeys = ["*"]\n'


def key_folder(folder: Path, seed: int = 1) -> Path:
    """A folder with simulated keys of a ceremony."""
    make_keys(Workspace(folder), seed=seed, date="2018-09-03")
    return folder


# As another user: this interpreter may lie where that user cannot read, so all is imported before.
_AS_USER = """
import json, os, signal, sys
from pathlib import Path
from jinka.app.key_serving import KeyServing
from jinka.crypto.bulk_macs import prepare
prepare()
os.setgid({user}); os.setuid({user})
import ctypes
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # changing the user took it away already: as if a program had been started so
serving = KeyServing(Path(sys.argv[3]), shares=[], ask_pin=str)
signal.signal(signal.SIGTERM, lambda *_: serving.interrupt())
serving.start()
print(json.dumps(serving.facts(), indent=2), flush=True)
serving.wait()
serving.stop()
"""
_COMMAND = "from jinka.cli import main; main()"


@contextmanager
def served(
    folder: Path, *, user: int | None = None
) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """Start the command, wait for its line, and stop it by SIGTERM afterwards."""
    code = _COMMAND if user is None else _AS_USER.format(user=user)
    command = [sys.executable, "-c", code, "keys", "serve", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield _facts(process.stdout, process), process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _facts(stream: IO[str], process: subprocess.Popen[str]) -> dict[str, Any]:
    text = ""
    for line in stream:
        text += line
        if line.startswith("}"):
            facts: dict[str, Any] = json.loads(text)
            return facts
    raise AssertionError(
        f"the service did not start: {text}{process.stderr.read() if process.stderr else ''}"
    )


@contextmanager
def connected(path: Path, caller: str = "day") -> Iterator[KeyService]:
    """A connection that is closed afterwards."""
    remote = connect_unix(path, caller=caller)
    try:
        yield remote
    finally:
        remote.close()
