"""The lists of blocked cards that a spoiled day spreads: one in force from the start, and one that comes too late."""

from __future__ import annotations

import pyarrow as pa

from jinka.registry import ACKNOWLEDGEMENTS, LISTINGS
from jinka.sim.changes import Row

LIST_IN_FORCE, LIST_LATE = 2, 3  # version 1 is the list of the plan


def spread_lists(
    rows: list[Row], listed: dict[bytes, int], terminals: list[bytes]
) -> tuple[pa.Table, pa.Table]:
    """One list that every terminal had before service, and one that reached them after the last tap."""
    date = max((row["local_date"] for row in rows), default=b"").hex()
    first = min((row["local_date"] for row in rows), default=b"").hex()
    listings = [
        {"list_version": version, "card_no": card, "effective_from": first + "000000"}
        for card, version in sorted(listed.items())
    ]
    spread = {LIST_IN_FORCE: first + "000000", LIST_LATE: date + "235959"}
    acknowledged = [
        {"terminal_id": terminal, "list_version": version, "acknowledged_at": moment}
        for version, moment in spread.items()
        for terminal in terminals
    ]
    return (
        pa.Table.from_pylist(listings, schema=LISTINGS),
        pa.Table.from_pylist(acknowledged, schema=ACKNOWLEDGEMENTS),
    )
