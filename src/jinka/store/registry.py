"""The registry's tables in SQL: loaded from Arrow and read back as Arrow, whole and in the order of their keys."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from jinka.kit import Refused
from jinka.registry import CARDS, Registry
from jinka.store.schema import REGISTRY_KEYS, REGISTRY_TABLES

_CHUNK = 500  # numbers in one question


def save_registry(engine: sa.Engine, registry: Registry) -> None:
    """Replace all registry tables by these, in one transaction."""
    with engine.begin() as connection:
        for name, table in REGISTRY_TABLES.items():
            connection.execute(table.delete())
            rows: pa.Table = getattr(registry, name).cast(Registry.SCHEMAS[name])
            if not rows.num_rows:
                continue
            marks = ", ".join("?" * len(rows.column_names))
            insert = f"INSERT INTO {name} ({', '.join(rows.column_names)}) VALUES ({marks})"  # noqa: S608 own names
            columns = [column.to_pylist() for column in rows.columns]
            connection.exec_driver_sql(insert, list(zip(*columns, strict=True)))


def register_cards(engine: sa.Engine, cards: pa.Table) -> int:
    """Add cards in one transaction; returns how many were new. The same card again is welcome, another with a number
    that is taken is `Refused`, and then none is added."""
    table, wanted = REGISTRY_TABLES["cards"], cards.cast(CARDS).to_pylist()
    with engine.begin() as connection:
        there: dict[bytes, dict[str, Any]] = {}
        for start in range(0, len(wanted), _CHUNK):
            numbers = [row["card_no"] for row in wanted[start : start + _CHUNK]]
            found = connection.execute(sa.select(table).where(table.c.card_no.in_(numbers))).mappings()
            there |= {row["card_no"]: dict(row) for row in found}
        fresh = [row for row in wanted if row["card_no"] not in there]
        if any(there.get(row["card_no"], row) != row for row in wanted) or len(
            {row["card_no"] for row in wanted}
        ) != len(wanted):
            raise Refused(
                "a card number is taken", where="registry", fix="reserve numbers before making cards"
            )
        if fresh:
            connection.execute(table.insert(), fresh)
    return len(fresh)


def load_registry(engine: sa.Engine) -> Registry:
    """Read all registry tables in one transaction."""
    tables: dict[str, pa.Table] = {}
    with engine.connect() as connection:
        for name, table in REGISTRY_TABLES.items():
            schema = Registry.SCHEMAS[name]
            query = sa.select(table).order_by(*(table.c[key] for key in REGISTRY_KEYS[name]))
            columns = list(zip(*connection.execute(query).all(), strict=True)) or [()] * len(schema)
            tables[name] = pa.table(
                [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)],
                schema=schema,
            )
    return Registry(**tables)
