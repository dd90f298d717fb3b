"""`jinka bin`: a table of BINs taken into a folder, and looked up.

``bins.json`` keeps the rows, the names of the institutions, and where they came from with the hash of that file. The
table itself is never part of the project: who runs a switch imports the one that he is given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.kit import Finding, NotFound, Usage
from jinka.node import write_durable
from jinka.registry.bins import Bin, BinTable, parse_bins, require_card, write_bins

_FILE = "bins.json"
_SIZE_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import came to."""

    path: Path
    table: BinTable
    findings: Sequence[Finding]


def import_bins(csv_path: Path, directory: Path, *, names: Path | None = None, source: str = "") -> Imported:
    """Read a table, keep it in the folder; what is wrong with it is in the findings."""
    text = _text(csv_path)
    names_text = "" if names is None else _text(names)
    digest = hashlib.sha256(text.encode()).hexdigest()
    table, findings = parse_bins(text, names_text, source=source or f"{csv_path.name}, SHA-256 {digest[:16]}")
    if not table.bins:
        raise Usage("no row is usable", where=str(csv_path), fix="bin,bank,type,length")
    data = {"source": table.source, "sha256": digest, "names": table.names, "rows": write_bins(table)}
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / _FILE
    write_durable(path, (json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())
    return Imported(path=path, table=table, findings=findings)


def load_bins(directory: Path) -> BinTable:
    """The table of a folder; `NotFound` before an import."""
    path = directory / _FILE
    if not path.is_file():
        raise NotFound("no table of BINs", where=str(path), fix="jinka bin import FILE --dir DIR")
    try:
        data = json.loads(_text(path))
        table, findings = parse_bins(data["rows"], source=data["source"])
        names = {str(code): str(name) for code, name in data["names"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Usage("not a table that was imported", where=str(path), fix="import it again") from None
    if findings:
        raise Usage(f"{len(findings)} bad rows", where=str(path), fix="import it again")
    return BinTable(table.bins, names=names, source=table.source)


def look_up(directory: Path, card: str) -> tuple[BinTable, Bin]:
    """The row of a card; `NotFound` where no prefix fits."""
    table = load_bins(directory)
    found = table.lookup(require_card(card))
    if found is None:
        raise NotFound(f"no BIN for a card of {len(card)} digits", where=table.source)
    return table, found


def as_plain(table: BinTable, row: Bin) -> dict[str, Any]:
    """A row for JSON."""
    return {
        "prefix": row.prefix,
        "length": row.length,
        "bank": row.bank,
        "name": table.name_of(row.bank),
        "type": row.kind.value,
        "source": table.source,
    }


def _text(path: Path) -> str:
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    if path.stat().st_size > _SIZE_MAX:
        raise Usage(f"more than {_SIZE_MAX:,} bytes", where=str(path))
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Usage("not UTF-8", where=str(path)) from None
