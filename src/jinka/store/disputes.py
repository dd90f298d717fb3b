"""Disputes on SQL: append-only rows of what was opened, of each deed, and of the hashes of its evidence.

With the ledger of the same database a deed and its posting are one transaction. Decides nothing: what a dispute is, its
deeds say (`jinka.clearing.dispute`). Who reads inside a block locks what it reads: a row, or all of one original.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from jinka.clearing.dispute import Deed, Dispute, Evidence, Original, Parties, rebuild
from jinka.clearing.dispute_tables import TABLES
from jinka.clearing.dispute_words import Event, EvidenceKind, Machine, by_word
from jinka.store.dispute_tables import deeds, disputes, evidence
from jinka.store.ledger import SqlLedger


class SqlDisputes:
    """Implements `jinka.settlement.DisputeBooks` on a database opened by `open_database`, beside its ledger."""

    def __init__(self, engine: sa.Engine, ledger: SqlLedger) -> None:
        self._engine, self._ledger = engine, ledger
        self._block = threading.local()

    @contextmanager
    def together(self) -> Iterator[None]:
        if self._open_block() is not None:
            yield
            return
        with self._ledger.together() as connection:
            self._block.connection = connection
            try:
                yield
            finally:
                self._block.connection = None

    def get(self, dispute: bytes) -> Dispute | None:
        found = self._read(disputes.c.id == dispute, lock=True)
        return found[0] if found else None

    def of_original(self, original: bytes) -> list[Dispute]:
        block = self._open_block()
        if block is not None and block.dialect.name == "postgresql":  # on SQLite there is one writer anyway
            key = int.from_bytes(original[:8], "big", signed=True)
            block.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
        return self._read(disputes.c.original == original)

    def listed(self) -> list[Dispute]:
        return self._read(sa.true())

    def write(self, dispute: Dispute) -> None:
        with self.together():
            block = self._open_block()
            assert block is not None
            if len(dispute.deeds) == 1:
                block.execute(disputes.insert().values(_row(dispute) | {"number": _next(block)}))
            deed = dispute.deeds[-1]
            block.execute(deeds.insert().values(_deed_row(dispute.id, deed)))
            rows = [_evidence_row(dispute.id, deed.seq, n, each) for n, each in enumerate(deed.evidence)]
            if rows:
                block.execute(evidence.insert(), rows)

    def _open_block(self) -> sa.Connection | None:
        found: sa.Connection | None = getattr(self._block, "connection", None)
        return found

    def _read(self, where: sa.ColumnElement[bool], *, lock: bool = False) -> list[Dispute]:
        block = self._open_block()
        if block is not None:
            return _load(block, where, lock=lock)
        with self._engine.connect() as connection:
            return _load(connection, where)


def _load(connection: sa.Connection, where: sa.ColumnElement[bool], *, lock: bool = False) -> list[Dispute]:
    query = sa.select(disputes).where(where).order_by(disputes.c.number)
    rows = connection.execute(query.with_for_update() if lock else query).all()
    chosen = sa.select(disputes.c.id).where(where)
    papers: dict[tuple[bytes, int], list[Evidence]] = {}
    for row in connection.execute(
        sa.select(evidence).where(evidence.c.dispute.in_(chosen)).order_by(evidence.c.line)
    ):
        papers.setdefault((row.dispute, row.seq), []).append(_evidence(row))
    done: dict[bytes, list[Deed]] = {}
    for row in connection.execute(sa.select(deeds).where(deeds.c.dispute.in_(chosen)).order_by(deeds.c.seq)):
        done.setdefault(row.dispute, []).append(_deed(row, papers.get((row.dispute, row.seq), [])))
    return [rebuild(TABLES[fresh.machine], fresh, done.get(fresh.id, [])) for fresh in map(_fresh, rows)]


def _next(connection: sa.Connection) -> int:
    if connection.dialect.name == "postgresql":  # whoever opens another one at the same time waits
        connection.execute(sa.text("LOCK TABLE disputes IN SHARE ROW EXCLUSIVE MODE"))
    return int(connection.execute(sa.select(sa.func.max(disputes.c.number))).scalar() or 0) + 1


def _row(dispute: Dispute) -> dict[str, object]:
    original, parties = dispute.original, dispute.parties
    return {
        "id": dispute.id, "original": original.id, "machine": dispute.machine.word, "sort": original.sort,
        "title": original.title, "original_date": original.date.isoformat(), "original_amount": original.amount,
        "claimant": parties.claimant, "respondent": parties.respondent, "scheme": parties.scheme,
        "government": parties.government, "claimed": dispute.claimed, "reason": dispute.reason,
        "reference": dispute.reference, "subsidy": dispute.subsidy,
    }  # fmt: skip


def _fresh(row: Any) -> Dispute:
    return Dispute(
        id=row.id,
        machine=by_word(Machine, row.machine, where="dispute.machine"),
        original=Original(
            id=row.original, amount=row.original_amount, date=dt.date.fromisoformat(row.original_date),
            sort=row.sort, title=row.title,
        ),
        parties=Parties(
            claimant=row.claimant, respondent=row.respondent, scheme=row.scheme, government=row.government
        ),
        claimed=row.claimed,
        reason=row.reason,
        reference=row.reference,
        subsidy=row.subsidy,
    )  # fmt: skip


def _deed_row(dispute: bytes, deed: Deed) -> dict[str, object]:
    return {
        "dispute": dispute, "seq": deed.seq, "event": deed.event.word, "actor": deed.actor,
        "on_date": deed.on.isoformat(), "due": deed.due.isoformat() if deed.due else "", "note": deed.note,
        "amount": deed.amount, "fee": deed.fee,
    }  # fmt: skip


def _deed(row: Any, papers: list[Evidence]) -> Deed:
    return Deed(
        seq=row.seq,
        event=by_word(Event, row.event, where="dispute.event"),
        actor=row.actor,
        on=dt.date.fromisoformat(row.on_date),
        amount=row.amount,
        fee=row.fee,
        due=dt.date.fromisoformat(row.due) if row.due else None,
        note=row.note,
        evidence=tuple(papers),
    )


def _evidence_row(dispute: bytes, seq: int, line: int, paper: Evidence) -> dict[str, object]:
    return {
        "dispute": dispute, "seq": seq, "line": line, "kind": paper.kind.word, "name": paper.name,
        "sha256": paper.sha256, "size": paper.size,
    }  # fmt: skip


def _evidence(row: Any) -> Evidence:
    kind = by_word(EvidenceKind, row.kind, where="dispute.evidence")
    return Evidence(kind=kind, sha256=row.sha256, name=row.name, size=row.size)
