"""Where the shared data folder is: real taps that are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("JINKA_DATA", Path(__file__).parents[2] / "shared" / "data"))
SHENZHEN_TAPS = DATA / "shenzhen-taps" / "2018-09-01-taps.csv"

needs_shenzhen_taps = pytest.mark.skipif(
    not SHENZHEN_TAPS.exists(), reason=f"shared data folder absent: {SHENZHEN_TAPS.name} is not at JINKA_DATA"
)
