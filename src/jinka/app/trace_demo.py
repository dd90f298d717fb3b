"""`jinka trace demo`: a repository with a simulated chain of wheat, flour and biscuits, and what to ask of it.

The chain lies beside the repository as documents, captured through the same rules as anybody's. Its errors (pallets
that nobody unpacked on paper, receipts that nobody reported) are part of it. All of it is drawn from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.trace_config import read_trace_file
from jinka.app.trace_serving import capture_files
from jinka.codec.epcis import Document, write_json
from jinka.kit import Refused
from jinka.node import file_errors, write_durable
from jinka.sim.trace_chain import Chain, ChainSize

FILE = "trace.toml"
_TEXT = """\
# A repository with simulated events; see docs/epcis.md for all that may stand here.
[trace]
database = "epcis.db"
listen = "127.0.0.1:8490"
check_page = true
"""
_PER_DOCUMENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What was made, and things in it that are worth asking about."""

    file: Path
    documents: int
    counts: dict[str, int]
    item: str  # unsold, with a whole way behind it
    lot: str  # of wheat, which many items are made of
    holder: str  # where the item is

    def facts(self) -> dict[str, Any]:
        return {
            "file": str(self.file), "documents": self.documents, **self.counts,
            "item": self.item, "lot": self.lot, "holder": self.holder, "simulated": True,
        }  # fmt: skip


def make_demo(folder: Path, *, items: int, seed: int) -> Demo:
    """Make the repository in a new or an empty folder and capture the chain; `Refused` where something lies."""
    with file_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Refused("is not empty", where=str(folder), fix="name another folder with --dir")
        folder.mkdir(parents=True, exist_ok=True)
        chain = Chain(
            ChainSize(items=items, items_per_lot=60, items_per_case=10, cases_per_pallet=3), str(seed)
        )
        events = list(chain.events())
        paths = []
        for start in range(0, len(events), _PER_DOCUMENT):
            path = folder / "documents" / f"chain-{start // _PER_DOCUMENT + 1:04}.jsonld"
            path.parent.mkdir(exist_ok=True)
            write_durable(path, write_json(Document(events=tuple(events[start : start + _PER_DOCUMENT]))))
            paths.append(path)
        write_durable(folder / FILE, _TEXT.encode())
    read_trace_file(folder / FILE)
    jobs = capture_files(str(folder / FILE), paths, proceed=True)
    counts = {name: sum(job["counts"][name] for job in jobs) for name in ("accepted", "duplicate", "refused")}
    truth = chain.truth
    item = next(number for number in range(items) if not truth.sold[number] and truth.place_of_item[number])
    wheat = min(truth.wheat_of_flour[truth.flour_of_lot[chain.item_lot(item)][0]])
    return Demo(
        file=folder / FILE,
        documents=len(paths),
        counts=counts,
        item=chain.item(item),
        lot=chain.wheat(wheat),
        holder=truth.place_of_item[item],
    )
