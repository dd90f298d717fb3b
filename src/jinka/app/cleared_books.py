"""Where the books of a folder are: a city-day's (`jinka day`) or a centre's of a federation. One way for all offices.

`jinka settle`, `dispute` and `float` need a ledger, outcomes of records and a place for what they keep. In a day's
folder these are under ``centre/`` and of one day; a centre's folder has them at its top, with a folder of outcomes for
each day. A day is closed to all others while an office works in it. A centre may be up: its process and the offices
share the ledger, which takes several writers, and offices are alone among themselves (``office/.lock``).

It finds things and decides nothing. Provinces and the nation have a ledger and no records.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.centre_config import DATABASE, FILE, read_config
from jinka.app.centre_files import RoundFiles, days_of
from jinka.app.day_facts import read_facts
from jinka.app.options import TARIFF_DEFAULT
from jinka.app.proof import OUTCOMES
from jinka.app.tariffs import Prices, prices_named
from jinka.app.workspace import Workspace
from jinka.kit import NotFound, Usage
from jinka.node import append_line

_LOG = "office.log.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedBooks:
    """Paths and facts. ``rounds`` are a centre's settled days; of a day's folder there are none.

    ``at_home`` are the parties whose accounts these are, empty where they are all of one city-day; ``issuer`` is the
    one whose cards are judged here, and ``scheme`` who bears its risk, where a centre's config names them.
    """

    folder: Path
    database: Path
    home: Path
    zone: str
    first: dt.date
    prices: Prices
    lock: Path
    log: Path
    rounds: tuple[dt.date, ...] = ()
    at_home: frozenset[str] = field(default_factory=frozenset)
    issuer: str = ""
    scheme: str = ""

    @property
    def outcomes(self) -> Path:
        """All outcomes, in one folder or in one for each day."""
        return self.home / OUTCOMES

    def days(self) -> Sequence[tuple[dt.date, Path]]:
        """Each day with the folder of its outcomes."""
        if not self.rounds:
            return [(self.first, self.outcomes)]
        return [(day, self.outcomes / day.isoformat()) for day in self.rounds]

    def note(self, event: str, **facts: Any) -> None:
        """Append what was done to the folder's log, durably."""
        append_line(self.log, json.dumps({"event": event, **facts}, ensure_ascii=False))


def is_centre(folder: Path) -> bool:
    """Whether a folder is a centre's of a federation, not a city's day."""
    return (folder / FILE).is_file()


def cleared_books(folder: Path) -> ClearedBooks:
    """The books of a folder; raises `NotFound` where there are none, `Usage` where a day has not finished."""
    if not folder.is_dir():
        raise NotFound("no such folder", where=str(folder), fix="run jinka day first")
    if is_centre(folder):
        config = read_config(folder)
        over = [day for day in days_of(folder) if RoundFiles(folder, day).noted("settled") is not None]
        if not over:
            raise NotFound("no round is settled", where=str(folder), fix="see jinka centre status")
        return ClearedBooks(
            folder=folder, database=folder / DATABASE, home=folder, zone=config.zone, first=over[0],
            lock=folder / "office", log=folder / _LOG, rounds=tuple(over), at_home=config.around.participants,
            issuer="" if config.city is None else config.city.issuer,
            scheme="" if config.city is None else config.city.fees.scheme,
            prices=prices_named(TARIFF_DEFAULT) if config.city is None else config.city.prices,
        )  # fmt: skip
    workspace = Workspace(folder)
    workspace.read_options()
    facts = read_facts(workspace)
    path = workspace.centre / DATABASE
    if facts is None or not path.exists():
        raise Usage("the day has not finished", where=str(folder), fix="run jinka day again, it goes on")
    return ClearedBooks(
        folder=folder, database=path, home=workspace.centre, zone=facts.zone,
        first=dt.date.fromisoformat(facts.first_date), lock=folder, log=workspace.log_file,
        prices=prices_named(facts.tariff),
    )  # fmt: skip


__all__ = ["ClearedBooks", "cleared_books", "is_centre"]
