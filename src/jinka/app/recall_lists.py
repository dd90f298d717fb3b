"""What a recall puts onto lists: cards as rows that a centre's terminals block, modules and terminals out of use there.

::

    recall-N-listings.parquet   the cards, as list version V from a time on (`jinka.risk.new_listings`)
    recall-N-devices.csv        the ranges of everything else, for whoever fetches them

The lists go down to terminals as any list does; a centre that is named has its own registry changed at once.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from jinka.app.key_report import WITHDRAWN, centre_database
from jinka.codec.bcd import digits_to_bcd
from jinka.kit import Refused, Usage
from jinka.node import write_durable
from jinka.registry import Entry, Item, Registry
from jinka.risk import new_listings
from jinka.store import database_at, load_registry, save_registry
from jinka.store.parquet_bytes import parquet_bytes

CARDS = (Item.CARD, Item.BANK_CARD)
CARDS_MAX = 5_000_000  # in one list
_TIME = re.compile(r"\d{14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What was put onto lists."""

    files: tuple[Path, ...]
    cards: int
    modules: int = 0
    terminals: int = 0


def write_lists(
    folder: Path, grant: int, entries: Sequence[Entry], *, version: int, effective_from: str
) -> Listed:
    """The files for a recall's entries; ``effective_from`` is local time, YYYYMMDDhhmmss."""
    if not _TIME.fullmatch(effective_from):
        raise Usage(f"{effective_from!r}", where="--from", fix="YYYYMMDDhhmmss")
    cards = [entry for entry in entries if entry.order.item in CARDS]
    count = sum(entry.order.count for entry in cards)
    if count > CARDS_MAX:
        raise Refused(
            f"{count} cards",
            where="recall",
            fix=f"lists hold at most {CARDS_MAX}: block their issuer's range",
        )
    files = []
    if cards:
        numbers = [digits_to_bcd(number, 10) for entry in cards for number in _numbers(entry)]
        rows = new_listings(numbers, version=version, effective_from=effective_from)
        files.append(folder / f"recall-{grant}-listings.parquet")
        write_durable(files[-1], parquet_bytes(rows), private=True)
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(["item", "maker", "issuer", "first", "last", "count", "order"])
    for entry in entries:
        order = entry.order
        if order.item not in CARDS:
            lines.writerow(
                [order.item.value, order.maker, order.issuer, order.first, order.last, order.count, order.id]
            )
    files.append(folder / f"recall-{grant}-devices.csv")
    write_durable(files[-1], out.getvalue().encode())
    return Listed(files=tuple(files), cards=count)


def withdraw_devices(centre: Path, entries: Sequence[Entry]) -> tuple[int, int]:
    """Take the modules and terminals of a recall out of use in a centre; how many of each it had in use."""
    with database_at(centre_database(centre)) as database:
        registry = load_registry(database)
        psams, modules = _withdrawn(registry.psams, "psam_id", _ranges(entries, Item.PSAM))
        terminals, readers = _withdrawn(registry.terminals, "terminal_id", _ranges(entries, Item.TERMINAL))
        if modules or readers:
            save_registry(database, _replaced(registry, psams, terminals))
    return modules, readers


def _replaced(registry: Registry, psams: pa.Table, terminals: pa.Table) -> Registry:
    return replace(registry, psams=psams, terminals=terminals)


def _ranges(entries: Sequence[Entry], item: Item) -> list[tuple[bytes, bytes]]:
    found = [entry.order for entry in entries if entry.order.item is item]
    return [
        (bytes.fromhex(order.first), bytes.fromhex(order.last))
        for order in found
        if len(order.first) % 2 == 0
    ]


def _withdrawn(table: pa.Table, key: str, ranges: Sequence[tuple[bytes, bytes]]) -> tuple[pa.Table, int]:
    """The table with the rows in the ranges out of use, and how many were in use before."""
    keys, status = table[key].to_pylist(), table["status"].to_pylist()
    ours = [any(first <= number <= last for first, last in ranges) for number in keys]
    changed = sum(mine and now != WITHDRAWN for mine, now in zip(ours, status, strict=True))
    wanted = [WITHDRAWN if mine else now for mine, now in zip(ours, status, strict=True)]
    at = table.schema.get_field_index("status")
    return table.set_column(at, table.schema.field("status"), pa.array(wanted, pa.uint8())), changed


def _numbers(entry: Entry) -> list[str]:
    first, size = int(entry.order.first), len(entry.order.first)
    return [f"{number:0{size}d}" for number in range(first, first + entry.order.count)]
