"""The float's books in SQL. Goal: a deed with its posting is one transaction, done once, and never changed.

Method: on SQLite and PostgreSQL; a deed that is refused among others leaves none of them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.kit import Refused
from jinka.settlement import AccountCode
from jinka.settlement.float_acts import Deed, DeedKind, named
from jinka.store import SqlFloat, SqlLedger, TakenDay, database_at

DAY = dt.date(2018, 9, 3)
DEED = Deed(
    kind=DeedKind.WRITE_OFF, subject="off3+1", card=bytes(10), on=DAY, amount=300, gaps=-300, reason="r", actor="li",
    debit=named(AccountCode.PURSE_LIABILITY, "i"), credit=named(AccountCode.UNCLAIMED, "i"),
)  # fmt: skip


def test_deeds_are_done_once_all_or_none_and_kept(where: Path | str) -> None:
    with database_at(where) as database:
        ledger = SqlLedger(database)
        books = SqlFloat(database, ledger, zone="Asia/Shanghai")
        assert [books.do([DEED]), books.do([DEED])] == [1, 0]
        other = replace(DEED, subject="off9+1")
        with pytest.raises(Refused, match="done before"):
            books.do([other, replace(DEED, amount=301)])
        assert books.deeds() == [DEED]
        unclaimed = named(AccountCode.UNCLAIMED, "i").id
        assert ledger.balances([unclaimed])[unclaimed].credits_posted == 300
        day = TakenDay(date=DAY, edition=1, outcomes="x", flows={("charge", "i", "op"): 5})
        books.take(day)
        with pytest.raises(Refused, match="at the same time"):
            books.take(day)
        books.take(replace(day, edition=2))
        assert books.days() == [replace(day, edition=2)]
        with pytest.raises(sa.exc.DatabaseError), database.begin() as connection:
            connection.execute(sa.text("DELETE FROM float_deeds"))
