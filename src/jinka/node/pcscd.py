"""The PC/SC service of a test or a measurement: pcscd in the foreground, vpcd's virtual reader on free ports.

pcsc-lite listens on the one socket that it was built with, unless it is handed a socket that listens already, as
systemd does (sd_listen_fds(3): descriptor 3, LISTEN_FDS and LISTEN_PID). So this one gets a socket of its own, and the
machine's pcscd may run beside it. Programs find it by PCSCLITE_CSOCK_NAME, which is set in this process, and thereby in
those that it starts, while the service runs. libpcsclite reads it once, at a process's first call. A pcscd built
without libsystemd needs its usual place to be free.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from jinka.kit import JinkaError, NotFound

SOCKET = Path("/run/pcscd/pcscd.comm")
DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
READER = "Jinka"
SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
_WAITING_MAX = 16
# The shell's process becomes pcscd, so its id is the one that pcscd compares; the socket arrives as standard input.
_ACTIVATED = 'exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; exec "$@"'
_START_S = 10.0
_STEP_S = 0.02
_PORTS = range(21_000, 29_000, 2)  # below the ports that the kernel hands out by itself

_READER_CONF = """FRIENDLYNAME "{name}"
DEVICENAME   /dev/null:0x{port:04X}
LIBPATH      {driver}
CHANNELID    0x{port:04X}
"""


class PcscService:
    """pcscd with two empty virtual slots, from entering the context to leaving it."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._before: str | None = None  # what the variable said

    @property
    def readers(self) -> tuple[str, str]:
        """The names of the two slots, as every PC/SC program sees them."""
        return f"{READER} 00 00", f"{READER} 00 01"

    def __enter__(self) -> PcscService:
        program = shutil.which("pcscd", path="/usr/sbin:/usr/bin:/sbin:/bin")
        if program is None:
            raise NotFound("pcscd is not installed", where="PC/SC", fix="apt-get install pcscd")
        if not DRIVER.exists():
            raise NotFound("no virtual reader", where=str(DRIVER), fix="apt-get install vsmartcard-vpcd")
        self.port = _two_free_ports()
        self._folder = tempfile.TemporaryDirectory(prefix="jinka-pcscd-")
        folder = Path(self._folder.name)
        conf = folder / "reader.conf.d"
        conf.mkdir()
        (conf / "vpcd").write_text(_READER_CONF.format(name=READER, port=self.port, driver=DRIVER))
        self._start([program, "--foreground", "--config", str(conf)], folder)
        try:
            self._await(folder)
        except JinkaError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            if self._before is None:
                os.environ.pop(SOCKET_VARIABLE, None)
            else:
                os.environ[SOCKET_VARIABLE] = self._before
            self._process.terminate()
            try:
                self._process.wait(_START_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def _start(self, command: list[str], folder: Path) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening, _log(folder).open("wb") as log:
            listening.bind(str(folder / "comm"))
            listening.listen(_WAITING_MAX)
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _ACTIVATED, "pcscd", *command],
                stdin=listening.fileno(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._before = os.environ.get(SOCKET_VARIABLE)
        os.environ[SOCKET_VARIABLE] = str(folder / "comm")

    def _await(self, folder: Path) -> None:
        """Until vpcd listens: pcscd loads its readers before it takes a call, and calls wait in the socket's queue."""
        assert self._process is not None
        until = time.monotonic() + _START_S
        while _is_free(self.port) or _is_free(self.port + 1):
            if self._process.poll() is not None or time.monotonic() > until:
                said = _log(folder).read_text(errors="replace").strip().splitlines()
                raise JinkaError(
                    f"pcscd did not start: {said[-1] if said else 'it said nothing'}",
                    where="PC/SC",
                    fix="start it by hand with --foreground --debug",
                )
            time.sleep(_STEP_S)


def _log(folder: Path) -> Path:
    return folder / "pcscd.log"


def _two_free_ports() -> int:
    for port in _PORTS:
        if _is_free(port) and _is_free(port + 1):
            return port
    raise JinkaError("no two free ports in a row", where="vpcd", fix="end what listens on them")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # as vpcd itself will: what a closed connection left waiting is no hindrance
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 tried and given back at once
        except OSError:
            return False
    return True
