"""What a centre knows of a round for the statistics, and how the sums go up from tier to tier.

A round's cells are sent once it is settled; a parent adds up what its children sent and sends the sum. Nothing waits
for them but the next sum above. The cells are `jinka.reports.statistics`; what a child may say is checked here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jinka.app.centre_files import RoundFiles, days_of
from jinka.clearing.routing import require_own
from jinka.clearing.tiers import Surroundings
from jinka.kit import Refused
from jinka.registry import CARDS, Registry
from jinka.reports.statistics import READS, Use, add_up, require_statistics, statistics_of


def round_cells(folder: Path, date: dt.date, registry: Registry) -> pa.Table:
    """The cells of one round of a city's centre: its records that were paid or refused in it, and its new cards."""
    files = RoundFiles(folder, date)
    places = [files.path("home"), files.path("abroad")]
    places += [
        place for name in ("abroad-*/", "late-*/", "paid-*/") for place in sorted(files.folder.glob(name))
    ]
    before = [day for day in days_of(folder) if day < date and RoundFiles(folder, day).has("cards.parquet")]
    known = RoundFiles(folder, before[-1]).read("cards", CARDS) if before else None
    cards = files.read("cards", CARDS) if files.has("cards.parquet") else registry.cards
    registered = {name: getattr(registry, name) for name in Registry.SCHEMAS} | {"cards": cards}
    return statistics_of(outcome_parts(places), Registry(**registered), date=date, known=known)


def outcome_parts(places: Sequence[Path]) -> Iterator[Any]:
    """The outcomes in folders of Parquet, batch by batch, with the columns that cells are made of."""
    for place in places:
        if place.is_dir():
            files = sorted(place.glob("*.parquet"))
            yield from ds.dataset(files, format="parquet").to_batches(columns=list(READS))


def route_cells(tables: Sequence[pa.Table], around: Surroundings) -> dict[str, pa.Table]:
    """All of it to the parent, added up."""
    return {around.parent: add_up(tables)}


def require_cells(table: pa.Table, around: Surroundings, sender: str, *, where: str) -> None:
    """Raise `Refused` for cells that are none, come from above, or count cards of an issuer not below the sender."""
    if sender == around.parent:
        raise Refused("statistics go up", where=where)
    require_statistics(table, where=where)
    cards = table.filter(pc.equal(table["use"], Use.CARDS.value))
    require_own(cards, around, sender, column="issuer", where=where)


__all__ = ["outcome_parts", "require_cells", "round_cells", "route_cells"]
