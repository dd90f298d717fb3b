"""What the issuer's hosts concluded online, on disk before they say so: unloads, limits, releases of grey cards.

The last word of such a card is a MAC3 that its host alone can check, so the centre pays the record on the host's word
(`jinka.clearing`, attested records): here it is, and a host that was started again gives no counter out twice. One line
of JSON for each record. What was authorised and not concluded yet is not kept: after a restart such a card must come
again. All that was ever concluded is held in memory; dropping what is settled long since is not here.

::

    centre/concluded/unload.jsonl  limit.jsonl  release.jsonl
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.clearing import attested_table
from jinka.codec import RECORD_SCHEMA, Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import CounterKind, RecordState
from jinka.kit import Refused
from jinka.node import append_line, read_lines

_Place = tuple[bytes, int]  # card, online counter
_NAMES = tuple(field.name for field in fields(ClearingRecord))
_BYTES = frozenset(
    name
    for name in _NAMES
    if pa.types.is_fixed_size_binary(kind := RECORD_SCHEMA.field(name).type) or pa.types.is_binary(kind)
)
_ENUMS: dict[str, Callable[[Any], object]] = {
    "state": RecordState,
    "counter_kind": CounterKind,
    "algorithm": Algorithm,
}


class HostJournal(MutableMapping[_Place, ClearingRecord]):
    """The ``concluded`` of one host. A record is durable when it has been put in; none is changed or taken out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: dict[_Place, ClearingRecord] = {}
        for number, line in enumerate(read_lines(path), 1):
            try:
                record = _from_json(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError):
                raise Refused("not a record", where=f"{path}:{number}", fix="restore the file") from None
            self._require_new(record, f"{path}:{number}")
            self._records[record.card_no, record.counter] = record

    def __getitem__(self, place: _Place) -> ClearingRecord:
        return self._records[place]

    def __setitem__(self, place: _Place, record: ClearingRecord) -> None:
        if place != (record.card_no, record.counter):
            raise Refused("another card's or counter's record", where=str(self._path))
        if self._records.get(place) == record:
            return
        self._require_new(record, str(self._path))
        append_line(self._path, json.dumps(_to_json(record), ensure_ascii=False))
        self._records[place] = record

    def __delitem__(self, place: _Place) -> None:
        raise Refused("what was concluded stays", where=str(self._path))

    def __iter__(self) -> Iterator[_Place]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def _require_new(self, record: ClearingRecord, where: str) -> None:
        if (record.card_no, record.counter) in self._records:
            raise Refused("a counter was concluded twice", where=where, fix="restore the file")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostJournals:
    """One for each host: purse and passbook count apart, so their counters may be equal."""

    unload: HostJournal
    limit: HostJournal
    release: HostJournal

    @classmethod
    def at(cls, centre: Path) -> HostJournals:
        """Those of a centre; empty where nothing was concluded yet."""
        place = centre / "concluded"
        return cls(**{name: HostJournal(place / f"{name}.jsonl") for name in ("unload", "limit", "release")})

    def attested(self) -> pa.Table:
        """What the clearing pays on the hosts' word; a limit moves no money."""
        return attested_table((*self.unload.values(), *self.release.values()))


def _to_json(record: ClearingRecord) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in _NAMES:
        value = getattr(record, name)
        if isinstance(value, bytes):
            value = value.hex()
        elif isinstance(value, dt.date):
            value = value.isoformat()
        found[name] = value
    return found


def _from_json(row: dict[str, object]) -> ClearingRecord:
    if row.keys() != set(_NAMES):
        raise ValueError("other fields")
    found: dict[str, object] = {}
    for name, value in row.items():
        if name in _BYTES and value is not None:
            value = bytes.fromhex(str(value))
        elif name == "business_date":
            value = dt.date.fromisoformat(str(value))
        elif name in _ENUMS:
            value = _ENUMS[name](value)
        found[name] = value
    return ClearingRecord(**found)  # type: ignore[arg-type]
