"""Lists of cards between centres: what one centre's clearing lists, every other one gets beside the verdicts.

A list's version is the ordinal of its round, so that versions rise with the days and an acknowledgement of one stands
for those before. It is in force from the next day, and at a terminal from its acknowledgement (`jinka.risk`); which
terminals have it is the operator's to tell by the registry, or `business-day.toml` by a rule. ``list.csv`` of a round
is what terminals download.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from jinka.app.centre_files import ArrivedFiles, RoundFiles, days_of
from jinka.clearing.routing import LISTED
from jinka.codec.parcel import Kind
from jinka.node import write_durable
from jinka.registry import LISTINGS, Registry

LIST_FILE = "list.csv"
ISSUED_LISTINGS = pa.schema([*LISTINGS, pa.field("issuer", pa.string(), nullable=False)])


def listed_here(cards: Iterable[str], *, centre: str, issuer: str, date: dt.date) -> pa.Table:
    """`LISTED` of the cards (numbers in hex) that a round puts onto the list."""
    start = (date + dt.timedelta(days=1)).strftime("%Y%m%d") + "000000"
    rows = [
        {"centre": centre, "issuer": issuer, "card_no": bytes.fromhex(card), "effective_from": start}
        for card in sorted(set(cards))
    ]
    return pa.Table.from_pylist(rows, schema=LISTED)


def registry_on(folder: Path, parent: str, registry: Registry, date: dt.date) -> Registry:
    """The registry with the lists of the rounds before a day: this centre's own and all others'."""
    listed = lists_before(folder, parent, date).select(LISTINGS.names).cast(LISTINGS)
    return replace(registry, listings=pa.concat_tables([registry.listings.cast(LISTINGS), listed]))


def lists_before(folder: Path, parent: str, date: dt.date) -> pa.Table:
    """`ISSUED_LISTINGS`: what centres listed in the rounds before a day, each for the cards of its own issuers.

    A centre may list what numbers it likes; they count for records of the issuer that it names, and it can name none
    but its own.
    """
    rows = [
        {
            "list_version": day.toordinal(), "card_no": row["card_no"], "effective_from": row["effective_from"],
            "issuer": row["issuer"],
        }
        for day in days_of(folder)
        if day < date
        for row in _listed(folder, parent, day)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ISSUED_LISTINGS)


def publish_list(folder: Path, parent: str, registry: Registry, date: dt.date) -> None:
    """Write what terminals download after a round: every listed card with the version that named it."""
    whole = registry_on(folder, parent, registry, date + dt.timedelta(days=1)).listings
    lines = ["list_version,card_no,effective_from"]
    lines += sorted(
        f"{row['list_version']},{row['card_no'].hex()},{row['effective_from']}" for row in whole.to_pylist()
    )
    write_durable(RoundFiles(folder, date).path(LIST_FILE), ("\n".join(lines) + "\n").encode())


def _listed(folder: Path, parent: str, day: dt.date) -> list[dict[str, object]]:
    own = RoundFiles(folder, day).read("up-verdicts-listed", LISTED)
    others = ArrivedFiles(folder).read(parent, Kind.VERDICTS, day, "listed", LISTED)
    rows: list[dict[str, object]] = pa.concat_tables([own, others]).to_pylist()
    return rows
