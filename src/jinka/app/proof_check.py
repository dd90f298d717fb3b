"""`jinka proof verify`: what a document of a centre proves, and whether an operator's own records are all in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.clearing.day_log import (
    CONSISTENCY,
    EDITIONS,
    PROOF,
    DayStatement,
    ProvenRecord,
    check_editions,
    check_log_consistency,
    check_proof,
)
from jinka.clearing.leaf import COLUMNS, LAYOUT, WORDS, fields_of
from jinka.codec import RECORD_SCHEMA
from jinka.crypto.note import NoteKey, open_note
from jinka.keys.checkpoint import Checkpoint
from jinka.kit import Finding, Severity, Usage
from jinka.node import file_errors

DOCUMENT_MAX = 512 << 20
_NOT_RECORDED = {"payer": "", "outcome": "", "reason": "", "findings": "", "at_risk": False, "subsidy": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What holds. ``days`` are one, or the earlier and the later edition; ``states`` those of the log."""

    kind: str
    days: tuple[DayStatement, ...] = ()
    states: tuple[Checkpoint, ...] = ()
    records: tuple[ProvenRecord, ...] = ()
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "kind": self.kind,
            "days": [
                {"centre": day.centre, "date": str(day.date), "edition": day.edition, "size": day.size}
                for day in self.days
            ],
            "log": [{"origin": one.origin, "size": one.size, "root": one.root.hex()} for one in self.states],
            "records": [{"place": one.place, **one.fields} for one in self.records],
            "findings": [finding.as_dict() for finding in self.findings],
        }


def check_file(file: Path, key_file: Path, own: Path | None = None, witness: Path | None = None) -> Checked:
    """Check a document with the centre's key; raises `Refused` for what is not proven.

    With the key of a ``witness`` each checkpoint in it must have that one's signature too.
    ``own`` are an operator's records (Parquet in the shape of clearing records): each must be proven as it was sent.
    """
    with file_errors(file):
        document = _read(file)
    with file_errors(key_file):
        key = NoteKey.parse(key_file.read_text(encoding="utf-8", errors="replace"))
    if witness is not None:
        with file_errors(witness):
            other = NoteKey.parse(witness.read_text(encoding="utf-8", errors="replace"))
        notes = [
            document[name] for name in ("checkpoint", "old", "new") if isinstance(document.get(name), str)
        ]
        if other == key or not notes:
            raise Usage("not a witness", where="--witness", fix="the key of another centre than its own")
        for note in notes:
            open_note(note, other)
    form = document.get("format")
    if own is not None and form != PROOF:
        raise Usage("only a proof of records is held against records", where="--records")
    if form == CONSISTENCY:
        return Checked(kind="consistency", states=check_log_consistency(document, key))
    if form == EDITIONS:
        return Checked(kind="editions", days=check_editions(document, key))
    proven = check_proof(document, key)
    findings = () if own is None else _held_against(proven.records, own)
    return Checked(
        kind="proof",
        days=(proven.day,),
        states=(proven.checkpoint,),
        records=proven.records,
        findings=findings,
    )


def _read(file: Path) -> Mapping[str, Any]:
    if file.stat().st_size > DOCUMENT_MAX:
        raise Usage("too long", where=str(file), fix=f"at most {DOCUMENT_MAX} bytes")
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise Usage("not JSON", where=str(file), fix="give what jinka proof get wrote") from None
    if not isinstance(found, dict):
        raise Usage("not an object", where=str(file), fix="give what jinka proof get wrote")
    return found


def _held_against(proven: tuple[ProvenRecord, ...], own: Path) -> tuple[Finding, ...]:
    """A record that is missing was dropped; one that is not as it was sent was altered. The last leaf counts."""
    by_place = sorted(proven, key=lambda one: one.place)
    found = {(one.fields["batch"], one.fields["batch_seq"]): one.fields for one in by_place}
    findings = []
    for row in _own_rows(own):
        mine = fields_of(row)
        name = f"batch {mine['batch']} record {mine['batch_seq']}"
        theirs = found.get((mine["batch"], mine["batch_seq"]))
        if theirs is None:
            findings.append(_finding("RECORD_DROPPED", name, "sent, and not proven", "ask for its proof"))
        elif odd := _differing(mine, theirs):
            findings.append(
                _finding("RECORD_ALTERED", name, f"cleared with another {', '.join(odd)}", "object")
            )
    return tuple(findings)


def _own_rows(own: Path) -> list[dict[str, Any]]:
    with file_errors(own):
        try:
            table = pq.read_table(own)
        except pa.ArrowException:
            raise Usage("not Parquet", where=str(own), fix="give the records as they were sent") from None
    missing = sorted(set(RECORD_SCHEMA.names) - set(table.column_names))
    if missing:
        raise Usage(f"no columns {missing}", where=str(own), fix="give clearing records")
    rows = table.select(RECORD_SCHEMA.names).to_pylist()
    return [{name: (row | _NOT_RECORDED).get(name, 0) for name in COLUMNS} for row in rows]


def _differing(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    odd = [name for name in LAYOUT if name not in ("subsidy", "words") and mine[name] != theirs[name]]
    words = [name for name in WORDS if name not in _NOT_RECORDED]
    return odd + [name for name in words if mine["words"][name] != theirs["words"][name]]


def _finding(code: str, where: str, what: str, fix: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, what=what, fix=fix)
