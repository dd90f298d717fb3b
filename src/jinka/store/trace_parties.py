"""Whose a place is by master data; what events say of it is an edge (`EdgeKind.BELONGS`).

EPCIS 2.0, 6.5. Master data tell it by an attribute of the place whose value is a party (a PGLN), or by a party that has
the place among its children. Identifiers are canonical.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from jinka.codec.tags import canonical_id
from jinka.store import trace_tables as table

_ASKED = 500
_PARTY = "https://id.gs1.org/417/"


def parties_told(connection: sa.Connection, places: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Places and the parties that they belong to, by name."""
    of_place = sa.select(table.attributes.c.id, table.attributes.c.value)
    of_party = sa.select(table.children.c.child, table.children.c.parent)
    for at in range(0, len(places), _ASKED):
        some = places[at : at + _ASKED]
        for place, value in connection.execute(of_place.where(table.attributes.c.id.in_(some))).all():
            if ":" in value and (party := canonical_id(value)).startswith(_PARTY):
                yield place, party
        for place, parent in connection.execute(of_party.where(table.children.c.child.in_(some))).all():
            yield place, parent
