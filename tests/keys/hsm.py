"""A SoftHSM2 token of its own for the tests: made once for each run, thrown away after it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/softhsm/libsofthsm.so"),
)
TOKEN, PIN, SO_PIN = "jinka-test", "246813", "135792"
MORE_TOKENS = ("jinka-day", "jinka-other", "jinka-custody")
_INIT = ("softhsm2-util", "--init-token", "--free", "--so-pin", SO_PIN, "--pin", PIN)


def module() -> Path:
    """The module's file; the test is skipped (in CI: fails) when SoftHSM2 is not installed."""
    found = next((path for path in MODULES if path.exists()), None)
    if found is None:
        pytest.skip("SoftHSM2 is not installed: scripts/system-setup")
    return found


@cache
def token_folder() -> Path:
    """A folder with SoftHSM2's configuration and its tokens; SOFTHSM2_CONF names it from now on."""
    folder = Path(tempfile.mkdtemp(prefix="jinka-hsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(conf)
    for label in (TOKEN, *MORE_TOKENS):  # all at once: a module counts its tokens when it is loaded
        subprocess.run([*_INIT, "--label", label], check=True, capture_output=True, timeout=60)
    return folder
