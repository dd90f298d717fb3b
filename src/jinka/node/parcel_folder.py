"""The files of parcels on the disk: pieces that arrive, whole files that wait for a manifest, and what was taken in.

::

    in/CENTRE/open/HASH.SIZE.part    what is here so far; its length is where the sender goes on
    in/CENTRE/open/HASH.parquet      whole, with the hash that it was announced with; waits for its manifest
    in/CENTRE/HASH.parquet           named by a parcel that was taken in
    out/HASH.parquet                 what this centre sends

A file is known by the SHA-256 of its bytes, so files cannot be swapped, one that comes twice is one, and no name from
outside becomes a path. A file has its final name only when its bytes are on the disk. What is open is bounded for each
centre; what nobody has gone on with for a day makes room for others.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from jinka.kit import NotFound, Refused, Usage
from jinka.node.files import flush_folder
from jinka.node.problems import file_errors

_CENTRE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}")
_READ = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLimits:
    """What one centre may have open: bytes of a file, files, bytes in all, and how long nobody need go on with one."""

    file_bytes_max: int = 256 << 20
    files_max: int = 32
    bytes_max: int = 1 << 30
    idle_s: int = 86_400


class WrongOffset(Refused):
    """The piece does not begin where the file ends; ``offset`` is where it does."""

    def __init__(self, offset: int) -> None:
        super().__init__("not where the file ends", where="offset", fix=f"go on at byte {offset}")
        self.offset = offset


class ParcelFolder:
    """Safe for threads and processes: a file is locked while a piece is written to it."""

    def __init__(
        self, folder: Path, limits: FolderLimits | None = None, *, now_s: Callable[[], float] = time.time
    ) -> None:
        self.limits = limits or FolderLimits()
        self._in, self._out, self._now_s = folder / "in", folder / "out", now_s
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # what lies in it names cards
        self._out.mkdir(exist_ok=True)

    def offset(self, centre: str, digest: bytes, size: int) -> int:
        """How many bytes of a file are here."""
        if self.whole(centre, digest) is not None:
            return size
        part = self._part(centre, digest, size)
        return part.stat().st_size if part.exists() else 0

    def append(self, centre: str, digest: bytes, size: int, offset: int, piece: bytes) -> int:
        """Write a piece; how many bytes are here now.

        Raises `WrongOffset`, `Refused` for more than is allowed or for bytes that do not have the hash.
        """
        if not 0 < size <= self.limits.file_bytes_max:
            raise Refused(f"a file of {size} bytes", where="file", fix=f"1 to {self.limits.file_bytes_max}")
        if not piece or offset + len(piece) > size:
            raise Usage("a piece beyond the file's end, or empty", where="piece")
        if self.whole(centre, digest) is not None:
            raise WrongOffset(size)
        part = self._part(centre, digest, size)
        with file_errors(part):
            part.parent.mkdir(parents=True, exist_ok=True)
            self._make_room(part, size)
            with _locked(part) as file:
                here = file.seek(0, os.SEEK_END)
                if here != offset:
                    raise WrongOffset(here)
                file.write(piece)
                file.flush()
                if here + len(piece) == size:
                    self._finish(file, part, digest)
        return offset + len(piece)

    def whole(self, centre: str, digest: bytes) -> Path | None:
        """A whole file of a centre, whether a parcel has named it or not; None when it is not here."""
        name = f"{digest.hex()}.parquet"
        for path in (self._of(centre) / name, self._of(centre) / "open" / name):
            if path.exists():
                return path
        return None

    def admit(self, centre: str, digest: bytes) -> Path:
        """Give a whole file its place among what was taken in, durably; raises `NotFound`."""
        found = self.whole(centre, digest)
        if found is None:
            raise NotFound("not here, or not whole", where=f"file {digest.hex()[:8]}", fix="send it first")
        target = self._of(centre) / found.name
        with file_errors(found):
            if found != target:
                found.replace(target)
                flush_folder(target.parent)
        return target

    def taken(self, centre: str, digest: bytes) -> Path:
        """A file of a parcel that was taken in; raises `NotFound`."""
        path = self._of(centre) / f"{digest.hex()}.parquet"
        if not path.exists():
            raise NotFound("the file of a parcel is gone", where=str(path), fix="restore the folder")
        return path

    def put(self, made: Path) -> tuple[bytes, int]:
        """Take a file of our own into the outbox, durably; its hash and size. The file is moved."""
        with file_errors(made), made.open("rb") as file:
            os.fsync(file.fileno())
            digest, size = hashlib.file_digest(file, "sha256").digest(), file.tell()
            made.replace(self._out / f"{digest.hex()}.parquet")
            flush_folder(self._out)
        return digest, size

    def room(self, name: str) -> Path:
        """A place to write a file that `put` will take; a kill leaves it there, and the next one overwrites it."""
        return self._out / f".{name}.{os.getpid()}.{threading.get_ident()}.new"

    def piece(self, digest: bytes, offset: int, most: int) -> bytes:
        """Bytes of a file of the outbox; raises `NotFound`."""
        path = self._out / f"{digest.hex()}.parquet"
        with file_errors(path), path.open("rb") as file:
            file.seek(offset)
            return file.read(most)

    def _of(self, centre: str) -> Path:
        if not _CENTRE.fullmatch(centre):
            raise Usage(f"not a centre's code: {centre[:40]!r}", where="centre")
        return self._in / centre

    def _part(self, centre: str, digest: bytes, size: int) -> Path:
        return self._of(centre) / "open" / f"{digest.hex()}.{size}.part"

    def _make_room(self, part: Path, size: int) -> None:
        """Raise `Refused` unless one more file may be open; files that nobody went on with are removed first."""
        if part.exists():
            return
        others = [(path, path.stat()) for path in part.parent.iterdir()]
        for path, facts in [*others]:
            if facts.st_mtime < self._now_s() - self.limits.idle_s:
                path.unlink(missing_ok=True)
                others.remove((path, facts))
        held = sum(max(_announced(path), facts.st_size) for path, facts in others)
        if len(others) >= self.limits.files_max or held + size > self.limits.bytes_max:
            raise Refused(
                f"{len(others)} files of {held} bytes are open", where="files",
                fix="send the manifests of what is whole, or finish what is begun",
            )  # fmt: skip

    @staticmethod
    def _finish(file: BufferedRandom, part: Path, digest: bytes) -> None:
        """All bytes are here: check them, make them durable, give the file its name."""
        os.fsync(file.fileno())
        file.seek(0)
        if hashlib.file_digest(file, "sha256").digest() != digest:
            part.unlink()
            raise Refused(
                "not the bytes that were announced", where="file", fix="send it again from the start"
            )
        part.replace(part.with_name(f"{digest.hex()}.parquet"))
        flush_folder(part.parent)


def _announced(path: Path) -> int:
    """The size in a part's name; 0 for a whole file."""
    size = path.name.split(".")[1]
    return int(size) if size.isdigit() else 0


@contextmanager
def _locked(path: Path) -> Iterator[BufferedRandom]:
    """A file for reading and appending that nobody else appends to meanwhile."""
    with path.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("another piece is being written", where="file", fix="wait for it") from None
        yield file
