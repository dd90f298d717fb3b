"""The registry's tables in SQL: loaded from Arrow and read back as Arrow, whole and in the order of their keys."""

from __future__ import annotations

import pyarrow as pa
import sqlalchemy as sa

from jinka.registry import Registry
from jinka.store.schema import REGISTRY_KEYS, REGISTRY_TABLES


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
