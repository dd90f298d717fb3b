"""Files that survive a power cut: written beside, flushed, then renamed; and logs that are flushed line by line."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import IO

from jinka.kit import Refused

_HALF = ".new"


def write_durable(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write ``content`` so that ``path`` holds either the old bytes or all of the new ones, whatever happens.

    ``private`` files can be read by their owner only.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}{_HALF}")
    with os.fdopen(
        os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o644), "wb"
    ) as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    flush_folder(path.parent)


def append_line(path: Path, line: str) -> None:
    """Append one line to a log and flush it to the disk before returning; a line that was cut off is dropped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as log:
        if log.tell():
            log.seek(-1, os.SEEK_END)
            if log.read(1) != b"\n":
                log.seek(0)
                log.truncate(log.read().rfind(b"\n") + 1)
        log.write(line.encode() + b"\n")
        log.flush()
        os.fsync(log.fileno())


def read_lines(path: Path) -> list[str]:
    """The complete lines of a log; a last line without its end was cut off while it was written and is left out."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1].splitlines()


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderLock:
    """One program at a time in a folder; the operating system frees it when the program dies.

    A folder that is new or empty is closed to everybody but its owner. Files and folders that a kill left half
    written are removed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: IO[str] | None = None

    def __enter__(self) -> FolderLock:
        self._folder.mkdir(parents=True, exist_ok=True)
        if next(self._folder.iterdir(), None) is None:
            self._folder.chmod(0o700)  # what will lie in it names cards
        self._handle = (self._folder / ".lock").open("w")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._handle.close()
            raise Refused("another run is at work here", where=str(self._folder), fix="wait for it") from None
        for half in list(self._folder.rglob(f".*{_HALF}")):
            if half.is_dir():
                shutil.rmtree(half)
            else:
                half.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.close()
