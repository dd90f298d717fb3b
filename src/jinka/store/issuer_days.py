"""A business date's sums of an issuer's transactions, by one pass over its rows, and the comparisons that were made.

Implements `jinka.issuer.day_totals.DayBooks`. Needs no vault: no card is read. Sums are the database's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from jinka.issuer.authorisation import Kind
from jinka.issuer.day_totals import COUNTED, Comparison, DaySums, side_of
from jinka.issuer.reasons import Reason
from jinka.store.issuer_tables import day_totals, transactions

_KINDS = {kind.word: kind for kind in Kind}
_STATES = sorted(state.value[0] for state in COUNTED)
_REASONS = sorted(reason.word for reason in Reason if reason.code == "00")
_SUMS = ("debit_fen", "debits", "credit_fen", "credits")


class SqlDays:
    """On the database of `jinka.store.SqlIssuerBooks`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def sums(self, business_date: str, acquirer: str) -> DaySums:
        rows, before = transactions.alias("t"), transactions.alias("o")
        good: list[sa.ColumnElement[bool]] = [rows.c.state.in_(_STATES), rows.c.reason.in_(_REASONS)]
        if acquirer:
            good.append(rows.c.acquirer == acquirer)
        joined = rows.outerjoin(before, before.c.id == rows.c.original)
        whole = (
            sa.select(rows.c.kind, before.c.kind, sa.func.count(), sa.func.sum(rows.c.amount_fen))
            .select_from(joined)
            .where(rows.c.settled_date == business_date, rows.c.kind != Kind.PARTIAL.word, *good)
            .group_by(rows.c.kind, before.c.kind)
        )
        less = rows.c.amount_fen - before.c.amount_fen  # what stays, without what was
        parts = (
            sa.select(before.c.kind, sa.func.sum(less))
            .select_from(joined)
            .where(rows.c.kind == Kind.PARTIAL.word, rows.c.settled_date >= business_date, *good)
            .where(before.c.settled_date == business_date)
            .group_by(before.c.kind)
        )
        found = DaySums()
        with self._engine.connect() as connection:
            for kind, original, count, amount in connection.execute(whole):
                flow = side_of(_KINDS[kind], _KINDS.get(original))
                found = found.plus(flow, count, int(amount))
            for original, amount in connection.execute(parts):
                found = found.plus(_KINDS[original].flow, 0, int(amount))
        return found

    def keep(self, comparison: Comparison) -> None:
        columns = day_totals.c
        with self._engine.begin() as connection:
            if connection.execute(sa.select(columns.id).where(columns.id == comparison.id)).first():
                return
            last = connection.execute(sa.select(sa.func.max(columns.number))).scalar() or 0
            row = {
                "id": comparison.id, "number": last + 1, "at_micros": comparison.at_micros,
                "business_date": comparison.business_date, "asker": comparison.asker, "acquirer": comparison.acquirer,
                **{f"claimed_{name}": getattr(comparison.claimed, name) for name in _SUMS},
                **{f"our_{name}": getattr(comparison.ours, name) for name in _SUMS},
            }  # fmt: skip
            connection.execute(day_totals.insert().values(row))

    def comparisons(self) -> Sequence[Comparison]:
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(day_totals).order_by(day_totals.c.number)).mappings().all()
        return [
            Comparison(
                id=row["id"], at_micros=row["at_micros"], business_date=row["business_date"], asker=row["asker"],
                acquirer=row["acquirer"], claimed=DaySums(**{name: row[f"claimed_{name}"] for name in _SUMS}),
                ours=DaySums(**{name: row[f"our_{name}"] for name in _SUMS}),
            )
            for row in rows
        ]  # fmt: skip
