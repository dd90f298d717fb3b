"""Locked memory. Goal: key material is wiped and kept off the disk. Method: the maps of this very process."""

from __future__ import annotations

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


def test_it_is_wiped() -> None:
    held = LockedBytes(b"k" * 5000)
    held.wipe()
    held.wipe()
    with pytest.raises(JinkaError, match="wiped"):
        held.slice(0, 1)
