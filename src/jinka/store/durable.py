"""Finished files and folders under their names: durable before they appear. Atomic as POSIX rename is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def publish(temporary: Path, target: Path) -> None:
    """Make a finished file durable, give it its name, and make the name durable."""
    _sync(temporary)
    temporary.replace(target)
    _sync(target.parent)


def publish_folder(temporary: Path, target: Path) -> None:
    """The same for a folder of files. The one it replaces goes first, so there is the old one, none or the new one."""
    for file in temporary.iterdir():
        _sync(file)
    _sync(temporary)
    shutil.rmtree(target, ignore_errors=True)
    temporary.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
