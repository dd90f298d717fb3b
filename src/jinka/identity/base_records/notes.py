"""What the log of base records says: who looked, when, why and at which fields; who wrote, consented, withdrew.

Each note is an entry of the chained audit log (`jinka.keys.AuditEntry`), whose detail is the hash of the note's body:
canonical JSON that names records by their numbers and fields by their names and holds no value. A statement that was
written is proven by a keyed hash in the body, so changing it later shows as well. Free texts lose numbers of cards,
persons and telephones first. What was cut off the log's end shows against a checkpoint (`jinka audit`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinka.identity.base_records.access import check_officer
from jinka.keys import AuditEntry, AuditEvent, AuditReport, Checkpoint, Outcome, check_log
from jinka.keys.audit import withhold
from jinka.kit import Finding, Refused, Severity

ORIGIN = "base-records"
TEXT_MAX = 200
FINDINGS_MAX = 1000
_MOBILE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
LOOK, SENT, BROKEN_GLASS = "look", "copy.sent", "look.emergency"
SEEN = (LOOK, SENT, BROKEN_GLASS)  # the acts that show something of a record to somebody


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note. ``holder`` and ``record`` are record numbers, 0 where there is none; ``facts`` hold no value."""

    act: str
    department: str
    officer: str
    outcome: Outcome = Outcome.OK
    kind: str = ""
    record: int = 0
    holder: int = 0
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_officer(self.officer)

    def body(self) -> str:
        """The canonical text."""
        return json.dumps(
            {
                "act": self.act,
                "department": self.department,
                "officer": self.officer,
                "outcome": self.outcome.value,
                "kind": self.kind,
                "record": self.record,
                "holder": self.holder,
                "facts": dict(self.facts),
            },
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )

    def event(self) -> AuditEvent:
        """The audit log's event."""
        subject = f"{self.kind}:{self.record}" if self.record else self.kind
        return AuditEvent(
            actor=f"{self.officer}@{self.department}",
            act=self.act,
            subject=subject,
            outcome=self.outcome,
            detail=hashlib.sha256(self.body().encode()).digest(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A note as a store has it: the chained line, the body, and the columns that it is found by."""

    line: bytes
    body: str
    act: str
    department: str
    holder: int
    record: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for whoever reads the log; raises `Refused` when it is damaged."""
        entry = AuditEntry.from_line(self.line)
        found: dict[str, Any] = json.loads(self.body) if self.body else {}
        shown: dict[str, Any] = {"seq": entry.seq, "at_micros": entry.at_micros, "act": entry.act}
        facts: dict[str, Any] = found.pop("facts", {})
        return shown | found | facts


def plain(text: str) -> str:
    """A free text as it may stand in a log."""
    return withhold(_MOBILE.sub(r"\1****\2", text), TEXT_MAX)


def check_notes(rows: Sequence[LogRow], checkpoints: Sequence[Checkpoint] = ()) -> AuditReport:
    """Examine a log: its chain, its bodies against their hashes, its columns against its bodies."""
    report = check_log((row.line for row in rows), checkpoints)
    found = (*report.findings, *_bodies(rows))
    return dataclasses.replace(report, findings=tuple(found[:FINDINGS_MAX]))


def believed(rows: Iterable[LogRow]) -> Iterator[dict[str, Any]]:
    """The bodies that are what their entries were made of; the others `check_notes` finds."""
    for row in rows:
        try:
            detail = AuditEntry.from_line(row.line).detail
        except Refused:
            continue
        if row.body and hmac.compare_digest(hashlib.sha256(row.body.encode()).digest(), detail):
            yield json.loads(row.body)


def proofs(bodies: Iterable[dict[str, Any]]) -> dict[tuple[int, int], bytes]:
    """What the log proves: for a record's number and a statement's, the keyed hash of the statement."""
    return {
        (body["record"], seq): bytes.fromhex(proof)
        for body in bodies
        if body["act"] == "records.write"
        for seq, proof in body["facts"]["statements"]
    }


def _bodies(rows: Iterable[LogRow]) -> Iterator[Finding]:
    for place, row in enumerate(rows):
        try:
            entry = AuditEntry.from_line(row.line)
        except Refused:
            continue  # the chain says so
        digest = hashlib.sha256(row.body.encode()).digest() if row.body else b""
        if not hmac.compare_digest(digest, entry.detail):
            yield _finding("BODY_CHANGED", place, "its body is not what the entry was made of")
            continue
        body = json.loads(row.body) if row.body else {}
        columns = (row.act, row.department, row.holder, row.record)
        said = (
            body.get("act", row.act),
            body.get("department", ""),
            body.get("holder", 0),
            body.get("record", 0),
        )
        if columns != said:
            yield _finding("COLUMNS_CHANGED", place, "the columns it is found by were changed")


def _finding(code: str, place: int, what: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.ERROR,
        where=f"entry {place}",
        what=what,
        fix="keep the database; compare it with another copy",
    )
