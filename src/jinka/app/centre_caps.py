"""The caps of a higher tier, told downwards: a child sees how much it may owe there, and how much of it a round took.

A parent whose `business-day.toml` caps a child sends it, once a round is in its books, one row (`CAPS`) in the stream
of registers. The child keeps the newest and shows it in its status. It is the parent's word about the parent's books
and changes nothing here: the parent's window takes claims out whether or not the child looks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.centre_config import CentreConfig
from jinka.kit import MAX_MINOR, Refused
from jinka.node import write_durable
from jinka.node.parcel_desk import ParcelDesk
from jinka.settlement.caps import OnBreach
from jinka.settlement.centre_posting import centre_name
from jinka.store.parcels_taken import Taken

FILE = "caps.json"
CAPS = pa.schema(
    [
        pa.field("limit", pa.int64(), nullable=False),
        pa.field("owed", pa.int64(), nullable=False),
        pa.field("waiting", pa.int64(), nullable=False),
        pa.field("by_officer", pa.bool_(), nullable=False),
    ],
    metadata={b"jinka.caps": b"1"},
)


def caps_told(config: CentreConfig, summary: Mapping[str, Any]) -> Iterator[tuple[str, pa.Table]]:
    """For each child with a cap, what it is told of a settled round: its limit, what it owes, what of it waits."""
    if config.rules.day is None or "window" not in summary:
        return
    window, caps = summary["window"], config.rules.day.caps
    for child in sorted(config.around.children):
        name = centre_name(child)
        if (cap := caps.get(name)) is None:
            continue
        waiting = sum(amount for payer, _, amount, _ in window["waiting"] if payer == name)
        row = {
            "limit": cap.limit, "owed": max(-window["positions"].get(name, 0), 0), "waiting": waiting,
            "by_officer": cap.on_breach is OnBreach.OFFICER,
        }  # fmt: skip
        yield child, pa.Table.from_pylist([row], schema=CAPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapsAbove:
    """A centre's side of it: ``parent`` is the only one who may tell it."""

    folder: Path
    parent: str

    def heed(self, desk: ParcelDesk, parcel: Taken) -> None:
        """Keep the newest; raises `Refused` for what is not the parent's one row."""
        made, files = parcel.manifest, desk.rows(parcel)
        rows = files["caps.parquet"].to_pylist() if set(files) == {"caps.parquet"} else []
        if made.sender != self.parent or len(rows) != 1:
            raise Refused("not the parent's cap", where=made.label)
        [row] = rows
        if not all(0 <= row[name] <= MAX_MINOR for name in ("limit", "owed", "waiting")):
            raise Refused("amounts below zero", where=made.label)
        held = cap_above(self.folder)
        if held is None or held["date"] <= made.business_date.isoformat():
            told = {"date": made.business_date.isoformat(), "parent": self.parent, **row}
            write_durable(self.folder / FILE, json.dumps(told).encode() + b"\n")
        desk.applied(parcel)


def cap_above(folder: Path) -> dict[str, Any] | None:
    """The cap of this centre at its parent as it was last told; None without one."""
    path = folder / FILE
    found: dict[str, Any] | None = json.loads(path.read_bytes()) if path.exists() else None
    return found


__all__ = ["CAPS", "CapsAbove", "cap_above", "caps_told"]
