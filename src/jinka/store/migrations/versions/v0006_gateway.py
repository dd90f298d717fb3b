"""The gateway: merchants, orders, operations, idempotency keys, callbacks, tokens and bills."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KINDS = {"text": sa.Text, "int": sa.BigInteger, "bytes": sa.LargeBinary, "bool": sa.Boolean}
_PAIRED = ("gateway_keys", "gateway_bills")  # their key is their first two columns
_TABLES = {
    "gateway_merchants": (
        "id:text name:text local_name:text category:text city:text terminal:text key_hash:bytes "
        "callback_url:text callback_secret:bytes requests_per_minute:int active:bool"
    ),
    "gateway_orders": (
        "id:bytes merchant:text reference:text amount_minor:int currency:text created_micros:int "
        "expires_micros:int page_key:bytes description:text bill:text capture_later:bool state:text "
        "authorised_minor:int captured_minor:int refunded_minor:int attempts:int operations:int "
        "payment:bytes token:bytes masked:text code:text version:int"
    ),
    "gateway_operations": (
        "id:bytes order:bytes number:int kind:text amount_minor:int at_micros:int token:bytes "
        "original:bytes serial:int state:text code:text approval:text"
    ),
    "gateway_callbacks": (
        "id:bytes merchant:text kind:text body:text created_micros:int next_micros:int attempts:int "
        "delivered:bool outcome:text"
    ),
    "gateway_tokens": (
        "id:bytes merchant:text lookup:bytes sealed:bytes masked:text reusable:bool active:bool"
    ),
    "gateway_keys": ("merchant:text key:text fingerprint:bytes at_micros:int operation:bytes body:text"),
    "gateway_bills": (
        "merchant:text number:text amount_minor:int currency:text title:text order:bytes paid:bool"
    ),
}
_INDEXES = (
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


def upgrade() -> None:
    """Create them."""
    for name, text in _TABLES.items():
        keys = 2 if name in _PAIRED else 1
        columns: list[sa.Column[Any]] = []
        for at, column in enumerate(text.split()):
            title, _, kind = column.partition(":")
            columns.append(sa.Column(title, _KINDS[kind], primary_key=at < keys, nullable=False))
        op.create_table(name, *columns)
    for table, names, unique in _INDEXES:
        op.create_index(f"{table}_by_{'_'.join(names)}", table, list(names), unique=unique)
