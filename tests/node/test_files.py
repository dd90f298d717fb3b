"""Durable files: old bytes or new ones, complete lines only, one run at a time."""

from __future__ import annotations

import os
import stat

import pytest

from jinka.kit import Refused
from jinka.node import FolderLock, append_line, read_lines, write_durable


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "file"
    write_durable(path, b"one")
    write_durable(path, b"two", private=True)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_durable(path, b"old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_durable(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_line_that_was_cut_off_is_dropped(tmp_path):
    log = tmp_path / "log"
    append_line(log, "first")
    with log.open("ab") as raw:
        raw.write(b"half a li")
    assert read_lines(log) == ["first"]
    append_line(log, "second")
    assert read_lines(log) == ["first", "second"]
    assert read_lines(tmp_path / "none") == []


def test_one_run_at_a_time(tmp_path):
    with FolderLock(tmp_path), pytest.raises(Refused, match="another run"), FolderLock(tmp_path):
        pass
    with FolderLock(tmp_path):
        pass
