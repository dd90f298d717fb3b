"""What can be asked of `jinka day`, checked once at the border."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path

from jinka.kit import FIRST_DATE, LAST_DATE, Usage

RIDERS_DEFAULT = 16_000  # about 50,000 taps
SEED_DEFAULT = 1
DATE_DEFAULT = dt.date(2018, 9, 3)  # a Monday
SEED_MAX = 2**63 - 1
# What a day plays, and what a folder means that was written before it named them.
TARIFF_DEFAULT = "shenzhen.2018"
APPLICATION_DEFAULT = "cn.shenzhen.transit"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOptions:
    """One day to run.

    ``taps`` is a file of real taps; without it a city of ``riders`` is generated from ``seed``. ``date`` is the
    business date: a generated city has `DATE_DEFAULT` without it, a file of taps its own (see `sim.screening`), and is
    played on the day that is given. ``directory`` receives everything that is written
    (see `folder`). ``spoil`` is the share of records, from 0 to 0.5, into which faults are put. ``keys`` is the socket
    of a key service that serves the caller ``day``; without it keys are made and held in process. ``tariff`` and
    ``application`` are what the cards pay by and what is on them, by name (`jinka.app.tariffs`).
    """

    directory: Path | None = None
    taps: Path | None = None
    riders: int = RIDERS_DEFAULT
    seed: int = SEED_DEFAULT
    date: dt.date | None = None
    spoil: float = 0.0
    keys: Path | None = None
    tariff: str = TARIFF_DEFAULT
    application: str = APPLICATION_DEFAULT

    def __post_init__(self) -> None:
        if self.riders < 1:
            raise Usage(f"{self.riders} riders", where="--riders", fix="1 or more")
        if not 0 <= self.seed <= SEED_MAX:
            raise Usage(f"a seed of {self.seed}", where="--seed", fix="0 to 2^63-1")
        if not (math.isfinite(self.spoil) and 0 <= self.spoil <= 0.5):
            raise Usage(f"a share of {self.spoil}", where="--spoil", fix="0 to 0.5, such as 0.01")

        if self.date is not None and not FIRST_DATE <= self.date <= LAST_DATE:
            raise Usage(f"a business date of {self.date}", where="--date", fix=f"{FIRST_DATE} to {LAST_DATE}")

    @property
    def city_date(self) -> dt.date:
        """The business date of a generated city."""
        return self.date or DATE_DEFAULT

    @property
    def folder(self) -> Path:
        """The directory, or one in ``out/`` that is named after the day, so that two days do not meet."""
        if self.directory is not None:
            return self.directory
        what = f"city-{self.riders}-{self.city_date}" if self.taps is None else self.taps.stem
        return Path("out") / (f"{what}-seed-{self.seed}" + (f"-spoil-{self.spoil:g}" if self.spoil else ""))
