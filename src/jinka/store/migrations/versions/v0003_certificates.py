"""The books of a certification authority, its escrow and its officers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _blobs(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _key(name: str, kind: type[sa.LargeBinary] | type[sa.BigInteger]) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Create the tables; every one is append-only."""
    op.create_table(
        "certificate_applications", _key("id", sa.LargeBinary), *_texts("profile", "subject"), *_blobs("public_der"),
        *_texts("dns_names", "constraints", "requester"), *_ints("asked_at"), *_blobs("renews"),
    )  # fmt: skip
    op.create_index("certificate_applications_by_key", "certificate_applications", ["public_der"])
    of_application = sa.ForeignKeyConstraint(["application"], ["certificate_applications.id"])
    op.create_table(
        "certificate_acts", _key("application", sa.LargeBinary), _key("seq", sa.BigInteger), *_texts("act", "officer"),
        *_ints("at"), *_texts("reason", "note"), of_application,
    )  # fmt: skip
    op.create_table(
        "certificates", _key("serial", sa.LargeBinary), *_blobs("application"), *_ints("place", "not_after"),
        *_blobs("der", "envelope"), sa.UniqueConstraint("application", "place"),
        sa.ForeignKeyConstraint(["application"], ["certificate_applications.id"]),
    )  # fmt: skip
    op.create_table("certificate_lists", _key("number", sa.BigInteger), *_ints("base_number"), *_blobs("der"))
    op.create_table("escrowed_keys", _key("public_der", sa.LargeBinary), *_texts("owner"), *_blobs("sealed"))
    op.create_table(
        "escrow_recoveries", _key("number", sa.BigInteger), *_blobs("public_der"), *_texts("first", "second"),
        *_ints("at"), *_blobs("recipient_der"),
        sa.ForeignKeyConstraint(["public_der"], ["escrowed_keys.public_der"]),
    )  # fmt: skip
    op.create_table(
        "authority_officers", _key("seq", sa.BigInteger), *_texts("officer"), *_ints("admitted"),
        *_texts("first", "second"), *_ints("at"),
    )  # fmt: skip
    make_append_only(
        "certificate_applications", "certificate_acts", "certificates", "certificate_lists", "escrowed_keys",
        "escrow_recoveries", "authority_officers",
    )  # fmt: skip
