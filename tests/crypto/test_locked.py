"""Locked memory. Goal: key material is wiped and kept off the disk. Method: the maps of this very process."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from jinka.crypto.locked import LockedBytes
from jinka.kit import JinkaError


def test_it_is_locked_and_left_out_of_dumps() -> None:
    held = LockedBytes(b"secret" * 100)
    assert held.locked
    assert held.slice(0, 6) == b"secret"
    assert held.slice(594, 700) == b"secret"
    assert "secret" not in repr(held)
    maps = Path("/proc/self/smaps").read_text().split("VmFlags:")
    assert any(" lo " in flags and " dd " in flags for flags in maps), "no map is locked and not dumped"


class _Seen(mmap.mmap):
    """Pages that tell what stands in them when they are given back."""

    last = b""

    def close(self) -> None:
        _Seen.last = bytes(self[:])
        super().close()


def test_it_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jinka.crypto.locked.mmap.mmap", _Seen)
    held = LockedBytes(b"k" * 5000)
    held.wipe()
    assert _Seen.last == bytes(2 * mmap.PAGESIZE)
    held.wipe()
    with pytest.raises(JinkaError, match="wiped"):
        held.slice(0, 1)
