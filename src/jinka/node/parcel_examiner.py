"""Files from outside are looked through in a process of their own, one after another.

A fault in a native parser, or memory beyond what the process may have, ends that process and not the centre: the file
is refused, and the next question starts another one. It starts when it is first asked, knows no key and no database,
and ends with the centre, whose pipe it reads.
"""

from __future__ import annotations

import contextlib
import selectors
import subprocess
import sys
import threading
from pathlib import Path

from jinka.codec.parcel_contents import Contents, FileSchema, ParquetLimits, question, read_answer
from jinka.kit import JinkaError, Refused

MEMORY_MAX = 4 << 30  # of addresses, which the allocator reserves far ahead of what it uses
ANSWER_S = 120.0
_WORK = (
    "import resource, sys;"
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
    "resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2);"
    "from jinka.codec.parcel_contents import answer_all;"
    "answer_all(sys.stdin.buffer, sys.stdout.buffer, open)"
)


class ParcelExaminer:
    """Safe for threads; one file at a time."""

    def __init__(self, *, memory_max: int = MEMORY_MAX, answer_s: float = ANSWER_S) -> None:
        self._memory, self._answer_s = memory_max, answer_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def look(
        self, path: Path, schema: FileSchema, limits: ParquetLimits, *, where: str, claimed: int
    ) -> Contents:
        """As `jinka.codec.parcel_contents.examine`; `Refused` as well for a file that ends or stops its reader."""
        asked = question(str(path), schema, limits, where=where, claimed=claimed)
        with self._lock:
            answer = self._ask(asked)
        if answer is None:
            raise Refused(
                "its reader broke off", where=where, fix="write it with another library, or in parts"
            )
        return read_answer(answer)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, asked: bytes) -> bytes | None:
        if self._process is None or self._process.poll() is not None:
            self._start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(asked)
            process.stdin.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                line = process.stdout.readline() if selector.select(self._answer_s) else b""
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            self._end()
            return None
        return line

    def _start(self) -> None:
        self._end()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _WORK, str(self._memory)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise JinkaError(f"no process for it: {error.strerror}", where="parcel examiner") from None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()
