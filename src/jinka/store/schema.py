"""The SQL tables of a centre, as SQLAlchemy Core. Created and changed only by the migrations beside this file.

Ids are BLOBs, amounts 64-bit integers in minor units. The intake journal and the ledger's transfers are append-only:
triggers refuse updates and deletions. The ledger's tables differ by engine (`jinka.store.ledger_schema`).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from jinka.registry import Registry

metadata = sa.MetaData()

# The columns that make a row of each registry table unique.
REGISTRY_KEYS: dict[str, tuple[str, ...]] = {
    "participants": ("code",),
    "terminals": ("terminal_id",),
    "psams": ("psam_id",),
    "cards": ("card_no",),
    "listings": ("list_version", "card_no"),
    "acknowledgements": ("terminal_id", "list_version"),
}


def _sql_type(kind: pa.DataType) -> sa.types.TypeEngine[Any]:
    if pa.types.is_fixed_size_binary(kind):
        return sa.LargeBinary()
    if pa.types.is_string(kind):
        return sa.Text()
    return sa.BigInteger()


REGISTRY_TABLES: dict[str, sa.Table] = {
    name: sa.Table(
        name,
        metadata,
        *(
            sa.Column(
                f.name, _sql_type(f.type), primary_key=f.name in REGISTRY_KEYS[name], nullable=f.nullable
            )
            for f in schema
        ),
    )
    for name, schema in Registry.SCHEMAS.items()
}

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("delivery", sa.LargeBinary, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("accepted_file", sa.Text, nullable=False),  # relative; empty when no record was accepted
    sa.Column("parked_file", sa.Text, nullable=False),
    sa.Column("accepted_records", sa.BigInteger, nullable=False),
    sa.Column("parked_records", sa.BigInteger, nullable=False),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("delivery", sa.LargeBinary, sa.ForeignKey("deliveries.delivery"), nullable=False),
    sa.Column("batch", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index("batches_by_batch", "batch", "status"),
    sa.Index("batches_by_delivery", "delivery"),
)

registrations = sa.Table(
    "registrations",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("low", sa.Text, nullable=False),  # first and last of the numbers that it takes
    sa.Column("high", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("under", sa.Text, nullable=False),
    sa.Column("valid_from", sa.Text, nullable=False),
    sa.Column("valid_to", sa.Text, nullable=False),
    sa.Index("registrations_by_reach", "kind", "low", "high"),
)

registration_acts = sa.Table(
    "registration_acts",
    metadata,
    sa.Column("number", sa.BigInteger, sa.ForeignKey("registrations.number"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("at_micros", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

APPEND_ONLY = (
    "deliveries", "batches", "ledger_transfers", "ledger_past_balances", "registrations", "registration_acts",
)  # fmt: skip
