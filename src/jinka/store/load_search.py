"""What an issuer's host says of an online load, found by what its record shows: type, terminal, moment and amount.

Reads the open columns alone: card and payer lie sealed there, and no vault is needed.
"""

from __future__ import annotations

import sqlalchemy as sa

from jinka.store.issuer_tables import loads


def load_states(
    engine: sa.Engine,
    *,
    txn_type: int,
    terminal_id: bytes,
    local_date: bytes,
    local_time: bytes,
    amount_fen: int,
) -> list[tuple[bytes, str]]:
    """Id and state of each load that fits; one, unless two cards were loaded there in one second."""
    query = sa.select(loads.c.id, loads.c.state).where(
        loads.c.txn_type == txn_type,
        loads.c.terminal_id == terminal_id,
        loads.c.local_date == local_date,
        loads.c.local_time == local_time,
        loads.c.amount_fen == amount_fen,
    )
    with engine.connect() as connection:
        return [(row.id, row.state) for row in connection.execute(query.order_by(loads.c.id))]
