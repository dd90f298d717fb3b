"""What was approved on a business date, from the switch's journal: counts and sums by pairs of peers and by kinds.

A date's beginning is in the journal before what counts to it, so nothing in front of that is read; where it is not (the
first date, or one that began while nobody ran), the last one before it is taken. Nothing is unsealed.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from jinka.store.switch_journal import journal
from jinka.switch import Counted, Entity, TxState
from jinka.switch.core import day_id

_DAYS_BACK = 40


def counted(connection: sa.Connection, business_date: str) -> list[Counted]:
    """Approved transactions of a business date, each as its newest version has it."""
    columns = journal.c
    since = (
        sa.select(columns.id, columns.version)
        .where(columns.number >= _began(connection, business_date))
        .where(columns.entity == Entity.TRANSACTION.value, columns.business_date == business_date)
        .cte("since")
        .prefix_with(
            "MATERIALIZED"
        )  # or else it is grouped along the index of ids, which is all of the journal
    )
    newest = (
        sa.select(since.c.id, sa.func.max(since.c.version).label("version")).group_by(since.c.id).subquery()
    )
    same = sa.and_(columns.id == newest.c.id, columns.version == newest.c.version)
    keys = (columns.source, columns.target, columns.kind)
    query = (
        sa.select(*keys, sa.func.count(), sa.func.sum(columns.amount_fen))
        .select_from(journal.join(newest, same))
        .where(columns.state == TxState.APPROVED.value)
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Counted(source=source, target=target, kind=kind, count=count, amount_fen=int(amount))
        for source, target, kind, count, amount in connection.execute(query)
    ]


def _began(connection: sa.Connection, business_date: str) -> int:
    """The number of the group that nothing of the date is in front of."""
    last = dt.date.fromisoformat(business_date)
    dates = [day_id((last - dt.timedelta(days=days)).isoformat()) for days in range(_DAYS_BACK)]
    query = sa.select(sa.func.max(journal.c.number)).where(journal.c.id.in_(dates))
    return connection.execute(query).scalar() or 0
