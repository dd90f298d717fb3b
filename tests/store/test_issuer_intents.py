"""What was asked and not decided. Goal: it is there after a crash, sealed, until its decision is written with it.

Method: books over both engines, opened anew in the middle, and the table looked at from beside.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.issuer.authorisation import Channel, Entry, Kind
from jinka.issuer.books import Booking, State, Tries
from jinka.issuer.reasons import Reason
from jinka.kit import Refused
from jinka.store import SqlIssuerBooks, issuer_intents, open_database
from tests.issuer.host_rig import PAN, Bank, vault


def row(number: int) -> Booking:
    return Booking(
        id=number.to_bytes(16, "big"), kind=Kind.PURCHASE, fingerprint=b"F" * 16, card=b"C" * 16, account=b"A" * 16,
        acquirer="101", merchant="商户", category="5411", channel=Channel.POS, entry=Entry.STRIPE, amount_fen=7,
        at_micros=number, place_e6=(-1, 2),
    )  # fmt: skip


def decided(booking: Booking, reason: Reason = Reason.FUNDS) -> Booking:
    return replace(booking, state=State.DECLINED, reason=reason)


def stored(engine: sa.Engine) -> list[bytes]:
    with engine.connect() as connection:
        return [
            bytes(sealed) for (sealed,) in connection.exec_driver_sql("SELECT sealed FROM issuer_intents")
        ]


def test_it_stands_until_its_decision_is_written(where: Path | str) -> None:
    engine = open_database(where)
    card = Bank().books.cards([PAN])[PAN]
    books = SqlIssuerBooks(engine, vault())
    books.write(cards=[card])
    books.receive([row(1), row(2)], {row(1).id: Tries(PAN, 2)})
    books.receive([row(3)], {})
    assert len(stored(engine)) == 2
    assert not any(PAN.encode() in blob or b"F" * 16 in blob for blob in stored(engine))
    for seen in (books, SqlIssuerBooks(engine, vault())):
        assert seen.unfinished() == [row(1), row(2), row(3)]
        assert seen.bookings([row(n).id for n in range(4)]) == {row(n).id: row(n) for n in (1, 2, 3)}
        assert seen.cards([PAN])[PAN].tries_left == 2
        assert seen.tried() == [replace(card, tries_left=2)]
        assert list(seen.all_bookings()) == []
    with pytest.raises(Refused, match="no vault"):
        SqlIssuerBooks(engine).unfinished()
    books = SqlIssuerBooks(engine, vault())
    books.write([decided(row(1)), decided(row(3))])
    assert len(stored(engine)) == 1
    assert books.cards([PAN])[PAN] == card, "whoever decided wrote what he took"
    for seen in (books, SqlIssuerBooks(engine, vault())):
        assert seen.unfinished() == [row(2)]
        assert list(seen.all_bookings()) == [decided(row(1)), decided(row(3))]
    books.write([decided(row(2))])
    assert stored(engine) == []
    assert SqlIssuerBooks(engine).unfinished() == [], "where nothing is open, no vault is asked for"
    engine.dispose()


def test_what_was_undone_is_not_remembered(where: Path | str) -> None:
    engine = open_database(where)
    books = SqlIssuerBooks(engine, vault())
    books.receive([row(1)], {})
    with pytest.raises(KeyError), books.together():
        books.write([decided(row(1))])
        books.receive([row(2)], {row(2).id: Tries(PAN, 0)})
        assert books.unfinished() == [row(2)]
        raise KeyError
    assert books.unfinished() == [row(1)]
    assert books.tried() == []
    engine.dispose()


def test_what_an_earlier_version_left_open_is_read(
    where: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines had no business date at their end."""
    engine = open_database(where)
    former = issuer_intents.stored_row
    monkeypatch.setattr(issuer_intents, "stored_row", lambda *given: former(*given)[:-1])
    SqlIssuerBooks(engine, vault()).receive([row(1), row(2)], {row(1).id: Tries(PAN, 2)})
    monkeypatch.undo()
    assert SqlIssuerBooks(engine, vault()).unfinished() == [row(1), row(2)]
    engine.dispose()


def test_what_is_asked_again_is_open_once_and_replaces_what_was_declined(where: Path | str) -> None:
    engine = open_database(where)
    books = SqlIssuerBooks(engine, vault())
    books.receive([row(1)], {})
    books.write([decided(row(1))])
    forced = replace(row(1), forced=True, merchant="M2")
    for _ in range(2):
        books.receive([forced], {})
        assert books.unfinished() == [forced]
    assert books.bookings([forced.id]) == {forced.id: forced}
    approved = replace(forced, state=State.APPROVED, reason=Reason.APPROVED)
    books.write([approved])
    for seen in (books, SqlIssuerBooks(engine, vault())):
        assert seen.unfinished() == []
        assert list(seen.all_bookings()) == [approved]
    engine.dispose()
