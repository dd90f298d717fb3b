"""Durable files: old bytes or new ones, complete lines only, one run at a time."""

from __future__ import annotations

import os
import stat

import pytest

from jinka.kit import Refused
from jinka.node import FolderLock, append_line, write_durable


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
    append_line(log, "second")
    assert log.read_text() == "first\nsecond\n"


def test_one_run_at_a_time(tmp_path):
    with FolderLock(tmp_path), pytest.raises(Refused, match="another run"), FolderLock(tmp_path):
        pass
    with FolderLock(tmp_path):
        pass


def test_a_new_folder_is_closed_and_half_written_files_go(tmp_path):
    folder = tmp_path / "day"
    with FolderLock(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "deep").mkdir()
        (folder / "deep" / ".file.123.new").write_bytes(b"half")
        (folder / "deep" / ".0001.new").mkdir()
        (folder / "deep" / ".0001.new" / ".card.7.new").write_bytes(b"half")
    with FolderLock(folder):
        assert list((folder / "deep").iterdir()) == []
