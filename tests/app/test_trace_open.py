"""A first start without a file. Goal: a repository of its own, made once, and nothing of anybody else's touched."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from jinka.app.trace_config import read_trace_file
from jinka.app.trace_open import open_repository
from jinka.kit import Refused, Usage


def test_a_repository_is_made_once_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "trace"
    path, made = open_repository(None, None, folder)
    assert (path, made) == (folder / "trace.toml", True)
    file = read_trace_file(path)
    assert (file.database, file.host, file.check_page) == (folder / "epcis.db", "127.0.0.1", True)
    assert file.tables["access"] == {}
    text = path.read_bytes()
    assert open_repository(None, folder, tmp_path) == (path, False)
    assert open_repository(path, None, tmp_path) == (path, False)
    assert path.read_bytes() == text
    assert not path.stat().st_mode & stat.S_IWOTH


def test_what_is_another_s_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(Refused, match="not empty"):
        open_repository(None, tmp_path, Path("out"))
    with pytest.raises(Usage):
        open_repository(tmp_path / "trace.toml", tmp_path, Path("out"))
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]
