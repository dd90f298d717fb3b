"""The audit log of disputes: a deed is on the disk here before it takes effect, and so is what was refused.

An entry has who acted, what it was, the dispute, and a hash over the whole deed, its evidence included; `jinka audit
verify` examines the log. A crash can leave an entry without its deed, never a deed without its entry.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager

from jinka.clearing.dispute import Deed, Dispute
from jinka.keys import AuditEvent, Outcome
from jinka.node import AuditLog
from jinka.store import SqlDisputes

LOG = "audit-disputes.jsonl"
ORIGIN = "disputes"


class AuditedDisputes:
    """Implements `jinka.settlement.DisputeBooks`: what is written is in the log first."""

    def __init__(self, books: SqlDisputes, log: AuditLog) -> None:
        self._books, self._log = books, log

    def together(self) -> AbstractContextManager[object]:
        return self._books.together()

    def get(self, dispute: bytes) -> Dispute | None:
        return self._books.get(dispute)

    def of_original(self, original: bytes) -> list[Dispute]:
        return self._books.of_original(original)

    def listed(self) -> list[Dispute]:
        return self._books.listed()

    def write(self, dispute: Dispute) -> None:
        deed = dispute.deeds[-1]
        self._log.record(
            AuditEvent(
                actor=deed.actor, act=f"dispute.{deed.event.word}", subject=f"dispute:{dispute.id.hex()}",
                detail=deed_digest(dispute.id, deed),
            )
        )  # fmt: skip
        self._books.write(dispute)

    def refused(self, actor: str, act: str, subject: str) -> None:
        """Note what a rule did not let somebody do."""
        self._log.record(
            AuditEvent(actor=actor, act=f"dispute.{act}", subject=subject, outcome=Outcome.REFUSED)
        )


def deed_digest(dispute: bytes, deed: Deed) -> bytes:
    """SHA-256 over all of a deed."""
    said = {
        "dispute": dispute.hex(), "seq": deed.seq, "event": deed.event.word, "actor": deed.actor,
        "on": deed.on.isoformat(), "due": deed.due.isoformat() if deed.due else "", "amount": deed.amount,
        "fee": deed.fee, "note": deed.note,
        "evidence": [[paper.kind.word, paper.name, paper.sha256.hex(), paper.size] for paper in deed.evidence],
    }  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).digest()
