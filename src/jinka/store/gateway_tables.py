"""The gateway's SQL tables. Ids are BLOBs, amounts 64-bit integers in minor units; card numbers are sealed.

Made by the migration of the gateway alone. Operations are never deleted; idempotency keys are, when they are old.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jinka.store.schema import metadata

_TEXT, _NUMBER, _BYTES, _FLAG = sa.Text, sa.BigInteger, sa.LargeBinary, sa.Boolean
_SPEC: dict[str, tuple[tuple[str, type[sa.types.TypeEngine[Any]]], ...]] = {
    "gateway_merchants": (
        ("id", _TEXT), ("name", _TEXT), ("local_name", _TEXT), ("category", _TEXT), ("city", _TEXT),
        ("terminal", _TEXT), ("key_hash", _BYTES), ("callback_url", _TEXT), ("callback_secret", _BYTES),
        ("requests_per_minute", _NUMBER), ("active", _FLAG),
    ),
    "gateway_orders": (
        ("id", _BYTES), ("merchant", _TEXT), ("reference", _TEXT), ("amount_minor", _NUMBER), ("currency", _TEXT),
        ("created_micros", _NUMBER), ("expires_micros", _NUMBER), ("page_key", _BYTES), ("description", _TEXT),
        ("bill", _TEXT), ("capture_later", _FLAG), ("state", _TEXT), ("authorised_minor", _NUMBER),
        ("captured_minor", _NUMBER), ("refunded_minor", _NUMBER), ("attempts", _NUMBER), ("operations", _NUMBER),
        ("payment", _BYTES), ("token", _BYTES), ("masked", _TEXT), ("code", _TEXT), ("version", _NUMBER),
    ),
    "gateway_operations": (
        ("id", _BYTES), ("order", _BYTES), ("number", _NUMBER), ("kind", _TEXT), ("amount_minor", _NUMBER),
        ("at_micros", _NUMBER), ("token", _BYTES), ("original", _BYTES), ("serial", _NUMBER),
        ("state", _TEXT), ("code", _TEXT), ("approval", _TEXT), ("terminal", _TEXT), ("institution", _TEXT),
        ("reversing", _FLAG),
    ),
    "gateway_callbacks": (
        ("id", _BYTES), ("merchant", _TEXT), ("kind", _TEXT), ("body", _TEXT), ("created_micros", _NUMBER),
        ("next_micros", _NUMBER), ("attempts", _NUMBER), ("delivered", _FLAG), ("outcome", _TEXT),
    ),
    "gateway_tokens": (
        ("id", _BYTES), ("merchant", _TEXT), ("lookup", _BYTES), ("sealed", _BYTES), ("masked", _TEXT),
        ("reusable", _FLAG), ("active", _FLAG),
    ),
}  # fmt: skip
_PAIRED: dict[str, tuple[tuple[str, type[sa.types.TypeEngine[Any]]], ...]] = {
    "gateway_keys": (
        ("merchant", _TEXT), ("key", _TEXT), ("fingerprint", _BYTES), ("at_micros", _NUMBER),
        ("operation", _BYTES), ("body", _TEXT),
    ),
    "gateway_bills": (
        ("merchant", _TEXT), ("number", _TEXT), ("amount_minor", _NUMBER), ("currency", _TEXT), ("title", _TEXT),
        ("order", _BYTES), ("paid", _FLAG),
    ),
}  # fmt: skip
# (table, columns, unique)
INDEXES = (
    ("gateway_merchants", ("key_hash",), True),
    ("gateway_orders", ("page_key",), True),
    ("gateway_orders", ("merchant", "created_micros", "id"), False),
    ("gateway_orders", ("state", "expires_micros"), False),
    ("gateway_operations", ("order", "number"), True),
    ("gateway_operations", ("serial",), True),
    ("gateway_operations", ("state", "at_micros"), False),
    ("gateway_callbacks", ("next_micros",), False),
    ("gateway_tokens", ("merchant", "lookup"), True),
    ("gateway_keys", ("operation",), False),
    ("gateway_keys", ("at_micros",), False),
)


def columns(name: str) -> list[sa.Column[object]]:
    """Fresh columns of a table; the first of `_SPEC` or the first two of `_PAIRED` are its key."""
    spec, keys = (_SPEC[name], 1) if name in _SPEC else (_PAIRED[name], 2)
    return [
        sa.Column(column, kind, primary_key=at < keys, nullable=False, autoincrement=False)
        if kind is _NUMBER
        else sa.Column(column, kind, primary_key=at < keys, nullable=False)
        for at, (column, kind) in enumerate(spec)
    ]


def index_name(table: str, names: tuple[str, ...]) -> str:
    """What an index is called."""
    return f"{table}_by_{'_'.join(names)}"


NAMES = (*_SPEC, *_PAIRED)
TABLES = {
    name: sa.Table(
        name,
        metadata,
        *columns(name),
        *(sa.Index(index_name(t, c), *c, unique=unique) for t, c, unique in INDEXES if t == name),
    )
    for name in NAMES
}
merchants, orders, operations = (TABLES[f"gateway_{n}"] for n in ("merchants", "orders", "operations"))
callbacks, tokens = TABLES["gateway_callbacks"], TABLES["gateway_tokens"]
keys, bills = TABLES["gateway_keys"], TABLES["gateway_bills"]
