"""Files of real taps, as operators publish them. Shenzhen's open data is the one form that there is."""

from __future__ import annotations

from pathlib import Path

from jinka.kit import Usage
from jinka.node import file_errors
from jinka.sectors.shenzhen_taps import read_taps
from jinka.tariff.tap_rows import TapFile


def open_taps(path: Path) -> TapFile:
    """Read a file of real taps; `NotFound` or `Usage` when it is not there, a folder, or of another kind."""
    with file_errors(path):
        if path.is_dir():
            raise Usage("is a folder", where=str(path), fix="name the file of taps in it")
        if path.exists() and not path.is_file():
            raise Usage("is no regular file", where=str(path), fix="name a file of taps")
        return read_taps(path.read_bytes(), name=path.name)
