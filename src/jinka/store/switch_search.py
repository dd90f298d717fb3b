"""Approved transactions of the switch's journal, found by what a bank knows of them: business date and trace number.

Reads the open columns alone: cards are masked there, and no key is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from jinka.store.switch_journal import journal
from jinka.switch import Entity
from jinka.switch.states import TxState

MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTransaction:
    """``source`` acquired it, ``target`` issued the card."""

    id: bytes
    kind: str
    source: str
    target: str
    business_date: str
    trace: str
    terminal: str
    amount_fen: int
    card: str


def approved_transactions(
    engine: sa.Engine, business_date: str, trace: str, terminal: str = ""
) -> list[FoundTransaction]:
    """Those whose newest version is approved; at most `MOST`."""
    columns = journal.c
    chosen = [
        columns.entity == Entity.TRANSACTION.value,
        columns.business_date == business_date,
        columns.trace == trace,
    ]
    if terminal:
        chosen.append(columns.terminal == terminal)
    newest = (
        sa.select(columns.id, sa.func.max(columns.version).label("version"))
        .where(*chosen)
        .group_by(columns.id)
        .subquery()
    )
    same = sa.and_(columns.id == newest.c.id, columns.version == newest.c.version)
    names = FoundTransaction.__slots__
    query = (
        sa.select(*(columns[name] for name in names))
        .select_from(journal.join(newest, same))
        .where(columns.state == TxState.APPROVED.value)
        .order_by(columns.source, columns.terminal, columns.id)
        .limit(MOST)
    )
    with engine.connect() as connection:
        return [FoundTransaction(**row._mapping) for row in connection.execute(query)]
