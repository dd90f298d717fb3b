"""Memory for key material: not swapped, not in a core dump, overwritten with zeros when it is given back.

mlock(2) and madvise(2) by ctypes, on pages of their own. What Python copies out of here (the ``bytes`` that a cipher
is given) is freed without being overwritten: CPython offers no way to. Not a hardware boundary.
"""

from __future__ import annotations

import ctypes
import mmap

from jinka.kit import JinkaError

_PAGE = mmap.PAGESIZE


class LockedBytes:
    """A few bytes in locked pages. `locked` tells whether the system agreed to lock them (RLIMIT_MEMLOCK)."""

    __slots__ = ("_map", "_size", "locked")

    def __init__(self, content: bytes) -> None:
        self._size = len(content)
        self._map: mmap.mmap | None = mmap.mmap(-1, max(_PAGE, -(-self._size // _PAGE) * _PAGE))
        self.locked = _lock(self._map)
        if hasattr(mmap, "MADV_DONTDUMP"):
            self._map.madvise(mmap.MADV_DONTDUMP)
        self._map[: self._size] = content

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"LockedBytes({self._size} bytes)"

    def slice(self, start: int, stop: int) -> bytes:
        """A copy of some of the bytes; raises `JinkaError` when they were wiped."""
        if self._map is None:
            raise JinkaError("the memory was wiped", where="keys", fix="open the key service again")
        return bytes(self._map[start : min(stop, self._size)])

    def wipe(self) -> None:
        """Overwrite with zeros and give the pages back. It may be called again."""
        if self._map is not None:
            self._map[:] = bytes(len(self._map))
            self._map.close()
            self._map = None

    def __del__(self) -> None:
        if getattr(self, "_map", None) is not None:
            self.wipe()


def _lock(area: mmap.mmap) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "mlock"):
        return False
    libc.mlock.argtypes, libc.mlock.restype = (ctypes.c_void_p, ctypes.c_size_t), ctypes.c_int
    first = ctypes.c_char.from_buffer(area)
    try:
        return bool(libc.mlock(ctypes.addressof(first), len(area)) == 0)
    finally:
        del first  # else the map could not be closed
