"""The PC/SC service of a test or a measurement: pcscd in the foreground, vpcd's virtual reader on free ports.

pcsc-lite 1.9 takes a folder of reader.conf files with ``--config`` and always listens on one socket, so a machine has
one pcscd at a time: when another is at work, this one does not start, and says so. Only what was started is ended.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from jinka.kit import JinkaError, NotFound, Refused

SOCKET = Path("/run/pcscd/pcscd.comm")
DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
READER = "Jinka"
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
        if _answers():
            raise Refused(
                "another pcscd runs here", where=str(SOCKET), fix="end it, it takes the only socket"
            )
        self.port = _two_free_ports()
        self._folder = tempfile.TemporaryDirectory(prefix="jinka-pcscd-")
        folder = Path(self._folder.name)
        conf = folder / "reader.conf.d"
        conf.mkdir()
        (conf / "vpcd").write_text(_READER_CONF.format(name=READER, port=self.port, driver=DRIVER))
        with (folder / "pcscd.log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, "--foreground", "--config", str(conf)], stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self._await(folder / "pcscd.log")
        except JinkaError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_START_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def _await(self, log: Path) -> None:
        assert self._process is not None
        until = time.monotonic() + _START_S
        while not _answers() or _is_free(self.port):
            if self._process.poll() is not None or time.monotonic() > until:
                said = log.read_text(errors="replace").strip().splitlines()
                raise JinkaError(
                    f"pcscd did not start: {said[-1] if said else 'it said nothing'}",
                    where="PC/SC",
                    fix="start it by hand with --foreground --debug",
                )
            time.sleep(_STEP_S)


def _answers() -> bool:
    """Whether a pcscd listens; a socket that a killed one left behind does not count."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        try:
            link.connect(str(SOCKET))
        except OSError:
            return False
    return True


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
