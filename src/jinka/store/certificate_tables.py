"""The SQL tables of a certification authority: applications, acts, certificates, lists, escrowed keys, officers.

All of them are append-only: what an application is follows from its acts. Times are seconds since the epoch, UTC, as
certificates have whole seconds. Serial numbers are 20 bytes, so that SQL compares them whole; the primary key is what
keeps one from being given twice.
"""

from __future__ import annotations

import sqlalchemy as sa

from jinka.store.schema import metadata

applications = sa.Table(
    "certificate_applications",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),  # JSON, by the names of `Subject`
    sa.Column("public_der", sa.LargeBinary, nullable=False),
    sa.Column("dns_names", sa.Text, nullable=False),  # JSON
    sa.Column("constraints", sa.Text, nullable=False),  # JSON, empty without
    sa.Column("requester", sa.Text, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("renews", sa.LargeBinary, nullable=False),  # empty without
    sa.Index("certificate_applications_by_key", "public_der"),
)

acts = sa.Table(
    "certificate_acts",
    metadata,
    sa.Column("application", sa.LargeBinary, sa.ForeignKey("certificate_applications.id"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

certificates = sa.Table(
    "certificates",
    metadata,
    sa.Column("serial", sa.LargeBinary, primary_key=True),
    sa.Column("application", sa.LargeBinary, sa.ForeignKey("certificate_applications.id"), nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),  # 0 signs or is the only one, 1 encrypts
    sa.Column("not_after", sa.BigInteger, nullable=False),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("envelope", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("application", "place"),
)

lists = sa.Table(
    "certificate_lists",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("base_number", sa.BigInteger, nullable=False),  # 0 in a complete list
    sa.Column("der", sa.LargeBinary, nullable=False),
)

escrowed = sa.Table(
    "escrowed_keys",
    metadata,
    sa.Column("public_der", sa.LargeBinary, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

recoveries = sa.Table(
    "escrow_recoveries",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("public_der", sa.LargeBinary, sa.ForeignKey("escrowed_keys.public_der"), nullable=False),
    sa.Column("first", sa.Text, nullable=False),
    sa.Column("second", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("recipient_der", sa.LargeBinary, nullable=False),
)

officers = sa.Table(
    "authority_officers",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("admitted", sa.BigInteger, nullable=False),  # 1, or 0 when dismissed
    sa.Column("first", sa.Text, nullable=False),  # who said so; the custodians at the beginning
    sa.Column("second", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

CERTIFICATE_TABLES = (applications, acts, certificates, lists, escrowed, recoveries, officers)
