"""A PostgreSQL server of one's own for a benchmark or a test: in a temporary folder, behind a Unix socket, gone after.

Debian's package brings the programs; no system service is touched and no port is opened. The server refuses to run as
root, so root starts it as the user ``postgres``. Durability is left as the server ships it: on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinka.kit import JinkaError, NotFound

_PROGRAMS = Path("/usr/lib/postgresql")
_START_S = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "autovacuum_naptime": "10s",
}


class OwnPostgres:
    """A running server. ``kill`` ends it as a power cut would, and ``start`` brings it up again on the same files."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self._programs = folder, programs
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def make(self) -> None:
        """Lay out the files of a new cluster, which trusts whoever reaches its socket."""
        args = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        done = subprocess.run(
            [str(self._programs / "initdb"), *args, f"--pgdata={self.folder / 'data'}"],
            capture_output=True, text=True, check=False, cwd=self.folder, **_as_postgres(),
        )  # fmt: skip
        if done.returncode:
            raise JinkaError(done.stderr.strip()[-500:], where="initdb")

    def start(self) -> None:
        settings = _SETTINGS | {"unix_socket_directories": str(self.folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, **_as_postgres(),
            )  # fmt: skip
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder), "-U", "postgres"]
        until = time.monotonic() + _START_S
        while subprocess.run(ready, check=False, cwd=self.folder).returncode:
            if self._process.poll() is not None or time.monotonic() > until:
                tail = (self.folder / "server.log").read_text(errors="replace")[-500:]
                raise JinkaError(f"the server does not start: {tail}", where="postgres")
            time.sleep(0.05)

    def make_database(self, name: str, template: str = "template1") -> str:
        """Create a database and return its URL."""
        query = f'CREATE DATABASE "{name}" TEMPLATE "{template}"'
        done = subprocess.run(
            [self._programs / "psql", "-X", "-q", "-h", self.folder, "-U", "postgres", "-d", "postgres", "-c", query],
            capture_output=True, text=True, check=False, cwd=self.folder,
        )  # fmt: skip
        if done.returncode:
            raise JinkaError(done.stderr.strip()[-500:], where="psql")
        return self.url(name)

    def kill(self) -> None:
        """Kill the server at once, with its workers, which notice that it is gone."""
        self._end(signal.SIGKILL)
        pid = self.folder / "data" / "postmaster.pid"
        until = time.monotonic() + _START_S
        while _is_used(self.folder / "data") and time.monotonic() < until:
            time.sleep(0.05)
        pid.unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it quickly; the files are thrown away."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_S)
            self._process = None


def find_programs() -> Path:
    """The folder of the newest server's programs. Raises `NotFound` where the package is absent."""
    found = sorted(_PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if (path := shutil.which("initdb")) is not None:
        return Path(path).resolve().parent
    raise NotFound("no PostgreSQL server", where="postgres", fix="apt-get install postgresql")


@contextlib.contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A fresh server for a ``with`` block."""
    programs = find_programs()
    with tempfile.TemporaryDirectory(prefix="jinka-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        server = OwnPostgres(folder, programs)
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _as_postgres() -> dict[str, Any]:
    """Options of `subprocess` that change root into the user ``postgres``."""
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _is_used(data: Path) -> bool:
    """Whether a process of the server still works in its folder (Linux)."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == data:
                return True
    return False
