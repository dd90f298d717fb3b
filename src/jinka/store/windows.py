"""The journal of settlement windows in SQL: each opening and each act is a row, added once and never changed.

Decides nothing: what a window is, its acts say (`jinka.settlement.window`). A chain has one window of an ordinal and a
centre one of a date and cycle, by the keys of the tables, so of two desks that act at the same time one is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from jinka.kit import Refused
from jinka.settlement import Act, Opening, WindowKey
from jinka.settlement.window_text import act_text, opening_text, read_act, read_opening
from jinka.store.schema import metadata

window_openings = sa.Table(
    "window_openings",
    metadata,
    sa.Column("centre", sa.Text, primary_key=True),
    sa.Column("chain", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("business_date", sa.Text, nullable=False),
    sa.Column("cycle", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("centre", "business_date", "cycle"),
)
window_acts = sa.Table(
    "window_acts",
    metadata,
    sa.Column("centre", sa.Text, primary_key=True),
    sa.Column("chain", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["centre", "chain", "ordinal"],
        ["window_openings.centre", "window_openings.chain", "window_openings.ordinal"],
    ),
)


class SqlWindows:
    """Implements `jinka.settlement.WindowJournal` on a database opened by `open_database`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def open(self, opening: Opening) -> None:
        day = opening.key.day
        row = _place(opening.key) | {"business_date": day.date.isoformat(), "cycle": day.cycle}
        self._add(
            window_openings.insert().values(row | {"body": opening_text(opening)}),
            opening.key,
            "the chain has a window of this ordinal, or the centre one of this date and cycle",
        )

    def append(self, key: WindowKey, number: int, act: Act) -> None:
        self._add(
            window_acts.insert().values(_place(key) | {"number": number, "body": act_text(act)}),
            key,
            f"act {number} was done already by somebody else",
        )

    def last(self, centre: str, chain: str) -> tuple[Opening, Sequence[Act]] | None:
        openings, acts = window_openings.c, window_acts.c
        with self._engine.connect() as connection:
            found = connection.execute(
                sa.select(openings.ordinal, openings.body)
                .where(openings.centre == centre, openings.chain == chain)
                .order_by(openings.ordinal.desc())
                .limit(1)
            ).one_or_none()
            if found is None:
                return None
            ordinal, body = found
            rows = connection.execute(
                sa.select(acts.number, acts.body)
                .where(acts.centre == centre, acts.chain == chain, acts.ordinal == ordinal)
                .order_by(acts.number)
            ).all()
        where = f"window {centre}/{chain}/{ordinal}"
        if [number for number, _ in rows] != list(range(1, len(rows) + 1)):
            raise Refused("an act is missing", where=where, fix="take the database from a backup")
        return read_opening(body, where=where), [read_act(text, where=where) for _, text in rows]

    def _add(self, statement: sa.Insert, key: WindowKey, what: str) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(statement)
        except sa.exc.IntegrityError:
            raise Refused(
                what, where=f"window {key.name}", fix="open the desk again: it goes on there"
            ) from None


def _place(key: WindowKey) -> dict[str, str | int]:
    return {"centre": key.centre, "chain": key.chain, "ordinal": key.ordinal}
